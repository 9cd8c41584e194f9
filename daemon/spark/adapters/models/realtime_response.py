"""One response of a Realtime server, from its frames to model events. Pure; knows no socket and no time.

Owns the rule when a function may run: only from a finished output item, and only once the whole response is completed. So a
response that is cancelled, cut off or lost has run nothing, and asking again is safe.
"""

from __future__ import annotations

from collections.abc import Iterator

from spark.adapters.models.realtime_errors import of_wire
from spark.adapters.models.realtime_memory import Tail
from spark.adapters.models.realtime_wire import (
    ArgumentsDelta,
    Frame,
    Other,
    OutputItem,
    RateLimits,
    ResponseDone,
    TextDelta,
    TextDone,
)
from spark.adapters.models.received import (
    CALLS,
    Allowance,
    TextPieces,
    arguments_allowance,
    calls_allowance,
    size_of,
    text_allowance,
)
from spark.adapters.models.spent import usage_details
from spark.core.conversation import CallReceived, FunctionCall, ModelEvent, ResponseEnded, TextReceived, TokenUsage
from spark.core.ids import new_id


class _Part:
    """One part of the text as it was handed out."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.pieces = TextPieces()


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
        self._parts: dict[tuple[str, int], _Part] = {}
        self._calls: list[FunctionCall] = []
        self._items: dict[str, Allowance] = {}
        """The output items, each with what its arguments may still bring."""
        self._text_allowance = text_allowance()
        self._calls_allowance = calls_allowance()
        self._parts_allowance = Allowance(CALLS, f"{CALLS} parts of text")
        self.ignores = False
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

    def ignore_rest(self) -> None:
        """From now on only the end of the response counts: it is being cancelled."""
        self.ignores = True

    def take(self, frame: Frame) -> Iterator[ModelEvent]:
        """The events of one frame. Raises `Unavailable` where the response failed by the world's fault, and
        `AnswerTooLarge` where it passes a limit."""
        if self.ignores and not isinstance(frame, ResponseDone):
            return
        match frame:
            case TextDelta(item_id=item_id, part=part, text=text) if self.owns(frame.response_id):
                one = self._part(item_id, part)
                yield from self._say(one, one.pieces.feed(text))
            case TextDone(item_id=item_id, part=part, text=text) if self.owns(frame.response_id):
                one = self._part(item_id, part)
                seen = "".join(one.text)
                if text.startswith(seen):
                    one.pieces = TextPieces()
                    yield from self._say(one, text[len(seen) :])
            case ArgumentsDelta(item_id=item_id, size=size) if self.owns(frame.response_id):
                self._item(item_id).spend(size)
            case OutputItem() if self.owns(frame.response_id):
                self._output(frame)
            case RateLimits(exhausted_s=wait_s):
                self._exhausted_s = wait_s
            case ResponseDone() if self.owns(frame.response_id):
                yield from self._end(frame)

    def _part(self, item_id: str, part: int) -> _Part:
        found = self._parts.get((item_id, part))
        if found is None:
            self._parts_allowance.spend(1)
            found = self._parts[item_id, part] = _Part()
        return found

    def _item(self, item_id: str) -> Allowance:
        found = self._items.get(item_id)
        if found is None:
            self._calls_allowance.spend(1)
            found = self._items[item_id] = arguments_allowance()
        return found

    def _say(self, part: _Part, text: str) -> Iterator[ModelEvent]:
        if text:
            self._text_allowance.spend(size_of(text))
            part.text.append(text)
            self.shown = True
            yield TextReceived(text)

    def _output(self, frame: OutputItem) -> None:
        tail = self.tail
        if not frame.item_id:
            return
        if frame.kind == "message":
            if frame.item_id not in tail.text_ids:
                self._part(frame.item_id, 0)  # counts it
                tail.text_ids.append(frame.item_id)
        elif frame.kind == "function_call" and frame.item_id not in tail.calls.values():
            self._item(frame.item_id)  # counts it
            # Until it is done, a call is something to delete: the response may end before it does.
            if frame.item_id not in tail.extra:
                tail.extra.append(frame.item_id)
            if frame.done and frame.status == "completed" and frame.call_id and frame.call_id not in tail.calls:
                arguments_allowance().spend(size_of(frame.arguments))
                tail.extra.remove(frame.item_id)
                tail.calls[frame.call_id] = frame.item_id
                # Servers count items anew in every session; the conversation needs an id that stays its own. The call's id
                # stays the server's: by it a call that comes again after a reconnect is known, and not run twice.
                self._calls.append(FunctionCall(new_id("item"), frame.call_id, frame.name, frame.arguments))

    def _end(self, frame: ResponseDone) -> Iterator[ModelEvent]:
        self.done = True
        self.usage = frame.usage
        for part in self._parts.values():
            if not self.ignores:
                yield from self._say(part, part.pieces.finish())
        self.tail.text = "".join(piece for part in self._parts.values() for piece in part.text)
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
