"""`editPrefab`: objects and components are added, moved, renamed and removed; nothing else in the file changes."""

from __future__ import annotations

import pytest

from spark.core.assets import ObjectOp
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import edit_prefab, outline
from tests.engines.unity.hierarchy.consistency import documents
from tests.engines.unity.hierarchy.garage import (
    changed_lines,
    edited,
    edited_with_result,
    fixture,
    garage,
    put,
    world,
)

FORMS = ("2021", "6000")


def setting(target: str, prop: str, value: object, component: str | None = None) -> ObjectOp:
    return ObjectOp("set", target, component=component, property=prop, value=value, has_value=True)


def refused(name: str, *ops: ObjectOp, form: str = "6000") -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        edited(form, name, *ops)
    return caught.value


def paths(form: str, name: str, content: str) -> list[str]:
    path = ProjectPath(f"Assets/{name}")
    lines = outline(path, content.encode(), None, world(garage(form), form))
    return [line.split("  &")[0] for line in lines if not line.startswith(" ")]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("Car.prefab", "Car/Body/Lamp"),
        ("Car.prefab", "Car/Front/Lamp"),
        ("Car.prefab", "Car/Front/Hub/Lamp"),
        ("RaceCar.prefab", "RaceCar/Body/Lamp"),
        ("Level.unity", "Lamp"),
        ("Level.unity", "Cars/Lamp"),
        ("Level.unity", "Cars/One/Back/Hub/Lamp"),
        ("Level.unity", "Two/Body/Wing/Lamp"),
    ],
)
def test_an_object_that_is_added_and_removed_leaves_no_trace(form: str, name: str, at: str) -> None:
    """Wherever it hung: below own objects, at the top of a scene, inside instances at any depth."""
    content = edited(form, name, ObjectOp("add", at), ObjectOp("addComponent", at, component="Light"))
    assert at in paths(form, name, content)
    project = garage(form)
    path = ProjectPath(f"Assets/{name}")
    back = edit_prefab(path, content.encode(), [ObjectOp("remove", at)], world(project, form))
    assert back.content == fixture(form, name)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("at", ["Car/Body/Spare", "Car/Front/Spare"])
def test_an_instance_that_is_added_and_removed_leaves_no_trace(form: str, at: str) -> None:
    """Its stripped documents go with it."""
    content = edited(form, "Car.prefab", ObjectOp("add", at, prefab="Assets/Wheel.prefab"))
    back = edit_prefab(
        ProjectPath("Assets/Car.prefab"), content.encode(), [ObjectOp("remove", at)], world(garage(form), form)
    )
    assert back.content == fixture(form, "Car.prefab")


def test_adding_changes_only_the_lists_that_name_what_is_new() -> None:
    """The empty m_Children of the parent becomes a list; all else that changed are new documents."""
    content = edited("6000", "Car.prefab", ObjectOp("add", "Car/Body/Lamp"))
    gone, came = changed_lines(fixture("6000", "Car.prefab"), content)
    assert gone == ["  m_Children: []"]
    assert came[:1] == ["  m_Children:"] or "  m_Children:" in came


def test_a_new_object_has_its_parents_layer() -> None:
    """As the Editor makes a child."""
    content = edited("6000", "Car.prefab", setting("Car/Body", "layer", "Water"), ObjectOp("add", "Car/Body/Lamp"))
    assert content.count("m_Layer: 4") == 2


@pytest.mark.parametrize("form", FORMS)
def test_removing_takes_everything_below_and_clears_references(form: str) -> None:
    """The script that named the object keeps a field without a reference, and the answer names it."""
    content, result = edited_with_result(form, "Car.prefab", ObjectOp("remove", "Car/Body"))
    assert paths(form, "Car.prefab", content) == ["Car", "Car/Front", "Car/Back"]
    assert "  spawn: {fileID: 0}" in content
    assert "spawn" in str(result["ops"])


