"""Names, enums, ids and needs of native classes."""

from __future__ import annotations

import pytest

from spark.core.errors import ToolRejected
from spark.engines.unity.classes.bodies import field_names, offered
from spark.engines.unity.classes.class_ids import CLASS_NAMES, MAIN_FILE_IDS, class_id, class_name
from spark.engines.unity.classes.enums import enum_names, enum_value, named_number
from spark.engines.unity.classes.names import serialized_name
from spark.engines.unity.classes.needs import is_component, only_one, requires
from spark.engines.unity.editor_version import EditorVersion
from tests.engines.unity.classes.documents import VERSIONS

NOW = EditorVersion(2022, 3, 56)
UNITY_6 = EditorVersion(6000, 1, 0)


def test_names_of_the_scripting_api_become_names_of_the_file() -> None:
    """What people write in C# is found in the file, with what follows the first name kept."""
    expected = {
        ("Rigidbody", "mass"): "m_Mass",
        ("BoxCollider", "isTrigger"): "m_IsTrigger",
        ("BoxCollider", "material"): "m_Material",
        ("MeshFilter", "sharedMesh"): "m_Mesh",
        ("MeshFilter", "mesh"): "m_Mesh",
        ("MeshRenderer", "sharedMaterial"): "m_Materials[0]",
        ("MeshRenderer", "materials"): "m_Materials",
        ("Camera", "fieldOfView"): "field of view",
        ("Camera", "orthographic"): "orthographic",
        ("Camera", "cullingMask"): "m_CullingMask.m_Bits",
        ("Light", "shadowStrength"): "m_Shadows.m_Strength",
        ("Transform", "position.x"): "m_LocalPosition.x",
        ("Transform", "localScale"): "m_LocalScale",
        ("AudioSource", "loop"): "Loop",
        ("AudioSource", "clip"): "m_audioClip",
        ("GameObject", "tag"): "m_TagString",
        ("Rigidbody", "m_Constraints"): "m_Constraints",
        ("Camera", "near clip plane"): "near clip plane",
    }
    for (name, api), path in expected.items():
        assert serialized_name(name, api, NOW) == path, (name, api)


def test_a_name_follows_the_version() -> None:
    """`drag` and `linearDamping` are one field with two names in the file; what a version does not write has no name."""
    for api in ("drag", "linearDamping"):
        assert serialized_name("Rigidbody", api, NOW) == "m_Drag"
        assert serialized_name("Rigidbody", api, UNITY_6) == "m_LinearDamping"
        assert serialized_name("Rigidbody2D", api, NOW) == "m_LinearDrag"
    assert serialized_name("Transform", "m_RootOrder", EditorVersion(2022, 2, 6)) == "m_RootOrder"
    assert serialized_name("Transform", "m_RootOrder", NOW) is None
    assert serialized_name("Transform", "velocity", NOW) is None
    assert serialized_name("ParticleSystem", "looping", NOW) is None
    assert field_names("ParticleSystem", NOW) == ()


def test_every_name_that_is_promised_is_a_field_in_some_version() -> None:
    """No row of the table of names points at a field that no editor writes, and every enum belongs to a field."""
    from spark.engines.unity.classes import enums, names

    for name, table in names._NAMES.items():
        fields = {field for version in VERSIONS for field in field_names(name, version)}
        for api, paths in table.items():
            for path in (paths,) if isinstance(paths, str) else paths:
                assert names._field(path) in fields, (name, api, path)
    for name, by_field in enums._ENUMS.items():
        fields = {field for version in VERSIONS for field in field_names(name, version)}
        for path in by_field:
            if path != "m_MaskInteraction":
                assert names._field(path) in fields, (name, path)


def test_enum_names_become_numbers() -> None:
    """Plain, qualified, in any case, and several flags at once; unknown names give nothing."""
    assert enum_value("Light", "m_Type", "Spot") == 0
    assert enum_value("Light", "m_Type", "LightType.Directional") == 1
    assert enum_value("Light", "m_Shadows.m_Type", "soft") == 2
    assert enum_value("Canvas", "m_RenderMode", "RenderMode.ScreenSpaceCamera") == 1
    assert enum_value("Camera", "m_ClearFlags", "SolidColor") == 2
    assert enum_value("Rigidbody", "m_Interpolate", "Extrapolate") == 2
    assert enum_value("Rigidbody", "m_Constraints", "FreezePositionY | RigidbodyConstraints.FreezeRotation") == 116
    assert enum_value("Rigidbody", "m_Constraints", "FreezeRotation, FreezeEverything") is None
    assert enum_value("Light", "m_Type", "Spot | Point") is None
    assert enum_value("Light", "m_Color", "Red") is None
    assert enum_names("Light", "m_Type")[:2] == ("Spot", "Directional")
    assert enum_names("Light", "m_Color") == ()


