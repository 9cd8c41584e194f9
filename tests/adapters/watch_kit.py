"""What the tests of index, watcher and user edits share: a small project, an independent view of the disk, fakes that keep
state, and a watcher that runs."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import subprocess
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from spark.adapters.file_index import FileIndex
from spark.adapters.file_tree import FileDelta
from spark.adapters.folder_events import OnDoubt, OnEvent
from spark.adapters.watcher import Watcher
from spark.core.paths import ROOTS, ProjectPath
from spark.core.versions import Author, GitPlace, Observed, Provenance, Version

DEADLINE_S = 30.0


def make_project(root: Path, *, files: int = 0) -> Path:
    """A project with a script, its metas, a scene that refers to it, and `files` more text files in folders of ten."""
    write(root / "ProjectSettings" / "ProjectVersion.txt", "m_EditorVersion: 2022.3.41f1\n")
    write(root / "Packages" / "manifest.json", "{}\n")
    write(root / "Assets" / "Scripts.meta", meta(1))
    write(root / "Assets" / "Scripts" / "Player.cs", "class Player {}\n")
    write(root / "Assets" / "Scripts" / "Player.cs.meta", meta(2))
    write(root / "Assets" / "Main.unity", scene(2))
    write(root / "Assets" / "Main.unity.meta", meta(3))
    for number in range(files):
        write(root / "Assets" / f"Area{number // 10}" / f"File{number}.txt", f"file {number}\n")
    return root


def guid(number: int) -> str:
    return f"{number:032x}"


def meta(number: int) -> str:
    return f"fileFormatVersion: 2\nguid: {guid(number)}\nMonoImporter:\n  externalObjects: {{}}\n"


def scene(*numbers: int) -> str:
    lines = "".join(f"  m_Script: {{fileID: 11500000, guid: {guid(n)}, type: 3}}\n" for n in numbers)
    return f"%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n--- !u!114 &1\nMonoBehaviour:\n{lines}"


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def on_disk(root: Path) -> dict[str, str]:
    """Path to hash of every file that the index must know, found without any of its code."""
    found: dict[str, str] = {}
    for top in ROOTS:
        for folder, folders, names in os.walk(root / top):
            folders[:] = [name for name in folders if name != ".git"]
            for name in names:
                path = Path(folder) / name
                if not path.is_symlink():
                    found[path.relative_to(root).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def indexed(index: FileIndex) -> dict[str, str]:
    return {entry.path.text: entry.sha256 or "unread" for entry in index.entries()}


def sha(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def git(root: Path, *arguments: str) -> str:
    """Real git, apart from the machine's and the user's settings."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@localhost",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@localhost",
    }
    done = subprocess.run(
        ["git", "-c", "core.autocrlf=false", "-c", "gc.auto=0", *arguments],
        cwd=root,
        env=environment,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return done.stdout.decode()


async def until(true: Callable[[], bool], what: str = "") -> None:
    """Waits for a state; fails after `DEADLINE_S`."""
    give_up_at = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < give_up_at, f"never became true: {what}"
        await asyncio.sleep(0.005)


class FakeClock:
    """The real clocks, with a wall clock that a test can put forward or back, and a monotonic clock it can put forward."""

    def __init__(self) -> None:
        self.wall_offset_s = 0.0
        self.offset_s = 0.0

    def now(self) -> str:
        at = datetime.fromtimestamp(time.time() + self.wall_offset_s, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def monotonic(self) -> float:
        return time.monotonic() + self.offset_s


class FakeEvents:
    """A source of events that says what a test tells it to, and has as many watches as a test allows."""

    def __init__(self, *, watches: int = 1_000_000) -> None:
        self.limit = watches
        self.starts = 0
        self.running = False
        self.dead = False
        self.lost = 0
        self._folders: tuple[Path, ...] = ()
        self.event: OnEvent = lambda path: None
        self.doubt: OnDoubt = lambda reason: None

    def start(self, folders: Sequence[Path], on_event: OnEvent, on_doubt: OnDoubt) -> None:
        self.starts += 1
        self._folders = tuple(folders)
        needed = 0
        for top in folders:
            for _ in os.walk(top):
                needed += 1
                if needed > self.limit:
                    raise OSError(errno.ENOSPC, "inotify watch limit reached")
        self.event, self.doubt = on_event, on_doubt
        self.running = True
        self.dead = False

    def stop(self) -> None:
        self.running = False

    def broken(self) -> bool:
        return self.dead

    def watch_count(self) -> int | None:
        return sum(1 for top in self._folders for _ in os.walk(top)) - self.lost


@dataclass
class FakeStore:
    """Keeps what was recorded, as the history would."""

    rows: list[tuple[Observed, Provenance]] = field(default_factory=list)
    events: list[tuple[GitPlace, GitPlace, dict[str, str | None]]] = field(default_factory=list)
    latest: dict[str, str | None] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)

    def record_observed(self, observed: Sequence[Observed], by: Provenance) -> list[Version]:
        for item in observed:
            assert item.content is None or sha(item.content) == item.sha256
            if item.path.text in self.latest and self.latest[item.path.text] == item.sha256:
                continue
            self.latest[item.path.text] = item.sha256
            self.rows.append((item, by))
        return []

    def record_git_event(self, before: GitPlace, after: GitPlace, paths: Mapping[str, str | None]) -> Version:
        self.events.append((before, after, dict(paths)))
        self.latest.update(paths)
        author = Author("git", after.branch or "")
        return Version("v", "", "checkout", None, 0, "kept", author, None, None, None, after, None, "")

    def latest_sha256(self, path: ProjectPath) -> object:
        return self.latest.get(path.text, "unknown" if path.text in self.latest else ...)

    def get(self, key: str) -> str | None:
        return self.state.get(key)

    def put(self, key: str, value: str) -> None:
        self.state[key] = value

    def paths(self) -> list[str]:
        return [item.path.text for item, _ in self.rows]

    def contents(self, path: str) -> list[bytes | None]:
        return [item.content for item, _ in self.rows if item.path.text == path]


@dataclass
class Watched:
    """A running watcher and all the changes that it told of."""

    watcher: Watcher
    index: FileIndex
    deltas: list[FileDelta]

    def changed(self) -> dict[str, tuple[str | None, str | None]]:
        """Path to (first `before`, last `after`)."""
        found: dict[str, tuple[str | None, str | None]] = {}
        for delta in self.deltas:
            first = found.get(delta.path.text, (delta.before, None))[0]
            found[delta.path.text] = (first, delta.after)
        return {path: ends for path, ends in found.items() if ends[0] != ends[1]}


@asynccontextmanager
async def watching(
    root: Path,
    *,
    events: FakeEvents | None = None,
    clock: FakeClock | None = None,
    snapshot: Path | None = None,
    pace: float = 1.0,
) -> AsyncGenerator[Watched]:
    """A watcher that has caught up with the disk. `pace` shortens its pauses between scans."""
    index = FileIndex(root, snapshot=snapshot)
    deltas: list[FileDelta] = []
    watcher = Watcher(
        index,
        deltas.extend,
        clock=clock or FakeClock(),
        events=events,
        jitter=lambda low, high: pace * (low + high) / 2,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watcher.run())
        try:
            await watcher.caught_up(DEADLINE_S)
            yield Watched(watcher, index, deltas)
        finally:
            task.cancel()
