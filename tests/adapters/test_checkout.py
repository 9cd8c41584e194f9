"""Checkouts: identity, data folder, lock and discovery, with real second processes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from spark.adapters.checkout import (
    DISCOVERY_FILE,
    Checkout,
    DaemonAddress,
    Discovery,
    find_checkout,
    new_token,
    open_checkout,
    read_discovery,
    unused_histories,
)
from spark.adapters.data_folders import checkouts_folder, is_locked
from spark.adapters.process_lock import is_file_locked, pid_lives, process_start, read_note, try_lock
from spark.core.errors import FatalError
from spark.core.scrub import scrub

DAEMON_SOURCE = Path(__file__).parents[2] / "daemon"
DEADLINE_S = 20.0
HOLDER = """
import sys
from pathlib import Path
from spark.adapters.checkout import DaemonAddress, Discovery, open_checkout

checkout = open_checkout(Path(sys.argv[1]))
try:
    lock = checkout.lock()
except Exception as error:
    print(type(error).__name__, error.exit_status, error.message, flush=True)
    raise SystemExit(4)
import os
lock.publish(url="http://127.0.0.1:4321", started_at="2026-01-31T12:00:00.000Z")
address = DaemonAddress("http://127.0.0.1:4321", "t", os.getpid(), "2026-01-31T12:00:00.000Z",
                        checkout.project_id, checkout.checkout_id)
Discovery(checkout, address).write()
print("held", os.getpid(), flush=True)
sys.stdin.readline()
lock.close()
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folders of this test."""
    folder = tmp_path / "user's höme"
    folder.mkdir()
    for name in (
        "HOME",
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "LOCALAPPDATA",
        "APPDATA",
    ):
        monkeypatch.setenv(name, str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "My Gäme")


def make_project(root: Path) -> Path:
    (root / "ProjectSettings").mkdir(parents=True)
    (root / "Assets").mkdir()
    return root


@contextmanager
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A second process that holds the checkout's lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(DAEMON_SOURCE)},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().split() == ["held", str(process.pid)]
        yield process
    finally:
        process.kill()
        process.communicate()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def settings_of(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((root / "ProjectSettings" / "Spark.json").read_bytes())
    return loaded


def address_of(checkout: Checkout, *, token: str = "t", pid: int | None = None) -> DaemonAddress:
    return DaemonAddress(
        "http://127.0.0.1:4321",
        token,
        os.getpid() if pid is None else pid,
        "2026-01-31T12:00:00.000Z",
        checkout.project_id,
        checkout.checkout_id,
    )


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


# -- identity


def test_the_id_is_made_once_and_kept(project: Path) -> None:
    """The first opening makes a UUID, later ones find it; nothing else appears in ProjectSettings."""
    first = open_checkout(project)
    assert str(uuid.UUID(first.project_id)) == first.project_id == settings_of(project)["projectId"]
    before = (project / "ProjectSettings" / "Spark.json").read_bytes()
    assert open_checkout(project) == first
    assert (project / "ProjectSettings" / "Spark.json").read_bytes() == before
    assert [path.name for path in (project / "ProjectSettings").iterdir()] == ["Spark.json"]


def test_other_keys_are_kept(project: Path) -> None:
    """A settings file without id gets one; its other keys, their order and the file's mode stay."""
    path = project / "ProjectSettings" / "Spark.json"
    path.write_text('{"model": {"name": "größe"}, "a": [1, 2.50]}')
    path.chmod(0o640)
    project_id = open_checkout(project).project_id
    assert list(settings_of(project).items()) == [
        ("model", {"name": "größe"}),
        ("a", [1, 2.5]),
        ("projectId", project_id),
    ]
    assert mode(path) == 0o640


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf{}"])
def test_an_empty_file_gets_an_id(project: Path, content: bytes) -> None:
    """Nothing in the file is as good as no file."""
    (project / "ProjectSettings" / "Spark.json").write_bytes(content)
    assert open_checkout(project).project_id == settings_of(project)["projectId"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{\n"a": 1,\n"b" 2\n}', "line 3"),
        (b'{\n<<<<<<< HEAD\n"projectId": "x"\n=======\n', "line 2"),
        (b'{\n"a": "\xff"\n}', "line 2"),
        (b"[]", "line 1"),
        (b"[" * 100_000, "line 1"),
        (b'{"projectId": "not a uuid"}', "projectId"),
        (b'{"projectId": 5}', "projectId"),
    ],
)
def test_a_damaged_file_is_never_replaced(project: Path, content: bytes, told: str) -> None:
    """The line is named, exit status 2, and the file stays byte for byte."""
    path = project / "ProjectSettings" / "Spark.json"
    path.write_bytes(content)
    for read in (open_checkout, find_checkout, read_discovery):
        # Nothing is known of this place yet, so there is nothing else to go by.
        with pytest.raises(FatalError, match=told) as refusal:
            read(project)
        assert refusal.value.exit_status == 2
        assert refusal.value.hint
    assert path.read_bytes() == content


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    """Nothing is made in a folder without ProjectSettings, nor where there is no folder."""
    plain = tmp_path / "plain"
    plain.mkdir()
    for root in (plain, tmp_path / "missing"):
        with pytest.raises(FatalError) as refusal:
            open_checkout(root)
        assert refusal.value.exit_status == 2
    assert list(plain.iterdir()) == []


