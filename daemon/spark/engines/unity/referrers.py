"""Which places in a file refer to an asset: by guid, by guid and file id, or by file id inside the file itself.

Works on bytes of any text that names guids: serialised assets, metas, assembly definitions, shader graphs, UXML, and JSON or
URLs that stand as text in any of these. Does not parse: it looks at where the guid stands, and at the header of the
document above it. Knows no paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from spark.core.engine import Referrer

_BEHIND: Final = 256
"""How far before a guid its key and the file id are looked for; folded and indented they take a good hundred bytes."""
_SHOWN_BYTES: Final = 240
# The patterns down to the empty line are for bytes in lower case.
_KEY: Final = re.compile(rb'uid[\\":=\s]{1,48}$')
_FILE_ID_BEFORE: Final = re.compile(rb'fileid[\\":=\s]{1,48}(-?[0-9]{1,20})[\\",;&\sa-z_.]{1,48}$')
_FILE_ID_AFTER: Final = re.compile(rb'[\\",;&\sa-z]{1,48}?fileid[\\":=\s]{1,48}(-?[0-9]{1,20})(?![0-9])')
_ENDS: Final = re.compile(rb'[\s\\"]*\}')

_DOCUMENT: Final = b"\n--- !u!"
_HEADER: Final = re.compile(rb"--- !u!([0-9]+) &(-?[0-9]+)[^\n]*\n([A-Za-z_][A-Za-z0-9_]*):")


def referrers(content: bytes, guid: str, file_id: int | None = None) -> list[Referrer]:
    """The references in `content`, in order; the line `guid:` of a `.meta` is none. See `core.engine.Engine.referrers`."""
    # Python lowers ASCII letters only, byte for byte: offsets stay.
    lowered = content.lower()
    if guid:
        found = _by_guid(lowered, guid.lower().encode(), file_id)
    elif file_id:
        found = _inside(lowered, file_id)
    else:
        return []
    return list(_told(content, found))


def _by_guid(lowered: bytes, guid: bytes, wanted: int | None) -> Iterator[tuple[int, int | None]]:
    """Offset and file id of each reference."""
    at = lowered.find(guid)
    while at >= 0:
        found = _reference(lowered, at, at + len(guid))
        if found is not None and (wanted is None or found[1] == wanted):
            yield found
        at = lowered.find(guid, at + len(guid))


def _reference(lowered: bytes, at: int, end: int) -> tuple[int, int | None] | None:
    start = max(0, at - _BEHIND)
    before = lowered[start:at]
    key = _KEY.search(before)
    if key is None or _is_own(lowered, start + key.start(), at):
        return None
    file_id = _FILE_ID_BEFORE.search(before, 0, key.start())
    if file_id is not None:
        return start + file_id.start(), int(file_id.group(1))
    # Unity writes the file id first; others may not.
    after = _FILE_ID_AFTER.match(lowered, end, end + _BEHIND)
    return at, int(after.group(1)) if after is not None else None


def _is_own(lowered: bytes, key: int, at: int) -> bool:
    """Whether this is a `.meta`'s own `guid:`, which stands at the start of a line; nothing else does."""
    line = lowered.rfind(b"\n", 0, at) + 1
    return lowered[line:key].removeprefix(b"\xef\xbb\xbf") == b"g"


def _inside(lowered: bytes, file_id: int) -> Iterator[tuple[int, int | None]]:
    """References without a guid. JSON that stands as text in a document has its own spelling."""
    needles = [b"fileid: %d" % file_id]
    if b'fileid"' in lowered or b"fileid\\" in lowered:
        needles += [b'fileid":%d' % file_id, b'fileid": %d' % file_id, b'fileid\\":%d' % file_id]
    found: list[int] = []
    for needle in needles:
        at = lowered.find(needle)
        while at >= 0:
            if _ENDS.match(lowered, at + len(needle)) is not None:
                found.append(at)
            at = lowered.find(needle, at + len(needle))
    for at in sorted(found):
        yield at, file_id


def _told(content: bytes, found: Iterator[tuple[int, int | None]]) -> Iterator[Referrer]:
    """Lines and documents of offsets in ascending order. What one line says of one object twice is told once."""
    line, seen = 1, 0
    header = _HEADER.match(content)
    told: set[int | None] = set()
    for at, file_id in found:
        further = content.count(b"\n", seen, at)
        if further:
            line += further
            told.clear()
        above = content.rfind(_DOCUMENT, seen, at)
        if above >= 0:
            header = _HEADER.match(content, above + 1)
        seen = at
        if file_id in told:
            continue
        told.add(file_id)
        text = _line(content, at)
        if header is None:
            yield Referrer(line, text, file_id)
        else:
            class_id, from_id, name = header.groups()
            yield Referrer(line, text, file_id, int(from_id), int(class_id), name.decode())


def _line(content: bytes, at: int) -> str:
    """The line around an offset, or of a long one what stands there."""
    start = content.rfind(b"\n", 0, at) + 1
    end = content.find(b"\n", at)
    end = len(content) if end < 0 else end
    if end - start <= _SHOWN_BYTES:
        return content[start:end].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip()
    first = max(start, at - _SHOWN_BYTES // 3)
    last = min(end, first + _SHOWN_BYTES)
    shown = content[first:last].decode("utf-8", "ignore").strip()
    return f"{'…' if first > start else ''}{shown}{'…' if last < end else ''}"
