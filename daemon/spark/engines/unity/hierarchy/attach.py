"""Who is whose child: both sides of the link, the lists of roots, and the numbers of siblings, kept in step.

A child is an object with a document of its own, or the root of an instance; a parent is such a thing too, or an object
inside an instance (its stripped Transform then stands for it), or nobody: a root of a scene.
"""

from __future__ import annotations

from collections.abc import Sequence

from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.hierarchy import changes, listed, overrides, quick
from spark.engines.unity.hierarchy.objects import GameObject, Instance
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.yaml.values import Pairs, Ref, Value, ref_of

_CHILDREN = ("m_Children",)
_ROOTS = ("m_Roots",)
_ADDED = ("m_Modification", "m_AddedGameObjects")


def attach(session: Session, child: GameObject, parent: GameObject | None, index: int | None) -> None:
    """Puts a child that hangs nowhere under a parent, at a place among the siblings (None: as the last)."""
    before = siblings_of(session, parent)
    if index is not None and index >= len(before):
        index = None
    father = 0 if parent is None else session.stripped_transform(parent)
    if child.instance is not None:
        session.asset.set(child.instance.document, ("m_Modification", "m_TransformParent"), Ref(father))
    else:
        session.asset.set(session.document(child.transform_id), ("m_Father",), Ref(father))
    place: int | None = None
    if parent is None:
        roots = session.scene_roots
        if roots is not None:
            listed.insert(session, roots, _ROOTS, _root_id(child), None if index is None else _root_id(before[index]))
    elif parent.instance is not None:
        _refuse_between(session, parent, index)
        _list_added(session, parent.instance, parent, session.stripped_transform(child), index)
    else:
        behind = None if index is None else before[index].transform_id
        place = listed.insert(session, session.document(father), _CHILDREN, session.stripped_transform(child), behind)
    changes.hung(session.hierarchy, child, parent, father, index if parent is None else place)


def detach(session: Session, child: GameObject) -> None:
    """Takes a child out of the list that holds it; its own side is left as it is."""
    parent = child.parent
    if parent is None:
        roots = session.scene_roots
        if roots is not None:
            listed.drop(session, roots, _ROOTS, {_root_id(child), child.transform_id or 0})
    elif parent.instance is not None:
        _unlist_added(session, parent.instance, child.transform_id or 0)
    elif child.transform_id is not None and parent.transform_id is not None:
        listed.drop(session, session.document(parent.transform_id), _CHILDREN, {child.transform_id})
    changes.unhung(session.hierarchy, child)


def joined(before: Sequence[GameObject], child: GameObject, index: int | None) -> list[GameObject]:
    """Siblings as they shall be with a child at a place (None: as the last); it may have been among them."""
    after = [at for at in before if at is not child]
    after.insert(len(after) if index is None else index, child)
    return after


def renumber(
    session: Session, parent: GameObject | None, before: Sequence[GameObject], after: Sequence[GameObject]
) -> None:
    """Gives `m_RootOrder` the new place among the siblings, where this file keeps it. A number that was not the old place
    is none of this change's and stays."""
    if not session.keeps_root_order:
        return
    old = {id(at): number for number, at in enumerate(before)}
    for number, at in enumerate(after):
        was = old.get(id(at))
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
    if parent is not None and parent.instance is None:
        return
    changes.numbered(session.hierarchy, parent)
    if [id(at) for at in siblings_of(session, parent)] != [id(at) for at in after]:
        where = "at the top" if parent is None else f"below {session.path_of(parent)}"
        session.note(
            f"the objects {where} have numbers (m_RootOrder) that are not their places; they were left as they are, so the "
            "order may be another than asked for"
        )


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


def _refuse_between(session: Session, parent: GameObject, index: int | None) -> None:
    """Before 2022.2 an instance cannot say that something stands between the objects of its prefab; and of some prefabs
    nobody here knows their objects."""
    instance = parent.instance
    assert instance is not None
    if index is not None and instance.source.hierarchy is None:
        raise session.closed(parent)
    own = sum(child.instance is instance for child in siblings_of(session, parent))
    if index is not None and index < own and instance.document.find(*_ADDED) is None:
        raise ToolRejected(
            "unsupported_asset",
            f"to: {session.path_of(parent)} comes from {instance.source.name}: before Unity 2022.2 what is added to it stands "
            f"behind the objects of the prefab",
            hint=f"Take a place from {own}, or none for the last.",
            details={"fields": {"to": f"a place from {own}"}},
        )


def _list_added(session: Session, instance: Instance, parent: GameObject, transform_id: int, index: int | None) -> None:
    if instance.document.find(*_ADDED) is None:
        return
    target = Ref(parent.source_transform_id or 0, instance.source_ref.guid, 3)
    entry: dict[str, Value] = {
        "targetCorrespondingSourceObject": target,
        "insertIndex": -1 if index is None else index,
        "addedObject": Ref(transform_id),
    }
    if index is not None and any(place >= 0 for _, place in quick.added(instance.document.body) or ()):
        session.note(
            f"more than one object was put at a place of its own among the objects of {instance.source.name} (insertIndex): "
            "look in the Editor whether their order is the one that was meant"
        )
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
