"""The Realtime wire (GA): what is sent as mappings, what arrives as frozen frames. Pure; knows no socket.

Nothing that a server leaves out, adds or misspells may raise here: an unknown frame is `Other`, a missing field is empty.
All text of a frame can be encoded, but for a delta's: half of a pair may stand at its end.
Source of the shapes: OpenAI's Realtime reference and recorded frames.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from spark.adapters.models.received import (
    ID_CHARS,
    MESSAGE_CHARS,
    clean,
    clean_arguments,
    clean_name,
    size_of,
)
from spark.core.conversation import (
    AssistantMessage,
    FunctionCall,
    FunctionOutput,
    Item,
    ResponseRequest,
    SystemNote,
    TokenUsage,
    UserMessage,
)
from spark.core.reasoning import BackendName, settings_for, with_sentence
from spark.core.tool import realtime_schema

MAX_ID_CHARS: Final = 32
"""Longer ids of items and calls are refused by the server."""
_PLAIN_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_ID_CHARS}}}")
# gpt-realtime-2, -2.1, -2.1-mini, -3 … take an effort; gpt-realtime, -1.5 and dated names (-2025-08-28) do not.
_REASONS = re.compile(r"gpt-realtime-[2-9](\.\d+)?(-[a-z]+)?(-20\d\d-\d\d-\d\d)?")
_WAIT_IN_MESSAGE = re.compile(r"try again in (\d+(?:\.\d+)?)\s*(ms|s|m)\b", re.IGNORECASE)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}


def short_id(text: str, prefix: str) -> str:
    """The id itself where the server takes it, else a stable one made from it."""
    if _PLAIN_ID.fullmatch(text):
        return text
    return f"{prefix}_" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:26]


# -- what is sent


def session_config(
    request: ResponseRequest, *, backend: BackendName, model: str, effort: bool = True
) -> dict[str, Any]:
    """The `session` of a `session.update` for this request. `effort` false: the server refused a reasoning effort."""
    instructions = with_sentence(request.instructions, backend, request.reasoning)
    tools = [realtime_schema(tool) for tool in request.tools]
    if request.json_schema is not None:
        # Realtime sessions cannot be held to a schema; the caller validates what comes.
        schema = json.dumps(request.json_schema, separators=(",", ":"))
        instructions += f"\n\nAnswer with exactly one JSON document of this JSON schema and nothing else:\n{schema}"
        tools = []
    config: dict[str, Any] = {
        "type": "realtime",
        "output_modalities": ["text"],
        "instructions": instructions,
        "tools": tools,
        "tool_choice": request.tool_choice if tools else "none",
        "audio": {"input": {"turn_detection": None}},
    }
    chosen = settings_for(backend, request.reasoning).effort
    if effort and chosen is not None and _REASONS.fullmatch(model):
        config["reasoning"] = {"effort": chosen}
    return config


def item_to_wire(item: Item, call_id: str = "") -> dict[str, Any] | None:
    """The `item` of a `conversation.item.create`; None for a text without text, which the server refuses."""
    wire_id = short_id(item.item_id, "item")
    match item:
        case UserMessage(text=text):
            return _message(wire_id, "user", "input_text", text)
        case SystemNote(text=text):
            return _message(wire_id, "system", "input_text", text)
        case AssistantMessage(text=text):
            return _message(wire_id, "assistant", "output_text", text)
        case FunctionCall(name=name, arguments=arguments):
            return {"id": wire_id, "type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
        case FunctionOutput(output=output):
            return {"id": wire_id, "type": "function_call_output", "call_id": call_id, "output": output}


def _message(wire_id: str, role: str, kind: str, text: str) -> dict[str, Any] | None:
    if not text.strip():
        return None
    return {"id": wire_id, "type": "message", "role": role, "content": [{"type": kind, "text": text}]}


# -- what arrives


@dataclass(frozen=True, slots=True)
class WireError:
    """An error as the wire words it. `event_id`: the client event that it answers, where it says so."""

    type: str = ""
    code: str = ""
    message: str = ""
    param: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """`expires_at`: seconds since 1970, None where the server does not say."""

    expires_at: float | None


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    pass


@dataclass(frozen=True, slots=True)
class ErrorReceived:
    error: WireError


@dataclass(frozen=True, slots=True)
class RateLimits:
    """`exhausted_s`: when the bucket that is empty now fills again; None where none is empty."""

    exhausted_s: float | None


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    response_id: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    response_id: str
    item_id: str
    part: int
    text: str


@dataclass(frozen=True, slots=True)
class TextDone:
    """The whole text of a part, for servers that send no deltas."""

    response_id: str
    item_id: str
    part: int
    text: str


@dataclass(frozen=True, slots=True)
class ArgumentsDelta:
    """`size` bytes of a call's arguments; the finished item brings them whole."""

    response_id: str
    item_id: str
    size: int


