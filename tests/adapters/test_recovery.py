"""Recovery: a landing that is killed anywhere ends whole or not at all, and nothing of the user's is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from spark.adapters.beneath import Folder
from spark.adapters.exchange import LinkExchange, native_exchange
from spark.core.changes import FileChange, sha256_of
from spark.core.errors import ToolRejected, Unavailable
from spark.core.paths import ProjectPath
from tests.adapters.store_kit import Checkout, Crash

ONE, TWO, USERS = b"one\n", b"two\n", b"by the user\n"
POINTS = ["intent", "put on stage", "staged", "before exchange", "exchanged", "synced", "done"]


def crash_at(rig: Checkout, point: str, nth: int = 1, act: Callable[[], object] = lambda: None) -> None:
    """Kills the landing when it passes a point for the nth time; `act` runs just before."""
    passed = [0]

    def hook(name: str) -> None:
        if name == point:
            passed[0] += 1
            if passed[0] == nth:
                act()
                raise Crash

    rig.hook = hook


def killed(rig: Checkout, *changes: FileChange) -> bool:
    try:
        rig.land(*changes)
    except Crash:
        return True
    except ToolRejected:
        return False
    return False


def settled(rig: Checkout) -> None:
    """Nothing is left over, and another recovery finds nothing to do."""
    assert rig.staged() == []
    assert rig.db.query("SELECT count(*) FROM op")[0][0] == 0
    assert rig.db.query("SELECT count(*) FROM change_group")[0][0] == 0
    assert rig.db.query("PRAGMA integrity_check")[0][0] == "ok"
    assert rig.report.problems == []
    tree = rig.tree()
    versions = rig.versions()
    rig.restart()
    assert (rig.report.finished, rig.report.taken_back, rig.report.rescued) == (0, 0, [])
    assert (rig.tree(), rig.versions()) == (tree, versions)


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("after", [TWO, None])
def test_one_file_killed_anywhere(tmp_path: Path, point: str, fallback: bool, after: bytes | None) -> None:
    """One file is old without a version, or new with exactly one version of the call that wrote it."""
    rig = Checkout(tmp_path, exchange=LinkExchange() if fallback else None)
    rig.save("Assets/a.cs", ONE)
    crash_at(rig, point)
    crashed = killed(rig, rig.change("Assets/a.cs", after))
    rig.restart()
    versions = rig.store.call_versions("c_1")
    if rig.on_disk("Assets/a.cs") == ONE:
        assert crashed
        assert versions == []
    else:
        assert rig.on_disk("Assets/a.cs") == after
        assert [(v.sha256, rig.before(v)) for v in versions] == [(None if after is None else sha256_of(after), ONE)]
    assert ONE in rig.contents()
    settled(rig)
    rig.close()


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
@pytest.mark.parametrize("point", [*POINTS, "going back"])
@pytest.mark.parametrize("conflict", [False, True])
def test_a_group_killed_anywhere(tmp_path: Path, point: str, nth: int, fallback: bool, conflict: bool) -> None:
    """A set of a change, two new files in a new folder and a deletion is there as a whole or not at all, also when the user
    gets in the way of its last file and the way back is what is killed."""
    rig = Checkout(tmp_path, exchange=LinkExchange() if fallback else None)
    old = {"Assets/mod.cs": ONE, "Assets/del.cs": ONE}
    new = {"Assets/mod.cs": TWO, "Assets/N/new.cs": TWO, "Assets/N/new.cs.meta": TWO}
    for path, content in old.items():
        rig.save(path, content)
    changes = [rig.change(path, content) for path, content in new.items()] + [rig.change("Assets/del.cs", None)]
    passed: dict[str, int] = {}

    def hook(name: str) -> None:
        passed[name] = passed.get(name, 0) + 1
        if conflict and name == "exchanged" and passed[name] == 3:
            rig.save("Assets/N/new.cs", USERS)
        if name == point and passed[name] == nth:
            raise Crash

    rig.hook = hook
    crashed = killed(rig, *changes)
    rig.restart()
    tree, done = rig.tree(), rig.store.call_versions("c_1")
    if done:
        assert tree == new
        assert len(done) == 4
        assert {v.path for v in done} == {*new, "Assets/del.cs"}
    else:
        assert crashed or conflict
        users = {"Assets/N/new.cs": USERS} if "Assets/N/new.cs" in tree else {}
        assert tree == {**old, **users}
        assert (rig.root / "Assets" / "N").exists() == bool(users)
    settled(rig)
    rig.close()


@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("point", ["surprise", "revised", "exchanged", "synced", "done"])
@pytest.mark.parametrize("fits", [False, True])
def test_a_surprise_save_and_a_kill(tmp_path: Path, point: str, fallback: bool, fits: bool) -> None:
    """With a save in the last moment, whether it can be merged or not, and a kill anywhere after it: the user's bytes are in
    the history, and what is in place is theirs or contains them."""
    rig = Checkout(tmp_path, exchange=LinkExchange() if fallback else None)
    lines = b"".join(b"line %d\n" % number for number in range(9))
    users = b"user\n" + lines if fits else lines.replace(b"line 8", b"user 8")
    rig.save("Assets/a.cs", lines)
    once = [True]

    def hook(name: str) -> None:
        if name == "before exchange" and once.pop(0) if once else False:
            rig.save("Assets/a.cs", users)
        if name == point:
            raise Crash

    rig.hook = hook
    killed(rig, rig.change("Assets/a.cs", lines.replace(b"line 8", b"model 8")))
    rig.restart()
    now = rig.on_disk("Assets/a.cs")
    assert now in (users, b"user\n" + lines.replace(b"line 8", b"model 8"))
    assert users in rig.contents()
    assert lines in rig.contents()
    assert bool(rig.store.call_versions("c_1")) == (now != users)
    settled(rig)
    rig.close()


@pytest.mark.parametrize("content", [b"only the stage has this", ONE])
def test_unknown_bytes_in_the_stage_are_kept(tmp_path: Path, content: bytes) -> None:
    """Whatever whole file lies in the stage is kept before it is removed, under the stage's own path where nothing is known
    of it; a part is rubbish; bytes that the history has are not recorded twice."""
    rig = Checkout(tmp_path)
    rig.write("Assets/a.cs", ONE)
    stage = rig.root / ".spark" / "stage"
    (stage / "o_X.new").write_bytes(content)
    (stage / "o_Y.part").write_bytes(b"half a fi")
    rig.restart()
    if content == ONE:
        assert rig.report.rescued == []
    else:
        version = rig.store.version(rig.report.rescued[0])
        assert version is not None
        assert (version.path, version.action) == (".spark/stage/o_X.new", "recovered")
        assert rig.store.content(version.sha256 or "") == content
    assert b"half a fi" not in rig.contents()
    settled(rig)
    rig.close()


def test_died_between_exchange_and_look(tmp_path: Path) -> None:
    """Killed after the exchange and before anybody saw that it brought out a save: the save goes back in place."""
    rig = Checkout(tmp_path)
    rig.save("Assets/a.cs", ONE)
    crash_at(rig, "before exchange")
    assert killed(rig, rig.change("Assets/a.cs", TWO))
    rig.crash()
    (staged,) = (rig.root / ".spark" / "stage").iterdir()
    staged.write_bytes(USERS)
    (rig.root / "Assets/a.cs").write_bytes(TWO)
    rig.restart()
    assert rig.on_disk("Assets/a.cs") == USERS
    assert rig.contents() == [ONE, USERS]
    assert rig.report.taken_back == 1
    settled(rig)
    rig.close()


def test_died_in_the_fallback_between_its_two_renames(tmp_path: Path) -> None:
    """Without an exchange, the old bytes may still have their second name: they are found there."""
    rig = Checkout(tmp_path, exchange=LinkExchange())
    rig.save("Assets/a.cs", ONE)
    crash_at(rig, "before exchange")
    assert killed(rig, rig.change("Assets/a.cs", TWO))
    rig.crash()
    (staged,) = (rig.root / ".spark" / "stage").iterdir()
    (rig.root / "Assets/a.cs").rename(staged.with_suffix(".old"))
    staged.rename(rig.root / "Assets/a.cs")
    staged.with_suffix(".old").write_bytes(USERS)
    rig.restart()
    assert rig.on_disk("Assets/a.cs") == USERS
    assert USERS in rig.contents()
    settled(rig)
    rig.close()


def test_died_in_the_fallback_with_two_names(tmp_path: Path) -> None:
    """Without an exchange a new file has two names for a moment: a set that goes back then takes both away."""
    rig = Checkout(tmp_path, exchange=LinkExchange())
    rig.save("Assets/b.cs", ONE)
    crash_at(rig, "before exchange")
    assert killed(rig, rig.change("Assets/a.cs", TWO), rig.change("Assets/b.cs", TWO))
    rig.crash()
    rows = rig.root / ".spark" / "stage"
    (staged,) = (path for path in rows.iterdir() if path.name.startswith(first_op(rig)))
    (rig.root / "Assets/a.cs").hardlink_to(staged)
    rig.save("Assets/b.cs", USERS)
    rig.restart()
    assert rig.tree() == {"Assets/b.cs": USERS}
    settled(rig)
    rig.close()


def first_op(rig: Checkout) -> str:
    plain = sqlite3.connect(rig.data)
    (op_id,) = plain.execute("SELECT id FROM op WHERE path = 'Assets/a.cs'").fetchone()
    plain.close()
    return str(op_id)


def test_the_user_saved_while_the_daemon_was_dead(tmp_path: Path) -> None:
    """A save after the crash stays in place and is recorded."""
    rig = Checkout(tmp_path)
    rig.save("Assets/a.cs", ONE)
    crash_at(rig, "exchanged")
    assert killed(rig, rig.change("Assets/a.cs", TWO))
    rig.save("Assets/a.cs", USERS)
    rig.restart()
    assert rig.on_disk("Assets/a.cs") == USERS
    assert rig.contents() == [ONE, USERS]
    settled(rig)
    rig.close()


@pytest.mark.parametrize("point", ["staged", "exchanged"])
def test_the_stage_was_deleted_while_the_daemon_was_dead(tmp_path: Path, point: str) -> None:
    """Without the stage a half-carried-out set still goes back as a whole, from the history."""
    rig = Checkout(tmp_path)
    for name in ("a", "b"):
        rig.save(f"Assets/{name}.cs", ONE)
    crash_at(rig, point)
    assert killed(rig, *(rig.change(f"Assets/{name}.cs", TWO) for name in ("a", "b")))
    shutil.rmtree(rig.root / ".spark")
    rig.restart()
    assert rig.tree() == {"Assets/a.cs": ONE, "Assets/b.cs": ONE}
    settled(rig)
    rig.close()


def test_a_damaged_history_is_said_and_the_stage_still_kept(tmp_path: Path) -> None:
    """With the history damaged the daemon starts, says where the old file is, and keeps what the stage has."""
    rig = Checkout(tmp_path)
    rig.save("Assets/a.cs", ONE)
    crash_at(rig, "exchanged")
    assert killed(rig, rig.change("Assets/a.cs", TWO))
    rig.crash()
    rig.data.write_bytes(b"rubbish" * 5000)
    rig.restart()
    assert rig.report.set_aside is not None
    assert rig.contents() == [ONE]
    assert rig.on_disk("Assets/a.cs") == TWO
    rig.close()


# -- a history that cannot be written, and a way back that fails ---------------------------------------------------


def unwritable(rig: Checkout, now: bool = True) -> None:
    """SQLite then refuses every write, as on a full disk."""
    rig.db.run(f"PRAGMA query_only={'ON' if now else 'OFF'}")


def at(rig: Checkout, point: str, act: Callable[[], object], nth: int = 1) -> None:
    passed = [0]

    def hook(name: str) -> None:
        passed[0] += name == point
        if name == point and passed[0] == nth:
            act()

    rig.hook = hook


OLD = {"Assets/a.cs": ONE, "Assets/b.cs": ONE, "Assets/d.cs": ONE}


def three(rig: Checkout) -> list[FileChange]:
    for path, content in OLD.items():
        rig.save(path, content)
    return [rig.change("Assets/a.cs", TWO), rig.change("Assets/b.cs", TWO), rig.change("Assets/d.cs", None)]


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("files", [1, 3])
def test_a_refused_landing_is_taken_back_though_the_history_is_full(tmp_path: Path, restarts: bool, files: int) -> None:
    """Where neither the end nor the way back can be written, the files are as they were all the same, status says so, and
    neither the next sweep nor the next start carries the refused change out."""
    rig = Checkout(tmp_path)
    rig.landing.recover()
    changes = three(rig)[:files]
    at(rig, "synced", lambda: unwritable(rig))
    with pytest.raises(Unavailable) as caught:
        rig.land(*changes)
    assert "partlyInPlace" not in caught.value.details
    assert rig.tree() == OLD
    assert "the history could not be written since 2026-01-31T12:00:00" in rig.landing.problem
    rig.landing.sweep()
    assert rig.landing.problem
    if not restarts:
        unwritable(rig, False)
        rig.landing.sweep()
        assert rig.landing.problem == ""
        assert rig.db.query("SELECT count(*) FROM change_group WHERE state <> 'aborted'")[0][0] == 0
    rig.restart()
    assert rig.tree() == OLD
    assert rig.store.call_versions("c_1") == []
    settled(rig)
    rig.close()


def test_only_deletions_whose_refusal_could_not_be_written(tmp_path: Path) -> None:
    """Nothing staged tells a start that the deletions were refused: the stage's note does."""
    rig = Checkout(tmp_path)
    rig.landing.recover()
    three(rig)
    at(rig, "synced", lambda: unwritable(rig))
    with pytest.raises(Unavailable):
        rig.land(rig.change("Assets/a.cs", None), rig.change("Assets/b.cs", None))
    assert rig.tree() == OLD
    rig.restart()
    assert rig.tree() == OLD
    settled(rig)
    rig.close()


