"""Names of the scripting API that stand for more than one property of a file, or for what is computed from others.

Answers which properties are set then; knows the formulas of Unity's API and nothing of documents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from spark.core.assets import Json
from spark.core.errors import invalid_arguments
from spark.engines.unity.coerce import rotation_fields
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.json_numbers import parts, real
from spark.engines.unity.yaml.values import Pairs, Value

Present = Callable[[str], Value]
"""What stands at a property path of the object; None where nothing does."""
Settings = list[tuple[str, Json]]
"""Property paths with their values, in the order in which they are set."""

_ONLY_RESOURCE: Final = EditorVersion(6000, 4)
"""From here on editors write a clip into `m_Resource` alone; before, both name it."""
_CURVES: Final = {"spatialBlend": "panLevelCustomCurve", "reverbZoneMix": "reverbZoneMixCustomCurve"}
_RANGES: Final = {"spatialBlend": 1.0, "reverbZoneMix": 1.1}
_FREEZE: Final = {"Rigidbody": 112, "Rigidbody2D": 4}
_EVERYTHING: Final = 4294967295
_STATIC: Final = (
    "static set every bit of m_StaticEditorFlags (4294967295), as editors wrote it into the files that are known; some write "
    "2147483647, which means the same flags"
)
_CLIP: Final = (
    "the clip was set as m_Resource, which editors since 2023.2 play, and as m_audioClip beside it; whether yours keeps both on its "
    "next save is not known for every version"
)
_NOT_SET: Final = {
    "sortingLayerName": (
        "m_SortingLayerID (the uniqueID of the layer in m_SortingLayers of ProjectSettings/TagManager.asset, as a signed number) "
        "and m_SortingLayer (its place, counted from Default)"
    ),
    "spread": "spreadCustomCurve: its keyframes",
    "bounds": "the collider's own size: m_Size, m_Radius, m_Height",
    "velocity": "nothing in a file: it is the state of a running game",
    "linearVelocity": "nothing in a file: it is the state of a running game",
    "angularVelocity": "nothing in a file: it is the state of a running game",
}
"""Names of the API that are known and not settable, with what is set instead."""


class Composed(NamedTuple):
    """What is set, and a sentence for the answer where something of it is not certain."""

    settings: Settings
    note: str = ""


def composed(class_name: str, name: str, value: Json, present: Present, version: EditorVersion) -> Composed | None:
    """What setting `name` of a native class sets; None where it is a property as any other.

    Raises `invalid_arguments` for a value that does not fit and for names of the API that no file has, saying what is set
    instead.
    """
    if class_name in ("Transform", "RectTransform") and name in ("localRotation", "m_LocalRotation"):
        rotation, angles = rotation_fields(value, name)
        return Composed([("m_LocalRotation", dict(rotation)), ("m_LocalEulerAnglesHint", dict(angles))])
    if class_name == "GameObject" and name in ("static", "isStatic") and isinstance(value, bool):
        return Composed([("m_StaticEditorFlags", _EVERYTHING if value else 0)], _STATIC if value else "")
    if class_name == "AudioSource":
        return _audio(name, value, present, version)
    if class_name == "SpriteRenderer" and name in ("sprite", "m_Sprite") and value is not None:
        return Composed([("m_Sprite", value), ("m_WasSpriteAssigned", True)])
    if class_name in _FREEZE and name == "freezeRotation":
        return _frozen(class_name, value, present)
    if class_name == "RectTransform" and name in ("offsetMin", "offsetMax"):
        return _offset(name, value, present)
    _refuse_computed(class_name, name, present)
    return None


def _refuse_computed(class_name: str, name: str, present: Present) -> None:
    if name not in _NOT_SET or class_name == "MonoBehaviour":
        return
    if present(name) is None and present(f"m_{name[:1].upper()}{name[1:]}") is None:
        accepted = f"not a property of a file; set {_NOT_SET[name]}"
        raise invalid_arguments({name: accepted}, f"{name}: no {class_name} in a file has it; set {_NOT_SET[name]}")


def _audio(name: str, value: Json, present: Present, version: EditorVersion) -> Composed | None:
    if name in ("clip", "m_audioClip", "resource", "m_Resource"):
        if present("m_Resource") is None:
            if name in ("resource", "m_Resource"):
                raise invalid_arguments(
                    {name: "clip: this AudioSource has no m_Resource, which came with Unity 2023.2"}
                )
            return Composed([("m_audioClip", value)])
        if name in ("resource", "m_Resource"):
            return Composed([("m_Resource", value), ("m_audioClip", None)])
        if version >= _ONLY_RESOURCE:
            return Composed([("m_audioClip", None), ("m_Resource", value)])
        return Composed([("m_audioClip", value), ("m_Resource", value)], _CLIP if value is not None else "")
    if name in _CURVES:
        curve = _CURVES[name]
        keys = present(f"{curve}.m_Curve")
        number = real(value, name)
        if not 0 <= number <= _RANGES[name]:
            raise invalid_arguments({name: f"a number from 0 to {_RANGES[name]:g}"})
        if not isinstance(keys, Sequence) or len(keys) != 1:
            raise invalid_arguments({name: f"{curve}: it is drawn over the distance here; give its keyframes"})
        return Composed([(f"{curve}.m_Curve[0].value", number)])
    _refuse_computed("AudioSource", name, present)
    return None


def _frozen(class_name: str, value: Json, present: Present) -> Composed:
    if not isinstance(value, bool):
        raise invalid_arguments({"freezeRotation": "true or false"})
    bits = int(_number(present("m_Constraints")))
    return Composed([("m_Constraints", bits | _FREEZE[class_name] if value else bits & ~_FREEZE[class_name])])


def _offset(name: str, value: Json, present: Present) -> Composed:
    """The corners of a rectangle against its anchors: the size and place that put one corner there and leave the other."""
    wanted = parts(value, ("x", "y"), None, name)
    size, place, pivot = (_pair(present(key)) for key in ("m_SizeDelta", "m_AnchoredPosition", "m_Pivot"))
    low = name == "offsetMin"
    sizes, places = [], []
    for at in (0, 1):
        share = pivot[at]
        now = place[at] - size[at] * share if low else place[at] + size[at] * (1 - share)
        by = wanted[at] - now
        sizes.append(size[at] - by if low else size[at] + by)
        places.append(place[at] + by * (1 - share if low else share))
    return Composed([("m_SizeDelta", list(sizes)), ("m_AnchoredPosition", list(places))])


def _pair(value: Value) -> tuple[float, float]:
    if isinstance(value, Pairs):
        return _number(value.get("x")), _number(value.get("y"))
    return 0.0, 0.0


def _number(value: Value) -> float:
    try:
        return float(value) if isinstance(value, str | int | float) else 0.0
    except ValueError:
        return 0.0
