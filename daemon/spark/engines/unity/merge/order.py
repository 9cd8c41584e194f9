"""Where a document that theirs added goes among ours': where Unity itself would write it, as far as that can be told.

Scenes and most assets are in ascending order of file ids; in a prefab each object is followed by its components.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from spark.engines.unity.merge.contested import components, game_object
from spark.engines.unity.merge.version import Document

_SCENE_CLASSES: Final = frozenset({29, 104, 157, 196, 1660057539})
_GAME_OBJECT: Final = 1
Anchored = dict[int | None, list[int]]
"""What follows a document; None: what stands before all."""


def document_order(ours: Sequence[int], theirs: Sequence[int], versions: Mapping[int, Document]) -> list[int]:
    """The file ids of both sides: ours' in their order, theirs' additions put in. `versions`: a document of each id, the
    merged one where there is one."""
    known = set(ours)
    added = [file_id for file_id in theirs if file_id not in known]
    if not added:
        return list(ours)
    if not ours:
        return list(theirs)
    if _is_prefab(versions):
        return _by_groups(ours, theirs, added, versions)
    if all(a < b for a, b in pairwise(ours)):
        return sorted([*ours, *added])
    return _behind(ours, _after_predecessors(theirs, known), {})


def _is_prefab(versions: Mapping[int, Document]) -> bool:
    classes = {document.class_id for document in versions.values()}
    return bool(classes & {_GAME_OBJECT, 1001}) and not classes & _SCENE_CLASSES


def _after_predecessors(theirs: Sequence[int], known: set[int]) -> Anchored:
    after: Anchored = {}
    last: int | None = None
    for file_id in theirs:
        if file_id not in known:
            after.setdefault(last, []).append(file_id)
        last = file_id
    return after


def _by_groups(
    ours: Sequence[int], theirs: Sequence[int], added: Sequence[int], versions: Mapping[int, Document]
) -> list[int]:
    """Objects among the objects by file id where these ascend, components behind what stands before them in m_Component,
    the rest behind what it follows in theirs."""
    present = {*ours, *added}
    plain = _after_predecessors(theirs, set(ours))
    after: Anchored = {}
    before: dict[int, list[int]] = {}
    objects = [i for i in ours if versions[i].class_id == _GAME_OBJECT and not versions[i].stripped]
    ascend = all(a < b for a, b in pairwise(objects))
    anchors: dict[int, dict[int, int]] = {}
    for anchor, followers in plain.items():
        for file_id in followers:
            document = versions[file_id]
            if document.class_id == _GAME_OBJECT and not document.stripped and ascend:
                place = bisect(objects, file_id)
                if place < len(objects):
                    before.setdefault(objects[place], []).append(file_id)
                    continue
            owner = versions.get(game_object(document.body))
            if owner is None or owner.class_id != _GAME_OBJECT or owner.stripped:
                after.setdefault(anchor, []).append(file_id)
                continue
            if owner.file_id not in anchors:
                anchors[owner.file_id] = _anchors(owner, present)
            after.setdefault(anchors[owner.file_id].get(file_id, owner.file_id), []).append(file_id)
    order = _behind(ours, after, before)
    # Where documents stand in no order that Unity writes, anchors may go round: then as theirs has them.
    return order if len(order) == len(present) else _behind(ours, plain, {})


def _anchors(owner: Document, present: set[int]) -> dict[int, int]:
    """Behind what each component of an object goes: the one before it that is there, or the object."""
    found: dict[int, int] = {}
    last = owner.file_id
    for component in components(owner.body):
        found.setdefault(component, last)
        if component in present:
            last = component
    return found


def _behind(ours: Sequence[int], after: Anchored, before: Mapping[int, list[int]]) -> list[int]:
    order: list[int] = []
    for start in (None, *ours):
        todo: list[int | None] = [start]
        if start is not None:
            todo += sorted(before.get(start, ()), reverse=True)
        while todo:
            now = todo.pop()
            if now is not None:
                order.append(now)
            todo += reversed(after.get(now, ()))
    return order
