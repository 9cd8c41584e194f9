"""The circuit breaker against its table of states, retries and time limits, with a clock and a sleep that only move when told."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from spark.adapters.resilience import Circuit, CircuitView, Permit, may_retry, retrying, within
from spark.core.errors import Unavailable
from tests.fakes.realtime_talk import SteadyClock, until

DOWN = Unavailable("model_unavailable", "down")
NO_KEY = Unavailable("model_unavailable", "key refused", counts=False)


class FakeSleep:
    """Remembers how long was slept and goes on at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def circuit_with(clock: SteadyClock, **changes: Any) -> Circuit:
    return Circuit("test at host", clock=clock, **changes)


def fail(circuit: Circuit, times: int = 1) -> None:
    for _ in range(times):
        circuit.admit().failed(DOWN)


class CircuitTable(RuleBasedStateMachine):
    """The table in the module, kept here as a model of its own, against the circuit."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = SteadyClock()
        self.views: list[CircuitView] = []
        self.circuit = circuit_with(self.clock, listeners=[self.views.append])
        self.state = "closed"
        self.failures = 0
        self.successes = 0
        self.opened_at = 0.0
        self.era = 0
        self.permits: list[tuple[Permit, int]] = []
        self.probe: Permit | None = None

    def go(self, state: str) -> None:
        self.state = state
        self.era += 1
        self.probe = None
        if state == "open":
            self.opened_at = self.clock.monotonic()
        if state == "closed":
            self.failures = 0
        self.successes = 0

    @rule(seconds=st.sampled_from([0.5, 30.0, 59.0, 60.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def a_call_wants_out(self) -> None:
        if self.state == "open" and self.clock.monotonic() >= self.opened_at + 60:
            self.go("halfOpen")
        refused = self.state == "open" or (self.state == "halfOpen" and self.probe is not None)
        if refused:
            with pytest.raises(Unavailable) as caught:
                self.circuit.admit()
            assert caught.value.code == "circuit_open"
            assert not caught.value.counts
            assert "seconds" in caught.value.hint
        else:
            permit = self.circuit.admit()
            self.permits.append((permit, self.era))
            if self.state == "halfOpen":
                self.probe = permit

    @precondition(lambda self: self.permits)
    @rule(data=st.data(), outcome=st.sampled_from(["success", "failure", "neutral", "released"]))
    def a_call_ends(self, data: st.DataObject, outcome: str) -> None:
        permit, era = self.permits.pop(data.draw(st.integers(0, len(self.permits) - 1)))
        match outcome:
            case "success":
                permit.succeeded()
            case "failure":
                permit.failed(DOWN)
            case "neutral":
                permit.failed(NO_KEY)
        permit.release()
        permit.succeeded()  # only the first outcome counts
        if era != self.era:
            return
        if self.probe is permit:
            self.probe = None
        if outcome == "success":
            self.failures = 0
            self.successes += 1
            if self.state == "halfOpen" and self.successes == 2:
                self.go("closed")
        elif outcome == "failure":
            self.failures += 1
            if self.state == "halfOpen" or self.failures == 5:
                self.go("open")

    @invariant()
    def both_agree(self) -> None:
        view = self.circuit.view()
        assert view["state"] == self.state
        assert self.circuit.state == self.state
        if self.state == "closed":
            assert view["failures"] == self.failures
        assert (view["retryAfterS"] is None) is (self.state != "open")
        assert len(self.views) == self.era


CircuitTable.TestCase.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
TestCircuitTable = CircuitTable.TestCase


def test_five_failures_open_and_the_hint_says_how_long() -> None:
    """After the fifth failure in a row nobody is let out for 60 seconds, and the refusal names the seconds left."""
    clock = SteadyClock()
    circuit = circuit_with(clock)
    fail(circuit, 4)
    assert circuit.view() == {"name": "test at host", "state": "closed", "failures": 4, "retryAfterS": None}
    fail(circuit)
    clock.advance(18)
    assert circuit.view() == {"name": "test at host", "state": "open", "failures": 5, "retryAfterS": 42.0}
    with pytest.raises(Unavailable) as caught:
        circuit.admit()
    assert "42 seconds" in caught.value.hint
    assert caught.value.retry_after_s == 42.0


def test_a_success_in_between_starts_the_count_anew() -> None:
    """Only failures in a row open the circuit."""
    circuit = circuit_with(SteadyClock())
    fail(circuit, 4)
    circuit.admit().succeeded()
    fail(circuit, 4)
    assert circuit.state == "closed"


def test_wall_clock_has_no_say() -> None:
    """The injected clock alone decides when the circuit may be tried: pybreaker's own date never lets a call out or back."""
    clock = SteadyClock(at=0.0)
    circuit = circuit_with(clock, reset_s=0.001)
    fail(circuit, 5)
    for _ in range(3):
        with pytest.raises(Unavailable):
            circuit.admit()
    clock.advance(0.002)
    circuit.admit().succeeded()
    circuit.admit().succeeded()
    assert circuit.state == "closed"


async def test_one_probe_at_a_time() -> None:
    """Of many callers that come when the circuit may be tried, one is let out."""
    clock = SteadyClock()
    circuit = circuit_with(clock)
    fail(circuit, 5)
    clock.advance(60)
    gate = asyncio.Event()
    started = 0

    async def operation() -> str:
        nonlocal started
        started += 1
        await gate.wait()
        return "done"

    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(_outcome(circuit.call(operation))) for _ in range(5)]
        await until(lambda: sum(task.done() for task in waiting) == 4)
        gate.set()
    assert started == 1
    assert sorted(task.result() for task in waiting) == ["circuit_open"] * 4 + ["done"]