def test_an_unended_landing_does_not_take_back_a_later_one(tmp_path: Path) -> None:
    """A group that stayed open is ended before the next landing of its paths, so no later start reverts what landed since;
    what the user deletes in between stays deleted."""
    rig = Checkout(tmp_path)
    rig.landing.recover()
    changes = three(rig)
    at(rig, "going back", lambda: unwritable(rig))
    inner = rig.hook

    def hook(point: str) -> None:
        inner(point)
        if point == "staged":
            rig.save("Assets/b.cs", USERS)

    rig.hook = hook
    with pytest.raises(ToolRejected):
        rig.land(*changes, merge=False)
    rig.hook = lambda _point: None
    assert rig.tree() == {**OLD, "Assets/b.cs": USERS}
    assert "Assets/a.cs" in rig.landing.problem
    (rig.root / "Assets/d.cs").unlink()
    unwritable(rig, False)
    rig.write("Assets/a.cs", TWO, call_id="c_2")
    rig.clock.advance(3)
    rig.landing.sweep()
    rig.restart()
    assert rig.tree() == {"Assets/a.cs": TWO, "Assets/b.cs": USERS}
    assert rig.landing.problem == ""
    settled(rig)
    rig.close()


def test_recovery_leaves_what_a_newer_version_explains(tmp_path: Path) -> None:
    """An old operation that is still open (from an older SPARK) is closed, not taken back, where a later landing put the same
    bytes there."""
    rig = Checkout(tmp_path)
    rig.landing.recover()
    rig.save("Assets/a.cs", ONE)
    for number, content in enumerate((TWO, ONE, TWO)):
        rig.write("Assets/a.cs", content, call_id=f"c_{number}")
    with rig.db.transaction() as connection:
        first = connection.execute("SELECT min(id) FROM change_group").fetchone()[0]
        connection.execute("UPDATE change_group SET state = 'back' WHERE id = ?", (first,))
        connection.execute("UPDATE op SET state = 'intent' WHERE group_id = ?", (first,))
    rig.restart()
    assert rig.on_disk("Assets/a.cs") == TWO
    settled(rig)
    rig.close()


