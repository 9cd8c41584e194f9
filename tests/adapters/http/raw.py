"""A bare TCP client: bytes out, one whole HTTP answer in. For requests that no HTTP library would send."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

TOKEN = "spk_test-token-of-this-server"
DEADLINE_S = 10.0


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


async def read_answer(reader: asyncio.StreamReader) -> RawAnswer:
    async with asyncio.timeout(DEADLINE_S):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:] if line)]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        return RawAnswer(int(lines[0].split()[1]), headers, await reader.readexactly(length))


async def exchange(port: int, request: bytes) -> RawAnswer:
    """Sends bytes over a connection of its own and reads one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await read_answer(reader)
    finally:
        writer.close()


def request(port: int, *lines: str, first: str = "GET /v1/status HTTP/1.1", host: str | None = "") -> bytes:
    """A request with the token and, unless `host` is None, a Host header (the right one where it is empty)."""
    head = [first]
    if host is not None:
        head.append(f"Host: {host or f'127.0.0.1:{port}'}")
    return "\r\n".join([*head, *lines, "", ""]).encode("latin-1")


BEARER = f"Authorization: Bearer {TOKEN}"
