"""Who is whose child: both sides of the link, the lists of roots, and the numbers of siblings, kept in step.

A child is an object with a document of its own, or the root of an instance; a parent is such a thing too, or an object
inside an instance (its stripped Transform then stands for it), or nobody: a root of a scene.
"""

from __future__ import annotations

from collections.abc import Sequence

from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.hierarchy import overrides
from spark.engines.unity.hierarchy.objects import GameObject, Instance
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.hierarchy.structure import refs_in
from spark.engines.unity.yaml.values import Pairs, Ref, Value, ref_of

_CHILDREN = ("m_Children",)
_ROOTS = ("m_Roots",)
_ADDED = ("m_Modification", "m_AddedGameObjects")


def attach(session: Session, child: GameObject, parent: GameObject | None, index: int | None) -> None:
    """Puts a child that hangs nowhere under a parent, at a place among the siblings (None: as the last)."""
    father = 0 if parent is None else session.stripped_transform(parent)
    if child.instance is not None:
        session.asset.set(child.instance.document, ("m_Modification", "m_TransformParent"), Ref(father))
    else:
        session.asset.set(session.document(child.transform_id), ("m_Father",), Ref(father))
    if parent is None:
        roots = session.scene_roots
        if roots is not None:
            _insert(session, roots.file_id, _ROOTS, _root_id(child), index)
    elif parent.instance is not None:
        _list_added(session, parent.instance, parent, session.stripped_transform(child), index)
    else:
        _insert(session, father, _CHILDREN, session.stripped_transform(child), index)
    session.changed()


def detach(session: Session, child: GameObject) -> None:
    """Takes a child out of the list that holds it; its own side is left as it is."""
    parent = child.parent
    if parent is None:
        roots = session.scene_roots
        if roots is not None:
            _drop(session, roots.file_id, _ROOTS, {_root_id(child), child.transform_id or 0})
    elif parent.instance is not None:
        _unlist_added(session, parent.instance, child.transform_id or 0)
    elif child.transform_id is not None and parent.transform_id is not None:
        _drop(session, parent.transform_id, _CHILDREN, {child.transform_id})
    session.changed()


def renumber(session: Session, before: Sequence[GameObject], after: Sequence[GameObject]) -> None:
    """Gives `m_RootOrder` the new place among the siblings, where this file keeps it. A number that was not the old place
    is none of this change's and stays."""
    if not session.keeps_root_order:
        return
    old = {_key(at): number for number, at in enumerate(before)}
    for number, at in enumerate(after):
        was = old.get(_key(at))
        if was == number:
            continue
        if at.instance is None:
            document = session.document(at.transform_id)
            present = document.value("m_RootOrder")
            if present is not None and (was is None or present == str(was)):
                session.asset.set(document, ("m_RootOrder",), number)
        elif at.is_instance_root and at.source_transform_id is not None:
            entry = at.instance.modifications.get((at.source_transform_id, "m_RootOrder"))
            if entry is not None and (was is None or entry.value == str(was)):
                target = Ref(at.source_transform_id, at.instance.source_ref.guid, 3)
                overrides.put(session, at.instance, target, "m_RootOrder", number, Ref())


def _key(at: GameObject) -> tuple[int, int | None]:
    return (at.instance.file_id if at.instance is not None else 0, at.file_id if at.instance is None else at.source_id)


def siblings_of(session: Session, parent: GameObject | None) -> list[GameObject]:
    return session.hierarchy.roots if parent is None else session.hierarchy.children(parent)


def sibling_index(text: object, count: int, field: str) -> int | None:
    """A place among siblings as it was asked for; None: as the last. Raises `invalid_arguments`."""
    if text is None:
        return None
    number = int(text) if isinstance(text, str) and text.isdigit() else text
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= count:
        raise invalid_arguments({field: f"a place among the siblings from 0 to {count}"})
    return number


def _root_id(child: GameObject) -> int:
    """Roots of a scene are listed by their Transform, instances by themselves."""
    return child.instance.file_id if child.instance is not None else (child.transform_id or 0)


def _insert(session: Session, file_id: int, steps: tuple[str, ...], listed: int, index: int | None) -> None:
    document = session.document(file_id)
    there = document.find(*steps)
    count = len(there.items()) if there is not None else 0
    if there is None:
        raise ToolRejected("invalid_asset", f"{session.path}: {document.class_name} &{file_id} has no {steps[-1]}")
    session.asset.insert_item(document, steps, count if index is None else min(index, count), Ref(listed))


def _drop(session: Session, file_id: int, steps: tuple[str, ...], ids: set[int]) -> None:
    document = session.document(file_id)
    for at, listed in reversed(list(enumerate(refs_in(document.value(*steps))))):
        if listed in ids:
            session.asset.remove(document, (*steps, at))


def _list_added(session: Session, instance: Instance, parent: GameObject, transform_id: int, index: int | None) -> None:
    if instance.document.find(*_ADDED) is None:
        return
    target = Ref(parent.source_transform_id or 0, instance.source_ref.guid, 3)
    entry: dict[str, Value] = {
        "targetCorrespondingSourceObject": target,
        "insertIndex": -1 if index is None else index,
        "addedObject": Ref(transform_id),
    }
    count = len(instance.document.find(*_ADDED).items())  # type: ignore[union-attr]
    session.asset.insert_item(instance.document, _ADDED, count, entry)


def _unlist_added(session: Session, instance: Instance, transform_id: int) -> None:
    drop_added(session, instance, "m_AddedGameObjects", {transform_id})


def drop_added(session: Session, instance: Instance, key: str, ids: set[int]) -> None:
    """Takes out the entries of `m_AddedGameObjects` or `m_AddedComponents` that name one of these documents."""
    entries = instance.document.value("m_Modification", key)
    for at, entry in reversed(list(enumerate(entries if isinstance(entries, list) else ()))):
        added = ref_of(entry.get("addedObject")) if isinstance(entry, Pairs) else None
        if added is not None and added.file_id in ids:
            session.asset.remove(instance.document, ("m_Modification", key, at))
