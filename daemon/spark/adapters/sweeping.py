"""The last look at old bytes: they stay staged for two seconds after a landing, and as long as a program has them open for
writing, because an editor that held the file open may still write into them. Then they are hashed again, kept if they
changed, and dropped."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from spark.adapters.ledger import Ledger
from spark.adapters.staging import Stage
from spark.adapters.version_store import SqliteVersionStore
from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.ports import Clock
from spark.core.versions import Provenance

KEPT_STAGED_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Due:
    at_s: float
    op_id: str
    staged: str
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
        self._foreign: list[str] = []

    def later(self, op_id: str, path: ProjectPath, expected: Collection[str | None], staged: str = "") -> None:
        """`expected`: hashes of bytes that the history has anyway. `staged`: the name in the stage, if not the usual one."""
        at_s = self._clock.monotonic() + KEPT_STAGED_S
        self._due.append(_Due(at_s, op_id, staged or f"{op_id}.new", path, frozenset(expected)))

    def foreign(self) -> list[str]:
        """A sentence for each thing in the stage that is no file: somebody put it in a target's place in the very moment."""
        return [self._stage.foreign(name) for name in self._foreign]

    def sweep_late(self, user: Provenance) -> None:
        """At a landing: only where nobody ticks, and then all that is due in one go, so that landings stay quick."""
        if self._due and self._clock.monotonic() - self._due[0].at_s >= KEPT_STAGED_S:
            self.sweep(user)

    def sweep(self, user: Provenance) -> None:
        """Raises the first `SparkError` (a history that cannot be written) when all that is due was looked at."""
        now_s = self._clock.monotonic()
        done: list[str] = []
        refusal: SparkError | None = None
        while self._due and self._due[0].at_s <= now_s:
            due = self._due.popleft()
            try:
                dropped = self._drop(due, user)
            except OSError:
                # A disk that is gone (the project was deleted, a stick pulled out) is the landing's to report.
                dropped = False
            except SparkError as error:
                dropped, refusal = False, refusal or error
            if dropped:
                done.append(due.op_id)
            else:
                self._due.append(replace(due, at_s=now_s + KEPT_STAGED_S))
        if done:
            self._ledger.forget(done)
        if refusal is not None:
            raise refusal

    def _drop(self, due: _Due, user: Provenance) -> bool:
        """Whether it is done with."""
        # Asked first: who writes no more has written all that is read now.
        if self._stage.has_writer(due.staged):
            return False
        found = self._stage.look(due.staged)
        if found.foreign:
            self._foreign.append(due.staged)
        if found.content is not None:
            if found.sha256 not in due.expected:
                self._store.rescue(found.content, due.path.text, user)
            self._stage.discard(due.staged)
        return True
