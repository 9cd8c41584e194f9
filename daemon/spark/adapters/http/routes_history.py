"""Routes of versions and usage."""

from __future__ import annotations

from typing import Final, Literal

from aiohttp import web

from spark.adapters.http.answers import SECURITY_HEADERS, json_answer, outcome_answer
from spark.adapters.http.call import HttpCall
from spark.adapters.http.reading import limit_of, read_body
from spark.core.changes import sha256_of
from spark.core.errors import invalid_arguments
from spark.protocol.messages import RestoreBody
from spark.protocol.wire import history_to_wire, version_to_wire

_USAGE_BY: Final[dict[str, Literal["day", "model", "turn"]]] = {"day": "day", "model": "model", "turn": "turn"}


async def history(call: HttpCall) -> web.StreamResponse:
    page = call.api.history(
        path=call.query.get("path"),
        turn_id=call.query.get("turn"),
        limit=limit_of(call.query),
        before=call.query.get("before"),
    )
    return json_answer(history_to_wire(page))


async def version(call: HttpCall) -> web.StreamResponse:
    """The version as JSON, or with `content=1` its bytes as they were, with their hash in a header."""
    wanted = call.query.get("content", "0")
    if wanted not in ("0", "1"):
        raise invalid_arguments({"content": "1 for the bytes, 0 or nothing for the description"})
    if wanted == "0":
        return json_answer(version_to_wire(call.api.version(call.argument)))
    content = call.api.version_content(call.argument)
    return web.Response(
        body=content,
        headers={
            **SECURITY_HEADERS,
            "Content-Type": "application/octet-stream",
            "Content-Disposition": "attachment",
            "X-Spark-Sha256": sha256_of(content),
        },
    )


async def restore(call: HttpCall) -> web.StreamResponse:
    body = await read_body(call.request, RestoreBody, optional=True)
    return outcome_answer(await call.api.restore(call.argument, dry_run=bool(body.dry_run)))


async def usage(call: HttpCall) -> web.StreamResponse:
    by = _USAGE_BY.get(call.query.get("by", "day"))
    if by is None:
        raise invalid_arguments({"by": "day, model or turn"})
    return json_answer(call.api.usage(by))
