"""Changes that are neither SPARK's nor git's become versions of the user's; git's become one event."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from spark.adapters.database import Database
from spark.adapters.file_index import FileIndex
from spark.adapters.git_evidence import GitEvidence
from spark.adapters.git_place import GitPlaceReader
from spark.adapters.user_edits import Recorder, UserEdits
from spark.adapters.version_store import SqliteVersionStore
from spark.adapters.watcher import Watcher
from spark.core.errors import Unavailable
from spark.core.paths import ProjectPath
from spark.core.versions import Observed, Provenance, Version
from tests.adapters.watch_kit import (
    DEADLINE_S,
    FakeClock,
    FakeStore,
    git,
    make_project,
    on_disk,
    sha,
    until,
    write,
)

PLAYER = "Assets/Scripts/Player.cs"


@dataclass
class Recording:
    watcher: Watcher
    index: FileIndex
    edits: UserEdits
    clock: FakeClock

    async def settled(self) -> None:
        """All that is on disk is seen and recorded (or held back for a reason)."""
        await self.watcher.caught_up(DEADLINE_S)
        await self.edits.flush()


@asynccontextmanager
async def recording(
    root: Path,
    store: FakeStore,
    *,
    snapshot: Path | None = None,
    recorder: Recorder | None = None,
    quiet_s: float = 3_600.0,
    max_file_bytes: int = 1_000_000,
) -> AsyncGenerator[Recording]:
    """Watcher and recorder as the daemon wires them. With the default `quiet_s` only `flush` records."""
    clock, reader = FakeClock(), GitPlaceReader(root)
    edits: UserEdits
    index = FileIndex(root, snapshot=snapshot, may_vanish=lambda: edits.head_moved())
    watcher = Watcher(
        index,
        lambda deltas: edits.note(deltas),
        clock=clock,
        may_save=lambda: edits.pending == 0,
        flush=lambda: edits.flush(),
    )
    edits = UserEdits(
        str(root),
        recorder or store,
        store,
        login="me",
        git_place=reader.read,
        clock=clock,
        evidence=GitEvidence(root),
        is_scanning=lambda: watcher.busy,
        is_halted=lambda: index.halted is not None,
        quiet_s=quiet_s,
        longest_s=quiet_s * 10,
        max_file_bytes=max_file_bytes,
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(watcher.run()), group.create_task(edits.run())]
        try:
            await watcher.caught_up(DEADLINE_S)
            await edits.flush()
            yield Recording(watcher, index, edits, clock)
        finally:
            for task in tasks:
                task.cancel()


async def test_an_edit_becomes_a_version_of_the_user_with_its_bytes(tmp_path: Path) -> None:
    """A save in an editor is recorded with the user's name, the bytes and whether the file is new."""
    make_project(tmp_path)
    store = FakeStore()
    async with recording(tmp_path, store) as running:
        write(tmp_path / PLAYER, "class Player { int edited; }")
        write(tmp_path / "Assets/New.cs", "class New {}")
        (tmp_path / "Assets/Main.unity").unlink()
        await running.settled()
    rows = {item.path.text: item for item, _ in store.rows}
    assert rows[PLAYER].content == b"class Player { int edited; }"
    assert not rows[PLAYER].created
    assert rows["Assets/New.cs"].created
    assert rows["Assets/Main.unity"].sha256 is None
    assert {(by.author.kind, by.author.name) for _, by in store.rows} == {("user", "me")}


async def test_what_the_first_start_finds_is_no_history(tmp_path: Path) -> None:
    """A project that SPARK sees for the first time makes no versions, however many files it has."""
    make_project(tmp_path, files=100)
    store = FakeStore()
    async with recording(tmp_path, store):
        pass
    assert store.rows == []
    assert store.events == []


