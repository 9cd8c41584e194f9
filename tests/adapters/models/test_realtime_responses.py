"""The Realtime link against the scripted server: what goes over the wire, in which order, and what comes out of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import spark
from spark.adapters.models.received import TEXT_BYTES
from spark.core.conversation import (
    CallReceived,
    FunctionCall,
    FunctionOutput,
    Item,
    ResponseEnded,
    ResponseRequest,
    SystemNote,
    TextReceived,
    TokenUsage,
    UserMessage,
)
from tests.fakes.realtime_server import Answer, Busy, Call, Parallel, Say, ScriptedRealtimeServer, Step, incomplete
from tests.fakes.realtime_talk import QUICK, Talk, only_this_task_left, open_link, types

CALL = Call("readFile", {"path": "Assets/A.cs"}, call_id="call_a")


@pytest.fixture(autouse=True)
async def _nothing_is_left() -> AsyncIterator[None]:
    yield
    await only_this_task_left()


async def test_text_is_streamed_and_ends_once() -> None:
    """Text comes in the pieces of the wire, then exactly one end with the tokens of `response.done`."""
    async with ScriptedRealtimeServer([Say("Hello to you")]) as server:
        talk = Talk(open_link(server))
        events = await talk.ask("hi")
        await talk.link.close()
    assert events == [
        TextReceived("Hello "),
        TextReceived("to "),
        TextReceived("you"),
        ResponseEnded("completed", TokenUsage(120, 64, 30)),
    ]


async def test_session_is_set_up_before_the_first_item() -> None:
    """The order on a fresh socket is session.update, items, response.create, and the session is text only, without voice
    detection, with our functions."""
    async with ScriptedRealtimeServer([Say("x")]) as server:
        talk = Talk(open_link(server))
        await talk.ask("hi")
        await talk.link.close()
    assert types(server.received()) == ["session.update", "user", "response.create"]
    session = server.received("session.update")[0]["session"]
    assert session["type"] == "realtime"
    assert session["output_modalities"] == ["text"]
    assert session["instructions"].startswith("You are SPARK.")
    assert session["audio"] == {"input": {"turn_detection": None}}
    assert session["tool_choice"] == "auto"
    assert session["reasoning"] == {"effort": "low"}
    assert [tool["name"] for tool in session["tools"]] == ["readFile"]
    assert server.sent()[0]["type"] == "session.created"


async def test_handshake_is_ga_and_carries_model_and_key() -> None:
    """The model is in the query, the key in the header, and the header of the Beta API is absent."""
    async with ScriptedRealtimeServer([Say("x")], api_key="secret") as server:
        talk = Talk(open_link(server, api_key="secret"))
        await talk.ask("hi")
        await talk.link.close()
    (handshake,) = server.handshakes
    assert handshake.path == "/v1/realtime"
    assert handshake.query == {"model": "gpt-realtime-2.1"}
    assert handshake.headers["Authorization"] == "Bearer secret"
    assert "OpenAI-Beta" not in handshake.headers


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-realtime-1.5", "gpt-realtime-2025-08-28", "spark-offline"])
async def test_models_without_reasoning_get_no_effort(model: str) -> None:
    """A reasoning effort is sent only to models that take one; the strict server refuses it for others."""
    async with ScriptedRealtimeServer([Say("x")]) as server:
        talk = Talk(open_link(server, model=model))
        await talk.ask("hi")
        await talk.link.close()
    assert "reasoning" not in server.received("session.update")[0]["session"]
    assert talk.end.status == "completed"


async def test_refused_effort_is_left_out() -> None:
    """Where a server refuses the reasoning effort of a model that should take it, the session is set up without."""
    async with ScriptedRealtimeServer([Say("x")]) as server:
        talk = Talk(open_link(server, model="gpt-realtime-3"))
        await talk.ask("hi")
        await talk.link.close()
    assert ["reasoning" in body["session"] for body in server.received("session.update")] == [True, False]
    assert talk.end.status == "completed"


async def test_proxies_are_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment that leads nowhere does not keep loopback traffic from its server."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with ScriptedRealtimeServer([Say("x")]) as server:
        talk = Talk(open_link(server))
        await talk.ask("hi")
        await talk.link.close()
    assert talk.text == "x"


async def test_two_parallel_calls_get_their_outputs_before_one_next_response() -> None:
    """Both calls of one response arrive complete and in order; the next request sends both outputs, then asks once."""
    second = Call("readFile", {"path": "Assets/B.cs"}, call_id="call_b")
    async with ScriptedRealtimeServer([Parallel(Say("Reading."), CALL, second), Say("Done")]) as server:
        talk = Talk(open_link(server))
        await talk.ask("read both")
        assert [json.loads(call.arguments) for call in talk.calls] == [
            {"path": "Assets/A.cs"},
            {"path": "Assets/B.cs"},
        ]
        assert len({call.item_id for call in talk.calls}) == 2
        for call in talk.calls:
            talk.answer(call)
        await talk.ask()
        await talk.link.close()
    assert types(server.received())[3:] == ["function_call_output", "function_call_output", "response.create"]
    assert len(server.handshakes) == 1
    assert server.open_calls == []
    assert talk.text == "Done"


async def test_kept_session_is_told_only_what_is_new() -> None:
    """A second prompt of the same conversation uses the same socket and creates just its own message."""
    async with ScriptedRealtimeServer([Say("one"), Say("two")]) as server:
        talk = Talk(open_link(server))
        await talk.ask("first")
        await talk.ask("second")
        await talk.link.close()
    assert types(server.received())[3:] == ["user", "response.create"]
    assert server.received("conversation.item.create")[-1]["item"]["content"][0]["text"] == "second"
    assert len(server.handshakes) == 1


async def test_changed_settings_update_the_live_session() -> None:
    """Other reasoning, functions or tool choice are sent as one session.update on the same socket."""
    async with ScriptedRealtimeServer([Say("one"), Say("two"), Say("three")]) as server:
        talk = Talk(open_link(server))
        await talk.ask("first")
        await talk.ask("second", reasoning="creative", tool_choice="required")
        await talk.ask("third", reasoning="creative", tools=())
        await talk.link.close()
    updates = [body["session"] for body in server.received("session.update")]
    assert [update["reasoning"]["effort"] for update in updates] == ["low", "medium", "medium"]
    assert [update["tool_choice"] for update in updates] == ["auto", "required", "none"]
    assert [len(update["tools"]) for update in updates] == [1, 1, 0]
    assert len(server.handshakes) == 1


async def test_another_conversation_or_model_has_a_session_of_its_own() -> None:
    """Conversations and models never share a socket, and going back to the first one finds it still open."""
    async with ScriptedRealtimeServer([Say("a"), Say("b"), Say("c"), Say("d")]) as server:
        link = open_link(server)
        first, second = Talk(link), Talk(link, conversation_id="conversation_2")
        await first.ask("one")
        await second.ask("two")
        await first.ask("three")
        await first.ask("four", model="gpt-realtime-2.1-mini")
        await link.close()
    assert [handshake.query["model"] for handshake in server.handshakes] == [
        "gpt-realtime-2.1",
        "gpt-realtime-2.1",
        "gpt-realtime-2.1-mini",
    ]
    assert types(server.received(connection=0)) == [
        *["session.update", "user", "response.create"],
        *["user", "response.create"],
    ]


async def test_summarised_conversation_opens_a_fresh_session() -> None:
    """Where old items fell out, the list is no extension of the session's, so a new session is told all that is left."""
    async with ScriptedRealtimeServer([Say("one"), Say("two")]) as server:
        talk = Talk(open_link(server))
        await talk.ask("first")
        talk.items = [SystemNote("note_1", "Earlier, the user asked for one.")]
        await talk.ask("second")
        await talk.link.close()
    assert types(server.received(connection=1)) == ["session.update", "system", "user", "response.create"]


