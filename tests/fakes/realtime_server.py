"""A Realtime server (GA) on a loopback socket that follows a script, true to the wire and strict about what it is sent.

    async with ScriptedRealtimeServer([Say("Hello"), Call("readFile", {"path": "Assets/A.cs"}), Say("Done")]) as server:
        link = OpenAiRealtime(url=server.url, …)
        …
    server.handshakes          # one Handshake(path, query, headers) per attempt, also of refused ones
    server.frames              # every Frame(connection, sender, body), in the order of the wire
    server.received("conversation.item.create")       # bodies that clients sent, by type, of all or one connection
    server.open_calls          # (connection, call id) of calls without output at a response.create; must stay empty

The script is one list for the whole life of the server. Steps about connections (`Refuse`, `CloseAtOnce`, `NoUpdated`,
`NoCreated`) are taken by the next handshake while they stand at the head; every other step by the next `response.create`.
A step may be a function that gets the conversation (wire items) and returns the step. Where the script is over, responses
fail with `server_error` and `server.script_over` is true. See `realtime_script` for all steps and faults.

Refused with an error event, as by the real one: unknown events, bad items (ids over 32 characters, wrong content types, ids
that exist), outputs for unknown calls, a second active response, cancelling nothing, deleting nothing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

from aiohttp import web

from tests.fakes.realtime_peer import Peer
from tests.fakes.realtime_script import (
    Answer,
    Busy,
    Call,
    CloseAtOnce,
    Error,
    NoCreated,
    NoUpdated,
    Parallel,
    Refuse,
    Say,
    Silence,
    Step,
    cut,
    fail,
    incomplete,
)

__all__ = [
    "Answer",
    "Busy",
    "Call",
    "CloseAtOnce",
    "Error",
    "Frame",
    "Handshake",
    "NoCreated",
    "NoUpdated",
    "Parallel",
    "Refuse",
    "Say",
    "ScriptedRealtimeServer",
    "Silence",
    "Step",
    "cut",
    "fail",
    "incomplete",
]


@dataclass(frozen=True)
class Handshake:
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Frame:
    """One frame; `connection` counts accepted sockets from 0."""

    connection: int
    sender: Literal["client", "server"]
    body: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.body.get("type", ""))


class ScriptedRealtimeServer:
    """See the module. `api_key`: the only key that is let in (default: any). `expires_at`: seconds since 1970."""

    def __init__(
        self,
        script: Iterable[Step] = (),
        *,
        api_key: str | None = None,
        expires_at: float | None = None,
        chunk_chars: int = 12,
    ) -> None:
        self.script: deque[Step] = deque(script)
        self.frames: list[Frame] = []
        self.handshakes: list[Handshake] = []
        self.open_calls: list[tuple[int, str]] = []
        self.script_over = False
        self.refuse_items = False
        """While true, every `conversation.item.create` is refused."""
        self.open_sockets = 0
        self.chunk_chars = chunk_chars
        self.expires_at = expires_at
        self._api_key = api_key
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Condition()
        self._numbers = itertools.count()
        self._calls = itertools.count(1)
        self._sockets: set[Peer] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """The API's base, as `SPARK_MODEL_URL` takes it."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def received(self, kind: str | None = None, *, connection: int | None = None) -> list[dict[str, Any]]:
        """Bodies that clients sent, in order."""
        return self._bodies("client", kind, connection)

    def sent(self, kind: str | None = None, *, connection: int | None = None) -> list[dict[str, Any]]:
        """Bodies that this server sent, in order."""
        return self._bodies("server", kind, connection)

    async def until(self, what: Any, *, timeout_s: float = 10.0) -> None:
        """Waits until `what()` is true; checked after each frame and each change of a socket."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(what)

    async def abort_all(self) -> None:
        """Cuts every open TCP connection."""
        for socket in list(self._sockets):
            socket.abort()

    async def close_all(self, code: int, *, error: str = "") -> None:
        """Closes every open socket with a code; `error`: an error event with this code comes first."""
        for socket in list(self._sockets):
            await socket.close(code, error)

    async def __aenter__(self) -> ScriptedRealtimeServer:
        app = web.Application()
        app.router.add_get("/v1/realtime", self._handshake)
        # No waiting for open sockets at the end: a test that leaves one open shall see it elsewhere.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.abort_all()
        if self._runner is not None:
            await self._runner.cleanup()

    # -- used by connections

    def next_call_id(self) -> str:
        return f"call_{next(self._calls):04d}"

    def next_step(self) -> Step | None:
        """The step of a `response.create`."""
        return self.script.popleft() if self.script else None

    async def log(self, connection: int, sender: Literal["client", "server"], body: dict[str, Any]) -> None:
        self.frames.append(Frame(connection, sender, body))
        await self.notify()

    async def notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _bodies(self, sender: str, kind: str | None, connection: int | None) -> list[dict[str, Any]]:
        return [
            frame.body
            for frame in self.frames
            if frame.sender == sender and kind in (None, frame.type) and connection in (None, frame.connection)
        ]

    async def _handshake(self, request: web.Request) -> web.StreamResponse:
        self.handshakes.append(Handshake(request.path, dict(request.query), dict(request.headers)))
        await self.notify()
        step = self.script[0] if self.script else None
        if isinstance(step, Refuse | CloseAtOnce | NoUpdated | NoCreated):
            self.script.popleft()
        if isinstance(step, Refuse):
            headers = {"Retry-After": step.retry_after} if step.retry_after is not None else {}
            return _http_error(step.status, step.code, step.message, headers)
        if "OpenAI-Beta" in request.headers:
            return _http_error(400, "beta_api_shape_disabled", "The Realtime Beta API is gone.")
        if self._api_key is not None and request.headers.get("Authorization") != f"Bearer {self._api_key}":
            return _http_error(401, "invalid_api_key", "Incorrect API key provided.")
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        connection = Peer(self, next(self._numbers), request, socket)
        self._sockets.add(connection)
        self.open_sockets += 1
        try:
            await connection.run(step)
        finally:
            self._sockets.discard(connection)
            self.open_sockets -= 1
            await self.notify()
        return socket


def _http_error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    body = {"error": {"message": message, "type": kind, "param": None, "code": code or None}}
    return web.json_response(body, status=status, headers=headers)
