"""Raw bytes to checked messages and mappings to raw bytes: one parse, with limits on size, depth and numbers.

Must not know: sockets and what a message leads to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

import pydantic_core
from pydantic import BaseModel, TypeAdapter, ValidationError

from spark.core import limits
from spark.core.errors import ToolRejected, invalid_arguments
from spark.protocol.messages import CLIENT_MESSAGES, MAX_ID_CHARS, ClientMessage, EmptyBody

M = TypeVar("M", bound=BaseModel)

MAX_DEPTH: Final = 64
MAX_PROBLEMS: Final = 20

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_OPEN_ONLY = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# The parser takes NaN and 1e999; JSON has no such numbers. Cheap test first, exact test only where it hits.
_PERHAPS_NOT_FINITE = re.compile(rb"NaN|Infinity|[eE]\+?[0-9]{3}|[0-9]{300}")


def parse_body(model: type[M], raw: bytes) -> M:
    """One request body. Raises `ToolRejected` (`invalid_arguments`) naming every field, `too_large` over the frame limit."""
    if len(raw) > limits.FRAME_BYTES:
        raise too_large("the request's body")
    try:
        parsed = model.model_validate_json(raw)
    except ValidationError as error:
        raise _refusal(error, model, "body") from None
    _check_document(raw, "body")
    return parsed


def parse_client_message(raw: bytes) -> ClientMessage:
    """One text frame of the session socket. Raises as `parse_body`."""
    if len(raw) > limits.FRAME_BYTES:
        raise too_large("the message")
    try:
        parsed = _client_messages().validate_json(raw)
    except ValidationError as error:
        raise _refusal(error, None, "message") from None
    _check_document(raw, "message")
    return parsed


def message_id(raw: bytes) -> str | None:
    """The `id` of a frame that is no valid message, where it has a usable one: the refusal then goes to it."""
    try:
        loaded = pydantic_core.from_json(raw)
    except ValueError:
        return None
    found = loaded.get("id") if isinstance(loaded, dict) else None
    return found if isinstance(found, str) and 0 < len(found) <= MAX_ID_CHARS else None


def encode(document: Mapping[str, Any] | list[Any]) -> bytes:
    """Compact JSON, ASCII only: a lone surrogate in a file name must not break the peer's UTF-8 decoder."""
    return _ENCODER.encode(document).encode("ascii")


def too_large(what: str) -> ToolRejected:
    return ToolRejected(
        "too_large",
        f"{what} is larger than {limits.FRAME_BYTES} bytes",
        hint="Send less at once; files of more than 2 MB are not edited as text.",
        details={"limitBytes": limits.FRAME_BYTES},
    )


def depth_of(raw: bytes) -> int:
    """How deep a well-formed JSON text nests, counted up to one more than `MAX_DEPTH`. Linear, in C."""
    brackets = _STRING.sub(b"", raw).translate(_OPEN_ONLY, _NOT_BRACKETS)
    depth = 0
    while brackets and depth <= MAX_DEPTH:
        brackets = brackets.replace(b"[]", b"")
        depth += 1
    return depth


@lru_cache(maxsize=1)
def _client_messages() -> TypeAdapter[ClientMessage]:
    return TypeAdapter(ClientMessage)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_plain, check_circular=False)


def _check_document(raw: bytes, what: str) -> None:
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and depth_of(raw) > MAX_DEPTH:
        raise invalid_arguments({what: f"JSON nested at most {MAX_DEPTH} deep"})
    if _PERHAPS_NOT_FINITE.search(raw):
        try:
            json.dumps(pydantic_core.from_json(raw), allow_nan=False)
        except ValueError:
            raise invalid_arguments({what: "finite numbers only (no NaN, Infinity or 1e999)"}) from None


def _refusal(error: ValidationError, model: type[BaseModel] | None, what: str) -> ToolRejected:
    if error.error_count() > MAX_PROBLEMS:
        # Listing a million unknown fields would cost more than everything else.
        return invalid_arguments({what: f"more than {MAX_PROBLEMS} fields are wrong or unknown"})
    problems: dict[str, str] = {}
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        location = item["loc"]
        known: tuple[str, ...] = _aliases(model) if model is not None else ()
        if model is None and location:
            # The first part is the discriminator's value, which is no field.
            known = _aliases(CLIENT_MESSAGES[str(location[0])])
            location = location[1:]
        name = ".".join(str(part)[:80] for part in location) or what
        if item["type"].startswith("union_tag"):
            problems["type"] = "one of " + ", ".join(CLIENT_MESSAGES)
        elif item["type"] == "extra_forbidden":
            problems[name] = "no such field; there is " + (", ".join(known) if known else "none to give")
        else:
            problems[name] = item["msg"]
    return invalid_arguments(problems)


def _aliases(model: type[BaseModel]) -> tuple[str, ...]:
    return () if model is EmptyBody else tuple(field.alias or name for name, field in model.model_fields.items())
