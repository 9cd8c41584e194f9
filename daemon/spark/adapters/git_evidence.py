"""What git's own files say about who changed the working tree: git, or a person. Read without starting git.

Git records in its index, for every file that it wrote, the blob and the file's times, size and inode; and in the reflog why
HEAD moved. Knows no history of ours. Repositories inside the project (an embedded package with its own `.git`) are not
looked at: what is checked out in them counts as the user's edit.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spark.core.versions import GitPlace

_STALE_LOCK_S: Final = 600.0
_REFLOG_BYTES: Final = 256 * 1024
_ENTRY: Final = struct.Struct(">10I")
_SKIP_WORKTREE: Final = 0x4000
_SHA256_REPOSITORY: Final = re.compile(r"(?im)^\s*objectformat\s*=\s*sha256\s*$")


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A file as git's index lists it; `stat`: (ctime s, ns, mtime s, ns, inode, size), each cut to 32 bits."""

    blob: bytes
    stat: tuple[int, int, int, int, int, int]
    skipped: bool


class GitIndex:
    """The rows of git's index for the project, by project-relative path."""

    def __init__(self, rows: Mapping[str, IndexRow], algorithm: str) -> None:
        self._rows = rows
        self._algorithm = algorithm

    def is_gits_deletion(self, path: str) -> bool:
        row = self._rows.get(path)
        return row is None or row.skipped

    def is_gits_file(self, path: str, content: bytes | None, sha256: str, found: os.stat_result) -> bool:
        """Whether these bytes are what git put there: by the file's times, or by the blob, also through line-end
        conversion and LFS. `content` None: too big to look at, the times alone count."""
        row = self._rows.get(path)
        if row is None:
            return False
        if row.stat == _stat_of(found):
            return True
        if content is None:
            return False
        if self._blob(content) == row.blob:
            return True
        if b"\r\n" in content and self._blob(content.replace(b"\r\n", b"\n")) == row.blob:
            return True
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(content)}\n"
        return self._blob(pointer.encode()) == row.blob

    def _blob(self, content: bytes) -> bytes:
        digest = hashlib.new(self._algorithm, b"blob %d\0" % len(content), usedforsecurity=False)
        digest.update(content)
        return digest.digest()


class GitEvidence:
    """`root` is the project folder, at any depth of its repository. Answers False and nothing outside git."""

    def __init__(self, root: Path, *, wall_s: Callable[[], float] = time.time) -> None:
        self._root = root
        self._wall_s = wall_s

    def busy(self) -> bool:
        """Whether git is at work on the working tree: it holds `index.lock` from before its first write until after the
        last. A lock older than ten minutes was left behind by a crash."""
        place = self._folder()
        if place is None:
            return False
        try:
            locked_at_s = (place[0] / "index.lock").stat().st_mtime
        except OSError:
            return False
        return self._wall_s() - locked_at_s < _STALE_LOCK_S

    def only_commits(self, before: GitPlace, after: GitPlace) -> bool:
        """Whether HEAD came from one place to the other by commits alone, which write nothing into the working tree."""
        if before.branch != after.branch or after.head is None:
            return False
        moves = self._moves_since(before.head)
        return bool(moves) and moves[-1][0] == after.head and all(why.startswith("commit") for _, why in moves)

    def index(self) -> GitIndex | None:
        """None where there is no index that this reader knows (versions 2 to 4, not split)."""
        place = self._folder()
        if place is None:
            return None
        git, top = place
        algorithm, size = ("sha256", 32) if self._is_sha256(git) else ("sha1", 20)
        prefix = self._root.relative_to(top).as_posix()
        prefix = "" if prefix == "." else prefix + "/"
        try:
            data = (git / "index").read_bytes()
            rows = {path[len(prefix) :]: row for path, row in _parse_index(data, size) if path.startswith(prefix)}
        except (OSError, ValueError, struct.error):
            return None
        return GitIndex(rows, algorithm)

    def _moves_since(self, head: str | None) -> list[tuple[str, str]]:
        """`(new head, why)` of each move of HEAD since it stood there; empty where the reflog does not say."""
        place = self._folder()
        if place is None:
            return []
        try:
            with (place[0] / "logs" / "HEAD").open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(0, size - _REFLOG_BYTES))
                lines = log.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return []
        moves: list[tuple[str, str]] = []
        for line in reversed(lines):
            who, _, why = line.partition("\t")
            ids = who.split(" ", 2)
            if len(ids) < 2:
                return []
            if ids[1] == head:
                return moves[::-1]
            moves.append((ids[1], why))
            if head is None and not ids[0].strip("0"):
                return moves[::-1]
        return []

    def _folder(self) -> tuple[Path, Path] | None:
        """(git's folder, top of the working tree)."""
        for folder in (self._root, *self._root.parents):
            git = folder / ".git"
            if git.is_dir():
                return git, folder
            if git.is_file():
                try:
                    text = git.read_text("utf-8", "replace")
                except OSError:
                    return None
                return (folder / text.removeprefix("gitdir:").strip(), folder) if text.startswith("gitdir:") else None
        return None

    @staticmethod
    def _is_sha256(git: Path) -> bool:
        try:
            common = git / (git / "commondir").read_text("utf-8").strip()
        except OSError:
            common = git
        try:
            return bool(_SHA256_REPOSITORY.search((common / "config").read_text("utf-8", "replace")))
        except OSError:
            return False


