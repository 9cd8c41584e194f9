"""The part of all hits that one answer of `searchProject` shows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final

from spark.core.errors import invalid_arguments
from spark.core.limits import TOOL_OUTPUT_BYTES

SEARCH_S: Final = 8.0
_SHOWN_CHARS: Final = 240


@dataclass
class SearchWindow:
    """The hits of one answer: from a cursor on, until the limit, the size or the time is used up.

    A hit's place is its file and a number that grows within the file; a cursor is the place of the last hit shown.
    """

    limit: int
    after: tuple[str, int]
    deadline: float
    hits: list[dict[str, Any]] = field(default_factory=list)
    next: str | None = None
    out_of_time: bool = False
    _last: tuple[str, int] = ("", 0)
    _used: int = 0

    @classmethod
    def open(cls, limit: int | None, cursor: str | None) -> SearchWindow:
        """Raises `invalid_arguments`."""
        return cls(limit or 50, _place(cursor), time.monotonic() + SEARCH_S)

    def late(self, path: str) -> bool:
        """Whether the time is up; the next answer then goes on with this file."""
        if time.monotonic() < self.deadline:
            return False
        self.out_of_time = True
        self.next = f"{path}:{self.after[1] if path == self.after[0] else 0}"
        return True

    def add(self, path: str, at: int, *, line: int = 0, text: str = "", **more: Any) -> bool:
        """Takes a hit; False where the window is full. Line 0: the whole file."""
        if (path, at) <= self.after:
            return True
        hit: dict[str, Any] = {"path": path, **more}
        if line:
            hit |= {"line": line, "text": text.strip()[:_SHOWN_CHARS]}
        size = sum(len(str(value).encode("utf-8", "replace")) for value in hit.values()) + 40
        if len(self.hits) >= self.limit or self._used + size > TOOL_OUTPUT_BYTES:
            self.next = f"{self._last[0]}:{self._last[1]}"
            return False
        self._used += size
        self._last = (path, at)
        self.hits.append(hit)
        return True


def _place(cursor: str | None) -> tuple[str, int]:
    if cursor is None:
        return "", 0
    path, _, number = cursor.rpartition(":")
    if not path or not number.isascii() or not number.isdigit() or len(number) > 18:
        raise invalid_arguments({"cursor": "the `next` of the answer before, unchanged"})
    return path, int(number)
