"""The tree of one document's body: nodes that are spans of the original bytes.

A node is a view that is made when somebody looks; the tape behind it (see `parser`) is all that is held. An inline value is
one node until somebody looks into it. Nothing is decoded before it is asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Final

from spark.engines.unity.yaml import grammar
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.grammar import DOUBLE, FLOW_MAP, FLOW_SEQ, MAP, MAX_DEPTH, NULL, PLAIN, SEQ, SINGLE
from spark.engines.unity.yaml.parser import tape_of
from spark.engines.unity.yaml.scalars import decoded
from spark.engines.unity.yaml.values import Pairs, Value

__all__ = [
    "DOUBLE",
    "FLOW_MAP",
    "FLOW_SEQ",
    "MAP",
    "MAX_DEPTH",
    "NULL",
    "PLAIN",
    "SEQ",
    "SINGLE",
    "Node",
    "Tree",
    "parse",
    "parse_document",
]

MAX_BYTES: Final = 0xFFFF_FFFF


class Node:
    """A view of one node. Offsets count from the start of the body that was parsed."""

    __slots__ = ("at", "tree")

    def __init__(self, tree: Tree, at: int) -> None:
        self.tree = tree
        self.at = at

    @property
    def kind(self) -> int:
        return self.tree.tape[self.at] & 7

    @property
    def indent(self) -> int:
        """The column of a block mapping's keys or a block sequence's dashes; of a scalar's or flow's owner."""
        return self.tree.tape[self.at] >> 3

    @property
    def start(self) -> int:
        return self.tree.tape[self.at + 1]

    @property
    def end(self) -> int:
        """Behind the last byte; of a block mapping or sequence behind its last line end."""
        return self.tree.tape[self.at + 2]

    @property
    def is_mapping(self) -> bool:
        return self.kind in (MAP, FLOW_MAP)

    @property
    def is_sequence(self) -> bool:
        return self.kind in (SEQ, FLOW_SEQ)

    @property
    def is_block(self) -> bool:
        """A mapping or sequence over lines of its own."""
        return self.kind < FLOW_MAP

    @property
    def is_flow(self) -> bool:
        """A mapping in braces or a sequence in brackets."""
        return self.kind in (FLOW_MAP, FLOW_SEQ)

    @property
    def is_scalar(self) -> bool:
        return self.kind >= PLAIN

    @property
    def raw(self) -> bytes:
        return self.tree.body[self.start : self.end]

    @property
    def text(self) -> str:
        """A scalar's text; empty where nothing stands."""
        return decoded(self.raw)

    def same(self, other: Node) -> bool:
        """Whether two views are of the same place of one body."""
        return (self.kind, self.start, self.end) == (other.kind, other.start, other.end)

    def children(self) -> Iterator[Node]:
        """Keys and values in turn of a mapping, items of a sequence."""
        tree, at, stop = self._inside()
        tape = tree.tape
        while at < stop:
            yield Node(tree, at)
            at = at + 3 if tape[at] & 6 else tape[at + 3]

    def entries(self) -> Iterator[tuple[Node, Node]]:
        """Key and value nodes of a mapping; none of anything else."""
        if not self.is_mapping:
            return
        tree, at, stop = self._inside()
        tape = tree.tape
        while at < stop:
            yield Node(tree, at), Node(tree, at + 3)
            at += 3
            at = at + 3 if tape[at] & 6 else tape[at + 3]

    def items(self) -> list[Node]:
        """The items of a sequence."""
        return list(self.children()) if self.is_sequence else []

    def get(self, key: str) -> Node | None:
        """The first value of a key."""
        entry = self.entry(key)
        return None if entry is None else entry[1]

    def entry(self, key: str) -> tuple[Node, Node] | None:
        """The first key node with this text, and its value."""
        if not self.is_mapping:
            return None
        wanted = key.encode("utf-8", "surrogateescape" if not key.isascii() else "strict")
        size = len(wanted)
        tree, at, stop = self._inside()
        tape, body = tree.tape, tree.body
        while at < stop:
            kind = tape[at] & 7
            if kind == PLAIN:
                start = tape[at + 1]
                found = tape[at + 2] - start == size and body.startswith(wanted, start)
            else:
                found = decoded(body[tape[at + 1] : tape[at + 2]]) == key
            if found:
                return Node(tree, at), Node(tree, at + 3)
            at += 3
            at = at + 3 if tape[at] & 6 else tape[at + 3]
        return None

    def plain(self) -> Value:
        """The value without any style."""
        kind = self.kind
        if kind >= PLAIN:
            return None if kind == NULL else self.text
        if kind in (SEQ, FLOW_SEQ):
            return [child.plain() for child in self.children()]
        flat: list[object] = []
        for key, value in self.entries():
            flat.append(key.text)
            flat.append(value.plain())
        return Pairs.from_flat(flat, inline=kind == FLOW_MAP)

    def _inside(self) -> tuple[Tree, int, int]:
        """The tape that holds the children, and from where to where."""
        tree, at = self.tree, self.at
        tape = tree.tape
        kind = tape[at] & 7
        if kind < FLOW_MAP:
            return tree, at + 4, tape[at + 3]
        if kind >= PLAIN:
            return tree, 0, 0
        inside = array("I")
        grammar.flow(tree.body, tape[at + 1], tape[at] >> 3, 0, inside)
        return Tree(tree.body, inside), 0, len(inside)


class Tree:
    """A parsed body: `ClassName:` and what is below it, or a whole `.meta`."""

    __slots__ = ("body", "tape")

    def __init__(self, body: bytes, tape: array[int]) -> None:
        self.body = body
        self.tape = tape

    @property
    def root(self) -> Node:
        return Node(self, 0)


def parse(body: bytes) -> Tree:
    """The tree of a body (the lines behind a document's header). Raises `YamlError`; never anything else."""
    if len(body) >= MAX_BYTES:
        raise YamlError("the document is larger than 4 GB", 0)
    return Tree(body, tape_of(body))


def parse_document(body: bytes) -> Tree:
    """`parse` for the whole body of a document or a `.meta`: there the keys are names of a class and its fields, while a map
    that a field holds may have a key of no length. Raises `YamlError`."""
    tree = parse(body)
    if body.startswith(b":") or b"\n:" in body or b"\n  :" in body:
        named = [*tree.root.entries(), *(entry for _, value in tree.root.entries() for entry in value.entries())]
        nameless = next((key for key, _ in named if key.start == key.end), None)
        if nameless is not None:
            raise YamlError("the name of a field is missing before its colon", nameless.start)
    return tree
