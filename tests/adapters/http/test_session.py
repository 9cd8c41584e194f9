"""The session socket over real connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.adapters.http import session
from spark.adapters.http.server import Running, serve
from spark.core import limits
from spark.core.errors import ProtocolError
from tests.adapters.http.raw import BEARER, DEADLINE_S, TOKEN, exchange, request
from tests.fakes.daemon_api import FakeDaemonApi

Socket = aiohttp.ClientWebSocketResponse


@asynccontextmanager
async def connected(client: aiohttp.ClientSession) -> AsyncIterator[Socket]:
    async with client.ws_connect("/v1/session", max_msg_size=0) as ws:
        yield ws


async def take(ws: Socket) -> dict[str, Any]:
    """The next message."""
    async with asyncio.timeout(DEADLINE_S):
        message = await ws.receive()
    assert message.type is WSMsgType.TEXT, (message, ws.close_code)
    loaded: dict[str, Any] = json.loads(message.data)
    return loaded


async def take_reply(ws: Socket, reply_to: str | None) -> dict[str, Any]:
    """The reply to a message, past events and deltas."""
    while True:
        message = await take(ws)
        if message["type"] == "reply":
            assert message["replyTo"] == reply_to
            return message


async def closed(ws: Socket) -> tuple[int | None, str]:
    """Reads to the end: the close code and reason."""
    reason = ""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            message = await ws.receive()
            if message.type is WSMsgType.CLOSE:
                reason = message.extra or ""
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR):
                return ws.close_code, reason


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_snapshot_comes_first_then_deltas_without_gaps(
    client: aiohttp.ClientSession, api: FakeDaemonApi
) -> None:
    """Every client gets the state once and then each change exactly once, in order."""
    async with connected(client) as one:
        assert await take(one) == {"type": "snapshot", "version": 1, "state": {"mode": "ask", "selection": []}}
        api.set_state(["mode"], "auto")
        async with connected(client) as two:
            assert (await take(two))["version"] == 2
            for number in range(20):
                api.set_state(["selection"], [number])
            assert [(await take(two))["version"] for _ in range(20)] == list(range(3, 23))
        assert [(await take(one))["version"] for _ in range(21)] == list(range(2, 23))
    await until(lambda: api.clients == 0)


async def test_a_prompt_is_answered_and_its_events_follow(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """The reply names the turn; all its events arrive in order, at every client."""
    async with connected(client) as ws, connected(client) as other:
        await take(ws)
        await take(other)
        await ws.send_json({"type": "prompt", "id": "m1", "text": "one two", "mode": "auto"})
        messages = [await take(ws) for _ in range(5)]
        (reply,) = [message for message in messages if message["type"] == "reply"]
        events = [message for message in messages if message["type"] != "reply"]
        assert reply == {"type": "reply", "replyTo": "m1", "success": True, "result": {"turnId": events[0]["turnId"]}}
        assert [event["type"] for event in events] == ["turnStarted", "textDelta", "textDelta", "turnFinished"]
        assert [event["seq"] for event in events] == [1, 2, 3, 4]
        assert [await take(other) for _ in range(4)] == events


async def test_cancel_decide_snapshot_and_update(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """Each message is carried out and answered to its id; without id the reply names none."""
    async with connected(client) as ws:
        await take(ws)
        await ws.send_json({"type": "prompt", "id": "p", "text": "long"})
        turn_id = (await take_reply(ws, "p"))["result"]["turnId"]
        await ws.send_json({"type": "cancel", "id": "c", "turnId": turn_id})
        assert (await take_reply(ws, "c"))["result"]["status"] == "cancelled"
        await ws.send_json({"type": "decide", "id": "d", "approvalId": "appr_1", "decision": "reject"})
        assert (await take_reply(ws, "d"))["result"]["decision"] == "reject"
        await ws.send_json({"type": "update", "id": "u", "basedOn": 1, "path": ["mode"], "value": {"a": [1, None]}})
        assert (await take_reply(ws, "u"))["result"]["version"] == 2
        await ws.send_json({"type": "getSnapshot"})
        snapshot = (await take_reply(ws, None))["result"]
        assert (snapshot["type"], snapshot["version"], snapshot["state"]["mode"]) == ("snapshot", 2, {"a": [1, None]})


async def test_refusals_are_replies(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """A refused message gets the contract's error, and the session goes on."""
    api.set_state(["mode"], "auto")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"type": "cancel", "turnId": "none"}, "not_found"),
        ({"type": "update", "basedOn": 1, "path": ["mode"], "value": 1}, "stale_version"),
        ({"type": "update", "basedOn": 2, "path": ["nope"], "value": 1}, "invalid_arguments"),
        ({"type": "update", "basedOn": -1, "path": ["mode"], "value": 1}, "invalid_arguments"),
        ({"type": "update", "basedOn": 2, "path": [], "value": 1}, "invalid_arguments"),
        ({"type": "update", "basedOn": 2, "path": [True], "value": 1}, "invalid_arguments"),
        ({"type": "prompt", "text": ""}, "invalid_arguments"),
        ({"type": "prompt", "text": "x", "nope": 1}, "invalid_arguments"),
        ({"type": "decide", "approvalId": "appr_1", "decision": "maybe"}, "invalid_arguments"),
        ({"type": "fly"}, "invalid_arguments"),
        ({}, "invalid_arguments"),
    ]
    async with connected(client) as ws:
        await take(ws)
        for number, (message, code) in enumerate(cases):
            await ws.send_json({"id": f"m{number}", **message})
            reply = await take_reply(ws, f"m{number}")
            assert (reply["success"], reply["error"]["code"]) == (False, code), message
            assert set(reply["error"]) == {"code", "message", "hint", "details"}
        await ws.send_json({"type": "getSnapshot", "id": "ok"})
        assert (await take_reply(ws, "ok"))["success"] is True


