"""The backend `chat`: any OpenAI-compatible chat-completions server (Ollama, LM Studio, llama.cpp, vLLM, OpenAI itself).

Owns one HTTP client and what it learned of its server (which features it refused). Keeps no conversation: every request
carries all of it. Retries nothing that was answered; that is the guard's work.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from spark.adapters.models.chat_actions import action_instructions, action_schema, parse_action
from spark.adapters.models.chat_calls import CallAccumulator, CallDelta, is_json_object, plain_arguments
from spark.adapters.models.chat_errors import refused_feature, unavailable
from spark.adapters.models.chat_messages import action_messages, native_messages
from spark.adapters.models.chat_text_calls import CallsInText
from spark.adapters.models.choice import ToolMode, is_loopback
from spark.core import limits
from spark.core.conversation import (
    CallReceived,
    FunctionCall,
    ModelEvent,
    ResponseEnded,
    ResponseRequest,
    TextReceived,
    TokenUsage,
)
from spark.core.errors import Unavailable
from spark.core.ids import new_id
from spark.core.reasoning import settings_for, with_sentence
from spark.core.tool import chat_schema

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk

_PLACEHOLDER_KEY: Final = "none"
_UNFINISHED: Final = {
    "length": ("max_output_tokens", "the answer was cut off at the model's limit of output tokens"),
    "content_filter": ("content_filter", "the server's content filter stopped the answer"),
}


@dataclass(frozen=True, slots=True)
class ChatTimes:
    """Time limits in seconds. `first_event_s` counts from the request to the first piece of the answer."""

    connect_s: float = limits.CONNECT_TIMEOUT_S
    first_event_s: float = limits.FIRST_EVENT_TIMEOUT_S
    idle_s: float = limits.IDLE_IN_RESPONSE_S


# A local server reads the whole prompt, and often loads the model first, before it sends anything.
LOCAL_TIMES: Final = ChatTimes(first_event_s=limits.LOCAL_FIRST_EVENT_TIMEOUT_S)


class OpenAiChat:
    """A `ModelLink` over `POST {url}/chat/completions`. `tool_mode` None: native until the server refuses `tools`."""

    def __init__(
        self,
        *,
        url: str,
        model: str,
        api_key: str | None,
        key_source: str,
        host: str,
        tool_mode: ToolMode | None = None,
        times: ChatTimes | None = None,
    ) -> None:
        self._url = url
        self._model = model
        self._api_key = api_key
        self._key_source = key_source
        self._host = host
        self._times = times or (LOCAL_TIMES if is_loopback(url) else ChatTimes())
        self._client: AsyncOpenAI | None = None
        self._refused: set[str] = {"tools"} if tool_mode == "actions" else set()

    @property
    def backend(self) -> Literal["realtime", "chat", "offline"]:
        return "chat"

    @property
    def model(self) -> str:
        return self._model

    @property
    def host(self) -> str:
        return self._host

    @property
    def key_source(self) -> str:
        return self._key_source

    @property
    def tool_mode(self) -> ToolMode:
        """How functions are called: `actions` once the server refused `tools`, or from the start where chosen."""
        return "actions" if "tools" in self._refused else "native"

    async def respond(self, request: ResponseRequest) -> AsyncGenerator[ModelEvent]:
        """As `core.ports.ModelLink`. Function calls come at the end of the stream, when all of them are complete."""
        loop = asyncio.get_running_loop()
        first_event_at = loop.time() + self._times.first_event_s
        stream = await self._open(request, first_event_at)
        try:
            answer = _Answer(request, self._reads_actions(request))
            async for chunk in self._chunks(stream, first_event_at):
                text = answer.take(chunk)
                if text:
                    yield TextReceived(text)
            for event in answer.finish():
                yield event
        finally:
            await stream.close()

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    # --- the request

    def _reads_actions(self, request: ResponseRequest) -> bool:
        return bool(request.tools) and request.json_schema is None and self.tool_mode == "actions"

    def _payload(self, request: ResponseRequest) -> dict[str, Any]:
        settings = settings_for("chat", request.reasoning)
        instructions = with_sentence(request.instructions, "chat", request.reasoning)
        payload: dict[str, Any] = {
            "model": request.model or self._model,
            "stream_options": {"include_usage": True},
            "temperature": settings.temperature,
        }
        if self._reads_actions(request):
            instructions = f"{action_instructions(request.tools)}\n\n{instructions}"
            payload["messages"] = action_messages(instructions, request.items)
            payload["response_format"] = _json_format("action", action_schema(request.tools, request.tool_choice))
        else:
            payload["messages"] = native_messages(instructions, request.items)
            if request.json_schema is not None:
                payload["response_format"] = _json_format("answer", dict(request.json_schema))
            elif request.tools:
                payload["tools"] = [chat_schema(tool) for tool in request.tools]
                payload["tool_choice"] = request.tool_choice
        return {name: value for name, value in payload.items() if value is not None and name not in self._refused}

    async def _open(self, request: ResponseRequest, first_event_at: float) -> AsyncStream[ChatCompletionChunk]:
        """Sends the request; once more without it for each feature that the server refuses."""
        client = await self._ready_client()
        import openai

        while True:
            payload = self._payload(request)
            try:
                async with asyncio.timeout_at(first_event_at):
                    stream: AsyncStream[ChatCompletionChunk] = await client.chat.completions.create(
                        **payload, stream=True
                    )
                    return stream
            except TimeoutError as error:
                raise self._too_slow() from error
            except openai.APIError as error:
                feature = refused_feature(error, payload)
                if feature is None:
                    raise unavailable(error, host=self._host, model=self._model, url=self._url) from error
                self._refused.add(feature)

    async def _ready_client(self) -> AsyncOpenAI:
        if self._client is None:
            # Nearly a second of imports: off the loop, so that nobody else waits.
            openai = await asyncio.to_thread(importlib.import_module, "openai")
            self._client = openai.AsyncOpenAI(
                # Without a key the SDK would take OPENAI_API_KEY and send it to whatever host this is.
                api_key=self._api_key or _PLACEHOLDER_KEY,
                base_url=self._url,
                max_retries=0,
                timeout=openai.Timeout(None, connect=self._times.connect_s),
                http_client=openai.DefaultAsyncHttpxClient(
                    trust_env=not is_loopback(self._url),
                    follow_redirects=False,  # prompts go to the host that was shown, nowhere else
                    timeout=openai.Timeout(None, connect=self._times.connect_s),
                ),
            )
        return self._client

    async def _chunks(
        self, stream: AsyncStream[ChatCompletionChunk], first_event_at: float
    ) -> AsyncIterator[ChatCompletionChunk]:
        import openai

        loop = asyncio.get_running_loop()
        iterator = aiter(stream)
        deadline = first_event_at
        first = True
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    chunk = await anext(iterator, None)
            except TimeoutError as error:
                raise self._too_slow() if first else self._idle() from error
            except openai.APIError as error:
                raise unavailable(error, host=self._host, model=self._model, url=self._url) from error
            except ValueError as error:  # a line of the stream that is not JSON
                raise Unavailable("model_unavailable", f"{self._host} sent a broken stream") from error
            if chunk is None:
                return
            first = False
            deadline = loop.time() + self._times.idle_s
            yield chunk

    def _too_slow(self) -> Unavailable:
        return Unavailable(
            "timeout",
            f"{self._host} sent nothing within {self._times.first_event_s:g} s",
            hint="A local server may still be loading the model: try again when it has.",
        )

    def _idle(self) -> Unavailable:
        return Unavailable("timeout", f"{self._host} stopped in mid-answer for {self._times.idle_s:g} s")


def _json_format(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema, "strict": True}}


class _Answer:
    """What a stream has brought so far."""

    def __init__(self, request: ResponseRequest, reads_actions: bool) -> None:
        names = frozenset(tool.name for tool in request.tools) if request.json_schema is None else frozenset()
        self._names = names
        self._reads_actions = reads_actions
        self._in_text = CallsInText(names) if names and not reads_actions else None
        self._calls = CallAccumulator()
        self._content: list[str] = []
        self._finish_reason: str | None = None
        self._usage = TokenUsage()
        self._anything = False

    def take(self, chunk: ChatCompletionChunk) -> str:
        """Takes a chunk; gives the text that may be shown now. Servers leave fields out: nothing is relied on."""
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
            if content:
                shown += self._take_text(content)
        return shown

    def _take_text(self, content: str) -> str:
        self._anything = True
        if self._reads_actions:
            self._content.append(content)
            return ""
        return content if self._in_text is None else self._in_text.feed(content)

    def finish(self) -> list[ModelEvent]:
        """The events behind the streamed text, `ResponseEnded` last. Calls are given only where the answer is whole."""
        events: list[ModelEvent] = []
        text, calls = self._rest()
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
        if action.name is not None:
            return "", [_call(action.name, action.arguments)]
        # Half an action, cut off at the limit, is no text for anybody.
        is_cut = self._finish_reason == "length" and action.text == answer
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
    return FunctionCall(new_id("item"), new_id("call"), name, plain if is_json_object(plain) else arguments)


def _delta(call: Any) -> CallDelta:
    function = getattr(call, "function", None)
    arguments = getattr(function, "arguments", None)
    index = getattr(call, "index", None)
    return CallDelta(
        index if isinstance(index, int) else None,
        getattr(call, "id", None) or "",
        getattr(function, "name", None) or "",
        arguments if isinstance(arguments, str | dict) else None,
    )


def _usage(usage: Any) -> TokenUsage:
    details = getattr(usage, "prompt_tokens_details", None)
    return TokenUsage(
        getattr(usage, "prompt_tokens", None) or 0,
        getattr(details, "cached_tokens", None) or 0,
        getattr(usage, "completion_tokens", None) or 0,
    )
