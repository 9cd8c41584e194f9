"""The guids of packages, packed: which `.meta` of which package gives a guid.

Packages hold more assets than most projects and are asked for a few of them: some 80 bytes an asset, found by halving.
Owns the layout and the reading of one package's folder; knows nothing of which packages a project has.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final, NamedTuple

from spark.adapters.index_record import guid_of_meta
from spark.adapters.tree_rules import is_ignored_by_unity, is_indexed

_ROW: Final = 20
"""16 bytes of guid, 4 bytes of where its name begins in `names`."""
_MERGED_ROW: Final = 22
"""16 bytes of guid, 2 bytes of package number, 4 bytes as above."""
_PIECE_BYTES: Final = 16 * 1024
_META_BYTES: Final = 64 * 1024 * 1024
_MOST_ENTRIES: Final = 500_000
"""A folder that a manifest calls a package may be anything: no more than this is looked at."""
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)


class PackageMetas(NamedTuple):
    """The assets of one package: sorted rows, and their paths in the package, each with a NUL behind it."""

    rows: bytes
    names: bytes


def read_package(folder: str, stopping: Callable[[], bool]) -> Generator[None, None, PackageMetas]:
    """Reads every `.meta` of a package; a step is one folder. Answers what it has got where it is stopped."""
    rows: list[bytes] = []
    names = bytearray()
    waiting = [("", folder)]
    seen = 0
    while waiting and seen < _MOST_ENTRIES and not stopping():
        inside, real = waiting.pop()
        try:
            with os.scandir(real) as listing:
                entries = list(listing)
        except OSError:
            continue
        seen += len(entries)
        for entry in entries:
            name = entry.name
            if is_ignored_by_unity(name) or not is_indexed(name):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append((f"{inside}{name}/", f"{real}/{name}"))
            elif name.endswith(".meta") and entry.is_file(follow_symlinks=False):
                guid = _guid_of(f"{real}/{name}")
                if guid is not None:
                    rows.append(guid + len(names).to_bytes(4, "big"))
                    names += f"{inside}{name[: -len('.meta')]}\0".encode()
        yield
    rows.sort()
    return PackageMetas(b"".join(rows), bytes(names))


def signature_of(folder: str) -> bytes:
    """Another one when a file of a package was written, added, renamed or taken away. No file is opened."""
    digest = hashlib.sha256()
    waiting = [folder]
    seen = 0
    while waiting and seen < _MOST_ENTRIES:
        real = waiting.pop()
        try:
            with os.scandir(real) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            continue
        seen += len(entries)
        for entry in entries:
            if is_ignored_by_unity(entry.name) or not is_indexed(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{real}/{entry.name}")
            elif entry.name.endswith(".meta"):
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                digest.update(f"{real}/{entry.name}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ino}\n".encode())
    return digest.digest()


class PackageTable:
    """All packages of a project. Made once, never changed."""

    def __init__(self, packages: Sequence[tuple[str, PackageMetas]] = ()) -> None:
        self._packages = tuple(packages)[:0xFFFF]
        rows: list[bytes] = []
        for number, (_, metas) in enumerate(self._packages):
            package = number.to_bytes(2, "big")
            packed = metas.rows
            rows += [packed[at : at + 16] + package + packed[at + 16 : at + _ROW] for at in range(0, len(packed), _ROW)]
        rows.sort()
        self._rows = b"".join(rows)

    def __len__(self) -> int:
        return len(self._rows) // _MERGED_ROW

    def paths(self, guid: bytes) -> list[str]:
        """`Packages/<name>/…` of every asset with this guid; several by mistake."""
        rows = self._rows
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if rows[middle * _MERGED_ROW : middle * _MERGED_ROW + 16] < guid:
                low = middle + 1
            else:
                high = middle
        found: list[str] = []
        at = low * _MERGED_ROW
        while rows[at : at + 16] == guid:
            found.append(self._path(at))
            at += _MERGED_ROW
        return found

    def guids(self) -> Iterator[bytes]:
        """Sorted; one that several assets give comes as often."""
        rows = self._rows
        for at in range(0, len(rows), _MERGED_ROW):
            yield rows[at : at + 16]

    def _path(self, at: int) -> str:
        name, metas = self._packages[int.from_bytes(self._rows[at + 16 : at + 18], "big")]
        start = int.from_bytes(self._rows[at + 18 : at + _MERGED_ROW], "big")
        return f"Packages/{name}/{metas.names[start : metas.names.index(0, start)].decode()}"


def _guid_of(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        content = os.read(descriptor, _PIECE_BYTES)
        if len(content) == _PIECE_BYTES:
            content += os.read(descriptor, _META_BYTES)
        return guid_of_meta(content)
    except OSError:
        return None
    finally:
        os.close(descriptor)