async def test_saves_in_quick_succession_are_one_version_once_it_is_quiet(tmp_path: Path) -> None:
    """Only what a file held when it was quiet is recorded, by itself, without a flush."""
    make_project(tmp_path)
    store = FakeStore()
    async with recording(tmp_path, store, quiet_s=0.6) as running:
        for number in range(5):
            write(tmp_path / PLAYER, f"class Player {{ int a{number}; }}")
            await until(lambda: running.edits.pending == 1, "seen")
        await until(lambda: running.edits.pending == 0, "recorded")
    assert store.contents(PLAYER) == [b"class Player { int a4; }"]


async def test_a_file_that_is_never_quiet_is_recorded_after_the_longest_wait(tmp_path: Path) -> None:
    """Somebody who saves all the time still gets versions."""
    make_project(tmp_path)
    store = FakeStore()
    async with recording(tmp_path, store, quiet_s=0.2) as running:
        number = 0

        def keeps_saving() -> bool:
            nonlocal number
            number += 1
            write(tmp_path / PLAYER, f"class Player {{ int a{number}; }}")
            return bool(store.rows)

        await until(keeps_saving, "a version in spite of it")
        assert running.edits.pending <= 1


async def test_own_writes_and_edits_that_cancel_out_are_no_edits(tmp_path: Path) -> None:
    """Bytes that SPARK wrote, a file that came and went, and a change that was taken back are not recorded."""
    make_project(tmp_path)
    store = FakeStore()
    async with recording(tmp_path, store) as running:
        running.edits.expect(ProjectPath(PLAYER), sha("class Player { int own; }"))
        write(tmp_path / PLAYER, "class Player { int own; }")
        write(tmp_path / "Assets/Fleeting.cs", "x")
        main = (tmp_path / "Assets/Main.unity").read_bytes()
        write(tmp_path / "Assets/Main.unity", "other")
        await running.watcher.caught_up(DEADLINE_S)
        (tmp_path / "Assets/Fleeting.cs").unlink()
        write(tmp_path / "Assets/Main.unity", main)
        await running.settled()
        assert store.rows == []
        write(tmp_path / PLAYER, "class Player { int edited; }")
        await running.settled()
        write(tmp_path / PLAYER, "class Player { int own; }")
        await running.settled()
    assert store.contents(PLAYER) == [b"class Player { int edited; }", b"class Player { int own; }"]


async def test_editors_leavings_and_linked_files_are_not_recorded(tmp_path: Path) -> None:
    """Swap files, backups and system files are nobody's work; what lies behind a link is not this project's."""
    project, outside = make_project(tmp_path / "project"), tmp_path / "outside"
    write(outside / "Shared.cs", "x")
    os.symlink(outside, project / "Assets/Shared")
    store = FakeStore()
    async with recording(project, store) as running:
        for name in (
            ".DS_Store",
            ".Player.cs.swp",
            "Player.cs~",
            "#Player.cs#",
            ".#Player.cs",
            "~RF1.TMP",
            "Thumbs.db",
        ):
            write(project / "Assets" / name, "x")
        write(outside / "Shared.cs", "y")
        write(project / "Assets/.editorconfig", "root = true")
        await running.settled()
    assert store.paths() == ["Assets/.editorconfig"]


async def test_bytes_of_big_binary_files_are_not_kept_but_text_is(tmp_path: Path) -> None:
    """Over the limit only text comes with its bytes; the hash is always that of the file."""
    make_project(tmp_path)
    store = FakeStore()
    async with recording(tmp_path, store, max_file_bytes=1_000) as running:
        write(tmp_path / "Assets/film.bytes", b"\0" * 2_000)
        write(tmp_path / "Assets/small.bytes", b"\0" * 500)
        write(tmp_path / "Assets/Big.unity", "%YAML 1.1\n" * 500)
        await running.settled()
    kept = {item.path.text: (item.sha256, item.content is not None) for item, _ in store.rows}
    assert kept == {
        "Assets/film.bytes": (sha(b"\0" * 2_000), False),
        "Assets/small.bytes": (sha(b"\0" * 500), True),
        "Assets/Big.unity": (sha("%YAML 1.1\n" * 500), True),
    }


