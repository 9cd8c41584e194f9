"""Reads the apply_patch envelope ("V4A"): `*** Begin Patch`, `*** Update|Add|Delete File:`, `*** Move to:`, `@@ anchor`
hunks without line numbers, `*** End of File`, `*** End Patch`. A missing envelope or file line is taken as given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from spark.core.errors import ToolRejected, invalid_arguments
from spark.text.patch.sections import FilePatch, Hunk, Line

_FILE: Final = ("*** Update File:", "*** Add File:", "*** Delete File:")
_ENVELOPE: Final = ("*** Begin Patch", "*** End Patch")


def parse_v4a(patch: str) -> tuple[FilePatch, ...]:
    """The files of a patch in order; a patch of hunks alone gives one section with empty paths.

    Raises `invalid_arguments` naming the line that does not fit.
    """
    lines = [line.removesuffix("\r") for line in patch.split("\n")]
    while lines and (not lines[-1].strip() or lines[-1].strip() == _ENVELOPE[1]):
        lines.pop()
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].strip() == _ENVELOPE[0]):
        at += 1
    if at >= len(lines):
        raise invalid_arguments({"patch": "an apply_patch text with '*** Update File: PATH' and hunks"})
    found: list[FilePatch] = []
    while at < len(lines):
        if lines[at].startswith(_FILE):
            part, at = _file(lines, at)
        elif not found:
            hunks, at = _hunks(lines, at)
            part = FilePatch("", "", hunks)
        elif lines[at].strip() in ("", *_ENVELOPE):
            at += 1
            continue
        else:
            raise _malformed(at, "'*** Update File:', '*** Add File:', '*** Delete File:' or the end was expected")
        found.append(part)
    return tuple(found)


def _malformed(at: int, why: str) -> ToolRejected:
    return invalid_arguments({"patch": f"an apply_patch text; line {at + 1}: {why}"})


def _file(lines: Sequence[str], at: int) -> tuple[FilePatch, int]:
    header, _, name = lines[at].partition(":")
    path = name.strip()
    if not path:
        raise _malformed(at, "a path was expected behind the colon")
    at += 1
    if header == "*** Delete File":
        return FilePatch(path, None), at
    if header == "*** Add File":
        return _added(lines, at, path)
    target = path
    if at < len(lines) and lines[at].startswith("*** Move to:"):
        target = lines[at].partition(":")[2].strip()
        at += 1
    hunks, after = _hunks(lines, at)
    if not hunks and target == path:
        raise _malformed(at, "a hunk was expected")
    return FilePatch(path, target, hunks), after


def _added(lines: Sequence[str], at: int, path: str) -> tuple[FilePatch, int]:
    new: list[Line] = []
    while at < len(lines) and not lines[at].startswith("*** "):
        if lines[at].startswith("+"):
            new.append(Line("+", lines[at][1:]))
        elif lines[at].strip():
            raise _malformed(at, "the lines of a new file begin with '+'")
        at += 1
    return FilePatch(None, path, (Hunk(tuple(new)),) if new else ()), at


def _hunks(lines: Sequence[str], at: int) -> tuple[tuple[Hunk, ...], int]:
    hunks: list[Hunk] = []
    while at < len(lines) and not lines[at].startswith(_FILE) and lines[at].strip() not in _ENVELOPE:
        anchors: list[str] = []
        while at < len(lines) and lines[at].startswith("@@"):
            anchor = lines[at].removeprefix("@@").strip().removesuffix("@@").strip()
            if anchor:
                anchors.append(anchor)
            at += 1
        start = at
        body, at_end, at = _body(lines, at)
        if at == start and not anchors:
            raise _malformed(at, "'*** Update File:', '*** Add File:', '*** Delete File:' or a hunk was expected")
        if body:
            hunks.append(Hunk(body, anchors=tuple(anchors), at_end=at_end))
    return tuple(hunks), at


def _body(lines: Sequence[str], at: int) -> tuple[tuple[Line, ...], bool, int]:
    body: list[Line] = []
    at_end = False
    while at < len(lines) and not lines[at].startswith("@@"):
        text = lines[at]
        if text.strip() == "*** End of File":
            return tuple(body), True, at + 1
        if text.startswith("*** "):
            break
        sign: Literal[" ", "-", "+"]
        if text == "" or text[0] == " ":
            sign = " "
        elif text[0] == "-":
            sign = "-"
        elif text[0] == "+":
            sign = "+"
        else:
            raise _malformed(at, "lines of a hunk begin with ' ', '-' or '+', and '@@' begins a hunk")
        body.append(Line(sign, text[1:]))
        at += 1
    while body and body[-1] == Line(" ", ""):
        body.pop()
    return tuple(body), at_end, at
