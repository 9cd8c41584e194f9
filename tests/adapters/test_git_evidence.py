"""git's own files say what git wrote. git itself is the oracle."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from spark.adapters.git_evidence import GitEvidence
from spark.adapters.git_place import GitPlaceReader
from spark.core.versions import GitPlace
from tests.adapters.watch_kit import git, make_project, write


def place(root: Path) -> GitPlace:
    return GitPlaceReader(root).read()


def is_gits(root: Path, path: str) -> bool:
    index = GitEvidence(root).index()
    assert index is not None
    content = (root / path).read_bytes()
    return index.is_gits_file(path, content, hashlib.sha256(content).hexdigest(), (root / path).stat())


@pytest.mark.parametrize("version", ["2", "3", "4"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_every_file_that_git_checked_out_is_known_as_gits(tmp_path: Path, version: str, algorithm: str) -> None:
    """All index versions and both hashes are read; every path that git lists is found, and no other."""
    make_project(tmp_path, files=40)
    write(tmp_path / "Assets" / "Übung" / "é.txt", "x")
    git(tmp_path, "init", "-q", "-b", "main", f"--object-format={algorithm}")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    if version == "3":
        write(tmp_path / "Assets" / "later.txt", "x")
        git(tmp_path, "add", "-N", "Assets/later.txt")
    git(tmp_path, "update-index", "--index-version", "4" if version == "4" else "2")
    index = GitEvidence(tmp_path).index()
    assert index is not None
    listed = git(tmp_path, "ls-files", "-z").split("\0")[:-1]
    assert len(listed) > 40
    assert not any(index.is_gits_deletion(path) for path in listed)
    assert index.is_gits_deletion("Assets/None.cs")
    assert all(is_gits(tmp_path, path) for path in listed if "later" not in path)


def test_a_file_that_a_person_changed_after_git_is_not_gits(tmp_path: Path) -> None:
    """Other bytes, whatever the times say, are an edit; the same bytes again are git's."""
    make_project(tmp_path)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    player = tmp_path / "Assets/Scripts/Player.cs"
    content = player.read_bytes()
    write(player, content.replace(b"Player", b"Plaxer"))
    assert not is_gits(tmp_path, "Assets/Scripts/Player.cs")
    write(player, content)
    assert is_gits(tmp_path, "Assets/Scripts/Player.cs")
    write(player, content.replace(b"\n", b"\r\n"))
    assert is_gits(tmp_path, "Assets/Scripts/Player.cs")


def test_a_file_behind_lfs_is_known_by_its_pointer(tmp_path: Path) -> None:
    """git knows the pointer, the disk has the content: the hash in the pointer is the content's."""
    make_project(tmp_path)
    content = b"\0big" * 100
    pointer = (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(content).hexdigest()}\nsize 400\n"
    )
    write(tmp_path / "Assets/Big.bytes", pointer)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    write(tmp_path / "Assets/Big.bytes", content)
    assert is_gits(tmp_path, "Assets/Big.bytes")
    write(tmp_path / "Assets/Big.bytes", content + b"x")
    assert not is_gits(tmp_path, "Assets/Big.bytes")


def test_a_project_deep_in_its_repository_and_a_worktree_are_read(tmp_path: Path) -> None:
    """Paths are the project's, not the repository's; a worktree has its own index and HEAD."""
    project = make_project(tmp_path / "repository" / "game" / "client")
    repository = tmp_path / "repository"
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "one")
    assert is_gits(project, "Assets/Main.unity")
    git(repository, "worktree", "add", "-q", str(tmp_path / "second"), "-b", "second")
    second = tmp_path / "second" / "game" / "client"
    assert is_gits(second, "Assets/Main.unity")
    before = place(second)
    write(second / "Assets/Main.unity", "other")
    git(second, "commit", "-qam", "two")
    assert GitEvidence(second).only_commits(before, place(second))


def test_a_split_or_unknown_index_is_no_evidence(tmp_path: Path) -> None:
    """What cannot be read for sure is not guessed."""
    make_project(tmp_path)
    assert GitEvidence(tmp_path).index() is None
    git(tmp_path, "init", "-q")
    assert GitEvidence(tmp_path).index() is None
    git(tmp_path, "add", "-A")
    good = (tmp_path / ".git/index").read_bytes()
    for bad in (b"", good[:50], b"XXXX" + good[4:], good[:7] + b"\x09" + good[8:]):
        (tmp_path / ".git/index").write_bytes(bad)
        assert GitEvidence(tmp_path).index() is None
    (tmp_path / ".git/index").write_bytes(good)
    git(tmp_path, "update-index", "--split-index")
    assert GitEvidence(tmp_path).index() is None


def test_commits_alone_write_nothing_and_everything_else_may(tmp_path: Path) -> None:
    """The reflog tells a commit from a switch, a reset, a merge and a rebase."""
    make_project(tmp_path)
    git(tmp_path, "init", "-q", "-b", "main")
    evidence = GitEvidence(tmp_path)
    unborn = place(tmp_path)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    one = place(tmp_path)
    assert evidence.only_commits(unborn, one)
    write(tmp_path / "Assets/a.txt", "a")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "two")
    git(tmp_path, "commit", "-q", "--amend", "-m", "two, better")
    two = place(tmp_path)
    assert evidence.only_commits(one, two)
    git(tmp_path, "reset", "-q", "--hard", "HEAD~1")
    assert not evidence.only_commits(two, place(tmp_path))
    git(tmp_path, "merge", "-q", str(two.head))
    assert not evidence.only_commits(one, place(tmp_path))
    git(tmp_path, "switch", "-q", "-c", "other")
    assert not evidence.only_commits(two, place(tmp_path))
    assert not evidence.only_commits(GitPlace("0" * 39 + "1", "other"), place(tmp_path))
    assert not evidence.only_commits(GitPlace(), GitPlace())


def test_git_is_busy_while_it_holds_the_lock_of_its_index(tmp_path: Path) -> None:
    """A lock says that files are still being written; one that a crash left behind ten minutes ago says nothing."""
    make_project(tmp_path)
    assert not GitEvidence(tmp_path).busy()
    git(tmp_path, "init", "-q")
    assert not GitEvidence(tmp_path).busy()
    write(tmp_path / ".git/index.lock", "")
    assert GitEvidence(tmp_path).busy()
    old = time.time() - 3_600
    os.utime(tmp_path / ".git/index.lock", (old, old))
    assert not GitEvidence(tmp_path).busy()


def test_files_left_out_by_a_sparse_checkout_are_gits_deletions(tmp_path: Path) -> None:
    """A folder that git takes off the disk is not deleted by the user."""
    make_project(tmp_path, files=20)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    git(tmp_path, "sparse-checkout", "set", "--no-cone", "/*", "!/Assets/Area1")
    index = GitEvidence(tmp_path).index()
    assert index is not None
    assert not (tmp_path / "Assets/Area1").exists()
    assert index.is_gits_deletion("Assets/Area1/File10.txt")
    assert not index.is_gits_deletion("Assets/Area0/File0.txt")