@dataclass(frozen=True, slots=True)
class OutputItem:
    """An output item began (`done` false) or is over."""

    response_id: str
    done: bool
    item_id: str
    kind: str
    status: str
    name: str = ""
    call_id: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class ResponseDone:
    response_id: str
    status: str
    reason: str
    error: WireError
    usage: TokenUsage


@dataclass(frozen=True, slots=True)
class Other:
    """Any other frame; with a `response_id` it is a sign of life of that response."""

    type: str = ""
    response_id: str = ""


Frame = (
    SessionCreated
    | SessionUpdated
    | ErrorReceived
    | RateLimits
    | ResponseCreated
    | TextDelta
    | TextDone
    | ArgumentsDelta
    | OutputItem
    | ResponseDone
    | Other
)


@dataclass(frozen=True, slots=True)
class _Fields:
    """Reads a mapping that may hold anything."""

    raw: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str, max_chars: int = ID_CHARS) -> str:
        """Short text, such as an id, cut off at its limit."""
        return clean(self.whole(name)[:max_chars])

    def whole(self, name: str) -> str:
        """The text as it came."""
        value = self.raw.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        value = self.raw.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if abs(value) < 1e15 else None  # nor NaN or Infinity, which JSON parsers let through

    def count(self, name: str) -> int:
        number = self.number(name)
        return int(number) if number is not None and 0 <= number < 1e15 else 0

    def inner(self, name: str) -> _Fields:
        value = self.raw.get(name)
        return _Fields(value) if isinstance(value, Mapping) else _Fields()


def parse_frame(raw: bytes) -> Frame:
    """One message of the server. Never raises."""
    frame = _loaded(raw)
    kind, response_id = frame.text("type"), frame.text("response_id")
    match kind:
        case "session.created":
            return SessionCreated(frame.inner("session").number("expires_at"))
        case "session.updated":
            return SessionUpdated()
        case "error":
            return ErrorReceived(_error(frame.inner("error")))
        case "rate_limits.updated":
            return RateLimits(_exhausted_s(frame.raw.get("rate_limits")))
        case "response.created":
            return ResponseCreated(frame.inner("response").text("id"))
        case "response.output_text.delta":
            return TextDelta(response_id, frame.text("item_id"), frame.count("content_index"), frame.whole("delta"))
        case "response.function_call_arguments.delta":
            return ArgumentsDelta(response_id, frame.text("item_id"), size_of(frame.whole("delta")))
        case "response.output_text.done":
            return TextDone(
                response_id, frame.text("item_id"), frame.count("content_index"), clean(frame.whole("text"))
            )
        case "response.output_item.added" | "response.output_item.done":
            return _output_item(response_id, kind.endswith(".done"), frame.inner("item"))
        case "response.done":
            return _response_done(frame.inner("response"))
    return Other(kind, response_id or frame.inner("response").text("id"))


def parse_error_body(body: bytes) -> WireError:
    """The `{"error": {…}}` of an HTTP answer. Never raises."""
    loaded = _loaded(body)
    return _error(loaded.inner("error"))


def _loaded(raw: bytes) -> _Fields:
    try:
        loaded = json.loads(raw)
    except (ValueError, RecursionError):
        return _Fields()
    return _Fields(loaded) if isinstance(loaded, dict) else _Fields()


def _output_item(response_id: str, done: bool, item: _Fields) -> OutputItem:
    return OutputItem(
        response_id,
        done,
        item.text("id"),
        item.text("type"),
        item.text("status"),
        clean_name(item.whole("name")),
        item.text("call_id"),
        clean_arguments(item.whole("arguments")),
    )


def _response_done(response: _Fields) -> ResponseDone:
    details, usage = response.inner("status_details"), response.inner("usage")
    return ResponseDone(
        response.text("id"),
        response.text("status"),
        details.text("reason") or details.text("type"),
        _error(details.inner("error")),
        TokenUsage(
            usage.count("input_tokens"),
            usage.inner("input_token_details").count("cached_tokens"),
            usage.count("output_tokens"),
        ),
    )


def _error(error: _Fields) -> WireError:
    return WireError(
        error.text("type"),
        error.text("code"),
        error.text("message", MESSAGE_CHARS),
        error.text("param"),
        error.text("event_id"),
    )


def _exhausted_s(limits: object) -> float | None:
    if not isinstance(limits, list):
        return None
    waits = [
        wait
        for limit in map(_Fields, (entry for entry in limits if isinstance(entry, Mapping)))
        if limit.number("remaining") == 0 and (wait := limit.number("reset_seconds")) is not None
    ]
    return max(waits, default=None)


def wait_in_message(message: str) -> float | None:
    """Seconds of "Please try again in 1.2s", the only place where some errors say it."""
    found = _WAIT_IN_MESSAGE.search(message)
    return float(found[1]) * _SECONDS[found[2].lower()] if found else None
