"""The check of files against one pass over their lines, and `spark check` of 100,000 files.

The files are those of public projects where they are at hand, else a hundred copies of our own small ones. Both sides of a
ratio work on the same bytes in the same run, in CPU time, the best of several rounds.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spark.cli.check_files import WalkedFiles, WalkedIndex
from spark.core.paths import ProjectPath
from spark.engines.unity.engine import Unity
from tests.engines.unity.checks.assets import HEAD, MATERIAL, behaviour, game_object, meta, transform
from tests.engines.unity.corpus import CORPUS

FILES = 100_000
ROUNDS = 8
_HERE = Path(__file__).resolve().parents[2]
_LINES = re.compile(rb"[^\n]*\n")


class _Held(WalkedFiles):
    """The same files with their bytes in memory."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.held: dict[str, bytes] = {}

    def read(self, path: ProjectPath, *, limit_bytes: int | None = None) -> bytes | None:
        content = self.held.get(path.text)
        return content if content is not None else super().read(path, limit_bytes=limit_bytes)


def make_tree(root: Path, files: int) -> None:
    """Scripts, prefabs, materials and textures with their metas, twenty assets to a folder; all of them fit together."""
    chosen = random.Random(7)
    guids: list[str] = []
    (root / "ProjectSettings").mkdir(parents=True)
    (root / "Packages").mkdir()
    (root / "Packages/manifest.json").write_text("{}", encoding="utf-8")
    made = 1
    while made < files:
        folder = root / "Assets" / f"Area{made // 1600}" / f"Set{made // 40}"
        folder.mkdir(parents=True)
        for new in (folder, folder.parent):
            (root / f"{new.relative_to(root)}.meta").write_text(
                meta(f"{chosen.getrandbits(127):032x}"), encoding="utf-8"
            )
        for _ in range(20):
            guid = f"{chosen.getrandbits(128) | 1 << 127:032x}"
            name, body = _asset(chosen, made, guids)
            if name.endswith(".cs"):
                guids.append(guid)
            (folder / name).write_text(body, encoding="utf-8")
            (folder / f"{name}.meta").write_text(meta(guid), encoding="utf-8")
            made += 2


def _asset(chosen: random.Random, number: int, scripts: list[str]) -> tuple[str, str]:
    kind = chosen.random()
    if kind < 0.25 or not scripts:
        body = "".join(
            f"    public int value{at} = {at}; // a line\n    void M{at}() {{ value{at}++; }}\n"
            for at in range(chosen.randint(3, 40))
        )
        return (
            f"Script{number}.cs",
            f"using UnityEngine;\n\npublic class Script{number} : MonoBehaviour\n{{\n{body}}}\n",
        )
    if kind < 0.5:
        parts = "".join(
            game_object(at, at + 1, at + 2) + transform(at + 1, at) + behaviour(at + 2, at, chosen.choice(scripts))
            for at in range(10, 10 + 3 * chosen.randint(1, 12), 3)
        )
        return f"Thing{number}.prefab", HEAD + parts
    if kind < 0.75:
        return f"Look{number}.mat", MATERIAL
    return f"Picture{number}.png", "x" * chosen.randint(200, 6_000)


def _roots(made: Path) -> list[Path]:
    if CORPUS.is_dir():
        return sorted(p.parent for p in CORPUS.rglob("ProjectSettings") if (p.parent / "Assets").is_dir())
    make_tree(made / "small", 1_000)
    return [made / "small"]


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _ratios(roots: list[Path]) -> list[dict[str, Any]]:
    rounds = [_round(roots) for _ in range(ROUNDS)]
    cold, floor, again, read = (min(one[at] for one in rounds) for at in range(4))
    return [
        _row("check of real files, cold / one pass over their lines", cold / floor, "x", 6.0),
        _row("unchanged files: read, hashed, known / read and hashed", again / read, "x", 2.0),
    ]


def _round(roots: list[Path]) -> tuple[float, float, float, float]:
    """CPU seconds: cold check, pass over the lines, second check, reading and hashing."""
    projects = []
    for root in roots:
        files = _Held(root)
        index = WalkedIndex(files)
        index.path_of_guid("f" * 32)
        projects.append((Unity(files, index), files, index))
    places = [(files, entry.path) for _, files, index in projects for entry in index.entries()]
    contents = []
    for files, path in places:
        files.held[path.text] = (files.root / path.text).read_bytes()
        contents.append(files.held[path.text])
    floor = _cpu(lambda: [_lines(content) for content in contents])
    cold = _cpu(lambda: [unity.check_project() for unity, _, _ in projects])
    for _, files, _ in projects:
        files.held = {}
    names = [files.root / path.text for files, path in places]
    read = _cpu(lambda: [hashlib.sha256(name.read_bytes()).hexdigest() for name in names])
    again = _cpu(lambda: [unity.check_project() for unity, _, _ in projects])
    return cold, floor, again, read


def _lines(content: bytes) -> bool:
    for _ in _LINES.finditer(content):
        pass
    return True


def _whole(made: Path) -> list[dict[str, Any]]:
    root = made / "large"
    make_tree(root, FILES)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "spark", "check", "--project", str(root)],
        env={**os.environ, "PYTHONPATH": str(_HERE / "daemon")},
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    summary = done.stdout.splitlines()[-1] if done.stdout else done.stderr
    return [
        _row(f"spark check, {summary.partition(':')[0]}, CPU", cpu, "s", 60.0),
        _row("the same, memory", after.ru_maxrss / 1024, "MB", 600.0),
    ]


def _row(name: str, value: float, unit: str, limit: float) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "ok": value <= limit}


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        return _ratios(_roots(made)) + _whole(made)
