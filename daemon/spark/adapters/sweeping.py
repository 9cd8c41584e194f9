"""The last look at old bytes: they stay staged for two seconds after a landing, because an editor that held the file open
may still be writing into them. Then they are hashed again, kept if they changed, and dropped."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from spark.adapters.ledger import Ledger
from spark.adapters.staging import Stage
from spark.adapters.version_store import SqliteVersionStore
from spark.core.paths import ProjectPath
from spark.core.ports import Clock
from spark.core.versions import Provenance

KEPT_STAGED_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Due:
    at_s: float
    op_id: str
    path: ProjectPath
    expected: frozenset[str | None]


class Sweeper:
    """Without a thread of its own: whoever lands or ticks calls `sweep`."""

    def __init__(self, stage: Stage, ledger: Ledger, store: SqliteVersionStore, clock: Clock) -> None:
        self._stage = stage
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._due: deque[_Due] = deque()

    def later(self, op_id: str, path: ProjectPath, expected: Collection[str | None]) -> None:
        """`expected`: hashes of bytes that the history has anyway."""
        self._due.append(_Due(self._clock.monotonic() + KEPT_STAGED_S, op_id, path, frozenset(expected)))

    def sweep_late(self, user: Provenance) -> None:
        """At a landing: only where nobody ticks, and then all that is due in one go, so that landings stay quick."""
        if self._due and self._clock.monotonic() - self._due[0].at_s >= KEPT_STAGED_S:
            self.sweep(user)

    def sweep(self, user: Provenance, *, everything: bool = False) -> None:
        now_s = self._clock.monotonic()
        done: list[str] = []
        # A disk that is gone (the project was deleted, a stick pulled out) is the landing's to report, not the sweep's.
        with contextlib.suppress(OSError):
            while self._due and (everything or self._due[0].at_s <= now_s):
                due = self._due[0]
                self._drop(due, user)
                self._due.popleft()
                done.append(due.op_id)
        if done:
            self._ledger.forget(done)

    def _drop(self, due: _Due, user: Provenance) -> None:
        staged = f"{due.op_id}.new"
        found = self._stage.look(staged)
        if found.content is not None:
            if found.sha256 not in due.expected:
                self._store.rescue(found.content, due.path.text, user)
            self._stage.discard(staged)
