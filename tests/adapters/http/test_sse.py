"""A turn's events as an event stream, read by a real client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from spark.adapters.http import sse
from spark.adapters.http.server import Running, serve
from spark.core import limits
from tests.adapters.http.raw import BEARER, DEADLINE_S, TOKEN, request
from tests.fakes.daemon_api import FakeDaemonApi

EVENTS = {"Accept": "text/event-stream"}


def parse(stream: bytes) -> list[dict[str, str]]:
    """The frames of an event stream by field; comments under the empty name."""
    frames = []
    for block in stream.decode().split("\n\n"):
        if block:
            frames.append({name: value[1:] for name, _, value in (line.partition(":") for line in block.split("\n"))})
    return frames


async def until(condition: Any) -> None:
    """Waits until a state holds, with a deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_turn_streams_to_its_end(client: aiohttp.ClientSession) -> None:
    """Every event comes once, in order, typed and numbered, and the stream ends with `turnFinished`."""
    answer = await client.post("/v1/turns", json={"text": "one zwölf\n"}, headers=EVENTS)
    assert (answer.status, answer.content_type) == (200, "text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    frames = parse(await answer.read())
    assert [frame["event"] for frame in frames] == ["turnStarted", "textDelta", "textDelta", "turnFinished"]
    assert [frame["id"] for frame in frames] == ["1", "2", "3", "4"]
    data = [json.loads(frame["data"]) for frame in frames]
    assert data[2]["text"] == "zwölf"
    assert answer.headers["Location"] == "/v1/turns/" + data[0]["turnId"]


@pytest.mark.parametrize(
    ("accept", "streams"),
    [
        ("text/event-stream", True),
        ("application/json, text/event-stream;q=0.9", True),
        ("TEXT/EVENT-STREAM", True),
        ("*/*", False),
        ("text/event-streams", False),
    ],
)
async def test_accept_decides(client: aiohttp.ClientSession, accept: str, streams: bool) -> None:
    """Only a client that names the type gets a stream, the others 202."""
    answer = await client.post("/v1/turns", json={"text": "x"}, headers={"Accept": accept})
    assert answer.status == (200 if streams else 202)
    await answer.read()


async def test_a_refused_prompt_is_plain_json(client: aiohttp.ClientSession) -> None:
    """A refusal before the turn begins has a status and the contract's body, not a stream."""
    answer = await client.post("/v1/turns", json={"text": ""}, headers=EVENTS)
    assert answer.status == 400
    assert (await answer.json())["error"]["code"] == "invalid_arguments"


async def test_heartbeats_while_nothing_happens(
    client: aiohttp.ClientSession, api: FakeDaemonApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quiet turn sends comments, which are no events."""
    monkeypatch.setattr(sse.stream_turn, "__kwdefaults__", {"heartbeat_s": 0.02})
    answer = await client.post("/v1/turns", json={"text": "long"}, headers=EVENTS)
    seen = b""
    async with asyncio.timeout(DEADLINE_S):
        while seen.count(b": still working") < 2:
            seen += await answer.content.readany()
    api.finish(next(iter(api.turn_rows)), "done")
    seen += await answer.read()
    assert [frame["event"] for frame in parse(seen) if "event" in frame] == ["turnStarted", "turnFinished"]


async def test_a_client_that_leaves_does_not_cancel_the_turn(server: Running, api: FakeDaemonApi) -> None:
    """The turn goes on; its events can still be asked for; the client is no longer counted."""
    body = b'{"text":"long"}'
    head = request(
        server.port,
        BEARER,
        "Content-Type: application/json",
        "Accept: text/event-stream",
        f"Content-Length: {len(body)}",
        first="POST /v1/turns HTTP/1.1",
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head + body)
    async with asyncio.timeout(DEADLINE_S):
        await reader.readuntil(b"turnStarted")
    writer.transport.abort()
    (turn_id,) = api.turn_rows

    def gone() -> bool:
        # The server learns it from a write that fails.
        api.emit(turn_id, "textDelta", text="x")
        return api.clients == 0

    await until(gone)
    assert api.turn_rows[turn_id]["status"] == "running"


async def test_a_client_that_does_not_read_is_cut(server: Running, api: FakeDaemonApi) -> None:
    """A stream that nobody reads holds a bounded number of events, then ends; the turn goes on."""
    body = b'{"text":"long"}'
    head = request(
        server.port,
        BEARER,
        "Content-Type: application/json",
        "Accept: text/event-stream",
        f"Content-Length: {len(body)}",
        first="POST /v1/turns HTTP/1.1",
    )
    _reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(head + body)
    await until(lambda: api.turn_rows)
    (turn_id,) = api.turn_rows

    def gone() -> bool:
        for _ in range(50):
            api.emit(turn_id, "textDelta", text="x" * 20_000)
        return api.clients == 0

    await until(gone)
    assert api.turn_rows[turn_id]["status"] == "running"
    writer.transport.abort()


async def test_http_1_0_gets_the_stream_without_chunks(server: Running, api: FakeDaemonApi) -> None:
    """A client that knows no chunks gets the bytes as they are, to the connection's end."""
    body = b'{"text":"one"}'
    head = request(
        server.port,
        BEARER,
        "Content-Type: application/json",
        "Accept: text/event-stream",
        f"Content-Length: {len(body)}",
        first="POST /v1/turns HTTP/1.0",
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head + body)
    async with asyncio.timeout(DEADLINE_S):
        head_end, _, stream = (await reader.read()).partition(b"\r\n\r\n")
    assert b"chunked" not in head_end.lower()
    assert [frame["event"] for frame in parse(stream)] == ["turnStarted", "textDelta", "turnFinished"]
    writer.close()


async def test_the_servers_end_ends_the_stream(api: FakeDaemonApi) -> None:
    """An open stream does not hold the server's end."""
    running = await serve(api, token=TOKEN)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
        answer = await session.post(f"{running.url}/v1/turns", json={"text": "long"}, headers=EVENTS)
        await answer.content.readline()
        async with asyncio.timeout(limits.SHUTDOWN_S):
            await running.close()
        with pytest.raises(aiohttp.ClientError):
            await answer.read()
