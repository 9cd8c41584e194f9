"""Objects that the two sides treat in ways that do not go together: deleted here and used there, moved to two places.

Looks at local references only (`{fileID: N}`), and at nothing but documents that a side changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Final

from spark.engines.unity.merge.version import Document, same

Documents = Mapping[int, Document]

_REFERENCE: Final = re.compile(rb"\{fileID: (-?\d+)\}")
_FATHER: Final = re.compile(
    rb"^  m_Father: \{fileID: (-?\d+)\}|^    m_TransformParent: \{fileID: (-?\d+)\}", re.MULTILINE
)
_OWNER: Final = re.compile(
    rb"^  (?:m_GameObject|m_Father|m_PrefabInstance|m_PrefabInternal): \{fileID: (-?\d+)\}"
    rb"|^    m_TransformParent: \{fileID: (-?\d+)\}",
    re.MULTILINE,
)
_INSTANCE: Final = re.compile(rb"^  m_PrefabInstance: \{fileID: (-?\d+)\}", re.MULTILINE)
_CHILD: Final = re.compile(rb"^  - \{fileID: (-?\d+)\}", re.MULTILINE)
_CHILD_LINE: Final = re.compile(_CHILD.pattern + rb"\r?\n", re.MULTILINE)
_COMPONENT: Final = re.compile(rb"^  - (?:component|\d+): \{fileID: (-?\d+)\}", re.MULTILINE)
_GAME_OBJECT: Final = re.compile(rb"^  m_GameObject: \{fileID: (-?\d+)\}", re.MULTILINE)
TRANSFORMS: Final = frozenset({4, 224})
INSTANCE: Final = 1001


def references(body: bytes) -> set[int]:
    """The file ids that a body refers to in its own file; none is 0."""
    return {int(found) for found in _REFERENCE.findall(body)} - {0}


def uses_differ(ours: bytes, theirs: bytes, ids: Set[str]) -> bool:
    """Whether one side refers to one of the contested objects where the other does not."""
    if not ids:
        return False
    mine, other = (set(_REFERENCE.findall(side)) for side in (ours, theirs))
    return any(found.decode() in ids for found in mine ^ other)


def father(body: bytes) -> int:
    """The parent Transform that a Transform or an instance names; 0: none."""
    match = _FATHER.search(body)
    return int(match[1] or match[2]) if match else 0


def children(body: bytes) -> list[int]:
    return [int(found) for found in _CHILD.findall(body)]


def without_children(body: bytes, ids: Set[int]) -> bytes:
    """A Transform's body with these taken out of its children."""
    kept = _CHILD_LINE.sub(lambda line: b"" if int(line[1]) in ids else line[0], body)
    return kept if kept == body or children(kept) else kept.replace(b"  m_Children:\n", b"  m_Children: []\n")


def components(body: bytes) -> list[int]:
    return [int(found) for found in _COMPONENT.findall(body)]


def game_object(body: bytes) -> int:
    """The object that a component belongs to; 0: none."""
    match = _GAME_OBJECT.search(body)
    return int(match[1]) if match else 0


@dataclass(slots=True)
class Contested:
    """`deleted`: documents that one side deleted and the other uses, with all that hangs on them. `moved`: Transforms that
    each side gave another parent, or one side a parent that the other deleted."""

    deleted: set[int] = field(default_factory=set)
    moved: set[int] = field(default_factory=set)

    def move(self, document: Document, ours: Documents) -> None:
        self.moved.add(document.file_id)
        if document.class_id == INSTANCE:
            self.moved |= set(_roots_of(ours, document.file_id))

    def texts(self) -> ContestedTexts:
        """The same as they stand in references."""
        return ContestedTexts(frozenset(map(str, self.deleted)), frozenset(map(str, self.moved)))


@dataclass(frozen=True, slots=True)
class ContestedTexts:
    deleted: frozenset[str]
    moved: frozenset[str]

    @property
    def any(self) -> frozenset[str]:
        return self.deleted | self.moved if self.moved else self.deleted


def contested(base: Documents, ours: Documents, theirs: Documents) -> Contested:
    found = Contested()
    for deleter, user in ((ours, theirs), (theirs, ours)):
        found.deleted |= _used(base, deleter, user)
    for file_id, document in base.items():
        if document.class_id not in TRANSFORMS and document.class_id != INSTANCE:
            continue
        mine, other = ours.get(file_id), theirs.get(file_id)
        if mine is None or other is None or mine.body == other.body:
            continue
        before, father_ours, father_theirs = (father(version.body) for version in (document, mine, other))
        fathers = {father_ours, father_theirs}
        if len(fathers) == 2 and (before not in fathers or fathers & found.deleted):
            found.move(document, ours)
    return found


