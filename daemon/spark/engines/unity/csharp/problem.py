"""One problem found in a C# text, by offset. The numbers of lines and columns are worked out last, where it is reported."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from spark.core.diagnostics import Severity


@dataclass(frozen=True, slots=True)
class Problem:
    """`message` names no line numbers: two checks of one file are compared by code and message. `offset` counts characters,
    -1 stands for the whole text."""

    code: str
    message: str
    offset: int
    fix: str = ""
    severity: Severity = "error"


class Lines:
    """Line and column (from 1) of character offsets."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        position = text.find("\n")
        while position >= 0:
            self._starts.append(position + 1)
            position = text.find("\n", position + 1)

    def __len__(self) -> int:
        return len(self._starts)

    def place(self, offset: int) -> tuple[int, int]:
        if offset < 0:
            return 0, 0
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start(self, line: int) -> int:
        """Offset of a line's first character; `line` counts from 1."""
        return self._starts[line - 1]
