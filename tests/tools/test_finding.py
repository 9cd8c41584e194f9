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
        ({"query": "Assets/Art/red.mat", "kind": "references"}, [("Art/a.prefab", 1), ("Art/b.prefab", 1)]),
        ({"query": "Assets/Art/red.mat", "kind": "references", "folder": "Assets/Scripts"}, []),
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
    """References are also found by the guid itself, in upper case as well, and of an asset that is gone."""
    (row,) = await rows(assets, "listAssets", "assets", name="red.mat")
    for query in (row["guid"], row["guid"].upper()):
        assert len(await rows(assets, "searchProject", "matches", query=query, kind="references")) == 2
    for path in ("Assets/Art/red.mat", "Assets/Art/red.mat.meta"):
        (assets.root / path).unlink()
    result = await assets.call("searchProject", {"query": row["guid"], "kind": "references"})
    assert (len(result["matches"]), result["guid"], "asset" in result) == (2, row["guid"], False)


@pytest.fixture
def prefabs(project: FakeProject) -> dict[str, str]:
    """A prefab with three objects, a scene and a variant that refer to them, a script's folder; guids by name."""
    gun = project.write(
        "Assets/Gun.prefab",
        "%YAML 1.1\n--- !u!1 &100\nGameObject:\n  - component: {fileID: 400}\n"
        "--- !u!4 &400\nTransform:\n  m_GameObject: {fileID: 100}\n"
        "--- !u!114 &-7000000000000000001\nMonoBehaviour:\n  m_GameObject: {fileID: 100}\n",
        meta=True,
    )
    first = f"m_Gun: {{fileID: 100, guid: {gun}, type: 3}}"
    second = f"m_Script: {{fileID: -7000000000000000001, guid: {gun},\n    type: 3}}"
    project.write(
        "Assets/Main.unity",
        f"%YAML 1.1\n--- !u!114 &8\nMonoBehaviour:\n  {first}\n  {second}\n"
        f"--- !u!1001 &9000000000000000009\nPrefabInstance:\n  {first}\n",
        meta=True,
    )
    project.write("Assets/Address.asset", f"%YAML 1.1\n--- !u!114 &1\nMonoBehaviour:\n  m_guid: {gun}\n", meta=True)
    return {"gun": gun, "line": first}


async def test_references_tell_line_object_and_who_refers(project: FakeProject, prefabs: dict[str, str]) -> None:
    """A match has the line, the object that is named, and the document that names it; ids are text because of their digits."""
    found = await rows(project, "searchProject", "matches", query="Assets/Gun.prefab", kind="references")
    from_8 = {"fileId": "8", "classId": 114, "class": "MonoBehaviour"}
    from_9 = {"fileId": "9000000000000000009", "classId": 1001, "class": "PrefabInstance"}
    assert found[1] == {
        "path": "Assets/Main.unity",
        "line": 4,
        "text": prefabs["line"],
        "fileId": "100",
        "from": from_8,
    }
    assert [(row["line"], row.get("fileId"), row["from"]) for row in found[1:]] == [
        (4, "100", from_8),
        (5, "-7000000000000000001", from_8),
        (9, "100", from_9),
    ]
    assert (found[0]["path"], found[0]["line"], "fileId" in found[0]) == ("Assets/Address.asset", 4, False)


@pytest.mark.parametrize(
    ("file_id", "expected"),
    [
        ("100", [("Gun.prefab", 7), ("Gun.prefab", 10), ("Main.unity", 4), ("Main.unity", 9)]),
        ("-7000000000000000001", [("Main.unity", 5)]),
        ("400", [("Gun.prefab", 4)]),
        ("77", []),
    ],
)
async def test_references_to_one_object(
    project: FakeProject, prefabs: dict[str, str], file_id: str, expected: list[tuple[str, int]]
) -> None:
    """With #fileId only references to this object count, and those inside its own file; by path or guid, in any windows."""
    for asset in ("Assets/Gun.prefab", prefabs["gun"]):
        for limit in (1, 2, 500):
            arguments = {"query": f"{asset}#{file_id}", "kind": "references", "limit": limit}
            found = await rows(project, "searchProject", "matches", **arguments)
            assert [(row["path"], row["line"]) for row in found] == [
                (f"Assets/{name}", line) for name, line in expected
            ]
            assert all(row["fileId"] == file_id for row in found)
    result = await project.call("searchProject", {"query": f"{prefabs['gun']}#{file_id}", "kind": "references"})
    assert (result["asset"], result["fileId"]) == ("Assets/Gun.prefab", file_id)


async def test_references_to_a_folder_and_to_names_with_a_hash(project: FakeProject) -> None:
    """Folders have guids as well; what exists under the whole text is no file id."""
    guid = project.write("Assets/Level#2", "x", meta=True)
    project.write("Assets/a.prefab", f"%YAML 1.1\n  m_Where: {{fileID: 5, guid: {guid}, type: 3}}\n")
    folder = project.write("Assets/Maps", "x", meta=True)
    (project.root / "Assets/Maps").unlink()
    (project.root / "Assets/Maps").mkdir()
    project.write("Assets/b.prefab", f"%YAML 1.1\n  m_Folder: {{fileID: 102900000, guid: {folder}, type: 3}}\n")
    for query, path in (("Assets/Level#2", "Assets/a.prefab"), ("Assets/Maps/", "Assets/b.prefab")):
        found = await rows(project, "searchProject", "matches", query=query, kind="references")
        assert [row["path"] for row in found] == [path]


async def test_a_file_that_nobody_can_look_into_is_still_named(
    project: FakeProject, prefabs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A very large scene refers as well: the match says that it was not read. What changed since the index saw it is gone."""
    monkeypatch.setattr("spark.tools.search_references.ASSET_BYTES", 400)
    project.write("Assets/Vast.unity", f"%YAML 1.1\n  m_Gun: {{fileID: 100, guid: {prefabs['gun']}}}\n" + "x" * 500)
    for limit in (1, 500):
        found = await rows(
            project, "searchProject", "matches", query="Assets/Gun.prefab", kind="references", limit=limit
        )
        assert found[-1] == {"path": "Assets/Vast.unity", "unread": True}
        assert len(found) == 5


async def test_many_references_come_in_windows(project: FakeProject) -> None:
    """However many there are in however few lines, all answers together have each once."""
    guid = project.write("Assets/Sheet.png", b"\x89PNG\x00", meta=True)
    line = "".join(f" {{fileID: {number}, guid: {guid}, type: 3}}" for number in range(1, 41))
    project.write("Assets/a.asset", "%YAML 1.1\n" + f"{line}\n" * 10, meta=True)
    for limit in (7, 33, 500):
        found = await rows(
            project, "searchProject", "matches", query="Assets/Sheet.png", kind="references", limit=limit
        )
        expected = [(line, str(number)) for line in range(2, 12) for number in range(1, 41)]
        assert [(row["line"], row["fileId"]) for row in found] == expected
        assert all(f"fileID: {row['fileId']}, " in row["text"] for row in found)


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
        ({"query": "Assets/Art/red.mat#Lid", "kind": "references"}, "path"),
        ({"query": "0123456789abcdef0123456789abcdef#Lid", "kind": "references"}, "query"),
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
