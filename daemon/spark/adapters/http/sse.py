"""The events of one turn as `text/event-stream`. The turn goes on when the client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, NoReturn

from aiohttp import web

from spark.adapters.http.answers import SECURITY_HEADERS
from spark.adapters.http.connection import connection_of
from spark.adapters.http.outbox import Outbox
from spark.core.api import DaemonApi
from spark.core.errors import ProtocolError
from spark.protocol.codec import encode

HEARTBEAT_S = 15.0
STUCK_S = 10.0
"""How long a client may take nothing of what waits for it."""


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
    request: web.BaseRequest,
    api: DaemonApi,
    turn_id: str,
    outbox: Outbox,
    *,
    heartbeat_s: float = HEARTBEAT_S,
    stuck_s: float = STUCK_S,
) -> web.StreamResponse:
    """Answers with the turn's events until `turnFinished`, with a comment as heartbeat while nothing happens.

    A client that reads gets every event, however slowly: the turn keeps them, and here at most one waits. The stream
    breaks off for one that takes nothing for `stuck_s`, and at the server's end, of which `outbox` tells.
    """
    response = web.StreamResponse(
        headers={**SECURITY_HEADERS, "Content-Type": "text/event-stream", "Location": f"/v1/turns/{turn_id}"}
    )
    transport = request.transport
    client = _Client(request, response)
    try:
        await response.prepare(request)
        async with asyncio.TaskGroup() as tasks:
            helpers = (
                tasks.create_task(client.beat(heartbeat_s)),
                tasks.create_task(client.wait_lost()),
                tasks.create_task(client.wait_stuck(stuck_s)),
                tasks.create_task(outbox.wait_end()),
            )
            async with aclosing(api.events(turn_id)) as events:
                async for event in events:
                    await client.send(event_frame(event))
            # No heartbeat behind the end: the connection may carry the next answer then.
            helpers[0].cancel()
            await response.write_eof()
            for helper in helpers:
                helper.cancel()
    except* (ProtocolError, ConnectionError):
        # Stuck, gone, or the daemon stops: an event stream has no close code, so it just ends before its last event.
        if transport is not None:
            transport.abort()
    return response


class _Client:
    """The reading side of one stream: takes its frames, and is watched while it does not."""

    def __init__(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        self._request = request
        self._response = response
        self._sending = False

    async def send(self, frame: bytes) -> None:
        """Returns when the client has taken enough of what was sent before."""
        self._sending = True
        try:
            await self._response.write(frame)
        finally:
            self._sending = False

    async def beat(self, heartbeat_s: float) -> None:
        """Sends a comment whenever nothing was sent for a while."""
        while True:
            before = self._request.writer.output_size
            await asyncio.sleep(heartbeat_s)
            if not self._sending and self._request.writer.output_size == before:
                await self.send(b": still working\n\n")

    async def wait_lost(self) -> NoReturn:
        """Raises `ConnectionError` as soon as the client is gone, also while there is nothing to send."""
        lost = asyncio.Event()
        forget = connection_of(self._request).on_lost(lost.set)
        try:
            await lost.wait()
        finally:
            forget()
        raise ConnectionError("the client is gone")

    async def wait_stuck(self, stuck_s: float) -> NoReturn:
        """Raises `ProtocolError` (1013) where bytes wait and the client took none of them for so long."""
        taken = -1
        while True:
            waiting = self._waiting_bytes()
            before, taken = taken, self._request.writer.output_size - waiting
            if waiting and taken == before:
                raise ProtocolError(1013, f"the client read nothing for {stuck_s:g} s")
            await asyncio.sleep(stuck_s)

    def _waiting_bytes(self) -> int:
        transport = self._request.transport
        return transport.get_write_buffer_size() if transport is not None else 0
