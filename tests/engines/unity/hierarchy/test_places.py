"""Places among siblings in every form of a file, and what is said of places in the world."""

from __future__ import annotations

import re

import pytest

from spark.core.assets import NewComponent, NewObject, ObjectOp, PropertyEdit
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import edit_asset, edit_prefab, new_prefab, outline
from tests.engines.unity.hierarchy.garage import edited, edited_with_result, fixture, garage, world

LEVEL = ProjectPath("Assets/Level.unity")


def tops(form: str, content: str) -> list[str]:
    lines = outline(LEVEL, content.encode(), None, world(garage(form), form))
    heads = [line.split("  &")[0] for line in lines if not line.startswith(" ")]
    return [head for head in heads if "/" not in head and not head.endswith("Settings")]


def below(form: str, content: str, path: str) -> list[str]:
    lines = outline(LEVEL, content.encode(), path, world(garage(form), form))
    return [line.split("  &")[0].rpartition("/")[2] for line in lines if line.startswith("  child ")]


@pytest.mark.parametrize("form", ["2021", "6000"])
def test_roots_of_a_scene_take_the_place_that_was_asked_for(form: str) -> None:
    """New objects, new instances and present ones; by m_Roots, or by m_RootOrder of all of them."""
    content = edited(form, "Level.unity", ObjectOp("add", "First", to="0"))
    assert tops(form, content) == ["First", "Sun", "Cars", "Two"]
    content = edited(form, "Level.unity", ObjectOp("add", "Wheel", prefab="Assets/Wheel.prefab", to="1"))
    assert tops(form, content) == ["Sun", "Wheel", "Cars", "Two"]
    content = edited(form, "Level.unity", ObjectOp("move", "Two", value=0), ObjectOp("move", "Sun", value=2))
    assert tops(form, content) == ["Two", "Cars", "Sun"]
    content = edited(form, "Level.unity", ObjectOp("remove", "Sun"), ObjectOp("add", "Last"))
    assert tops(form, content) == ["Cars", "Two", "Last"]


def test_numbers_of_roots_are_their_places() -> None:
    """The older form has no other order."""
    content = edited("2021", "Level.unity", ObjectOp("add", "First", to="0"), ObjectOp("move", "Cars", value=3))
    numbers = re.findall(r"m_RootOrder(?:: |\n {6}value: )(\d)", content)
    assert tops("2021", content) == ["First", "Sun", "Two", "Cars"]
    assert {"0", "1", "2", "3"} <= set(numbers)


def test_numbers_that_are_no_places_are_left_and_said() -> None:
    """They are none of this change's; the order may then be another than asked for."""
    content = fixture("2021", "Level.unity").replace(b"m_RootOrder: 1\n", b"m_RootOrder: 0\n")
    made = edit_prefab(LEVEL, content, [ObjectOp("add", "Middle", to="1")], world(garage("2021"), "2021"))
    assert "m_RootOrder" in str(made.result["notes"])


def test_what_is_added_to_an_instance_takes_the_place_that_was_asked_for() -> None:
    """The newer form says it in m_AddedGameObjects."""
    content = edited("6000", "Level.unity", ObjectOp("add", "Cars/One/Lamp", to="1"))
    assert below("6000", content, "Cars/One") == ["Body", "Lamp", "Front", "Back"]
    assert "insertIndex: 1\n" in content


def test_what_is_added_to_an_instance_of_the_older_form_stands_behind_its_own() -> None:
    """A place between them is refused with those that work; among what was added it is kept by m_RootOrder."""
    with pytest.raises(ToolRejected) as caught:
        edited("2021", "Level.unity", ObjectOp("add", "Cars/One/Lamp", to="1"))
    assert caught.value.code == "unsupported_asset"
    assert "from 3" in caught.value.hint
    content = edited(
        "2021",
        "Level.unity",
        ObjectOp("add", "Cars/One/A"),
        ObjectOp("add", "Cars/One/B"),
        ObjectOp("add", "Cars/One/C", to="3"),
        ObjectOp("move", "Cars/One/B", value=3),
    )
    assert below("2021", content, "Cars/One") == ["Body", "Front", "Back", "B", "C", "A"]


@pytest.mark.parametrize("name", ["position", "rotation", "eulerAngles"])
def test_a_place_in_the_world_is_said_to_be_taken_as_a_local_one(name: str) -> None:
    """Where a parent is moved, turned or scaled; a local name says what it is."""
    moved = ObjectOp("set", "Car/Body", property="localScale", value=[2, 2, 2], has_value=True)
    lamp = ObjectOp("add", "Car/Body/Lamp")
    place = ObjectOp("set", "Car/Body/Lamp", property=name, value=[1, 2, 3], has_value=True)
    _, result = edited_with_result("6000", "Car.prefab", lamp, moved, place)
    assert f"{name} of Car/Body/Lamp was set as its local value: Car/Body above it" in str(result["notes"])
    _, result = edited_with_result("6000", "Car.prefab", lamp, place)
    assert "notes" not in result
    local = ObjectOp("set", "Car/Body/Lamp", property="localPosition", value=[1, 2, 3], has_value=True)
    _, result = edited_with_result("6000", "Car.prefab", lamp, moved, local)
    assert "notes" not in result


def test_the_same_is_said_of_new_prefabs_and_single_properties() -> None:
    """Whichever function sets it."""
    here = world(garage("6000"), "6000")
    objects = [
        NewObject("Tank", components=(NewComponent("Transform", {"scale": [2, 2, 2]}),)),
        NewObject("Tank/Gun", components=(NewComponent("Transform", {"position": [0, 1, 0]}),)),
    ]
    tank = ProjectPath("Assets/Tank.prefab")
    made = new_prefab(tank, objects, None, here)
    assert "position of Tank/Gun was set as its local value" in str(made.result["notes"])
    edit = PropertyEdit("position", [1, 1, 1], object="Tank/Gun", component="Transform")
    assert "position of Tank/Gun" in str(edit_asset(tank, made.content, [edit], here).result["notes"])
