"""What one property means to a whole object: names that set several, types that a table knows, what the answer says."""

from __future__ import annotations

from typing import Any

import pytest

from spark.core.assets import Json, ObjectOp, PropertyEdit
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import edit_asset, edit_prefab
from tests.engines.memory_project import FakeProject
from tests.engines.unity.hierarchy.garage import GUIDS, edited_with_result, fixture, garage, put, world

HEAD = "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"
TAGS = HEAD + "--- !u!78 &1\nTagManager:\n  serializedVersion: 2\n  tags: []\n  layers:\n  - Default\n  - Walls\n"
SCENES = HEAD + "--- !u!1045 &1\nEditorBuildSettings:\n  serializedVersion: 2\n  m_Scenes: []\n"
QUALITY = (
    HEAD + "--- !u!47 &1\nQualitySettings:\n  m_QualitySettings:\n  - name: Low\n    shadows: 0\n    softParticles: 0\n"
    "    lodBias: 2\n"
)
STATE = HEAD + "--- !u!1102 &7\nAnimatorState:\n  m_Name: Run\n  m_Motion: {fileID: 0}\n"


def one(path: str, text: str, name: str, value: Json, version: str = "6000") -> tuple[str, dict[str, Any]]:
    """A file after one edit, and the answer."""
    project = FakeProject()
    project.write(path, text)
    put(project, "Assets/Paint.mat", HEAD, "1" * 32)
    made = edit_asset(
        ProjectPath(path), text.encode(), [PropertyEdit(property=name, value=value)], world(project, version)
    )
    return made.content.decode(), dict(made.result)


def refused(path: str, text: str, name: str, value: Json) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        one(path, text, name, value)
    return caught.value


def component(form: str, kind: str, *settings: tuple[str, Json]) -> tuple[str, dict[str, Any]]:
    """The wheel with a new component whose properties were set one by one."""
    ops = [ObjectOp(op="addComponent", object="Wheel", component=kind)]
    ops += [
        ObjectOp(op="set", object="Wheel", component=kind, property=name, value=value, has_value=True)
        for name, value in settings
    ]
    text, result = edited_with_result(form, "Wheel.prefab", *ops)
    return text, dict(result)


def test_empty_lists_of_settings_can_be_filled() -> None:
    """Whole, and item by item; what the items are is known for these."""
    path = "ProjectSettings/TagManager.asset"
    assert "  tags:\n  - Enemy\n" in one(path, TAGS, "tags", ["Enemy"])[0]
    assert "  tags:\n  - 12\n" in one(path, TAGS, "tags[0]", "12")[0]
    scene: Json = {"enabled": True, "path": "Assets/A.unity", "guid": "0" * 31 + "1"}
    text = one("ProjectSettings/EditorBuildSettings.asset", SCENES, "m_Scenes", [scene])[0]
    assert "  m_Scenes:\n  - enabled: 1\n    path: Assets/A.unity\n    guid: " + "0" * 31 + "1\n" in text
    assert refused(path, TAGS, "tags", [{"a": 1}]).code == "invalid_arguments"


def test_whole_numbers_and_flags_of_settings_are_known() -> None:
    """A fraction is refused where the table knows the type, and said where it does not."""
    path = "ProjectSettings/QualitySettings.asset"
    assert "whole" in refused(path, QUALITY, "m_QualitySettings[0].shadows", 1.5).message
    assert "true or false" in refused(path, QUALITY, "m_QualitySettings[0].softParticles", 7).message
    text, result = one(path, QUALITY, "m_QualitySettings[0].lodBias", 1.5)
    assert "lodBias: 1.5" in text
    assert "not known" in result["notes"][0]
    assert "notes" not in one(path, QUALITY, "m_QualitySettings[0].shadows", 2)[1]


def test_references_of_native_classes_are_checked() -> None:
    """A state's motion is no material."""
    caught = refused("Assets/a.controller", STATE, "m_Motion", "Assets/Paint.mat")
    assert "not a Motion" in caught.message


