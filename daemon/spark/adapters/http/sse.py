"""The events of one turn as `text/event-stream`. The turn goes on when the client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from spark.adapters.http.answers import SECURITY_HEADERS
from spark.adapters.http.outbox import Outbox
from spark.core.api import DaemonApi
from spark.core.errors import ProtocolError
from spark.protocol.codec import encode

HEARTBEAT_S = 15.0


def wants_events(request: web.BaseRequest) -> bool:
    accepted = ",".join(request.headers.getall("Accept", []))
    return any(part.split(";")[0].strip().lower() == "text/event-stream" for part in accepted.split(","))


def event_frame(event: Mapping[str, Any]) -> bytes:
    """`event:` is the event's type, `id:` its number within the turn, `data:` the event as one line of JSON."""
    return b"event: %s\nid: %s\ndata: %s\n\n" % (
        str(event.get("type", "message")).encode("ascii", "replace"),
        str(event.get("seq", "")).encode("ascii", "replace"),
        encode(event),
    )


async def stream_turn(
    request: web.BaseRequest, api: DaemonApi, turn_id: str, outbox: Outbox, *, heartbeat_s: float = HEARTBEAT_S
) -> web.StreamResponse:
    """Answers with the turn's events until `turnFinished`, with a comment as heartbeat while nothing happens."""
    response = web.StreamResponse(
        headers={**SECURITY_HEADERS, "Content-Type": "text/event-stream", "Location": f"/v1/turns/{turn_id}"}
    )
    transport = request.transport
    await response.prepare(request)
    try:
        async with asyncio.TaskGroup() as tasks:
            helpers = (
                tasks.create_task(_collect(api, turn_id, outbox)),
                tasks.create_task(outbox.wait_end()),
            )
            while message := await _next(outbox, heartbeat_s):
                await response.write(message)
            for helper in helpers:
                helper.cancel()
        await response.write_eof()
    except* (ProtocolError, ConnectionError):
        # Too slow, gone, or the daemon stops: an event stream has no close code, so it just ends before its last event.
        if transport is not None:
            transport.abort()
    return response


async def _collect(api: DaemonApi, turn_id: str, outbox: Outbox) -> None:
    async for event in api.events(turn_id):
        outbox.push(event_frame(event))
    outbox.push(b"")


async def _next(outbox: Outbox, heartbeat_s: float) -> bytes:
    try:
        async with asyncio.timeout(heartbeat_s):
            return await outbox.next()
    except TimeoutError:
        return b": still working\n\n"