async def test_whole_conversation_is_seeded_with_every_call_closed() -> None:
    """A fresh session gets messages, calls and outputs in order; a call without output gets one that says so, an output
    without its call is left out, and ids that the server would refuse are replaced by stable ones."""
    long_id = "x" * 80
    items: list[Item] = [
        UserMessage("user_1", "do it"),
        FunctionCall("fc_1", long_id, "readFile", "{}"),
        FunctionOutput("fo_1", long_id, '{"n":1}'),
        FunctionCall(long_id, "call_open", "readFile", "{}"),
        FunctionOutput("fo_9", "call_unknown", "{}"),
        UserMessage("user_2", "go on"),
    ]
    async with ScriptedRealtimeServer([Say("ok")]) as server:
        talk = Talk(open_link(server))
        talk.items = list(items)
        await talk.ask()
        await talk.link.close()
    created = [body["item"] for body in server.received("conversation.item.create")]
    assert [item.get("role") or item["type"] for item in created] == [
        *["user", "function_call", "function_call_output"],
        *["function_call", "function_call_output", "user"],
    ]
    assert created[1]["call_id"] == created[2]["call_id"]
    assert all(len(item["id"]) <= 32 and len(item.get("call_id", "")) <= 32 for item in created)
    assert "interrupted" in created[4]["output"]
    assert server.open_calls == []
    assert server.sent("error") == []


