"""Puts function calls together from the deltas of a chat stream, however a server cuts and numbers them. Pure.

Known deviations: every parallel call has index 0; a call comes whole in one chunk; ids are missing, new in each chunk,
or the same in every answer;
the name stands in the first chunk only, or in all; arguments are an object instead of text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spark.adapters.models.received import (
    Allowance,
    arguments_allowance,
    calls_allowance,
    clean_arguments,
    clean_name,
    size_of,
)
from spark.core.conversation import FunctionCall
from spark.core.ids import new_id


@dataclass(frozen=True, slots=True)
class CallDelta:
    """One piece of a call as it came; empty and None: not in this piece."""

    index: int | None
    call_id: str
    name: str
    arguments: str | Mapping[str, Any] | None


@dataclass(slots=True)
class _Open:
    index: int | None
    call_id: str
    name: str
    pieces: list[str] = field(default_factory=list)
    allowance: Allowance = field(default_factory=arguments_allowance)

    @property
    def arguments(self) -> str:
        """Joins the pieces: not for every delta of a long call."""
        return "".join(self.pieces)

    @property
    def is_complete(self) -> bool:
        return is_json_object(self.arguments)

    def take(self, arguments: str) -> None:
        self.allowance.spend(size_of(arguments))
        self.pieces.append(arguments)


def is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):  # nested deeper than anybody reads
        return False


def json_text(arguments: Mapping[str, Any]) -> str:
    """Arguments that came as an object; what is nested too deeply to be written becomes text that is no JSON."""
    try:
        return json.dumps(dict(arguments))
    except RecursionError:
        return "{"


class CallAccumulator:
    """Takes deltas in order; `finish` gives the calls in the order in which they began. `add` raises `AnswerTooLarge`."""

    def __init__(self) -> None:
        self._allowance = calls_allowance()
        self._calls: list[_Open] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, delta: CallDelta) -> None:
        call = self._continued(delta)
        if call is None:
            self._allowance.spend(1)
            call = _Open(delta.index, delta.call_id, delta.name)
            self._calls.append(call)
        else:
            call.call_id = call.call_id or delta.call_id
            call.name = call.name or delta.name
        if isinstance(delta.arguments, Mapping):
            call.pieces = []
            call.take(json_text(delta.arguments))
        elif delta.arguments:
            call.take(delta.arguments)

    def _continued(self, delta: CallDelta) -> _Open | None:
        """The call that a delta continues; None where it begins a new one."""
        if delta.call_id:
            for call in self._calls:
                if call.call_id == delta.call_id:
                    return call
        current = self._current(delta.index)
        if current is None:
            return None
        if not current.name:
            return current
        if delta.call_id and current.call_id:
            # A new id begins a new call, unless the server makes up an id for each chunk: then no name comes with it.
            begins = bool(delta.name) or current.is_complete
        elif delta.name:
            begins = delta.name != current.name or current.is_complete
        else:
            begins = False
        return None if begins else current

    def _current(self, index: int | None) -> _Open | None:
        for call in reversed(self._calls):
            if index is None or call.index is None or call.index == index:
                return call
        return None

    def finish(self) -> list[FunctionCall]:
        """The calls that have a name, each with an id of our own: many servers number the calls of every answer anew."""
        return [new_call(call.name, plain_arguments(call.arguments)) for call in self._calls if call.name]


def new_call(name: str, arguments: str) -> FunctionCall:
    """A call as the conversation keeps it; its id never comes again."""
    return FunctionCall(new_id("item"), new_id("call"), clean_name(name), clean_arguments(arguments))


def plain_arguments(text: str) -> str:
    """Arguments as they should have come: `{}` for nothing, and an object that was encoded twice decoded once."""
    if not text.strip():
        return "{}"
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return loaded if isinstance(loaded, str) and is_json_object(loaded) else text