@pytest.mark.parametrize(
    "frame", ["", "{", "[]", "null", '{"type":"prompt"}', '{"type":"prompt","id":5,"text":"x"}', "[" * 100_000, "\x00"]
)
async def test_a_frame_that_is_no_message_ends_the_session(client: aiohttp.ClientSession, frame: str) -> None:
    """Without a usable id there is nobody to answer: 4400 with the reason."""
    async with connected(client) as ws:
        await take(ws)
        await ws.send_str(frame)
        code, reason = await closed(ws)
        assert code == 4400
        assert reason


async def test_binary_frames_end_the_session(client: aiohttp.ClientSession) -> None:
    """Only text is understood: 4400."""
    async with connected(client) as ws:
        await take(ws)
        await ws.send_bytes(b'{"type":"getSnapshot"}')
        assert await closed(ws) == (4400, "binary frames are not understood; send JSON text")


async def test_an_oversized_frame_ends_the_session(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """Over 8 MB: 1009, and others are not disturbed."""
    async with connected(client) as ws, connected(client) as other:
        await take(ws)
        await take(other)
        await ws.send_str('{"type":"prompt","text":"' + "x" * limits.FRAME_BYTES + '"}')
        assert (await closed(ws))[0] == 1009
        await other.send_json({"type": "getSnapshot", "id": "s"})
        assert (await take_reply(other, "s"))["success"] is True
    assert api.turn_rows == {}


async def test_invalid_utf8_ends_the_session(server: Running) -> None:
    """Bytes that are no UTF-8 are no text: the session ends with 4400 or 1007, nothing crashes."""
    key = "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        request(
            server.port, BEARER, *key, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", first="GET /v1/session HTTP/1.1"
        )
    )
    async with asyncio.timeout(DEADLINE_S):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\x82\x00\x00\x00\x00\xff\xfe")
        rest = await reader.readuntil((4400).to_bytes(2, "big"))
    assert b"snapshot" in rest
    writer.close()


@given(
    frame=st.one_of(
        st.text(max_size=50),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=8,
        ).map(json.dumps),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["prompt", "cancel", "decide", "getSnapshot", "update", "x"])},
            optional={
                key: st.none() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2)
                for key in ("id", "text", "turnId", "approvalId", "decision", "path", "value", "basedOn")
            },
        ).map(json.dumps),
    )
)
@settings(deadline=None, max_examples=60)
def test_garbage_frames_get_a_reply_or_a_close(frame: str) -> None:
    """Whatever a client sends, it is answered or closed with 4400, never with an internal error."""

    async def run() -> None:
        running = await serve(FakeDaemonApi(), token=TOKEN)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(base_url=running.url, headers=headers) as client, connected(client) as ws:
            await take(ws)
            await ws.send_str(frame)
            while True:
                async with asyncio.timeout(DEADLINE_S):
                    message = await ws.receive()
                if message.type is not WSMsgType.TEXT:
                    assert ws.close_code == 4400
                    break
                if json.loads(message.data)["type"] == "reply":
                    break
        await running.close()

    asyncio.run(run())


async def test_a_wrong_token_is_accepted_and_closed(server: Running, api: FakeDaemonApi) -> None:
    """The handshake succeeds, then 4401 with a reason; no snapshot is sent."""
    async with aiohttp.ClientSession(base_url=server.url) as stranger:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            async with stranger.ws_connect("/v1/session", headers=headers) as ws:
                code, reason = await closed(ws)
                assert code == 4401
                assert reason
    assert api.clients_seen == 0


