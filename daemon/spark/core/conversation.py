"""What a model is told and what it answers, in one form for every backend.

A conversation is an append-only list of items that SPARK owns. A backend gets the whole list with each request and
decides itself what its peer already knows; so a lost connection or a restarted daemon never loses the conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Reasoning = Literal["creative", "deterministic"]
ToolChoice = Literal["auto", "none", "required"]


@dataclass(frozen=True, slots=True)
class UserMessage:
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A completed call. `arguments` is the JSON text exactly as the model sent it."""

    item_id: str
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class FunctionOutput:
    """The answer to a call; `output` is JSON text. Every call gets exactly one."""

    item_id: str
    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class SystemNote:
    """Something SPARK tells the model between the lines (an interruption, a summary of what fell out)."""

    item_id: str
    text: str


Item = UserMessage | AssistantMessage | FunctionCall | FunctionOutput | SystemNote


@dataclass(frozen=True, slots=True)
class ToolSchema:
    """A function as every backend describes it; `parameters` is a JSON schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """One response asked of a model. `items` is the whole conversation that it shall know, oldest first.

    `json_schema`: where set, the answer must be one JSON document of this schema and no tools are offered (used for
    code generation); backends that cannot enforce it ask for it in words, the caller validates.
    """

    conversation_id: str
    instructions: str
    items: tuple[Item, ...]
    tools: tuple[ToolSchema, ...] = ()
    reasoning: Reasoning = "deterministic"
    tool_choice: ToolChoice = "auto"
    model: str | None = None
    json_schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TokenUsage:
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: TokenUsage) -> TokenUsage:
        return TokenUsage(
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class TextReceived:
    """A piece of the answer's text, in order."""

    text: str


@dataclass(frozen=True, slots=True)
class CallReceived:
    """A function call whose arguments are complete. Sent once per call, before `ResponseEnded`."""

    call: FunctionCall


@dataclass(frozen=True, slots=True)
class ResponseEnded:
    """The last event of a response. `usage` is counted for every status; `error` explains failed and incomplete."""

    status: Literal["completed", "cancelled", "failed", "incomplete"]
    usage: TokenUsage = field(default_factory=TokenUsage)
    error_code: str = ""
    error_message: str = ""


ModelEvent = TextReceived | CallReceived | ResponseEnded
