"""What Unity wants of a script beyond C#: names of files and classes, and no Editor code in the player."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from spark.engines.unity.csharp.problem import Problem
from spark.engines.unity.csharp.syntax import Parsed, language

if TYPE_CHECKING:
    from tree_sitter import Node, Query

ASSET_CLASSES: Final = frozenset({"MonoBehaviour", "ScriptableObject", "NetworkBehaviour", "StateMachineBehaviour"})
_CLASSES = "(class_declaration name: (identifier) @name (base_list) @bases) @class"
_EDITOR = re.compile(
    r"^[ \t]*using[ \t]+(?:static[ \t]+)?(?:\w+[ \t]*=[ \t]*)?UnityEditor\b|(?<![\w.])UnityEditor\.", re.MULTILINE
)
_MAX_EDITOR_PROBLEMS: Final = 20


@lru_cache(maxsize=1)
def _query() -> Query:
    from tree_sitter import Query

    return Query(language(), _CLASSES)


def class_name_problems(parsed: Parsed, stem: str) -> Iterator[Problem]:
    """A component or scriptable object whose class is not named like its file: Unity cannot attach or create it."""
    from tree_sitter import QueryCursor

    found: list[tuple[str, Node]] = []
    for _, captures in QueryCursor(_query()).matches(parsed.tree.root_node):
        node = captures["class"][0]
        bases = re.findall(r"[\w.]+", parsed.text(captures["bases"][0]).lstrip(":").split(",", 1)[0])
        if (
            not bases
            or bases[0].rsplit(".", 1)[-1] not in ASSET_CLASSES
            or parsed.modifiers(node) & {"abstract", "partial"}
        ):
            continue
        generic = any(child.type == "type_parameter_list" for child in node.children)
        if generic or _nested(node):
            continue
        found.append((parsed.text(captures["name"][0]), captures["name"][0]))
    if not found or any(name in (stem, stem.split(".", 1)[0]) for name, _ in found):
        return
    name, node = found[0]
    message = f"class {name} lies in {stem}.cs; Unity finds a component or asset class by its file's name"
    fix = f"Name the class {stem} or the file {name}.cs."
    yield Problem("unity/class-name", message, parsed.offset(node.start_byte), fix, "warning")


def _nested(node: Node) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.type in ("class_declaration", "struct_declaration", "record_declaration", "interface_declaration"):
            return True
        parent = parent.parent
    return False


def editor_code_problems(player_code: str) -> Iterator[Problem]:
    """Uses of UnityEditor in what the player compiles. `player_code`: the masked copy without UNITY_EDITOR."""
    for count, match in enumerate(_EDITOR.finditer(player_code)):
        if count >= _MAX_EDITOR_PROBLEMS:
            return
        offset = match.start() + len(match.group()) - len(match.group().lstrip())
        message = "UnityEditor is used in code that the player compiles: a build will fail"
        fix = "Move the file into a folder named Editor (or an Editor assembly), or put it between #if UNITY_EDITOR and #endif."
        yield Problem("unity/editor-code", message, offset, fix, "warning")
