"""The documents of three versions of a file, matched by file id: which one side changed is taken as it is, which both did is
merged by property, and what does not go together is a conflict."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Final

from spark.engines.unity.merge.contested import TRANSFORMS, broken, contested, father, uses_differ, without_children
from spark.engines.unity.merge.names import object_name
from spark.engines.unity.merge.order import document_order
from spark.engines.unity.merge.properties import (
    BOTH_ADDED,
    BOTH_CHANGED,
    CONTESTED,
    DELETED_BY_OURS,
    DELETED_BY_THEIRS,
    NotByProperty,
    Properties,
    shown,
)
from spark.engines.unity.merge.version import Document, NotByDocument, Version, same
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.tree import parse
from spark.text.merge import Conflict, marked_lines, merge

_SHOWN_CHARS: Final = 2000
_MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
"""A larger document that both sides changed is not taken apart: it would take too long."""
DOES_NOT_FIT: Final = "each change fits alone, together their references do not"


@dataclass(frozen=True, slots=True)
class _Choice:
    """What becomes of one document. `document` is None where it is gone; with `conflicts` its body may hold marks; `sides`
    where one of two whole documents (or none) must be chosen."""

    document: Document | None
    conflicts: tuple[Conflict, ...] = ()
    sides: tuple[bytes, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`content` has marks where there are conflicts."""

    content: bytes
    conflicts: tuple[Conflict, ...]


def merge_versions(base: Version, ours: Version, theirs: Version, *, is_meta: bool = False) -> Outcome:
    """Raises `NotByDocument` where the lines before the documents differ on all sides."""
    head = _head(base.head, ours.head, theirs.head)
    merging = _Merging(base, ours, theirs, is_meta)
    choices = merging.choices(frozenset())
    if not any(choice.conflicts for choice in choices.values()) and not is_meta:
        result = {i: choice.document for i, choice in choices.items() if choice.document is not None}
        wrong = broken(result, ours.documents, theirs.documents)
        if wrong:
            choices = merging.choices(merging.contest(wrong))
    return merging.outcome(head, choices)


