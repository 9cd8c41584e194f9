"""JSON values for a shader's properties: checked against the property's type and range, with what would be accepted.

Colours keep the numbers that they are given: nothing is converted between colour spaces, as in Unity's own files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from spark.core.assets import Json
from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.material_state import Color, Texture, Vector2
from spark.engines.unity.shaders.model import ShaderProperty

_LARGEST: Final = 3.4028235e38
_HEX: Final = re.compile(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_ENUMS: Final = {
    "UnityEngine.Rendering.CullMode": "Off Front Back",
    "UnityEngine.Rendering.CompareFunction": "Disabled Never Less Equal LessEqual Greater NotEqual GreaterEqual Always",
    "UnityEngine.Rendering.BlendMode": (
        "Zero One DstColor SrcColor OneMinusDstColor SrcAlpha OneMinusSrcColor DstAlpha OneMinusDstAlpha SrcAlphaSaturate "
        "OneMinusSrcAlpha"
    ),
}
_COLOR: Final = (
    "a colour: #rgb, #rrggbb, #rrggbbaa, [r, g, b], [r, g, b, a] or {r, g, b, a}, of numbers where 1 is full"
)


def number(value: Json, known: ShaderProperty, where: str) -> float:
    """A value of a Float, Range or Int. Raises `invalid_arguments` naming the range or the names that are accepted."""
    accepted = _accepted(known)
    if isinstance(value, bool):
        found = 1.0 if value else 0.0
    elif isinstance(value, str):
        names = names_of(known)
        named = next((at for name, at in names.items() if name.casefold() == value.casefold()), None)
        if named is None:
            raise _refused(where, accepted, value)
        found = named
    else:
        found = _finite(value, where, accepted)
    if known.kind in ("int", "integer") and found != int(found):
        raise _refused(where, accepted, value)
    if known.low is not None and known.high is not None and not known.low <= found <= known.high:
        raise _refused(where, accepted, value)
    return found


def integer(value: Json, known: ShaderProperty, where: str) -> int:
    """A value of an Integer, 32 bits."""
    found = int(number(value, known, where))
    if not -(2**31) <= found < 2**31:
        raise _refused(where, "a whole number of 32 bits", value)
    return found


def color(value: Json, where: str, old: Color) -> Color:
    """`old`: what `{"a": 0.5}` leaves as it is. Negative numbers and ones above 1 (HDR) are kept."""
    if isinstance(value, str):
        return _from_hex(value, where)
    if isinstance(value, Mapping):
        if not value or not {*value} <= {*"rgba"}:
            raise _refused(where, _COLOR, value)
        parts = [_finite(value[key], where, _COLOR) if key in value else old[at] for at, key in enumerate("rgba")]
    elif isinstance(value, Sequence) and len(value) in (3, 4):
        parts = [_finite(part, where, _COLOR) for part in value] + [1.0] * (4 - len(value))
    else:
        raise _refused(where, _COLOR, value)
    return parts[0], parts[1], parts[2], parts[3]


def vector(value: Json, where: str, old: Color) -> Color:
    """Two to four numbers, or `{x, y, z, w}`; what is not given stays as it is."""
    accepted = "two to four numbers, or {x, y, z, w}"
    if isinstance(value, Mapping):
        if not value or not {*value} <= {*"xyzw"}:
            raise _refused(where, accepted, value)
        parts = [_finite(value[key], where, accepted) if key in value else old[at] for at, key in enumerate("xyzw")]
    elif isinstance(value, Sequence) and not isinstance(value, str) and 2 <= len(value) <= 4:
        parts = [_finite(part, where, accepted) for part in value] + list(old[len(value) :])
    else:
        raise _refused(where, accepted, value)
    return parts[0], parts[1], parts[2], parts[3]


def two(value: Json, where: str) -> Vector2:
    """Tiling or offset."""
    accepted = "two numbers, [x, y] or {x, y}"
    if isinstance(value, Mapping) and {*value} == {"x", "y"}:
        value = [value["x"], value["y"]]
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise _refused(where, accepted, value)
    return _finite(value[0], where, accepted), _finite(value[1], where, accepted)


def texture_parts(value: Json, where: str, old: Texture) -> tuple[Json, bool, Texture]:
    """The reference as it was given, whether there is one, and the texture with its tiling (its reference still the old
    one)."""
    if not isinstance(value, Mapping) or "fileID" in value:
        return value, True, old
    if not value or not {*value} <= {"texture", "scale", "offset", "tiling"}:
        raise _refused(where, 'a texture\'s path, null, or {"texture": path, "scale": [x, y], "offset": [x, y]}', value)
    tiling = value.get("scale", value.get("tiling"))
    scale = two(tiling, f"{where}.scale") if tiling is not None else old.scale
    offset = two(value["offset"], f"{where}.offset") if value.get("offset") is not None else old.offset
    return value.get("texture"), "texture" in value, Texture(old.ref, scale, offset)


def names_of(known: ShaderProperty) -> dict[str, float]:
    """The names of a property's values, where its attribute gives them."""
    for attribute in known.attributes:
        if attribute.name == "KeywordEnum":
            return {name: float(at) for at, name in enumerate(attribute.arguments)}
        if attribute.name == "Enum" and len(attribute.arguments) == 1 and attribute.arguments[0] in _ENUMS:
            return {name: float(at) for at, name in enumerate(_ENUMS[attribute.arguments[0]].split())}
        if attribute.name == "Enum" and len(attribute.arguments) % 2 == 0:
            pairs = zip(attribute.arguments[::2], attribute.arguments[1::2], strict=True)
            return {name: float(at) for name, at in pairs if re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?", at)}
    return {}


def _accepted(known: ShaderProperty) -> str:
    names = names_of(known)
    if names:
        return "one of " + ", ".join(f"{name} ({at:g})" for name, at in names.items())
    if known.low is not None and known.high is not None:
        return f"a number from {known.low:g} to {known.high:g}"
    return "a whole number" if known.kind in ("int", "integer") else "a number, or true or false"


def _finite(value: Json, where: str, accepted: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused(where, accepted, value)
    if abs(value) > _LARGEST or math.isnan(value):
        raise _refused(where, "a number that a 32-bit float can hold", value)
    return float(value)


def _from_hex(text: str, where: str) -> Color:
    if _HEX.fullmatch(text) is None:
        raise _refused(where, _COLOR, text)
    digits = text[1:]
    if len(digits) < 6:
        digits = "".join(digit * 2 for digit in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in range(0, len(digits), 2)] + [1.0]
    return parts[0], parts[1], parts[2], parts[3]


def _refused(where: str, accepted: str, value: Json) -> ToolRejected:
    shown = repr(value)
    return invalid_arguments({where: accepted}, f"{where}: {shown[:80]} is not accepted; {accepted} is")
