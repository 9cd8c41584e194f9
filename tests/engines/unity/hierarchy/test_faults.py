"""Files that cannot be read, or that hold two people's versions: every function refuses them with file and line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spark.core.assets import NewComponent, NewObject, ObjectOp, PropertyEdit
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import edit_asset, edit_prefab, new_prefab, outline
from tests.engines.memory_project import FakeProject
from tests.engines.unity.hierarchy.garage import fixture, garage, put, world

CAR, WHEEL = ProjectPath("Assets/Car.prefab"), ProjectPath("Assets/Wheel.prefab")
MARKS = b"<<<<<<< ours\n  m_Layer: 0\n=======\n  m_Layer: 3\n>>>>>>> theirs\n"
OPS = (
    ObjectOp("add", "Car/Lamp", component="Light"),
    ObjectOp("remove", "Car/Body"),
    ObjectOp("removeComponent", "Car/Body", component="BoxCollider"),
    ObjectOp("set", "Car/Front", component="SphereCollider", property="radius", value=2, has_value=True),
)


def with_marks(content: bytes) -> bytes:
    return content.replace(b"  m_Layer: 0\n", MARKS, 1)


def refusal(call: Callable[[], object]) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        call()
    return caught.value


def line_of(content: bytes, text: bytes) -> int:
    return content[: content.index(text)].count(b"\n") + 1


@pytest.mark.parametrize("op", OPS)
def test_a_file_with_the_marks_of_a_merge_is_never_edited(op: ObjectOp) -> None:
    """Both versions would stay or go unseen, whatever part of the file the operation is about."""
    content = with_marks(fixture("6000", "Car.prefab"))
    error = refusal(lambda: edit_prefab(CAR, content, [op], world(garage("6000"), "6000")))
    assert error.code == "invalid_asset"
    assert error.details == {"path": "Assets/Car.prefab", "line": line_of(content, b"<<<<<<<")}
    assert "unfinished merge" in error.message


@pytest.mark.parametrize("mark", [b"<<<<<<< HEAD", b"=======", b">>>>>>> theirs", b"||||||| base"])
def test_one_mark_that_was_left_is_enough(mark: bytes) -> None:
    """Also with line ends of two bytes, in any asset and in a .meta."""
    here = world(garage("6000"), "6000")
    material = (
        b"%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n--- !u!21 &2100000\nMaterial:\n  m_Name: P\n" + mark + b"\r\n"
    )
    edit = PropertyEdit("m_Name", "P")
    error = refusal(lambda: edit_asset(ProjectPath("Assets/P.mat"), material, [edit], here))
    assert (error.code, error.details["line"]) == ("invalid_asset", 6)
    meta = b"fileFormatVersion: 2\nguid: " + b"a" * 32 + b"\n" + mark + b"\n"
    error = refusal(lambda: edit_asset(ProjectPath("Assets/P.mat.meta"), meta, [PropertyEdit("userData", "x")], here))
    assert (error.code, error.details["line"]) == ("invalid_asset", 3)
    assert refusal(lambda: outline(ProjectPath("Assets/P.mat"), material, None, here)).details["line"] == 6


def test_text_that_only_looks_like_a_mark_stays_editable() -> None:
    """Unity indents what stands below a document's first line."""
    content = fixture("6000", "Car.prefab").replace(b"m_Name: Body", b"m_Name: '<<<<<<< ours'")
    assert edit_prefab(CAR, content, [ObjectOp("add", "Car/Lamp")], world(garage("6000"), "6000")).content != content


@pytest.mark.parametrize("damage", [b"\tm_Mass: 1\n", b"  m_Mass: [1\n", b"  m_Mass 1\n"])
def test_damage_is_named_by_its_own_line_and_document(damage: bytes) -> None:
    """The line of the file, not of the document, also for those who only look."""
    content = fixture("6000", "Car.prefab").replace(b"  m_Mass: 1200\n", damage)
    here = world(garage("6000"), "6000")
    op = ObjectOp("set", "Car", component="Rigidbody", property="drag", value=1, has_value=True)
    for error in (
        refusal(lambda: edit_prefab(CAR, content, [op], here)),
        refusal(lambda: outline(CAR, content, None, here)),
        refusal(lambda: outline(CAR, content, "Car", here)),
    ):
        assert error.code == "invalid_asset"
        assert abs(error.details["line"] - line_of(content, damage)) <= 1
        assert error.details["fileId"] == "5069066699618966036"
        assert "Rigidbody &5069066699618966036" in error.message


def test_a_document_that_cannot_be_read_is_not_deleted() -> None:
    """It may hold more than its header says."""
    content = fixture("6000", "Car.prefab").replace(b"  m_Size: {x: 2, y: 1, z: 4}\n", b"\tm_Size: 1\n")
    here = world(garage("6000"), "6000")
    error = refusal(
        lambda: edit_prefab(CAR, content, [ObjectOp("removeComponent", "Car/Body", component="BoxCollider")], here)
    )
    assert error.code == "invalid_asset"
    assert abs(error.details["line"] - line_of(content, b"\tm_Size")) <= 1


def with_wheel(content: bytes) -> FakeProject:
    project = garage("6000")
    put(project, "Assets/Wheel.prefab", content, "a" * 32)
    return project


def test_damage_in_a_prefab_that_is_nested_is_named_in_that_file() -> None:
    """Not in the one that is edited, whose lines are sound."""
    damaged = fixture("6000", "Wheel.prefab").replace(b"  m_Radius: 0.5\n", b"  m_Radius: [0.5\n")
    project = with_wheel(damaged)
    op = ObjectOp("set", "Car/Front", component="SphereCollider", property="radius", value=2, has_value=True)
    error = refusal(lambda: edit_prefab(CAR, fixture("6000", "Car.prefab"), [op], world(project, "6000")))
    assert (error.code, error.details["path"]) == ("invalid_asset", "Assets/Wheel.prefab")
    assert abs(error.details["line"] - line_of(damaged, b"  m_Radius")) <= 1
    item = NewObject("Tank", components=(NewComponent("SphereCollider", {"radius": 2}),))
    error = refusal(lambda: new_prefab(ProjectPath("Assets/Tank.prefab"), [item], WHEEL, world(project, "6000")))
    assert (error.code, error.details["path"]) == ("invalid_asset", "Assets/Wheel.prefab")


def test_a_nested_prefab_in_the_middle_of_a_merge_is_left_alone() -> None:
    """What is in it is refused with its line; the rest of the file that nests it can be edited."""
    damaged = with_marks(fixture("6000", "Wheel.prefab"))
    project = with_wheel(damaged)
    op = ObjectOp("set", "Car/Front", component="SphereCollider", property="radius", value=2, has_value=True)
    error = refusal(lambda: edit_prefab(CAR, fixture("6000", "Car.prefab"), [op], world(project, "6000")))
    assert error.details == {"path": "Assets/Wheel.prefab", "line": line_of(damaged, b"<<<<<<<")}
    error = refusal(lambda: new_prefab(ProjectPath("Assets/Tank.prefab"), [], WHEEL, world(project, "6000")))
    assert error.details == {"path": "Assets/Wheel.prefab", "line": line_of(damaged, b"<<<<<<<")}
    made = edit_prefab(CAR, fixture("6000", "Car.prefab"), [ObjectOp("remove", "Car/Front")], world(project, "6000"))
    assert b"Front" not in made.content
