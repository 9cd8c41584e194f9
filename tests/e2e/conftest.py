"""The whole program as its users run it: real processes, a home folder of its own, a project with a space in its name."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from spark.engines.unity.sample import create_sample_project

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60


def wait_until(condition: Any, what: str, limit_s: float = 20.0) -> Any:
    """Polls until the condition gives something true; fails with its name after the limit."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {limit_s} s")


@dataclass
class Spark:
    """One user on one machine with one project."""

    home: Path
    project: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "SYSTEMROOT", "TMPDIR")}
        return {
            **kept,
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "PYTHONPATH": str(ROOT / "daemon"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "PYTHONWARNINGS": "default",
            **self.extra,
        }

    def run(
        self, *arguments: str, check: int | None = 0, stdin: str | None = None, timeout: float = LIMIT_S
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "spark", *arguments, "--project", str(self.project)],
            env=self.env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            input=stdin,
            timeout=timeout,
            check=False,
            cwd=self.home,
        )
        if check is not None:
            assert done.returncode == check, f"{arguments} -> {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str, check: int | None = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", check=check).stdout)

    def up(self, *arguments: str) -> dict[str, Any]:
        """Starts a daemon in the background and gives its discovery file."""
        self.run("up", "--detach", *arguments)
        return self.address()

    def address(self) -> dict[str, Any]:
        return json.loads((self.project / "Library/Spark/daemon.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """One HTTP request with the token; status and decoded JSON."""
        address = self.address()
        request = urllib.request.Request(
            address["url"] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {address['token']}",
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def call(self, name: str, arguments: dict[str, Any], **kwargs: Any) -> tuple[int, Any]:
        return self.request("POST", f"/v1/tools/{name}", {"arguments": arguments, **kwargs})

    def kill(self) -> int:
        """kill -9; returns the process id when it is gone."""
        pid = int(self.address()["pid"])
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), "the daemon's death")
        return pid


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
        return stat.rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    return False


@pytest.fixture
def spark(tmp_path: Path) -> Iterator[Spark]:
    """A user with an empty home whose name has a space and an umlaut, and the sample project."""
    home = tmp_path / "Jörg Müller"
    home.mkdir()
    project = tmp_path / "Mein Spiel"
    create_sample_project(project)
    user = Spark(home, project)
    yield user
    with contextlib.suppress(OSError, ValueError):
        user.run("down", check=None)
    with contextlib.suppress(OSError, ValueError, KeyError):
        pid = int(user.address()["pid"])
        os.kill(pid, signal.SIGKILL)
