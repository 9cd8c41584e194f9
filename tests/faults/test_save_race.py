"""A user's editor in a process of its own saves the same file that the landing writes, as fast as it can."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spark.adapters.exchange import LinkExchange
from spark.core.changes import FileChange, sha256_of
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from tests.adapters.store_kit import Checkout

A = "Assets/a.cs"
SAVES = 400
EDITOR = """
import ctypes, hashlib, random, sys, time
target, part, log, saves = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
call = ctypes.CDLL(None, use_errno=True).renameat2
seed = random.Random(1)
digest = lambda data: hashlib.sha256(data).hexdigest()
with open(log, "w") as told:
    for number in range(saves):
        data = b"user %d " % number * 50
        with open(part, "wb") as out:
            out.write(data)
        # By exchange, so that the log knows what each save replaced.
        if call(-100, part.encode(), -100, target.encode(), 2):
            sys.exit("the exchange failed")
        with open(part, "rb") as came:
            print(digest(data), digest(came.read()), file=told, flush=True)
        time.sleep(seed.random() * 0.004)
"""


@pytest.mark.parametrize("merge", [False, True])
def test_no_save_is_lost(tmp_path: Path, merge: bool) -> None:
    """Every save is in the history, or was replaced by the user's own next save, or is in place at the end; and every
    answer `landed` is a version."""
    rig = Checkout(tmp_path)
    rig.landing.recover()
    rig.save(A, b"start")
    log = tmp_path / "log"
    editor = subprocess.Popen(
        [sys.executable, "-c", EDITOR, str(rig.root / A), str(tmp_path / "part"), str(log), str(SAVES)],
        stderr=subprocess.PIPE,
    )
    landed: list[str] = []
    refused: list[str] = []
    while editor.poll() is None:
        now = rig.on_disk(A)
        change = FileChange(ProjectPath(A), None if now is None else sha256_of(now), b"spark %d " % len(landed) * 40)
        try:
            landed += [change.version_id for change in rig.land(change, merge=merge).changes]
        except ToolRejected as refusal:
            refused.append(refusal.code)
        rig.clock.advance(0.1)
    assert editor.returncode == 0, editor.stderr and editor.stderr.read()
    if editor.stderr:
        editor.stderr.close()
    rows = [line.split() for line in log.read_text().splitlines()]
    assert len(rows) == SAVES
    replaced = {old for _, old in rows}
    now = rig.on_disk(A)
    in_place = None if now is None else sha256_of(now)
    lost = [
        saved for saved, _ in rows if not rig.store.has_content(saved) and saved not in replaced and saved != in_place
    ]
    assert lost == []
    assert landed
    assert set(refused) == {"conflict"}
    assert all(rig.store.version(version_id) is not None for version_id in landed)
    rig.clock.advance(3)
    rig.landing.sweep()
    assert rig.staged() == []
    rig.close()


def test_the_fallback_loses_only_in_its_window(tmp_path: Path) -> None:
    """Without an exchange (and with in-place saves, whose bytes keep their file) nothing is lost either: what was written
    into the old file before the sweep is found there."""
    rig = Checkout(tmp_path, exchange=LinkExchange())
    rig.save(A, b"start")
    for number in range(50):
        with (rig.root / A).open("r+b") as editor:
            rig.write(A, b"spark %d" % number)
            words = b"late %d" % number
            editor.truncate(0)
            editor.write(words)
        rig.clock.advance(2.1)
        rig.landing.sweep()
        assert rig.store.has_content(sha256_of(words))
        assert rig.on_disk(A) == b"spark %d" % number
    rig.close()