async def test_call_runs_only_from_a_finished_item_of_a_completed_response() -> None:
    """`arguments.done` alone, a cut-off item, or a whole call in an incomplete response never give a call."""
    whole_then_cut = incomplete(CALL, Call("readFile", {"path": "Assets/LongName.cs"}, call_id="call_b"))
    script: list[Step] = [Call("readFile", "{}", item_status="incomplete"), incomplete(CALL), whole_then_cut, Say("ok")]
    async with ScriptedRealtimeServer(script) as server:
        talk = Talk(open_link(server))
        await talk.ask("one")
        assert talk.calls == []
        await talk.ask("two")
        assert (talk.calls, talk.end.status) == ([], "incomplete")
        await talk.ask("three")
        assert (talk.calls, talk.end.error_code) == ([], "max_output_tokens")
        await talk.ask("four")
        await talk.link.close()
    assert len(server.sent("response.function_call_arguments.done")) == 4
    assert len(server.handshakes) == 1
    # What is left of those calls is deleted, so the server never waits for an output.
    assert len(server.sent("conversation.item.deleted")) == 4
    assert server.open_calls == []


@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter"])
async def test_incomplete_response_says_why_and_what_it_cost(reason: str) -> None:
    """A cut-off text ends as incomplete with its reason and its tokens; the session goes on with the text as it was."""
    script: list[Step] = [incomplete(Say("a b c d"), reason=reason, usage=(5, 1, 3)), Say("ok")]
    async with ScriptedRealtimeServer(script) as server:
        talk = Talk(open_link(server))
        await talk.ask("one")
        assert talk.text == "a b "
        assert talk.end == ResponseEnded("incomplete", TokenUsage(5, 1, 3), reason)
        await talk.ask("two")
        await talk.link.close()
    assert types(server.received())[3:] == ["user", "response.create"]


async def test_repeated_call_id_is_yielded_once() -> None:
    """Two items with one call id give one call, and the second item is deleted instead of staying open."""
    async with ScriptedRealtimeServer([Parallel(CALL, CALL), Say("ok")]) as server:
        talk = Talk(open_link(server))
        await talk.ask("one")
        assert [call.name for call in talk.calls] == ["readFile"]
        talk.answer(talk.calls[0])
        await talk.ask()
        await talk.link.close()
    assert len(server.sent("conversation.item.deleted")) == 1
    assert server.sent("error") == []


async def test_unknown_function_is_passed_on() -> None:
    """A call of a function that was never offered is yielded like any other: the registry refuses it, not the wire."""
    async with ScriptedRealtimeServer([Call("formatDisk", {"drive": "C"})]) as server:
        talk = Talk(open_link(server))
        await talk.ask("one")
        await talk.link.close()
    assert [call.name for call in talk.calls] == ["formatDisk"]


async def test_unknown_frames_and_fields_change_nothing() -> None:
    """Frames of unknown types and extra fields everywhere give the same events as without them."""
    async with ScriptedRealtimeServer([Answer((Say("a b"), CALL), noise=True)]) as server:
        talk = Talk(open_link(server))
        await talk.ask("one")
        await talk.link.close()
    assert talk.text == "a b"
    assert [call.name for call in talk.calls] == ["readFile"]
    assert server.sent("response.sparkle.delta")


