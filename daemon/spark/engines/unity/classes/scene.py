"""The documents of a scene that are not about its objects: the four settings at its head, and its list of roots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from spark.engines.unity.classes.bodies import established, new_body
from spark.engines.unity.classes.class_ids import class_id
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.yaml.values import Ref, Value

ROOTS_FILE_ID: Final = 9223372036854775807
SETTINGS: Final = ("OcclusionCullingSettings", "RenderSettings", "LightmapSettings", "NavMeshSettings")
"""In their order; their file ids are 1 to 4."""


def scene_settings(version: EditorVersion) -> list[tuple[int, int, str, dict[str, Value]]]:
    """`(class id, file id, class name, body)` of what every scene begins with, for an empty scene with the default skybox."""
    return [(_id(name), file_id, name, new_body(name, version)) for file_id, name in enumerate(SETTINGS, start=1)]


def scene_roots(version: EditorVersion, root_ids: Sequence[int]) -> tuple[int, int, str, dict[str, Value]] | None:
    """`(class id, file id, class name, body)` of the scene's last document, which lists its root transforms (and instances)
    in the order of the hierarchy; None before 2022.3, where each root has an `m_RootOrder` instead."""
    if version < EditorVersion(2022, 3):
        return None
    body = new_body("SceneRoots", version)
    body["m_Roots"] = [Ref(root) for root in root_ids]
    return (_id("SceneRoots"), ROOTS_FILE_ID, "SceneRoots", body)


def scene_doubts(version: EditorVersion) -> list[str]:
    """What is not certain of `scene_settings` for a version, one sentence each; empty where all is known."""
    return [said for name in SETTINGS if isinstance(said := established(name, version), str)]


def _id(name: str) -> int:
    found = class_id(name)
    assert found is not None, name
    return found