def test_processes_that_start_at_once_agree(project: Path) -> None:
    """Several first openings at the same time end with one id."""
    script = "import sys; from pathlib import Path; from spark.adapters.checkout import open_checkout\n"
    script += "print(open_checkout(Path(sys.argv[1])).project_id)"
    environment = {**os.environ, "PYTHONPATH": str(DAEMON_SOURCE)}
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(project)], stdout=subprocess.PIPE, env=environment)
        for _ in range(4)
    ]
    ids = {process.communicate(timeout=DEADLINE_S)[0].decode().strip() for process in processes}
    assert ids == {settings_of(project)["projectId"]}


# -- data folder


def test_the_data_folder_is_private(project: Path, home: Path) -> None:
    """It lies in the user's data folder, 0700, and says which project it is."""
    checkout = open_checkout(project)
    assert checkout.data_dir == home / "spark" / "checkouts" / checkout.checkout_id
    assert mode(checkout.data_dir) == mode(checkout.data_dir.parent) == 0o700
    described = json.loads((checkout.data_dir / "checkout.json").read_bytes())
    folder = project.stat()
    assert described == {
        "projectId": checkout.project_id,
        "root": str(project.resolve()),
        "device": folder.st_dev,
        "inode": folder.st_ino,
    }
    assert mode(checkout.data_dir / "checkout.json") == 0o600


def test_a_wide_open_data_folder_is_closed(project: Path) -> None:
    """A mode that somebody changed is set right at the next start."""
    data_dir = open_checkout(project).data_dir
    data_dir.chmod(0o755)
    open_checkout(project)
    assert mode(data_dir) == 0o700


def test_an_unusable_data_folder_is_told(project: Path, home: Path) -> None:
    """A file where the folder should be is a set-up error that names it."""
    (home / "spark").mkdir()
    (home / "spark" / "checkouts").write_text("")
    with pytest.raises(FatalError, match="checkouts"):
        open_checkout(project)


