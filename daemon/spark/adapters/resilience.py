"""Circuit breaker, retries and time limits for whatever lies outside: one policy for models, cloud and Editor.

Owns when a call may go out and how often it is tried again. Must not know what is called. pybreaker is the state machine,
but it is not made for asyncio (it counts a cancelled task as a failure and lets every caller through when half open), so
nothing is awaited inside it: a call is admitted here, runs outside, and only its outcome is recorded.

    state    | who may call        | becomes
    ---------|---------------------|---------------------------------------------------------------
    closed   | everybody           | open after `fail_max` failures in a row
    open     | nobody              | halfOpen with the first call after `reset_s`
    halfOpen | one call at a time  | closed after `success_threshold` successes, open with a failure

A failure is an `Unavailable` with `counts`; a cancelled task, a quota or a wrong key is neither success nor failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Literal, NoReturn, TypedDict, TypeVar

from spark.core.errors import Unavailable
from spark.core.limits import CALL_TIMEOUT_S
from spark.core.ports import Clock

T = TypeVar("T")
State = Literal["closed", "open", "halfOpen"]
Sleep = Callable[[float], Awaitable[None]]

ATTEMPTS: Final = 3
FIRST_WAIT_S: Final = 1.0
MAX_WAIT_S: Final = 10.0
_PROBE_WAIT_S: Final = 1.0
_STATES: Final[dict[str, State]] = {"closed": "closed", "open": "open", "half-open": "halfOpen"}


class CircuitView(TypedDict):
    """What status shows of a circuit. `retryAfterS` is None unless it is open."""

    name: str
    state: State
    failures: int
    retryAfterS: float | None


class Permit:
    """One admitted call. Its first outcome counts; `release` without one says nothing about the peer."""

    def __init__(self, circuit: Circuit, era: int) -> None:
        self._circuit = circuit
        self._era = era
        self._settled = False

    def succeeded(self) -> None:
        self._settle(None)

    def failed(self, error: Unavailable) -> None:
        """Counts only where the error does."""
        if error.counts:
            self._settle(error)
        else:
            self.release()

    def release(self) -> None:
        """Ends the call without an outcome, if it has none yet."""
        if not self._settled:
            self._settled = True
            self._circuit._leave(self._era)

    def _settle(self, error: Unavailable | None) -> None:
        if not self._settled:
            self._settled = True
            self._circuit._leave(self._era)
            self._circuit._record(self._era, error)


class Circuit:
    """The breaker of one peer (a backend at a host). `listeners` get a view after every change of state."""

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        fail_max: int = 5,
        success_threshold: int = 2,
        reset_s: float = 60.0,
        listeners: Iterable[Callable[[CircuitView], None]] = (),
    ) -> None:
        self.name = name
        self.listeners = list(listeners)
        self._clock = clock
        self._fail_max = fail_max
        self._success_threshold = success_threshold
        self._reset_s = reset_s
        self._breaker: Any = None
        self._state: State = "closed"
        self._opened_at = 0.0
        self._era = 0
        """Grows with every change of state: what was admitted under an older state tells nothing about this one."""
        self._probing = False

    @property
    def state(self) -> State:
        return self._state

    def view(self) -> CircuitView:
        return {
            "name": self.name,
            "state": self._state,
            "failures": self._breaker.fail_counter if self._breaker is not None else 0,
            "retryAfterS": round(self._remaining_s(), 1) if self._state == "open" else None,
        }

    def admit(self) -> Permit:
        """Lets a call out, or raises `Unavailable("circuit_open")` saying when to come back."""
        if self._state == "open":
            remaining = self._remaining_s()
            if remaining > 0:
                raise self._refusal(remaining, f"{self.name} failed repeatedly and is left alone for a while")
            self._loaded().half_open()
            self._sync()
        if self._state == "halfOpen":
            if self._probing:
                raise self._refusal(_PROBE_WAIT_S, f"{self.name} is being tried with another call right now")
            self._probing = True
        return Permit(self, self._era)

    async def call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Runs one operation under the circuit. Raises what it raises, or `circuit_open`."""
        permit = self.admit()
        try:
            result = await operation()
        except Unavailable as error:
            permit.failed(error)
            raise
        else:
            permit.succeeded()
            return result
        finally:
            permit.release()

    def _remaining_s(self) -> float:
        return max(0.0, self._opened_at + self._reset_s - self._clock.monotonic())

    def _refusal(self, wait_s: float, message: str) -> Unavailable:
        return Unavailable(
            "circuit_open",
            message,
            hint=f"Try again in {max(1, round(wait_s))} seconds.",
            details={"circuit": self.name, "retryAfterS": round(wait_s, 1)},
            retry_after_s=wait_s,
            counts=False,
        )

    def _loaded(self) -> Any:
        if self._breaker is None:
            import pybreaker

            self._breaker = pybreaker.CircuitBreaker(
                fail_max=self._fail_max,
                success_threshold=self._success_threshold,
                state_storage=pybreaker.CircuitMemoryStorage(pybreaker.STATE_CLOSED),
                throw_new_error_on_trip=False,
                name=self.name,
            )
        return self._breaker

    def _leave(self, era: int) -> None:
        if era == self._era:
            self._probing = False

    def _record(self, era: int, error: Unavailable | None) -> None:
        # A late outcome of an older state must not reach pybreaker: in its open state it would ask the wall clock.
        if era != self._era:
            return
        if error is None:
            if self._breaker is not None:
                self._breaker.call(_succeed)
        else:
            try:
                self._loaded().call(_fail, error)
            except Unavailable as recorded:
                if recorded is not error:
                    raise
        self._sync()

    def _sync(self) -> None:
        state = _STATES[self._breaker.current_state] if self._breaker is not None else "closed"
        if state == self._state:
            return
        self._state = state
        self._era += 1
        self._probing = False
        if state == "open":
            self._opened_at = self._clock.monotonic()
        for listener in self.listeners:
            listener(self.view())


