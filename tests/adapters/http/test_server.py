"""The server's limits over real sockets: broken HTTP, slow clients, too many, our own bugs, and the end."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import psutil
import pytest

from spark.adapters.http import reading
from spark.adapters.http import server as server_module
from spark.adapters.http.server import Running, serve
from spark.core import limits
from spark.core.errors import FatalError
from tests.adapters.http.raw import BEARER, DEADLINE_S, TOKEN, exchange, read_answer, request
from tests.fakes.daemon_api import FakeDaemonApi


@asynccontextmanager
async def serving(api: FakeDaemonApi, port: int = 0) -> AsyncIterator[Running]:
    running = await serve(api, token=TOKEN, port=port)
    try:
        yield running
    finally:
        await running.close()


async def test_it_listens_on_loopback_only(server: Running) -> None:
    """The socket is bound to 127.0.0.1 and to no other address of this machine."""
    listening = [row.laddr for row in psutil.Process().net_connections("tcp") if row.status == psutil.CONN_LISTEN]
    assert [(row.ip, row.port) for row in listening if row.port == server.port] == [("127.0.0.1", server.port)]
    assert server.url == f"http://127.0.0.1:{server.port}"


async def test_a_taken_port_is_a_set_up_error(api: FakeDaemonApi, server: Running) -> None:
    """A port that somebody else has is refused with the line that mends it."""
    with pytest.raises(FatalError, match=str(server.port)) as refusal:
        await serve(api, token=TOKEN, port=server.port)
    assert refusal.value.exit_status == 4
    assert "--port" in refusal.value.hint


async def test_a_chosen_port_is_used(api: FakeDaemonApi) -> None:
    """`port` is taken where it is given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with serving(api, port) as running:
        assert running.port == port


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nBad\x00Name: x\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Big: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(500)) + b"\r\n",
        b"POST /v1/turns HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/turns HTTP/1.1\r\nContent-Length: 5, 6\r\n\r\nabcde",
        b"POST /v1/turns HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /v1/turns HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/turns HTTP/1.1\r\nTransfer-Encoding: identity, chunked, gzip\r\n\r\n0\r\n\r\n",
        b"POST /v1/turns HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_broken_http_gets_the_contracts_refusal(server: Running, api: FakeDaemonApi, raw: bytes) -> None:
    """What is no well-formed request is refused with 4xx in the contract's form, and the next connection works."""
    answer = await exchange(server.port, raw)
    assert 400 <= answer.status < 500
    assert answer.json()["success"] is False
    assert answer.json()["error"]["code"] in ("invalid_arguments", "forbidden")
    assert api.clients_seen == 0
    assert (await exchange(server.port, request(server.port, BEARER))).status == 200


