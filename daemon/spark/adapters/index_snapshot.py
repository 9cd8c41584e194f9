"""The index on disk, for a warm restart: one file with a header, a checksum and one packed mapping per folder.

A snapshot is a cache. Whatever is wrong with it (damaged, other version, other project folder), it is ignored and the
project is scanned afresh. `save_cache` and `load_cache` keep other plain values in the same way.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_MAGIC: Final = b"SPARK-INDEX\x00"
_FORMAT: Final = 2
# marshal's format belongs to one Python; another one starts afresh.
_VERSION: Final = b"%d.%d.%d.%d\n" % (_FORMAT, marshal.version, sys.version_info[0], sys.version_info[1])

FolderRow = tuple[bool, tuple[str, ...], dict[str, bytes]]
"""`(linked, sub-folder names, packed records by file name)`."""


def save_snapshot(path: Path, root: str, folders: Mapping[str, FolderRow]) -> None:
    """Writes it whole or not at all; a lost or torn snapshot costs a slower start, so there is no fsync."""
    save_cache(path, (root, dict(folders)))


def load_snapshot(path: Path, root: str) -> dict[str, FolderRow] | None:
    """The folders as they were saved, None where there is no usable snapshot of this root."""
    saved = load_cache(path)
    if saved is None:
        return None
    saved_root, folders = saved
    return folders if saved_root == root else None


def save_cache(path: Path, value: Any) -> None:
    """Keeps numbers, texts, bytes, tuples and dicts of them. Raises `OSError`."""
    import zstandard

    payload = zstandard.ZstdCompressor(level=1).compress(marshal.dumps(value))
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_MAGIC + _VERSION + hashlib.sha256(payload).digest() + payload)
    part.replace(path)


def load_cache(path: Path) -> Any:
    """What `save_cache` wrote there, None where there is nothing usable."""
    import zstandard

    try:
        blob = path.read_bytes()
    except OSError:
        return None
    head = len(_MAGIC) + len(_VERSION)
    payload = blob[head + 32 :]
    if blob[:head] != _MAGIC + _VERSION or hashlib.sha256(payload).digest() != blob[head : head + 32]:
        return None
    return marshal.loads(zstandard.ZstdDecompressor().decompress(payload))  # noqa: S302 our own file, checked above
