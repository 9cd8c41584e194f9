"""Plays the outputs of one scripted Realtime response, frame by frame, with the faults of the script."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.fakes.realtime_script import Answer, Call, Output, Say

if TYPE_CHECKING:
    from tests.fakes.realtime_peer import Peer


class Stop(Exception):
    """The connection is over by the script."""


class Stream:
    """Plays the outputs of one response."""

    def __init__(self, peer: Peer, answer: Answer, response_id: str, cancel: asyncio.Event) -> None:
        self._peer = peer
        self._answer = answer
        self._where: dict[str, Any] = {"response_id": response_id}
        self._cancel = cancel
        self._deltas = 0

    async def play(self, outputs: list[dict[str, Any]]) -> str:
        """Returns the status of the response; `outputs` gets the items as they ended."""
        answer = self._answer
        for index, output in enumerate(answer.outputs):
            last = index == len(answer.outputs) - 1
            stop_half_way = last and answer.status != "completed"
            self._where = {"response_id": self._where["response_id"], "output_index": index}
            item, whole = await self._output(output, stop_half_way)
            outputs.append(item)
            if not whole and self._cancel.is_set():
                return "cancelled"
        if answer.cut is not None and self._deltas <= answer.cut_after:
            await self._peer.break_off(answer.cut, answer, self._cancel)
            return "cancelled"
        return answer.status

    async def _output(self, output: Output, stop_half_way: bool) -> tuple[dict[str, Any], bool]:
        item: dict[str, Any] = {"id": self._peer.new_item_id(), "object": "realtime.item"}
        if isinstance(output, Say):
            item |= {"type": "message", "status": "in_progress", "role": "assistant", "content": []}
            pieces = output.split()
        else:
            call_id = output.call_id or self._peer.next_call_id()
            item |= {"type": "function_call", "status": "in_progress", "name": output.name}
            item |= {"call_id": call_id, "arguments": ""}
            text, size = output.arguments, self._peer.chunk_chars
            pieces = [text[start : start + size] for start in range(0, len(text), size)]
        items = self._peer.items
        previous = items[-1]["id"] if items else None
        await self._emit("response.output_item.added", item=dict(item))
        items.append(item)
        await self._peer.emit("conversation.item.added", previous_item_id=previous, item=dict(item))
        if stop_half_way:
            pieces = pieces[: len(pieces) // 2]
        if isinstance(output, Say):
            whole = await self._message(item, output, pieces)
        else:
            whole = await self._call(item, output, pieces)
        whole = whole and not stop_half_way
        if not whole:
            item["status"] = "incomplete"
        await self._peer.emit("conversation.item.done", previous_item_id=previous, item=dict(item))
        await self._emit("response.output_item.done", item=dict(item))
        return item, whole

    async def _message(self, item: dict[str, Any], output: Say, pieces: list[str]) -> bool:
        at = {"item_id": item["id"], "content_index": 0}
        await self._emit("response.content_part.added", **at, part={"type": "text", "text": ""})
        text, whole = "", True
        for piece in pieces:
            if not await self._may_go_on():
                whole = False
                break
            text += piece
            if output.deltas:
                await self._emit("response.output_text.delta", **at, delta=piece)
        await self._emit("response.output_text.done", **at, text=text)
        await self._emit("response.content_part.done", **at, part={"type": "text", "text": text})
        item |= {"status": "completed", "content": [{"type": "output_text", "text": text}]}
        return whole

    async def _call(self, item: dict[str, Any], output: Call, pieces: list[str]) -> bool:
        at = {"item_id": item["id"], "call_id": item["call_id"]}
        text, whole = "", True
        for piece in pieces:
            if not await self._may_go_on():
                whole = False
                break
            text += piece
            await self._emit("response.function_call_arguments.delta", **at, delta=piece)
        # The real server says "done" also where the arguments were cut off.
        await self._emit("response.function_call_arguments.done", **at, name=item["name"], arguments=text)
        item |= {"status": output.item_status, "arguments": text}
        return whole

    async def _may_go_on(self) -> bool:
        """False where the response was cancelled; carries out the fault of the script when its time has come."""
        if self._answer.cut is not None and self._deltas >= self._answer.cut_after:
            await self._peer.break_off(self._answer.cut, self._answer, self._cancel)
        self._deltas += 1
        return not self._cancel.is_set()

    async def _emit(self, kind: str, **body: Any) -> None:
        await self._peer.emit(kind, **{**self._where, **body})
