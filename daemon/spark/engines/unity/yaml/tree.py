"""The parser: one document's body becomes a tape of nodes, each a span of the original bytes.

The tape is one array of 32-bit numbers, three a node (four a block), so that a tree takes a small multiple of its text
whatever the text is; `Node` is a view that is made when somebody looks. An inline value is one node until somebody looks
into it. Nothing is decoded before it is asked for. What Unity does not write and what YAML readers disagree about (comments,
tags, anchors, block scalars, tabs, lines that could be read two ways) is refused, never guessed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Final

from spark.engines.unity.yaml import grammar
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.grammar import DOUBLE, FLOW_MAP, FLOW_SEQ, MAP, MAX_DEPTH, NULL, PLAIN, SEQ, SINGLE
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
    grammar.check_characters(body)
    parser = _Parser(body)
    parser.run()
    return Tree(body, parser.tape)


_BRACE: Final = 0x7B
_BRACKET: Final = 0x5B
_CLOSED: Final = 0
_EMPTY: Final = 1
_TEXT: Final = 2


class _Parser:
    """`last` says what may follow the last value on a deeper line: a block (`_EMPTY`), more of a plain text (`_TEXT`),
    nothing (`_CLOSED`). The three stacks hold the open blocks: where they stand on the tape, their columns, whether they are
    sequences."""

    __slots__ = ("body", "columns", "end", "last", "nodes", "sequences", "tape")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.tape = array("I", (MAP, 0, 0, 0))
        self.nodes = [0]
        self.columns = [0]
        self.sequences = [False]
        self.last = _CLOSED
        self.end = 0

    def run(self) -> None:
        body, tape, nodes, columns, sequences = self.body, self.tape, self.nodes, self.columns, self.sequences
        match_lines = grammar.simple_lines()
        at, size = 0, len(body)
        while at < size:
            match = match_lines(body, at)
            if match is None:
                at = self.line(at)
                continue
            spans = match.regs
            is_item = spans[2][0] >= 0
            first = spans[3][0]
            column = first - at
            if (
                column == columns[-1]
                and not sequences[-1]
                and (not is_item or (sequences[-2] and columns[-2] == column - 2))
            ):
                if is_item:
                    # The next item of the same kind: its mapping takes the place of the last one's on the stacks.
                    node, here = nodes[-1], len(tape)
                    tape[node + 2], tape[node + 3] = self.end, here
                    nodes[-1] = here
                    tape.extend((MAP | column << 3, first, 0, 0))
            elif is_item:
                self.dash(first - 2, column - 2)
                self.open(False, column, first, first)
            else:
                self.enter(at, column, False)
            mark = column << 3
            kind = start = end = 0
            for number in grammar.SIMPLE_KEYS:
                key_at, key_end = spans[number]
                if key_at < 0:
                    break
                start, end = spans[number + 1]
                if start < 0:
                    kind = NULL
                    start = end = key_end + 1
                else:
                    byte = body[start]
                    kind = FLOW_MAP if byte == _BRACE else FLOW_SEQ if byte == _BRACKET else PLAIN
                tape.extend((PLAIN | mark, key_at, key_end, kind | mark, start, end))
            self.last = _EMPTY if start == end else _TEXT if kind == PLAIN else _CLOSED
            at = self.end = match.end()
        self.close(0)

    # -- blocks --------------------------------------------------------------------------------------------------------

    def open(self, sequence: bool, column: int, start: int, at: int) -> None:
        if len(self.nodes) > MAX_DEPTH:
            raise YamlError("nested too deep", at)
        self.nodes.append(len(self.tape))
        self.columns.append(column)
        self.sequences.append(sequence)
        self.tape.extend(((SEQ if sequence else MAP) | column << 3, start, 0, 0))

    def close(self, keep: int) -> None:
        """Ends the open blocks but the outer `keep`."""
        tape, size = self.tape, len(self.tape)
        while len(self.nodes) > keep:
            node = self.nodes.pop()
            self.columns.pop()
            self.sequences.pop()
            tape[node + 2] = self.end
            tape[node + 3] = size

    def enter(self, at: int, column: int, dash: bool) -> None:
        """Closes and opens blocks until a key (or dash) in this column belongs to the innermost one. `at`: its line."""
        columns, sequences = self.columns, self.sequences
        if column > columns[-1]:
            if self.last != _EMPTY:
                raise YamlError(
                    "a key in the middle of a text that is not in quotes"
                    if self.last == _TEXT
                    else "indented deeper than what it should belong to",
                    at + column,
                )
            del self.tape[-3:]
            self.open(dash, column, at, at)
            return
        if column < columns[-1]:
            keep = len(columns) - 1
            while columns[keep - 1] > column:
                keep -= 1
            self.close(keep)
            if columns[-1] != column:
                raise YamlError("indented differently from what it should belong to", at + column)
            self.last = _CLOSED
        if dash and not sequences[-1]:
            # The list of a key stands in the key's own column.
            if self.last != _EMPTY:
                raise YamlError("a dash where a key should stand", at + column)
            del self.tape[-3:]
            self.open(True, column, at, at)
        elif not dash and sequences[-1]:
            self.close(len(columns) - 1)
            if columns[-1] != column:
                raise YamlError("a key where a dash should stand", at + column)

    def dash(self, at: int, column: int) -> None:
        """A dash at an offset: the next item of the innermost sequence, which may begin here."""
        self.enter(at - column, column, True)
        self.last = _CLOSED

    # -- lines that are not simple -------------------------------------------------------------------------------------

    def line(self, at: int) -> int:
        """Any line; answers where the next one begins."""
        body = self.body
        content = grammar.skip_spaces(body, at)
        end = grammar.line_end(body, content)
        if end >= 0:
            return end
        column = content - at
        if self.last == _TEXT and column > self.columns[-1]:
            return self.more(content)
        is_dash = grammar.is_dash(body, content)
        if not is_dash:
            key = grammar.key(body, content)
            self.enter(at, column, False)
            return self.pair(key, column)
        self.dash(content, column)
        while True:
            if body[content + 1 : content + 2] != b" ":
                return self.value(content + 1, column)
            content += 2
            inner = column + 2
            if grammar.is_dash(body, content):
                self.open(True, inner, content, content)
            elif grammar.has_key(body, content):
                self.open(False, inner, content, content)
                return self.pair(grammar.key(body, content), inner)
            else:
                return self.value(content - 1, column)
            column = inner

    def pair(self, key: tuple[int, int, int], column: int) -> int:
        kind, start, end = key
        self.tape.extend((kind | column << 3, start, end))
        return self.value(end + 1, column)

    def value(self, at: int, column: int) -> int:
        """What stands on the line behind a colon or a dash at `at`."""
        body = self.body
        place = at + 1 if body[at : at + 1] == b" " else at
        content = grammar.skip_spaces(body, at)
        end = grammar.line_end(body, content)
        if end >= 0:
            kind = PLAIN if place > at else NULL
            self.last = _EMPTY
            stop = place
        elif content != place or place == at:
            raise YamlError("more than one space before the value, or none", content)
        else:
            kind, stop = grammar.value(body, place, column, len(self.nodes))
            self.last = _TEXT if kind == PLAIN else _CLOSED
            end = grammar.line_end(body, stop if kind == PLAIN else grammar.skip_spaces(body, stop))
            if end < 0:
                raise YamlError("something stands behind the end of the value", stop)
        self.tape.extend((kind | column << 3, place, stop))
        self.end = end
        return end

    def more(self, at: int) -> int:
        """A further line of the plain text before it."""
        stop = grammar.text_end(self.body, at)
        self.tape[-1] = stop
        self.end = grammar.line_end(self.body, stop)
        return self.end
