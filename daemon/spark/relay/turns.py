"""All turns of a checkout: opens them, runs model turns one after the other, lets them be cancelled, closed and decided."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from spark.core import commands as do
from spark.core import events as ev
from spark.core.api import Mode, TurnRequest
from spark.core.conversation import ResponseRequest, TokenUsage
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.ids import new_id
from spark.core.limits import PROMPT_CHARS
from spark.core.ports import Reads
from spark.core.reasoning import choose
from spark.core.records import TurnRow
from spark.core.turn import Kind, Turn
from spark.relay.attachments import attached_text
from spark.relay.bus import TurnEvents
from spark.relay.conversation import Conversation
from spark.relay.instructions import instructions
from spark.relay.parts import Parts
from spark.relay.running import Approval, Asking, RunningTurn
from spark.relay.session import Session


class Turns:
    def __init__(self, parts: Parts, session: Session, tasks: asyncio.TaskGroup) -> None:
        self.events = TurnEvents()
        self.running: dict[str, RunningTurn] = {}
        self.opened = 0
        self._parts = parts
        self._session = session
        self._tasks = tasks
        self._approvals: dict[str, Approval] = {}
        self._model_gate = asyncio.Lock()
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    def recover(self) -> None:
        """Brings to an end what a crash left open."""
        for row in self._parts.journal.interrupted_turns():
            error = {"code": "cancelled", "message": "the daemon ended during this turn", "hint": "", "details": {}}
            self._parts.journal.close_turn(row.turn_id, "failed", row.usage, row.cost_usd, {"error": error})
        self._session.conversation.close_open_calls("the daemon ended before this call was answered")
        self._session.set(["turn"], None)

    async def stop(self, limit_s: float) -> None:
        """Cancels what runs and waits for what is landing, at most `limit_s`."""
        self._stopping = True
        for running in list(self.running.values()):
            running.cancel()
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            return

    def late_usage(self, conversation_id: str, usage: TokenUsage) -> None:
        """Tokens of a response whose end nobody took (a cancelled prompt): they are paid for all the same."""
        for running in self.running.values():
            if running.row.kind == "model" and running.row.conversation_id == conversation_id:
                running.count(usage)
                return
        for row in self._parts.journal.turns(limit=20):
            if row.kind == "model" and row.conversation_id == conversation_id:
                more = self._parts.cost_usd(row.model, usage)
                cost = None if more is None or row.cost_usd is None else row.cost_usd + more
                self._parts.journal.count_usage(row.turn_id, row.usage + usage, cost, row.model)
                return

    def external(self, turn_id: str) -> RunningTurn:
        """An open external turn. Raises `not_found`."""
        found = self.running.get(turn_id)
        if found is None or found.row.kind != "external":
            raise ToolRejected(
                "not_found",
                f"turnId: {turn_id!r} is no open external turn",
                hint='Open one with POST /v1/turns {"text": …, "external": true}, or leave turnId out.',
                details={"fields": {"turnId": "the id of an open external turn"}},
            )
        return found

    async def start(self, request: TurnRequest) -> str:
        """Checks a prompt and starts its turn; the id of it."""
        if len(request.text) > PROMPT_CHARS:
            raise ToolRejected(
                "too_large", f"text: at most {PROMPT_CHARS} characters", details={"fields": {"text": ""}}
            )
        if not request.text.strip():
            raise invalid_arguments({"text": "what shall be done, 1 or more characters"})
        if request.external:
            if request.attachments:
                raise invalid_arguments({"attachments": "nothing: an external turn asks no model"})
            running = self.open("external", request.text, request.mode or "auto", self._session.reads())
            self.spawn(running)
            return running.turn_id
        if request.new_conversation:
            self._session.begin_conversation()
        reads = self._session.reads()
        attached = ""
        if request.attachments:
            attached = await asyncio.to_thread(attached_text, self._parts, request.attachments, reads)
        return self._start_model_turn(request, reads, request.text + attached)

    def _start_model_turn(self, request: TurnRequest, reads: Reads, text: str) -> str:
        wanted = request.reasoning or self._session.state.get("settings", "reasoning") or self._parts.reasoning
        choice = choose(request.text, wanted)
        mode: Mode = request.mode or "auto"
        conversation = self._session.conversation

        def ask() -> ResponseRequest:
            window = conversation.window(self._parts.context_chars)
            return ResponseRequest(
                conversation_id=conversation.conversation_id,
                instructions=instructions(self._parts.engine.brief(), mode),
                items=window.items,
                tools=tuple(tool.schema() for tool in self._parts.registry.listed(read_only=mode == "readOnly")),
                reasoning=choice.reasoning,
            )

        window = conversation.window(self._parts.context_chars)
        about = {"rule": choice.rule, **({"summarised": window.summarised} if window.summarised else {})}
        running = self.open(
            "model",
            request.text,
            mode,
            reads,
            asking=Asking(conversation, ask),
            reasoning=choice.reasoning,
            about=about,
        )
        self._tasks.create_task(self._run_model_turn(running, conversation, text))
        return running.turn_id

    async def _run_model_turn(self, running: RunningTurn, conversation: Conversation, text: str) -> None:
        async with self._model_gate:
            if running.status == "running":
                conversation.say(text)
                refusal = self._parts.budget_refusal()
                if refusal is not None:
                    running.use_up_budget(refusal.to_wire())
                self._session.set(
                    ["turn"], {"turnId": running.turn_id, "text": running.row.text[:2000], "status": "running"}
                )
                await running.run()
                self._session.set(
                    ["turn"], {"turnId": running.turn_id, "text": running.row.text[:2000], "status": running.status}
                )

    def spawn(self, running: RunningTurn) -> None:
        self._tasks.create_task(running.run())

    def open(
        self,
        kind: Kind,
        text: str,
        mode: Mode,
        reads: Reads,
        *,
        asking: Asking | None = None,
        reasoning: str = "",
        about: Mapping[str, Any] | None = None,
    ) -> RunningTurn:
        if self._stopping:
            raise ToolRejected("cancelled", "the daemon is stopping")
        self.opened += 1
        model = self._parts.model
        named = kind == "model"
        head = self._parts.landing.git_place()
        row = TurnRow(
            turn_id=new_id("turn"),
            kind=kind,
            text=text,
            status="running",
            conversation_id=self._session.conversation.conversation_id if kind != "direct" else None,
            mode=mode,
            reasoning=reasoning,
            model=model.model if named else "",
            host=model.host if named else "",
            key_source=model.key_source if named else "",
            git=head,
            usage=TokenUsage(),
            cost_usd=None,
            detail=dict(about or {}),
            started_at=self._parts.clock.now(),
            ended_at=None,
        )
        self._parts.journal.open_turn(row)
        started = {
            "text": text,
            "kind": kind,
            "mode": mode,
            "model": row.model,
            "host": row.host,
            "keySource": row.key_source,
            "reasoning": reasoning,
            **(about or {}),
        }
        machine = Turn(kind, mode, head, new_approval_id=lambda: new_id("approval"), started=started)
        running = RunningTurn(
            self._parts,
            row,
            machine,
            self.events,
            reads,
            asking=asking,
            on_approval=self._hold,
            on_end=self._turn_ended,
        )
        self.running[row.turn_id] = running
        self._idle.clear()
        return running

    def _turn_ended(self, running: RunningTurn, command: do.EndTurn) -> None:
        del self.running[running.turn_id]
        if not self.running:
            self._idle.set()
        self._approvals = {key: held for key, held in self._approvals.items() if held.turn is not running}
        changed = ", ".join(f"{change.path} ({change.action})" for change in running.calls.changes[:20])
        conversation = self._session.conversation
        if running.row.kind == "model":
            outcome = f"changed: {changed}" if changed else "no files changed"
            conversation.note(f"Last turn: {running.turn_id} ({command.status}; {outcome})")
        elif changed and len(conversation):
            # What others changed meanwhile: the model must not go on from what it remembers.
            conversation.note(f"Outside this conversation, {running.row.text[:80]!r} changed: {changed}")

    def cancel(self, turn_id: str) -> bool:
        """Whether there was something to cancel."""
        running = self.running.get(turn_id)
        if running is not None:
            running.cancel()
        return running is not None

    async def end(self, turn_id: str) -> None:
        """Closes an external turn and waits for its end; one that is over already stays as it is."""
        running = self.running.get(turn_id)
        if running is None:
            return
        if running.row.kind != "external":
            raise invalid_arguments({"turnId": "an external turn; a model's turn ends by itself or by cancel"})
        running.feed(ev.EndRequested())
        async for message in self.events.of_turn(turn_id):
            if message["type"] == "turnFinished":
                break

    def _hold(self, approval: Approval) -> None:
        self._approvals[approval.approval_id] = approval

    def approvals(self, turn_id: str | None = None) -> list[dict[str, Any]]:
        """What waits for a decision, of one turn or of all."""
        return [
            {
                "approvalId": held.approval_id,
                "turnId": held.turn.turn_id,
                "callId": held.call_id,
                "paths": [change["path"] for change in held.changes],
            }
            for held in self._approvals.values()
            if turn_id in (None, held.turn.turn_id)
        ]

    def cancel_abandoned(self) -> None:
        """Nobody is connected: model turns that wait for a decision would hold up every later prompt for minutes."""
        for turn in {id(held.turn): held.turn for held in self._approvals.values()}.values():
            if turn.row.kind == "model":
                turn.cancel()

    async def decide(
        self, approval_id: str, decision: Literal["accept", "reject"], paths: Sequence[str] | None
    ) -> dict[str, Any]:
        """`{approvalId, decision, turnId, call?}`; `call` is what a call from outside came to. Raises `not_found`."""
        held = self._approvals.get(approval_id)
        if held is None:
            message = f"no change waits for approval {approval_id!r}"
            raise ToolRejected("not_found", message, hint="It may be decided already.")
        known = [str(change["path"]) for change in held.changes]
        foreign = [path for path in paths or () if path not in known]
        if foreign:
            raise invalid_arguments({"paths": f"some of {', '.join(known[:20])}; not {foreign[0]!r}"})
        del self._approvals[approval_id]
        waiting = held.turn.calls.waiting(held.call_id)
        chosen = tuple(paths) if paths is not None else None
        held.turn.feed(ev.ApprovalDecided(approval_id, decision == "accept", chosen))
        answer: dict[str, Any] = {"approvalId": approval_id, "decision": decision, "turnId": held.turn.turn_id}
        if waiting is not None:
            answer["call"] = (await asyncio.shield(waiting)).body
        return answer
