"""A JSON value made what a property is: the type is taken from the value that is there, or from a new object's default.

Nothing is guessed: what does not fit is refused with the place and what would be accepted. References from outside are
resolved by whoever is passed in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from spark.core.assets import Json
from spark.core.errors import ToolRejected
from spark.engines.unity.json_curves import curve, is_curve
from spark.engines.unity.json_numbers import (
    NAMED,
    REAL,
    ROTATION,
    WHOLE,
    euler,
    euler_of,
    flag,
    is_unit,
    parts,
    quaternion,
    real,
    refused,
    rotation,
    whole,
)
from spark.engines.unity.yaml.values import Pairs, Ref, Value, pairs_of, ref_of

__all__ = ["Local", "References", "coerce", "quaternion", "real", "refused", "rotation_fields", "wanted_by_key"]
MAX_DEPTH: Final = 40
_VECTORS: Final = {("x", "y"), ("x", "y", "z"), ("x", "y", "z", "w"), ("r", "g", "b", "a")}
_TEXTS: Final = frozenset(
    {"m_Name", "m_Text", "m_text", "m_TagString", "m_EditorClassIdentifier", "value", "name", "guid"}
)
"""Keys of texts, which may look like numbers."""
_KEY_VALUE: Final = re.compile(r"m_Curve(\.Array\.data)?\[\d+\]\.value")
"""The value of a keyframe is none of them."""
_ROTATION: Final = re.compile(r"(rotation|quaternion|orientation)$", re.IGNORECASE)
_ROTATION_PART: Final = re.compile(r"\b(m_LocalRotation|m_InertiaRotation)\.[xyzw]")
_LAYERS: Final = {"Everything": 2**32 - 1, "Nothing": 0}
_WANTED: Final = {
    "m_Mesh": "Mesh", "m_Materials": "Material", "m_Sprite": "Sprite", "m_Shader": "Shader", "m_audioClip": "AudioClip",
    "m_Controller": "RuntimeAnimatorController", "m_Avatar": "Avatar", "m_Font": "Font", "m_Texture": "Texture",
    "m_TargetTexture": "RenderTexture", "m_SkyboxMaterial": "Material", "m_Cookie": "Texture", "m_Father": "Transform",
    "m_RootBone": "Transform", "m_Bones": "Transform", "m_Script": "MonoScript", "m_StaticBatchRoot": "Transform",
    "m_ProbeAnchor": "Transform", "m_VideoClip": "VideoClip", "m_SourcePrefab": "Prefab", "m_TransformParent": "Transform",
}  # fmt: skip
"""What a reference of the engine's own classes points to, by its key, where every class means the same by it."""

Local = Callable[[str], Ref | None]
"""`Root/Body` or `Root/Body:BoxCollider` of the same file as a reference; None where there is no such object."""


class References(Protocol):
    """What `references.AssetReferences` gives."""

    def reference(self, value: Json, *, wanted: str = "", where: str) -> Ref: ...

    def layers(self) -> Mapping[str, int]: ...

    def note(self, text: str) -> None:
        """A sentence for the answer: what was done without being certain."""
        ...


def coerce(
    value: Json,
    like: Value,
    where: str,
    references: References,
    local: Local | None = None,
    *,
    wanted: str = "",
    item: Value = None,
) -> Value:
    """`value` with the type of `like`: a plain value that was read or that a new object has.

    Numbers: as `like` is a whole number in Python, only whole ones; booleans where it is 0 or 1. Vectors and colours: a
    list, a mapping (parts that are not given stay), colours also `#rrggbb`. A rotation is given whole, with the length 1, or as
    `{"euler": [x, y, z]}` in degrees. A curve is its keyframes. References: see `AssetReferences.reference`, and `#Root/Body` for an object of the same file. `wanted`: the class that a
    reference must be of; else it follows from the key. `item`: what an item of an empty list is like, where that is known.
    Raises `invalid_arguments`, `broken_reference`, `unsupported_asset`.
    """
    if _ROTATION_PART.search(where):
        raise refused(where, f"the rotation as a whole: {ROTATION}", value)
    wanted = wanted or wanted_by_key(where)
    if item is not None and isinstance(like, list) and not like and isinstance(value, list):
        made = _Coercion(references, local)
        return [made.value(one, item, f"{where}[{at}]", wanted, 1, complete=True) for at, one in enumerate(value)]
    return _Coercion(references, local).value(value, like, where, wanted)


