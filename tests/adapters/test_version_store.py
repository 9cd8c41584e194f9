"""The history: rows, paging, what is kept, what may go."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark.adapters.database import Database
from spark.adapters.version_store import UNKNOWN, SqliteVersionStore
from spark.core.changes import sha256_of
from spark.core.errors import Unavailable
from spark.core.paths import ProjectPath
from spark.core.versions import Author, GitPlace, Observed, Provenance
from tests.adapters.store_kit import Checkout, FakeClock

USER = Provenance(Author("user", "somebody"), git=GitPlace("a" * 40, "main"))
DAY_S = 86_400


def seen(path: str, content: bytes | None, *, created: bool = False) -> Observed:
    return Observed(
        ProjectPath(path),
        None if content is None else sha256_of(content),
        len(content or b""),
        content,
        created,
    )


@pytest.fixture
def store(tmp_path: Path) -> SqliteVersionStore:
    return SqliteVersionStore(Database(tmp_path / "store.db"), FakeClock(), max_file_bytes=1000)


def observe(store: SqliteVersionStore, path: str, content: bytes | None) -> str:
    return store.record_observed([seen(path, content)], USER)[0].version_id


def test_an_observed_save_is_one_version(store: SqliteVersionStore) -> None:
    """A save is recorded once with its bytes, author, git place and parent; seeing the same bytes again adds nothing."""
    first = store.record_observed([seen("Assets/a.cs", b"one")], USER)[0]
    assert (first.action, first.author, first.git, first.parent_id) == ("modified", USER.author, USER.git, None)
    assert store.record_observed([seen("Assets/a.cs", b"one")], USER) == []
    second = store.record_observed([seen("Assets/a.cs", b"two")], USER)[0]
    assert (second.parent_id, second.content, second.size) == (first.version_id, "kept", 3)
    assert second.sha256 is not None
    assert store.content(second.sha256) == b"two"
    assert store.latest(ProjectPath("Assets/a.cs")) == second
    assert store.version(first.version_id) == first
    assert second.created_at == "2026-01-31T12:00:00.000Z"


def test_coming_and_going(store: SqliteVersionStore) -> None:
    """A deletion is a version without bytes; a file that appears after one, or is said to be new, counts as created."""
    new = store.record_observed([seen("Assets/a.cs", b"one", created=True)], USER)[0]
    gone = store.record_observed([seen("Assets/a.cs", None)], USER)[0]
    back = store.record_observed([seen("Assets/a.cs", b"one")], USER)[0]
    assert [new.action, gone.action, back.action] == ["created", "deleted", "created"]
    assert (gone.sha256, gone.size, gone.content) == (None, 0, "kept")


def test_latest_sha256_tells_unknown_from_deleted(store: SqliteVersionStore) -> None:
    """A path that was never versioned is `UNKNOWN`; a deleted one is None; a saved one its hash."""
    path = ProjectPath("Assets/a.cs")
    assert store.latest_sha256(path) is UNKNOWN
    observe(store, path.text, b"one")
    assert store.latest_sha256(path) == sha256_of(b"one")
    observe(store, path.text, None)
    assert store.latest_sha256(path) is None


def test_equal_bytes_are_stored_once_and_compressed(store: SqliteVersionStore) -> None:
    """Content is addressed by hash: many versions of equal bytes take the room of one, and text takes less than its size."""
    text = b"public class A {}\n" * 50
    for number in range(5):
        observe(store, f"Assets/{number}.cs", text)
    report = store.size_report()
    assert (report["versions"], report["contents"], report["bytes"]) == (5, 1, len(text))
    assert report["storedBytes"] < len(text) / 3


def test_big_binaries_are_only_observed_by_hash(store: SqliteVersionStore) -> None:
    """Over the limit, bytes of non-text files are not kept and the row says so; text of any size is kept."""
    binary, text = b"\0\1" * 600, b"text " * 600
    versions = store.record_observed([seen("Assets/a.png", binary), seen("Assets/a.unity", text)], USER)
    assert [version.content for version in versions] == ["notKept", "kept"]
    assert store.content(sha256_of(binary)) is None
    assert store.content(sha256_of(text)) == text
    hash_only = Observed(ProjectPath("Assets/b.png"), "f" * 64, 5, None)
    assert store.record_observed([hash_only], USER)[0].content == "notKept"


def test_pages_by_version_id(store: SqliteVersionStore) -> None:
    """Ids sort in the order of recording; pages follow each other without gap or overlap, newest first, and end with None."""
    ids = [observe(store, "Assets/a.cs", b"%d" % number) for number in range(25)]
    assert ids == sorted(ids)
    got: list[str] = []
    before = None
    sizes = []
    while True:
        page = store.history(limit=10, before=before)
        got += [version.version_id for version in page.versions]
        sizes.append(len(page.versions))
        before = page.next
        if before is None:
            break
    assert got == ids[::-1]
    assert sizes == [10, 10, 5]
    assert store.history(limit=25).next is None


def test_history_by_file_folder_turn_and_call(store: SqliteVersionStore) -> None:
    """A folder's history holds what lies below it and nothing that only begins alike; turn and call list theirs in order."""
    for path in ("Assets/A/x.cs", "Assets/A/B/y.cs", "Assets/A.cs", "Assets/A0/z.cs", "Assets/A b/z.cs"):
        observe(store, path, path.encode())
    assert {v.path for v in store.history(path="Assets/A").versions} == {"Assets/A/x.cs", "Assets/A/B/y.cs"}
    assert {v.path for v in store.history(path="Assets/A/").versions} == {"Assets/A/x.cs", "Assets/A/B/y.cs"}
    assert [v.path for v in store.history(path="Assets/A.cs").versions] == ["Assets/A.cs"]
    by = Provenance(Author("model", "m"), "t_1", "c_1")
    made = store.record_observed([seen("Assets/q.cs", b"1"), seen("Assets/r.cs", b"2")], by)
    assert store.turn_versions("t_1") == made == store.call_versions("c_1")
    assert store.history(turn_id="t_1").versions == tuple(reversed(made))
    assert store.turn_versions("t_2") == []


