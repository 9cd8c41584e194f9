"""How one file is written: what Unity's writer does differently from file to file. Six facts, inferred from the bytes.

Unity does not rewrite old files on an upgrade, so a project holds files of several modes side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from spark.engines.unity.editor_version import EditorVersion

ScalarFold = Literal["current", "old", "none"]
Quoting = Literal["current", "brackets", "loose", "empty"]
Newline = Literal["\n", "\r\n"]
BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Mode:
    """`fold`: long inline mappings are broken into lines. `scalars`: where long texts are broken: at a space from column 80
    on, behind column 80 (2018.3 and earlier), or never. `quoting`: which texts are quoted that need not be in every file:
    `brackets` a text that ends in `]` (6000.x); `loose` leaves plain what has a space before `#`, begins with `---` or ends in
    a space (some files of 2021.3); `empty` writes an empty text as two quotes (a few metas).
    """

    fold: bool = True
    scalars: ScalarFold = "current"
    quoting: Quoting = "current"
    newline: Newline = "\n"
    bom: bool = False
    final_newline: bool = True

    @classmethod
    def for_project(cls, version: EditorVersion, *, one_line: bool) -> Mode:
        """The mode of new files. `one_line`: the project's `m_SerializeInlineMappingsOnOneLine`."""
        return cls(fold=not one_line, quoting="brackets" if version >= EditorVersion(6000, 0) else "current")


class LateMode:
    """A file's mode that is inferred when the writer first asks: most values look the same in every mode."""

    __slots__ = ("_mode", "newline")

    def __init__(self, mode: Callable[[], Mode], newline: Newline) -> None:
        self._mode = mode
        self.newline = newline

    def with_newline(self, newline: Newline) -> LateMode:
        return LateMode(self._mode, newline)

    @property
    def fold(self) -> bool:
        return self._mode().fold

    @property
    def scalars(self) -> ScalarFold:
        return self._mode().scalars

    @property
    def quoting(self) -> Quoting:
        return self._mode().quoting


def mode_of(content: bytes, default: Mode | None = None) -> Mode:
    """The mode of a file; what its bytes do not tell is taken from `default`."""
    from spark.engines.unity.yaml.evidence import mode_from

    return mode_from(content, default or Mode())