def rotation_fields(value: Json, where: str) -> tuple[dict[str, float], dict[str, float]]:
    """`m_LocalRotation` of a transform, and the angles that the inspector shows for it (`m_LocalEulerAnglesHint`), from a
    rotation as `coerce` takes it. Raises `invalid_arguments`."""
    numbers = rotation(value, where)
    degrees = isinstance(value, dict) and "euler" in value
    angles = euler_of(value["euler"], where) if degrees and isinstance(value, dict) else euler(numbers)
    return dict(zip("xyzw", numbers, strict=True)), dict(zip("xyz", angles, strict=True))


def wanted_by_key(where: str) -> str:
    """The class that a property of the engine's own refers to, by the last name of its path; empty where that differs."""
    names = [name for name in re.findall(r"[A-Za-z_]\w*", where) if name not in ("Array", "data")]
    return _WANTED.get(names[-1], "") if names else ""


def layer_bits(value: Json, where: str, references: References) -> int:
    """The bits of a layer mask from a number, from names of layers, or from `Everything` and `Nothing`."""
    names = [value] if isinstance(value, str) and not WHOLE.fullmatch(value) else value
    if isinstance(names, list) and len(names) == 1 and names[0] in ("Everything", "Nothing"):
        return _LAYERS[str(names[0])]
    if not isinstance(names, list):
        return whole(value, where, -1, 2**32 - 1, "a number or a list of layer names") & 0xFFFFFFFF
    layers = references.layers()
    bits = 0
    for name in names:
        if not isinstance(name, str) or name not in layers:
            raise refused(where, f"Everything, Nothing or a list of layer names ({', '.join(layers)})", name)
        bits |= 1 << layers[name]
    return bits


def reference(value: Json, where: str, references: References, local: Local | None, wanted: str = "") -> Ref:
    """A reference from outside; `#Root/Body` and `#Root/Body:BoxCollider` mean objects of the same file."""
    if not isinstance(value, str) or not value.startswith("#"):
        return references.reference(value, wanted=wanted, where=where)
    if local is None:
        raise refused(where, "an asset: there are no other objects in this file", value)
    path = value[1:]
    if wanted and ":" not in path and wanted not in ("GameObject", "Object"):
        path += f":{wanted}"
    found = local(path)
    if found is None:
        raise ToolRejected(
            "broken_reference",
            f"{where}: this file has no {path}",
            hint="Name an object by its path from the root (#Root/Body) and a component behind a colon (#Root/Body:BoxCollider).",
            details={"field": where, "object": path},
        )
    return found


@dataclass(frozen=True, slots=True)
class _Coercion:
    references: References
    local: Local | None

    def value(
        self, value: Json, like: Value, where: str, wanted: str, depth: int = 0, *, complete: bool = False
    ) -> Value:
        if depth > MAX_DEPTH:
            raise refused(where, f"nested at most {MAX_DEPTH} levels", "…")
        if isinstance(like, Ref) or ref_of(like) is not None:
            return reference(value, where, self.references, self.local, wanted)
        if isinstance(like, Pairs | Mapping):
            return self.mapping(value, like, where, depth, complete=complete)
        if isinstance(like, Sequence) and not isinstance(like, str):
            return self.sequence(value, like, where, wanted, depth)
        if where.rpartition(".")[2] == "m_Bits":
            return layer_bits(value, where, self.references)
        made = scalar(value, like, where)
        if (
            isinstance(like, str)
            and isinstance(made, float)
            and math.isfinite(made)
            and made % 1
            and WHOLE.fullmatch(like)
        ):
            self.references.note(
                f"{where}: {value} was set where {like} stood; what type it has is not known here, and Unity cuts a fraction "
                "off a whole number"
            )
        return made

    def mapping(
        self, value: Json, like: Pairs | Mapping[str, Value], where: str, depth: int, *, complete: bool
    ) -> Value:
        keys = tuple(like.keys())
        if keys == ("x", "y", "z", "w"):
            return _like(like, zip(keys, _four(value, like, where, complete=complete), strict=True))
        if keys in _VECTORS:
            old = None if complete else [_number(part) for _, part in pairs_of(like)]
            return _like(like, zip(keys, parts(value, keys, old, where), strict=True))
        if keys == ("serializedVersion", "m_Bits"):
            bits = value["m_Bits"] if isinstance(value, dict) and set(value) == {"m_Bits"} else value
            return _like(
                like, [("serializedVersion", like.get(keys[0])), (keys[1], layer_bits(bits, where, self.references))]
            )
        if keys == ("serializedVersion", "rgba"):
            return _like(like, [("serializedVersion", like.get(keys[0])), (keys[1], packed_color(value, where))])
        if is_curve(like):
            return curve(value, like, where)
        if not isinstance(value, dict):
            raise refused(where, f"a mapping with {', '.join(keys) or 'no keys'}", value)
        unknown = [key for key in value if key not in keys]
        missing = [key for key in keys if key not in value and key != "serializedVersion"] if complete else []
        if unknown or missing:
            raise refused(f"{where}.{(unknown or missing)[0]}", f"a mapping with {', '.join(keys)}", value)
        made: list[tuple[str, Value]] = []
        given = set(value)
        for key, old_value in pairs_of(like):
            # A key that comes twice means its first.
            if key in given:
                given.discard(key)
                inner = f"{where}.{key}"
                made.append(
                    (key, self.value(value[key], old_value, inner, wanted_by_key(inner), depth + 1, complete=complete))
                )
            else:
                made.append((key, old_value))
        return _like(like, made)

    def sequence(self, value: Json, like: Sequence[Value], where: str, wanted: str, depth: int) -> Value:
        if not isinstance(value, list):
            raise refused(where, "a list", value)
        if not value:
            return []
        if not like:
            explicit = all(item is None or (isinstance(item, dict) and "fileID" in item) for item in value)
            if not explicit and not wanted:
                raise refused(
                    where,
                    "filled in the Editor first: the list is empty, and what its items are is not known here",
                    value,
                )
            if not wanted:
                self.references.note(f"{where} was empty: that its items are references was taken from what was given")
            return [
                reference(item, f"{where}[{at}]", self.references, self.local, wanted) for at, item in enumerate(value)
            ]
        # An item that replaces one may be given in part; a new one must be whole, or the parts of another would be its own.
        return [
            self.value(
                item, like[min(at, len(like) - 1)], f"{where}[{at}]", wanted, depth + 1, complete=at >= len(like)
            )
            for at, item in enumerate(value)
        ]


