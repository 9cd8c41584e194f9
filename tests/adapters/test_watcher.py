"""Whatever happens to the files, the index ends up equal to the disk."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spark.adapters import watcher as watcher_module
from spark.adapters.file_index import FileIndex
from spark.adapters.folder_events import WatchdogEvents
from spark.adapters.watcher import Watcher
from spark.core.errors import Unavailable
from spark.core.paths import ProjectPath
from tests.adapters.watch_kit import (
    DEADLINE_S,
    FakeClock,
    FakeEvents,
    git,
    indexed,
    make_project,
    on_disk,
    sha,
    until,
    watching,
    write,
)


def save_by_rename(assets: Path) -> None:
    write(assets / "Scripts" / "~RF1.TMP", "class Player { int a; }\n")
    os.rename(assets / "Scripts" / "Player.cs", assets / "Scripts" / "Player.cs~")
    os.rename(assets / "Scripts" / "~RF1.TMP", assets / "Scripts" / "Player.cs")
    os.unlink(assets / "Scripts" / "Player.cs~")


def truncate_and_write_twice(assets: Path) -> None:
    with (assets / "Scripts" / "Player.cs").open("w") as file:
        file.write("class Player")
        file.flush()
        file.write(" { int b; }\n")


def make_folders_and_write(assets: Path) -> None:
    write(assets / "New" / "Deep" / "Deeper" / "Enemy.cs", "class Enemy {}\n")


def move_folder_in(assets: Path) -> None:
    write(assets.parent / "outside" / "In" / "Sub" / "Thing.cs", "class Thing {}\n")
    os.rename(assets.parent / "outside" / "In", assets / "In")


def move_folder_out(assets: Path) -> None:
    os.rename(assets / "Area1", assets.parent / "taken")


def rename_folder(assets: Path) -> None:
    os.rename(assets / "Scripts", assets / "Code")
    os.rename(assets / "Scripts.meta", assets / "Code.meta")


def rename_by_case(assets: Path) -> None:
    os.rename(assets / "Scripts" / "Player.cs", assets / "Scripts" / "player.cs")


def delete_file_and_folder(assets: Path) -> None:
    os.unlink(assets / "Main.unity")
    shutil.rmtree(assets / "Area0")


def file_becomes_folder(assets: Path) -> None:
    os.unlink(assets / "Main.unity")
    write(assets / "Main.unity" / "x.txt", "x")


def folder_becomes_file(assets: Path) -> None:
    shutil.rmtree(assets / "Area1")
    write(assets / "Area1", "now a file")


def many_in_one_folder(assets: Path) -> None:
    for number in range(300):
        write(assets / "Many" / f"{number}.txt", str(number))


def write_settings_and_packages(assets: Path) -> None:
    write(assets.parent / "ProjectSettings" / "TagManager.asset", "%YAML 1.1\n")
    write(assets.parent / "Packages" / "com.own.thing" / "package.json", "{}")


@pytest.mark.parametrize(
    "action",
    [
        save_by_rename,
        truncate_and_write_twice,
        make_folders_and_write,
        move_folder_in,
        move_folder_out,
        rename_folder,
        rename_by_case,
        delete_file_and_folder,
        file_becomes_folder,
        folder_becomes_file,
        many_in_one_folder,
        write_settings_and_packages,
    ],
)
async def test_what_tools_do_to_files_reaches_the_index_by_events(
    tmp_path: Path, action: Callable[[Path], None]
) -> None:
    """Every way in which editors and people change files shows without a periodic scan (the next is a minute away)."""
    make_project(tmp_path, files=30)
    before = on_disk(tmp_path)
    async with watching(tmp_path) as watched:
        action(tmp_path / "Assets")
        after = on_disk(tmp_path)
        expected = {
            path: (before.get(path), after.get(path))
            for path in before.keys() | after.keys()
            if before.get(path) != after.get(path)
        }
        await until(lambda: watched.changed() == expected, action.__name__)
        assert indexed(watched.index) == after


async def test_a_touched_file_is_no_change(tmp_path: Path) -> None:
    """New times without new bytes are not told to anybody."""
    make_project(tmp_path)
    async with watching(tmp_path) as watched:
        os.utime(tmp_path / "Assets" / "Scripts" / "Player.cs")
        await watched.watcher.caught_up(DEADLINE_S)
        assert watched.deltas == []


async def test_events_in_version_control_folders_are_left_alone(tmp_path: Path) -> None:
    """What lies in a `.git` folder of an embedded package is neither indexed nor told."""
    make_project(tmp_path)
    write(tmp_path / "Packages" / "com.own" / ".git" / "HEAD", "ref: refs/heads/main\n")
    async with watching(tmp_path) as watched:
        write(tmp_path / "Packages" / "com.own" / ".git" / "index", "new")
        await watched.watcher.caught_up(DEADLINE_S)
        assert watched.deltas == []
        assert watched.watcher.view()["mode"] == "events"


def two_branches(root: Path, files: int) -> None:
    """A repository whose branches `main` and `other` differ in `files` files."""
    make_project(root, files=files)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    git(root, "switch", "-q", "-c", "other")
    for number in range(files):
        path = root / "Assets" / f"Area{number // 10}" / f"File{number}.txt"
        if number % 10 == 9:
            path.unlink()
        else:
            path.write_text(f"other {number}\n")
        if number % 10 == 8:
            write(root / "Assets" / f"New{number // 10}" / "New.txt", str(number))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "two")
    git(root, "switch", "-q", "main")


async def test_after_a_checkout_of_thousands_of_files_the_index_equals_the_disk(tmp_path: Path) -> None:
    """A burst that no event queue survives whole ends with nothing missing."""
    two_branches(tmp_path, 3_000)
    async with watching(tmp_path) as watched:
        await asyncio.to_thread(git, tmp_path, "switch", "-q", "other")
        expected = on_disk(tmp_path)
        await until(lambda: indexed(watched.index) == expected, "checkout")
        await asyncio.to_thread(git, tmp_path, "switch", "-q", "main")
        expected = on_disk(tmp_path)
        await until(lambda: indexed(watched.index) == expected, "checkout back")


_CHILD = """
import asyncio, json, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from spark.adapters.file_index import FileIndex
from spark.adapters.watcher import Watcher
from tests.adapters.watch_kit import FakeClock, indexed