async def test_a_smuggled_request_is_never_run(server: Running, api: FakeDaemonApi) -> None:
    """With both lengths given, the bytes behind the body are no second request."""
    inner = request(server.port, BEARER, "Content-Length: 0", first="POST /v1/turns/smuggled/cancel HTTP/1.1")
    for lines in (
        ["Transfer-Encoding: chunked", "Content-Length: 4"],
        ["Content-Length: 4", "Transfer-Encoding: chunked"],
        ["Content-Length: 4", "Transfer-Encoding : chunked"],
        ["Content-Length: 4", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x"],
    ):
        head = request(
            server.port, BEARER, "Content-Type: application/json", *lines, first="POST /v1/tools/echo HTTP/1.1"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head + b"0\r\n\r\n" + inner)
        answer = await read_answer(reader)
        assert answer.status == 400
        async with asyncio.timeout(DEADLINE_S):
            assert b"smuggled" not in await reader.read()
        writer.close()
    assert api.requests == []


async def test_pipelined_requests_are_answered_in_order(server: Running) -> None:
    """Several requests on one connection get their answers one by one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request(server.port, BEARER) * 3 + request(server.port, BEARER, first="GET /v1/nothing HTTP/1.1"))
    statuses = [(await read_answer(reader)).status for _ in range(4)]
    assert statuses == [200, 200, 200, 404]
    writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET /v1/status HTTP/1.1\r\nHost: 127", b"G"])
async def test_a_connection_without_a_whole_head_ends(
    api: FakeDaemonApi, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """A client that drips its request, or says nothing, is cut when the time for a request's head is over."""
    monkeypatch.setattr(limits, "HANDSHAKE_S", 0.2)
    async with serving(api) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(sent)
        async with asyncio.timeout(DEADLINE_S):
            assert await reader.read() == b""
        writer.close()


async def test_a_dripping_second_request_ends(api: FakeDaemonApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for a head counts on a kept connection too: drops of bytes do not prolong it."""
    monkeypatch.setattr(limits, "HANDSHAKE_S", 0.3)
    async with serving(api) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(request(running.port, BEARER))
        assert (await read_answer(reader)).status == 200

        async def drip() -> None:
            for byte in b"GET /v1/status HTTP/1.1\r\nX-Drip: " + b"x" * 8000:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.02)

        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            dripping = tasks.create_task(drip())
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
            dripping.cancel()
        writer.close()


async def test_a_body_that_never_comes_is_refused(
    server: Running, api: FakeDaemonApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that announces a body and stops sending is answered in bounded time."""
    monkeypatch.setattr(reading, "BODY_S", 0.2)
    head = request(
        server.port,
        BEARER,
        "Content-Type: application/json",
        "Content-Length: 50",
        first="POST /v1/tools/echo HTTP/1.1",
    )
    answer = await exchange(server.port, head + b'{"arg')
    assert answer.status == 400
    assert "body" in answer.json()["error"]["details"]["fields"]
    assert api.requests == []


async def test_an_oversized_body_is_refused_before_it_is_sent(server: Running) -> None:
    """Over 8 MB by announcement: 413 at once."""
    head = request(
        server.port,
        BEARER,
        "Content-Type: application/json",
        f"Content-Length: {limits.FRAME_BYTES + 1}",
        first="POST /v1/tools/echo HTTP/1.1",
    )
    answer = await exchange(server.port, head)
    assert answer.status == 413
    assert answer.json()["error"]["code"] == "too_large"


async def test_an_oversized_chunked_body_is_refused(server: Running, client: aiohttp.ClientSession) -> None:
    """Over 8 MB without announcement: 413 as soon as it is over."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * 1024 * 1024

    answer = await client.post("/v1/tools/echo", data=chunks(), headers={"Content-Type": "application/json"})
    assert answer.status == 413
    assert (await answer.json())["error"]["code"] == "too_large"


async def test_a_body_of_just_the_limit_is_taken(client: aiohttp.ClientSession) -> None:
    """8 MB exactly are read and answered."""
    start, end = b'{"arguments":{"text":"', b'"}}'
    raw = start + b"a" * (limits.FRAME_BYTES - len(start) - len(end)) + end
    answer = await client.post("/v1/tools/echo", data=io.BytesIO(raw), headers={"Content-Type": "application/json"})
    assert answer.status == 200
    assert len((await answer.json())["result"]["text"]) == limits.FRAME_BYTES - len(start) - len(end)


async def test_expect_continue_is_answered(server: Running) -> None:
    """A client that waits for `100 Continue` gets it, but only behind the guard."""
    lines = ("Content-Type: application/json", "Content-Length: 16", "Expect: 100-continue")
    first = "POST /v1/tools/echo HTTP/1.1"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request(server.port, BEARER, *lines, first=first))
    assert (await read_answer(reader)).status == 100
    writer.write(b'{"arguments":{}}')
    assert (await read_answer(reader)).status == 200
    writer.close()
    assert (await exchange(server.port, request(server.port, *lines, first=first))).status == 401


async def test_compressed_bodies_are_refused(server: Running) -> None:
    """Nothing is inflated: a small bomb is just a wrong header."""
    head = request(
        server.port,
        BEARER,
        "Content-Type: application/json",
        "Content-Encoding: gzip",
        "Content-Length: 4",
        first="POST /v1/tools/echo HTTP/1.1",
    )
    answer = await exchange(server.port, head + b"\x1f\x8b\x08\x00")
    assert answer.status == 400
    assert "Content-Encoding" in answer.json()["error"]["details"]["fields"]


async def test_too_many_connections_are_refused_and_free_again(
    api: FakeDaemonApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the limit a connection is answered 429 and closed; when others left, there is room."""
    monkeypatch.setattr(limits, "HTTP_CONNECTIONS", 3)
    async with serving(api) as running:
        kept = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(request(running.port, BEARER))
            assert (await read_answer(reader)).status == 200
            kept.append(writer)
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        answer = await read_answer(reader)
        assert (answer.status, answer.header("Retry-After")) == (429, "1")
        assert answer.json()["error"]["code"] == "rate_limited"
        writer.close()
        for writer in kept:
            writer.close()
        async with asyncio.timeout(DEADLINE_S):
            while True:
                answer = await exchange(running.port, request(running.port, BEARER))
                if answer.status == 200:
                    break


async def test_strangers_make_room_for_the_owner(api: FakeDaemonApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that send half a head or no token lose their places, the oldest first; those of the owner do not."""
    monkeypatch.setattr(limits, "HTTP_CONNECTIONS", 4)
    async with serving(api) as running:
        kept_reader, kept = await asyncio.open_connection("127.0.0.1", running.port)
        kept.write(request(running.port, BEARER))
        assert (await read_answer(kept_reader)).status == 200
        strangers = []
        for _ in range(12):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(b"GET /healthz HTTP/1.1\r\n")
            strangers.append((reader, writer))
            assert (await exchange(running.port, request(running.port, BEARER))).status == 200
        async with asyncio.timeout(DEADLINE_S):
            with suppress(ConnectionError):
                assert await strangers[0][0].read() == b""
        kept.write(request(running.port, BEARER))
        assert (await read_answer(kept_reader)).status == 200
        for _, writer in strangers:
            writer.close()
        kept.close()


async def test_our_own_bug_is_logged_and_not_told(
    client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception that is no refusal gives 500 `internal` without a word of it on the wire; the log has it."""
    with caplog.at_level(logging.ERROR, "spark.http"):
        answer = await client.post("/v1/tools/crash", json={"arguments": {}})
    body = await answer.text()
    assert answer.status == 500
    assert (await answer.json())["error"]["code"] == "internal"
    assert "hunter2" not in body
    assert "Traceback" not in body
    assert "RuntimeError" in caplog.text
    assert (await client.get("/v1/status")).status == 200


async def test_every_answer_carries_the_security_headers(client: aiohttp.ClientSession) -> None:
    """Good and bad answers are neither cached nor guessed at, set no cookie and open no other origin."""
    for path in ("/healthz", "/v1/status", "/v1/nothing", "/v1/turns/none"):
        answer = await client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "spark"
        assert not {name for name in answer.headers if name.lower().startswith(("access-control", "set-cookie"))}
        assert "Content-Encoding" not in answer.headers


async def test_close_cuts_a_hanging_call_within_the_bound(api: FakeDaemonApi) -> None:
    """A call that does not end, an idle connection and half a request do not hold the server's end."""
    running = await serve(api, token=TOKEN)
    body = b'{"arguments":{}}'
    head = request(
        running.port,
        BEARER,
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        first="POST /v1/tools/wait HTTP/1.1",
    )
    writers = []
    for raw in (head + body, request(running.port, BEARER), b"GET /"):
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(raw)
        writers.append(writer)
    async with asyncio.timeout(DEADLINE_S):
        while api.clients_seen < 2:
            await asyncio.sleep(0.005)
    async with asyncio.timeout(limits.SHUTDOWN_S):
        await running.close()
    assert api.clients == 0
    for writer in writers:
        writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", running.port)


async def test_close_lets_a_call_end(api: FakeDaemonApi) -> None:
    """A call that ends soon after the server was told to stop still gets its answer."""
    running = await serve(api, token=TOKEN)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            answer = tasks.create_task(session.post(f"{running.url}/v1/tools/wait", json={"arguments": {}}))
            while not api.requests:
                await asyncio.sleep(0.005)
            closing = tasks.create_task(running.close())
            await asyncio.sleep(0)
            api.release.set()
            await closing
        assert (await answer.result().json())["result"] == {"waited": True}


async def test_close_twice_is_harmless(api: FakeDaemonApi) -> None:
    """A second close finds nothing to do."""
    running = await serve(api, token=TOKEN)
    await running.close()
    await running.close()


def test_the_shutdown_parts_fit_the_bound() -> None:
    """The waiting times of the end add up to less than what is promised."""
    assert server_module.CLOSE_WAIT_S + 2 * server_module.CUT_WAIT_S < limits.SHUTDOWN_S