async def _outcome(operation: Awaitable[str]) -> str:
    try:
        return await operation
    except Unavailable as error:
        return error.code


async def test_cancelled_call_is_neither_success_nor_failure() -> None:
    """Cancelling a probe gives its place back, changes no count, and the cancellation arrives as it is."""
    clock = SteadyClock()
    circuit = circuit_with(clock)
    fail(circuit, 5)
    clock.advance(60)
    started = asyncio.Event()

    async def forever() -> None:
        started.set()
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(circuit.call(forever))
        await started.wait()
        task.cancel()
    assert task.cancelled()
    assert circuit.state == "halfOpen"
    circuit.admit().succeeded()


async def test_only_what_counts_is_counted() -> None:
    """Refused keys, quotas and our own bugs pass through the circuit without a trace."""
    circuit = circuit_with(SteadyClock())

    async def raises(error: Exception) -> None:
        raise error

    for error in (NO_KEY, ValueError("a bug"), Unavailable("quota_exceeded", "no", counts=False)):
        for _ in range(6):
            with pytest.raises(type(error)):
                await circuit.call(functools.partial(raises, error))
    assert circuit.view()["failures"] == 0
    for _ in range(5):
        with pytest.raises(Unavailable):
            await circuit.call(lambda: raises(DOWN))
    assert circuit.state == "open"


def test_listeners_hear_each_change_of_state() -> None:
    """Opening, half opening and closing are each told once, with the view of then."""
    clock = SteadyClock()
    views: list[CircuitView] = []
    circuit = circuit_with(clock, listeners=[views.append])
    fail(circuit, 5)
    clock.advance(60)
    circuit.admit().succeeded()
    circuit.admit().succeeded()
    assert [view["state"] for view in views] == ["open", "halfOpen", "closed"]


def failing(errors: list[Unavailable]) -> Callable[[], Awaitable[str]]:
    async def operation() -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    return operation


async def test_three_attempts_with_growing_jittered_waits() -> None:
    """Two failures are waited out, within 1 to 10 seconds and the second longer than the first; the third attempt counts."""
    sleep = FakeSleep()
    assert await retrying(failing([DOWN, DOWN]), sleep=sleep) == "done"
    first, second = sleep.slept
    assert 1 <= first <= 2 <= second <= 10


async def test_last_error_comes_out_as_it_is() -> None:
    """After the third failure its own error is raised, not a wrapper, and nothing is slept after it."""
    sleep = FakeSleep()
    errors = [Unavailable("model_unavailable", str(number)) for number in range(4)]
    third = errors[2]
    with pytest.raises(Unavailable) as caught:
        await retrying(failing(errors), sleep=sleep)
    assert caught.value is third
    assert len(sleep.slept) == 2


async def test_waits_never_pass_ten_seconds() -> None:
    """However many attempts, a wait is at most ten seconds."""
    sleep = FakeSleep()
    await retrying(failing([DOWN] * 9), attempts=10, sleep=sleep)
    assert max(sleep.slept) == 10


@pytest.mark.parametrize(
    ("error", "retried", "slept"),
    [
        (Unavailable("rate_limited", "slow down", retry_after_s=0.4, counts=False), True, [0.4]),
        (Unavailable("rate_limited", "slow down", retry_after_s=10.0, counts=False), True, [10.0]),
        (Unavailable("rate_limited", "slow down", retry_after_s=10.1, counts=False), False, []),
        (Unavailable("rate_limited", "slow down", counts=False), False, []),
        (Unavailable("model_unavailable", "down", retry_after_s=3.0), True, [3.0]),
        (Unavailable("model_unavailable", "down", retry_after_s=60.0), False, []),
        (NO_KEY, False, []),
        (Unavailable("quota_exceeded", "no", retry_after_s=1.0, counts=False), False, []),
        (Unavailable("circuit_open", "left alone", retry_after_s=1.0, counts=False), False, []),
    ],
)
async def test_what_is_retried_and_when(error: Unavailable, retried: bool, slept: list[float]) -> None:
    """The peer's own time is kept where it is short; what waiting cannot mend is not retried."""
    sleep = FakeSleep()
    assert may_retry(error) is retried
    if retried:
        assert await retrying(failing([error]), sleep=sleep) == "done"
    else:
        with pytest.raises(Unavailable):
            await retrying(failing([error]), sleep=sleep)
    assert sleep.slept == slept


async def test_bugs_and_cancellation_are_not_retried() -> None:
    """Anything but `Unavailable` passes the first time."""
    calls = 0

    async def operation() -> None:
        nonlocal calls
        calls += 1
        raise asyncio.CancelledError if calls == 2 else ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await retrying(operation, sleep=FakeSleep())
    with pytest.raises(asyncio.CancelledError):
        await retrying(operation, sleep=FakeSleep())
    assert calls == 2


async def test_time_limit_names_what_took_too_long() -> None:
    """An operation over its limit is `timeout`; one within it gives its value."""
    with pytest.raises(Unavailable, match=r"fetching the page took longer than 0\.01 seconds") as caught:
        await within(asyncio.Event().wait(), "fetching the page", timeout_s=0.01)
    assert caught.value.code == "timeout"
    assert caught.value.counts
    assert await within(asyncio.sleep(0, "value"), "nothing") == "value"


async def test_timeouts_of_the_operation_itself_stay_its_own() -> None:
    """A `TimeoutError` raised inside is not mistaken for the limit."""

    async def operation() -> None:
        raise TimeoutError("inner")

    with pytest.raises(TimeoutError, match="inner"):
        await within(operation(), "it")
