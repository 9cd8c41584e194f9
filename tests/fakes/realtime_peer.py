"""One accepted socket of the scripted Realtime server: its session, its copy of the conversation, what it refuses."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from tests.fakes.realtime_script import (
    Answer,
    Busy,
    Call,
    CloseAtOnce,
    Cut,
    Error,
    NoCreated,
    NoUpdated,
    Say,
    Silence,
    Step,
    fail,
)
from tests.fakes.realtime_stream import Stop, Stream

if TYPE_CHECKING:
    from tests.fakes.realtime_server import ScriptedRealtimeServer

_CONTENT = {"user": "input_text", "system": "input_text", "assistant": "output_text"}
_AUDIO = {"format": {"type": "audio/pcm", "rate": 24000}}


class Peer:
    """One accepted socket with its session and its copy of the conversation."""

    def __init__(
        self, server: ScriptedRealtimeServer, number: int, request: web.Request, socket: web.WebSocketResponse
    ) -> None:
        self.number = number
        self.items: list[dict[str, Any]] = []
        self._server = server
        self._request = request
        self._socket = socket
        self._events = itertools.count(1)
        self._ids = itertools.count(1)
        self._responses = itertools.count(1)
        self._cancel: asyncio.Event | None = None
        """Set while a response is active."""
        self._noise = False
        self._no_updated = False
        self._sending = asyncio.Lock()
        expires = server.expires_at if server.expires_at is not None else int(time.time()) + 3600
        self.session: dict[str, Any] = {
            "type": "realtime",
            "object": "realtime.session",
            "id": f"sess_{number:04d}",
            "model": request.query.get("model", ""),
            "output_modalities": ["audio"],
            "instructions": "default",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "prompt": None,
            "truncation": "auto",
            "expires_at": expires,
            "include": None,
            "audio": {"input": {**_AUDIO, "turn_detection": {"type": "server_vad"}}, "output": {**_AUDIO}},
        }

    # -- the connection

    async def run(self, step: Step | None) -> None:
        try:
            if isinstance(step, CloseAtOnce):
                if step.error is not None:
                    await self._emit("error", error={**step.error})
                await self._socket.close(code=step.code, message=step.reason.encode())
                return
            self._no_updated = isinstance(step, NoUpdated)
            if not isinstance(step, NoCreated):
                await self._emit("session.created", session=self.session)
            async with asyncio.TaskGroup() as tasks:
                try:
                    await self._read(tasks)
                finally:
                    if self._cancel is not None:
                        self._cancel.set()
        except* (ConnectionError, Stop):
            pass

    def abort(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self, code: int, error: str = "") -> None:
        if error:
            await self._error(error, f"{error}: said by the script")
        await self._socket.close(code=code, message=error.encode())

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                continue
            event = json.loads(message.data)
            await self._server.log(self.number, "client", event)
            match event.get("type"):
                case "session.update":
                    await self._session_update(event)
                case "conversation.item.create":
                    await self._item_create(event)
                case "conversation.item.delete":
                    await self._item_delete(event)
                case "response.create":
                    await self._response_create(event, tasks)
                case "response.cancel":
                    await self._response_cancel(event)
                case kind:
                    await self._error("invalid_value", f"Invalid value: '{kind}'.", event, "type")

    # -- client events

    async def _session_update(self, event: dict[str, Any]) -> None:
        session = event.get("session", {})
        problem = _session_problem(session, self.session["model"])
        if problem:
            await self._error("unknown_parameter", problem, event, f"session.{problem.split()[0]}")
        elif not self._no_updated:
            self.session = {**self.session, **session}
            await self._emit("session.updated", session=self.session)

    async def _item_create(self, event: dict[str, Any]) -> None:
        item = event.get("item", {})
        problem = "refused by the script" if self._server.refuse_items else self._item_problem(item)
        if problem:
            await self._error("invalid_value", problem, event, "item")
            return
        await self._add({"id": f"item_{self.number}_{next(self._ids)}", "status": "completed", **item})

    def _item_problem(self, item: dict[str, Any]) -> str:
        item_id = item.get("id")
        if isinstance(item_id, str) and len(item_id) > 32:
            return "Invalid 'item.id': string too long. Expected a string with maximum length 32."
        if item_id is not None and any(known["id"] == item_id for known in self.items):
            return f"Item with id '{item_id}' exists already."
        match item.get("type"):
            case "message":
                kinds = {part.get("type") for part in item.get("content", ())}
                if kinds != {_CONTENT.get(item.get("role", ""))}:
                    return f"Invalid content for role {item.get('role')!r}: {kinds}."
                if not all(part.get("text") for part in item["content"]):
                    return "Empty text."
                return ""
            case "function_call":
                return "" if {"call_id", "name", "arguments"} <= item.keys() else "Missing fields of a function_call."
            case "function_call_output":
                if not any(
                    known["type"] == "function_call" and known["call_id"] == item.get("call_id") for known in self.items
                ):
                    return f"Tool call ID '{item.get('call_id')}' not found in conversation."
                return ""
            case kind:
                return f"Invalid item type {kind!r}."

    async def _item_delete(self, event: dict[str, Any]) -> None:
        item_id = event.get("item_id")
        if not any(item["id"] == item_id for item in self.items):
            await self._error("item_delete_invalid_item_id", f"Item '{item_id}' does not exist.", event, "item_id")
            return
        self.items = [item for item in self.items if item["id"] != item_id]
        await self._emit("conversation.item.deleted", item_id=item_id)

    async def _response_cancel(self, event: dict[str, Any]) -> None:
        if self._cancel is None:
            message = "Cancellation failed: no active response found"
            await self._error("response_cancel_not_active", message, event)
        else:
            self._cancel.set()

    async def _response_create(self, event: dict[str, Any], tasks: asyncio.TaskGroup) -> None:
        if self._cancel is not None:
            await self._active(event)
            return
        step = self._server.next_step()
        if callable(step):
            step = step(tuple(self.items))
        if isinstance(step, Busy):
            await self._active(event)
            if step.done:
                await self._done(self._response("resp_other"), "completed", [], Answer())
            return
        if isinstance(step, Error):
            await self._emit("error", error={"event_id": event.get("event_id"), "param": None, **step.error})
            return
        answered = {item["call_id"] for item in self.items if item["type"] == "function_call_output"}
        self._server.open_calls += [
            (self.number, item["call_id"])
            for item in self.items
            if item["type"] == "function_call" and item["call_id"] not in answered
        ]
        if isinstance(step, Say | Call):
            step = Answer((step,))
        if step is None:
            self._server.script_over = True
            step = fail("server_error", "the script has no step for this response")
        if isinstance(step, Silence):
            step = Answer((), cut="silence", cut_after=0, skip_created=True)
        assert isinstance(step, Answer), f"{step!r} is no step of a response.create"
        self._cancel = asyncio.Event()
        tasks.create_task(self._respond(step))

    async def _active(self, event: dict[str, Any]) -> None:
        message = "Conversation already has an active response in progress. Wait until it is finished."
        await self._error("conversation_already_has_active_response", message, event)

    # -- responses

    async def _respond(self, answer: Answer) -> None:
        cancel = self._cancel
        assert cancel is not None
        response = self._response(f"resp_{self.number}_{next(self._responses)}")
        self._noise = answer.noise
        outputs: list[dict[str, Any]] = []
        try:
            if not answer.skip_created:
                await self._emit("response.created", response={**response, "status": "in_progress"})
            remaining = 39_500 if answer.empty_limits_s is None else 0
            limit = {"name": "tokens", "limit": 40_000, "remaining": remaining}
            await self._emit(
                "rate_limits.updated", rate_limits=[{**limit, "reset_seconds": answer.empty_limits_s or 0.7}]
            )
            stream = Stream(self, answer, response["id"], cancel)
            status = await stream.play(outputs)
            self._cancel = None
            await self._done(response, status, outputs, answer)
            if answer.then is not None:
                await self.break_off(answer.then, answer, cancel)
        except (ConnectionError, Stop):
            return
        finally:
            self._noise = False
            if self._cancel is cancel:
                self._cancel = None

    def _response(self, response_id: str) -> dict[str, Any]:
        return {
            "object": "realtime.response",
            "id": response_id,
            "status_details": None,
            "conversation_id": f"conv_{self.number}",
            "output_modalities": self.session["output_modalities"],
            "max_output_tokens": "inf",
            "metadata": None,
            "audio": {"output": {**_AUDIO, "voice": "alloy"}},
            "output": [],
            "usage": None,
        }

    async def _done(self, response: dict[str, Any], status: str, outputs: list[dict[str, Any]], answer: Answer) -> None:
        details: dict[str, Any] | None = None
        if status == "cancelled":
            details = {"type": "cancelled", "reason": "client_cancelled"}
        elif status != "completed":
            details = {"type": status, "reason": answer.reason, "error": answer.error}
        given, cached, made = answer.usage
        usage = {
            "total_tokens": given + made,
            "input_tokens": given,
            "output_tokens": made,
            "input_token_details": {
                "text_tokens": given,
                "audio_tokens": 0,
                "image_tokens": 0,
                "cached_tokens": cached,
                "cached_tokens_details": {"text_tokens": cached, "audio_tokens": 0, "image_tokens": 0},
            },
            "output_token_details": {"text_tokens": made, "audio_tokens": 0},
        }
        body = {**response, "status": status, "status_details": details, "output": outputs, "usage": usage}
        await self._emit("response.done", response=body)

    async def break_off(self, how: Cut, answer: Answer, cancel: asyncio.Event) -> None:
        """Carries out a fault. Returns only for `silence`, once the response is cancelled."""
        match how:
            case "silence":
                await cancel.wait()
                return
            case "abort":
                self.abort()
            case "expire":
                await self.close(1001, "session_expired")
            case "close":
                await self._socket.close(code=answer.close_code, message=b"closed by the script")
        raise Stop

    # -- frames

    def new_item_id(self) -> str:
        return f"item_{self.number}_{next(self._ids)}"

    def next_call_id(self) -> str:
        return self._server.next_call_id()

    @property
    def chunk_chars(self) -> int:
        return self._server.chunk_chars

    async def _add(self, item: dict[str, Any]) -> None:
        item = {"object": "realtime.item", **item}
        previous = self.items[-1]["id"] if self.items else None
        self.items.append(item)
        await self._emit("conversation.item.added", previous_item_id=previous, item=item)
        await self._emit("conversation.item.done", previous_item_id=previous, item=item)

    async def _error(
        self, code: str, message: str, event: Mapping[str, Any] | None = None, param: str | None = None
    ) -> None:
        event_id = event.get("event_id") if event is not None else None
        error = {"type": "invalid_request_error", "code": code, "message": message, "param": param}
        await self._emit("error", error={**error, "event_id": event_id})

    async def emit(self, kind: str, **body: Any) -> None:
        await self._emit(kind, **body)

    async def _emit(self, kind: str, **body: Any) -> None:
        if self._noise:
            await self._send({"type": "response.sparkle.delta", "event_id": "event_x", "delta": {"no": ["idea"]}})
            body = {**body, "extra_field": {"nested": [1, None, "x"]}}
        await self._send({"type": kind, "event_id": f"event_{next(self._events):04d}", **body})

    async def _send(self, frame: dict[str, Any]) -> None:
        async with self._sending:
            await self._server.log(self.number, "server", frame)
            await self._socket.send_str(json.dumps(frame))


def _session_problem(session: Mapping[str, Any], model: str) -> str:
    if session.get("type") != "realtime":
        return "type must be 'realtime'."
    if session.get("output_modalities") not in (["text"], ["audio"]):
        return "output_modalities must be ['text'] or ['audio']."
    for tool in session.get("tools", ()):
        if set(tool) != {"type", "name", "description", "parameters"} or tool["type"] != "function":
            return f"tools has a function of another form: {sorted(tool)}."
    if "reasoning" in session and not model.startswith("gpt-realtime-2"):
        return f"reasoning is not supported by the model {model!r}."
    if "temperature" in session or "modalities" in session:
        return "temperature and modalities belong to the Beta API."
    return ""
