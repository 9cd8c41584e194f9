"""HEAD and branch from git's files, against git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from spark.adapters.git_place import GitPlaceReader
from spark.core.versions import GitPlace


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *args: str, folder: Path | None = None) -> str:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "tester" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        done = subprocess.run(
            ["git", *args], cwd=folder or self.folder, env=env, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def commit(self, text: str) -> None:
        (self.folder / "a.txt").write_text(text)
        self.git("add", "a.txt")
        self.git("commit", "-qm", text)

    def truth(self, folder: Path | None = None) -> GitPlace:
        head = self.git("rev-parse", "-q", "--verify", "HEAD", folder=folder)
        return GitPlace(head or None, self.git("symbolic-ref", "-q", "--short", "HEAD", folder=folder) or None)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


def test_outside_git_there_is_no_place(tmp_path: Path) -> None:
    """A project without a repository has neither head nor branch."""
    assert GitPlaceReader(tmp_path).read() == GitPlace()


def test_every_step_of_a_branchs_life(repository: Repository) -> None:
    """One reader follows an unborn branch, commits, packed refs, switches, a detached head and names with slashes, and
    agrees with git each time."""
    reader = GitPlaceReader(repository.folder)
    assert reader.read() == GitPlace(None, "main")
    steps: list[tuple[str, ...]] = [
        ("pack-refs", "--all"),
        ("switch", "-qc", "feature/deep/name"),
        ("pack-refs", "--all"),
        ("switch", "-q", "main"),
        ("checkout", "-q", "--detach"),
        ("switch", "-q", "main"),
        ("branch", "-q", "-m", "main", "trunk"),
        ("reset", "-q", "--hard", "HEAD~1"),
    ]
    for number in range(2):
        repository.commit(f"{number}")
        assert reader.read() == repository.truth()
    for step in steps:
        repository.git(*step)
        assert reader.read() == repository.truth(), step
        repository.commit(str(step))
        assert reader.read() == repository.truth(), step


def test_a_project_deep_in_a_repository(repository: Repository) -> None:
    """The repository may begin above the project."""
    repository.commit("1")
    project = repository.folder / "games" / "one"
    project.mkdir(parents=True)
    assert GitPlaceReader(project).read() == repository.truth()


def test_a_worktree_has_its_own_place(repository: Repository, tmp_path: Path) -> None:
    """In a worktree `.git` is a file, HEAD lies apart and branches lie with the main repository, packed or not."""
    repository.commit("1")
    other = tmp_path / "other"
    repository.git("worktree", "add", "-q", "-b", "side", str(other))
    reader = GitPlaceReader(other)
    assert reader.read() == repository.truth(other) == GitPlace(repository.truth().head, "side")
    repository.git("pack-refs", "--all")
    assert reader.read() == repository.truth(other)


def test_broken_repositories_answer_nothing(tmp_path: Path) -> None:
    """A `.git` file that points nowhere and a HEAD of rubbish give no place, not an error and not rubbish."""
    (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")
    assert GitPlaceReader(tmp_path).read() == GitPlace()
    (tmp_path / ".git").unlink()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_bytes(b"\xff\xfe rubbish")
    assert GitPlaceReader(tmp_path).read() == GitPlace()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/loop\n")
    (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
    (tmp_path / ".git" / "refs" / "heads" / "loop").write_text("ref: refs/heads/loop\n")
    assert GitPlaceReader(tmp_path).read() == GitPlace(None, "loop")


@pytest.mark.parametrize("name", ["HEAD", "refs/heads/main", "packed-refs", "commondir"])
def test_a_pipe_among_gits_files_holds_nobody_up(repository: Repository, name: str) -> None:
    """What is no ordinary file is not read: a pipe would keep its reader for ever."""
    repository.commit("one")
    path = repository.folder / ".git" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    place = GitPlaceReader(repository.folder).read()
    lost = name in ("HEAD", "refs/heads/main")
    assert (place.head is None) == lost
    assert place.branch == (None if name == "HEAD" else "main")


def test_a_head_too_large_to_be_one_is_not_read(repository: Repository) -> None:
    """A HEAD of a megabyte is none."""
    (repository.folder / ".git" / "HEAD").write_bytes(b"ref: refs/heads/" + b"x" * 1_000_000)
    assert GitPlaceReader(repository.folder).read() == GitPlace()
