"""The outline: what a reader of a prefab, a scene or another asset is shown."""

from __future__ import annotations

import pytest

from spark.core.assets import ObjectOp
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import edit_prefab, outline
from tests.engines.unity.hierarchy.garage import fixture, garage, put, world


def lines(name: str, target: str | None = None, form: str = "6000") -> list[str]:
    return outline(ProjectPath(f"Assets/{name}"), fixture(form, name), target, world(garage(form), form))


@pytest.mark.parametrize("form", ["2021", "6000"])
def test_objects_come_with_paths_ids_components_and_sources(form: str) -> None:
    """Everything that an edit can be addressed with."""
    shown = lines("Car.prefab", form=form)
    joined = "\n".join(shown)
    assert shown[0].startswith("Car  &")
    assert "  Rigidbody &" in joined
    assert ": m_Mass 1200" in joined
    assert "  Health &" in joined
    assert "max 50" in joined
    assert "spawn #Car/Body:Transform" in joined
    assert "m_Mesh builtin:Cube" in joined
    assert "Car/Front  &" in joined
    assert "instance of Assets/Wheel.prefab" in joined
    assert "m_LocalPosition.z = -2" in joined


def test_a_whole_outline_leaves_out_what_a_new_component_would_have() -> None:
    """One object says everything."""
    assert "m_IsTrigger" not in "\n".join(lines("Car.prefab"))
    assert "    m_IsTrigger = 0" in lines("Car.prefab", "Car/Body")


def test_an_object_inside_an_instance_is_shown_with_its_overrides() -> None:
    """The value that counts, and that it is the instance's own."""
    shown = lines("Car.prefab", "Car/Back")
    assert any(line.startswith("    m_LocalPosition = (0, 0.5, -2)  (override") for line in shown)
    assert "    m_Radius = 0.5" in shown
    assert any(line.startswith("  child Car/Back/Hub") for line in shown)


def test_nested_levels_show_the_value_of_the_nearest_instance() -> None:
    """The scene's own mass, not that of the prefab or of the variant's base."""
    assert any(line.startswith("    m_Mass = 900") for line in lines("Level.unity", "Cars/One"))
    assert "    m_Mass = 700" in lines("Level.unity", "Two")
    assert "    m_Mesh = builtin:Cylinder" in lines("Level.unity", "Two/Front/Hub")


def test_a_prefab_that_contains_itself_is_said_and_does_not_hang() -> None:
    """The circle is cut where it closes."""
    project = garage("6000")
    looped = fixture("6000", "Wheel.prefab").decode() + fixture("6000", "Car.prefab").decode().split("--- !u!1001", 1)[
        1
    ].join(["--- !u!1001", ""])
    looped = looped.replace("m_TransformParent: {fileID: ", "m_TransformParent: {fileID: 1")
    put(project, "Assets/Wheel.prefab", looped, "a" * 32)
    shown = outline(ProjectPath("Assets/Car.prefab"), fixture("6000", "Car.prefab"), None, world(project, "6000"))
    assert any("instance of Assets/Wheel.prefab" in line for line in shown)


def test_a_model_is_said_to_be_closed() -> None:
    """Its path, and that nothing of it is known."""
    project = garage("6000")
    made = edit_prefab(
        ProjectPath("Assets/Car.prefab"),
        fixture("6000", "Car.prefab"),
        [ObjectOp("add", "Car/Rock", prefab="Assets/Rock.fbx")],
        world(project, "6000"),
    )
    shown = outline(ProjectPath("Assets/Car.prefab"), made.content, None, world(project, "6000"))
    assert any(line.startswith("Car/Rock") and "is a model, which cannot be looked into" in line for line in shown)


def test_other_assets_are_shown_by_document_and_property() -> None:
    """One line for each value; long lists are cut with their count."""
    items = "".join(f"  - {number}\n" for number in range(50))
    content = (
        "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n--- !u!114 &11400000\nMonoBehaviour:\n  m_ObjectHideFlags: 0\n"
        "  m_Script: {fileID: 11500000, guid: cccccccccccccccccccccccccccccccc, type: 3}\n  m_Name: Data\n"
        f"  inner:\n    deep: {{x: 1, y: 2}}\n  paint: {{fileID: 2100000, guid: {'1' * 32}, type: 2}}\n  many:\n{items}"
    )
    project = garage("6000")
    path = ProjectPath("Assets/Data.asset")
    shown = outline(path, content.encode(), None, world(project, "6000"))
    assert shown[0] == "Health  &11400000"
    assert "  inner.deep = (1, 2)" in shown
    assert "  paint = Assets/Paint.mat" in shown
    assert "  many: and 30 more of 50" in shown
    assert "  many[49] = 49" in outline(path, content.encode(), "11400000", world(project, "6000"))
    assert outline(path, content.encode(), "MonoBehaviour", world(project, "6000"))[0] == "Health  &11400000"


def test_a_meta_is_shown_by_its_settings() -> None:
    """Every setting with its path."""
    project = garage("6000")
    shown = outline(
        ProjectPath("Assets/Rock.fbx.meta"), project.contents["Assets/Rock.fbx.meta"], None, world(project, "6000")
    )
    assert "ModelImporter.meshes.fileIdsGeneration = 2" in shown


def test_a_line_is_never_longer_than_600_characters() -> None:
    """Long values are cut."""
    project = garage("6000")
    text = fixture("6000", "Car.prefab").decode().replace("m_Name: Body", "m_Name: " + "x" * 2000)
    shown = outline(ProjectPath("Assets/Car.prefab"), text.encode(), None, world(project, "6000"))
    assert max(map(len, shown)) == 600


def test_an_object_that_is_not_there_is_refused_with_what_is() -> None:
    """And with near names."""
    with pytest.raises(ToolRejected) as caught:
        lines("Car.prefab", "Car/Bdy")
    assert caught.value.code == "not_found"
    assert "Did you mean Body" in caught.value.hint


def test_cut_text_is_refused_with_its_line() -> None:
    """A file that was cut in the middle of a mapping is no asset."""
    broken = fixture("6000", "Car.prefab").replace(b"  m_Component:\n", b"  m_Component:\n\t- x\n", 1)
    with pytest.raises(ToolRejected) as caught:
        outline(ProjectPath("Assets/Car.prefab"), broken, None, world(garage("6000"), "6000"))
    assert caught.value.code == "invalid_asset"
