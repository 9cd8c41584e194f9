"""The files of a project as a check needs them, without daemon, snapshot or hashes: one walk, and guids when they are asked for.

Implements `core.ports.ProjectIndex`. Links are not followed: the fence would not read behind them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from spark.adapters.index_record import guid_of_meta
from spark.adapters.package_guids import PackageGuids
from spark.adapters.tree_rules import SKIPPED, is_indexed
from spark.core.errors import SparkError
from spark.core.limits import ASSET_BYTES
from spark.core.paths import ROOTS, ProjectPath
from spark.core.ports import IndexEntry, ProjectFiles

_HEAD_BYTES: Final = 4096
_OPEN: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)


class WalkedIndex:
    """What lay in the project when this was made. `skipped`: what was left out, in words, with how often."""

    complete = True

    def __init__(self, root: Path, files: ProjectFiles) -> None:
        self._root = os.path.realpath(root)
        self._files = files
        self._packages = PackageGuids(Path(self._root))
        self._entries: dict[str, IndexEntry] = {}
        self._folders: set[str] = set()
        self.skipped: dict[str, int] = {}
        for top in ROOTS:
            self._walk(top)

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
                stat = item.stat(follow_symlinks=False)
                found.append(IndexEntry(ProjectPath(path), stat.st_size, stat.st_mtime_ns, None, None))
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
            if text.endswith(".meta"):
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
