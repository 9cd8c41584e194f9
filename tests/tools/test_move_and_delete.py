"""Moving and deleting: metas go along, nothing is overwritten, references stay whole."""

from __future__ import annotations

from typing import Any

import pytest

from spark.core import limits
from spark.core.paths import ProjectPath
from tests.fakes.project import FakeProject


async def test_a_file_moves_with_its_meta(project: FakeProject) -> None:
    """A moved file keeps its bytes and its guid; new folders get metas."""
    guid = project.write("Assets/a.bin", b"\x00\x01", meta=True)
    result = await project.call("moveAsset", {"from": "Assets/a.bin", "to": "Assets/New/Sub/b.bin"})
    assert (result["path"], result["guid"], result["files"]) == ("Assets/New/Sub/b.bin", guid, 1)
    assert project.read("Assets/New/Sub/b.bin") == b"\x00\x01"
    assert guid.encode() in (project.read("Assets/New/Sub/b.bin.meta") or b"")
    assert {"Assets/New.meta", "Assets/New/Sub.meta"} <= set(project.snapshot())
    assert project.read("Assets/a.bin") is None
    assert [v.action for v in project.store.versions if v.path.endswith("b.bin")] == ["moved"]


async def test_a_folder_moves_whole(project: FakeProject) -> None:
    """A folder moves with all that is in it, hidden files and metas too, and its old place is gone."""
    project.write("Assets/F/a.txt", "a", meta=True)
    project.write("Assets/F/Sub/b.txt", "b", meta=True)
    project.write("Assets/F/Sub.meta", "guid: " + "c" * 32 + "\nfolderAsset: yes\n")
    project.write("Assets/F/.hidden", "h")
    project.write("Assets/F.meta", "guid: " + "d" * 32 + "\nfolderAsset: yes\n")
    before = {name.replace("Assets/F", "Assets/G"): content for name, content in project.snapshot().items()}
    result = await project.call("moveAsset", {"from": "Assets/F", "to": "Assets/G"})
    assert project.snapshot() == before
    assert not (project.root / "Assets/F").exists()
    assert (result["guid"], result["files"]) == ("d" * 32, 3)


async def test_a_file_without_meta_gets_one(project: FakeProject) -> None:
    """A file that Unity has not seen yet gets its meta at the new place."""
    project.write("Assets/a.txt", "a")
    await project.call("moveAsset", {"from": "Assets/a.txt", "to": "Assets/b.txt"})
    assert set(project.snapshot()) == {"Assets/b.txt", "Assets/b.txt.meta"}


async def test_renaming_by_case(project: FakeProject) -> None:
    """A file may be renamed by case alone."""
    project.write("Assets/hero.cs", "x", meta=True)
    await project.call("moveAsset", {"from": "Assets/hero.cs", "to": "Assets/Hero.cs"})
    assert set(project.snapshot()) == {"Assets/Hero.cs", "Assets/Hero.cs.meta"}


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        ("Assets/a.txt", "Assets/b.txt", "already_exists"),
        ("Assets/a.txt", "Assets/B.TXT", "already_exists"),
        ("Assets/a.txt", "Assets/F", "already_exists"),
        ("Assets/a.txt", "Assets/f/a.txt", "already_exists"),
        ("Assets/a.txt", "Assets/a.txt", "invalid_arguments"),
        ("Assets/a.txt", "Assets/b.txt/c.txt", "invalid_arguments"),
        ("Assets/F", "Assets/F/G", "invalid_arguments"),
        ("Assets/a.txt.meta", "Assets/c.txt.meta", "invalid_arguments"),
        ("Assets/none.txt", "Assets/c.txt", "not_found"),
        ("Assets/a.txt", "../c.txt", "path_outside_project"),
        ("Assets/a.txt", "Packages/com.x/c.txt", "protected_path"),
        ("Assets", "Assets2", "protected_path"),
        ("Assets/Empty", "Assets/E", "unsupported_asset"),
    ],
)
async def test_move_refusals(project: FakeProject, source: str, target: str, code: str) -> None:
    """Moves that would overwrite, clash by case, or go nowhere are refused; nothing is written."""
    project.write("Assets/a.txt", "a", meta=True)
    project.write("Assets/b.txt", "b", meta=True)
    project.write("Assets/F/c.txt", "c", meta=True)
    (project.root / "Assets/Empty").mkdir()
    assert (await project.refused("moveAsset", {"from": source, "to": target})).code == code


async def test_moves_into_embedded_packages(project: FakeProject) -> None:
    """An embedded package is a place like any other, its folders get metas."""
    project.write("Packages/com.x/package.json", "{}")
    project.write("Assets/a.txt", "a", meta=True)
    await project.call("moveAsset", {"from": "Assets/a.txt", "to": "Packages/com.x/Runtime/a.txt"})
    assert "Packages/com.x/Runtime.meta" in project.snapshot()
    assert "Packages/com.x.meta" not in project.snapshot()


async def test_deleting_a_file_and_a_folder(project: FakeProject) -> None:
    """A deleted file or folder goes with all metas, and is marked for the rule that asks before many."""
    project.write("Assets/a.txt", "a", meta=True)
    project.write("Assets/F/b.txt", "b", meta=True)
    project.write("Assets/F.meta", "guid: " + "d" * 32 + "\nfolderAsset: yes\n")
    answer = await project.prepare("deleteAsset", {"path": "Assets/F"})
    assert ProjectPath("Assets/F/b.txt") in answer.changes.overwrites
    assert answer.changes.merge is False
    await project.call("deleteAsset", {"path": "Assets/F"})
    await project.call("deleteAsset", {"path": "Assets/a.txt"})
    assert project.snapshot() == {}
    assert not (project.root / "Assets/F").exists()


