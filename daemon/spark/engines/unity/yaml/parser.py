"""The parser: one document's body becomes a tape of nodes, in the order of the text.

The tape is one array of 32-bit numbers, three a node: kind and column, start, end. A block has a fourth: where on the tape the
node behind it begins; its children stand between. So a tree takes a small multiple of its text whatever the text is. What Unity
does not write and what YAML readers disagree about (comments, tags, anchors, block scalars, tabs, lines that could be read in
two ways) is refused, never guessed.
"""

from __future__ import annotations

import re
from array import array
from typing import Final

from spark.engines.unity.yaml import grammar
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.grammar import FLOW_MAP, FLOW_SEQ, MAP, MAX_DEPTH, NULL, PLAIN, SEQ

_BRACE: Final = 0x7B
_BRACKET: Final = 0x5B
_CLOSED: Final = 0
_EMPTY: Final = 1
_TEXT: Final = 2


def tape_of(body: bytes) -> array[int]:
    """Raises `YamlError`; never anything else."""
    grammar.check_characters(body)
    parser = _Parser(body)
    parser.run()
    return parser.tape


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
        match_lines, match_items = grammar.simple_lines(), grammar.simple_items()
        at, size = 0, len(body)
        while at < size:
            match = match_lines(body, at)
            if match is None:
                match = match_items(body, at)
                at = self.line(at) if match is None else self.items(at, match)
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

    def items(self, at: int, match: re.Match[bytes]) -> int:
        """A run of items without keys."""
        column = match.end(1) - at
        if self.last == _TEXT and column > self.columns[-1]:
            # More of a plain text, which may go on with a dash.
            return self.line(at)
        self.dash(at + column, column)
        mark = column << 3
        for start, end in match.regs[2:]:
            if start < 0:
                break
            byte = self.body[start]
            kind = FLOW_MAP if byte == _BRACE else FLOW_SEQ if byte == _BRACKET else PLAIN
            self.last = _EMPTY if start == end else _TEXT if kind == PLAIN else _CLOSED
            self.tape.extend((kind | mark, start, end))
        self.end = match.end()
        return self.end

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
        if content == at and body.startswith((b"---", b"... "), at):
            raise YamlError(f"a line begins with {body[at : at + 3].decode()}, which ends a document", at)
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
