"""`ask`: one turn. Text as it comes on stdout, everything about it on stderr; approvals on a terminal; Ctrl-C cancels."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from spark.cli import exits
from spark.cli.approvals import decide_on_terminal, is_terminal
from spark.cli.client import DaemonClient
from spark.cli.context import Context
from spark.cli.output import Output, one_line, printable
from spark.cli.places import attachment
from spark.cli.starting import connect
from spark.core.errors import FatalError, SparkError, ToolRejected, Unavailable

Event = Mapping[str, Any]
_MODES: Final = "ask, auto or readOnly"


def ask(context: Context) -> int:
    args = context.args
    if not args.prompt.strip():
        raise FatalError(
            exits.USAGE, "the prompt is empty", hint='Such as: spark ask "Create a pickup script called Coin"'
        )
    root = context.root()
    mode = args.mode or _mode_of_terminal()
    body: dict[str, Any] = {"text": args.prompt, "mode": mode}
    if args.reasoning:
        body["reasoning"] = args.reasoning
    if args.new:
        body["conversation"] = "new"
    if args.attachments:
        body["attachments"] = [attachment(root, context.cwd, raw) for raw in args.attachments]
    client = connect(context, root)
    _say_who_is_before(context, client)
    return run_turn(client, body, context.out, context.project_flag(root)).exit_status()


def _say_who_is_before(context: Context, client: DaemonClient) -> None:
    """A prompt waits for the turns before it: whoever looks at an empty line shall know why."""
    session = client.get("/v1/status").get("session") or {}
    for turn in session.get("runningTurns") or ():
        if turn.get("kind") == "model":
            context.out.note(f'waiting for turn {turn.get("turnId")} ("{one_line(turn.get("text"), 60)}")')


def _mode_of_terminal() -> str:
    if is_terminal():
        return "ask"
    raise ToolRejected(
        "approval_required",
        "without a terminal nobody can approve changes",
        hint=f"Say how with --mode ({_MODES}): auto writes without asking, readOnly changes nothing.",
        details={"fields": {"mode": _MODES}},
    )


Decide = Callable[[Event, Output], "tuple[str, list[str] | None]"]


def run_turn(client: DaemonClient, body: Mapping[str, Any], out: Output, project_flag: str = "") -> TurnView:
    """Sends a prompt and shows its events to the end; a person at a terminal is asked for approvals.

    `project_flag` is what the shown `spark undo` needs to mean this project.

    Ctrl-C cancels the turn and waits for its end, so that what landed is listed; a second one leaves at once.
    """
    view = TurnView(out, project_flag)
    decide = decide_on_terminal if is_terminal() else None
    with _interrupts(client) as interrupts:
        for event in client.stream_turn(body, interrupts.turn):
            view.show(event)
            if event.get("type") == "approvalRequested":
                _approve(client, event, out, decide, interrupts)
    view.interrupted = interrupts.seen
    if view.finished is None:
        raise Unavailable(
            "timeout",
            "the daemon went away before the turn ended",
            hint="What had landed stays: `spark history` lists it. `spark logs` may say why.",
        )
    view.show_end()
    return view


class _Interrupts:
    """Ctrl-C during a turn. The first one asks the daemon to cancel, from a thread of its own: the stream is read on, so
    that what landed can be listed."""

    def __init__(self, client: DaemonClient) -> None:
        self.seen = False
        self.asking = False
        self._client = client
        self._turn_id = ""
        self._asked = False

    def turn(self, turn_id: str) -> None:
        self._turn_id = turn_id
        self._ask_once()

    def interrupt(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        if self.seen:
            raise KeyboardInterrupt
        self.seen = True
        self._ask_once()
        if self.asking:
            raise KeyboardInterrupt

    def _ask_once(self) -> None:
        if self.seen and self._turn_id and not self._asked:
            self._asked = True
            threading.Thread(target=self._cancel, daemon=True).start()

    def _cancel(self) -> None:
        try:
            self._client.post(f"/v1/turns/{self._turn_id}/cancel", {}, timeout_s=10.0)
        except (SparkError, FatalError):
            return  # the turn ended by itself, or the daemon is gone: the stream says which


@contextmanager
def _interrupts(client: DaemonClient) -> Iterator[_Interrupts]:
    interrupts = _Interrupts(client)
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = signal.signal(signal.SIGINT, interrupts.interrupt)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


def _approve(client: DaemonClient, event: Event, out: Output, decide: Decide | None, interrupts: _Interrupts) -> None:
    approval_id = str(event.get("approvalId"))
    if decide is None:
        out.note(
            "this change waits for a decision, and nobody can be asked here: run it on a terminal, or with --mode auto"
        )
        return
    interrupts.asking = True
    try:
        decision, paths = decide(event, out)
    except KeyboardInterrupt:
        out.note("")
        return  # the cancellation is on its way; the daemon drops the held changes
    finally:
        interrupts.asking = False
    body: dict[str, Any] = {"decision": decision}
    if paths is not None:
        body["paths"] = paths
    try:
        client.post(f"/v1/approvals/{approval_id}", body)
    except SparkError as error:
        # Another client may have decided meanwhile; the turn goes on either way.
        out.note(exits.to_text(error))


class TurnView:
    """Shows a turn's events: JSON lines with `--json`, else text on stdout and progress on stderr."""

    def __init__(self, out: Output, project_flag: str = "") -> None:
        self.finished: Event | None = None
        self.turn_id = ""
        self.interrupted = False
        self._out = out
        self._project_flag = project_flag
        self._in_text = False

    @property
    def changes(self) -> list[Event]:
        """What landed."""
        listed = (self.finished or {}).get("changes") or ()
        return [change for change in listed if isinstance(change, Mapping)]

    def show(self, event: Event) -> None:
        self.turn_id = self.turn_id or str(event.get("turnId") or "")
        if event.get("type") == "turnFinished":
            self.finished = event
        if self._out.as_json:
            self._out.record(event)
            return
        match event.get("type"):
            case "turnStarted":
                self._note(_started(event))
            case "textDelta":
                text = printable(str(event.get("text", "")))
                self._in_text = not text.endswith("\n") if text else self._in_text
                self._out.text(text, end="")
            case "callStarted":
                self._note(f"- {_call_name(event)} ...")
            case "callFinished":
                self._note(_call_finished(event))
            case "compileFinished":
                self._note("- compiled")

    def _note(self, text: str) -> None:
        if self._in_text:
            self._out.text()
            self._in_text = False
        self._out.note(text)

    def show_end(self) -> None:
        """What landed, its undo line, the error where there was one, and the cost line."""
        if self.finished is None or self._out.as_json:
            return
        for change in self.changes:
            self._note(f"{change.get('action', 'changed'):>9} {printable(str(change.get('path')))}")
        if self.changes:
            self._note(f"undo: spark undo {self.turn_id}{self._project_flag}")
        error = self.finished.get("error")
        if isinstance(error, Mapping):
            hint = f"\n  {exits.for_shell(str(error['hint']))}" if error.get("hint") else ""
            self._note(f"spark: {printable(str(error.get('message')))} ({error.get('code')}){hint}")
        if self.finished.get("status") == "cancelled":
            self._note("cancelled")
        self._note(cost_line(self.finished.get("usage") or {}))

    def exit_status(self) -> int:
        """What the turn's end means for a script."""
        if self.interrupted:
            return exits.INTERRUPTED
        if self.finished is None:
            return exits.OUR_BUG
        if self.finished.get("status") == "done":
            return exits.DONE
        error = self.finished.get("error")
        return exits.status_of_code(str(error.get("code"))) if isinstance(error, Mapping) else exits.REFUSED


