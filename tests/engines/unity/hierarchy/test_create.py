"""`createPrefab`, variants and new scenes."""

from __future__ import annotations

import pytest

from spark.core.assets import NewComponent, NewObject
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import new_prefab, new_scene, outline
from tests.engines.unity.hierarchy.consistency import documents, problems
from tests.engines.unity.hierarchy.garage import fixture, garage, world

TANK = ProjectPath("Assets/Tank.prefab")
FORMS = ("2021", "6000")


def made(form: str, *objects: NewObject, variant_of: str | None = None) -> tuple[bytes, dict[str, object]]:
    base = ProjectPath(variant_of) if variant_of is not None else None
    asset = new_prefab(TANK, objects, base, world(garage(form), form))
    assert problems(asset.content) == []
    return asset.content, dict(asset.result)


def outlined(form: str, content: bytes, target: str | None = None) -> list[str]:
    return outline(TANK, content, target, world(garage(form), form))


def refused(form: str, *objects: NewObject, variant_of: str | None = None) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        made(form, *objects, variant_of=variant_of)
    return caught.value


@pytest.mark.parametrize("form", FORMS)
def test_a_hierarchy_of_new_objects_is_sound_and_holds_what_was_asked_for(form: str) -> None:
    """Objects, components and values of the call are in the file, parents that nobody listed included."""
    content, result = made(
        form,
        NewObject("Tank", components=(NewComponent("Rigidbody", {"mass": 4.5, "useGravity": False}),)),
        NewObject(
            "Tank/Turret/Gun",
            components=(
                NewComponent("Transform", {"position": [0, 1, 2], "rotation": [0, 90, 0], "scale": [1, 1, 3]}),
                NewComponent("MeshFilter", {"mesh": "builtin:Cylinder"}),
                NewComponent("CapsuleCollider", {"direction": "Z", "isTrigger": True}),
                NewComponent("GameObject", {"active": False, "tag": "Player", "layer": "Water", "static": True}),
            ),
        ),
    )
    lines = "\n".join(outlined(form, content))
    assert "m_Mass 4.5" in lines
    assert "m_UseGravity 0" in lines
    gun = "\n".join(outlined(form, content, "Tank/Turret/Gun"))
    assert "[inactive]  [tag Player]  [layer Water]  [static]" in gun
    for line in (
        "m_LocalRotation = (0, 0.70710677, 0, 0.70710677)",
        "m_LocalEulerAnglesHint = (0, 90, 0)",
        "m_LocalPosition = (0, 1, 2)",
        "m_LocalScale = (1, 1, 3)",
        "m_Mesh = builtin:Cylinder",
        "m_Direction = 2",
        "m_IsTrigger = 1",
    ):
        assert f"    {line}" in gun
    assert [one["object"] for one in result["objects"]] == ["Tank", "Tank/Turret/Gun"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("form", "has_root_order"), [("2021", True), ("6000", False)])
def test_the_fields_are_those_of_the_editor_version(form: str, has_root_order: bool) -> None:
    """2021.3 writes m_RootOrder and m_Drag, 6000.1 neither."""
    content, _ = made(form, NewObject("Tank", components=(NewComponent("Rigidbody", {"drag": 0.25}),)))
    assert (b"m_RootOrder: 0" in content) is has_root_order
    assert (b"m_Drag: 0.25" if has_root_order else b"m_LinearDamping: 0.25") in content


def test_ids_are_positive_and_of_19_digits_in_prefabs_and_of_32_bits_in_scenes() -> None:
    """Unity's own ranges, so that nothing is renumbered."""
    prefab, _ = made("6000", NewObject("Tank"), NewObject("Tank/Gun"))
    scene = new_scene(ProjectPath("Assets/S.unity"), world(garage("6000"), "6000"), [NewObject("A"), NewObject("A/B")])
    assert all(len(str(one)) == 19 and one < 2**63 for one in documents(prefab))
    assert all(0 < one < 2**31 for one, (kind, _, _) in documents(scene.content).items() if kind in (1, 4))


def test_the_root_has_the_name_of_the_file_and_the_answer_says_so() -> None:
    """Unity names the root of a prefab as its file when it imports it; paths may still say what the caller calls it."""
    content, result = made(
        "6000",
        NewObject("Root", components=(NewComponent("Health", {"spawn": "#Root/Gun"}),)),
        NewObject("Root/Gun"),
    )
    assert outlined("6000", content)[0].startswith("Tank  &")
    assert "the root is called Tank as its file, not Root" in str(result["notes"])
    assert "    spawn = #Tank/Gun:Transform" in outlined("6000", content, "Tank")


