"""`spark check`: scopes, formats, exit statuses, git as the oracle of `--since`, and files that are not as they should be."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from spark.cli.check_formats import github_lines, sarif
from spark.core.diagnostics import Finding
from tests.cli.conftest import Spark, make_project
from tests.engines.unity.checks.assets import MATERIAL, PREFAB, behaviour, meta

GUID, OTHER = "a1" * 16, "b2" * 16
BROKEN = PREFAB.replace("m_Father: {fileID: 11}", "m_Father: {fileID: 0}")
MANIFEST = '{"dependencies": {}}\n'


def put(root: Path, path: str, content: str | bytes, guid: str = "") -> Path:
    """A file with its meta and those of its new folders."""
    place = root / path
    for number, folder in enumerate(reversed(place.relative_to(root).parents)):
        if len(folder.parts) > 1 and not (root / folder).exists():
            (root / folder).mkdir(parents=True)
            own = f"{abs(hash(str(folder))) % 16**12:012x}{number:020x}"
            put_meta(root, folder.as_posix(), own)
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    if guid:
        put_meta(root, path, guid)
    return place


def put_meta(root: Path, path: str, guid: str) -> None:
    (root / f"{path}.meta").write_text(meta(guid), encoding="utf-8")


@pytest.fixture
def game(project: Path) -> Path:
    """A project without a finding."""
    (project / "Packages").mkdir()
    put(project, "Packages/manifest.json", MANIFEST)
    put(project, "Assets/Art/Größe, 1.mat", MATERIAL, GUID)
    put(project, "Assets/Art/Thing.prefab", PREFAB, OTHER)
    return project


def codes(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["code"], finding["path"]) for finding in document["findings"]]


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def test_a_good_project_passes(game: Path, spark: Spark) -> None:
    """Nothing is found, everything was looked at, and the project is as it was."""
    before = {path: path.stat().st_mtime_ns for path in game.rglob("*")}
    result = spark("check")
    assert (result.status, result.text) == (0, "7 files checked: 0 errors, 0 warnings\n")
    assert spark("--json", "check").document == {"findings": [], "checked": 7}
    assert {path: path.stat().st_mtime_ns for path in game.rglob("*")} == before


def test_a_finding_has_its_line_and_its_fix(game: Path, spark: Spark, monkeypatch: pytest.MonkeyPatch) -> None:
    """`path:line:col: severity: message [code]`, the fix below, a summary; paths are those of the current folder."""
    put(game, "Assets/Art/Thing.prefab", BROKEN)
    first, second, *_, last = spark("check").text.splitlines()
    assert re.fullmatch(r"Assets/Art/Thing\.prefab:18:6: error: .* \[yaml/hierarchy\]", first)
    assert second.startswith("    Make m_Children")
    assert last == "7 files checked: 1 error, 0 warnings"
    monkeypatch.chdir(game / "Assets" / "Art")
    assert spark("check").text.startswith("Thing.prefab:18:6: ")
    monkeypatch.chdir(game / "ProjectSettings")
    assert spark("check").text.startswith("../Assets/Art/Thing.prefab:18:6: ")
    monkeypatch.chdir(game.parent)
    assert spark("check").text.startswith(f"{game.name}/Assets/Art/Thing.prefab:18:6: ")


@pytest.mark.parametrize(
    ("asked", "checked"),
    [
        (["."], 7), (["Assets"], 5), (["Assets/Art"], 4), (["Assets/Art/"], 4), (["Assets/Art/Thing.prefab"], 1),
        (["Assets/Art/Thing.prefab", "Assets/Art/Thing.prefab.meta"], 2), (["../My Gämé/Assets/Art"], 4),
        (["ProjectSettings", "Packages"], 2),
    ],
)  # fmt: skip
def test_only_what_is_named_is_checked(game: Path, spark: Spark, asked: list[str], checked: int) -> None:
    """Files and folders, as people name them."""
    assert spark("check", "--json", *asked).document == {"findings": [], "checked": checked}


def test_paths_are_those_of_the_current_folder(game: Path, spark: Spark, monkeypatch: pytest.MonkeyPatch) -> None:
    """From inside of the project, and from a folder above it, as a commit hook calls it."""
    monkeypatch.chdir(game / "Assets")
    assert spark("check", "--json", "Art").document["checked"] == 4
    monkeypatch.chdir(game.parent)
    assert spark("check", "--json", f"{game.name}/Assets/Art").document["checked"] == 4
    assert spark("check", "--json", str(game / "Assets/Art")).document["checked"] == 4


@pytest.mark.parametrize("asked", ["Assets/none", "/etc/passwd", "Library", "../other", "Assets/../../x"])
def test_a_path_that_is_none_is_wrong_usage(game: Path, spark: Spark, asked: str) -> None:
    """Exit 2 with words, as one document with --json."""
    result = spark("check", asked)
    assert result.status == 2
    assert result.stderr.startswith("spark: ")
    assert spark("check", "--json", asked).document["success"] is False


def test_exit_statuses(game: Path, spark: Spark) -> None:
    """1 at an error, at a warning only with --fail-on warning; information never."""
    assert spark("check", "--fail-on", "warning").status == 0
    put(game, "Assets/a.txt", "x")
    assert spark("check").status == 0
    assert spark("check", "--fail-on", "warning").status == 1
    put_meta(game, "Assets/a.txt", "c3" * 16)
    put(game, "Assets/Art/Thing.prefab", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    result = spark("check", "--fail-on", "warning")
    assert (result.status, "1 for information" in result.text) == (0, True)
    put(game, "Assets/Art/Thing.prefab", BROKEN)
    assert spark("check").status == 1
    assert spark("check", "--fail-on", "info").status == 2


def test_outside_of_any_project(tmp_path: Path, spark: Spark, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a project it says so; with two, it lists them."""
    monkeypatch.chdir(tmp_path)
    assert spark("check").status == 2
    for name in ("one", "two"):
        make_project(tmp_path / name)
    result = spark("check")
    assert result.status == 2
    assert "two" in result.stderr
    assert spark("check", "--project", "one").status == 0


