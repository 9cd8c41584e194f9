"""Where a property stands: from the top of a document along the steps of a path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spark.engines.unity.yaml.paths import Named, Step
from spark.engines.unity.yaml.tree import FLOW_SEQ, Node


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands. `slot`: the offset behind its colon or dash, -1 for a whole `.meta`; `key`: its key, None for
    an item; `up`: the place of the mapping or list that holds it; `path`: the keys and numbers that lead here."""

    node: Node
    slot: int
    key: Node | None
    up: Place | None
    path: tuple[str | int, ...]

    @property
    def indent(self) -> int:
        """The column of the key or dash that owns the value."""
        return 0 if self.up is None else self.up.node.indent

    @property
    def is_item(self) -> bool:
        return self.up is not None and self.up.node.is_sequence

    @property
    def in_flow(self) -> bool:
        return self.up is not None and self.up.node.is_flow

    @property
    def flow(self) -> Place | None:
        """The outermost inline value around this one."""
        found, place = None, self.up
        while place is not None and place.node.is_flow:
            found, place = place, place.up
        return found


def walk(top: Place, steps: Sequence[Step]) -> tuple[Place, int]:
    """The place that a path leads to, and how many of its steps could be gone."""
    place = top
    for number, step in enumerate(steps):
        found = step_into(place, step)
        if found is None:
            return place, number
        place = found
    return place, len(steps)


def step_into(place: Place, step: Step) -> Place | None:
    """The place one step below; None where there is none."""
    node = place.node
    if isinstance(step, int):
        items = node.items()
        return _item(place, items, step) if 0 <= step < len(items) else None
    if isinstance(step, Named) and node.is_sequence:
        items = node.items()
        for number, item in enumerate(items):
            if item.get(step) is not None:
                return step_into(_item(place, items, number), str(step))
        return None
    entry = node.entry(step)
    if entry is None:
        return None
    key, value = entry
    return Place(value, key.end + 1, key, place, (*place.path, str(step)))


def _item(place: Place, items: list[Node], index: int) -> Place:
    return Place(items[index], dash_of(place.node, items, index) + 1, None, place, (*place.path, index))


def dash_of(node: Node, items: list[Node], index: int) -> int:
    """Where an item's dash stands: between two items there are only line ends, spaces and it."""
    if node.kind == FLOW_SEQ:
        return items[index].start - 1
    return node.tree.body.index(b"-", items[index - 1].end if index else node.start)
