"""Plain values compared, copied and changed: what a value reads back as, and one part of it exchanged for another.

Knows nodes only to take their shape; makes no bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from spark.engines.unity.yaml import write
from spark.engines.unity.yaml.tree import FLOW_MAP, Node
from spark.engines.unity.yaml.values import Pairs, Ref, Value, pairs_of


def as_read(value: Value, *, in_flow: bool = False) -> Value:
    """What a value reads back as."""
    if value is None:
        return "" if in_flow else None
    if isinstance(value, str):
        return value
    if isinstance(value, Ref):
        return Pairs(value.pairs(), inline=True)
    if isinstance(value, Pairs | Mapping):
        inline = in_flow or write.is_inline(value) or not len(value)
        return Pairs([(str(key), as_read(item, in_flow=inline)) for key, item in pairs_of(value)], inline=inline)
    if isinstance(value, Sequence):
        return [as_read(item, in_flow=in_flow) for item in value]
    return write.scalar_text(value)


def alike(value: Value, node: Node | None) -> Value:
    """A value whose `dict`s are inline or blocks as the mappings with the same keys are that stand at `node`."""
    if isinstance(value, Mapping):
        there = {key.text: item for key, item in node.entries()} if node is not None else {}
        inline = node.kind == FLOW_MAP if node is not None and there.keys() == value.keys() else write.is_inline(value)
        return Pairs([(key, alike(item, there.get(key))) for key, item in value.items()], inline=inline)
    if isinstance(value, list | tuple):
        items = node.items() if node is not None else []
        return [alike(item, items[min(at, len(items) - 1)] if items else None) for at, item in enumerate(value)]
    return value


def rebuilt(node: Node, target: Node, change: Callable[[Value], Value]) -> Value:
    """The plain value of `node` with that of `target`, somewhere below or itself, exchanged."""
    if node.same(target):
        return change(node.plain())
    if node.is_sequence:
        return [rebuilt(item, target, change) for item in node.items()]
    if node.is_mapping:
        pairs = [(key.text, rebuilt(value, target, change)) for key, value in node.entries()]
        return Pairs(pairs, inline=node.kind == FLOW_MAP)
    return node.plain()


def with_pair(plain: Value, at: int, key: str, value: Value) -> Value:
    """A mapping with one pair more."""
    assert isinstance(plain, Pairs)
    pairs: list[tuple[str, Value]] = list(plain.items())
    pairs.insert(at, (key, value))
    return Pairs(pairs, inline=plain.inline)


def with_item(plain: Value, at: int, value: Value) -> Value:
    """A list with one item more."""
    assert isinstance(plain, list)
    return [*plain[:at], value, *plain[at:]]


def without(plain: Value, at: int) -> Value:
    """A mapping or list with one pair or item less."""
    if isinstance(plain, Pairs):
        pairs = list(plain.items())
        del pairs[at]
        return Pairs(pairs, inline=plain.inline)
    assert isinstance(plain, list)
    return plain[:at] + plain[at + 1 :]
