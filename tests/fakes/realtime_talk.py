"""A conversation held over a `ModelLink` as the relay holds one, with a clock that only moves when told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from spark.adapters.models.openai_realtime import OpenAiRealtime
from spark.adapters.models.realtime_connection import RealtimeLimits
from spark.core.conversation import (
    AssistantMessage,
    CallReceived,
    FunctionCall,
    FunctionOutput,
    Item,
    ModelEvent,
    ResponseEnded,
    ResponseRequest,
    TextReceived,
    ToolSchema,
    UserMessage,
)
from spark.core.ports import ModelLink
from tests.fakes.realtime_server import ScriptedRealtimeServer

READ_FILE = ToolSchema(
    "readFile",
    "Reads a file.",
    {"type": "object", "properties": {"path": {"type": "string"}}, "additionalProperties": False},
)
QUICK = RealtimeLimits(connect_s=1.5, first_event_s=1.0, idle_s=1.0, cancel_s=10.0)
"""Short limits for the tests in which one of them is reached; each test reaches one only."""
PATIENT = RealtimeLimits(cancel_s=10.0)
"""For all others: a busy machine must not turn a cancelled response into a dropped socket."""


class SteadyClock:
    """Moves only by `advance`. Starts at a whole second of 2026."""

    def __init__(self, at: float = 1_780_000_000.0) -> None:
        self.at = at
        self.start = at

    def now(self) -> str:
        moment = datetime.fromtimestamp(self.at, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def monotonic(self) -> float:
        return self.at - self.start

    def advance(self, seconds: float) -> None:
        self.at += seconds


def open_link(server: ScriptedRealtimeServer, *, clock: SteadyClock | None = None, **changes: Any) -> OpenAiRealtime:
    """A link to the scripted server."""
    settings: dict[str, Any] = {
        "url": server.url,
        "model": "gpt-realtime-2.1",
        "api_key": "test-key",
        "key_source": "test",
        "host": server.host,
        "clock": clock or SteadyClock(),
        "limits": PATIENT,
    }
    return OpenAiRealtime(**{**settings, **changes})


@dataclass
class Talk:
    """A conversation: `items` is all of it; `ask` says something and takes the answer in."""

    link: ModelLink
    conversation_id: str = "conversation_1"
    request: ResponseRequest = field(
        default_factory=lambda: ResponseRequest("", "You are SPARK.", (), tools=(READ_FILE,))
    )
    items: list[Item] = field(default_factory=list)
    events: list[ModelEvent] = field(default_factory=list)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def next_request(self, **changes: Any) -> ResponseRequest:
        return replace(self.request, **{"conversation_id": self.conversation_id, "items": tuple(self.items), **changes})

    def say(self, text: str) -> UserMessage:
        message = UserMessage(self.new_id("user"), text)
        self.items.append(message)
        return message

    def answer(self, call: FunctionCall, output: str = '{"success":true}') -> None:
        self.items.append(FunctionOutput(self.new_id("output"), call.call_id, output))

    def new_id(self, kind: str) -> str:
        return f"{kind}_{next(self._ids):04d}"

    async def ask(self, text: str | None = None, **changes: Any) -> list[ModelEvent]:
        """One response, taken into the conversation; its events."""
        if text is not None:
            self.say(text)
        self.events = []
        async with aclosing(self.link.respond(self.next_request(**changes))) as events:
            async for event in events:
                self.events.append(event)
        self.take_in()
        return self.events

    def take_in(self) -> None:
        text = self.text
        if text:
            self.items.append(AssistantMessage(self.new_id("assistant"), text))
        self.items += self.calls

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextReceived))

    @property
    def calls(self) -> list[FunctionCall]:
        return [event.call for event in self.events if isinstance(event, CallReceived)]

    @property
    def end(self) -> ResponseEnded:
        """The one end, which comes last."""
        ends = [event for event in self.events if isinstance(event, ResponseEnded)]
        assert len(ends) == 1
        assert self.events[-1] is ends[0]
        return ends[0]


def types(bodies: list[dict[str, Any]]) -> list[str]:
    """Frame types, items with their kind, as in `user`, `function_call`, `response.create`."""
    names = []
    for body in bodies:
        item = body.get("item", {})
        names.append(item.get("role") or item.get("type") or body["type"])
    return names


async def only_this_task_left(*, timeout_s: float = 5.0) -> None:
    """Fails where another task than the running one stays alive."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        assert loop.time() < deadline, f"left behind: {others}"
        await asyncio.wait(others, timeout=0.05)


async def until(what: Callable[[], object], *, timeout_s: float = 10.0) -> None:
    """Waits until `what()` is true; fails after the time limit."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not what():
        assert loop.time() < deadline, "the state did not come"
        await asyncio.sleep(0.001)
