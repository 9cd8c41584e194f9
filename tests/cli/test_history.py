"""`history`, `show`, `diff`, `gc` on a real store, without any daemon; `git apply` is the judge of the diffs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from spark.adapters.checkout import open_checkout
from spark.adapters.clock import SystemClock
from spark.adapters.data_folders import checkouts_folder
from spark.adapters.database import Database
from spark.adapters.version_store import SqliteVersionStore
from spark.cli import exits
from spark.core.changes import sha256_of
from spark.core.paths import ProjectPath
from spark.core.versions import Author, GitPlace, Observed, Provenance, Version
from tests.cli.conftest import Spark

A = "Assets/Scripts/A b.cs"
OLD = "class A\r\n{\r\n    int ä = 1;\r\n}".encode()
NEW = "class A\r\n{\r\n    int ä = 2;\r\n}\r\n".encode()
BINARY = bytes(range(256))


class Recorded:
    """A project's real store with what a test put into it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = Database(open_checkout(root).data_dir / "store.db")
        self.store = SqliteVersionStore(self.database, SystemClock())

    def turn(self, turn_id: str, prompt: str) -> None:
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO turn(id, kind, text, status, started_at) VALUES(?, 'model', ?, 'done', '2026-01-31')",
                (turn_id, prompt),
            )

    def version(self, path: str, content: bytes | None, turn_id: str | None = None) -> Version:
        author = Author("user", "me") if turn_id is None else Author("model", "fake-1")
        by = Provenance(author, turn_id, None, GitPlace("abc", "main"))
        sha256 = None if content is None else sha256_of(content)
        observed = Observed(ProjectPath(path), sha256, len(content or b""), content)
        return self.store.record_observed([observed], by)[0]


@pytest.fixture
def recorded(project: Path) -> Recorded:
    """A file that was there, changed by a prompt; a new binary file by another prompt."""
    recorded = Recorded(project)
    recorded.turn("turn_1", "raise\nthe number")
    recorded.turn("turn_2", "add a texture")
    recorded.version(A, OLD)
    recorded.version(A, NEW, "turn_1")
    recorded.version("Assets/T.png", BINARY, "turn_2")
    return recorded


def test_history_creates_nothing(spark: Spark, project: Path) -> None:
    """Looking at the history of a project that never ran SPARK leaves no file anywhere."""
    before = sorted(project.rglob("*"))
    for command in (["history"], ["history", "--size"], ["history", "--json"], ["gc"], ["diff"]):
        spark(*command)
    assert sorted(project.rglob("*")) == before
    assert not checkouts_folder().exists()


def test_history_for_people(spark: Spark, recorded: Recorded) -> None:
    """Each line has time, id, author, action, path and the prompt on one line, newest first."""
    lines = spark("history").text.splitlines()
    versions = recorded.store.history().versions
    assert [version.version_id in line for version, line in zip(versions, lines, strict=True)] == [True] * 3
    assert "model fake-1" in lines[1]
    assert f'{A}  "raise the number"' in lines[1]
    assert "user me" in lines[2]


