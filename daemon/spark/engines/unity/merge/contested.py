"""Objects that the two sides treat in ways that do not go together: deleted here and used there, moved to two places.

Looks at local references only (`{fileID: N}`), and at nothing but documents that a side changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from spark.core.patience import go_on
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


def instance(body: bytes) -> int:
    """The instance that a stripped document stands for; 0: none."""
    match = _INSTANCE.search(body)
    return int(match[1]) if match else 0


class Contested:
    """`deleted`: documents that one side deleted and the other uses, with all that hangs on them. `moved`: Transforms that
    each side gave another parent, or one side a parent that the other deleted. Both only grow."""

    def __init__(self, base: Documents, ours: Documents, theirs: Documents) -> None:
        self.deleted: set[int] = set()
        self.moved: set[int] = set()
        self._base, self._ours, self._theirs = base, ours, theirs
        self._deletions = (_Deletions(base, ours, theirs), _Deletions(base, theirs, ours))
        for deletions in self._deletions:
            self.deleted |= deletions.with_what_hangs_on(deletions.used())
        self._find_moves()

    def use(self, ids: Set[int]) -> bool:
        """What one side deleted among them is contested from now on. Answers whether that is new."""
        before = len(self.deleted)
        for deletions in self._deletions:
            self.deleted |= deletions.with_what_hangs_on(ids & deletions.gone)
        if len(self.deleted) == before:
            return False
        self._find_moves()
        return True

    def move(self, ids: Set[int]) -> bool:
        """What the two sides have in different places among them is contested from now on. Answers whether that is new."""
        before = len(self.moved)
        for file_id in ids - self.moved:
            ours, theirs = self._ours.get(file_id), self._theirs.get(file_id)
            if ours and theirs and father(ours.body) != father(theirs.body):
                self._move(ours)
        return len(self.moved) > before

    def texts(self) -> ContestedTexts:
        """The same as they stand in references."""
        deleted, moved = frozenset(map(str, self.deleted)), frozenset(map(str, self.moved))
        return ContestedTexts(deleted, moved, deleted | moved)

    def _find_moves(self) -> None:
        for file_id, document in self._base.items():
            go_on()
            if document.class_id not in TRANSFORMS and document.class_id != INSTANCE:
                continue
            mine, other = self._ours.get(file_id), self._theirs.get(file_id)
            if mine is None or other is None or mine.body == other.body:
                continue
            before, father_ours, father_theirs = (father(version.body) for version in (document, mine, other))
            fathers = {father_ours, father_theirs}
            if len(fathers) == 2 and (before not in fathers or fathers & self.deleted):
                self._move(mine)

    def _move(self, document: Document) -> None:
        self.moved.add(document.file_id)
        if document.class_id == INSTANCE:
            self.moved.update(self._roots.get(document.file_id, ()))

    @cached_property
    def _roots(self) -> dict[int, list[int]]:
        """Of each instance of ours the stripped Transforms that stand for its objects."""
        found: dict[int, list[int]] = {}
        for document in self._ours.values():
            if document.stripped and document.class_id in TRANSFORMS:
                found.setdefault(instance(document.body), []).append(document.file_id)
        return found


@dataclass(frozen=True, slots=True)
class ContestedTexts:
    """`any`: both."""

    deleted: frozenset[str]
    moved: frozenset[str]
    any: frozenset[str]


class _Deletions:
    """What one side deleted and the other kept."""

    def __init__(self, base: Documents, deleter: Documents, other: Documents) -> None:
        self._base, self._deleter, self._other = base, deleter, other
        self.gone = {file_id for file_id in base if file_id not in deleter and file_id in other}

    def used(self) -> set[int]:
        """What the other side changed of it, or newly refers to."""
        used: set[int] = set()
        if not self.gone:
            return used
        for file_id, document in self._other.items():
            go_on()
            before = self._base.get(file_id)
            if same(before, document) or same(self._deleter.get(file_id), document):
                continue
            if file_id in self.gone:
                used.add(file_id)
            new = references(document.body) & self.gone
            used |= new - references(before.body) if new and before is not None else new
        return used

    def with_what_hangs_on(self, ids: Set[int]) -> set[int]:
        """Whoever keeps one of the deleted objects needs what it consists of; what was added to it or uses it hangs on it."""
        reached, todo = set(ids), list(ids)
        while todo:
            fresh = self._near.get(todo.pop(), set()) - reached
            reached |= fresh
            todo += fresh
        return reached

    @cached_property
    def _near(self) -> dict[int, set[int]]:
        near: dict[int, set[int]] = {}
        for file_id in self.gone:
            go_on()
            for target in references(self._other[file_id].body) & self.gone:
                near.setdefault(file_id, set()).add(target)
                near.setdefault(target, set()).add(file_id)
        added = [d for d in self._other.values() if d.file_id not in self._base and d.file_id not in self._deleter]
        added_ids = {document.file_id for document in added}
        for document in added:
            go_on()
            near.setdefault(document.file_id, set()).update({game_object(document.body)} & added_ids)
            owners = {int(owner[0] or owner[1]) for owner in _OWNER.findall(document.body)}
            for target in owners | (references(document.body) & self.gone):
                near.setdefault(target, set()).add(document.file_id)
        return near