async def test_deletion_while_something_refers_to_it(project: FakeProject) -> None:
    """It is refused with who refers to it; with force it goes and the answer names them; referrers that go too do not
    count."""
    guid = project.write("Assets/F/red.mat", "red", meta=True)
    project.write("Assets/F/in.prefab", f"guid: {guid}\n", meta=True)
    error = await project.refused("deleteAsset", {"path": "Assets/F/red.mat"})
    assert (error.code, error.details["referrers"]) == (
        "broken_reference",
        {"Assets/F/red.mat": ["Assets/F/in.prefab"]},
    )
    assert (await project.prepare("deleteAsset", {"path": "Assets/F"})).changes
    project.write("Assets/out.prefab", f"guid: {guid}\n", meta=True)
    error = await project.refused("deleteAsset", {"path": "Assets/F"})
    assert error.details["count"] == 1
    result = await project.call("deleteAsset", {"path": "Assets/F", "force": True})
    assert result["brokenReferences"] == {"Assets/F/red.mat": ["Assets/out.prefab"]}


async def test_deletion_before_references_are_known(project: FakeProject) -> None:
    """Before the first scan is through nobody can say that nothing refers to it."""
    project.write("Assets/a.mat", "a", meta=True)
    project.index.complete = False
    assert (await project.refused("deleteAsset", {"path": "Assets/a.mat"})).code == "broken_reference"


async def test_bytes_that_cannot_be_kept(project: FakeProject) -> None:
    """A file too big for the history is not deleted, and the Editor with its trash is named."""
    place = project.root / "Assets/huge.bin"
    with place.open("wb") as file:
        file.truncate(limits.KEPT_DELETE_BYTES + 1)
    # A sparse file: its bytes are never read here.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(project, "snapshot", lambda: {"size": place.stat().st_size})
        error = await project.refused("deleteAsset", {"path": "Assets/huge.bin"})
    assert (error.code, "Editor" in error.hint) == ("too_large", True)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("Assets/none.txt", "not_found"),
        ("Assets/a.txt.meta", "invalid_arguments"),
        ("Assets", "protected_path"),
        ("ProjectSettings/ProjectSettings.asset", "protected_path"),
        ("Assets/link.txt", "path_outside_project"),
    ],
)
async def test_delete_refusals(project: FakeProject, path: str, code: str) -> None:
    """What must not be deleted is refused by its code."""
    project.write("Assets/a.txt", "a", meta=True)
    project.write("ProjectSettings/ProjectSettings.asset", "x")
    (project.root / "Assets/link.txt").symlink_to(project.root / "Assets/a.txt")
    assert (await project.refused("deleteAsset", {"path": path})).code == code


async def test_a_deletion_is_undone(project: FakeProject) -> None:
    """What was deleted or moved comes back by `undoTurn`, byte for byte."""
    project.write("Assets/F/a.txt", "a", meta=True)
    project.write("Assets/F/b.bin", b"\x00", meta=True)
    project.write("Assets/F.meta", "guid: " + "d" * 32 + "\nfolderAsset: yes\n")
    before: dict[str, Any] = project.snapshot()
    await project.call("moveAsset", {"from": "Assets/F/a.txt", "to": "Assets/G/a.txt"}, turn_id="t1")
    await project.call("deleteAsset", {"path": "Assets/F"}, turn_id="t1")
    result = await project.call("undoTurn", {"turnId": "t1"}, turn_id="t2")
    assert project.snapshot() == before
    assert sorted(result["files"]) == ["Assets/F/a.txt", "Assets/F/b.bin", "Assets/G/a.txt"]


async def test_the_name_inside_an_asset_follows_its_file(project: FakeProject) -> None:
    """A renamed asset is renamed inside as well, the diff shows it, and the guid stays."""
    guid = project.write("Assets/Ruby.mat", "m_Name: Ruby\n", meta=True)
    prepared = await project.prepare("moveAsset", {"from": "Assets/Ruby.mat", "to": "Assets/Gem.mat"})
    assert "+m_Name: Gem" in prepared.diff
    result = await project.call("moveAsset", {"from": "Assets/Ruby.mat", "to": "Assets/Gem.mat"})
    assert project.read("Assets/Gem.mat") == b"m_Name: Gem\n"
    assert result["guid"] == guid


@pytest.mark.parametrize("target", ["Assets/Hero.txt", "Assets/.old/Hero.cs", "Assets/Old~/Hero.cs"])
async def test_a_move_that_would_cost_references_is_refused(project: FakeProject, target: str) -> None:
    """Another file type, or a place that Unity skips, is refused while somebody refers to the asset; else it may go."""
    guid = project.write("Assets/Hero.cs", "class Hero {}", meta=True)
    project.write("Assets/a.prefab", f"m_Script: {{fileID: 11500000, guid: {guid}, type: 3}}\n", meta=True)
    refusal = await project.refused("moveAsset", {"from": "Assets/Hero.cs", "to": target})
    assert refusal.code == "broken_reference"
    assert refusal.details["referrers"] == {"Assets/Hero.cs": ["Assets/a.prefab"]}
    project.user_saves("Assets/a.prefab", b"m_Script: {fileID: 0}\n")
    await project.call("moveAsset", {"from": "Assets/Hero.cs", "to": target})
    assert project.read(target) == b"class Hero {}"