def test_a_rect_transform_comes_with_a_canvas_and_below_one() -> None:
    """A component that needs it, or a parent that has one, decides."""
    content, _ = made(
        "6000",
        NewObject("Tank"),
        NewObject("Tank/Ui", components=(NewComponent("Canvas"),)),
        NewObject("Tank/Ui/Bar"),
    )
    kinds = [line.split()[0] for line in outlined("6000", content) if "Transform" in line]
    assert kinds == ["Transform", "RectTransform", "RectTransform"]


def test_a_script_is_bound_with_its_fields_and_brings_what_it_requires() -> None:
    """All serialized fields in their order, given ones as asked for, and the Rigidbody of [RequireComponent] before it."""
    content, result = made("2021", NewObject("Tank", components=(NewComponent("Health", {"max": 7}),)))
    text = content.decode()
    assert "  max: 7\n  regeneration: 0.5\n  spawn: {fileID: 0}\n" in text
    assert "m_Script: {fileID: 11500000, guid: cccccccccccccccccccccccccccccccc, type: 3}" in text
    assert text.index("Rigidbody:") < text.index("MonoBehaviour:")
    assert "Health needs Rigidbody" in str(result["notes"])


@pytest.mark.parametrize("form", FORMS)
def test_a_nested_prefab_is_an_instance_with_a_stripped_transform(form: str) -> None:
    """The parent's m_Children names the stripped Transform, whose id is what Unity computes."""
    content, _ = made(form, NewObject("Tank"), NewObject("Tank/Wheel", prefab="Assets/Wheel.prefab"))
    there = documents(content)
    instance = next(one for one, (kind, _, _) in there.items() if kind == 1001)
    stripped, fields = next((one, fields) for one, (kind, gone, fields) in there.items() if kind == 4 and gone)
    assert stripped == (instance ^ int(fields["m_CorrespondingSourceObject"]["fileID"])) & (2**63 - 1)
    paths = [entry["propertyPath"] for entry in there[instance][2]["m_Modification"]["m_Modifications"]]
    assert "m_LocalPosition.x" in paths
    assert ("m_RootOrder" in paths) is (form == "2021")
    assert ("m_AddedComponents" in there[instance][2]["m_Modification"]) is (form == "6000")


def test_the_placement_of_an_instance_is_that_of_its_prefab() -> None:
    """The overrides of a fresh instance repeat where the prefab's own root stands."""
    content, _ = made("6000", NewObject("Tank"), NewObject("Tank/Wheel", prefab="Assets/Wheel.prefab"))
    modifications = next(f for kind, _, f in documents(content).values() if kind == 1001)["m_Modification"]
    placed = {entry["propertyPath"]: entry["value"] for entry in modifications["m_Modifications"]}
    assert placed["m_LocalPosition.y"] == "0.5"
    assert placed["m_Name"] == "Wheel"


def test_a_model_is_placed_by_the_ids_of_its_meta_and_keeps_its_own_place() -> None:
    """Nothing of a model can be read, so only the name is overridden, and the answer says so."""
    content, result = made("6000", NewObject("Tank"), NewObject("Tank/Rock", prefab="Assets/Rock.fbx"))
    modifications = next(f for kind, _, f in documents(content).values() if kind == 1001)["m_Modification"]
    assert [entry["propertyPath"] for entry in modifications["m_Modifications"]] == ["m_Name"]
    assert "cannot be looked into" in str(result["notes"])


@pytest.mark.parametrize("form", FORMS)
def test_a_variant_overrides_and_adds(form: str) -> None:
    """Values of the base become overrides, new components and objects are added to what the base has."""
    content, _ = made(
        form,
        NewObject("Car", components=(NewComponent("Rigidbody", {"mass": 5}), NewComponent("AudioListener"))),
        NewObject("Car/Body", components=(NewComponent("Transform", {"position": [0, 3, 0]}),)),
        NewObject("Car/Body/Antenna", components=(NewComponent("MeshFilter"),)),
        variant_of="Assets/Car.prefab",
    )
    lines = outlined(form, content)
    assert lines[0].endswith("instance of Assets/Car.prefab")
    joined = "\n".join(lines)
    assert ":Rigidbody: m_Mass = 5" in joined
    assert "  override Body:Transform: m_LocalPosition.y = 3\n" in joined
    assert any(line.strip().startswith("AudioListener &") for line in lines)
    assert any(line.startswith("Tank/Body/Antenna  &") for line in lines)


