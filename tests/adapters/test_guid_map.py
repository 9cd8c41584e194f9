"""Guids, references and duplicates are those of the disk at once: after a call's write, after a scan, beside other threads."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.adapters.file_index import FileIndex, finish
from spark.adapters.file_tree import FileTree, Folder, ScanRun
from spark.adapters.tree_scan import TreeScan
from spark.core.paths import ProjectPath
from tests.adapters.watch_kit import guid, make_project, meta, scene, watching, write

Look = Callable[[FileIndex, Path, list[str]], None]


def by_refresh(index: FileIndex, root: Path, names: list[str]) -> None:
    index.refresh([ProjectPath(name) for name in names])


def by_scan(index: FileIndex, root: Path, names: list[str]) -> None:
    folders: dict[str, set[str]] = {}
    for name in names:
        folder, _, last = name.rpartition("/")
        folders.setdefault(folder, set()).add(last)
    finish(index.scan({folder: frozenset(last) for folder, last in folders.items()}))


def by_full_scan(index: FileIndex, root: Path, names: list[str]) -> None:
    finish(index.full_scan())


def by_restart(index: FileIndex, root: Path, names: list[str]) -> None:
    """The snapshot of before, and the scan of a warm start."""
    fresh = FileIndex(root, snapshot=root / "snapshot")
    assert fresh.load()
    finish(fresh.full_scan())
    index.__dict__.update(fresh.__dict__)


@pytest.mark.parametrize("look", [by_refresh, by_scan, by_full_scan, by_restart])
def test_every_change_of_an_asset_or_a_meta_shows_at_once(tmp_path: Path, look: Look) -> None:
    """Writing, renaming and deleting an asset or its `.meta` changes who has the guid, who names it, and what is double."""
    root = make_project(tmp_path)
    index = FileIndex(root, snapshot=root / "snapshot")
    finish(index.full_scan())
    index.save()
    player, copy = ProjectPath("Assets/Scripts/Player.cs"), ProjectPath("Assets/Copy.cs")
    # Asked before anything changes: what is kept from here on must follow.
    assert (index.path_of_guid(guid(2)), index.duplicate_guids()) == (player, {})
    write(root / "Assets/New.prefab", scene(2))
    look(index, root, ["Assets/New.prefab"])
    assert index.references_to(guid(2)) == (ProjectPath("Assets/Main.unity"), ProjectPath("Assets/New.prefab"))
    write(root / "Assets/New.prefab", scene(9))
    look(index, root, ["Assets/New.prefab"])
    assert (index.references_to(guid(2)), index.references_to(guid(9))) == (
        (ProjectPath("Assets/Main.unity"),),
        (ProjectPath("Assets/New.prefab"),),
    )
    os.rename(root / "Assets/New.prefab", root / "Assets/Old.prefab")
    look(index, root, ["Assets/New.prefab", "Assets/Old.prefab"])
    assert index.references_to(guid(9)) == (ProjectPath("Assets/Old.prefab"),)
    (root / "Assets/Old.prefab").unlink()
    look(index, root, ["Assets/Old.prefab"])
    assert index.references_to(guid(9)) == ()
    write(root / "Assets/Copy.cs.meta", meta(2))
    look(index, root, ["Assets/Copy.cs.meta"])
    assert (index.path_of_guid(guid(2)), index.duplicate_guids()) == (copy, {guid(2): (copy, player)})
    write(root / "Assets/Copy.cs.meta", meta(12))
    look(index, root, ["Assets/Copy.cs.meta"])
    assert (index.path_of_guid(guid(2)), index.path_of_guid(guid(12))) == (player, copy)
    assert index.duplicate_guids() == {}
    os.rename(root / "Assets/Copy.cs.meta", root / "Assets/Scripts/Moved.cs.meta")
    look(index, root, ["Assets/Copy.cs.meta", "Assets/Scripts/Moved.cs.meta"])
    assert index.path_of_guid(guid(12)) == ProjectPath("Assets/Scripts/Moved.cs")
    (root / "Assets/Scripts/Moved.cs.meta").unlink()
    look(index, root, ["Assets/Scripts/Moved.cs.meta"])
    assert index.path_of_guid(guid(12)) is None
    write(root / "Assets/Scripts/Player.cs.meta", "fileFormatVersion: 2\n<<<<<<< a\nguid: " + guid(2) + "\n")
    look(index, root, ["Assets/Scripts/Player.cs.meta"])
    assert index.path_of_guid(guid(2)) is None


async def test_what_a_call_wrote_is_known_before_the_next_call(tmp_path: Path) -> None:
    """The watcher's `refresh` needs no event: the guid of a new asset, and who names it, are there when it returns."""
    async with watching(make_project(tmp_path)) as watched:
        assert watched.index.path_of_guid(guid(5)) is None
        write(tmp_path / "Assets/Deep/Down/New.mat.meta", meta(5))
        write(tmp_path / "Assets/Deep/Down/Use.prefab", scene(5))
        watched.watcher.refresh(
            [ProjectPath("Assets/Deep/Down/New.mat.meta"), ProjectPath("Assets/Deep/Down/Use.prefab")]
        )
        assert watched.index.path_of_guid(guid(5)) == ProjectPath("Assets/Deep/Down/New.mat")
        assert watched.index.references_to(guid(5)) == (ProjectPath("Assets/Deep/Down/Use.prefab"),)
        (tmp_path / "Assets/Deep/Down/New.mat.meta").unlink()
        watched.watcher.refresh([ProjectPath("Assets/Deep/Down/New.mat.meta")])
        assert watched.index.path_of_guid(guid(5)) is None


