"""The guard, asked over real sockets with requests that no library would send."""

from __future__ import annotations

import asyncio

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from spark.adapters.http.guard import Guard
from spark.adapters.http.server import Running
from spark.core.errors import ToolRejected
from tests.adapters.http.raw import BEARER, TOKEN, exchange, read_answer, request
from tests.fakes.daemon_api import FakeDaemonApi


async def test_right_host_and_token_pass(server: Running) -> None:
    """The two exact spellings of the Host, with the token, are let in."""
    for host in (f"127.0.0.1:{server.port}", f"localhost:{server.port}"):
        answer = await exchange(server.port, request(server.port, BEARER, host=host))
        assert answer.status == 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "example.com",
        "127.0.0.1:1",
        "127.0.0.1.example.com:{port}",
        ":{port}",
        "0.0.0.0:{port}",
        "LOCALHOST:{port}",
        "[::1]:{port}",
        "127.0.0.1:{port}@example.com",
        "example.com@127.0.0.1:{port}",
        "127.1:{port}",
        "127.0.0.1:0{port}",
        "127.0.0.1:{port} x",
    ],
)
async def test_foreign_host_is_forbidden(server: Running, host: str) -> None:
    """A Host that is not exactly ours is refused with 403, also for the open route."""
    for path in ("/v1/status", "/healthz", "/v1/session", "/nowhere"):
        raw = request(server.port, BEARER, first=f"GET {path} HTTP/1.1", host=host.format(port=server.port))
        answer = await exchange(server.port, raw)
        assert answer.status == 403
        assert answer.json()["error"]["code"] == "forbidden"


async def test_empty_missing_and_second_host_are_refused(server: Running, api: FakeDaemonApi) -> None:
    """No Host, an empty one and several never reach a route."""
    own = f"Host: 127.0.0.1:{server.port}"
    for lines in (["Host:"], ["Host: "], [], [own, own], [own, "Host: example.com"], ["host: example.com", own]):
        answer = await exchange(server.port, request(server.port, *lines, BEARER, host=None))
        assert answer.status in (400, 403)
        assert answer.json()["error"]["code"] in ("invalid_arguments", "forbidden")
    assert api.clients_seen == 0


async def test_http_1_0_needs_a_host_too(server: Running) -> None:
    """The older protocol version opens no door: without Host 403, with it an answer."""
    first = "GET /v1/status HTTP/1.0"
    assert (await exchange(server.port, request(server.port, BEARER, first=first, host=None))).status == 403
    assert (await exchange(server.port, request(server.port, BEARER, first=first))).status == 200


async def test_absolute_and_other_request_targets_are_refused(server: Running, api: FakeDaemonApi) -> None:
    """A request line that names a host of its own cannot get past the Host check."""
    for target in (
        "http://example.com/v1/status",
        f"http://127.0.0.1:{server.port}/v1/status",
        "https://x/",
        "*",
        "example.com:443",
    ):
        for method in ("GET", "OPTIONS", "CONNECT"):
            raw = request(server.port, BEARER, first=f"{method} {target} HTTP/1.1")
            answer = await exchange(server.port, raw)
            assert answer.status in (400, 403), (method, target)
    assert api.clients_seen == 0


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://example.com",
        "http://127.0.0.1",
        "https://127.0.0.1:{port}",
        "http://localhost:{port}",
        "http://127.0.0.1:{port}/",
        "HTTP://127.0.0.1:{port}",
        "http://127.0.0.1:{port}.example.com",
        "file://",
    ],
)
async def test_foreign_origin_is_forbidden(server: Running, origin: str) -> None:
    """Every Origin but the exact one of the page at the Host that was asked is refused, on every route."""
    for path in ("/v1/status", "/healthz", "/v1/session"):
        raw = request(server.port, BEARER, "Origin: " + origin.format(port=server.port), first=f"GET {path} HTTP/1.1")
        answer = await exchange(server.port, raw)
        assert answer.status == 403
        assert answer.header("Access-Control-Allow-Origin") is None


