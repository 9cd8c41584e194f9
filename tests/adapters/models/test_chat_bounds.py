"""What a chat server must not be able to do: repeat call ids, send what UTF-8 cannot hold, or never stop."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spark.adapters.models import chat_bytes, received
from spark.adapters.models.choice import host_of
from spark.adapters.models.openai_chat import ChatTimes, OpenAiChat
from spark.core.conversation import (
    CallReceived,
    FunctionCall,
    FunctionOutput,
    ModelEvent,
    ResponseEnded,
    ResponseRequest,
    TextReceived,
    ToolSchema,
    UserMessage,
)
from spark.core.errors import Unavailable
from tests.fakes.chat_server import ScriptedChatServer, Streamed, call, delta, running_chat_server, said

READ = ToolSchema("readFile", "Reads a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
DEEP = "[" * 200_000


@pytest.fixture
async def server() -> AsyncIterator[ScriptedChatServer]:
    async with running_chat_server() as running:
        yield running


@pytest.fixture
async def chat(server: ScriptedChatServer) -> AsyncIterator[OpenAiChat]:
    link = _link(server)
    yield link
    await link.close()


def _link(server: ScriptedChatServer, **options: Any) -> OpenAiChat:
    return OpenAiChat(url=server.url, model="m", api_key=None, key_source="none", host=host_of(server.url), **options)


def _request(*items: Any, **fields: Any) -> ResponseRequest:
    given: dict[str, Any] = {
        "items": items or (UserMessage("i1", "go"),),
        "tools": (READ,),
        "instructions": "Be SPARK.",
    }
    return ResponseRequest(conversation_id="c1", **{**given, **fields})


async def _all(link: OpenAiChat, *items: Any, **fields: Any) -> list[ModelEvent]:
    events = [event async for event in link.respond(_request(*items, **fields))]
    for event in events:  # whatever comes out can be encoded
        repr(event).encode()
        if isinstance(event, CallReceived):
            "".join((event.call.call_id, event.call.item_id, event.call.name, event.call.arguments)).encode()
    return events


def _calls(events: list[ModelEvent]) -> list[FunctionCall]:
    return [event.call for event in events if isinstance(event, CallReceived)]


def _text(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextReceived))


async def _refused(server: ScriptedChatServer, link: OpenAiChat) -> tuple[list[ModelEvent], Unavailable]:
    """The events before the refusal, and it; the server saw the answer being broken off."""
    events: list[ModelEvent] = []

    async def take() -> None:
        async for event in link.respond(_request()):
            events.append(event)

    with pytest.raises(Unavailable) as refusal:
        await take()
    async with asyncio.timeout(10):
        await server.client_left.wait()
    assert (refusal.value.code, refusal.value.counts) == ("model_unavailable", False)
    assert [event for event in events if not isinstance(event, TextReceived)] == []
    return events, refusal.value


async def test_the_same_wire_id_in_two_answers_is_two_calls(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """A server that counts `call_0` in every answer gives calls with ids of their own, and the next request pairs each
    call with its output."""
    items: list[Any] = [UserMessage("i1", "go")]
    for path in ("A", "B"):
        server.script = [
            Streamed(
                [delta(tool_calls=[call(0, "call_0", "readFile", json.dumps({"path": path}))]), delta("tool_calls")]
            )
        ]
        (made,) = _calls(await _all(chat, *items))
        items += [made, FunctionOutput(f"out_{path}", made.call_id, json.dumps({"was": path}))]
    ids = [item.call_id for item in items if isinstance(item, FunctionCall)]
    assert len({*ids, "call_0"}) == 3
    server.script = [said("done")]
    await _all(chat, *items)
    messages = server.requests[-1]["messages"]
    sent = [entry["id"] for message in messages for entry in message.get("tool_calls", ())]
    told = {
        message["tool_call_id"]: json.loads(message["content"]) for message in messages if message["role"] == "tool"
    }
    assert sent == ids
    assert told == {ids[0]: {"was": "A"}, ids[1]: {"was": "B"}}


async def test_halves_of_a_pair_are_joined_or_replaced(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """An emoji cut in two between deltas arrives whole; a half without its other half and a NUL become U+FFFD."""
    server.script = [said("go \ud83d", "\ude00 on \ud83d", " and \ude00 \0", "end \ud83d")]
    assert _text(await _all(chat)) == "go \U0001f600 on \ufffd and \ufffd \ufffdend \ufffd"


async def test_arguments_names_and_ids_can_be_encoded(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Arguments joined from halves hold the emoji; lone halves, raw or as JSON escapes, are replaced; a name is short."""
    server.script = [
        Streamed(
            [
                delta(tool_calls=[call(0, "c" * 5000 + "\ud83d", "n" * 999, '{"a": "\ud83d')]),
                delta(
                    tool_calls=[call(0, arguments='\ude00", "b": "x\ud83dy", "c": "\\ud83d\\ude00 \\ud83d \\\\ud83d"}')]
                ),
                delta(tool_calls=[call(1, "d", "read\ud83d", {"path": "x\ud83dy"})]),
                delta("tool_calls"),
            ]
        )
    ]
    first, second = _calls(await _all(chat))
    assert first.name == "n" * 200
    assert len(first.call_id) <= 200
    assert json.loads(first.arguments) == {"a": "\U0001f600", "b": "x\ufffdy", "c": "\U0001f600 \ufffd \\ud83d"}
    assert (second.name, json.loads(second.arguments)) == ("read\ufffd", {"path": "x\ufffdy"})


