"""Every system call of a landing is a place to die or to fail: kill, EIO, ENOSPC and short write at the Nth call, for every
N of the landing, then recovery and every promise checked. Power loss (pages never written) is not simulated."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults import required, unavailable, writer

KILL = (
    "openat2",
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "renameat",
    "renameat2",
    "unlinkat",
    "mkdirat",
    "linkat",
    "close",
)
FAIL = ("openat2", "openat", "write", "pwrite64", "fsync", "fdatasync", "renameat", "renameat2", "mkdirat", "linkat")
FAULTS = (
    ("signal=SIGKILL", KILL),
    ("error=EIO", FAIL),
    ("error=ENOSPC", FAIL),
    # The call answers 100 and writes nothing: a short write whose rest never comes.
    ("retval=100", ("write",)),
)
BUDGET_S = 24.0
"""For each of the four landings; a machine of its own gets through all points, a busy one through a spread of them."""


class Points:
    """Runs the writer under strace on fresh copies of one prepared checkout."""

    def __init__(self, strace: str, mode: str, folder: Path) -> None:
        self.strace = strace
        self.mode = mode
        self.folder = folder
        self.template = folder / "template"
        rig = writer.checkout(mode, self.template)
        rig.landing.recover()
        for path, content in writer.BEFORE[mode].items():
            rig.save(path, content)
        rig.close()
        (self.template / "users").write_bytes(writer.USERS)
        self.work = folder / "work"

    def run(self, *strace_args: str) -> str:
        """One landing under strace; returns what the process said (empty: it was killed)."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.template, self.work)
        pid, alive = writer.forked(self.mode, self.work)
        command = [self.strace, "-qq", "-o", str(self.folder / "log"), "-p", str(pid), *strace_args]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
            try:
                self._attached(pid, tracer)
                os.kill(pid, signal.SIGCONT)
                os.waitpid(pid, 0)
            except BaseException:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise
        os.read(alive, 1)  # ends with the last process, also that of the user where the writer was killed
        os.close(alive)
        bug, said = self.work / "bug", self.work / "said"
        assert not bug.exists(), bug.read_text()
        return said.read_text() if said.exists() else ""

    @staticmethod
    def _attached(pid: int, tracer: subprocess.Popen[str]) -> None:
        """Waits until strace holds the process."""
        end = time.monotonic() + 20
        while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text():
            if tracer.poll() is not None or time.monotonic() > end:
                unavailable(f"strace may not trace here: {tracer.stderr.read() if tracer.stderr else ''}")
            time.sleep(0.001)

    def counts(self) -> dict[str, int]:
        """How often each call is made by the landing."""
        calls = sorted({call for _, kinds in FAULTS for call in kinds})
        assert self.run("-e", f"trace={','.join(calls)}")
        found = re.findall(r"^(\w+)\(", (self.folder / "log").read_text("utf-8", "replace"), re.MULTILINE)
        return {call: found.count(call) for call in calls}

    def check(self, label: str, said: str) -> int:
        """All promises, after the process ended; returns how many landings recovery brought to an end."""
        old = writer.BEFORE[self.mode]
        new = {path: content for path, content in {**old, **writer.AFTER[self.mode]}.items() if content is not None}
        rig = writer.checkout(self.mode, self.work)
        saved = (self.work / "saved").exists()
        users = {"Assets/a.cs": writer.USERS} if saved else {}
        if said.startswith("refused"):
            assert rig.tree() == {**old, **users}, f"{label}: a refusal that changed something"
        report = rig.landing.recover()
        tree, done = rig.tree(), rig.store.call_versions("c_1")
        assert report.problems == [], label
        assert tree in ((users or old, new) if not saved else (users,)), f"{label}: torn or half"
        assert bool(done) == (tree == new), f"{label}: {len(done)} versions"
        if said.startswith("landed"):
            assert tree == new, f"{label}: said landed"
        contents = rig.contents()
        if tree == new:
            assert len(done) == len(writer.AFTER[self.mode]), label
            assert [rig.before(v) for v in done] == [old.get(v.path) for v in done], f"{label}: parents"
            assert not (rig.root / "Assets" / "D").exists(), label
        else:
            assert not (rig.root / "Assets" / "N").exists(), f"{label}: a folder is left"
        if saved:
            assert writer.USERS in contents or tree["Assets/a.cs"] == writer.USERS, (
                f"{label}: the user's bytes are lost"
            )
        assert rig.staged() == [], label
        assert rig.db.query("SELECT count(*) FROM op")[0][0] == 0, label
        assert rig.db.query("PRAGMA integrity_check")[0][0] == "ok", label
        again = rig.landing.recover()
        assert (again.finished, again.taken_back, again.rescued) == (0, 0, []), f"{label}: not idempotent"
        assert rig.tree() == tree, label
        rig.close()
        return report.finished + report.taken_back


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", writer.MODES)
def test_no_crash_and_no_fault_loses_or_tears(mode: str, tmp_path: Path) -> None:
    """Wherever the process dies and whichever call fails: the set is in place whole with its versions, or not at all; what a
    refusal left is what was there; the user's save is in place; recovery leaves nothing over and can run again."""
    points = Points(required("strace", "it kills and starves the writer at each system call"), mode, tmp_path)
    counts = points.counts()
    plan = [(fault, call, n) for fault, calls in FAULTS for call in calls for n in range(1, counts[call] + 1)]
    assert len(plan) > 50
    # In an order that spreads over all faults and calls, so that on a busy machine the budget still sees every kind.
    began, tried, recovered = time.monotonic(), 0, 0
    for number in sorted(range(len(plan)), key=lambda index: (index * 0.6180339887) % 1):
        if time.monotonic() - began > BUDGET_S and tried >= 30:
            break
        fault, call, n = plan[number]
        said = points.run("-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={n}")
        recovered += points.check(f"{mode}: {fault} at {call} {n}: {said}", said)
        tried += 1
    print(f"{mode}: {tried} of {len(plan)} points, {recovered} landings ended by recovery")
    assert recovered > 0