def test_one_folder_by_two_paths_is_one_checkout(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links, dots and relative paths lead to the same checkout."""
    link = tmp_path / "link"
    link.symlink_to(project)
    monkeypatch.chdir(project)
    assert (
        open_checkout(link)
        == open_checkout(project)
        == open_checkout(Path())
        == open_checkout(project / "Assets" / "..")
    )


def test_finding_creates_nothing(project: Path, home: Path) -> None:
    """The read-only look leaves no trace, and finds what was opened."""
    assert find_checkout(project) is None
    assert list(home.iterdir()) == []
    assert list((project / "ProjectSettings").iterdir()) == []
    checkout = open_checkout(project)
    assert find_checkout(project) == checkout


def test_a_moved_project_takes_its_history_along(project: Path, tmp_path: Path) -> None:
    """The data folder goes to the new place with all that is in it, once; before that it is found where it lies."""
    before = open_checkout(project)
    (before.data_dir / "store.db").write_bytes(b"history")
    moved = tmp_path / "elsewhere"
    project.rename(moved)
    found = find_checkout(moved)
    assert found is not None
    assert (found.data_dir / "store.db").read_bytes() == b"history"
    after = open_checkout(moved)
    assert (after.project_id, after.checkout_id != before.checkout_id) == (before.project_id, True)
    assert (after.data_dir / "store.db").read_bytes() == b"history"
    assert not before.data_dir.exists()
    assert open_checkout(moved) == find_checkout(moved) == after


def test_a_copied_project_begins_its_own(project: Path, tmp_path: Path) -> None:
    """While the old folder is there, a copy has a history of its own, and the old one keeps its."""
    first = open_checkout(project)
    (first.data_dir / "store.db").write_bytes(b"history")
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    assert find_checkout(copy) is None
    second = open_checkout(copy)
    assert second.project_id == first.project_id
    assert second.data_dir != first.data_dir
    assert not (second.data_dir / "store.db").exists()
    assert open_checkout(project) == first


def test_a_second_clone_takes_nothing_from_one_that_is_away(project: Path, tmp_path: Path) -> None:
    """While a clone's folder is elsewhere for a moment, another clone begins its own history and says what it left."""
    first = open_checkout(project)
    (first.data_dir / "store.db").write_bytes(b"history")
    second = tmp_path / "second clone"
    shutil.copytree(project, second)
    away = tmp_path / "away"
    project.rename(away)
    assert find_checkout(second) is None
    opened = open_checkout(second)
    assert not (opened.data_dir / "store.db").exists()
    assert [record.data_dir for record in unused_histories(opened)] == [first.data_dir]
    assert str(first.data_dir) in opened.notes[0]
    away.rename(project)
    assert open_checkout(project) == first
    assert (first.data_dir / "store.db").read_bytes() == b"history"
    assert unused_histories(opened) == []


def test_a_copy_is_no_move(project: Path, tmp_path: Path) -> None:
    """A project that was copied and then deleted begins anew: only the same folder in another place was moved."""
    first = open_checkout(project)
    (first.data_dir / "store.db").write_bytes(b"history")
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    shutil.rmtree(project)
    assert not (open_checkout(copy).data_dir / "store.db").exists()
    assert (first.data_dir / "store.db").exists()


def test_a_folder_of_before_is_not_guessed_about(project: Path, tmp_path: Path) -> None:
    """Where an older SPARK recorded no inode, a moved project takes nothing; in its place everything goes on."""
    first = open_checkout(project)
    (first.data_dir / "store.db").write_bytes(b"history")
    old = json.dumps({"projectId": first.project_id, "root": str(first.root)})
    (first.data_dir / "checkout.json").write_text(old)
    moved = tmp_path / "moved"
    project.rename(moved)
    assert find_checkout(moved) is None
    opened = open_checkout(moved)
    assert [record.data_dir for record in unused_histories(opened)] == [first.data_dir]
    shutil.rmtree(opened.data_dir)
    moved.rename(project)
    assert open_checkout(project) == first
    assert "inode" in json.loads((first.data_dir / "checkout.json").read_bytes())


def test_a_deleted_id_is_written_back(project: Path) -> None:
    """After `git clean -fdx` the folder gets its old id and keeps its history; looking alone writes nothing."""
    first = open_checkout(project)
    path = project / "ProjectSettings" / "Spark.json"
    for content in (None, '{"model": "m"}'):
        path.unlink()
        if content is not None:
            path.write_text(content)
        assert find_checkout(project) == first
        assert (path.read_text() if path.exists() else None) == content
        again = open_checkout(project)
        assert again == first
        assert "written back" in again.notes[0]
        assert settings_of(project)["projectId"] == first.project_id
    assert open_checkout(project).notes == ()


def test_a_moved_folder_that_lost_its_id_is_told_of_its_history(project: Path, tmp_path: Path) -> None:
    """Without its id nobody can be sure of it: it begins anew, and the history of this very folder is named."""
    first = open_checkout(project)
    (first.data_dir / "store.db").write_bytes(b"history")
    (project / "ProjectSettings" / "Spark.json").unlink()
    moved = tmp_path / "moved"
    project.rename(moved)
    opened = open_checkout(moved)
    assert opened.project_id != first.project_id
    assert [record.data_dir for record in unused_histories(opened)] == [first.data_dir]


def test_another_folder_in_the_same_place_is_another_project(project: Path, tmp_path: Path) -> None:
    """A new project where an old one lay does not get the old one's id."""
    first = open_checkout(project)
    project.rename(tmp_path / "kept")
    assert find_checkout(make_project(project)) is None
    assert open_checkout(project).project_id != first.project_id


def test_a_damaged_id_does_not_hide_the_checkout(project: Path) -> None:
    """With a merge conflict in the file what only looks or stops still finds checkout and daemon by the place."""
    first = open_checkout(project)
    path = project / "ProjectSettings" / "Spark.json"
    path.write_bytes(b'{\n<<<<<<< HEAD\n"projectId": "x"\n')
    assert find_checkout(project) == first
    with holder_of(first) as pid:
        found = read_discovery(project)
        assert found is not None
        assert found.pid == pid
    with pytest.raises(FatalError, match="line 2"):
        open_checkout(project)


@contextmanager
def holder_of(checkout: Checkout) -> Iterator[int]:
    """This process as the checkout's daemon."""
    lock = checkout.lock()
    lock.publish(url="http://127.0.0.1:4321", started_at="x")
    Discovery(checkout, address_of(checkout)).write()
    try:
        yield os.getpid()
    finally:
        lock.close()


def test_another_project_in_the_old_place_is_a_move(project: Path, tmp_path: Path) -> None:
    """The old path exists again but holds another project: the history still goes with its own."""
    before = open_checkout(project)
    (before.data_dir / "store.db").write_bytes(b"history")
    moved = tmp_path / "moved"
    project.rename(moved)
    other = open_checkout(make_project(project))
    assert other.project_id != before.project_id
    assert (open_checkout(moved).data_dir / "store.db").read_bytes() == b"history"


def test_a_project_moved_under_its_daemon_is_refused(project: Path, tmp_path: Path) -> None:
    """The history of a running daemon is not taken from it: exit status 4 names the process."""
    moved = tmp_path / "moved"
    with holder(project) as process:
        project.rename(moved)
        with pytest.raises(FatalError, match=str(process.pid)) as refusal:
            open_checkout(moved)
        assert refusal.value.exit_status == 4
        found = read_discovery(moved)
        assert found is not None, "it is found where it is, so that it can be stopped"
        assert found.pid == process.pid
    assert open_checkout(moved).root == moved.resolve()


# -- lock


def test_the_lock_is_held_against_a_second_process(project: Path) -> None:
    """The second start is refused with pid and url of the first; the note says who holds it."""
    with holder(project) as process:
        checkout = open_checkout(project)
        with pytest.raises(FatalError, match=rf"process {process.pid} at http://127\.0\.0\.1:4321") as refusal:
            checkout.lock()
        assert refusal.value.exit_status == 4
        note = read_note(checkout.data_dir / "lock")
        assert (note["pid"], note["startedAt"]) == (process.pid, "2026-01-31T12:00:00.000Z")
        assert note["processStart"] == process_start(process.pid)
        assert is_locked(checkout.data_dir)
        assert mode(checkout.data_dir / "lock") == 0o600


def test_a_killed_holder_leaves_the_lock_free(project: Path) -> None:
    """After kill -9 the next start gets the lock at once, and nobody is told of the dead daemon."""
    with holder(project) as process:
        assert read_discovery(project) is not None
        process.send_signal(signal.SIGKILL)
        process.wait(DEADLINE_S)
        assert read_discovery(project) is None
        checkout = open_checkout(project)
        assert not is_locked(checkout.data_dir)
        lock = checkout.lock()
        # The dead daemon's file still lies there; it is not the address of the one that starts.
        assert read_discovery(project) is None
        lock.close()


def test_the_lock_holds_within_a_process_too(project: Path) -> None:
    """Two locks of one process exclude each other; closing gives it back and clears the note."""
    checkout = open_checkout(project)
    lock = checkout.lock()
    with pytest.raises(FatalError, match="still starting"):
        checkout.lock()
    lock.close()
    assert read_note(checkout.data_dir / "lock") == {}
    checkout.lock().close()


def test_looking_does_not_disturb_a_start(project: Path) -> None:
    """Others may look whether the lock is held, all the time, without a start being refused for it."""
    checkout = open_checkout(project)
    checkout.lock().close()
    script = (
        "import sys, pathlib\nfrom spark.adapters.process_lock import is_file_locked\nprint('looking', flush=True)\n"
    )
    script += "while True: is_file_locked(pathlib.Path(sys.argv[1]))"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(checkout.data_dir / "lock")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(DAEMON_SOURCE)},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"looking\n"
        for _ in range(100):
            checkout.lock().close()
    finally:
        process.kill()
        process.communicate()


