"""What a request says: its path, query and body, each checked once. Raises `invalid_arguments` naming the field."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, unquote

from aiohttp import web
from pydantic import BaseModel

from spark.core import limits
from spark.core.errors import invalid_arguments
from spark.protocol.codec import parse_body, too_large

M = TypeVar("M", bound=BaseModel)

BODY_S = 30.0
"""How long a client may take to send a body."""
MAX_KEY_CHARS = 200

_KEY = re.compile(r"[\x20-\x7e]{1,200}")
_LIMIT = re.compile(r"[0-9]{1,3}")


def split_target(target: str) -> tuple[tuple[str, ...], str]:
    """The decoded path segments and the raw query of an origin-form request target."""
    path, _, query = target.partition("?")
    if not target.isascii():
        raise invalid_arguments({"path": "percent-encoded ASCII"})
    return tuple(_decoded(segment, "path") for segment in path[1:].split("/")), query


def read_query(query: str, allowed: tuple[str, ...]) -> dict[str, str]:
    """The query's parameters; unknown and repeated ones are refused by name."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise invalid_arguments({"query": "NAME=VALUE pairs, percent-encoded UTF-8, at most 20"}) from None
    found: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name, value in pairs:
        if name not in allowed:
            problems[name[:80]] = "no such parameter; there is " + (", ".join(allowed) if allowed else "none to give")
        elif name in found:
            problems[name] = "given once"
        elif not value:
            problems[name] = "not empty"
        found[name] = value
    if problems:
        raise invalid_arguments(problems)
    return found


def limit_of(query: Mapping[str, str]) -> int:
    """The page size, 50 where none is given."""
    text = query.get("limit", "50")
    if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= 500:
        raise invalid_arguments({"limit": "a whole number from 1 to 500"})
    return int(text)


def idempotency_key(request: web.BaseRequest) -> str | None:
    keys = request.headers.getall("Idempotency-Key", [])
    if not keys:
        return None
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        raise invalid_arguments({"Idempotency-Key": f"one key of 1..{MAX_KEY_CHARS} printable ASCII characters"})
    return keys[0]


async def read_body(request: web.BaseRequest, model: type[M], *, optional: bool = False) -> M:
    """The request's JSON body as `model`; with `optional` an empty body counts as `{}`.

    Raises `invalid_arguments` naming header or field, `too_large` over the frame limit.
    """
    _check_headers(request)
    try:
        raw = await _read_in_time(request)
    except TimeoutError:
        raise invalid_arguments({"body": f"sent within {BODY_S:.0f} s"}) from None
    except web.HTTPRequestEntityTooLarge:
        raise too_large("the request's body") from None
    except web.RequestPayloadError:
        raise invalid_arguments({"body": "a whole body in the announced length or chunks"}) from None
    if not raw and optional:
        return parse_body(model, b"{}")
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise invalid_arguments({"Content-Type": "application/json in UTF-8"})
    return parse_body(model, raw)


def _check_headers(request: web.BaseRequest) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise invalid_arguments({"Content-Encoding": "none; bodies are sent as they are"})
    if (request.content_length or 0) > limits.FRAME_BYTES:
        raise too_large("the request's body")


async def _read_in_time(request: web.BaseRequest) -> bytes:
    if request.content.is_eof():
        # It came with the head, as nearly always: no timer is needed.
        return await request.read()
    async with asyncio.timeout(BODY_S):
        await _invite(request)
        return await request.read()


async def _invite(request: web.BaseRequest) -> None:
    # curl waits a second for this line before it sends more than a megabyte.
    if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= (1, 1):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def _decoded(segment: str, field: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise invalid_arguments({field: "percent-encoded UTF-8"}) from None
