"""Taking turns back: exactly where nothing happened since, around the user's later edits where they do not meet."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.changes import sha256_of
from spark.core.errors import ToolRejected
from spark.core.versions import Author, Provenance
from spark.text.undo import plan_restore
from tests.text.turns import Turns

TEXT = "".join(f"line {number}\n" for number in range(30))


@pytest.fixture
def turns(tmp_path: Path) -> Turns:
    return Turns(tmp_path / "P")


def test_edits_go_back_exactly(turns: Turns) -> None:
    """A file edited twice in a turn has the bytes from before it again; the diff shows it."""
    turns.project.write("Assets/a.txt", TEXT)
    turns.change("t1", ("Assets/a.txt", TEXT.replace("line 3\n", "THREE\n")))
    turns.change("t1", ("Assets/a.txt", TEXT.replace("line 3\n", "3!\n")))
    plan = turns.undo("t1")
    assert turns.text("Assets/a.txt") == TEXT
    assert "-3!\n+line 3\n" in plan.diff
    assert plan.kept_edits == ()
    assert plan.changes.merge is False


def test_created_files_go_and_deleted_come_back(turns: Turns) -> None:
    """What a turn made goes with its meta, what it deleted comes back with its meta and guid."""
    turns.project.write("Assets/old.txt", "old\n", meta=True)
    before = turns.project.snapshot()
    turns.change("t1", ("Assets/new.txt", "n\n"), ("Assets/new.txt.meta", "guid: " + "a" * 32 + "\n"))
    turns.change("t1", ("Assets/old.txt", None), ("Assets/old.txt.meta", None))
    turns.undo("t1")
    assert turns.project.snapshot() == before


def test_later_edits_stay(turns: Turns) -> None:
    """The user's later edits elsewhere in the file stay, and the plan names the file."""
    turns.project.write("Assets/a.txt", TEXT)
    turns.change("t1", ("Assets/a.txt", TEXT.replace("line 3\n", "THREE\n")))
    turns.project.user_saves(
        "Assets/a.txt", TEXT.replace("line 3\n", "THREE\n").replace("line 20\n", "user\n").encode()
    )
    plan = turns.undo("t1")
    assert turns.text("Assets/a.txt") == TEXT.replace("line 20\n", "user\n")
    assert [path.text for path in plan.kept_edits] == ["Assets/a.txt"]


def test_the_users_edits_in_between_stay(turns: Turns) -> None:
    """What the user saved between two edits of one turn is not taken back with them."""
    turns.project.write("Assets/a.txt", TEXT)
    turns.change("t1", ("Assets/a.txt", TEXT.replace("line 3\n", "THREE\n")))
    turns.project.user_saves(
        "Assets/a.txt", TEXT.replace("line 3\n", "THREE\n").replace("line 20\n", "user\n").encode()
    )
    turns.change("t1", ("Assets/a.txt", (turns.text("Assets/a.txt") or "").replace("line 28\n", "28!\n")))
    turns.undo("t1")
    assert turns.text("Assets/a.txt") == TEXT.replace("line 20\n", "user\n")


def test_later_edits_of_the_same_lines_conflict(turns: Turns) -> None:
    """Where the user changed the very lines, the undo is refused with path, line and all sides."""
    turns.project.write("Assets/a.txt", TEXT)
    turns.change("t1", ("Assets/a.txt", TEXT.replace("line 3\n", "THREE\n")))
    turns.project.user_saves("Assets/a.txt", TEXT.replace("line 3\n", "mine\n").encode())
    (shown,) = turns.conflict("t1").details["conflicts"]
    assert shown["path"] == "Assets/a.txt"
    assert shown["lines"] == [{"line": 4, "base": "THREE\n", "ours": "mine\n", "theirs": "line 3\n"}]
    assert shown["oursSha256"] == sha256_of(TEXT.replace("line 3\n", "mine\n").encode())


def test_one_conflict_refuses_the_whole_turn(turns: Turns) -> None:
    """A turn is taken back whole or not at all, and every conflict is listed."""
    for name in ("a", "b", "c"):
        turns.project.write(f"Assets/{name}.txt", "x\n")
    turns.change("t1", *((f"Assets/{name}.txt", "y\n") for name in ("a", "b", "c")))
    turns.project.user_saves("Assets/a.txt", b"z\n")
    turns.project.user_saves("Assets/c.txt", None)
    assert {shown["path"] for shown in turns.conflict("t1").details["conflicts"]} == {"Assets/a.txt", "Assets/c.txt"}


