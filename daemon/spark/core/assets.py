"""What a caller asks of an engine when an asset is made or edited. Values are JSON as they came; the engine gives them
the types of the fields they are meant for, or refuses them by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = Any
"""A value as JSON gives it: None, bool, int, float, str, list, dict."""

OpKind = Literal["add", "remove", "move", "rename", "addComponent", "removeComponent", "set", "override", "revert"]


@dataclass(frozen=True, slots=True)
class NewComponent:
    """`type`: a component of the engine (`BoxCollider`) or a script class (`Health`, `Game.Health`)."""

    type: str
    properties: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewObject:
    """One object of a hierarchy by its path (`Root/Body`). `prefab`: a path; it is then an instance of that prefab."""

    path: str
    prefab: str | None = None
    components: tuple[NewComponent, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectOp:
    """One change of a hierarchy. `object` is a path or a file id; which other fields count depends on `op`."""

    op: OpKind
    object: str
    to: str | None = None
    component: str | None = None
    property: str | None = None
    value: Json = None
    has_value: bool = False
    prefab: str | None = None


@dataclass(frozen=True, slots=True)
class PropertyEdit:
    """One property of one document: by file id, by object path and component type, or of the file's only document."""

    property: str
    value: Json
    file_id: str | None = None
    object: str | None = None
    component: str | None = None


@dataclass(frozen=True, slots=True)
class MaterialOrder:
    """None: leave as it is (editing) or take the shader's defaults (making)."""

    shader: str | None = None
    properties: Mapping[str, Json] = field(default_factory=dict)
    keywords: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AssetBytes:
    """An asset as it shall be on disk, and what the answer says of it (ids that were made, what was chosen, warnings)."""

    content: bytes
    result: Mapping[str, Any] = field(default_factory=dict)
