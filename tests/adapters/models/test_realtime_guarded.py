"""The guard around a model backend: one count per exhausted retry, nothing replayed that was shown, open circuits refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

import pytest

from spark.adapters.models.guarded import GuardedModel
from spark.adapters.resilience import Circuit
from spark.core.conversation import ModelEvent, ResponseEnded, ResponseRequest, TextReceived, TokenUsage
from spark.core.errors import Unavailable
from tests.fakes.realtime_server import (
    Answer,
    Call,
    Refuse,
    Say,
    ScriptedRealtimeServer,
    cut,
    fail,
    incomplete,
)
from tests.fakes.realtime_talk import SteadyClock, Talk, only_this_task_left, open_link, until

REQUEST = ResponseRequest("c", "", ())
Script = Sequence[ModelEvent | Unavailable | Literal["wait"]]


class ScriptedLink:
    """A backend that plays one list of events, errors and waits per response."""

    def __init__(self, *responses: Script) -> None:
        self.responses = list(responses)
        self.asked = 0
        self.closed_early = 0
        self.closed = False

    backend: Literal["realtime", "chat", "offline"] = "realtime"
    model = "scripted"
    host = "this machine"
    key_source = "none needed"

    async def respond(self, request: ResponseRequest) -> AsyncGenerator[ModelEvent]:
        self.asked += 1
        ended = False
        try:
            for step in self.responses.pop(0):
                if isinstance(step, Unavailable):
                    ended = True
                    raise step
                if step == "wait":
                    await asyncio.Event().wait()
                else:
                    assert not isinstance(step, str)
                    ended = isinstance(step, ResponseEnded)
                    yield step
        finally:
            self.closed_early += not ended

    async def close(self) -> None:
        self.closed = True


class NoSleep:
    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def guard(link: ScriptedLink, clock: SteadyClock | None = None) -> tuple[GuardedModel, NoSleep]:
    sleep = NoSleep()
    return GuardedModel(link, Circuit("model at host", clock=clock or SteadyClock()), sleep=sleep), sleep


async def collect(model: GuardedModel) -> list[ModelEvent]:
    async with aclosing(model.respond(REQUEST)) as events:
        return [event async for event in events]


def down(**details: object) -> Unavailable:
    return Unavailable("model_unavailable", "down", details=details)


END = ResponseEnded("completed", TokenUsage(1, 1, 1))


async def test_failures_before_the_first_event_are_retried() -> None:
    """Two failed starts and a good one give one answer; the tokens of the failed ones are counted with it."""
    spent = down(usage={"inputTokens": 5, "cachedTokens": 0, "outputTokens": 2})
    model, sleep = guard(ScriptedLink([spent], [down()], [TextReceived("x"), END]))
    assert await collect(model) == [TextReceived("x"), ResponseEnded("completed", TokenUsage(6, 1, 3))]
    assert len(sleep.slept) == 2
    assert model.circuit.view()["failures"] == 0


async def test_exhausted_retry_is_one_failure() -> None:
    """Three failed attempts count once; five such requests open the circuit, and the sixth asks nobody."""
    link = ScriptedLink(*[[down()]] * 15)
    model, _ = guard(link)
    for number in range(1, 6):
        with pytest.raises(Unavailable) as caught:
            await collect(model)
        assert caught.value.code == "model_unavailable"
        assert model.circuit.view()["failures"] == number
    with pytest.raises(Unavailable) as caught:
        await collect(model)
    assert caught.value.code == "circuit_open"
    assert "60 seconds" in caught.value.hint
    assert link.asked == 15


async def test_nothing_shown_is_ever_replayed() -> None:
    """A failure after an event is raised at once and counted; the inner link is not asked again."""
    link = ScriptedLink([TextReceived("half"), down(interrupted=True)], [END])
    model, sleep = guard(link)
    seen: list[ModelEvent] = []
    async with aclosing(model.respond(REQUEST)) as events:
        with pytest.raises(Unavailable) as caught:
            seen += [await anext(events), await anext(events)]
    assert caught.value.details["interrupted"] is True
    assert (link.asked, sleep.slept) == (1, [])
    assert model.circuit.view()["failures"] == 1


@pytest.mark.parametrize("status", ["completed", "cancelled", "incomplete"])
async def test_every_regular_end_is_a_success(status: Literal["completed", "cancelled", "incomplete"]) -> None:
    """The peer did its work also where the answer was cancelled or cut off: the failures in a row start anew."""
    model, _ = guard(ScriptedLink(*[[down()]] * 3, [ResponseEnded(status)]))
    with pytest.raises(Unavailable):
        await collect(model)
    assert await collect(model) == [ResponseEnded(status)]
    assert model.circuit.view()["failures"] == 0


async def test_failed_end_is_neither_success_nor_failure() -> None:
    """A response that failed for a reason of its own says nothing about the peer."""
    model, _ = guard(ScriptedLink(*[[down()]] * 3, [ResponseEnded("failed", error_code="content_policy")]))
    with pytest.raises(Unavailable):
        await collect(model)
    await collect(model)
    assert model.circuit.view()["failures"] == 1


async def test_refusals_are_neither_retried_nor_counted() -> None:
    """A wrong key is asked with once and leaves the circuit closed however often it happens."""
    link = ScriptedLink(*[[Unavailable("model_unavailable", "key refused", counts=False)]] * 6)
    model, sleep = guard(link)
    for _ in range(6):
        with pytest.raises(Unavailable, match="key refused"):
            await collect(model)
    assert (link.asked, sleep.slept, model.circuit.state) == (6, [], "closed")


async def test_answer_without_an_end_is_unavailable() -> None:
    """A backend whose stream just stops broke its promise; it counts as the peer's failure."""
    model, _ = guard(ScriptedLink([TextReceived("x")]))
    with pytest.raises(Unavailable, match="without an end"):
        await collect(model)
    assert model.circuit.view()["failures"] == 1


