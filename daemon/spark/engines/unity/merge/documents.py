"""The documents of three versions of a file, matched by file id: which one side changed is taken as it is, which both did is
merged by property, and what does not go together is a conflict."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from spark.core.patience import go_on
from spark.engines.unity.merge.contested import TRANSFORMS, Contested, uses_differ, without_children
from spark.engines.unity.merge.fit import Faults, Fit
from spark.engines.unity.merge.names import Names
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
_ROUNDS: Final = 8
"""How often the documents are merged anew because they do not fit together, before each side is left as it was."""
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
    return merging.outcome(head, choices if is_meta else merging.fitting(choices))


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
        self._contested = Contested(self._base, self._ours, self._theirs)
        self._texts = self._contested.texts()
        self._names = (Names(self._ours), Names(self._theirs))
        self._lines: dict[int, int] | None = None
        self._head_lines = ours.head.count(b"\n")

    def choices(self, forced: Set[int]) -> dict[int, _Choice]:
        """Of every document of either side. `forced`: these are conflicts as a whole."""
        self._texts = self._contested.texts()
        found: dict[int, _Choice] = {}
        for file_id in (*self._ours, *(i for i in self._theirs if i not in self._ours)):
            go_on()
            found[file_id] = self._choice(file_id, forced)
        return found

    def fitting(self, choices: dict[int, _Choice]) -> dict[int, _Choice]:
        """The same where the documents fit together, for whoever keeps ours everywhere and whoever keeps theirs. Where they do
        not, more is decided together: what is missing, what was moved, the documents as wholes; at last everything that
        differs, which is each side as it was."""
        fit = Fit(self._ours, self._theirs)
        forced: set[int] = set()
        for _ in range(_ROUNDS):
            faults = Faults()
            for side in self._kept(choices):
                found = fit.faults(side)
                faults.documents |= found.documents
                faults.missing |= found.missing
            if not faults:
                return choices
            if self._contested.use(faults.missing) or self._contested.move(faults.documents):
                choices = self.choices(forced)
                continue
            fresh = self._differing(faults.documents) - forced
            if not fresh:
                break
            forced |= fresh
            choices = choices | {i: self._choice(i, forced) for i in fresh}
        return self.choices(self._differing(choices.keys()))

    def _differing(self, ids: Set[int]) -> set[int]:
        return {i for i in ids if not same(self._ours.get(i), self._theirs.get(i))}

    def _kept(self, choices: Mapping[int, _Choice]) -> list[dict[int, Document]]:
        """The documents for who keeps ours everywhere and for who keeps theirs; one of them where there is nothing to decide."""
        decided = {i: choice for i, choice in choices.items() if choice.conflicts}
        clean = {i: c.document for i, c in choices.items() if c.document is not None and not c.conflicts}
        if not decided:
            return [clean]
        kept = [dict(clean), dict(clean)]
        for file_id, choice in decided.items():
            sides = (self._ours.get(file_id), self._theirs.get(file_id))
            if choice.document is not None:
                ours, theirs = _without_marks(choice.document.body)
                sides = (choice.document.with_body(ours), choice.document.with_body(theirs))
            for documents, side in zip(kept, sides, strict=True):
                if side is not None:
                    documents[file_id] = side
        return kept

    def outcome(self, head: bytes, choices: dict[int, _Choice]) -> Outcome:
        versions = {i: choice.document or self._ours.get(i) or self._theirs[i] for i, choice in choices.items()}
        order = document_order(list(self._ours), list(self._theirs), versions)
        out: list[bytes] = [head]
        # Neighbours that one decision belongs to stand between the same marks.
        open_sides: list[tuple[bytes, bytes]] = []
        for file_id in order:
            choice = choices[file_id]
            if choice.sides is not None:
                open_sides.append(choice.sides)
                continue
            if choice.document is None:
                continue
            if open_sides:
                out.append(_marked(open_sides))
                open_sides = []
            out += (choice.document.header, choice.document.body)
        if open_sides:
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
        ends = [end.start() for end in re.finditer(b"\n", ours.body)] if properties.clashes else []
        conflicts = tuple(
            replace(
                self._conflict(ours, (clash.base, clash.ours, clash.theirs), clash.why, bisect_left(ends, clash.at)),
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

    def _conflict(self, document: Document, sides: tuple[bytes, bytes, bytes], why: str, line: int = 0) -> Conflict:
        """`line`: in the body of ours, from 0."""
        base, ours, theirs = (_shown(side) for side in sides)
        is_ours = document.file_id in self._ours
        at = self._line(document.file_id) + line if is_ours else 0
        file_id = "" if self._is_meta else str(document.file_id)
        name = self._names[0 if is_ours else 1].of(document)
        return Conflict(base, ours, theirs, at, file_id, document.class_name, name, "", why)

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


def _marked(sides: Sequence[tuple[bytes, bytes]]) -> bytes:
    return marked_lines([ours for ours, _ in sides], [theirs for _, theirs in sides])


def _without_marks(marked: bytes) -> tuple[bytes, bytes]:
    """What is left for who keeps ours between all marks, and for who keeps theirs."""
    opening, middle, closing = marked_lines([], []).splitlines(keepends=True)
    ours: list[bytes] = []
    theirs: list[bytes] = []
    into: tuple[list[bytes], ...] = (ours, theirs)
    for line in marked.splitlines(keepends=True):
        if line == opening:
            into = (ours,)
        elif line == middle and into[0] is ours and len(into) == 1:
            into = (theirs,)
        elif line == closing:
            into = (ours, theirs)
        else:
            for side in into:
                side.append(line)
    return b"".join(ours), b"".join(theirs)


def _shown(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
