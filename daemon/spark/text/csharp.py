"""What a C# file declares, found without compiling: enough to name types and members by line. Judges nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_NOT_CODE: Final = re.compile(
    r'//[^\n]*|/\*.*?(?:\*/|\Z)|\$*"""+.*?(?:"""+|\Z)|(?:@\$|\$@|@)"(?:[^"]|"")*"|\$?"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
    re.DOTALL,
)
_NOT_NEWLINE: Final = re.compile(r"[^\n]")
_KINDS: Final = {
    "namespace_declaration": "namespace",
    "file_scoped_namespace_declaration": "namespace",
    "class_declaration": "class",
    "struct_declaration": "struct",
    "interface_declaration": "interface",
    "enum_declaration": "enum",
    "record_declaration": "record",
    "record_struct_declaration": "record",
    "delegate_declaration": "delegate",
    "method_declaration": "method",
    "constructor_declaration": "constructor",
    "destructor_declaration": "destructor",
    "property_declaration": "property",
    "indexer_declaration": "indexer",
    "operator_declaration": "operator",
    "event_declaration": "event",
    "event_field_declaration": "event",
    "field_declaration": "field",
    "enum_member_declaration": "value",
}
_HOLDERS: Final = frozenset({"namespace", "class", "struct", "interface", "enum", "record"})
_BODIES: Final = frozenset({"declaration_list", "enum_member_declaration_list"})
_AFTER_SIGNATURE: Final = _BODIES | {"block", "accessor_list", "arrow_expression_clause"}
_SIGNATURE_CHARS: Final = 160


@dataclass(frozen=True, slots=True)
class Symbol:
    """A declaration. Lines count from 1; `name` is qualified by the types around it (`Player.Jump`), not by namespaces."""

    kind: str
    name: str
    line: int
    end_line: int
    depth: int
    signature: str

    @property
    def short_name(self) -> str:
        return self.name.rsplit(".", 1)[-1]


def without_text(source: str) -> str:
    """The source with comments, strings and characters blanked; lines and columns stay."""
    return _NOT_CODE.sub(lambda match: _NOT_NEWLINE.sub(" ", match.group()), source)


def declares_type(source: str, name: str) -> bool:
    """Whether a class, struct, interface, enum or record of this name is declared."""
    pattern = rf"\b(?:class|struct|interface|enum|record(?:\s+(?:class|struct))?)\s+{re.escape(name)}\b"
    return re.search(pattern, without_text(source)) is not None


@cache
def _parser() -> Parser:
    import tree_sitter_c_sharp
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_c_sharp.language()))


def symbols(source: str) -> list[Symbol]:
    """All declarations in order of their lines; also of a file that does not compile. CPU time: call it off the loop."""
    data = source.encode("utf-8", "replace")
    return list(_walk(_parser().parse(data).root_node, data, "", 0))


def _walk(node: Node, data: bytes, owner: str, depth: int) -> Iterator[Symbol]:
    # A stack of its own: the nesting of a hostile file must not exhaust Python's.
    todo = [(child, owner, depth) for child in reversed(node.named_children)]
    while todo:
        child, holder, level = todo.pop()
        kind = _KINDS.get(child.type)
        if kind is None:
            if child.type.startswith("preproc") or child.type == "ERROR" or child.type in _BODIES:
                todo += [(inner, holder, level) for inner in reversed(child.named_children)]
            continue
        inside = holder
        for name in _names(child, kind):
            full = f"{holder}.{name}" if holder and kind != "namespace" else name
            yield Symbol(kind, full, child.start_point[0] + 1, child.end_point[0] + 1, level, _signature(child, data))
            inside = "" if kind == "namespace" else full
        if kind in _HOLDERS:
            todo += [(inner, inside, level + 1) for inner in reversed(child.named_children) if inner.type in _BODIES]
            if child.type == "file_scoped_namespace_declaration":
                todo += [(inner, inside, level + 1) for inner in reversed(child.named_children) if inner.type in _KINDS]


def _names(node: Node, kind: str) -> list[str]:
    named = node.child_by_field_name("name")
    if named is not None:
        return [_text(named)]
    if kind in ("field", "event"):
        declared = [part for part in node.named_children if part.type == "variable_declaration"]
        found = [part for whole in declared for part in whole.named_children if part.type == "variable_declarator"]
        names = [part.child_by_field_name("name") or part.named_children[0] for part in found if part.named_children]
        return [_text(name) for name in names]
    return ["this[]"] if kind == "indexer" else ["operator"] if kind == "operator" else []


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _signature(node: Node, data: bytes) -> str:
    """The declaration up to its body, in one line, without attributes."""
    skipped = ("attribute_list", "comment")
    start = next((child.start_byte for child in node.children if child.type not in skipped), node.start_byte)
    body = next((child.start_byte for child in node.children if child.type in _AFTER_SIGNATURE), node.end_byte)
    text = " ".join(data[start : min(body, start + 4 * _SIGNATURE_CHARS)].decode("utf-8", "replace").split())
    return text.rstrip(" ;{")[:_SIGNATURE_CHARS]
