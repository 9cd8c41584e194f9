"""A model backend that follows a script: for the relay's tests, where the wire is not the question."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Literal

from spark.core.conversation import (
    CallReceived,
    FunctionCall,
    FunctionOutput,
    ModelEvent,
    ResponseEnded,
    ResponseRequest,
    TextReceived,
    TokenUsage,
)
from spark.core.errors import Unavailable
from spark.core.ports import GeneratedCode, ScriptOrder

Action = Callable[[], None]
Step = TextReceived | CallReceived | ResponseEnded | Unavailable | asyncio.Event | Action
DONE = ResponseEnded("completed", TokenUsage(100, 20, 10))


def call(name: str, arguments: dict[str, Any], call_id: str) -> CallReceived:
    return CallReceived(FunctionCall("wire_item", call_id, name, json.dumps(arguments)))


def say(text: str) -> TextReceived:
    return TextReceived(text)


class ScriptedModel:
    """Each inner list is one response: events are yielded, errors raised, an `asyncio.Event` is waited for, a function run."""

    backend: Literal["realtime", "chat", "offline"] = "realtime"
    model = "scripted-1"
    host = "model.test"
    key_source = "none needed"

    def __init__(self, *responses: Sequence[Step]) -> None:
        self.responses = list(responses)
        self.requests: list[ResponseRequest] = []
        self.cancelled = 0

    async def respond(self, request: ResponseRequest) -> AsyncGenerator[ModelEvent]:
        self.requests.append(request)
        steps = self.responses.pop(0) if self.responses else [say("I have nothing more to say."), DONE]
        try:
            for step in steps:
                if isinstance(step, Unavailable):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, TextReceived | CallReceived | ResponseEnded):
                    yield step
                    # Lets the turn act between two events, as a network would.
                    await asyncio.sleep(0)
                elif callable(step):
                    step()
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise

    async def close(self) -> None:
        return None

    def outputs(self) -> list[dict[str, Any]]:
        """All call outputs of the newest request, decoded."""
        return [json.loads(item.output) for item in self.requests[-1].items if isinstance(item, FunctionOutput)]


class NoCodeModel:
    """A code model that is away."""

    async def write_script(self, order: ScriptOrder) -> GeneratedCode:
        raise Unavailable("model_unavailable", "no model is connected", hint="spark key set openai")
