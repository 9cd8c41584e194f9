"""New assembly definitions are what Unity's inspector writes, and refer only to what is there."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from spark.core.assets import Json
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.asmdef import new_asmdef
from spark.engines.unity.facts import FactsReader
from spark.engines.unity.hierarchy.world import World
from tests.engines.memory_project import FakeProject

PATH = ProjectPath("Assets/Game/Game.Core.asmdef")
FILES: Mapping[str, str] = {
    "ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2022.3.10f1\n",
    "Assets/Shared/Shared.asmdef": '{"name": "Shared"}',
    "Assets/Shared/Shared.asmdef.meta": f"fileFormatVersion: 2\nguid: {'5' * 32}\n",
    "Packages/manifest.json": '{"dependencies": {"com.unity.ugui": "1.0.0", "com.unity.modules.ui": "1.0.0"}}',
    "Packages/com.unity.ugui/Runtime/UnityEngine.UI.asmdef": '{"name": "UnityEngine.UI"}',
}


def world_of(**more: str) -> World:
    package = {"Packages/com.unity.ugui/package.json": "{}"} if "gone" not in more else {}
    project = FakeProject({**FILES, **package})
    for name, text in more.items():
        if name != "gone":
            project.write(name, text)
    return World(project.files, project.index, FactsReader(project.files, project.index).facts())


def made(properties: Mapping[str, Json], world: World | None = None) -> str:
    return new_asmdef(PATH, properties, world or world_of()).content.decode()


def refusal(properties: Mapping[str, Json], world: World | None = None) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        made(properties, world)
    return caught.value


def test_it_is_written_as_the_inspector_writes_it() -> None:
    """All keys in Unity's order, four spaces, no line end behind the last brace; the name is the file's."""
    assert made(
        {
            "references": ["Shared"],
            "includePlatforms": ["Editor"],
            "versionDefines": [{"define": "D", "name": "com.a", "expression": "1.0"}],
        }
    ) == (
        '{\n    "name": "Game.Core",\n    "rootNamespace": "",\n    "references": [\n        "Shared"\n    ],\n'
        '    "includePlatforms": [\n        "Editor"\n    ],\n    "excludePlatforms": [],\n    "allowUnsafeCode": false,\n'
        '    "overrideReferences": false,\n    "precompiledReferences": [],\n    "autoReferenced": true,\n'
        '    "defineConstraints": [],\n    "versionDefines": [\n        {\n            "name": "com.a",\n'
        '            "expression": "1.0",\n            "define": "D"\n        }\n    ],\n    "noEngineReferences": false\n}'
    )


def test_the_root_namespace_is_left_out_before_unity_knew_it() -> None:
    """2020.2 brought it; an older editor would drop the key at the next save."""
    old = world_of(**{"ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2019.4.40f1\n"})
    assert "rootNamespace" not in made({}, old)
    assert refusal({"rootNamespace": "A.B"}, old).code == "invalid_arguments"
    assert '"rootNamespace": "A.B"' in made({"rootNamespace": "A.B"})


@pytest.mark.parametrize("reference", ["Shared", f"GUID:{'5' * 32}", "UnityEngine.UI"])
def test_references_are_those_of_the_project_and_its_packages(reference: str) -> None:
    """By name, or by the guid of an assembly definition."""
    assert reference in made({"references": [reference]})


def test_a_reference_to_nothing_is_refused_by_name() -> None:
    """Unless a package that is not on disk may have it: then it is taken and said."""
    caught = refusal({"references": ["Shared", "Nope"]})
    assert caught.code == "broken_reference"
    assert "references[1]" in caught.message
    assert "Shared" in caught.hint
    assert refusal({"references": [f"GUID:{'6' * 32}"]}).code == "broken_reference"
    absent = new_asmdef(PATH, {"references": ["Nope"]}, world_of(gone=""))
    assert "Nope" in absent.result["notes"][0]


@pytest.mark.parametrize(
    ("properties", "field"),
    [
        ({"refs": []}, "properties.refs"),
        ({"name": ""}, "properties.name"),
        ({"name": "a/b"}, "properties.name"),
        ({"name": 5}, "properties.name"),
        ({"rootNamespace": "1x"}, "properties.rootNamespace"),
        ({"references": "Shared"}, "properties.references"),
        ({"references": ["Shared", "Shared"]}, "properties.references"),
        ({"references": ["Game.Core"]}, "properties.references"),
        ({"includePlatforms": ["Amiga"]}, "properties.includePlatforms"),
        ({"includePlatforms": ["Editor"], "excludePlatforms": ["iOS"]}, "properties.excludePlatforms"),
        ({"allowUnsafeCode": 1}, "properties.allowUnsafeCode"),
        ({"precompiledReferences": ["a.dll"]}, "properties.overrideReferences"),
        ({"defineConstraints": ["A && B"]}, "properties.defineConstraints"),
        ({"versionDefines": [{"name": "x"}]}, "properties.versionDefines"),
    ],
)
def test_what_unity_would_not_take_is_refused(properties: Mapping[str, Json], field: str) -> None:
    """Unknown keys, wrong types, platforms that are none, both lists of platforms."""
    caught = refusal(properties)
    assert caught.code == "invalid_arguments"
    assert field in caught.details["fields"]


def test_names_and_folders_are_taken_once() -> None:
    """Two assemblies of a name, or two definitions in a folder, are an error in Unity."""
    assert refusal({"name": "shared"}).code == "already_exists"
    beside = world_of(**{"Assets/Game/Other.asmdef": '{"name": "Other"}'})
    caught = refusal({}, beside)
    assert caught.code == "already_exists"
    assert "Other.asmdef" in caught.message
    with pytest.raises(ToolRejected):
        new_asmdef(ProjectPath("Assets/Game/x.json"), {}, world_of())
