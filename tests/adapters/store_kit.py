"""A project, a history and a landing in a scratch folder, for the tests of the store."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

from spark.adapters.database import Database
from spark.adapters.exchange import Exchange
from spark.adapters.landing import FileLanding
from spark.adapters.project_files import FencedFiles
from spark.adapters.version_store import SqliteVersionStore
from spark.core.changes import ChangeSet, FileChange, sha256_of
from spark.core.paths import ProjectPath
from spark.core.ports import Landed
from spark.core.versions import Author, Provenance, Version

USER = "somebody"


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
        self.seconds = 100.0

    def now(self) -> str:
        return self.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.at.microsecond // 1000:03d}Z"

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.at += datetime.timedelta(seconds=seconds)
        self.seconds += seconds


class Crash(BaseException):
    """A killed process: no handler of the landing may see it as an error it can answer."""


class Checkout:
    """`restart` drops every object and opens them again on the same folders, as a new daemon does."""

    def __init__(
        self, folder: Path, *, exchange: Exchange | None = None, max_total_bytes: int = 1 << 40, syncs: bool = False
    ) -> None:
        self.root = folder / "project"
        self.data = folder / "data" / "store.db"
        (self.root / "Assets").mkdir(parents=True, exist_ok=True)
        (self.root / "ProjectSettings").mkdir(exist_ok=True)
        self.clock = FakeClock()
        self.exchange = exchange
        self.max_total_bytes = max_total_bytes
        self.syncs = syncs
        self.hook: Callable[[str], None] = lambda _point: None
        self._open()

    def _open(self) -> None:
        self.db = Database(self.data)
        self.store = SqliteVersionStore(
            self.db, self.clock, max_total_bytes=self.max_total_bytes, syncs=self.syncs, max_file_bytes=1000
        )
        self.files = FencedFiles(self.root)
        self.landing = FileLanding(
            self.files,
            self.store,
            self.clock,
            exchange=self.exchange,
            user=USER,
            checkpoint=lambda point: self.hook(point),
        )

    def crash(self) -> None:
        """What a killed process leaves: open descriptors go, nothing is tidied."""
        self.db.close()
        self.landing._stage.close()

    def restart(self) -> None:
        self.crash()
        self.hook = lambda _point: None
        self._open()
        self.report = self.landing.recover()

    def close(self) -> None:
        self.landing.close()
        self.db.close()

    # -- the disk ----------------------------------------------------------------------------------------------

    def save(self, path: str, content: bytes) -> None:
        """As most editors do: a new file renamed over the old one."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".user~")
        part.write_bytes(content)
        part.replace(target)

    def on_disk(self, path: str) -> bytes | None:
        target = self.root / path
        return target.read_bytes() if target.exists() else None

    def tree(self) -> dict[str, bytes]:
        """Every file of the project but SPARK's own."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and ".spark" not in path.parts
        }

    def staged(self) -> list[str]:
        stage = self.root / ".spark" / "stage"
        return sorted(path.name for path in stage.iterdir()) if stage.exists() else []

    # -- landing -----------------------------------------------------------------------------------------------

    def change(self, path: str, content: bytes | None, *, base: bytes | None = None) -> FileChange:
        """From the present bytes, unless `base` says from which."""
        before = self.on_disk(path) if base is None else base
        return FileChange(ProjectPath(path), None if before is None else sha256_of(before), content)

    def land(self, *changes: FileChange, merge: bool = True, turn_id: str = "t_1", call_id: str = "c_1") -> Landed:
        by = Provenance(Author("model", "test-model"), turn_id, call_id)
        return self.landing.land(ChangeSet(changes, merge=merge), by)

    def write(self, path: str, content: bytes | None, **options: str) -> Landed:
        return self.land(self.change(path, content), **options)  # type: ignore[arg-type]

    # -- the history -------------------------------------------------------------------------------------------

    def versions(self, path: str | None = None) -> list[Version]:
        """Oldest first."""
        return list(reversed(self.store.history(path=path, limit=1000).versions))

    def contents(self, path: str | None = None) -> list[bytes | None]:
        return [None if v.sha256 is None else self.store.content(v.sha256) for v in self.versions(path)]

    def before(self, version: Version) -> bytes | None:
        """What the version replaced, as undo finds it."""
        parent = None if version.parent_id is None else self.store.version(version.parent_id)
        return None if parent is None or parent.sha256 is None else self.store.content(parent.sha256)
