"""A lock on a file that the operating system frees when its holder dies, however it dies; and whether a process lives.

The file's content is a note for those who find it locked. Must not know what is locked.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spark.adapters.private_files import OWNER_ONLY

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Windows locks byte ranges against reading too: lock a byte far behind the note.
_LOCKED_BYTE = 1 << 30
_BUSY = (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK, errno.EDEADLK)


class ProcessLock:
    """A held lock. It is free again when this is closed or the process ends."""

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    def write_note(self, note: Mapping[str, Any]) -> None:
        """Replaces the note; readers that meet it half written see none."""
        assert self._handle is not None
        content = json.dumps(dict(note)).encode("utf-8")
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.write(self._handle, content)

    def close(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            _unlock(handle)
            os.close(handle)


def try_lock(path: Path) -> ProcessLock | None:
    """Takes the lock, or None where another process has it. Raises `OSError` where the file cannot be opened."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        if not _lock(handle):
            os.close(handle)
            return None
        # Between open and lock the file may have been removed or its folder renamed: then it locks nothing.
        try:
            same = os.path.samestat(os.stat(path), os.fstat(handle))
        except FileNotFoundError:
            same = False
        if same:
            return ProcessLock(handle)
        _unlock(handle)
        os.close(handle)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock for a few file operations, waiting for whoever has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        if sys.platform == "win32":
            os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        _unlock(handle)
        os.close(handle)


def is_file_locked(path: Path) -> bool:
    """Whether a living process holds the lock. Creates nothing; a missing file is free."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        if not _lock(handle, shared=True):
            return True
        _unlock(handle)
        return False
    finally:
        os.close(handle)


def read_note(path: Path) -> dict[str, Any]:
    """What the lock's holder wrote; empty where there is nothing readable."""
    try:
        loaded = json.loads(path.read_bytes() or b"{}")
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def pid_lives(pid: int) -> bool:
    """Whether there is a process of this id (perhaps another one than meant: the lock tells)."""
    if pid <= 0:
        return False
    if sys.platform == "win32":
        import ctypes

        # os.kill(pid, 0) would end the process there.
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(0x1000, False, pid)
        if not handle:
            return bool(ctypes.get_last_error() == 5)
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == 259
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def process_start(pid: int) -> str | None:
    """When a process started, in ticks since the machine did, where the system tells cheaply (Linux); else None."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name in brackets may hold spaces and brackets; field 22 counts from the last bracket.
    fields = stat.rpartition(b")")[2].split()
    return fields[19].decode("ascii") if len(fields) > 19 else None


def _lock(handle: int, *, shared: bool = False) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True


def _unlock(handle: int) -> None:
    if sys.platform == "win32":
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_UN)
