"""The backend `chat` through the real openai SDK against a scripted server with each deviation of real ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spark.adapters.models.choice import host_of
from spark.adapters.models.openai_chat import ChatTimes, OpenAiChat
from spark.core.conversation import (
    AssistantMessage,
    CallReceived,
    FunctionCall,
    FunctionOutput,
    ModelEvent,
    ResponseEnded,
    ResponseRequest,
    SystemNote,
    TextReceived,
    TokenUsage,
    ToolSchema,
    UserMessage,
)
from spark.core.errors import Unavailable
from tests.fakes.chat_server import (
    Refused,
    ScriptedChatServer,
    Silent,
    Streamed,
    call,
    delta,
    running_chat_server,
    said,
    usage,
)

READ = ToolSchema(
    "readFile",
    "Reads a file.",
    {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"], "additionalProperties": False},
)
LIST = ToolSchema("listAssets", "Lists assets.", {"type": "object", "properties": {}, "additionalProperties": False})


@pytest.fixture
async def server() -> AsyncIterator[ScriptedChatServer]:
    async with running_chat_server() as running:
        yield running


@pytest.fixture
async def chat(server: ScriptedChatServer) -> AsyncIterator[OpenAiChat]:
    link = _link(server.url)
    yield link
    await link.close()


def _link(url: str, **options: Any) -> OpenAiChat:
    return OpenAiChat(url=url, model="m", api_key="secret", key_source="keyring", host=host_of(url), **options)


def _request(**fields: Any) -> ResponseRequest:
    given: dict[str, Any] = {"items": (UserMessage("i1", "go"),), "tools": (READ, LIST), "instructions": "Be SPARK."}
    return ResponseRequest(conversation_id="c1", **{**given, **fields})


async def _all(link: OpenAiChat, request: ResponseRequest) -> list[ModelEvent]:
    return [event async for event in link.respond(request)]


def _calls(events: list[ModelEvent]) -> list[tuple[str, Any]]:
    return [(e.call.name, json.loads(e.call.arguments)) for e in events if isinstance(e, CallReceived)]


def _text(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextReceived))


def _ended(events: list[ModelEvent]) -> ResponseEnded:
    assert [isinstance(event, ResponseEnded) for event in events].count(True) == 1
    assert isinstance(events[-1], ResponseEnded)
    return events[-1]


async def _calls_of(server: ScriptedChatServer, chat: OpenAiChat, *chunks: Any) -> list[tuple[str, Any]]:
    server.script = [Streamed(chunks)]
    events = await _all(chat, _request())
    assert _ended(events).status == "completed"
    ids = [event.call.call_id for event in events if isinstance(event, CallReceived)]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    return _calls(events)


async def test_text_is_streamed_with_usage(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Text comes piece by piece, and the usage of the last chunk is counted with its cached part."""
    server.script = [Streamed([delta(content="Hel"), delta(content="lo"), delta("stop"), usage(100, 60, 5)])]
    events = await _all(chat, _request())
    assert [event.text for event in events if isinstance(event, TextReceived)] == ["Hel", "lo"]
    assert _ended(events) == ResponseEnded("completed", TokenUsage(100, 60, 5))
    assert server.headers[0]["Authorization"] == "Bearer secret"
    assert server.requests[0]["temperature"] == 0.0
    assert server.requests[0]["stream_options"] == {"include_usage": True}
    assert server.requests[0]["messages"][0]["content"].startswith("Be SPARK.")