def test_a_created_file_that_was_edited_conflicts(turns: Turns) -> None:
    """A file that a turn made and the user changed is not deleted."""
    turns.change("t1", ("Assets/n.txt", "n\n"), ("Assets/n.txt.meta", "guid: " + "a" * 32 + "\n"))
    turns.project.user_saves("Assets/n.txt", b"mine\n")
    (shown,) = turns.conflict("t1").details["conflicts"]
    assert "changed since" in shown["reason"]


def test_a_meta_that_unity_rewrote_goes_with_its_asset(turns: Turns) -> None:
    """Unity rewrites a new asset's meta on import; with the same guid that is no reason to refuse, with another it is."""
    meta = "fileFormatVersion: 2\nguid: " + "a" * 32 + "\n"
    turns.change("t1", ("Assets/n.txt", "n\n"), ("Assets/n.txt.meta", meta))
    turns.project.user_saves("Assets/n.txt.meta", (meta + "TextScriptImporter:\n").encode())
    assert len(turns.plan("t1").changes.files) == 2
    turns.project.user_saves("Assets/n.txt.meta", meta.replace("a", "b").encode())
    assert turns.conflict("t1").details["conflicts"][0]["path"] == "Assets/n.txt.meta"


def test_a_new_folder_stays_where_the_user_put_something_in(turns: Turns) -> None:
    """The meta of a folder that a turn made goes when the folder gets empty, and stays when it does not."""
    folder = "guid: " + "f" * 32 + "\nfolderAsset: yes\n"
    files = (("Assets/N.meta", folder), ("Assets/N/M.meta", folder), ("Assets/N/M/n.txt", "n\n"))
    turns.change("t1", *files, ("Assets/N/M/n.txt.meta", "guid: " + "a" * 32))
    assert {change.path.text for change in turns.plan("t1").changes.files} == {
        "Assets/N.meta",
        "Assets/N/M.meta",
        "Assets/N/M/n.txt",
        "Assets/N/M/n.txt.meta",
    }
    turns.project.user_saves("Assets/N/mine.txt", b"mine\n")
    plan = turns.undo("t1")
    assert [path.text for path in plan.kept_edits] == ["Assets/N.meta"]
    assert set(turns.project.snapshot()) == {"Assets/N.meta", "Assets/N/mine.txt"}


def test_moves_go_back_also_when_edited(turns: Turns) -> None:
    """A moved file goes back to its place with the edits that it got since, meta and all, as a move."""
    turns.project.write("Assets/a.txt", TEXT, meta=True)
    meta = turns.text("Assets/a.txt.meta")
    turns.change("t1", moved=[("Assets/a.txt", "Assets/In/b.txt"), ("Assets/a.txt.meta", "Assets/In/b.txt.meta")])
    turns.project.user_saves("Assets/In/b.txt", (TEXT + "mine\n").encode())
    plan = turns.undo("t1")
    assert turns.text("Assets/a.txt") == TEXT + "mine\n"
    assert turns.text("Assets/a.txt.meta") == meta
    assert turns.text("Assets/In/b.txt") is None
    assert {change.moved_from.text for change in plan.changes.files if change.moved_from} == {
        "Assets/In/b.txt",
        "Assets/In/b.txt.meta",
    }
    assert [path.text for path in plan.kept_edits] == ["Assets/a.txt"]
    assert plan.changes.overwrites == frozenset()


def test_moved_twice_and_edited_between(turns: Turns) -> None:
    """A file that a turn edited, moved, edited and moved again is where and what it was."""
    turns.project.write("Assets/a.txt", TEXT)
    turns.change("t1", ("Assets/a.txt", TEXT.replace("line 1\n", "one\n")))
    turns.change("t1", moved=[("Assets/a.txt", "Assets/b.txt")])
    turns.change("t1", ("Assets/b.txt", (turns.text("Assets/b.txt") or "").replace("line 9\n", "nine\n")))
    turns.change("t1", moved=[("Assets/b.txt", "Assets/c.txt")])
    turns.undo("t1")
    assert turns.project.snapshot() == {"Assets/a.txt": TEXT.encode()}


def test_a_taken_place_conflicts(turns: Turns) -> None:
    """A moved or deleted file does not come back over what lies at its place now."""
    turns.project.write("Assets/a.txt", "a\n")
    turns.project.write("Assets/d.txt", "d\n")
    turns.change("t1", ("Assets/d.txt", None), moved=[("Assets/a.txt", "Assets/b.txt")])
    turns.project.user_saves("Assets/a.txt", b"new\n")
    turns.project.user_saves("Assets/d.txt", b"new\n")
    assert turns.conflict("t1").details["count"] == 2


