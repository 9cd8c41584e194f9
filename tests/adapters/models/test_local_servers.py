"""Local model servers are found by their ports and listed."""

from __future__ import annotations

import socket

from aiohttp import web

from spark.adapters.models.choice import is_loopback
from spark.adapters.models.local_servers import USUAL, LocalServer, find_local_servers
from tests.fakes.chat_server import running_chat_server


async def test_running_servers_are_listed(unused_tcp_port: int) -> None:
    """A server that answers is listed with its models; one that is not there is not."""
    async with running_chat_server("qwen", "llama") as server:
        found = await find_local_servers((("Ollama", server.url), ("X", f"http://127.0.0.1:{unused_tcp_port}/v1")))
    assert found == [LocalServer("Ollama", server.url, ("qwen", "llama"))]


async def test_others_on_the_port_are_no_servers() -> None:
    """Something else that listens there, answers nonsense, redirects or never answers is not listed and does not hang."""
    app = web.Application()
    app.router.add_get("/text/models", _text)
    app.router.add_get("/json/models", _list)
    app.router.add_get("/gone/models", _redirect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        usual = [(name, f"{base}/{name}") for name in ("text", "json", "gone", "missing")]
        assert await find_local_servers([*usual, ("silent", silent_url)]) == []
    await runner.cleanup()


async def _text(request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def _list(request: web.Request) -> web.Response:
    return web.json_response([1])


async def _redirect(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/json/models"})


def test_the_usual_ports_are_loopback() -> None:
    """Nothing but this machine is ever asked."""
    assert all(is_loopback(url) for _, url in USUAL)
