"""Find and replace, insert beside an anchor, delete: one exact and unique place, or a refusal that names the places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from spark.core.errors import invalid_arguments
from spark.text.patch.matching import (
    LEVELS,
    PLACES_SHOWN,
    Level,
    Patched,
    ambiguous,
    indent_of,
    line_of,
    line_positions,
    not_found,
    positions,
    reindented,
    spans,
)
from spark.text.preserve import Document, Splice

_MOST_PLACES: Final = 100_000
_COUNTED_PLACES: Final = 100


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text was found; `found` are the file's lines for a match by lines."""

    start: int
    end: int
    found: tuple[str, ...] = ()


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _exact(text: str, wanted: str, *, everywhere: bool) -> list[_Place]:
    limit = _MOST_PLACES if everywhere else _COUNTED_PLACES
    return [_Place(at, at + len(wanted)) for at in positions(text, wanted, limit=limit, overlapping=not everywhere)]


def _by_lines(text: str, wanted: str, level: Level) -> list[_Place]:
    lines = text.split("\n")
    wanted_lines = wanted.strip("\n").split("\n")
    places = line_positions(lines, wanted_lines, level)
    if not places:
        return []
    bounds = spans(lines)
    return [
        _Place(bounds[at][0], bounds[at + len(wanted_lines) - 1][1], tuple(lines[at : at + len(wanted_lines)]))
        for at in places
    ]


def _find(text: str, wanted: str, *, field: str, everywhere: bool = False) -> tuple[list[_Place], Level]:
    """The one place of a text (or all). Raises `patch_does_not_apply` and `ambiguous_match`."""
    for level in LEVELS:
        exact = level == "exact"
        places = _exact(text, wanted, everywhere=everywhere) if exact else _by_lines(text, wanted, level)
        if everywhere and places:
            return _apart(places), level
        if len(places) == 1:
            return places, level
        if places:
            numbers = [line_of(text, place.start) for place in places[:PLACES_SHOWN]]
            raise ambiguous(field, numbers, len(places), field=field)
    raise not_found(field, text.split("\n"), wanted.split("\n"), field=field)


def _apart(places: list[_Place]) -> list[_Place]:
    kept: list[_Place] = []
    for place in places:
        if not kept or place.start >= kept[-1].end:
            kept.append(place)
    return kept


def _wanted(text: str | None, field: str) -> str:
    if not text:
        raise invalid_arguments({field: "the text to find, not empty"})
    return _plain(text)


def _tells(text: str) -> bool:
    """Whether finding this text says anything: a lone brace is found in every file."""
    return sum(char.isalnum() for char in text) >= 3


def _finish(document: Document, edits: list[Splice], level: Level) -> Patched:
    return Patched(document.splice(edits).ending_like(document), level)


def replace(document: Document, old: str | None, new: str, *, everywhere: bool = False) -> Patched:
    """`old` becomes `new`; `everywhere`: at all places. Recognises that it was done before."""
    text, wanted, content = document.text, _wanted(old, "oldContent"), _plain(new)
    if _done_before(text, wanted, content, everywhere=everywhere):
        return Patched(document, "alreadyApplied")
    places, level = _find(text, wanted, field="oldContent", everywhere=everywhere)
    edits: list[Splice] = []
    for place in places:
        if level == "exact":
            edits.append(Splice(place.start, place.end, content))
            continue
        edits.append(_line_splice(text, place, wanted, content, level))
    return _finish(document, edits, level)


def _line_splice(text: str, place: _Place, wanted: str, content: str, level: Level) -> Splice:
    """The place is whole lines without the newlines around them, so those that were given are taken off `content` too."""
    if not content.strip("\n"):
        return _whole_lines(text, place)
    for _ in range(len(wanted) - len(wanted.lstrip("\n"))):
        content = content.removeprefix("\n")
    for _ in range(len(wanted) - len(wanted.rstrip("\n"))):
        content = content.removesuffix("\n")
    if level == "indentation":
        content = "\n".join(reindented(content.split("\n"), wanted.strip("\n").split("\n"), place.found))
    return Splice(place.start, place.end, content)


