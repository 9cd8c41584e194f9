"""Rows of the journal, and the port behind which it is kept: turns, calls, conversations, session state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from spark.core.conversation import Item, TokenUsage
from spark.core.versions import GitPlace


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn. `kind`: model, external or direct. `status`: running, done, cancelled, failed, compileErrors."""

    turn_id: str
    kind: str
    text: str
    status: str
    conversation_id: str | None
    mode: str
    reasoning: str
    model: str
    host: str
    key_source: str
    git: GitPlace
    usage: TokenUsage
    cost_usd: float | None
    detail: Mapping[str, Any]
    started_at: str
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call. `state`: started or answered; `answer` is the JSON body that its caller got."""

    call_id: str
    turn_id: str
    name: str
    arguments: str
    state: str
    status: int | None
    answer: str | None


class Journal(Protocol):
    """Durable: when a method returns, a crash loses nothing of it."""

    def open_turn(self, turn: TurnRow) -> None: ...

    def close_turn(
        self, turn_id: str, status: str, usage: TokenUsage, cost_usd: float | None, detail: Mapping[str, Any]
    ) -> None: ...

    def count_usage(self, turn_id: str, usage: TokenUsage, cost_usd: float | None, model: str) -> None: ...

    def interrupted_turns(self) -> list[TurnRow]: ...

    def turn(self, turn_id: str) -> TurnRow | None: ...

    def turns(self, *, limit: int, before: str | None = None) -> list[TurnRow]: ...

    def spent_usd(self, since: str) -> float: ...

    def usage(self, by: str, *, limit: int = 400) -> list[dict[str, Any]]: ...

    def begin_call(self, call_id: str, turn_id: str, name: str, arguments: str) -> None: ...

    def answer_call(self, call_id: str, status: int, answer: str) -> None: ...

    def call(self, call_id: str) -> CallRow | None: ...

    def turn_calls(self, turn_id: str) -> list[CallRow]: ...

    def claim_key(self, key: str, fingerprint: str, call_id: str, forget_before: str) -> tuple[str, str]: ...

    def append_items(self, conversation_id: str, items: Sequence[Item]) -> None: ...

    def items(self, conversation_id: str) -> list[Item]: ...

    def note_read(self, conversation_id: str, path: str, sha256: str) -> None: ...

    def reads(self, conversation_id: str, path: str) -> frozenset[str]: ...

    def state(self, key: str) -> Any: ...

    def put_state(self, key: str, value: Any) -> None: ...
