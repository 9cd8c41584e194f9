"""The steps of a scan: what lies on the disk, compared with what a `FileTree` knows of it.

Owns which folders and names are looked at and how links are followed; the tree owns the records. No lock is held while a
file is read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from typing import Final

from spark.adapters import index_record
from spark.adapters.file_tree import FileTree, Folder, ScanRun, Steps
from spark.adapters.index_record import FLAGS_AT, LINKED, RACY, UNHASHED, pack_stat, read_record
from spark.adapters.tree_rules import is_ignored_by_unity, is_indexed, link_target
from spark.core.paths import ROOTS

GROWING_BYTES: Final = 16 * 1024 * 1024
GROWING_NS: Final = 500_000_000
_READ_AGAIN: Final = RACY | UNHASHED
_KIND_MASK: Final = 0o170000


class TreeScan:
    """Brings a tree up to date. Run one scan at a time; `refresh` of single names may run beside it."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._root = tree.root
        self.stopping = False

    def scan_all(self, run: ScanRun) -> Steps:
        """Every folder, linked ones included."""
        self._tree.linked = {}
        for top in ROOTS:
            yield from self.scan_below(top, run, linked=os.path.islink(f"{self._root}/{top}"))

    def scan_below(self, text: str, run: ScanRun, *, linked: bool = False) -> Steps:
        """A folder and all folders below it."""
        if linked:
            self._tree.linked[text] = os.path.realpath(f"{self._root}/{text}")
        waiting = [(text, linked)]
        while waiting:
            yield from self._scan_folder(*waiting.pop(), run, waiting, all_below=True)

    def scan_names(self, folders: Mapping[str, frozenset[str] | None], run: ScanRun) -> Steps:
        """Single names, or whole folders where the names are None, with whatever is new below them."""
        for text, names in folders.items():
            parent, child = self._nearest_known(text)
            if child is not None:
                # Events of a folder that no scan has seen yet: the highest unknown one shows all that is in it.
                yield from self._look(parent, child, run)
                continue
            if names is None:
                waiting = [(text, self._is_linked(text))]
                while waiting:
                    yield from self._scan_folder(*waiting.pop(), run, waiting, all_below=False)
                continue
            for name in sorted(names):
                yield from self._look(text, name, run)

    def read_unread(self, run: ScanRun) -> Steps:
        """Reads the files that a deferring scan only listed."""
        for folder in list(self._tree.folders.values()):
            unread = [(name, record) for name, record in folder.files.items() if record[FLAGS_AT] & UNHASHED]
            if not unread:
                continue
            updates: dict[str, tuple[bytes | None, bytes]] = {}
            for name, record in unread:
                size, mtime_ns, ctime_ns, _ = index_record.stat_of(record)
                key = record[: index_record.STAT_BYTES]
                updates[name] = (record, self._read(folder, name, key, size, mtime_ns, ctime_ns, run))
                yield
            self._tree.commit(folder, updates, run)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _nearest_known(self, text: str) -> tuple[str, str | None]:
        """`(folder, None)` where it is known, else its nearest known ancestor and the name to look at in it."""
        child: str | None = None
        while text and text not in self._tree.folders:
            text, _, child = text.rpartition("/")
        return text, child

    def _is_linked(self, text: str) -> bool:
        folder = self._tree.folders.get(text)
        return folder is not None and folder.linked

    def _look(self, parent: str, name: str, run: ScanRun) -> Steps:
        """One name: a file, a folder with all that is in it, or nothing any more."""
        text = f"{parent}/{name}" if parent else name
        if not is_indexed(name) or (not parent and name not in ROOTS):
            return
        folder = self._tree.folders.get(parent)
        try:
            found = os.lstat(f"{self._root}/{text}")
        except OSError:
            found = None
        if found is not None and stat.S_ISDIR(found.st_mode):
            if folder is not None and name not in folder.folders:
                folder.folders = (*folder.folders, name)
            self._lost_file(folder, name, run)
            yield from self.scan_below(text, run, linked=self._is_linked(parent))
            return
        if found is not None and stat.S_ISLNK(found.st_mode):
            # Rare, and the rules for links are the folder's.
            waiting = [(parent, self._is_linked(parent))] if parent else [(name, True)]
            while waiting:
                yield from self._scan_folder(*waiting.pop(), run, waiting, all_below=False)
            return
        if text in self._tree.folders:
            self._gone(text, run)
        if folder is None:
            return
        if found is None or not stat.S_ISREG(found.st_mode):
            self._lost_file(folder, name, run)
            return
        before = folder.files.get(name)
        key = pack_stat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        if before is None or not before.startswith(key) or before[FLAGS_AT] & _READ_AGAIN:
            if found.st_size > GROWING_BYTES and 0 <= run.started_ns - found.st_mtime_ns < GROWING_NS:
                # A big file that is being copied makes events all the time: read it when it is done.
                run.growing.append((parent, name))
                return
            record = self._read(folder, name, key, found.st_size, found.st_mtime_ns, found.st_ctime_ns, run)
            self._tree.commit(folder, {name: (before, record)}, run)
        yield

    def _scan_folder(
        self, text: str, linked: bool, run: ScanRun, waiting: list[tuple[str, bool]], *, all_below: bool
    ) -> Steps:
        """Compares one folder with the disk; adds its sub-folders (with `all_below`) or its new ones to `waiting`."""
        folder = self._tree.folders.get(text)
        try:
            with os.scandir(f"{self._root}/{text}") as listing:
                entries = list(listing)
        except OSError as error:
            # Not readable is not gone: what is known stays.
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                self._gone(text, run)
            return
        if folder is None or folder.linked != linked:
            folder = self._tree.add_folder(text, linked)
        old = folder.files
        names: list[str] = []
        subfolders: list[tuple[str, bool]] = []
        changed: list[tuple[str, bytes, int, int, int]] = []
        for entry in entries:
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                if is_indexed(name):
                    subfolders.append((name, linked))
                continue
            try:
                found = entry.stat(follow_symlinks=linked)
            except OSError:
                continue
            if found.st_mode & _KIND_MASK != stat.S_IFREG:
                if found.st_mode & _KIND_MASK == stat.S_IFDIR:
                    self._follow(text, name, subfolders)
                    continue
                if found.st_mode & _KIND_MASK != stat.S_IFLNK:
                    continue
                followed = self._followed(text, name, subfolders)
                if followed is None:
                    continue
                found = followed
            key = pack_stat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            record = old.get(name)
            if record is None:
                if not is_indexed(name):
                    continue
            elif record.startswith(key) and not record[FLAGS_AT] & _READ_AGAIN:
                names.append(name)
                continue
            names.append(name)
            changed.append((name, key, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
        yield
        if changed:
            yield from self._take_in(folder, old, changed, run)
        if len(names) - sum(1 for item in changed if item[0] not in old) != len(old):
            seen = set(names)
            run.removed += [(folder, name, record) for name, record in old.items() if name not in seen]
        known = folder.folders
        found_names = tuple(name for name, _ in subfolders)
        if known != found_names:
            for name in set(known).difference(found_names):
                self._gone(f"{text}/{name}", run)
            # Folders that went stay listed until `remove`: their files may be held back.
            folder.folders = found_names + tuple(
                name for name in known if name not in found_names and f"{text}/{name}" in self._tree.folders
            )
        for name, is_link in subfolders:
            if all_below or f"{text}/{name}" not in self._tree.folders:
                waiting.append((f"{text}/{name}", is_link))

    def _take_in(
        self, folder: Folder, old: dict[str, bytes], changed: list[tuple[str, bytes, int, int, int]], run: ScanRun
    ) -> Steps:
        updates: dict[str, tuple[bytes | None, bytes]] = {}
        for name, key, size, mtime_ns, ctime_ns in changed:
            before = old.get(name)
            if before is None and run.defer:
                updates[name] = (None, index_record.unread_record(key, linked=folder.linked))
                continue
            updates[name] = (before, self._read(folder, name, key, size, mtime_ns, ctime_ns, run))
            yield
        self._tree.commit(folder, updates, run)

    def _read(
        self, folder: Folder, name: str, key: bytes, size: int, mtime_ns: int, ctime_ns: int, run: ScanRun
    ) -> bytes:
        # No later change can keep the change time on POSIX, whatever a tool does to the modification time.
        changed_ns = ctime_ns if os.name == "posix" else mtime_ns
        path = f"{self._root}/{folder.text}/{name}"
        linked = folder.linked or f"{folder.text}/{name}" in self._tree.linked
        return read_record(
            path,
            name,
            key,
            size=size,
            flags=(RACY if changed_ns >= run.racy_from_ns else 0) | (LINKED if linked else 0),
            visible=folder.visible and not is_ignored_by_unity(name),
            stopping=lambda: self.stopping,
        )

    def _gone(self, text: str, run: ScanRun) -> None:
        folder = self._tree.folders.get(text)
        if folder is None:
            return
        for name in folder.folders:
            self._gone(f"{text}/{name}", run)
        run.removed += [(folder, name, record) for name, record in folder.files.items()]
        run.gone_folders.append(text)

    def _lost_file(self, folder: Folder | None, name: str, run: ScanRun) -> None:
        record = folder.files.get(name) if folder is not None else None
        if folder is not None and record is not None:
            run.removed.append((folder, name, record))

    def _followed(self, parent: str, name: str, subfolders: list[tuple[str, bool]]) -> os.stat_result | None:
        """What a link leads to: a folder is put on the list, a file's stat is answered."""
        try:
            found = os.stat(f"{self._root}/{parent}/{name}")
        except OSError:
            return None
        if stat.S_ISDIR(found.st_mode):
            self._follow(parent, name, subfolders)
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        self._tree.linked[f"{parent}/{name}"] = os.path.realpath(f"{self._root}/{parent}/{name}")
        return found

    def _follow(self, parent: str, name: str, subfolders: list[tuple[str, bool]]) -> None:
        if is_indexed(name):
            self._tree.linked[f"{parent}/{name}"], enter = link_target(self._root, parent, name)
            if enter:
                subfolders.append((name, True))