def test_a_removed_lock_file_does_not_let_two_in(project: Path) -> None:
    """Taking a lock on a file that is no longer the one of that name is noticed."""
    path = open_checkout(project).data_dir / "lock"
    first = try_lock(path)
    assert first is not None
    path.unlink()
    second = try_lock(path)
    assert second is not None
    assert is_file_locked(path)
    second.close()
    first.close()


def test_another_data_folder_does_not_let_a_second_daemon_in(project: Path, home: Path) -> None:
    """A checkout under another id whose discovery file names a living daemon is refused too."""
    with holder(project) as process:
        own = open_checkout(project)
        twin = Checkout(own.project_id, "f" * 16, own.data_dir.parent / ("f" * 16), own.root)
        twin.data_dir.mkdir(0o700)
        with pytest.raises(FatalError, match=str(process.pid)):
            twin.lock()
    # It was killed: the file stays, but names nobody.
    twin.lock().close()


def test_pids() -> None:
    """This process lives, a reaped one does not, and nonsense never does."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(DEADLINE_S)
    assert pid_lives(os.getpid())
    assert not pid_lives(process.pid)
    assert not any(pid_lives(pid) for pid in (0, -1, 2**40))
    if sys.platform == "linux":
        assert process_start(os.getpid()) is not None
    assert process_start(2**30) is None


# -- discovery


def test_git_never_sees_the_token(project: Path) -> None:
    """`Library/Spark` ignores itself, also in a project that forgot to ignore `Library/`."""
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    checkout = open_checkout(project)
    Discovery(checkout, address_of(checkout)).write()
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    listed = subprocess.run(status, cwd=project, capture_output=True, text=True, check=True).stdout
    assert "Spark.json" in listed
    assert "Library" not in listed


def test_what_the_opening_had_to_say_is_logged(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log opens after the checkout: its notes are written with the discovery file, once."""
    checkout = open_checkout(project)
    noted = Checkout(checkout.project_id, checkout.checkout_id, checkout.data_dir, checkout.root, ("look here",))
    discovery = Discovery(noted, address_of(checkout))
    discovery.write()
    discovery.write()
    assert caplog.text.count("look here") == 1


