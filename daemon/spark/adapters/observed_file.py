"""One file as it is on disk right now: stat, hash and bytes from one read, so that the hash is always that of the bytes."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import Final

KEPT_TEXT_BYTES: Final = 256 * 1024 * 1024
"""Text is kept whatever its size, as far as it can be held in memory."""
_PROBE_BYTES: Final = 8_000
_CHUNK_BYTES: Final = 1024 * 1024
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)


class Unsettled(Exception):
    """Somebody is writing the file, or it cannot be read at the moment: look again later."""


@dataclass(frozen=True, slots=True)
class ObservedFile:
    """`sha256` None: no file is there. `content` None: too big to keep. `stat` is that of the bytes."""

    sha256: str | None
    size: int
    content: bytes | None
    stat: os.stat_result | None

    @property
    def changed_at_s(self) -> float:
        """The later of both times of the file; 0 where there is none."""
        return max(self.stat.st_mtime, self.stat.st_ctime) if self.stat is not None else 0.0


_GONE: Final = ObservedFile(None, 0, None, None)


def read_observed(root: str, path: str, *, max_file_bytes: int) -> ObservedFile:
    """Reads `root/path` without following a link at its end. Raises `Unsettled`."""
    try:
        descriptor = os.open(f"{root}/{path}", _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return _GONE
    except OSError as error:
        # A link (ELOOP) is not the file that was there.
        if os.path.islink(f"{root}/{path}") or os.path.isdir(f"{root}/{path}"):
            return _GONE
        raise Unsettled(path) from error
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return _GONE
        sha256, size, content = _read(descriptor, before.st_size, max_file_bytes)
        after = os.fstat(descriptor)
    except OSError as error:
        raise Unsettled(path) from error
    finally:
        os.close(descriptor)
    if (before.st_size, before.st_mtime_ns, before.st_ctime_ns) != (size, after.st_mtime_ns, after.st_ctime_ns):
        raise Unsettled(path)
    return ObservedFile(sha256, size, content, after)


def _read(descriptor: int, size: int, max_file_bytes: int) -> tuple[str, int, bytes | None]:
    digest = hashlib.sha256()
    kept: list[bytes] = []
    keep = size <= KEPT_TEXT_BYTES
    read_bytes = 0
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        if read_bytes == 0 and size > max_file_bytes:
            keep = keep and b"\0" not in chunk[:_PROBE_BYTES]  # git's rule for text
        digest.update(chunk)
        read_bytes += len(chunk)
        if keep:
            kept.append(chunk)
    return digest.hexdigest(), read_bytes, b"".join(kept) if keep else None
