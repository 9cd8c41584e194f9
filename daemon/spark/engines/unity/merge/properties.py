"""Two changed versions of one document become one: mappings key by key, lists by the identity of their items where they have
one, everything else as single values. The result is ours with theirs' changes put in; nothing is written anew.

Must not know of other documents but by the file ids that are contested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spark.core.patience import go_on
from spark.engines.unity.merge.contested import ContestedTexts, uses_differ
from spark.engines.unity.merge.lists import keyed, override_conflicts, similar
from spark.engines.unity.merge.parts import Lines, MarksDoNotFit, Part, Parts, is_list, is_map, merged_order, parts_of
from spark.engines.unity.merge.rules import Key, ListRule, is_by_component, is_by_place, list_rule
from spark.engines.unity.yaml.tree import FLOW_MAP, MAP, SEQ, Node, Tree
from spark.text.merge import marked_lines, merge_regions

BOTH_CHANGED: Final = "both sides changed it"
BOTH_ADDED: Final = "both sides added it, differently"
DELETED_BY_OURS: Final = "ours deleted it, theirs changed it"
DELETED_BY_THEIRS: Final = "theirs deleted it, ours changed it"
CONTESTED: Final = "the object is deleted or moved by one side and used by the other"

_PLACES: Final = frozenset(
    {"Transform", "RectTransform", "PrefabInstance", "m_Father", "m_Modification", "m_TransformParent"}
)
_CHILDREN: Final = frozenset({"m_Children", "m_Roots"})
Path = tuple[str, ...]


class NotByProperty(Exception):
    """A key comes twice in a mapping, so that properties have no names: the document is merged by lines."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A conflict inside one document. `at`: the offset in ours' body."""

    path: Path
    base: bytes
    ours: bytes
    theirs: bytes
    at: int
    why: str


