"""A journal that cannot be written (a full disk) must not end turns or the daemon: what can be made up for is noted and goes on.

What promises something before it happens (a turn that opens, a call that begins, an idempotency key) still raises: the
call is then refused and nothing was done. What only writes down what happened is logged, and status says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from spark.core.conversation import Item, TokenUsage
from spark.core.errors import SparkError
from spark.core.records import Journal, TurnRow

log = logging.getLogger("spark.journal")


class ForgivingJournal:
    """`core.records.Journal` around another. `problem` is empty while everything could be written."""

    def __init__(self, inner: Journal) -> None:
        self._inner = inner
        self.problem = ""
        self.interrupted_turns = inner.interrupted_turns
        self.turn = inner.turn
        self.turns = inner.turns
        self.spent_usd = inner.spent_usd
        self.call = inner.call
        self.turn_calls = inner.turn_calls
        self.items = inner.items
        self.reads = inner.reads
        self.state = inner.state

    def open_turn(self, turn: TurnRow) -> None:
        with self._reported():
            self._inner.open_turn(turn)

    def begin_call(self, call_id: str, turn_id: str, name: str, arguments: str) -> None:
        with self._reported():
            self._inner.begin_call(call_id, turn_id, name, arguments)

    def claim_key(self, key: str, fingerprint: str, call_id: str, forget_before: str) -> tuple[str, str]:
        with self._reported():
            return self._inner.claim_key(key, fingerprint, call_id, forget_before)

    def usage(self, by: str, *, limit: int = 400) -> list[dict[str, Any]]:
        return self._inner.usage(by, limit=limit)

    def close_turn(
        self, turn_id: str, status: str, usage: TokenUsage, cost_usd: float | None, detail: Mapping[str, Any]
    ) -> None:
        with self._noted("the end of a turn"):
            self._inner.close_turn(turn_id, status, usage, cost_usd, detail)

    def count_usage(self, turn_id: str, usage: TokenUsage, cost_usd: float | None, model: str) -> None:
        with self._noted("tokens"):
            self._inner.count_usage(turn_id, usage, cost_usd, model)

    def answer_call(self, call_id: str, status: int, answer: str) -> None:
        with self._noted("a call's answer"):
            self._inner.answer_call(call_id, status, answer)

    def append_items(self, conversation_id: str, items: Sequence[Item]) -> None:
        with self._noted("the conversation"):
            self._inner.append_items(conversation_id, items)

    def note_read(self, conversation_id: str, path: str, sha256: str) -> None:
        with self._noted("a read"):
            self._inner.note_read(conversation_id, path, sha256)

    def put_state(self, key: str, value: Any) -> None:
        with self._noted("the session"):
            self._inner.put_state(key, value)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """For what must be written before anything happens: the refusal goes on, and status knows why."""
        try:
            yield
        except SparkError as error:
            self.problem = f"nothing new can be begun: {error.message}"
            raise
        self.problem = ""

    @contextmanager
    def _noted(self, what: str) -> Iterator[None]:
        try:
            yield
        except SparkError as error:
            self.problem = f"{what} could not be written down: {error.message}"
            log.error("%s", self.problem)
        else:
            self.problem = ""
