"""The offline model's server as any WebSocket client sees it: who gets in, and the Realtime wire's own rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from spark.adapters.models.offline_server import OfflineServer


@pytest.fixture
async def server() -> AsyncIterator[OfflineServer]:
    running = OfflineServer()
    await running.start()
    yield running
    await running.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def _headers(server: OfflineServer, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token}", **more}


class Client:
    """A client without an SDK."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_json({"type": kind, "event_id": f"c_{kind}", **fields})

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                event: dict[str, Any] = await self.socket.receive_json()
                if event["type"] == kind:
                    return event

    async def say(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await self.until("conversation.item.done")


@pytest.fixture
async def client(server: OfflineServer, http: aiohttp.ClientSession) -> AsyncIterator[Client]:
    async with http.ws_connect(f"{server.url}/realtime?model=offline", headers=_headers(server)) as socket:
        connected = Client(socket)
        created = await connected.until("session.created")
        assert created["session"]["type"] == "realtime"
        assert created["session"]["expires_at"] > 0
        yield connected


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong\xe4"}, 401),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
    ],
)
async def test_who_gets_in(
    server: OfflineServer, http: aiohttp.ClientSession, headers: dict[str, str], status: int
) -> None:
    """A wrong token, a foreign Host and any Origin are refused at the handshake."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.ws_connect(f"{server.url}/realtime", headers={**_headers(server), **headers})
    assert caught.value.status == status


async def test_token_and_port_are_random(server: OfflineServer) -> None:
    """Two servers share neither address nor token, and listen on loopback."""
    other = OfflineServer()
    await other.start()
    try:
        assert other.token != server.token
        assert other.url != server.url
        assert other.url.startswith("http://127.0.0.1:")
    finally:
        await other.close()


async def test_frames_of_an_answer(client: Client) -> None:
    """An answer is streamed with the frames of the wire; its parts are its whole text; it costs no tokens."""
    await client.send("session.update", session={"type": "realtime", "instructions": "x", "tools": []})
    assert (await client.until("session.updated"))["session"]["instructions"] == "x"
    await client.say("hello")
    await client.send("response.create")
    kinds: list[str] = []
    text = ""
    while not kinds or kinds[-1] != "response.done":
        event = await client.socket.receive_json()
        kinds.append(event["type"])
        text += event.get("delta", "")
    assert kinds[0] == "response.created"
    assert {"response.output_item.added", "response.content_part.added", "response.output_text.done"} <= set(kinds)
    assert event["response"]["status"] == "completed"
    assert event["response"]["usage"]["total_tokens"] == 0
    assert event["response"]["output"][0]["content"][0]["text"] == text
    assert "offline model" in text


async def test_a_call_and_its_output(client: Client) -> None:
    """A call comes complete with `output_item.done`; the planner goes on from the output that is sent back."""
    tools = [{"type": "function", "name": "listAssets"}]
    await client.send("session.update", session={"type": "realtime", "tools": tools})
    await client.say("list scripts")
    await client.send("response.create")
    item = (await client.until("response.output_item.done"))["item"]
    assert (item["type"], item["status"], item["name"]) == ("function_call", "completed", "listAssets")
    output = json.dumps({"success": True, "result": {"assets": [{"path": "Assets/A.cs"}]}})
    await client.until("response.done")
    await client.send(
        "conversation.item.create",
        item={"type": "function_call_output", "call_id": item["call_id"], "output": output},
    )
    await client.send("response.create")
    assert "Assets/A.cs" in (await client.until("response.output_text.done"))["text"]


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("no.such.event", {}, "invalid_value"),
        ("session.update", {"session": {}}, "invalid_value"),
        ("session.update", {}, "invalid_value"),
        ("conversation.item.create", {}, "invalid_value"),
        ("conversation.item.create", {"item": {"type": "message", "role": "king"}}, "invalid_value"),
        ("conversation.item.create", {"item": {"type": "function_call_output", "call_id": "x"}}, "invalid_value"),
        ("conversation.item.delete", {"item_id": "nobody"}, "item_delete_invalid_item_id"),
        ("response.cancel", {}, "response_cancel_not_active"),
    ],
)
async def test_bad_events(client: Client, kind: str, fields: dict[str, Any], code: str) -> None:
    """A bad event is answered with an error that names it, and the session goes on."""
    await client.send(kind, **fields)
    error = (await client.until("error"))["error"]
    assert (error["code"], error["event_id"]) == (code, f"c_{kind}")
    await client.say("hello")


@pytest.mark.parametrize("raw", ["no json", "[]", "7"])
async def test_messages_that_are_no_events(client: Client, raw: str) -> None:
    """What is no JSON object is an error, not an end."""
    await client.socket.send_str(raw)
    assert (await client.until("error"))["error"]["code"] == "invalid_json"


async def test_one_response_at_a_time_and_cancel(client: Client) -> None:
    """A second response is refused while one runs; a cancelled one ends on the wire, and the next one works."""
    await client.say("hello")
    for kind in ("response.create", "response.create", "response.cancel"):
        await client.send(kind)
    assert (await client.until("error"))["error"]["code"] == "conversation_already_has_active_response"
    done = await client.until("response.done")
    assert done["response"]["status"] == "cancelled"
    await client.send("response.create")
    assert (await client.until("response.done"))["response"]["status"] == "completed"


async def test_response_apart_from_the_conversation(client: Client) -> None:
    """A response with `conversation: none` sees only its own input and leaves nothing behind."""
    await client.say("create a health script")
    content = [{"type": "input_text", "text": "hello"}]
    await client.send(
        "response.create",
        response={"conversation": "none", "input": [{"type": "message", "role": "user", "content": content}]},
    )
    done = await client.until("response.done")
    assert "offline model" in done["response"]["output"][0]["content"][0]["text"]
    await client.send("conversation.item.delete", item_id=done["response"]["output"][0]["id"])
    assert (await client.until("error"))["error"]["code"] == "item_delete_invalid_item_id"


async def test_a_client_that_leaves_in_mid_answer(server: OfflineServer, http: aiohttp.ClientSession) -> None:
    """A connection that is cut while it is answered harms nobody else."""
    for _ in range(3):
        socket = await http.ws_connect(f"{server.url}/realtime", headers=_headers(server))
        client = Client(socket)
        await client.say("hello")
        await client.send("response.create")
        await client.until("response.created")
        await socket.close()
    async with http.ws_connect(f"{server.url}/realtime", headers=_headers(server)) as socket:
        assert await Client(socket).until("session.created")
