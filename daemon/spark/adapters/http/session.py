"""The session socket (`WS /v1/session`): a snapshot, then deltas and turn events; messages in, replies out.

One `Session` per connected client. It owns the client's queue and close codes; it must not know how turns run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from aiohttp import WSMsgType, web

from spark.adapters.http.outbox import Outbox
from spark.core import limits
from spark.core.api import DaemonApi
from spark.core.errors import ProtocolError, SparkError, ToolRejected, invalid_arguments
from spark.protocol.codec import encode, message_id, parse_client_message
from spark.protocol.messages import (
    CancelMessage,
    ClientMessage,
    DecideMessage,
    GetSnapshotMessage,
    PromptMessage,
    UpdateMessage,
)
from spark.protocol.wire import refused_reply_body, reply_body

HEARTBEAT_S = 20.0
CLOSE_S = 5.0
"""How long a client may take to read what was sent before its close frame."""
STOP_S = 0.6
"""The same when the daemon stops."""
OPEN_MESSAGES = 16
"""Messages of one client that may be answered at the same time; then its socket is not read."""
MAX_REASON_BYTES = 123  # RFC 6455, 5.5: a control frame carries 125 bytes, two are the code.


class _Socket(web.WebSocketResponse[Any]):
    """aiohttp's socket, but a client that is still sending an oversized frame gets to read why it was refused."""

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        transport = self._req.transport if self._req is not None else None
        if code == 1009 and not self.closed and transport is not None:
            # Closing at once, with bytes unread, would reset the connection and take the close frame with it. The
            # connection throws away what comes; the client closes when it has read the frame.
            reason = f"frames of more than {limits.FRAME_BYTES} bytes are refused"
            await self.send_frame(code.to_bytes(2, "big") + reason.encode(), WSMsgType.CLOSE)
            ends_at = asyncio.get_running_loop().time() + CLOSE_S
            while not transport.is_closing() and asyncio.get_running_loop().time() < ends_at:  # noqa: ASYNC110 - a transport tells no event
                await asyncio.sleep(0.02)
        return await super().close(code=code, message=message, drain=drain)


def open_socket(request: web.BaseRequest) -> web.WebSocketResponse[Any]:
    """A socket for this handshake. Raises `invalid_arguments` where the request is none."""
    socket = _Socket(
        timeout=CLOSE_S,
        heartbeat=HEARTBEAT_S,
        compress=False,
        max_msg_size=limits.FRAME_BYTES,
        decode_text=False,
    )
    if not socket.can_prepare(request):
        raise invalid_arguments({"Upgrade": "a WebSocket handshake (RFC 6455, version 13)"})
    return socket


async def refuse_socket(request: web.BaseRequest, code: int, reason: str) -> web.StreamResponse:
    """Accepts the handshake and closes with a reason: clients of some kinds never see a handshake's status."""
    socket = open_socket(request)
    await socket.prepare(request)
    await close_socket(socket, request, code, reason)
    return socket


async def close_socket(socket: web.WebSocketResponse[Any], request: web.BaseRequest, code: int, reason: str) -> None:
    """Closes in bounded time, whether the client reads or not."""
    transport = request.transport
    message = reason.encode("utf-8")[:MAX_REASON_BYTES].decode("utf-8", "ignore").encode("utf-8")
    try:
        async with asyncio.timeout(STOP_S if code == 1001 else CLOSE_S):
            await socket.close(code=code, message=message, drain=False)
    except TimeoutError:
        pass
    finally:
        # A closing transport waits for its buffer; for a client that reads no more that would be for ever.
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()


async def run_session(request: web.BaseRequest, api: DaemonApi, outbox: Outbox) -> web.StreamResponse:
    """Serves one client until either side closes."""
    socket = open_socket(request)
    await socket.prepare(request)
    code, reason = 1011, "internal error; see the daemon's log"
    try:
        await Session(socket, api, outbox).run()
        code, reason = 1000, ""
    except* ProtocolError as group:
        first = _first(group)
        code, reason = first.close_code, first.reason
    except* ConnectionError:
        code, reason = 1000, ""
    finally:
        await close_socket(socket, request, code, reason)
    return socket


class Session:
    """One client's side of the conversation."""

    def __init__(self, socket: web.WebSocketResponse[Any], api: DaemonApi, outbox: Outbox) -> None:
        self._socket = socket
        self._api = api
        self._outbox = outbox
        self._slots = asyncio.Semaphore(OPEN_MESSAGES)
        self._version = -1

    async def run(self) -> None:
        """Raises an exception group with the `ProtocolError` that ended the session; returns where the client left."""
        async with asyncio.TaskGroup() as tasks:
            helpers = (
                tasks.create_task(self._forward_events(self._api.events())),
                tasks.create_task(self._forward_deltas(self._api.deltas())),
                tasks.create_task(self._outbox.wait_end()),
            )
            # The subscriptions begin with the first step of these tasks. The snapshot is taken after them, so no
            # change falls between it and the first delta; deltas that it already holds are left out.
            await asyncio.sleep(0)
            self._outbox.push(encode(self._snapshot()), first=True)
            writer = tasks.create_task(self._write())
            await self._read(tasks)
            for task in (*helpers, writer):
                task.cancel()

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            frame = await self._socket.receive()
            if frame.type is WSMsgType.BINARY:
                raise ProtocolError(4400, "binary frames are not understood; send JSON text")
            if frame.type is not WSMsgType.TEXT:
                return
            try:
                message = parse_client_message(frame.data)
            except ToolRejected as error:
                reply_to = message_id(frame.data)
                if reply_to is None:
                    raise ProtocolError(4400, error.message) from None
                self._outbox.push(encode(refused_reply_body(reply_to, error)))
                continue
            await self._slots.acquire()
            tasks.create_task(self._answer(message))

    async def _write(self) -> None:
        while True:
            await self._socket.send_frame(await self._outbox.next(), WSMsgType.TEXT)

    async def _forward_events(self, events: AsyncGenerator[Mapping[str, Any]]) -> None:
        async for event in events:
            self._outbox.push(encode(event))

    async def _forward_deltas(self, deltas: AsyncGenerator[Mapping[str, Any]]) -> None:
        async for delta in deltas:
            if self._version >= 0 and delta["version"] > self._version:
                self._outbox.push(encode(delta))

    def _snapshot(self) -> dict[str, Any]:
        snapshot = self._api.snapshot()
        self._version = int(snapshot["version"])
        return snapshot

    async def _answer(self, message: ClientMessage) -> None:
        try:
            answer = reply_body(message.id, await self._carry_out(message))
        except SparkError as error:
            answer = refused_reply_body(message.id, error)
        finally:
            self._slots.release()
        self._outbox.push(encode(answer))

    async def _carry_out(self, message: ClientMessage) -> Mapping[str, Any]:
        match message:
            case PromptMessage():
                return {"turnId": await self._api.start_turn(message.to_request())}
            case CancelMessage():
                return await self._api.cancel_turn(message.turn_id)
            case DecideMessage():
                return await self._api.decide(message.approval_id, message.decision, message.paths)
            case GetSnapshotMessage():
                return self._snapshot()
            case UpdateMessage():
                return self._api.update_state(message.based_on, message.path, message.value)


def _first(group: BaseExceptionGroup[ProtocolError]) -> ProtocolError:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, ProtocolError)
    return found