names = st.sampled_from(["a", "b", "c/a", "c/b", "d/e/a"])
edits = st.lists(
    st.one_of(
        st.tuples(st.just("write"), names, st.integers(1, 3)),
        st.tuples(st.just("delete"), names, st.just(0)),
        st.tuples(st.just("move"), names, names),
    ),
    min_size=1,
    max_size=10,
)


@settings(deadline=None, max_examples=60)
@given(edits, st.sampled_from([by_refresh, by_scan, by_full_scan]))
def test_a_kept_map_equals_a_new_one(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, object]], look: Look
) -> None:
    """Whatever happens to metas, a map that followed every change answers as one that is made from the disk."""
    root = make_project(tmp_path_factory.mktemp("map"))
    index = FileIndex(root)
    finish(index.full_scan())
    index.duplicate_guids()
    for kind, name, value in steps:
        path = root / "Assets" / f"{name}.meta"
        touched = [f"Assets/{name}.meta"]
        if kind == "write":
            write(path, meta(100 + int(str(value))))
        elif kind == "delete":
            path.unlink(missing_ok=True)
        elif path.exists():
            target = root / "Assets" / f"{value}.meta"
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            touched.append(f"Assets/{value}.meta")
        look(index, root, touched)
        new = FileIndex(root)
        finish(new.full_scan())
        assert index.duplicate_guids() == new.duplicate_guids()
        for number in (2, 101, 102, 103):
            assert index.path_of_guid(guid(number)) == new.path_of_guid(guid(number))
    shutil.rmtree(root)


def test_the_first_questions_may_come_in_many_threads_while_files_change(tmp_path: Path) -> None:
    """Nobody is answered from a map that is half made, and no change gets lost in between."""
    root = make_project(tmp_path)
    for number in range(100, 1_100):
        write(root / "Assets" / f"Set{number // 50}" / f"a{number}.mat.meta", meta(number))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for round_number in range(6):
            index = FileIndex(root)
            finish(index.full_scan())
            missing: list[int] = []
            gate = threading.Barrier(4)

            def ask(index: FileIndex = index, missing: list[int] = missing, gate: threading.Barrier = gate) -> None:
                gate.wait()
                missing.extend(n for n in range(1_099, 100, -25) if index.path_of_guid(guid(n)) is None)

            threads = [threading.Thread(target=ask) for _ in range(3)]
            for thread in threads:
                thread.start()
            new = 5_000 + round_number
            write(root / "Assets/Set2/new.mat.meta", meta(new))
            gate.wait()
            index.refresh([ProjectPath("Assets/Set2/new.mat.meta")])
            for thread in threads:
                thread.join()
            assert missing == []
            assert index.path_of_guid(guid(new)) == ProjectPath("Assets/Set2/new.mat")
    finally:
        sys.setswitchinterval(interval)


def test_a_change_is_told_after_it_shows(tmp_path: Path) -> None:
    """Who makes a map while a change is on its way sees the new record, or is told of it: never neither."""
    root = make_project(tmp_path)
    tree = FileTree(str(root))
    scan = TreeScan(tree)
    shown: list[bool] = []

    def told(folder: Folder, name: str, before: bytes | None, after: bytes | None) -> None:
        shown.append(folder.files.get(name) is after)

    tree.on_meta = told
    later_ns = time.time_ns() + 60_000_000_000  # Nothing counts as freshly changed, or it would be read and told again.
    finish(scan.scan_all(ScanRun(later_ns, baseline=True)))
    write(root / "Assets/Scripts/Player.cs.meta", meta(60))
    (root / "Assets/Main.unity.meta").unlink()
    run = ScanRun(later_ns, baseline=False)
    finish(scan.scan_all(run))
    tree.remove(run)
    assert shown == [True] * 5


def test_clashes_with_packages_are_duplicates_as_soon_as_packages_are_known(tmp_path: Path) -> None:
    """A guid that an asset and a package give, or two packages, is named with all its places; it goes with its cause. The
    status never makes anybody read packages."""
    root = make_project(tmp_path)
    write(root / "Library/PackageCache/com.one@1.0.0/A.cs.meta", meta(2))
    write(root / "Library/PackageCache/com.one@1.0.0/B.cs.meta", meta(50))
    write(root / "Library/PackageCache/com.two@1.0.0/B.cs.meta", meta(50))
    index = FileIndex(root)
    finish(index.full_scan())
    assert index.duplicate_guids() == {}
    finish(index.full_scan())
    twice = {guid(50): (ProjectPath("Packages/com.one/B.cs"), ProjectPath("Packages/com.two/B.cs"))}
    mine = {guid(2): (ProjectPath("Assets/Scripts/Player.cs"), ProjectPath("Packages/com.one/A.cs"))}
    assert index.duplicate_guids() == mine | twice
    assert index.path_of_guid(guid(2)) == ProjectPath("Assets/Scripts/Player.cs")
    write(root / "Assets/Scripts/Player.cs.meta", meta(60))
    index.refresh([ProjectPath("Assets/Scripts/Player.cs.meta")])
    assert index.duplicate_guids() == twice
    write(root / "Assets/Scripts/Player.cs.meta", meta(2))
    index.refresh([ProjectPath("Assets/Scripts/Player.cs.meta")])
    assert index.duplicate_guids() == mine | twice
    (root / "Assets/Scripts/Player.cs.meta").unlink()
    index.refresh([ProjectPath("Assets/Scripts/Player.cs.meta")])
    shutil.rmtree(root / "Library/PackageCache/com.two@1.0.0")
    finish(index.full_scan())
    assert index.duplicate_guids() == {}
