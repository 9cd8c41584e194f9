"""The index says what lies in the project: by scans, by snapshot, by guid and reference."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import tempfile
import threading
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.adapters.file_index import FileIndex, finish
from spark.adapters.file_tree import FileDelta
from spark.adapters.index_record import ReadStopped
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectIndex
from tests.adapters.watch_kit import guid, indexed, make_project, meta, on_disk, scene, sha, write


def scanned(root: Path, *, snapshot: Path | None = None) -> FileIndex:
    index = FileIndex(root, snapshot=snapshot)
    finish(index.full_scan())
    return index


def ends(deltas: list[FileDelta]) -> dict[str, tuple[str | None, str | None]]:
    return {delta.path.text: (delta.before, delta.after) for delta in deltas}


def test_a_scan_finds_every_file_with_its_hash(tmp_path: Path) -> None:
    """The index equals an independent walk of the disk, sorted by path, and is complete."""
    make_project(tmp_path, files=50)
    index: ProjectIndex = scanned(tmp_path)
    found = [entry.path for entry in index.entries()]
    assert found == sorted(found)
    assert {entry.path.text: entry.sha256 for entry in index.entries()} == on_disk(tmp_path)
    assert len(index) == len(found)
    assert index.complete


def test_entries_of_a_folder_are_those_below_it(tmp_path: Path) -> None:
    """A folder's entries are sorted as whole paths, also where a file's name sorts between folder and content."""
    make_project(tmp_path)
    for name in ("A.cs", "A/b.cs", "A-b.cs", "A/B/c.cs", "AB.cs"):
        write(tmp_path / "Assets" / name, name)
    index = scanned(tmp_path)
    below = [entry.path.text for entry in index.entries(ProjectPath("Assets/A"))]
    assert below == ["Assets/A/B/c.cs", "Assets/A/b.cs"]
    everything = [entry.path.text for entry in index.entries()]
    assert everything == sorted(everything)
    assert list(index.entries(ProjectPath("Assets/Nowhere"))) == []


def test_an_entry_has_size_time_hash_and_the_guid_of_its_meta(tmp_path: Path) -> None:
    """One entry is what `stat` and the `.meta` beside it say; a `.meta` itself has no guid."""
    make_project(tmp_path)
    entry = scanned(tmp_path).entry(ProjectPath("Assets/Scripts/Player.cs"))
    found = (tmp_path / "Assets" / "Scripts" / "Player.cs").stat()
    assert entry is not None
    assert (entry.size, entry.mtime_ns, entry.guid) == (found.st_size, found.st_mtime_ns, guid(2))
    index = scanned(tmp_path)
    meta_entry = index.entry(ProjectPath("Assets/Scripts/Player.cs.meta"))
    assert meta_entry is not None
    assert meta_entry.guid is None
    assert index.entry(ProjectPath("Assets/Scripts")) is None
    assert index.entry(ProjectPath("Assets/None.cs")) is None


def test_before_the_first_scan_is_through_files_are_listed_and_progress_is_told(tmp_path: Path) -> None:
    """Calls are served during the first scan: names first, hashes as they are read, and the share that is read."""
    make_project(tmp_path, files=30)
    index = FileIndex(tmp_path)
    steps = index.full_scan()
    shares: list[tuple[int, int]] = []
    listed_unread = False
    while not index.complete:
        try:
            next(steps)
        except StopIteration:
            break
        progress = index.progress()
        shares.append((progress["read"], progress["files"]))
        listed_unread |= any(entry.sha256 is None for entry in index.entries())
        assert progress["complete"] is False
    assert listed_unread
    assert shares == sorted(shares, key=lambda share: (share[1], share[0]))
    assert index.progress() == {"files": len(index), "read": len(index), "complete": True}


def test_guids_lead_to_assets_and_folders_and_follow_every_change(tmp_path: Path) -> None:
    """A guid is found for assets and folders, moves with its `.meta`, and is forgotten with it."""
    make_project(tmp_path)
    index = scanned(tmp_path)
    assert index.path_of_guid(guid(2)) == ProjectPath("Assets/Scripts/Player.cs")
    assert index.path_of_guid(guid(1).upper()) == ProjectPath("Assets/Scripts")
    assert index.path_of_guid(guid(77)) is None
    assert index.path_of_guid("not a guid") is None
    os.rename(tmp_path / "Assets/Scripts/Player.cs.meta", tmp_path / "Assets/Player.cs.meta")
    write(tmp_path / "Assets/Main.unity.meta", meta(33))
    finish(index.full_scan())
    assert index.path_of_guid(guid(2)) == ProjectPath("Assets/Player.cs")
    assert index.path_of_guid(guid(3)) is None
    assert index.path_of_guid(guid(33)) == ProjectPath("Assets/Main.unity")
    (tmp_path / "Assets/Player.cs.meta").unlink()
    finish(index.scan({"Assets": frozenset(["Player.cs.meta"])}))
    assert index.path_of_guid(guid(2)) is None


def test_a_guid_given_twice_is_tolerated_and_listed(tmp_path: Path) -> None:
    """Two assets with one guid: the first by path answers, both are named, and the problem goes with its cause."""
    make_project(tmp_path)
    write(tmp_path / "Assets" / "Copy" / "Player.cs.meta", meta(2))
    index = scanned(tmp_path)
    both = (ProjectPath("Assets/Copy/Player.cs"), ProjectPath("Assets/Scripts/Player.cs"))
    assert index.path_of_guid(guid(2)) == both[0]
    assert index.duplicate_guids() == {guid(2): both}
    shutil.rmtree(tmp_path / "Assets" / "Copy")
    finish(index.full_scan())
    assert index.duplicate_guids() == {}
    assert index.path_of_guid(guid(2)) == both[1]


def test_references_are_found_in_every_kind_of_file_that_has_them(tmp_path: Path) -> None:
    """YAML assets, assembly definitions, UXML, addressable groups and importer settings name guids; a `.meta`'s own is none."""
    make_project(tmp_path)
    write(tmp_path / "Assets/Game.asmdef", '{"references": ["GUID:' + guid(2) + '"]}')
    write(tmp_path / "Assets/Panel.uxml", f'<Style src="project://database/Assets/a.uss?fileID=7&amp;guid={guid(2)}"/>')
    write(tmp_path / "Assets/Group.asset", f"%YAML 1.1\n--- !u!114 &1\n  - m_GUID: {guid(2)}\n")
    write(tmp_path / "Assets/Model.fbx.meta", meta(9) + f"  second: {{fileID: 1, guid: {guid(2)}, type: 2}}\n")
    write(tmp_path / "Assets/Note.txt", f"guid: {guid(2)}")
    write(tmp_path / "Assets/Hidden~/Old.unity", scene(2))
    index = scanned(tmp_path)
    expected = [
        "Assets/Game.asmdef",
        "Assets/Group.asset",
        "Assets/Main.unity",
        "Assets/Model.fbx.meta",
        "Assets/Panel.uxml",
    ]
    assert [path.text for path in index.references_to(guid(2))] == expected
    assert index.references_to(guid(9)) == ()
    many = [guid(number) for number in range(100, 140)]
    assert index.references_to_any([*many, guid(2)]) == index.references_to(guid(2))


