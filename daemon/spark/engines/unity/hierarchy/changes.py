"""Keeping a hierarchy in step with the edits of its documents, so that it need not be read again after each.

Every function here is called after the documents were changed, and leaves the hierarchy as a fresh reading would find it.
Must not change documents itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spark.engines.unity.hierarchy.inside import id_here, root_of
from spark.engines.unity.hierarchy.objects import GameObject, Instance
from spark.engines.unity.hierarchy.siblings import Siblings
from spark.engines.unity.hierarchy.structure import Hierarchy
from spark.engines.unity.yaml.asset import AssetDocument


def took_object(hierarchy: Hierarchy, document: AssetDocument, transform: AssetDocument, name: str) -> GameObject:
    """A new object with its Transform, which hangs nowhere yet."""
    made = GameObject(name, document.file_id, transform.file_id, document)
    hierarchy.documents[document.file_id] = document
    hierarchy.documents[transform.file_id] = transform
    hierarchy.objects[document.file_id] = made
    hierarchy.transforms[transform.file_id] = made
    hierarchy.fathers[transform.file_id] = 0
    return made


def took_instance(hierarchy: Hierarchy, document: AssetDocument) -> GameObject:
    """A new instance, which hangs nowhere yet. Answers its root."""
    hierarchy.documents[document.file_id] = document
    made = hierarchy.instance_of(document)
    assert made is not None
    hierarchy.instances[document.file_id] = made
    made.root = root_of(hierarchy, made)
    return made.root


def took_component(hierarchy: Hierarchy, owner_id: int, document: AssetDocument) -> None:
    """A new component. `owner_id`: that of the owner's document, which may be a stripped one."""
    hierarchy.documents[document.file_id] = document
    hierarchy.own_components.pop(owner_id, None)
    if hierarchy.added is not None:
        there = hierarchy.added.setdefault(owner_id, [])
        there.append(document.file_id)
        if hierarchy.is_scene:
            # As the documents stand in the file.
            there.sort()


def took_stripped(hierarchy: Hierarchy, instance: Instance, source_id: int, document: AssetDocument) -> None:
    """A new stripped document; what it stands for has its id from now on."""
    hierarchy.documents[document.file_id] = document
    instance.stripped[source_id] = document
    hierarchy.stripped[document.file_id] = (instance, source_id)
    _give_id(instance, source_id, document.file_id)
    _look_into(hierarchy, instance)


def hung(hierarchy: Hierarchy, child: GameObject, parent: GameObject | None, father: int, index: int | None) -> None:
    """A child that hung nowhere has a parent, or is a root. `father`: the id of the parent's Transform; `index`: its place,
    None for the last."""
    child.parent = parent
    if child.instance is not None:
        child.instance.parent_transform = father
    elif child.transform_id is not None:
        hierarchy.fathers[child.transform_id] = father
    if parent is None:
        hierarchy.top = hierarchy.top.with_child(child, index)
    else:
        _hung_below(hierarchy, child, parent, father, index)
    if child.instance is not None:
        _look_into(hierarchy, child.instance)


def _hung_below(hierarchy: Hierarchy, child: GameObject, parent: GameObject, father: int, index: int | None) -> None:
    below = parent.below
    under = hierarchy.under.setdefault(father, [])
    under.append(child)
    parent.below = None
    if parent.instance is not None:
        # As the documents stand in the file: own objects first.
        under.sort(key=lambda at: (at.instance is not None, _place_of(hierarchy, at)))
    elif child.transform_id is not None:
        whole = below is not None and len(below.order) == len(parent.listed)
        parent.listed.insert(len(parent.listed) if index is None else index, child.transform_id)
        if below is not None and whole:
            parent.below = below.with_child(child, index)


def unhung(hierarchy: Hierarchy, child: GameObject) -> None:
    """A child has no parent any more, or a root is none."""
    parent = child.parent
    child.parent = None
    if parent is None:
        hierarchy.top = hierarchy.top.without(child)
        return
    if parent.transform_id in hierarchy.under:
        hierarchy.under[parent.transform_id].remove(child)
    parent.listed = [listed for listed in parent.listed if listed != child.transform_id]
    if parent.below is not None and parent.instance is None:
        parent.below = parent.below.without(child)
    else:
        parent.below = None


def renamed(hierarchy: Hierarchy, at: GameObject, name: str) -> None:
    """An object has another name."""
    at.name = name
    _look_again(hierarchy, at.parent)


def numbered(hierarchy: Hierarchy, parent: GameObject | None) -> None:
    """Siblings have other numbers (`m_RootOrder`)."""
    if parent is not None:
        parent.below = None
    elif hierarchy.scene_roots is None:
        hierarchy.top = Siblings(sorted(hierarchy.roots, key=hierarchy.root_order))


def hidden(instance: Instance, source_id: int, parent: GameObject | None) -> None:
    """The instance does without something of its prefab. `parent`: of an object that is gone."""
    instance.removed.add(source_id)
    if parent is not None:
        parent.below = None


def lost_component(hierarchy: Hierarchy, owner: GameObject, file_id: int) -> None:
    """A component of an object is gone, the object stays."""
    if owner.file_id is not None:
        hierarchy.own_components.pop(owner.file_id, None)
        if hierarchy.added is not None and file_id in hierarchy.added.get(owner.file_id, ()):
            hierarchy.added[owner.file_id].remove(file_id)


def lost(hierarchy: Hierarchy, ids: Iterable[int]) -> None:
    """Documents are gone; objects among them were taken from their parents before."""
    for file_id in ids:
        hierarchy.documents.pop(file_id, None)
        hierarchy.objects.pop(file_id, None)
        hierarchy.transforms.pop(file_id, None)
        hierarchy.fathers.pop(file_id, None)
        hierarchy.under.pop(file_id, None)
        hierarchy.own_components.pop(file_id, None)
        if hierarchy.added is not None:
            hierarchy.added.pop(file_id, None)
        hierarchy.instances.pop(file_id, None)
        stands = hierarchy.stripped.pop(file_id, None)
        if stands is not None:
            instance, source_id = stands
            instance.stripped.pop(source_id, None)
            _give_id(instance, source_id, id_here(hierarchy, instance, source_id))
            _look_into(hierarchy, instance)


def _place_of(hierarchy: Hierarchy, at: GameObject) -> int:
    """The id by which the documents of a child are sorted in the file."""
    if at.instance is not None:
        return at.instance.file_id
    return (at.transform_id if hierarchy.is_scene else at.file_id) or 0


def _look_into(hierarchy: Hierarchy, instance: Instance) -> None:
    """Of a model or a missing prefab only that is known which this file says of it."""
    root = instance.root
    if instance.source.hierarchy is not None or root is None:
        return
    known = root_of(hierarchy, instance)
    root.name, root.file_id, root.source_id = known.name, known.file_id, known.source_id
    root.transform_id, root.source_transform_id = known.transform_id, known.source_transform_id
    for source_id in [at for at in instance.nodes if at not in instance.stripped]:
        del instance.nodes[source_id]


def _give_id(instance: Instance, source_id: int, file_id: int | None) -> None:
    nodes: Sequence[GameObject] = [*instance.nodes.values(), *([instance.root] if instance.root is not None else [])]
    for node in nodes:
        if node.source_id == source_id:
            node.file_id = file_id
        if node.source_transform_id == source_id:
            node.transform_id = file_id


def _look_again(hierarchy: Hierarchy, parent: GameObject | None) -> None:
    if parent is None:
        hierarchy.top = Siblings(hierarchy.top.order)
    elif parent.below is not None:
        parent.below = Siblings(parent.below.order)
