"""New scripts: written where the project wants them, in its form, checked, with metas; never over something."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark.core.errors import Unavailable
from tests.fakes.project import FakeEngine, FakeProject, ScriptedCodeModel

SOURCE = "public class Hero\n{\n    int lives;\n}\n"


async def test_given_source_is_written_with_metas(project: FakeProject) -> None:
    """The caller's source lands with its meta and a meta for every new folder; the answer says where and why."""
    result = await project.call("generateUnityScript", {"className": "Hero", "source": SOURCE})
    assert project.read("Assets/Scripts/Hero.cs") == SOURCE.encode()
    assert result["guid"].encode() in (project.read("Assets/Scripts/Hero.cs.meta") or b"")
    assert b"folderAsset: yes" in (project.read("Assets/Scripts.meta") or b"")
    assert (result["path"], result["scriptName"], result["generator"]) == ("Assets/Scripts/Hero.cs", "Hero", "caller")
    assert (result["tokensUsed"], result["script"], result["diagnostics"]) == (0, SOURCE, [])
    assert result["placed"]["why"] == "scripts lie there"


async def test_every_new_folder_level_gets_a_meta(project: FakeProject) -> None:
    """A folder that is given and does not exist is made, each level with its meta."""
    await project.call("generateUnityScript", {"className": "Hero", "source": SOURCE, "folder": "Assets/A/B/C/"})
    assert {"Assets/A.meta", "Assets/A/B.meta", "Assets/A/B/C.meta"} <= set(project.snapshot())


async def test_the_projects_form(tmp_path: Path) -> None:
    """Line ends, BOM and a final newline are the project's, also for the caller's source."""
    project = FakeProject(tmp_path, engine=FakeEngine(newline="\r\n", bom=True))
    await project.call("generateUnityScript", {"className": "Hero", "source": "\ufeff" + SOURCE.rstrip("\n")})
    assert project.read("Assets/Scripts/Hero.cs") == b"\xef\xbb\xbf" + SOURCE.replace("\n", "\r\n").encode()


async def test_the_model_writes_it(tmp_path: Path) -> None:
    """Without source the code model is asked once where its first answer is sound; tokens and generator are told."""
    project = FakeProject(tmp_path, code_model=ScriptedCodeModel(SOURCE))
    result = await project.call(
        "generateUnityScript",
        {"className": "Hero", "prompt": "a hero with lives", "namespace": "Game", "includeComments": False},
    )
    (order,) = project.code_model.orders
    assert (order.prompt, order.namespace, order.include_comments) == ("a hero with lives", "Game", False)
    assert (result["tokensUsed"], result["generator"]) == (100, "scripted:test")


async def test_faulty_code_is_repaired(tmp_path: Path) -> None:
    """Code that is wrong goes back with what is wrong, at most twice; the tokens of all answers are counted."""
    project = FakeProject(tmp_path, code_model=ScriptedCodeModel("class Hero {", "class Other { }", SOURCE))
    result = await project.call("generateUnityScript", {"className": "Hero", "prompt": "a hero with lives"})
    first, second, third = project.code_model.orders
    assert first.problems == []
    assert (second.previous, "braces do not pair" in second.problems[0]) == ("class Hero {\n", True)
    assert third.problems == ["it declares no type named Hero"]
    assert result["tokensUsed"] == 300


async def test_two_repairs_at_most(tmp_path: Path) -> None:
    """After two repairs the call is refused with the findings, and nothing is written."""
    project = FakeProject(tmp_path, code_model=ScriptedCodeModel(*["class Hero {"] * 9))
    error = await project.refused("generateUnityScript", {"className": "Hero", "prompt": "a hero with lives"})
    assert error.code == "invalid_script"
    assert len(project.code_model.orders) == 3
    assert error.details["findings"][0]["code"] == "CS1513"
    assert error.details["tokensUsed"] == 300


async def test_it_never_invents(project: FakeProject) -> None:
    """With the model away there is no script."""
    before = project.snapshot()
    with pytest.raises(Unavailable) as away:
        await project.call("generateUnityScript", {"className": "Hero", "prompt": "a hero with lives"})
    assert away.value.code == "model_unavailable"
    assert project.snapshot() == before


@pytest.mark.parametrize("source", ["public class Other { }\n", "// class Hero\nclass Other { }\n", "class Hero {\n"])
async def test_faulty_source_is_refused(project: FakeProject, source: str) -> None:
    """Source that does not declare the class, or has errors, is refused and named."""
    error = await project.refused("generateUnityScript", {"className": "Hero", "source": source})
    assert error.code == "invalid_script"
    assert "Hero" in error.message


async def test_warnings_are_told(project: FakeProject) -> None:
    """Findings that are no errors do not stop it and are in the answer."""
    source = 'class Hero { void A() { GameObject.Find("x"); } }\n'
    result = await project.call("generateUnityScript", {"className": "Hero", "source": source})
    assert [finding["code"] for finding in result["diagnostics"]] == ["SP0001"]


@pytest.mark.parametrize("name", ["Hero", "hero", "HERO"])
async def test_never_over_something(project: FakeProject, name: str) -> None:
    """An existing script is not overwritten, also not one whose name differs by case only."""
    project.write(f"Assets/Scripts/{name}.cs", "old")
    error = await project.refused("generateUnityScript", {"className": "Hero", "source": SOURCE})
    assert error.code == "already_exists"
    assert "applyCodePatch" in error.hint or name in error.hint


async def test_a_folder_of_another_case_is_named(project: FakeProject) -> None:
    """A folder given in another case than it has is refused, with the spelling that it has."""
    project.write("Assets/Code/A.cs", "class A { }")
    error = await project.refused(
        "generateUnityScript", {"className": "Hero", "source": SOURCE, "folder": "Assets/code"}
    )
    assert (error.code, error.details["existing"]) == ("already_exists", "Assets/Code")


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("../out", "path_outside_project"),
        ("/etc", "path_outside_project"),
        ("Library/X", "path_outside_project"),
        ("ProjectSettings", "protected_path"),
        ("Packages/com.x", "protected_path"),
        ("Assets/.git/x", "protected_path"),
        ("Assets//x", "invalid_arguments"),
        ("Assets/file.txt", "invalid_arguments"),
    ],
)
async def test_folders_outside_the_fence(project: FakeProject, folder: str, code: str) -> None:
    """A folder where nothing may be written is refused by its field."""
    project.write("Assets/file.txt", "x")
    error = await project.refused("generateUnityScript", {"className": "Hero", "source": SOURCE, "folder": folder})
    assert error.code == code


async def test_prompt_or_source(project: FakeProject) -> None:
    """One of prompt and source is needed."""
    error = await project.refused("generateUnityScript", {"className": "Hero"})
    assert (error.code, list(error.details["fields"])) == ("invalid_arguments", ["prompt"])


async def test_a_meta_left_behind_is_used(project: FakeProject) -> None:
    """A meta that lies there without its asset gives the new script its guid."""
    guid = project.write("Assets/Scripts/Hero.cs", "x", meta=True)
    (project.root / "Assets/Scripts/Hero.cs").unlink()
    result = await project.call("generateUnityScript", {"className": "Hero", "source": SOURCE})
    assert result["guid"] == guid
