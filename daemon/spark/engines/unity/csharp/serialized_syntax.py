"""C# declarations as plain data: types with their fields, attributes, bases and initialisers, of one file.

Knows the grammar and nothing of what Unity does with it. Texts of strings are read from the original, because the parser
sees a copy in which they are masked.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from spark.engines.unity.csharp.scan import scan, unified_newlines
from spark.engines.unity.csharp.serialized_expressions import Expr, ExpressionReader, TypeName
from spark.engines.unity.csharp.syntax import parse

if TYPE_CHECKING:
    from tree_sitter import Node

_KINDS: Final[dict[str, Literal["class", "struct", "interface", "enum", "delegate", "record"]]] = {
    "class_declaration": "class",
    "struct_declaration": "struct",
    "interface_declaration": "interface",
    "enum_declaration": "enum",
    "delegate_declaration": "delegate",
    "record_declaration": "record",
}
_NAMESPACES: Final = ("namespace_declaration", "file_scoped_namespace_declaration")


@dataclass(frozen=True, slots=True)
class Member:
    """A field, or a property with a field behind it (`is_property`). Attributes are names without `Attribute`; those meant
    for the field of a property stand in them too. `line` counts from 1."""

    name: str
    type: TypeName
    modifiers: frozenset[str]
    attributes: frozenset[str]
    initialiser: Expr | None
    line: int
    is_property: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """A type. `owner` is the dotted name of the types around it; `bases` stand as written (the class first, if there is one).

    For an enum `values` are its members. `requires`: the types in its `[RequireComponent]`. `constructor`: the bodies of its
    instance constructors without parameters. `resets`: it has a method `Reset()`, which the Editor calls for a new object.
    `broken`: the parser could not read all of it. `source`: a name for messages
    (a path).
    """

    kind: Literal["class", "struct", "interface", "enum", "delegate", "record"]
    name: str
    namespace: str
    owner: str
    modifiers: frozenset[str]
    attributes: frozenset[str]
    parameters: tuple[str, ...]
    bases: tuple[TypeName, ...]
    members: tuple[Member, ...]
    values: tuple[tuple[str, Expr | None], ...]
    usings: frozenset[str]
    aliases: tuple[tuple[str, TypeName], ...]
    requires: tuple[TypeName, ...]
    constructor: str
    resets: bool
    broken: bool
    source: str
    line: int

    @property
    def full_name(self) -> str:
        return ".".join(part for part in (self.namespace, self.owner, self.name) if part)

    @property
    def path(self) -> str:
        """The name with the types around it, without the namespace."""
        return f"{self.owner}.{self.name}" if self.owner else self.name


def declared_types(source: str, symbols: Set[str], name: str = "") -> tuple[Declared, ...]:
    """All types of a file as it is compiled with `symbols`; `name` stands in `Declared.source`. Empty where the file is too
    large or too costly to parse. CPU time: call it off the loop."""
    text = unified_newlines(source.removeprefix("\ufeff"))
    scanned = scan(text, symbols)
    parsed = parse(scanned.code, text)
    if parsed is None:
        return ()
    return tuple(_Reader(parsed, text, name).types())


@dataclass(frozen=True, slots=True)
class _Scope:
    namespace: str
    owner: str
    usings: frozenset[str]
    aliases: tuple[tuple[str, TypeName], ...]


@dataclass(slots=True)
class _Reader(ExpressionReader):
    source: str

    def types(self) -> Iterator[Declared]:
        # A stack of its own: the nesting of a hostile file must not exhaust Python's.
        root = self.parsed.tree.root_node
        todo: list[tuple[Node, _Scope]] = [(root, _Scope("", "", frozenset(), ()))]
        while todo:
            node, scope = todo.pop()
            scope = self._with_usings(node, scope)
            for child in node.named_children:
                kind = _KINDS.get(child.type)
                if child.type in _NAMESPACES:
                    inner = self._namespace(child, scope)
                    body = child.child_by_field_name("body")
                    todo.append((body or child, inner))
                    if child.type == "file_scoped_namespace_declaration":
                        # Its types follow as its siblings in this grammar.
                        scope = inner
                elif kind is not None:
                    made = self._declared(child, kind, scope)
                    if made is None:
                        continue
                    yield made
                    body = child.child_by_field_name("body")
                    if body is not None and kind != "enum":
                        todo.append((body, _Scope(scope.namespace, made.path, scope.usings, scope.aliases)))
                elif child.type == "ERROR" or child.type.startswith("preproc"):
                    todo.append((child, scope))

    def _with_usings(self, node: Node, scope: _Scope) -> _Scope:
        found, aliases = set(scope.usings), list(scope.aliases)
        for child in node.named_children:
            if child.type != "using_directive":
                continue
            named = child.child_by_field_name("name")
            rest = [part for part in child.named_children if part != named and part.type != "comment"]
            if any(part.type == "static" for part in child.children) or not rest:
                continue
            target = self.type_name(rest[-1])
            if named is not None:
                aliases.append((self.name(named), target))
            else:
                found.add(target.name)
        return _Scope(scope.namespace, scope.owner, frozenset(found), tuple(aliases))

    def _namespace(self, node: Node, scope: _Scope) -> _Scope:
        name = node.child_by_field_name("name")
        text = "".join(self.text(name).split()).replace("@", "") if name is not None else ""
        full = f"{scope.namespace}.{text}" if scope.namespace else text
        return _Scope(full, scope.owner, scope.usings, scope.aliases)

    def _declared(
        self, node: Node, kind: Literal["class", "struct", "interface", "enum", "delegate", "record"], scope: _Scope
    ) -> Declared | None:
        named = node.child_by_field_name("name")
        if named is None:
            return None
        parameters = [child for child in node.named_children if child.type == "type_parameter_list"]
        bases = [child for child in node.named_children if child.type == "base_list"]
        body = node.child_by_field_name("body")
        inside = body.named_children if body is not None else []
        return Declared(
            kind=kind,
            name=self.name(named),
            namespace=scope.namespace,
            owner=scope.owner,
            modifiers=frozenset(self.parsed.modifiers(node)),
            attributes=self._attributes(node),
            parameters=tuple(self._parameter(one) for whole in parameters for one in whole.named_children),
            bases=tuple(self.type_name(one) for whole in bases for one in whole.named_children if _is_type(one)),
            members=tuple(member for child in inside for member in self._members(child)),
            values=tuple(self._values(inside)) if kind == "enum" else (),
            usings=scope.usings,
            aliases=scope.aliases,
            requires=tuple(self._types_in(node, "RequireComponent")),
            constructor="\n".join(self._constructors(inside)),
            resets=any(self._is_reset(child) for child in inside),
            broken=any(child.is_error or child.is_missing for child in inside) or (kind == "enum" and node.has_error),
            source=self.source,
            line=node.start_point[0] + 1,
        )

    def _parameter(self, node: Node) -> str:
        named = node.child_by_field_name("name")
        return self.name(named if named is not None else node)

    def name(self, node: Node) -> str:
        """The name that an identifier means: `@float` is `float`."""
        return self.text(node).lstrip("@")

    def _is_reset(self, node: Node) -> bool:
        named = node.child_by_field_name("name") if node.type == "method_declaration" else None
        if named is None or self.name(named) != "Reset" or "static" in self.parsed.modifiers(node):
            return False
        parameters = node.child_by_field_name("parameters")
        return parameters is None or not parameters.named_child_count

    def _constructors(self, inside: list[Node]) -> Iterator[str]:
        for child in inside:
            if child.type == "constructor_declaration" and "static" not in self.parsed.modifiers(child):
                parameters = child.child_by_field_name("parameters")
                if parameters is None or not parameters.named_child_count:
                    body = child.child_by_field_name("body")
                    yield self.text(body) if body is not None else ""

    def _values(self, inside: list[Node]) -> Iterator[tuple[str, Expr | None]]:
        for child in inside:
            if child.type == "enum_member_declaration":
                named, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if named is not None:
                    yield self.name(named), self.expression(value) if value is not None else None

    def _members(self, node: Node) -> Iterator[Member]:
        if node.type == "field_declaration":
            modifiers, attributes = frozenset(self.parsed.modifiers(node)), self._attributes(node)
            for whole in node.named_children:
                typed = whole.child_by_field_name("type") if whole.type == "variable_declaration" else None
                if typed is None:
                    continue
                for one in whole.named_children:
                    if one.type == "variable_declarator":
                        yield self._field(one, self.type_name(typed), modifiers, attributes)
        elif node.type == "property_declaration":
            named, typed = node.child_by_field_name("name"), node.child_by_field_name("type")
            attributes = self._attributes(node, "field")
            if named is None or typed is None or not attributes:
                return
            value = node.child_by_field_name("value")
            yield Member(
                self.name(named),
                self.type_name(typed),
                frozenset(self.parsed.modifiers(node)) | self._read_only(node),
                attributes,
                self.expression(value) if value is not None else None,
                node.start_point[0] + 1,
                is_property=True,
            )

    def _read_only(self, node: Node) -> frozenset[str]:
        """`readonly` for a property whose field can never be set, `computed` for one without a field."""
        accessors = node.child_by_field_name("accessors")
        found = list(accessors.named_children) if accessors is not None else []
        if not found or any(child.child_by_field_name("body") is not None for child in found):
            return frozenset({"computed"})
        words = {self.text(part) for child in found for part in child.children}
        return frozenset() if words & {"set", "init"} else frozenset({"readonly"})

    def _field(self, node: Node, typed: TypeName, modifiers: frozenset[str], attributes: frozenset[str]) -> Member:
        named = node.child_by_field_name("name") or node.named_children[0]
        if any(child.type == "bracketed_argument_list" for child in node.named_children):
            typed = TypeName(typed.name, typed.args, typed.array, "fixed")
        values = [child for child in node.named_children if child != named and child.type != "bracketed_argument_list"]
        values = [child for child in values if child.type != "comment"]
        return Member(
            self.name(named),
            typed,
            modifiers,
            attributes,
            self.expression(values[-1]) if values else None,
            node.start_point[0] + 1,
        )

    def _attributes(self, node: Node, target: str = "") -> frozenset[str]:
        found: set[str] = set()
        for whole in node.named_children:
            if whole.type != "attribute_list":
                continue
            aims = [
                self.text(one).rstrip(": ") for one in whole.named_children if one.type == "attribute_target_specifier"
            ]
            if (aims or [target])[0] not in (target, "field") or (target and not aims):
                continue
            for one in whole.named_children:
                named = one.child_by_field_name("name") if one.type == "attribute" else None
                if named is not None:
                    name = self.text(named).rsplit(".", 1)[-1].rsplit(":", 1)[-1].strip()
                    found.add(name.removesuffix("Attribute") or name)
        return frozenset(found)

    def _types_in(self, node: Node, attribute: str) -> Iterator[TypeName]:
        """The types that an attribute is given with `typeof`."""
        for whole in node.named_children:
            for one in whole.named_children if whole.type == "attribute_list" else ():
                named = one.child_by_field_name("name") if one.type == "attribute" else None
                if named is None or self.text(named).rsplit(".", 1)[-1].removesuffix("Attribute") != attribute:
                    continue
                for arguments in one.named_children:
                    for argument in arguments.named_children:
                        for value in argument.named_children:
                            typed = value.child_by_field_name("type") if value.type == "typeof_expression" else None
                            if typed is not None:
                                yield self.type_name(typed)


def _is_type(node: Node) -> bool:
    return node.type in ("identifier", "predefined_type", "generic_name", "qualified_name", "alias_qualified_name")