def test_history_of_a_path(spark: Spark, recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path limits the history: a file or a folder, also relative to the current folder."""
    assert len(spark("history", "--json").document["versions"]) == 3
    assert len(spark("history", A, "--json").document["versions"]) == 2
    assert len(spark("history", "Assets/Scripts/", "--json").document["versions"]) == 2
    monkeypatch.chdir(recorded.root / "Assets")
    assert len(spark("history", "T.png", "--json").document["versions"]) == 1
    assert spark("history", "Assets/None.cs", "--json").document == {"versions": [], "next": None}
    assert spark("history", "../../outside.cs", "--json").document["error"]["code"] == "path_outside_project"


def test_history_is_whole(spark: Spark, project: Path) -> None:
    """More versions than one page hold all appear, once each."""
    recorded = Recorded(project)
    made = [recorded.version(f"Assets/{number}.cs", b"x%d" % number).version_id for number in range(450)]
    shown = [version["versionId"] for version in spark("history", "--json").document["versions"]]
    assert shown == sorted(made, reverse=True)


def test_history_size(spark: Spark, recorded: Recorded) -> None:
    """`--size` reports what the store reports, with the limit that the settings give."""
    assert spark("history", "--size", "--json").document == recorded.store.size_report()
    assert "3 versions" in spark("history", "--size").text


def test_show_gives_the_bytes(spark: Spark, recorded: Recorded) -> None:
    """`show` writes exactly the bytes that were kept, text or not."""
    for version in recorded.store.history().versions:
        assert version.sha256 is not None
        assert spark("show", version.version_id).stdout == recorded.store.content(version.sha256)
    text, binary = spark("show", recorded.store.history().versions[1].version_id, "--json"), recorded.store.history()
    assert text.document["text"].encode() == NEW
    assert "base64" in spark("show", binary.versions[0].version_id, "--json").document


def test_show_of_a_deletion(spark: Spark, recorded: Recorded) -> None:
    """A deletion has no bytes; the refusal names the version that has."""
    gone = recorded.version(A, None)
    result = spark("show", gone.version_id, "--json")
    assert result.status == exits.REFUSED
    assert result.document["error"]["code"] == "not_found"
    assert str(gone.parent_id) in result.document["error"]["hint"]
    assert f"{A} was deleted" in result.document["error"]["message"]


def test_diff_of_a_turn_applies_with_git(spark: Spark, recorded: Recorded) -> None:
    """The diff of a turn turns the old bytes into the new ones when git applies it: CRLF, umlauts, no newline at the end."""
    diff = spark("diff", "turn_1").stdout
    target = recorded.root / A
    target.parent.mkdir(parents=True)
    target.write_bytes(OLD)
    subprocess.run(["git", "init", "-q"], cwd=recorded.root, check=True)
    subprocess.run(["git", "-c", "core.autocrlf=false", "apply", "-"], cwd=recorded.root, input=diff, check=True)
    assert target.read_bytes() == NEW


def test_diff_finds_what_is_meant(spark: Spark, recorded: Recorded) -> None:
    """Alone it is the last turn; a turn, a version, two versions and a path are told apart."""
    old, new = (version.version_id for version in reversed(recorded.store.history(path=A).versions))
    assert spark("diff").stdout == spark("diff", "turn_2").stdout
    assert b"Binary files /dev/null and b/Assets/T.png differ" in spark("diff").stdout
    assert spark("diff", new).stdout == spark("diff", "turn_1").stdout == spark("diff", A).stdout
    assert spark("diff", old, new).stdout == spark("diff", new).stdout
    backwards = spark("diff", new, old, "--json").document["files"]
    assert backwards[0]["diff"].count("+    int ä = 1;") == 1
    assert spark("diff", "turn_none").status == exits.REFUSED
    assert spark("diff", "a", "b", "c").status == exits.USAGE


def test_diff_of_a_turn_is_from_before_to_after(spark: Spark, recorded: Recorded) -> None:
    """Several changes of one file in one turn are one diff, from what was there before to what was there after."""
    recorded.turn("turn_3", "twice")
    recorded.version(A, b"one\n", "turn_3")
    recorded.version(A, b"two\n", "turn_3")
    files = spark("diff", "turn_3", "--json").document["files"]
    assert [(file["sha256Before"], file["sha256After"]) for file in files] == [(sha256_of(NEW), sha256_of(b"two\n"))]


def test_gc(spark: Spark, recorded: Recorded) -> None:
    """`gc --dry-run` changes nothing; `gc` frees what nothing names, and both say the same."""
    with recorded.database.transaction() as connection:
        recorded.store.put_content(connection, b"nobody names these bytes")
    before = recorded.store.size_report()
    dry = spark("gc", "--dry-run", "--json").document
    assert recorded.store.size_report() == before
    assert dry["contents"] == 1
    wet = spark("gc", "--json").document
    assert {**wet, "dryRun": True} == dry
    assert recorded.store.size_report()["contents"] == before["contents"] - 1


def test_bad_settings_are_wrong_usage(spark: Spark, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that cannot be is status 2, as JSON too."""
    Recorded(project).database.close()
    monkeypatch.setenv("SPARK_HISTORY_MAX_GB", "much")
    result = spark("gc", "--json")
    assert result.status == exits.USAGE
    assert "SPARK_HISTORY_MAX_GB" in result.document["error"]["message"]


def test_a_broken_project_file_hides_nothing(spark: Spark, recorded: Recorded) -> None:
    """With a merge conflict or a bad setting in Spark.json the history is still read; doctor says what is wrong."""
    file = recorded.root / "ProjectSettings" / "Spark.json"
    whole = file.read_text("utf-8")
    for content in ("{\n<<<<<<< HEAD\n", whole.replace("{", '{"historyMaxGb": "lots",', 1)):
        file.write_text(content, "utf-8")
        assert len(spark("history", "--json").document["versions"]) == 3
        assert spark("history", "--size", "--json").document["versions"] == 3
        assert b"T.png" in spark("diff").stdout
        assert spark("status").status == spark("down").status == exits.NO_DAEMON
        assert spark("undo", "--no-start").status == exits.NO_DAEMON
        assert "no log" in spark("logs").stderr
        result = spark("doctor", "--json")
        checks = {check["name"]: check["state"] for check in result.document["checks"]}
        assert result.status == exits.REFUSED
        assert checks["settings"] == "fail"
        assert checks["history"] == checks["daemon"] == "ok"
        assert file.read_text("utf-8") == content