def test_the_discovery_file_is_the_contracts(project: Path) -> None:
    """Fields, place and modes; the token is not shown when the address is printed."""
    checkout = open_checkout(project)
    address = address_of(checkout, token="spk_secret")
    Discovery(checkout, address).write()
    path = project / DISCOVERY_FILE
    assert json.loads(path.read_bytes()) == {
        "protocol": 1,
        "url": "http://127.0.0.1:4321",
        "token": "spk_secret",
        "pid": os.getpid(),
        "startedAt": "2026-01-31T12:00:00.000Z",
        "projectId": checkout.project_id,
        "checkoutId": checkout.checkout_id,
    }
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert (checkout.data_dir / "daemon.json").read_bytes() == path.read_bytes()
    assert mode(checkout.data_dir / "daemon.json") == 0o600
    assert "spk_secret" not in repr(address)
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".gitignore", "daemon.json"]


def test_a_running_daemon_is_found(project: Path) -> None:
    """By the lock and the copy in the data folder, also when `Library/` was deleted; not after its end."""
    assert read_discovery(project) is None
    with holder(project) as process:
        found = read_discovery(project)
        assert found is not None
        assert (found.url, found.token, found.pid) == ("http://127.0.0.1:4321", "t", process.pid)
        shutil.rmtree(project / "Library")
        assert read_discovery(project) == found
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        process.wait(DEADLINE_S)
    assert read_discovery(project) is None