def test_json_is_what_the_contract_says(game: Path, spark: Spark) -> None:
    """`{"findings": [{code, severity, path, line, column, message, fix}], "checked": N}`, by either flag."""
    put(game, "Assets/Art/Thing.prefab", BROKEN)
    document = spark("check", "--json").document
    assert document == spark("check", "--format", "json").document
    assert set(document) == {"findings", "checked"}
    [finding] = document["findings"]
    assert set(finding) == {"code", "severity", "path", "line", "column", "message", "fix"}
    assert finding["path"] == "Assets/Art/Thing.prefab"
    assert spark("check", "--json", "--format", "github").status == 2
    assert spark("check", "--json", "--format", "sarif").document["version"] == "2.1.0"


# --- GitHub and SARIF ----------------------------------------------------------------------------------------------------


def test_github_annotations(game: Path, spark: Spark) -> None:
    """Workflow commands with paths from the repository's folder; what would end a field is escaped."""
    (game.parent / ".git").mkdir()
    put(game, "Assets/Art/Thing.prefab", BROKEN)
    first, last = spark("check", "--format", "github").text.splitlines()
    assert first.startswith(
        f"::error file={game.name}/Assets/Art/Thing.prefab,line=18,col=6,title=yaml/hierarchy::transform 11 lists"
    )
    assert "%0AMake m_Children" in first
    assert last.startswith("7 files checked")


def test_github_escapes() -> None:
    """Percent, line ends, commas and colons cannot break out of their field; errors come first."""
    odd = Finding("a/b", "info", "Assets/100%, a:b.mat", 0, 0, "50%\r\n::error::x", "")
    bad = Finding("c/d", "error", "Assets/x", 3, 0, "no")
    assert list(github_lines([odd, bad], lambda path: path)) == [
        "::error file=Assets/x,line=3,col=1,title=c/d::no",
        "::notice file=Assets/100%25%2C a%3Ab.mat,title=a/b::50%25%0D%0A::error::x",
    ]