def test_references_of_a_large_scene_are_all_found(tmp_path: Path) -> None:
    """A file that is read in pieces loses no reference at the seams."""
    make_project(tmp_path)
    numbers = range(1_000, 61_000)
    content = scene(*numbers)
    assert len(content) > 4_000_000
    write(tmp_path / "Assets" / "Big.unity", content)
    index = scanned(tmp_path)
    entry = index.entry(ProjectPath("Assets/Big.unity"))
    assert entry is not None
    assert entry.sha256 == sha(content)
    for number in random.Random(1).sample(numbers, 300):
        assert index.references_to(guid(number)) == (ProjectPath("Assets/Big.unity"),)


def test_names_that_differ_only_by_case_or_form_are_found(tmp_path: Path) -> None:
    """A path that another platform would take for an existing file or folder is told, an equal one is not."""
    make_project(tmp_path)
    write(tmp_path / "Assets" / unicodedata.normalize("NFD", "Äpfel.cs"), "x")
    index = scanned(tmp_path)

    def same(text: str) -> str | None:
        found = index.same_when_folded(ProjectPath(text))
        return found.text if found is not None else None

    assert same("Assets/Scripts/player.CS") == "Assets/Scripts/Player.cs"
    assert same("Assets/Scripts/Player.cs") is None
    assert same("Assets/scripts") == "Assets/Scripts"
    assert same("Assets/scripts/New.cs") == "Assets/Scripts"
    assert same("Assets/äpfel.cs") == "Assets/" + unicodedata.normalize("NFD", "Äpfel.cs")
    assert same("Assets/New.cs") is None


