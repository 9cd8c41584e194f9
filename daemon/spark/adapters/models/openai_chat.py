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

from spark.adapters.models.chat_actions import action_instructions, action_schema
from spark.adapters.models.chat_answer import ChatAnswer
from spark.adapters.models.chat_bytes import bound_response
from spark.adapters.models.chat_errors import refused_feature, unavailable
from spark.adapters.models.chat_messages import action_messages, native_messages
from spark.adapters.models.choice import ToolMode, is_loopback
from spark.adapters.models.received import RESPONSE_S, too_long
from spark.core import limits
from spark.core.conversation import ModelEvent, ResponseRequest, TextReceived
from spark.core.errors import Unavailable
from spark.core.reasoning import settings_for, with_sentence
from spark.core.tool import chat_schema

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk

_PLACEHOLDER_KEY: Final = "none"


@dataclass(frozen=True, slots=True)
class ChatTimes:
    """Time limits in seconds. `first_event_s` counts from the request to the first piece of the answer, `response_s` to
    its end."""

    connect_s: float = limits.CONNECT_TIMEOUT_S
    first_event_s: float = limits.FIRST_EVENT_TIMEOUT_S
    idle_s: float = limits.IDLE_IN_RESPONSE_S
    response_s: float = RESPONSE_S


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
        began_at = loop.time()
        first_event_at = began_at + self._times.first_event_s
        stream = await self._open(request, first_event_at)
        try:
            answer = ChatAnswer(request, self._reads_actions(request))
            async for chunk in self._chunks(stream, first_event_at, began_at + self._times.response_s):
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
                    event_hooks={"response": [bound_response]},
                    trust_env=not is_loopback(self._url),
                    follow_redirects=False,  # prompts go to the host that was shown, nowhere else
                    timeout=openai.Timeout(None, connect=self._times.connect_s),
                ),
            )
        return self._client

    async def _chunks(
        self, stream: AsyncStream[ChatCompletionChunk], first_event_at: float, ends_at: float
    ) -> AsyncIterator[ChatCompletionChunk]:
        import openai

        loop = asyncio.get_running_loop()
        iterator = aiter(stream)
        deadline = first_event_at
        first = True
        while True:
            if loop.time() >= ends_at:
                raise too_long(self._times.response_s)
            try:
                async with asyncio.timeout_at(min(deadline, ends_at)):
                    chunk = await anext(iterator, None)
            except TimeoutError as error:
                if ends_at <= deadline:
                    raise too_long(self._times.response_s) from error
                raise self._too_slow() if first else self._idle() from error
            except openai.APIError as error:
                raise unavailable(error, host=self._host, model=self._model, url=self._url) from error
            except (ValueError, RecursionError) as error:  # a line of the stream that is not JSON, or none to be read
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