async def main():
    index = FileIndex(Path(sys.argv[1]))
    watcher = Watcher(index, lambda deltas: None, clock=FakeClock())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watcher.run())
        await watcher.caught_up(60)
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line == "end\\n":
                break
            if line == "caught up\\n":
                await watcher.caught_up(60)
            print(json.dumps(indexed(index)), flush=True)
        task.cancel()

asyncio.run(main())
"""


async def test_a_watcher_that_was_stopped_during_a_checkout_finds_all_of_it(tmp_path: Path) -> None:
    """A process that slept through a checkout of thousands of files ends up with an index equal to the disk."""
    two_branches(tmp_path, 3_000)
    here = Path(__file__).resolve().parents[2]
    code = _CHILD.format(paths=[str(here / "daemon"), str(here)])
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            assert await asyncio.to_thread(child.stdout.readline) == "ready\n"
            child.send_signal(signal.SIGSTOP)
            await asyncio.to_thread(git, tmp_path, "switch", "-q", "other")
            child.send_signal(signal.SIGCONT)
            expected = on_disk(tmp_path)
            found: dict[str, str] = {}
            for _ in range(1_000):
                child.stdin.write("dump\n")
                child.stdin.flush()
                found = json.loads(await asyncio.to_thread(child.stdout.readline))
                if found == expected:
                    break
            assert found == expected
            write(tmp_path / "Assets" / "after.txt", "after")
            child.stdin.write("caught up\nend\n")
            child.stdin.flush()
            assert json.loads(await asyncio.to_thread(child.stdout.readline)) == on_disk(tmp_path)
            assert await asyncio.to_thread(child.wait, DEADLINE_S) == 0
        finally:
            child.kill()


async def test_an_overflow_that_watchdog_only_logs_makes_a_full_scan(tmp_path: Path) -> None:
    """Events that the system dropped are made up for by looking at everything."""
    make_project(tmp_path)
    async with watching(tmp_path) as watched:
        scans = watched.watcher.view()["fullScans"]
        logging.getLogger("watchdog.observers.inotify_c").warning(
            "Inotify queue overflowed; filesystem events were lost"
        )
        await until(lambda: watched.watcher.view()["fullScans"] > scans, "a full scan")
        assert watched.watcher.view()["lastFullScan"]["reasons"] == ["overflow"]


async def test_lost_events_are_made_up_for_when_the_source_says_so(tmp_path: Path) -> None:
    """With a source that heard nothing, a doubt is enough to find what changed."""
    make_project(tmp_path)
    events = FakeEvents()
    async with watching(tmp_path, events=events) as watched:
        write(tmp_path / "Assets" / "Unheard.cs", "class Unheard {}")
        events.doubt("overflow")
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "the unheard file")


async def test_a_watcher_thread_that_ended_is_started_again(tmp_path: Path) -> None:
    """A source that died is replaced, and what it missed is found."""
    make_project(tmp_path)
    events = FakeEvents()
    async with watching(tmp_path, events=events) as watched:
        starts = events.starts
        write(tmp_path / "Assets" / "Unheard.cs", "class Unheard {}")
        events.dead = True
        await until(lambda: events.starts > starts, "a new start")
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "the unheard file")


async def test_without_watches_it_polls_and_says_so(tmp_path: Path) -> None:
    """At the system's limit of watches the index is still kept, by scans, and the status names the reason."""
    make_project(tmp_path, files=50)
    events = FakeEvents(watches=4)
    async with watching(tmp_path, events=events, pace=0.02) as watched:
        view = watched.watcher.view()
        assert view["mode"] == "polling"
        assert "watch limit" in view["reason"]
        assert not events.running
        write(tmp_path / "Assets" / "Polled.cs", "class Polled {}")
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "the polled file")


