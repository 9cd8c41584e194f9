"""A `DaemonApi` that keeps its state in memory: enough to drive every route and the session socket for real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal

from spark.core.api import CallOutcome, CallRequest, TurnRequest
from spark.core.changes import Change, sha256_of
from spark.core.errors import ProtocolError, SparkError, ToolRejected, invalid_arguments
from spark.core.ids import new_id
from spark.core.limits import CLIENT_QUEUE
from spark.core.paths import ProjectPath
from spark.core.versions import Author, GitPlace, HistoryPage, Version
from spark.protocol.wire import error_body, success_body

END = {"type": "end"}


class FakeDaemonApi:
    """Tools: `echo` answers its arguments, `write` makes a version, `refuse` and `crash` do what they say, `wait` waits."""

    def __init__(self) -> None:
        self.is_ready = True
        self.clients = 0
        self.clients_seen = 0
        self.requests: list[object] = []
        self.turn_rows: dict[str, dict[str, Any]] = {}
        self.turn_events: dict[str, list[Mapping[str, Any]]] = {}
        self.versions: dict[str, Version] = {}
        self.contents: dict[str, bytes] = {}
        self.files: dict[str, list[dict[str, Any]]] = {}
        """What `check` says of each file."""
        self.approvals: dict[str, str] = {}
        self.answers: dict[str, tuple[str, CallOutcome]] = {}
        self.state: dict[str, Any] = {"mode": "ask", "selection": []}
        self.state_version = 1
        self.touched: dict[tuple[str | int, ...], int] = {}
        self.release = asyncio.Event()
        self.changed = asyncio.Condition()
        self._event_queues: list[asyncio.Queue[Mapping[str, Any]]] = []
        self._delta_queues: list[asyncio.Queue[Mapping[str, Any]]] = []

    # -- plain answers

    def ready(self) -> bool:
        return self.is_ready

    def status(self) -> dict[str, Any]:
        return {"healthy": True, "reasons": [], "clients": self.clients}

    def tools(self) -> list[dict[str, Any]]:
        return [{"name": "echo", "description": "Answers its arguments.", "inputSchema": {"type": "object"}}]

    def client_connected(self) -> None:
        self.clients += 1
        self.clients_seen += 1

    def client_gone(self) -> None:
        self.clients -= 1

    def usage(self, by: Literal["day", "model", "turn"]) -> dict[str, Any]:
        return {"by": by, "rows": []}

    async def check(self, path: str | None = None) -> dict[str, Any]:
        if path is not None and path not in self.files:
            raise ToolRejected("not_found", f"{path} is not in the project")
        found = self.files if path is None else {path: self.files[path]}
        return {"findings": [body for bodies in found.values() for body in bodies], "checked": len(found)}

    # -- calls and versions

    async def call(self, request: CallRequest) -> CallOutcome:
        self.requests.append(request)
        if request.idempotency_key is None:
            return await self._run(request)
        fingerprint = json.dumps([request.name, dict(request.arguments)], sort_keys=True)
        known = self.answers.get(request.idempotency_key)
        if known is None:
            known = fingerprint, await self._run(request)
            self.answers[request.idempotency_key] = known
        if known[0] != fingerprint:
            raise ToolRejected("idempotency_mismatch", "the key was used with other arguments")
        return known[1]

    async def _run(self, request: CallRequest) -> CallOutcome:
        turn_id, call_id = request.turn_id or new_id("turn"), new_id("call")
        match request.name:
            case "echo":
                return CallOutcome(200, success_body(request.arguments, (), call_id, turn_id))
            case "write":
                change = self.write(str(request.arguments["path"]), str(request.arguments["text"]).encode(), turn_id)
                return CallOutcome(200, success_body({}, (change,), call_id, turn_id))
            case "refuse":
                error = SparkError(str(request.arguments["code"]), "refused", details={"retryAfterS": 1.2})
                return CallOutcome(int(request.arguments["status"]), error_body(error))
            case "raise":
                raise ToolRejected(str(request.arguments["code"]), "refused", hint="do otherwise")
            case "crash":
                raise RuntimeError("a bug with the password hunter2 in it")
            case "wait":
                await self.release.wait()
                return CallOutcome(200, success_body({"waited": True}, (), call_id, turn_id))
        raise ToolRejected("unknown_tool", f"there is no function {request.name!r}", details={"tools": ["echo"]})

    def write(self, path: str, content: bytes, turn_id: str | None = None) -> Change:
        version = Version(
            version_id=new_id("ver"),
            path=path,
            action="modified",
            sha256=sha256_of(content),
            size=len(content),
            content="kept",
            author=Author("tool", "write"),
            turn_id=turn_id,
            call_id=None,
            prompt=None,
            git=GitPlace(),
            parent_id=None,
            created_at="2026-01-31T12:00:00.000Z",
        )
        self.versions[version.version_id] = version
        self.contents[version.version_id] = content
        return Change(ProjectPath(path), "modified", version.version_id, None, version.sha256)

    def history(
        self, *, path: str | None = None, turn_id: str | None = None, limit: int = 50, before: str | None = None
    ) -> HistoryPage:
        rows = [
            version
            for version in sorted(self.versions.values(), key=lambda row: row.version_id, reverse=True)
            if (path is None or version.path == path)
            and (turn_id is None or version.turn_id == turn_id)
            and (before is None or version.version_id < before)
        ]
        return HistoryPage(tuple(rows[:limit]), rows[limit - 1].version_id if len(rows) > limit else None)

    def version(self, version_id: str) -> Version:
        if version_id not in self.versions:
            raise ToolRejected("not_found", f"there is no version {version_id[:80]!r}")
        return self.versions[version_id]

    def version_content(self, version_id: str) -> bytes:
        self.version(version_id)
        return self.contents[version_id]

    async def undo(self, turn_ids: Sequence[str], *, dry_run: bool = False) -> CallOutcome:
        self.requests.append(("undo", list(turn_ids), dry_run))
        for turn_id in turn_ids:
            self.turn(turn_id)
        return CallOutcome(200, success_body({"dryRun": dry_run}, (), None, turn_ids[0]))

    async def restore(self, version_id: str, *, dry_run: bool = False) -> CallOutcome:
        self.requests.append(("restore", version_id, dry_run))
        version = self.version(version_id)
        return CallOutcome(200, success_body({"restored": version.version_id, "dryRun": dry_run}, (), None, None))

    # -- turns

    async def start_turn(self, request: TurnRequest) -> str:
        self.requests.append(request)
        turn_id = new_id("turn")
        self.turn_rows[turn_id] = {"turnId": turn_id, "text": request.text, "status": "running"}
        self.turn_events[turn_id] = []
        self.emit(turn_id, "turnStarted", model="fake")
        if not request.text.startswith("long"):
            for word in request.text.split():
                self.emit(turn_id, "textDelta", text=word)
            self.finish(turn_id, "done")
        return turn_id

    def emit(self, turn_id: str, kind: str, **fields: Any) -> None:
        events = self.turn_events[turn_id]
        event = {"type": kind, "turnId": turn_id, "seq": len(events) + 1, **fields}
        events.append(event)
        for queue in self._event_queues:
            queue.put_nowait(event)

    def finish(self, turn_id: str, status: str) -> None:
        self.turn_rows[turn_id]["status"] = status
        self.emit(turn_id, "turnFinished", status=status, changes=[])

    def turns(self, *, limit: int = 50, before: str | None = None) -> dict[str, Any]:
        rows = [row for row in reversed(self.turn_rows.values()) if before is None or row["turnId"] < before]
        return {"turns": rows[:limit], "next": rows[limit - 1]["turnId"] if len(rows) > limit else None}

    def turn(self, turn_id: str) -> dict[str, Any]:
        if turn_id not in self.turn_rows:
            raise ToolRejected("not_found", f"there is no turn {turn_id[:80]!r}")
        return self.turn_rows[turn_id]

    async def cancel_turn(self, turn_id: str) -> dict[str, Any]:
        row = self.turn(turn_id)
        if row["status"] == "running":
            self.finish(turn_id, "cancelled")
        return row

    async def end_turn(self, turn_id: str) -> dict[str, Any]:
        row = self.turn(turn_id)
        self.finish(turn_id, "done")
        return row

    async def decide(
        self, approval_id: str, decision: Literal["accept", "reject"], paths: Sequence[str] | None = None
    ) -> dict[str, Any]:
        if approval_id != "appr_1":
            raise ToolRejected("not_found", "there is no such approval")
        self.approvals[approval_id] = decision
        return {"approvalId": approval_id, "decision": decision, "paths": list(paths) if paths is not None else None}

    # -- streams

    async def events(self, turn_id: str | None = None) -> AsyncGenerator[Mapping[str, Any]]:
        queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._event_queues.append(queue)
        try:
            if turn_id is None:
                async for event in _drain(queue):
                    yield event
            # What a turn has kept is read from there, as often as something new is said.
            kept, seen = self.turn_events[turn_id or ""], 0
            while True:
                while seen < len(kept):
                    seen += 1
                    yield kept[seen - 1]
                    if kept[seen - 1]["type"] == "turnFinished":
                        return
                await queue.get()
        finally:
            self._event_queues.remove(queue)

    def snapshot(self) -> dict[str, Any]:
        return {"type": "snapshot", "version": self.state_version, "state": dict(self.state)}

    async def deltas(self) -> AsyncGenerator[Mapping[str, Any]]:
        queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._delta_queues.append(queue)
        try:
            async for delta in _drain(queue):
                yield delta
        finally:
            self._delta_queues.remove(queue)

    def set_state(self, path: Sequence[str | int], value: Any) -> dict[str, Any]:
        self.state_version += 1
        self.touched[tuple(path)] = self.state_version
        self.state[str(path[0])] = value
        delta = {"type": "delta", "version": self.state_version, "path": list(path), "value": value}
        for queue in self._delta_queues:
            queue.put_nowait(delta)
        return delta

    def update_state(self, based_on: int, path: Sequence[str | int], value: Any) -> dict[str, Any]:
        if path[0] not in self.state:
            raise invalid_arguments({"path": "a field of the state"})
        if self.touched.get(tuple(path), 0) > based_on:
            raise ToolRejected("stale_version", "the path was changed since", details={"version": self.state_version})
        return self.set_state(path, value)


async def _drain(queue: asyncio.Queue[Mapping[str, Any]]) -> AsyncGenerator[Mapping[str, Any]]:
    while True:
        if queue.qsize() > CLIENT_QUEUE:
            raise ProtocolError(1013, "too slow")
        yield await queue.get()