@pytest.mark.parametrize("mode", ["native", "actions"])
async def test_deeply_nested_answers_are_passed_on(server: ScriptedChatServer, mode: Any) -> None:
    """Arguments and text nested deeper than anybody reads end the response as usual; so does the request that follows."""
    link = _link(server, tool_mode=mode)
    server.script = [
        Streamed([delta(tool_calls=[call(0, "a", "readFile", DEEP)]), delta("tool_calls")]),
        said(DEEP),
        said(f"<tool_call>{DEEP}</tool_call>"),
        said("ok"),
    ]
    (made,) = _calls(await _all(link))
    with pytest.raises(json.JSONDecodeError):
        json.loads(made.arguments)
    assert _text(await _all(link)) == DEEP
    assert DEEP in _text(await _all(link))
    events = await _all(link, UserMessage("i1", "go"), made, FunctionOutput("o", made.call_id, "{}"))
    assert isinstance(events[-1], ResponseEnded)
    assert events[-1].status == "completed"
    await link.close()


async def test_a_line_nested_too_deeply_is_a_broken_stream(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """A chunk that no parser reads is the server's fault, not ours."""
    server.script = [Streamed([DEEP])]
    with pytest.raises(Unavailable, match="broken stream"):
        await _all(chat)


async def test_endless_text_is_stopped(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Text is handed out up to its limit; then the answer is broken off and says so."""
    server.script = [Streamed(itertools.repeat(delta(content="ä" * 50_000)), then="hang")]
    events, refusal = await _refused(server, chat)
    assert "1,048,576 bytes of text" in refusal.message
    assert 900_000 < len(_text(events).encode()) <= received.TEXT_BYTES


async def test_endless_arguments_are_stopped(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Arguments beyond their limit end the answer, and nothing of it runs."""
    piece = delta(tool_calls=[call(0, arguments="x" * 500_000)])
    first = delta(tool_calls=[call(0, "a", "readFile", "{")])
    server.script = [Streamed(itertools.chain([first], itertools.repeat(piece)), then="hang")]
    _, refusal = await _refused(server, chat)
    assert "bytes of arguments" in refusal.message


async def test_too_many_calls_are_stopped(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """More calls than the limit end the answer, and none of them runs; just the limit is fine."""
    many = [delta(tool_calls=[call(n, f"m{n}", "readFile", "{}")]) for n in range(received.CALLS + 1)]
    server.script = [Streamed([*many[:-1], delta("tool_calls")]), Streamed(many, then="hang")]
    assert len(_calls(await _all(chat))) == received.CALLS
    _, refusal = await _refused(server, chat)
    assert "more than 128 calls" in refusal.message


async def test_too_many_calls_in_the_text_run_none(server: ScriptedChatServer, chat: OpenAiChat) -> None:
    """Calls that were written into the text are counted as well."""
    written = '{"name": "readFile", "arguments": {}}\n' * (received.CALLS + 1)
    server.script = [said(f"<tool_call>{written}</tool_call>")]
    with pytest.raises(Unavailable, match="more than 128 calls"):
        await _all(chat)


async def test_an_answer_without_end_is_stopped(server: ScriptedChatServer) -> None:
    """A server that goes on with pieces of nothing is stopped after the whole response's time."""
    link = _link(server, times=ChatTimes(response_s=0.3))
    server.script = [Streamed(itertools.repeat(delta(content="")), then="hang")]
    _, refusal = await _refused(server, link)
    assert "not over after 0.3 s" in refusal.message
    server.client_left.clear()
    server.script = [Streamed([delta(content="a")], then="hang")]
    _, refusal = await _refused(server, link)
    assert "not over after 0.3 s" in refusal.message
    await link.close()


async def test_an_endless_line_is_stopped(
    server: ScriptedChatServer, chat: OpenAiChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line without an end is not collected for ever."""
    monkeypatch.setattr(chat_bytes, "LINE_BYTES", 300_000)
    server.script = [Streamed(["x" * 400_000], then="hang")]
    _, refusal = await _refused(server, chat)
    assert "a line of more than" in refusal.message
