"""What durability costs: a landing against the bare durable write of the same bytes, in turns in the same run."""

from __future__ import annotations

import gc
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from spark.core.changes import FileChange, sha256_of
from spark.core.paths import ProjectPath
from tests.adapters.store_kit import Checkout

ROUNDS = 3
WRITES = 150
LIMIT_RATIO = 3.0
READ_LIMIT_MS = 1.0


def content(number: int) -> bytes:
    """About 6.8 KB of text, the median of a Unity project's text files; each version differs in one line."""
    lines = [f"    private float value{row} = {row * 7919 % 1000}f; // row {row}\n" for row in range(140)]
    lines[number % 140] = f"    private int changed{number};\n"
    return "".join(lines).encode()


def bare_write(folder: Path, data: bytes) -> None:
    """The least that survives a power cut: temporary file, fsync, rename, fsync of the folder."""
    part, target = folder / "b.cs.part", folder / "b.cs"
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    part.replace(target)
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def run() -> list[dict[str, Any]]:
    """Rows of `{"name", "value", "limit", "unit", "ok"}`; the round with the median ratio counts."""
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="spark-bench-") as folder:
            rounds.append(_round(Path(folder)))
    rounds.sort(key=lambda rows: float(rows[0]["value"]))
    return rounds[ROUNDS // 2]


def _round(folder: Path) -> list[dict[str, Any]]:
    rig = Checkout(folder)
    rig.landing.recover()
    path = ProjectPath("Assets/a.cs")
    rig.write(path.text, content(0))
    bare: list[float] = []
    landed: list[float] = []
    read: list[float] = []
    gc.collect()
    for number in range(1, WRITES + 1):
        data = content(number)
        began = time.perf_counter()
        bare_write(rig.root / "Assets", data)
        bare.append(time.perf_counter() - began)
        change = FileChange(path, sha256_of(content(number - 1)), data)
        rig.clock.advance(0.05)
        began = time.perf_counter()
        rig.land(change)
        landed.append(time.perf_counter() - began)
        began = time.perf_counter()
        rig.store.content(sha256_of(data))
        read.append(time.perf_counter() - began)
    rig.close()
    bare_ms, landed_ms = statistics.median(bare) * 1e3, statistics.median(landed) * 1e3
    read_ms = statistics.quantiles(read, n=100)[98] * 1e3
    return [
        _row("power-safe write, p50, to the bare durable write", landed_ms / bare_ms, LIMIT_RATIO, "x"),
        {"name": "  power-safe write, p50", "value": landed_ms, "limit": None, "unit": "ms", "ok": True},
        {"name": "  bare durable write, p50", "value": bare_ms, "limit": None, "unit": "ms", "ok": True},
        _row("version read back and verified, p99", read_ms, READ_LIMIT_MS, "ms"),
    ]


def _row(name: str, value: float, limit: float, unit: str) -> dict[str, Any]:
    return {"name": name, "value": value, "limit": limit, "unit": unit, "ok": value <= limit}


if __name__ == "__main__":
    for row in run():
        print(row)
