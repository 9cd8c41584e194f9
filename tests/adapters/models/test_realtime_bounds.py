"""What a Realtime server must not be able to do: repeat call ids, send what UTF-8 cannot hold, or never stop."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from spark.adapters.models import received
from spark.core.conversation import TokenUsage
from spark.core.errors import Unavailable
from tests.fakes.realtime_server import Answer, Call, Parallel, Say, ScriptedRealtimeServer
from tests.fakes.realtime_talk import PATIENT, Talk, only_this_task_left, open_link


@pytest.fixture(autouse=True)
async def _nothing_is_left() -> AsyncIterator[None]:
    yield
    await only_this_task_left()


async def _refused(talk: Talk) -> Unavailable:
    with pytest.raises(Unavailable) as refusal:
        await talk.ask("go")
    assert (refusal.value.code, refusal.value.counts) == ("model_unavailable", False)
    assert talk.calls == []
    return refusal.value


async def test_a_call_keeps_the_servers_id_over_sessions() -> None:
    """A call that comes again in a fresh session is known by its id; who runs calls runs it once."""
    call = Call("readFile", {"path": "A"}, call_id="call_0")
    async with ScriptedRealtimeServer([call, Say("ok"), call]) as server:
        talk = Talk(open_link(server))
        await talk.ask("one")
        (first,) = talk.calls
        talk.answer(first)
        await talk.ask()
        await talk.link.close()
        talk.link = open_link(server)
        await talk.ask("two")
        (second,) = talk.calls
        await talk.link.close()
    assert first.call_id == second.call_id == "call_0"


async def test_halves_of_a_pair_are_joined_or_replaced() -> None:
    """An emoji cut in two between deltas arrives whole; lone halves and NULs become U+FFFD; the whole text at the end
    repeats nothing."""
    pieces = ["go \ud83d", "\ude00 on \ud83d", " and \ude00 \0", "end \ud83d"]
    whole = "go \U0001f600 on \ufffd and \ufffd \ufffdend \ufffd"
    async with ScriptedRealtimeServer(
        [Say("", pieces=pieces), Say("", pieces=pieces, deltas=False), Say("x")]
    ) as server:
        talk = Talk(open_link(server))
        await talk.ask("one")
        assert talk.text == whole
        await talk.ask("two")
        assert talk.text == whole
        await talk.ask("three")
        await talk.link.close()
    assert len(server.handshakes) == 1
    assert server.sent("error") == []


async def test_arguments_names_and_ids_can_be_encoded() -> None:
    """Lone halves in a call's arguments, raw or as escapes, are replaced; its name is short; its id is ours."""
    arguments = '{"a": "x\ud83dy", "b": "\\ud83d\\ude00 \\ud83d"}'
    calls = [Call("n\ud83d" + "n" * 999, arguments, call_id="c" * 999 + "\ud83d"), Call("readFile", "[" * 200_000)]
    async with ScriptedRealtimeServer([Parallel(*calls)]) as server:
        server.chunk_chars = 100_000
        talk = Talk(open_link(server))
        await talk.ask("one")
        await talk.link.close()
    first, second = talk.calls
    assert first.name == "n\ufffd" + "n" * 198
    assert len(first.call_id) <= 200
    assert json.loads(first.arguments) == {"a": "x\ufffdy", "b": "\U0001f600 \ufffd"}
    with pytest.raises(json.JSONDecodeError):  # an error that everybody expects, not one of the stack
        json.loads(second.arguments)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Say("", pieces=["x" * 100_000] * 30), "1,048,576 bytes of text"),
        (Say("x" * (received.TEXT_BYTES + 1), deltas=False), "1,048,576 bytes of text"),
        (Call("readFile", "x" * 4_500_000), "bytes of arguments"),
        (Parallel(*[Call("readFile", {"path": str(n)}) for n in range(received.CALLS + 1)]), "more than 128 calls"),
    ],
)
async def test_an_answer_over_a_limit_is_cancelled(answer: Any, message: str) -> None:
    """Over a limit the response is cancelled and refused, runs nothing, and is not asked for again; what it cost is told,
    and the next request is answered."""
    late: list[TokenUsage] = []
    async with ScriptedRealtimeServer([answer, Say("ok")]) as server:
        server.chunk_chars = 500_000
        talk = Talk(open_link(server, late_usage=lambda _, usage: late.append(usage)))
        assert message in (await _refused(talk)).message
        assert late == [TokenUsage(120, 64, 30)]
        await talk.ask("next")
        await talk.link.close()
    assert talk.text == "ok"
    assert len(server.received("response.create")) == 2
    assert server.open_calls == []


async def test_just_the_limit_of_calls_is_fine() -> None:
    """As many calls as the limit allows come through."""
    calls = [Call("readFile", {"path": str(n)}) for n in range(received.CALLS)]
    async with ScriptedRealtimeServer([Parallel(Say("x"), *calls)]) as server:
        talk = Talk(open_link(server))
        await talk.ask("one")
        await talk.link.close()
    assert len(talk.calls) == received.CALLS


async def test_an_answer_without_end_is_cancelled() -> None:
    """After the whole response's time it is cancelled, although the idle limit is not reached."""
    limits = replace(PATIENT, response_s=0.3)
    async with ScriptedRealtimeServer([Answer((Say("a b"),), cut="silence"), Say("ok")]) as server:
        talk = Talk(open_link(server, limits=limits))
        assert "not over after 0.3 s" in (await _refused(talk)).message
        await talk.ask("next")
        await talk.link.close()
    assert len(server.received("response.cancel")) == 1
    assert talk.text == "ok"


async def test_errors_are_short_and_can_be_encoded() -> None:
    """A server's words in an error are cut off and cleaned before anybody stores them."""
    from spark.adapters.models.realtime_wire import ErrorReceived, parse_frame

    frame = parse_frame(
        json.dumps({"type": "error", "error": {"message": "\ud83d" * 9_999, "code": "c" * 999}}).encode()
    )
    assert isinstance(frame, ErrorReceived)
    assert frame.error.message == "\ufffd" * received.MESSAGE_CHARS
    assert len(frame.error.code) == received.ID_CHARS


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", "1" + "0" * 400])
async def test_numbers_that_are_none_are_left_out(number: str) -> None:
    """A number that no clock and no counter holds counts as not sent."""
    from spark.adapters.models.realtime_wire import SessionCreated, parse_frame

    frame = parse_frame(b'{"type":"session.created","session":{"expires_at":%s}}' % number.encode())
    assert frame == SessionCreated(None)
