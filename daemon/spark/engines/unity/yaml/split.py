"""A file cut into its documents: header, class id, file id, `stripped`, and where each begins and ends.

Only headers are looked at; a body is parsed when somebody asks for it.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

from spark.core.patience import go_on
from spark.engines.unity.yaml.errors import YamlError

HEADER: Final = b"%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"
_DOCUMENT: Final = re.compile(rb"--- !u!(\d{1,10}) &(-?\d{1,19})( stripped)?[ \t]*+\r?(?:\n|\Z)")
_HEAD: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:%[^\n]*+(?:\n|\Z)|[ \t]*+\r?\n)*+")
_BOM: Final = b"\xef\xbb\xbf"
# A header with an id of 19 digits is at least this long.
_LONG: Final = len(b"--- !u!1 &") + 18


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file. `start` is the offset of its header line, `body_start` of the class name behind it."""

    class_id: int
    file_id: int
    stripped: bool
    start: int
    body_start: int
    end: int


class Documents(Sequence[Document]):
    """The documents of a file, in order. Only their offsets are held; a `Document` is made when somebody looks at it."""

    __slots__ = ("_content", "_starts")

    def __init__(self, content: bytes, starts: array[int]) -> None:
        """`starts`: where each header line begins, and the end of the file."""
        self._content = content
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, at: int) -> Document: ...
    @overload
    def __getitem__(self, at: slice) -> list[Document]: ...
    def __getitem__(self, at: int | slice) -> Document | list[Document]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        number = range(len(self))[at]
        start = self._starts[number]
        match = _DOCUMENT.match(self._content, start)
        assert match is not None
        class_id, file_id, stripped = match.groups()
        return Document(int(class_id), int(file_id), stripped is not None, start, match.end(), self._starts[number + 1])

    def __iter__(self) -> Iterator[Document]:
        return (self[number] for number in range(len(self)))

    def bounds(self, number: int) -> tuple[int, int]:
        """Where a document begins and ends."""
        return self._starts[number], self._starts[number + 1]

    def find(self, file_id: int) -> list[int]:
        """The numbers of the documents with a file id."""
        wanted = b"&%d" % file_id
        content, found = self._content, []
        for number, start in enumerate(self._starts[:-1]):
            if content.find(wanted, start, start + 64) >= 0 and self[number].file_id == file_id:
                found.append(number)
        return found


@dataclass(frozen=True, slots=True)
class Split:
    """`head_end`: where the first document begins (the `%YAML` lines stand before it)."""

    head_end: int
    documents: Documents


def is_yaml(content: bytes) -> bool:
    """Whether the bytes are a text asset as Unity serialises it (a `.meta` is not: it has no header)."""
    return content.startswith((b"%YAML", _BOM + b"%YAML"))


def split(content: bytes) -> Split:
    """The documents of an asset, in order. Raises `YamlError` for a line that begins with `---` and is no header of Unity's,
    for an id beyond 64 bits, and for text before the first document."""
    starts = array("Q", [0] if content.startswith(b"---") else [])
    at = content.find(b"\n---")
    while at >= 0:
        starts.append(at + 1)
        at = content.find(b"\n---", at + 4)
    match_at = _DOCUMENT.match
    for start in starts:
        go_on()
        match = match_at(content, start)
        if match is None:
            raise YamlError("a line begins with --- but is no document header of Unity", start)
        if match.end() - start > _LONG and not -(1 << 63) <= int(match[2]) < 1 << 63:
            raise YamlError(f"the file id {match[2].decode()} does not fit into 64 bits", start)
    starts.append(len(content))
    head = _HEAD.match(content, 0, starts[0])
    if head is None or head.end() != starts[0]:
        raise YamlError("a line before the first document that is no directive", head.end() if head else 0)
    return Split(starts[0], Documents(content, starts))
