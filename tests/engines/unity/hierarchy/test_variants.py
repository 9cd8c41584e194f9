"""What a variant or a nested prefab has from its prefab: taken as it is, overridden, and taken out with all that hangs on it."""

from __future__ import annotations

import pytest

from spark.core.assets import NewComponent, NewObject, ObjectOp
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import new_prefab
from tests.engines.unity.hierarchy.consistency import problems
from tests.engines.unity.hierarchy.garage import edited, garage, world

TANK = ProjectPath("Assets/Tank.prefab")


def variant(
    *components: NewComponent, path: str = "Car", of: str = "Assets/Car.prefab"
) -> tuple[str, dict[str, object]]:
    items = [NewObject(path, components=components)]
    made = new_prefab(TANK, items, ProjectPath(of), world(garage("6000"), "6000"))
    assert problems(made.content) == []
    return made.content.decode(), dict(made.result)


@pytest.mark.parametrize("path", ["Van", "Van/Body", "Wheel/Body", "Body"])
def test_a_path_with_another_root_is_refused_with_what_there_is(path: str) -> None:
    """A variant has the root of its base and no second one."""
    with pytest.raises(ToolRejected) as caught:
        variant(path=path)
    assert caught.value.code == "invalid_arguments"
    assert "Tank or Car" in caught.value.message
    assert "Tank/Body" in caught.value.hint


def test_a_component_of_the_base_is_taken_and_the_answer_says_so() -> None:
    """Nothing is added; what is listed for it are overrides."""
    content, result = variant(NewComponent("BoxCollider", {"isTrigger": True}), path="Car/Body")
    assert "--- !u!65" not in content
    assert "propertyPath: m_IsTrigger" in content
    assert "{'type': 'BoxCollider', 'of': 'Assets/Car.prefab'}" in str(result["objects"])
    assert "comes from Assets/Car.prefab" in str(result["notes"])


def test_the_second_of_two_components_of_a_type_is_a_new_one() -> None:
    """The first is the base's, the second has values of its own."""
    content, result = variant(
        NewComponent("BoxCollider", {"isTrigger": True}),
        NewComponent("BoxCollider", {"size": [3, 3, 3]}),
        path="Car/Body",
    )
    assert content.count("--- !u!65") == 1
    assert "m_Size: {x: 3, y: 3, z: 3}" in content
    assert "propertyPath: m_Size" not in content
    assert str(result["objects"]).count("'type': 'BoxCollider'") == 2


def test_a_second_component_of_a_type_that_is_only_once_is_refused() -> None:
    """Its properties would have overwritten the first one's."""
    with pytest.raises(ToolRejected) as caught:
        variant(NewComponent("Rigidbody", {"mass": 3}), NewComponent("Rigidbody", {"mass": 4}))
    assert caught.value.code == "already_exists"
    assert caught.value.message.startswith("objects.0.components.1: ")


@pytest.mark.parametrize("kind", ["Transform", "GameObject"])
def test_what_an_object_has_once_is_listed_once(kind: str) -> None:
    """The second mention would overwrite the first."""
    with pytest.raises(ToolRejected) as caught:
        variant(NewComponent(kind), NewComponent(kind))
    assert "once" in caught.value.message


def test_an_object_that_is_taken_out_takes_what_was_added_to_it() -> None:
    """Components given to it and to objects below it, and their entries: none is left without an object."""
    content = edited(
        "6000",
        "Level.unity",
        ObjectOp("addComponent", "Two/Body", component="AudioSource"),
        ObjectOp("addComponent", "Two/Front/Hub", component="AudioSource"),
        ObjectOp("add", "Two/Front/Hub/Lamp", component="Light"),
    )
    assert content.count("AudioSource:") == 2
    after = edited(
        "6000",
        "Level.unity",
        ObjectOp("addComponent", "Two/Body", component="AudioSource"),
        ObjectOp("addComponent", "Two/Front/Hub", component="AudioSource"),
        ObjectOp("add", "Two/Front/Hub/Lamp", component="Light"),
        ObjectOp("remove", "Two/Front"),
        ObjectOp("remove", "Two/Body"),
    )
    assert "AudioSource:" not in after
    assert "Lamp" not in after
    assert after.count("m_AddedComponents: []") == content.count("m_AddedComponents:")
    assert after.count("    m_RemovedGameObjects:\n") == 1
