"""Where the packages of a project lie: embedded in `Packages/`, elsewhere by a `file:` line of its manifest, or in
`Library/PackageCache`. Unity shows all of them as `Packages/<name>/…`.

Owns which folder a package's name stands for. Reads only manifests, and nothing below a package but its `package.json`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from spark.adapters.tree_rules import SKIPPED, is_ignored_by_unity, is_indexed

_MANIFEST_BYTES: Final = 8 * 1024 * 1024
_CACHE: Final = "Library/PackageCache"
_PRIVATE: Final = frozenset({"library", "temp", "logs", "usersettings", *SKIPPED})

Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class PackageFolder:
    """`folder` is an absolute path. `inside`: the same from the project's folder, None where it lies outside of it.

    `embedded`: part of the project, and written like it. `cached`: Unity's own copy, never changed under its name.
    `local`: where a `file:` line of the manifest says.
    """

    name: str
    kind: Literal["embedded", "local", "cached"]
    folder: str
    inside: str | None


class PackageFolders:
    """`root` is the real path of the project folder. Any thread may ask."""

    def __init__(self, root: str) -> None:
        self._root = root.replace(os.sep, "/")
        self._known: tuple[Stamp, Mapping[str, PackageFolder]] | None = None

    def stamp(self) -> Stamp:
        """Another one when Unity or the user changed which packages there are."""
        root = self._root
        places = ("Packages", "Packages/manifest.json", "Packages/packages-lock.json", _CACHE)
        return tuple(_stamp(f"{root}/{place}") for place in places)

    def by_name(self) -> Mapping[str, PackageFolder]:
        """Every package of the project by its name; read again when the stamp changed."""
        stamp, known = self.stamp(), self._known
        if known is None or known[0] != stamp:
            known = self._known = (stamp, self._read())
        return known[1]

    def _read(self) -> dict[str, PackageFolder]:
        packages = f"{self._root}/Packages"
        lock = _mapping(read_json(f"{packages}/packages-lock.json").get("dependencies"))
        found: dict[str, PackageFolder] = {}
        for name, folder in self._cached(lock):
            found[name] = PackageFolder(name, "cached", f"{self._root}/{_CACHE}/{folder}", f"{_CACHE}/{folder}")
        for name, folder in self._local(lock):
            found[name] = PackageFolder(name, "local", folder, self._inside(folder))
        for folder in _folders(packages):
            own_name = read_json(f"{packages}/{folder}/package.json").get("name")
            for shown in (own_name, folder) if isinstance(own_name, str) and own_name else (folder,):
                found[shown] = PackageFolder(shown, "embedded", f"{packages}/{folder}", f"Packages/{folder}")
        return found

    def _cached(self, lock: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Folders are named `com.unity.ugui@1.0.0` or `com.unity.ugui@<hash>`; of several, the one that the lock means."""
        by_name: dict[str, list[str]] = {}
        for folder in _folders(f"{self._root}/{_CACHE}"):
            by_name.setdefault(folder.partition("@")[0], []).append(folder)
        for name, folders in by_name.items():
            chosen = folders[-1]
            if len(folders) > 1:
                locked = _mapping(lock.get(name))
                chosen = next((folder for folder in folders if self._is_locked(folder, locked)), chosen)
            yield name, chosen

    def _is_locked(self, folder: str, locked: Mapping[str, Any]) -> bool:
        version, digest, suffix = locked.get("version"), locked.get("hash"), folder.partition("@")[2]
        if suffix and (suffix == version or (isinstance(digest, str) and digest.startswith(suffix))):
            return True
        manifest = read_json(f"{self._root}/{_CACHE}/{folder}/package.json")
        return isinstance(version, str) and manifest.get("version") == version

    def _local(self, lock: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """`file:` is a path from the `Packages` folder, or an absolute one. The manifest is newer than the lock."""
        manifest = _mapping(read_json(f"{self._root}/Packages/manifest.json").get("dependencies"))
        locked = {name: entry.get("version") for name, entry in lock.items() if isinstance(entry, Mapping)}
        for name, version in {**locked, **manifest}.items():
            if not isinstance(version, str) or not version.startswith("file:"):
                continue
            path = version.removeprefix("file:").replace("\\", "/")
            folder = os.path.realpath(os.path.join(self._root, "Packages", path)).replace(os.sep, "/")
            # Unity takes no folder for a package that does not call itself so. What the Editor and SPARK keep for themselves
            # (`Library/Spark` has the daemon's token) is nobody's package.
            private = (self._inside(folder) or "").partition("/")[0].casefold() in _PRIVATE
            if not private and read_json(f"{folder}/package.json").get("name") == name:
                yield name, folder

    def _inside(self, folder: str) -> str | None:
        return folder[len(self._root) + 1 :] if folder.startswith(f"{self._root}/") else None


def read_json(path: str) -> dict[str, Any]:
    """A JSON object; empty where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            found = json.loads(file.read(_MANIFEST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _folders(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if _is_package(entry))
    except OSError:
        return []


def _is_package(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and is_indexed(entry.name) and not is_ignored_by_unity(entry.name)


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_ino, found.st_size)
