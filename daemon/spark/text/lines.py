"""Lines of a text and which of them two texts share: patience matching, as bazaar's and `git diff --patience` do it.

patiencediff's own matcher stops the process's thread with a Rust panic on texts of many repeated lines (its depth limit of
ten), so only its `unique_lcs` is used and the recursion is here: with a stack, bounded, never raising.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

Item = TypeVar("Item", str, bytes)

_MAX_DEPTH: Final = 64
"""Deeper than this, lines count as different: a longer diff, but never a slow one."""


def git_lines(text: str) -> list[str]:
    """Lines with their ends, broken at `\\n` only, as git counts them."""
    lines = text.split("\n")
    ended = [line + "\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def matching_blocks(a: Sequence[Item], b: Sequence[Item]) -> list[tuple[int, int, int]]:
    """`(i, j, size)`: `a[i:i+size] == b[j:j+size]`, rising in both; the last is `(len(a), len(b), 0)`."""
    from patiencediff import unique_lcs

    found: list[tuple[int, int, int]] = []
    todo = [(0, 0, len(a), len(b), 0)]
    while todo:
        a1, b1, a2, b2, depth = todo.pop()
        if a1 == a2 or b1 == b2:
            continue
        unique = unique_lcs(a[a1:a2], b[b1:b2]) if depth < _MAX_DEPTH else []
        if unique:
            last_a, last_b = a1, b1
            for i, j in unique:
                todo.append((last_a, last_b, a1 + i, b1 + j, depth + 1))
                found.append((a1 + i, b1 + j, 1))
                last_a, last_b = a1 + i + 1, b1 + j + 1
            todo.append((last_a, last_b, a2, b2, depth + 1))
        elif size := _same_at_start(a, b, (a1, b1, a2, b2)):
            found.append((a1, b1, size))
            todo.append((a1 + size, b1 + size, a2, b2, depth + 1))
        elif size := _same_at_end(a, b, (a1, b1, a2, b2)):
            found.append((a2 - size, b2 - size, size))
            todo.append((a1, b1, a2 - size, b2 - size, depth + 1))
    return _joined(sorted(found), (len(a), len(b), 0))


def _same_at_start(a: Sequence[Item], b: Sequence[Item], window: tuple[int, int, int, int]) -> int:
    a1, b1, a2, b2 = window
    most = min(a2 - a1, b2 - b1)
    return next((n for n in range(most) if a[a1 + n] != b[b1 + n]), most)


def _same_at_end(a: Sequence[Item], b: Sequence[Item], window: tuple[int, int, int, int]) -> int:
    a1, b1, a2, b2 = window
    most = min(a2 - a1, b2 - b1)
    return next((n for n in range(most) if a[a2 - 1 - n] != b[b2 - 1 - n]), most)


def _joined(found: list[tuple[int, int, int]], end: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    blocks: list[tuple[int, int, int]] = []
    for i, j, size in found:
        if blocks and (blocks[-1][0] + blocks[-1][2], blocks[-1][1] + blocks[-1][2]) == (i, j):
            blocks[-1] = (blocks[-1][0], blocks[-1][1], blocks[-1][2] + size)
        else:
            blocks.append((i, j, size))
    return [*blocks, end]


def line_changes(old: Sequence[Item], new: Sequence[Item]) -> list[tuple[int, int, int, int]]:
    """Where two lists of lines differ: `old[a1:a2]` became `new[b1:b2]`, in order."""
    a = b = 0
    changes: list[tuple[int, int, int, int]] = []
    for i, j, size in matching_blocks(old, new):
        if a < i or b < j:
            changes.append((a, i, b, j))
        a, b = i + size, j + size
    return changes