def test_dot_files_are_indexed_but_what_unity_ignores_has_no_guid(tmp_path: Path) -> None:
    """`.editorconfig` and `Samples~` are files of the project, not assets; `.git` is neither."""
    make_project(tmp_path)
    write(tmp_path / "Assets/.editorconfig", "root = true")
    write(tmp_path / "Packages/com.own/Samples~/Demo.cs", "class Demo {}")
    write(tmp_path / "Packages/com.own/Samples~/Demo.cs.meta", meta(50))
    write(tmp_path / "Packages/com.own/.git/config", "x")
    index = scanned(tmp_path)
    assert indexed(index) == on_disk(tmp_path)
    assert index.path_of_guid(guid(50)) is None
    demo = index.entry(ProjectPath("Packages/com.own/Samples~/Demo.cs"))
    assert demo is not None
    assert demo.guid is None


def test_guids_of_cached_packages_are_found_on_demand(tmp_path: Path) -> None:
    """A reference into a package outside the project's folders resolves to the path that Unity shows for it."""
    make_project(tmp_path)
    write(tmp_path / "Library/PackageCache/com.unity.ugui@1.0.0/Runtime/Button.cs.meta", meta(70))
    write(tmp_path / "Library/PackageCache/com.unity.ugui@1.0.0/Samples~/Old.cs.meta", meta(71))
    index = scanned(tmp_path)
    assert index.path_of_guid(guid(70)) == ProjectPath("Packages/com.unity.ugui/Runtime/Button.cs")
    assert index.path_of_guid(guid(71)) is None
    write(tmp_path / "Library/PackageCache/com.unity.new@2/New.cs.meta", meta(72))
    assert index.path_of_guid(guid(72)) == ProjectPath("Packages/com.unity.new/New.cs")


def test_only_changed_bytes_are_told(tmp_path: Path) -> None:
    """A second scan tells of new, changed and gone files with the hash before and after, not of touched ones."""
    make_project(tmp_path)
    index = scanned(tmp_path)
    player = tmp_path / "Assets/Scripts/Player.cs"
    old = sha(player.read_bytes())
    write(player, "class Player { int a; }")
    write(tmp_path / "Assets/New.cs", "class New {}")
    gone = sha((tmp_path / "Assets/Main.unity").read_bytes())
    (tmp_path / "Assets/Main.unity").unlink()
    os.utime(tmp_path / "Packages/manifest.json")
    assert ends(finish(index.full_scan())) == {
        "Assets/Scripts/Player.cs": (old, sha("class Player { int a; }")),
        "Assets/New.cs": (None, sha("class New {}")),
        "Assets/Main.unity": (gone, None),
    }
    assert finish(index.full_scan()) == []


