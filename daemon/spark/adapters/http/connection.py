"""One TCP connection of the server: whose place it is when too many are open, and who is told when it is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

from spark.adapters.http.answers import error_answer
from spark.core import limits
from spark.core.errors import SparkError, ToolRejected, invalid_arguments
from spark.protocol.codec import encode
from spark.protocol.wire import error_body

log = logging.getLogger("spark.http")


def too_many(why: str) -> ToolRejected:
    return ToolRejected("rate_limited", why, hint="Close other clients and try again.", details={"retryAfterS": 1})


class ConnectionServer(web.Server):
    """aiohttp's server with our own connections."""

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)


class Connection(web.RequestHandler):
    """A connection that has its place for as long as it is open, and that speaks the contract's JSON for broken HTTP and
    our bugs."""

    __slots__ = ("_lost_listeners", "lost", "trusted")

    def __init__(self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(manager, loop=loop, **options)
        self.trusted = False
        """Whether it has sent a whole request head with the token."""
        self.lost = False
        """Whether the socket is gone, or was cut by us."""
        self._lost_listeners: list[Callable[[], None]] = []

    def on_lost(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls `listener` once the client is gone, at once where it is already. Returns what ends that."""
        if self.lost:
            listener()
            return _nothing
        self._lost_listeners.append(listener)

        def forget() -> None:
            if listener in self._lost_listeners:
                self._lost_listeners.remove(listener)

        return forget

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.WriteTransport)
        manager = self._manager
        if manager is None:
            return
        # In the order in which they came, this one last.
        present = [one for one in manager.connections if isinstance(one, Connection) and not one.lost]
        if len(present) <= limits.HTTP_CONNECTIONS:
            return
        stranger = next((one for one in present if not one.trusted and one is not self), None)
        if stranger is not None:
            stranger.evict()
            return
        body = encode(error_body(too_many(f"more than {limits.HTTP_CONNECTIONS} connections are open")))
        transport.write(
            b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        self.force_close()

    def evict(self) -> None:
        """Cuts the connection, so that another gets its place."""
        transport = self.transport
        self._lose()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._lose()

    def _lose(self) -> None:
        self.lost = True
        listeners, self._lost_listeners = self._lost_listeners, []
        for listener in listeners:
            listener()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Broken HTTP (400) or our own bug (500), which is logged here and never told in full."""
        if isinstance(exc, HttpProcessingError):
            refusal = invalid_arguments({"request": "well-formed HTTP/1.1 with headers of at most 8190 bytes each"})
            return error_answer(refusal, status=400, close=True)
        log.error("a request failed by our own fault", exc_info=exc or True, extra={"method": request.method})
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        internal = SparkError("internal", "SPARK made a mistake", hint="`spark logs` has it.")
        return error_answer(internal, status=500, close=True)


def connection_of(request: web.BaseRequest) -> Connection:
    """The connection that brought a request."""
    connection = request.protocol
    assert isinstance(connection, Connection)
    return connection


def _nothing() -> None:
    return None