@pytest.mark.parametrize("form", FORMS)
def test_siblings_keep_step_when_one_goes(form: str) -> None:
    """m_RootOrder of later siblings moves up where the file has it; elsewhere no line of theirs changes."""
    content = edited(form, "Car.prefab", ObjectOp("remove", "Car/Body"))
    _, came = changed_lines(fixture(form, "Car.prefab"), content)
    orders = [line for line in came if line.startswith("      value: ")]
    assert orders == (["      value: 0", "      value: 1"] if form == "2021" else [])
    assert [line for line in came if line not in orders] == ["  spawn: {fileID: 0}"]


@pytest.mark.parametrize("form", FORMS)
def test_an_object_of_the_prefab_is_removed_by_the_instance_where_the_form_can_say_so(form: str) -> None:
    """m_RemovedGameObjects came with 2022.2; before it is refused with what works instead."""
    op = ObjectOp("remove", "Cars/One/Body")
    if form == "2021":
        error = refused("Level.unity", op, form=form)
        assert error.code == "unsupported_asset"
        assert "active" in error.hint
        return
    content = edited(form, "Level.unity", op)
    assert "m_RemovedGameObjects:\n    - {fileID: " in content
    assert "m_Name: Flag" not in content
    assert "Cars/One/Body" not in paths(form, "Level.unity", content)


@pytest.mark.parametrize("form", FORMS)
def test_a_moved_object_hangs_under_its_new_parent_only(form: str) -> None:
    """Both sides of the link, in a prefab; the local values stay as they were."""
    content, result = edited_with_result(form, "Car.prefab", ObjectOp("move", "Car/Body", to="Car/Back/Hub"))
    assert paths(form, "Car.prefab", content) == ["Car", "Car/Front", "Car/Back", "Car/Back/Hub/Body"]
    assert "local position" in str(result["notes"])


@pytest.mark.parametrize("form", FORMS)
def test_objects_and_instances_move_to_the_top_of_a_scene_and_back(form: str) -> None:
    """m_Roots or m_RootOrder follow."""
    content = edited(
        form,
        "Level.unity",
        ObjectOp("move", "Cars/One", to="/", value=0),
        ObjectOp("move", "Sun", to="Cars"),
        ObjectOp("move", "Two", to="Cars/Sun"),
    )
    assert paths(form, "Level.unity", content)[4:] == [
        "One",
        "One/Body/Flag",
        "Cars",
        "Cars/Sun",
        "Cars/Sun/Two",
    ]


@pytest.mark.parametrize("form", FORMS)
def test_a_place_among_the_siblings_can_be_chosen(form: str) -> None:
    """For new objects by `to`, for present ones by the value of a move; numbers of siblings follow."""
    content = edited(form, "Car.prefab", ObjectOp("add", "Car/Lamp", to="1"), ObjectOp("move", "Car/Back", value=0))
    assert paths(form, "Car.prefab", content) == ["Car", "Car/Back", "Car/Body", "Car/Lamp", "Car/Front"]


@pytest.mark.parametrize("form", FORMS)
def test_a_rename_is_one_line_or_one_override(form: str) -> None:
    """An own object's name is changed in place, an instance's root by its override."""
    content = edited(form, "Car.prefab", ObjectOp("rename", "Car/Body", to="Hull"))
    assert changed_lines(fixture(form, "Car.prefab"), content) == (["  m_Name: Body"], ["  m_Name: Hull"])
    content = edited(form, "Car.prefab", ObjectOp("rename", "Car/Front", to="Left"))
    assert changed_lines(fixture(form, "Car.prefab"), content) == (["      value: Front"], ["      value: Left"])


def test_components_come_and_go_with_their_entries() -> None:
    """m_Component, the document and, inside an instance, m_AddedComponents."""
    for name, at in (("Car.prefab", "Car/Body"), ("Car.prefab", "Car/Front/Hub"), ("Level.unity", "Two")):
        content = edited("6000", name, ObjectOp("addComponent", at, component="AudioSource", value={"volume": 0.25}))
        assert "m_Volume: 0.25" in content
        back = edited_back("6000", name, content, ObjectOp("removeComponent", at, component="AudioSource"))
        assert back == fixture("6000", name).decode()