class Properties:
    """One document's merge. `merged` answers the bytes, with marks where `clashes` has entries."""

    def __init__(self, contested: ContestedTexts, file_id: int) -> None:
        self.clashes: list[Clash] = []
        self._contested = contested
        self._is_moved = str(file_id) in contested.moved

    def merged(self, base: Tree | None, ours: Tree, theirs: Tree) -> bytes:
        """Raises `NotByProperty`, `YamlError`."""
        sides = [None if tree is None else tree.root for tree in (base, ours, theirs)]
        lists = [[] if node is None else parts_of(node, len(node.tree.body)) for node in sides]
        lines = Lines(b"", b"")
        self._mapping(lists[0], lists[1], lists[2], lines, ())
        return lines.content

    # -- one part --------------------------------------------------------------------------------------------------------

    def _part(self, base: Part | None, ours: Part | None, theirs: Part | None, lines: Lines, path: Path) -> None:
        """One entry or item, put into `lines`."""
        if ours is None or theirs is None:
            self._one_side(base, ours, theirs, lines, path)
        elif ours.raw == theirs.raw:
            lines.add(ours.raw)
        elif self._is_contested(ours, theirs, path):
            self._both(base, ours, theirs, lines, path, CONTESTED)
        elif base is not None and ours.raw == base.raw:
            lines.add(theirs.raw)
        elif base is not None and theirs.raw == base.raw:
            lines.add(ours.raw)
        elif (chosen := _unchanged_in_meaning(base, ours, theirs)) is not None:
            lines.add(chosen)
        else:
            self._both(base, ours, theirs, lines, path, BOTH_ADDED if base is None else BOTH_CHANGED)

    def _is_contested(self, ours: Part, theirs: Part, path: Path) -> bool:
        """Whether one side alone changed it and is not simply taken: it uses what the other deleted, it is the parent of an
        object with two parents, or it may have one as a child."""
        if uses_differ(ours.raw, theirs.raw, self._contested.deleted) or (self._is_moved and path[-1] in _PLACES):
            return True
        return (len(path) == 1 or path[-1] in _CHILDREN) and uses_differ(ours.raw, theirs.raw, self._contested.moved)

    def _both(self, base: Part | None, ours: Part, theirs: Part, lines: Lines, path: Path, why: str) -> None:
        kept = len(self.clashes)
        try:
            made = self._inside(base, ours, theirs, lines.lead, path)
        except MarksDoNotFit:
            made = None
        if made is not None:
            lines.add_lines(made, marked=len(self.clashes) > kept)
            return
        del self.clashes[kept:]
        self._clash(base, ours, theirs, lines, path, why)

    def _one_side(self, base: Part | None, ours: Part | None, theirs: Part | None, lines: Lines, path: Path) -> None:
        there = ours or theirs
        if there is None:
            return
        if base is None:
            lines.add(there.raw)
        elif not _same(base, there):
            self._clash(base, ours, theirs, lines, path, DELETED_BY_THEIRS if ours else DELETED_BY_OURS)

    def _clash(
        self, base: Part | None, ours: Part | None, theirs: Part | None, lines: Lines, path: Path, why: str, at: int = 0
    ) -> None:
        mine, other = ([] if part is None else [part.raw] for part in (ours, theirs))
        lines.add_conflict(mine, other)
        before, a, b = (b"" if part is None else part.raw for part in (base, ours, theirs))
        self.clashes.append(Clash(path, before, a, b, at if ours is None else ours.start, why))

    # -- both sides changed the inside of a value ------------------------------------------------------------------------

    def _inside(self, base: Part | None, ours: Part, theirs: Part, lead: bytes, path: Path) -> bytes | None:
        """The whole lines of a part whose value was merged; None where it is one value."""
        if ours.value.kind == theirs.value.kind == FLOW_MAP and is_by_component(path):
            return None if base is None else _components(base, ours, theirs, lead)
        both = (ours.value, theirs.value)
        as_map = all(is_map(node) for node in both)
        if not as_map and not all(is_list(node) for node in both):
            return None
        if ours.key != theirs.key or not _same_columns(ours.value, theirs.value):
            return None
        rule = None if as_map else list_rule(path)
        fits = base is not None and (is_map(base.value) if as_map else is_list(base.value))
        if not fits and rule is None:
            return None
        lists = [parts_of(part.value, part.end) if part else [] for part in (base if fits else None, ours, theirs)]
        block = next((part for part in (ours, theirs) if part.value.kind in (MAP, SEQ)), ours)
        head, first = _opening(block, lead)
        lines = Lines(first, b" " * block.value.indent)
        if as_map:
            self._mapping(lists[0], lists[1], lists[2], lines, path)
        elif not self._list(lists[0], lists[1], lists[2], rule, lines, path):
            return None
        raws = (part.raw for part in (ours, theirs) if part.value.kind not in (MAP, SEQ))
        empty = lead + next(raws, block.head.rstrip(b" \r\n") + (b" {}\n" if as_map else b" []\n"))
        if lines.choices is not None:
            a, b = (head + side if side else empty for side in lines.choices)
            return marked_lines([a], [b])
        return head + lines.content if lines.content else empty

    def _mapping(self, base: Parts, ours: Parts, theirs: Parts, lines: Lines, path: Path) -> None:
        sides = [_by_key(parts) for parts in (base, ours, theirs)]
        order, _ = merged_order(list(sides[0]), list(sides[1]), list(sides[2]))
        for key in order:
            assert isinstance(key, bytes)
            b, a, t = (side.get(key) for side in sides)
            name = key.decode("utf-8", "replace")
            # A material's item is found by the one key that it has.
            self._part(b, a, t, lines, path if path[-1:] == (f"[{name}]",) else (*path, name))

    def _list(self, base: Parts, ours: Parts, theirs: Parts, rule: ListRule | None, lines: Lines, path: Path) -> bool:
        """False: the list as a whole is the conflict."""
        if rule is not None:
            found = [keyed(parts, rule) for parts in (base, ours, theirs)]
            b, a, t = found
            if b is not None and a is not None and t is not None:
                return self._keyed(b, a, t, rule, lines, path)
        if is_by_place(path) and len(base) == len(ours) == len(theirs):
            for place, (b_, a_, t_) in enumerate(zip(base, ours, theirs, strict=True)):
                self._part(b_, a_, t_, lines, (*path, f"[{place}]"))
            return True
        self._sequence(base, ours, theirs, lines, path)
        return True

    def _keyed(
        self,
        base: dict[Key, Part],
        ours: dict[Key, Part],
        theirs: dict[Key, Part],
        rule: ListRule,
        lines: Lines,
        path: Path,
    ) -> bool:
        order, moved_both = merged_order(list(base), list(ours), list(theirs))
        if moved_both and rule.ordered:
            return False
        grouped = override_conflicts(base, ours, theirs) if path[-1] == "m_Modifications" else frozenset()
        near = next(iter(ours.values())).start if ours else 0
        for key in order:
            go_on()
            assert isinstance(key, tuple)
            b, a, t = base.get(key), ours.get(key), theirs.get(key)
            where = (*path, f"[{' '.join(key)}]")
            near = near if a is None else a.start
            if (a is None) != (t is None) and rule.local and key[-1] in self._contested.any:
                self._clash(b, a, t, lines, where, CONTESTED, near)
            elif key in grouped:
                self._clash(b, a, t, lines, where, BOTH_CHANGED, near)
            elif rule.atomic and a is not None and t is not None:
                self._atomic(b, a, t, lines, where)
            else:
                self._part(b, a, t, lines, where)
        return True

    def _atomic(self, base: Part | None, ours: Part, theirs: Part, lines: Lines, path: Path) -> None:
        if _same(ours, theirs):
            lines.add(ours.raw if base is None or base.raw != ours.raw else theirs.raw)
        elif base is not None and _same(ours, base):
            lines.add(theirs.raw)
        elif base is not None and _same(theirs, base):
            lines.add(ours.raw)
        else:
            self._clash(base, ours, theirs, lines, path, BOTH_ADDED if base is None else BOTH_CHANGED)

    def _sequence(self, base: Parts, ours: Parts, theirs: Parts, lines: Lines, path: Path) -> None:
        """Items without identity: runs of equal items hold the versions together, what lies between is changed."""
        raws = [[part.raw for part in parts] for parts in (base, ours, theirs)]
        sources = {"unchanged": base, "a": ours, "same": ours, "b": theirs}
        for region in merge_regions(*raws):
            if region[0] != "conflict":
                for part in sources[region[0]][region[1] : region[2]]:
                    lines.add(part.raw)
                continue
            _, b1, b2, a1, a2, t1, t2 = region
            b, a, t = base[b1:b2], ours[a1:a2], theirs[t1:t2]
            if len(b) == len(a) == len(t) and similar(b, a) and similar(b, t):
                for place, three in enumerate(zip(b, a, t, strict=True), a1):
                    self._part(*three, lines, (*path, f"[{place}]"))
            else:
                self._run_clash((b, a, t), lines, path, a1, ours)

    def _run_clash(self, runs: tuple[Parts, Parts, Parts], lines: Lines, path: Path, place: int, ours: Parts) -> None:
        base, mine, other = (b"".join(part.raw for part in run) for run in runs)
        lines.add_conflict([part.raw for part in runs[1]], [part.raw for part in runs[2]])
        at = runs[1][0].start if runs[1] else ours[place - 1].end if place and ours else 0
        self.clashes.append(Clash((*path, f"[{place}]"), base, mine, other, at, BOTH_CHANGED))


