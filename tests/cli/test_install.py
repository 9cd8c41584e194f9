"""`install mergedriver` with real git: merges that come out right, conflicts that stay visible, and a way back to the byte."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from spark.cli.install import DRIVER, KINDS, driver_line, without_lines
from tests.cli.conftest import Spark, make_project
from tests.engines.unity.merge.assets import asset, document, edited, resolved, within

LEVEL = asset("Level.unity")
SCENE = "Assets/My Scénes/Level 'one' $HOME.unity"


@dataclass
class Repository:
    """A git repository in a folder, with the environment of a `spark` process."""

    root: Path
    env: dict[str, str]

    def git(self, *args: str, status: int = 0) -> str:
        done = subprocess.run(["git", *args], cwd=self.root, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def commit(self, branch: str, content: bytes, path: str = SCENE) -> None:
        """A file's bytes as a commit of a branch that begins at main."""
        self.git("checkout", "-q", "-B", branch, "main")
        (self.root / path).write_bytes(content)
        self.git("commit", "-q", "-a", "-m", branch)

    def attributes(self) -> bytes:
        return (self.root / ".gitattributes").read_bytes()


def _repository(root: Path, env: dict[str, str]) -> Repository:
    git_env = {
        **env,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "a@b.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    repository = Repository(root, git_env)
    repository.git("init", "-q", "-b", "main")
    return repository


@pytest.fixture
def repository(project: Path, process_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A project of its own repository, its scene committed on main; no configuration of the machine's user."""
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    repository = _repository(project, process_env)
    (project / SCENE).parent.mkdir()
    (project / SCENE).write_bytes(LEVEL)
    repository.git("add", "-A")
    repository.git("commit", "-q", "-m", "base")
    return repository


def _merge(repository: Repository, ours: bytes, theirs: bytes, *, status: int = 0) -> str:
    repository.commit("theirs", theirs)
    repository.commit("ours", ours)
    return repository.git("merge", "-q", "--no-edit", "theirs", status=status)


def test_git_merges_what_lines_cannot(spark: Spark, repository: Repository) -> None:
    """Two branches change neighbouring properties of one object, append overrides to one instance and move an object: `git
    merge` is clean and the file has all of it; without the driver the same merge has conflicts."""
    end = "    m_RemovedComponents: []\n"
    entry = "    - target: {{fileID: {}, guid: 5a1c9e0b7d3f48628c4b6a1e2d9f7035, type: 3}}\n      propertyPath: m_Enabled\n      value: 0\n      objectReference: {{fileID: 0}}\n"
    ours = within(LEVEL, 651, ("m_IsTrigger: 0", "m_IsTrigger: 1"))
    ours = within(ours, 90010, (end, entry.format(6501) + end))
    theirs = within(LEVEL, 651, ("m_ProvidesContacts: 0", "m_ProvidesContacts: 1"))
    theirs = within(theirs, 90010, (end, entry.format(6503) + end))
    _merge(repository, ours, theirs, status=1)
    repository.git("merge", "--abort")
    assert spark("install", "mergedriver").status == 0
    _merge(repository, ours, theirs)
    merged = (repository.root / SCENE).read_bytes()
    expected = within(ours, 651, ("m_ProvidesContacts: 0", "m_ProvidesContacts: 1"))
    assert merged == within(expected, 90010, (end, entry.format(6503) + end))
    assert "m_IsTrigger: 1" in document(merged, 651)


def test_git_shows_a_conflict(spark: Spark, repository: Repository) -> None:
    """Two branches set one property: `git merge` fails, the file is unmerged, has marks around that property only, and what
    does not fit was named."""
    assert spark("install", "mergedriver").status == 0
    ours = within(LEVEL, 651, ("m_IsTrigger: 0", "m_IsTrigger: 1"))
    theirs = within(within(LEVEL, 651, ("m_IsTrigger: 0", "m_IsTrigger: 2")), 2, ("m_Fog: 0", "m_Fog: 1"))
    said = _merge(repository, ours, theirs, status=1)
    assert "CONFLICT" in said
    assert "“Ground”  BoxCollider &651  m_IsTrigger" in said
    assert "Level 'one' $HOME.unity" in said
    assert repository.git("status", "--porcelain", "--untracked-files=no", "-z").startswith("UU ")
    marked = (repository.root / SCENE).read_bytes()
    assert resolved(marked) == (within(ours, 2, ("m_Fog: 0", "m_Fog: 1")), theirs)


def test_a_clone_without_the_driver(spark: Spark, repository: Repository, tmp_path: Path) -> None:
    """The lines travel with the repository, the command does not: a clone merges by lines, and `install` said so."""
    said = spark("install", "mergedriver").text
    assert "Each clone" in said
    assert "by lines as before" in said
    repository.git("add", "-A")
    repository.git("commit", "-q", "-m", "attributes")
    repository.git("clone", "-q", ".", str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone", repository.env)
    clone.commit("theirs", within(LEVEL, 2, ("m_Fog: 0", "m_Fog: 1")))
    clone.commit("ours", within(LEVEL, 651, ("m_IsTrigger: 0", "m_IsTrigger: 1")))
    clone.git("merge", "-q", "--no-edit", "theirs")
    assert b"m_Fog: 1" in (clone.root / SCENE).read_bytes()


@pytest.mark.parametrize(
    "before",
    [
        None,
        b"",
        b"*.png binary\n",
        b"* text=auto\r\n*.png binary\r\n",
        b"# no end",
        b"\n\n*.unity text\n# \xff\xfe odd bytes\n",
    ],
    ids=["none", "empty", "plain", "CRLF", "no end", "odd"],
)
def test_there_and_back(spark: Spark, repository: Repository, before: bytes | None) -> None:
    """Install adds lines and keeps every other byte; again changes nothing; uninstall gives the bytes and the configuration
    back."""
    file = repository.root / ".gitattributes"
    if before is not None:
        file.write_bytes(before)
    config = (repository.root / ".git" / "config").read_bytes()
    first = spark("install", "mergedriver", "--json").document
    assert first["added"] == [f"*.{kind} merge={DRIVER}" for kind in KINDS]
    assert repository.attributes().startswith(before or b"")
    newline = b"\r\n" if b"\r\n" in (before or b"") else b"\n"
    assert repository.attributes().count(newline) == repository.attributes().count(b"\n")
    installed = repository.attributes(), (repository.root / ".git" / "config").read_bytes()
    again = spark("install", "mergedriver", "--json").document
    assert (again["added"], again["driverChanged"]) == ([], False)
    assert (repository.attributes(), (repository.root / ".git" / "config").read_bytes()) == installed
    gone = spark("uninstall", "mergedriver", "--json").document
    assert (gone["linesRemoved"], gone["driverRemoved"]) == (True, True)
    assert (file.read_bytes() if file.exists() else None) == before
    assert (repository.root / ".git" / "config").read_bytes() == config
    nothing = spark("uninstall", "mergedriver", "--json").document
    assert (nothing["linesRemoved"], nothing["driverRemoved"]) == (False, False)


def test_lines_written_after_it_stay(spark: Spark, repository: Repository) -> None:
    """What the user added behind or between the lines stays when they go."""
    (repository.root / ".gitattributes").write_bytes(b"*.png binary")
    spark("install", "mergedriver")
    file = repository.root / ".gitattributes"
    file.write_bytes(
        edited(file.read_bytes(), (f"*.mat merge={DRIVER}\n", f"*.mat merge={DRIVER}\n*.fbx binary\n"))
        + b"*.wav binary\n"
    )
    spark("uninstall", "mergedriver")
    assert file.read_bytes() == b"*.png binary\n*.fbx binary\n*.wav binary\n"
    assert without_lines(b"*.unity merge=other\n") == b"*.unity merge=other\n"


def test_only_missing_lines(spark: Spark, repository: Repository) -> None:
    """Kinds that are routed here already get no second line; what Git LFS or `binary` has is left alone and named."""
    (repository.root / ".gitattributes").write_text(
        f"*.unity merge={DRIVER}\n*.asset filter=lfs diff=lfs merge=lfs -text\n*.vfx binary\n"
    )
    done = spark("install", "mergedriver", "--json").document
    assert {f"*.{kind} merge={DRIVER}" for kind in KINDS} - set(done["added"]) == {
        f"*.{kind} merge={DRIVER}" for kind in ("unity", "asset", "vfx")
    }
    assert done["leftAlone"] == {"*.asset": "lfs", "*.vfx": "unset"}
    spark("uninstall", "mergedriver")
    assert repository.attributes().startswith(f"*.unity merge={DRIVER}\n".encode())
    assert repository.attributes().count(b"\n") == 3


@pytest.mark.parametrize("where", [".gitattributes", "Assets/.gitattributes", ".git/info/attributes"])
def test_another_driver_is_never_replaced(spark: Spark, repository: Repository, where: str) -> None:
    """Where UnityYAMLMerge has these files, nothing is changed and the lines are named, with what would have to go."""
    (repository.root / where).parent.mkdir(exist_ok=True)
    (repository.root / where).write_text("*.png binary\n*.unity merge=unityyamlmerge eol=lf\n")
    config = (repository.root / ".git" / "config").read_bytes()
    result = spark("install", "mergedriver", "--json")
    assert result.status == 1
    error = result.document["error"]
    assert error["code"] == "already_exists"
    assert "merge=unityyamlmerge" in error["hint"]
    assert "2: *.unity merge=unityyamlmerge eol=lf" in error["message"]
    assert (repository.root / ".git" / "config").read_bytes() == config
    assert b"spark" not in (repository.root / where).read_bytes()


def test_project_in_a_subfolder_and_worktrees(
    spark: Spark, tmp_path: Path, process_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a repository that holds more than the project only the project's files are routed; a worktree of it merges too."""
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    root = make_project(tmp_path / "Répo with space" / "Client" / "Game")
    repository = _repository(root.parent.parent, process_env)
    scene = "Client/Game/Assets/Level.unity"
    (repository.root / scene).write_bytes(LEVEL)
    assert spark("install", "mergedriver", "--project", str(root)).status == 0
    assert not (repository.root / ".gitattributes").exists()
    assert "merge: unspecified" in repository.git("check-attr", "merge", "Other/A.unity")
    repository.git("add", "-A")
    repository.git("commit", "-q", "-m", "base")
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    tree = Repository(tmp_path / "side", repository.env)
    tree.commit("theirs", within(LEVEL, 651, ("m_ProvidesContacts: 0", "m_ProvidesContacts: 1")), scene)
    tree.commit("ours", within(LEVEL, 651, ("m_IsTrigger: 0", "m_IsTrigger: 1")), scene)
    tree.git("merge", "-q", "--no-edit", "theirs")
    assert b"m_IsTrigger: 1\n  m_ProvidesContacts: 1" in (tree.root / scene).read_bytes()


@pytest.mark.parametrize("there", [True, False], ids=["target", "no target"])
def test_a_link_is_never_followed(spark: Spark, repository: Repository, tmp_path: Path, there: bool) -> None:
    """Where .gitattributes is a link, neither command writes or makes what it leads to, takes the link away or sets anything."""
    target = tmp_path / "outside"
    if there:
        target.write_bytes(b"*.png binary\n")
    (repository.root / ".gitattributes").symlink_to(target)
    config = (repository.root / ".git" / "config").read_bytes()
    for command in ("install", "uninstall"):
        result = spark(command, "mergedriver")
        assert result.status == 2
        assert ".gitattributes is a link" in result.stderr
    assert (repository.root / ".gitattributes").is_symlink()
    assert (target.read_bytes() if target.exists() else None) == (b"*.png binary\n" if there else None)
    assert (repository.root / ".git" / "config").read_bytes() == config


@pytest.mark.parametrize("where", [".gitattributes", "Assets/.gitattributes", ".git/info/attributes"])
def test_a_pipe_is_no_file_of_attributes(spark: Spark, repository: Repository, where: str) -> None:
    """Where git would wait for a writer for ever, the pipe is named before git is asked; nothing is set."""
    (repository.root / where).parent.mkdir(exist_ok=True)
    os.mkfifo(repository.root / where)
    config = (repository.root / ".git" / "config").read_bytes()
    result = spark("install", "mergedriver")
    assert result.status == 2
    assert "attributes is no regular file" in result.stderr
    if where == ".gitattributes":
        assert spark("uninstall", "mergedriver").status == 2
    assert (repository.root / ".git" / "config").read_bytes() == config


def test_no_repository(spark: Spark, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a repository or without git there is nothing to install into: said, nothing written."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    assert spark("install", "mergedriver").status == 2
    assert spark("uninstall", "mergedriver").status == 0
    monkeypatch.setenv("PATH", str(project))
    result = spark("install", "mergedriver")
    assert (result.status, "git was not found" in result.stderr) == (5, True)
    assert spark("uninstall").status == 0
    assert spark("uninstall", "mergedriver", "--purge").status == 2
    assert not (project / ".gitattributes").exists()


def test_uninstall_names_it(spark: Spark, repository: Repository) -> None:
    """A bare `uninstall` names the driver with the line that takes it out."""
    spark("install", "mergedriver")
    stays = {item["what"]: item for item in spark("uninstall", "--json").document["stays"]}
    assert stays["git's merge driver"]["remove"] == "spark uninstall mergedriver"


def test_the_command_line_is_quoted() -> None:
    """The shell that git starts gets the interpreter as one word whatever its path holds, and git puts no names into it."""
    for path in ("/opt/spark/bin/python3", "/home/Zoë O'Hara/my $env/100%A/python"):
        words = shlex.split(driver_line(path, windows=False))
        assert words[0].replace("%%", "%") == path
        assert words[1:] == ["-P", "-m", "spark", "merge", "%O", "%A", "%B", "-o", "%A", "--path", "%P"]
    assert driver_line(r"C:\Users\Jö Doe\venv\Scripts\python.exe", windows=True).startswith(
        "'C:/Users/Jö Doe/venv/Scripts/python.exe' -P"
    )
    assert driver_line(sys.executable, windows=False).startswith(shlex.quote(sys.executable))
