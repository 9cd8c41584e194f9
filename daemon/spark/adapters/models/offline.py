"""The backend `offline`: the Realtime client of the backend `realtime`, connected to SPARK's own planner on loopback.

Owns the server's life: started with the first response, stopped with the link. Plans nothing itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Literal

from spark.adapters.models.choice import NO_KEY, THIS_MACHINE
from spark.core.conversation import ModelEvent, ResponseRequest
from spark.core.errors import Unavailable
from spark.core.ports import Clock, ModelLink
from spark.core.prices import OFFLINE_MODEL

if TYPE_CHECKING:
    from spark.adapters.models.offline_server import OfflineServer


class OfflineModel:
    """A `ModelLink` that needs no key and sends nothing anywhere."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._starting = asyncio.Lock()
        self._server: OfflineServer | None = None
        self._link: ModelLink | None = None
        self._closed = False

    @property
    def backend(self) -> Literal["realtime", "chat", "offline"]:
        return "offline"

    @property
    def model(self) -> str:
        return OFFLINE_MODEL

    @property
    def host(self) -> str:
        return THIS_MACHINE

    @property
    def key_source(self) -> str:
        return NO_KEY

    async def respond(self, request: ResponseRequest) -> AsyncGenerator[ModelEvent]:
        link = await self._started()
        async with aclosing(link.respond(request)) as events:
            async for event in events:
                yield event

    async def close(self) -> None:
        async with self._starting:
            self._closed = True
            if self._link is not None:
                await self._link.close()
            if self._server is not None:
                await self._server.close()

    async def _started(self) -> ModelLink:
        async with self._starting:
            if self._closed:
                raise Unavailable("model_unavailable", "the model link is closed", counts=False)
            if self._link is None:
                self._server, self._link = await self._start()
            return self._link

    async def _start(self) -> tuple[OfflineServer, ModelLink]:
        from spark.adapters.models.offline_server import OfflineServer
        from spark.adapters.models.openai_realtime import OpenAiRealtime

        server = OfflineServer()
        await server.start()
        link = OpenAiRealtime(
            url=server.url,
            model=OFFLINE_MODEL,
            api_key=server.token,
            key_source=NO_KEY,
            host=THIS_MACHINE,
            backend="offline",
            clock=self._clock,
        )
        return server, link
