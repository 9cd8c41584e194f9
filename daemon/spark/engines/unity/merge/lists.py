"""Lists: items found by their identity, overrides that are one value together, runs of items that are versions of each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from spark.engines.unity.merge.parts import Part, Parts
from spark.engines.unity.merge.rules import Key, ListRule, one_value_group
from spark.engines.unity.yaml.tree import MAP

_SIZE: Final = ".Array.size"


def keyed(parts: Parts, rule: ListRule) -> dict[Key, Part] | None:
    """The items by their identity; None where one has none, or two have the same."""
    found: dict[Key, Part] = {}
    for part in parts:
        key = rule.key(part.value)
        if key is None or key in found:
            return None
        found[key] = part
    return found


def override_conflicts(
    base: Mapping[Key, Part], ours: Mapping[Key, Part], theirs: Mapping[Key, Part]
) -> frozenset[Key]:
    """Overrides that merge one by one, to something that nobody made: two rotations, each half; an array that one side made
    shorter and an element of it, beyond that end, that the other side changed."""
    changed = [
        {key for key in base.keys() | side.keys() if _raw(base, key) != _raw(side, key)} for side in (ours, theirs)
    ]
    if not (changed[0] and changed[1]):
        return frozenset()
    groups = [{one_value_group(key) for key in side} - {None} for side in changed]
    both = groups[0] & groups[1]
    found = {key for key in changed[0] | changed[1] if one_value_group(key) in both}
    for number, (side, other) in enumerate(((ours, theirs), (theirs, ours))):
        lengths = {key: _length(side.get(key)) for key in changed[number] if key[-1].endswith(_SIZE)}
        for key in changed[1 - number] & other.keys() if lengths else ():
            beyond = [size for size, place in _arrays_around(key) if place >= lengths.get(size, place + 1)]
            found.update([key, *beyond] if beyond else [])
    return frozenset(key for key in found if _raw(ours, key) != _raw(theirs, key))


def _arrays_around(key: Key) -> Iterator[tuple[Key, int]]:
    """The key of the size of each array that an override stands in, and the place there."""
    for match in re.finditer(r"\.Array\.data\[(\d{1,9})\]", key[-1]):
        yield (*key[:-1], key[-1][: match.start()] + _SIZE), int(match[1])


def _length(part: Part | None) -> int:
    """An override's value as the length of an array; a very large one where it is none."""
    value = None if part is None else part.value.get("value")
    text = "" if value is None else value.text
    return int(text) if text.isdecimal() and len(text) < 10 else 10**10


def _raw(side: Mapping[Key, Part], key: Key) -> bytes:
    part = side.get(key)
    return b"" if part is None else part.raw


def similar(base: Parts, side: Parts) -> bool:
    """Whether each item is a version of the one in its place: mappings that share at least half of what they hold."""
    for before, after in zip(base, side, strict=True):
        if before.raw == after.raw:
            continue
        if before.value.kind != MAP or after.value.kind != MAP:
            return False
        then = [(key.raw, value.raw) for key, value in before.value.entries()]
        now = {(key.raw, value.raw) for key, value in after.value.entries()}
        if 2 * sum(entry in now for entry in then) < len(then):
            return False
    return True
