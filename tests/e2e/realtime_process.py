"""A scripted Realtime server in a thread of its own, for end-to-end tests that run SPARK as a process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.fakes.realtime_server import ScriptedRealtimeServer, Step


@contextmanager
def realtime_server(script: Sequence[Step]) -> Iterator[ScriptedRealtimeServer]:
    """The server, answering until the block is left. Its `url` is the API's base (`http://127.0.0.1:PORT/v1`)."""
    started: list[ScriptedRealtimeServer] = []
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with ScriptedRealtimeServer(script) as server:
            started.append(server)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(20)
        yield started[0]
    finally:
        stop.set()
        thread.join(20)