def test_the_prompt_comes_from_the_turn(store: SqliteVersionStore) -> None:
    """A version's prompt is its turn's text; without a turn there is none."""
    with store.db.transaction() as connection:
        connection.execute(
            "INSERT INTO turn(id, kind, text, status, started_at) VALUES('t_1', 'model', 'make a player', 'done', '')"
        )
    by = Provenance(Author("model", "m"), "t_1", "c_1")
    assert store.record_observed([seen("Assets/a.cs", b"1")], by)[0].prompt == "make a player"
    assert store.record_observed([seen("Assets/b.cs", b"1")], USER)[0].prompt is None


def test_a_branch_switch_is_one_row(store: SqliteVersionStore) -> None:
    """Thousands of files changed by git are one event; their hashes are known afterwards, so that they are not taken for
    edits, and a real edit after it is one."""
    observe(store, "Assets/0.cs", b"before")
    paths: dict[str, str | None] = {f"Assets/{number}.cs": sha256_of(b"git %d" % number) for number in range(3000)}
    paths["Assets/gone.cs"] = None
    event = store.record_git_event(GitPlace("a" * 40, "main"), GitPlace("b" * 40, "feature/x"), paths)
    assert (event.path, event.action, event.author) == ("", "checkout", Author("git", "feature/x"))
    assert event.git == GitPlace("b" * 40, "feature/x")
    assert len(store.history(limit=1000).versions) == 2
    assert store.latest_sha256(ProjectPath("Assets/0.cs")) == paths["Assets/0.cs"]
    assert store.latest_sha256(ProjectPath("Assets/gone.cs")) is None
    assert store.record_observed([seen("Assets/7.cs", b"git 7")], USER) == []
    edited = store.record_observed([seen("Assets/0.cs", b"mine")], USER)
    assert len(edited) == 1
    assert store.latest_sha256(ProjectPath("Assets/0.cs")) == sha256_of(b"mine")
    detached = store.record_git_event(GitPlace("b" * 40, "x"), GitPlace("c" * 40, None), {})
    assert detached.author.name == "c" * 12


def test_damaged_bytes_are_never_handed_out(store: SqliteVersionStore) -> None:
    """Content whose bytes no longer have their hash is an error, not other bytes."""
    observe(store, "Assets/a.cs", b"some text that is long enough to compress " * 20)
    with store.db.transaction() as connection:
        connection.execute("UPDATE content SET body = zeroblob(length(body))")
    with pytest.raises(Unavailable):
        store.content(sha256_of(b"some text that is long enough to compress " * 20))


def test_a_read_only_store_answers_beside_a_writing_one(tmp_path: Path) -> None:
    """The command line reads the history while the daemon writes, and gets empty answers where there is none."""
    none = SqliteVersionStore(Database(tmp_path / "none.db", read_only=True), FakeClock())
    assert none.history().versions == ()
    assert none.latest_sha256(ProjectPath("Assets/a.cs")) is UNKNOWN
    assert none.size_report()["versions"] == 0
    writer = SqliteVersionStore(Database(tmp_path / "store.db"), FakeClock())
    reader = SqliteVersionStore(Database(tmp_path / "store.db", read_only=True), FakeClock())
    version_id = observe(writer, "Assets/a.cs", b"one")
    version = reader.version(version_id)
    assert version is not None
    assert reader.content(version.sha256 or "") == b"one"
    reader.db.close()
    writer.db.close()


