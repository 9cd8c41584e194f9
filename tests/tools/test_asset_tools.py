"""Making and editing assets: where they go, what comes with them, and which bytes an edit may be made from."""

from __future__ import annotations

from typing import Any

import pytest

from spark.core.changes import sha256_of
from tests.fakes.project import FakeProject

YAML = "%YAML 1.1\n--- !u!1 &1\nGameObject:\n  m_Name: Crate\n"
EDITS: list[tuple[str, str, dict[str, Any]]] = [
    ("editPrefab", "Assets/a.prefab", {"ops": [{"op": "remove", "object": "Crate/Lid"}]}),
    ("editPrefab", "Assets/a.unity", {"ops": [{"op": "set", "object": "Crate", "property": "m_Name", "value": None}]}),
    ("editMaterial", "Assets/a.mat", {"properties": {"color": "#ff0000"}}),
    ("editAsset", "Assets/a.asset", {"edits": [{"property": "m_Name", "value": "b"}]}),
]


@pytest.mark.parametrize(
    ("name", "arguments", "path", "content"),
    [
        ("createAsset", {"path": "Assets/New/Level", "type": "scene"}, "Assets/New/Level.unity", b"scene {}\n"),
        (
            "createAsset",
            {"path": "Assets/New/D.asset", "type": "Game.Data", "properties": {"hp": 3}},
            "Assets/New/D.asset",
            b"Game.Data {'hp': 3}\n",
        ),
        (
            "createAsset",
            {"path": "Assets/New/My.Code.asmdef", "type": "asmdef"},
            "Assets/New/My.Code.asmdef",
            b"asmdef {}\n",
        ),
        (
            "createPrefab",
            {"path": "Assets/New/Crate", "objects": [{"path": "Crate", "components": [{"type": "Rigidbody"}]}]},
            "Assets/New/Crate.prefab",
            b"base None\nCrate None ['Rigidbody']\n",
        ),
        (
            "createMaterial",
            {"path": "Assets/New/Ruby", "properties": {"color": "#f00"}, "keywords": ["_EMISSION"]},
            "Assets/New/Ruby.mat",
            b"None {'color': '#f00'} ('_EMISSION',)\n",
        ),
    ],
)
async def test_a_new_asset_comes_with_its_meta_and_those_of_new_folders(
    project: FakeProject, name: str, arguments: dict[str, Any], path: str, content: bytes
) -> None:
    """The file type is added where it is missing; asset, .meta and the folder's .meta land together; the guid is told."""
    result = await project.call(name, arguments)
    assert project.read(path) == content
    assert result["path"] == path
    assert result["sha256"] == sha256_of(content)
    assert f"guid: {result['guid']}".encode() in (project.read(f"{path}.meta") or b"")
    assert b"folderAsset: yes" in (project.read("Assets/New.meta") or b"")


async def test_making_never_overwrites(project: FakeProject) -> None:
    """`already_exists`, also for a name that differs by case only."""
    project.write("Assets/Ruby.mat", YAML, meta=True)
    for path in ("Assets/Ruby.mat", "Assets/Ruby", "Assets/ruby.mat"):
        assert (await project.refused("createMaterial", {"path": path})).code == "already_exists"


async def test_a_wrong_file_type_is_refused(project: FakeProject) -> None:
    """A material is a .mat: another ending is refused with the right one."""
    refusal = await project.refused("createMaterial", {"path": "Assets/Ruby.asset"})
    assert refusal.code == "invalid_arguments"
    assert ".mat" in refusal.details["fields"]["path"]
    refusal = await project.refused("editPrefab", {"path": "Assets/a.mat", "ops": [{"op": "remove", "object": "A"}]})
    assert refusal.details["fields"].keys() == {"path"}


@pytest.mark.parametrize("path", ["Assets/.h/a.mat", "Assets/Old~/a.mat", "ProjectSettings/a.asset"])
async def test_no_asset_is_made_where_unity_does_not_look(project: FakeProject, path: str) -> None:
    """A place that Unity skips is refused: the asset would be there for nobody."""
    kind = {"path": path} if path.endswith(".mat") else {"path": path, "type": "Data"}
    refusal = await project.refused("createMaterial" if path.endswith(".mat") else "createAsset", kind)
    assert "a place that Unity imports" in refusal.details["fields"]["path"]


async def test_a_scene_takes_no_properties(project: FakeProject) -> None:
    """What would be ignored is refused."""
    refusal = await project.refused("createAsset", {"path": "Assets/S", "type": "scene", "properties": {"a": 1}})
    assert refusal.details["fields"].keys() == {"properties"}


