"""Names of the scripting API that set more than one property, or one that is computed from others."""

from __future__ import annotations

from typing import Any

import pytest

from spark.core.errors import ToolRejected
from spark.engines.unity.classes.composed import composed
from spark.engines.unity.classes.settings import item_of, type_of
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.yaml.values import Pairs, Ref, Value

NOW = EditorVersion(2022, 3, 10)
UNITY_6 = EditorVersion(6000, 1, 12)
CLIP = "Assets/a.wav"


def nothing(path: str) -> Value:
    """An object without any of the properties that are asked for."""
    return None


def settings_of(
    class_name: str, name: str, value: Any, present: dict[str, Value] | None = None, version: EditorVersion = NOW
) -> list[tuple[str, Any]]:
    made = composed(class_name, name, value, (present or {}).get, version)
    assert made is not None
    return list(made.settings)


def refusal(class_name: str, name: str, value: Any, present: dict[str, Value] | None = None) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        composed(class_name, name, value, (present or {}).get, NOW)
    return caught.value


def test_a_clip_is_set_where_the_editor_looks_for_it() -> None:
    """`m_Resource` is what newer editors play; older ones have only `m_audioClip`, the newest leave that empty."""
    there: dict[str, Value] = {"m_Resource": Ref()}
    assert settings_of("AudioSource", "clip", CLIP) == [("m_audioClip", CLIP)]
    assert settings_of("AudioSource", "clip", CLIP, there, UNITY_6) == [("m_audioClip", CLIP), ("m_Resource", CLIP)]
    newest = settings_of("AudioSource", "m_audioClip", CLIP, there, EditorVersion(6000, 4, 0))
    assert newest == [("m_audioClip", None), ("m_Resource", CLIP)]
    assert settings_of("AudioSource", "resource", "Assets/r.asset", there, UNITY_6)[1] == ("m_audioClip", None)
    noted = composed("AudioSource", "clip", CLIP, there.get, UNITY_6)
    assert noted is not None
    assert "not known" in noted.note
    assert "clip" in refusal("AudioSource", "resource", CLIP).details["fields"]["resource"]


def test_a_sprite_is_marked_as_assigned() -> None:
    """Unity keeps whether a renderer ever had a sprite; taking it away leaves the mark."""
    assert settings_of("SpriteRenderer", "sprite", "Assets/a.png") == [
        ("m_Sprite", "Assets/a.png"),
        ("m_WasSpriteAssigned", True),
    ]
    assert composed("SpriteRenderer", "sprite", None, nothing, NOW) is None


def test_spatial_blend_is_the_value_of_a_curve_of_one_key() -> None:
    """A curve that somebody drew is not flattened."""
    flat: dict[str, Value] = {"panLevelCustomCurve.m_Curve": [Pairs([("time", "0"), ("value", "0")])]}
    assert settings_of("AudioSource", "spatialBlend", 1, flat) == [("panLevelCustomCurve.m_Curve[0].value", 1.0)]
    drawn: dict[str, Value] = {"panLevelCustomCurve.m_Curve": ["a", "b"]}
    assert "panLevelCustomCurve" in refusal("AudioSource", "spatialBlend", 1, drawn).message
    assert "0 to 1" in refusal("AudioSource", "spatialBlend", 2, flat).message


def test_freezing_rotation_keeps_the_other_constraints() -> None:
    """Only the three bits of rotation change (one in 2D)."""
    assert settings_of("Rigidbody", "freezeRotation", True, {"m_Constraints": "2"}) == [("m_Constraints", 114)]
    assert settings_of("Rigidbody", "freezeRotation", False, {"m_Constraints": "126"}) == [("m_Constraints", 14)]
    assert settings_of("Rigidbody2D", "freezeRotation", True, {"m_Constraints": "1"}) == [("m_Constraints", 5)]
    assert refusal("Rigidbody", "freezeRotation", 1).code == "invalid_arguments"


def test_offsets_move_one_corner_of_a_rectangle() -> None:
    """The other corner stays: size and place follow as in Unity's API."""

    def pair(x: float, y: float) -> Pairs:
        return Pairs([("x", str(x)), ("y", str(y))], inline=True)

    there: dict[str, Value] = {
        "m_SizeDelta": pair(100, 50),
        "m_AnchoredPosition": pair(10, 0),
        "m_Pivot": pair(0.5, 0.25),
    }

    def corners(found: list[tuple[str, Any]]) -> tuple[list[float], list[float]]:
        size, place = found[0][1], found[1][1]
        low = [place[at] - size[at] * (0.5, 0.25)[at] for at in (0, 1)]
        return low, [low[at] + size[at] for at in (0, 1)]

    assert corners(settings_of("RectTransform", "offsetMin", [0, 0], there)) == ([0, 0], [60, 37.5])
    assert corners(settings_of("RectTransform", "offsetMax", {"x": 0, "y": 1}, there)) == ([-40, -12.5], [0, 1])


def test_a_rotation_sets_the_angles_that_are_shown() -> None:
    """The hint never stays behind the rotation; half a rotation is refused."""
    found = dict(settings_of("Transform", "localRotation", {"euler": [0, 90, 0]}))
    assert found["m_LocalEulerAnglesHint"] == {"x": 0, "y": 90, "z": 0}
    assert round(found["m_LocalRotation"]["w"], 6) == 0.707107
    shown = dict(settings_of("Transform", "m_LocalRotation", [0, 1, 0, 0]))["m_LocalEulerAnglesHint"]
    assert {key: round(part, 4) % 360 for key, part in shown.items()} == {"x": 0, "y": 180, "z": 0}
    assert "euler" in refusal("Transform", "localRotation", {"x": 0, "y": 90, "z": 0}).message


def test_static_says_which_bits_it_set() -> None:
    """Editors write two numbers for the same flags: the answer says which one was taken."""
    made = composed("GameObject", "isStatic", True, nothing, UNITY_6)
    assert made is not None
    assert made.settings == [("m_StaticEditorFlags", 4294967295)]
    assert "2147483647" in made.note


def test_names_that_no_file_has_are_refused_with_what_works() -> None:
    """A name of the API that is computed says what is set instead; a field of that very name is set as any other."""
    assert "m_SortingLayerID" in refusal("SpriteRenderer", "sortingLayerName", "Front").message
    assert "running game" in refusal("Rigidbody", "velocity", [1, 0, 0]).message
    assert composed("NavMeshAgent", "velocity", 1, lambda path: {"m_Velocity": "1"}.get(path), NOW) is None
    assert composed("Rigidbody", "mass", 2, nothing, NOW) is None


def test_items_and_numbers_of_settings_have_their_types() -> None:
    """Lists that are empty in a new project say what goes into them; a flag is not a number."""
    assert item_of("TagManager", ("tags",)) == "Tag"
    scene = item_of("EditorBuildSettings", ("m_Scenes",))
    assert isinstance(scene, dict)
    assert list(scene) == ["enabled", "path", "guid"]
    assert item_of("PolygonCollider2D", ("m_Points", "m_Paths", 0)) == {"x": 0.0, "y": 0.0}
    assert item_of("PolygonCollider2D", ("m_Points", "m_Paths")) == [{"x": 0.0, "y": 0.0}]
    assert item_of("TagManager", ("other",)) is None
    assert type_of("QualitySettings", ("m_QualitySettings", 0, "shadows")) == 0
    assert type_of("QualitySettings", ("m_QualitySettings", 0, "softParticles")) is False
    assert type_of("QualitySettings", ("m_QualitySettings", 0, "lodBias")) is None