def test_sarif(game: Path, spark: Spark) -> None:
    """A log that holds what the schema of SARIF 2.1.0 asks for, with relative, encoded addresses and no place of this machine."""
    (game.parent / ".git").mkdir()
    put(game, "Assets/Art/Größe, 1.mat", MATERIAL.replace("{r: 1", "{r: 1, {"))
    put(game, "Assets/b.txt", "x")
    result = spark("check", "--format", "sarif")
    log = result.document
    assert log["version"] == "2.1.0"
    assert log["$schema"].startswith("https://")
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(rules) == len(set(rules))
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    levels = {}
    for one in run["results"]:
        assert rules[one["ruleIndex"]] == one["ruleId"]
        assert one["message"]["text"]
        [location] = one["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        assert re.fullmatch(r"[A-Za-z0-9/._~%-]+", place["artifactLocation"]["uri"])
        region = place.get("region")
        assert region is None or (region["startLine"] >= 1 and region["startColumn"] >= 1)
        assert all(re.fullmatch(r"[0-9a-f]{32}", value) for value in one["partialFingerprints"].values())
        levels[unquote(place["artifactLocation"]["uri"])] = one["level"]
    assert levels == {f"{game.name}/Assets/Art/Größe, 1.mat": "error", f"{game.name}/Assets/b.txt": "warning"}
    assert str(game) not in result.text


def test_fingerprints_stay_when_lines_move() -> None:
    """Results are the same ones after an edit above them, and each of several alike has its own."""

    def prints(*lines: int) -> list[str]:
        found = [Finding("a/b", "error", "Assets/x", line, 1, "no") for line in lines]
        results = sarif(found, lambda path: path, {})["runs"][0]["results"]
        return [one["partialFingerprints"]["sparkFinding/v1"] for one in results]

    assert prints(3, 9) == prints(5, 70)
    assert len(set(prints(3, 9))) == 2


# --- baseline ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_a_baseline_leaves_out_what_is_known(game: Path, spark: Spark, form: str) -> None:
    """What an earlier run wrote is accepted, wherever its line is now; what came since is told."""
    put(game, "Assets/Art/Thing.prefab", BROKEN)
    baseline = game.parent / "known.json"
    baseline.write_bytes(spark("check", "--format", form).stdout)
    assert spark("check", "--baseline", str(baseline)).status == 0
    put(game, "Assets/Art/Thing.prefab", BROKEN.replace("  m_Layer: 0\n", "", 1))
    assert spark("check", "--baseline", str(baseline), "--json").document["findings"] == []
    put(game, "Assets/Art/Thing.prefab", BROKEN + behaviour(31, 0, OTHER, "  a: x: y\n"))
    found = codes(spark("check", "--baseline", "../known.json", "--json").document)
    assert found == [("yaml/syntax", "Assets/Art/Thing.prefab")]


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b"{", b"null", b'{"findings": [{}]}', b'{"runs": [{}]}', b"\xff", b"1"]
)
def test_a_baseline_that_is_none_is_wrong_usage(game: Path, spark: Spark, content: bytes | None) -> None:
    """A missing or foreign file is told with the line that makes one; it never passes as an empty one."""
    baseline = game.parent / "known.json"
    if content is not None:
        baseline.write_bytes(content)
    result = spark("check", "--baseline", str(baseline))
    assert result.status == 2
    assert "--json >" in result.stderr


# --- since ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def committed(game: Path) -> Path:
    """The project in a folder of a repository, all of it committed, one file with an old fault."""
    put(game, "Assets/Old.prefab", BROKEN, "c3" * 16)
    git(game.parent, "init", "-q", "-b", "main")
    git(game.parent, "add", game.name)
    git(game.parent, "commit", "-qm", "first")
    return game


def asked_of_git(root: Path, ref: str) -> set[str]:
    """Files that differ from a commit or are new, and their partners: what git itself says."""
    names = git(root, "diff", "--name-only", "-z", "--relative", "--no-renames", ref).split("\0")
    names += git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    there = {name for name in names if name and (root / name).is_file()}
    partners = {
        name.removesuffix(".meta") if name.endswith(".meta") else f"{name}.meta" for name in filter(None, names)
    }
    return there | {name for name in partners if (root / name).is_file()}


