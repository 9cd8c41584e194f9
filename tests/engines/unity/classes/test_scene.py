"""The documents of a scene that are not about its objects."""

from __future__ import annotations

from spark.engines.unity.classes.scene import scene_doubts, scene_roots, scene_settings
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.yaml.values import Ref


def test_a_scene_begins_with_its_four_settings() -> None:
    """Class ids and file ids are those of every scene that Unity writes, for every version."""
    for version in (EditorVersion(2019, 4, 40), EditorVersion(2022, 3, 56), EditorVersion(6000, 1, 0)):
        heads = [(class_id, file_id) for class_id, file_id, _, _ in scene_settings(version)]
        assert heads == [(29, 1), (104, 2), (157, 3), (196, 4)]


def test_the_settings_follow_the_version() -> None:
    """What differs from version to version: class versions, baking on load, the build settings of the navigation mesh."""
    old = {name: body for _, _, name, body in scene_settings(EditorVersion(2021, 3, 45))}
    new = {name: body for _, _, name, body in scene_settings(EditorVersion(6000, 1, 0))}
    assert old["RenderSettings"]["serializedVersion"] == 9
    assert new["RenderSettings"]["serializedVersion"] == 10
    assert "m_GIWorkflowMode" in old["LightmapSettings"]
    assert "m_GIWorkflowMode" not in new["LightmapSettings"]
    assert "m_BakeOnSceneLoad" in new["LightmapSettings"]
    old_build, new_build = old["NavMeshSettings"]["m_BuildSettings"], new["NavMeshSettings"]["m_BuildSettings"]
    assert isinstance(old_build, dict)
    assert isinstance(new_build, dict)
    assert "accuratePlacement" in old_build
    assert "buildHeightMesh" in new_build


def test_roots_are_listed_from_2022_3_on() -> None:
    """A scene of 2022.3 ends with the list of its roots; an older one has none."""
    assert scene_roots(EditorVersion(2022, 2, 20), [5]) is None
    made = scene_roots(EditorVersion(2022, 3, 0), [5, 7])
    assert made is not None
    assert made[:3] == (1660057539, 9223372036854775807, "SceneRoots")
    assert made[3] == {"m_ObjectHideFlags": 0, "m_Roots": [Ref(5), Ref(7)]}


def test_doubts_name_the_document() -> None:
    """Within 2022.3 one setting left the file at a patch that is not known; elsewhere nothing is in doubt."""
    assert scene_doubts(EditorVersion(2022, 3, 50)) == []
    assert scene_doubts(EditorVersion(6000, 1, 2)) == []
    (doubt,) = scene_doubts(EditorVersion(2022, 3, 20))
    assert "RenderSettings" in doubt
