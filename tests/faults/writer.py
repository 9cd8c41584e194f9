"""One landing in a forked process that stops itself first, so that strace can take hold of it, kill it and starve it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from spark.adapters.exchange import LinkExchange
from spark.core.errors import SparkError
from tests.adapters.store_kit import Checkout

ONE = b"the first version of this file\n" * 200
TWO = b"the second version of this file\n" * 200
USERS = b"what the user saved in the last moment\n" * 200
SAVE = "cp users part && mv part project/Assets/a.cs && touch saved"
MODES = ("one", "surprise", "group", "fallback")
BEFORE = {
    "one": {"Assets/a.cs": ONE},
    "surprise": {"Assets/a.cs": ONE},
    "group": {"Assets/a.cs": ONE, "Assets/D/del.cs": ONE, "Assets/D.meta": ONE},
}
AFTER: dict[str, dict[str, bytes | None]] = {
    "one": {"Assets/a.cs": TWO},
    "surprise": {"Assets/a.cs": TWO},
    "group": {"Assets/a.cs": TWO, "Assets/N/new.cs": TWO, "Assets/D/del.cs": None, "Assets/D.meta": None},
}
BEFORE["fallback"], AFTER["fallback"] = BEFORE["group"], AFTER["group"]
_PR_SET_PTRACER = 0x59616D61


def forked(mode: str, folder: Path) -> tuple[int, int]:
    """Starts the process and returns its id once it has stopped right before the landing, and a pipe that ends when it and
    the user's process have ended. What it says at the end, `landed` or `refused CODE`, is in `folder/said`; a bug's traceback
    is in `folder/bug`."""
    sys.stdout.flush()
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            status = _child(mode, folder, write_end)
        os._exit(status)
    os.close(write_end)
    _, status = os.waitpid(pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), (folder / "bug").read_text()
    return pid, read_end


def checkout(mode: str, folder: Path) -> Checkout:
    return Checkout(folder, exchange=LinkExchange() if mode == "fallback" else None)


def _child(mode: str, folder: Path, alive: int) -> int:
    # Where only ancestors may trace (Yama), a process can allow it.
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1 & (2**64 - 1)), 0, 0, 0)
    try:
        land = _prepared(mode, folder, alive)
        os.kill(os.getpid(), signal.SIGSTOP)
        said = land()
    except Exception as bug:  # noqa: BLE001 - a forked child must not run on into the test runner
        import traceback

        (folder / "bug").write_text("".join(traceback.format_exception(bug)))
        return 1
    (folder / "said").write_text(said)
    return 0


def _prepared(mode: str, folder: Path, alive: int) -> Callable[[], str]:
    rig = checkout(mode, folder)
    rig.landing.recover()
    once = [mode == "surprise"]

    def save(point: str) -> None:
        if point == "before exchange" and once[0]:
            once[0] = False
            # A process of its own: the faults are for the landing, not for the user's editor.
            subprocess.run(["sh", "-c", SAVE], cwd=folder, check=True, pass_fds=(alive,))

    rig.hook = save
    changes = [rig.change(path, content) for path, content in AFTER[mode].items()]

    def land() -> str:
        try:
            rig.land(*changes)
        except SparkError as error:
            return f"refused {error.code}"
        return "landed"

    return land
