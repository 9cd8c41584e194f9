"""What a shader says of itself, whoever said it: its name, its properties with types and defaults, its keywords."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

PropertyKind = Literal["float", "int", "range", "integer", "color", "vector", "texture"]
LISTS: Final = {
    "float": "m_Floats",
    "int": "m_Floats",
    "range": "m_Floats",
    "integer": "m_Ints",
    "color": "m_Colors",
    "vector": "m_Colors",
    "texture": "m_TexEnvs",
}
"""Where a material saves a property of each kind. `Int` is a float in all but name; `Integer` is not."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """`[Enum(A, 0, B, 1)]` is `Attribute("Enum", ("A", "0", "B", "1"))`."""

    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShaderProperty:
    """`numbers`: one for a number, four for a colour or vector, none where the shader does not say all of them.
    `dimension` and `texture` are a texture's type (`2D`) and the name of its default (`white`, `bump`)."""

    name: str
    kind: PropertyKind
    label: str = ""
    numbers: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    dimension: str = ""
    texture: str = ""
    attributes: tuple[Attribute, ...] = ()

    def attribute(self, name: str) -> Attribute | None:
        return next((found for found in self.attributes if found.name == name), None)

    @property
    def saved_in(self) -> str:
        """`m_Floats`, `m_Ints`, `m_Colors` or `m_TexEnvs`."""
        return LISTS[self.kind]


@dataclass(frozen=True, slots=True)
class ShaderHead:
    """`keywords`: those that the shader's own text declares. `all_keywords`: nothing else can declare more (no included
    pragmas, fallbacks or passes of other shaders). `targets`: the pipelines a shader graph is made for."""

    name: str
    properties: tuple[ShaderProperty, ...] = ()
    keywords: frozenset[str] = frozenset()
    all_keywords: bool = False
    custom_editor: str = ""
    targets: frozenset[str] = frozenset()
    is_graph: bool = False
    _by_name: dict[str, ShaderProperty] = field(default_factory=dict, compare=False, repr=False)

    def property(self, name: str) -> ShaderProperty | None:
        if not self._by_name:
            self._by_name.update((found.name, found) for found in self.properties)
        return self._by_name.get(name)


class ShaderError(ValueError):
    """Text that is no shader. `line` counts from 1; 0 where there is none to name."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
