"""What the last scans saw of the project's folders: the packed records, and the changes that a scan commits to them.

Reads no disk, knows no watcher and no history. A record is replaced only where it is still the one that the scan compared
with, so a slow step never undoes a newer one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass

from spark.adapters import index_record
from spark.adapters.index_record import FLAGS_AT, LINKED, RACY_NS, UNHASHED
from spark.adapters.index_snapshot import FolderRow
from spark.adapters.tree_rules import is_ignored_by_unity
from spark.core.paths import ProjectPath

Steps = Generator[None, None, None]
"""The caller decides how long to run at a time."""


@dataclass(frozen=True, slots=True)
class FileDelta:
    """A file whose bytes changed between two looks. None: it was not, or is no longer, there."""

    path: ProjectPath
    before: str | None
    after: str | None
    linked: bool = False


class Folder:
    """One folder. `files` is replaced as a whole, never changed, so that readers need no lock."""

    __slots__ = ("files", "folders", "linked", "text", "visible")

    def __init__(self, text: str, *, linked: bool) -> None:
        self.text = text
        self.files: dict[str, bytes] = {}
        self.folders: tuple[str, ...] = ()
        self.linked = linked
        self.visible = not any(map(is_ignored_by_unity, text.split("/")))


class ScanRun:
    """What one scan found. `baseline`: files that appear are not news. `defer`: they are read later. `growing`: folder and
    name of big files that are being written: not read yet."""

    __slots__ = ("baseline", "defer", "deltas", "gone_folders", "growing", "racy_from_ns", "removed", "started_ns")

    def __init__(self, started_ns: int, *, baseline: bool, defer: bool = False) -> None:
        self.started_ns = started_ns
        self.racy_from_ns = started_ns - RACY_NS
        self.growing: list[tuple[str, str]] = []
        self.baseline = baseline
        self.defer = defer
        self.deltas: list[FileDelta] = []
        self.removed: list[tuple[Folder, str, bytes]] = []
        self.gone_folders: list[str] = []


class FileTree:
    """The folders below `Assets/`, `Packages/` and `ProjectSettings/`, by project-relative path.

    `on_meta` is told of every `.meta` that changed (folder, name, record before and after), after the folder shows it.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.folders: dict[str, Folder] = {}
        self.count = 0
        self.linked: dict[str, str] = {}
        self.on_meta: Callable[[Folder, str, bytes | None, bytes | None], None] | None = None
        self._lock = threading.Lock()

    def remove(self, run: ScanRun) -> list[FileDelta]:
        """Forgets what the run found gone."""
        by_folder: dict[int, tuple[Folder, dict[str, bytes]]] = {}
        for folder, name, record in run.removed:
            by_folder.setdefault(id(folder), (folder, {}))[1][name] = record
        deltas: list[FileDelta] = []
        with self._lock:
            for folder, names in by_folder.values():
                files = dict(folder.files)
                gone_records = {name: record for name, record in names.items() if files.get(name) is record}
                for name, record in gone_records.items():
                    del files[name]
                    self.count -= 1
                    sha = index_record.sha256_of_record(record)
                    if sha is not None:
                        path = ProjectPath(f"{folder.text}/{name}")
                        deltas.append(FileDelta(path, sha, None, bool(record[FLAGS_AT] & LINKED)))
                folder.files = files
                self._tell(folder, ((name, record, None) for name, record in gone_records.items()))
            for text in run.gone_folders:
                gone = self.folders.get(text)
                if gone is not None and not gone.files:
                    del self.folders[text]
                    self.linked.pop(text, None)
                    parent, _, name = text.rpartition("/")
                    if parent in self.folders:
                        above = self.folders[parent]
                        above.folders = tuple(other for other in above.folders if other != name)
        return deltas

    def load(self, rows: Mapping[str, FolderRow]) -> None:
        """Takes over a snapshot."""
        for text, (linked, names, files) in rows.items():
            folder = Folder(text, linked=linked)
            folder.files = files
            folder.folders = names
            self.folders[text] = folder
            self.count += len(files)

    def rows(self) -> dict[str, FolderRow]:
        return {text: (folder.linked, folder.folders, folder.files) for text, folder in list(self.folders.items())}

    def commit(self, folder: Folder, updates: Mapping[str, tuple[bytes | None, bytes]], run: ScanRun) -> None:
        """Takes new records over, each where the record before is still there."""
        told: list[tuple[str, bytes | None, bytes | None]] = []
        with self._lock:
            files = dict(folder.files)
            for name, (before, record) in updates.items():
                if files.get(name) is not before:
                    continue
                unread = record[FLAGS_AT] & UNHASHED
                if unread and before is not None and not before[FLAGS_AT] & UNHASHED:
                    continue  # Locked for a moment: keep what is known; the stat differs, so it is tried again.
                files[name] = record
                if before is None:
                    self.count += 1
                told.append((name, before, record))
                if not unread:
                    self._note(folder, name, before, record, run)
            folder.files = files
            self._tell(folder, told)

    def _note(self, folder: Folder, name: str, before: bytes | None, record: bytes, run: ScanRun) -> None:
        if before is None:
            if run.baseline:
                return
            old_sha = None
        else:
            old_sha = index_record.sha256_of_record(before)
            if old_sha is None:
                return
        new_sha = index_record.sha256_of_record(record)
        if new_sha != old_sha:
            path = ProjectPath(f"{folder.text}/{name}")
            run.deltas.append(FileDelta(path, old_sha, new_sha, bool(record[FLAGS_AT] & LINKED)))

    def _tell(self, folder: Folder, changes: Iterable[tuple[str, bytes | None, bytes | None]]) -> None:
        if self.on_meta is not None:
            for name, before, after in changes:
                if name.endswith(".meta"):
                    self.on_meta(folder, name, before, after)

    def add_folder(self, text: str, linked: bool) -> Folder:
        with self._lock:
            folder = self.folders.get(text)
            if folder is None:
                folder = self.folders[text] = Folder(text, linked=linked)
            folder.linked = linked
        return folder


def removed_keys(removed: Iterable[tuple[Folder, str, bytes]]) -> set[bytes]:
    """Size, mtime and inode of what went: a file found elsewhere with the same three was moved, not lost."""
    return {record[:16] + record[24:32] for _, _, record in removed}
