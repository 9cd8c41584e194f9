"""Keyframes of JSON as an animation curve stands in a file. Knows the shape of a curve and nothing of what it drives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from spark.core.assets import Json
from spark.engines.unity.json_numbers import real, refused, whole
from spark.engines.unity.yaml.values import Pairs, Value

MAX_KEYS: Final = 100_000
_KEY: Final = ("time", "value", "inSlope", "outSlope", "tangentMode", "weightedMode", "inWeight", "outWeight")
_WHOLE: Final = ("tangentMode", "weightedMode")
_API: Final = {"inTangent": "inSlope", "outTangent": "outSlope"}
"""Names of the scripting API."""
_WEIGHTED: Final = {"None": 0, "In": 1, "Out": 2, "Both": 3}
_CURVE: Final = ("m_Curve", "m_PreInfinity", "m_PostInfinity", "m_RotationOrder")
ACCEPTED: Final = (
    "a list of keyframes in the order of time: "
    '[{"time": 0, "value": 1}, …], each also with inSlope, outSlope, weightedMode, inWeight, outWeight, tangentMode'
)


def is_curve(like: Pairs | Mapping[str, Value]) -> bool:
    """Whether a value that was read is a curve of numbers (and not of vectors)."""
    if "m_Curve" not in like or "m_PreInfinity" not in like:
        return False
    keys = like.get("m_Curve")
    if not isinstance(keys, Sequence) or isinstance(keys, str):
        return False
    first = keys[0] if keys else None
    return first is None or (isinstance(first, Pairs | Mapping) and not isinstance(first.get("value"), Pairs | Mapping))


def curve(value: Json, like: Pairs | Mapping[str, Value], where: str) -> Value:
    """The whole curve: `value` is its keyframes, or a mapping with them as `m_Curve`; what else it has stays as in `like`.

    A part of a keyframe that is not given is 0, as in `new Keyframe(time, value)`. Raises `invalid_arguments`.
    """
    given = {"m_Curve": value} if isinstance(value, list) else value
    if not isinstance(given, dict) or not given or not set(given) <= {*_CURVE, "serializedVersion"}:
        raise refused(where, ACCEPTED, value)
    made: list[tuple[str, Value]] = []
    for key, present in like.items():
        if key == "m_Curve" and key in given:
            made.append((key, _keys(given[key], present, f"{where}.{key}")))
        elif key in given and key != "serializedVersion":
            made.append((key, whole(given[key], f"{where}.{key}", 0, 2**31 - 1)))
        else:
            made.append((key, present))
    return Pairs(made) if isinstance(like, Pairs) else dict(made)


def _keys(value: Json, present: Value, where: str) -> Value:
    if not isinstance(value, list) or len(value) > MAX_KEYS:
        raise refused(where, ACCEPTED, value)
    version: Value = 3
    if isinstance(present, Sequence) and not isinstance(present, str) and present:
        first = present[0]
        version = first.get("serializedVersion") if isinstance(first, Pairs | Mapping) else version
    made: list[Value] = []
    last = float("-inf")
    for at, item in enumerate(value):
        key = _one(item, f"{where}[{at}]")
        time = key["time"]
        if time <= last:
            raise refused(f"{where}[{at}].time", f"a time after {last:g}: keyframes stand in the order of time", time)
        last = time
        parts: list[tuple[str, Value]] = [
            (name, int(key[name]) if name in _WHOLE else float(key[name])) for name in _KEY
        ]
        made.append(Pairs([("serializedVersion", version), *parts] if version is not None else parts))
    return made


def _one(value: Json, where: str) -> dict[str, float]:
    if not isinstance(value, dict):
        raise refused(where, 'a keyframe of an AnimationCurve: {"time": 0, "value": 1}', value)
    found = dict.fromkeys(_KEY, 0.0)
    seen: set[str] = set()
    for key, part in value.items():
        name = _API.get(key, key)
        if (name not in _KEY and name != "serializedVersion") or name in seen:
            raise refused(f"{where}.{key}", f"one of {', '.join(_KEY)}", key)
        seen.add(name)
        if name == "weightedMode" and isinstance(part, str) and part in _WEIGHTED:
            found[name] = float(_WEIGHTED[part])
        elif name in _WHOLE:
            found[name] = float(whole(part, f"{where}.{key}", 0, 2**31 - 1))
        elif name != "serializedVersion":
            found[name] = real(part, f"{where}.{key}")
    for needed in ("time", "value"):
        if needed not in seen:
            raise refused(f"{where}.{needed}", "a number: a keyframe has a time and a value", None)
    if not abs(found["time"]) < float("inf"):
        raise refused(f"{where}.time", "a finite number", value["time"])
    return found