def _succeed() -> None:
    return None


def _fail(error: Unavailable) -> NoReturn:
    raise error


def may_retry(error: BaseException) -> bool:
    """Whether trying again soon can help: the peer's own failure, or a rate limit that ends within `MAX_WAIT_S`."""
    if not isinstance(error, Unavailable):
        return False
    if error.retry_after_s is not None and error.retry_after_s > MAX_WAIT_S:
        return False
    return error.counts or (error.code == "rate_limited" and error.retry_after_s is not None)


async def retrying(
    operation: Callable[[], Awaitable[T]],
    *,
    attempts: int = ATTEMPTS,
    sleep: Sleep = asyncio.sleep,
    on_retry: Callable[[Unavailable], None] | None = None,
) -> T:
    """Runs an operation up to `attempts` times with exponential waits and jitter, 1 s to 10 s, or the peer's own time.

    Raises the last error as it came. `on_retry` is told each error that another attempt follows.
    """
    import tenacity

    backoff = tenacity.wait_exponential_jitter(max=MAX_WAIT_S, jitter=FIRST_WAIT_S)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, Unavailable) and error.retry_after_s is not None:
            return max(0.0, error.retry_after_s)
        return backoff(state)

    def before_sleep(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        if on_retry is not None and isinstance(error, Unavailable):
            on_retry(error)

    async def attempt() -> T:  # tenacity awaits coroutine functions only, not what a lambda returns
        return await operation()

    loop = tenacity.AsyncRetrying(
        stop=tenacity.stop_after_attempt(attempts),
        wait=wait,
        retry=tenacity.retry_if_exception(may_retry),
        sleep=sleep,
        before_sleep=before_sleep,
        reraise=True,
    )
    return await loop(attempt)


async def within(operation: Awaitable[T], what: str, *, timeout_s: float = CALL_TIMEOUT_S) -> T:
    """Awaits with a time limit. Raises `Unavailable("timeout")` naming what took too long; cancellation passes through."""
    try:
        async with asyncio.timeout(timeout_s) as limit:
            return await operation
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise timed_out(what, timeout_s) from error


def timed_out(what: str, timeout_s: float) -> Unavailable:
    """The refusal for something that took longer than its limit."""
    return Unavailable("timeout", f"{what} took longer than {timeout_s:g} seconds", details={"timeoutS": timeout_s})