async def test_a_folder_is_its_meta(project: FakeProject) -> None:
    """The folder and those above it that are missing; nothing but metas lands, and what is there is not made again."""
    result = await project.call("createAsset", {"path": "Assets/Art/Props/", "type": "folder"})
    assert result["path"] == "Assets/Art/Props"
    assert result["parents"] == ["Assets/Art"]
    assert set(project.snapshot()) >= {"Assets/Art.meta", "Assets/Art/Props.meta"}
    assert (await project.refused("createAsset", {"path": "Assets/Art", "type": "folder"})).code == "already_exists"
    hidden = await project.refused("createAsset", {"path": "Assets/.hidden", "type": "folder"})
    assert hidden.code == "invalid_arguments"


@pytest.mark.parametrize(("name", "path", "arguments"), EDITS)
async def test_an_edit_needs_the_bytes_that_lie_there(
    project: FakeProject, name: str, path: str, arguments: dict[str, Any]
) -> None:
    """Not read, or another expectedSha256: `conflict`. Read (the outline counts), expected, or a turn of its own: it lands."""
    project.write(path, YAML, meta=True)
    assert (await project.refused(name, {"path": path, **arguments})).code == "conflict"
    refusal = await project.refused(name, {"path": path, **arguments, "expectedSha256": "0" * 64})
    assert refusal.details["presentSha256"] == sha256_of(YAML.encode())
    await project.call("readFile", {"path": path, "view": "outline"})
    result = await project.call(name, {"path": path, **arguments})
    content = project.read(path)
    assert content is not None
    assert content != YAML.encode()
    assert result["sha256"] == sha256_of(content)
    assert result["diff"].count("\n+") == 2
    await project.call(name, {"path": path, **arguments}, own_turn=True)


@pytest.mark.parametrize(("name", "path", "arguments"), EDITS)
async def test_a_change_carries_the_bytes_it_was_made_from(
    project: FakeProject, name: str, path: str, arguments: dict[str, Any]
) -> None:
    """If the user saves before it lands, there is something to merge from."""
    project.write(path, YAML, meta=True)
    prepared = await project.prepare(name, {"path": path, **arguments}, own_turn=True)
    assert [change.base for change in prepared.changes.files] == [YAML.encode()]


async def test_an_edit_that_changes_nothing_writes_nothing(project: FakeProject) -> None:
    """The answer says so, and there is no version."""
    project.write("Assets/a.asset", YAML, meta=True)
    arguments = {"path": "Assets/a.asset", "edits": [{"property": "same", "value": 1}]}
    prepared = await project.prepare("editAsset", arguments, own_turn=True)
    assert not prepared.changes
    assert prepared.result["unchanged"] is True


async def test_a_missing_value_is_not_null(project: FakeProject) -> None:
    """`value: null` clears; leaving it out is something else, and the engine is told which it was."""
    project.write("Assets/a.prefab", YAML, meta=True)
    ops = [
        {"op": "set", "object": "A", "property": "x", "value": None},
        {"op": "revert", "object": "A", "property": "x"},
    ]
    await project.call("editPrefab", {"path": "Assets/a.prefab", "ops": ops}, own_turn=True)
    assert (project.read("Assets/a.prefab") or b"").endswith(b"set A True\nrevert A False\n")


async def test_an_asset_is_edited_by_id_or_by_object(project: FakeProject) -> None:
    """Both at once is refused."""
    project.write("Assets/a.unity", YAML, meta=True)
    edits = [{"property": "m_Name", "value": "b", "fileId": "1", "object": "Crate"}]
    refusal = await project.refused("editAsset", {"path": "Assets/a.unity", "edits": edits}, own_turn=True)
    assert refusal.code == "invalid_arguments"


async def test_an_outline_comes_in_windows(project: FakeProject) -> None:
    """startLine and endLine count lines of the outline; `object` narrows it."""
    project.write("Assets/a.unity", "%YAML 1.1\n" + "".join(f"line {number}\n" for number in range(40)), meta=True)
    result = await project.call("readFile", {"path": "Assets/a.unity", "view": "outline", "startLine": 3, "endLine": 4})
    assert (result["content"], result["totalLines"]) == ("line 1\nline 2\n", 41)
    narrowed = await project.call("readFile", {"path": "Assets/a.unity", "object": "line 39"})
    assert narrowed["content"] == "line 39\n"
    refusal = await project.refused("readFile", {"path": "Assets/a.unity", "object": "x", "view": "text"})
    assert refusal.code == "invalid_arguments"
