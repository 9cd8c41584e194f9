"""Assets without the Editor, as a person and a program do it: make, look, edit, check, undo; bytes and git say what changed."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Spark

HEALTH = """using UnityEngine;

public class Health : MonoBehaviour
{
    [SerializeField] private float maxHealth = 100f;
    public Vector3 offset = new Vector3(0, 1, 0);
    public GameObject effect;
}
"""
WEAPON = """using UnityEngine;

[CreateAssetMenu]
public class Weapon : ScriptableObject
{
    public int damage = 7;
    public string title = "Sword";
    public Material look;
}
"""


def git(project: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "core.autocrlf=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=project, capture_output=True, text=True, check=True)
    return done.stdout


def ok(spark: Spark, name: str, arguments: dict[str, Any]) -> Any:
    status, body = spark.call(name, arguments)
    assert status == 200, body
    return body["result"]


def test_a_game_object_is_built_edited_checked_and_taken_back(spark: Spark) -> None:
    """Scripts, material, prefab, variant, scene and data asset: made, consistent, minimally edited, and undone byte for byte."""
    project = spark.project
    spark.up()
    for name, source in (("Health", HEALTH), ("Weapon", WEAPON)):
        ok(spark, "generateUnityScript", {"className": name, "source": source, "folder": "Assets/Scripts"})
    ok(spark, "createMaterial", {"path": "Assets/Art/Ruby", "properties": {"color": "#ff0000"}})
    crate = [
        {
            "path": "Crate",
            "components": [
                {"type": "MeshFilter", "properties": {"mesh": "builtin:Cube"}},
                {"type": "MeshRenderer", "properties": {"m_Materials": ["Assets/Art/Ruby.mat"]}},
                {"type": "BoxCollider", "properties": {"isTrigger": True, "size": [1, 2, 3]}},
                {"type": "Rigidbody", "properties": {"mass": 2.5}},
                {"type": "Health", "properties": {"maxHealth": 50}},
            ],
        },
        {"path": "Crate/Lid", "components": [{"type": "Transform", "properties": {"position": [0, 1.5, 0]}}]},
    ]
    made = ok(spark, "createPrefab", {"path": "Assets/Prefabs/Crate", "objects": crate})
    ok(
        spark,
        "createPrefab",
        {"path": "Assets/Prefabs/BigCrate", "variantOf": "Assets/Prefabs/Crate.prefab", "objects": []},
    )
    ok(spark, "createAsset", {"path": "Assets/Scenes/Level", "type": "scene"})
    weapon = {"path": "Assets/Data/Axe", "type": "Weapon", "properties": {"damage": 12, "look": "Assets/Art/Ruby.mat"}}
    ok(spark, "createAsset", weapon)
    ok(spark, "createAsset", {"path": "Assets/Empty", "type": "folder"})
    assert (project / "Assets/Empty").is_dir()
    checked = spark.json("check")
    assert [found for found in checked["findings"] if found["severity"] != "info"] == []
    text = (project / made["path"]).read_text(encoding="ascii")
    guid = re.search(r"guid: (\w+)", (project / "Assets/Scripts/Health.cs.meta").read_text()).group(1)  # type: ignore[union-attr]
    assert f"m_Script: {{fileID: 11500000, guid: {guid}, type: 3}}" in text
    assert "  maxHealth: 50\n  offset: {x: 0, y: 1, z: 0}\n  effect: {fileID: 0}\n" in text

    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "before")
    ops = [
        {"op": "set", "object": "Crate", "component": "Rigidbody", "property": "mass", "value": 9},
        {"op": "add", "object": "Crate/Lid/Handle"},
        {"op": "addComponent", "object": "Crate/Lid/Handle", "component": "SphereCollider", "value": {"radius": 0.25}},
    ]
    status, body = spark.call("editPrefab", {"path": made["path"], "ops": ops})
    assert status == 200, body
    numbers = git(project, "diff", "--numstat").split()
    assert numbers[1:] == ["2", made["path"]], "the mass and the list of children; all else is new lines"
    outline = ok(spark, "readFile", {"path": made["path"], "view": "outline"})["content"]
    assert "Crate/Lid/Handle" in outline
    assert spark.json("check", "--fail-on", "warning")["checked"] > 5
    spark.run("undo", body["turnId"])
    assert git(project, "status", "--porcelain", "Assets") == ""


def test_what_would_break_the_project_is_refused_and_nothing_is_written(spark: Spark) -> None:
    """Unknown classes, wrong values, dangling guids, duplicate ids, unknown shaders: a code, a name, what would have worked."""
    spark.up()
    objects = [{"path": "A", "components": [{"type": "BoxCollider"}]}]
    path = ok(spark, "createPrefab", {"path": "Assets/A.prefab", "objects": objects})["path"]
    before = {p: p.read_bytes() for p in (spark.project / "Assets").rglob("*") if p.is_file()}
    text = (spark.project / path).read_text(encoding="ascii")
    header = re.findall(r"^--- .*$", text, re.MULTILINE)[0]
    body = text[text.index("--- ") :]
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        ("createPrefab", {"path": "Assets/B", "objects": [{"path": "B", "components": [{"type": "Fnord"}]}]}, 404, "Fnord"),
        ("editPrefab", {"path": path, "ops": [{"op": "remove", "object": "A/Nope"}]}, 404, "Nope"),
        (
            "editPrefab",
            {"path": path, "ops": [{"op": "set", "object": "A", "component": "BoxCollider", "property": "size", "value": "x"}]},
            400,
            "m_Size",
        ),
        ("createMaterial", {"path": "Assets/M", "shader": "No/Such Shader"}, 404, "No/Such Shader"),
        ("createAsset", {"path": "Assets/D", "type": "NoSuchData"}, 404, "NoSuchData"),
        ("editAsset", {"path": path, "edits": [{"object": "A", "property": "m_Nope", "value": 1}]}, 404, "m_Nope"),
        (
            "applyCodePatch",
            {"filePath": path, "patchType": "replace", "oldContent": "m_Material: {fileID: 0}",
             "newContent": "m_Material: {fileID: 13400000, guid: 0123456789abcdef0123456789abcdef, type: 2}"},
            422,
            "0123456789abcdef",
        ),
        (
            "applyCodePatch",
            {"filePath": path, "patchType": "whole", "newContent": text + body},
            422,
            header.split("&")[1],
        ),
    ]  # fmt: skip
    for name, arguments, status, told in cases:
        answer = spark.call(name, arguments)
        assert answer[0] == status, (name, answer)
        assert told in json.dumps(answer[1]), (name, answer)
    now = {p: p.read_bytes() for p in (spark.project / "Assets").rglob("*") if p.is_file()}
    assert now == before


def test_the_offline_model_makes_assets(spark: Spark) -> None:
    """Prompts in words: a prefab with a script of the project on it, a material and its colour, an empty scene."""
    for prompt in (
        "Create a health script called PlayerHealth",
        "Create a cube prefab called Hero with Rigidbody and PlayerHealth",
        "create a red material called Ruby",
        "make the material Ruby #00ff00",
        "create a scene called Level1",
    ):
        done = spark.run("ask", prompt, "--mode", "auto")
        assert "was not" not in done.stdout, done.stdout
    assets = spark.project / "Assets"
    assert (
        "PlayerHealth"
        in spark.run("call", "readFile", '{"path": "Assets/Prefabs/Hero.prefab", "view": "outline"}').stdout
    )
    assert "_Color: {r: 0, g: 1, b: 0, a: 1}" in (assets / "Materials/Ruby.mat").read_text(encoding="ascii")
    assert (assets / "Scenes/Level1.unity").is_file()
    spark.run("check", "--fail-on", "warning")
    spark.run("undo")
    assert not (assets / "Scenes").exists()