def test_a_file_that_was_changed_just_before_it_was_read_is_read_again(tmp_path: Path) -> None:
    """Where a file system's clock is too coarse to show a second change, the bytes are looked at, until they are old enough."""
    make_project(tmp_path)
    player = tmp_path / "Assets/Scripts/Player.cs"
    now_ns = time.time_ns()
    index = FileIndex(tmp_path, wall_ns=lambda: now_ns)
    finish(index.full_scan())
    opened: list[str] = []
    real_open = os.open

    def noting(path: str, *rest: int) -> int:
        opened.append(str(path))
        return real_open(path, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", noting)
        finish(index.full_scan())
        assert str(player) in opened
        opened.clear()
        now_ns += 10_000_000_000
        finish(index.full_scan())
        assert str(player) in opened
        opened.clear()
        finish(index.full_scan())
        assert opened == []


def test_links_are_listed_looked_into_and_never_followed_in_circles(tmp_path: Path) -> None:
    """A linked folder's files are indexed as linked; links to where they lie, also by way of another, end."""
    project, outside = make_project(tmp_path / "project"), tmp_path / "outside"
    write(outside / "Shared.cs", "class Shared {}")
    write(outside / "Shared.cs.meta", meta(60))
    os.symlink(outside, project / "Assets/Shared")
    os.symlink(outside / "Shared.cs", project / "Assets/One.cs")
    os.symlink(project / "Assets", project / "Assets/Scripts/Round")
    os.symlink(project, project / "Assets/Up")
    os.symlink(outside / "nothing", project / "Assets/Broken.cs")
    write(outside / "Back" / "x.txt", "x")
    os.symlink(outside, outside / "Back" / "Again")
    index = scanned(project)
    paths = {entry.path.text for entry in index.entries()}
    assert paths - set(on_disk(project)) == {
        "Assets/Shared/Shared.cs",
        "Assets/Shared/Shared.cs.meta",
        "Assets/Shared/Back/x.txt",
        "Assets/One.cs",
    }
    assert index.is_linked(ProjectPath("Assets/Shared/Shared.cs"))
    assert index.is_linked(ProjectPath("Assets/One.cs"))
    assert not index.is_linked(ProjectPath("Assets/Main.unity"))
    assert index.linked_folders["Assets/Shared"] == str(outside)
    assert index.path_of_guid(guid(60)) == ProjectPath("Assets/Shared/Shared.cs")
    assert finish(index.full_scan()) == []


def test_names_that_are_no_text_are_left_out(tmp_path: Path) -> None:
    """Undecodable bytes in a file name, which only Linux allows, stop nothing."""
    make_project(tmp_path)
    bad = os.fsencode(tmp_path / "Assets") + b"/bad\xff.cs"
    descriptor = os.open(bad, os.O_CREAT | os.O_WRONLY)
    os.close(descriptor)
    os.mkfifo(tmp_path / "Assets" / "pipe")
    index = scanned(tmp_path)
    assert "Assets/Main.unity" in indexed(index)
    assert not any("bad" in path or "pipe" in path for path in indexed(index))


def test_a_snapshot_makes_the_next_start_warm(tmp_path: Path) -> None:
    """A loaded snapshot answers at once, is verified by the first scan, and knows what changed in between."""
    project, snapshot = make_project(tmp_path / "project", files=20), tmp_path / "snapshot"
    scanned(project, snapshot=snapshot).save()
    write(project / "Assets/Scripts/Player.cs", "class Player { int later; }")
    index = FileIndex(project, snapshot=snapshot)
    assert index.load()
    assert not index.complete
    assert index.path_of_guid(guid(2)) == ProjectPath("Assets/Scripts/Player.cs")
    assert ends(finish(index.full_scan())).keys() == {"Assets/Scripts/Player.cs"}
    assert indexed(index) == on_disk(project)


@pytest.mark.parametrize("at", [0, 13, 20, 40, -1])
def test_a_damaged_snapshot_is_ignored(tmp_path: Path, at: int) -> None:
    """One wrong byte anywhere, a cut or an empty file: the project is scanned afresh."""
    project, snapshot = make_project(tmp_path / "project"), tmp_path / "snapshot"
    scanned(project, snapshot=snapshot).save()
    good = snapshot.read_bytes()
    for bad in (good[:at] + bytes([good[at] ^ 1]) + good[at:][1:], good[: len(good) // 2], b"", good + b"x"):
        snapshot.write_bytes(bad)
        index = FileIndex(project, snapshot=snapshot)
        assert not index.load()
        assert finish(index.full_scan()) == []
        assert indexed(index) == on_disk(project)


def test_a_snapshot_of_another_folder_is_ignored(tmp_path: Path) -> None:
    """Records of one checkout are never taken for another's."""
    snapshot = tmp_path / "snapshot"
    scanned(make_project(tmp_path / "one"), snapshot=snapshot).save()
    assert not FileIndex(make_project(tmp_path / "two"), snapshot=snapshot).load()


def test_half_of_the_files_may_not_vanish_in_small_steps_either(tmp_path: Path) -> None:
    """What goes within ten seconds counts as at once; after that time each step counts for itself."""
    make_project(tmp_path, files=200)
    now_s = 0.0
    index = FileIndex(tmp_path, monotonic_s=lambda: now_s)
    finish(index.full_scan())
    folders = sorted((tmp_path / "Assets").glob("Area*"))
    for folder in folders[:10]:
        shutil.rmtree(folder)
        finish(index.scan({"Assets": frozenset([folder.name])}))
    assert index.halted is None
    shutil.rmtree(folders[10])
    finish(index.scan({"Assets": frozenset([folders[10].name])}))
    assert index.halted is not None
    now_s += 60
    finish(index.full_scan())
    assert index.halted is None
    assert indexed(index) == on_disk(tmp_path)


def test_files_that_something_explains_may_vanish(tmp_path: Path) -> None:
    """A branch switch that takes most files away is not held up."""
    make_project(tmp_path, files=100)
    index = FileIndex(tmp_path, may_vanish=lambda: True)
    finish(index.full_scan())
    shutil.rmtree(tmp_path / "Assets")
    assert len(finish(index.full_scan())) > 100
    assert index.halted is None


def test_a_scan_that_is_told_to_stop_stops_in_the_middle_of_a_large_file(tmp_path: Path) -> None:
    """The daemon's end does not wait for a video to be hashed."""
    make_project(tmp_path)
    write(tmp_path / "Assets" / "film.bytes", bytes(4_000_000))
    index = FileIndex(tmp_path)
    index.stop()
    with pytest.raises(ReadStopped):
        finish(index.full_scan())


def test_a_big_file_that_is_being_copied_is_read_when_it_is_done(tmp_path: Path) -> None:
    """Event scans do not hash a growing file over and over; a full scan always reads."""
    make_project(tmp_path)
    index = scanned(tmp_path)
    film = tmp_path / "Assets" / "film.bytes"
    write(film, bytes(20_000_000))
    assert finish(index.scan({"Assets": frozenset(["film.bytes"])})) == []
    assert index.growing == [("Assets", "film.bytes")]
    old_ns = time.time_ns() - 5_000_000_000
    os.utime(film, ns=(old_ns, old_ns))
    assert ends(finish(index.scan({"Assets": frozenset(["film.bytes"])}))).keys() == {"Assets/film.bytes"}
    assert index.growing == []


def test_readers_are_never_disturbed_by_a_scan(tmp_path: Path) -> None:
    """Entries may be listed and refreshed in other threads while everything changes."""
    make_project(tmp_path, files=200)
    index = scanned(tmp_path)
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                # A file that vanishes while it is read has no hash for that moment: that is no disturbance.
                assert all(entry.path.text.startswith("Assets/") or entry.sha256 for entry in index.entries())
                index.path_of_guid(guid(2))
                index.references_to(guid(2))
                index.refresh([ProjectPath("Assets/Area0/File0.txt")])
        except BaseException as error:  # noqa: BLE001 shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for round_number in range(8):
        for number in range(0, 200, 7):
            write(tmp_path / "Assets" / f"Area{number // 10}" / f"File{number}.txt", f"round {round_number} {number}")
        shutil.rmtree(tmp_path / "Assets" / f"Area{round_number}")
        finish(index.full_scan())
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    finish(index.full_scan())
    assert indexed(index) == on_disk(tmp_path)


names = st.sampled_from(["a", "b.cs", "b.cs.meta", "B.cs", "c~", ".d", "é.txt"])
places = st.lists(names, min_size=1, max_size=3).map("/".join)
edits = st.lists(
    st.one_of(
        st.tuples(st.just("write"), places, st.integers(0, 3)),
        st.tuples(st.just("delete"), places, st.just(0)),
        st.tuples(st.just("move"), places, places),
    ),
    max_size=8,
)


def apply(root: Path, edit: tuple[str, str, int | str]) -> set[tuple[str, str]]:
    """Carries one edit out; answers the (folder, name) pairs that a source of events would name."""
    kind, text, value = edit
    path = root / text
    try:
        if kind == "write":
            made = next((p for p in [*reversed(path.parents), path] if not p.exists()), path)
            write(path, f"content {value}")
            return {(made.parent.relative_to(root.parent).as_posix(), made.name)}
        if kind == "delete":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            return {(path.parent.relative_to(root.parent).as_posix(), path.name)}
        target = root / str(value)
        os.rename(path, target)
    except OSError:
        return set()
    return {(p.parent.relative_to(root.parent).as_posix(), p.name) for p in (path, target)}


@settings(deadline=None, max_examples=250)
@given(st.lists(edits, min_size=1, max_size=4), st.booleans())
def test_after_any_edits_a_scan_makes_the_index_equal_to_the_disk(
    rounds: list[list[tuple[str, str, int | str]]], full: bool
) -> None:
    """Files become folders and back, names change case, whole trees move: the index equals the disk, and what it told is
    exactly the difference."""
    root = Path(tempfile.mkdtemp(prefix="spark-index-"))
    try:
        make_project(root)
        index = scanned(root)
        for round_of_edits in rounds:
            before = on_disk(root)
            dirty: dict[str, set[str]] = {}
            for edit in round_of_edits:
                for folder, name in apply(root / "Assets", edit):
                    dirty.setdefault(folder, set()).add(name)
            steps = index.full_scan() if full else index.scan({key: frozenset(value) for key, value in dirty.items()})
            deltas = finish(steps)
            after = on_disk(root)
            assert indexed(index) == after
            assert len(index) == len(after)
            told: dict[str, tuple[str | None, str | None]] = {}
            for delta in deltas:
                told[delta.path.text] = (told.get(delta.path.text, (delta.before, None))[0], delta.after)
            changed = {
                p: (before.get(p), after.get(p)) for p in before.keys() | after.keys() if before.get(p) != after.get(p)
            }
            assert {path: pair for path, pair in told.items() if pair[0] != pair[1]} == changed
    finally:
        shutil.rmtree(root)


def test_hashes_are_sha256_of_the_bytes(tmp_path: Path) -> None:
    """Empty files and files of exactly a piece's size are hashed right."""
    make_project(tmp_path)
    for size in (0, 1, 1024 * 1024, 1024 * 1024 + 1):
        write(tmp_path / "Assets" / f"{size}.bytes", b"\x07" * size)
    found = indexed(scanned(tmp_path))
    for size in (0, 1, 1024 * 1024, 1024 * 1024 + 1):
        assert found[f"Assets/{size}.bytes"] == hashlib.sha256(b"\x07" * size).hexdigest()
