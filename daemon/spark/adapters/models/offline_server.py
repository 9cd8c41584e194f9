"""A Realtime server (GA wire) on loopback, in the daemon's own process, that answers by the offline planner.

So the offline model is reached by the very same client code as a real one. Every session is its own: what the planner
knows came over this socket. Only clients with the server's random token and the right Host get in.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from aiohttp import WSMsgType, web

from spark.adapters.models.offline_planner import Say, hear, plan
from spark.core.ids import new_id
from spark.core.limits import FRAME_BYTES
from spark.core.prices import OFFLINE_MODEL

_SESSION_S: Final = 3600
_PIECE: Final = re.compile(r"\s*\S+\s*")
_ARGUMENT_PIECE: Final = 2000
_USAGE: Final = {
    "total_tokens": 0,
    "input_tokens": 0,
    "output_tokens": 0,
    "input_token_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 0, "audio_tokens": 0},
}


class OfflineServer:
    """`url` (`http://127.0.0.1:PORT/v1`) and `token` once started."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/v1/realtime", self._realtime)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        self._runner = runner
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    async def close(self) -> None:
        for socket in list(self._sockets):
            await socket.close(code=1001, message=b"the daemon stops")
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _realtime(self, request: web.Request) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        socket = web.WebSocketResponse(max_msg_size=FRAME_BYTES, heartbeat=30.0)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            async with asyncio.TaskGroup() as tasks:
                await _Session(socket, tasks).run()
        except* ConnectionError:
            pass  # the client went away while it was being answered
        finally:
            self._sockets.discard(socket)
        return socket

    def _refusal(self, request: web.Request) -> web.Response | None:
        """Before anything is read: a web page must not get here, by DNS rebinding or otherwise."""
        host = self.url.removeprefix("http://").removesuffix("/v1")
        if request.headers.get("Host") != host or "Origin" in request.headers:
            return _http_error(403, "forbidden", "only SPARK's own daemon may connect")
        expected = f"Bearer {self.token}".encode()
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not secrets.compare_digest(given, expected):
            return _http_error(401, "invalid_api_key", "wrong token")
        return None


def _http_error(status: int, code: str, message: str) -> web.Response:
    return web.json_response(
        {"error": {"type": "invalid_request_error", "code": code, "message": message}}, status=status
    )