def shown(path: Path) -> str:
    """`m_LocalPosition`, `waves[2].delay`, `m_Modification.m_Modifications[123 guid m_Name]`."""
    return ".".join(path).replace(".[", "[")


def _by_key(parts: Parts) -> dict[bytes, Part]:
    found = {part.key: part for part in parts}
    if len(found) < len(parts):
        raise NotByProperty
    return found


def _opening(block: Part, lead: bytes) -> tuple[bytes, bytes]:
    """The lines before a block's first part, and what stands before that part on its line: the indentation, or the dash."""
    head = block.head
    if head.endswith(b"\n"):
        return lead + head, b" " * block.value.indent
    return b"", lead + head


def _same_columns(ours: Node, theirs: Node) -> bool:
    """Theirs' lines can stand among ours': the blocks have one indentation, or one of them is empty."""
    blocks = {node.indent for node in (ours, theirs) if node.kind in (MAP, SEQ)}
    return len(blocks) == 1


def _same(a: Part, b: Part) -> bool:
    return a.raw == b.raw or (a.key == b.key and a.value.plain() == b.value.plain())


def _unchanged_in_meaning(base: Part | None, ours: Part, theirs: Part) -> bytes | None:
    """Single values that differ only in how they are written (folds, quotes)."""
    if any(part is not None and part.value.kind in (MAP, SEQ) for part in (base, ours, theirs)):
        return None
    if _same(ours, theirs):
        return ours.raw
    if base is None:
        return None
    if _same(base, ours):
        return theirs.raw
    return ours.raw if _same(base, theirs) else None


def _components(base: Part, ours: Part, theirs: Part, lead: bytes) -> bytes | None:
    """A vector whose numbers are merged one by one."""
    sides: list[Sequence[tuple[Node, Node]]] = [list(part.value.entries()) for part in (base, ours, theirs)]
    if base.value.kind != FLOW_MAP or len({tuple(key.raw for key, _ in side) for side in sides}) != 1:
        return None
    raw = ours.raw
    for (_, b), (_, a), (_, t) in reversed(list(zip(*sides, strict=True))):
        if not (b.is_scalar and a.is_scalar and t.is_scalar):
            return None
        if a.raw == t.raw or t.raw == b.raw:
            continue
        if a.raw != b.raw:
            return None
        raw = raw[: a.start - ours.start] + t.raw + raw[a.end - ours.start :]
    return lead + raw
