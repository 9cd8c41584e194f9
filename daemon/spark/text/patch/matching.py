"""How a piece of text is found in a file: exactly, else by lines without regard to trailing spaces, else to indentation.

A looser level is only tried where the stricter one finds nothing, and counts only where it finds one place.
Every search is linear in the file (`str.find`), so no input makes it hang.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any, Final, Literal

from spark.core.errors import ToolRejected
from spark.text.preserve import Document

Level = Literal["exact", "trailingSpace", "indentation", "alreadyApplied"]
LEVELS: Final[tuple[Level, ...]] = ("exact", "trailingSpace", "indentation")
PLACES_SHOWN: Final = 20
_NEAREST_S: Final = 0.25
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Patched:
    """A patched text and how its places were found (`alreadyApplied`: nothing changed, it was there before)."""

    document: Document
    matched: Level


def weakest(levels: Sequence[Level]) -> Level:
    """The loosest level of several; `alreadyApplied` only where all are."""
    done = [level for level in levels if level != "alreadyApplied"]
    return max(done, key=LEVELS.index) if done else "alreadyApplied"


def loosened(line: str, level: Level) -> str:
    """A line as it is compared at a level."""
    if level == "exact":
        return line
    return line.rstrip() if level == "trailingSpace" else line.strip()


def positions(haystack: str, needle: str, *, limit: int, overlapping: bool = True) -> list[int]:
    """Offsets of the first `limit` places of a needle that is not empty."""
    found: list[int] = []
    at = haystack.find(needle)
    while at >= 0 and len(found) < limit:
        found.append(at)
        at = haystack.find(needle, at + (1 if overlapping else len(needle)))
    return found


def line_positions(lines: Sequence[str], wanted: Sequence[str], level: Level, *, limit: int = 100) -> list[int]:
    """Indexes in `lines` where all of `wanted` follow each other, compared at a level."""
    if not lines or not wanted or (level != "exact" and not any(line.strip() for line in wanted)):
        return []
    # A separator on both sides makes every hit a hit of whole lines, found by one linear search.
    haystack = "\n" + "\n".join(loosened(line, level) for line in lines) + "\n"
    needle = "\n" + "\n".join(loosened(line, level) for line in wanted) + "\n"
    found = positions(haystack, needle, limit=limit)
    counts: list[int] = []
    line = last = 0
    for offset in found:
        line += haystack.count("\n", last, offset)
        last = offset
        counts.append(line)
    return counts


def line_of(text: str, offset: int) -> int:
    """The number, from 1, of the line that an offset lies in."""
    return text.count("\n", 0, offset) + 1


def nearest(lines: Sequence[str], wanted: Sequence[str], *, count: int = 3) -> list[dict[str, Any]]:
    """`[{line, text}]` of the lines most like the most telling wanted one; found within a time limit."""
    telling = max((line.strip() for line in wanted), key=len, default="")[:200]
    words = set(_WORD.findall(telling))
    if not telling:
        return []
    deadline = time.monotonic() + _NEAREST_S
    scored: list[tuple[float, int]] = []
    for number, line in enumerate(lines, 1):
        if number % 256 == 0 and time.monotonic() > deadline:
            break
        stripped = line.strip()[:200]
        shared = words.intersection(_WORD.findall(stripped)) if stripped else ()
        if shared:
            scored.append((len(shared) / len(words), number))
    scored.sort(key=lambda item: (-item[0], item[1]))
    best = sorted(
        (
            (SequenceMatcher(None, telling, lines[number - 1].strip()[:200]).ratio(), -number)
            for _, number in scored[:20]
        ),
        reverse=True,
    )
    return [{"line": -number, "text": lines[-number - 1].rstrip()[:200]} for _, number in best[:count]]


def not_found(what: str, lines: Sequence[str], wanted: Sequence[str], **details: Any) -> ToolRejected:
    """`patch_does_not_apply` with the nearest lines."""
    near = nearest(lines, wanted)
    shown = "; ".join(f"line {item['line']}: {item['text'].strip()}" for item in near)
    return ToolRejected(
        "patch_does_not_apply",
        f"{what} is not in the file" + (f"; nearest: {shown}" if shown else ""),
        hint="Read the file again and copy the lines exactly as they are, with their indentation.",
        details={"nearest": near, **details},
    )


def ambiguous(what: str, numbers: Sequence[int], count: int, **details: Any) -> ToolRejected:
    """`ambiguous_match` with the count and the line numbers."""
    shown = ", ".join(str(number) for number in numbers[:PLACES_SHOWN])
    return ToolRejected(
        "ambiguous_match",
        f"{what} is found {count} times, at lines {shown}",
        hint="Give more of the lines around it so that it is found once.",
        details={"count": count, "lines": list(numbers[:PLACES_SHOWN]), **details},
    )


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def reindented(new: Sequence[str], wanted: Sequence[str], found: Sequence[str]) -> list[str]:
    """New lines with the indentation of the file, learnt from the lines that were given (`wanted`) and found there."""
    known = {indent_of(given): indent_of(actual) for given, actual in zip(wanted, found, strict=True) if given.strip()}
    unit = _unit(found)
    result: list[str] = []
    for line in new:
        if not line.strip():
            result.append(line.strip(" \t"))
            continue
        indent = indent_of(line)
        result.append(_translated(indent, known, unit) + line[len(indent) :])
    return result


def _translated(indent: str, known: dict[str, str], unit: str) -> str:
    if indent in known:
        return known[indent]
    shorter = [given for given in known if indent.startswith(given)]
    if shorter:
        base = max(shorter, key=len)
        return known[base] + _in_unit(indent[len(base) :], unit)
    # Less indented than all that was given: take the difference off from what the least indented line has.
    least = min(known, key=len)
    surplus = len(_in_unit(least[len(indent) :], unit))
    actual = known[least]
    return actual[: max(len(actual) - surplus, 0)] if least.startswith(indent) else indent


def _unit(found: Sequence[str]) -> str:
    return "\t" if any(indent_of(line).startswith("\t") for line in found) else " "


def _in_unit(extra: str, unit: str) -> str:
    if unit == "\t" and extra and set(extra) == {" "}:
        return "\t" * max(len(extra) // 4, 1)
    if unit == " " and "\t" in extra:
        return extra.replace("\t", "    ")
    return extra


def spans(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Start and end offset of every line of a text that was split at `\\n`, without its line end."""
    starts = accumulate((len(line) + 1 for line in lines), initial=0)
    return [(start, start + len(line)) for start, line in zip(starts, lines, strict=False)]
