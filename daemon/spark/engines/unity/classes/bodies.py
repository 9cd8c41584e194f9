"""New objects of native classes: every field with the value that the Editor gives a new one, for an editor version.

The fields and their order come from type trees of the versions in `_TREES` and `_MORE_TREES` and from documents that
Unity wrote; which values a new object has was read from such documents and from Unity's documentation. Where the two
nearest known versions differ, `established` says so.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from spark.core.errors import ToolRejected
from spark.engines.unity.classes.rows import Number, Rows, body_of, keys_of, number, rows_of
from spark.engines.unity.classes.tables import objects, physics, renderers, scene_settings, scene_view
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.yaml.values import Value

_TABLES: Final[dict[str, Rows]] = {
    **objects.TABLES,
    **renderers.TABLES,
    **physics.TABLES,
    **scene_view.TABLES,
    **scene_settings.TABLES,
}

_TREES: Final[tuple[Number, ...]] = (
    (2018, 3, 8),
    (2019, 4, 40),
    (2020, 3, 48),
    (2021, 3, 45),
    (2022, 2, 6),
    (2022, 3, 56),
    (6000, 0, 52),
    (6000, 1, 0),
    (6000, 2, 10),
    (6000, 3, 9),
)
"""The editor versions of which the fields of every class are known, unless `_ONLY` says less."""
_ONLY: Final[dict[str, tuple[Number, ...]]] = {
    # The keys inside are known from documents, and those begin with 2019.4.
    "Light": _TREES[1:],
    "LightmapSettings": _TREES[1:],
    "NavMeshSettings": _TREES[1:],
    # No tree of every version: documents of these streams, and a tree of 6000.0.23.
    "CharacterController": ((2020, 3), (2021, 3), (2022, 3), (6000, 0, 23), (6000, 1, 12)),
    "NavMeshAgent": ((2020, 3), (2021, 3), (6000, 0, 23)),
    "TextMesh": ((2020, 3), (2021, 3), (2022, 3, 40), (6000, 0, 0)),
    "SceneRoots": ((2022, 3, 7), *_TREES[5:]),
}
_MORE_TREES: Final[dict[str, tuple[Number, ...]]] = {
    "Animator": ((2022, 3, 7),),
    "AudioSource": ((2022, 3, 7),),
    "Canvas": ((2021, 3, 24), (2021, 3, 36)),
    "GameObject": ((2022, 2, 20), (2022, 3, 40)),
    "Light": ((2021, 3, 36), (2022, 3, 7), (2022, 3, 40), (6000, 0, 0), (6000, 0, 23)),
    "LightmapSettings": ((6000, 0, 0), (6000, 0, 23)),
    "NavMeshSettings": ((6000, 0, 23),),
    "RectTransform": ((2021, 3, 24), (2021, 3, 36)),
    "RenderSettings": ((2021, 3, 36), (2022, 3, 7), (2022, 3, 40), (6000, 0, 0), (6000, 0, 23)),
    "Transform": ((2022, 2, 20), (2022, 3, 40)),
}
_NOT_THE_EDITORS: Final[dict[str, str]] = {
    "PolygonCollider2D": "a new PolygonCollider2D has no points here, the Editor takes the outline of the object's sprite: set m_Points",
}
"""Classes where a new object is known to differ from the Editor's, and how."""

INFERRED: Final[dict[str, tuple[str, ...]]] = {
    "BoxCollider2D": ("m_SpriteTilingProperty",),
    "Canvas": ("m_RenderMode",),
    "Light": ("m_CookieSize2D", "m_LightUnit"),
    "NavMeshAgent": ("m_BaseOffset",),
    "PolygonCollider2D": ("m_SpriteTilingProperty", "m_Points"),
    "RenderSettings": ("m_IndirectSpecularColor",),
    "Rigidbody2D": ("m_CollisionDetection",),
    "SkinnedMeshRenderer": ("m_Materials", "m_RayTracingMode"),
    "SpriteRenderer": ("m_Materials", "m_Size"),
    "TextMesh": ("m_Text", "m_FontSize", "m_Font"),
}
"""Defaults that no document of an untouched new object confirms: from Unity's documentation and its API, or from documents
that a person had changed. Their fields and places are certain."""