async def test_watches_that_watchdog_silently_lacks_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """watchdog hides that most folders got no watch; counting them shows it, and scans take over."""
    make_project(tmp_path, files=100)
    from watchdog.observers import inotify_c

    real = inotify_c.inotify_add_watch
    given = 0

    def limited(descriptor: int, path: bytes, mask: int) -> int:
        nonlocal given
        given += 1
        if given > 6:
            ctypes.set_errno(errno.ENOSPC)
            return -1
        return int(real(descriptor, path, mask))

    monkeypatch.setattr(inotify_c, "inotify_add_watch", limited)
    async with watching(tmp_path, pace=0.02) as watched:
        await until(lambda: watched.watcher.view()["mode"] == "polling", "polling")
        assert "limit" in watched.watcher.view()["reason"]
        write(tmp_path / "Assets" / "Area9" / "Polled.cs", "class Polled {}")
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "the polled file")


async def test_watches_come_back_when_there_is_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Polling is not for ever: the watches are tried again."""
    monkeypatch.setattr(watcher_module, "RETRY_WATCHES_S", 0.0)
    make_project(tmp_path)
    events = FakeEvents(watches=1)
    async with watching(tmp_path, events=events) as watched:
        assert watched.watcher.view()["mode"] == "polling"
        events.limit = 1_000
        await until(lambda: watched.watcher.view()["mode"] == "events", "events again")


@pytest.mark.parametrize("jump_s", [3_600.0, -3_600.0])
async def test_a_jump_of_the_wall_clock_makes_a_full_scan(tmp_path: Path, jump_s: float) -> None:
    """A machine that slept (or whose clock was put) may have missed anything."""
    make_project(tmp_path)
    clock, events = FakeClock(), FakeEvents()
    async with watching(tmp_path, clock=clock, events=events) as watched:
        write(tmp_path / "Assets" / "Unheard.cs", "class Unheard {}")
        clock.wall_offset_s += jump_s
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "the unheard file")
        assert "clock jump" in watched.watcher.view()["lastFullScan"]["reasons"]


async def test_scans_come_by_themselves_even_if_nothing_is_heard(tmp_path: Path) -> None:
    """A change that no event told of is found by the next periodic scan."""
    make_project(tmp_path)
    async with watching(tmp_path, events=FakeEvents(), pace=0.001) as watched:
        write(tmp_path / "Assets" / "Unheard.cs", "class Unheard {}")
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "the unheard file")


def delete_top(assets: Path) -> None:
    shutil.rmtree(assets)


def empty_top(assets: Path) -> None:
    for path in assets.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def replace_top_by_file(assets: Path) -> None:
    shutil.rmtree(assets)
    assets.write_text("not a folder")


def swap_top(assets: Path) -> None:
    os.rename(assets, assets.parent / "gone")
    assets.mkdir()


LOSSES = [delete_top, empty_top, replace_top_by_file, swap_top]


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_small_top_folder_that_goes_is_gone(tmp_path: Path, loss: Callable[[Path], None]) -> None:
    """Below fifty files a vanished folder is taken as deleted, and a new one in its place is watched."""
    make_project(tmp_path)
    async with watching(tmp_path) as watched:
        loss(tmp_path / "Assets")
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), loss.__name__)
        if (tmp_path / "Assets").is_file():
            (tmp_path / "Assets").unlink()
        write(tmp_path / "Assets" / "Again.cs", "class Again {}")
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "a new folder")
        await until(lambda: watched.watcher.view()["watches"] == watched.index.folder_count, "its watches")
        write(tmp_path / "Assets" / "Again.cs", "class Again { int more; }")
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "a change in the new folder")


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_project_that_vanishes_is_not_recorded_as_deleted_until_it_is_confirmed(
    tmp_path: Path, loss: Callable[[Path], None]
) -> None:
    """When most files go at once, nothing is told as deleted; the reason is shown; `resume` takes it as meant."""
    make_project(tmp_path, files=80)
    known = on_disk(tmp_path)
    async with watching(tmp_path, pace=0.01) as watched:
        loss(tmp_path / "Assets")
        await until(lambda: watched.index.halted is not None, "halted")
        await watched.watcher.caught_up(DEADLINE_S)
        assert "vanished" in watched.watcher.view()["halted"]
        assert not [delta for delta in watched.deltas if delta.after is None]
        assert indexed(watched.index) == known
        watched.watcher.resume()
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "deleted after all")
        assert watched.index.halted is None


async def test_a_project_that_comes_back_never_changed(tmp_path: Path) -> None:
    """A folder that was away for a moment (a disk, a backup tool) leaves no trace in the history."""
    make_project(tmp_path, files=80)
    async with watching(tmp_path, pace=0.01) as watched:
        os.rename(tmp_path / "Assets", tmp_path / "away")
        await until(lambda: watched.index.halted is not None, "halted")
        os.rename(tmp_path / "away", tmp_path / "Assets")
        await until(lambda: watched.index.halted is None, "back")
        assert watched.deltas == []
        write(tmp_path / "Assets" / "After.cs", "class After {}")
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "watched again")


async def test_a_renamed_folder_with_most_files_is_a_move_and_not_a_loss(tmp_path: Path) -> None:
    """Files that are found again elsewhere did not vanish."""
    make_project(tmp_path)
    for number in range(100):
        write(tmp_path / "Assets" / "Game" / f"{number}.txt", str(number))
    async with watching(tmp_path) as watched:
        os.rename(tmp_path / "Assets" / "Game", tmp_path / "Assets" / "Game2")
        await until(lambda: indexed(watched.index) == on_disk(tmp_path), "the move")
        assert watched.index.halted is None


async def test_changes_behind_a_linked_folder_show_in_full_scans(tmp_path: Path) -> None:
    """No event comes from behind a link; the folder is listed as linked and looked at in every full scan."""
    project, outside = make_project(tmp_path / "project"), tmp_path / "outside"
    write(outside / "Shared.cs", "class Shared {}")
    os.symlink(outside, project / "Assets" / "Shared")
    async with watching(project) as watched:
        assert watched.watcher.view()["linked"] == {"Assets/Shared": str(outside)}
        write(outside / "Shared.cs", "class Shared { int more; }")
        await watched.watcher.caught_up(DEADLINE_S)
        entry = watched.index.entry(ProjectPath("Assets/Shared/Shared.cs"))
        assert entry is not None
        assert entry.sha256 == sha("class Shared { int more; }")
        assert [(delta.path.text, delta.linked) for delta in watched.deltas] == [("Assets/Shared/Shared.cs", True)]


async def test_a_call_sees_at_once_what_the_one_before_it_wrote(tmp_path: Path) -> None:
    """`refresh` does not wait for events."""
    make_project(tmp_path)
    async with watching(tmp_path, events=FakeEvents()) as watched:
        write(tmp_path / "Assets" / "New" / "Own.cs", "class Own {}")
        os.unlink(tmp_path / "Assets" / "Main.unity")
        paths = [ProjectPath("Assets/New/Own.cs"), ProjectPath("Assets/Main.unity")]
        await asyncio.to_thread(watched.watcher.refresh, paths)
        assert indexed(watched.index) == on_disk(tmp_path)
        assert watched.changed().keys() == {path.text for path in paths}


async def test_a_restart_finds_what_changed_while_nobody_watched(tmp_path: Path) -> None:
    """The snapshot of the last run makes the first scan tell of the changes in between, and of nothing else."""
    project, snapshot = make_project(tmp_path / "project", files=20), tmp_path / "index.snapshot"
    async with watching(project, snapshot=snapshot) as watched:
        write(project / "Assets" / "Seen.cs", "class Seen {}")
        await watched.watcher.caught_up(DEADLINE_S)
        await until(lambda: not watched.watcher.busy, "nothing more to come")
    write(project / "Assets" / "Scripts" / "Player.cs", "class Player { int away; }")
    os.unlink(project / "Assets" / "Main.unity")
    write(project / "Assets" / "Away.cs", "class Away {}")
    async with watching(project, snapshot=snapshot) as watched:
        assert watched.changed().keys() == {"Assets/Scripts/Player.cs", "Assets/Main.unity", "Assets/Away.cs"}


async def test_a_crash_forgets_no_change_that_was_not_recorded(tmp_path: Path) -> None:
    """While something is not recorded yet, no snapshot is written that would hide it from the next start."""
    project, snapshot = make_project(tmp_path / "project"), tmp_path / "index.snapshot"
    async with watching(project, snapshot=snapshot):
        pass
    index = FileIndex(project, snapshot=snapshot)
    waiting: list[object] = []
    watcher = Watcher(index, waiting.extend, clock=FakeClock(), may_save=lambda: not waiting)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watcher.run())
        await watcher.caught_up(DEADLINE_S)
        write(project / "Assets" / "Scripts" / "Player.cs", "class Player { int unrecorded; }")
        await watcher.caught_up(DEADLINE_S)
        task.cancel()
    async with watching(project, snapshot=snapshot) as watched:
        assert watched.changed().keys() == {"Assets/Scripts/Player.cs"}


async def test_a_stop_in_the_middle_of_a_scan_forgets_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a broken-off scan had seen but not told is told after the next start."""
    monkeypatch.setattr(watcher_module, "SLICE_S", 0.0)
    project, snapshot = make_project(tmp_path / "project", files=100), tmp_path / "index.snapshot"
    player = ProjectPath("Assets/Scripts/Player.cs")
    async with watching(project, snapshot=snapshot):
        pass
    write(project / player.text, "class Player { int seen; }")
    index = FileIndex(project, snapshot=snapshot)
    told: list[object] = []
    watcher = Watcher(index, told.extend, clock=FakeClock(), events=FakeEvents())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watcher.run())
        await until(lambda: (e := index.entry(player)) is not None and e.sha256 == sha("class Player { int seen; }"))
        assert told == []
        task.cancel()
    async with watching(project, snapshot=snapshot) as watched:
        assert watched.changed().keys() == {player.text}


