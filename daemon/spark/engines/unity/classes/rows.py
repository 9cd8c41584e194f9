"""One row per field of a native class: its key, what a new object has there, and the editor versions that write it.

A table is a tuple of rows in the order Unity writes them. A key may have several rows where its place or its default
changed; at most one of them is valid for a version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.yaml.values import Ref, Value

Number: TypeAlias = tuple[int, ...]
"""A version or the beginning of one: (2022, 3) is before (2022, 3, 0) and everything else of 2022.3."""
ALWAYS: Final[Number] = (0,)
NEVER: Final[Number] = (1_000_000,)


class F(NamedTuple):
    """A field. `since` is the first version that writes it, `until` the first that does not. The type of `default` is the
    type of the field: bool, int (also enums and masks), float, str, Ref, a mapping, a list, or a table of its own."""

    key: str
    default: Value | tuple[F, ...]
    since: Number = ALWAYS
    until: Number = NEVER


Rows: TypeAlias = tuple[F, ...]

NONE: Final = Ref()


def number(version: EditorVersion) -> Number:
    return (version.major, version.minor, version.patch)


def rows_of(table: Rows, at: Number) -> Iterator[F]:
    """The rows that an editor of this version writes, in its order."""
    return (row for row in table if row.since <= at < row.until)


def body_of(table: Rows, at: Number) -> dict[str, Value]:
    """Key and default of every field; all mappings and lists are new, so that the caller may change them."""
    return {row.key: _value(row.default, at) for row in rows_of(table, at)}


def keys_of(table: Rows, at: Number) -> tuple[object, ...]:
    """What an editor of this version writes, keys within keys, without the values that people set; `serializedVersion` with
    its number, because two class versions are two things."""
    found: list[object] = []
    for row in rows_of(table, at):
        if isinstance(row.default, tuple):
            found.append((row.key, keys_of(row.default, at)))
        else:
            found.append((row.key, row.default) if row.key == "serializedVersion" else row.key)
    return tuple(found)


def vector2(x: float, y: float) -> dict[str, Value]:
    return {"x": x, "y": y}


def vector3(x: float, y: float, z: float) -> dict[str, Value]:
    return {"x": x, "y": y, "z": z}


def vector4(x: float, y: float, z: float, w: float) -> dict[str, Value]:
    return {"x": x, "y": y, "z": z, "w": w}


def color(r: float, g: float, b: float, a: float) -> dict[str, Value]:
    return {"r": r, "g": g, "b": b, "a": a}


def mask(bits: int) -> dict[str, Value]:
    """A set of layers: 0 is none of them, 4294967295 all."""
    return {"serializedVersion": 2, "m_Bits": bits}


def _value(default: Value | Rows, at: Number) -> Value:
    if isinstance(default, tuple):
        return body_of(default, at)
    return _copied(default)


def _copied(value: Value) -> Value:
    if isinstance(value, Mapping):
        return {key: _copied(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_copied(part) for part in value]
    return value