def _four(value: Json, like: Pairs | Mapping[str, Value], where: str, *, complete: bool) -> list[float]:
    """A rotation or any other four numbers. Half a rotation is none: where the numbers may be one, all of them are needed."""
    if _ROTATION.search(where):
        return rotation(value, where)
    old = [_number(part) for _, part in pairs_of(like)]
    return parts(value, ("x", "y", "z", "w"), None if complete or is_unit(old) else old, where)


def packed_color(value: Json, where: str) -> int:
    """The number of a `Color32`: from `#rrggbbaa`, from four floats (each 0 to 1), or itself."""
    if isinstance(value, int) and not isinstance(value, bool):
        return whole(value, where, 0, 2**32 - 1)
    floats = parts(value, ("r", "g", "b", "a"), None, where)
    if not all(0 <= part <= 1 for part in floats):
        raise refused(where, "#rrggbbaa or [r, g, b, a] (each 0 to 1)", value)
    return sum(math.floor(part * 255 + 0.5) << (8 * at) for at, part in enumerate(floats))


def scalar(value: Json, like: Value, where: str) -> Value:
    if isinstance(like, bool):
        return flag(value, where)
    if isinstance(like, int):
        return int(value) if isinstance(value, bool) and like in (0, 1) else whole(value, where)
    if isinstance(like, float):
        return real(value, where)
    if like is None:
        if value is None:
            return None
        raise refused(where, "null: the value there is empty, so its type is not known", value)
    text = str(like)
    is_text = where.rpartition(".")[2] in _TEXTS and not _KEY_VALUE.search(where)
    if text and not is_text and (REAL.fullmatch(text.lower()) or text in NAMED):
        return _digits(value, text, where)
    if not isinstance(value, str):
        raise refused(where, "a text", value)
    return _encodable(value, where)


def _digits(value: Json, like: str, where: str) -> Value:
    """Where digits stand: a whole number stays one, because it may be an id that no float can hold."""
    if isinstance(value, bool):
        if like in ("0", "1"):
            return int(value)
        raise refused(where, "a number", value)
    if isinstance(value, int) or (isinstance(value, str) and WHOLE.fullmatch(value)):
        number = int(value)
        if -(2**63) <= number < 2**64:
            return number
        raise refused(where, "a number of at most 64 bits", value)
    number_or_float = real(value, where)
    if not math.isinf(number_or_float) and number_or_float.is_integer() and abs(number_or_float) <= 2**53:
        # 2.0 in JSON is 2 in a file, whichever of the two the property is; only a float knows -0.
        return number_or_float if number_or_float == 0 else int(number_or_float)
    return number_or_float


def _encodable(value: str, where: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise refused(where, "a text of valid Unicode", value) from None
    return value


def _like(like: Pairs | Mapping[str, Value], items: object) -> Value:
    pairs = list(items)  # type: ignore[call-overload]
    return Pairs(pairs, inline=like.inline) if isinstance(like, Pairs) else dict(pairs)


def _number(value: Value) -> float:
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and WHOLE.fullmatch(value) and value != "-0":
        return int(value)
    return real(value, "the present value", double=True) if isinstance(value, str) else 0.0
