"""The edit formats of `applyCodePatch`, as functions from text to text. They know no files and no project.

`edits` finds and replaces, `unified` reads git's diffs, `v4a` reads the apply_patch envelope; `hunks` finds where the
hunks of both belong, `matching` is how text is found at all.
"""

from __future__ import annotations

from spark.text.patch.edits import delete, insert, replace
from spark.text.patch.hunks import FilePatch, Hunk, Line, apply_hunks
from spark.text.patch.matching import Level, Patched
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