def _roots_of(documents: Documents, instance: int) -> Iterator[int]:
    """The stripped Transforms that stand for an instance's objects."""
    for document in documents.values():
        if document.stripped and document.class_id in TRANSFORMS:
            match = _INSTANCE.search(document.body)
            if match and int(match[1]) == instance:
                yield document.file_id


def _used(base: Documents, deleter: Documents, other: Documents) -> set[int]:
    gone = {file_id for file_id in base if file_id not in deleter and file_id in other}
    if not gone:
        return set()
    added = [d for d in other.values() if d.file_id not in base and d.file_id not in deleter]
    seeds: set[int] = set()
    for file_id, document in other.items():
        before = base.get(file_id)
        if same(before, document) or same(deleter.get(file_id), document):
            continue
        if file_id in gone:
            seeds.add(file_id)
        new = references(document.body) & gone
        seeds |= new - references(before.body) if new and before is not None else new
    return _connected(seeds, gone, other, added) if seeds else seeds


def _connected(seeds: set[int], gone: set[int], other: Documents, added: list[Document]) -> set[int]:
    """Whoever keeps one of the deleted objects needs what it consists of; what was added to it or uses it hangs on it."""
    near: dict[int, set[int]] = {}
    for file_id in gone:
        for target in references(other[file_id].body) & gone:
            near.setdefault(file_id, set()).add(target)
            near.setdefault(target, set()).add(file_id)
    added_ids = {document.file_id for document in added}
    for document in added:
        near.setdefault(document.file_id, set()).update({game_object(document.body)} & added_ids)
        owners = {int(owner[0] or owner[1]) for owner in _OWNER.findall(document.body)}
        for target in owners | (references(document.body) & gone):
            near.setdefault(target, set()).add(document.file_id)
    reached, todo = set(seeds), list(seeds)
    while todo:
        fresh = near.get(todo.pop(), set()) - reached
        reached |= fresh
        todo += fresh
    return reached


def broken(merged: Documents, ours: Documents, theirs: Documents) -> set[int]:
    """Documents whose references fit in both sides and no longer fit in what was merged of them."""
    wrong: set[int] = set()
    rooted: set[int] = set()
    for file_id, document in merged.items():
        versions = [(side, side[file_id]) for side in (ours, theirs) if file_id in side]
        if len(versions) == 2 and all(same(version, document) for _, version in versions):
            continue
        missing = references(document.body) - merged.keys()
        for side, version in versions:
            missing -= missing and references(version.body) - side.keys()
        if missing:
            wrong.add(file_id)
        elif not _has_its_place(merged, document):
            if all(_has_its_place(side, version) for side, version in versions):
                wrong.add(file_id)
        elif document.class_id in TRANSFORMS and _goes_round(merged, file_id, rooted):
            wrong |= {file_id} if not any(_goes_round(side, file_id, set()) for side, _ in versions) else set()
    return wrong


def _has_its_place(documents: Documents, document: Document) -> bool:
    """A Transform stands among its parent's children and its children name it; a component among its object's."""
    if document.stripped:
        return True
    body, file_id = document.body, document.file_id
    if document.class_id in TRANSFORMS:
        parent = documents.get(father(body))
        if parent is not None and not parent.stripped and file_id not in children(parent.body):
            return False
        for child in children(body):
            there = documents.get(child)
            if there is not None and not there.stripped and father(there.body) != file_id:
                return False
    if document.class_id == 1:
        there_all = (documents.get(component) for component in components(body))
        return all(there is None or there.stripped or game_object(there.body) == file_id for there in there_all)
    owner = documents.get(game_object(body))
    return owner is None or owner.stripped or owner.class_id != 1 or file_id in components(owner.body)


def _goes_round(documents: Documents, file_id: int, rooted: set[int]) -> bool:
    """Whether a Transform's parents never end. `rooted`: Transforms whose parents are known to."""
    seen: set[int] = set()
    at = file_id
    while at and at not in rooted:
        if at in seen:
            return True
        seen.add(at)
        document = documents.get(at)
        at = 0 if document is None else father(document.body)
    rooted |= seen
    return False
