"""Reading the hierarchy of a prefab or scene: who is whose child, which components an object has, where instances hang.

Lenient: what is broken in a file is left out or kept where it can still be addressed, since checking is another room's
matter. Old forms (before 2018.3) are understood as well. Nothing here changes a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from spark.engines.unity.hierarchy import inside, quick
from spark.engines.unity.hierarchy.faults import reading
from spark.engines.unity.hierarchy.ids import (
    GAME_OBJECT,
    MONO_BEHAVIOUR,
    PREFAB_INSTANCE,
    SCENE_ROOTS,
    TRANSFORMS,
    source_ids,
)
from spark.engines.unity.hierarchy.objects import Component, GameObject, Instance, Modification
from spark.engines.unity.hierarchy.sources import Sources
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.values import Pairs, Ref, Value, ref_of

_OWNER: Final = re.compile(rb"^  m_GameObject: \{fileID: (-?\d+)\}", re.MULTILINE)
_LEVEL_CLASSES: Final = frozenset({29, 104, 157, 196, SCENE_ROOTS})


class Hierarchy:
    """The objects of one file. `roots` are in the order in which Unity shows them."""

    def __init__(self, asset: AssetFile, sources: Sources) -> None:
        self.asset = asset
        self.sources = sources
        self.documents: dict[int, AssetDocument] = {}
        self.objects: dict[int, GameObject] = {}
        self.instances: dict[int, Instance] = {}
        self.transforms: dict[int, GameObject] = {}
        self.roots: list[GameObject] = []
        self.old_form = False
        self.is_scene = asset.name.endswith(".unity") or any(d.class_id in _LEVEL_CLASSES for d in asset.documents[:4])
        self._stripped: dict[int, tuple[Instance, int]] = {}
        self._fathers: dict[int, int] = {}
        self._under: dict[int, list[GameObject]] = {}
        self._components: dict[int, list[Component]] = {}
        self._added: dict[int, list[int]] | None = None
        self._read()

    # -- questions -------------------------------------------------------------------------------------------------------

    def children(self, parent: GameObject) -> list[GameObject]:
        """In sibling order; of an object inside an instance first those of the prefab, then what was added here."""
        found = inside.children(self, parent) if parent.instance is not None else []
        seen = {id(child) for child in found}
        for transform_id in parent.listed:
            child = self.at_transform(transform_id)
            if child is not None and child.parent is parent and id(child) not in seen:
                found.append(child)
                seen.add(id(child))
        if parent.transform_id is not None:
            found += [c for c in self._under.get(parent.transform_id, ()) if id(c) not in seen]
        return found

    def components(self, owner: GameObject) -> list[Component]:
        """In `m_Component` order, the Transform first; those that were added to an object of an instance come last."""
        if owner.instance is not None:
            return inside.components(self, owner)
        if owner.file_id is None or owner.document is None:
            return []
        known = self._components.get(owner.file_id)
        if known is None:
            found = (self.component(file_id, owner) for file_id in component_ids(owner.document))
            known = self._components[owner.file_id] = [component for component in found if component is not None]
        return known

    def added_components(self, owner: GameObject) -> list[Component]:
        """Components that documents of this file give to an object of an instance."""
        if owner.file_id is None:
            return []
        if self._added is None:
            self._added = {}
            for document in self.asset.documents:
                match = _OWNER.search(document.body) if not document.stripped else None
                if match is not None:
                    self._added.setdefault(int(match.group(1)), []).append(document.file_id)
        found = (self.component(file_id, owner) for file_id in self._added.get(owner.file_id, ()))
        return [component for component in found if component is not None and not component.is_transform]

    def component(self, file_id: int, owner: GameObject) -> Component | None:
        document = self.documents.get(file_id)
        if document is None:
            return None
        script = ref_of(document.value("m_Script")) if document.class_id == MONO_BEHAVIOUR else None
        return Component(owner, document.class_id, document.class_name, file_id, document, script)

    def at_transform(self, transform_id: int) -> GameObject | None:
        """The object whose Transform has this id in this file, also where it only is a stripped one."""
        found = self.transforms.get(transform_id)
        if found is None and transform_id in self._stripped:
            instance, source_id = self._stripped[transform_id]
            found = inside.node_of_transform(self, instance, source_id)
        return found

    def by_id(self, file_id: int) -> tuple[GameObject, Component | None] | None:
        """The object with this id, or the one that has the component with this id."""
        if file_id in self.objects:
            return self.objects[file_id], None
        if file_id in self.instances:
            root = self.instances[file_id].root
            return None if root is None else (root, None)
        if file_id in self._stripped:
            return inside.by_source_id(self, *self._stripped[file_id])
        document = self.documents.get(file_id)
        if document is not None:
            owner = self.transforms.get(file_id) or self._owner(document)
            if owner is None:
                return None
            return owner, next((c for c in self.components(owner) if c.file_id == file_id), None)
        if self.is_scene:
            return None
        for instance in self.instances.values():
            known = instance.source.hierarchy
            for source_id in source_ids(instance.file_id, file_id):
                root = instance.root
                if root is not None and source_id in (root.source_id, root.source_transform_id):
                    return inside.by_source_id(self, instance, source_id)
                if known is not None and known.by_id(source_id) is not None:
                    return inside.by_source_id(self, instance, source_id)
        return None

    def _owner(self, document: AssetDocument) -> GameObject | None:
        ref = ref_of(document.value("m_GameObject"))
        if ref is None:
            return None
        found = self.objects.get(ref.file_id)
        if found is None and ref.file_id in self._stripped:
            at = inside.by_source_id(self, *self._stripped[ref.file_id])
            found = None if at is None else at[0]
        return found

    def everything(self) -> Iterator[GameObject]:
        """All objects, parents before their children, without looking into instances beyond what stands in this file."""
        waiting = list(reversed(self.roots))
        seen: set[int] = set()
        while waiting:
            at = waiting.pop()
            if id(at) in seen:
                continue
            seen.add(id(at))
            yield at
            below = self.own_children(at)
            waiting.extend(reversed(below))
        for other in self.objects.values():
            if id(other) not in seen:
                yield other

    def own_children(self, parent: GameObject) -> list[GameObject]:
        """Children that stand in this file; of an instance those that were added anywhere inside it."""
        if parent.instance is None:
            return self.children(parent)
        if not parent.is_instance_root:
            return []
        return [child for ids in parent.instance.stripped.values() for child in self._under.get(ids.file_id, ())]

    def adopt(self, instance: Instance, source_id: int, document: AssetDocument) -> None:
        """Takes up a stripped document that was just made."""
        self.documents[document.file_id] = document
        instance.stripped[source_id] = document
        self._stripped[document.file_id] = (instance, source_id)

    # -- reading ---------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        for document in self.asset.documents:
            self.documents.setdefault(document.file_id, document)
        with reading(self.asset):
            self._read_objects()
            self._read_instances()
            self._link()

    def _read_objects(self) -> None:
        for document in self.asset.documents:
            if document.class_id == GAME_OBJECT and not document.stripped:
                name: Value = quick.object_name(document.body)
                if name is None:
                    name = document.value("m_Name")
                    self.old_form = self.old_form or document.find("m_CorrespondingSourceObject") is None
                made = GameObject(name if isinstance(name, str) else "", document.file_id, document=document)
                self.objects.setdefault(document.file_id, made)
        for document in self.asset.documents:
            if document.class_id in TRANSFORMS and not document.stripped:
                self._read_transform(document)

    def _read_transform(self, document: AssetDocument) -> None:
        known = quick.transform(document.body)
        if known is None:
            ref, father = ref_of(document.value("m_GameObject")), ref_of(document.value("m_Father"))
            listed = refs_in(document.value("m_Children"))
            known = ref.file_id if ref is not None else 0, father.file_id if father is not None else 0, listed
        owner = self.objects.get(known[0])
        if owner is None or owner.transform_id is not None:
            return
        owner.transform_id = document.file_id
        owner.listed = known[2]
        self.transforms[document.file_id] = owner
        self._fathers[document.file_id] = known[1]

    def _read_instances(self) -> None:
        for document in self.asset.documents:
            if document.class_id == PREFAB_INSTANCE and not document.stripped:
                made = self._instance(document)
                if made is not None:
                    self.instances.setdefault(document.file_id, made)
        for document in self.asset.documents:
            if document.stripped:
                ids = quick.stripped(document.body) or _stripped_ids(document)
                known = self.instances.get(ids[0])
                if known is not None:
                    known.stripped.setdefault(ids[1], document)
                    self._stripped[document.file_id] = (known, ids[1])

    def _instance(self, document: AssetDocument) -> Instance | None:
        known = quick.instance(document.body)
        if known is not None:
            parent, source, modifications, removed = known
            made = Instance(document.file_id, document, source, parent, self.sources.of(source), removed=removed)
            for entry in modifications:
                made.modifications.setdefault((entry.target.file_id, entry.path), entry)
            return made
        fields = fields_of(document)
        if fields.get("m_IsPrefabParent") == "1" or fields.get("m_IsPrefabAsset") == "1":
            # Before 2018.3 a prefab had such a document for itself.
            return None
        source = ref_of(fields.get("m_SourcePrefab")) or ref_of(fields.get("m_ParentPrefab")) or Ref()
        made = Instance(document.file_id, document, source, 0, self.sources.of(source))
        modification = fields.get("m_Modification")
        if isinstance(modification, Pairs):
            _read_modification(made, modification)
        return made

    def _link(self) -> None:
        for instance in self.instances.values():
            instance.root = inside.root_of(self, instance)
        hanging: list[tuple[int, int, GameObject]] = [
            (self._fathers[at], at, found) for at, found in self.transforms.items() if self._fathers[at]
        ]
        hanging += [(i.parent_transform, 0, i.root) for i in self.instances.values() if i.root and i.parent_transform]
        for father, _, child in hanging:
            child.parent = self.transforms.get(father)
            self._under.setdefault(father, []).append(child)
        for father, _, child in hanging:
            if child.parent is None and father in self._stripped:
                child.parent = inside.node_of_transform(self, *self._stripped[father])
        self.roots = self._roots()

    def _roots(self) -> list[GameObject]:
        found = [o for o in self.objects.values() if o.parent is None]
        found += [i.root for i in self.instances.values() if i.root is not None and i.root.parent is None]
        place: dict[int, int] = {}
        for document in self.asset.documents:
            if document.class_id == SCENE_ROOTS:
                for number, file_id in enumerate(refs_in(document.value("m_Roots"))):
                    at = self.instances[file_id].root if file_id in self.instances else self.at_transform(file_id)
                    if at is not None:
                        place.setdefault(id(at), number)
        if place:
            return sorted(found, key=lambda o: place.get(id(o), len(place)))
        return sorted(found, key=self.root_order)

    def root_order(self, at: GameObject) -> int:
        """`m_RootOrder` of an object or instance root (2022.2 and before); 0 where it has none."""
        if at.instance is not None:
            key = (at.source_transform_id or 0, "m_RootOrder")
            found: Value = at.instance.modifications[key].value if key in at.instance.modifications else None
        else:
            document = self.documents.get(at.transform_id or 0)
            found = document.value("m_RootOrder") if document is not None else None
        return int(found) if isinstance(found, str) and found.removeprefix("-").isdigit() else 0


def _stripped_ids(document: AssetDocument) -> tuple[int, int]:
    """The instance that a stripped document belongs to, and what it stands for there."""
    instance = ref_of(document.value("m_PrefabInstance")) or ref_of(document.value("m_PrefabInternal"))
    origin = ref_of(document.value("m_CorrespondingSourceObject")) or ref_of(document.value("m_PrefabParentObject"))
    return (instance.file_id if instance is not None else 0), (origin.file_id if origin is not None else 0)


def _read_modification(instance: Instance, modification: Pairs) -> None:
    parent = ref_of(modification.get("m_TransformParent"))
    instance.parent_transform = parent.file_id if parent is not None else 0
    for entry in modifications_in(modification.get("m_Modifications")):
        instance.modifications.setdefault((entry.target.file_id, entry.path), entry)
    for key in ("m_RemovedComponents", "m_RemovedGameObjects"):
        instance.removed.update(refs_in(modification.get(key)))


def modifications_in(entries: Value) -> Iterator[Modification]:
    """The entries of `m_Modifications`, those that are no entries left out."""
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, Pairs):
            continue
        target, path, value = ref_of(entry.get("target")), entry.get("propertyPath"), entry.get("value")
        if target is not None and isinstance(path, str):
            reference = ref_of(entry.get("objectReference")) or Ref()
            yield Modification(at, target, path, value if isinstance(value, str) else "", reference)


def fields_of(document: AssetDocument) -> Pairs:
    """All fields of a document as plain values. Raises `YamlError`."""
    plain = document.fields.plain()
    return plain if isinstance(plain, Pairs) else Pairs()


def refs_in(value: Value) -> list[int]:
    """The file ids of a list of references."""
    if not isinstance(value, list):
        return []
    return [ref.file_id for ref in map(ref_of, value) if ref is not None]


def component_ids(document: AssetDocument) -> list[int]:
    """The ids in `m_Component`, in both of its forms (`component: {…}`, `4: {…}`)."""
    found = []
    entries = document.value("m_Component")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Pairs):
            ref = next((ref_of(value) for _, value in entry.items()), None)
            if ref is not None:
                found.append(ref.file_id)
    return found
