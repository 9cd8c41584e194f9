"""`up`, `down`, `status`, `logs` and the finding and starting of a daemon."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from spark.adapters.checkout import open_checkout
from spark.cli import exits, starting
from spark.cli.starting import process_ended
from tests.cli.conftest import Spark
from tests.fakes.http_daemon import TOKEN, WAIT_S, FakeDaemon


@contextmanager
def daemon_process(root: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The fake daemon as a process of its own."""
    command = [sys.executable, "-m", "tests.fakes.http_daemon", str(root)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_without_a_daemon(spark: Spark, project: Path) -> None:
    """`status` and `down` are status 3 where none runs, and leave nothing behind."""
    before = sorted(project.rglob("*"))
    for command in ("status", "down"):
        result = spark(command, "--json")
        assert result.status == exits.NO_DAEMON
        assert "spark up" in result.document["error"]["hint"]
    assert sorted(project.rglob("*")) == before


def test_status(spark: Spark, daemon: FakeDaemon) -> None:
    """`status --json` is the daemon's answer; for people its sections become lines."""
    daemon.answers["GET /v1/status"] = (
        200,
        {
            "healthy": False,
            "reasons": ["the disk is full"],
            "model": {"backend": "offline", "host": "this machine", "keySource": None},
            "circuits": [{"name": "model", "state": "open", "failures": 5}],
        },
    )
    assert spark("status", "--json").document == daemon.answer("GET", "/v1/status")[1]
    text = spark("status").text
    assert "NOT healthy" in text
    assert "! the disk is full" in text
    assert "model: backend offline, host this machine, keySource -" in text
    assert "circuits: name model, state open, failures 5" in text


def test_a_second_up_says_who_runs(spark: Spark, daemon: FakeDaemon) -> None:
    """A second `up` is status 4 and names process and address; with `--detach` it is 0 and answers the address."""
    result = spark("up")
    assert result.status == exits.CONFLICT
    assert f"process {os.getpid()}" in result.stderr
    assert "http://127.0.0.1:" in result.stderr
    detached = spark("up", "--detach", "--json")
    assert detached.status == exits.DONE
    assert detached.document["pid"] == os.getpid()
    assert detached.document["started"] is False


def test_the_daemon_is_found_without_its_file(spark: Spark, daemon: FakeDaemon) -> None:
    """People delete Library/: the daemon is found all the same."""
    shutil.rmtree(daemon.root / "Library")
    assert spark("status").status == exits.DONE


def test_the_token_is_sent_and_never_shown(spark: Spark, daemon: FakeDaemon) -> None:
    """Every request carries the token; no output of any kind does."""
    for command in (["status"], ["status", "--json"], ["up", "--detach", "--json"], ["doctor", "--json"], ["up"]):
        result = spark(*command)
        assert TOKEN not in result.text + result.stderr
    assert ("GET", "/v1/status", None) in daemon.requests


def test_down_stops_it_cleanly(spark: Spark, project: Path, process_env: dict[str, str]) -> None:
    """`down` ends the daemon's process by a signal and returns when it is over."""
    with daemon_process(project, process_env) as process:
        result = spark("down", "--json")
        assert result.status == exits.DONE
        assert result.document == {"stopped": True, "pid": process.pid}
        assert process.wait(WAIT_S) == 0
    assert spark("status").status == exits.NO_DAEMON


def test_down_signals_nobody_else(spark: Spark, project: Path, process_env: dict[str, str]) -> None:
    """Where the daemon's file names another process than the one that answers, nobody is signalled."""
    with daemon_process(project, process_env) as process, subprocess.Popen(["sleep", "60"]) as bystander:
        checkout = open_checkout(project)
        for name in ("daemon.json", "lock"):
            path = checkout.data_dir / name
            path.write_text(path.read_text("utf-8").replace(str(process.pid), str(bystander.pid)), "utf-8")
        assert spark("down").status == exits.CONFLICT
        assert (process.poll(), bystander.poll()) == (None, None)
        bystander.kill()


def test_a_daemon_that_cannot_start_says_why(
    spark: Spark, project: Path, monkeypatch: pytest.MonkeyPatch, process_env: dict[str, str]
) -> None:
    """A start that fails passes on the daemon's exit status and the end of what it said."""
    monkeypatch.setenv("PYTHONPATH", process_env["PYTHONPATH"])
    result = spark("up", "--detach", "--model", "telepathy")
    assert result.status == exits.USAGE
    assert "model_backend cannot be 'telepathy'" in result.stderr


def test_two_starters_end_with_one_daemon(
    project: Path, monkeypatch: pytest.MonkeyPatch, process_env: dict[str, str]
) -> None:
    """A starter whose own process found the lock taken takes the daemon of the faster one."""
    with daemon_process(project, process_env) as first:
        # The second starter's process: it ends with status 4, as one does that finds the lock taken.
        taken = [sys.executable, "-c", "raise SystemExit(4)"]
        monkeypatch.setattr(starting, "_command", lambda *_, **__: taken)
        running = starting.start_detached(project, env=process_env, idle_stop_s=None)
        assert running.pid == first.pid
        assert running.process is None


def test_a_zombie_is_over() -> None:
    """A process that ended and that nobody collected counts as ended; a living one does not."""
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    try:
        assert not process_ended(child)
        os.kill(child, signal.SIGKILL)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert process_ended(child)
    finally:
        os.waitpid(child, 0)
    assert process_ended(child)


def test_logs(spark: Spark, project: Path) -> None:
    """`logs` prints the log's last lines, as JSON one a line; without a log it is refused and nothing is made."""
    before = sorted(project.rglob("*"))
    assert spark("logs").status == exits.REFUSED
    assert sorted(project.rglob("*")) == before
    folder = open_checkout(project).data_dir / "log"
    folder.mkdir()
    records = [
        {"at": "2026-01-31T12:00:00.000Z", "level": "info", "message": f"line {number}"} for number in range(300)
    ]
    (folder / "daemon.log").write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    lines = spark("logs").text.splitlines()
    assert len(lines) == 200
    assert lines[0].endswith("info line 100")
    assert spark("logs", "--json").records == records[100:]


def test_logs_follow(project: Path, process_env: dict[str, str]) -> None:
    """`logs -f` prints what comes, and Ctrl-C ends it with status 130."""
    folder = open_checkout(project).data_dir / "log"
    folder.mkdir()
    log = folder / "daemon.log"
    log.write_text('{"message": "first"}\n', "utf-8")
    command = [sys.executable, "-P", "-m", "spark", "logs", "-f", "--json"]
    with subprocess.Popen(command, cwd=project, env=process_env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"message": "first"}
        lines = 0
        reader = select.poll()
        reader.register(process.stdout, select.POLLIN)
        while not reader.poll(100):
            # Written again until it is read: the command may not follow yet.
            lines += 1
            assert lines < 200
            with log.open("a", encoding="utf-8") as file:
                file.write('{"message": "next"}\n')
        assert json.loads(process.stdout.readline()) == {"message": "next"}
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_S) == exits.INTERRUPTED


