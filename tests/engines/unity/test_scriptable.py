"""ScriptableObject assets and the fields of components, with values that callers give."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from spark.core.assets import Json
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.facts import FactsReader
from spark.engines.unity.hierarchy.world import World
from spark.engines.unity.scriptable import behaviour_fields, behaviour_head, field_value, new_scriptable
from spark.engines.unity.scripts import ScriptClass
from spark.engines.unity.yaml.asset import AssetFile
from spark.engines.unity.yaml.values import Pairs, Ref, Value
from tests.engines.memory_project import FakeProject

WEAPON = """using System; using System.Collections.Generic; using UnityEngine; using UnityEngine.Events;
namespace Game {
  public enum Rarity { Common, Rare = 5 }
  [Flags] public enum Side { None = 0, Left = 1, Right = 2 }
  [Serializable] public class Stats { public int hp = 100; public Vector2 size = Vector2.one; public string label; public float seed = UnityEngine.Random.value; }
  public class Weapon : ScriptableObject {
    public string title = "Sword"; public int damage = 3; public float range = 1.5f; public bool ranged; public Rarity rarity = Rarity.Rare;
    public Side sides; public Material skin; public Weapon upgrade; public Stats stats; public List<Stats> all; public int[] levels; public List<string> tags;
    public Material[] skins; public Color tint = Color.red; public Color32 dye; public LayerMask hits; public double precise; public long big; public char key;
    public Quaternion turn = Quaternion.identity; public Rect area; public Bounds box; public KeyCode button; public Gradient glow; public AnimationCurve curve;
    public UnityEvent onHit; [SerializeReference] public object anything; public Missing missing; public byte small;
    [field: SerializeField] public int Level { get; private set; } = 1;
    public Unity.Mathematics.float3 flow; public float late = Time.time; public List<Missing> unknowns;
  }
}
"""
FILES: Mapping[str, str] = {
    "ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2022.3.10f1\n",
    "ProjectSettings/EditorSettings.asset": "EditorSettings:\n  m_SerializeInlineMappingsOnOneLine: 1\n",
    "Assets/Weapon.cs": WEAPON,
    "Assets/Weapon.cs.meta": f"fileFormatVersion: 2\nguid: {'1' * 32}\n",
    "Assets/red.mat": "%YAML 1.1\n",
    "Assets/red.mat.meta": f"fileFormatVersion: 2\nguid: {'2' * 32}\n",
    "Assets/Thing.cs": "public class Thing : UnityEngine.MonoBehaviour { public UnityEngine.Transform target; public UnityEngine.Light lamp; }",
    "Assets/Thing.cs.meta": f"fileFormatVersion: 2\nguid: {'3' * 32}\n",
}
PATH = ProjectPath("Assets/Data/Long Sword.asset")


@pytest.fixture(name="world")
def _world() -> World:
    project = FakeProject(FILES)
    return World(project.files, project.index, FactsReader(project.files, project.index).facts())


def script(world: World, name: str = "Weapon") -> ScriptClass:
    return world.scripts.find(name)


def fields_with(world: World, **properties: Json) -> dict[str, Value]:
    return behaviour_fields(world.scripts, script(world), properties, world.references)[0]


def one(world: World, name: str, value: Json) -> object:
    return _plain(fields_with(world, **{name: value})[name])


def _plain(value: Value) -> object:
    if isinstance(value, Pairs | Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def test_an_asset_is_written_as_unity_writes_it(world: World) -> None:
    """Every byte: head, fields in the order of the class, defaults of the code, what is not known left out."""
    made = new_scriptable(PATH, "Weapon", {"damage": 7, "skin": "Assets/red.mat"}, world)
    assert made.content.decode() == (
        "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n--- !u!114 &11400000\nMonoBehaviour:\n  m_ObjectHideFlags: 0\n"
        "  m_CorrespondingSourceObject: {fileID: 0}\n  m_PrefabInstance: {fileID: 0}\n  m_PrefabAsset: {fileID: 0}\n"
        "  m_GameObject: {fileID: 0}\n  m_Enabled: 1\n  m_EditorHideFlags: 0\n"
        f"  m_Script: {{fileID: 11500000, guid: {'1' * 32}, type: 3}}\n"
        "  m_Name: Long Sword\n  m_EditorClassIdentifier: \n  title: Sword\n  damage: 7\n  range: 1.5\n  ranged: 0\n"
        "  rarity: 5\n  sides: 0\n"
        f"  skin: {{fileID: 2100000, guid: {'2' * 32}, type: 2}}\n"
        "  upgrade: {fileID: 0}\n  stats:\n    hp: 100\n    size: {x: 1, y: 1}\n    label: \n  all: []\n  levels: \n"
        "  tags: []\n  skins: []\n  tint: {r: 1, g: 0, b: 0, a: 1}\n  dye:\n    serializedVersion: 2\n    rgba: 0\n"
        "  hits:\n    serializedVersion: 2\n    m_Bits: 0\n  precise: 0\n  big: 0\n  key: 0\n"
        "  turn: {x: 0, y: 0, z: 0, w: 1}\n  area:\n    serializedVersion: 2\n    x: 0\n    y: 0\n    width: 0\n    height: 0\n"
        "  box:\n    m_Center: {x: 0, y: 0, z: 0}\n    m_Extent: {x: 0, y: 0, z: 0}\n  button: 0\n  curve:\n"
        "    serializedVersion: 2\n    m_Curve: []\n    m_PreInfinity: 2\n    m_PostInfinity: 2\n    m_RotationOrder: 4\n"
        "  onHit:\n    m_PersistentCalls:\n      m_Calls: []\n  small: 0\n  <Level>k__BackingField: 1\n"
        "  flow:\n    x: 0\n    y: 0\n    z: 0\n"
    )
    notes = " ".join(made.result["notes"])
    assert all(name in notes for name in ("glow", "anything", "missing", "late", "unknowns", "stats.seed"))
    assert made.result["class"] == "Game.Weapon"


def test_an_asset_that_was_made_can_be_read_again(world: World) -> None:
    """The document parses, under the name of its file."""
    made = new_scriptable(PATH, "Game.Weapon", {"title": "a: 'b'\n\u00e4", "tags": ["x", "", "- y"]}, world)
    asset = AssetFile.open(made.content, "new.asset")
    assert asset.document(11400000).value("title") == "a: 'b'\n\u00e4"
    assert asset.document(11400000).value("tags") == ["x", "", "- y"]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("damage", "12", 12),
        ("ranged", True, 1),
        ("rarity", "Common", 0),
        ("rarity", "Rarity.Rare", 5),
        ("rarity", 9, 9),
        ("sides", "Left, Right", 3),
        ("sides", ["Left", "Right"], 3),
        ("sides", "Left|Right", 3),
        ("skin", None, Ref()),
        ("upgrade", {"fileID": "11400000", "guid": "9" * 32, "type": 2}, Ref(11400000, "9" * 32, 2)),
        ("stats", {"hp": 5}, {"hp": 5, "size": {"x": 1, "y": 1}, "label": ""}),
        ("stats", {"seed": 0.5, "size": {"y": 2}}, {"hp": 100, "size": {"x": 1, "y": 2}, "label": "", "seed": 0.5}),
        ("all", [{"label": "a"}, {}], [{"hp": 100, "size": {"x": 1, "y": 1}, "label": "a"}, {"hp": 100, "size": {"x": 1, "y": 1}, "label": ""}]),
        ("levels", [1, 2, -1], "0100000002000000ffffffff"),
        ("levels", [], ""),
        ("skins", ["Assets/red.mat", None], [Ref(2100000, "2" * 32, 2), Ref()]),
        ("tint", "#00ff00", {"r": 0, "g": 1, "b": 0, "a": 1}),
        ("tint", {"a": 0.5}, {"r": 1, "g": 0, "b": 0, "a": 0.5}),
        ("dye", "#ff000080", {"serializedVersion": 2, "rgba": 0x800000FF}),
        ("hits", ["UI", "Water"], {"serializedVersion": 2, "m_Bits": 48}),
        ("precise", 0.1, "0.1"),
        ("precise", 1e300, "1e+300"),
        ("big", "9223372036854775807", 2**63 - 1),
        ("key", "x", 120),
        ("area", [1, 2, 3, 4], {"serializedVersion": 2, "x": 1, "y": 2, "width": 3, "height": 4}),
        ("box", {"center": [0, 0, 0], "size": [2, 4, 6]}, {"m_Center": {"x": 0, "y": 0, "z": 0}, "m_Extent": {"x": 1, "y": 2, "z": 3}}),
        ("button", "Space", 32),
        ("onHit", [], {"m_PersistentCalls": {"m_Calls": []}}),
        ("small", 255, 255),
        ("flow", [1, 2, 3], {"x": 1, "y": 2, "z": 3}),
        ("flow", {"y": 2}, {"x": 0, "y": 2, "z": 0}),
    ],
)  # fmt: skip
def test_values_take_the_types_of_the_fields(world: World, name: str, value: Json, found: object) -> None:
    """Enums by name, references by path, classes in part, lists of small numbers as digits."""
    assert one(world, name, value) == found


def test_a_property_with_a_field_behind_it_goes_by_both_names(world: World) -> None:
    """By its name in C# or by that in the file, not by both at once."""
    assert fields_with(world, Level=4)["<Level>k__BackingField"] == 4
    assert fields_with(world, **{"<Level>k__BackingField": 5})["<Level>k__BackingField"] == 5
    with pytest.raises(ToolRejected):
        fields_with(world, Level=4, **{"<Level>k__BackingField": 5})


