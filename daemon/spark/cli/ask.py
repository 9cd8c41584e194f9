"""`ask`: one turn. Text as it comes on stdout, everything about it on stderr; approvals on a terminal; Ctrl-C cancels."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from spark.cli import exits
from spark.cli.client import DaemonClient
from spark.cli.context import Context
from spark.cli.output import Output, one_line, printable
from spark.cli.places import attachment
from spark.cli.starting import connect
from spark.core.errors import FatalError, SparkError, ToolRejected, Unavailable

Event = Mapping[str, Any]
_MODES: Final = "ask, auto or readOnly"
_VERBS: Final = {"created": "Create", "modified": "Change", "deleted": "Delete", "moved": "Move here:"}


def ask(context: Context) -> int:
    args = context.args
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
    return run_turn(client, body, context.out).exit_status()


def is_terminal() -> bool:
    """Whether a person can be asked: questions go to stderr, answers come from stdin."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


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


def run_turn(client: DaemonClient, body: Mapping[str, Any], out: Output) -> TurnView:
    """Sends a prompt and shows its events to the end; a person at a terminal is asked for approvals.

    Ctrl-C cancels the turn and waits for its end, so that what landed is listed; a second one leaves at once.
    """
    view = TurnView(out)
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
        out.note(f"waiting for somebody to decide: POST /v1/approvals/{approval_id} (nobody can be asked here)")
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


def decide_on_terminal(event: Event, out: Output) -> tuple[str, list[str] | None]:
    """Shows the diff and asks for each file (an asset and its `.meta` are one): yes, no, or all of the rest."""
    changes = [change for change in event.get("changes", ()) if isinstance(change, Mapping)]
    out.note("\n" + printable(str(event.get("diff") or "(no text to show)")).rstrip("\n"))
    if event.get("reason") == "headMoved":
        out.note("! git's HEAD moved since the prompt: another branch or commit is checked out now")
    if event.get("reason") == "manyFiles":
        out.note("! this turn deletes or replaces more than ten existing files")
    units = _units([str(change.get("path")) for change in changes])
    actions = {str(change.get("path")): str(change.get("action")) for change in changes}
    accepted: list[str] = []
    take_rest = False
    for asset, paths in units.items():
        if not take_rest:
            with_meta = " and its .meta" if len(paths) > 1 else ""
            answer = _question(
                f"{_VERBS.get(actions.get(asset, ''), 'Change')} {printable(asset)}{with_meta}? [y]es, [n]o, [a]ll: "
            )
            take_rest = answer == "a"
            if answer == "n":
                continue
        accepted += paths
    if len(accepted) == len(changes):
        return "accept", None
    return ("accept", accepted) if accepted else ("reject", None)


def _units(paths: Sequence[str]) -> dict[str, list[str]]:
    units: dict[str, list[str]] = {}
    for path in paths:
        asset = path.removesuffix(".meta")
        units.setdefault(asset if asset in paths else path, []).append(path)
    return units


def _question(text: str) -> str:
    while True:
        print(text, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return "n"  # the terminal is gone: nothing is written without a yes
        answer = line.strip().lower()[:1]
        if answer in ("y", "n", "a"):
            return answer


class TurnView:
    """Shows a turn's events: JSON lines with `--json`, else text on stdout and progress on stderr."""

    def __init__(self, out: Output) -> None:
        self.finished: Event | None = None
        self.turn_id = ""
        self.interrupted = False
        self._out = out
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
                self._note(f"- {event.get('name')} ...")
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
            self._note(f"undo: spark undo {self.turn_id}")
        error = self.finished.get("error")
        if isinstance(error, Mapping):
            hint = f"\n  {error['hint']}" if error.get("hint") else ""
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
