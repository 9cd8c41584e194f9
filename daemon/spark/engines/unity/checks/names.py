"""Names of files against each other: assets and their metas, and spelling that only some platforms tell apart.

Works on lists of names; reads nothing but whether an empty folder is there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from spark.core.diagnostics import Finding
from spark.core.paths import ProjectPath

_CLOSED: Final = (".bundle", ".framework", ".xcframework", ".plugin", ".androidlib", ".androidpack")
"""Folders that Unity takes as one asset: what lies in them needs no meta."""


class Folders:
    """The folders of a project that Unity looks into, with the names in them. `embedded`: folder names in `Packages/`."""

    def __init__(self, paths: Iterable[str], embedded: frozenset[str]) -> None:
        """`paths`: all files."""
        self._embedded = embedded
        self.files: dict[str, set[str]] = {}
        self.folders: dict[str, set[str]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            names = self.files.get(folder)
            if names is None:
                names = self.files[folder] = set()
                self._add_folder(folder)
            names.add(name)

    def _add_folder(self, folder: str) -> None:
        while folder:
            above, _, name = folder.rpartition("/")
            known = self.folders.setdefault(above, set())
            if name in known:
                return
            known.add(name)
            folder = above

    def has(self, path: str) -> bool:
        """Whether a file or folder with this path is known."""
        folder, _, name = path.rpartition("/")
        return name in self.files.get(folder, ()) or name in self.folders.get(folder, ())

    def imported(self) -> Iterator[str]:
        """Folders whose contents Unity imports and gives metas."""
        for folder in {*self.files, *self.folders}:
            if self.needs_meta(f"{folder}/x"):
                yield folder

    def needs_meta(self, path: str) -> bool:
        """Whether Unity gives this path a `.meta`, going by its name."""
        parts = path.split("/")
        if parts[0] == "Packages":
            if len(parts) < 3 or parts[1] not in self._embedded:
                return False
            own = parts[2:]
        elif parts[0] == "Assets" and len(parts) > 1:
            own = parts[1:]
        else:
            return False
        return not any(is_ignored(name) for name in own) and not any(
            name.lower().endswith(_CLOSED) for name in own[:-1]
        )


def is_ignored(name: str) -> bool:
    """Whether Unity leaves a file or folder of this name alone."""
    return name[:1] == "." or name[-1:] == "~" or name[-4:].lower() == ".tmp" or name.lower() == "cvs"


def is_hidden(path: str) -> bool:
    """Whether a path lies below, or is, something that Unity leaves alone."""
    if "/." not in path and "~" not in path and _ODD_ENDS.search(path) is None:
        return False
    return any(is_ignored(name) for name in path.split("/")[1:])


_ODD_ENDS: Final = re.compile(r"(?:\.tmp|cvs)(?:/|$)", re.IGNORECASE)


def name_findings(
    folders: Folders,
    wanted: Callable[[str], bool],
    is_folder_meta: Callable[[str], bool],
    exists: Callable[[str], bool],
) -> Iterator[Finding]:
    """`wanted`: whether a path is asked about. `exists`: looks on disk, for folders without files."""
    for folder in folders.imported():
        files = folders.files.get(folder, set())
        names = files | folders.folders.get(folder, set())
        metas = {name for name in files if name.endswith(".meta")}
        assets = names - metas
        without = {name for name in assets if f"{name}.meta" not in metas and not is_ignored(name)}
        orphans = {name for name in metas if name[:-5] not in assets and not is_ignored(name[:-5])}
        if without or orphans:
            yield from _meta_findings(folder, without, orphans, wanted, is_folder_meta, exists)
        yield from _clashes(folder, assets, wanted)


def _meta_findings(
    folder: str,
    without: set[str],
    orphans: set[str],
    wanted: Callable[[str], bool],
    is_folder_meta: Callable[[str], bool],
    exists: Callable[[str], bool],
) -> Iterator[Finding]:
    spelled = {folded(name[:-5]): name for name in orphans}
    for name in sorted(without):
        path = f"{folder}/{name}"
        other = spelled.get(folded(name))
        if other is not None:
            orphans.discard(other)
            if wanted(path) or wanted(f"{folder}/{other}"):
                message = f"its .meta is spelled {other}: on a system that tells cases apart it has none"
                yield Finding("meta/case", "warning", path, 0, 0, message, f"Rename the .meta to {name}.meta")
        elif wanted(path):
            message = "the asset has no .meta: Unity makes one with another guid on each machine, and references break"
            fix = "Open the project in Unity once and commit the .meta that it makes."
            yield Finding("meta/missing", "warning", path, 0, 0, message, fix)
    for name in sorted(orphans):
        path = f"{folder}/{name}"
        if not wanted(path) or exists(path[:-5]):
            continue
        if is_folder_meta(path):
            fix = "Commit a file into the folder, or remove the .meta."
            message = "the .meta of a folder that is not there: git keeps no empty folders"
            yield Finding("meta/orphan-folder", "info", path, 0, 0, message, fix)
        else:
            fix = "Restore the asset, or remove the .meta: Unity will."
            yield Finding("meta/orphan", "warning", path, 0, 0, f"the asset {name[:-5]} is not there", fix)


def _clashes(folder: str, assets: set[str], wanted: Callable[[str], bool]) -> Iterator[Finding]:
    by_key: dict[str, list[str]] = {}
    keys = {folded(name) for name in assets}
    if len(keys) == len(assets):
        return
    for name in sorted(assets):
        by_key.setdefault(folded(name), []).append(name)
    for names in by_key.values():
        for name in names[1:]:
            if wanted(f"{folder}/{name}"):
                message = f"{name} and {names[0]} differ only by upper and lower case: elsewhere they are one file"
                fix = "Give one of the two another name, with its .meta."
                yield Finding("unity/name-clash", "warning", f"{folder}/{name}", 0, 0, message, fix)


def folded(name: str) -> str:
    """The key under which a system that folds case would find a name."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def taken_guids(duplicates: Mapping[str, tuple[ProjectPath, ...]], wanted: Callable[[str], bool]) -> Iterator[Finding]:
    """A guid that more than one asset has: Unity gives one of them a new one, and cuts its references."""
    for guid in sorted(duplicates):
        paths = duplicates[guid]
        for path in paths:
            if wanted(path.meta.text):
                others = ", ".join(other.text for other in paths if other != path)
                message = f"the guid {guid} is also that of {others}"
                fix = "Give the copy another guid: delete its .meta while Unity is closed, or write a new one."
                yield Finding("meta/guid-taken", "error", path.meta.text, 2, 1, message, fix)
