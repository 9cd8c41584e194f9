"""One turn while it runs: feeds the machine of `core.turn` with what happens and carries out what it says.

All that a turn starts belongs to its own TaskGroup and is over when `run` returns.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from spark.core import commands as do
from spark.core import events as ev
from spark.core.conversation import (
    CallReceived,
    ResponseEnded,
    ResponseRequest,
    TextReceived,
    TokenUsage,
)
from spark.core.errors import SparkError, ToolRejected, Unavailable
from spark.core.limits import APPROVAL_WAIT_S
from spark.core.ports import Reads
from spark.core.records import TurnRow
from spark.core.turn import Turn, usage_to_wire
from spark.protocol.wire import change_to_wire
from spark.relay.bus import TurnEvents
from spark.relay.calls import Calls
from spark.relay.conversation import Conversation
from spark.relay.counted import spent_in
from spark.relay.parts import Parts

log = logging.getLogger("spark.turn")


@dataclass(slots=True)
class Asking:
    """How a model turn asks: what stays the same for all its responses."""

    conversation: Conversation
    request: Callable[[], ResponseRequest]


@dataclass(frozen=True, slots=True)
class Approval:
    """A change that waits for a decision. `changes` as `approvalRequested` lists them."""

    turn: RunningTurn
    approval_id: str
    call_id: str
    changes: Sequence[Mapping[str, Any]]


class RunningTurn:
    def __init__(
        self,
        parts: Parts,
        row: TurnRow,
        machine: Turn,
        events: TurnEvents,
        reads: Reads,
        *,
        asking: Asking | None = None,
        on_approval: Callable[[Approval], None] = lambda _: None,
        on_end: Callable[[RunningTurn, do.EndTurn], None] = lambda *_: None,
    ) -> None:
        self.row = row
        self.turn_id = row.turn_id
        self.cost_usd: float | None = 0.0
        self.usage = TokenUsage()
        self.status = "running"
        self.error: Mapping[str, Any] | None = None
        self._parts = parts
        self._machine = machine
        self._events = events
        self._asking = asking
        self._on_approval = on_approval
        self._on_end = on_end
        self._inbox: asyncio.Queue[ev.Event] = asyncio.Queue()
        self._inbox.put_nowait(ev.TurnOpened())
        self.calls = Calls(parts, row, reads, self.feed, self.count)
        events.open(row.turn_id)
        self._tool_tasks: dict[str, asyncio.Task[None]] = {}
        self._model_task: asyncio.Task[None] | None = None
        self._started = False

    # -- what others ask of it

    def feed(self, event: ev.Event) -> None:
        self._inbox.put_nowait(event)

    def cancel(self) -> None:
        """Cancels at once where the turn still waits for its place, else as soon as nothing is landing."""
        if self._started:
            self.feed(ev.CancelRequested())
        else:
            for command in self._machine.handle(ev.CancelRequested()):
                self._carry_out(command, None)

    async def run(self) -> None:
        if self._machine.ended:
            return
        self._started = True
        async with asyncio.TaskGroup() as tasks:
            while not self._machine.ended:
                event = await self._inbox.get()
                for command in self._machine.handle(event):
                    self._carry_out(command, tasks)
            for task in self._tool_tasks.values():
                task.cancel()
            if self._model_task is not None:
                self._model_task.cancel()

    def use_up_budget(self, error: Mapping[str, Any]) -> None:
        """Before the start or between responses: no further response is asked for."""
        self._machine.handle(ev.BudgetReached(error))

    # -- commands

    def _carry_out(self, command: do.Command, tasks: asyncio.TaskGroup | None) -> None:
        match command:
            case do.Publish(type=event_type, body=body):
                self._publish(event_type, body)
            case do.TellModel(call_id=call_id, output=output):
                if self._asking is not None:
                    self._asking.conversation.output(call_id, output)
            case do.EndTurn():
                self._end(command)
            case do.RefuseCall(call_id=call_id, code=code, message=message):
                self.calls.refuse(call_id, ToolRejected(code, message))
            case do.DropChanges(call_id=call_id, code=code, message=message):
                self.calls.drop(call_id, ToolRejected(code, message, hint="Nothing was written."))
            case do.CancelModel():
                if self._model_task is not None:
                    self._model_task.cancel()
            case do.StopTool(call_id=call_id):
                if (task := self._tool_tasks.get(call_id)) is not None:
                    task.cancel()
            case _ if tasks is not None:
                self._start(command, tasks)

    def _start(self, command: do.Command, tasks: asyncio.TaskGroup) -> None:
        match command:
            case do.AskModel(note=note):
                self._model_task = tasks.create_task(self._ask_model(note, self._model_task))
            case do.RunTool(call=call, dry_run=dry_run):
                self._tool_tasks[call.call_id] = tasks.create_task(self.calls.run(call, dry_run))
            case do.LandChanges(call_id=call_id, paths=paths):
                tasks.create_task(self.calls.land(call_id, paths))
            case do.AskApproval():
                self._ask_approval(command, tasks)

    # -- the model

    async def _ask_model(self, note: str, previous: asyncio.Task[None] | None) -> None:
        assert self._asking is not None
        if previous is not None:
            await asyncio.wait([previous])
        conversation = self._asking.conversation
        if note:
            conversation.note(note)
        said: list[str] = []
        arrived = False
        try:
            async with aclosing(self._parts.model.respond(self._asking.request())) as stream:
                async for event in stream:
                    arrived = True
                    match event:
                        case TextReceived(text=text):
                            said.append(text)
                            self.feed(ev.TextArrived(text))
                        case CallReceived(call=call):
                            self._flush(said)
                            conversation.call(call)
                            self.calls.arrive(call)
                        case ResponseEnded():
                            self._flush(said)
                            self.count(event.usage)
                            self.feed(
                                ev.ResponseFinished(event.status, event.usage, event.error_code, event.error_message)
                            )
        except Unavailable as error:
            self._flush(said)
            self.count(spent_in(error))
            # What says nothing about the peer's health (an answer without end, a refused key) is not asked for again.
            self.feed(ev.ModelBroke(error.to_wire(), interrupted=arrived and error.counts))
        except asyncio.CancelledError:
            self._flush(said)
            raise
        except Exception as error:
            # A bug in a backend ends the turn, not the daemon.
            log.exception("the model backend failed")
            self._flush(said)
            broke = SparkError("internal", f"SPARK failed while it talked to the model ({type(error).__name__})")
            self.feed(ev.ModelBroke(broke.to_wire(), interrupted=False))

    def _flush(self, said: list[str]) -> None:
        if self._asking is not None:
            self._asking.conversation.answer("".join(said))
        said.clear()

    def count(self, usage: TokenUsage, model: str = "") -> None:
        """Adds what a response used, whatever became of it; at the day's limit the turn stops after its calls.

        `model`: who answered, where it was not the turn's own (generated code).
        """
        if usage == TokenUsage():
            return
        self.usage += usage
        cost = self._parts.cost_usd(model or self.row.model, usage)
        self.cost_usd = None if cost is None or self.cost_usd is None else self.cost_usd + cost
        self._parts.journal.count_usage(self.turn_id, self.usage, self.cost_usd, model or self.row.model)
        refusal = self._parts.budget_refusal()
        if refusal is not None:
            self.feed(ev.BudgetReached(refusal.to_wire()))

    # -- approvals and the end

    def _ask_approval(self, command: do.AskApproval, tasks: asyncio.TaskGroup) -> None:
        body = self.calls.hold(command.call_id, command.approval_id, command.reason)
        self._on_approval(Approval(self, command.approval_id, command.call_id, body["changes"]))
        self._publish("approvalRequested", body)
        tasks.create_task(self._expire(command.approval_id, command.call_id))

    async def _expire(self, approval_id: str, call_id: str) -> None:
        deadline = self._parts.clock.monotonic() + APPROVAL_WAIT_S
        while self._machine.call_state(call_id) == "held" and not self._machine.ended:
            if self._parts.clock.monotonic() >= deadline:
                self.feed(ev.ApprovalExpired(approval_id))
                return
            await asyncio.sleep(0.5)

    def _publish(self, event_type: str, body: Mapping[str, Any]) -> None:
        if event_type == "usage" and self.cost_usd is not None:
            body = {**body, "costUsd": round(self.cost_usd, 6)}
        self._events.publish(self.turn_id, event_type, body)

    def _end(self, command: do.EndTurn) -> None:
        self.status, self.error = command.status, command.error
        self.calls.close()
        detail = {**self.row.detail, **({"error": dict(command.error)} if command.error else {})}
        detail["changes"] = [change_to_wire(change) for change in self.calls.changes]
        self._parts.journal.close_turn(self.turn_id, command.status, self.usage, self.cost_usd, detail)
        usage = {**usage_to_wire(self.usage), "model": self.row.model}
        if self.cost_usd is not None:
            usage["costUsd"] = round(self.cost_usd, 6)
        body: dict[str, Any] = {"status": command.status, "changes": detail["changes"], "usage": usage}
        if command.error:
            body["error"] = dict(command.error)
        self._on_end(self, command)
        self._publish("turnFinished", body)
