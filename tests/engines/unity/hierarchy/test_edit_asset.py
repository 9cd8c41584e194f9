"""`editAsset`: single properties of any document; only their own bytes change."""

from __future__ import annotations

import pytest

from spark.core.assets import PropertyEdit
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import edit_asset
from tests.engines.unity.hierarchy.consistency import documents, problems
from tests.engines.unity.hierarchy.garage import changed_lines, fixture, garage, put, world

STATS = """%YAML 1.1
%TAG !u! tag:unity3d.com,2011:
--- !u!114 &11400000
MonoBehaviour:
  m_ObjectHideFlags: 0
  m_CorrespondingSourceObject: {fileID: 0}
  m_PrefabInstance: {fileID: 0}
  m_PrefabAsset: {fileID: 0}
  m_GameObject: {fileID: 0}
  m_Enabled: 1
  m_EditorHideFlags: 0
  m_Script: {fileID: 11500000, guid: 22222222222222222222222222222222, type: 3}
  m_Name: Stats
  m_EditorClassIdentifier: ""
  speed: 3
  names:
  - one
  - two
  tint: {r: 1, g: 1, b: 1, a: 1}
"""
STATS_CS = """using UnityEngine;
using System.Collections.Generic;

public enum Mood { Calm, Wild = 4 }

public class Stats : ScriptableObject
{
    public float speed = 1;
    public Mood mood;
    public List<string> names;
    public Color tint;
    public int[] levels = { 1, 2 };
}
"""


def edited(path: str, content: str, *edits: PropertyEdit, form: str = "6000") -> str:
    project = garage(form)
    put(project, "Assets/Stats.cs", STATS_CS, "2" * 32)
    project.write(path, content)
    made = edit_asset(ProjectPath(path), content.encode(), edits, world(project, form))
    return made.content.decode()


def stats(*edits: PropertyEdit) -> str:
    return edited("Assets/Stats.asset", STATS, *edits)


def refused(path: str, content: str, *edits: PropertyEdit) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        edited(path, content, *edits)
    return caught.value


def test_the_main_document_is_meant_where_none_is_named() -> None:
    """And only the lines of the property differ."""
    assert changed_lines(STATS.encode(), stats(PropertyEdit("speed", 2.5))) == (["  speed: 3"], ["  speed: 2.5"])
    assert changed_lines(STATS.encode(), stats(PropertyEdit("tint", "#ff0000")))[1] == [
        "  tint: {r: 1, g: 0, b: 0, a: 1}"
    ]


def test_a_list_takes_a_new_item_behind_its_end() -> None:
    """`names[2]` of a list of two is a new one; further away is refused."""
    assert changed_lines(STATS.encode(), stats(PropertyEdit("names[2]", "three"))) == ([], ["  - three"])
    assert changed_lines(STATS.encode(), stats(PropertyEdit("names[0]", "1st"))) == (["  - one"], ["  - 1st"])
    error = refused("Assets/Stats.asset", STATS, PropertyEdit("names[3]", "four"))
    assert error.code == "invalid_arguments"
    assert "0 to 2" in error.message


def test_a_field_that_the_script_declares_is_put_in_its_place() -> None:
    """Between its neighbours in the class, with the type that it has there."""
    assert "  speed: 3\n  mood: 4\n  names:\n" in stats(PropertyEdit("mood", "Wild"))
    # The last field of the class goes to the end.
    assert stats(PropertyEdit("levels", [3])).endswith("tint: {r: 1, g: 1, b: 1, a: 1}\n  levels: 03000000\n")


def test_what_neither_file_nor_script_has_is_refused_with_near_names() -> None:
    """A typo is never a new field."""
    error = refused("Assets/Stats.asset", STATS, PropertyEdit("sped", 2))
    assert error.code == "not_found"
    assert "Did you mean speed" in error.hint


def test_a_value_of_another_type_is_refused() -> None:
    """The class says that speed is a float."""
    error = refused("Assets/Stats.asset", STATS, PropertyEdit("speed", "fast"))
    assert error.code == "invalid_arguments"
    assert "speed" in error.message