async def test_own_origin_passes_and_two_origins_do_not(server: Running) -> None:
    """The daemon's own page may call; a second Origin header spoils it."""
    own = f"Origin: http://127.0.0.1:{server.port}"
    assert (await exchange(server.port, request(server.port, BEARER, own))).status == 200
    assert (await exchange(server.port, request(server.port, BEARER, own, own))).status in (400, 403)
    lower = own.replace("Origin", "oRIGIN")
    assert (await exchange(server.port, request(server.port, BEARER, lower))).status == 200


@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403), ("", 403), ("NONE", 403)],
)
async def test_cross_site_fetches_are_refused(server: Running, site: str, status: int) -> None:
    """What a browser marks as coming from elsewhere is refused."""
    answer = await exchange(server.port, request(server.port, BEARER, f"Sec-Fetch-Site: {site}"))
    assert answer.status == status


@pytest.mark.parametrize(
    "line",
    [
        "X-Other: 1",
        "Authorization: Bearer wrong",
        "Authorization: Bearer",
        "Authorization:",
        f"Authorization: {TOKEN}",
        f"Authorization: Basic {TOKEN}",
        f"Authorization: Bearer {TOKEN}x",
        f"Authorization: Bearer {TOKEN[:-1]}",
        f"Authorization: Bearer {TOKEN.upper()}",
        f"Authorization: Bearer {TOKEN} {TOKEN}",
        "Authorization: Bearer ÿ",
    ],
)
async def test_wrong_token_is_unauthorized(server: Running, line: str) -> None:
    """Anything but the exact token gives 401 with a challenge, and the token is never told."""
    answer = await exchange(server.port, request(server.port, line))
    assert answer.status == 401
    assert answer.header("WWW-Authenticate") == "Bearer"
    assert answer.json()["error"]["code"] == "unauthorized"
    assert TOKEN.encode() not in answer.body


async def test_two_tokens_are_unauthorized_and_scheme_ignores_case(server: Running) -> None:
    """One header, whatever the case of its name and scheme."""
    assert (await exchange(server.port, request(server.port, BEARER, BEARER))).status in (400, 401)
    assert (await exchange(server.port, request(server.port, f"AUTHORIZATION: bearer {TOKEN}"))).status == 200


async def test_token_is_asked_before_the_route(server: Running) -> None:
    """Without a token one cannot learn which routes exist."""
    for path in ("/nowhere", "/v1/turns/x/cancel"):
        assert (await exchange(server.port, request(server.port, first=f"GET {path} HTTP/1.1"))).status == 401


async def test_refusal_comes_before_the_body(server: Running) -> None:
    """A refused request is answered while its announced body was never sent, and the connection ends."""
    head = request(server.port, "Content-Length: 5000000", first="POST /v1/tools/echo HTTP/1.1")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head)
    answer = await read_answer(reader)
    assert answer.status == 401
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_healthz_needs_no_token(server: Running, api: FakeDaemonApi) -> None:
    """The open route tells readiness and nothing else, and counts no client."""
    raw = request(server.port, first="GET /healthz HTTP/1.1")
    answer = await exchange(server.port, raw)
    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    api.is_ready = False
    answer = await exchange(server.port, raw)
    assert (answer.status, answer.json()) == (503, {"status": "starting"})
    assert api.clients_seen == 0


def test_a_guard_without_token_cannot_be_made() -> None:
    """An empty token would let everybody in, so it is refused at once."""
    with pytest.raises(ValueError, match="without a token"):
        Guard("", 1)


def test_the_usual_port_may_be_left_out() -> None:
    """On port 80 a Host without a port is ours, and only there; other names stay foreign."""
    for host in ("127.0.0.1", "localhost", "127.0.0.1:80", "localhost:80"):
        Guard(TOKEN, 80).check_place("/v1/status", CIMultiDictProxy(CIMultiDict({"Host": host})))
    for port, host in ((8080, "127.0.0.1"), (8080, "localhost"), (80, "example.com"), (80, "127.0.0.1:8080")):
        with pytest.raises(ToolRejected, match="Host"):
            Guard(TOKEN, port).check_place("/v1/status", CIMultiDictProxy(CIMultiDict({"Host": host})))