def edited_back(form: str, name: str, content: str, op: ObjectOp) -> str:
    path = ProjectPath(f"Assets/{name}")
    return edit_prefab(path, content.encode(), [op], world(garage(form), form)).content.decode()


def test_a_component_of_the_prefab_is_removed_by_the_instance() -> None:
    """m_RemovedComponents names it, and the outline no longer shows it."""
    content = edited("2021", "Car.prefab", ObjectOp("removeComponent", "Car/Front", component="SphereCollider"))
    gone, came = changed_lines(fixture("2021", "Car.prefab"), content)
    assert gone == ["    m_RemovedComponents: []"]
    assert came[0] == "    m_RemovedComponents:"
    assert "guid: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" in came[1]
    lines = outline(ProjectPath("Assets/Car.prefab"), content.encode(), "Car/Front", world(garage("2021"), "2021"))
    assert not any(line.strip().startswith("SphereCollider") for line in lines)


def test_a_canvas_makes_the_transform_a_rect_transform_under_the_same_id() -> None:
    """References to it stay good; the answer says so."""
    content, result = edited_with_result("6000", "Car.prefab", ObjectOp("addComponent", "Car/Body", component="Canvas"))
    before = documents(fixture("6000", "Car.prefab"))
    after = documents(content.encode())
    changed = [one for one in before if before[one][0] == 4 and after[one][0] == 224]
    assert len(changed) == 1
    assert "became a RectTransform" in str(result["notes"])


def test_a_set_changes_the_lines_of_its_property_only() -> None:
    """By the names of the scripting API, in the file's own spelling."""
    content = edited("6000", "Car.prefab", setting("Car", "mass", 1300, "Rigidbody"))
    assert changed_lines(fixture("6000", "Car.prefab"), content) == (["  m_Mass: 1200"], ["  m_Mass: 1300"])
    content = edited("6000", "Car.prefab", setting("Car/Body", "position", [0, 1.5, 0]))
    _, came = changed_lines(fixture("6000", "Car.prefab"), content)
    assert came == ["  m_LocalPosition: {x: 0, y: 1.5, z: 0}"]


def test_a_script_is_switched_off_by_its_name_in_the_api() -> None:
    """`enabled` is m_Enabled in the file."""
    content = edited("6000", "Car.prefab", setting("Car", "enabled", False, "Health"))
    assert changed_lines(fixture("6000", "Car.prefab"), content) == (["  m_Enabled: 1"], ["  m_Enabled: 0"])


def test_a_set_of_what_an_instance_shows_is_an_override_and_says_so() -> None:
    """One more entry, nothing else."""
    content, result = edited_with_result("6000", "Car.prefab", setting("Car/Front", "radius", 0.75, "SphereCollider"))
    gone, came = changed_lines(fixture("6000", "Car.prefab"), content)
    assert gone == []
    assert came[2:4] == ["      propertyPath: m_Radius", "      value: 0.75"]
    assert result["ops"][0]["override"] is True  # type: ignore[index]


def test_a_reference_to_something_inside_an_instance_gets_a_stripped_document() -> None:
    """As the Editor gives it one, in the instance's group."""
    content = edited("6000", "Car.prefab", setting("Car", "spawn", "#Car/Front/Hub", "Health"))
    there = documents(content.encode())
    spawn = next(int(f["spawn"]["fileID"]) for kind, _, f in there.values() if kind == 114)
    assert there[spawn][:2] == (4, True)


