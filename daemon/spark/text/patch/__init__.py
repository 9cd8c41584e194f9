"""The edit formats of `applyCodePatch`, as functions from text to text. They know no files and no project.

`edits` finds and replaces, `unified` reads git's diffs, `v4a` reads the apply_patch envelope; `sections` is
what both say, `hunks` finds where it belongs, `matching` is how text is found at all.
"""

from __future__ import annotations

from spark.text.patch.edits import delete, insert, replace
from spark.text.patch.hunks import apply_hunks
from spark.text.patch.matching import Level, Patched
from spark.text.patch.sections import FilePatch, Hunk, Line
from spark.text.patch.unified import parse_unified
from spark.text.patch.v4a import parse_v4a

__all__ = [
    "FilePatch",
    "Hunk",
    "Level",
    "Line",
    "Patched",
    "apply_hunks",
    "delete",
    "insert",
    "parse_unified",
    "parse_v4a",
    "replace",
]