def repository(root: Path, files: int) -> None:
    """Branches `main` and `other` that differ in `files` files, some new, some gone."""
    make_project(root, files=files)
    write(root / ".gitignore", "ignored.txt\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    git(root, "switch", "-q", "-c", "other")
    for number in range(files):
        path = root / "Assets" / f"Area{number // 10}" / f"File{number}.txt"
        path.unlink() if number % 10 == 9 else path.write_text(f"other {number}\n")
    write(root / "Assets/OnlyOther.txt", "x")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "two")
    git(root, "switch", "-q", "main")


def difference(before: dict[str, str], after: dict[str, str]) -> dict[str, str | None]:
    return {path: after.get(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


async def test_a_branch_switch_is_one_event_and_a_simultaneous_edit_is_still_the_users(tmp_path: Path) -> None:
    """Hundreds of files that git wrote are one row with their hashes; the file that the user saved meanwhile, the one he
    deleted and the one that git does not know are his."""
    repository(tmp_path, 300)
    store = FakeStore()
    async with recording(tmp_path, store) as running:
        before = on_disk(tmp_path)
        git(tmp_path, "switch", "-q", "other")
        after = on_disk(tmp_path)
        write(tmp_path / PLAYER, "class Player { int mine; }")
        write(tmp_path / "Assets/Area0/File0.txt", "mine, on top of git's\n")
        (tmp_path / "Assets/Area1/File10.txt").unlink()
        write(tmp_path / "Assets/ignored.txt", "unknown to git")
        await running.settled()
    assert len(store.events) == 1
    place_before, place_after, paths = store.events[0]
    assert (place_before.branch, place_after.branch) == ("main", "other")
    assert place_before.head != place_after.head
    mine = {PLAYER, "Assets/Area0/File0.txt", "Assets/Area1/File10.txt", "Assets/ignored.txt"}
    assert paths == {path: value for path, value in difference(before, after).items() if path not in mine}
    assert set(store.paths()) == mine
    assert store.contents("Assets/Area0/File0.txt") == [b"mine, on top of git's\n"]
    assert all(by.git == place_after for _, by in store.rows)


async def test_a_branch_switch_is_recorded_by_itself_once_it_has_settled(tmp_path: Path) -> None:
    """Without a flush, too, the whole burst is one event and no edit."""
    repository(tmp_path, 1_000)
    store = FakeStore()
    async with recording(tmp_path, store, quiet_s=1.0) as running:
        before = on_disk(tmp_path)
        await asyncio.to_thread(git, tmp_path, "switch", "-q", "other")
        after = on_disk(tmp_path)
        await until(lambda: bool(store.events) and running.edits.pending == 0, "the event")
    assert len(store.events) == 1
    assert store.events[0][2] == difference(before, after)
    assert store.rows == []


async def test_while_git_is_at_work_nothing_is_recorded(tmp_path: Path) -> None:
    """A long checkout is not taken for edits before its end, when HEAD has not moved yet."""
    repository(tmp_path, 20)
    store = FakeStore()
    async with recording(tmp_path, store) as running:
        write(tmp_path / ".git/index.lock", "")
        write(tmp_path / "Assets/Area0/File0.txt", "other 0\n")
        await running.settled()
        assert store.rows == []
        assert running.edits.pending == 1
        (tmp_path / ".git/index.lock").unlink()
        git(tmp_path, "switch", "-q", "-f", "other")
        await running.settled()
    assert store.rows == []
    assert "Assets/Area0/File0.txt" in store.events[0][2]


@pytest.mark.parametrize("action", ["merge", "reset", "rebase", "cherry-pick"])
async def test_every_way_in_which_git_moves_head_and_writes_files_is_an_event(tmp_path: Path, action: str) -> None:
    """HEAD may move on the same branch: the files are still git's."""
    repository(tmp_path, 20)
    if action == "rebase":
        write(tmp_path / "Assets/Main2.unity", "main only")
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", "three")
    store = FakeStore()
    arguments = {
        "merge": ["merge", "-q", "other"],
        "reset": ["reset", "-q", "--hard", "other"],
        "rebase": ["rebase", "-q", "other"],
        "cherry-pick": ["cherry-pick", "other"],
    }
    async with recording(tmp_path, store) as running:
        before = on_disk(tmp_path)
        git(tmp_path, *arguments[action])
        await running.settled()
    assert [event[2] for event in store.events] == [difference(before, on_disk(tmp_path))]
    assert store.rows == []


async def test_an_edit_that_is_committed_at_once_is_still_the_users(tmp_path: Path) -> None:
    """A commit writes nothing: what it commits was somebody's edit."""
    repository(tmp_path, 10)
    store = FakeStore()
    async with recording(tmp_path, store) as running:
        write(tmp_path / PLAYER, "class Player { int committed; }")
        git(tmp_path, "commit", "-qam", "mine")
        await running.settled()
    assert store.contents(PLAYER) == [b"class Player { int committed; }"]
    assert store.events == []


@pytest.mark.parametrize("arguments", [["checkout", "-q", "--", "Assets"], ["stash", "-q"]])
async def test_git_without_a_move_of_head_makes_edits(tmp_path: Path, arguments: list[str]) -> None:
    """Taking changes back with git is the user's doing, and the bytes are kept."""
    repository(tmp_path, 10)
    store = FakeStore()
    async with recording(tmp_path, store) as running:
        write(tmp_path / PLAYER, "class Player { int dropped; }")
        await running.settled()
        git(tmp_path, *arguments)
        await running.settled()
    assert store.contents(PLAYER) == [b"class Player { int dropped; }", b"class Player {}\n"]
    assert store.events == []


async def test_what_happened_while_the_daemon_was_away_is_recorded_at_the_start(tmp_path: Path) -> None:
    """Edits in between become versions; a branch switch in between becomes one event."""
    project, snapshot, store = tmp_path / "project", tmp_path / "snapshot", FakeStore()
    repository(project, 50)
    async with recording(project, store, snapshot=snapshot):
        pass
    write(project / PLAYER, "class Player { int away; }")
    async with recording(project, store, snapshot=snapshot) as running:
        await running.settled()
        assert store.contents(PLAYER) == [b"class Player { int away; }"]
        assert store.events == []
        before = on_disk(project)
    git(project, "stash", "-q")
    git(project, "switch", "-q", "other")
    write(project / "Assets/Area0/File1.txt", "mine")
    after = on_disk(project)
    async with recording(project, store, snapshot=snapshot) as running:
        await running.settled()
    assert len(store.events) == 1
    expected = difference(before, after)
    del expected["Assets/Area0/File1.txt"]
    assert store.events[0][2] == expected
    assert store.contents("Assets/Area0/File1.txt") == [b"mine"]


async def test_a_switch_that_takes_most_files_away_is_not_held_up(tmp_path: Path) -> None:
    """git explains why more than half of the project is gone."""
    repository(tmp_path, 100)
    git(tmp_path, "switch", "-q", "--orphan", "empty")
    make_project(tmp_path)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "empty")
    git(tmp_path, "switch", "-q", "main")
    store = FakeStore()
    async with recording(tmp_path, store) as running:
        git(tmp_path, "switch", "-q", "empty")
        await running.settled()
        assert running.index.halted is None
    assert len(store.events) == 1
    assert sum(value is None for value in store.events[0][2].values()) == 100
    assert store.rows == []


async def test_files_that_vanish_are_not_recorded_as_deleted_while_it_is_halted(tmp_path: Path) -> None:
    """Not one deletion goes into the history before it is confirmed, then all do."""
    make_project(tmp_path, files=80)
    store = FakeStore()
    async with recording(tmp_path, store) as running:
        shutil.rmtree(tmp_path / "Assets")
        await running.settled()
        assert running.index.halted is not None
        assert store.rows == []
        running.watcher.resume()
        await running.settled()
    assert len(store.rows) == 85
    assert all(item.sha256 is None for item, _ in store.rows)


class UnavailableStore(FakeStore):
    """Cannot be written to for a while."""

    away = True

    def record_observed(self, observed: list[Observed], by: Provenance) -> list[Version]:  # type: ignore[override]
        if self.away:
            raise Unavailable("internal", "the history is locked")
        return super().record_observed(observed, by)


async def test_a_store_that_is_away_loses_no_edit(tmp_path: Path) -> None:
    """What cannot be recorded now is kept waiting, the status says so, and it is recorded later."""
    make_project(tmp_path)
    store = UnavailableStore()
    async with recording(tmp_path, store) as running:
        write(tmp_path / PLAYER, "class Player { int kept; }")
        await running.settled()
        assert running.edits.view() == {"pending": 1, "problem": "the history is locked"}
        store.away = False
        await running.edits.flush()
        assert running.edits.view() == {"pending": 0, "problem": ""}
    assert store.contents(PLAYER) == [b"class Player { int kept; }"]


async def test_with_the_real_history_edits_and_events_are_what_it_knows(tmp_path: Path) -> None:
    """The SQLite store holds the user's bytes, one row for the switch, and the hash of every file that changed."""
    project = tmp_path / "project"
    repository(project, 50)
    clock = FakeClock()
    database = Database(tmp_path / "store.db")
    history = SqliteVersionStore(database, clock)
    try:
        async with recording(project, FakeStore(), recorder=history) as running:
            write(project / PLAYER, "class Player { int edited; }")
            await running.settled()
            version = history.latest(ProjectPath(PLAYER))
            assert version is not None
            assert (version.author.kind, version.author.name, version.parent_id) == ("user", "me", None)
            assert history.content(str(version.sha256)) == b"class Player { int edited; }"
            before = on_disk(project)
            git(project, "switch", "-q", "other")
            write(project / PLAYER, "class Player { int edited, again; }")
            await running.settled()
            page = history.history()
            assert sorted(v.author.kind for v in page.versions) == ["git", "user", "user"]
            assert history.latest(ProjectPath(PLAYER)) is not None
            for path, value in difference(before, on_disk(project)).items():
                assert history.latest_sha256(ProjectPath(path)) == value
            second = history.latest(ProjectPath(PLAYER))
            assert second is not None
            assert second.parent_id == version.version_id
    finally:
        database.close()


def every_byte(root: Path, store: FakeStore, path: str) -> Callable[[], bool]:
    return lambda: hashlib.sha256((root / path).read_bytes()).hexdigest() == store.latest.get(path)


async def test_whatever_the_saves_the_last_version_is_what_is_on_disk(tmp_path: Path) -> None:
    """Saves by truncation, by rename and in two steps, as fast as they come: the history ends where the disk does."""
    make_project(tmp_path)
    store = FakeStore()
    path = tmp_path / PLAYER
    async with recording(tmp_path, store, quiet_s=0.05) as running:
        for number in range(60):
            if number % 3 == 0:
                write(path, f"class Player {{ int n{number}; }}")
            elif number % 3 == 1:
                write(path.with_suffix(".new"), f"class Player {{ int r{number}; }}")
                os.replace(path.with_suffix(".new"), path)
            else:
                with path.open("w") as file:
                    file.write("class Player ")
                    file.flush()
                    await asyncio.to_thread(running.watcher.refresh, [ProjectPath(PLAYER)])
                    file.write(f"{{ int t{number}; }}")
        await until(every_byte(tmp_path, store, PLAYER), "the last save")
    assert store.paths().count("Assets/Scripts/Player.new") == 0
