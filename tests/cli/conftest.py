"""A Unity project, folders of its own for the user, and the command line called as a program calls it."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spark.cli.main import main
from tests.fakes.http_daemon import FakeDaemon

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Result:
    """What one call of `spark` left: its exit status and what it wrote."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode()

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; anything else there fails."""
        return json.loads(self.stdout)

    @property
    def records(self) -> list[Any]:
        return [json.loads(line) for line in self.stdout.splitlines()]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the real user's configuration, history or keyring."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(home / name.lower()))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    for name in list(os.environ):
        if name.startswith(("SPARK_", "OPENAI_", "SLATE_")):
            monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Unity project, and the current folder in it."""
    root = tmp_path / "My Gämé"
    make_project(root)
    monkeypatch.chdir(root)
    return root.resolve()


def make_project(root: Path) -> Path:
    (root / "Assets").mkdir(parents=True)
    (root / "ProjectSettings").mkdir()
    version = "m_EditorVersion: 2022.3.41f1\n"
    (root / "ProjectSettings" / "ProjectVersion.txt").write_text(version, encoding="utf-8")
    return root


@pytest.fixture
def daemon(project: Path) -> Iterator[FakeDaemon]:
    with FakeDaemon(project).running() as fake:
        yield fake


class _Stream(io.TextIOWrapper):
    """Like stdout of a process: text with a `buffer` of bytes; `terminal` says what `isatty` does."""

    terminal = False

    def isatty(self) -> bool:
        return self.terminal


class Spark:
    """Calls the command line in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, *argv: str, stdin: str = "", terminal: bool = False) -> Result:
        stdout, stderr, given = (_Stream(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(3))
        given.buffer.write(stdin.encode())
        given.seek(0)
        for stream in (stdout, stderr, given):
            stream.terminal = terminal
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", given)
            patch.setattr(sys, "stdout", stdout)
            patch.setattr(sys, "stderr", stderr)
            status = main(argv)
            stdout.flush()
            stderr.flush()
        written = [stream.buffer for stream in (stdout, stderr)]
        out, err = (buffer.getvalue() for buffer in written if isinstance(buffer, io.BytesIO))
        return Result(status, out, err.decode())


@pytest.fixture
def spark(monkeypatch: pytest.MonkeyPatch) -> Spark:
    return Spark(monkeypatch)


@pytest.fixture
def process_env() -> dict[str, str]:
    """The environment of a `spark` process: this repository's code, the test's own folders."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "daemon"), str(REPOSITORY)])}
