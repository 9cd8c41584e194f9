"""What the local server costs: CPU of one trivial call against a bare aiohttp echo, and CPU of import and start.

Each server is a process of its own; its CPU time is read before and after the same calls over one kept connection.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

ROUNDS = 4
CALLS = 4_000
RATIO_LIMIT = 2.0
START_LIMIT_S = 0.45
ROOT = Path(__file__).parents[2]

SPARK_SERVER = """
import asyncio, sys
from spark.adapters.http.server import serve
from spark.core.api import CallOutcome
from tests.fakes.daemon_api import FakeDaemonApi

class Trivial(FakeDaemonApi):
    async def call(self, request):
        return CallOutcome(200, {"success": True, "result": request.arguments})

async def main():
    running = await serve(Trivial(), token="t")
    print(running.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await running.close()

asyncio.run(main())
"""
ECHO_SERVER = """
import asyncio, sys
from aiohttp import web

async def echo(request):
    return web.json_response(await request.json())

async def main():
    app = web.Application()
    app.router.add_post("/echo", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await runner.cleanup()

asyncio.run(main())
"""


@contextmanager
def server(source: str) -> Iterator[tuple[psutil.Process, int]]:
    """A server process and its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'daemon'}{os.pathsep}{ROOT}"},
    )
    try:
        assert process.stdout is not None
        yield psutil.Process(process.pid), int(process.stdout.readline())
    finally:
        process.communicate(b"\n", timeout=20)


def request(path: str, port: int, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer t\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def cpu_per_call_us(process: psutil.Process, port: int, path: str) -> float:
    """Microseconds of server CPU for one call, over many on one connection."""
    raw = request(path, port, b'{"arguments":{"text":"hello"}}')
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        before = cpu_s(process)
        for _ in range(CALLS):
            connection.sendall(raw)
            answer = connection.recv(65_536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"the server answered {answer[:200]!r}")
            while not answer.endswith(b"}"):
                answer += connection.recv(65_536)
        return (cpu_s(process) - before) / CALLS * 1e6


def run() -> list[dict[str, Any]]:
    """Rows `{"name", "value", "limit", "unit", "ok"}`; the two servers take turns, the best round of each counts."""
    with server(SPARK_SERVER) as (ours, our_port), server(ECHO_SERVER) as (echo, echo_port):
        start_s = cpu_s(ours)
        pairs = [
            (cpu_per_call_us(ours, our_port, "/v1/tools/echo"), cpu_per_call_us(echo, echo_port, "/echo"))
            for _ in range(ROUNDS)
        ]
    our_us, echo_us = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    ratio = our_us / echo_us
    return [
        row("http: server CPU of a trivial call / aiohttp echo", ratio, RATIO_LIMIT, "x"),
        row("http: server CPU of a trivial call", our_us, 600.0, "us"),
        row("http: CPU of interpreter, imports and start", start_s, START_LIMIT_S, "s"),
    ]


def row(name: str, value: float, limit: float, unit: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "limit": limit, "unit": unit, "ok": value <= limit}


if __name__ == "__main__":
    for line in run():
        print(line)
