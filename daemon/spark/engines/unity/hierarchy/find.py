"""Finding an object by its path (`Root/Body/Wheel`, `Root/Wheel[1]`) or file id (`&123`, `123`), and a component by type.

What fits several is refused with the list of them; what fits nothing is refused with what is there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.hierarchy.engine_types import plain_type
from spark.engines.unity.hierarchy.ids import MONO_BEHAVIOUR
from spark.engines.unity.hierarchy.objects import Component, GameObject, lineage
from spark.engines.unity.hierarchy.structure import Hierarchy

_ID: Final = re.compile(r"&?(-?\d{1,19})")
_INDEXED: Final = re.compile(r"(.+)\[(\d{1,6})\]")
_SHOWN: Final = 20


def find_object(hierarchy: Hierarchy, text: str, *, field: str = "object") -> tuple[GameObject, Component | None]:
    """The object that a path or an id means; with an id of a component, that one as well.

    Raises `not_found`, `ambiguous_match`, both with what there is.
    """
    by_id = _by_id(hierarchy, text)
    if text.startswith("&"):
        if by_id is None:
            raise _missing(hierarchy, text, field)
        return by_id
    found = _distinct(_matches(hierarchy, None, text))
    if by_id is not None and by_id[0] not in found:
        found.append(by_id[0])
    if len(found) > 1:
        raise _ambiguous(hierarchy, text, found, field)
    if not found:
        raise _missing(hierarchy, text, field)
    return found[0], by_id[1] if by_id is not None and by_id[0] is found[0] else None


def objects_at(hierarchy: Hierarchy, text: str) -> list[GameObject]:
    """All objects that a path could mean."""
    return _distinct(_matches(hierarchy, None, text))


def path_of(hierarchy: Hierarchy, at: GameObject) -> str:
    """The path of an object; an index stands behind a name that a sibling has as well."""
    labels = [hierarchy.siblings(here.parent).label(here) for here in lineage(at)]
    return "/".join(reversed(labels))


def shown(hierarchy: Hierarchy, at: GameObject) -> str:
    """Path and id, as refusals name an object."""
    return path_of(hierarchy, at) + (f" &{at.file_id}" if at.file_id is not None else "")


def find_component(
    hierarchy: Hierarchy,
    owner: GameObject,
    wanted: str,
    type_name: Callable[[Component], str],
    *,
    field: str = "component",
) -> Component:
    """The component of a type (`BoxCollider`, `BoxCollider[1]`, a script's class) or with a file id.

    `type_name` names a script by its class. Raises `not_found`, `ambiguous_match`.
    """
    there = hierarchy.components(owner)
    wanted = plain_type(wanted)
    at_id = _ID.fullmatch(wanted)
    if at_id is not None:
        found = [c for c in there if c.file_id == int(at_id.group(1))]
    else:
        found = [c for c in there if _is(c, wanted, type_name)]
        indexed = _INDEXED.fullmatch(wanted)
        if not found and indexed is not None:
            same = [c for c in there if _is(c, indexed.group(1), type_name)]
            found = same[int(indexed.group(2)) : int(indexed.group(2)) + 1]
    if len(found) == 1:
        return found[0]
    _refuse_unread(owner)
    listed = ", ".join(_component_label(c, there, type_name) for c in there) or "none"
    place = shown(hierarchy, owner)
    if found:
        raise ToolRejected(
            "ambiguous_match",
            f"{field}: {place} has {len(found)} components {wanted}",
            hint=f"Say which: {listed}",
            details={"fields": {field: listed}},
        )
    raise ToolRejected(
        "not_found",
        f"{field}: {place} has no component {wanted}",
        hint=f"It has: {listed}",
        details={"fields": {field: listed}},
    )


def _is(component: Component, wanted: str, type_name: Callable[[Component], str]) -> bool:
    if wanted == component.class_name or (wanted == "Transform" and component.is_transform):
        return True
    return component.class_id == MONO_BEHAVIOUR and wanted.rsplit(".", 1)[-1] == type_name(component)


def _component_label(at: Component, among: Sequence[Component], type_name: Callable[[Component], str]) -> str:
    name = type_name(at)
    same = [c for c in among if type_name(c) == name]
    label = f"{name}[{same.index(at)}]" if len(same) > 1 else name
    return label + (f" &{at.file_id}" if at.file_id is not None else "")


def _by_id(hierarchy: Hierarchy, text: str) -> tuple[GameObject, Component | None] | None:
    match = _ID.fullmatch(text)
    return hierarchy.by_id(int(match.group(1))) if match is not None else None


def _matches(hierarchy: Hierarchy, parent: GameObject | None, rest: str) -> Iterator[GameObject]:
    """Names may hold `/` and `[1]` themselves, so every way to read the path is followed."""
    named = hierarchy.siblings(parent).named
    end = rest.find("/")
    while end >= 0:
        for at in _of_label(named, rest[:end]):
            yield from _matches(hierarchy, at, rest[end + 1 :])
        end = rest.find("/", end + 1)
    yield from _of_label(named, rest)


def _of_label(named: Mapping[str, Sequence[GameObject]], label: str) -> list[GameObject]:
    """Those of a name, and the one of a name with its index."""
    found = list(named.get(label, ()))
    indexed = _INDEXED.fullmatch(label) if label.endswith("]") else None
    if indexed is not None:
        at = int(indexed.group(2))
        found += named.get(indexed.group(1), ())[at : at + 1]
    return found


def _distinct(found: Iterable[GameObject]) -> list[GameObject]:
    return list({id(at): at for at in found}.values())


def _ambiguous(hierarchy: Hierarchy, text: str, found: Sequence[GameObject], field: str) -> ToolRejected:
    listed = [shown(hierarchy, at) for at in found[:_SHOWN]]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ToolRejected(
        "ambiguous_match",
        f"{field}: {len(found)} objects fit {text!r}: {', '.join(listed)}{more}",
        hint="Name one by its index or file id.",
        details={"fields": {field: "one of the candidates"}, "candidates": listed},
    )


def _missing(hierarchy: Hierarchy, text: str, field: str) -> ToolRejected:
    deepest: GameObject | None = None
    part = text
    while "/" in part and deepest is None:
        part = part.rpartition("/")[0]
        found = objects_at(hierarchy, part)
        deepest = found[0] if len(found) == 1 else None
    _refuse_unread(deepest)
    names = [label for label, _ in hierarchy.siblings(deepest).labelled()]
    near = difflib.get_close_matches(text.rpartition("/")[2], names, n=3)
    closed = ""
    if deepest is not None and deepest.instance is not None and deepest.instance.source.hierarchy is None:
        closed = f" ({deepest.instance.source.why})"
    where = "at the top there is" if deepest is None else f"{shown(hierarchy, deepest)}{closed} holds"
    listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return ToolRejected(
        "not_found",
        f"{field}: {hierarchy.asset.name} has no object {text!r}",
        hint=f"{'Did you mean ' + ' or '.join(near) + '? ' if near else ''}{where[0].upper()}{where[1:]}: {listed or 'nothing'}",
        details={"fields": {field: "a path such as Root/Body, or a file id"}, "there": names[:_SHOWN]},
    )


def _refuse_unread(at: GameObject | None) -> None:
    """What is not found in an instance may stand in its prefab all the same, where that cannot be read."""
    if at is not None and at.instance is not None and at.instance.source.fault is not None:
        raise at.instance.source.fault


def check_name(name: str, field: str) -> str:
    """A name for an object. Raises `invalid_arguments`."""
    if not name or "\n" in name or "\r" in name or "\x00" in name:
        raise invalid_arguments({field: "a name of one line"})
    return name
