"""What a live Realtime session knows of the conversation, and what it must be told so that it knows all of it. Pure.

The conversation is SPARK's (a list of items); the server keeps a copy that only grows at its end, by what we create and by
what its responses add. As long as the list is an extension of that copy, only the difference is sent; else the caller opens
a fresh session. Also keeps the copy whole: no call without an output, no output without a call.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from spark.adapters.models.realtime_wire import item_to_wire, short_id
from spark.core.conversation import AssistantMessage, FunctionCall, FunctionOutput, Item

INTERRUPTED_OUTPUT: Final = json.dumps(
    {
        "success": False,
        "error": {
            "code": "cancelled",
            "message": "interrupted: this call was never answered and may not have run",
            "hint": "Look at the files before you try it again.",
            "details": {},
        },
    }
)


@dataclass(slots=True)
class Tail:
    """What the last response added to the server's copy, by the server's own ids; `calls` maps call id to item id.

    `extra`: items that nobody will name again, such as a repeated or an unfinished call.
    """

    text: str = ""
    text_ids: list[str] = field(default_factory=list)
    calls: dict[str, str] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """`deletes`: the server's items to delete; `creates`: items to create, in order; the rest is the copy afterwards."""

    deletes: tuple[str, ...]
    creates: tuple[dict[str, Any], ...]
    known: tuple[str, ...]
    calls: dict[str, str]
    interrupted: frozenset[str]


class SessionMemory:
    """The copy of one live session. `plan` changes nothing; `commit` once the plan was sent."""

    def __init__(self) -> None:
        self._known: tuple[str, ...] = ()
        self._calls: dict[str, str] = {}
        """Our call ids to the server's: ids that the server would refuse are shortened when a conversation is seeded."""
        self._interrupted: frozenset[str] = frozenset()
        self._tail = Tail()

    def commit(self, plan: Plan) -> None:
        self._known, self._calls, self._interrupted = plan.known, plan.calls, plan.interrupted
        self._tail = Tail()

    def response_added(self, tail: Tail) -> None:
        """Remembers what a response left in the server's copy."""
        self._tail = tail

    def plan(self, items: Sequence[Item]) -> Plan | None:
        """How to make the server's copy equal to `items`; None where only a fresh session can."""
        return _Planner(self._known, self._calls, self._interrupted, self._tail).plan(items)


class _Planner:
    def __init__(self, known: tuple[str, ...], calls: dict[str, str], interrupted: frozenset[str], tail: Tail) -> None:
        self._old = known
        self._calls = dict(calls)
        self._interrupted = set(interrupted)
        self._tail_calls = dict(tail.calls)
        self._tail_text = tail.text.strip()
        self._tail_text_ids = list(tail.text_ids)
        self._extra = list(tail.extra)
        self._creates: list[dict[str, Any]] = []

    def plan(self, items: Sequence[Item]) -> Plan | None:
        known: dict[str, None] = {}
        new: list[Item] = []
        only_answers_so_far = True
        old = iter(self._old)
        matched = 0
        for item in items:
            if item.item_id in known:
                continue
            known[item.item_id] = None
            if matched < len(self._old):
                # What the server was told must still be there, in the same order, with nothing in between.
                if item.item_id != next(old):
                    return None
                matched += 1
            elif self._adopt(item):
                if not only_answers_so_far:
                    return None
            else:
                new.append(item)
                only_answers_so_far = only_answers_so_far and isinstance(item, FunctionOutput | AssistantMessage)
        if matched < len(self._old):
            return None
        if not self._render(items, new):
            return None
        deletes = (*self._extra, *self._tail_text_ids, *self._tail_calls.values())
        return Plan(deletes, tuple(self._creates), tuple(known), self._calls, frozenset(self._interrupted))

    def _adopt(self, item: Item) -> bool:
        """Whether the last response already put this item into the server's copy."""
        if isinstance(item, FunctionCall) and item.call_id in self._tail_calls:
            del self._tail_calls[item.call_id]
            self._calls[item.call_id] = item.call_id
            return True
        if isinstance(item, AssistantMessage) and self._tail_text_ids and item.text.strip() == self._tail_text:
            self._tail_text_ids = []
            return True
        return False

    def _render(self, items: Sequence[Item], new: Sequence[Item]) -> bool:
        answered = {item.call_id for item in items if isinstance(item, FunctionOutput)}
        fresh_calls = {item.call_id for item in new if isinstance(item, FunctionCall)} - self._calls.keys()
        sent_outputs: set[str] = set()
        open_calls: list[str] = []
        # A call of the live session that stays unanswered is closed before anything else is said.
        for call_id in [c for c in self._calls if c not in answered and c not in self._interrupted]:
            self._close(call_id)
        for item in new:
            if isinstance(item, FunctionCall):
                if item.call_id in fresh_calls:
                    fresh_calls.discard(item.call_id)
                    self._calls[item.call_id] = short_id(item.call_id, "call")
                    self._create(item, self._calls[item.call_id])
                    open_calls.append(item.call_id)
                    if item.call_id not in answered:
                        self._close(item.call_id)
            elif isinstance(item, FunctionOutput):
                if item.call_id in self._interrupted:
                    return False  # the server holds another answer to this call
                if item.call_id in self._calls and item.call_id not in sent_outputs:
                    sent_outputs.add(item.call_id)
                    self._create(item, self._calls[item.call_id])
            else:
                self._create(item)
        for call_id in open_calls:  # their only outputs stood before them
            if call_id not in sent_outputs and call_id not in self._interrupted:
                self._close(call_id)
        return True

    def _close(self, call_id: str) -> None:
        self._interrupted.add(call_id)
        self._create(FunctionOutput(f"interrupted {call_id}", call_id, INTERRUPTED_OUTPUT), self._calls[call_id])

    def _create(self, item: Item, call_id: str = "") -> None:
        wire = item_to_wire(item, call_id)
        if wire is not None:
            self._creates.append(wire)
