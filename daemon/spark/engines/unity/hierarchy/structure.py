"""Reading the hierarchy of a prefab or scene: who is whose child, which components an object has, where instances hang.

Lenient: what is broken in a file is left out or kept where it can still be addressed, since checking is another room's
matter. Old forms (before 2018.3) are understood as well. Nothing here changes a file; `changes` keeps a hierarchy in step
with the edits of its documents.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, TypeVar, cast

from spark.core.errors import ToolRejected
from spark.core.patience import go_on
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
from spark.engines.unity.hierarchy.objects import Component, GameObject, Instance
from spark.engines.unity.hierarchy.parts import (
    component_ids,
    fields_of,
    read_modification,
    refs_in,
    stripped_ids,
)
from spark.engines.unity.hierarchy.siblings import Siblings
from spark.engines.unity.hierarchy.sources import Sources
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.values import Pairs, Ref, Value, ref_of

T = TypeVar("T")
Kept = dict[AssetDocument, tuple[bytes, object]]
_OWNER: Final = re.compile(rb"^  m_GameObject: \{fileID: (-?\d+)\}", re.MULTILINE)
_SEARCHED: Final = 20_000
_LEVEL_CLASSES: Final = frozenset({29, 104, 157, 196, SCENE_ROOTS})


class Search:
    """How far the search for one id has gone: prefabs that hold each other twice have exponentially many objects."""

    def __init__(self, file_id: int) -> None:
        self.file_id = file_id
        self.left = _SEARCHED

    def step(self) -> None:
        go_on()
        self.left -= 1
        if self.left < 0:
            raise ToolRejected(
                "not_found",
                f"the id {self.file_id} was not found within {_SEARCHED} nested instances",
                hint="Name the object by its path instead; readFile with view outline lists the paths.",
                details={"fileId": str(self.file_id)},
            )


class Hierarchy:
    """The objects of one file. `roots` are in the order in which Unity shows them."""

    def __init__(self, asset: AssetFile, sources: Sources, kept: Kept | None = None) -> None:
        """`kept`: what an earlier reading of the same asset found in its documents."""
        self.asset = asset
        self._kept = kept if kept is not None else {}
        self.sources = sources
        self.documents: dict[int, AssetDocument] = {}
        self.objects: dict[int, GameObject] = {}
        self.instances: dict[int, Instance] = {}
        self.transforms: dict[int, GameObject] = {}
        self.top = Siblings([])
        self.doubled: set[int] = set()
        """Ids that more than one document has."""
        self.scene_roots: AssetDocument | None = None
        self.old_form = False
        self.is_scene = asset.name.endswith(".unity") or any(d.class_id in _LEVEL_CLASSES for d in asset.documents[:4])
        self.stripped: dict[int, tuple[Instance, int]] = {}
        self.fathers: dict[int, int] = {}
        self.under: dict[int, list[GameObject]] = {}
        self.own_components: dict[int, list[Component]] = {}
        self.added: dict[int, list[int]] | None = None
        self._read()

    # -- questions -------------------------------------------------------------------------------------------------------

    @property
    def roots(self) -> list[GameObject]:
        return self.top.order

    def siblings(self, parent: GameObject | None) -> Siblings:
        """The children of an object in their order, or the roots. Found once, and again after `forget_below`."""
        if parent is None:
            return self.top
        if parent.below is not None:
            return parent.below
        made = Siblings(self._children(parent))
        if parent.instance is None or (parent.origin is not None and parent.instance.source.hierarchy is not None):
            # What is in a model or a missing prefab becomes known by and by.
            parent.below = made
        return made

    def children(self, parent: GameObject) -> list[GameObject]:
        """In sibling order; who asks changes nothing in the list."""
        return self.siblings(parent).order

    def _children(self, parent: GameObject) -> list[GameObject]:
        found: list[GameObject] = []
        seen: set[int] = set()
        for transform_id in parent.listed:
            child = self.at_transform(transform_id)
            if child is not None and child.parent is parent and id(child) not in seen:
                found.append(child)
                seen.add(id(child))
        rest = self.under.get(parent.transform_id or 0, ())
        found += [child for child in rest if id(child) not in seen]
        return found if parent.instance is None else self._with_added(parent, parent.instance, found)

    def _with_added(self, parent: GameObject, instance: Instance, added: list[GameObject]) -> list[GameObject]:
        """The children that an object has in its prefab, and those that were added here at their places among them."""
        found = inside.children(self, parent)
        if not added:
            return found
        places = quick.added(instance.document.body)
        if places is None:
            # Up to 2022.1 they say it themselves.
            return found + sorted(added, key=self.root_order)
        order = {file_id: at for at, (file_id, _) in enumerate(places)}
        index_of = dict(places)
        for child in sorted(added, key=lambda at: order.get(at.transform_id or 0, len(order))):
            index = index_of.get(child.transform_id or 0, -1)
            found.insert(index if index >= 0 else len(found), child)
        return found

    def components(self, owner: GameObject) -> list[Component]:
        """In `m_Component` order, the Transform first; those that were added to an object of an instance come last."""
        if owner.instance is not None:
            return inside.components(self, owner)
        if owner.file_id is None or owner.document is None:
            return []
        known = self.own_components.get(owner.file_id)
        if known is None:
            found = (self.component(file_id, owner) for file_id in component_ids(owner.document))
            known = self.own_components[owner.file_id] = [component for component in found if component is not None]
        return known

    def added_components(self, owner: GameObject) -> list[Component]:
        """Components that documents of this file give to an object of an instance."""
        if owner.file_id is None:
            return []
        found = (self.component(file_id, owner) for file_id in self.added_ids(owner.file_id))
        return [component for component in found if component is not None]

    def added_ids(self, owner_id: int) -> list[int]:
        """The same by the id of the object's stripped document."""
        if self.added is None:
            self.added = {}
            for document in self.asset.documents:
                match = None if document.stripped or document.class_id in TRANSFORMS else _OWNER.search(document.body)
                if match is not None:
                    self.added.setdefault(int(match.group(1)), []).append(document.file_id)
        return self.added.get(owner_id, [])

    def component(self, file_id: int, owner: GameObject) -> Component | None:
        document = self.documents.get(file_id)
        if document is None:
            return None
        script = ref_of(document.value("m_Script")) if document.class_id == MONO_BEHAVIOUR else None
        return Component(owner, document.class_id, document.class_name, file_id, document, script)

    def at_transform(self, transform_id: int) -> GameObject | None:
        """The object whose Transform has this id in this file, also where it only is a stripped one."""
        found = self.transforms.get(transform_id)
        if found is None and transform_id in self.stripped:
            instance, source_id = self.stripped[transform_id]
            found = inside.node_of_transform(self, instance, source_id)
        return found

    def by_id(self, file_id: int, search: Search | None = None) -> tuple[GameObject, Component | None] | None:
        """The object with this id, or the one that has the component with this id. Raises `not_found` where instances are
        nested so often that looking into all of them would take for ever."""
        if file_id in self.objects:
            return self.objects[file_id], None
        if file_id in self.instances:
            root = self.instances[file_id].root
            return None if root is None else (root, None)
        if file_id in self.stripped:
            return inside.by_source_id(self, *self.stripped[file_id])
        document = self.documents.get(file_id)
        if document is not None:
            owner = self.transforms.get(file_id) or self._owner(document)
            if owner is None:
                return None
            return owner, next((c for c in self.components(owner) if c.file_id == file_id), None)
        if self.is_scene:
            return None
        search = search or Search(file_id)
        for instance in self.instances.values():
            known = instance.source.hierarchy
            for source_id in source_ids(instance.file_id, file_id):
                search.step()
                root = instance.root
                if root is not None and source_id in (root.source_id, root.source_transform_id):
                    return inside.by_source_id(self, instance, source_id)
                if known is not None and known.by_id(source_id, search) is not None:
                    return inside.by_source_id(self, instance, source_id)
        return None

    def _owner(self, document: AssetDocument) -> GameObject | None:
        ref = ref_of(document.value("m_GameObject"))
        if ref is None:
            return None
        found = self.objects.get(ref.file_id)
        if found is None and ref.file_id in self.stripped:
            at = inside.by_source_id(self, *self.stripped[ref.file_id])
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
        return [child for ids in parent.instance.stripped.values() for child in self.under.get(ids.file_id, ())]

    # -- reading ---------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        documents = list(self.asset.documents)
        self.documents = {document.file_id: document for document in reversed(documents)}
        if len(self.documents) < len(documents):
            numbers = Counter(document.file_id for document in documents)
            self.doubled = {file_id for file_id, count in numbers.items() if count > 1}
        with reading(self.asset):
            for document in documents:
                if document.class_id == GAME_OBJECT and not document.stripped:
                    self._read_object(document)
            for document in documents:
                if document.class_id in TRANSFORMS and not document.stripped:
                    self._read_transform(document)
            for document in documents:
                if document.class_id == PREFAB_INSTANCE and not document.stripped:
                    made = self.instance_of(document)
                    if made is not None:
                        self.instances.setdefault(document.file_id, made)
            for document in documents:
                if document.stripped:
                    self._read_stripped(document)
            self._link()

    def _known(self, document: AssetDocument, read: Callable[[bytes], T]) -> T:
        """What `read` says of a document's bytes; asked once for as long as they stay the same."""
        known = self._kept.get(document)
        if known is None or known[0] is not document.body:
            known = self._kept[document] = (document.body, read(document.body))
        return cast("T", known[1])

    def _read_object(self, document: AssetDocument) -> None:
        name: Value = self._known(document, quick.object_name)
        if name is None:
            name = document.value("m_Name")
            self.old_form = self.old_form or document.find("m_CorrespondingSourceObject") is None
        made = GameObject(name if isinstance(name, str) else "", document.file_id, document=document)
        self.objects.setdefault(document.file_id, made)

    def _read_transform(self, document: AssetDocument) -> None:
        known = self._known(document, quick.transform)
        if known is None:
            ref, father = ref_of(document.value("m_GameObject")), ref_of(document.value("m_Father"))
            listed = refs_in(document.value("m_Children"))
            known = ref.file_id if ref is not None else 0, father.file_id if father is not None else 0, listed
        owner = self.objects.get(known[0])
        if owner is None or owner.transform_id is not None:
            return
        owner.transform_id = document.file_id
        owner.listed = list(known[2])
        self.transforms[document.file_id] = owner
        self.fathers[document.file_id] = known[1]

    def _read_stripped(self, document: AssetDocument) -> None:
        ids = self._known(document, quick.stripped) or stripped_ids(document)
        known = self.instances.get(ids[0])
        if known is not None:
            known.stripped.setdefault(ids[1], document)
            self.stripped[document.file_id] = (known, ids[1])

    def instance_of(self, document: AssetDocument) -> Instance | None:
        known = self._known(document, quick.instance)
        if known is not None:
            parent, source, modifications, removed = known
            made = Instance(document.file_id, document, source, parent, self.sources.of(source), removed=set(removed))
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
            read_modification(made, modification)
        return made

    def _link(self) -> None:
        for instance in self.instances.values():
            instance.root = inside.root_of(self, instance)
        hanging: list[tuple[int, int, GameObject]] = [
            (self.fathers[at], at, found) for at, found in self.transforms.items() if self.fathers[at]
        ]
        hanging += [(i.parent_transform, 0, i.root) for i in self.instances.values() if i.root and i.parent_transform]
        for father, _, child in hanging:
            child.parent = self.transforms.get(father)
            self.under.setdefault(father, []).append(child)
        for father, _, child in hanging:
            if child.parent is None and father in self.stripped:
                child.parent = inside.node_of_transform(self, *self.stripped[father])
        self.top = Siblings(self._roots())

    def _roots(self) -> list[GameObject]:
        found = [o for o in self.objects.values() if o.parent is None]
        found += [i.root for i in self.instances.values() if i.root is not None and i.root.parent is None]
        place: dict[int, int] = {}
        found_roots = (d for d in reversed(self.asset.documents) if d.class_id == SCENE_ROOTS)
        self.scene_roots = next(found_roots, None) if self.is_scene else None
        if self.scene_roots is not None:
            listed = quick.roots(self.scene_roots.body) or refs_in(self.scene_roots.value("m_Roots"))
            for number, file_id in enumerate(listed):
                at = self.instances[file_id].root if file_id in self.instances else self.at_transform(file_id)
                if at is not None:
                    place.setdefault(id(at), number)
        if place:
            return sorted(found, key=lambda o: place.get(id(o), len(place)))
        return sorted(found, key=self.root_order)

    def root_order(self, at: GameObject) -> int:
        """`m_RootOrder` of an object or instance root (2022.2 and before); 0 where it has none."""
        if at.instance is None:
            document = self.documents.get(at.transform_id or 0)
            return quick.root_order(document.body) if document is not None else 0
        entry = at.instance.modifications.get((at.source_transform_id or 0, "m_RootOrder"))
        return int(entry.value) if entry is not None and entry.value.removeprefix("-").isdigit() else 0