def offered() -> tuple[str, ...]:
    """The classes that `new_body` makes, by name."""
    return tuple(sorted(_TABLES))


def is_offered(class_name: str) -> bool:
    return class_name in _TABLES


def new_body(class_name: str, version: EditorVersion) -> dict[str, Value]:
    """All fields of a new object in Unity's order, with `serializedVersion` where Unity writes it.

    Values: bool for flags, int for numbers, enums and masks, float for floats, str, `Ref`, mappings and lists; all of them
    new. A reference to the game object, a name or a list of children is empty: the caller fills it in.
    Raises `unsupported_asset` for a class that is not in `offered`, and for SceneRoots before 2022.3.
    """
    table = _TABLES.get(class_name)
    if table is None:
        raise ToolRejected(
            "unsupported_asset",
            f"the exact fields of a new {class_name} are not known, so it cannot be made here",
            hint=f"What can be made: {', '.join(offered())}. Make a {class_name} in the Unity Editor.",
            details={"class": class_name, "offered": list(offered())},
        )
    at = number(version)
    if class_name == "SceneRoots" and at < (2022, 3):
        raise ToolRejected(
            "unsupported_asset",
            f"scenes of Unity {version.major}.{version.minor} have no SceneRoots document, it came with 2022.3",
            hint="Order the root objects by m_RootOrder of their transforms.",
            details={"class": class_name},
        )
    return body_of(table, at)


def established(class_name: str, version: EditorVersion) -> bool | str:
    """True where the fields of a class are known for a version: a known version of the same stream (2022.3), or the same
    fields in the nearest known versions on both sides. Else a sentence that says what was taken instead; False for a class
    that is not offered."""
    table = _TABLES.get(class_name)
    if table is None:
        return False
    if class_name in _NOT_THE_EDITORS:
        return _NOT_THE_EDITORS[class_name]
    name, at = f"{version.major}.{version.minor}.{version.patch}", number(version)
    if version.assumed:
        return f"the project names no Unity version: the fields of {class_name} are those of {version.major}.{version.minor}"
    before, after = _neighbours(class_name, at)
    if before is None or after is None:
        nearest = after if before is None else before
        if nearest is not None and nearest[:2] == at[:2]:
            return True
        return f"no fields of {class_name} are known for Unity {name}: those of the nearest known version, {_dotted(nearest)}, were taken"
    if nearest_stream := [known for known in (before, after) if known[:2] == at[:2]]:
        if all(keys_of(table, known) == keys_of(table, at) for known in nearest_stream):
            return True
    elif keys_of(table, before) == keys_of(table, after):
        return True
    return f"the fields of {class_name} changed between Unity {_dotted(before)} and {_dotted(after)}, and where is not known: check a re-save in {name}"


def field_names(class_name: str, version: EditorVersion) -> tuple[str, ...]:
    """The serialized names of a class in Unity's order, without `serializedVersion`; empty for a class without a table."""
    table = _TABLES.get(class_name, ())
    return tuple(row.key for row in rows_of(table, number(version)) if row.key != "serializedVersion")


@cache
def _known(class_name: str) -> tuple[Number, ...]:
    return tuple(sorted({*_ONLY.get(class_name, _TREES), *_MORE_TREES.get(class_name, ())}))


def _neighbours(class_name: str, at: Number) -> tuple[Number | None, Number | None]:
    """The newest known version not above, and the oldest not below."""
    known = _known(class_name)
    before = [version for version in known if version <= at]
    after = [version for version in known if version >= at]
    return (before[-1] if before else None, after[0] if after else None)


def _dotted(at: Number | None) -> str:
    return ".".join(str(part) for part in at) if at else "none"
