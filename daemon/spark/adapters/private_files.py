"""Small files that only this user may read: written whole or not at all. Windows keeps them private by its own list.

Must not know what is in them.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600
OWNER_ONLY_FOLDER: Final = 0o700
PLAIN_LIMIT_BYTES: Final = 1024 * 1024


def write_private(path: Path, content: bytes) -> None:
    """Replaces a file as a whole; mode 0600 from its first instant. A link at that name is replaced, not followed."""
    staged = stage_private(path, content)
    try:
        staged.replace(path)
    except OSError:
        staged.unlink(missing_ok=True)
        raise


def stage_private(path: Path, content: bytes, mode: int = OWNER_ONLY) -> Path:
    """Writes the content beside `path` under a random name, durable, and returns that name."""
    staged = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    handle = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(handle, "wb") as file:
            if sys.platform != "win32":
                os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        staged.unlink(missing_ok=True)
        raise
    return staged


def make_private_folder(path: Path) -> None:
    """Makes a folder (not its parents) that only this user may enter; an existing one gets the mode. Refuses links."""
    try:
        path.mkdir(mode=OWNER_ONLY_FOLDER)
    except FileExistsError:
        if path.is_symlink() or not path.is_dir():
            raise NotADirectoryError(f"{path} is a link or a file, not a folder") from None
    if sys.platform == "win32":
        _restrict_on_windows(path)
    elif path.stat().st_mode & 0o777 != OWNER_ONLY_FOLDER:
        path.chmod(OWNER_ONLY_FOLDER)


def _restrict_on_windows(path: Path) -> None:
    # Modes mean nothing there; folders outside the user's profile are often open to every local user.
    user = os.environ.get("USERNAME", "")
    if user:
        subprocess.run(
            ["icacls", str(path), "/inheritance:r", "/grant:r", f"{user}:(OI)(CI)F"], check=False, capture_output=True
        )


def read_plain(path: Path, *, limit_bytes: int = PLAIN_LIMIT_BYTES) -> bytes | None:
    """A small plain file's bytes; None where there is none.

    What lies in a project may come from a stranger: a link would show somebody else's file, a pipe would be waited for.
    Raises `OSError` for those and for files over the limit.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(error.errno, "it is a link, and links are not followed", str(path)) from error
        raise
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise OSError(errno.EFBIG, f"it has more than {limit_bytes} bytes", str(path))
    return content
