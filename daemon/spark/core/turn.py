"""THE state machine of a turn. Events in, commands out; no I/O, no clock, no model, no files.

A turn is one prompt and everything done for it. Three kinds share the machine: `model` (SPARK asks a model), `external`
(an outside agent calls until it closes the turn) and `direct` (one plain call that is a turn of its own).

    phase       | means                                         | leaves it
    ------------|-----------------------------------------------|------------------------------------------------------
    new         | nothing happened                              | TurnOpened
    responding  | the model answers; its calls may run already  | ResponseFinished, ModelBroke, CancelRequested
    settling    | the answer is over, calls are without output  | the last CallDone
    serving     | external and direct: calls come from outside  | EndRequested; direct: its CallDone
    cancelling  | cancelled; a change set still lands           | the last CallDone
    ended       | over; every further event is ignored          | -

    call state  | means                                                   | leaves it
    ------------|---------------------------------------------------------|---------------------------------------
    queued      | waits: a writing call for all before it,                | the ones before it are answered
                | a reading call for the writing ones before it           |
    running     | the tool reads and prepares                             | CallPrepared, CallDone
    held        | its change set waits for a decision                     | ApprovalDecided, ApprovalExpired
    landing     | its change set is being written; cannot be stopped      | CallDone
    answered    | has its one and only output                             | -

What holds always: a call id is run once; every call gets one output; the model is asked again only when every call has its
output; nothing that is landing is abandoned; a turn ends once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spark.core import commands as do
from spark.core import events as ev
from spark.core.api import Mode
from spark.core.conversation import FunctionCall, TokenUsage
from spark.core.limits import OVERWRITES_BEFORE_ASKING, RESUMES_PER_TURN, SAME_CALL_REPEATS, TOOL_ROUNDS_PER_TURN
from spark.core.versions import GitPlace

Kind = Literal["model", "external", "direct"]
Phase = Literal["new", "responding", "settling", "serving", "cancelling", "ended"]
CallState = Literal["queued", "running", "held", "landing", "answered"]

_INTERRUPTED = (
    "The connection to you was interrupted. What you said and the calls that you made before it are above, with their real "
    "outputs. Go on from there; do not repeat a call that has an output."
)


@dataclass(slots=True)
class _Call:
    call: FunctionCall
    writes: bool
    dry_run: bool
    state: CallState = "queued"
    approval_id: str = ""
    prepared: ev.CallPrepared | None = None


class Turn:
    """One turn. Feed events to `handle` in the order they happen and carry out the commands in the order they come."""

    def __init__(
        self,
        kind: Kind,
        mode: Mode,
        head: GitPlace,
        *,
        new_approval_id: Callable[[], str],
        started: Mapping[str, Any] | None = None,
    ) -> None:
        """`head`: where the checkout stood when the turn began. `started`: the body of its `turnStarted`."""
        self.kind: Kind = kind
        self._new_approval_id = new_approval_id
        self.mode: Mode = mode
        self.phase: Phase = "new"
        self.usage = TokenUsage()
        self.rounds = 0
        self._started = dict(started or {})
        self._head = head
        self._calls: dict[str, _Call] = {}
        self._overwrites = 0
        self._asked_for_many = False
        self._repeats: Counter[tuple[str, str]] = Counter()
        self._calls_in_response = 0
        self._resumes = 0
        self._broke: ev.ModelBroke | None = None
        self._budget: Mapping[str, Any] | None = None
        self._end_after_calls: do.EndTurn | None = None

    @property
    def ended(self) -> bool:
        return self.phase == "ended"

    def call_state(self, call_id: str) -> CallState | None:
        call = self._calls.get(call_id)
        return call.state if call else None

    def handle(self, event: ev.Event) -> list[do.Command]:
        """The commands that follow from one event. Events after the end, and answers nobody waits for, give none."""
        if self.phase == "ended":
            return []
        out: list[do.Command] = []
        match event:
            case ev.TurnOpened():
                self._open(out)
            case ev.TextArrived(text=text):
                if self.phase == "responding" and text:
                    out.append(do.Publish("textDelta", {"text": text}))
            case ev.CallArrived():
                self._call_arrived(event, out)
            case ev.ResponseFinished():
                self._response_finished(event, out)
            case ev.ModelBroke():
                self._broke = event
                if self.phase == "responding":
                    self.phase = "settling"
                self._advance(out)
            case ev.CallPrepared():
                self._prepared(event, out)
            case ev.CallDone():
                self._done(event, out)
            case ev.ApprovalDecided():
                self._decided(event, out)
            case ev.ApprovalExpired(approval_id=approval_id):
                call = self._held(approval_id)
                if call is not None:
                    self._drop(call, "approval_required", "nobody decided about this change in time", out)
            case ev.CancelRequested():
                self._cancel(out)
            case ev.BudgetReached(error=error):
                self._budget = error
            case ev.EndRequested():
                if self.phase == "serving":
                    self._end_after_calls = do.EndTurn("done")
                    self._advance(out)
        return out

    # -- the model's side

    def _open(self, out: list[do.Command]) -> None:
        if self.phase != "new":
            return
        out.append(do.Publish("turnStarted", self._started))
        if self.kind == "model":
            self._ask(out)
        else:
            self.phase = "serving"

    def _ask(self, out: list[do.Command], note: str = "") -> None:
        if self._budget:
            self._end(do.EndTurn("failed", self._budget), out)
            return
        if self.rounds >= TOOL_ROUNDS_PER_TURN:
            message = f"the model made calls in {self.rounds} rounds without coming to an end"
            self._end(do.EndTurn("failed", _error("timeout", message, "Split the task into smaller prompts.")), out)
            return
        self.rounds += 1
        self._calls_in_response = 0
        self.phase = "responding"
        out.append(do.AskModel(note))

    def _response_finished(self, event: ev.ResponseFinished, out: list[do.Command]) -> None:
        self.usage += event.usage
        if event.usage != TokenUsage():
            out.append(do.Publish("usage", usage_to_wire(self.usage)))
        if self.phase != "responding":
            return
        self.phase = "settling"
        if event.status == "failed":
            code = event.code or "model_unavailable"
            self._end_after_calls = do.EndTurn("failed", _error(code, event.message or "the model's response failed"))
        elif event.status == "incomplete":
            message = f"the model's answer was cut off ({event.code or 'incomplete'}) {event.message}".strip()
            self._end_after_calls = do.EndTurn("failed", _error("model_unavailable", message, "Ask for less at once."))
        elif event.status == "cancelled":
            self._end_after_calls = do.EndTurn("cancelled")
        self._advance(out)

    # -- calls

    def _call_arrived(self, event: ev.CallArrived, out: list[do.Command]) -> None:
        call_id = event.call.call_id
        if call_id in self._calls:
            # The wire repeated a call. It has or gets its one output; the model must still be answered.
            self._calls_in_response += self.phase == "responding"
            return
        if self.phase not in ("responding", "serving"):
            return
        self._calls_in_response += 1
        call = self._calls[call_id] = _Call(event.call, event.writes, event.dry_run)
        target = {"target": event.target} if event.target else {}
        out.append(do.Publish("callStarted", {"callId": call_id, "name": event.call.name, **target}))
        if event.known_output is not None:
            call.state = "answered"
            body = {"callId": call_id, "name": event.call.name, "success": event.known_success, "changed": 0}
            out.append(do.Publish("callFinished", {**body, "repeated": True}))
            out.append(do.TellModel(call_id, event.known_output))
            self._advance(out)
            return
        key = (event.call.name, event.call.arguments)
        self._repeats[key] += 1
        if self.kind == "model" and self._repeats[key] > SAME_CALL_REPEATS:
            call.state = "running"
            message = f"the same call was made {self._repeats[key]} times in this turn; its answer stays the same"
            out.append(do.RefuseCall(call_id, "conflict", message))
            return
        if event.writes and self.mode == "readOnly" and not event.dry_run:
            call.state = "running"
            out.append(do.RefuseCall(call_id, "forbidden", "this turn is readOnly: it changes no files"))
            return
        self._start_ready(out)

    def _start_ready(self, out: list[do.Command]) -> None:
        waiting_write = waiting_any = False
        for call in self._calls.values():
            if call.state == "answered":
                continue
            if call.state == "queued" and not waiting_write and not (call.writes and waiting_any):
                call.state = "running"
                out.append(do.RunTool(call.call, call.dry_run))
            waiting_any = True
            waiting_write = waiting_write or call.writes

    def _prepared(self, event: ev.CallPrepared, out: list[do.Command]) -> None:
        call = self._calls.get(event.call_id)
        if call is None or call.state != "running":
            return
        call.prepared = event
        self._overwrites += event.overwrites
        if self.phase == "cancelling":
            self._drop(call, "cancelled", "the turn was cancelled before this change was written", out)
            return
        if self.mode == "readOnly":
            self._drop(call, "forbidden", "this turn is readOnly: it changes no files", out)
            return
        reason: Literal["mode", "manyFiles", "headMoved"] | None = None
        if event.head != self._head:
            reason = "headMoved"
        elif self._overwrites > OVERWRITES_BEFORE_ASKING and not self._asked_for_many:
            reason = "manyFiles"
        elif self.mode == "ask":
            reason = "mode"
        if reason is None:
            call.state = "landing"
            out.append(do.LandChanges(event.call_id, None))
            return
        call.state = "held"
        call.approval_id = self._new_approval_id()
        out.append(do.AskApproval(call.approval_id, event.call_id, reason))

    def _held(self, approval_id: str) -> _Call | None:
        return next((c for c in self._calls.values() if c.state == "held" and c.approval_id == approval_id), None)

    def _decided(self, event: ev.ApprovalDecided, out: list[do.Command]) -> None:
        call = self._held(event.approval_id)
        if call is None or call.prepared is None:
            return
        if not event.accepted or event.paths == ():
            self._drop(call, "approval_denied", "the user rejected this change", out)
            return
        # An accepted change after a moved HEAD, or past the ten-files rule, settles that question for the turn.
        self._head = call.prepared.head
        self._asked_for_many = self._asked_for_many or self._overwrites > OVERWRITES_BEFORE_ASKING
        call.state = "landing"
        out.append(do.LandChanges(call.call.call_id, event.paths))

    def _drop(self, call: _Call, code: str, message: str, out: list[do.Command]) -> None:
        call.state = "running"
        out.append(do.DropChanges(call.call.call_id, code, message))

    def _done(self, event: ev.CallDone, out: list[do.Command]) -> None:
        call = self._calls.get(event.call_id)
        if call is None or call.state in ("answered", "queued"):
            return
        call.state = "answered"
        body = {"callId": event.call_id, "name": call.call.name, "success": event.success, "changed": event.changed}
        if event.error is not None:
            body["error"] = dict(event.error)
        out.append(do.Publish("callFinished", body))
        out.append(do.TellModel(event.call_id, event.output))
        if self.kind == "direct" and self._end_after_calls is None:
            self._end_after_calls = do.EndTurn("done" if event.success else "failed")
        self._advance(out)

    # -- ends

    def _cancel(self, out: list[do.Command]) -> None:
        if self.phase == "cancelling":
            return
        if self.phase == "responding":
            out.append(do.CancelModel())
        self.phase = "cancelling"
        self._end_after_calls = do.EndTurn("cancelled")
        for call in self._calls.values():
            if call.state == "queued":
                call.state = "running"
                out.append(do.RefuseCall(call.call.call_id, "cancelled", "the turn was cancelled before this call ran"))
            elif call.state == "held":
                self._drop(call, "cancelled", "the turn was cancelled before this change was written", out)
            elif call.state == "running" and call.prepared is None:
                out.append(do.StopTool(call.call.call_id))
        self._advance(out)

    def _advance(self, out: list[do.Command]) -> None:
        """Goes on where every call so far has its output."""
        if self.phase in ("new", "ended"):
            return
        if any(call.state != "answered" for call in self._calls.values()):
            self._start_ready(out)
            return
        if self.phase == "responding":
            return
        if self._broke is not None and self.phase == "settling":
            self._resume_or_fail(self._broke, out)
        elif self._end_after_calls is not None:
            self._end(self._end_after_calls, out)
        elif self.phase == "settling":
            if self._calls_in_response:
                self._ask(out)
            else:
                self._end(do.EndTurn("done"), out)

    def _resume_or_fail(self, broke: ev.ModelBroke, out: list[do.Command]) -> None:
        self._broke = None
        if broke.interrupted and self._resumes < RESUMES_PER_TURN:
            self._resumes += 1
            self._ask(out, _INTERRUPTED)
        else:
            self._end(do.EndTurn("failed", broke.error), out)

    def _end(self, command: do.EndTurn, out: list[do.Command]) -> None:
        self.phase = "ended"
        out.append(command)


def usage_to_wire(usage: TokenUsage) -> dict[str, Any]:
    return {
        "inputTokens": usage.input_tokens,
        "cachedTokens": usage.cached_tokens,
        "outputTokens": usage.output_tokens,
    }


def _error(code: str, message: str, hint: str = "") -> dict[str, Any]:
    return {"code": code, "message": message, "hint": hint, "details": {}}