def _stat_of(found: os.stat_result) -> tuple[int, int, int, int, int, int]:
    ctime_s, ctime_ns = divmod(found.st_ctime_ns, 1_000_000_000)
    mtime_s, mtime_ns = divmod(found.st_mtime_ns, 1_000_000_000)
    cut = 0xFFFFFFFF
    return ctime_s & cut, ctime_ns, mtime_s & cut, mtime_ns, found.st_ino & cut, found.st_size & cut


def _parse_index(data: bytes, hash_bytes: int) -> Iterator[tuple[str, IndexRow]]:
    """Merged entries of an index file (gitformat-index). Raises `ValueError` or `struct.error` for what it cannot read."""
    magic, version, count = struct.unpack_from(">4sII", data)
    if magic != b"DIRC" or version not in (2, 3, 4):
        raise ValueError("not an index of version 2 to 4")
    at = 12
    name = b""
    rows: list[tuple[str, IndexRow]] = []
    for _ in range(count):
        start = at
        fields = _ENTRY.unpack_from(data, at)
        blob = data[at + 40 : at + 40 + hash_bytes]
        at += 40 + hash_bytes
        (flags,) = struct.unpack_from(">H", data, at)
        at += 2
        extended = 0
        if flags & 0x4000:
            (extended,) = struct.unpack_from(">H", data, at)
            at += 2
        if version == 4:
            strip, at = _offset(data, at)
            end = data.index(b"\0", at)
            name = name[: len(name) - strip] + data[at:end]
            at = end + 1
        else:
            end = data.index(b"\0", at)
            name = data[at:end]
            # Padded with 1 to 8 zeros so that the whole entry is a multiple of eight bytes.
            at = start + ((end - start + 8) & ~7)
        if flags & 0x3000 == 0:  # Not a side of a merge conflict.
            stat = (fields[0], fields[1], fields[2], fields[3], fields[5], fields[9])
            skipped = bool(extended & _SKIP_WORKTREE)
            rows.append((name.decode("utf-8", "surrogateescape"), IndexRow(blob, stat, skipped)))
    if _has_extension(data, at, hash_bytes, b"link"):
        raise ValueError("a split index")
    return iter(rows)


def _offset(data: bytes, at: int) -> tuple[int, int]:
    """git's variable-width number of pack offsets: (value, next position)."""
    byte = data[at]
    at += 1
    value = byte & 0x7F
    while byte & 0x80:
        byte = data[at]
        at += 1
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, at


def _has_extension(data: bytes, at: int, hash_bytes: int, wanted: bytes) -> bool:
    while at + 8 <= len(data) - hash_bytes:
        signature, size = struct.unpack_from(">4sI", data, at)
        if signature == wanted:
            return True
        at += 8 + size
    return False
