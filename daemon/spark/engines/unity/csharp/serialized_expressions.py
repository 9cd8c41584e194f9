"""Types and initialisers of C# as plain data, read from the syntax tree. Evaluates nothing (`serialized_values` does)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark.engines.unity.csharp.syntax import Parsed

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_EXPRESSION_DEPTH: Final = 40


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as it is written. `name` is dotted, without `global::`; `special` is `nullable`, `pointer`, `tuple`,
    `rectangular` (an array of several dimensions) or empty. An array is its element with `array` counted up."""

    name: str
    args: tuple[TypeName, ...] = ()
    array: int = 0
    special: str = ""

    def __str__(self) -> str:
        args = f"<{', '.join(str(arg) for arg in self.args)}>" if self.args else ""
        return f"{self.name}{args}{'?' if self.special == 'nullable' else ''}{'[]' * self.array}"


@dataclass(frozen=True, slots=True)
class Expr:
    """An initialiser. `kind` is the grammar's word; `text` an operator, a name or a literal as written; `type` of what is
    made or cast to; `parts` operands or arguments; `names` beside `parts` where these are named (`new Stats { hp = 3 }`)."""

    kind: str
    text: str = ""
    parts: tuple[Expr, ...] = ()
    type: TypeName | None = None
    names: tuple[str, ...] = ()
    items: tuple[Expr, ...] = ()


@dataclass(slots=True)
class ExpressionReader:
    """Reads nodes of one parsed text. `original` has the texts of strings, which are masked in what was parsed."""

    parsed: Parsed
    original: str

    def text(self, node: Node) -> str:
        return self.parsed.text(node)

    def type_name(self, node: Node, depth: int = 0) -> TypeName:
        """A type as it is written. What has no name of a type becomes `?`."""
        if depth > MAX_EXPRESSION_DEPTH:
            return TypeName("?", special="deep")
        if node.type in ("identifier", "predefined_type"):
            return TypeName(self.text(node).lstrip("@"))
        if node.type == "generic_name":
            lists = [child for child in node.named_children if child.type == "type_argument_list"]
            args = tuple(self.type_name(one, depth + 1) for whole in lists for one in whole.named_children)
            return TypeName(self.text(node.named_children[0]).lstrip("@"), args)
        if node.type == "qualified_name":
            qualifier, named = node.child_by_field_name("qualifier"), node.child_by_field_name("name")
            if qualifier is not None and named is not None:
                left, right = self.type_name(qualifier, depth + 1), self.type_name(named, depth + 1)
                return TypeName(f"{left.name}.{right.name}", right.args, special="generic-owner" if left.args else "")
        if node.type == "alias_qualified_name":
            named = node.child_by_field_name("name")
            return self.type_name(named, depth + 1) if named is not None else TypeName("?")
        if node.type == "array_type":
            element, rank = node.child_by_field_name("type"), node.child_by_field_name("rank")
            if element is not None:
                inner = self.type_name(element, depth + 1)
                if rank is not None and "," in self.text(rank):
                    return TypeName(inner.name, inner.args, inner.array + 1, "rectangular")
                return TypeName(inner.name, inner.args, inner.array + 1, inner.special)
        if node.type == "nullable_type":
            element = node.child_by_field_name("type") or (node.named_children[0] if node.named_children else None)
            if element is not None:
                inner = self.type_name(element, depth + 1)
                return TypeName(inner.name, inner.args, inner.array, "nullable")
        return TypeName("?", special=node.type)

    def expression(self, node: Node, depth: int = 0) -> Expr:
        """The initialiser's tree; what is not understood keeps the grammar's word as its kind and can never be evaluated."""
        if depth > MAX_EXPRESSION_DEPTH or node.has_error:
            return Expr("unread")
        made = self._simple(node) or self._made(node, depth)
        return made if made is not None else Expr(node.type)

    def _simple(self, node: Node) -> Expr | None:
        kind = node.type
        if kind in ("integer_literal", "real_literal", "boolean_literal", "null_literal", "identifier"):
            return Expr(kind, self.text(node).lstrip("@"))
        if kind in ("string_literal", "verbatim_string_literal", "character_literal"):
            start, end = self.parsed.offset(node.start_byte), self.parsed.offset(node.end_byte)
            return Expr(kind, self.original[start:end])
        if kind == "predefined_type":
            return Expr("identifier", self.text(node))
        return None

    def _made(self, node: Node, depth: int) -> Expr | None:
        kind, inner = node.type, [child for child in node.named_children if child.type != "comment"]
        typed = node.child_by_field_name("type")
        named = self.type_name(typed) if typed is not None else None
        if kind in ("parenthesized_expression", "checked_expression") and len(inner) == 1:
            return self.expression(inner[0], depth + 1)
        if kind == "prefix_unary_expression" and inner:
            return Expr(kind, self.text(node.children[0]), (self.expression(inner[-1], depth + 1),))
        if kind == "binary_expression":
            operator = node.child_by_field_name("operator")
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if operator is not None and left is not None and right is not None:
                return Expr(
                    kind, self.text(operator), (self.expression(left, depth + 1), self.expression(right, depth + 1))
                )
        if kind == "member_access_expression":
            return Expr(kind, "".join(self.text(node).removeprefix("global::").replace("@", "").split()))
        if kind == "cast_expression":
            value = node.child_by_field_name("value")
            return Expr(kind, type=named, parts=(self.expression(value, depth + 1),)) if value is not None else None
        if kind == "default_expression":
            return Expr(kind, type=named)
        if kind in (
            "object_creation_expression",
            "implicit_object_creation_expression",
            "array_creation_expression",
            "implicit_array_creation_expression",
            "initializer_expression",
        ):
            return self._creation(node, kind, inner, named, depth)
        return None

    def _creation(self, node: Node, kind: str, inner: list[Node], named: TypeName | None, depth: int) -> Expr | None:
        if kind == "initializer_expression":
            return self._initializer(Expr(kind), inner, depth)
        parts: list[Expr] = []
        for child in inner:
            if child.type == "argument_list":
                for one in child.named_children:
                    # A named argument (`z: 1`) would need the constructor's parameters.
                    plain = one.named_child_count == 1 and one.child_by_field_name("name") is None
                    parts.append(self.expression(one.named_children[0], depth + 1) if plain else Expr("named"))
        made = Expr(kind, parts=tuple(parts), type=named)
        for child in inner:
            if child.type == "initializer_expression":
                return self._initializer(made, [one for one in child.named_children if one.type != "comment"], depth)
        if kind == "array_creation_expression":
            # `new int[3]`: the length stands in the type.
            rank = node.child_by_field_name("type")
            sizes = [
                one for one in (rank.named_children if rank is not None else []) if one.type == "array_rank_specifier"
            ]
            counts = [self.expression(one, depth + 1) for whole in sizes for one in whole.named_children]
            return Expr(kind, "sized", tuple(counts), named)
        return made

    def _initializer(self, made: Expr, inner: list[Node], depth: int) -> Expr:
        names: list[str] = []
        items: list[Expr] = []
        for child in inner:
            if child.type == "assignment_expression":
                left, right = child.child_by_field_name("left"), child.child_by_field_name("right")
                names.append(self.text(left).lstrip("@") if left is not None else "?")
                items.append(self.expression(right, depth + 1) if right is not None else Expr("unread"))
            else:
                items.append(self.expression(child, depth + 1))
        if names and len(names) != len(items):
            return Expr("unread")
        return Expr(made.kind, "with", made.parts, made.type, tuple(names), tuple(items))