def test_several_operations_happen_in_order_and_all_or_none() -> None:
    """A later one sees what an earlier one did; a refused one names its number."""
    content = edited(
        "6000",
        "Car.prefab",
        ObjectOp("add", "Car/Roof"),
        ObjectOp("rename", "Car/Roof", to="Top"),
        ObjectOp("add", "Car/Top/Rack", component="BoxCollider", value={"isTrigger": True}),
    )
    assert "Car/Top/Rack" in paths("6000", "Car.prefab", content)
    error = refused("Car.prefab", ObjectOp("add", "Car/Roof"), ObjectOp("remove", "Car/Attic"))
    assert error.message.startswith("ops.1: ")
    assert error.code == "not_found"


@pytest.mark.parametrize(
    ("name", "op", "code", "says"),
    [
        ("Car.prefab", ObjectOp("remove", "Car"), "invalid_arguments", "root of the prefab"),
        ("Car.prefab", ObjectOp("rename", "Car", to="Van"), "invalid_arguments", "name of its file"),
        ("Car.prefab", ObjectOp("move", "Car/Body", to="Car/Body"), "invalid_arguments", "its own parent"),
        ("Car.prefab", ObjectOp("move", "Car/Front", to="Car/Front/Hub"), "invalid_arguments", "its own parent"),
        ("Car.prefab", ObjectOp("move", "Car/Front/Hub", to="Car"), "unsupported_asset", "keeps its prefab's order"),
        ("Car.prefab", ObjectOp("move", "Car/Body", to="/"), "invalid_arguments", "one root"),
        ("Car.prefab", ObjectOp("add", "Lamp"), "invalid_arguments", "below the root"),
        ("Car.prefab", ObjectOp("add", "Car/Body"), "already_exists", "already"),
        ("Car.prefab", ObjectOp("add", "Car/Attic/Lamp"), "not_found", "Car/Attic"),
        ("Car.prefab", ObjectOp("add", "Car/Car", prefab="Assets/Car.prefab"), "invalid_arguments", "contain itself"),
        (
            "Wheel.prefab",
            ObjectOp("add", "Wheel/Car", prefab="Assets/Car.prefab"),
            "invalid_arguments",
            "does not contain",
        ),
        (
            "Car.prefab",
            ObjectOp("removeComponent", "Car", component="Rigidbody"),
            "invalid_arguments",
            "needs Rigidbody",
        ),
        (
            "Car.prefab",
            ObjectOp("removeComponent", "Car", component="Transform"),
            "invalid_arguments",
            "every object has",
        ),
        ("Car.prefab", ObjectOp("removeComponent", "Car", component="Camera"), "not_found", "Rigidbody"),
        ("Car.prefab", ObjectOp("addComponent", "Car", component="Rigidbody"), "already_exists", "only one"),
        ("Car.prefab", ObjectOp("addComponent", "Car/Front", component="Canvas"), "unsupported_asset", "in its prefab"),
        ("Car.prefab", setting("Car", "m_Father", None, "Transform"), "invalid_arguments", "op move"),
        ("Car.prefab", setting("Car", "parent", None, "Transform"), "invalid_arguments", "op move"),
        ("Car.prefab", setting("Car", "mass", "heavy", "Rigidbody"), "invalid_arguments", "number"),
        ("Car.prefab", setting("Car", "weight", 3, "Rigidbody"), "not_found", "m_Mass"),
        ("Car.prefab", ObjectOp("add", "Car/X", property="mass"), "invalid_arguments", "add takes"),
        (
            "Car.prefab",
            ObjectOp("override", "Car/Body", property="layer", value=3, has_value=True),
            "invalid_arguments",
            "no part of an instance",
        ),
        ("Car.prefab", ObjectOp("revert", "Car/Front", component="SphereCollider"), "not_found", "no override"),
    ],
)
def test_what_would_break_the_file_or_means_nothing_is_refused(name: str, op: ObjectOp, code: str, says: str) -> None:
    """With the code of the contract, and what it is about or what works instead."""
    error = refused(name, op)
    assert error.code == code
    assert says in error.message + error.hint


