"""How long Realtime connections live: cancelling, keeping, recycling, closing, and what is left afterwards (nothing)."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from spark.adapters.models.realtime_connection import RealtimeLimits
from spark.core.conversation import ResponseEnded, TextReceived, TokenUsage
from spark.core.errors import Unavailable
from tests.fakes.realtime_server import Answer, Call, Parallel, Say, ScriptedRealtimeServer, Silence
from tests.fakes.realtime_talk import QUICK, SteadyClock, Talk, only_this_task_left, open_link, types, until

HALF_AN_ANSWER = Answer((Say("one two three"),), cut="silence", cut_after=1, usage=(7, 0, 1))


@pytest.fixture(autouse=True)
async def _nothing_is_left() -> AsyncIterator[None]:
    yield
    await only_this_task_left()
    gc.collect()


async def test_closing_the_generator_cancels_and_keeps_the_session() -> None:
    """Leaving a response early sends response.cancel, waits for its end, and the next prompt uses the same socket."""
    late: list[tuple[str, TokenUsage]] = []
    async with ScriptedRealtimeServer([HALF_AN_ANSWER, Say("next")]) as server:
        link = open_link(server, late_usage=lambda conversation, usage: late.append((conversation, usage)))
        talk = Talk(link)
        talk.say("hi")
        async with aclosing(link.respond(talk.next_request())) as events:
            assert await anext(events) == TextReceived("one ")
        await talk.ask("what else")
        await link.close()
    assert talk.text == "next"
    assert len(server.handshakes) == 1
    # The half answer was not taken into the conversation, so it is deleted from the server's copy too.
    assert types(server.received())[3:] == [*["response.cancel", "conversation.item.delete", "user", "response.create"]]
    assert late == [("conversation_1", TokenUsage(7, 0, 1))]
    assert server.sent("error") == []


async def test_cancelled_call_never_stays_open() -> None:
    """A response that is cancelled in the middle of a call leaves no call without output in the server's copy."""
    answer = Answer((Say("Let me see."), Call("readFile", {"path": "Assets/A.cs"})), cut="silence", cut_after=4)
    async with ScriptedRealtimeServer([answer, Say("next")]) as server:
        talk = Talk(open_link(server))
        talk.say("hi")
        async with aclosing(talk.link.respond(talk.next_request())) as events:
            async for event in events:
                talk.events.append(event)
                if talk.text == "Let me see.":
                    break
        talk.take_in()
        await talk.ask("what else")
        await talk.link.close()
    assert len(server.handshakes) == 1
    assert server.open_calls == []
    assert len(server.received("conversation.item.delete")) == 1


async def test_cancelled_task_cancels_the_response() -> None:
    """Cancelling the task that reads sends response.cancel as well; the cancellation is not swallowed."""
    async with ScriptedRealtimeServer([HALF_AN_ANSWER, Say("next")]) as server:
        talk = Talk(open_link(server))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(talk.ask("hi"))
            await until(lambda: talk.text == "one ")
            task.cancel()
        assert task.cancelled()
        await talk.ask("again")
        await talk.link.close()
    assert len(server.received("response.cancel")) == 1
    assert len(server.handshakes) == 1


async def test_cancel_that_is_not_confirmed_drops_the_socket() -> None:
    """Before the response has begun there is nothing to cancel by name, so the socket goes; the next prompt opens one."""
    async with ScriptedRealtimeServer([Silence(), Say("next")]) as server:
        talk = Talk(open_link(server))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(talk.ask("hi"))
            await server.until(lambda: server.received("response.create"))
            task.cancel()
        await server.until(lambda: server.open_sockets == 0)
        await talk.ask()
        await talk.link.close()
    assert talk.text == "next"
    assert len(server.handshakes) == 2


async def test_cancelling_while_it_connects_leaves_nothing() -> None:
    """A task cancelled during the set-up of a session closes the half-open socket."""
    async with ScriptedRealtimeServer([Say("x")]) as server:
        talk = Talk(open_link(server))
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(talk.ask("hi"))
            await server.until(lambda: server.handshakes)
            task.cancel()
        await server.until(lambda: server.open_sockets == 0)
        await talk.link.close()


async def test_reader_that_stops_at_the_end_keeps_the_session() -> None:
    """Breaking out of the loop at `ResponseEnded`, as most readers do, is no cancellation."""
    async with ScriptedRealtimeServer([Say("one"), Say("two")]) as server:
        talk = Talk(open_link(server))
        talk.say("hi")
        async with aclosing(talk.link.respond(talk.next_request())) as events:
            async for event in events:
                talk.events.append(event)
                if isinstance(event, ResponseEnded):
                    break
        talk.take_in()
        await talk.ask("more")
        await talk.link.close()
    assert len(server.handshakes) == 1
    assert server.received("response.cancel") == []