def _done_before(text: str, wanted: str, content: str, *, everywhere: bool) -> bool:
    if content == wanted:
        return wanted in text
    if not _tells(content):
        return False
    inside = content.find(wanted)
    if inside < 0:
        return wanted not in text and text.count(content) == 1 and not _loosely_there(text, wanted)
    # The new text holds the old one: it was done before where every old text stands inside the new text already.
    places = positions(text, wanted, limit=_MOST_PLACES, overlapping=False)
    if not places or (len(places) > 1 and not everywhere):
        return False
    return all(at >= inside and text.startswith(content, at - inside) for at in places)


def _loosely_there(text: str, wanted: str) -> bool:
    return any(_by_lines(text, wanted, level) for level in LEVELS[1:])


def delete(document: Document, old: str | None) -> Patched:
    """Takes a text out; where it fills whole lines, the lines go."""
    text, wanted = document.text, _wanted(old, "oldContent")
    places, level = _find(text, wanted, field="oldContent")
    place = places[0]
    if level == "exact" and (wanted.endswith("\n") or not _fills_lines(text, place)):
        return _finish(document, [Splice(place.start, place.end, "")], level)
    return _finish(document, [_whole_lines(text, place)], level)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _at_line_end(text: str, at: int) -> bool:
    return at == len(text) or text[at] == "\n"


def _fills_lines(text: str, place: _Place) -> bool:
    return not text[_line_start(text, place.start) : place.start].strip() and _at_line_end(text, place.end)


def _whole_lines(text: str, place: _Place) -> Splice:
    start, end = _line_start(text, place.start), place.end
    if end < len(text):
        return Splice(start, end + 1, "")
    return Splice(max(start - 1, 0), end, "")


def insert(document: Document, anchor: str | None, new: str, *, where: Literal["before", "after"]) -> Patched:
    """Puts `new` beside the one place of an anchor: as whole lines where the anchor begins (or ends) its line, else in the line.

    Recognises that it was done before: the same text stands beside the anchor already.
    """
    text, wanted, content = document.text, _wanted(anchor, "oldContent"), _plain(new)
    if not content:
        raise invalid_arguments({"newContent": "the text to insert, not empty"})
    places, level = _find(text, wanted, field="oldContent")
    place = places[0]
    if level == "indentation":
        lines = content.split("\n")
        content = "\n".join(reindented(lines, wanted.strip("\n").split("\n"), place.found))
    edit = _before(text, place, wanted, content) if where == "before" else _after(text, place, wanted, content)
    if _tells(content) and _stands_beside(text, edit.start, content.strip("\n"), where):
        return Patched(document, "alreadyApplied")
    return _finish(document, [edit], level)


def _stands_beside(text: str, at: int, content: str, where: str) -> bool:
    near = text[:at].rstrip() if where == "before" else text[at:].lstrip()
    return near.endswith(content.strip()) if where == "before" else near.startswith(content.strip())


def _indented_like(text: str, place: _Place, wanted: str, content: str) -> str:
    """Content given without indentation, beside an anchor given without its indentation, gets the anchor's."""
    indent = text[_line_start(text, place.start) : place.start]
    lines = content.split("\n")
    told = [line for line in lines if line.strip()]
    if indent_of(wanted) or all(indent_of(line) for line in told):
        return content
    return "\n".join(indent + line if line.strip() else line for line in lines)


def _before(text: str, place: _Place, wanted: str, content: str) -> Splice:
    start = _line_start(text, place.start)
    begins_line = not text[start : place.start].strip()
    inline = "\n" not in content and content[-1:].isspace()
    if not begins_line or inline:
        return Splice(place.start, place.start, content)
    content = _indented_like(text, place, wanted, content)
    return Splice(start, start, content if content.endswith("\n") else content + "\n")


def _after(text: str, place: _Place, wanted: str, content: str) -> Splice:
    end = place.end
    if wanted.endswith("\n") and text[end - 1 : end] == "\n":
        return Splice(end, end, content if content.endswith("\n") else content + "\n")
    inline = "\n" not in content and content[:1] == " " and content[1:2].strip() != ""
    if not _at_line_end(text, end) or inline or (content.startswith("\n") and not content.endswith("\n")):
        return Splice(end, end, content)
    first = _line_start(text, place.start)
    if "\n" not in wanted and not text[first : place.start].strip():
        content = _indented_like(text, place, wanted, content)
    body = content if content.endswith("\n") else content + "\n"
    if end == len(text):
        return Splice(end, end, "\n" + body)
    return Splice(end + 1, end + 1, body)
