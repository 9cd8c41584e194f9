"""`restoreVersion` and `undoTurn` as functions: what they answer, and what they refuse."""

from __future__ import annotations

import pytest

from spark.tools.undo_turn import undo_turns
from tests.fakes.project import FakeProject

SCRIPT = {"className": "Hero", "source": "class Hero\n{\n    int a;\n    int b;\n    int c;\n    int d;\n}\n"}
PATH = "Assets/Scripts/Hero.cs"


async def edit(project: FakeProject, turn_id: str, old: str, new: str) -> None:
    arguments = {"filePath": PATH, "patchType": "replace", "oldContent": old, "newContent": new}
    await project.call("applyCodePatch", arguments, turn_id=turn_id, own_turn=True)


async def test_a_script_is_taken_back_with_its_folder(project: FakeProject) -> None:
    """Undoing the turn that made a script leaves nothing of it, and undoing that brings it back with the same guid."""
    await project.call("generateUnityScript", SCRIPT, turn_id="t1")
    after = project.snapshot()
    await project.call("undoTurn", {"turnId": "t1"}, turn_id="t2")
    assert project.snapshot() == {}
    assert not (project.root / "Assets/Scripts").exists()
    await project.call("undoTurn", {"turnId": "t2"}, turn_id="t3")
    assert project.snapshot() == after


async def test_undo_keeps_the_users_edits(project: FakeProject) -> None:
    """Later edits stay and are named; a conflict names path, line and sides, and nothing is written."""
    project.write(PATH, SCRIPT["source"])
    await edit(project, "t1", "int a;", "long a;")
    project.user_saves(PATH, (project.read(PATH) or b"").replace(b"int d;", b"byte d;"))
    result = await project.call("undoTurn", {"turnId": "t1"}, turn_id="t2")
    assert result["keptEdits"] == [PATH]
    assert project.read(PATH) == SCRIPT["source"].replace("int d;", "byte d;").encode()
    await edit(project, "t3", "int a;", "long a;")
    project.user_saves(PATH, (project.read(PATH) or b"").replace(b"long a;", b"short a;"))
    error = await project.refused("undoTurn", {"turnId": "t3"}, turn_id="t4")
    assert error.code == "conflict"
    assert error.details["conflicts"][0]["lines"][0]["ours"] == "    short a;\n"


async def test_the_last_turn(project: FakeProject) -> None:
    """`last` is the newest turn that changed something, never the one that asks."""
    project.write(PATH, SCRIPT["source"])
    await edit(project, "t1", "int a;", "long a;")
    await edit(project, "t2", "int b;", "long b;")
    result = await project.call("undoTurn", {"turnId": "last"}, turn_id="t3")
    assert result["turnId"] == "t2"
    assert (project.read(PATH) or b"").count(b"long") == 1


async def test_several_turns(project: FakeProject) -> None:
    """Several turns are taken back as one change set."""
    project.write(PATH, SCRIPT["source"])
    await edit(project, "t1", "int a;", "long a;")
    await edit(project, "t2", "int b;", "long b;")
    answer = await undo_turns(["t1", "t2"], project.context(turn_id="t3"))
    assert [change.content for change in answer.changes.files] == [SCRIPT["source"].encode()]
    assert answer.result["turnId"] == ["t1", "t2"]


async def test_restore(project: FakeProject) -> None:
    """A version is put back by its id, the answer lists the file; doing it again changes nothing."""
    project.write(PATH, SCRIPT["source"], meta=True)
    await edit(project, "t1", "int a;", "long a;")
    first = project.store.versions[0]
    result = await project.call("restoreVersion", {"versionId": first.version_id}, turn_id="t2")
    assert result["files"] == [PATH]
    assert project.read(PATH) == SCRIPT["source"].encode()
    again = await project.call("restoreVersion", {"versionId": first.version_id}, turn_id="t2")
    assert again["unchanged"] is True


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("undoTurn", {"turnId": "none"}), ("undoTurn", {"turnId": "last"}), ("restoreVersion", {"versionId": "none"})],
)
async def test_nothing_to_take_back(project: FakeProject, name: str, arguments: dict[str, str]) -> None:
    """An unknown turn or version is not found."""
    assert (await project.refused(name, arguments)).code == "not_found"


async def test_a_folder_in_the_way(project: FakeProject) -> None:
    """Where a folder lies now at a file's place, the undo is refused as a conflict."""
    project.write(PATH, SCRIPT["source"])
    await edit(project, "t1", "int a;", "long a;")
    (project.root / PATH).unlink()
    (project.root / PATH).mkdir()
    assert (await project.refused("undoTurn", {"turnId": "t1"}, turn_id="t2")).code == "conflict"
