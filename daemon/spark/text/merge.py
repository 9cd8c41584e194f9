"""Three-way merge of whole files by lines, on bytes.

merge3 with patience matching gives git's answer wherever git merges cleanly; difflib's matcher is never used in its
place (it takes seconds on some files and differs from git). Anything that cannot be merged safely is a conflict.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from spark.core import limits
from spark.text.lines import matching_blocks

_DOCUMENT: Final = re.compile(rb"^--- !u!\d+ &(-?\d+)", re.MULTILINE)
_SHOWN_CHARS: Final = 2000


@dataclass(frozen=True, slots=True)
class Conflict:
    """Lines that both sides changed. `ours_line` counts from 1 in ours; 0: the file as a whole, texts are then empty.

    A merge that knows what the file means also says where: the document by its file id and class, its object's name, the
    property, and in `why` what does not fit together.
    """

    base: str
    ours: str
    theirs: str
    ours_line: int
    file_id: str = ""
    class_name: str = ""
    object_name: str = ""
    property: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Merge:
    """`content` is None where there are conflicts; `marked` then has the merge with git's marks around each of them, and is
    None where the file cannot hold marks (binary)."""

    content: bytes | None
    conflicts: tuple[Conflict, ...] = ()
    marked: bytes | None = None


_WHOLE: Final = Merge(None, (Conflict("", "", "", 0),))


def merge(base: bytes, ours: bytes, theirs: bytes) -> Merge:
    """Both sides' changes to `base`. Never raises.

    Files that are binary, not UTF-8, larger than 2 MB or of mixed line ends are not merged (one conflict of the whole
    file), unless a side did not change at all. Byte order mark, line ends and final newline follow the side that changed them.
    """
    if ours == theirs or base == theirs:
        return Merge(ours)
    if base == ours:
        return Merge(theirs)
    newlines = [_newline(side) for side in (base, ours, theirs)]
    if None in newlines:
        return _WHOLE
    # A side that changed the line ends of the whole file means it; lines are then compared without them.
    changed = [newline for newline in newlines[1:] if newline and newline != newlines[0]]
    newline = changed[0] if changed else newlines[0]
    merged = _merge_lines(*(side.replace(b"\r\n", b"\n") for side in (base, ours, theirs)))
    if merged.content is None:
        marked = merged.marked
        return replace(merged, marked=marked.replace(b"\n", b"\r\n")) if marked and newline == b"\r\n" else merged
    if merged.content.startswith(b"%YAML") and _repeated_ids(merged.content) - _repeated_ids(ours):
        # Two sides may each add the same object's document; every line merges, and Unity refuses the file.
        return _WHOLE
    return Merge(merged.content.replace(b"\n", b"\r\n")) if newline == b"\r\n" else merged


def _newline(content: bytes) -> bytes | None:
    """The file's one line end, empty where it has none; None where it must not be merged as text."""
    if len(content) > limits.FILE_BYTES or b"\x00" in content:
        return None
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    windows = content.count(b"\r\n")
    if windows and windows != content.count(b"\n"):
        return None
    return b"\r\n" if windows else b"\n" if b"\n" in content else b""


def merge_regions(base: Sequence[bytes], ours: Sequence[bytes], theirs: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
    """What becomes of the lines (or of any other items), in order: `("unchanged", start, end)` of base, `("same" or "a",
    start, end)` of ours, `("b", start, end)` of theirs, or `("conflict", base1, base2, ours1, ours2, theirs1, theirs2)`."""
    from merge3 import Merge3

    matcher: Any = _Matcher
    yield from Merge3(base, ours, theirs, sequence_matcher=matcher).merge_regions()


def marked_lines(ours: Sequence[bytes], theirs: Sequence[bytes]) -> bytes:
    """Both sides of a conflict between git's marks; a last line without an end gets one."""
    sides = [b"".join(side) for side in (ours, theirs)]
    a, b = (side + b"\n" if side and not side.endswith(b"\n") else side for side in sides)
    return b"<<<<<<< ours\n" + a + b"=======\n" + b + b">>>>>>> theirs\n"


def _merge_lines(base: bytes, ours: bytes, theirs: bytes) -> Merge:
    z, a, b = _lines(base), _lines(ours), _lines(theirs)
    sources = {"unchanged": z, "a": a, "same": a, "b": b}
    lines: list[bytes] = []
    conflicts: list[Conflict] = []
    for region in merge_regions(z, a, b):
        if region[0] == "conflict":
            _, z1, z2, a1, a2, b1, b2 = region
            conflicts.append(Conflict(_shown(z[z1:z2]), _shown(a[a1:a2]), _shown(b[b1:b2]), a1 + 1))
            lines.append(marked_lines(a[a1:a2], b[b1:b2]))
        else:
            lines += sources[region[0]][region[1] : region[2]]
    content = b"".join(lines)
    return Merge(None, tuple(conflicts), content) if conflicts else Merge(content)


class _Matcher:
    """The shape in which merge3 asks for matching lines."""

    def __init__(self, isjunk: None, a: Sequence[bytes], b: Sequence[bytes]) -> None:
        self._a, self._b = a, b

    def get_matching_blocks(self) -> list[tuple[int, int, int]]:
        return matching_blocks(self._a, self._b)


def _lines(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _shown(lines: list[bytes]) -> str:
    text = b"".join(lines).decode("utf-8")
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def _repeated_ids(content: bytes) -> set[bytes]:
    return {file_id for file_id, count in Counter(_DOCUMENT.findall(content)).items() if count > 1}