class _Session:
    """One connection: session settings, conversation items, at most one running response."""

    def __init__(self, socket: web.WebSocketResponse, tasks: asyncio.TaskGroup) -> None:
        self._socket = socket
        self._tasks = tasks
        self.items: list[dict[str, Any]] = []
        self._numbers = count(1)
        self._response: _Response | None = None
        self.settings: dict[str, Any] = {
            "type": "realtime",
            "object": "realtime.session",
            "id": new_id("sess"),
            "model": OFFLINE_MODEL,
            "output_modalities": ["text"],
            "instructions": "",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "truncation": "auto",
            "tracing": None,
            "prompt": None,
            "include": None,
            "expires_at": int(time.time()) + _SESSION_S,
            "audio": {"input": {"turn_detection": None}},
        }

    async def run(self) -> None:
        await self.send("session.created", session=self.settings)
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                event = json.loads(message.data)
            except ValueError:
                event = None
            if isinstance(event, dict):
                await self._take(event)
            else:
                await self._error("invalid_json", "an event is one JSON object", None)
        if self._response is not None:
            self._response.cancel()

    async def _take(self, event: dict[str, Any]) -> None:
        kind, event_id = event.get("type"), event.get("event_id")
        if kind == "session.update":
            await self._update(event.get("session"), event_id)
        elif kind == "conversation.item.create":
            await self._create_item(event.get("item"), event_id)
        elif kind == "conversation.item.delete":
            await self._delete_item(event.get("item_id"), event_id)
        elif kind == "response.create":
            await self._create_response(event.get("response"), event_id)
        elif kind == "response.cancel":
            await self._cancel(event_id)
        else:
            await self._error("invalid_value", f"there is no event {str(kind)[:80]!r} here", event_id)

    async def send(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "event_id": f"event_{next(self._numbers)}", **fields}
        await self._socket.send_str(json.dumps(event))

    async def _error(self, code: str, message: str, event_id: object) -> None:
        error = {"type": "invalid_request_error", "code": code, "message": message, "param": None}
        await self.send("error", error={**error, "event_id": event_id if isinstance(event_id, str) else None})

    # --- session and conversation

    async def _update(self, session: object, event_id: object) -> None:
        if not isinstance(session, dict) or session.get("type") != "realtime":
            await self._error("invalid_value", "session.type must be 'realtime'", event_id)
            return
        fixed = {"id", "object", "model", "expires_at"}
        self.settings |= {name: value for name, value in session.items() if name not in fixed}
        await self.send("session.updated", session=self.settings)

    async def _create_item(self, item: object, event_id: object) -> None:
        problem = self._item_problem(item)
        if problem or not isinstance(item, dict):
            await self._error("invalid_value", problem, event_id)
            return
        await self._add({**item, "id": item.get("id") or self.new_item_id()})

    def _item_problem(self, item: object) -> str:
        if not isinstance(item, dict) or item.get("type") not in ("message", "function_call", "function_call_output"):
            return "item.type must be message, function_call or function_call_output"
        if item.get("id") in self._ids():
            return f"there is an item {item['id']!r} already"
        if item["type"] == "message" and item.get("role") not in ("user", "assistant", "system"):
            return "item.role must be user, assistant or system"
        calls = {known.get("call_id") for known in self.items if known.get("type") == "function_call"}
        if item["type"] == "function_call_output" and item.get("call_id") not in calls:
            return f"there is no call {str(item.get('call_id'))[:80]!r}"
        return ""

    def _ids(self) -> set[str]:
        return {item["id"] for item in self.items}

    def new_item_id(self) -> str:
        return f"item_{next(self._numbers)}_{secrets.token_hex(4)}"

    async def _add(self, item: dict[str, Any]) -> None:
        whole = {"object": "realtime.item", "status": "completed", **item}
        previous = self.items[-1]["id"] if self.items else None
        self.items.append(whole)
        await self.send("conversation.item.added", previous_item_id=previous, item=whole)
        await self.send("conversation.item.done", previous_item_id=previous, item=whole)

    async def _delete_item(self, item_id: object, event_id: object) -> None:
        if item_id not in self._ids():
            await self._error("item_delete_invalid_item_id", f"there is no item {str(item_id)[:80]!r}", event_id)
            return
        self.items = [item for item in self.items if item["id"] != item_id]
        await self.send("conversation.item.deleted", item_id=item_id)

    # --- responses

    async def _create_response(self, wanted: object, event_id: object) -> None:
        if self._response is not None and not self._response.is_over:
            await self._error(
                "conversation_already_has_active_response", "a response is in progress; wait for its end", event_id
            )
            return
        self._response = _Response(self, wanted if isinstance(wanted, dict) else {})
        self._tasks.create_task(self._response.run())

    async def _cancel(self, event_id: object) -> None:
        if self._response is None or self._response.is_over:
            await self._error("response_cancel_not_active", "no response is in progress", event_id)
            return
        self._response.cancel()


