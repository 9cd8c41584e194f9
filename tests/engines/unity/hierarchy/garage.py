"""The small project that these tests work on: a wheel, a car of two wheels, a variant of the car and a scene, each as an
older (2021.3) and a newer (6000.1) editor keeps it, and one script."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from spark.core.assets import ObjectOp
from spark.core.paths import ProjectPath
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.facts import Facts
from spark.engines.unity.hierarchy import World, edit_prefab
from tests.engines.memory_project import FakeProject
from tests.engines.unity.hierarchy.consistency import problems

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "unity" / "hierarchy"
VERSIONS = {"2021": "2021.3.10f1", "6000": "6000.1.2f1"}
GUIDS = {"Wheel.prefab": "a" * 32, "Car.prefab": "b" * 32, "RaceCar.prefab": "d" * 32, "Level.unity": "e" * 32}
HEALTH = """using UnityEngine;

[RequireComponent(typeof(Rigidbody))]
public class Health : MonoBehaviour
{
    public int max = 100;
    [SerializeField] private float regeneration = 0.5f;
    public Transform spawn;
}
"""
MODEL_META = (
    "fileFormatVersion: 2\nguid: " + "f" * 32 + "\nModelImporter:\n  meshes:\n    fileIdsGeneration: 2\n  userData: \n"
)


@cache
def fixture(form: str, name: str) -> bytes:
    return (FIXTURES / form / name).read_bytes()


def garage(form: str) -> FakeProject:
    """The project in the form of an editor version."""
    project = FakeProject()
    for name, guid in GUIDS.items():
        put(project, f"Assets/{name}", fixture(form, name), guid)
    put(project, "Assets/Health.cs", HEALTH, "c" * 32)
    put(project, "Assets/Paint.mat", "%YAML 1.1\n", "1" * 32)
    project.write("Assets/Rock.fbx", b"Kaydara FBX Binary")
    project.write("Assets/Rock.fbx.meta", MODEL_META)
    return project


def put(project: FakeProject, path: str, content: bytes | str, guid: str) -> None:
    project.write(path, content)
    project.write(path + ".meta", f"fileFormatVersion: 2\nguid: {guid}\n")


def world(project: FakeProject, form: str) -> World:
    version = VERSIONS.get(form, form)
    return World(project.files, project.index, Facts(editor_version=version, version=EditorVersion.parse(version)))


def edited(form: str, name: str, *ops: ObjectOp) -> str:
    """A fixture after operations, checked for what must always hold."""
    return edited_with_result(form, name, *ops)[0]


def edited_with_result(form: str, name: str, *ops: ObjectOp) -> tuple[str, dict[str, object]]:
    project = garage(form)
    made = edit_prefab(ProjectPath(f"Assets/{name}"), fixture(form, name), ops, world(project, form))
    assert problems(made.content) == []
    return made.content.decode(), dict(made.result)


def changed_lines(before: bytes, after: str) -> tuple[list[str], list[str]]:
    """The lines that went and those that came, in order."""
    import difflib

    lines = list(difflib.ndiff(before.decode().split("\n"), after.split("\n")))
    return [line[2:] for line in lines if line[:2] == "- "], [line[2:] for line in lines if line[:2] == "+ "]
