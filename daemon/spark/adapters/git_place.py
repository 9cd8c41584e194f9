"""Where a checkout stands: HEAD and branch, read from git's files without starting git.

Follows `.git` files (worktrees, submodules), `commondir`, packed refs. Answers nothing it is not sure of: a repository in
the reftable format has a branch here, but no head.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from spark.adapters.beneath import read_ordinary
from spark.core.versions import GitPlace

_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SYMBOLIC_LIMIT: Final = 5
_REF_LIMIT_BYTES: Final = 64 * 1024
_PACKED_LIMIT_BYTES: Final = 64 * 1024 * 1024
"""Some hundred thousand refs."""
_BRANCH: Final = "refs/heads/"
_Stamp = tuple[tuple[str, int, int, int] | None, ...]


class GitPlaceReader:
    """Reads again only when one of the files it read last changed (time, size or inode)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stamp: _Stamp = ()
        self._files: list[Path] = []
        self._place = GitPlace()

    def read(self) -> GitPlace:
        if not self._files or _stamp(self._files) != self._stamp:
            files: list[Path] = []
            place = _read_place(self._root, files)
            self._place, self._files, self._stamp = place, files, _stamp(files)
            if _read_place(self._root, []) != place:
                self._stamp = ()  # changed between content and stamp: look again at the next call
        return self._place


def _read_place(root: Path, files: list[Path]) -> GitPlace:
    git = _git_folder(root, files)
    if git is None:
        return GitPlace()
    head = _text(git / "HEAD", files)
    if head is None:
        return GitPlace()
    if not head.startswith("ref:"):
        return GitPlace(head=head if _COMMIT.fullmatch(head) else None)
    name = head[4:].strip()
    branch = name.removeprefix(_BRANCH) if name.startswith(_BRANCH) else None
    if branch == ".invalid":
        return GitPlace()
    common = _text(git / "commondir", files)
    folder = git if common is None else (git / common)
    for _ in range(_SYMBOLIC_LIMIT):
        value = _text(folder / name, files) or _packed(folder / "packed-refs", name, files)
        if value is None or not value.startswith("ref:"):
            return GitPlace(head=value if value and _COMMIT.fullmatch(value) else None, branch=branch)
        name = value[4:].strip()
    return GitPlace(branch=branch)


def _git_folder(root: Path, files: list[Path]) -> Path | None:
    """The project may be a folder deep inside its repository."""
    for folder in (root, *root.parents):
        git = folder / ".git"
        files.append(git)
        if git.is_dir():
            return git
        if git.is_file():
            pointer = _text(git, files) or ""
            if pointer.startswith("gitdir:"):
                return folder / pointer[len("gitdir:") :].strip()
    return None


def _text(path: Path, files: list[Path], limit_bytes: int = _REF_LIMIT_BYTES) -> str | None:
    files.append(path)
    data = read_ordinary(path, limit_bytes)
    return None if data is None else data.decode("utf-8", "replace").strip()


def _packed(path: Path, name: str, files: list[Path]) -> str | None:
    for line in (_text(path, files, _PACKED_LIMIT_BYTES) or "").splitlines():
        commit, _, ref = line.partition(" ")
        if ref == name:
            return commit
    return None


def _stamp(files: list[Path]) -> _Stamp:
    stamps: list[tuple[str, int, int, int] | None] = []
    for path in files:
        try:
            found = path.stat()
        except OSError:
            stamps.append(None)
        else:
            # A folder's times change with everything in it: only its identity counts.
            folder = path.name == ".git" and path.is_dir()
            stamps.append((str(path), 0 if folder else found.st_mtime_ns, 0 if folder else found.st_size, found.st_ino))
    return tuple(stamps)
