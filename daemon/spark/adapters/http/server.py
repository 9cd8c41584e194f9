"""The server: one socket on 127.0.0.1 for HTTP and WebSocket, its limits, and its ordered end.

aiohttp's low-level server carries it: our own table of routes is smaller than an application's and lets the guard run
before anything else. Must not know what a turn or a version is.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from spark.adapters.http.answers import error_answer
from spark.adapters.http.call import HttpCall
from spark.adapters.http.connection import ConnectionServer, connection_of, too_many
from spark.adapters.http.guard import Guard
from spark.adapters.http.outbox import Outbox
from spark.adapters.http.routes import SESSION_PATH, find, no_route, read_route_query
from spark.adapters.http.session import refuse_socket
from spark.core import limits
from spark.core.api import DaemonApi
from spark.core.errors import FatalError, ProtocolError, SparkError, ToolRejected

log = logging.getLogger("spark.http")

HOST: Final = "127.0.0.1"
LINGER_S: Final = 1.0
"""How long the rest of a refused body is thrown away before the connection is cut."""
CLOSE_WAIT_S: Final = 0.8
CUT_WAIT_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. `close` takes at most `limits.SHUTDOWN_S`: sessions get 1001, calls a moment to end."""

    url: str
    port: int
    _server: Server

    async def close(self) -> None:
        await self._server.close()


async def serve(api: DaemonApi, *, token: str, port: int = 0) -> Running:
    """Starts to answer on 127.0.0.1. `port` 0: any free one. Raises `FatalError` (4) where the port is taken."""
    server = Server(api, token)
    bound = await server.start(port)
    return Running(url=f"http://{HOST}:{bound}", port=bound, _server=server)


class Server:
    """Guards, routes and counts. One per daemon."""

    def __init__(self, api: DaemonApi, token: str) -> None:
        self._api = api
        self._token = token
        self._guard: Guard | None = None
        self._outboxes: set[Outbox] = set()
        self._open_requests = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._closing = False
        self._runner = web.ServerRunner(
            ConnectionServer(
                self.answer,
                request_factory=_make_request,
                # No access log: a line per call would cost more than the call, and say what the journal says.
                access_log=None,
                logger=log,
                # The time in which a whole request head must come, from the connection's start or the answer before:
                # it ends idle and dripping connections alike.
                keepalive_timeout=limits.HANDSHAKE_S,
                lingering_time=LINGER_S,
                auto_decompress=False,
            ),
            shutdown_timeout=CUT_WAIT_S,
        )

    async def start(self, port: int) -> int:
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise FatalError(
                4, f"port {port} on {HOST} cannot be used: {error.strerror}", hint="Leave --port out for any free port."
            ) from error
        self._guard = Guard(self._token, site.port)
        return site.port

    async def close(self) -> None:
        self._closing = True
        for site in self._runner.sites:
            await site.stop()
        for outbox in tuple(self._outboxes):
            outbox.end(ProtocolError(1001, "the daemon stops"))
        try:
            async with asyncio.timeout(CLOSE_WAIT_S):
                await self._quiet.wait()
        except TimeoutError:
            log.warning("requests were cut at the server's end", extra={"open_requests": self._open_requests})
        await self._runner.cleanup()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request: the guard first, then everything else. Refusals become answers, our own bugs stay exceptions."""
        self._open_requests += 1
        self._quiet.clear()
        try:
            return await self._guarded(request)
        except SparkError as error:
            return error_answer(error)
        finally:
            self._open_requests -= 1
            if not self._open_requests:
                self._quiet.set()

    async def _guarded(self, request: web.BaseRequest) -> web.StreamResponse:
        assert self._guard is not None
        target = request.raw_path
        try:
            self._guard.check_place(target, request.headers)
            found = find(request.method, target)
            if found.route is None or not found.route.open:
                self._guard.check_token(request.headers)
                connection_of(request).trusted = True
        except SparkError as error:
            if error.code == "unauthorized" and _is_session(request, target):
                return await refuse_socket(request, 4401, error.message)
            return error_answer(error, close=True)
        if found.route is None:
            return no_route(found, request.method)
        if found.route.open:
            return await found.route.answer(HttpCall(request, self._api, "", read_route_query(found), self._lend))
        if self._closing:
            raise ToolRejected("cancelled", "the daemon stops", hint="Start it again with `spark up`.")
        with self._counted(request):
            call = HttpCall(request, self._api, found.argument, read_route_query(found), self._lend)
            return await found.route.answer(call)

    @contextmanager
    def _counted(self, request: web.BaseRequest) -> Iterator[None]:
        """Counts the client until its request is answered or its connection is lost: what still runs has no client."""
        api = self._api
        with ExitStack() as leaving:
            api.client_connected()
            leaving.callback(api.client_gone)
            forget = connection_of(request).on_lost(leaving.close)
            try:
                yield
            finally:
                forget()

    @contextmanager
    def _lend(self) -> Iterator[Outbox]:
        if len(self._outboxes) >= limits.CONNECTIONS:
            raise too_many(f"{limits.CONNECTIONS} clients are connected")
        outbox = Outbox()
        self._outboxes.add(outbox)
        try:
            yield outbox
        finally:
            self._outboxes.discard(outbox)


def _is_session(request: web.BaseRequest, target: str) -> bool:
    is_handshake = request.headers.get("Upgrade", "").lower() == "websocket"
    return is_handshake and target.partition("?")[0] == SESSION_PATH and request.method == "GET"


def _make_request(
    message: Any, payload: Any, protocol: web.RequestHandler, writer: Any, task: asyncio.Task[None]
) -> web.BaseRequest:
    return web.BaseRequest(
        message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=limits.FRAME_BYTES
    )