def _started(event: Event) -> str:
    rule = f" ({one_line(str(event['rule']), 80)})" if event.get("rule") else ""
    line = (
        f"model {event.get('model') or '-'} at {event.get('host') or '-'}, key: {event.get('keySource') or '-'}, "
        f"reasoning: {event.get('reasoning') or '-'}{rule}"
    )
    if event.get("summarised"):
        line += f"\nthe conversation is long: its {event['summarised']} oldest prompts are told as a summary only"
    return line


def _call_name(event: Event) -> str:
    target = f" {one_line(str(event['target']), 120)}" if event.get("target") else ""
    return f"{event.get('name')}{target}"


def _call_finished(event: Event) -> str:
    name, changed = event.get("name"), int(event.get("changed") or 0)
    if not event.get("success", True):
        error = event.get("error")
        why = f": {one_line(str(error.get('message')), 160)}" if isinstance(error, Mapping) else ""
        return f"- {name} refused{why}"
    return f"- {name} done" + (f", {changed} file{'s' if changed > 1 else ''} written" if changed else "")


def cost_line(usage: Mapping[str, Any]) -> str:
    """Tokens, cost where the price is known, and the model, on one line."""
    tokens = f"{usage.get('inputTokens', 0)} tokens in ({usage.get('cachedTokens', 0)} cached), {usage.get('outputTokens', 0)} out"
    cost = usage.get("costUsd")
    shown = "cost unknown" if cost is None else f"${float(cost):.4f}"
    return f"{tokens}, {shown}, {usage.get('model') or '-'}"