def test_class_ids_go_both_ways() -> None:
    """An id has one name and a name one id; every class that can be made has one."""
    assert class_name(65) == "BoxCollider"
    assert class_id("BoxCollider") == 65
    assert class_name(1660057539) == "SceneRoots"
    assert class_id("PhysicsMaterial") == 134
    assert class_name(7) == ""
    assert class_id("Sphere") is None
    assert len(set(CLASS_NAMES.values())) == len(CLASS_NAMES)
    assert all(class_id(name) is not None for name in (*offered(), *MAIN_FILE_IDS))
    assert MAIN_FILE_IDS["Material"] == 2100000


def test_what_a_component_needs_is_a_component() -> None:
    """What is added together with a component hangs on the same game object; a transform exists once, a collider may not."""
    assert requires("Canvas") == ("RectTransform",)
    assert requires("HingeJoint") == ("Rigidbody",)
    assert requires("MeshRenderer") == ()
    assert all(is_component(needed) for name in CLASS_NAMES.values() for needed in requires(name))
    assert only_one("Rigidbody")
    assert not only_one("BoxCollider")
    assert not only_one("MonoBehaviour")
    assert is_component("MonoBehaviour")
    assert not is_component("GameObject")
    assert not is_component("Material")


def test_components_are_the_classes_that_hang_on_a_game_object() -> None:
    """Every class that can be made and has an `m_GameObject` counts as a component, and no other."""
    for name in offered():
        assert is_component(name) == ("m_GameObject" in field_names(name, NOW)), name
    assert all(class_id(name) is not None for name in ("Transform", "RectTransform"))


def test_serialised_names_of_other_versions_are_understood() -> None:
    """What a field was called before Unity 6, or is called since, means the one that the version writes."""
    expected = {
        ("Rigidbody", "m_Drag"): ("m_Drag", "m_LinearDamping"),
        ("Rigidbody", "m_AngularDrag"): ("m_AngularDrag", "m_AngularDamping"),
        ("Rigidbody", "m_LinearDamping"): ("m_Drag", "m_LinearDamping"),
        ("Rigidbody2D", "m_LinearDrag"): ("m_LinearDrag", "m_LinearDamping"),
    }
    for (name, written), paths in expected.items():
        assert (serialized_name(name, written, NOW), serialized_name(name, written, UNITY_6)) == paths
    assert serialized_name("Camera", "hideFlags", NOW) == "m_ObjectHideFlags"


def test_flags_take_names_in_a_list_and_switches_their_numbers() -> None:
    """Constraints are several names; a physical camera is a mode and not 1; a wrong name is refused with the right ones."""
    assert named_number("Rigidbody", "m_Constraints", ["FreezePositionX", "FreezeRotation"], "constraints") == 114
    assert named_number("Rigidbody", "m_Constraints", "FreezeAll", "constraints") == 126
    assert named_number("Light", "m_Type", "Spot", "type") == 0
    assert named_number("Camera", "m_projectionMatrixMode", True, "usePhysicalProperties") == 2
    assert named_number("Camera", "m_projectionMatrixMode", False, "usePhysicalProperties") == 1
    assert named_number("Camera", "orthographic", True, "orthographic") is None
    assert named_number("Rigidbody", "m_Constraints", "5", "constraints") is None
    assert named_number("Light", "m_ObjectHideFlags", ["NotEditable", "HideInHierarchy"], "hideFlags") == 9
    for wrong in (["Freeze"], "Freeze", [1]):
        with pytest.raises(ToolRejected) as caught:
            named_number("Rigidbody", "m_Constraints", wrong, "constraints")
        assert "FreezeAll" in caught.value.details["fields"]["constraints"]
    with pytest.raises(ToolRejected):
        named_number("Light", "m_Type", ["Spot"], "type")
