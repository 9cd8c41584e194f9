"""A real server on a real port over a fake API, and a real client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from spark.adapters.http.server import Running, serve
from tests.adapters.http.raw import TOKEN
from tests.fakes.daemon_api import FakeDaemonApi


async def read_whole(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Reads each plain answer to its end, so that no test leaves a connection half read."""
    answer = await send(request)
    if answer.status != 101 and answer.content_type != "text/event-stream":
        await answer.read()
    return answer


@pytest.fixture
async def api() -> FakeDaemonApi:
    return FakeDaemonApi()


@pytest.fixture
async def server(api: FakeDaemonApi) -> AsyncIterator[Running]:
    running = await serve(api, token=TOKEN)
    yield running
    await running.close()


@pytest.fixture
async def client(server: Running) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        base_url=server.url,
        headers={"Authorization": f"Bearer {TOKEN}"},
        middlewares=(read_whole,),
        timeout=aiohttp.ClientTimeout(total=20),
    ) as session:
        yield session
