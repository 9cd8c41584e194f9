"""One live Realtime session: opened, told the conversation, asked for responses one at a time.

Owns the order on the wire: session.created, session.update, session.updated, the items that the server lacks,
response.create, and nothing else until response.done. Must not know about pools, retries or breakers.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime
from typing import Any, Final

from spark.adapters.models.realtime_connection import Dialer, RealtimeConnection, RealtimeLimits
from spark.adapters.models.realtime_errors import ACTIVE_RESPONSE, SessionLost, of_wire, refused
from spark.adapters.models.realtime_memory import Plan, SessionMemory
from spark.adapters.models.realtime_response import StreamedResponse
from spark.adapters.models.realtime_wire import (
    ErrorReceived,
    Frame,
    RateLimits,
    ResponseCreated,
    ResponseDone,
    SessionCreated,
    SessionUpdated,
    WireError,
    session_config,
)
from spark.adapters.models.received import AnswerTooLarge, too_long
from spark.adapters.resilience import timed_out
from spark.core.conversation import ModelEvent, ResponseEnded, ResponseRequest, TokenUsage
from spark.core.errors import Unavailable
from spark.core.ports import Clock
from spark.core.reasoning import BackendName

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0

LateUsage = Callable[[TokenUsage], None]


class RealtimeSession:
    """Use `open`; then `fits` and `respond` until `usable` is false. One response at a time."""

    def __init__(
        self,
        connection: RealtimeConnection,
        *,
        backend: BackendName,
        model: str,
        limits: RealtimeLimits,
        recycle_at: float,
    ) -> None:
        self.model = model
        self.recycle_at = recycle_at
        """Monotonic time of the injected clock after which no further response is asked of this session."""
        self._connection = connection
        self._backend = backend
        self._limits = limits
        self._memory = SessionMemory()
        self._config: Mapping[str, Any] | None = None
        self._takes_effort = True
        self._finished: set[str] = set()
        self._sent = itertools.count(1)
        self._item_events: set[str] = set()
        self._stray = TokenUsage()
        """Tokens of responses that were not ours."""
        self._response: StreamedResponse | None = None
        """The response that the server may still be working on."""

    @classmethod
    async def open(
        cls,
        dialer: Dialer,
        request: ResponseRequest,
        *,
        backend: BackendName,
        model: str,
        limits: RealtimeLimits,
        clock: Clock,
    ) -> RealtimeSession:
        """Connects and configures. Raises `Unavailable`; nothing is left open then."""
        session: RealtimeSession | None = None
        try:
            async with asyncio.timeout(limits.connect_s) as limit:
                connection = await dialer.dial(model)
                session = cls(connection, backend=backend, model=model, limits=limits, recycle_at=0.0)
                created = await session._await_created()
                session.recycle_at = clock.monotonic() + _usable_s(created.expires_at, clock, limits)
                await session._configure(request)
                opened, session = session, None
                return opened
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise timed_out("opening a session", limits.connect_s) from error
        finally:
            if session is not None:
                session.drop()

    @property
    def usable(self) -> bool:
        """Whether another response may be asked of it."""
        return self._connection.alive and self._response is None

    @property
    def closed(self) -> bool:
        """Whether nothing is left of the socket."""
        return self._connection.closed

    def fits(self, request: ResponseRequest) -> bool:
        """Whether the request's items extend what this session knows."""
        return self._memory.plan(request.items) is not None

    def drop(self) -> None:
        self._connection.drop()

    def say_goodbye(self) -> None:
        self._connection.say_goodbye()

    async def gone(self) -> None:
        await self._connection.gone()

    async def respond(self, request: ResponseRequest, late_usage: LateUsage) -> AsyncGenerator[ModelEvent]:
        """Streams one response. `late_usage` gets the tokens of a response whose end nobody took.

        Raises `Unavailable`; `details["interrupted"]` is true where events had been yielded.
        """
        response = self._response = StreamedResponse(self._connection.host)
        told = False
        ends_at = _now() + self._limits.response_s
        try:
            await self._tell(request)
            frame = await self._ask(response)
            while True:
                for event in response.take(frame):
                    # The end is the last event of its frame: once handed out, the tokens are the reader's to count.
                    told = isinstance(event, ResponseEnded)
                    if told:
                        self._settle(response)
                    yield event
                if response.done:
                    return
                frame = await self._next(response, ends_at)
        except Unavailable as error:
            if response.done:
                told = True  # it failed and said so; the error carries its tokens
                self._settle(response)
            elif isinstance(error, AnswerTooLarge):
                response.ignore_rest()  # and below it is cancelled, so that its tokens are known
            else:
                self.drop()
                self._response = None
            if response.shown:
                error.details["interrupted"] = True
            raise
        finally:
            if self._response is response:
                await self._abandon(response)
            unclaimed = self._stray if told else self._stray + response.usage
            self._stray = TokenUsage()
            if unclaimed != TokenUsage():
                late_usage(unclaimed)

    # -- opening

    async def _await_created(self) -> SessionCreated:
        while True:
            match await self._receive("opening a session", self._limits.connect_s):
                case SessionCreated() as created:
                    return created
                case ErrorReceived(error=error):
                    raise self._world(error) or refused(f"{self._connection.host}: {error.message or error.code}")

    async def _configure(self, request: ResponseRequest) -> None:
        """Sends `session.update` where this request's settings differ from the live ones."""
        while True:
            config = session_config(request, backend=self._backend, model=self.model, effort=self._takes_effort)
            if config == self._config:
                return
            refusal = await self._update(config)
            if refusal is None:
                self._config = config
                return
            if "reasoning" not in config or not (refusal.param + refusal.message).count("reasoning"):
                raise refused(f"{self._connection.host} refused the session's settings: {refusal.message}")
            self._takes_effort = False

    async def _update(self, config: Mapping[str, Any]) -> WireError | None:
        event_id = await self._send({"type": "session.update", "session": config})
        deadline = _now() + self._limits.connect_s
        while True:
            match await self._connection.receive(deadline, "changing the session", self._limits.connect_s):
                case SessionUpdated():
                    return None
                case ErrorReceived(error=error):
                    world = self._world(error)
                    if world is not None:
                        raise world
                    if error.event_id == event_id:
                        return error

    # -- asking

    async def _tell(self, request: ResponseRequest) -> None:
        """Makes the server's copy of the conversation equal to the request's."""
        await self._configure(request)
        plan: Plan | None = self._memory.plan(request.items)
        if plan is None:
            raise SessionLost("model_unavailable", "the session knows another conversation")
        self._item_events.clear()
        for item_id in plan.deletes:
            await self._send({"type": "conversation.item.delete", "item_id": item_id})
        for item in plan.creates:
            self._item_events.add(await self._send({"type": "conversation.item.create", "item": item}))
        self._memory.commit(plan)

    async def _ask(self, response: StreamedResponse) -> Frame:
        """The gate: asks until our response has begun, waiting for one that is still active. Returns its first frame."""
        limit_s = self._limits.first_event_s
        deadline, pause_s = _now() + limit_s, _FIRST_PAUSE_S
        create_id = await self._send({"type": "response.create"})
        while True:
            frame = await self._connection.receive(deadline, "the first event of a response", limit_s)
            match frame:
                case ResponseCreated(response_id=response_id) if response_id not in self._finished:
                    response.response_id = response_id
                    return frame
                case ErrorReceived(error=error) if error.code == ACTIVE_RESPONSE:
                    if error.event_id in ("", create_id):
                        await self._wait_for_turn(min(deadline, _now() + pause_s))
                        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                        create_id = await self._send({"type": "response.create"})
                case ErrorReceived(error=error):
                    self._refused(error, create_id)
                case ResponseDone():
                    self._stray += frame.usage
                case RateLimits():
                    for _ in response.take(frame):
                        pass
                case _:
                    response_id = getattr(frame, "response_id", "")
                    if response_id and response_id not in self._finished:
                        response.response_id = response_id  # a server that leaves response.created out
                        return frame

    async def _wait_for_turn(self, deadline: float) -> None:
        """Until the response that is in our way ends, or the pause is over."""
        try:
            while not isinstance(frame := await self._connection.receive(deadline, "a pause", 0.0), ResponseDone):
                pass
            self._stray += frame.usage
        except Unavailable as error:
            if error.code != "timeout":
                raise

    async def _next(self, response: StreamedResponse, ends_at: float) -> Frame:
        """The next frame of this response. Other frames are no sign of its life. Raises `AnswerTooLarge` at `ends_at`."""
        deadline = _now() + self._limits.idle_s
        while True:
            try:
                frame = await self._connection.receive(
                    min(deadline, ends_at), "waiting for the model to go on", self._limits.idle_s
                )
            except Unavailable as error:
                if error.code == "timeout" and ends_at <= deadline:
                    raise too_long(self._limits.response_s) from error
                raise
            if isinstance(frame, ErrorReceived):
                self._refused(frame.error, "")
            elif response.concerns(frame):
                return frame

    def _refused(self, error: WireError, create_id: str) -> None:
        """Raises where an error event means that this response will not come or that the conversation is not told."""
        world = self._world(error)
        if world is not None and (create_id or not world.counts or isinstance(world, SessionLost)):
            raise world
        message = f"{self._connection.host}: {error.message or error.code or error.type}"
        if error.event_id and error.event_id in self._item_events:
            raise SessionLost("model_unavailable", f"an item of the conversation was refused: {message}", counts=False)
        if create_id and error.event_id == create_id:
            raise refused(message)

    # -- ending

    def _settle(self, response: StreamedResponse) -> None:
        if response.response_id:
            self._finished.add(response.response_id)
        self._memory.response_added(response.tail)
        self._response = None

    async def _abandon(self, response: StreamedResponse) -> None:
        """Cancels a response that nobody reads any more. The socket goes where the server does not confirm it soon, and
        where more came than was noted: the server's copy is unknown then."""
        settled = False
        try:
            settled = await self._cancelled(response)
        except Unavailable:
            pass  # the socket is gone or silent; it is dropped below
        finally:
            if settled and not response.ignores:
                self._settle(response)
            else:
                self.drop()
                self._response = None

    async def _cancelled(self, response: StreamedResponse) -> bool:
        if not self._connection.alive or not response.response_id:
            return response.done
        deadline = _now() + self._limits.cancel_s
        if not response.done:
            await self._send({"type": "response.cancel", "response_id": response.response_id})
        while not response.done:
            frame = await self._connection.receive(deadline, "cancelling", self._limits.cancel_s)
            for _ in response.take(frame):
                pass
        return True

    # -- the socket

    async def _send(self, event: dict[str, Any]) -> str:
        event_id = f"spark_{next(self._sent)}"
        await self._connection.send({**event, "event_id": event_id})
        return event_id

    async def _receive(self, what: str, limit_s: float) -> Frame:
        return await self._connection.receive(_now() + limit_s, what, limit_s)

    def _world(self, error: WireError) -> Unavailable | None:
        return of_wire(error, self._connection.host)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _usable_s(expires_at: float | None, clock: Clock, limits: RealtimeLimits) -> float:
    """How long a new session is used: until shortly before the server ends it."""
    if expires_at is None:
        return limits.recycle_s
    left_s = expires_at - datetime.fromisoformat(clock.now()).timestamp() - limits.margin_s
    # A clock that is far off must not make every session look expired.
    return min(limits.recycle_s, left_s) if left_s > 0 else limits.recycle_s
