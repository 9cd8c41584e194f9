"""How long it takes to connect a Realtime session on this machine: socket, `session.created`, `session.updated`."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from spark.adapters.models.realtime_connection import RealtimeLimits, SdkDialer
from spark.adapters.models.realtime_session import RealtimeSession
from spark.core.conversation import ResponseRequest, UserMessage
from tests.fakes.realtime_server import Say, ScriptedRealtimeServer
from tests.fakes.realtime_talk import READ_FILE, SteadyClock, Talk, open_link

CONNECT_LIMIT_MS = 50.0
ROUNDS = 20


def run() -> list[dict[str, Any]]:
    """Rows `{"name", "value", "limit", "unit", "ok"}`; medians, after the SDK was imported. `limit` None: only shown."""
    connect_ms, answer_ms = asyncio.run(_measure())
    return [
        _row("Realtime: connect a session to a loopback server", connect_ms, CONNECT_LIMIT_MS),
        _row("Realtime: a one-word answer on a kept session", answer_ms, None),
    ]


def _row(name: str, value: float, limit: float | None) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 2),
        "limit": limit,
        "unit": "ms",
        "ok": limit is None or value <= limit,
    }


async def _measure() -> tuple[float, float]:
    async with ScriptedRealtimeServer([Say("x")] * (ROUNDS + 1)) as server:
        dialer = SdkDialer(url=server.url, api_key="test-key", host=server.host)
        await dialer.ready()
        request = ResponseRequest("bench", "You are SPARK.", (UserMessage("u", "hi"),), tools=(READ_FILE,))
        connect_ms = []
        for _ in range(ROUNDS + 1):
            started = time.perf_counter()
            session = await RealtimeSession.open(
                dialer,
                request,
                backend="realtime",
                model="gpt-realtime-2.1",
                limits=RealtimeLimits(),
                clock=SteadyClock(),
            )
            connect_ms.append((time.perf_counter() - started) * 1000)
            session.say_goodbye()
            await session.gone()
        await dialer.close()
        talk = Talk(open_link(server))
        answer_ms = []
        for number in range(ROUNDS + 1):
            started = time.perf_counter()
            await talk.ask(str(number))
            answer_ms.append((time.perf_counter() - started) * 1000)
        await talk.link.close()
    # The first of each pays for what is made once (the client, the first socket).
    return statistics.median(connect_ms[1:]), statistics.median(answer_ms[1:])
