"""One file of the index as one packed `bytes`: 100,000 records must fit in memory and go to disk as they are.

Layout: 32 bytes of stat (size, mtime_ns, ctime_ns, inode), 1 byte of flags, 32 bytes of SHA-256, 16 bytes of guid where
`HAS_GUID`, then the guids that the file names, 16 bytes each. Owns how a file's bytes become hash, guid and references in
one read; knows nothing of folders.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from binascii import Error as HexError
from binascii import unhexlify
from collections.abc import Callable, Iterator
from typing import Final

RACY: Final = 1
"""Changed so shortly before it was read that a later change could look the same: read again at the next scan."""
UNHASHED: Final = 2
HAS_GUID: Final = 4
LINKED: Final = 8

RACY_NS: Final = 2_000_000_000
"""git's rule, for the coarsest common file system (FAT keeps 2 s)."""

STAT_BYTES: Final = 32
FLAGS_AT: Final = 32
_SHA_AT: Final = 33
_GUID_AT: Final = 65
_NO_SHA: Final = bytes(32)
_CHUNK_BYTES: Final = 1024 * 1024
_TAIL_BYTES: Final = 128
_META_BYTES: Final = 64 * 1024 * 1024
"""A `.meta` is read whole up to here (sheets of thousands of sprites have some megabytes); above it, it is no `.meta`."""

pack_stat: Final[Callable[[int, int, int, int], bytes]] = struct.Struct("<QqqQ").pack
_unpack_stat = struct.Struct("<QqqQ").unpack_from

_OPEN_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_JSON_LIKE: Final = (".asmdef", ".asmref", ".shadergraph", ".shadersubgraph", ".uxml", ".uss", ".tss", ".inputactions")
_YAML: Final = (b"%YAML", b"\xef\xbb\xbf%YAML")
_LOOSE_GUID: Final = re.compile(rb'[uU][iI][dD][\\":=\s]{1,48}([0-9a-fA-F]{32})')
_OWN_GUID: Final = re.compile(rb"^guid:[ \t]*([0-9a-fA-F]{32})", re.MULTILINE)
_HEX_GUID: Final = re.compile(rb"[0-9a-fA-F]{32}")
_CONFLICT_MARKS: Final = (b"\n<<<<<<<", b"\n=======", b"\n>>>>>>>", b"\n|||||||")


class ReadStopped(Exception):
    """The read of a large file was given up because the daemon stops."""


def stat_of(record: bytes) -> tuple[int, int, int, int]:
    """`(size, mtime_ns, ctime_ns, inode)`."""
    size, mtime_ns, ctime_ns, inode = _unpack_stat(record)
    return size, mtime_ns, ctime_ns, inode


def sha256_of_record(record: bytes) -> str | None:
    """Hex digits, None where the file was not read yet or cannot be read."""
    return None if record[FLAGS_AT] & UNHASHED else record[_SHA_AT:_GUID_AT].hex()


def guid_of_record(record: bytes) -> bytes | None:
    """The 16 bytes of the guid that a `.meta` gives its asset."""
    return record[_GUID_AT : _GUID_AT + 16] if record[FLAGS_AT] & HAS_GUID else None


def names_guid(record: bytes, guid: bytes) -> bool:
    """Whether the file refers to a guid (a `.meta`'s own guid is no reference)."""
    start = _GUID_AT + 16 if record[FLAGS_AT] & HAS_GUID else _GUID_AT
    at = record.find(guid, start)
    while at >= 0:
        if (at - start) % 16 == 0:
            return True
        at = record.find(guid, at + 1)
    return False


def references_of(record: bytes) -> Iterator[bytes]:
    start = _GUID_AT + 16 if record[FLAGS_AT] & HAS_GUID else _GUID_AT
    for at in range(start, len(record), 16):
        yield record[at : at + 16]


def unread_record(stat_key: bytes, *, linked: bool = False) -> bytes:
    return b"%b%c%b" % (stat_key, UNHASHED | (LINKED if linked else 0), _NO_SHA)


