"""Which asset has which guid, from the `.meta` records of a `FileTree`.

Made at the first question, then kept up to date by the tree. A guid leads to the folders whose metas give it; the file is
looked up there, so that an answer is never older than the records.
"""

from __future__ import annotations

from spark.adapters import index_record
from spark.adapters.file_tree import FileTree, Folder
from spark.core.paths import ProjectPath


class GuidMap:
    """Guids are 16 bytes here. Any thread may ask."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._folders: dict[bytes, Folder | tuple[Folder, ...]] | None = None
        tree.on_meta = self._meta_changed

    def paths(self, guid: bytes) -> set[ProjectPath]:
        """The assets and folders with this guid: one, or none, or several by mistake."""
        where = self._map().get(guid)
        found: set[ProjectPath] = set()
        for folder in _as_tuple(where) if where is not None else ():
            for name, record in folder.files.items():
                if name.endswith(".meta") and index_record.guid_of_record(record) == guid:
                    found.add(ProjectPath(f"{folder.text}/{name[: -len('.meta')]}"))
        return found

    def duplicates(self) -> dict[str, tuple[ProjectPath, ...]]:
        """Guids that more than one `.meta` gives, in hex digits, with the assets, sorted."""
        found: dict[str, tuple[ProjectPath, ...]] = {}
        for guid, where in list(self._map().items()):
            if isinstance(where, tuple):
                paths = tuple(sorted(self.paths(guid)))
                if len(paths) > 1:
                    found[guid.hex()] = paths
        return found

    def _map(self) -> dict[bytes, Folder | tuple[Folder, ...]]:
        folders = self._folders
        if folders is None:
            folders = self._folders = {}
            for folder in list(self._tree.folders.values()):
                for name, record in folder.files.items():
                    if name.endswith(".meta"):
                        self._meta_changed(folder, None, record)
        return folders

    def _meta_changed(self, folder: Folder, before: bytes | None, after: bytes | None) -> None:
        folders = self._folders
        if folders is None:
            return
        old = index_record.guid_of_record(before) if before is not None else None
        new = index_record.guid_of_record(after) if after is not None else None
        if old == new:
            return
        if old is not None and old in folders:
            left = list(_as_tuple(folders[old]))
            if folder in left:
                left.remove(folder)
            if not left:
                del folders[old]
            else:
                folders[old] = left[0] if len(left) == 1 else tuple(left)
        if new is not None:
            folders[new] = (*_as_tuple(folders[new]), folder) if new in folders else folder


def _as_tuple(where: Folder | tuple[Folder, ...]) -> tuple[Folder, ...]:
    return where if isinstance(where, tuple) else (where,)