async def test_caught_up_gives_up_in_time(tmp_path: Path) -> None:
    """Where nothing scans, waiting ends with a refusal that says so."""
    make_project(tmp_path)
    watcher = Watcher(FileIndex(tmp_path), lambda deltas: None, clock=FakeClock(), events=FakeEvents())
    with pytest.raises(Unavailable) as refusal:
        await watcher.caught_up(0.01)
    assert refusal.value.code == "timeout"


def test_watchdog_is_not_imported_before_it_is_started() -> None:
    """The daemon's start does not pay for a library that it does not use yet."""
    here = Path(__file__).resolve().parents[2]
    code = "import sys; import spark.adapters.watcher, spark.adapters.user_edits; print('watchdog' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(here / "daemon")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


def test_the_real_source_counts_its_watches_and_tells_of_its_end(tmp_path: Path) -> None:
    """The number of watches is what the system says, one for each folder; a stopped source has none."""
    make_project(tmp_path, files=40)
    source = WatchdogEvents()
    source.start([tmp_path / "Assets"], lambda path: None, lambda reason: None)
    try:
        assert source.watch_count() == sum(1 for _ in os.walk(tmp_path / "Assets"))
        assert not source.broken()
    finally:
        source.stop()
    assert source.watch_count() is None


async def test_the_real_source_notices_that_its_reading_thread_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """watchdog goes on as if nothing were wrong when the thread that reads from the system is gone; we do not."""
    make_project(tmp_path)
    from watchdog.observers import inotify_c

    source = WatchdogEvents()
    source.start([tmp_path / "Assets"], lambda path: None, lambda reason: None)
    try:
        monkeypatch.setattr(inotify_c.InotifyFD, "should_keep_running", lambda self: False)
        write(tmp_path / "Assets" / "New.cs", "x")
        await until(source.broken, "broken")
    finally:
        source.stop()