def read_record(
    path: str, name: str, stat_key: bytes, *, size: int, flags: int, visible: bool, stopping: Callable[[], bool]
) -> bytes:
    """Reads a file once for hash, guid and references. `flags`: RACY or LINKED; `visible`: Unity imports it.

    A file that cannot be opened gets an unhashed racy record: it is tried again at the next scan. Raises `ReadStopped`.
    """
    try:
        descriptor = os.open(path, _OPEN_FLAGS | (0 if flags & LINKED else _NO_FOLLOW))
    except OSError:
        return b"%b%c%b" % (stat_key, flags | UNHASHED | RACY, _NO_SHA)
    try:
        is_meta = name.endswith(".meta")
        if size > (_META_BYTES if is_meta else _CHUNK_BYTES):
            return _read_large(descriptor, name, stat_key, flags, visible, stopping)
        content = os.read(descriptor, size + 1)
        while len(content) != size:
            # It grew, shrank or came in pieces: take what is there now, the next scan sees that the stat differs.
            more = os.read(descriptor, _CHUNK_BYTES)
            if not more:
                break
            content += more
    except OSError:
        return b"%b%c%b" % (stat_key, flags | UNHASHED | RACY, _NO_SHA)
    finally:
        os.close(descriptor)
    digest = hashlib.sha256(content).digest()
    if not visible:
        return b"%b%c%b" % (stat_key, flags, digest)
    if is_meta:
        return _meta_record(stat_key, flags, digest, content)
    if content.startswith(_YAML):
        return b"%b%c%b%b" % (stat_key, flags, digest, _packed(_yaml_guids(content)))
    if name.endswith(_JSON_LIKE):
        return b"%b%c%b%b" % (stat_key, flags, digest, _packed(set(_LOOSE_GUID.findall(content))))
    return b"%b%c%b" % (stat_key, flags, digest)


def _read_large(
    descriptor: int, name: str, stat_key: bytes, flags: int, visible: bool, stopping: Callable[[], bool]
) -> bytes:
    digest = hashlib.sha256()
    guids: set[bytes] = set()
    tail = b""
    is_yaml: bool | None = None
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        if stopping():
            raise ReadStopped
        digest.update(chunk)
        if is_yaml is None:
            is_yaml = visible and chunk.startswith(_YAML)
        if is_yaml:
            window = tail + chunk
            guids |= _yaml_guids(window)
            tail = window[-_TAIL_BYTES:]
        elif visible and name.endswith(_JSON_LIKE):
            window = tail + chunk
            guids.update(_LOOSE_GUID.findall(window))
            tail = window[-_TAIL_BYTES:]
    return b"%b%c%b%b" % (stat_key, flags, digest.digest(), _packed(guids))


def _meta_record(stat_key: bytes, flags: int, digest: bytes, content: bytes) -> bytes:
    guid = guid_of_meta(content)
    named = b""
    # Most metas name no other asset; importer settings (materials, default references) come after the own guid.
    if content.count(b"uid") + content.count(b"UID") > 1:
        own = {found.lower() for found in _OWN_GUID.findall(content)}
        named = _packed({found for found in _yaml_guids(content) if found.lower() not in own})
    if guid is None:
        return b"%b%c%b%b" % (stat_key, flags, digest, named)
    return b"%b%c%b%b%b" % (stat_key, flags | HAS_GUID, digest, guid, named)


def guid_of_meta(content: bytes) -> bytes | None:
    """The 16 bytes of the guid of a `.meta`; None where it has none, two of them, or an unfinished merge."""
    at = content.find(b"\nguid:")
    end = content[at + 39 : at + 41]
    plain = (
        at >= 0
        and content.startswith(b"fileFormatVersion:")
        and content[at + 6 : at + 7] == b" "
        and content.find(b"\nguid:", at + 1) < 0
        and (end[:1] in (b"\n", b"") or end == b"\r\n")
        and (b"\r" not in content or content.count(b"\r") == content.count(b"\r\n"))
        and not any(mark in content for mark in _CONFLICT_MARKS)
    )
    if plain:
        try:
            guid = unhexlify(content[at + 7 : at + 39])
        except HexError:
            guid = b""
        if len(guid) == 16:
            return guid
    return _guid_of_odd_meta(content)


def _guid_of_odd_meta(content: bytes) -> bytes | None:
    """What the engine says: it decides about a `.meta` before it is written, and the two must agree."""
    from spark.engines.unity.meta import guid_in_meta

    found = guid_in_meta(content)
    return unhexlify(found) if found is not None else None


def _yaml_guids(content: bytes) -> set[bytes]:
    # bytes.split is several times faster than a regular expression, and references are most of a scene.
    parts = content.split(b"uid: ")
    guids = {part[:32] for part in parts[1:]}
    odd = content.count(b"uid:") >= len(parts) or b"UID" in content
    if odd or b'uid"' in content or b"uid=" in content or b"uid\\" in content:
        # Values of Addressables and Localization, and JSON and URLs that stand in YAML as text (as in a .vfx).
        guids.update(_LOOSE_GUID.findall(content))
    return guids


def _packed(guids: set[bytes]) -> bytes:
    if not guids:
        return b""
    joined = b"".join(sorted(guids))
    if len(joined) == 32 * len(guids):
        try:
            return unhexlify(joined)
        except HexError:
            pass
    return unhexlify(b"".join(sorted(guid for guid in guids if _HEX_GUID.fullmatch(guid))))