async def test_server_without_deltas_or_response_created_is_understood() -> None:
    """Text that only comes as a whole is yielded once, and a response may begin without its announcement."""
    async with ScriptedRealtimeServer([Answer((Say("all at once", deltas=False),), skip_created=True)]) as server:
        talk = Talk(open_link(server))
        await talk.ask("one")
        await talk.link.close()
    assert [event for event in talk.events if isinstance(event, TextReceived)] == [TextReceived("all at once")]


async def test_huge_frames_come_through_whole() -> None:
    """One frame of several megabytes is one call, and one of just the text's limit one piece of text."""
    text, arguments = "x" * TEXT_BYTES, json.dumps({"path": "x" * 4_000_000})
    async with ScriptedRealtimeServer([Answer((Say(text, pieces=[text]), Call("readFile", arguments)))]) as server:
        server.chunk_chars = 1_000_000
        talk = Talk(open_link(server))
        await talk.ask("one")
        await talk.link.close()
    assert talk.text == text
    assert [call.arguments for call in talk.calls] == [arguments]


async def test_calls_come_after_the_text_and_before_the_end() -> None:
    """The order of events is text, calls, end, whatever the order of output items on the wire."""
    async with ScriptedRealtimeServer([Parallel(CALL, Say("Reading it."))]) as server:
        talk = Talk(open_link(server))
        events = await talk.ask("one")
        await talk.link.close()
    assert [type(event) for event in events] == [TextReceived, TextReceived, CallReceived, ResponseEnded]


@pytest.mark.parametrize("done", [True, False])
async def test_active_response_is_waited_for(done: bool) -> None:
    """`conversation_already_has_active_response` makes the link wait and ask again; the user sees only the answer."""
    async with ScriptedRealtimeServer([Busy(done=done), Busy(), Say("now")]) as server:
        late: list[TokenUsage] = []
        talk = Talk(open_link(server, late_usage=lambda _, usage: late.append(usage)))
        await talk.ask("one")
        await talk.link.close()
    assert talk.text == "now"
    assert len(server.received("response.create")) == 3
    assert late == ([TokenUsage(120, 64, 30)] if done else [])


async def test_schema_requests_ask_in_words_and_keep_no_session() -> None:
    """A request for a JSON document offers no functions, carries the schema in its instructions and leaves no socket."""
    schema = {"type": "object", "properties": {"code": {"type": "string"}}}
    async with ScriptedRealtimeServer([Say('{"code":"x"}')]) as server:
        link = open_link(server)
        request = ResponseRequest("code_1", "Write code.", (UserMessage("u", "a script"),), json_schema=schema)
        events = [event async for event in link.respond(request)]
        await server.until(lambda: server.open_sockets == 0)
        await link.close()
    session = server.received("session.update")[0]["session"]
    assert (session["tools"], session["tool_choice"]) == ([], "none")
    assert json.dumps(schema, separators=(",", ":")) in session["instructions"]
    assert isinstance(events[-1], ResponseEnded)


async def test_addresses_of_other_forms_reach_the_same_server() -> None:
    """`ws://` addresses, a trailing slash and a trailing `/realtime` mean the same base."""
    async with ScriptedRealtimeServer([Say("a"), Say("b")]) as server:
        for number, url in enumerate((server.url.replace("http", "ws") + "/", server.url + "/realtime")):
            talk = Talk(open_link(server, url=url, limits=QUICK), conversation_id=str(number))
            await talk.ask("hi")
            await talk.link.close()
    assert [handshake.path for handshake in server.handshakes] == ["/v1/realtime"] * 2


def test_importing_the_link_does_not_import_the_sdk() -> None:
    """The SDK costs 25 MB and half a second, so it is loaded by the first response, never by the import of the link."""
    program = (
        "import sys, spark.adapters.models.openai_realtime, spark.adapters.models.guarded, spark.adapters.resilience;"
        "heavy = {'openai', 'websockets', 'httpx2', 'tenacity', 'pybreaker'} & set(sys.modules);"
        "sys.exit(', '.join(heavy) or 0)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(spark.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=env, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
