"""The grammar: what tree-sitter cannot read in a scanned C# text. The library is loaded on first use.

tree-sitter repairs what it reads and never refuses, so its ERROR and MISSING nodes are the findings. It knows no types
and no names: those errors are the compiler's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from spark.engines.unity.csharp.problem import Problem

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Tree

MAX_CHARS: Final = 512 * 1024
MAX_CPU_S: Final = 2.0
MAX_PROBLEMS: Final = 100
_CHUNK_BYTES: Final = 4096
_MAX_ANGLES: Final = 400
_STATEMENT_END = re.compile(r"[;{}]")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A syntax tree and what is wrong with it. Offsets of nodes are bytes of `source`; `offset` turns them into characters."""

    tree: Tree
    source: bytes
    ascii: bool
    problems: list[Problem]

    def offset(self, byte: int) -> int:
        return byte if self.ascii else len(self.source[:byte].decode("utf-8", "ignore"))

    def text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def modifiers(self, node: Node) -> set[str]:
        """`public`, `static` … of a declaration."""
        return {self.text(child) for child in node.children if child.type == "modifier"}


def parse(code: str, original: str) -> Parsed | None:
    """Parses the masked copy of a text; `original` is only quoted from. None: too large or too costly, nothing is known."""
    if len(code) > MAX_CHARS or _ambiguous(code):
        return None
    from tree_sitter import Parser

    source = code.encode("utf-8", "replace")
    deadline = time.thread_time() + MAX_CPU_S
    late = False

    def read(byte: int, _point: Any) -> bytes:
        # The parser has no time limit of its own; an early end of the text stops it.
        nonlocal late
        late = late or time.thread_time() > deadline
        return b"" if late else source[byte : byte + _CHUNK_BYTES]

    tree = Parser(language()).parse(read)
    if tree is None or late:
        return None
    parsed = Parsed(tree, source, code.isascii(), [])
    parsed.problems.extend(_problems(parsed, original))
    return parsed


@lru_cache(maxsize=1)
def language() -> Language:
    import tree_sitter_c_sharp
    from tree_sitter import Language

    return Language(tree_sitter_c_sharp.language())


def _ambiguous(code: str) -> bool:
    """Whether one statement holds so many `<` that the parser's memory would grow with their square."""
    if code.count("<") <= _MAX_ANGLES:
        return False
    return any(statement.count("<") > _MAX_ANGLES for statement in _STATEMENT_END.split(code))


def _problems(parsed: Parsed, original: str) -> Iterator[Problem]:
    for node in islice(_faulty(parsed.tree.root_node), MAX_PROBLEMS):
        offset = parsed.offset(node.start_byte)
        if node.start_byte == node.end_byte:
            message, fix = f"{_named(node.type)} is missing", f"Add {_named(node.type)}."
        else:
            quoted = original[offset : offset + 120].lstrip().split("\n", 1)[0][:40].rstrip()
            message, fix = f"not C# from here: {quoted}", "Correct the statement or declaration at this place."
        yield Problem("csharp/syntax", message, offset, fix)


def _named(kind: str) -> str:
    if kind == "identifier":
        return "a name"
    return f"something ({kind.replace('_', ' ')})" if kind.replace("_", "").isalpha() else f"'{kind}'"


def _faulty(root: Node) -> Iterator[Node]:
    """The outermost ERROR nodes and all MISSING ones, in the order of the text."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_missing or node.is_error:
            yield node
        elif node.has_error:
            children = [child for child in reversed(node.children) if child.has_error or child.is_missing]
            # A missing name shows only as an empty node with an error and no child.
            if children:
                stack.extend(children)
            else:
                yield node
