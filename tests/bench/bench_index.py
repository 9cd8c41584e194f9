"""Index and watcher with 100,000 files, against plain loops, `git status` and `git grep` in the same run.

`run()` makes a tree of about 100 MB in a temporary folder (and a repository in it), measures in child processes so that
every number has a process of its own, and removes it. Then the same for a package cache of 100,000 metas. It takes about four
minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spark.adapters.file_index import FileIndex, finish
from spark.adapters.package_guids import PackageGuids
from spark.adapters.watcher import LONGEST_S, SCAN_CPU_SHARE, SHORTEST_S, Watcher

FILES = 100_000
CHECKOUT_FILES = 10_000
IDLE_S = 45.0
_HERE = Path(__file__).resolve().parents[2]


def make_tree(root: Path, files: int) -> None:
    """Scripts, prefabs, materials and binaries with their metas, twenty assets to a folder; about 1 KB each."""
    chosen = random.Random(7)
    guids: list[str] = []
    for top in ("Assets", "Packages", "ProjectSettings"):
        (root / top).mkdir(parents=True)
    made = 0
    while made < files:
        number = made // 40
        folder = root / "Assets" / f"Area{number % 40}" / f"Set{number // 40}"
        folder.mkdir(parents=True)
        for at in range(20):
            guid = f"{chosen.getrandbits(128):032x}"
            guids.append(guid)
            name, body = _asset(chosen, at, guids)
            (folder / name).write_text(body)
            (folder / f"{name}.meta").write_text(
                f"fileFormatVersion: 2\nguid: {guid}\nMonoImporter:\n  externalObjects: {{}}\n  serializedVersion: 2\n"
            )
            made += 2


def _asset(chosen: random.Random, at: int, guids: list[str]) -> tuple[str, str]:
    kind = chosen.random()
    if kind < 0.35:
        return f"Script{at}.cs", "using UnityEngine;\n" + "    public int value = 1; // a line\n" * chosen.randint(
            5, 80
        )
    if kind < 0.7:
        parts = (
            f"--- !u!4 &{number}\nTransform:\n  m_Script: {{fileID: 11500000, guid: {chosen.choice(guids)}, type: 3}}\n"
            "  m_LocalPosition: {x: 0, y: 0, z: 0}\n"
            for number in range(chosen.randint(2, 25))
        )
        return f"Thing{at}.prefab", "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n" + "".join(parts)
    if kind < 0.9:
        shader = f"  m_Shader: {{fileID: 46, guid: {chosen.choice(guids)}, type: 3}}\n"
        return f"Look{at}.mat", "%YAML 1.1\nMaterial:\n" + shader + "    - _Prop: 0.5\n" * chosen.randint(10, 80)
    return f"Data{at}.bytes", "x" * chosen.randint(200, 6_000)


class _Clock:
    def now(self) -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def monotonic(self) -> float:
        return time.monotonic()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _timed(what: Callable[[], object]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def _plain(root: Path) -> dict[str, float]:
    """Reading and hashing every file in a loop."""

    def loop() -> None:
        for top in ("Assets", "Packages", "ProjectSettings"):
            for folder, _, names in os.walk(root / top):
                for name in names:
                    with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123 the plain loop is plain
                        hashlib.sha256(file.read()).hexdigest()

    return {"s": _timed(loop)}


def _bare(root: Path) -> dict[str, float]:
    """Listing every folder and looking at every file, without any index."""
    cpu = _cpu_s()
    waiting = [str(root / top) for top in ("Assets", "Packages", "ProjectSettings")]
    files = 0
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    files += entry.stat(follow_symlinks=False).st_size >= 0
    return {"cpu_s": _cpu_s() - cpu, "files": files}


def _first(root: Path) -> dict[str, float]:
    before = _rss_bytes()
    index = FileIndex(root, snapshot=root / "snapshot")
    first_s = _timed(lambda: finish(index.full_scan()))
    after = _rss_bytes()
    cpu = _cpu_s()
    finish(index.full_scan())
    index.save()
    return {"s": first_s, "bytes": after - before, "again_cpu_s": _cpu_s() - cpu, "files": len(index)}


def _warm(root: Path) -> dict[str, float]:
    """A restart until every guid and every reference can be asked for; and what such questions take then."""
    guid = _some_guid(root)
    before = _rss_bytes()
    cpu = _cpu_s()
    index = FileIndex(root, snapshot=root / "snapshot")

    def restart() -> None:
        assert index.load()
        assert finish(index.full_scan()) == []

    scan_s = _timed(restart)
    assert index.path_of_guid(guid) is not None
    assert index.references_to(guid)
    assert index.duplicate_guids() == {}
    used = {"s": scan_s, "cpu_s": _cpu_s() - cpu, "bytes": _rss_bytes() - before, "files": len(index)}
    return used | {"references_s": min(_timed(lambda: index.references_to(guid)) for _ in range(9))}


def _some_guid(root: Path) -> str:
    """One that the first prefab names."""
    text = next(path.read_text() for path in sorted(root.rglob("*.prefab")))
    return text.partition("guid: ")[2][:32]


def make_packages(root: Path) -> None:
    """A hundred packages with a thousand small metas each; the folders are old, as those of an installed package are."""
    chosen = random.Random(11)
    for number in range(100):
        package = root / "Library/PackageCache" / f"com.bench.p{number}@1.0.0"
        for part in range(20):
            folder = package / "Runtime" / f"Part{part}"
            folder.mkdir(parents=True)
            for at in range(50):
                body = f"fileFormatVersion: 2\nguid: {chosen.getrandbits(128):032x}\nMonoImporter:\n  externalObjects: {{}}\n"
                (folder / f"Something{at}.cs.meta").write_text(body)
        os.utime(package, ns=(1_600_000_000_000_000_000,) * 2)


def _packages(root: Path) -> dict[str, float]:
    """The first question for a guid of a package without and with what the run before has kept, and a later question."""
    last = max((root / "Library").rglob("*.meta"))
    guid = bytes.fromhex(last.read_text().partition("guid: ")[2][:32])
    kept = root / "packages.snapshot"

    def ask(packages: PackageGuids) -> None:
        assert packages.path_of_guid(guid) is not None

    plain_cpu = _cpu_s()
    for folder, _, names in os.walk(root / "Library"):
        for name in names:
            with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123 the plain loop is plain
                file.read()
    plain_cpu, cold_cpu = _cpu_s() - plain_cpu, _cpu_s()
    ask(PackageGuids(root, kept))
    cold_cpu = _cpu_s() - cold_cpu
    before, warm_cpu = _rss_bytes(), _cpu_s()
    packages = PackageGuids(root, kept)
    ask(packages)
    warm_cpu, held = _cpu_s() - warm_cpu, _rss_bytes() - before
    later_s = min(_timed(lambda: ask(packages)) for _ in range(99))
    assert packages.table is not None
    found = {"plain_cpu_s": plain_cpu, "cold_cpu_s": cold_cpu, "warm_cpu_s": warm_cpu, "bytes": held}
    return found | {"files": len(packages.table), "later_s": later_s}


async def _idle(root: Path) -> dict[str, float]:
    index = FileIndex(root, snapshot=root / "snapshot")
    watcher = Watcher(index, lambda deltas: None, clock=_Clock())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watcher.run())
        await watcher.caught_up(120)
        await watcher.caught_up(120)
        scans, cpu, started = watcher.view()["fullScans"], _cpu_s(), time.perf_counter()
        await asyncio.sleep(IDLE_S)
        view = watcher.view()
        used = {"cpu_s": _cpu_s() - cpu, "s": time.perf_counter() - started, "scans": view["fullScans"] - scans}
        used |= {"scan_cpu_s": view["lastFullScan"]["cpuS"], "events": view["mode"] == "events"}
        task.cancel()
    return used


async def _checkout(root: Path) -> dict[str, float]:
    index = FileIndex(root, snapshot=root / "snapshot")
    seen: set[str] = set()
    watcher = Watcher(index, lambda deltas: seen.update(delta.path.text for delta in deltas), clock=_Clock())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watcher.run())
        await watcher.caught_up(120)
        await asyncio.to_thread(_git, root, "switch", "-q", "other")
        ended = time.perf_counter()
        while len(seen) < CHECKOUT_FILES and time.perf_counter() - ended < 60:
            await asyncio.sleep(0.005)
        behind_s = time.perf_counter() - ended
        task.cancel()
    return {"s": behind_s, "missing": CHECKOUT_FILES - len(seen)}


def _git(root: Path, *arguments: str) -> None:
    settings = ("-c", "core.autocrlf=false", "-c", "gc.auto=0", "-c", "user.name=t", "-c", "user.email=t@localhost")
    subprocess.run(["git", *settings, *arguments], cwd=root, check=True, capture_output=True)


def _in_child(what: str, root: Path) -> dict[str, float]:
    environment = {**os.environ, "PYTHONPATH": f"{_HERE / 'daemon'}{os.pathsep}{_HERE}"}
    command = [sys.executable, "-m", "tests.bench.bench_index", what, str(root)]
    done = subprocess.run(command, cwd=_HERE, env=environment, check=True, capture_output=True, text=True, timeout=600)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _row(name: str, value: float, limit: float, unit: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "limit": limit, "unit": unit, "ok": value <= limit}


def run() -> list[dict[str, Any]]:
    """Rows of `{"name","value","limit","unit","ok"}`."""
    with tempfile.TemporaryDirectory(prefix="spark-bench-") as folder:
        root = Path(folder)
        make_tree(root, FILES)
        _git(root, "init", "-q", "-b", "main")
        _git(root, "add", "-A")
        _git(root, "commit", "-qm", "one")
        time.sleep(3)  # Until no file counts as freshly changed any more, for git as for us.
        plain_s = min(_in_child("plain", root)["s"] for _ in range(3))
        first = min((_in_child("first", root) for _ in range(3)), key=lambda result: result["s"])
        (root / ".git/info/exclude").write_text("snapshot\n")
        status_s = min(_timed(lambda: _git(root, "status")) for _ in range(5))
        warm = [_in_child("warm", root) for _ in range(5)]
        warm_s = min(result["s"] for result in warm)
        more_cpu_s = min(result["cpu_s"] for result in warm) - min(_in_child("bare", root)["cpu_s"] for _ in range(5))
        guid = _some_guid(root)
        grep_s = min(_timed(lambda: _git(root, "grep", "-l", "-F", f"guid: {guid}")) for _ in range(3))
        idle = _in_child("idle", root)
        pause_s = min(max(idle["scan_cpu_s"] / SCAN_CPU_SHARE, SHORTEST_S), LONGEST_S)
        quiet_share = max(idle["cpu_s"] - idle["scans"] * idle["scan_cpu_s"], 0.0) / idle["s"]
        _git(root, "switch", "-q", "-c", "other")
        for number, path in enumerate(sorted((root / "Assets").rglob("*.meta"))):
            if number < CHECKOUT_FILES:
                path.write_text(path.read_text() + "  userData: other\n")
        _git(root, "commit", "-qam", "two")
        _git(root, "switch", "-q", "main")
        checkout = _in_child("checkout", root)
    with tempfile.TemporaryDirectory(prefix="spark-bench-") as folder:
        make_packages(Path(folder))
        packages = _in_child("packages", Path(folder))
    share = 100 * (quiet_share + idle["scan_cpu_s"] / pause_s)
    return [
        _row(
            "first index of 100,000 files with guids and references / reading and hashing them",
            first["s"] / plain_s,
            3.0,
            "ratio",
        ),
        _row("warm restart with 100,000 files / git status", warm_s / status_s, 3.0, "ratio"),
        _row(
            "warm restart of 100,000 files, guids and references ready, more than a bare walk", more_cpu_s, 1.0, "CPU s"
        ),
        _row(
            "memory of an indexed file, with its guid and references",
            warm[-1]["bytes"] / warm[-1]["files"],
            600,
            "bytes",
        ),
        _row(
            "who refers to an asset, among 100,000 files / git grep",
            min(result["references_s"] for result in warm) / grep_s,
            0.2,
            "ratio",
        ),
        _row(
            "first guid of 100,000 in the package cache / reading their files",
            packages["cold_cpu_s"] / packages["plain_cpu_s"],
            2.5,
            "ratio",
        ),
        _row("the same at the next start", packages["warm_cpu_s"], 0.5, "CPU s"),
        _row("a later guid of a package", 1e6 * packages["later_s"], 100, "us"),
        _row("memory of an asset in the package cache", packages["bytes"] / packages["files"], 300, "bytes"),
        _row("idle CPU of the watcher with 100,000 files, scans included", share, 0.5, "%"),
        _row("idle CPU of the watcher with 100,000 files between two scans", 100 * quiet_share, 0.5, "%"),
        _row("memory of the index of 100,000 files", first["bytes"] / 1e6, 60.0, "MB"),
        _row("10,000 files checked out: files missing in the index", checkout["missing"], 0, "files"),
        _row("10,000 files checked out: index behind the end of git", checkout["s"], 5.0, "s"),
    ]


def main(what: str, root: Path) -> None:
    """One measurement in this process; prints JSON."""
    result = {
        "plain": lambda: _plain(root),
        "bare": lambda: _bare(root),
        "packages": lambda: _packages(root),
        "first": lambda: _first(root),
        "warm": lambda: _warm(root),
        "idle": lambda: asyncio.run(_idle(root)),
        "checkout": lambda: asyncio.run(_checkout(root)),
    }[what]()
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