def test_since_checks_what_git_says_changed(committed: Path, spark: Spark) -> None:
    """Changed, staged, committed and new files, with their metas; not what was faulty before and did not change."""
    assert spark("check", "--json", "--since", "HEAD").document == {"findings": [], "checked": 0}
    put(committed, "Assets/Art/Größe, 1.mat", MATERIAL.replace("{r: 1", "{r: 1, {"))
    put(committed, "Assets/new\tname.txt", "x", "d4" * 16)
    git(committed, "add", "-A")
    put(committed, "Assets/Sub/Late.prefab", BROKEN, "e5" * 16)
    document = spark("check", "--json", "--since", "HEAD").document
    assert codes(document) == [
        ("yaml/syntax", "Assets/Art/Größe, 1.mat"),
        ("yaml/hierarchy", "Assets/Sub/Late.prefab"),
    ]
    assert document["checked"] == len(asked_of_git(committed, "HEAD"))
    git(committed, "commit", "-qam", "second")
    assert spark("check", "--json", "--since", "HEAD~1").document == document
    assert spark("check", "--json", "--since", "main").document["checked"] == len(asked_of_git(committed, "main"))
    assert spark("check", "--json", "--since", "HEAD~1", "Assets/Sub").document["checked"] == 2


def test_since_looks_at_those_who_refer_to_what_is_gone(committed: Path, spark: Spark) -> None:
    """A deleted asset breaks files that did not change: they are checked as well."""
    put(
        committed,
        "Assets/User.prefab",
        PREFAB + behaviour(31, 0, GUID, f"  m: {{fileID: 2100000, guid: {GUID}, type: 2}}\n"),
        "f6" * 16,
    )
    git(committed, "add", "-A")
    git(committed, "commit", "-qm", "user")
    (committed / "Assets/Art/Größe, 1.mat").unlink()
    assert ("meta/orphan", "Assets/Art/Größe, 1.mat.meta") in codes(
        spark("check", "--json", "--since", "HEAD").document
    )
    (committed / "Assets/Art/Größe, 1.mat.meta").unlink()
    found = codes(spark("check", "--json", "--since", "HEAD").document)
    assert found == [("reference/missing-script", "Assets/User.prefab")]


def test_since_tells_new_folders_without_meta(committed: Path, spark: Spark) -> None:
    """The meta of a new folder is what people forget."""
    put(committed, "Assets/Sub/a.txt", "x", "e5" * 16)
    (committed / "Assets/Sub.meta").unlink()
    assert codes(spark("check", "--json", "--since", "HEAD").document) == [("meta/missing", "Assets/Sub")]


@pytest.mark.parametrize("ref", ["none", "--output=x", "-x", "", "HEAD:Assets", "main..main"])
def test_since_an_unknown_commit_is_wrong_usage(committed: Path, spark: Spark, ref: str) -> None:
    """Exit 2 with words; nothing that looks like an option reaches git as one."""
    result = spark("check", f"--since={ref}")
    assert result.status == 2
    assert "no commit" in result.stderr
    assert not (committed / "x").exists()


