"""The offline model's skills for assets: which call a prompt becomes, and what is said of its answer."""

from __future__ import annotations

from typing import Any

import pytest

from spark.adapters.models.offline_assets import Call
from spark.adapters.models.offline_planner import Say, hear, plan

BUILT_IN = "Render pipeline: Built-in"
TOOLS = frozenset({"createPrefab", "createMaterial", "editMaterial", "createAsset", "listAssets", "readFile"})


def step(prompt: str, *outputs: Any, instructions: str = BUILT_IN, tools: frozenset[str] = TOOLS) -> Call | Say:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]}
    heard, _ = hear(instructions, tools, [item])
    return plan(heard, outputs)


@pytest.mark.parametrize(
    ("prompt", "name", "arguments"),
    [
        (
            "Create a prefab called Crate with Rigidbody, BoxCollider and player health",
            "createPrefab",
            {
                "path": "Assets/Prefabs/Crate.prefab",
                "objects": [
                    {
                        "path": "Crate",
                        "components": [{"type": "Rigidbody"}, {"type": "BoxCollider"}, {"type": "PlayerHealth"}],
                    }
                ],
            },
        ),
        (
            "make an empty prefab named Spawn Point".replace("Spawn Point", '"Spawn Point"') + " in Assets/Level",
            "createPrefab",
            {"path": "Assets/Level/Spawn Point.prefab", "objects": [{"path": "Spawn Point", "components": []}]},
        ),
        ("create a material called Clay", "createMaterial", {"path": "Assets/Materials/Clay.mat"}),
        (
            "please create a red material called Ruby in Assets/Art",
            "createMaterial",
            {"path": "Assets/Art/Ruby.mat", "properties": {"color": "#ff0000"}},
        ),
        (
            "create a material named Sky with the colour #80c0ff",
            "createMaterial",
            {"path": "Assets/Materials/Sky.mat", "properties": {"color": "#80c0ff"}},
        ),
        ("create a scene called Level1", "createAsset", {"path": "Assets/Scenes/Level1.unity", "type": "scene"}),
    ],
)
def test_a_prompt_becomes_one_call(prompt: str, name: str, arguments: dict[str, Any]) -> None:
    """The words decide the function, the path and the values; nothing is added that was not said."""
    assert step(prompt) == Call(name, arguments)


def test_a_shape_brings_its_mesh_renderer_and_collider() -> None:
    """A cube is what Unity's menu makes; the built-in material only where the pipeline draws it."""
    call = step("create a cube prefab called Box")
    assert isinstance(call, Call)
    components = call.arguments["objects"][0]["components"]
    assert [part["type"] for part in components] == ["MeshFilter", "MeshRenderer", "BoxCollider"]
    assert components[1]["properties"] == {"materials": ["builtin:Default-Material"]}
    urp = step("create a cube prefab called Box", instructions="Render pipeline: URP")
    assert isinstance(urp, Call)
    assert "properties" not in urp.arguments["objects"][0]["components"][1]
    done = {"success": True, "result": {"path": "Assets/Prefabs/Box.prefab"}}
    said = step("create a cube prefab called Box", done, instructions="Render pipeline: URP")
    assert isinstance(said, Say)
    assert "no material" in said.text


def test_a_material_is_found_read_and_coloured() -> None:
    """By name: looked for, read, then edited from the bytes that were read."""
    prompt = "make the material Ruby #00ff00"
    assert step(prompt) == Call("listAssets", {"name": "Ruby.mat"})
    found = {"success": True, "result": {"assets": [{"path": "Assets/Art/Ruby.mat"}]}}
    assert step(prompt, found) == Call("readFile", {"path": "Assets/Art/Ruby.mat", "view": "outline"})
    read = {"success": True, "result": {"sha256": "a" * 64}}
    edit = {"path": "Assets/Art/Ruby.mat", "properties": {"color": "#00ff00"}, "expectedSha256": "a" * 64}
    assert step(prompt, found, read) == Call("editMaterial", edit)
    twice = {"success": True, "result": {"assets": [{"path": "Assets/A/Ruby.mat"}, {"path": "Assets/B/Ruby.mat"}]}}
    said = step(prompt, twice)
    assert isinstance(said, Say)
    assert "Assets/A/Ruby.mat, Assets/B/Ruby.mat" in said.text


@pytest.mark.parametrize("prompt", ["create a prefab called A with Fnord", "create a red material called A"])
def test_a_refusal_is_told_in_the_functions_own_words(prompt: str) -> None:
    """What was not made is not claimed."""
    error = {"success": False, "error": {"code": "not_found", "message": "there is no Fnord", "hint": "Name a class."}}
    said = step(prompt, error)
    assert isinstance(said, Say)
    assert "was not made: there is no Fnord (not_found). Name a class." in said.text


def test_a_function_that_is_not_offered_is_not_called() -> None:
    """A read-only conversation says so."""
    said = step("create a scene called A", tools=frozenset({"readFile"}), instructions="a read-only conversation")
    assert isinstance(said, Say)
    assert "Nothing was done" in said.text
