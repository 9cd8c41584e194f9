"""A chat-completions server on loopback that follows a script: each request gets the next reply of it.

True to the wire (server-sent events, `[DONE]`, error bodies), so that the real openai SDK talks to it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Streamed:
    """A streamed answer; `chunks` may be endless. `then`: what happens behind the chunks: `done`, `end` (no `[DONE]`), `cut` (the connection is
    aborted) or `hang` (nothing more comes until the client goes)."""

    chunks: Iterable[Mapping[str, Any] | str]
    then: str = "done"


@dataclass(frozen=True)
class Refused:
    """An HTTP error with a JSON body."""

    status: int
    error: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Silent:
    """Not even a header, until the client goes."""


Reply = Streamed | Refused | Silent


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """One chunk with one choice."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": fields, "finish_reason": finish}],
    }


def usage(prompt: int, cached: int, completion: int) -> dict[str, Any]:
    """The last chunk of a stream with `include_usage`."""
    return {
        **delta(),
        "choices": [],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


def call(index: int | None = 0, call_id: str | None = None, name: str | None = None, arguments: Any = None) -> Any:
    """One entry of `delta.tool_calls`; what is None is left out."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    entry = {"index": index, "id": call_id, "type": "function", "function": function}
    return {key: value for key, value in entry.items() if value is not None}


def said(*pieces: str, finish: str = "stop") -> Streamed:
    """A plain text answer."""
    return Streamed([*(delta(content=piece) for piece in pieces), delta(finish)])


class ScriptedChatServer:
    """`requests` and `headers`: what came in. `client_left` is set once a client closed an unfinished answer."""

    def __init__(self, models: Sequence[str] = ("m",)) -> None:
        self.script: list[Reply] = []
        self.requests: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.client_left = asyncio.Event()
        self.url = ""
        self._models = models

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.headers.append(dict(request.headers))
        reply = self.script.pop(0)
        if isinstance(reply, Refused):
            return web.json_response({"error": reply.error}, status=reply.status, headers=dict(reply.headers))
        if isinstance(reply, Silent):
            await self._until_left(request)
            return web.Response(status=499)
        return await self._stream(request, reply)

    async def _stream(self, request: web.Request, reply: Streamed) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            for chunk in reply.chunks:
                data = chunk if isinstance(chunk, str) else json.dumps(chunk)
                await response.write(f"data: {data}\n\n".encode())
        except (ConnectionError, asyncio.CancelledError):
            self.client_left.set()
            raise
        if reply.then == "done":
            await response.write(b"data: [DONE]\n\n")
        elif reply.then == "cut":
            assert request.transport is not None
            request.transport.abort()
        elif reply.then == "hang":
            await self._until_left(request)
        return response

    async def _until_left(self, request: web.Request) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.client_left.set()

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in self._models]})


@asynccontextmanager
async def running_chat_server(*models: str) -> AsyncIterator[ScriptedChatServer]:
    """A server with an empty script; `url` is its base."""
    server = ScriptedChatServer(models or ("m",))
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server._complete)
    app.router.add_get("/v1/models", server._list)
    # Only with this does a handler notice that its client went away.
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