class _Response:
    """One response: a call or a text, streamed. `conversation: "none"` takes nothing from the session's items and adds
    nothing to them."""

    def __init__(self, session: _Session, wanted: Mapping[str, Any]) -> None:
        self._session = session
        self._wanted = {name: value for name, value in wanted.items() if value is not None}
        self._apart = wanted.get("conversation") == "none"
        self._cancelled = False
        self.is_over = False
        self._about: dict[str, Any] = {
            "object": "realtime.response",
            "id": f"resp_{secrets.token_hex(8)}",
            "conversation_id": None if self._apart else "conv_offline",
            "status_details": None,
            "output_modalities": ["text"],
            "max_output_tokens": "inf",
            "metadata": wanted.get("metadata"),
        }

    def cancel(self) -> None:
        """The next piece is not sent any more. A flag and not a task's end, so that every response ends on the wire."""
        self._cancelled = True

    async def run(self) -> None:
        try:
            await self._send("response.created", response=self._whole("in_progress", []))
            item = await self._answer()
            if item["status"] == "completed":
                done = self._whole("completed", [item])
            else:
                self._about["status_details"] = {"type": "cancelled", "reason": "client_cancelled"}
                done = self._whole("cancelled", [item])
        finally:
            self.is_over = True
        await self._send("response.done", response=done)

    def _whole(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        usage = None if status == "in_progress" else _USAGE
        return {**self._about, "status": status, "output": output, "usage": usage}

    async def _answer(self) -> dict[str, Any]:
        settings = {**self._session.settings, **self._wanted}
        tools = frozenset(str(tool.get("name")) for tool in settings.get("tools") or () if isinstance(tool, dict))
        items = list(self._wanted.get("input") or ()) if self._apart else self._session.items
        heard, outputs = hear(str(settings.get("instructions") or ""), tools, items)
        step = plan(heard, outputs)
        if isinstance(step, Say):
            return await self._text(step.text)
        return await self._call(step.name, json.dumps(step.arguments))

    async def _begin(self, item: dict[str, Any]) -> str | None:
        await self._send("response.output_item.added", response_id=self._about["id"], output_index=0, item=item)
        if self._apart:
            return None
        previous = self._session.items[-1]["id"] if self._session.items else None
        await self._send("conversation.item.added", previous_item_id=previous, item=item)
        return previous

    async def _finish(self, item: dict[str, Any], previous: str | None) -> dict[str, Any]:
        if not self._apart:
            self._session.items.append(item)
            await self._send("conversation.item.done", previous_item_id=previous, item=item)
        await self._send("response.output_item.done", response_id=self._about["id"], output_index=0, item=item)
        return item

    async def _call(self, name: str, arguments: str) -> dict[str, Any]:
        item = {
            "id": self._session.new_item_id(),
            "object": "realtime.item",
            "type": "function_call",
            "status": "in_progress",
            "name": name,
            "call_id": f"call_{secrets.token_hex(12)}",
            "arguments": "",
        }
        previous = await self._begin(item)
        about = {"response_id": self._about["id"], "item_id": item["id"], "output_index": 0, "call_id": item["call_id"]}
        for start in range(0, len(arguments), _ARGUMENT_PIECE):
            piece = arguments[start : start + _ARGUMENT_PIECE]
            if await self._is_cancelled():
                return await self._finish({**item, "status": "incomplete"}, previous)
            await self._send("response.function_call_arguments.delta", **about, delta=piece)
        await self._send("response.function_call_arguments.done", **about, name=name, arguments=arguments)
        return await self._finish({**item, "status": "completed", "arguments": arguments}, previous)

    async def _text(self, text: str) -> dict[str, Any]:
        item: dict[str, Any] = {
            "id": self._session.new_item_id(),
            "object": "realtime.item",
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        previous = await self._begin(item)
        about = {"response_id": self._about["id"], "item_id": item["id"], "output_index": 0, "content_index": 0}
        await self._send("response.content_part.added", **about, part={"type": "text", "text": ""})
        for piece in _PIECE.findall(text):
            if await self._is_cancelled():
                return await self._finish({**item, "status": "incomplete"}, previous)
            await self._send("response.output_text.delta", **about, delta=piece)
        await self._send("response.output_text.done", **about, text=text)
        await self._send("response.content_part.done", **about, part={"type": "text", "text": text})
        content = [{"type": "output_text", "text": text}]
        return await self._finish({**item, "status": "completed", "content": content}, previous)

    async def _is_cancelled(self) -> bool:
        await asyncio.sleep(0)  # lets the reader take a cancel that came meanwhile
        return self._cancelled

    async def _send(self, kind: str, **fields: Any) -> None:
        await self._session.send(kind, **fields)
