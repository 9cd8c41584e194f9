"""The files of a project as a check needs them, without daemon, snapshot or hashes: one walk, and guids when they are asked for.

Implements `core.ports.ProjectIndex`. Links are not followed: the fence would not read behind them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from spark.adapters.index_record import guid_of_meta
from spark.adapters.package_guids import PackageGuids
from spark.adapters.project_files import FencedFiles
from spark.adapters.tree_rules import SKIPPED, is_ignored_by_unity, is_indexed
from spark.core.errors import SparkError
from spark.core.limits import ASSET_BYTES
from spark.core.paths import ROOTS, ProjectPath
from spark.core.ports import FileStat, IndexEntry

_HEAD_BYTES: Final = 4096
_OPEN: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)


class WalkedFiles(FencedFiles):
    """The project's files for a check: what was walked over is read by its name at once, a third of the time that the fence
    takes. Nothing is written after such a look, so a race for the name could win nothing."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._top = f"{self.root}/"
        self.walked: Container[str] = ()

    def read(self, path: ProjectPath, *, limit_bytes: int | None = None) -> bytes | None:
        content = _read(self._top + path.text, limit_bytes) if path.text in self.walked else None
        # Whatever is unusual is said by the fence.
        return content if content is not None else super().read(path, limit_bytes=limit_bytes)

    def stat(self, path: ProjectPath) -> FileStat | None:
        if path.text.startswith("Assets/"):
            try:
                found = os.lstat(self._top + path.text)
            except FileNotFoundError:
                return None
            except OSError:
                return super().stat(path)
            if not stat.S_ISLNK(found.st_mode):
                return FileStat(
                    found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, stat.S_ISDIR(found.st_mode)
                )
        return super().stat(path)


def _read(path: str, limit_bytes: int | None) -> bytes | None:
    """None where it is not a plain file that can be read and is small enough."""
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or (limit_bytes is not None and found.st_size > limit_bytes):
            return None
        content = os.read(descriptor, found.st_size + 1)
        return content if len(content) == found.st_size else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


class WalkedIndex:
    """What lay in the project when this was made. `skipped`: what was left out, in words, with how often."""

    complete = True

    def __init__(self, files: WalkedFiles) -> None:
        self._root = str(files.root)
        self._files = files
        self._packages = PackageGuids(Path(self._root))
        self._entries: dict[str, IndexEntry] = {}
        self._folders: set[str] = set()
        self.skipped: dict[str, int] = {}
        for top in ROOTS:
            self._walk(top)
        files.walked = self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self, folder: ProjectPath | None = None) -> Iterator[IndexEntry]:
        if folder is None:
            return iter(self._entries.values())
        return (entry for entry in self._entries.values() if entry.path.is_under(folder))

    def entry(self, path: ProjectPath) -> IndexEntry | None:
        return self._entries.get(path.text)

    def same_when_folded(self, path: ProjectPath) -> ProjectPath | None:
        known = self._by_folded.get(path.folded, ())
        return next((ProjectPath(text) for text in known if text != path.text), None)

    def path_of_guid(self, guid: str) -> ProjectPath | None:
        try:
            key = bytes.fromhex(guid)
        except ValueError:
            return None
        if len(key) != 16:
            return None
        own = self._guids.get(key)
        if own:
            return ProjectPath(own[0])
        if self._packages.table is None:
            return self._packages.path_of_guid(key)
        # They are read once: a check is over before Unity changes them.
        found = self._packages.table.paths(key)
        return ProjectPath(min(found)) if found else None

    def references_to(self, guid: str) -> tuple[ProjectPath, ...]:
        return self.references_to_any((guid,))

    def references_to_any(self, guids: Iterable[str]) -> tuple[ProjectPath, ...]:
        """Reads every file that may name one: for a few questions only."""
        wanted = {guid.lower().encode(): self.path_of_guid(guid) for guid in guids}
        return tuple(entry.path for entry in self._entries.values() if wanted and self._names(entry, wanted))

    def duplicate_guids(self) -> dict[str, tuple[ProjectPath, ...]]:
        return {key.hex(): tuple(map(ProjectPath, paths)) for key, paths in self._guids.items() if len(paths) > 1}

    # -- inside

    def _walk(self, top: str) -> None:
        waiting = [top]
        found: list[IndexEntry] = []
        while waiting:
            folder = waiting.pop()
            try:
                listed = os.scandir(f"{self._root}/{folder}")
            except FileNotFoundError:
                continue
            except OSError:
                self._skip("folders that may not be read")
                continue
            with listed:
                for item in listed:
                    if item.name in SKIPPED:
                        continue
                    if not is_indexed(item.name):
                        self._skip("names that are not UTF-8")
                    else:
                        self._take(item, f"{folder}/{item.name}", found, waiting)
            self._folders.add(folder)
        found.sort(key=lambda entry: entry.path.text)
        self._entries.update((entry.path.text, entry) for entry in found)

    def _take(self, item: os.DirEntry[str], path: str, found: list[IndexEntry], waiting: list[str]) -> None:
        try:
            if item.is_symlink():
                self._skip("links")
            elif item.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif item.is_file(follow_symlinks=False):
                seen = item.stat(follow_symlinks=False)
                found.append(IndexEntry(ProjectPath(path), seen.st_size, seen.st_mtime_ns, None, None))
            else:
                self._skip("pipes, sockets and devices")
        except OSError:
            pass  # gone meanwhile

    def _skip(self, what: str) -> None:
        self.skipped[what] = self.skipped.get(what, 0) + 1

    @cached_property
    def _by_folded(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for text in (*self._entries, *self._folders):
            found.setdefault(ProjectPath(text).folded, []).append(text)
        return found

    @cached_property
    def _guids(self) -> dict[bytes, list[str]]:
        """Assets and folders by guid, each list sorted."""
        found: dict[bytes, list[str]] = {}
        for text in self._entries:
            # Unity gives no guid to what it leaves alone.
            if text.endswith(".meta") and not any(is_ignored_by_unity(name) for name in text.split("/")[1:]):
                guid = guid_of_meta(self._head(text))
                if guid is not None:
                    found.setdefault(guid, []).append(text[: -len(".meta")])
        return found

    def _head(self, path: str) -> bytes:
        try:
            descriptor = os.open(f"{self._root}/{path}", _OPEN)
        except OSError:
            return b""
        try:
            return os.read(descriptor, _HEAD_BYTES)
        except OSError:
            return b""
        finally:
            os.close(descriptor)

    def _names(self, entry: IndexEntry, wanted: dict[bytes, ProjectPath | None]) -> bool:
        try:
            content = self._files.read(entry.path, limit_bytes=ASSET_BYTES)
        except SparkError:
            return False
        return content is not None and any(
            guid in content for guid, owner in wanted.items() if owner is None or entry.path != owner.meta
        )