@pytest.mark.parametrize("form", ["2021", "6000"])
def test_rotations_are_whole_and_take_their_hint_along(form: str) -> None:
    """Degrees need `euler`; the angles of the inspector follow; a part alone is refused."""
    turn = ObjectOp(
        op="set",
        object="Wheel",
        component="Transform",
        property="localRotation",
        value={"euler": [0, 90, 0]},
        has_value=True,
    )
    text, _ = edited_with_result(form, "Wheel.prefab", turn)
    assert "m_LocalEulerAnglesHint: {x: 0, y: 90, z: 0}" in text
    assert "m_LocalRotation: {x: 0, y: 0.70710677, z: 0, w: 0.70710677}" in text
    for name, value in (
        ("localRotation", {"x": 0, "y": 90, "z": 0}),
        ("m_LocalRotation.y", 0.5),
        ("m_LocalRotation", [0] * 4),
    ):
        with pytest.raises(ToolRejected) as caught:
            edited_with_result(
                form,
                "Wheel.prefab",
                ObjectOp(op="set", object="Wheel", component="Transform", property=name, value=value, has_value=True),
            )
        assert "euler" in str(caught.value.details)


def test_masks_and_flags_take_names() -> None:
    """Layers by name, constraints as a list, a physical camera as its mode."""
    text, _ = component("6000", "Camera", ("cullingMask", ["Default", "UI"]), ("usePhysicalProperties", True))
    assert "    m_Bits: 33\n" in text
    assert "m_projectionMatrixMode: 2" in text
    text, _ = component("6000", "BoxCollider", ("includeLayers", "Everything"))
    assert "  m_IncludeLayers:\n    serializedVersion: 2\n    m_Bits: 4294967295\n" in text
    text, _ = component(
        "6000", "Rigidbody", ("constraints", ["FreezePositionX"]), ("freezeRotation", True), ("m_Drag", 2)
    )
    assert "m_Constraints: 114\n" in text
    assert "m_LinearDamping: 2\n" in text
    text, _ = component("2021", "Rigidbody", ("m_LinearDamping", 2), ("hideFlags", "NotEditable"))
    assert "m_Drag: 2\n" in text
    assert "m_ObjectHideFlags: 8\n" in text


def test_sounds_and_sprites_set_what_belongs_together() -> None:
    """A clip where the editor plays it, the blend as its curve, a sprite with its mark."""
    clip: Json = {"fileID": "8300000", "guid": "9" * 32, "type": 3}
    written = "{fileID: 8300000, guid: " + "9" * 32 + ", type: 3}"
    text, result = component("6000", "AudioSource", ("clip", clip), ("spatialBlend", 1))
    assert text.replace("\n    type", " type").count(f"m_Resource: {written}") == 1
    assert any("m_Resource" in note for note in result["notes"])
    curve = text[text.index("panLevelCustomCurve") : text.index("spreadCustomCurve")]
    assert "      value: 1\n" in curve
    text, _ = component("2021", "AudioSource", ("clip", clip))
    assert "m_Resource" not in text
    sprite: Json = {"fileID": "21300000", "guid": "8" * 32, "type": 3}
    assert "m_WasSpriteAssigned: 1" in component("6000", "SpriteRenderer", ("sprite", sprite))[0]


def test_static_and_curves_say_what_they_did() -> None:
    """The answer names the number that was set for static; a curve takes keyframes."""
    _, result = edited_with_result(
        "6000", "Wheel.prefab", ObjectOp(op="set", object="Wheel", property="isStatic", value=True, has_value=True)
    )
    assert "4294967295" in str(result["notes"])
    text, _ = component(
        "6000", "AudioSource", ("panLevelCustomCurve", [{"time": 0, "value": 1}, {"time": 1, "value": 0}])
    )
    curve = text[text.index("panLevelCustomCurve") : text.index("spreadCustomCurve")]
    assert curve.count("serializedVersion: 3") == 2


def test_an_override_computes_from_what_the_instance_shows() -> None:
    """Constraints that an instance has over its prefab's are kept when its rotation is frozen."""
    project = garage("6000")
    wheel = edited_with_result(
        "6000", "Wheel.prefab", ObjectOp(op="addComponent", object="Wheel", component="Rigidbody")
    )[0]
    put(project, "Assets/Wheel.prefab", wheel, GUIDS["Wheel.prefab"])

    def override(name: str, value: Json) -> ObjectOp:
        return ObjectOp(
            op="override", object="Car/Front", component="Rigidbody", property=name, value=value, has_value=True
        )

    ops = [override("constraints", "FreezePositionX"), override("freezeRotation", True)]
    content = edit_prefab(
        ProjectPath("Assets/Car.prefab"), fixture("6000", "Car.prefab"), ops, world(project, "6000")
    ).content
    assert "      propertyPath: m_Constraints\n      value: 114\n" in content.decode()