async def test_reasoning_sets_the_temperature(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """A creative prompt is sent with the table's temperature and its sentence at the end of the instructions."""
    server.script = [said("ok")]
    await _all(chat, _request(reasoning="creative"))
    assert server.requests[0]["temperature"] == 0.9
    assert "you may invent" in server.requests[0]["messages"][0]["content"]


async def test_well_behaved_parallel_calls(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Calls cut into deltas with their own index and id come out whole and in order."""
    assert await _calls_of(
        server,
        chat,
        delta(tool_calls=[call(0, "a", "readFile", "")]),
        delta(tool_calls=[call(0, arguments='{"path": "As')]),
        delta(tool_calls=[call(1, "b", "listAssets", "{")]),
        delta(tool_calls=[call(0, arguments='sets/A.cs"}')]),
        delta(tool_calls=[call(1, arguments="}")]),
        delta("tool_calls"),
    ) == [("readFile", {"path": "Assets/A.cs"}), ("listAssets", {})]


async def test_every_call_has_index_0(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Parallel calls that all claim index 0 are told apart by their ids."""
    assert await _calls_of(
        server,
        chat,
        delta(tool_calls=[call(0, "a", "readFile", '{"path":"A"}')]),
        delta(tool_calls=[call(0, "b", "readFile", '{"path":"B"}')]),
        delta("tool_calls"),
    ) == [("readFile", {"path": "A"}), ("readFile", {"path": "B"})]


async def test_all_calls_in_one_chunk_and_finish_stop(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Whole calls in one chunk are taken although the server says `stop`."""
    assert await _calls_of(
        server,
        chat,
        delta("stop", tool_calls=[call(0, "a", "readFile", '{"path":"A"}'), call(1, "b", "listAssets", "{}")]),
    ) == [("readFile", {"path": "A"}), ("listAssets", {})]


async def test_missing_ids_are_made_up(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Calls without ids and without a useful index become calls of their own with fresh ids."""
    assert await _calls_of(
        server,
        chat,
        delta(tool_calls=[call(None, None, "readFile", '{"path":"A"}')]),
        delta(tool_calls=[call(None, None, "readFile", '{"path":"B"}')]),
        delta(tool_calls=[call(0, "", "listAssets", "{}")]),
        delta("stop"),
    ) == [("readFile", {"path": "A"}), ("readFile", {"path": "B"}), ("listAssets", {})]


async def test_repeated_ids_stay_apart(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """A server that makes up an id for each chunk, without a name, continues the call that it began."""
    assert await _calls_of(
        server,
        chat,
        delta(tool_calls=[call(0, "x1", "readFile", '{"path"')]),
        delta(tool_calls=[call(0, "x2", arguments=':"A"}')]),
        delta("tool_calls"),
    ) == [("readFile", {"path": "A"})]


async def test_name_in_every_chunk(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """A name that is repeated in each piece of one call does not begin new calls."""
    assert await _calls_of(
        server,
        chat,
        delta(tool_calls=[call(0, None, "readFile", '{"path"')]),
        delta(tool_calls=[call(0, None, "readFile", ':"A"}')]),
        delta("tool_calls"),
    ) == [("readFile", {"path": "A"})]


async def test_arguments_as_object_and_encoded_twice(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Arguments that came as an object, as nothing, or as JSON within JSON are plain JSON text in the end."""
    assert await _calls_of(
        server,
        chat,
        delta(tool_calls=[call(0, "a", "readFile", {"path": "A"})]),
        delta(tool_calls=[call(1, "b", "listAssets")]),
        delta(tool_calls=[call(2, "c", "readFile", json.dumps('{"path": "C"}'))]),
        delta("tool_calls"),
    ) == [("readFile", {"path": "A"}), ("listAssets", {}), ("readFile", {"path": "C"})]


async def test_text_and_calls(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """An answer may hold text and calls; both arrive, the text first."""
    server.script = [
        Streamed([delta(content="Reading."), delta("tool_calls", tool_calls=[call(0, "a", "listAssets", "{}")])])
    ]
    events = await _all(chat, _request())
    assert [type(event) for event in events] == [TextReceived, CallReceived, ResponseEnded]


@pytest.mark.parametrize(
    "content",
    [
        '```json\n{"name": "readFile", "arguments": {"path": "A"}}\n```',
        '{"name": "readFile", "arguments": {"path": "A"}}',
        '[{"name": "readFile", "parameters": {"path": "A"}}]',
        '<tool_call>\n{"name": "readFile", "arguments": {"path": "A"}}\n</tool_call>',
        '<tools>{"name": "readFile", "arguments": {"path": "A"}}</tools>',
        '<tool_call>{"name": "readFile", "arguments": "{\\"path\\": \\"A\\"}"}',
        '```json\n{"tool_calls": [{"type": "function", "function": {"name": "readFile", "arguments": {"path": "A"}}}]}\n```',
    ],
)
async def test_calls_written_into_the_text(server: ScriptedChatServer, chat: OpenAiChat, content: str) -> None:
    """A call that a model wrote as JSON into its text is a call, however the stream is cut, and no text is shown."""
    for size in (1, 7, 1000):
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        server.script = [said(*pieces)]
        events = await _all(chat, _request())
        assert _calls(events) == [("readFile", {"path": "A"})]
        assert _text(events) == ""


@pytest.mark.parametrize(
    "content",
    [
        "Here it is:\n```csharp\nclass A { int[] x = {1}; }\n```\nDone.",
        '```json\n{"name": "com.me.game", "version": "1.0.0"}\n```',
        '```json\n{"name": "unknownFunction", "arguments": {}}\n```',
        '{"score": 1} is the answer',
        "a < b, a <tool, `x` and ``",
        "[1, 2",
        "```\n",
    ],
)
async def test_text_that_only_looks_like_a_call(server: ScriptedChatServer, chat: OpenAiChat, content: str) -> None:
    """Code and JSON that name no offered function reach the user exactly as they came."""
    for size in (1, 5, 1000):
        server.script = [said(*(content[start : start + size] for start in range(0, len(content), size)))]
        events = await _all(chat, _request())
        assert _text(events) == content
        assert _calls(events) == []
        assert _ended(events).status == "completed"


async def test_text_before_a_fenced_call(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Text around a written call is shown, the call is not."""
    server.script = [said('I look.\n```json\n{"name":"readFile","arguments":{"path":"A"}}\n```\n')]
    events = await _all(chat, _request())
    assert _text(events) == "I look.\n"
    assert _calls(events) == [("readFile", {"path": "A"})]


async def test_conversation_becomes_messages(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Parallel calls are one message and their outputs follow at once, whatever lies between them in the conversation."""
    server.script = [said("ok")]
    items = (
        UserMessage("1", "look"),
        AssistantMessage("2", "Looking."),
        FunctionCall("3", "a", "readFile", '{"path": "A"}'),
        FunctionCall("4", "b", "readFile", "{broken"),
        FunctionOutput("5", "b", '{"success": false}'),
        SystemNote("6", "reconnected"),
        FunctionOutput("7", "a", '{"success": true}'),
        FunctionCall("8", "open", "listAssets", ""),
        UserMessage("9", "again"),
    )
    await _all(chat, _request(items=items))
    messages = server.requests[0]["messages"]
    assert [message["role"] for message in messages] == [
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert [entry["id"] for entry in messages[2]["tool_calls"]] == ["a", "b"]
    assert all(json.loads(entry["function"]["arguments"]) is not None for entry in messages[2]["tool_calls"])
    assert [(message["tool_call_id"], message["content"]) for message in messages[3:5]] == [
        ("a", '{"success": true}'),
        ("b", '{"success": false}'),
    ]
    assert "interrupted" in messages[7]["content"]


async def test_refused_stream_options_are_left_out(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """A server that knows no `stream_options` is asked again without, and never again with."""
    server.script = [Refused(400, {"message": "Unknown field: stream_options"}), said("one"), said("two")]
    assert _text(await _all(chat, _request())) == "one"
    assert _text(await _all(chat, _request())) == "two"
    assert ["stream_options" in request for request in server.requests] == [True, False, False]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "registry.ollama.ai/library/gemma:2b does not support tools"),
        (500, "tools param requires --jinja flag"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    ],
)
async def test_refused_tools_switch_to_actions(
    server: ScriptedChatServer, chat: OpenAiChat, status: int, message: str
) -> None:
    """After a server refused `tools`, functions are called by JSON actions held to a schema, from then on."""
    action = json.dumps({"action": "readFile", "arguments": {"path": "A"}})
    server.script = [Refused(status, {"message": message}), said(action[:9], action[9:]), said(action)]
    events = await _all(chat, _request())
    assert _calls(events) == [("readFile", {"path": "A"})]
    assert _text(events) == ""
    assert chat.tool_mode == "actions"
    await _all(chat, _request())
    schema = server.requests[2]["response_format"]["json_schema"]["schema"]
    assert [option["properties"]["action"]["const"] for option in schema["anyOf"]] == [
        "readFile",
        "listAssets",
        "reply",
    ]
    assert "tools" not in server.requests[2]


async def test_actions_from_the_start(server: ScriptedChatServer) -> None:
    """With the flag no `tools` are ever sent; replies are text, and earlier calls are told in the same form."""
    link = _link(server.url, tool_mode="actions")
    server.script = [said(json.dumps({"action": "reply", "arguments": {"text": "Hello."}}))]
    items = (
        UserMessage("1", "look"),
        FunctionCall("2", "a", "readFile", '{"path": "A"}'),
        FunctionOutput("3", "a", '{"success": true}'),
    )
    events = await _all(link, _request(items=items))
    await link.close()
    assert _text(events) == "Hello."
    assert json.loads(server.requests[0]["messages"][2]["content"]) == {
        "action": "readFile",
        "arguments": {"path": "A"},
    }
    assert server.requests[0]["messages"][3] == {"role": "user", "content": 'Result of readFile: {"success": true}'}


async def test_required_action_has_no_reply(server: ScriptedChatServer) -> None:
    """Where a call is required, a reply is not among the actions."""
    link = _link(server.url, tool_mode="actions")
    server.script = [said(json.dumps({"action": "listAssets", "arguments": {}}))]
    await _all(link, _request(tool_choice="required"))
    await link.close()
    schema = server.requests[0]["response_format"]["json_schema"]["schema"]
    assert [option["properties"]["action"]["const"] for option in schema["anyOf"]] == ["readFile", "listAssets"]


async def test_actions_without_enforcement(server: ScriptedChatServer) -> None:
    """Where the server refuses the schema too, the words of the instructions must do; fenced and plain answers are taken."""
    link = _link(server.url, tool_mode="actions")
    server.script = [
        Refused(400, {"message": "response_format is not supported", "param": "response_format"}),
        said('Sure:\n```json\n{"action": "listAssets", "arguments": {}}\n```'),
        said("Just text."),
    ]
    assert _calls(await _all(link, _request())) == [("listAssets", {})]
    assert _text(await _all(link, _request())) == "Just text."
    assert '"action"' in server.requests[1]["messages"][0]["content"]
    await link.close()


async def test_cut_off_action_is_no_text(server: ScriptedChatServer) -> None:
    """Half an action at the token limit is reported as incomplete, neither run nor shown."""
    link = _link(server.url, tool_mode="actions")
    server.script = [said('{"action": "readFile", "argum', finish="length")]
    events = await _all(link, _request())
    await link.close()
    assert events == [_ended(events)]
    assert (_ended(events).status, _ended(events).error_code) == ("incomplete", "max_output_tokens")


async def test_json_schema_request(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """A structured answer is asked by `response_format`, offers no tools, and its JSON text arrives untouched."""
    server.script = [said('{"code": "class A {}"}')]
    events = await _all(chat, _request(json_schema={"type": "object"}))
    assert _text(events) == '{"code": "class A {}"}'
    assert "tools" not in server.requests[0]
    assert server.requests[0]["response_format"]["type"] == "json_schema"


async def test_cut_off_call_is_not_run(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Calls of an answer that ended at the token limit are not given out."""
    server.script = [Streamed([delta(tool_calls=[call(0, "a", "readFile", '{"path": "A')]), delta("length")])]
    events = await _all(chat, _request())
    assert _calls(events) == []
    assert _ended(events).status == "incomplete"


@pytest.mark.parametrize(
    ("chunks", "status", "code"),
    [
        ([delta("stop")], "failed", "empty_answer"),
        ([], "failed", "empty_answer"),
        ([delta(content="half")], "incomplete", "stream_ended_early"),
        ([delta(tool_calls=[call(0, "a", "readFile", '{"path":"A"}')])], "incomplete", "stream_ended_early"),
        ([delta(tool_calls=[call(0, "a", arguments="{}")]), delta("stop")], "failed", "nameless_call"),
        ([delta(content="x"), delta("content_filter")], "incomplete", "content_filter"),
    ],
)
async def test_answers_that_are_not_whole(
    server: ScriptedChatServer, chat: OpenAiChat, chunks: list[Any], status: str, code: str
) -> None:
    """An answer that is empty, broken off or nameless never counts as completed and runs nothing."""
    server.script = [Streamed(chunks, then="end")]
    events = await _all(chat, _request())
    assert (_ended(events).status, _ended(events).error_code) == (status, code)
    assert _calls(events) == []


@pytest.mark.parametrize(
    ("refusal", "code", "counts"),
    [
        (Refused(401, {"message": "Incorrect API key provided: secr****"}), "model_unavailable", False),
        (Refused(403, {"message": "no"}), "model_unavailable", False),
        (Refused(404, {"message": "model 'my-tools' not found"}), "model_unavailable", False),
        (Refused(400, {"message": "context length of 4096 exceeded; shorten the tools"}), "model_unavailable", False),
        (Refused(429, {"message": "slow down"}, {"Retry-After": "7"}), "rate_limited", False),
        (Refused(429, {"message": "pay", "code": "insufficient_quota"}), "quota_exceeded", False),
        (Refused(500, {"message": "boom"}), "model_unavailable", True),
        (Refused(503, {"message": "loading"}, {"Retry-After": "3"}), "model_unavailable", True),
        (Refused(307, {"message": "elsewhere"}, {"Location": "http://127.0.0.1:1/v1"}), "model_unavailable", False),
    ],
)
async def test_http_errors(
    server: ScriptedChatServer, chat: OpenAiChat, refusal: Refused, code: str, counts: bool
) -> None:
    """Each status becomes `Unavailable` with its code; quota, key and model say nothing about health; no SDK retries."""
    server.script = [refusal]
    with pytest.raises(Unavailable) as caught:
        await _all(chat, _request())
    assert (caught.value.code, caught.value.counts) == (code, counts)
    assert "secr" not in caught.value.message
    expected = refusal.headers.get("Retry-After")
    assert caught.value.retry_after_s == (float(expected) if expected else None)
    assert len(server.requests) == 1


async def test_nothing_listens(unused_tcp_port: int) -> None:
    """A refused connection is `model_unavailable`, counts, and names the address."""
    link = _link(f"http://127.0.0.1:{unused_tcp_port}/v1")
    with pytest.raises(Unavailable) as caught:
        await _all(link, _request())
    await link.close()
    assert (caught.value.code, caught.value.counts) == ("model_unavailable", True)
    assert str(unused_tcp_port) in caught.value.message


async def test_connection_cut_in_mid_answer(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """A connection that breaks behind the first text raises, and the text before it was given."""
    server.script = [Streamed([delta(content="half")], then="cut")]
    answer = chat.respond(_request())
    assert await anext(answer) == TextReceived("half")
    with pytest.raises(Unavailable) as caught:
        await anext(answer)
    assert caught.value.code == "model_unavailable"


@pytest.mark.parametrize("bad", ['{"error": {"message": "model runner has crashed"}}', "this is no JSON"])
async def test_error_in_the_stream(server: ScriptedChatServer, chat: OpenAiChat, bad: str) -> None:
    """An error that comes within the stream, or a line that is not JSON, is `Unavailable`, not a crash."""
    server.script = [Streamed([delta(content="half"), bad])]
    with pytest.raises(Unavailable):
        await _all(chat, _request())


async def test_first_event_limit(server: ScriptedChatServer) -> None:
    """A server that sends nothing, not even a header, ends in `timeout`, and the request is closed."""
    link = _link(server.url, times=ChatTimes(first_event_s=0.2))
    server.script = [Silent(), Streamed([], then="hang")]
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await _all(link, _request())
        assert caught.value.code == "timeout"
        await asyncio.wait_for(server.client_left.wait(), 10)
        server.client_left.clear()
    await link.close()


async def test_idle_limit(server: ScriptedChatServer) -> None:
    """A stream that stops in mid-answer ends in `timeout`."""
    link = _link(server.url, times=ChatTimes(idle_s=0.2))
    server.script = [Streamed([delta(content="half")], then="hang")]
    with pytest.raises(Unavailable) as caught:
        await _all(link, _request())
    await link.close()
    assert caught.value.code == "timeout"


async def test_closing_the_generator_cancels(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Closing the answer early closes the connection, which is how these servers are told to stop."""
    server.script = [Streamed([delta(content="half")], then="hang"), said("next")]
    answer = chat.respond(_request())
    assert await anext(answer) == TextReceived("half")
    await answer.aclose()
    await asyncio.wait_for(server.client_left.wait(), 10)
    assert _text(await _all(chat, _request())) == "next"


async def test_no_proxy_and_no_foreign_key(server: ScriptedChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback goes past every proxy, and a server without a key is never sent the one of the environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-of-the-user")
    link = OpenAiChat(url=server.url, model="m", api_key=None, key_source="none needed", host="h")
    server.script = [said("ok")]
    assert _text(await _all(link, _request())) == "ok"
    await link.close()
    assert "of-the-user" not in json.dumps(dict(server.headers[0]))


def test_what_is_shown() -> None:
    """The link tells backend, model, host and key source, and never the key."""
    link = _link("http://127.0.0.1:1234/v1")
    assert (link.backend, link.model, link.host, link.key_source) == ("chat", "m", "127.0.0.1:1234", "keyring")
    assert "secret" not in repr(link)