async def test_closing_the_guard_closes_what_it_guards() -> None:
    """Leaving the guarded generator closes the inner one, counts nothing and frees the probe's place."""
    clock = SteadyClock()
    link = ScriptedLink(*[[down()]] * 15, [TextReceived("x"), "wait"], [END])
    model, _ = guard(link, clock)
    for _ in range(5):
        with pytest.raises(Unavailable):
            await collect(model)
    clock.advance(60)
    before = link.closed_early
    async with aclosing(model.respond(REQUEST)) as events:
        assert await anext(events) == TextReceived("x")
    assert link.closed_early == before + 1
    assert model.circuit.state == "halfOpen"
    assert await collect(model) == [END]


@pytest.mark.parametrize("script", [["wait"], [TextReceived("x"), "wait"]])
async def test_cancelled_task_passes_through(script: Script) -> None:
    """Cancelling the reader, before or after the first event, is not swallowed, not retried and not counted."""
    link = ScriptedLink(script)
    model, sleep = guard(link)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(collect(model))
        await until(lambda: link.asked)
        task.cancel()
    assert task.cancelled()
    assert (link.asked, link.closed_early, sleep.slept) == (1, 1, [])
    assert model.circuit.view()["failures"] == 0


async def test_cancelled_while_it_waits_for_the_next_attempt() -> None:
    """Cancelling during the wait between two attempts ends it at once."""
    link = ScriptedLink([down()], [END])
    waiting = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    model = GuardedModel(link, Circuit("model at host", clock=SteadyClock()), sleep=sleep)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(collect(model))
        await waiting.wait()
        task.cancel()
    assert task.cancelled()
    assert link.asked == 1
    assert model.circuit.view()["failures"] == 0


