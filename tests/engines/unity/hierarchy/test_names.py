"""Names of types, properties and objects: Unity's own in every spelling, and refusals that say what works."""

from __future__ import annotations

import pytest

from spark.core.assets import NewComponent, NewObject, ObjectOp, PropertyEdit
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import edit_asset, edit_prefab, new_prefab, outline
from spark.engines.unity.scriptable import new_scriptable
from tests.engines.unity.hierarchy.garage import edited, edited_with_result, fixture, garage, put, world

CAR = ProjectPath("Assets/Car.prefab")
TANK = ProjectPath("Assets/Tank.prefab")
LISTS = """using UnityEngine;
using UnityEngine.Serialization;

public class Lists : MonoBehaviour
{
    [FormerlySerializedAs("health")]
    public int hitPoints = 3;
    public int[] packed = { 1, 2 };
    public string[] words;
}
"""


def refused(*ops: ObjectOp, content: bytes | None = None) -> ToolRejected:
    project = garage("6000")
    put(project, "Assets/Lists.cs", LISTS, "7" * 32)
    with pytest.raises(ToolRejected) as caught:
        edit_prefab(CAR, content or fixture("6000", "Car.prefab"), ops, world(project, "6000"))
    return caught.value


def not_made(kind: str, properties: dict[str, object], path: str = "Tank") -> ToolRejected:
    project = garage("6000")
    put(project, "Assets/Lists.cs", LISTS, "7" * 32)
    items = [NewObject("Tank"), NewObject(path, components=(NewComponent("Light"), NewComponent(kind, properties)))]
    with pytest.raises(ToolRejected) as caught:
        new_prefab(TANK, items[1:] if path == "Tank" else items, None, world(project, "6000"))
    return caught.value


# -- types ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["RenderSettings", "LightmapSettings", "SceneRoots", "PrefabInstance", "GameObject", "Material", "Collider"]
)
def test_only_components_are_given_to_objects(name: str) -> None:
    """Settings of scenes, objects and assets are types of the engine's, and no components."""
    error = refused(ObjectOp("addComponent", "Car/Body", component=name))
    assert error.code == "invalid_arguments"
    assert error.message.startswith(f"component: {name} ")


def test_a_component_of_the_engine_may_be_named_in_full() -> None:
    """To add it, to find it and to set its properties."""
    body = "UnityEngine.Rigidbody"
    content, result = edited_with_result("6000", "Car.prefab", ObjectOp("addComponent", "Car/Body", component=body))
    assert "'component': 'Rigidbody'" in str(result)
    back = edit_prefab(
        CAR, content.encode(), [ObjectOp("removeComponent", "Car/Body", component=body)], world(garage("6000"), "6000")
    )
    assert back.content == fixture("6000", "Car.prefab")


def test_another_spelling_is_refused_with_the_right_one() -> None:
    """Types are told apart by upper and lower case."""
    error = refused(ObjectOp("addComponent", "Car/Body", component="rigidbody"))
    assert "Did you mean Rigidbody?" in error.hint


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("Material", "createMaterial"),
        ("AnimatorController", "in the Editor"),
        ("material", "Did you mean Material?"),
        ("Rigidbody", "addComponent"),
        ("UnityEngine.Material", "createMaterial"),
    ],
)
def test_an_asset_of_the_engine_is_no_script(kind: str, says: str) -> None:
    """The refusal says what makes one."""
    with pytest.raises(ToolRejected) as caught:
        new_scriptable(ProjectPath("Assets/x.asset"), kind, {}, world(garage("6000"), "6000"))
    assert says in caught.value.hint


# -- properties ----------------------------------------------------------------------------------------------------------


def test_a_wrong_property_of_a_new_component_is_the_callers_mistake() -> None:
    """By its place in the call, and without the id of a document that nobody will ever see."""
    error = not_made("Rigidbody", {"maas": 1})
    assert error.code == "invalid_arguments"
    assert error.details["fields"] == {"objects.0.components.1.properties.maas": "m_Mass"}
    assert "&" not in error.message
    assert "Assets/Tank.prefab" not in error.message


def test_a_wrong_value_of_a_new_component_is_named_by_its_place_in_the_call() -> None:
    """Fields of the refusal are those of the call."""
    error = not_made("Rigidbody", {"mass": "heavy"}, "Tank/Body")
    assert list(error.details["fields"]) == ["objects.1.components.1.properties.mass"]
    error = refused(ObjectOp("add", "Car/Lamp", component="Light", value={"intensity": "much"}))
    assert list(error.details["fields"]) == ["value.intensity"]
    error = not_made("MeshFilter", {"mesh": "Assets/None.fbx"})
    assert (error.code, error.details["field"]) == ("broken_reference", "objects.0.components.1.properties.mesh")


def test_a_hint_lists_each_property_once_and_none_that_nobody_sets() -> None:
    """Of a script its own fields."""
    error = not_made("Lists", {"nothing": 1})
    assert error.hint.count("hitPoints") == 1
    assert "m_Script" not in error.hint
    assert "m_EditorClassIdentifier" not in error.hint


def test_a_field_that_was_renamed_is_known_by_its_old_name() -> None:
    """[FormerlySerializedAs] says what it is called now."""
    error = not_made("Lists", {"health": 1})
    assert "it is hitPoints now" in error.hint