# -- room ---------------------------------------------------------------------------------------------------------


def noise(number: int) -> bytes:
    """A kilobyte that does not compress."""
    import random

    return random.Random(number).randbytes(1000)


def kept(rig: Checkout, path: str | None = None) -> list[str]:
    return [version.content for version in rig.versions(path)]


def test_the_oldest_user_versions_go_first(tmp_path: Path) -> None:
    """Over the limit the user's oldest bytes go, their rows stay as `notKept`, and it stops as soon as the rest fits."""
    rig = Checkout(tmp_path, max_total_bytes=5_000)
    for number in range(8):
        rig.store.record_observed([seen("Assets/a.bytes", noise(number))], USER)
    dry = rig.store.collect(dry_run=True)
    assert kept(rig) == ["kept"] * 8
    done = rig.store.collect()
    assert done == {**dry, "dryRun": False}
    assert (done["contents"], done["versions"], done["storedBytes"]) == (3, 3, 3_000)
    assert kept(rig) == ["notKept"] * 3 + ["kept"] * 5
    assert rig.store.size_report()["storedBytes"] == 5_000
    assert rig.store.collect()["contents"] == 0
    rig.close()


def test_a_young_turn_stays_undoable(tmp_path: Path) -> None:
    """Neither what a turn of the last 30 days wrote nor what it replaced is dropped, however small the limit; after 30 days
    it goes, but only after the user's."""
    rig = Checkout(tmp_path, max_total_bytes=0)
    rig.save("Assets/a.bytes", noise(1))
    rig.write("Assets/a.bytes", noise(2))
    rig.store.record_observed([seen("Assets/b.bytes", noise(3))], USER)
    rig.clock.advance(29 * DAY_S)
    rig.landing.sweep()
    rig.store.collect()
    assert kept(rig, "Assets/a.bytes") == ["kept", "kept"]
    assert kept(rig, "Assets/b.bytes") == ["notKept"]
    rig.clock.advance(2 * DAY_S)
    assert rig.store.collect()["contents"] == 2
    assert kept(rig, "Assets/a.bytes") == ["notKept", "notKept"]
    rig.close()


def test_what_a_sync_still_needs_stays(tmp_path: Path) -> None:
    """Bytes of versions in the outbox are never dropped; once sent they may go."""
    rig = Checkout(tmp_path, max_total_bytes=0, syncs=True)
    observe(rig.store, "Assets/a.bytes", noise(1))
    assert rig.store.collect()["contents"] == 0
    with rig.db.transaction() as connection:
        assert connection.execute("DELETE FROM outbox").rowcount == 1
    assert rig.store.collect()["contents"] == 1
    rig.close()


def test_bytes_that_nothing_names_go_at_once(tmp_path: Path) -> None:
    """Bytes without a version (a change set that was refused) are dropped under any limit, and the file shrinks."""
    rig = Checkout(tmp_path)
    with rig.db.transaction() as connection:
        for number in range(200):
            rig.store.put_content(connection, noise(number))
    pages = rig.db.query("PRAGMA page_count")[0][0]
    assert rig.store.collect()["unreferenced"] == 200
    assert rig.db.query("PRAGMA page_count")[0][0] < pages
    rig.close()


def test_the_history_keeps_within_its_size_by_itself(tmp_path: Path) -> None:
    """The daemon's regular sweep drops what is over the limit, but looks only every ten minutes."""
    rig = Checkout(tmp_path, max_total_bytes=0)
    observe(rig.store, "Assets/a.bytes", noise(1))
    rig.landing.sweep()
    assert kept(rig) == ["notKept"]
    observe(rig.store, "Assets/a.bytes", noise(2))
    rig.landing.sweep()
    assert kept(rig) == ["notKept", "kept"]
    rig.clock.advance(601)
    rig.landing.sweep()
    assert kept(rig) == ["notKept", "notKept"]
    rig.close()


def test_the_newest_id_of_all(tmp_path: Path) -> None:
    """New ids must sort after every id that the history has, whatever it names."""
    rig = Checkout(tmp_path)
    rig.landing.recover()
    assert rig.store.newest_id() is None
    rig.write("Assets/a.cs", b"one")
    assert rig.store.newest_id() == rig.versions()[-1].version_id
    later = "t_7" + "Z" * 25
    with rig.db.transaction() as connection:
        connection.execute(
            "INSERT INTO turn(id, kind, text, status, started_at) VALUES(?, 'prompt', '', 'done', '2026')", (later,)
        )
    assert rig.store.newest_id() == later
    rig.close()
