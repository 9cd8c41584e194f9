"""The daemon as its clients see it: implements `core.api.DaemonApi` on the parts. Each method is a few lines; the work is below."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Literal

from spark import __version__
from spark.core.api import CallOutcome, CallRequest, TurnRequest
from spark.core.conversation import FunctionCall, TokenUsage
from spark.core.errors import ToolRejected, Unavailable
from spark.core.ids import new_id
from spark.core.limits import ABANDONED_S
from spark.core.records import TurnRow
from spark.core.tool import Tool, mcp_schema
from spark.core.turn import usage_to_wire
from spark.core.versions import HistoryPage, Version
from spark.protocol.wire import checked_to_wire, success_body
from spark.relay.bus import Message
from spark.relay.calls import over_at_the_end, tool_context
from spark.relay.once import Once
from spark.relay.parts import Parts
from spark.relay.reads import OwnReads
from spark.relay.session import Session
from spark.relay.turns import Turns
from spark.relay.undo import undo_tool


class Relay:
    """One per daemon. `tasks` owns every turn."""

    def __init__(self, parts: Parts, tasks: asyncio.TaskGroup) -> None:
        self._parts = parts
        self._session = Session(parts)
        self._tasks = tasks
        self._turns = Turns(parts, self._session, tasks)
        self._once = Once(parts)
        self._ready = False
        self._reads = 0
        self._started_at = parts.clock.now()
        self.clients = 0
        self.last_client_at = parts.clock.monotonic()

    def open(self) -> None:
        """After the files were recovered: from here on calls are served."""
        self._turns.recover()
        self._session.set(["model"], self._model_view())
        self._ready = True

    def late_usage(self, conversation_id: str, usage: TokenUsage) -> None:
        self._turns.late_usage(conversation_id, usage)

    async def stop(self, limit_s: float) -> None:
        await self._turns.stop(limit_s)

    def ready(self) -> bool:
        return self._ready

    def busy(self) -> bool:
        """Whether somebody would miss it: an open external turn without calls and clients is nobody."""
        return self.clients > 0 or any(turn.row.kind == "model" for turn in self._turns.running.values())

    def client_connected(self) -> None:
        self.clients += 1

    def client_gone(self) -> None:
        self.clients -= 1
        self._touch()
        if not self.clients and self._turns.approvals():
            self._tasks.create_task(self._cancel_abandoned())

    async def _cancel_abandoned(self) -> None:
        await asyncio.sleep(ABANDONED_S)
        if not self.clients and self._parts.clock.monotonic() - self.last_client_at >= ABANDONED_S:
            self._turns.cancel_abandoned()

    def _touch(self) -> None:
        # An idle daemon counts its minutes from the last request.
        self.last_client_at = self._parts.clock.monotonic()

    # -- calls

    def tools(self) -> list[dict[str, Any]]:
        return [mcp_schema(tool.schema()) for tool in self._parts.registry.listed()]

    async def call(self, request: CallRequest) -> CallOutcome:
        self._touch()
        tool = self._parts.registry.get(request.name)

        async def answer(call_id: str) -> CallOutcome:
            if request.turn_id is None and not tool.writes:
                return await self._read(tool, request, call_id)
            return await self._run(request, tool, call_id)

        if request.idempotency_key is not None:
            return await self._once.call(request.idempotency_key, request, answer)
        return await answer(new_id("call"))

    async def _read(self, tool: Tool[Any], request: CallRequest, call_id: str) -> CallOutcome:
        """A call that only reads is answered without a turn in the journal: there is nothing to take back."""
        self._reads += 1
        turn_id = new_id("turn")
        context = tool_context(self._parts, OwnReads(), turn_id, call_id, own_turn=True)
        try:
            arguments = tool.parse(request.arguments)
            async with asyncio.timeout(tool.timeout_s):
                if tool.index:
                    await self._parts.settled(tool.index)
                with over_at_the_end():
                    answer = await tool.run(arguments, context)
        except TimeoutError:
            raise Unavailable("timeout", f"{tool.name} took longer than {tool.timeout_s:.0f} s") from None
        return CallOutcome(200, success_body(answer.result, (), call_id, turn_id))

    async def _run(
        self, request: CallRequest, tool: Tool[Any], call_id: str, bound: Tool[Any] | None = None
    ) -> CallOutcome:
        call = FunctionCall("", call_id, request.name, json.dumps(dict(request.arguments), ensure_ascii=False))
        if request.turn_id is not None:
            running = self._turns.external(request.turn_id)
        else:
            running = self._turns.open("direct", self._title(request), "auto", OwnReads())
            self._turns.spawn(running)
        return await asyncio.shield(running.calls.ask(call, bound, dry_run=request.dry_run))

    def _title(self, request: CallRequest) -> str:
        """The text of a turn that is one call: what the history shows as its prompt."""
        turn = self._parts.journal.turn(str(request.arguments.get("turnId", "")))
        if request.name == "undoTurn" and turn is not None:
            return f"undo of: {turn.text}"
        version = self._parts.store.version(str(request.arguments.get("versionId", "")))
        if request.name == "restoreVersion" and version is not None:
            return f"restore of {version.path} as of {version.created_at}"
        return request.name

    async def undo(self, turn_ids: Sequence[str], *, dry_run: bool = False) -> CallOutcome:
        self._touch()
        for turn_id in turn_ids:
            self.turn(turn_id)
        tool = undo_tool(self._parts, turn_ids)
        request = CallRequest(tool.name, {"turnId": turn_ids[0]}, dry_run=dry_run)
        return await self._run(request, tool, new_id("call"), bound=tool)

    async def restore(self, version_id: str, *, dry_run: bool = False) -> CallOutcome:
        return await self.call(CallRequest("restoreVersion", {"versionId": version_id}, dry_run=dry_run))

    # -- turns

    async def start_turn(self, request: TurnRequest) -> str:
        self._touch()
        return await self._turns.start(request)

    async def cancel_turn(self, turn_id: str) -> dict[str, Any]:
        self._touch()
        if self._turns.cancel(turn_id):
            return {"turnId": turn_id, "status": "cancelling"}
        return self.turn(turn_id)

    async def end_turn(self, turn_id: str) -> dict[str, Any]:
        self._touch()
        await self._turns.end(turn_id)
        return self.turn(turn_id)

    async def decide(
        self, approval_id: str, decision: Literal["accept", "reject"], paths: Sequence[str] | None = None
    ) -> dict[str, Any]:
        self._touch()
        return await self._turns.decide(approval_id, decision, paths)

    def turns(self, *, limit: int = 50, before: str | None = None) -> dict[str, Any]:
        rows = self._parts.journal.turns(limit=limit + 1, before=before)
        more = rows[limit - 1].turn_id if len(rows) > limit else None
        return {"turns": [turn_view(row) for row in rows[:limit]], "next": more}

    def turn(self, turn_id: str) -> dict[str, Any]:
        row = self._parts.journal.turn(turn_id)
        if row is None:
            raise ToolRejected("not_found", f"there is no turn {turn_id!r}", hint="GET /v1/turns lists them.")
        calls = [
            {"callId": call.call_id, "name": call.name, "state": call.state, "status": call.status}
            for call in self._parts.journal.turn_calls(turn_id)
        ]
        return {**turn_view(row), "calls": calls, "approvals": self._turns.approvals(turn_id)}

    def events(self, turn_id: str | None = None) -> AsyncGenerator[Message]:
        events = self._turns.events
        return events.all() if turn_id is None else events.of_turn(turn_id)

    # -- history and usage

    def history(
        self, *, path: str | None = None, turn_id: str | None = None, limit: int = 50, before: str | None = None
    ) -> HistoryPage:
        self._touch()
        where = self._parts.files.parse(path).text if path is not None else None
        return self._parts.store.history(path=where, turn_id=turn_id, limit=limit, before=before)

    def version(self, version_id: str) -> Version:
        version = self._parts.store.version(version_id)
        if version is None:
            raise ToolRejected("not_found", f"there is no version {version_id!r}", hint="GET /v1/history lists them.")
        return version

    def version_content(self, version_id: str) -> bytes:
        version = self.version(version_id)
        content = self._parts.store.content(version.sha256) if version.sha256 is not None else None
        if content is None:
            why = "is a deletion" if version.sha256 is None else "is known by its hash only"
            raise ToolRejected("not_found", f"version {version_id} {why}: there are no bytes to give")
        return content

    async def check(self, path: str | None = None) -> dict[str, Any]:
        self._touch()
        parts = self._parts
        where = None if path in (None, ".") else parts.files.parse(str(path).rstrip("/"))
        if where is not None and await asyncio.to_thread(parts.files.stat, where) is None:
            raise ToolRejected("not_found", f"{where} is not in the project", hint="Name a file or folder, or nothing.")
        await parts.settled("complete")
        checked = await asyncio.to_thread(parts.engine.check_project, None if where is None else [where])
        return checked_to_wire(checked)

    def usage(self, by: Literal["day", "model", "turn"]) -> dict[str, Any]:
        journal = self._parts.journal
        spent = self._parts.spent_today_usd()
        return {"by": by, "usage": journal.usage(by), "todayUsd": spent, "budgetUsd": self._parts.budget_usd}

    # -- state and status

    def snapshot(self) -> dict[str, Any]:
        return self._session.state.snapshot()

    def deltas(self) -> AsyncGenerator[Message]:
        return self._session.deltas()

    def update_state(self, based_on: int, path: Sequence[str | int], value: Any) -> dict[str, Any]:
        self._touch()
        return self._session.update(based_on, path, value)

    def status(self) -> dict[str, Any]:
        parts = self._parts
        problems = parts.problems()
        editor = parts.editor.state()
        return {
            "version": __version__,
            "startedAt": self._started_at,
            "healthy": not problems,
            "reasons": problems,
            "project": {**parts.project, "engine": parts.engine.name, "unityVersion": parts.engine.editor_version},
            "editor": {"connected": editor.connected, "generation": None, "tickAgeMs": None, "busy": editor.busy},
            "model": self._model_view(),
            "session": {
                "version": self._session.state.version,
                "conversation": self._session.conversation.conversation_id,
                "clients": self.clients,
                "runningTurns": [
                    {"turnId": turn.turn_id, "kind": turn.row.kind, "text": turn.row.text[:200]}
                    for turn in self._turns.running.values()
                ],
                "approvals": self._turns.approvals(),
            },
            "counters": {"turns": self._turns.opened, "calls": self._reads + self._turns.events.calls},
            **{name: view() for name, view in parts.views.items()},
        }

    def _model_view(self) -> dict[str, Any]:
        model = self._parts.model
        return {"backend": model.backend, "model": model.model, "host": model.host, "keySource": model.key_source}


def turn_view(row: TurnRow) -> dict[str, Any]:
    """A turn as `GET /v1/turns` lists it."""
    return {
        "turnId": row.turn_id,
        "kind": row.kind,
        "text": row.text,
        "status": row.status,
        "mode": row.mode,
        "reasoning": row.reasoning,
        "rule": row.detail.get("rule"),
        "model": row.model,
        "host": row.host,
        "keySource": row.key_source,
        "git": {"head": row.git.head, "branch": row.git.branch},
        "changes": row.detail.get("changes", []),
        "error": row.detail.get("error"),
        "usage": {**usage_to_wire(row.usage), "costUsd": row.cost_usd, "model": row.model},
        "startedAt": row.started_at,
        "endedAt": row.ended_at,
    }
