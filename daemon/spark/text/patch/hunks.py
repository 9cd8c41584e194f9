"""Hunks of unified diffs and of the apply_patch envelope: where each belongs in a file, and what it makes there.

A hunk with line numbers is found as `git apply` finds it, but where git would guess between several places it is
refused. All lines that a hunk does not name stay byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spark.core.errors import ToolRejected
from spark.text.lines import git_lines
from spark.text.patch.matching import (
    LEVELS,
    PLACES_SHOWN,
    Level,
    Patched,
    ambiguous,
    line_positions,
    not_found,
    positions,
    reindented,
    weakest,
)
from spark.text.patch.sections import Hunk, Line
from spark.text.preserve import Document

_COUNTED_PLACES: Final = 100


@dataclass(frozen=True, slots=True)
class _Edit:
    """Lines `start:end` of the file become `lines`. `drift`: how far from its header's line the hunk was found.
    `window`: the lines that the hunk was found by, its context too."""

    start: int
    end: int
    lines: tuple[str, ...]
    drift: int
    window: tuple[int, int]

    @property
    def grows(self) -> int:
        return len(self.lines) - (self.end - self.start)


@dataclass(frozen=True)
class _Image:
    """The file's lines: with their ends, and bare; and the edits that earlier hunks made."""

    lines: list[str]
    bare: list[str]
    done: list[_Edit]

    def free(self, places: Sequence[int], size: int, *, numbered: bool) -> list[int]:
        """Those places that no earlier hunk has changed. As in git, numbered hunks do not share context either."""
        taken = [edit.window if numbered else (edit.start, edit.end) for edit in self.done]
        return [at for at in places if all(at + size <= start or at >= end for start, end in taken)]

    def patched_index(self, at: int) -> int:
        """The index that a line has once the earlier hunks are applied."""
        return at + sum(edit.grows for edit in self.done if edit.start < at)

    @property
    def patched_size(self) -> int:
        return len(self.lines) + sum(edit.grows for edit in self.done)


def apply_hunks(document: Document, hunks: Sequence[Hunk]) -> Patched:
    """All hunks, or `patch_does_not_apply` / `ambiguous_match` naming the hunk. Recognises hunks that were applied before."""
    lines = git_lines(document.raw)
    image = _Image(lines, [_bare(line) for line in lines], [])
    levels: list[Level] = []
    byte_exact = True
    for number, hunk in enumerate(hunks, 1):
        try:
            edit, level, raw = _place(image, hunk, document, f"hunk {number}")
        except ToolRejected:
            # With some hunks to apply and some that do not fit, the file is another one.
            if not image.done and _applied_before(image, hunks):
                return Patched(document, "alreadyApplied")
            raise
        levels.append(level)
        if edit is not None:
            image.done.append(edit)
            byte_exact = byte_exact and raw
    if not image.done:
        return Patched(document, weakest(levels) if levels else "exact")
    result = Document(_assembled(image, document.form.newline), document.form)
    says_how_it_ends = any(not line.ended for hunk in hunks for line in hunk.lines)
    return Patched(result if byte_exact or says_how_it_ends else result.ending_like(document), weakest(levels))