def _head(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    raise NotByDocument


class _Merging:
    def __init__(self, base: Version, ours: Version, theirs: Version, is_meta: bool) -> None:
        self._base, self._ours, self._theirs = base.documents, ours.documents, theirs.documents
        self._is_meta = is_meta
        self._contested = contested(self._base, self._ours, self._theirs)
        self._texts = self._contested.texts()
        self._lines: dict[int, int] | None = None
        self._head_lines = ours.head.count(b"\n")

    def choices(self, forced: Set[int]) -> dict[int, _Choice]:
        """Of every document of either side. `forced`: these are conflicts as a whole."""
        self._texts = self._contested.texts()
        ids = [*self._ours, *(i for i in self._theirs if i not in self._ours)]
        return {i: self._choice(i, forced) for i in ids}

    def contest(self, wrong: Set[int]) -> Set[int]:
        """Moved objects among them become contested; the others are answered."""
        moved = set()
        for file_id in wrong:
            ours, theirs = self._ours.get(file_id), self._theirs.get(file_id)
            if ours and theirs and father(ours.body) != father(theirs.body):
                self._contested.move(ours, self._ours)
                moved.add(file_id)
        return wrong if not moved else set()

    def outcome(self, head: bytes, choices: dict[int, _Choice]) -> Outcome:
        versions = {i: choice.document or self._ours.get(i) or self._theirs[i] for i, choice in choices.items()}
        order = document_order(list(self._ours), list(self._theirs), versions)
        out: list[bytes] = [head]
        open_sides: tuple[bytes, bytes] | None = None
        for file_id in order:
            choice = choices[file_id]
            if choice.sides is not None:
                # Neighbours that one decision belongs to stand between the same marks.
                before = open_sides or (b"", b"")
                open_sides = (before[0] + choice.sides[0], before[1] + choice.sides[1])
                continue
            if choice.document is None:
                continue
            if open_sides is not None:
                out.append(_marked(open_sides))
                open_sides = None
            out += (choice.document.header, choice.document.body)
        if open_sides is not None:
            out.append(_marked(open_sides))
        conflicts = tuple(conflict for file_id in order for conflict in choices[file_id].conflicts)
        return Outcome(b"".join(out), conflicts)

    # -- one document ----------------------------------------------------------------------------------------------------

    def _choice(self, file_id: int, forced: Set[int]) -> _Choice:
        base, ours, theirs = (side.get(file_id) for side in (self._base, self._ours, self._theirs))
        if file_id in forced:
            return self._whole(base, ours, theirs, DOES_NOT_FIT)
        if same(ours, theirs):
            return _Choice(ours)
        if (ours is None or theirs is None) and file_id in self._contested.deleted:
            return self._whole(base, ours, theirs, CONTESTED)
        if base is None and (ours is None or theirs is None):
            return self._added(ours, theirs)
        if same(base, ours) or same(base, theirs):
            used = ours and theirs and uses_differ(ours.body, theirs.body, self._texts.any)
            if ours and theirs and (used or file_id in self._contested.moved):
                return self._merged(base, ours, theirs)
            return _Choice(theirs if same(base, ours) else ours)
        if ours is None or theirs is None:
            return self._whole(base, ours, theirs, DELETED_BY_OURS if ours is None else DELETED_BY_THEIRS)
        if base is None and not self._is_meta:
            return self._added_twice(ours, theirs)
        return self._merged(base, ours, theirs)

    def _added(self, ours: Document | None, theirs: Document | None) -> _Choice:
        """By one side. Children whose place is contested are there only for who keeps that side's place."""
        there = ours or theirs
        assert there is not None
        if there.class_id not in TRANSFORMS or not self._contested.moved:
            return _Choice(there)
        left = there.with_body(without_children(there.body, self._contested.moved))
        return _Choice(there) if same(left, there) else self._merged(None, ours or left, theirs or left)

    def _added_twice(self, ours: Document, theirs: Document) -> _Choice:
        try:
            equal = ours.header == theirs.header and ours.tree.root.plain() == theirs.tree.root.plain()
        except YamlError:
            equal = False
        return _Choice(ours) if equal else self._whole(None, ours, theirs, BOTH_ADDED)

    def _merged(self, base: Document | None, ours: Document, theirs: Document) -> _Choice:
        """Both sides changed it."""
        kinds = {(side.class_id, side.stripped) for side in (base or ours, ours, theirs)}
        if len(kinds) > 1:
            return self._whole(base, ours, theirs, BOTH_CHANGED)
        if max(len(ours.body), len(theirs.body)) > _MAX_DOCUMENT_BYTES:
            return self._by_lines(base, ours, theirs)
        properties = Properties(self._texts, ours.file_id)
        try:
            body = properties.merged(None if base is None else base.tree, ours.tree, theirs.tree)
            if not properties.clashes:
                parse(body)
        except (NotByProperty, YamlError):
            return self._by_lines(base, ours, theirs)
        conflicts = tuple(
            replace(
                self._conflict(ours, (clash.base, clash.ours, clash.theirs), clash.why, clash.at),
                property=shown(clash.path if self._is_meta else clash.path[1:]),
            )
            for clash in properties.clashes
        )
        return _Choice(ours.with_body(body), conflicts)

    def _by_lines(self, base: Document | None, ours: Document, theirs: Document) -> _Choice:
        """A document without properties to go by: it does not parse, a key comes twice, or it is too large."""
        merged = merge(b"" if base is None else base.body, ours.body, theirs.body)
        if merged.content is not None:
            made = ours.with_body(merged.content)
            if made.parses or not (ours.parses and theirs.parses):
                return _Choice(made)
        if merged.marked is None:
            return self._whole(base, ours, theirs, BOTH_CHANGED)
        here = self._conflict(ours, (b"", b"", b""), BOTH_CHANGED)
        conflicts = tuple(
            replace(here, base=c.base, ours=c.ours, theirs=c.theirs, ours_line=here.ours_line + c.ours_line - 1)
            for c in merged.conflicts
        )
        return _Choice(ours.with_body(merged.marked), conflicts)

    def _whole(self, base: Document | None, ours: Document | None, theirs: Document | None, why: str) -> _Choice:
        there = ours or theirs
        assert there is not None
        raws = tuple(b"" if side is None else side.raw for side in (base, ours, theirs))
        conflict = self._conflict(there, (raws[0], raws[1], raws[2]), why)
        if ours is not None:
            conflict = replace(conflict, ours_line=conflict.ours_line - ours.header.count(b"\n"))
        return _Choice(None, (conflict,), (raws[1], raws[2]))

    def _conflict(self, document: Document, sides: tuple[bytes, bytes, bytes], why: str, at: int = 0) -> Conflict:
        """`at`: the offset in the body of ours."""
        base, ours, theirs = (_shown(side) for side in sides)
        here = self._ours.get(document.file_id)
        line = 0 if here is None else self._line(here.file_id) + here.body.count(b"\n", 0, at)
        known = self._theirs if here is None else self._ours
        file_id = "" if self._is_meta else str(document.file_id)
        return Conflict(base, ours, theirs, line, file_id, document.class_name, object_name(document, known), "", why)

    def _line(self, file_id: int) -> int:
        """The line in ours where a document's body begins, from 1."""
        if self._lines is None:
            self._lines = {}
            line = self._head_lines + 1
            for document in self._ours.values():
                line += document.header.count(b"\n")
                self._lines[document.file_id] = line
                line += document.body.count(b"\n")
        return self._lines[file_id]


def _marked(sides: tuple[bytes, bytes]) -> bytes:
    return marked_lines([sides[0]], [sides[1]])


def _shown(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
