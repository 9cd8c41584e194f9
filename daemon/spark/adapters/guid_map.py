"""Which asset has which guid, from the `.meta` records of a `FileTree` and the packages beside it.

Made at the first question, then kept up to date by the tree. A guid leads to a record; the record is looked at again, so
that an answer is never older than the records.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from spark.adapters import index_record
from spark.adapters.file_tree import FileTree, Folder
from spark.adapters.package_guids import PackageGuids
from spark.core.paths import ProjectPath

if TYPE_CHECKING:
    from spark.adapters.package_table import PackageTable

Place = tuple[Folder, str]
"""A folder and the name of a `.meta` in it."""
Places = dict[bytes, Place | list[Place]]
"""A list where a guid is given more than once; replaced as a whole, never changed, so that readers need no lock."""


class GuidMap:
    """Guids are 16 bytes here. Any thread may ask."""

    def __init__(self, tree: FileTree, packages: PackageGuids) -> None:
        self._tree = tree
        self._packages = packages
        self._lock = threading.Lock()
        self._places: Places | None = None
        self._shared: set[bytes] = set()
        self._changes = 0
        self._clashes: tuple[int, PackageTable | None, tuple[bytes, ...]] = (-1, None, ())
        tree.on_meta = self._meta_changed

    def path(self, guid: bytes) -> ProjectPath | None:
        """The asset or folder with this guid; of several, the first by path, those of the project before packages."""
        found = self._paths(guid)
        return ProjectPath(min(found)) if found else self._packages.path_of_guid(guid)

    def duplicates(self) -> dict[str, tuple[ProjectPath, ...]]:
        """Guids that more than one `.meta` gives, in hex digits, with the assets, sorted. Packages count once they have
        been read for another question."""
        table = self._packages.table
        found: dict[str, tuple[ProjectPath, ...]] = {}
        with self._lock:
            places = self._map()
            guids = {*self._shared, *self._clashing(places, table)}
        for guid in sorted(guids):
            paths = {*self._paths(guid), *(table.paths(guid) if table is not None else ())}
            if len(paths) > 1:
                found[guid.hex()] = tuple(ProjectPath(text) for text in sorted(paths))
        return found

    def _paths(self, guid: bytes) -> list[str]:
        places = self._places
        if places is None:
            with self._lock:
                places = self._map()
        return [
            f"{folder.text}/{name[: -len('.meta')]}"
            for folder, name in _each(places.get(guid))
            if (record := folder.files.get(name)) is not None and index_record.guid_of_record(record) == guid
        ]

    def _clashing(self, places: Places, table: PackageTable | None) -> tuple[bytes, ...]:
        """Guids of packages that the project or another package has as well; looked for again only after a change."""
        changes, of_table, found = self._clashes
        if table is None or (changes == self._changes and of_table is table):
            return found if table is not None else ()
        clashing: list[bytes] = []
        last = b""
        for guid in table.guids():
            if guid == last or guid in places:
                clashing.append(guid)
            last = guid
        self._clashes = (self._changes, table, tuple(clashing))
        return self._clashes[2]

    def _map(self) -> Places:
        """With the lock held. A record that changes meanwhile waits in `_meta_changed` and comes after."""
        places = self._places
        if places is None:
            places = {}
            for folder in list(self._tree.folders.values()):
                for name, record in folder.files.items():
                    if name.endswith(".meta"):
                        self._change(places, (folder, name), None, index_record.guid_of_record(record))
            self._places = places
        return places

    def _meta_changed(self, folder: Folder, name: str, before: bytes | None, after: bytes | None) -> None:
        """Told after the folder shows the new record, so that no map can be made in between that lacks it."""
        old = index_record.guid_of_record(before) if before is not None else None
        new = index_record.guid_of_record(after) if after is not None else None
        if old == new:
            return
        with self._lock:
            if self._places is not None:
                self._changes += 1
                self._change(self._places, (folder, name), old, new)

    def _change(self, places: Places, place: Place, old: bytes | None, new: bytes | None) -> None:
        if old is not None:
            left = [other for other in _each(places.get(old)) if other != place]
            if len(left) > 1:
                places[old] = left
            else:
                self._shared.discard(old)
                if left:
                    places[old] = left[0]
                else:
                    places.pop(old, None)
        if new is not None:
            there = _each(places.get(new))
            if not there:
                places[new] = place
            elif place not in there:
                places[new] = [*there, place]
                self._shared.add(new)


def _each(found: Place | list[Place] | None) -> list[Place]:
    if found is None:
        return []
    return found if isinstance(found, list) else [found]
