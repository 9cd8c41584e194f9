"""`override` and `revert`: what an instance has otherwise than its prefab."""

from __future__ import annotations

import pytest

from spark.core.assets import ObjectOp
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import edit_prefab
from tests.engines.unity.hierarchy.consistency import documents
from tests.engines.unity.hierarchy.garage import changed_lines, edited, fixture, garage, world


def over(target: str, prop: str, value: object, component: str | None = None) -> ObjectOp:
    return ObjectOp("override", target, component=component, property=prop, value=value, has_value=True)


def entries(content: str, which: int = 0) -> list[tuple[str, str, str]]:
    instances = [f for kind, _, f in documents(content.encode()).values() if kind == 1001]
    return [
        (entry["propertyPath"], entry["value"], entry["objectReference"]["fileID"])
        for entry in instances[which]["m_Modification"]["m_Modifications"]
    ]


@pytest.mark.parametrize("form", ["2021", "6000"])
def test_an_entry_that_is_there_is_changed_in_place(form: str) -> None:
    """One line differs."""
    content = edited(form, "Car.prefab", over("Car/Back", "m_LocalPosition.z", -3, "Transform"))
    assert changed_lines(fixture(form, "Car.prefab"), content) == (["      value: -2"], ["      value: -3"])


def test_a_vector_is_one_entry_for_each_part_that_differs() -> None:
    """What has the value already gets no entry."""
    content = edited("6000", "Car.prefab", over("Car/Front", "center", [0, 0, 0.25], "SphereCollider"))
    _, came = changed_lines(fixture("6000", "Car.prefab"), content)
    assert [line for line in came if "propertyPath" in line] == ["      propertyPath: m_Center.z"]


def test_a_new_entry_stands_where_it_keeps_the_order_of_the_list() -> None:
    """By target, then by the length and letters of the property: as Unity writes the list, so that nothing moves later."""
    content = edited(
        "6000", "Car.prefab", over("Car/Front", "m_LocalScale.x", 2, "Transform"), over("Car/Front", "active", False)
    )
    there = documents(content.encode())
    instance = next(f for kind, _, f in there.values() if kind == 1001)
    keys = [
        (int(e["target"]["fileID"]), len(e["propertyPath"]), e["propertyPath"])
        for e in instance["m_Modification"]["m_Modifications"]
    ]
    assert keys == sorted(keys)
    assert [path for _, _, path in keys if path == "m_IsActive"] == ["m_IsActive"]


def test_an_entry_behind_a_list_in_another_order_goes_to_its_end() -> None:
    """Nothing is sorted that somebody else wrote."""
    text = fixture("6000", "Car.prefab").decode()
    name = "      propertyPath: m_Name\n      value: Front\n"
    assert name in text
    shuffled = (
        text.replace(name, name.replace("m_Name", "zz_Name"), 1)
        .replace("      propertyPath: m_LocalPosition.x\n", "      propertyPath: m_A\n", 1)
        .replace("      propertyPath: m_LocalPosition.y\n", "      propertyPath: a\n", 1)
    )
    project = garage("6000")
    after = edit_prefab(
        ProjectPath("Assets/Car.prefab"),
        shuffled.encode(),
        [over("Car/Wheel", "radius", 2, "SphereCollider")],
        world(project, "6000"),
    ).content.decode()
    assert entries(after)[-1][:2] == ("m_Radius", "2")


def test_references_go_into_object_reference() -> None:
    """With an empty value, as Unity writes them; a local one names the document here."""
    content = edited(
        "6000",
        "Car.prefab",
        over("Car/Front/Hub", "materials[0]", "builtin:Sprites-Default", "MeshRenderer"),
    )
    assert ("m_Materials.Array.data[0]", "", "10754") in entries(content)
    assert "propertyPath: 'm_Materials.Array.data[0]'" in content


def test_a_list_grows_by_its_size() -> None:
    """The item behind the end needs m_Materials.Array.size as well."""
    content = edited(
        "2021", "Car.prefab", over("Car/Front/Hub", "materials[1]", "builtin:Default-Material", "MeshRenderer")
    )
    there = entries(content)
    assert ("m_Materials.Array.size", "2", "0") in there
    assert ("m_Materials.Array.data[1]", "", "10303") in there
    assert "propertyPath: m_Materials.Array.data[1]" in content


def test_a_rotation_overrides_the_quaternion_and_the_angles_shown() -> None:
    """Both as the Editor keeps them."""
    content = edited("6000", "Car.prefab", over("Car/Front", "rotation", [0, 180, 0]))
    there = {path: value for path, value, _ in entries(content)}
    assert there["m_LocalRotation.y"] == "1"
    assert there["m_LocalEulerAnglesHint.y"] == "180"


def test_reverting_takes_the_entry_out() -> None:
    """And gives back the bytes from before the override; a vector's parts go together."""
    ops = (over("Car/Front", "center", [1, 2, 3], "SphereCollider"), over("Car/Front", "radius", 9, "SphereCollider"))
    content = edited(
        "6000", "Car.prefab", *ops, ObjectOp("revert", "Car/Front", component="SphereCollider", property="center")
    )
    assert "m_Center" not in str(entries(content))
    assert "m_Radius" in str(entries(content))
    content = edited("6000", "Car.prefab", *ops, ObjectOp("revert", "Car/Front", component="SphereCollider"))
    assert content == fixture("6000", "Car.prefab").decode()


def test_an_override_that_changes_nothing_changes_no_byte() -> None:
    """The value is that of the prefab already."""
    content = edited("6000", "Car.prefab", over("Car/Front", "radius", 0.5, "SphereCollider"))
    assert content == fixture("6000", "Car.prefab").decode()


def test_an_override_of_an_unknown_property_names_those_there_are() -> None:
    """From the prefab's own document."""
    with pytest.raises(ToolRejected) as caught:
        edited("6000", "Car.prefab", over("Car/Front", "diameter", 1, "SphereCollider"))
    assert caught.value.code == "not_found"
    assert "m_Radius" in caught.value.hint
