"""The Realtime link when the server or the network fails, driven over real sockets: each fault, what it is called, whether it
counts, and that the next request works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from spark.core.conversation import ResponseEnded, TextReceived, TokenUsage
from spark.core.errors import FatalError, Unavailable
from tests.fakes.realtime_server import (
    Answer,
    Busy,
    Call,
    CloseAtOnce,
    Error,
    NoCreated,
    NoUpdated,
    Refuse,
    Say,
    ScriptedRealtimeServer,
    Silence,
    Step,
    cut,
    fail,
)
from tests.fakes.realtime_talk import QUICK, Talk, only_this_task_left, open_link, types

CALL = Call("readFile", {"path": "Assets/Scripts/A.cs"}, call_id="call_a")


@pytest.fixture(autouse=True)
async def _nothing_is_left() -> AsyncIterator[None]:
    yield
    await only_this_task_left()


async def failure(talk: Talk, text: str = "hi") -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        await talk.ask(text)
    return caught.value


@pytest.mark.parametrize(
    ("step", "code", "counts", "hint"),
    [
        (Refuse(401, "invalid_api_key"), "model_unavailable", False, "spark key set openai"),
        (Refuse(403, "forbidden"), "model_unavailable", False, "spark key set openai"),
        (Refuse(404, "model_not_found"), "model_unavailable", False, "SPARK_MODEL"),
        (Refuse(400, "beta_api_shape_disabled"), "model_unavailable", False, ""),
        (Refuse(429, "rate_limit_exceeded"), "rate_limited", False, "later"),
        (Refuse(429, "insufficient_quota"), "quota_exceeded", False, "credit"),
        (Refuse(500), "model_unavailable", True, ""),
        (Refuse(503), "model_unavailable", True, ""),
        (CloseAtOnce(4000, "beta_api_shape_disabled"), "model_unavailable", False, ""),
        (CloseAtOnce(1008, "policy"), "model_unavailable", False, ""),
        (CloseAtOnce(1011, "internal error"), "model_unavailable", True, ""),
        (
            CloseAtOnce(1000, error={"type": "invalid_request_error", "code": "invalid_api_key", "message": "no"}),
            *("model_unavailable", False, "spark key set openai"),
        ),
        (
            CloseAtOnce(3000, "invalid_request_error.insufficient_quota", {"code": "insufficient_quota"}),
            *("quota_exceeded", False, "credit"),
        ),
        (fail("rate_limit_exceeded"), "rate_limited", False, "later"),
        (fail("insufficient_quota"), "quota_exceeded", False, "credit"),
        (fail("billing_hard_limit_reached"), "quota_exceeded", False, "credit"),
        (fail("credit_balance_exhausted"), "quota_exceeded", False, "credit"),
        (fail("server_error"), "model_unavailable", True, ""),
        (fail("", type="server_error"), "model_unavailable", True, ""),
        (Error({"type": "server_error", "code": None, "message": "sorry"}), "model_unavailable", True, ""),
        (Error({"type": "invalid_request_error", "code": "odd", "message": "no"}), "model_unavailable", False, ""),
        (Answer((Say("x"),), cut="close", cut_after=0, close_code=1011), "model_unavailable", True, ""),
        (Answer((Say("x"),), cut="expire", cut_after=0), "model_unavailable", True, ""),
        (cut(Say("x"), after=0), "model_unavailable", True, ""),
        (cut(CALL, after=2), "model_unavailable", True, ""),
    ],
)
async def test_fault_has_its_code_and_the_next_request_works(step: Step, code: str, counts: bool, hint: str) -> None:
    """Every fault of the handshake, the socket and the response becomes `Unavailable` with the code of the contract, says
    whether it counts against the peer, and leaves a link that answers the next request."""
    async with ScriptedRealtimeServer([step, Say("well again")]) as server:
        talk = Talk(open_link(server))
        error = await failure(talk)
        assert (error.code, error.counts) == (code, counts)
        assert hint in error.hint
        assert "interrupted" not in error.details
        await talk.ask()
        assert talk.text == "well again"
        await talk.link.close()
    assert server.open_calls == []


@pytest.mark.parametrize(
    ("step", "what"),
    [
        (NoCreated(), "opening a session"),
        (NoUpdated(), "session"),
        (Silence(), "the first event"),
        (Answer((Say("x"),), cut="silence", cut_after=0), "to go on"),
    ],
)
async def test_silence_is_a_timeout(step: Step, what: str) -> None:
    """No session.created, no session.updated, no first event, no further event: each ends as `timeout` naming what was
    waited for, counts, and drops the socket."""
    async with ScriptedRealtimeServer([step, Say("well again")]) as server:
        talk = Talk(open_link(server, limits=QUICK))
        error = await failure(talk)
        assert (error.code, error.counts) == ("timeout", True)
        assert what in error.message
        await server.until(lambda: server.open_sockets == 0)
        await talk.ask()
        await talk.link.close()
    assert talk.text == "well again"


async def test_active_response_that_never_ends_is_a_timeout() -> None:
    """The gate waits for another response only as long as a first event may take."""
    async with ScriptedRealtimeServer([Busy()] * 50) as server:
        talk = Talk(open_link(server, limits=QUICK))
        error = await failure(talk)
        await talk.link.close()
    assert error.code == "timeout"


async def test_nobody_listening_counts() -> None:
    """A refused TCP connection is the peer's failure and says where it was looked for."""
    async with ScriptedRealtimeServer() as server:
        pass
    link = open_link(server)
    error = await failure(Talk(link))
    await link.close()
    assert (error.code, error.counts) == ("model_unavailable", True)
    assert server.host in error.message