def test_undo_of_undo(turns: Turns) -> None:
    """An undo is a turn: taken back, everything that the first turn did is there again, moves and deletions too."""
    turns.project.write("Assets/a.txt", TEXT, meta=True)
    turns.project.write("Assets/d.txt", "d\n", meta=True)
    turns.project.write("Assets/m.txt", "m\n", meta=True)
    turns.change(
        "t1", ("Assets/a.txt", TEXT + "end\n"), ("Assets/n.txt", "n\n"), ("Assets/n.txt.meta", "guid: " + "a" * 32)
    )
    turns.change("t1", ("Assets/d.txt", None), ("Assets/d.txt.meta", None))
    turns.change("t1", moved=[("Assets/m.txt", "Assets/k.txt"), ("Assets/m.txt.meta", "Assets/k.txt.meta")])
    after = turns.project.snapshot()
    turns.undo("t1", as_turn="u1")
    turns.undo("u1", as_turn="u2")
    assert turns.project.snapshot() == after


def test_several_turns_are_one_plan(turns: Turns) -> None:
    """Several turns go back in one change set, whatever order they are named in; each file is in it once."""
    turns.project.write("Assets/a.txt", TEXT)
    turns.change("t1", ("Assets/a.txt", TEXT + "1\n"), ("Assets/n.txt", "n\n"))
    turns.change("t2", ("Assets/a.txt", TEXT + "1\n2\n"), ("Assets/n.txt", "n2\n"))
    turns.change("t3", moved=[("Assets/n.txt", "Assets/o.txt")])
    assert len({change.path for change in turns.plan("t1", "t3", "t2").changes.files}) == 2
    turns.undo("t1", "t3", "t2")
    assert turns.project.snapshot() == {"Assets/a.txt": TEXT.encode()}


def test_an_earlier_turn_goes_back_under_a_later_one(turns: Turns) -> None:
    """One turn is taken back while another's later change of the same file stays."""
    turns.project.write("Assets/a.txt", TEXT)
    turns.change("t1", ("Assets/a.txt", TEXT.replace("line 3\n", "3!\n")))
    turns.change("t2", ("Assets/a.txt", (turns.text("Assets/a.txt") or "").replace("line 20\n", "20!\n")))
    turns.undo("t1")
    assert turns.text("Assets/a.txt") == TEXT.replace("line 20\n", "20!\n")


def test_taken_back_already(turns: Turns) -> None:
    """A turn whose changes are gone already gives an empty plan."""
    turns.project.write("Assets/a.txt", TEXT)
    turns.change("t1", ("Assets/a.txt", TEXT + "1\n"), ("Assets/n.txt", "n\n"))
    turns.undo("t1")
    assert not turns.plan("t1").changes


def test_bytes_that_were_not_kept(turns: Turns) -> None:
    """Where the earlier bytes are not in the history, the file is named."""
    turns.project.write("Assets/a.txt", TEXT)
    turns.change("t1", ("Assets/a.txt", "other\n"))
    turns.project.store.forget(sha256_of(TEXT.encode()))
    with pytest.raises(ToolRejected) as refusal:
        turns.plan("t1")
    assert refusal.value.code == "not_found"
    assert refusal.value.details["path"] == "Assets/a.txt"


def test_unknown_turns(turns: Turns) -> None:
    """A turn without changes is not found, by its id."""
    with pytest.raises(ToolRejected) as refusal:
        turns.plan("nope")
    assert refusal.value.code == "not_found"


def test_restore_puts_a_version_back(turns: Turns) -> None:
    """A file gets a version's bytes; a deleted one comes back with the newest meta that the history has."""
    turns.project.write("Assets/a.txt", TEXT, meta=True)
    meta = turns.text("Assets/a.txt.meta")
    turns.change("t1", ("Assets/a.txt", "second\n"))
    turns.change("t2", ("Assets/a.txt", None), ("Assets/a.txt.meta", None))
    first, second, gone = (v for v in turns.project.store.versions if v.path == "Assets/a.txt")
    read = turns.project.files.read
    by = Provenance(Author("restore", "r"), "t3", "x")
    turns.project.land(plan_restore(turns.project.store, second.version_id, read).changes, by)
    assert (turns.text("Assets/a.txt"), turns.text("Assets/a.txt.meta")) == ("second\n", meta)
    turns.project.land(plan_restore(turns.project.store, first.version_id, read).changes, by)
    assert turns.text("Assets/a.txt") == TEXT
    assert not plan_restore(turns.project.store, first.version_id, read).changes
    turns.project.land(plan_restore(turns.project.store, gone.version_id, read).changes, by)
    assert turns.project.snapshot() == {}
    turns.undo("t3", as_turn="t4")
    assert (turns.text("Assets/a.txt"), turns.text("Assets/a.txt.meta")) == (None, None)