async def test_guard_shows_what_it_guards_and_closes_it() -> None:
    """Name, host and where the key came from are those of the backend."""
    link = ScriptedLink()
    model, _ = guard(link)
    assert (model.backend, model.model, model.host, model.key_source) == (
        *("realtime", "scripted", "this machine", "none needed"),
    )
    await model.close()
    assert link.closed


async def test_real_server_that_recovers_is_answered_within_one_request() -> None:
    """Over a real socket: 503, then a cut in the middle of a call, then the answer; the caller sees only the answer."""
    call = Call("readFile", {"path": "Assets/A.cs"}, call_id="call_a")
    async with ScriptedRealtimeServer([Refuse(503), cut(call, after=2), Answer((Say("Here."), call))]) as server:
        sleep = NoSleep()
        circuit = Circuit("realtime", clock=SteadyClock())
        talk = Talk(GuardedModel(open_link(server), circuit, sleep=sleep))
        await talk.ask("read")
        await talk.link.close()
    assert talk.text == "Here."
    assert [one.name for one in talk.calls] == ["readFile"]
    assert len(sleep.slept) == 2
    assert len(server.handshakes) == 3
    await only_this_task_left()


async def test_real_server_with_a_short_rate_limit_is_waited_for() -> None:
    """The time that the server names is slept, and the failed response's tokens are part of the end."""
    limited = fail("rate_limit_exceeded", "Please try again in 2s.", usage=(9, 0, 0))
    async with ScriptedRealtimeServer([limited, Say("ok")]) as server:
        sleep = NoSleep()
        talk = Talk(GuardedModel(open_link(server), Circuit("realtime", clock=SteadyClock()), sleep=sleep))
        await talk.ask("hi")
        await talk.link.close()
    assert sleep.slept == [2.0]
    assert talk.end.usage == TokenUsage(129, 64, 30)
    assert len(server.handshakes) == 1
    await only_this_task_left()


async def test_real_server_that_stays_down_opens_the_circuit_and_closes_it_again() -> None:
    """Five exhausted requests open it, nobody is bothered while it is open, two good answers later it is closed."""
    clock = SteadyClock()
    async with ScriptedRealtimeServer([Refuse(500)] * 15 + [Say("a"), incomplete(Say("b c"))]) as server:
        circuit = Circuit("realtime", clock=clock)
        talk = Talk(GuardedModel(open_link(server), circuit, sleep=NoSleep()))
        for _ in range(5):
            with pytest.raises(Unavailable, match="refused by the script"):
                await talk.ask()
        with pytest.raises(Unavailable) as caught:
            await talk.ask()
        assert caught.value.code == "circuit_open"
        assert len(server.handshakes) == 15
        clock.advance(60)
        await talk.ask("hi")
        assert circuit.view()["state"] == "halfOpen"
        await talk.ask("more")
        assert circuit.view()["state"] == "closed"
        await talk.link.close()
    await only_this_task_left()


async def test_tokens_of_a_cancelled_response_are_told_through_the_guard() -> None:
    """By the time a closed generator is done, the listener knows what the cancelled response cost; nothing is counted
    against the peer, and a backend that cannot know it is left alone."""
    half = Answer((Say("one two"),), cut="silence", cut_after=1, usage=(7, 0, 1))
    late: list[tuple[str, TokenUsage]] = []
    async with ScriptedRealtimeServer([half]) as server:
        model = GuardedModel(open_link(server), Circuit("realtime", clock=SteadyClock()), sleep=NoSleep())
        model.on_late_usage(lambda conversation, usage: late.append((conversation, usage)))
        talk = Talk(model)
        talk.say("hi")
        async with aclosing(model.respond(talk.next_request())) as events:
            assert await anext(events) == TextReceived("one ")
        assert late == [("conversation_1", TokenUsage(7, 0, 1))]
        assert model.circuit.view()["failures"] == 0
        await model.close()
    guard(ScriptedLink())[0].on_late_usage(lambda conversation, usage: None)
    await only_this_task_left()
