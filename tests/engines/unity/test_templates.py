"""The fixed scripts: each is a whole C# file under any name and namespace."""

from __future__ import annotations

import re

import pytest
import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

from spark.engines.unity.templates import PLACEHOLDER, TEMPLATES, fill

PARSER = Parser(Language(tree_sitter_c_sharp.language()))
NAMES = sorted(TEMPLATES)


def _types(node: Node) -> list[str]:
    found = []
    for child in node.named_children:
        if child.type == "class_declaration":
            name = child.child_by_field_name("name")
            assert name is not None
            assert name.text is not None
            found.append(name.text.decode())
        elif child.type in ("namespace_declaration", "declaration_list"):
            found += _types(child)
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("namespace", [None, "Game", "My.Game.Core_2"])
@pytest.mark.parametrize("comments", [True, False])
def test_every_filled_template(name: str, namespace: str | None, comments: bool) -> None:
    """It parses without errors, holds exactly one type of the given name, and is cleanly laid out."""
    source = fill(name, "Hero2", namespace=namespace, comments=comments)
    tree = PARSER.parse(source.encode())
    assert not tree.root_node.has_error
    assert _types(tree.root_node) == ["Hero2"]
    assert PLACEHOLDER not in source
    assert (f"namespace {namespace}\n{{" in source) is (namespace is not None)
    assert source.count("{") == source.count("}")
    assert source.endswith("}\n")
    assert not re.search(r"\t|\r|[ \t]+\n|\n\n\n|\n\n\Z|[^\x00-\x7f]", source)
    assert all((len(line) - len(line.lstrip(" "))) % 4 == 0 for line in source.splitlines())
    assert comments or "//" not in source


@pytest.mark.parametrize("name", NAMES)
def test_what_old_and_new_editors_compile(name: str) -> None:
    """Nothing above C# 9, nothing that Unity 6 calls obsolete, nothing of the Editor, no string-named methods."""
    source = fill(name, "Hero")
    tree = PARSER.parse(source.encode())

    def kinds(node: Node) -> set[str]:
        return {node.type}.union(*(kinds(child) for child in node.children))

    assert not kinds(tree.root_node) & {"file_scoped_namespace_declaration", "record_declaration", "global"}
    assert not re.search(r"FindObjectOfType|\.velocity\b|\.drag\b|UnityEditor|SendMessage|Invoke\(\"", source)
    using = re.findall(r"^using ([\w.]+);", source, re.MULTILINE)
    assert using == sorted(set(using), key=lambda name: (not name.startswith("System"), name))


@pytest.mark.parametrize("name", NAMES)
def test_base_class(name: str) -> None:
    """The table names the base class that the script really has."""
    template = TEMPLATES[name]
    source = fill(name, "Hero")
    assert ("class Hero : MonoBehaviour" in source) is (template.base_class == "MonoBehaviour")
    assert ("class Hero\n" in source) is (template.base_class == "")


def test_input_variants() -> None:
    """One player controller uses the old Input class only, the other the Input System package only."""
    old, new = fill("player_controller", "A"), fill("player_controller_input_system", "A")
    assert "Input.GetAxisRaw" in old
    assert "InputSystem" not in old
    assert "using UnityEngine.InputSystem;" in new
    assert not re.search(r"\bInput\.", new)


def test_unknown_template() -> None:
    """A template that is not there is a `KeyError`, not an empty script."""
    with pytest.raises(KeyError):
        fill("dragon", "Hero")