def test_two_siblings_of_one_name_are_told_apart_by_index_or_id() -> None:
    """A path that fits both is refused with the two candidates; each of them is a path that works."""
    content = edited(
        "6000", "Car.prefab", ObjectOp("rename", "Car/Back", to="Wheel"), ObjectOp("rename", "Car/Front", to="Wheel")
    )
    project = garage("6000")
    path = ProjectPath("Assets/Car.prefab")
    with pytest.raises(ToolRejected) as caught:
        edit_prefab(path, content.encode(), [ObjectOp("remove", "Car/Wheel")], world(project, "6000"))
    assert caught.value.code == "ambiguous_match"
    candidates = caught.value.details["candidates"]
    assert [one.split(" &")[0] for one in candidates] == ["Car/Wheel[0]", "Car/Wheel[1]"]
    by_index = edit_prefab(path, content.encode(), [ObjectOp("remove", "Car/Wheel[1]")], world(project, "6000"))
    by_id = edit_prefab(
        path, content.encode(), [ObjectOp("remove", candidates[1].split(" ")[1])], world(project, "6000")
    )
    assert by_index.content == by_id.content


def test_names_with_slashes_and_brackets_are_found_as_they_are() -> None:
    """A path is read every way that its names allow."""
    content = edited("6000", "Car.prefab", ObjectOp("rename", "Car/Body", to="left/right [1]"))
    project = garage("6000")
    path = ProjectPath("Assets/Car.prefab")
    op = ObjectOp("add", "Car/left/right [1]/Lamp")
    after = edit_prefab(path, content.encode(), [op], world(project, "6000"))
    assert "Car/left/right [1]/Lamp" in paths("6000", "Car.prefab", after.content.decode())


def test_a_file_of_before_2018_3_is_read_but_not_rearranged() -> None:
    """Its references between prefabs are of another kind; the refusal says what to do."""
    old = (
        "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n--- !u!1 &100000\nGameObject:\n  m_PrefabParentObject: {fileID: 0}\n"
        "  m_PrefabInternal: {fileID: 100100000}\n  serializedVersion: 4\n  m_Component:\n  - 4: {fileID: 400000}\n"
        "  m_Layer: 0\n  m_Name: Old\n--- !u!4 &400000\nTransform:\n  m_GameObject: {fileID: 100000}\n"
        "  m_LocalPosition: {x: 1, y: 0, z: 0}\n  m_Children: []\n  m_Father: {fileID: 0}\n"
    )
    project = garage("6000")
    put(project, "Assets/Old.prefab", old, "9" * 32)
    path = ProjectPath("Assets/Old.prefab")
    assert outline(path, old.encode(), None, world(project, "6000"))[0] == "Old  &100000"
    with pytest.raises(ToolRejected) as caught:
        edit_prefab(path, old.encode(), [ObjectOp("add", "Old/New")], world(project, "6000"))
    assert caught.value.code == "unsupported_asset"


def test_a_missing_prefab_is_said_and_its_instance_can_still_be_removed() -> None:
    """Nothing needs to be read for that."""
    project = garage("6000")
    project.delete("Assets/Wheel.prefab.meta")
    path = ProjectPath("Assets/Car.prefab")
    lines = outline(path, fixture("6000", "Car.prefab"), None, world(project, "6000"))
    assert any("no asset of the project has the guid" in line for line in lines)
    after = edit_prefab(path, fixture("6000", "Car.prefab"), [ObjectOp("remove", "Car/Front")], world(project, "6000"))
    assert after.content.count(b"!u!1001") == 1


def test_windows_line_ends_are_kept_in_what_is_new() -> None:
    """New documents have the line ends of the file."""
    project = garage("6000")
    content = fixture("6000", "Car.prefab").replace(b"\n", b"\r\n")
    after = edit_prefab(
        ProjectPath("Assets/Car.prefab"), content, [ObjectOp("add", "Car/Body/Lamp")], world(project, "6000")
    )
    assert after.content.count(b"\n") == after.content.count(b"\r\n")
