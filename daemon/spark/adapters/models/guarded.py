"""Puts the circuit breaker and the retries around a model backend.

Owns the order: breaker outside, retries inside, so an exhausted retry is one failure. Guarded are the start and the
outcome of each response, never a socket's lifetime. Must not know which backend it guards.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Literal

from spark.adapters.models.spent import LateUsage, TellsLateUsage, usage_details, usage_of
from spark.adapters.resilience import ATTEMPTS, Circuit, Sleep, retrying
from spark.core.conversation import ModelEvent, ResponseEnded, ResponseRequest, TokenUsage
from spark.core.errors import Unavailable
from spark.core.ports import ModelLink


class GuardedModel:
    """A `ModelLink` around another. Retries only while a response has shown nothing; `Unavailable("circuit_open")` says
    how long the backend is left alone."""

    def __init__(
        self, inner: ModelLink, circuit: Circuit, *, attempts: int = ATTEMPTS, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.inner = inner
        self.circuit = circuit
        self._attempts = attempts
        self._sleep = sleep

    @property
    def backend(self) -> Literal["realtime", "chat", "offline"]:
        return self.inner.backend

    @property
    def model(self) -> str:
        return self.inner.model

    @property
    def host(self) -> str:
        return self.inner.host

    @property
    def key_source(self) -> str:
        return self.inner.key_source

    def on_late_usage(self, listener: LateUsage) -> None:
        """Tells `listener` what cancelled responses cost, where the backend learns it. It is called while the response's
        generator is closed."""
        if isinstance(self.inner, TellsLateUsage):
            self.inner.late_usage = listener

    async def close(self) -> None:
        await self.inner.close()

    async def respond(self, request: ResponseRequest) -> AsyncGenerator[ModelEvent]:
        permit = self.circuit.admit()
        # Attempts that failed may have cost tokens too; they belong to this response.
        spent = _Spent()
        try:
            events, event = await retrying(
                lambda: self._begin(request),
                attempts=self._attempts,
                sleep=self._sleep,
                on_retry=spent.note,
            )
            async with aclosing(events):
                while not isinstance(event, ResponseEnded):
                    yield event
                    event = await _next(events)
            # Recorded before it is handed out: whoever reads an end need not come back.
            if event.status != "failed":
                permit.succeeded()
            yield replace(event, usage=event.usage + spent.usage)
        except Unavailable as error:
            permit.failed(error)
            spent.put_into(error)
            raise
        finally:
            permit.release()

    async def _begin(self, request: ResponseRequest) -> tuple[AsyncGenerator[ModelEvent], ModelEvent]:
        events = self.inner.respond(request)
        try:
            return events, await _next(events)
        except BaseException:
            await events.aclose()
            raise


async def _next(events: AsyncGenerator[ModelEvent]) -> ModelEvent:
    try:
        return await anext(events)
    except StopAsyncIteration:
        raise Unavailable("model_unavailable", "the model's answer ended without an end") from None


class _Spent:
    """Tokens that attempts without an answer cost, as errors carry them in `details["usage"]`."""

    def __init__(self) -> None:
        self.usage = TokenUsage()

    def note(self, error: Unavailable) -> None:
        self.usage += usage_of(error)

    def put_into(self, error: Unavailable) -> None:
        if self.usage != TokenUsage():
            error.details["usage"] = usage_details(self.usage + usage_of(error))
