"""The details of a refusal for people: short lines instead of JSON. Conflicts show path, line and both sides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from spark.cli.output import one_line, printable

_WIDTH: Final = 160
_SHOWN_ITEMS: Final = 10
_SHOWN_LINES: Final = 40
_SIDE_LINES: Final = 6
_HASH: Final = re.compile(r"[0-9a-f]{40,64}")
_FOR_PROGRAMS: Final = frozenset({"approvalId", "callId", "reason", "count"})


def detail_lines(details: Mapping[str, Any], message: str = "") -> Iterator[str]:
    """What a person can use of the details, one line each; what `message` says already and hashes are left out."""
    for name, value in details.items():
        if name in _FOR_PROGRAMS or value in (None, "", [], {}):
            continue
        if name == "conflicts" and isinstance(value, Sequence):
            for conflict in value[:_SHOWN_ITEMS]:
                yield from _conflict(conflict, str(details.get("path") or ""))
        elif name == "diff":
            yield from (line[:_WIDTH] for line in _cut(printable(str(value)).splitlines(), _SHOWN_LINES))
        elif isinstance(value, Mapping):
            # `fields` names each field with what would be accepted: the name of the group says nothing.
            yield from _flat(value, message)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from _listed(name, value)
        else:
            yield from _flat({name: value}, message)


def _flat(pairs: Mapping[str, Any], message: str) -> Iterator[str]:
    for name, value in pairs.items():
        text = one_line(_plain(value), _WIDTH)
        if text and text not in message and not _HASH.fullmatch(text):
            yield f"{name}: {text}"


def _listed(name: str, items: Sequence[Any]) -> Iterator[str]:
    if not any(isinstance(item, Mapping) for item in items):
        shown = ", ".join(_plain(item) for item in items[:_SHOWN_ITEMS])
        more = f", and {len(items) - _SHOWN_ITEMS} more" if len(items) > _SHOWN_ITEMS else ""
        yield f"{name}: {one_line(shown, _WIDTH)}{more}"
        return
    yield from _cut([_item(item) for item in items], _SHOWN_ITEMS)


def _item(item: Any) -> str:
    """A change, a finding, or another small object on one line."""
    if not isinstance(item, Mapping):
        return one_line(_plain(item), _WIDTH)
    place = str(item.get("path") or "") + (f":{item['line']}" if item.get("line") else "")
    if item.get("message"):
        return one_line(f"{place}: {item['message']}" if place else str(item["message"]), _WIDTH)
    if item.get("action"):
        return f"{item['action']:>9} {printable(place)}"
    return one_line(
        ", ".join(f"{name} {_plain(value)}" for name, value in item.items() if not _HASH.fullmatch(_plain(value))),
        _WIDTH,
    )


def _conflict(conflict: Any, path: str) -> Iterator[str]:
    """One file with its places, or one place of the file `path`."""
    if not isinstance(conflict, Mapping):
        yield one_line(_plain(conflict), _WIDTH)
        return
    path = printable(str(conflict.get("path") or path))
    places = conflict.get("lines")
    if isinstance(places, Sequence) and not isinstance(places, str):
        if not places:
            yield f"{path}: {one_line(str(conflict.get('reason') or 'it was changed since'), _WIDTH)}"
        for place in places[:_SHOWN_ITEMS]:
            yield from _conflict(place, path)
        return
    line = conflict.get("line", conflict.get("oursLine"))
    yield f"{path} line {line}:" if line else f"{path}:"
    for label, side in (("now", "ours"), ("wanted", "theirs")):
        text = printable(str(conflict.get(side) or "")).splitlines() or ["(nothing)"]
        yield from (f"  {label:>6} | {part[:_WIDTH]}" for part in _cut(text, _SIDE_LINES))


def _cut(lines: Sequence[str], most: int) -> Iterator[str]:
    yield from lines[:most]
    if len(lines) > most:
        yield f"... and {len(lines) - most} more"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_plain(part) for part in value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
