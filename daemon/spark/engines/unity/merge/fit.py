"""Whether documents that were merged one by one fit together: references lead somewhere, parents and children name each other,
no object is its own ancestor. Only what fits in the sides can be lost, so only that is asked for.

Every answer takes time in proportion to the documents, however deep or wide the hierarchy is.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from spark.core.patience import go_on
from spark.engines.unity.merge.contested import (
    INSTANCE,
    TRANSFORMS,
    Documents,
    children,
    components,
    father,
    game_object,
    instance,
    references,
)
from spark.engines.unity.merge.version import Document, same


@dataclass(slots=True)
class Faults:
    """`documents`: whose references fit in the sides and not in what was merged of them; `missing`: what they refer to and
    is not there."""

    documents: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.documents)


class Fit:
    """Compares what was merged, or what a person may make of it, with the two sides."""

    def __init__(self, ours: Documents, theirs: Documents) -> None:
        self._sides = (_Hierarchy(ours), _Hierarchy(theirs))

    def faults(self, merged: Documents) -> Faults:
        found = Faults()
        hierarchy = _Hierarchy(merged)
        for file_id, document in merged.items():
            go_on()
            versions = [(side, side.documents[file_id]) for side in self._sides if file_id in side.documents]
            if len(versions) == 2 and all(same(version, document) for _, version in versions):
                continue
            missing = _missing(document, merged)
            for side, version in versions:
                missing -= missing and _missing(version, side.documents)
            if missing:
                found.documents.add(file_id)
                found.missing |= missing
            elif not hierarchy.has_its_place(document):
                if all(side.has_its_place(version) for side, version in versions):
                    found.documents.add(file_id)
            elif hierarchy.goes_round(file_id) and not any(side.goes_round(file_id) for side, _ in versions):
                found.documents.add(file_id)
        return found


def broken(merged: Documents, ours: Documents, theirs: Documents) -> set[int]:
    """Documents whose references fit in both sides and no longer fit in what was merged of them."""
    return Fit(ours, theirs).faults(merged).documents


def _missing(document: Document, documents: Documents) -> set[int]:
    """One by one: a set takes the keys of all documents to subtract them."""
    return {file_id for file_id in references(document.body) if file_id not in documents}


class _Hierarchy:
    """Parents and children of a set of documents; each body is read once."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._children: dict[int, Set[int]] = {}
        self._components: dict[int, Set[int]] = {}
        self._parents: dict[int, int] = {}
        self._followed: set[int] = set()
        self._circles: set[int] = set()

    def has_its_place(self, document: Document) -> bool:
        """A Transform stands among its parent's children and its children name it; a component among its object's."""
        if document.stripped:
            return True
        body, file_id = document.body, document.file_id
        if document.class_id in TRANSFORMS:
            parent = self.documents.get(father(body))
            if parent is not None and not parent.stripped and file_id not in self._children_of(parent):
                return False
            for child in self._children_of(document):
                there = self.documents.get(child)
                if there is not None and not there.stripped and self._parent(child) != file_id:
                    return False
        if document.class_id == 1:
            there_all = (self.documents.get(component) for component in self._components_of(document))
            return all(there is None or there.stripped or game_object(there.body) == file_id for there in there_all)
        owner = self.documents.get(game_object(body))
        return owner is None or owner.stripped or owner.class_id != 1 or file_id in self._components_of(owner)

    def goes_round(self, file_id: int) -> bool:
        """Whether a Transform or an instance is its own ancestor."""
        path: list[int] = []
        places: dict[int, int] = {}
        at = file_id
        while at and at not in self._followed:
            if at in places:
                self._circles.update(path[places[at] :])
                break
            places[at] = len(path)
            path.append(at)
            at = self._parent(at)
        self._followed.update(path)
        return file_id in self._circles

    def _children_of(self, document: Document) -> Set[int]:
        found = self._children.get(document.file_id)
        if found is None:
            found = self._children[document.file_id] = frozenset(children(document.body))
        return found

    def _components_of(self, document: Document) -> Set[int]:
        found = self._components.get(document.file_id)
        if found is None:
            found = self._components[document.file_id] = frozenset(components(document.body))
        return found

    def _parent(self, file_id: int) -> int:
        """Of the stripped Transform of an instance: the instance; 0: none."""
        found = self._parents.get(file_id)
        if found is None:
            document = self.documents.get(file_id)
            found = 0
            if document is not None and document.class_id in TRANSFORMS:
                found = instance(document.body) if document.stripped else father(document.body)
            elif document is not None and document.class_id == INSTANCE:
                found = father(document.body)
            self._parents[file_id] = found
        return found
