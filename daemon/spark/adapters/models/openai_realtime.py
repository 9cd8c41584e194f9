"""The model backend `realtime`: an OpenAI-compatible Realtime server (GA), reached through the openai SDK.

Owns which live session serves which conversation: kept between responses, replaced before the server's time limit, opened
anew where a conversation is not an extension of what the session knows. The conversation itself is the caller's; losing a
socket loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Literal

from spark.adapters.models.realtime_connection import RealtimeLimits, SdkDialer
from spark.adapters.models.realtime_errors import SessionLost
from spark.adapters.models.realtime_session import RealtimeSession
from spark.adapters.models.spent import LateUsage
from spark.core.conversation import ModelEvent, ResponseRequest, TokenUsage
from spark.core.errors import Unavailable
from spark.core.ports import Clock

_KEPT_SESSIONS: Final = 2


@dataclass(frozen=True, slots=True)
class _Kept:
    session: RealtimeSession
    timer: asyncio.TimerHandle


class OpenAiRealtime:
    """A `ModelLink` over the Realtime API. Sockets are opened on demand and closed after some minutes without use.

    `late_usage` is told the conversation and the tokens of responses whose end nobody took (a cancelled prompt).
    """

    def __init__(
        self,
        *,
        url: str,
        model: str,
        api_key: str | None,
        key_source: str,
        host: str,
        clock: Clock,
        backend: Literal["realtime", "offline"] = "realtime",
        limits: RealtimeLimits | None = None,
        late_usage: LateUsage | None = None,
    ) -> None:
        self.late_usage = late_usage
        self._dialer = SdkDialer(url=url, api_key=api_key, host=host)
        self._model = model
        self._key_source = key_source
        self._host = host
        self._backend: Literal["realtime", "offline"] = backend
        self._clock = clock
        self._limits = limits or RealtimeLimits()
        self._kept: dict[tuple[str, str], _Kept] = {}
        """Unused sessions by conversation and model, longest unused first."""
        self._busy: set[RealtimeSession] = set()
        self._leaving: set[RealtimeSession] = set()
        """Said goodbye to lately; `close` waits for their sockets."""
        self._closed = False

    @property
    def backend(self) -> Literal["realtime", "chat", "offline"]:
        return self._backend

    @property
    def model(self) -> str:
        return self._model

    @property
    def host(self) -> str:
        return self._host

    @property
    def key_source(self) -> str:
        return self._key_source

    async def respond(self, request: ResponseRequest) -> AsyncGenerator[ModelEvent]:
        kept = self._take(request)
        if kept is not None:
            shown = False
            try:
                async with aclosing(self._run(kept, request)) as events:
                    async for event in events:
                        shown = True
                        yield event
                return
            except SessionLost:
                # A kept socket may have died unnoticed. That is no failure: a new one is told everything.
                if shown or self._closed:
                    raise
        async with aclosing(self._run(await self._open(request), request)) as events:
            async for event in events:
                yield event

    async def close(self) -> None:
        """Closes every connection; a response that still runs ends with `Unavailable`."""
        self._closed = True
        for key in list(self._kept):
            self._let_go(key)
        for session in self._busy:
            session.drop()
        for session in self._busy | self._leaving:
            await session.gone()
        self._leaving.clear()
        await self._dialer.close()

    async def _run(self, session: RealtimeSession, request: ResponseRequest) -> AsyncGenerator[ModelEvent]:
        self._busy.add(session)
        try:
            async with aclosing(session.respond(request, self._tell_late(request))) as events:
                async for event in events:
                    yield event
        finally:
            self._busy.discard(session)
            self._keep(session, request)

    async def _open(self, request: ResponseRequest) -> RealtimeSession:
        if self._closed:
            raise Unavailable("model_unavailable", "the model link is closed", counts=False)
        await self._dialer.ready()
        return await RealtimeSession.open(
            self._dialer,
            request,
            backend=self._backend,
            model=request.model or self._model,
            limits=self._limits,
            clock=self._clock,
        )

    def _tell_late(self, request: ResponseRequest) -> Callable[[TokenUsage], None]:
        def tell(usage: TokenUsage) -> None:
            if self.late_usage is not None:
                self.late_usage(request.conversation_id, usage)

        return tell

    # -- kept sessions

    def _key(self, request: ResponseRequest) -> tuple[str, str]:
        return request.conversation_id, request.model or self._model

    def _take(self, request: ResponseRequest) -> RealtimeSession | None:
        """The kept session of this conversation, where it is alive, young enough and knows a beginning of it."""
        kept = self._kept.pop(self._key(request), None)
        if kept is None:
            return None
        kept.timer.cancel()
        session = kept.session
        if session.usable and self._clock.monotonic() < session.recycle_at and session.fits(request):
            return session
        self._part(session)
        return None

    def _keep(self, session: RealtimeSession, request: ResponseRequest) -> None:
        # One document of a schema is one question; its session would only push out the conversation's.
        if self._closed or not session.usable or request.json_schema is not None:
            self._part(session)
            return
        key = self._key(request)
        self._let_go(key)
        timer = asyncio.get_running_loop().call_later(self._limits.keep_s, self._let_go, key)
        self._kept[key] = _Kept(session, timer)
        while len(self._kept) > _KEPT_SESSIONS:
            self._let_go(next(iter(self._kept)))

    def _let_go(self, key: tuple[str, str]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            kept.timer.cancel()
            self._part(kept.session)

    def _part(self, session: RealtimeSession) -> None:
        session.say_goodbye()
        self._leaving = {leaving for leaving in self._leaving if not leaving.closed}
        self._leaving.add(session)
