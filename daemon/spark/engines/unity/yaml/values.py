"""Plain values: what a Unity YAML document holds, without any style.

A mapping is `Pairs` when it was read (keys may come twice, or be empty) and may be a plain `dict` when it is written (whether
it is written inline then follows from its keys). A
sequence is a `list`. Scalars that were read are `str`; for writing, `int`, `bool` and `float` become Unity's digits
(`float` as a 32-bit float), `None` is a key with nothing behind it, and `Ref` is a reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference: `{fileID: 0}` is none, without `guid` it points into the same file. `type`: 0 built in, 2 native
    (`.mat`, `.asset`, `.anim`), 3 imported (scripts, prefabs, models, textures, shaders)."""

    file_id: int = 0
    guid: str = ""
    type: int = 0

    def pairs(self) -> tuple[tuple[str, str], ...]:
        if not self.guid:
            return (("fileID", str(self.file_id)),)
        return (("fileID", str(self.file_id)), ("guid", self.guid), ("type", str(self.type)))


class Pairs:
    """A mapping as it stands in a file: ordered, and a key may come twice. Kept flat, because there are many.

    `inline`: whether its type is one that Unity writes in braces (references, its own vectors and colours). That is a
    property of the type and not of the text: a struct of the user's with fields x, y, z (Unity.Mathematics' float3, say)
    is written as a block.
    """

    __slots__ = ("flat", "inline")

    def __init__(self, items: Iterable[tuple[str, Value]] = (), *, inline: bool = False) -> None:
        self.flat: tuple[object, ...] = tuple(part for item in items for part in item)
        self.inline = inline

    @classmethod
    def from_flat(cls, flat: Sequence[object], *, inline: bool = False) -> Pairs:
        """From `(key, value, key, value, …)`."""
        made = cls.__new__(cls)
        made.flat = tuple(flat)
        made.inline = inline
        return made

    def items(self) -> Iterator[tuple[str, Value]]:
        flat = iter(self.flat)
        return zip(flat, flat, strict=True)  # type: ignore[arg-type]

    def keys(self) -> tuple[str, ...]:
        return self.flat[::2]  # type: ignore[return-value]

    def get(self, key: str) -> Value:
        """The first value of a key; None where there is none."""
        for at in range(0, len(self.flat), 2):
            if self.flat[at] == key:
                return self.flat[at + 1]  # type: ignore[return-value]
        return None

    def __contains__(self, key: object) -> bool:
        return key in self.flat[::2]

    def __len__(self) -> int:
        return len(self.flat) // 2

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pairs) and self.flat == other.flat and self.inline == other.inline

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Pairs({" + ", ".join(f"{key!r}: {value!r}" for key, value in self.items()) + "})"


Scalar: TypeAlias = str | int | float | bool | None
Value: TypeAlias = "Scalar | Ref | Pairs | Mapping[str, Value] | Sequence[Value]"


def pairs_of(value: Pairs | Mapping[str, Value]) -> Iterable[tuple[str, Value]]:
    return value.items()


def ref_of(value: Value) -> Ref | None:
    """A reference that was read, None where the value is something else."""
    if isinstance(value, Ref):
        return value
    if not isinstance(value, Pairs | Mapping):
        return None
    file_id = value.get("fileID")
    if not isinstance(file_id, str | int) or isinstance(file_id, bool):
        return None
    try:
        guid, kind = value.get("guid"), value.get("type")
        return Ref(int(file_id), guid if isinstance(guid, str) else "", int(kind) if isinstance(kind, str | int) else 0)
    except ValueError:
        return None