def test_a_value_for_a_nested_prefab_inside_the_base_goes_by_the_computed_id() -> None:
    """An object two prefabs deep is overridden by the id that it has in the base, not in its own file."""
    content, _ = made(
        "6000",
        NewObject("Car/Front/Hub", components=(NewComponent("MeshFilter", {"mesh": "builtin:Cube"}),)),
        variant_of="Assets/Car.prefab",
    )
    modification = next(
        entry
        for kind, _, fields in documents(content).values()
        if kind == 1001
        for entry in fields["m_Modification"]["m_Modifications"]
        if entry["propertyPath"] == "m_Mesh"
    )
    assert int(modification["target"]["fileID"]) not in documents(fixture("6000", "Wheel.prefab"))
    assert modification["target"]["guid"] == "b" * 32
    assert modification["value"] == ""
    assert modification["objectReference"]["fileID"] == "10202"


def test_a_variant_has_the_root_of_its_base_and_no_other() -> None:
    """A path that begins with another name is refused with those that work."""
    error = refused("6000", NewObject("Van/Body"), variant_of="Assets/Car.prefab")
    assert error.code == "invalid_arguments"
    assert "Tank or Car" in error.message


def test_a_root_that_is_an_instance_makes_a_variant() -> None:
    """That is what a variant is; the answer says so."""
    content, result = made("6000", NewObject("Tank", prefab="Assets/Wheel.prefab"))
    assert "variant of Assets/Wheel.prefab" in str(result["notes"])
    assert outlined("6000", content)[0].endswith("instance of Assets/Wheel.prefab")


@pytest.mark.parametrize(
    ("objects", "code", "says"),
    [
        ([NewObject("A"), NewObject("B")], "invalid_arguments", "one root"),
        ([NewObject("A"), NewObject("A/B"), NewObject("A/B")], "invalid_arguments", "listed twice"),
        ([NewObject("A", components=(NewComponent("Gizmo"),))], "not_found", "Gizmo"),
        (
            [NewObject("A", components=(NewComponent("Rigidbody"), NewComponent("Rigidbody")))],
            "already_exists",
            "only one",
        ),
        ([NewObject("A", components=(NewComponent("LineRenderer"),))], "unsupported_asset", "exact fields"),
        ([NewObject("A", components=(NewComponent("Rigidbody", {"mas": 1}),))], "invalid_arguments", "m_Mass"),
        ([NewObject("A", components=(NewComponent("Rigidbody", {"mass": "heavy"}),))], "invalid_arguments", "number"),
        (
            [NewObject("A", components=(NewComponent("GameObject", {"tag": "Nobody"}),))],
            "invalid_arguments",
            "Untagged",
        ),
        ([NewObject("A"), NewObject("A/B", prefab="Assets/None.prefab")], "broken_reference", "Assets/None.prefab"),
        ([NewObject("A", components=(NewComponent("Health", {"spawn": "#A/No"}),))], "broken_reference", "A/No"),
        ([NewObject("A//B")], "invalid_arguments", "name"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(objects: list[NewObject], code: str, says: str) -> None:
    """The refusal has the code of the contract and says what it is about or what would have worked."""
    error = refused("6000", *objects)
    assert error.code == code
    assert says in error.message + error.hint


def test_a_component_inside_a_model_instance_is_refused() -> None:
    """Which object would get it is not known."""
    error = refused(
        "6000", NewObject("Car/Part", components=(NewComponent("BoxCollider"),)), variant_of="Assets/None.fbx"
    )
    assert error.code == "broken_reference"
    assert "Assets/None.fbx" in error.message


@pytest.mark.parametrize("form", FORMS)
def test_a_new_scene_begins_with_its_settings_and_ends_with_its_roots(form: str) -> None:
    """Four settings documents first; the list of roots only where the version has one."""
    objects = [
        NewObject("Sun", components=(NewComponent("Light", {"type": "Directional"}),)),
        NewObject("Cars/One", prefab="Assets/Car.prefab"),
    ]
    scene = new_scene(ProjectPath("Assets/S.unity"), world(garage(form), form), objects)
    assert problems(scene.content) == []
    kinds = [kind for kind, _, _ in documents(scene.content).values()]
    assert kinds[:4] == [29, 104, 157, 196]
    assert (kinds[-1] == 1660057539) is (form == "6000")
    lines = outline(ProjectPath("Assets/S.unity"), scene.content, None, world(garage(form), form))
    assert [line.split("  &")[0] for line in lines if line[0] != " "][4:] == ["Sun", "Cars", "Cars/One"]


def test_an_empty_scene_can_be_made() -> None:
    """Without objects there are settings only."""
    scene = new_scene(ProjectPath("Assets/S.unity"), world(garage("2021"), "2021"))
    assert len(documents(scene.content)) == 4
