"""Ctrl-C during `ask`, with a real process and a real signal."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.cli.conftest import REPOSITORY
from tests.fakes.http_daemon import STARTED, WAIT_S, FakeDaemon


def _ask(daemon: FakeDaemon, env: dict[str, str], *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "spark", "ask", "build it", "--mode", "auto", *more]
    return subprocess.Popen(
        command, cwd=daemon.root, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def test_ctrl_c_cancels_and_lists_what_landed(daemon: FakeDaemon, process_env: dict[str, str]) -> None:
    """Ctrl-C cancels the turn at the daemon, lists what had landed with its undo line, and ends with status 130."""
    daemon.events = [STARTED, {"type": "textDelta", "text": "working"}]
    daemon.holds = True
    process = _ask(daemon, process_env)
    assert daemon.holding.wait(WAIT_S)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert daemon.bodies("POST", "/v1/turns/turn_1/cancel") == [{}]
    assert stdout.decode() == "working\n"
    assert "created Assets/Landed.cs" in stderr.decode()
    assert "undo: spark undo turn_1" in stderr.decode()
    assert "Traceback" not in stderr.decode()


def test_ctrl_c_before_the_first_event(daemon: FakeDaemon, process_env: dict[str, str]) -> None:
    """A turn that still waits for its place is cancelled too: its id is known before its first event."""
    daemon.events = []
    daemon.holds = True
    process = _ask(daemon, process_env, "--json")
    assert daemon.holding.wait(WAIT_S)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert daemon.cancelled.is_set()


def test_the_process_speaks_from_this_repository(process_env: dict[str, str]) -> None:
    """`python -m spark` works with an empty current folder in front of nothing."""
    command = [sys.executable, "-P", "-m", "spark", "--version"]
    done = subprocess.run(command, cwd=REPOSITORY / "tests", env=process_env, capture_output=True, timeout=WAIT_S)
    assert done.stdout.startswith(b"spark ")