@pytest.mark.parametrize("prop", ["m_Script", "m_GameObject", "m_PrefabInstance"])
def test_identity_is_not_a_property(prop: str) -> None:
    """What ties objects and files together is refused with what to use instead."""
    error = refused("Assets/Stats.asset", STATS, PropertyEdit(prop, None))
    assert error.code == "invalid_arguments"
    assert "is changed by" in error.message


def test_objects_of_prefabs_are_named_by_path_component_or_id() -> None:
    """All three ways reach the same property."""
    before = fixture("6000", "Car.prefab").decode()
    rigidbody = next(one for one, (kind, _, _) in documents(before.encode()).items() if kind == 54)
    ways = [
        PropertyEdit("m_Mass", 5, object="Car", component="Rigidbody"),
        PropertyEdit("mass", 5, file_id=str(rigidbody)),
        PropertyEdit("mass", 5, component="Rigidbody"),
    ]
    results = {edited("Assets/Car.prefab", before, way) for way in ways}
    assert len(results) == 1
    assert changed_lines(before.encode(), results.pop()) == (["  m_Mass: 1200"], ["  m_Mass: 5"])


def test_what_an_instance_shows_is_overridden_by_id_as_well() -> None:
    """The computed id of something in a nested prefab means an override."""
    before = fixture("6000", "Car.prefab").decode()
    instance = next(one for one, (kind, _, _) in documents(before.encode()).items() if kind == 1001)
    collider = next(one for one, (kind, _, _) in documents(fixture("6000", "Wheel.prefab")).items() if kind == 135)
    after = edited(
        "Assets/Car.prefab", before, PropertyEdit("m_Radius", 3, file_id=str((instance ^ collider) & (2**63 - 1)))
    )
    assert problems(after.encode()) == []
    assert "propertyPath: m_Radius\n      value: 3\n" in after


def test_a_document_must_be_named_where_several_could_be_meant() -> None:
    """The refusal lists them with their ids."""
    two = STATS + STATS[STATS.index("--- ") :].replace("&11400000", "&5").replace("m_Name: Stats", "m_Name: Sub")
    assert "speed: 9" in edited("Assets/Stats.asset", two, PropertyEdit("speed", 9)).split("&5")[0]
    other = two.replace("&11400000", "&7")
    error = refused("Assets/Stats.asset", other, PropertyEdit("speed", 9))
    assert error.code == "ambiguous_match"
    assert "MonoBehaviour &7, MonoBehaviour &5" in error.hint


META = "fileFormatVersion: 2\nguid: 33333333333333333333333333333333\nTextureImporter:\n  maxTextureSize: 2048\n  userData: \n"


def test_settings_of_an_importer_are_set_and_its_guid_is_not() -> None:
    """With the importer's name or without it; references go by the guid."""
    path = "Assets/Paint.png.meta"
    for name in ("maxTextureSize", "TextureImporter.maxTextureSize"):
        assert edited(path, META, PropertyEdit(name, 512)) == META.replace("2048", "512")
    error = refused(path, META, PropertyEdit("guid", "4" * 32))
    assert error.code == "protected_path"
    error = refused(path, META, PropertyEdit("maxTextureSiz", 1))
    assert "maxTextureSize" in error.hint


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("version https://git-lfs.github.com/spec/v1\n", "unsupported_asset"),
        ('{"a": 1}', "unsupported_asset"),
        ("hello", "invalid_asset"),
        (STATS.replace("  speed: 3", " speed: 3"), "invalid_asset"),
    ],
)
def test_what_is_no_asset_is_refused_with_its_own_code(content: str, code: str) -> None:
    """Nothing is guessed about other bytes."""
    assert refused("Assets/Stats.asset", content, PropertyEdit("speed", 1)).code == code


def test_several_edits_are_all_or_none_and_a_refusal_names_its_number() -> None:
    """The first is fine, the second is not."""
    error = refused("Assets/Stats.asset", STATS, PropertyEdit("speed", 1), PropertyEdit("colour", 1))
    assert error.message.startswith("edits.1: ")