@pytest.mark.parametrize(
    ("left_s", "waited_s", "handshakes"),
    [
        (3600, 54 * 60, 1),  # young enough
        (3600, 55 * 60, 2),  # 55 minutes are the most
        (600, 470, 1),  # the server gives less: until two minutes before its end
        (600, 481, 2),
        (-100_000, 60, 1),  # a clock that is far off says nothing
    ],
)
async def test_session_is_recycled_before_its_end(left_s: int, waited_s: int, handshakes: int) -> None:
    """A session is replaced between two responses before the server would end it, and the new one is told everything."""
    clock = SteadyClock()
    async with ScriptedRealtimeServer([Say("one"), Say("two")], expires_at=clock.at + left_s) as server:
        talk = Talk(open_link(server, clock=clock))
        await talk.ask("first")
        clock.advance(waited_s)
        await talk.ask("second")
        await talk.link.close()
    assert len(server.handshakes) == handshakes
    assert types(server.received())[-2:] == ["user", "response.create"]


async def test_unused_connection_is_closed_and_opened_on_demand() -> None:
    """After the keeping time without a request the socket is closed without anybody asking; the next prompt opens one."""
    async with ScriptedRealtimeServer([Say("one"), Say("two")]) as server:
        talk = Talk(open_link(server, limits=RealtimeLimits(keep_s=0.05)))
        await talk.ask("first")
        await server.until(lambda: server.open_sockets == 0)
        await talk.ask("second")
        await talk.link.close()
    assert talk.text == "two"
    assert len(server.handshakes) == 2


async def test_only_two_unused_sessions_are_kept() -> None:
    """A third conversation closes the socket that was unused the longest."""
    async with ScriptedRealtimeServer([Say("x")] * 3) as server:
        link = open_link(server)
        for number in range(3):
            await Talk(link, conversation_id=str(number)).ask("hi")
        await server.until(lambda: server.open_sockets == 2)
        await link.close()
        await server.until(lambda: server.open_sockets == 0)


async def test_two_responses_of_one_conversation_at_once_do_not_mix() -> None:
    """A second request while the first runs gets a socket of its own; both answers stay whole."""
    async with ScriptedRealtimeServer([Say("a b c"), Say("a b c")]) as server:
        link = open_link(server)
        talks = [Talk(link), Talk(link)]
        async with asyncio.TaskGroup() as tasks:
            for talk in talks:
                tasks.create_task(talk.ask("hi"))
        await link.close()
    assert [talk.text for talk in talks] == ["a b c", "a b c"]


async def test_close_ends_what_runs_and_what_is_kept() -> None:
    """Closing the link ends a running response as `Unavailable`, closes every socket, and refuses what comes later."""
    async with ScriptedRealtimeServer([Say("one"), HALF_AN_ANSWER]) as server:
        link = open_link(server)
        await Talk(link).ask("hi")
        busy = Talk(link, conversation_id="other")
        busy.say("hi")
        async with aclosing(link.respond(busy.next_request())) as events:
            assert await anext(events) == TextReceived("one ")
            await link.close()
            with pytest.raises(Unavailable):
                await anext(events)
        await server.until(lambda: server.open_sockets == 0)
        with pytest.raises(Unavailable, match="closed"):
            await busy.ask("again")
        await link.close()


async def test_unused_link_closes_without_ever_connecting() -> None:
    """A daemon that was never asked anything has no socket and closes at once."""
    async with ScriptedRealtimeServer() as server:
        await open_link(server).close()
    assert server.handshakes == []


async def test_slow_reader_gets_everything() -> None:
    """A reader that stays away while the whole answer arrives finds it complete, and the socket in use."""
    text = " ".join(str(number) for number in range(2000))
    async with ScriptedRealtimeServer([Parallel(Say(text)), Say("next")]) as server:
        talk = Talk(open_link(server, limits=QUICK))
        talk.say("hi")
        async with aclosing(talk.link.respond(talk.next_request())) as events:
            talk.events.append(await anext(events))
            await server.until(lambda: server.sent("response.done"))
            async for event in events:
                talk.events.append(event)
        assert talk.text == text
        talk.take_in()
        await talk.ask("more")
        await talk.link.close()
    assert len(server.handshakes) == 1
