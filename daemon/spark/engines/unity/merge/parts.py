"""The parts of a block (the entries of a mapping, the items of a list) with their own lines, and a block put together again.

Must not know what a property means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spark.engines.unity.yaml.tree import FLOW_MAP, FLOW_SEQ, MAP, SEQ, Node
from spark.text.merge import marked_lines


class MarksDoNotFit(Exception):
    """A conflict stands where whole lines cannot be marked (one side has nothing on a line that begins with a dash):
    what is around it must be the conflict."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One entry or item. Its bytes run from its key (or dash) to where the next one's line begins, blank lines included;
    the indentation before the key is not part of it."""

    key: bytes
    value: Node
    start: int
    end: int

    @property
    def raw(self) -> bytes:
        return self.value.tree.body[self.start : self.end]

    @property
    def head(self) -> bytes:
        """What stands before a block value: the key with its line end, or the dash."""
        return self.value.tree.body[self.start : self.value.start]


Parts = list[Part]


def parts_of(node: Node, end: int) -> Parts:
    """The parts of a block mapping or sequence; none of anything else. `end`: where the block's last line ends."""
    if node.kind == MAP:
        entries = list(node.entries())
        starts = [key.start for key, _ in entries]
    elif node.kind == SEQ:
        items = node.items()
        body = node.tree.body
        starts = [_dash(body, item.start) for item in items]
        entries = [(item, item) for item in items]
    else:
        return []
    ends = [start - node.indent for start in starts[1:]] + [end]
    is_map = node.kind == MAP
    return [
        Part(key.raw if is_map else b"", value, start, stop)
        for (key, value), start, stop in zip(entries, starts, ends, strict=True)
    ]


def _dash(body: bytes, at: int) -> int:
    """The dash before an item's value: between them there is only space."""
    at -= 1
    while body[at] in b" \r\n":
        at -= 1
    return at


def is_map(node: Node) -> bool:
    """A block mapping, or `{}`."""
    return node.kind == MAP or (node.kind == FLOW_MAP and next(node.children(), None) is None)


def is_list(node: Node) -> bool:
    """A block sequence, or `[]`."""
    return node.kind == SEQ or (node.kind == FLOW_SEQ and next(node.children(), None) is None)


class Lines:
    """A block as it is put together. `first` stands before its first part (a dash and what is before it, or the
    indentation), `rest` before each other one."""

    def __init__(self, first: bytes, rest: bytes) -> None:
        self._first = first
        self._rest = rest
        self._out: list[bytes] = []
        self._sides: tuple[list[bytes], list[bytes]] = ([], [])
        self._has_inner_marks = False

    @property
    def lead(self) -> bytes:
        """What stands before the next part."""
        return self._rest if self._out else self._first

    def add(self, raw: bytes) -> None:
        """A part without what stands before it."""
        self._put(self.lead + raw)

    def add_lines(self, lines: bytes, *, marked: bool) -> None:
        """Whole lines, made with `lead`; nothing where the part is gone. `marked`: there are marks in them."""
        self._has_inner_marks |= marked
        if lines:
            self._put(lines)

    def add_conflict(self, ours: Sequence[bytes], theirs: Sequence[bytes]) -> None:
        """Both sides' parts between marks. Raises `MarksDoNotFit`."""
        if not self._out and self._first != self._rest and not (ours and theirs):
            raise MarksDoNotFit
        sides = (self._led(ours), self._led(theirs))
        for side, lines in zip(self._sides, sides, strict=True):
            side += lines
        self._out.append(marked_lines(*sides))

    @property
    def content(self) -> bytes:
        return b"".join(self._out)

    @property
    def choices(self) -> tuple[bytes, bytes] | None:
        """What is left for who keeps ours everywhere and for who keeps theirs, where that is nothing for one of them. Raises
        `MarksDoNotFit` where there are marks inside."""
        ours, theirs = (b"".join(side) for side in self._sides)
        if bool(ours) == bool(theirs):
            return None
        if self._has_inner_marks:
            raise MarksDoNotFit
        return ours, theirs

    def _put(self, lines: bytes) -> None:
        for side in (self._out, *self._sides):
            side.append(lines)

    def _led(self, raws: Sequence[bytes]) -> list[bytes]:
        return [(self._rest if number else self.lead) + raw for number, raw in enumerate(raws)]


def merged_order(base: Iterable[object], ours: Sequence[object], theirs: Sequence[object]) -> tuple[list[object], bool]:
    """All keys of both sides: as ours has them, what only theirs has behind what it follows there. Where only theirs
    moved keys, as theirs has them. The flag: both moved keys, and not in the same way."""
    in_ours, in_theirs = set(ours), set(theirs)
    common = in_ours & in_theirs
    order_ours = [key for key in ours if key in common]
    order_theirs = [key for key in theirs if key in common]
    if order_ours == order_theirs:
        return _woven(ours, theirs, in_theirs), False
    # Keys that both sides added have no place in base: only those that were there tell who moved.
    before = [key for key in base if key in common]
    known = set(before)
    now_ours = [key for key in order_ours if key in known]
    now_theirs = [key for key in order_theirs if key in known]
    if now_ours == before != now_theirs:
        return _woven(theirs, ours, in_ours), False
    return _woven(ours, theirs, in_theirs), before != now_ours != now_theirs != before


def _woven(first: Sequence[object], second: Sequence[object], in_second: set[object]) -> list[object]:
    in_first = set(first)
    following: dict[object, list[object]] = {}
    anchor: object = None
    for key in second:
        if key in in_first:
            anchor = key
        else:
            following.setdefault(anchor, []).append(key)
    order: list[object] = []
    pending = following.pop(None, [])
    for key in first:
        if key in in_second:
            order += pending
            pending = following.get(key, [])
        order.append(key)
    return order + pending