def test_restore_brings_the_folders_meta_back(turns: Turns) -> None:
    """A file restored into a folder that is gone gets the folder's meta back with it."""
    folder = "guid: " + "f" * 32 + "\nfolderAsset: yes\n"
    turns.project.write("Assets/F/a.txt", "a\n", meta=True)
    turns.project.write("Assets/F.meta", folder)
    before = turns.project.snapshot()
    turns.change("t1", ("Assets/F/a.txt", None), ("Assets/F/a.txt.meta", None), ("Assets/F.meta", None))
    first = next(v for v in turns.project.store.versions if v.path == "Assets/F/a.txt")
    plan = plan_restore(turns.project.store, first.version_id, turns.project.files.read)
    turns.project.land(plan.changes, Provenance(Author("restore", "r"), "t2", "x"))
    assert turns.project.snapshot() == before


def test_restore_of_nothing(turns: Turns) -> None:
    """An unknown version, and one whose bytes were not kept, are not found."""
    turns.project.write("Assets/a.txt", TEXT)
    turns.change("t1", ("Assets/a.txt", "second\n"))
    turns.project.store.forget(sha256_of(TEXT.encode()))
    for version_id in ("nope", turns.project.store.versions[0].version_id):
        with pytest.raises(ToolRejected) as refusal:
            plan_restore(turns.project.store, version_id, turns.project.files.read)
        assert refusal.value.code == "not_found"


_names = st.sampled_from(["a", "b", "c", "d"])
_texts = st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=4).map(lambda rows: "\n".join(rows) + "\n")
_action = st.one_of(
    st.tuples(st.just("write"), _names, _texts),
    st.tuples(st.just("delete"), _names, st.just("")),
    st.tuples(st.just("move"), _names, _names),
)
_actions = st.lists(_action, min_size=1, max_size=7)


def play(turns: Turns, turn_id: str, actions: list[tuple[str, str, str]]) -> bool:
    """Does what is possible of random actions in one turn; whether anything was done."""
    done = False
    for kind, name, other in actions:
        path, target = f"Assets/{name}.txt", f"Assets/{other}.txt"
        there = turns.text(path)
        if kind == "write" and there != other:
            turns.change(turn_id, (path, other))
        elif kind == "delete" and there is not None:
            turns.change(turn_id, (path, None))
        elif kind == "move" and there is not None and turns.text(target) is None:
            turns.change(turn_id, moved=[(path, target)])
        else:
            continue
        done = True
    return done


@settings(deadline=None, max_examples=80)
@given(first=_actions, second=_actions)
def test_undo_algebra(
    tmp_path_factory: pytest.TempPathFactory, first: list[tuple[str, str, str]], second: list[tuple[str, str, str]]
) -> None:
    """Without edits in between: undo gives the bytes from before exactly, undo of undo those from after; two turns at
    once are the same as one after the other."""
    turns = Turns(tmp_path_factory.mktemp("P"))
    turns.project.write("Assets/a.txt", "x\ny\n")
    turns.project.write("Assets/b.txt", "z\n")
    start = turns.project.snapshot()
    one = play(turns, "t1", first)
    middle = turns.project.snapshot()
    two = play(turns, "t2", second)
    end = turns.project.snapshot()
    if two:
        changed = bool(turns.undo("t2", as_turn="u2").changes)
        assert turns.project.snapshot() == middle
        assert changed == (middle != end)
        if changed:
            turns.undo("u2", as_turn="r2")
        assert turns.project.snapshot() == end
    if one and two:
        turns.undo("t1", "t2", "u2", "r2", as_turn="u")
        assert turns.project.snapshot() == start


@settings(deadline=None, max_examples=40)
@given(st.sets(st.integers(0, 9), min_size=1, max_size=4), st.sets(st.integers(15, 28), min_size=1, max_size=4))
def test_disjoint_later_edits_survive(
    tmp_path_factory: pytest.TempPathFactory, model: set[int], user: set[int]
) -> None:
    """Later edits of other lines are exactly what is left after an undo."""
    turns = Turns(tmp_path_factory.mktemp("P"))
    turns.project.write("Assets/a.txt", TEXT)
    changed = "".join("model\n" if n in model else f"line {n}\n" for n in range(30))
    turns.change("t1", ("Assets/a.txt", changed))
    both = "".join("model\n" if n in model else "user\n" if n in user else f"line {n}\n" for n in range(30))
    turns.project.user_saves("Assets/a.txt", both.encode())
    turns.undo("t1")
    assert turns.text("Assets/a.txt") == "".join("user\n" if n in user else f"line {n}\n" for n in range(30))
