"""Values that cannot be meant, components without an owner, prefabs with two roots; and that all of it is counted."""

from __future__ import annotations

import pytest

from spark.core.paths import ProjectPath
from spark.engines.unity.checks.facts import MAX_FAULTS, facts_of
from spark.engines.unity.checks.inside import ListKeys
from spark.engines.unity.checks.metas import read_meta, wrong_importer
from spark.engines.unity.checks.read import read_yaml
from tests.engines.unity.checks.assets import HEAD, MATERIAL, PREFAB, behaviour, game_object, meta, transform

GUID = "c3" * 16
LIGHT = "--- !u!108 &70\nLight:\n  m_ObjectHideFlags: 0\n  m_GameObject: {fileID: 0}\n  m_Enabled: 1\n"


def codes(text: str, *, is_prefab: bool = True, whole: bool = False) -> list[tuple[str, str]]:
    found = read_yaml(text.encode(), is_prefab=is_prefab, whole=whole).problems
    return [(problem.code, problem.severity) for problem in found]


@pytest.mark.parametrize(
    "value",
    [
        "{fileID: 11500000, guid: 00, type: 3}",
        "{fileID: 11500000, guid: zzz, type: 3}",
        "{fileID: abc}",
        "{fileID: }",
        "{fileID: 0x5}",
        f"{{fileID: 1, guid: {GUID}, type: x}}",
    ],
)
def test_references_that_are_none(value: str) -> None:
    """A reference is a number, or a number with a guid and a type; the twin within a text is a text."""
    assert codes(PREFAB + behaviour(31, 0, GUID, f"  a: {value}\n")) == [("yaml/reference", "error")]
    assert codes(PREFAB + behaviour(31, 0, GUID, f"  a: 'see {value}'\n  b: '{value}'\n")) == []


def test_a_field_that_stands_twice() -> None:
    """In an object of Unity's own, not in one of a script, and not in a mapping below."""
    twice = PREFAB.replace("  m_Layer: 0\n", "  m_Layer: 0\n  m_Layer: 1\n", 1)
    assert codes(twice, whole=True) == [("yaml/double-key", "error")]
    assert codes(PREFAB + behaviour(31, 0, GUID, "  a: 1\n  a: 2\n  b:\n    c: 1\n    c: 2\n"), whole=True) == []
    assert codes(MATERIAL, whole=True) == []


def test_a_component_without_a_game_object() -> None:
    """Of a class that lives on game objects only; a script's object may be an asset of its own."""
    assert codes(PREFAB + LIGHT) == [("yaml/component", "error")]
    assert codes(PREFAB + LIGHT.replace("  m_GameObject: {fileID: 0}\n", "")) == [("yaml/component", "error")]
    assert codes(PREFAB + LIGHT.replace("108", "114").replace("Light", "MonoBehaviour")) == []
    assert codes(PREFAB + LIGHT.replace("&70", "&70 stripped")) == []


def test_a_prefab_with_two_roots() -> None:
    """A prefab has one; a scene may have many."""
    two = PREFAB + game_object(40, 41) + transform(41, 40)
    assert codes(two) == [("yaml/prefab-root", "error")]
    assert codes(two, is_prefab=False) == []


def test_errors_are_told_before_any_number_of_warnings() -> None:
    """What is kept of many problems are the gravest, wherever they stand."""
    many = "".join(f"  a{at}: {{fileID: {at + 1000}}}\n" for at in range(400)) + "  z: {fileID: x}\n"
    text = PREFAB + behaviour(31, 0, GUID, many)
    faults = facts_of(ProjectPath("Assets/a.prefab"), text.encode()).faults
    assert len(faults) == MAX_FAULTS
    assert faults[0].code == "yaml/reference"
    assert len(codes(text)) == 401


def test_long_lines_of_what_looks_like_references() -> None:
    """Each line is looked at once, however many references seem to stand in it."""
    line = "{fileID: 5} " * 100_000
    assert codes(PREFAB + behaviour(31, 0, GUID, f"  a: 'b {line}'\n  c: {{fileID: 5}}\n")) == [
        ("yaml/dangling-reference", "warning")
    ]


def test_keys_of_long_lists() -> None:
    """Every item of a list knows its key, also behind another list at the same place."""
    text = b"  a:\n" + b"  - 1\n" * 3 + b"  b:\n" + b"  - 2\n" * 3
    keys = ListKeys(text)
    lines = [at + 1 for at in range(len(text)) if text[at : at + 5] == b"\n  - "]
    assert [keys.of(at) for at in lines] == [b"a"] * 3 + [b"b"] * 3
    assert keys.of(lines[0]) == b"a"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("MonoImporter:\n  x: {a b\n", "meta/syntax"),
        ('MonoImporter:\n  a: "unclosed\n', "meta/syntax"),
        ("MonoImporter:\n\tx: 1\n", "meta/syntax"),
        ("MonoImporter:\n a: 1\n   b: 2\n", "meta/syntax"),
        ("MonoImporter:\n  a: x\ufeffy\n", "meta/syntax"),
    ],
)
def test_the_body_of_a_meta_is_read(body: str, code: str) -> None:
    """What an importer's settings say is YAML, or the meta is damaged; its guid is known all the same."""
    content = f"fileFormatVersion: 2\nguid: {GUID}\n{body}".encode()
    facts = facts_of(ProjectPath("Assets/a.cs.meta"), content)
    assert [fault.code for fault in facts.faults] == [code]
    assert facts.faults[0].line > 2
    assert facts.guid == GUID
    assert read_meta(content.replace(b"\n", b"\r\n")).guid == GUID


@pytest.mark.parametrize(
    ("name", "importer", "fits"),
    [
        ("a.cs", "MonoImporter", True),
        ("a.cs", "TextureImporter", False),
        ("a.txt", "MonoImporter", False),
        ("a.prefab", "NativeFormatImporter", True),
        ("a.asset", "PrefabImporter", False),
        ("a.png", "ScriptedImporter", True),
        ("a.PNG", "TextureImporter", True),
        ("a.glb", "ModelImporter", False),
        ("folder", "DefaultImporter", True),
        ("a.odd", "OddImporter", True),
    ],
)
def test_importers_and_names(name: str, importer: str, fits: bool) -> None:
    """An importer that Unity would never choose for a name is told; one that a package may have brought is not."""
    assert (wrong_importer(name, importer) == "") is fits
    assert read_meta(meta(GUID, importer).encode()).importer == importer


def test_a_head_and_nothing_else_is_no_asset() -> None:
    """The twin of all: what holds no object says so, and nothing more."""
    assert codes(HEAD) == [("yaml/no-document", "error")]
