"""What models are told of the functions, and how arguments from outside are taken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spark.core.errors import ToolRejected
from spark.core.tool import Registry, Tool, chat_schema, mcp_schema, realtime_schema
from spark.tools import TOOLS

MINIMAL: dict[str, dict[str, Any]] = {
    "generateUnityScript": {"className": "Hero", "prompt": "a hero that runs"},
    "applyCodePatch": {"filePath": "Assets/a.cs", "patchType": "whole"},
    "createAsset": {"path": "Assets/a", "type": "scene"},
    "createPrefab": {"path": "Assets/a.prefab", "objects": [{"path": "A"}]},
    "editPrefab": {"path": "Assets/a.prefab", "ops": [{"op": "remove", "object": "A/B"}]},
    "createMaterial": {"path": "Assets/a.mat"},
    "editMaterial": {"path": "Assets/a.mat"},
    "editAsset": {"path": "Assets/a.mat", "edits": [{"property": "m_Name", "value": "b"}]},
    "readFile": {"path": "Assets/a.cs"},
    "listAssets": {},
    "searchProject": {"query": "x", "kind": "text"},
    "getDiagnostics": {},
    "moveAsset": {"from": "Assets/a.cs", "to": "Assets/b.cs"},
    "deleteAsset": {"path": "Assets/a.cs"},
    "restoreVersion": {"versionId": "v_1"},
    "undoTurn": {"turnId": "turn_1"},
}


def test_the_functions_are_listed_once() -> None:
    """The registry lists exactly the contract's functions of this stage."""
    assert [tool.name for tool in TOOLS] == list(MINIMAL)


def test_all_schemas_together_are_small() -> None:
    """All descriptions and schemas leave room below the 12,000 characters that all functions may ever take."""
    size = sum(len(json.dumps(realtime_schema(tool.schema()))) for tool in TOOLS)
    assert size <= 10_500


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_schemas_are_flat(tool: Tool[Any]) -> None:
    """No schema refers to another or nests: every wire gets plain properties, nothing beyond them allowed."""
    schema = tool.parameters()
    assert schema["additionalProperties"] is False
    for name, value in schema["properties"].items():
        assert "type" in value, name
        assert not {"$ref", "anyOf", "allOf", "oneOf", "title", "default"} & set(value)
    forms = (realtime_schema(tool.schema()), chat_schema(tool.schema())["function"], mcp_schema(tool.schema()))
    assert {form["name"] for form in forms} == {tool.name}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_null_means_not_given(tool: Tool[Any]) -> None:
    """Models in strict mode send null for every optional field; that is the same as leaving it out."""
    given = MINIMAL[tool.name]
    nulls = {name: None for name in tool.parameters()["properties"] if name not in given}
    assert tool.parse(json.dumps({**given, **nulls})) == tool.parse(given)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_unknown_fields_are_refused_by_name(tool: Tool[Any]) -> None:
    """A field that is not in the schema is refused, and what the function takes is told."""
    with pytest.raises(ToolRejected) as refusal:
        tool.parse({**MINIMAL[tool.name], "overwrite": True})
    assert refusal.value.code == "invalid_arguments"
    told = refusal.value.details["fields"]["overwrite"]
    assert all(name in told for name in tool.parameters()["properties"])


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("generateUnityScript", "className", "hero"),
        ("generateUnityScript", "className", "Hero\n"),
        ("generateUnityScript", "prompt", "short"),
        ("generateUnityScript", "namespace", "9a"),
        ("generateUnityScript", "baseClass", "A;B"),
        ("applyCodePatch", "patchType", "fuzzy"),
        ("applyCodePatch", "expectedSha256", "abc"),
        ("readFile", "startLine", 0),
        ("readFile", "view", "hex"),
        ("listAssets", "limit", 501),
        ("searchProject", "kind", "fuzzy"),
        ("searchProject", "query", ""),
        ("getDiagnostics", "sources", ["compile"]),
        ("moveAsset", "from", 7),
        ("createAsset", "type", "a scene"),
        ("createPrefab", "objects", [{"path": "A", "components": [{"type": ""}]}]),
        ("editPrefab", "ops", []),
        ("editPrefab", "ops", [{"op": "explode", "object": "A"}]),
        ("editMaterial", "expectedSha256", "abc"),
        ("editAsset", "edits", [{"property": "m_Name", "value": 1, "fileId": "1.5"}]),
    ],
)
def test_bad_values_are_refused_by_name(name: str, field: str, value: Any) -> None:
    """A value outside of the schema is refused by its field, with what would be accepted."""
    with pytest.raises(ToolRejected) as refusal:
        Registry(TOOLS).get(name).parse({**MINIMAL[name], field: value})
    assert refusal.value.code == "invalid_arguments"
    assert any(key.split(".")[0] == field for key in refusal.value.details["fields"])


def test_writing_functions_are_marked() -> None:
    """`readOnly` turns are offered the reading functions alone."""
    assert {tool.name for tool in Registry(TOOLS).listed(read_only=True)} == {
        "readFile",
        "listAssets",
        "searchProject",
        "getDiagnostics",
    }


def test_an_unknown_nested_field_is_told_what_its_own_level_takes() -> None:
    """The names of the level where the field stands, not of the call."""
    with pytest.raises(ToolRejected) as refusal:
        Registry(TOOLS).get("createPrefab").parse({"path": "Assets/A", "objects": [{"path": "A", "component": []}]})
    told = refusal.value.details["fields"]["objects.0.component"]
    assert told == "no such field; objects.0 takes path, prefab, components"
