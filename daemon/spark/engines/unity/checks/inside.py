"""References inside of one file: whether what they name is there, and whether they are written as Unity reads them.

The set of all references is looked at first; only one that is wrong is looked for, and placed. Knows no other file.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from typing import Final

from spark.core.diagnostics import Severity
from spark.core.patience import go_on
from spark.engines.unity.csharp.problem import Problem

_NUMBER: Final = re.compile(rb"\s*+-?\d{1,30}\s*+")
_INSIDE: Final = re.compile(rb"\{\s*+fileID\s*+:\s*+(-?\d{1,30})\s*+\}")
_ANY: Final = re.compile(rb"\{\s*+fileID\s*+:\s*+([^{}]*+)\}")
_SOUND_SOURCE: Final = (
    rb"\s*+-?\d{1,20}+\s*+(?:,\s*+guid\s*+:\s*+[0-9a-fA-F]{32}\s*+(?:,\s*+type\s*+:\s*+\d{1,3}+\s*+)?+)?+"
)
_SOUND: Final = re.compile(_SOUND_SOURCE)
_ALL_SOUND: Final = re.compile(rb"(?:\}" + _SOUND_SOURCE + rb")*+")
_BEFORE: Final = re.compile(rb" *+(?:- )*+(?:([^\n:]*+): *+)?+")
_LONGEST: Final = 600
"""Bytes before a value on its line: more than indentation and key ever take."""
_STRUCTURE: Final = frozenset(
    {
        b"m_GameObject",
        b"m_Father",
        b"m_Children",
        b"m_Component",
        b"component",
        b"m_PrefabInstance",
        b"m_TransformParent",
        b"m_Roots",
    }
)


def dangling(text: bytes, documents: Container[bytes], references: Iterable[bytes]) -> Iterator[Problem]:
    """References to ids that no document of the file has. `documents` is iterated as well: a mapping by file id."""
    lost = [token for token in references if token not in documents and b"," not in token and token != b"0"]
    numbers = {int(token) for token in lost if _NUMBER.fullmatch(token) is not None}
    if not numbers:
        return iter(())
    # The same number may be written otherwise.
    numbers = {number for number in numbers if number and b"%d" % number not in documents}
    return _lost(text, numbers) if numbers else iter(())


def _lost(text: bytes, numbers: set[int]) -> Iterator[Problem]:
    """Each place of a lost reference: an error where the hierarchy hangs on it; else Unity reads none, and writes none."""
    fix = "Let it refer to an object of the file, or to none: {fileID: 0}"
    for found, key in _values(text, (one for one in _INSIDE.finditer(text) if int(one.group(1)) in numbers)):
        severity: Severity = "error" if key in _STRUCTURE else "warning"
        message = f"{_shown(key)} refers to {found.group(1).decode()}, and the file has no such object"
        yield Problem("yaml/dangling-reference", message, found.start(), fix, severity)


def malformed(text: bytes, references: Iterable[bytes]) -> Iterator[Problem]:
    """References that are not a number, or a number with a guid of 32 digits and a type."""
    if _ALL_SOUND.fullmatch(b"".join(b"}" + one for one in references)) is not None:
        return
    wrong = (one for one in _ANY.finditer(text) if _SOUND.fullmatch(one.group(1)) is None)
    for found, key in _values(text, wrong):
        yield _malformed(found, key)


def _malformed(found: re.Match[bytes], key: bytes) -> Problem:
    written = b" ".join(found.group()[:100].split()).decode("utf-8", "replace")
    message = f"{_shown(key)} is no reference that Unity reads: {written}"
    fix = "Write {fileID: NUMBER}, or {fileID: NUMBER, guid: 32 hexadecimal digits, type: NUMBER}; none is {fileID: 0}."
    return Problem("yaml/reference", message, found.start(), fix)


def _shown(key: bytes) -> str:
    return key.decode("utf-8", "replace") or "an item"


def _values(text: bytes, matches: Iterable[re.Match[bytes]]) -> Iterator[tuple[re.Match[bytes], bytes]]:
    """Those that stand where a value does, with its key: in the middle of a text the same letters are no reference."""
    keys = ListKeys(text)
    behind = 0
    for found in matches:
        go_on()
        at = found.start()
        if at < behind:
            continue  # only the first of a line can be the value
        line = text.rfind(b"\n", max(0, at - _LONGEST), at) + 1
        behind = text.find(b"\n", at) + 1 or len(text)
        before = _BEFORE.fullmatch(text, line, at) if at - line <= _LONGEST else None
        if before is not None:
            yield found, before.group(1) or keys.of(line)


class ListKeys:
    """The keys of lists. To be asked from the start of a text to its end: each part of it is then searched once."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._held: dict[bytes, tuple[int, bytes]] = {}
        """By indentation: up to where was searched, and the key found last."""

    def of(self, line: int) -> bytes:
        """The key of the list that the item at a line's start belongs to; empty where it is none as Unity writes them."""
        text = self._text
        dash = text.find(b"-", line, line + _LONGEST)
        indent = text[line : max(dash, line)]
        if dash < 0 or indent.strip(b" "):
            return b""
        searched, key = self._held.get(indent, (0, b""))
        if line < searched:
            searched, key = 0, b""
        # The first item of the list stands right below its key.
        first = text.rfind(b":\n" + indent + b"- ", searched, dash + 2)
        if first >= 0:
            start = text.rfind(b"\n", max(0, first - _LONGEST), first) + 1
            key = text[start:first].strip().rpartition(b"- ")[2] if first - start <= _LONGEST else b""
        self._held[indent] = (max(0, line - 1), key)
        return key
