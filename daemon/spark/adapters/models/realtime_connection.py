"""One WebSocket to a Realtime server, opened through the openai SDK; says its failures as `Unavailable`.

Owns the socket and the time limits on it. There is no reading task: whoever waits for a frame reads this very socket, and
the keep-alive runs in the protocol itself, so a dropped connection leaves nothing behind. Closing never waits.
The SDK's own reconnect stays off: it opens a blank session and sends what is queued before the conversation is told again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from urllib.parse import urlsplit, urlunsplit

from spark.adapters.models.choice import is_loopback
from spark.adapters.models.realtime_errors import of_close, of_exception
from spark.adapters.models.realtime_wire import Frame, parse_frame
from spark.adapters.models.received import RESPONSE_S
from spark.adapters.resilience import timed_out
from spark.core.errors import FatalError
from spark.core.limits import CONNECT_TIMEOUT_S, FIRST_EVENT_TIMEOUT_S, FRAME_BYTES, IDLE_IN_RESPONSE_S

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.resources.realtime.realtime import AsyncRealtimeConnection
    from websockets.asyncio.client import ClientConnection

_QUEUED_FRAMES: Final = 16_384
"""Frames kept unread. Plenty, because a full queue also stops the answers to keep-alive pings."""
_CLOSE_S: Final = 1.0
_NO_KEY: Final = "none"


@dataclass(frozen=True, slots=True)
class RealtimeLimits:
    """Time limits of a session, in seconds. `connect_s` covers the socket, `session.created` and `session.updated`;
    `keep_s`: how long an unused connection is kept; `recycle_s`: the age at which a session is replaced, and `margin_s`
    before the server's own end of it; `response_s`: the whole of one response."""

    connect_s: float = CONNECT_TIMEOUT_S
    first_event_s: float = FIRST_EVENT_TIMEOUT_S
    idle_s: float = IDLE_IN_RESPONSE_S
    cancel_s: float = 1.0
    keep_s: float = 300.0
    recycle_s: float = 55 * 60.0
    margin_s: float = 120.0
    response_s: float = RESPONSE_S


class Dialer(Protocol):
    """Opens connections to one configured server."""

    async def dial(self, model: str) -> RealtimeConnection:
        """Raises `Unavailable`."""
        ...


class RealtimeConnection:
    """An open socket. `receive` and `send` raise `SessionLost` once it is gone."""

    def __init__(self, sdk: AsyncRealtimeConnection, socket: ClientConnection, host: str) -> None:
        self.host = host
        self._sdk = sdk
        self._socket = socket
        self._left = False

    @property
    def alive(self) -> bool:
        """False as soon as either side closed, also while nobody was reading."""
        from websockets.protocol import State

        return not self._left and self._socket.state is State.OPEN

    @property
    def closed(self) -> bool:
        """Whether nothing is left of the socket."""
        from websockets.protocol import State

        return self._socket.state is State.CLOSED

    async def receive(self, deadline: float, what: str, limit_s: float) -> Frame:
        """The next frame before `deadline` (the event loop's time); `what` and `limit_s` word the time-out."""
        from websockets.exceptions import ConnectionClosed

        # Frames that wait already are handed out at once, however late: a flood of them must not outrun the limit.
        if asyncio.get_running_loop().time() >= deadline:
            raise timed_out(what, limit_s)
        try:
            async with asyncio.timeout_at(deadline):
                raw = await self._sdk.recv_bytes()
        except TimeoutError:
            raise timed_out(what, limit_s) from None
        except ConnectionClosed as error:
            raise of_close(error, self.host) from error
        return parse_frame(raw)

    async def send(self, event: Mapping[str, Any]) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            async with asyncio.timeout(FIRST_EVENT_TIMEOUT_S):
                await self._sdk.send_raw(json.dumps(event, separators=(",", ":")))
        except TimeoutError:
            raise timed_out(f"sending to {self.host}", FIRST_EVENT_TIMEOUT_S) from None
        except ConnectionClosed as error:
            raise of_close(error, self.host) from error

    def drop(self) -> None:
        """Cuts the connection at once: nobody knows what the peer still sends."""
        self._left = True
        self._socket.transport.abort()

    def say_goodbye(self) -> None:
        """Closes politely without waiting for the peer."""
        from websockets.exceptions import InvalidState

        if self._left:
            return
        self._left = True
        try:
            self._socket.protocol.send_close(1000, "")
            self._socket.send_data()
        except (InvalidState, OSError):
            pass  # closed already
        self._socket.transport.close()

    async def gone(self) -> None:
        """Waits a moment until the socket is closed, so that a stopping process leaves nothing open."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._socket.wait_closed()
        except TimeoutError:
            self.drop()


class SdkDialer:
    """Opens connections through one lazily made SDK client."""

    def __init__(self, *, url: str, api_key: str | None, host: str) -> None:
        self._base_url = base_url(url)
        self._api_key = api_key
        self._host = host
        self._client: AsyncOpenAI | None = None

    async def ready(self) -> None:
        """Loads the SDK. Half a second of imports: off the event loop, so that the daemon goes on answering."""
        if self._client is None:
            await asyncio.to_thread(_import_sdk)

    async def dial(self, model: str) -> RealtimeConnection:
        if self._client is None:
            self._client = _client(self._base_url, self._api_key)
        return await self._connect(self._client, model)

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def _connect(self, client: AsyncOpenAI, model: str) -> RealtimeConnection:
        from openai import OpenAIError
        from websockets.asyncio.client import ClientConnection
        from websockets.exceptions import WebSocketException

        sockets: list[ClientConnection] = []

        def remembered(*args: Any, **kwargs: Any) -> ClientConnection:
            sockets.append(ClientConnection(*args, **kwargs))
            return sockets[-1]

        options: dict[str, Any] = {
            "max_size": FRAME_BYTES,
            "max_queue": _QUEUED_FRAMES,
            "compression": None,
            "close_timeout": _CLOSE_S,
            "open_timeout": None,  # the caller's limit covers the whole of it
            "create_connection": remembered,
        }
        if is_loopback(self._base_url):
            options["proxy"] = None
        try:
            sdk = await client.realtime.connect(
                model=model, max_retries=0, websocket_connection_options=cast("Any", options)
            ).enter()
        except (OSError, EOFError, WebSocketException, OpenAIError) as error:
            raise of_exception(error, self._host) from error
        return RealtimeConnection(sdk, sockets[-1], self._host)


def base_url(url: str) -> str:
    """The API's base for the SDK: http or https, without `/realtime`. Raises `FatalError` (2) for anything else."""
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    if scheme not in ("http", "https") or not parts.hostname:
        raise FatalError(
            2,
            f"{url[:200]!r} is no address of a Realtime server",
            hint="Set SPARK_MODEL_URL to the API's base, such as https://api.openai.com/v1.",
        )
    path = parts.path.rstrip("/").removesuffix("/realtime")
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))


def _import_sdk() -> None:
    import openai.lib._websocket
    import openai.resources.realtime.realtime  # noqa: F401


def _client(url: str, api_key: str | None) -> AsyncOpenAI:
    import httpx2
    from openai import AsyncOpenAI

    class NoHttp(httpx2.AsyncBaseTransport):
        """Only the WebSocket is used. Without this the SDK loads certificates (3 MB) for requests that never come."""

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            raise httpx2.ConnectError(f"no plain HTTP to {request.url.host} from here", request=request)

    # The SDK wants a key, also for servers that take none.
    return AsyncOpenAI(
        api_key=api_key or _NO_KEY,
        base_url=url,
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=NoHttp(), trust_env=False),
    )
