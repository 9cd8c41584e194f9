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
from tests.adapters.http.raw import BEARER, DEADLINE_S, TOKEN, exchange, request
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
    monkeypatch.setattr(sse.stream_turn, "__kwdefaults__", {"heartbeat_s": 0.02, "stuck_s": 15.0})
    answer = await client.post("/v1/turns", json={"text": "long"}, headers=EVENTS)
    seen = b""
    async with asyncio.timeout(DEADLINE_S):
        while seen.count(b": still working") < 2:
            seen += await answer.content.readany()
    api.finish(next(iter(api.turn_rows)), "done")
    seen += await answer.read()
    assert [frame["event"] for frame in parse(seen) if "event" in frame] == ["turnStarted", "turnFinished"]


def prompt(port: int, text: str) -> bytes:
    """A whole request for a turn with its events."""
    body = json.dumps({"text": text}).encode()
    head = request(
        port,
        BEARER,
        "Content-Type: application/json",
        "Accept: text/event-stream",
        f"Content-Length: {len(body)}",
        first="POST /v1/turns HTTP/1.1",
    )
    return head + body


@pytest.mark.parametrize("how", ["abort", "close"])
async def test_a_client_that_leaves_is_noticed_while_the_turn_is_silent(
    server: Running, api: FakeDaemonApi, how: str
) -> None:
    """A client that is gone is no longer counted although nothing is sent to it; the turn goes on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(prompt(server.port, "long"))
    async with asyncio.timeout(DEADLINE_S):
        await reader.readuntil(b"turnStarted")
    assert api.clients == 1
    writer.transport.abort() if how == "abort" else writer.close()
    await until(lambda: api.clients == 0)
    assert [row["status"] for row in api.turn_rows.values()] == ["running"]
    assert await still_answers(server)


async def test_a_client_that_leaves_a_call_is_noticed(server: Running, api: FakeDaemonApi) -> None:
    """A call whose client is gone runs to its end, but without a client."""
    body = b'{"arguments":{}}'
    head = request(
        server.port,
        BEARER,
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        first="POST /v1/tools/wait HTTP/1.1",
    )
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head + body)
    await until(lambda: api.requests)
    assert api.clients == 1
    writer.transport.abort()
    await until(lambda: api.clients == 0)
    api.release.set()
    assert await still_answers(server)
    assert api.clients == 0


async def still_answers(server: Running) -> bool:
    """Whether the server answers a plain request."""
    return (await exchange(server.port, request(server.port, BEARER))).status == 200


async def test_a_client_that_does_not_read_is_cut(
    server: Running, api: FakeDaemonApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that nobody reads ends after some time; the turn goes on."""
    monkeypatch.setattr(sse.stream_turn, "__kwdefaults__", {"heartbeat_s": 15.0, "stuck_s": 0.2})
    _reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(prompt(server.port, "long"))
    await until(lambda: api.turn_rows)
    (turn_id,) = api.turn_rows
    for _ in range(2_000):
        api.emit(turn_id, "textDelta", text="x" * 20_000)
    await until(lambda: api.clients == 0)
    assert api.turn_rows[turn_id]["status"] == "running"
    writer.transport.abort()


async def test_a_burst_reaches_a_client_that_reads(server: Running, api: FakeDaemonApi) -> None:
    """Thousands of events at once, more than any queue takes, all arrive in order, also at a client that reads late."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(prompt(server.port, "long"))
    await until(lambda: api.turn_rows)
    (turn_id,) = api.turn_rows
    for _ in range(limits.CLIENT_QUEUE * 5):
        api.emit(turn_id, "textDelta", text="x" * 2_000)
    api.finish(turn_id, "done")
    seen = b""
    async with asyncio.timeout(DEADLINE_S):
        while not seen.endswith(b"0\r\n\r\n"):
            piece = await reader.read(1_000_000)
            assert piece, "the stream was cut"
            seen += piece
    numbers = [int(line[4:]) for line in seen.split(b"\n") if line.startswith(b"id: ")]
    assert numbers == list(range(1, limits.CLIENT_QUEUE * 5 + 3))
    writer.close()


async def test_a_refused_stream_has_started_nothing(
    server: Running, api: FakeDaemonApi, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no stream is free the prompt is refused with 429 before it begins; a refused prompt keeps no stream."""
    monkeypatch.setattr(limits, "CONNECTIONS", 1)
    assert (await client.post("/v1/turns", json={"text": ""}, headers=EVENTS)).status == 400
    held = await client.post("/v1/turns", json={"text": "long"}, headers=EVENTS)
    assert held.status == 200
    answer = await client.post("/v1/turns", json={"text": "second"}, headers=EVENTS)
    assert (answer.status, (await answer.json())["error"]["code"]) == (429, "rate_limited")
    assert [row["text"] for row in api.turn_rows.values()] == ["long"]
    held.close()


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
