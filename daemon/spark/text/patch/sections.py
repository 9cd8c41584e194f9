"""What a patch says, whatever its format: its files, their hunks, the hunks' lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk. `ended` is false where "\\ No newline at end of file" follows it."""

    sign: Literal[" ", "-", "+"]
    text: str
    ended: bool = True


@dataclass(frozen=True, slots=True)
class Hunk:
    """`old_start`, `new_start`: line numbers from the header, None where it has none. `anchors`: lines (of `@@ …`) that
    the hunk follows. `at_end`: it ends with the file's last line."""

    lines: tuple[Line, ...]
    old_start: int | None = None
    new_start: int | None = None
    anchors: tuple[str, ...] = ()
    at_end: bool = False

    @property
    def before(self) -> list[Line]:
        return [line for line in self.lines if line.sign != "+"]

    @property
    def after(self) -> list[Line]:
        return [line for line in self.lines if line.sign != "-"]

    @property
    def trailing(self) -> int:
        """How many lines of context end the hunk."""
        count = 0
        for line in reversed(self.lines):
            if line.sign != " ":
                break
            count += 1
        return count

    def reversed(self) -> Hunk:
        swap: dict[str, Literal[" ", "-", "+"]] = {" ": " ", "-": "+", "+": "-"}
        lines = tuple(Line(swap[line.sign], line.text, line.ended) for line in self.lines)
        return Hunk(lines, self.new_start, self.old_start, self.anchors, self.at_end)


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What a patch does to one file. Paths as the patch writes them, None for the absent side.

    `strip`: the paths may carry git's `a/` and `b/` in front. `binary`: git wrote no text for it.
    """

    old_path: str | None
    new_path: str | None
    hunks: tuple[Hunk, ...] = ()
    copy: bool = False
    binary: bool = False
    strip: bool = False