def _bare(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")


def _assembled(image: _Image, newline: str) -> str:
    lines = list(image.lines)
    # From the end, and of two insertions at one place the later first, so that they stand in the patch's order.
    for _, edit in sorted(enumerate(image.done), key=lambda item: (item[1].start, item[0]), reverse=True):
        lines[edit.start : edit.end] = edit.lines
    return "".join(
        line if line.endswith("\n") or number == len(lines) else line + newline for number, line in enumerate(lines, 1)
    )


def _says_much(lines: Sequence[str]) -> bool:
    return sum(char.isalnum() for line in lines for char in line) >= 3


def _applied_before(image: _Image, hunks: Sequence[Hunk]) -> bool:
    """Whether every hunk's result stands in the file once. A hunk whose result says nothing proves nothing, nor does a
    deletion that is not seen from both sides."""
    for hunk in hunks:
        result = [_bare(line.text) for line in hunk.after]
        adds = any(line.sign == "+" for line in hunk.lines)
        seen = adds or (hunk.lines[0].sign == " " and hunk.lines[-1].sign == " ")
        if not seen or not _says_much(result) or len(line_positions(image.bare, result, "exact", limit=2)) != 1:
            return False
    return True


def _place(image: _Image, hunk: Hunk, document: Document, name: str) -> tuple[_Edit | None, Level, bool]:
    """The edit that a hunk makes, its level, and whether it stands byte for byte. No edit: it was made before."""
    if not hunk.before:
        return _pure_insertion(image, hunk, document.form.newline, name), "exact", True
    numbered = hunk.new_start is not None
    if numbered:
        edit = _byte_for_byte(image, hunk, name)
        if edit is not None:
            return edit, "exact", True
    wanted = [_bare(line.text) for line in hunk.before]
    for level in LEVELS:
        found = image.free(
            line_positions(image.bare, wanted, level, limit=_COUNTED_PLACES), len(wanted), numbered=numbered
        )
        if not hunk.before[-1].ended:
            # Lines that end without a newline are the last ones of their file.
            found = [at for at in found if at + len(wanted) == len(image.lines)]
        if found and numbered and not hunk.before[-1].ended:
            raise _ends_otherwise(name)
        if not found:
            continue
        at = _the_one(image, hunk, found, name, by_number=level == "exact")
        if level == "exact" and _stands_there(image, hunk, at):
            return None, "alreadyApplied", True
        return _rebuilt(image, hunk, at, document.form.newline, level), level, False
    raise not_found(name, image.bare, [text for text in wanted if text.strip()], hunk=name)


def _ends_otherwise(name: str) -> ToolRejected:
    return ToolRejected(
        "patch_does_not_apply",
        f"{name} says that the file ends without a newline, and it ends with one",
        hint='Leave out the line "\\ No newline at end of file".',
        details={"hunk": name},
    )


def _byte_for_byte(image: _Image, hunk: Hunk, name: str) -> _Edit | None:
    """A numbered hunk whose lines stand in the file with the same line ends, as `git apply` places it."""
    before = [_with_end(line) for line in hunk.before]
    size = len(before)
    haystack, needle = "\n" + "".join(image.lines), "\n" + "".join(before)
    places = [
        haystack.count("\n", 0, offset)
        for offset in positions(haystack, needle, limit=_COUNTED_PLACES)
        if needle.endswith("\n") or offset + len(needle) == len(haystack)
    ]
    expected = _expected(image, hunk)
    if image.lines[expected : expected + size] == before and expected not in places:
        places.append(expected)
    places = image.free(sorted(places), size, numbered=True)
    if not places or (_as_git(image, hunk, places) is None and any(_stands_there(image, hunk, at) for at in places)):
        return None
    at = _the_one(image, hunk, places, name, by_number=True)
    if not hunk.before[-1].ended and at != expected:
        # git would take the same lines in the middle of the file for them, and glue the next line on.
        alike = line_positions(image.bare, [_bare(line.text) for line in hunk.before], "exact", limit=_COUNTED_PLACES)
        if len(alike) > 1:
            raise ambiguous(name, [place + 1 for place in alike[:PLACES_SHOWN]], len(alike), hunk=name)
    return _core(hunk, at, [_with_end(line) for line in hunk.after], at - expected)


def _core(hunk: Hunk, at: int, lines: Sequence[str], drift: int) -> _Edit:
    """The edit without the context around it, so that the file's own lines stay and neighbours may share them."""
    size = len(hunk.before)
    leading = next((n for n, line in enumerate(hunk.lines) if line.sign != " "), size)
    trailing = 0 if leading == size else hunk.trailing
    kept = tuple(lines[leading : len(lines) - trailing])
    return _Edit(at + leading, at + size - trailing, kept, drift, (at, at + size))


def _with_end(line: Line) -> str:
    return line.text + "\n" if line.ended else line.text


def _expected(image: _Image, hunk: Hunk) -> int:
    return max((hunk.new_start or 1) - 1 - sum(edit.grows for edit in image.done), 0)


def _as_git(image: _Image, hunk: Hunk, places: Sequence[int]) -> int | None:
    """The place that git takes (apply.c, find_pos): a hunk of line 1 must match at the beginning, one without trailing
    context at the end; else the place nearest to the header's line in the partly patched file, forwards first."""
    size, whole = len(hunk.before), image.patched_size
    at_begin, at_end = hunk.old_start in (0, 1), hunk.trailing == 0
    line = 0 if at_begin else whole - size if at_end else min(max((hunk.new_start or 1) - 1, 0), whole)
    allowed = [
        at
        for at in places
        if (not at_begin or image.patched_index(at) == 0) and (not at_end or image.patched_index(at) + size == whole)
    ]
    return min(
        allowed, key=lambda at: (abs(image.patched_index(at) - line), image.patched_index(at) < line), default=None
    )


def _the_one(image: _Image, hunk: Hunk, places: list[int], name: str, *, by_number: bool) -> int:
    """The place of a hunk among those that match. Raises `ambiguous_match` where only a guess could choose."""
    if hunk.at_end:
        size = len(hunk.before)
        places = [at for at in places if at + size == len(image.lines)] or places
    if len(places) == 1:
        return places[0]
    if hunk.new_start is not None and by_number:
        # git's choice is taken where the header's line confirms it, as it stands or moved as the hunk before it was.
        chosen = _as_git(image, hunk, places)
        expected = _expected(image, hunk)
        drift = image.done[-1].drift if image.done else 0
        if chosen is not None and chosen in (expected, expected + drift):
            return chosen
    elif hunk.anchors:
        after = {min(behind) for at in _anchor_ends(image, hunk) if (behind := [p for p in places if p >= at])}
        if len(after) == 1:
            return after.pop()
        places = sorted(after) or places
    elif image.done and hunk.new_start is None:
        behind = [at for at in places if at >= image.done[-1].end]
        if len(behind) == 1:
            return behind[0]
    raise ambiguous(name, [at + 1 for at in places[:PLACES_SHOWN]], len(places), hunk=name)


def _anchor_ends(image: _Image, hunk: Hunk) -> list[int]:
    """Indexes at which the search behind the hunk's anchors may start: the last anchor's own lines."""
    starts = [0]
    for anchor in hunk.anchors:
        wanted = anchor.strip()
        same = [at for at, line in enumerate(image.bare) if line.strip() == wanted]
        held = same or [at for at, line in enumerate(image.bare) if wanted in line]
        starts = sorted({at for at in held for start in starts if at >= start})
    return starts


def _stands_there(image: _Image, hunk: Hunk, at: int) -> bool:
    """Whether the hunk's result already stands where its old lines are found: it only adds lines, and they are there."""
    after = [_bare(line.text) for line in hunk.after]
    size = len(hunk.before)
    if any(line.sign == "-" for line in hunk.lines) or not _says_much([x.text for x in hunk.lines if x.sign == "+"]):
        return False
    first = max(at + size - len(after), 0)
    return after in (image.bare[at : at + len(after)], image.bare[first : at + size])


def _rebuilt(image: _Image, hunk: Hunk, at: int, newline: str, level: Level) -> _Edit:
    """The hunk on lines that match loosely: context keeps the file's bytes, new lines get its line ends and indentation."""
    before = [_bare(line.text) for line in hunk.before]
    size = len(before)
    new = [_bare(line.text) for line in hunk.lines if line.sign == "+"]
    if level == "indentation":
        new = reindented(new, before, image.bare[at : at + size])
    added, kept = iter(new), iter(image.lines[at : at + size])
    lines: list[str] = []
    for line in hunk.lines:
        if line.sign == "+":
            lines.append(next(added) + newline)
        else:
            same = next(kept)
            if line.sign == " ":
                lines.append(same)
    if lines and at + size == len(image.lines):
        old_ended, new_ended = hunk.before[-1].ended, bool(hunk.after) and hunk.after[-1].ended
        if not new_ended:
            lines[-1] = _bare(lines[-1])
        elif not old_ended and not lines[-1].endswith("\n"):
            lines[-1] += newline
    return _core(hunk, at, lines, at - _expected(image, hunk))


def _pure_insertion(image: _Image, hunk: Hunk, newline: str, name: str) -> _Edit | None:
    """A hunk of new lines only: into an empty file, at a marked end, or behind an anchor."""
    if not image.lines:
        return _Edit(0, 0, tuple(_with_end(line) for line in hunk.after), 0, (0, 0))
    new = [_bare(line.text) for line in hunk.after]
    places: list[int] = []
    if hunk.at_end:
        places = [len(image.lines)]
    elif hunk.anchors:
        places = [at + 1 for at in _anchor_ends(image, hunk)]
    if len(places) > 1:
        raise ambiguous(f"the anchor of {name}", places, len(places), hunk=name)
    if not places:
        raise ToolRejected(
            "patch_does_not_apply",
            f"{name} adds lines and has no line of context that says where",
            hint="Give at least one unchanged line before or after the new ones.",
            details={"hunk": name},
        )
    at = places[0]
    already = image.bare[at - len(new) : at] if hunk.at_end else image.bare[at : at + len(new)]
    if _says_much(new) and already == new:
        return None
    return _Edit(at, at, tuple(line + newline for line in new), 0, (at, at))
