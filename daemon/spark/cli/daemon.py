"""`up`, `down`, `status`, `logs`: the daemon of a checkout."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from spark.cli import exits
from spark.cli.context import Context
from spark.cli.output import one_line, printable
from spark.cli.starting import Running, find_usable, process_ended, require_running, start_detached
from spark.core.errors import FatalError, SparkError

STOP_LIMIT_S: Final = 15.0
_POLL_S: Final = 0.05
_LOG_LINES: Final = 200


def up(context: Context) -> int:
    root = context.root()
    running = find_usable(root)
    if running is not None:
        return _already(context, root, running)
    if context.args.detach:
        running = start_detached(
            root, env=context.env, idle_stop_s=None, port=context.args.port, model=context.args.model
        )
        _say_up(context, root, running.url, running.pid)
        return exits.DONE
    settings = context.settings(root, model_backend=context.args.model)
    # Nothing that is imported becomes garbage; looking for it costs a fifth of the start. The daemon turns it on again.
    gc.disable()
    from spark.app import run_daemon

    return run_daemon(
        root,
        settings,
        port=context.args.port,
        on_ready=lambda url: _say_up(context, root, url, os.getpid()),
        idle_stop_s=context.args.idle_stop,
    )


def _already(context: Context, root: Path, running: Running) -> int:
    if not context.args.detach:
        raise FatalError(
            exits.CONFLICT,
            f"a daemon already runs for {root}: process {running.pid} at {running.url}",
            hint="`spark status` shows it, `spark down` stops it.",
        )
    _say_up(context, root, running.url, running.pid, already=True)
    return exits.DONE


def _say_up(context: Context, root: Path, url: str, pid: int, *, already: bool = False) -> None:
    if context.out.as_json:
        context.out.document({"url": url, "pid": pid, "project": str(root), "started": not already})
        return
    runs = "already runs" if already else "runs"
    context.out.text(f"SPARK {runs} for {root}\n  {url} (process {pid}); stop it with: spark down")


def down(context: Context) -> int:
    root = context.root()
    running = require_running(root)
    stop(running)
    if context.out.as_json:
        context.out.document({"stopped": True, "pid": running.pid})
    context.out.text(f"stopped the daemon of {root} (process {running.pid})")
    return exits.DONE


def stop(running: Running) -> None:
    """Asks a daemon to end and waits for it. Only the process that answers with this token is ever signalled.

    Raises `FatalError` (5) where it does not end in time; it is never killed, it may be writing.
    """
    status = running.client.get("/v1/status")
    pid = status.get("pid", running.pid) if isinstance(status, dict) else None
    if pid != running.pid:
        raise FatalError(
            exits.CONFLICT,
            f"the daemon's file names process {running.pid}, but process {pid} answers; nothing was stopped",
            hint="Try again in a moment: the daemon writes its file anew.",
        )
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_LIMIT_S
    while time.monotonic() < deadline:
        ended = running.process.poll() is not None if running.process else process_ended(running.pid)
        if ended:
            return
        time.sleep(_POLL_S)
    raise FatalError(
        exits.UNAVAILABLE,
        f"process {running.pid} has not ended after {STOP_LIMIT_S:.0f} s; it was not killed",
        hint="`spark logs` may say what it waits for.",
    )


def status(context: Context) -> int:
    root = context.root()
    if context.args.brief:
        return _brief(context, root)
    running = require_running(root)
    body = running.client.get("/v1/status")
    if context.out.as_json:
        context.out.document(body)
        return exits.DONE
    healthy = body.get("healthy", True)
    context.out.text(f"{root}\n  {running.url} (process {running.pid}), {'healthy' if healthy else 'NOT healthy'}")
    if running.renamed:
        context.out.text("  ! the project was renamed while it ran; stop it with: spark down")
    for reason in body.get("reasons", ()):
        context.out.text(f"  ! {reason}")
    for line in _lines(body):
        context.out.text("  " + line)
    return exits.DONE


def _lines(body: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Sections of the status for people: `name: key value, key value`; deeper levels as `name.key`."""
    for name, value in body.items():
        if name in ("healthy", "reasons", "pid", "url"):
            continue
        if isinstance(value, Mapping):
            flat = {key: item for key, item in value.items() if not isinstance(item, Mapping | list)}
            if flat:
                yield f"{prefix}{name}: " + ", ".join(f"{key} {_shown(item)}" for key, item in flat.items())
            yield from _lines({k: v for k, v in value.items() if k not in flat}, f"{prefix}{name}.")
        elif isinstance(value, list):
            for item in value:
                parts = item.items() if isinstance(item, Mapping) else [("", item)]
                yield f"{prefix}{name}: " + ", ".join(f"{key} {_shown(part)}".strip() for key, part in parts)
        else:
            yield f"{prefix}{name}: {_shown(value)}"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return one_line(str(value), 200)


def _brief(context: Context, root: Path) -> int:
    """Made from the project's files right now, as the daemon makes it for a new conversation."""
    from spark.app import project_brief

    brief = project_brief(root)
    if context.out.as_json:
        context.out.document({"brief": brief})
    context.out.text(printable(brief))
    return exits.DONE


def logs(context: Context) -> int:
    from spark.adapters.checkout import find_checkout
    from spark.log import follow_log, read_log

    root = context.root()
    checkout = find_checkout(root)
    if checkout is None or not (checkout.data_dir / "log").is_dir():
        raise SparkError("not_found", f"there is no log of {root} yet", hint="It begins with: spark up --detach")
    for record in read_log(checkout.data_dir, limit=_LOG_LINES):
        _log_line(context, record)
    if context.args.follow:
        for record in follow_log(checkout.data_dir):
            _log_line(context, record)
    return exits.DONE


def _log_line(context: Context, record: Mapping[str, Any]) -> None:
    from spark.log import format_record

    if context.out.as_json:
        context.out.record(record)
    else:
        context.out.text(format_record(dict(record)))