async def test_foreign_host_and_origin_fail_the_handshake(server: Running, client: aiohttp.ClientSession) -> None:
    """403 before any socket opens, right token or not."""
    for headers in ({"Origin": "http://example.com"}, {"Host": "example.com"}, {"Sec-Fetch-Site": "cross-site"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await client.ws_connect("/v1/session", headers=headers)
        assert refusal.value.status == 403
    async with client.ws_connect("/v1/session", headers={"Origin": server.url}) as ws:
        assert (await take(ws))["type"] == "snapshot"


async def test_no_handshake_is_refused(server: Running, client: aiohttp.ClientSession) -> None:
    """A plain GET, a wrong version and a bad key are 400 in the contract's form."""
    plain = await client.get("/v1/session")
    assert plain.status == 400
    assert "Upgrade" in (await plain.json())["error"]["details"]["fields"]
    for lines in (
        ["Sec-WebSocket-Version: 12", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="],
        ["Sec-WebSocket-Key: x"],
    ):
        raw = request(
            server.port,
            BEARER,
            "Upgrade: websocket",
            "Connection: Upgrade",
            *lines,
            first="GET /v1/session HTTP/1.1",
        )
        answer = await exchange(server.port, raw)
        assert answer.status == 400
        assert answer.json()["error"]["code"] == "invalid_arguments"


async def test_compression_is_never_agreed(client: aiohttp.ClientSession) -> None:
    """A client that offers to compress is served without."""
    async with client.ws_connect("/v1/session", compress=15) as ws:
        assert ws.compress == 0
        await take(ws)


async def test_a_client_that_does_not_read_is_closed_with_1013(
    client: aiohttp.ClientSession, server: Running, api: FakeDaemonApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its queue is bounded; when it reads again it finds what was sent and then the reason; others get everything."""
    # This bare client answers no close frame; it would only make the test wait.
    monkeypatch.setattr(session, "CLOSE_S", 2.0)
    async with connected(client) as fast:
        await take(fast)
        key = "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=4096)
        writer.write(
            request(
                server.port,
                BEARER,
                *key,
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                first="GET /v1/session HTTP/1.1",
            )
        )
        await until(lambda: api.clients == 2)
        # More than the kernel holds on both sides and more messages than the queue takes; one at a time for the others.
        for number in range(6_000):
            api.set_state(["selection"], ["x" * 5_000])
            assert (await take(fast))["version"] == number + 2
        async with asyncio.timeout(DEADLINE_S):
            rest = await reader.read()
        assert (1013).to_bytes(2, "big") + b"too slow" in rest
        writer.close()
        await until(lambda: api.clients == 1)


async def test_a_subscription_that_lags_is_closed_with_its_own_reason(
    client: aiohttp.ClientSession, api: FakeDaemonApi
) -> None:
    """Where the API itself ends a subscription, the client is told code and reason."""
    async with connected(client) as ws:
        await take(ws)
        for _ in range(limits.CLIENT_QUEUE + 5):
            api.set_state(["mode"], "x")
        assert await closed(ws) == (1013, "too slow")


async def test_our_own_bug_closes_with_1011(client: aiohttp.ClientSession, api: FakeDaemonApi) -> None:
    """An exception in the API ends this session with 1011, and new ones work."""

    def broken(turn_id: str) -> None:
        raise RuntimeError("a bug")

    api.turn = broken  # type: ignore[assignment,method-assign]
    async with connected(client) as ws:
        await take(ws)
        await ws.send_json({"type": "cancel", "id": "c", "turnId": "t"})
        code, reason = await closed(ws)
        assert code == 1011
        assert "a bug" not in reason
    async with connected(client) as ws:
        assert (await take(ws))["type"] == "snapshot"


async def test_too_many_sessions_are_told_to_come_later(
    client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the limit a session is accepted and closed with 1013, the others stay."""
    monkeypatch.setattr(limits, "CONNECTIONS", 2)
    async with connected(client) as one, connected(client) as two:
        await take(one)
        await take(two)
        async with connected(client) as three:
            code, reason = await closed(three)
            assert (code, "2 clients" in reason) == (1013, True)
        await one.send_json({"type": "getSnapshot", "id": "s"})
        assert (await take_reply(one, "s"))["success"] is True


async def test_the_servers_end_is_told_to_every_client(api: FakeDaemonApi) -> None:
    """1001 with a reason within the bound, also where one client does not read."""
    running = await serve(api, token=TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    key = "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"
    _, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
    writer.write(
        request(
            running.port, BEARER, *key, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", first="GET /v1/session HTTP/1.1"
        )
    )
    await until(lambda: api.clients == 1)
    async with (
        aiohttp.ClientSession(base_url=running.url, headers=headers) as client,
        connected(client) as one,
        connected(client) as two,
    ):
        await take(one)
        await take(two)
        for _ in range(500):
            api.set_state(["selection"], ["x" * 10_000])
        async with asyncio.timeout(limits.SHUTDOWN_S), asyncio.TaskGroup() as tasks:
            ends = [tasks.create_task(closed(ws)) for ws in (one, two)]
            await running.close()
        assert [end.result() for end in ends] == [(1001, "the daemon stops")] * 2
    writer.close()
    assert api.clients == 0


async def test_a_client_that_vanishes_leaves_nothing(server: Running, api: FakeDaemonApi) -> None:
    """A cut connection ends its session and its subscriptions."""
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        key = "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"
        writer.write(
            request(
                server.port,
                BEARER,
                *key,
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                first="GET /v1/session HTTP/1.1",
            )
        )
        await until(lambda: api.clients == 1)
        writer.transport.abort()
        await until(lambda: api.clients == 0)
    assert not api._event_queues
    assert not api._delta_queues


def test_protocol_errors_keep_their_reason() -> None:
    """The close reason is the error's text."""
    assert str(ProtocolError(1013, "too slow")) == "too slow"