async def test_something_else_than_a_web_server_counts() -> None:
    """A peer that closes or talks another protocol during the handshake is unavailable, not a crash."""

    async def talk_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 smtp.example ESMTP\r\n")
        writer.close()

    nonsense = await asyncio.start_server(talk_nonsense, "127.0.0.1", 0)
    port = nonsense.sockets[0].getsockname()[1]
    async with ScriptedRealtimeServer() as server:
        link = open_link(server, url=f"http://127.0.0.1:{port}/v1")
        error = await failure(Talk(link))
        await link.close()
    nonsense.close()
    assert (error.code, error.counts) == ("model_unavailable", True)


async def test_wrong_address_is_refused_at_once() -> None:
    """An address that is no http or WebSocket address is a set-up error that names the setting."""
    async with ScriptedRealtimeServer() as server:
        with pytest.raises(FatalError) as caught:
            open_link(server, url="file:///etc/passwd")
    assert caught.value.exit_status == 2
    assert "SPARK_MODEL_URL" in caught.value.hint


@pytest.mark.parametrize(
    ("step", "expected_s"),
    [
        (Refuse(429, retry_after="7"), 7.0),
        (Refuse(503, retry_after="3"), 3.0),
        (fail("rate_limit_exceeded", "Rate limit reached. Please try again in 1.5s."), 1.5),
        (fail("rate_limit_exceeded", "Please try again in 250ms."), 0.25),
        (fail("rate_limit_exceeded", empty_limits_s=4.0), 4.0),
        (fail("rate_limit_exceeded"), None),
    ],
)
async def test_waiting_time_is_taken_from_where_the_server_says_it(step: Step, expected_s: float | None) -> None:
    """`Retry-After`, the empty bucket of `rate_limits.updated`, or the sentence of the error."""
    async with ScriptedRealtimeServer([step]) as server:
        talk = Talk(open_link(server))
        error = await failure(talk)
        await talk.link.close()
    assert error.retry_after_s == expected_s


async def test_retry_after_may_be_a_date() -> None:
    """An HTTP date is read as the seconds until then."""
    then = datetime.now(UTC) + timedelta(seconds=3600)
    async with ScriptedRealtimeServer(
        [Refuse(429, retry_after=then.strftime("%a, %d %b %Y %H:%M:%S GMT")), Refuse(429, retry_after="soon")]
    ) as server:
        talk = Talk(open_link(server))
        error = await failure(talk)
        nonsense = await failure(talk)
        await talk.link.close()
    assert error.retry_after_s is not None
    assert 3000 < error.retry_after_s <= 3600
    assert nonsense.retry_after_s is None


async def test_failed_response_carries_what_it_cost() -> None:
    """A response that fails after its tokens were counted has them in the error, so that no token is lost."""
    async with ScriptedRealtimeServer([fail("server_error", usage=(10, 2, 1))]) as server:
        talk = Talk(open_link(server))
        error = await failure(talk)
        await talk.link.close()
    assert error.details["usage"] == {"inputTokens": 10, "cachedTokens": 2, "outputTokens": 1}


async def test_failure_that_is_about_this_response_only_is_its_end() -> None:
    """A failed status with a code that says nothing about the world ends the response; nothing is raised."""
    async with ScriptedRealtimeServer([fail("content_policy", "not that"), Say("ok")]) as server:
        talk = Talk(open_link(server))
        await talk.ask("one")
        assert talk.end == ResponseEnded("failed", TokenUsage(120, 64, 30), "content_policy", "not that")
        await talk.ask("two")
        await talk.link.close()
    assert len(server.handshakes) == 1


