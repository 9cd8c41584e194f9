"""Guids of packages that Unity keeps outside the project's own folders (`Library/PackageCache`): read-only, read on demand.

A reference into a package is not broken only because the package is not embedded. Knows nothing of the index; reads
again only when Unity has changed which packages lie in the cache.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from spark.adapters.index_record import guid_of_meta
from spark.adapters.tree_rules import is_ignored_by_unity
from spark.core.paths import ProjectPath


class PackageGuids:
    """`root` is the project folder. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self._cache = root / "Library" / "PackageCache"
        self._lock = threading.Lock()
        self._read_at_ns = -1
        self._paths: dict[bytes, str] = {}

    def path_of_guid(self, guid: bytes) -> ProjectPath | None:
        """`Packages/<name>/…` as Unity resolves it. The first call reads every `.meta` of the cache."""
        with self._lock:
            try:
                changed_at_ns = os.stat(self._cache).st_mtime_ns
            except OSError:
                self._paths = {}
                self._read_at_ns = -1
                return None
            if changed_at_ns != self._read_at_ns:
                self._paths = self._read()
                self._read_at_ns = changed_at_ns
            text = self._paths.get(guid)
        return ProjectPath(text) if text is not None else None

    def _read(self) -> dict[bytes, str]:
        found: dict[bytes, str] = {}
        for package in _folders(str(self._cache)):
            # `com.unity.ugui@1.0.0` or `com.unity.ugui@<hash>`: the name ends at the `@`.
            name = package.partition("@")[0]
            waiting = [(f"{self._cache}/{package}", f"Packages/{name}")]
            while waiting:
                real, shown = waiting.pop()
                _read_folder(real, shown, found, waiting)
        return found


def _folders(path: str) -> list[str]:
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def _read_folder(real: str, shown: str, found: dict[bytes, str], waiting: list[tuple[str, str]]) -> None:
    try:
        entries = os.scandir(real)
    except OSError:
        return
    with entries:
        for entry in entries:
            if is_ignored_by_unity(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append((f"{real}/{entry.name}", f"{shown}/{entry.name}"))
            elif entry.name.endswith(".meta") and entry.is_file(follow_symlinks=False):
                guid = _guid_of(f"{real}/{entry.name}")
                if guid is not None:
                    found.setdefault(guid, f"{shown}/{entry.name[: -len('.meta')]}")


def _guid_of(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        # The guid stands in the second line.
        return guid_of_meta(os.read(descriptor, 256))
    except OSError:
        return None
    finally:
        os.close(descriptor)
