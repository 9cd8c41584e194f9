"""The way back of a landing that is refused, also where the history cannot be written just then; and since when it cannot.

The files come first: a full disk must not keep them from going back. Must not know why a landing was refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from spark.adapters.database import Database
from spark.adapters.exchange_steps import ExchangeSteps
from spark.adapters.landing_plan import Plan
from spark.adapters.ledger import Group, Ledger
from spark.adapters.project_files import FencedFiles
from spark.adapters.recovery import remove_folders, sync_folders
from spark.adapters.staging import Stage
from spark.adapters.version_store import SqliteVersionStore
from spark.core.errors import SparkError, ToolRejected, Unavailable
from spark.core.paths import ProjectPath
from spark.core.ports import Clock


class HistoryGuard:
    """Remembers since when the history refuses."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.problem = ""

    @contextlib.contextmanager
    def asked(self, *, wrote: bool = True) -> Iterator[None]:
        """Around a use of the history. `wrote`: leaving without an error means that it was written."""
        try:
            yield
        except Unavailable as error:
            if not self.problem:
                self.problem = f"the history could not be written since {self._clock.now()}: {error.message}"
            raise
        if wrote:
            self.problem = ""

    def look_again(self) -> None:
        """Where it refused: a row that comes and goes needs room in the history's journal as any other."""
        if not self.problem:
            return
        with contextlib.suppress(Unavailable), self.asked(), self._db.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO state VALUES('landing.probe', ?)", (self._clock.now(),))
            connection.execute("DELETE FROM state WHERE key = 'landing.probe'")


@dataclass(slots=True)
class RolledBack:
    """`changed`: files that the user has changed since; they are left so. `stuck`: files that could not be taken back.
    `closed`: whether the end is written; else the group stays open and is tried again."""

    changed: list[ProjectPath] = field(default_factory=list)
    stuck: list[ProjectPath] = field(default_factory=list)
    closed: bool = False


class Rollback:
    def __init__(
        self,
        files: FencedFiles,
        store: SqliteVersionStore,
        ledger: Ledger,
        stage: Stage,
        steps: ExchangeSteps,
        guard: HistoryGuard,
        checkpoint: Callable[[str], None],
    ) -> None:
        self._files = files
        self._store = store
        self._ledger = ledger
        self._stage = stage
        self._steps = steps
        self._guard = guard
        self._checkpoint = checkpoint

    def run(self, plan: Plan, group: Group) -> RolledBack:
        """Newest first, each compared by hash. Never raises for what the system or the history refuses."""
        result = RolledBack()
        noted = self._note(group)
        self._take_back(plan, group, result)
        with contextlib.suppress(OSError, SparkError):
            remove_folders(self._files, group.new_folders)
            sync_folders(self._files, group.ops)
        result.closed = not result.stuck and self._close(group, noted=noted)
        if not result.closed:
            self._mark_stage(group)
        return result

    def _note(self, group: Group) -> bool:
        """Whether a start would know that this group goes back."""
        self._ledger.going_back.add(group.group_id)
        if group.state != "staged":
            return True
        try:
            with self._guard.asked():
                self._ledger.mark(group, "back")
        except Unavailable:
            return self._mark_stage(group)
        self._checkpoint("going back")
        return True

    def _take_back(self, plan: Plan, group: Group, result: RolledBack) -> None:
        before = {planned.op.pre: planned.before for planned in plan.files}

        def content_of(sha256: str) -> bytes | None:
            known = before.get(sha256)
            return self._store.content(sha256) if known is None else known

        for op in reversed(group.ops):
            try:
                if self._steps.take_back(op, content_of) == "changed":
                    result.changed.append(op.path)
            except (OSError, SparkError) as error:
                if op.moved or not isinstance(error, ToolRejected):
                    result.stuck.append(op.path)
                    continue
                # It never went in, and a link or something in the stage's place is in the way now.
            self._ledger.taken_back.add(op.op_id)

    def _close(self, group: Group, *, noted: bool) -> bool:
        """Whether the end could be written. Where not even the way back could be noted, the staged bytes go: without them
        the next start has nothing to carry out."""
        try:
            with self._guard.asked():
                self._ledger.finish(group, (), durable=True)
        except Unavailable:
            if not noted:
                with contextlib.suppress(OSError, SparkError):
                    for op in group.ops:
                        if op.post is not None and self._stage.look(op.staged).sha256 == op.post:
                            self._stage.discard(op.staged)
            return False
        with contextlib.suppress(OSError, SparkError):
            self._stage.discard(f"{group.group_id}.back")
        return True

    def _mark_stage(self, group: Group) -> bool:
        with contextlib.suppress(OSError, SparkError):
            self._stage.mark_back(group.group_id)
            return True
        return False
