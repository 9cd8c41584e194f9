"""One response of a Realtime server, from its frames to model events. Pure; knows no socket and no time.

Owns the rule when a function may run: only from a finished output item, and only once the whole response is completed. So a
response that is cancelled, cut off or lost has run nothing, and asking again is safe.
"""

from __future__ import annotations

from collections.abc import Iterator

from spark.adapters.models.realtime_errors import of_wire
from spark.adapters.models.realtime_memory import Tail
from spark.adapters.models.realtime_wire import (
    Frame,
    Other,
    OutputItem,
    RateLimits,
    ResponseDone,
    TextDelta,
    TextDone,
)
from spark.adapters.models.spent import usage_details
from spark.core.conversation import CallReceived, FunctionCall, ModelEvent, ResponseEnded, TextReceived, TokenUsage
from spark.core.ids import new_id


class StreamedResponse:
    """Collects one response. `done` once its `response.done` came; `tail` is what it left in the server's copy."""

    def __init__(self, host: str, response_id: str = "") -> None:
        self.response_id = response_id
        self.done = False
        self.usage = TokenUsage()
        self.tail = Tail()
        self.shown = False
        """Whether an event was handed out: from then on the response must not be asked for again."""
        self._host = host
        self._text: dict[tuple[str, int], str] = {}
        self._calls: list[FunctionCall] = []
        self._exhausted_s: float | None = None

    def owns(self, response_id: str) -> bool:
        """Whether a frame of this response id is part of it; servers that name no id have one response at a time."""
        return not response_id or not self.response_id or response_id == self.response_id

    def concerns(self, frame: Frame) -> bool:
        """Whether a frame shows that this response goes on."""
        if isinstance(frame, RateLimits):
            return True
        response_id = getattr(frame, "response_id", None)
        if isinstance(frame, Other):
            return bool(response_id) and response_id == self.response_id
        return response_id is not None and self.owns(response_id)

    def take(self, frame: Frame) -> Iterator[ModelEvent]:
        """The events of one frame. Raises `Unavailable` where the response failed by the world's fault."""
        match frame:
            case TextDelta(item_id=item_id, part=part, text=text) if self.owns(frame.response_id):
                yield from self._say(item_id, part, text)
            case TextDone(item_id=item_id, part=part, text=text) if self.owns(frame.response_id):
                seen = self._text.get((item_id, part), "")
                if text.startswith(seen):
                    yield from self._say(item_id, part, text[len(seen) :])
            case OutputItem() if self.owns(frame.response_id):
                self._output(frame)
            case RateLimits(exhausted_s=wait_s):
                self._exhausted_s = wait_s
            case ResponseDone() if self.owns(frame.response_id):
                yield from self._end(frame)

    def _say(self, item_id: str, part: int, text: str) -> Iterator[ModelEvent]:
        if text:
            self._text[item_id, part] = self._text.get((item_id, part), "") + text
            self.shown = True
            yield TextReceived(text)

    def _output(self, frame: OutputItem) -> None:
        tail = self.tail
        if not frame.item_id:
            return
        if frame.kind == "message":
            if frame.item_id not in tail.text_ids:
                tail.text_ids.append(frame.item_id)
        elif frame.kind == "function_call" and frame.item_id not in tail.calls.values():
            # Until it is done, a call is something to delete: the response may end before it does.
            if frame.item_id not in tail.extra:
                tail.extra.append(frame.item_id)
            if frame.done and frame.status == "completed" and frame.call_id and frame.call_id not in tail.calls:
                tail.extra.remove(frame.item_id)
                tail.calls[frame.call_id] = frame.item_id
                # Servers count items anew in every session; the conversation needs an id that stays its own.
                self._calls.append(FunctionCall(new_id("item"), frame.call_id, frame.name, frame.arguments))

    def _end(self, frame: ResponseDone) -> Iterator[ModelEvent]:
        self.done = True
        self.usage = frame.usage
        self.tail.text = "".join(self._text.values())
        if frame.status != "completed":
            # None of its calls runs, so none will get an output.
            self.tail.extra.extend(self.tail.calls.values())
            self.tail.calls = {}
        match frame.status:
            case "completed":
                for call in self._calls:
                    self.shown = True
                    yield CallReceived(call)
                yield ResponseEnded("completed", frame.usage)
            case "cancelled":
                yield ResponseEnded("cancelled", frame.usage, frame.reason)
            case "incomplete":
                yield ResponseEnded("incomplete", frame.usage, frame.reason or "incomplete", frame.error.message)
            case _:
                yield self._failed(frame)

    def _failed(self, frame: ResponseDone) -> ResponseEnded:
        error = of_wire(frame.error, self._host, retry_after_s=self._exhausted_s)
        if error is not None:
            if frame.usage != TokenUsage():
                error.details["usage"] = usage_details(frame.usage)
            raise error
        code = frame.error.code or frame.error.type or frame.reason or frame.status or "failed"
        return ResponseEnded("failed", frame.usage, code, frame.error.message)
