"""Taking documents out of a file: an object with all that hangs on it, or one component, and every reference to them.

A reference that loses its object becomes `{fileID: 0}` and is reported. A stripped document that nobody refers to any more
goes as well, as the Editor would let it go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from spark.engines.unity.hierarchy import attach, changes
from spark.engines.unity.hierarchy.ids import GAME_OBJECT
from spark.engines.unity.hierarchy.objects import GameObject, Instance
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.yaml.asset import AssetDocument
from spark.engines.unity.yaml.paths import shown
from spark.engines.unity.yaml.tree import Node
from spark.engines.unity.yaml.values import Ref, ref_of

_FEW: Final = 8
_OWN_KEYS: Final = frozenset({"m_CorrespondingSourceObject", "m_PrefabInstance", "m_PrefabAsset"})


def remove_object(session: Session, at: GameObject) -> list[str]:
    """Removes an object, or an instance by its root, with everything below it. Answers what lost a reference."""
    parent = at.parent
    before = attach.siblings_of(session, parent)
    doomed = subtree(session, at)
    attach.detach(session, at)
    lost = delete(session, doomed)
    attach.renumber(session, parent, before, [other for other in before if other is not at])
    return lost


def delete(session: Session, doomed: set[int]) -> list[str]:
    """Removes documents, the entries that list them as added, and the references to them. Answers what lost a reference.
    What hung on a parent was detached before."""
    let_go: set[int] = set()
    gone = [d for d in session.asset.documents if d.file_id in doomed]
    for document in gone:
        # A text that is no document may hold more than its header says.
        document.fields  # noqa: B018
        let_go.update(session.links.named_in(document))
    _take_out(session, gone)
    changes.lost(session.hierarchy, doomed)
    for document in session.links.to(doomed, session.asset.documents):
        instance = session.hierarchy.instances.get(document.file_id)
        if instance is not None:
            for key in ("m_AddedGameObjects", "m_AddedComponents"):
                attach.drop_added(session, instance, key, doomed)
    lost = clear_references(session, doomed)
    collect(session, let_go - doomed)
    return lost


def collect(session: Session, candidates: Iterable[int]) -> None:
    """Removes those stripped documents among `candidates` that nothing in the file refers to any more."""
    waiting = {at for at in candidates if at in session.hierarchy.stripped}
    while waiting:
        free = [at for at in waiting if not session.links.to([at], session.asset.documents)]
        if not free:
            return
        gone = [session.document(at) for at in free]
        _take_out(session, gone)
        changes.lost(session.hierarchy, free)
        waiting.difference_update(free)


def _take_out(session: Session, gone: Sequence[AssetDocument]) -> None:
    session.links.forget(gone)
    if len(gone) < _FEW:
        for document in gone:
            session.asset.delete(document)
    else:
        doomed = set(gone)
        session.asset.documents = [d for d in session.asset.documents if d not in doomed]


def clear_references(session: Session, gone: set[int]) -> list[str]:
    """Makes `{fileID: 0}` of every reference in the file to one of these ids."""
    lost = []
    for document in session.links.to(gone, session.asset.documents):
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
    for document in instance.stripped.values():
        yield document.file_id
        if document.class_id == GAME_OBJECT:
            yield from session.hierarchy.added_ids(document.file_id)
