"""Finds the daemon of a project, and starts one as a process of its own where none runs.

Two starters at once are safe: both processes try, the checkout's lock lets one through, and both starters end up with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from spark.cli import exits
from spark.cli.client import DaemonClient
from spark.cli.context import Context
from spark.core.errors import FatalError
from spark.core.limits import IDLE_SHUTDOWN_S

START_LIMIT_S: Final = 30.0
_POLL_S: Final = 0.02
_SHOWN_LOG_LINES: Final = 15
_START_LOG_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that answers. `process`: set where this command started it. `renamed`: its project was renamed while it
    ran; it can be asked and stopped, but it works on the old path."""

    client: DaemonClient
    url: str
    pid: int
    process: subprocess.Popen[bytes] | None = None
    renamed: bool = False


def find_running(root: Path) -> Running | None:
    """The healthy daemon of a project, or None."""
    from spark.adapters.checkout import find_checkout, read_discovery

    discovery = read_discovery(root)
    checkout = find_checkout(root)
    if discovery is None or checkout is None:
        return None
    client = DaemonClient(discovery.url, discovery.token)
    if not client.healthy():
        return None
    return Running(client, discovery.url, discovery.pid, renamed=discovery.checkout_id != checkout.checkout_id)


def find_usable(root: Path) -> Running | None:
    """The same for what is to change files. Raises `FatalError` (4) for a daemon that still works on another path."""
    running = find_running(root)
    if running is not None and running.renamed:
        raise FatalError(
            exits.CONFLICT,
            f"{root} was renamed while its daemon (process {running.pid}) ran; that one still looks at the old path",
            hint="Stop it with `spark down`, then try again: the history comes along.",
        )
    return running


def require_running(root: Path) -> Running:
    running = find_running(root)
    if running is None:
        raise FatalError(exits.NO_DAEMON, f"no daemon runs for {root}", hint="Start one with: spark up --detach")
    return running


def connect(context: Context, root: Path) -> DaemonClient:
    """A client of the project's daemon; starts one that ends ten minutes after its last client where none runs.

    With `--no-start` raises `FatalError` (3) instead.
    """
    if context.args.no_start:
        running = find_usable(root)
        return (running or require_running(root)).client
    running = find_usable(root)
    if running is None:
        running = start_detached(root, idle_stop_s=IDLE_SHUTDOWN_S, env=context.env)
        context.out.note(f"started a daemon for {root} (it ends ten minutes after its last client)")
    return running.client


def start_detached(
    root: Path,
    *,
    env: Mapping[str, str],
    idle_stop_s: float | None,
    port: int = 0,
    model: str | None = None,
) -> Running:
    """Starts a daemon that outlives this command and returns when it serves calls.

    Raises `FatalError` with the daemon's own exit status and the end of its log where it does not come up. Interrupted
    while it waits, it ends what it started.
    """
    log_path = start_log(root)
    with log_path.open("ab") as log:
        log_start = log.tell()
        process = subprocess.Popen(
            _command(root, idle_stop_s=idle_stop_s, port=port, model=model),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=log_path.parent,
            env=_environment(env),
            close_fds=True,
            **_detached(),
        )
    try:
        return _when_it_serves(root, process, log_path, log_start)
    except KeyboardInterrupt:
        # Ctrl-C does not reach it: it has a session of its own.
        _end(process)
        raise


def _when_it_serves(root: Path, process: subprocess.Popen[bytes], log_path: Path, log_start: int) -> Running:
    from spark.adapters.data_folders import is_locked

    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        ended = process.poll()
        running = find_running(root)
        if running is not None:
            if running.pid == process.pid:
                return replace(running, process=process)
            # Another starter was faster: ours finds the lock taken and ends by itself.
            process.wait(START_LIMIT_S)
            return running
        # Status 4 and a held lock: another starter was faster and does not serve yet. Status 4 alone: the port is taken.
        if ended is not None and not (ended == exits.CONFLICT and is_locked(log_path.parent.parent)):
            raise _did_not_start(ended, log_path, log_start)
        time.sleep(_POLL_S)
    _end(process)
    raise _did_not_start(None, log_path, log_start)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        process.wait()


def _did_not_start(status: int | None, log_path: Path, log_start: int) -> FatalError:
    what = f"did not serve calls within {START_LIMIT_S:.0f} s" if status is None else f"ended with status {status}"
    known = (exits.USAGE, exits.CONFLICT, exits.UNAVAILABLE)
    lines = _tail(log_path, log_start)
    said = "".join(f"\n  | {line}" for line in lines) or " (it said nothing)"
    return FatalError(
        status if status in known else exits.UNAVAILABLE if status is None else exits.OUR_BUG,
        f"the daemon {what}; it said:{said}",
        hint="`spark up` runs it in this terminal; `spark doctor` looks at the set-up.",
    )


def _tail(path: Path, start: int) -> list[str]:
    try:
        content = path.read_bytes()[start:]
    except OSError:
        return []
    return content.decode("utf-8", "replace").splitlines()[-_SHOWN_LOG_LINES:]


def _command(root: Path, *, idle_stop_s: float | None, port: int, model: str | None) -> Sequence[str]:
    # -P: the current folder is no place to import modules from.
    command = [sys.executable, "-P", "-m", "spark", "up", "--project", str(root), "--port", str(port)]
    if model is not None:
        command += ["--model", model]
    if idle_stop_s is not None:
        command += ["--idle-stop", str(idle_stop_s)]
    return command


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    # The process runs in another folder, so relative entries would be lost.
    paths = [str(Path(entry).absolute()) for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {**env, "PYTHONPATH": os.pathsep.join(paths)} if paths else dict(env)


def _detached() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def start_log(root: Path) -> Path:
    """Where a detached daemon's stdout and stderr go, beside its log; begun anew when it has grown large."""
    from spark.adapters.checkout import open_checkout

    checkout = open_checkout(root)
    for note in checkout.notes:
        sys.stderr.write(f"spark: {note}\n")
    folder = checkout.data_dir / "log"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "start.log"
    if path.exists() and path.stat().st_size > _START_LOG_BYTES:
        path.unlink()
    return path


def process_ended(pid: int) -> bool:
    """Whether a process is over. A zombie is: nobody may ever collect it where process 1 of a container does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return os.name == "nt"  # elsewhere: it lives, but is somebody else's
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] in (["Z"], ["X"])
