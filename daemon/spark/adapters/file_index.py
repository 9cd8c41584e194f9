"""The index of the project's files: path, size, times, SHA-256, guid and references, and the snapshot for a warm restart.

Owns the answers to `core.ports.ProjectIndex` and the rule that a project which seems to vanish is not recorded as
deleted. Knows no watcher and no history; a scan answers what changed, whoever asked for it. Readers need no lock and may
run in any thread, also during a scan.

The first scan without a snapshot lists everything first (`entries` with `sha256` None), then reads. What it finds is the
baseline: no `FileDelta`. Dot files are indexed, `.git` and the like are not; what Unity ignores (names with a dot in front
or `~` at the end, and all below them) is indexed without a guid.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from spark.adapters import index_record, index_snapshot
from spark.adapters.file_tree import FileDelta, FileTree, ScanRun, Steps, removed_keys
from spark.adapters.guid_map import GuidMap
from spark.adapters.package_guids import PackageGuids
from spark.adapters.tree_scan import TreeScan
from spark.core.paths import ProjectPath
from spark.core.ports import IndexEntry

PACKAGES_CACHE: Final = "packages.snapshot"
HALT_FILES: Final = 50
"""Fewer files than this may vanish at once without a question."""
_AT_ONCE_S: Final = 10.0

Deltas = Generator[None, None, list[FileDelta]]
"""Steps of a scan; the last one returns what changed."""


class FileIndex:
    """Implements `core.ports.ProjectIndex`.

    `snapshot`: where the index is kept between two runs (what was read of packages beside it), None for nowhere. `may_vanish`: asked before more than half of
    the files are held to be lost; True where something explains it (a branch switch). `wall_ns` and `monotonic_s` are
    the clocks.
    """

    def __init__(
        self,
        root: Path,
        *,
        snapshot: Path | None = None,
        may_vanish: Callable[[], bool] = lambda: False,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = Path(os.path.realpath(root))
        self._tree = FileTree(str(self.root))
        self._scan = TreeScan(self._tree)
        cache = snapshot.with_name(PACKAGES_CACHE) if snapshot is not None else None
        self._packages = PackageGuids(self.root, cache, wall_ns=wall_ns, monotonic_s=monotonic_s)
        self._guids = GuidMap(self._tree, self._packages)
        self._snapshot = snapshot
        self._may_vanish = may_vanish
        self._wall_ns = wall_ns
        self._monotonic_s = monotonic_s
        self._complete = False
        self._baseline = True
        self._saving = threading.Lock()
        self._halted: str | None = None
        self._resume = False
        self._removed_lately: deque[tuple[float, int]] = deque()
        self.growing: list[tuple[str, str]] = []
        """Folder and name of big files that the last `scan` left unread because they are still being written."""

    # --- core.ports.ProjectIndex -----------------------------------------------------------------------------------

    @property
    def complete(self) -> bool:
        """False until the first scan is through; answers say so."""
        return self._complete

    def __len__(self) -> int:
        return self._tree.count

    def entries(self, folder: ProjectPath | None = None) -> Iterator[IndexEntry]:
        """Files (with `.meta` files) below a folder, sorted by path."""
        if folder is not None:
            yield from self._below(folder.text)
            return
        for top in sorted(text for text in list(self._tree.folders) if "/" not in text):
            yield from self._below(top)

    def entry(self, path: ProjectPath) -> IndexEntry | None:
        parent, _, name = path.text.rpartition("/")
        folder = self._tree.folders.get(parent)
        record = folder.files.get(name) if folder is not None else None
        if folder is None or record is None:
            return None
        return _entry(folder.files, path.text, name, record)

    def same_when_folded(self, path: ProjectPath) -> ProjectPath | None:
        """A known file or folder whose name differs only by case or Unicode form: of the path itself, or of a folder on
        the way to it (that folder then)."""
        spelled = ""
        for part in path.parts:
            text = f"{spelled}/{part}" if spelled else part
            wanted = ProjectPath(part).folded
            folder = self._tree.folders.get(spelled)
            names: Iterable[str] = (*folder.folders, *folder.files) if folder is not None else ()
            exact = False
            other: str | None = None
            for name in names:
                if name == part:
                    exact = True
                elif (name.lower() if name.isascii() else ProjectPath(name).folded) == wanted:
                    other = name
            if other is not None and not (exact and text != path.text):
                return ProjectPath(f"{spelled}/{other}")
            spelled = text
        return None

    def path_of_guid(self, guid: str) -> ProjectPath | None:
        """The asset or folder with this guid; of several, the first by path.

        The first guid that the project does not know makes it read the `.meta` files of the packages that lie elsewhere:
        call it off the event loop. Those answers are `Packages/<name>/…`.
        """
        key = _guid_key(guid)
        return self._guids.path(key) if key is not None else None

    def references_to(self, guid: str) -> tuple[ProjectPath, ...]:
        """Files that name a guid, sorted; the asset's own `.meta` is left out. Looks through all records: about 20 ms
        per 100,000 files."""
        return self.references_to_any((guid,))

    # --- more questions --------------------------------------------------------------------------------------------

    def references_to_any(self, guids: Iterable[str]) -> tuple[ProjectPath, ...]:
        """Files that name at least one of the guids, sorted, in one pass."""
        keys = {key for key in map(_guid_key, guids) if key is not None}
        one = next(iter(keys)) if len(keys) == 1 else b""
        found: list[ProjectPath] = []
        for folder in list(self._tree.folders.values()):
            for name, record in folder.files.items():
                # For one guid most records are through with a plain look at their bytes.
                if len(record) < 81 or one not in record:
                    continue
                if len(keys) < 8:
                    hit = any(index_record.names_guid(record, key) for key in keys)
                else:
                    hit = not keys.isdisjoint(index_record.references_of(record))
                if hit:
                    found.append(ProjectPath(f"{folder.text}/{name}"))
        return tuple(sorted(found))

    def duplicate_guids(self) -> dict[str, tuple[ProjectPath, ...]]:
        """Guids that more than one `.meta` of the project and its packages gives, with the assets, sorted. Packages that
        lie elsewhere count once they have been read: by a question for a guid, or by the second full scan."""
        return self._guids.duplicates()

    def is_linked(self, path: ProjectPath) -> bool:
        """Whether a file is reached through a link: indexed, but its changes show only in full scans, and the fence
        refuses to read or write it."""
        parent, _, name = path.text.rpartition("/")
        folder = self._tree.folders.get(parent)
        record = folder.files.get(name) if folder is not None else None
        return record is not None and bool(record[index_record.FLAGS_AT] & index_record.LINKED)

    @property
    def linked_folders(self) -> Mapping[str, str]:
        """Links found in the project (folders and files), project path to real target."""
        return dict(self._tree.linked)

    @property
    def folder_count(self) -> int:
        """Folders that a watcher must watch: not the linked ones."""
        return sum(1 for folder in list(self._tree.folders.values()) if not folder.linked)

    @property
    def halted(self) -> str | None:
        """Why deletions are held back; None where they are not."""
        return self._halted

    def resume(self) -> None:
        """The next full scan takes what is gone as deleted."""
        self._resume = True

    def progress(self) -> dict[str, Any]:
        """`{"files": N, "read": M, "complete": bool}`; N is still growing until all folders are listed."""
        unread = 0
        if not self._complete:
            flag = index_record.UNHASHED
            for folder in list(self._tree.folders.values()):
                unread += sum(1 for record in folder.files.values() if record[index_record.FLAGS_AT] & flag)
        return {"files": self._tree.count, "read": self._tree.count - unread, "complete": self._complete}

    # --- scans -----------------------------------------------------------------------------------------------------

    def load(self) -> bool:
        """Takes the snapshot over, where there is a usable one; the next full scan then says what changed since."""
        rows = index_snapshot.load_snapshot(self._snapshot, str(self.root)) if self._snapshot is not None else None
        if rows is None or self._tree.folders:
            return False
        self._tree.load(rows)
        self._baseline = False
        return True

    def save(self) -> None:
        """Writes the snapshot; before the first scan is through there is nothing to save. Raises `OSError`."""
        if self._snapshot is None or not self._complete:
            return
        with self._saving:
            index_snapshot.save_snapshot(self._snapshot, str(self.root), self._tree.rows())

    def full_scan(self) -> Deltas:
        """Steps of a scan of everything. Run one scan at a time."""
        first = self._baseline
        again = self._complete
        run = ScanRun(self._wall_ns(), baseline=first, defer=first)
        yield from self._scan.scan_all(run)
        if first:
            yield from self._scan.read_unread(run)
        deltas = run.deltas + self._settle(run, full=True)
        if again:
            # Not with the first scan: everybody waits for that one.
            yield from self._packages.refresh()
        self._complete = True
        self._baseline = False
        return deltas

    def scan(self, folders: Mapping[str, frozenset[str] | None]) -> Deltas:
        """Steps of a scan of names in folders (None: the folder itself), as `core.coalesce.Dirty` lists them."""
        run = ScanRun(self._wall_ns(), baseline=self._baseline)
        yield from self._scan.scan_names(folders, run)
        self.growing = run.growing
        return run.deltas + self._settle(run, full=False)

    def refresh(self, paths: Iterable[ProjectPath]) -> list[FileDelta]:
        """Looks at single files now, so that a call sees what the one before it wrote. Takes file-system time; may run
        beside a scan in another thread."""
        run = ScanRun(self._wall_ns(), baseline=self._baseline)
        folders: dict[str, set[str]] = {}
        for path in paths:
            parent, _, name = path.text.rpartition("/")
            folders.setdefault(parent, set()).add(name)
        finish(self._scan.scan_names({text: frozenset(names) for text, names in folders.items()}, run))
        return run.deltas + self._tree.remove(run)

    def stop(self) -> None:
        """Makes a running step give up soon (`index_record.ReadStopped`); the index is not used for scans again."""
        self._scan.stopping = True
        self._packages.stopping = True

    # --- inside ----------------------------------------------------------------------------------------------------

    def _settle(self, run: ScanRun, *, full: bool) -> list[FileDelta]:
        """Forgets what is gone, unless so much is gone that something else must be wrong."""
        lost = len(run.removed)
        if lost and not self.root.is_dir():
            self._halted = f"the project folder {self.root} is not there; nothing is recorded until it is back"
            return []
        now = self._monotonic_s()
        while self._removed_lately and now - self._removed_lately[0][0] > _AT_ONCE_S:
            self._removed_lately.popleft()
        if full and self._resume:
            self._resume = False
            self._removed_lately.clear()
        else:
            lately = sum(count for _, count in self._removed_lately)
            tracked = self._tree.count + lately
            if _most(lost + lately, tracked):
                lost = self._not_moved(run)
                if _most(lost + lately, tracked) and not self._may_vanish():
                    self._halted = (
                        f"{lost} of {tracked} files vanished at once; nothing is recorded as deleted until they are back "
                        "or SPARK is started anew (spark down, then spark up)"
                    )
                    return []
            if self._halted is not None and not full:
                return []
        if full:
            self._halted = None
        deltas = self._tree.remove(run)
        if deltas:
            self._removed_lately.append((now, lost))
        return deltas

    def _not_moved(self, run: ScanRun) -> int:
        gone = removed_keys(run.removed)
        ours = {id(record) for _, _, record in run.removed}
        elsewhere: set[bytes] = set()
        for folder in list(self._tree.folders.values()):
            for record in folder.files.values():
                if id(record) not in ours:
                    key = record[:16] + record[24:32]
                    if key in gone:
                        elsewhere.add(key)
        return sum(1 for _, _, record in run.removed if record[:16] + record[24:32] not in elsewhere)

    def _below(self, text: str) -> Iterator[IndexEntry]:
        folder = self._tree.folders.get(text)
        if folder is None:
            return
        files = folder.files
        # `A.cs` sorts before `A/b.cs` and after `A-b.cs`: a folder stands where its name with the slash would.
        keys = [*files, *(f"{name}/" for name in folder.folders)]
        keys.sort()
        for key in keys:
            if key.endswith("/"):
                yield from self._below(f"{text}/{key[:-1]}")
            else:
                yield _entry(files, f"{text}/{key}", key, files[key])


def finish(steps: Deltas | Steps) -> list[FileDelta]:
    """Runs a scan to its end at once and answers what changed."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value or []


def _most(lost: int, tracked: int) -> bool:
    return lost >= HALT_FILES and lost * 2 > tracked


def _entry(files: Mapping[str, bytes], text: str, name: str, record: bytes) -> IndexEntry:
    size, mtime_ns, _, _ = index_record.stat_of(record)
    guid: bytes | None = None
    if not name.endswith(".meta"):
        meta = files.get(f"{name}.meta")
        guid = index_record.guid_of_record(meta) if meta is not None else None
    sha256 = index_record.sha256_of_record(record)
    return IndexEntry(ProjectPath(text), size, mtime_ns, sha256, guid.hex() if guid is not None else None)


def _guid_key(guid: str) -> bytes | None:
    try:
        key = bytes.fromhex(guid)
    except ValueError:
        return None
    return key if len(key) == 16 else None
