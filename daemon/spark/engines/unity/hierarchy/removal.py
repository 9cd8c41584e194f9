"""Taking documents out of a file: an object with all that hangs on it, or one component, and every reference to them.

A reference that loses its object becomes `{fileID: 0}` and is reported. A stripped document that nobody refers to any more
goes as well, as the Editor would let it go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from spark.engines.unity.hierarchy import attach
from spark.engines.unity.hierarchy.ids import TRANSFORMS
from spark.engines.unity.hierarchy.objects import GameObject, Instance
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.yaml.paths import shown
from spark.engines.unity.yaml.tree import Node
from spark.engines.unity.yaml.values import Ref, ref_of

_LOCAL: Final = re.compile(rb"\{fileID: (-?\d+)\}")
_OWN_KEYS: Final = frozenset({"m_CorrespondingSourceObject", "m_PrefabInstance", "m_PrefabAsset"})


def remove_object(session: Session, at: GameObject) -> list[str]:
    """Removes an object, or an instance by its root, with everything below it. Answers what lost a reference."""
    parent = at.parent
    before = attach.siblings_of(session, parent)
    doomed = subtree(session, at)
    attach.detach(session, at)
    lost = delete(session, doomed)
    attach.renumber(session, before, attach.siblings_of(session, session.again(parent)))
    return lost


def delete(session: Session, doomed: set[int]) -> list[str]:
    """Removes documents, the entries that list them as added, and the references to them. Answers what lost a reference."""
    let_go: set[int] = set()
    for document in [d for d in session.asset.documents if d.file_id in doomed]:
        let_go.update(int(found) for found in _LOCAL.findall(document.body))
        session.asset.delete(document)
    for instance in session.hierarchy.instances.values():
        if instance.file_id not in doomed:
            for key in ("m_AddedGameObjects", "m_AddedComponents"):
                attach.drop_added(session, instance, key, doomed)
    lost = clear_references(session, doomed)
    session.changed()
    collect(session, let_go - doomed)
    return lost


def collect(session: Session, candidates: Iterable[int]) -> None:
    """Removes those stripped documents among `candidates` that nothing in the file refers to any more."""
    waiting = {d.file_id for d in session.asset.documents if d.stripped} & set(candidates)
    while waiting:
        used: set[int] = set()
        for document in session.asset.documents:
            used.update(int(found) for found in _LOCAL.findall(document.body))
        free = [d for d in session.asset.documents if d.stripped and d.file_id in waiting and d.file_id not in used]
        if not free:
            return
        for document in free:
            session.asset.delete(document)
            waiting.discard(document.file_id)
        session.changed()


def clear_references(session: Session, gone: set[int]) -> list[str]:
    """Makes `{fileID: 0}` of every reference in the file to one of these ids."""
    lost = []
    for document in session.asset.documents:
        if not any(int(found) in gone for found in _LOCAL.findall(document.body)):
            continue
        for path in list(_paths_to(document.fields, gone, ())):
            session.asset.set(document, path, Ref())
            lost.append(f"{document.class_name} &{document.file_id} {shown(path)}")
    return lost


def _paths_to(node: Node, gone: set[int], path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if node.is_mapping:
        ref = ref_of(node.plain()) if len(list(node.entries())) == 1 else None
        if ref is not None and not ref.guid:
            if ref.file_id in gone:
                yield path
            return
        for key, value in node.entries():
            if path or key.text not in _OWN_KEYS:
                yield from _paths_to(value, gone, (*path, key.text))
    elif node.is_sequence:
        for at, item in enumerate(node.items()):
            yield from _paths_to(item, gone, (*path, at))


def subtree(session: Session, at: GameObject) -> set[int]:
    """The ids of all documents of an object and of everything below it."""
    hierarchy = session.hierarchy
    doomed: set[int] = set()
    waiting = [at]
    while waiting:
        here = waiting.pop()
        if here.is_instance_root:
            assert here.instance is not None
            doomed.update(_of_instance(session, here.instance))
        elif here.instance is None and here.file_id is not None:
            doomed.add(here.file_id)
            doomed.update(c.file_id for c in hierarchy.components(here) if c.file_id is not None)
        waiting.extend(hierarchy.own_children(here))
    return doomed


def _of_instance(session: Session, instance: Instance) -> Iterator[int]:
    yield instance.file_id
    objects = {d.file_id for d in instance.stripped.values()}
    yield from objects
    for document in session.asset.documents:
        if not document.stripped and document.class_id not in TRANSFORMS:
            owner = ref_of(document.value("m_GameObject"))
            if owner is not None and owner.file_id in objects:
                yield document.file_id