def test_something_else_at_the_address(spark: Spark, daemon: FakeDaemon) -> None:
    """An answer that is no JSON of the contract is status 5, not a crash."""
    daemon.answers["GET /v1/status"] = (500, ["not", "ours"])
    assert spark("status").status == exits.UNAVAILABLE


def test_a_port_that_is_taken_is_told_at_once(
    spark: Spark, project: Path, monkeypatch: pytest.MonkeyPatch, process_env: dict[str, str]
) -> None:
    """A daemon that cannot have its port ends the waiting with its own message and status."""
    monkeypatch.setenv("PYTHONPATH", process_env["PYTHONPATH"])
    # Whoever waits on would never come back.
    monkeypatch.setattr(starting, "START_LIMIT_S", float("inf"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = spark("up", "--detach", "--port", str(port))
    assert result.status == exits.CONFLICT
    assert str(port) in result.stderr


def test_an_interrupted_start_leaves_nothing_running(
    project: Path, monkeypatch: pytest.MonkeyPatch, process_env: dict[str, str]
) -> None:
    """Ctrl-C while a start waits ends the process that it began."""
    begun: list[subprocess.Popen[bytes]] = []

    class Recording(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            begun.append(self)

    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Recording)
    monkeypatch.setattr(starting, "_command", lambda *_, **__: ["sleep", "60"])
    monkeypatch.setattr(starting, "find_running", interrupted)
    with pytest.raises(KeyboardInterrupt):
        starting.start_detached(project, env=process_env, idle_stop_s=None)
    assert begun[0].returncode == -signal.SIGTERM


def test_a_project_that_was_renamed_under_its_daemon(
    spark: Spark, project: Path, process_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the renamed folder its daemon is seen and stopped, but given nothing to do: it works on the old path."""
    with daemon_process(project, process_env) as process:
        renamed = project.with_name("renamed")
        project.rename(renamed)
        monkeypatch.chdir(renamed)
        assert "renamed while it ran" in spark("status").text
        for command in (["ask", "x", "--mode", "auto"], ["up", "--detach"], ["undo", "turn_1"]):
            result = spark(*command)
            assert result.status == exits.CONFLICT
            assert "spark down" in result.stderr
        assert spark("down").status == exits.DONE
        assert process.wait(WAIT_S) == 0
    assert spark("status").status == exits.NO_DAEMON