def test_a_planted_discovery_file_is_not_believed(project: Path) -> None:
    """A `daemon.json` that came with a project names no daemon, whatever living process it names."""
    checkout = open_checkout(project)
    planted = {**address_of(checkout).to_wire(), "url": "http://127.0.0.1:1"}
    (project / "Library" / "Spark").mkdir(parents=True)
    (project / DISCOVERY_FILE).write_text(json.dumps(planted))
    assert read_discovery(project) is None
    checkout.lock().close()


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://example.com:80"},
        {"url": "http://127.0.0.1:80@example.com"},
        {"token": None},
        {"pid": "1"},
        {"protocol": 2},
        {"pid": 2**40},
        {"checkoutId": "other"},
    ],
)
def test_an_address_that_is_none_is_not_used(project: Path, change: dict[str, Any]) -> None:
    """A damaged copy leads nowhere else."""
    checkout = open_checkout(project)
    lock = checkout.lock()
    lock.publish(url="http://127.0.0.1:4321", started_at="x")
    Discovery(checkout, address_of(checkout)).write()
    assert read_discovery(project) is not None
    document = {**address_of(checkout).to_wire(), **change}
    (checkout.data_dir / "daemon.json").write_text(json.dumps(document))
    assert read_discovery(project) is None
    (checkout.data_dir / "daemon.json").write_text("{")
    assert read_discovery(project) is None
    lock.close()


async def test_the_file_is_written_again(project: Path) -> None:
    """Deleted, exchanged or hidden behind a link: it is back soon; nothing is written through the link."""
    checkout = open_checkout(project)
    discovery = Discovery(checkout, address_of(checkout))
    discovery.write()
    path = project / DISCOVERY_FILE
    right = path.read_bytes()
    victim = project / "victim"
    victim.write_text("keep")
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(discovery.keep(poll_s=0.02))
        shutil.rmtree(project / "Library")
        await until(path.exists)
        assert (path.read_bytes(), mode(path), mode(path.parent)) == (right, 0o600, 0o700)
        path.write_text("{}")
        await until(lambda: path.read_bytes() == right)
        path.unlink()
        path.symlink_to(victim)
        await until(lambda: not path.is_symlink() and path.exists())
        keeping.cancel()
    assert victim.read_text() == "keep"
    assert path.read_bytes() == right


async def test_a_vanished_project_is_not_made_again(project: Path) -> None:
    """The folder of a moved or deleted project is not brought back by the daemon, and the task goes on."""
    checkout = open_checkout(project)
    discovery = Discovery(checkout, address_of(checkout))
    discovery.write()
    moved = project.with_name("moved")
    project.rename(moved)
    (moved / DISCOVERY_FILE).unlink()
    discovery.write()
    assert not project.exists()
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(discovery.keep(poll_s=0.01))
        moved.rename(project)
        await until((project / DISCOVERY_FILE).exists)
        keeping.cancel()


def test_a_link_in_place_of_the_folder_is_not_followed(project: Path, tmp_path: Path) -> None:
    """`Library/Spark` as a link to elsewhere gets no token; the copy still serves `spark`."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (project / "Library").mkdir()
    (project / "Library" / "Spark").symlink_to(outside)
    checkout = open_checkout(project)
    lock = checkout.lock()
    Discovery(checkout, address_of(checkout)).write()
    assert list(outside.iterdir()) == []
    assert read_discovery(project) == address_of(checkout)
    lock.close()


def test_only_our_own_file_is_removed(project: Path) -> None:
    """A clean stop removes both files, but not those of a daemon that came after."""
    checkout = open_checkout(project)
    old = Discovery(checkout, address_of(checkout, token="old"))
    old.write()
    new = Discovery(checkout, address_of(checkout, token="new"))
    new.write()
    old.remove()
    assert (project / DISCOVERY_FILE).exists()
    new.remove()
    assert not (project / DISCOVERY_FILE).exists()
    assert not (checkout.data_dir / "daemon.json").exists()
    new.remove()


def test_tokens_are_long_random_and_known_to_the_scrubber() -> None:
    """256 random bits each; a token that strays into a log line is taken out."""
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) == 47 for token in tokens)
    assert all(scrub(f"got {token}") == "got [key]" for token in tokens)
    assert checkouts_folder().name == "checkouts"