def test_a_rotation_may_be_given_in_degrees(world: World) -> None:
    """`euler` is understood for quaternions."""
    turned = one(world, "turn", {"euler": [0, 180, 0]})
    assert isinstance(turned, dict)
    assert round(turned["y"], 5) == 1


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("damge", 1, "damage"),
        ("damage", 1.5, "whole number"),
        ("damage", 2**31, "2147483647"),
        ("small", 256, "255"),
        ("small", -1, "255"),
        ("range", "far", "number"),
        ("range", 1e39, "32-bit"),
        ("ranged", 2, "true or false"),
        ("title", 5, "text"),
        ("rarity", "Epic", "Common, Rare"),
        ("sides", ["Left", "Up"], "Left, Right"),
        ("skin", "Assets/Weapon.cs", "MonoScript"),
        ("upgrade", "Assets/red.mat", "Material"),
        ("stats", {"mana": 1}, "hp"),
        ("stats", 5, "hp"),
        ("all", {"hp": 1}, "list"),
        ("levels", [1, "x"], "levels[1]"),
        ("levels", [2**40], "levels[0]"),
        ("tint", "red", "#rrggbb"),
        ("dye", [2, 0, 0, 1], "0 to 1"),
        ("hits", ["Nope"], "Default"),
        ("key", "xy", "one character"),
        ("area", [1, 2], "width"),
        ("glow", {}, "Gradient"),
        ("curve", [[0, 0]], "AnimationCurve"),
        ("anything", {}, "SerializeReference"),
        ("missing", 1, "Missing"),
        ("unknowns", [1], "Missing"),
        ("onHit", [{"target": "x"}], "event"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field(world: World, name: str, value: Json, says: str) -> None:
    """The refusal names the field and what would be accepted; nothing is made."""
    with pytest.raises(ToolRejected) as caught:
        fields_with(world, **{name: value})
    assert caught.value.code == "invalid_arguments"
    assert f"properties.{name}" in caught.value.message
    assert says in caught.value.message


def test_objects_of_the_same_file_are_found_with_the_wanted_component(world: World) -> None:
    """`#Path` means an object of the file; for a component's field the component on it."""
    asked: list[str] = []

    def local(path: str) -> Ref:
        asked.append(path)
        return Ref(7)

    thing = script(world, "Thing")
    values = {"target": "#Root/Gun", "lamp": "#Root/Lamp:Light"}
    made, notes = behaviour_fields(world.scripts, thing, values, world.references, local)
    assert made == {"target": Ref(7), "lamp": Ref(7)}
    assert asked == ["Root/Gun:Transform", "Root/Lamp:Light"]
    assert notes == ()
    head = behaviour_head(thing, game_object=Ref(5))
    assert head["m_GameObject"] == Ref(5)
    assert head["m_Script"] == Ref(11500000, "3" * 32, 3)


def test_one_place_inside_a_field_can_be_set(world: World) -> None:
    """A step into a class, a list or a vector keeps the type; what stands there keeps its other parts."""

    def at(*steps: str | int, value: Json, present: Value = None) -> object:
        made = field_value(world.scripts, script(world), steps, value, world.references, present=present)
        assert made is not None
        return made[0], _plain(made[1])

    assert at("stats", "hp", value=4) == ("stats", 4)
    assert at("all", 1, "size", "x", value=2) == ("all", 2.0)
    assert at("skins", 0, value="Assets/red.mat") == ("skins", Ref(2100000, "2" * 32, 2))
    assert at("Level", value=2) == ("<Level>k__BackingField", 2)
    present = Pairs(
        [("hp", "9"), ("old", "kept"), ("size", Pairs([("x", "3"), ("y", "4")], inline=True)), ("seed", "0.25")]
    )
    assert at("stats", value={"size": {"x": 1}}, present=present) == (
        "stats",
        {"hp": "9", "old": "kept", "size": {"x": 1, "y": 4}, "seed": "0.25", "label": ""},
    )
    assert field_value(world.scripts, script(world), ("nope",), 1, world.references) is None
    with pytest.raises(ToolRejected):
        at("damage", "x", value=1)
    with pytest.raises(ToolRejected):
        at("stats", "hp", value="many")


@pytest.mark.parametrize(
    ("path", "name", "code"),
    [
        ("Assets/a.prefab", "Weapon", "invalid_arguments"),
        ("Assets/a.asset", "Thing", "invalid_arguments"),
        ("Assets/a.asset", "Sword", "not_found"),
    ],
)
def test_other_classes_and_other_files_are_refused(world: World, path: str, name: str, code: str) -> None:
    """An asset needs a ScriptableObject class and the extension that Unity reads it by."""
    with pytest.raises(ToolRejected) as caught:
        new_scriptable(ProjectPath(path), name, {}, world)
    assert caught.value.code == code