def test_since_outside_of_a_repository_is_wrong_usage(
    game: Path, spark: Spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a repository, and without git, it says so."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(game.parent))
    result = spark("check", "--since", "HEAD")
    assert (result.status, "no git repository" in result.stderr) == (2, True)
    monkeypatch.setenv("PATH", "")
    result = spark("check", "--since", "HEAD")
    assert (result.status, "needs git" in result.stderr) == (2, True)


def test_since_leaves_git_as_it_was(committed: Path, spark: Spark) -> None:
    """Not even git's index is refreshed."""
    os.utime(committed / "Assets/Old.prefab")
    before = {path: path.read_bytes() for path in (committed.parent / ".git").rglob("*") if path.is_file()}
    spark("check", "--since", "HEAD")
    assert {path: path.read_bytes() for path in (committed.parent / ".git").rglob("*") if path.is_file()} == before


def test_since_runs_no_filter_of_the_repository(committed: Path, spark: Spark) -> None:
    """What a repository's configuration names as a filter is a program of somebody else."""
    mark = committed.parent / "ran"
    (committed / ".gitattributes").write_text("*.prefab filter=evil\n*.mat filter=worse.one\n", encoding="utf-8")
    git(committed, "config", "filter.evil.clean", f"touch '{mark}'; cat")
    git(committed, "config", "filter.evil.required", "true")
    git(committed, "config", "filter.worse.one.process", f"touch '{mark}'")
    put(committed, "Assets/Old.prefab", BROKEN + "# x\n")
    put(committed, "Assets/Art/Größe, 1.mat", MATERIAL.replace("r: 1", "r: 0"))
    document = spark("check", "--json", "--since", "HEAD").document
    assert {one["path"] for one in document["findings"]} == {"Assets/Old.prefab"}
    assert not mark.exists()
    git(committed, "config", "filter.a=b.clean", "cat")
    result = spark("check", "--since", "HEAD")
    assert (result.status, "odd name" in result.stderr) == (2, True)


def test_guids_below_hidden_folders_are_not_the_projects(game: Path, spark: Spark) -> None:
    """Unity gives none there: neither a clash of guids, nor a target."""
    put(game, "Assets/Samples~/Red.mat", MATERIAL, GUID)
    assert spark("check", "--json").document["findings"] == []


# --- what lies in projects -----------------------------------------------------------------------------------------------


def link(place: Path) -> None:
    place.symlink_to(place.parent / "nowhere")


def pipe(place: Path) -> None:
    os.mkfifo(place)


def bad_name(place: Path) -> None:
    Path(os.fsdecode(os.fsencode(place) + b"\xff")).write_bytes(b"x")


def loop(place: Path) -> None:
    place.symlink_to(place.parent, target_is_directory=True)


@pytest.mark.parametrize(
    ("make", "said"),
    [(link, "links"), (loop, "links"), (pipe, "pipes"), (bad_name, "names that are not UTF-8")],
)
def test_what_cannot_be_checked_is_named(game: Path, spark: Spark, make: Callable[[Path], None], said: str) -> None:
    """Links, pipes and names that nobody can write down neither end the check nor pass unseen."""
    make(game / "Assets/Art/odd.prefab")
    put(game, "Assets/z.prefab", BROKEN, "c3" * 16)
    result = spark("check", "--json")
    assert codes(result.document) == [("yaml/hierarchy", "Assets/z.prefab")]
    assert said in result.stderr


def test_a_file_that_may_not_be_read_is_a_finding(game: Path, spark: Spark, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told by name, and the others are checked."""
    opened = os.open

    def refused(path: Any, flags: int, *more: Any, **given: Any) -> int:
        # The tests may run as root, whom nothing is forbidden.
        if str(path).endswith("Thing.prefab"):
            raise PermissionError(13, "Permission denied")
        if str(path).endswith(".mat"):
            raise FileNotFoundError(2, "gone meanwhile")
        return opened(path, flags, *more, **given)

    monkeypatch.setattr(os, "open", refused)
    monkeypatch.setattr("spark.adapters.beneath.Beneath._openat2", lambda *_: None, raising=True)
    result = spark("check", "--json")
    assert codes(result.document) == [("text/unreadable", "Assets/Art/Thing.prefab")]


def test_huge_files_are_bounded(game: Path, spark: Spark) -> None:
    """A scene beyond the limit is told as not judged, without being read."""
    place = put(game, "Assets/Huge.unity", "%YAML 1.1\n", "c3" * 16)
    with place.open("r+b") as file:
        file.truncate(200 * 1024 * 1024)
    result = spark("check", "--json")
    assert codes(result.document) == [("text/too-large", "Assets/Huge.unity")]
    assert result.status == 0


def test_control_characters_do_not_reach_the_terminal(game: Path, spark: Spark) -> None:
    """A name that would clear the screen is shown harmless."""
    put(game, "Assets/a\x1b[2J\nb.txt", "x")
    assert "\x1b" not in spark("check").text
    assert len(spark("check").text.splitlines()) == 3
    assert "\x1b" not in spark("check", "--format", "github").text


def test_packages_at_hand_are_known(game: Path, spark: Spark) -> None:
    """Guids of the package cache are no lost references; without the cache they are one line of information."""
    put(game, "Packages/manifest.json", json.dumps({"dependencies": {"com.acme.x": "1.0.0"}}))
    put(game, "Assets/Art/Thing.prefab", PREFAB + behaviour(31, 0, "d4" * 16))
    found = spark("check", "--json").document
    assert codes(found) == [("reference/package-not-on-disk", "Packages/manifest.json")]
    cache = game / "Library/PackageCache/com.acme.x@1.0.0"
    cache.mkdir(parents=True)
    (cache / "package.json").write_text('{"name": "com.acme.x"}', encoding="utf-8")
    assert codes(spark("check", "--json").document) == [("reference/missing-script", "Assets/Art/Thing.prefab")]
    (cache / "A.cs").write_text("class A { }", encoding="utf-8")
    put_meta(cache, "A.cs", "d4" * 16)
    assert spark("check", "--json").document["findings"] == []
