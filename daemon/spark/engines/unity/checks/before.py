"""What the bytes before a change held where a graver fault hid it: who mends the graver one has not made the others.

Answers texts to be checked in place of the old bytes; judges nothing. Knows no other file.
"""

from __future__ import annotations

import re
from typing import Final

HIDING: Final = frozenset(
    {
        "text/encoding",
        "text/nul",
        "text/merge-conflict",
        "csharp/encoding",
        "csharp/nul",
        "csharp/merge-conflict",
        "meta/merge-conflict",
        "yaml/header",
        "yaml/document-header",
    }
)
"""Codes of problems beside which others are not looked for."""
FIRST_ONLY: Final = frozenset({"yaml/syntax", "yaml/tab", "json/syntax", "meta/syntax", "csharp/syntax"})
"""Codes of which the first one in a text hides the rest."""
_MARK: Final = re.compile(rb"(?:<{7}|={7}|>{7}|\|{7})(?= |$)")
_SEPARATOR: Final = re.compile(rb"^---[^\n]*", re.MULTILINE)
_SOUND: Final = re.compile(rb"--- !u!\d{1,10} &-?\d{1,19}(?: stripped)?[ \r]*")


def neutralised(before: bytes, now: bytes) -> list[bytes]:
    """The old bytes without the faults that hide others: each side of a conflict that was left, all characters readable, and
    the damaged headers of objects as the new bytes have them."""
    text = before.replace(b"\x00", b"").decode("utf-8", "replace").encode()
    return [_with_headers_of(now, side) for side in _sides(text)]


def _sides(text: bytes) -> list[bytes]:
    lines = text.splitlines(keepends=True)
    if not any(_MARK.match(line.rstrip(b"\r\n")) for line in lines):
        return [text]
    sides: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])
    inside: list[bytes] | None = None
    for line in lines:
        mark = line[:7] if _MARK.match(line.rstrip(b"\r\n")) else b""
        if mark == b"<<<<<<<":
            inside = sides[0]
        elif mark == b"|||||||":
            inside = sides[1]
        elif mark == b"=======" and inside is not None:
            inside = sides[2]
        elif mark == b">>>>>>>":
            inside = None
        else:
            for side in sides if inside is None else (inside,):
                side.append(line)
    return [b"".join(side) for side in sides]


def _with_headers_of(now: bytes, text: bytes) -> bytes:
    begin, first = _SEPARATOR.search(now), _SEPARATOR.search(text)
    if not now.startswith((b"%YAML", b"\xef\xbb\xbf%YAML")) or begin is None or first is None:
        return text
    headers = _SEPARATOR.findall(now)
    text = text[first.start() :]
    if len(_SEPARATOR.findall(text)) == len(headers):
        following = iter(headers)
        text = _SEPARATOR.sub(lambda old: _sound(old.group(), next(following)), text)
    return now[: begin.start()] + text


def _sound(old: bytes, new: bytes) -> bytes:
    return old if _SOUND.fullmatch(old) is not None else new
