"""Lists, searches and findings: complete in windows, bounded, and honest about what is not known yet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.project import FakeProject


@pytest.fixture
def assets(project: FakeProject) -> FakeProject:
    project.write(
        "Assets/Scripts/Hero.cs",
        "namespace N\n{\n    class Hero\n    {\n        void Jump() { }\n    }\n}\n",
        meta=True,
    )
    project.write("Assets/Scripts/Foe.cs", "class Foe\n{\n    Hero target; // hero\n}\n", meta=True)
    guid = project.write("Assets/Art/red.mat", "red\n", meta=True)
    project.write("Assets/Art/a.prefab", f"m: {{guid: {guid}}}\n", meta=True)
    project.write("Assets/Art/b.prefab", f"m: {{guid: {guid}}}\n", meta=True)
    project.write("Assets/Art/pic.png", b"hero\x00", meta=True)
    return project


async def rows(project: FakeProject, function: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
    """All rows of all windows."""
    found: list[dict[str, Any]] = []
    while True:
        result = await project.call(function, arguments)
        found += result[key]
        if "next" not in result:
            return found
        arguments["cursor"] = result["next"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["Art/a.prefab", "Art/b.prefab", "Art/pic.png", "Art/red.mat", "Scripts/Foe.cs", "Scripts/Hero.cs"]),
        ({"type": "prefab"}, ["Art/a.prefab", "Art/b.prefab"]),
        ({"type": "folder"}, ["", "Art", "Scripts"]),
        ({"type": "folder", "folder": "Assets"}, ["Art", "Scripts"]),
        ({"folder": "Assets/Scripts/"}, ["Scripts/Foe.cs", "Scripts/Hero.cs"]),
        ({"name": "hero"}, ["Scripts/Hero.cs"]),
        ({"name": "*.p*"}, ["Art/a.prefab", "Art/b.prefab", "Art/pic.png"]),
        ({"name": "[broken"}, []),
        ({"folder": "Assets/None"}, []),
    ],
)
async def test_list_assets(assets: FakeProject, arguments: dict[str, Any], expected: list[str]) -> None:
    """Assets are listed by folder, type and name, sorted, without metas, in windows of any size."""
    wanted = [f"Assets/{path}".rstrip("/") for path in expected]
    for limit in (1, 2, 500):
        found = await rows(assets, "listAssets", "assets", limit=limit, **arguments)
        assert [row["path"] for row in found] == wanted


async def test_settings_are_no_assets(assets: FakeProject) -> None:
    """Files of ProjectSettings are listed only for who names the folder."""
    assets.write("ProjectSettings/TagManager.asset", "x")
    assert "TagManager" not in str(await assets.call("listAssets", {}))
    assert "TagManager" in str(await assets.call("listAssets", {"folder": "ProjectSettings"}))


async def test_listed_rows_tell_type_and_guid(assets: FakeProject) -> None:
    """Each row has type, size and guid."""
    (row,) = await rows(assets, "listAssets", "assets", name="red.mat")
    assert (row["type"], row["size"], len(row["guid"])) == ("material", 4, 32)


@pytest.mark.parametrize("name", ["listAssets", "searchProject", "getDiagnostics"])
async def test_an_incomplete_index_is_told(assets: FakeProject, name: str) -> None:
    """Before the first scan is through, answers say that there may be more."""
    assets.index.complete = False
    arguments = {"searchProject": {"query": "x", "kind": "text"}, "getDiagnostics": {"path": "Assets"}}.get(name, {})
    result = await assets.call(name, arguments)
    assert result["complete"] is False
    assert "first scan" in result["note"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"query": "hero", "kind": "text"}, [("Scripts/Foe.cs", 3), ("Scripts/Hero.cs", 3)]),
        ({"query": r"\b[HF]\w+\s*$", "kind": "regex"}, [("Scripts/Foe.cs", 1), ("Scripts/Hero.cs", 3)]),
        ({"query": "jump", "kind": "symbol"}, [("Scripts/Hero.cs", 5)]),
        ({"query": "Hero.Jump", "kind": "symbol"}, [("Scripts/Hero.cs", 5)]),
        ({"query": "hero", "kind": "symbol"}, [("Scripts/Hero.cs", 3)]),
        ({"query": "Assets/Art/red.mat", "kind": "references"}, [("Art/a.prefab", None), ("Art/b.prefab", None)]),
        ({"query": "hero", "kind": "text", "folder": "Assets/Art"}, []),
        ({"query": "nothing", "kind": "text"}, []),
    ],
)
async def test_search(assets: FakeProject, arguments: dict[str, Any], expected: list[tuple[str, int | None]]) -> None:
    """Each kind of search finds its places, in windows of any size."""
    wanted = [(f"Assets/{path}", line) for path, line in expected]
    for limit in (1, 2, 500):
        found = await rows(assets, "searchProject", "matches", limit=limit, **arguments)
        assert [(row["path"], row.get("line")) for row in found] == wanted


async def test_search_by_guid(assets: FakeProject) -> None:
    """References are also found by the guid itself."""
    (row,) = await rows(assets, "listAssets", "assets", name="red.mat")
    found = await rows(assets, "searchProject", "matches", query=row["guid"], kind="references")
    assert len(found) == 2


async def test_search_answers_are_bounded(assets: FakeProject) -> None:
    """However much is found, an answer stays small, and all answers together have everything once."""
    assets.write("Assets/many.txt", "".join(f"needle {number} {'x' * 500}\n" for number in range(1500)))
    result = await assets.call("searchProject", {"query": "needle", "kind": "text", "limit": 500})
    assert sum(len(row["text"]) for row in result["matches"]) <= 32 * 1024
    found = await rows(assets, "searchProject", "matches", query="needle", kind="text", limit=500)
    assert [row["line"] for row in found] == list(range(1, 1501))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"query": "(a+)+$", "kind": "regex"}, "query"),
        ({"query": "[", "kind": "regex"}, "query"),
        ({"query": "a\nb", "kind": "text"}, "query"),
        ({"query": "a", "kind": "text", "cursor": "nonsense"}, "cursor"),
        ({"query": "Assets/none.mat", "kind": "references"}, "path"),
        ({"query": "../x", "kind": "references"}, "query"),
        ({"query": "x", "kind": "text", "folder": "../x"}, "folder"),
    ],
)
async def test_search_refusals(assets: FakeProject, arguments: dict[str, Any], field: str) -> None:
    """What cannot be searched is refused by its field."""
    error = await assets.refused("searchProject", arguments)
    assert field in {**error.details, **error.details.get("fields", {})}


async def test_diagnostics_of_files_and_folders(assets: FakeProject) -> None:
    """Findings of a file or a folder, the worst first; the severity asks for this and worse."""
    assets.write("Assets/Scripts/Bad.cs", 'class Bad { void A() { GameObject.Find("x"); }\n')
    result = await assets.call("getDiagnostics", {"path": "Assets/Scripts"})
    assert [(f["code"], f["severity"]) for f in result["findings"]] == [("CS1513", "error"), ("SP0001", "warning")]
    assert result["checked"] == 5
    result = await assets.call("getDiagnostics", {"path": "Assets/Scripts/Bad.cs", "severity": "error"})
    assert [f["code"] for f in result["findings"]] == ["CS1513"]
    result = await assets.call("getDiagnostics", {"path": "Assets", "limit": 1})
    assert (len(result["findings"]), result["total"]) == (1, 2)


async def test_diagnostics_of_what_was_changed(assets: FakeProject) -> None:
    """Without a path, this turn's files are checked; where it changed none, the files changed last."""
    bad = {"filePath": "Assets/Scripts/Bad.cs", "patchType": "whole", "newContent": "class Bad {\n", "validate": False}
    await assets.call("applyCodePatch", bad, turn_id="turn_1")
    result = await assets.call("getDiagnostics", {}, turn_id="turn_1")
    assert ([f["path"] for f in result["findings"]], result["scope"]) == (["Assets/Scripts/Bad.cs"], "turn")
    result = await assets.call("getDiagnostics", {}, turn_id="turn_2")
    assert ([f["path"] for f in result["findings"]], result["scope"]) == (["Assets/Scripts/Bad.cs"], "recent")


async def test_compile_state_is_honest(assets: FakeProject) -> None:
    """Without an Editor nothing is said of what Unity's compiler would say."""
    result = await assets.call("getDiagnostics", {})
    assert (result["compile"], "no Unity Editor" in result["compileReason"]) == ("unknown", True)


async def test_diagnostics_of_nothing(assets: FakeProject) -> None:
    """A path where nothing lies is not found."""
    assert (await assets.refused("getDiagnostics", {"path": "Assets/none.cs"})).code == "not_found"
