"""What an instance shows of its prefab: objects and components that have no document of their own in this file.

An object of the prefab becomes one here when somebody asks for it; its id here is that of its stripped document, else the
one that Unity computes in prefabs, else none (in scenes Unity draws it when it is first needed).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spark.engines.unity.hierarchy.ids import GAME_OBJECT, RECT_TRANSFORM, TRANSFORM, TRANSFORMS, inside_id
from spark.engines.unity.hierarchy.objects import Component, GameObject, Instance
from spark.engines.unity.yaml.paths import parse_path
from spark.engines.unity.yaml.values import Value

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.structure import Hierarchy


def id_here(hierarchy: Hierarchy, instance: Instance, source_id: int | None) -> int | None:
    """The id in this file of something that has `source_id` in the prefab."""
    if source_id is None:
        return None
    if source_id in instance.stripped:
        return instance.stripped[source_id].file_id
    return None if hierarchy.is_scene else inside_id(instance.file_id, source_id)


def root_of(hierarchy: Hierarchy, instance: Instance) -> GameObject:
    """The root object of an instance; of a model or a missing prefab, what the instance itself says of it."""
    source = instance.source
    if source.hierarchy is not None and len(source.hierarchy.roots) == 1:
        return node(hierarchy, instance, source.hierarchy.roots[0])
    transform = source.root_transform_id
    if transform is None:
        parent = hierarchy.transforms.get(instance.parent_transform)
        listed = set(parent.listed) if parent is not None else set()
        known = [at for at, d in instance.stripped.items() if d.file_id in listed and d.class_id in TRANSFORMS]
        known += [at for at, path in instance.modifications if path == "m_RootOrder"]
        transform = known[0] if known else None
    names = [m for (at, path), m in instance.modifications.items() if path == "m_Name" and source.root_id in (None, at)]
    root_id = source.root_id if source.root_id is not None or len(names) != 1 else names[0].target.file_id
    name = names[0].value if len(names) == 1 else (source.path.stem if source.path is not None else "(missing prefab)")
    return GameObject(
        name,
        id_here(hierarchy, instance, root_id),
        id_here(hierarchy, instance, transform),
        instance=instance,
        source_id=root_id,
        source_transform_id=transform,
    )


def node(hierarchy: Hierarchy, instance: Instance, origin: GameObject) -> GameObject:
    """An object of the instance's prefab as it is here."""
    source_id = origin.file_id
    # Only the root of a model or of a missing prefab may be without an id.
    key = source_id if source_id is not None else origin.transform_id or 0
    found = instance.nodes.get(key)
    if found is None:
        renamed = instance.modifications.get((source_id, "m_Name")) if source_id is not None else None
        found = instance.nodes[key] = GameObject(
            origin.name if renamed is None else renamed.value,
            id_here(hierarchy, instance, source_id),
            id_here(hierarchy, instance, origin.transform_id),
            instance=instance,
            source_id=source_id,
            source_transform_id=origin.transform_id,
            origin=origin,
        )
        if origin.parent is not None:
            found.parent = node(hierarchy, instance, origin.parent)
    return found


def node_of_transform(hierarchy: Hierarchy, instance: Instance, source_id: int) -> GameObject | None:
    at = by_source_id(hierarchy, instance, source_id)
    return None if at is None else at[0]


def by_source_id(
    hierarchy: Hierarchy, instance: Instance, source_id: int
) -> tuple[GameObject, Component | None] | None:
    """What the prefab's `source_id` is here. Of a model, whose inside is not known, its own id stands for its name."""
    source = instance.source.hierarchy
    if source is not None:
        at = source.by_id(source_id)
        if at is not None:
            owner = node(hierarchy, instance, at[0])
            if at[1] is None:
                return owner, None
            return owner, next((c for c in hierarchy.components(owner) if c.source_id == source_id), None)
    root = instance.root
    if root is None:
        return None
    if source_id in (root.source_id, root.source_transform_id):
        found = components(hierarchy, root) if source_id == root.source_transform_id else []
        return root, found[0] if found else None
    document = instance.stripped.get(source_id)
    if document is None:
        return None
    return _unknown(instance, source_id, document.class_id, document.class_name, document.file_id)


def _unknown(
    instance: Instance, source_id: int, class_id: int, class_name: str, file_id: int
) -> tuple[GameObject, Component | None]:
    is_object, is_transform = class_id == GAME_OBJECT, class_id in TRANSFORMS
    known = instance.nodes.get(source_id)
    if known is None:
        known = instance.nodes[source_id] = GameObject(
            f"(inside &{file_id})",
            file_id if is_object else None,
            file_id if is_transform else None,
            parent=instance.root,
            instance=instance,
            source_id=source_id if is_object else None,
            source_transform_id=source_id if is_transform else None,
        )
    if is_object:
        return known, None
    return known, Component(known, class_id, class_name, file_id, source_id=source_id)


def children(hierarchy: Hierarchy, parent: GameObject) -> list[GameObject]:
    """The children that an object of an instance has in the prefab, without those that were removed here."""
    instance = parent.instance
    if instance is None:
        return []
    if parent.origin is None or instance.source.hierarchy is None:
        return [unknown for unknown in instance.nodes.values() if unknown.parent is parent and unknown.origin is None]
    below = instance.source.hierarchy.children(parent.origin)
    return [node(hierarchy, instance, child) for child in below if child.file_id not in instance.removed]


def components(hierarchy: Hierarchy, owner: GameObject) -> list[Component]:
    """The components that an object of an instance has in the prefab, then those that were added here."""
    instance = owner.instance
    assert instance is not None
    found: list[Component] = []
    if owner.origin is not None and instance.source.hierarchy is not None:
        found += [
            _shown(hierarchy, owner, origin)
            for origin in instance.source.hierarchy.components(owner.origin)
            if origin.file_id not in instance.removed
        ]
    elif owner.source_transform_id is not None:
        stripped = instance.stripped.get(owner.source_transform_id)
        is_rect = stripped is not None and stripped.class_id == RECT_TRANSFORM
        kind, name = (RECT_TRANSFORM, "RectTransform") if is_rect else (TRANSFORM, "Transform")
        found.append(Component(owner, kind, name, owner.transform_id, source_id=owner.source_transform_id))
    return found + hierarchy.added_components(owner)


def _shown(hierarchy: Hierarchy, owner: GameObject, origin: Component) -> Component:
    assert owner.instance is not None
    return Component(
        owner,
        origin.class_id,
        origin.class_name,
        id_here(hierarchy, owner.instance, origin.file_id),
        script=origin.script,
        source_id=origin.file_id,
        origin=origin,
    )


def effective(at: GameObject | Component, path: str) -> Value:
    """The value of a property as Unity shows it here: of the nearest instance that overrides it, else of the prefab.

    A reference that an instance overrides is answered as that entry's `objectReference`; None where nobody says.
    """
    steps = parse_path(path)
    here: GameObject | Component | None = at
    while here is not None:
        if here.document is not None:
            return here.document.value(*steps)
        instance = here.instance if isinstance(here, GameObject) else here.owner.instance
        if instance is not None and here.source_id is not None:
            entry = instance.modifications.get((here.source_id, path))
            if entry is not None:
                return entry.reference if entry.reference.file_id else entry.value
        here = here.origin
    return None
