"""A small daemon that speaks the contract's HTTP: stands in for the real one where only the command line is tested.

Keeps state: what was asked of it, which turns were cancelled, which approvals were decided. Runs in a thread of the test
(`FakeDaemon`) or as a process of its own that ends at SIGTERM (`python -m tests.fakes.http_daemon PROJECT`).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from spark.adapters.checkout import DaemonAddress, Discovery, open_checkout

TOKEN = "t0ken-of-the-fake"
STARTED_AT = "2026-01-31T12:00:00.000Z"
WAIT_S = 20.0
Event = dict[str, Any]


def refused(code: str, message: str = "refused by the fake", hint: str = "do it otherwise") -> dict[str, Any]:
    return {"success": False, "error": {"code": code, "message": message, "hint": hint, "details": {}}}


def answered(result: Mapping[str, Any], changes: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "success": True,
        "result": dict(result),
        "changes": changes or [],
        "callId": "call_1",
        "turnId": "turn_1",
    }


def change(path: str, action: str = "created") -> dict[str, Any]:
    return {"path": path, "action": action, "versionId": f"ver_{path}", "sha256Before": None, "sha256After": "0" * 64}


STARTED: Event = {
    "type": "turnStarted",
    "model": "fake-1",
    "host": "this machine",
    "keySource": "none needed",
    "reasoning": "deterministic",
}


def finished(status: str = "done", changes: list[dict[str, Any]] | None = None, **more: Any) -> Event:
    usage = {"inputTokens": 120, "cachedTokens": 20, "outputTokens": 30, "model": "fake-1", "costUsd": 0.0123}
    return {"type": "turnFinished", "status": status, "changes": changes or [], "usage": usage, **more}


@dataclass
class FakeDaemon:
    """`events`: what a turn sends; `holds`: it then waits for a cancel; `decides`: it waits for a decision at
    `approvalRequested`. `answers`: (status, body) by "METHOD /path"."""

    root: Path
    events: list[Event] = field(default_factory=lambda: [STARTED, finished()])
    holds: bool = False
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    decided: threading.Event = field(default_factory=threading.Event)
    holding: threading.Event = field(default_factory=threading.Event)

    def bodies(self, method: str, path: str) -> list[Any]:
        """The bodies of all requests to one route."""
        return [body for m, p, body in self.requests if (m, p) == (method, path)]

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        key = f"{method} {path}"
        if key in self.answers:
            return self.answers[key]
        if path == "/v1/status":
            return 200, {"healthy": True, "pid": os.getpid(), "project": {"root": str(self.root)}, "circuits": []}
        if path == "/v1/tools":
            schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
            return 200, [{"name": "readFile", "description": "Reads.", "inputSchema": schema}]
        if path.endswith("/cancel"):
            self.cancelled.set()
            return 200, {"cancelled": True}
        if path.startswith("/v1/approvals/"):
            self.decided.set()
            return 200, {"decided": True}
        return 404, refused("not_found", f"the fake has no {key}")

    def turn(self) -> Iterator[Event]:
        for number, event in enumerate(self.events, start=1):
            yield {**event, "turnId": "turn_1", "seq": number}
            if event["type"] == "approvalRequested":
                self.decided.wait(WAIT_S)
        if self.holds:
            self.holding.set()
            self.cancelled.wait(WAIT_S)
            landed = [change("Assets/Landed.cs")]
            yield {**finished("cancelled", landed), "turnId": "turn_1", "seq": len(self.events) + 1}

    @contextmanager
    def running(self) -> Iterator[FakeDaemon]:
        """Serves from threads of this process until the block ends; holds the checkout's lock as the real one does."""
        daemon = self

        class Handler(_Handler):
            fake = daemon

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        checkout = open_checkout(self.root)
        lock = checkout.lock()
        url = f"http://127.0.0.1:{server.server_port}"
        address = DaemonAddress(url, TOKEN, os.getpid(), STARTED_AT, checkout.project_id, checkout.checkout_id)
        discovery = Discovery(checkout, address)
        lock.publish(url=url, started_at=STARTED_AT)
        discovery.write()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.cancelled.set()
            self.decided.set()
            server.shutdown()
            server.server_close()
            thread.join(WAIT_S)
            discovery.remove()
            lock.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeDaemon

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        if path == "/healthz":
            self._send(200, {"status": "ok"})
            return
        self.fake.requests.append((method, path, json.loads(content) if content else None))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, refused("unauthorized"))
        elif (method, path) == ("POST", "/v1/turns") and "POST /v1/turns" not in self.fake.answers:
            self._stream()
        else:
            self._send(*self.fake.answer(method, path))

    def _send(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Location", "/v1/turns/turn_1")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._chunk(b": still working\n\n")
        for event in self.fake.turn():
            frame = f"event: {event['type']}\nid: {event['seq']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"
            self._chunk(frame.encode())
        self._chunk(b"")

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Tests read stderr."""


def main() -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with FakeDaemon(Path(sys.argv[1])).running():
        print("ready", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
