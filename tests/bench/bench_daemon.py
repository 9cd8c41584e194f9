"""Figures of the running daemon: CPU to healthy, memory before and after a prompt, CPU of a call, times of the design.

CPU time and memory are read from the process itself (psutil); times of calls are measured at a client on the same machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from spark.core.tool import realtime_schema
from spark.engines.unity.sample import create_sample_project
from spark.tools import TOOLS

ROOT = Path(__file__).resolve().parents[2]
SOURCE = "using UnityEngine;\n\npublic class NAME : MonoBehaviour\n{\n    public float speed = 1f;\n}\n"
Row = dict[str, Any]


def row(name: str, value: float, limit: float, unit: str) -> Row:
    return {"name": name, "value": value, "limit": limit, "unit": unit, "ok": value <= limit}


class Bench:
    def __init__(self, folder: Path) -> None:
        self.project = folder / "Game"
        create_sample_project(self.project)
        home = folder / "home"
        home.mkdir()
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
        self.env = {
            **kept,
            "HOME": str(home),
            "PYTHONPATH": str(ROOT / "daemon"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "spark", "up", "--model", "offline", "--project", str(self.project)],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.daemon = psutil.Process(self.process.pid)
        self.address = self._address()
        self.headers = {"Authorization": f"Bearer {self.address['token']}"}

    def _address(self) -> dict[str, Any]:
        file = self.project / "Library/Spark/daemon.json"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if file.exists():
                return json.loads(file.read_text())  # type: ignore[no-any-return]
            time.sleep(0.005)
        raise RuntimeError("the daemon did not start")

    def cpu_s(self) -> float:
        times = self.daemon.cpu_times()
        return times.user + times.system

    def rss_mb(self) -> float:
        return self.daemon.memory_info().rss / 1024**2

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def run() -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        rows.append(row("start to healthy, CPU (median of 5)", statistics.median(_starts(Path(folder), 5)), 0.5, "s"))
        place = Path(folder) / "main"
        place.mkdir()
        bench = Bench(place)
        try:
            rows += asyncio.run(_measure(bench))
        finally:
            bench.stop()
    size = sum(len(json.dumps(realtime_schema(tool.schema()), separators=(",", ":"))) for tool in TOOLS)
    rows.append(row("all tool schemas together", size, 12_000, "characters"))
    return rows


def _starts(folder: Path, times: int) -> list[float]:
    found = []
    for number in range(times):
        place = folder / f"start{number}"
        place.mkdir()
        bench = Bench(place)
        asyncio.run(_healthy(bench))
        found.append(bench.cpu_s())
        bench.stop()
    return found


async def _healthy(bench: Bench) -> None:
    async with aiohttp.ClientSession() as client:
        while True:
            async with client.get(bench.address["url"] + "/healthz") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.005)


async def _measure(bench: Bench) -> list[Row]:
    rows: list[Row] = []
    async with aiohttp.ClientSession(bench.address["url"], headers=bench.headers) as client:
        await asyncio.sleep(3)
        rows.append(row("RSS before the first prompt", bench.rss_mb(), 60, "MB"))
        before = bench.cpu_s()
        await asyncio.sleep(60)
        rows.append(row("idle CPU over a minute, sample project", (bench.cpu_s() - before) / 60 * 100, 0.1, "%"))
        rows.append(row("readFile over HTTP, server CPU", await _read_cpu_ms(bench, client), 0.6, "ms"))
        writes = sorted([await _timed_write(client, number) for number in range(120)])
        rows.append(
            row("function call that writes, 99th percentile", writes[int(len(writes) * 0.99)] * 1000, 200, "ms")
        )
        rows.append(row("delta at another client, 99th percentile", await _delta_ms(bench), 10, "ms"))
        rows.append(row("session connected (snapshot received), median", await _connect_ms(bench), 100, "ms"))
        await _prompt(client)
        await asyncio.sleep(20)
        rows.append(row("RSS 20 s after a prompt", bench.rss_mb(), 110, "MB"))
    return rows


async def _read_cpu_ms(bench: Bench, client: aiohttp.ClientSession) -> float:
    path = next(path for path in sorted((bench.project / "Assets").rglob("*.cs"))).relative_to(bench.project).as_posix()
    body = {"arguments": {"path": path}}
    for _ in range(50):
        await _post(client, "/v1/tools/readFile", body)
    before = bench.cpu_s()
    for _ in range(2000):
        await _post(client, "/v1/tools/readFile", body)
    return (bench.cpu_s() - before) / 2000 * 1000


async def _post(client: aiohttp.ClientSession, path: str, body: Any) -> Any:
    async with client.post(path, json=body) as answer:
        return await answer.json()


async def _timed_write(client: aiohttp.ClientSession, number: int) -> float:
    name = f"Bench{number}"
    arguments = {"prompt": "a script for the bench", "className": name, "source": SOURCE.replace("NAME", name)}
    start = time.perf_counter()
    answer = await _post(client, "/v1/tools/generateUnityScript", {"arguments": arguments})
    assert answer["success"], answer
    return time.perf_counter() - start


async def _delta_ms(bench: Bench) -> float:
    times = []
    async with (
        aiohttp.ClientSession(bench.address["url"], headers=bench.headers) as client,
        client.ws_connect("/v1/session") as writer,
        client.ws_connect("/v1/session") as reader,
    ):
        version = (await writer.receive_json())["version"]
        await reader.receive_json()
        for number in range(200):
            start = time.perf_counter()
            await writer.send_json(
                {"type": "update", "id": str(number), "basedOn": version, "path": ["client", "n"], "value": number}
            )
            while True:
                message = await reader.receive_json()
                if message["type"] == "delta" and message["path"] == ["client", "n"]:
                    break
            times.append((time.perf_counter() - start) * 1000)
            version = message["version"]
    return sorted(times)[int(len(times) * 0.99)]


async def _connect_ms(bench: Bench) -> float:
    times = []
    async with aiohttp.ClientSession(bench.address["url"], headers=bench.headers) as client:
        for _ in range(30):
            start = time.perf_counter()
            async with client.ws_connect("/v1/session") as socket:
                await socket.receive_json()
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


async def _prompt(client: aiohttp.ClientSession) -> None:
    answer = await _post(client, "/v1/turns", {"text": "make a health script called BenchHealth", "mode": "auto"})
    while True:
        async with client.get(f"/v1/turns/{answer['turnId']}") as turn:
            status = (await turn.json())["status"]
        if status != "running":
            assert status == "done", status
            return
        await asyncio.sleep(0.05)
