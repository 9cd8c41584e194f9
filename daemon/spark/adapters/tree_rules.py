"""Which names a scan takes in, which Unity imports, and where links lead. Owns no records."""

from __future__ import annotations

import os
from typing import Final

SKIPPED: Final = frozenset({".git", ".svn", ".hg", ".plastic", ".spark"})
"""Folders of version control and SPARK's own: never looked into, wherever they lie."""


def is_ignored_by_unity(name: str) -> bool:
    """Whether Unity leaves a file or folder of this name out of its asset database."""
    return name.startswith(".") or name.endswith("~") or name.casefold() == "cvs" or name.casefold().endswith(".tmp")


def is_indexed(name: str) -> bool:
    """Not version control's, and text: undecodable bytes cannot be a `ProjectPath` (no platform but Linux has them)."""
    if name in SKIPPED:
        return False
    if name.isascii():
        return True
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def link_target(root: str, parent: str, name: str) -> tuple[str, bool]:
    """Where a linked folder leads, and whether it may be entered: a link to a folder that it lies in, also by way of
    other links, would never end."""
    target = os.path.realpath(f"{root}/{parent}/{name}")
    above = parent
    while above:
        real = os.path.realpath(f"{root}/{above}")
        if real == target or real.startswith(target.rstrip("/") + "/"):
            return target, False
        above = above.rpartition("/")[0]
    return target, True
