"""The shapes that values of fields have in a file: vectors in braces, the engine's blocks, lists and runs of digits."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from spark.engines.unity.csharp import serialized_builtin as builtin
from spark.engines.unity.csharp.serialized_numbers import single
from spark.engines.unity.csharp.serialized_types import FieldType
from spark.engines.unity.yaml.values import Pairs, Value

_PACKED: Final = {(1, True): "b", (1, False): "B", (2, True): "h", (2, False): "H", (4, True): "i", (4, False): "I"}
_RAW_KINDS: Final = ("bool", "int", "char", "enum")


def is_raw(element: FieldType) -> bool:
    """Whether a list of these is one run of hexadecimal digits. Lists of 64-bit integers are not decided here."""
    return element.kind in _RAW_KINDS and element.size <= 4


def raw_list(element: FieldType, values: Sequence[int]) -> str:
    """The digits of a list of small integers, little-endian. `struct.error` cannot happen: values are in range."""
    size, signed = (
        (1, False)
        if element.kind == "bool"
        else (2, False)
        if element.kind == "char"
        else (element.size, element.signed)
    )
    return struct.pack(f"<{len(values)}{_PACKED[size, signed]}", *values).hex()


def list_value(element: FieldType, items: Sequence[Value]) -> Value:
    if is_raw(element):
        return raw_list(element, [item for item in items if isinstance(item, int)])
    return list(items)


def vector(name: str, parts: Sequence[float]) -> Value:
    keys, whole = builtin.VECTORS[name]
    return Pairs(
        [(key, int(part) if whole else single(part)) for key, part in zip(keys, parts, strict=True)], inline=True
    )


def block(name: str, values: Sequence[float]) -> Value:
    """A value of the engine written as a block; `values` are its numbers in order."""
    if name in builtin.MATHEMATICS:
        keys, whole = builtin.MATHEMATICS[name]
        parts = [int(value) if whole else single(value) for value in values]
        return Pairs(list(zip(keys, parts, strict=True)))
    if name == "Rect":
        return _rect([single(value) for value in values])
    if name == "Bounds":
        half = [single(value / 2) for value in values[3:]]
        return Pairs([("m_Center", vector("Vector3", values[:3])), ("m_Extent", vector("Vector3", half))])
    if name == "LayerMask":
        return Pairs([("serializedVersion", 2), ("m_Bits", int(values[0]) & 0xFFFFFFFF)])
    if name == "Color32":
        red, green, blue, alpha = (int(value) for value in values)
        return Pairs([("serializedVersion", 2), ("rgba", red | green << 8 | blue << 16 | alpha << 24)])
    if name == "RectOffset":
        return Pairs(
            [(f"m_{side}", int(value)) for side, value in zip(("Left", "Right", "Top", "Bottom"), values, strict=True)]
        )
    return Pairs([(f"e{at // 4}{at % 4}", single(value)) for at, value in enumerate(values)])


def _rect(values: Sequence[float]) -> Value:
    return Pairs([("serializedVersion", 2), *zip(("x", "y", "width", "height"), values, strict=True)])


BLOCK_SIZES: Final = {
    **{name: len(keys) for name, (keys, _) in builtin.MATHEMATICS.items()},
    "Rect": 4,
    "Bounds": 6,
    "LayerMask": 1,
    "Color32": 4,
    "RectOffset": 4,
    "Matrix4x4": 16,
}


def empty_curve() -> Value:
    return Pairs(
        [("serializedVersion", 2), ("m_Curve", []), ("m_PreInfinity", 2), ("m_PostInfinity", 2), ("m_RotationOrder", 4)]
    )


def empty_event() -> Value:
    return Pairs([("m_PersistentCalls", Pairs([("m_Calls", [])]))])


def integer_range(size: int, signed: bool) -> tuple[int, int]:
    bits = size * 8
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