@pytest.mark.parametrize(
    "step",
    [
        cut(Say("one two three"), after=2),
        Answer((Say("one two three"),), cut="close", cut_after=2),
        Answer((Say("one two three"),), cut="expire", cut_after=2),
        fail("server_error", "sorry", Say("one two three four")),
        fail("server_error"),
    ],
)
async def test_break_after_text_says_interrupted(step: Step) -> None:
    """Where text was yielded before the break, the error says so; where nothing was, it does not."""
    async with ScriptedRealtimeServer([step]) as server:
        talk = Talk(open_link(server))
        error = await failure(talk)
        await talk.link.close()
    assert error.details.get("interrupted", False) is bool(talk.events)
    assert talk.events in ([], [TextReceived("one "), TextReceived("two ")])


async def test_cut_in_the_middle_of_the_second_call_yields_no_call() -> None:
    """A connection cut after one whole call of two has yielded nothing, so the whole response may be asked for again."""
    second = Call("readFile", {"path": "Assets/Scripts/SomethingLong.cs"}, call_id="call_b")
    async with ScriptedRealtimeServer([cut(CALL, second, after=5), Say("again")]) as server:
        talk = Talk(open_link(server))
        error = await failure(talk)
        assert "interrupted" not in error.details
        assert len(server.sent("response.output_item.done")) == 1
        await talk.ask()
        await talk.link.close()
    assert types(server.received(connection=1)) == ["session.update", "user", "response.create"]


async def test_after_a_cut_the_whole_conversation_is_told_again() -> None:
    """On the new socket come session.update, then every item in order with calls and outputs in pairs, then one
    response.create; no output without its call, no call without an output."""
    script: list[Step] = [CALL, cut(Say("one two three"), after=1), Say("went on")]
    async with ScriptedRealtimeServer(script) as server:
        talk = Talk(open_link(server))
        await talk.ask("read it")
        talk.answer(talk.calls[0])
        error = await failure(talk, "and then")
        assert error.details["interrupted"] is True
        talk.take_in()
        await talk.ask("go on")
        await talk.link.close()
    assert types(server.received(connection=1)) == [
        "session.update",
        *["user", "function_call", "function_call_output", "user", "assistant", "user"],
        "response.create",
    ]
    kinds = [part["type"] for body in server.received(connection=1) for part in body.get("item", {}).get("content", ())]
    assert kinds == ["input_text", "input_text", "output_text", "input_text"]
    assert server.sent("error", connection=1) == []
    assert server.open_calls == []


@pytest.mark.parametrize("fault", ["abort", "close", "expire"])
async def test_kept_socket_that_died_is_replaced_without_an_error(fault: str) -> None:
    """A session that ended between two prompts, by a cut, a close or its time limit, is opened anew and told everything;
    the caller notices nothing."""
    async with ScriptedRealtimeServer([Say("one"), Say("two")]) as server:
        talk = Talk(open_link(server))
        await talk.ask("first")
        match fault:
            case "abort":
                await server.abort_all()
            case "close":
                await server.close_all(1012)
            case _:
                await server.close_all(1001, error="session_expired")
        await server.until(lambda: server.open_sockets == 0)
        await talk.ask("second")
        await talk.link.close()
    assert talk.text == "two"
    assert types(server.received(connection=1)) == [*["session.update", "user", "assistant", "user", "response.create"]]


@pytest.mark.parametrize("fault", ["abort", "close", "expire"])
async def test_kept_socket_that_dies_at_the_request_is_replaced_too(fault: str) -> None:
    """The same where the server lets the kept socket go only when it is asked: nothing had been shown, so it is no error."""
    dies = Answer((Say("never"),), cut=fault, cut_after=0)  # type: ignore[arg-type]
    async with ScriptedRealtimeServer([Say("one"), dies, Say("two")]) as server:
        talk = Talk(open_link(server))
        await talk.ask("first")
        await talk.ask("second")
        await talk.link.close()
    assert talk.text == "two"
    assert len(server.handshakes) == 2


async def test_message_over_the_limit_ends_the_connection() -> None:
    """A frame larger than the limit is refused, not held in memory."""
    text = "x" * (9 * 1024 * 1024)
    async with ScriptedRealtimeServer([Say(text, pieces=[text]), Say("ok")]) as server:
        talk = Talk(open_link(server))
        error = await failure(talk)
        assert (error.code, error.counts) == ("model_unavailable", False)
        await talk.ask()
        await talk.link.close()
    assert talk.text == "ok"


async def test_refused_item_of_the_conversation_is_no_endless_loop() -> None:
    """Where the server refuses an item, the request fails with its words, does not count, and the socket is not reused."""
    async with ScriptedRealtimeServer([Say("one"), Say("two")]) as server:
        link = open_link(server)
        talk = Talk(link)
        talk.say("hi")
        server.refuse_items = True
        error = await failure(talk, "there")
        server.refuse_items = False
        assert error.counts is False
        assert "refused" in error.message
        await talk.ask()
        await link.close()
    assert talk.end.status == "completed"