class Stubborn:
    """An exchange of a disk that begins to fail."""

    method = "stubborn"

    def __init__(self) -> None:
        self.inner = native_exchange()
        self.place = self.inner.place
        self.take = self.inner.take
        self.failing = False

    def swap(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        self.failing = self.failing or name == "b.cs"
        if self.failing:
            raise OSError(5, "Input/output error")
        self.inner.swap(stage, staged, folder, name)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("alone", [False, True])
def test_a_way_back_that_fails_is_said_and_tried_again(tmp_path: Path, restarts: bool, alone: bool) -> None:
    """Where a file cannot be taken back, the refusal names it, the next change of it is refused, and it goes back as soon as
    the disk works again, at the latest at the next start."""
    disk = Stubborn()
    rig = Checkout(tmp_path, exchange=disk)
    rig.landing.recover()
    changes = three(rig)

    def fail() -> None:
        disk.failing = True
        unwritable(rig)

    if alone:
        changes = changes[:1]
        at(rig, "exchanged", fail)
    with pytest.raises(Unavailable) as caught:
        rig.land(*changes)
    assert caught.value.details["partlyInPlace"] == ["Assets/a.cs"]
    assert rig.on_disk("Assets/a.cs") == TWO
    assert "Assets/a.cs" in rig.landing.problem
    rig.hook = lambda _point: None
    unwritable(rig, False)
    with pytest.raises(Unavailable) as caught:
        rig.write("Assets/a.cs", USERS)
    assert caught.value.details["paths"] == ["Assets/a.cs"]
    disk.failing = False
    disk.swap = disk.inner.swap  # type: ignore[method-assign]
    if restarts:
        rig.restart()
    rig.landing.sweep()
    assert rig.tree() == OLD
    assert rig.landing.problem == ""
    rig.restart()
    settled(rig)
    rig.close()


@pytest.mark.parametrize("after", [TWO, None])
def test_a_save_that_the_history_cannot_take_goes_back_in_place(tmp_path: Path, after: bytes | None) -> None:
    """Where the user saves in the last moment and the history is full, their bytes are in place after the refusal."""
    rig = Checkout(tmp_path)
    rig.landing.recover()
    rig.save("Assets/a.cs", ONE)

    def save() -> None:
        rig.save("Assets/a.cs", USERS)
        unwritable(rig)

    at(rig, "before exchange", save)
    with pytest.raises(Unavailable):
        rig.write("Assets/a.cs", after)
    assert rig.tree() == {"Assets/a.cs": USERS}
    rig.restart()
    assert rig.tree() == {"Assets/a.cs": USERS}
    settled(rig)
    rig.close()


# -- programs that still write, and foreign things -----------------------------------------------------------------


def test_a_writer_keeps_its_old_file_across_restarts(tmp_path: Path) -> None:
    """A file that a program still has open for writing stays staged, over sweeps, a stop and a start; each start keeps what is
    in it so far, and what was written last becomes a version when the program lets go."""
    if sys.platform != "linux":
        return  # no other system tells who has a file open
    rig = Checkout(tmp_path)
    rig.landing.recover()
    rig.save("Assets/a.cs", ONE)
    with (rig.root / "Assets/a.cs").open("ab", buffering=0) as late:
        rig.write("Assets/a.cs", TWO)
        for _ in range(3):
            rig.clock.advance(5)
            rig.landing.sweep()
        late.write(b"late ")
        rig.landing.close()
        rig.restart()
        assert len(rig.report.rescued) == 1
        assert len(rig.staged()) == 1
        late.write(b"later")
        rig.clock.advance(5)
        rig.landing.sweep()
        rig.restart()
        assert len(rig.staged()) == 1
        late.write(b" last")
    rig.clock.advance(5)
    rig.landing.sweep()
    assert rig.staged() == []
    found = [(v.path, v.action, rig.store.content(v.sha256 or "")) for v in rig.versions() if v.action == "recovered"]
    assert found == [("Assets/a.cs", "recovered", ONE + tail) for tail in (b"late ", b"late later", b"late later last")]
    rig.restart()
    settled(rig)
    rig.close()


def test_a_stop_right_after_a_landing_loses_no_late_bytes(tmp_path: Path) -> None:
    """What a program writes into the old file after the daemon stopped is found by the next start."""
    rig = Checkout(tmp_path)
    rig.landing.recover()
    rig.save("Assets/a.cs", ONE)
    with (rig.root / "Assets/a.cs").open("ab", buffering=0) as late:
        rig.write("Assets/a.cs", TWO)
        rig.landing.close()
        late.write(b"late")
    rig.restart()
    assert rig.contents() == [ONE, TWO, ONE + b"late"]
    assert rig.on_disk("Assets/a.cs") == TWO
    settled(rig)
    rig.close()


def make_foreign(rig: Checkout, kind: str) -> None:
    stage = rig.root / ".spark" / "stage"
    stage.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        (stage / "o_X.new").mkdir()
        (stage / "o_X.new" / "theirs").write_bytes(USERS)
    elif kind == "part folder":
        (stage / "o_X.part").mkdir()
    elif kind == "no UTF-8":
        Path(os.fsdecode(os.fsencode(stage) + b"/o_\xff.new")).write_bytes(USERS)
    elif kind == "escape":
        (stage / "\x1b]0;title\x07x.new").write_bytes(USERS)
    elif kind == "pipe":
        os.mkfifo(stage / "o_X.new")
    else:
        (stage / "o_X.new").symlink_to(rig.root)


@pytest.mark.parametrize("kind", ["folder", "part folder", "no UTF-8", "escape", "pipe", "link"])
def test_foreign_things_in_the_stage_stay_and_are_reported(tmp_path: Path, kind: str) -> None:
    """Whatever else somebody puts into the stage, SPARK starts, says so in printable characters, leaves it, and writes."""
    rig = Checkout(tmp_path)
    make_foreign(rig, kind)
    rig.restart()
    (problem,) = rig.report.problems
    assert problem.isascii()
    assert problem.isprintable()
    assert ".spark/stage" in problem
    rig.write("Assets/a.cs", ONE)
    assert rig.on_disk("Assets/a.cs") == ONE
    assert len(rig.staged()) == 1
    assert rig.contents() == [ONE]
    rig.close()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_start_with_something_in_sparks_place(tmp_path: Path, kind: str) -> None:
    """With a file or a link named `.spark` SPARK starts and says so; writes are refused by name until it is gone."""
    rig = Checkout(tmp_path)
    spark = rig.root / ".spark"
    spark.write_bytes(USERS) if kind == "file" else spark.symlink_to(tmp_path)
    rig.restart()
    assert ".spark" in rig.report.problems[0]
    with pytest.raises(ToolRejected) as caught:
        rig.write("Assets/a.cs", ONE)
    assert (caught.value.code, caught.value.details["path"]) == ("forbidden", ".spark")
    spark.unlink()
    rig.write("Assets/a.cs", ONE)
    assert rig.tree() == {"Assets/a.cs": ONE}
    rig.close()


def test_a_file_in_the_stages_place_is_moved_aside(tmp_path: Path) -> None:
    """Within `.spark` SPARK makes room: what lay there has another name afterwards, and is reported."""
    rig = Checkout(tmp_path)
    (rig.root / ".spark").mkdir()
    (rig.root / ".spark" / "stage").write_bytes(USERS)
    rig.restart()
    (aside,) = (rig.root / ".spark").glob("stage.aside-*")
    assert aside.read_bytes() == USERS
    assert aside.name in rig.report.problems[0]
    rig.write("Assets/a.cs", ONE)
    rig.close()


def test_the_probe_disturbs_nothing(tmp_path: Path) -> None:
    """Looking for the exchange touches no name that somebody else may have, and clears what a killed start left."""
    rig = Checkout(tmp_path)
    (rig.root / "Assets" / ".spark-probe~").mkdir()
    (rig.root / "Assets" / ".spark-probe-0123456789abcdef~").touch()
    rig.restart()
    assert rig.report.exchange_problem == ""
    assert os.listdir(rig.root / "Assets") == [".spark-probe~"]
    rig.close()


PATHS = ("Assets/a.cs", "Assets/b.cs", "Assets/F/c.cs")
paths = st.sampled_from(PATHS)
contents = st.integers(0, 5).map(
    lambda n: b"".join(b"line %d of %d\n" % (row, n if row == n else 0) for row in range(8))
)


class Histories(RuleBasedStateMachine):
    """A model of the project (path → bytes) and of all bytes that were ever in place, against the real store, landing and
    recovery on a real disk. Killing is dropping every object in the middle of the protocol."""

    @initialize(fallback=st.booleans())
    def start(self, fallback: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="spark-model-"))
        self.rig = Checkout(self.folder, exchange=LinkExchange() if fallback else None)
        self.rig.landing.recover()
        self.model: dict[str, bytes] = {}
        self.history: dict[str, list[bytes | None]] = {path: [] for path in PATHS}
        self.calls = 0

    def teardown(self) -> None:
        if hasattr(self, "rig"):
            self.rig.close()
            shutil.rmtree(self.folder)

    def note(self, path: str) -> None:
        """What the model expects as the newest version when SPARK next replaces or wrote the bytes."""
        now = self.model.get(path)
        if not self.history[path] or self.history[path][-1] != now:
            self.history[path].append(now)

    def land(self, changes: dict[str, bytes | None]) -> bool:
        real = {path: content for path, content in changes.items() if self.model.get(path) != content}
        self.calls += 1
        self.rig.land(
            *(
                self.rig.change(path, content)
                for path, content in changes.items()
                if content is not None or path in self.model
            ),
            call_id=f"c_{self.calls}",
        )
        for path, content in real.items():
            if path in self.model or self.history[path]:
                self.note(path)
            if content is None:
                self.model.pop(path, None)
            else:
                self.model[path] = content
            self.note(path)
        return True

    @rule(path=paths, content=contents)
    def write(self, path: str, content: bytes) -> None:
        """A call writes one file from its present bytes."""
        self.land({path: content})

    @rule(changes=st.dictionaries(paths, st.one_of(st.none(), contents), min_size=2))
    def write_several(self, changes: dict[str, bytes | None]) -> None:
        """A call changes, creates and deletes several files."""
        self.land(changes)

    @rule(old=paths, new=paths)
    def move(self, old: str, new: str) -> None:
        """A call moves a file, or is refused where there is one already."""
        if old == new or old not in self.model:
            return
        if new in self.model:
            with pytest.raises(ToolRejected):
                self.rig.land(FileChange(ProjectPath(new), None, b"x", moved_from=ProjectPath(old)))
            return
        self.land({old: None, new: self.model[old]})

    @rule(path=paths, number=st.integers(0, 20))
    def restore(self, path: str, number: int) -> None:
        """Bytes of an old version come back."""
        kept = [content for content in self.history[path] if content is not None]
        if kept:
            self.land({path: kept[number % len(kept)]})

    @rule(path=paths, content=contents)
    def user_saves(self, path: str, content: bytes) -> None:
        """The user saves; nobody tells SPARK."""
        self.rig.save(path, content)
        self.model[path] = content

    @rule(path=paths)
    def user_deletes(self, path: str) -> None:
        """The user deletes a file; nobody tells SPARK."""
        if path in self.model:
            (self.rig.root / path).unlink()
            del self.model[path]

    @rule(seconds=st.sampled_from([0.5, 3.0]))
    def time_passes(self, seconds: float) -> None:
        """The daemon's regular sweep."""
        self.rig.clock.advance(seconds)
        self.rig.landing.sweep()

    @rule()
    def stage_deleted(self) -> None:
        """Somebody deletes `.spark`."""
        shutil.rmtree(self.rig.root / ".spark", ignore_errors=True)

    @rule(
        changes=st.dictionaries(paths, st.one_of(st.none(), contents), min_size=1),
        point=st.sampled_from(POINTS),
        nth=st.integers(1, 3),
    )
    def killed_while_writing(self, changes: dict[str, bytes | None], point: str, nth: int) -> None:
        """A call is killed somewhere; after recovery the project is as before it or as after it."""
        before, files = dict(self.model), {path: list(versions) for path, versions in self.history.items()}
        crash_at(self.rig, point, nth)
        try:
            self.land(changes)
        except Crash:
            after = {path: content for path, content in {**before, **changes}.items() if content is not None}
            self.rig.restart()
            tree = self.rig.tree()
            assert tree in (before, after)
            # Bytes that were replaced, or were about to be, are in the history; take them over into the model.
            self.model = tree
            for path in PATHS:
                got = self.rig.contents(path)
                assert got[: len(files[path])] == files[path]
                assert set(got[len(files[path]) :]) <= {before.get(path), tree.get(path)}
                self.history[path] = got
        self.rig.hook = lambda _point: None

    @rule()
    def killed_at_rest(self) -> None:
        """The daemon is killed between calls and started again."""
        self.rig.restart()

    @invariant()
    def agrees(self) -> None:
        """The project is the model; every path's versions are the model's list, each with what it replaced as its parent."""
        if not hasattr(self, "rig"):
            return
        assert self.rig.tree() == self.model
        for path in PATHS:
            versions = self.rig.versions(path)
            assert self.rig.contents(path) == self.history[path]
            assert [v.parent_id for v in versions] == [None, *(v.version_id for v in versions)][: len(versions)]


Histories.TestCase.settings = settings(deadline=None, max_examples=40, stateful_step_count=25)
TestHistories = Histories.TestCase