@pytest.mark.parametrize("component", ["Rigidbody", "Health"])
@pytest.mark.parametrize("name", ["name", "tag", "layer"])
def test_what_belongs_to_the_object_is_not_set_on_its_components(component: str, name: str) -> None:
    """The refusal says where it is."""
    op = ObjectOp("set", "Car", component=component, property=name, value="x", has_value=True)
    assert "belongs to the GameObject" in refused(op).hint


@pytest.mark.parametrize("name", ["packed[0]", "packed[2]", "packed.Array.size", "words.Array.size"])
def test_a_list_without_items_in_the_file_is_set_as_a_whole(name: str) -> None:
    """Numbers stand there as one word."""
    project = garage("6000")
    put(project, "Assets/Lists.cs", LISTS, "7" * 32)
    made = edit_prefab(
        CAR,
        fixture("6000", "Car.prefab"),
        [ObjectOp("addComponent", "Car", component="Lists")],
        world(project, "6000"),
    )
    op = ObjectOp("set", "Car", component="Lists", property=name, value=9, has_value=True)
    error = refused(op, content=made.content)
    assert error.hint.startswith(f"Set {name.partition('.')[0].partition('[')[0]} as a whole")


def test_a_packed_list_of_an_instance_is_overridden_item_by_item() -> None:
    """Unity knows no override of such a list as a whole."""
    project = garage("6000")
    put(project, "Assets/Lists.cs", LISTS, "7" * 32)
    here = world(project, "6000")
    base = new_prefab(TANK, [NewObject("Tank", components=(NewComponent("Lists"),))], None, here)
    put(project, "Assets/Tank.prefab", base.content, "8" * 32)
    item = NewObject("Tank", components=(NewComponent("Lists", {"packed": [4, 5, 6]}),))
    made = new_prefab(ProjectPath("Assets/Big.prefab"), [item], TANK, world(project, "6000")).content.decode()
    for path, value in (("packed.Array.size", 3), ("'packed.Array.data[0]'", 4), ("'packed.Array.data[2]'", 6)):
        assert f"propertyPath: {path}\n      value: {value}\n" in made
    assert "propertyPath: packed\n" not in made


def test_a_sprite_that_is_set_is_remembered_as_one_that_was() -> None:
    """As Unity's own setter does."""
    sprite = {"fileID": "10913", "guid": "0000000000000000f000000000000000", "type": 0}
    content = edited("6000", "Car.prefab", ObjectOp("addComponent", "Car/Body", component="SpriteRenderer"))
    assert "m_WasSpriteAssigned: 0" in content
    content = edited(
        "6000",
        "Car.prefab",
        ObjectOp("addComponent", "Car/Body", component="SpriteRenderer", value={"sprite": sprite}),
    )
    assert "m_WasSpriteAssigned: 1" in content


# -- names of objects ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edit", [{"object": "Car"}, {"file_id": "5156884199527762470"}])
def test_the_root_of_a_prefab_keeps_the_name_of_its_file(edit: dict[str, str]) -> None:
    """Also as a single property: Unity would call it so again."""
    with pytest.raises(ToolRejected) as caught:
        edit_asset(
            CAR, fixture("6000", "Car.prefab"), [PropertyEdit("m_Name", "Van", **edit)], world(garage("6000"), "6000")
        )
    assert caught.value.code == "invalid_arguments"
    assert "Car" in caught.value.message


@pytest.mark.parametrize("name", ["", "a\nb", None, 3])
def test_a_name_is_one_line(name: object) -> None:
    """Also below the root."""
    edit = PropertyEdit("m_Name", name, object="Car/Body")
    with pytest.raises(ToolRejected) as caught:
        edit_asset(CAR, fixture("6000", "Car.prefab"), [edit], world(garage("6000"), "6000"))
    assert caught.value.code == "invalid_arguments"


@pytest.mark.parametrize("name", ["", "Z"])
def test_a_new_object_is_called_as_its_path_says(name: str) -> None:
    """Another name among its properties would make the answer untrue."""
    for path in ("Tank", "Tank/Gun"):
        assert "the last part of the path" in not_made("GameObject", {"m_Name": name}, path).message


def test_a_name_with_a_slash_is_marked_and_found_by_path_or_id() -> None:
    """A path with it may be another object's as well; then both are named with their ids."""
    content = edited(
        "6000",
        "Car.prefab",
        ObjectOp("add", "Car/X"),
        ObjectOp("rename", "Car/X", to="Body/Lamp"),
    )
    here = world(garage("6000"), "6000")
    head = next(line for line in outline(CAR, content.encode(), None, here) if line.startswith("Car/Body/Lamp"))
    assert "slash" in head
    assert outline(CAR, content.encode(), "Car/Body/Lamp", here)[0] == head
    content = edit_prefab(CAR, content.encode(), [ObjectOp("add", "Car/Body/L")], here).content.decode()
    content = edit_prefab(CAR, content.encode(), [ObjectOp("rename", "Car/Body/L", to="Lamp")], here).content.decode()
    file_id = head.split("  &")[1].split("  ")[0]
    with pytest.raises(ToolRejected) as caught:
        outline(CAR, content.encode(), "Car/Body/Lamp", here)
    assert f"&{file_id}" in str(caught.value.details["candidates"])
    assert outline(CAR, content.encode(), f"&{file_id}", here)[0] == head
