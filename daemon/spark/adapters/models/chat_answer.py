"""One answer of a chat-completions server, from its chunks to model events. Pure; knows no connection and no time.

Owns what an answer is: text, calls however they are written, and whether it came to its end. Calls come out only of a
whole answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spark.adapters.models.chat_actions import parse_action
from spark.adapters.models.chat_calls import CallAccumulator, CallDelta, is_json_object, new_call, plain_arguments
from spark.adapters.models.chat_text_calls import CallsInText
from spark.adapters.models.received import (
    ARGUMENTS_BYTES,
    ID_CHARS,
    NAME_CHARS,
    Allowance,
    TextPieces,
    calls_allowance,
    clean,
    size_of,
    text_allowance,
)
from spark.core.conversation import (
    CallReceived,
    FunctionCall,
    ModelEvent,
    ResponseEnded,
    ResponseRequest,
    TextReceived,
    TokenUsage,
)

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk

_UNFINISHED: Final = {
    "length": ("max_output_tokens", "the answer was cut off at the model's limit of output tokens"),
    "content_filter": ("content_filter", "the server's content filter stopped the answer"),
}


class ChatAnswer:
    """What a stream has brought so far. `reads_actions`: its text is one JSON action."""

    def __init__(self, request: ResponseRequest, reads_actions: bool) -> None:
        names = frozenset(tool.name for tool in request.tools) if request.json_schema is None else frozenset()
        self._names = names
        self._reads_actions = reads_actions
        self._in_text = CallsInText(names) if names and not reads_actions else None
        self._calls = CallAccumulator()
        self._pieces = TextPieces()
        # An action is an answer's text, and holds the arguments of a call.
        actions = f"{ARGUMENTS_BYTES:,} bytes in one action"
        self._allowance = Allowance(ARGUMENTS_BYTES, actions) if reads_actions else text_allowance()
        self._content: list[str] = []
        self._finish_reason: str | None = None
        self._usage = TokenUsage()
        self._anything = False

    def take(self, chunk: ChatCompletionChunk) -> str:
        """Takes a chunk; gives the text that may be shown now. Servers leave fields out: nothing is relied on.

        Raises `AnswerTooLarge`.
        """
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self._usage = _usage(usage)
        shown = ""
        for choice in getattr(chunk, "choices", None) or ():
            self._finish_reason = getattr(choice, "finish_reason", None) or self._finish_reason
            delta = getattr(choice, "delta", None)
            if delta is None:
                continue
            for call in getattr(delta, "tool_calls", None) or ():
                self._calls.add(_delta(call))
            content = getattr(delta, "content", None)
            if content and isinstance(content, str):
                self._anything = True
                self._allowance.spend(size_of(content))
                shown += self._take_text(self._pieces.feed(content))
        return shown

    def _take_text(self, content: str) -> str:
        if self._reads_actions:
            self._content.append(content)
            return ""
        return content if self._in_text is None else self._in_text.feed(content)

    def finish(self) -> list[ModelEvent]:
        """The events behind the streamed text, `ResponseEnded` last. Calls are given only where the answer is whole."""
        events: list[ModelEvent] = []
        shown = self._take_text(self._pieces.finish())
        text, calls = self._rest()
        text = shown + text
        calls_allowance().spend(len(calls))
        if text:
            events.append(TextReceived(text))
        ended = self._ended(bool(calls))
        if ended.status == "completed":
            events += [CallReceived(call) for call in calls]
        return [*events, ended]

    def _rest(self) -> tuple[str, list[FunctionCall]]:
        calls = self._calls.finish()
        if self._reads_actions and not calls:
            return self._action()
        if self._in_text is None:
            return "", calls
        text, written = self._in_text.finish()
        if calls:
            return text, calls
        return text, [_call(call.name, call.arguments) for call in written]

    def _action(self) -> tuple[str, list[FunctionCall]]:
        answer = "".join(self._content)
        action = parse_action(answer, self._names)
        action = replace(action, text=clean(action.text))
        if action.name is not None:
            return "", [_call(action.name, action.arguments)]
        # Half an action, cut off at the limit, is no text for anybody.
        is_cut = self._finish_reason == "length" and action.text == clean(answer)
        return ("" if is_cut else action.text), []

    def _ended(self, has_calls: bool) -> ResponseEnded:
        if self._finish_reason in _UNFINISHED:
            code, message = _UNFINISHED[self._finish_reason]
            return ResponseEnded("incomplete", self._usage, code, message)
        if not (self._anything or self._calls):
            return ResponseEnded("failed", self._usage, "empty_answer", "the server sent an answer without content")
        if self._calls and not has_calls:
            return ResponseEnded(
                "failed", self._usage, "nameless_call", "the server sent a function call without a name"
            )
        if self._finish_reason is None:
            return ResponseEnded("incomplete", self._usage, "stream_ended_early", "the stream ended in mid-answer")
        return ResponseEnded("completed", self._usage)


def _call(name: str, arguments: str) -> FunctionCall:
    plain = plain_arguments(arguments)
    return new_call(name, plain if is_json_object(plain) else arguments)


def _delta(call: Any) -> CallDelta:
    function = getattr(call, "function", None)
    arguments = getattr(function, "arguments", None)
    index = getattr(call, "index", None)
    return CallDelta(
        index if isinstance(index, int) else None,
        _short_text(getattr(call, "id", None), ID_CHARS),
        _short_text(getattr(function, "name", None), NAME_CHARS),
        arguments if isinstance(arguments, str | dict) else None,
    )


def _short_text(value: object, max_chars: int) -> str:
    return value[:max_chars] if isinstance(value, str) else ""


def _usage(usage: Any) -> TokenUsage:
    details = getattr(usage, "prompt_tokens_details", None)
    return TokenUsage(
        _count(usage, "prompt_tokens"), _count(details, "cached_tokens"), _count(usage, "completion_tokens")
    )


def _count(holder: object, name: str) -> int:
    count = getattr(holder, name, None)
    return count if isinstance(count, int) and 0 <= count < 10**15 else 0
