"""Property lists of shaders that are not in the project, one declaration a line: `_Metallic 0..1 0 Gamma`.

A name, a type (`float`, `int`, a range, `color`, `vector` or a texture's dimension), a default (`-`: the empty texture) and
attributes without spaces.
"""

from __future__ import annotations

import re
from typing import Final

from spark.engines.unity.shaders.model import Attribute, PropertyKind, ShaderProperty

_PLAIN: Final[dict[str, PropertyKind]] = {"float": "float", "int": "int", "color": "color", "vector": "vector"}


def declared(text: str) -> tuple[ShaderProperty, ...]:
    return tuple(_property(line.split()) for line in text.strip().splitlines())


def _property(parts: list[str]) -> ShaderProperty:
    name, kind, default = parts[:3]
    attributes = tuple(_attribute(part) for part in parts[3:])
    if kind in _PLAIN:
        numbers = tuple(float(part) for part in default.split(","))
        return ShaderProperty(name, _PLAIN[kind], "", numbers, attributes=attributes)
    if ".." in kind:
        low, high = kind.split("..")
        return ShaderProperty(name, "range", "", (float(default),), float(low), float(high), attributes=attributes)
    texture = "" if default == "-" else default
    return ShaderProperty(name, "texture", "", dimension=kind, texture=texture, attributes=attributes)


def _attribute(text: str) -> Attribute:
    match = re.fullmatch(r"(\w+)(?:\((.*)\))?", text)
    assert match is not None, text
    given = tuple(part.replace("_", " ") for part in match[2].split(",")) if match[2] and match[1] != "Toggle" else ()
    return Attribute(match[1], (match[2],) if match[1] == "Toggle" and match[2] else given)
