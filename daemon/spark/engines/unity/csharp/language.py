"""Which C# a construct needs, and constructs that no C# accepts but the grammar lets pass. Looked up by tree queries.

Unity compiles C# 9 from 2021.2 to all versions of Unity 6 (manual, "C# compiler"), C# 8 from 2020.2, C# 7.3 before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from spark.engines.unity.csharp.problem import Problem
from spark.engines.unity.csharp.syntax import Parsed, language

if TYPE_CHECKING:
    from tree_sitter import Node, Query


class Feature(NamedTuple):
    """`pattern` captures `@found`; `fits` may look closer at what was found. `since`: the first C# that has it."""

    name: str
    pattern: str
    since: float
    fix: str
    fits: Callable[[Parsed, Node], bool] = lambda parsed, node: True


def _instance(parsed: Parsed, node: Node) -> bool:
    """Whether the member around a node is neither static nor const."""
    member: Node | None = node
    while member is not None and not (member.type.endswith("_declaration") and member.type != "variable_declaration"):
        member = member.parent
    return member is not None and not parsed.modifiers(member) & {"static", "const"}


def _no_parameters(parsed: Parsed, node: Node) -> bool:
    return node.named_child_count == 0 and _instance(parsed, node)


_IN_STRUCT = "(struct_declaration body: (declaration_list "
FEATURES: tuple[Feature, ...] = (
    Feature("file-scoped namespaces", "(file_scoped_namespace_declaration) @found", 10, "Put braces around the namespace's content."),
    Feature("global usings", '(using_directive "global" @found)', 10, "Write the using into each file that needs it."),
    Feature("record structs", '(record_declaration "struct" @found)', 10, "Write a struct."),
    Feature("property patterns with dots", "(subpattern . (member_access_expression) @found)", 10, "Nest the patterns: { A: { B: x } }."),
    Feature("initialisers of struct fields", _IN_STRUCT + '(field_declaration (variable_declaration (variable_declarator "=" @found)))))', 10, "Set the field in a constructor with parameters or where the struct is made.", _instance),
    Feature("initialisers of struct properties", _IN_STRUCT + '(property_declaration accessors: (_) "=" @found)))', 10, "Set it in a constructor with parameters.", _instance),
    Feature("struct constructors without parameters", _IN_STRUCT + "(constructor_declaration parameters: (parameter_list) @found)))", 10, "Give the constructor parameters or use a static method.", _no_parameters),
    Feature("constant interpolated strings", '[(field_declaration (modifier "const") (variable_declaration (variable_declarator (interpolated_string_expression) @found))) (local_declaration_statement (modifier "const") (variable_declaration (variable_declarator (interpolated_string_expression) @found)))]', 10, "Join the constants with +."),
    Feature("raw string literals", "(raw_string_literal) @found", 11, 'Use a verbatim string, @"…".'),
    Feature("required members", '(modifier "required" @found)', 11, "Leave out required and check in the constructor."),
    Feature("list patterns", "(list_pattern) @found", 11, "Test length and elements by hand."),
    Feature("generic attributes", "(attribute name: (generic_name) @found)", 11, "Pass the type with typeof."),
    Feature("file-local types", '(modifier "file" @found)', 11, "Make the type internal or private."),
    Feature("UTF-8 string literals", "(string_literal_encoding) @found", 11, "Use Encoding.UTF8.GetBytes."),
    Feature("primary constructors", "[(class_declaration (parameter_list) @found) (struct_declaration (parameter_list) @found)]", 12, "Write fields and a constructor."),
    Feature("collection expressions", "(collection_expression) @found", 12, "Write new[] { … } or new List<T> { … }."),
    Feature("records", '(record_declaration "record" @found)', 9, "Write a class."),
    Feature("init accessors", '(accessor_declaration "init" @found)', 9, "Write a private setter."),
    Feature("new() without a type", "(implicit_object_creation_expression) @found", 9, "Name the type after new."),
    Feature("patterns with not, and, or", "[(negated_pattern) (and_pattern) (or_pattern)] @found", 9, "Use !, && and ||."),
    Feature("patterns with <, >, <=, >=", "(relational_pattern) @found", 9, "Use a plain comparison."),
    Feature("switch expressions", "(switch_expression) @found", 8, "Use a switch statement."),
    Feature("using declarations", '(local_declaration_statement "using" @found)', 8, "Use a using block."),
    Feature("the ??= operator", '(assignment_expression "??=" @found)', 8, "Write an if."),
    Feature("ranges and indices from the end", "(range_expression) @found", 8, "Use Substring, Skip or Length."),
)  # fmt: skip
_FORBIDDEN = """
(compilation_unit (global_statement) @top)
(argument_list (argument . (declaration_expression) @declared))
(identifier) @name
"""
_RESERVED = frozenset(
    b"abstract as base bool break byte case catch char checked class const continue decimal default delegate do double else "
    b"enum event explicit extern false finally fixed float for foreach goto if implicit in int interface internal is lock "
    b"long namespace new null object operator out override params private protected public readonly ref return sbyte sealed "
    b"short sizeof stackalloc static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using "
    b"virtual void volatile while".split()
)
_IS_EXTERNAL_INIT = '[(accessor_declaration "init" @found) (record_declaration (parameter_list) @found)]'


@lru_cache(maxsize=1)
def _query() -> Query:
    from tree_sitter import Query

    parts = [feature.pattern.replace("@found", f"@f{number}") for number, feature in enumerate(FEATURES)]
    return Query(language(), "\n".join([*parts, _IS_EXTERNAL_INIT.replace("@found", "@init"), _FORBIDDEN]))


def language_problems(parsed: Parsed, version: float, unity: str) -> Iterator[Problem]:
    """What the C# `version` of `unity` (a name for the message) cannot compile. Only for trees without errors."""
    from tree_sitter import QueryCursor

    captures = QueryCursor(_query()).captures(parsed.tree.root_node)
    for number, feature in enumerate(FEATURES):
        if feature.since <= version:
            continue
        for node in captures.get(f"f{number}", []):
            if feature.fits(parsed, node):
                message = f"{feature.name} are C# {feature.since:g}; {unity} compiles C# {version:g}"
                yield Problem("unity/language-version", message, parsed.offset(node.start_byte), feature.fix)
    for node in captures.get("top", []):
        message = "a statement outside of every type"
        fix = "Move it into a method of a class; a Unity script has no top-level statements."
        yield Problem("csharp/top-level", message, parsed.offset(node.start_byte), fix)
    for node in captures.get("declared", []):
        if node.prev_sibling is not None:
            continue
        fix = "Add the missing ',' or the word out."
        offset = parsed.offset(node.start_byte)
        yield Problem("csharp/syntax", f"two names without a comma: {parsed.text(node)[:60]}", offset, fix)
    for node in captures.get("name", []):
        if (word := parsed.source[node.start_byte : node.end_byte]) in _RESERVED:
            message = f"the keyword {word.decode('ascii')} where a name is expected"
            yield Problem(
                "csharp/syntax", message, parsed.offset(node.start_byte), "Use another name, or remove the word."
            )
    if version >= 9 and b"IsExternalInit" not in parsed.source:
        for node in captures.get("init", []):
            message = "init accessors and records with parameters need the type IsExternalInit, which Unity has not"
            fix = "Use a private setter, or declare System.Runtime.CompilerServices.IsExternalInit once in the project."
            yield Problem("unity/init-accessor", message, parsed.offset(node.start_byte), fix, "warning")
