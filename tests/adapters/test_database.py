"""The one SQLite file: durability settings, transactions, read-only opening, damage."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from spark.adapters.clock import SystemClock
from spark.adapters.database import SCHEMA_VERSION, Database
from spark.adapters.version_store import SqliteVersionStore
from spark.core.errors import FatalError


def put(db: Database, key: str, value: str = "x") -> None:
    with db.transaction() as connection:
        connection.execute("INSERT INTO state VALUES(?, ?)", (key, value))


def keys(db: Database) -> list[str]:
    return [row["key"] for row in db.query("SELECT key FROM state ORDER BY key")]


def test_settings_are_those_that_survive_a_power_cut(tmp_path: Path) -> None:
    """The file is in WAL mode with full synchronisation, pages of 8 KiB and foreign keys on."""
    db = Database(tmp_path / "deep" / "store.db")
    pragmas = {
        name: db.query(f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "page_size", "foreign_keys", "auto_vacuum")
    }
    db.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "page_size": 8192, "foreign_keys": 1, "auto_vacuum": 2}


def test_nobody_else_reads_the_history(tmp_path: Path) -> None:
    """The file and its journal have mode 0600 whatever the umask."""
    old = os.umask(0)
    try:
        db = Database(tmp_path / "store.db")
        put(db, "a")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        db.close()
    finally:
        os.umask(old)
    if os.name == "nt":
        return  # no mode bits there; the user's data folder has its ACL
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_an_exception_takes_everything_back(tmp_path: Path) -> None:
    """A transaction that is left by an exception leaves no row, also from an inner one, and the next works."""
    db = Database(tmp_path / "store.db")

    def fails() -> None:
        with db.transaction() as outer:
            outer.execute("INSERT INTO state VALUES('a', 'x')")
            with db.transaction() as inner:
                assert inner is outer
                inner.execute("INSERT INTO state VALUES('b', 'x')")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    put(db, "c")
    assert keys(db) == ["c"]
    db.close()


def test_less_durable_transactions_do_not_stick(tmp_path: Path) -> None:
    """`durable=False` holds for its own transaction only: the next is synchronised in full again."""
    db = Database(tmp_path / "store.db")
    with db.transaction(durable=False) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 1
    with db.transaction() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    db.close()


def test_threads_wait_for_each_other(tmp_path: Path) -> None:
    """Transactions of several threads never mix: every counted step is there at the end."""
    db = Database(tmp_path / "store.db")
    put(db, "n", "0")

    def count() -> None:
        for _ in range(50):
            with db.transaction() as connection:
                (value,) = connection.execute("SELECT value FROM state WHERE key = 'n'").fetchone()
                connection.execute("UPDATE state SET value = ? WHERE key = 'n'", (str(int(value) + 1),))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.query("SELECT value FROM state")[0][0] == "200"
    db.close()


def test_reading_a_history_that_is_not_there_creates_nothing(tmp_path: Path) -> None:
    """Read-only opening without a file answers emptily and leaves no file and no folder."""
    db = Database(tmp_path / "none" / "store.db", read_only=True)
    assert keys(db) == []
    db.close()
    assert list(tmp_path.iterdir()) == []


def test_reading_while_a_daemon_writes(tmp_path: Path) -> None:
    """A second, read-only opening sees what was committed so far, sees later commits, and cannot write."""
    writer = Database(tmp_path / "store.db")
    put(writer, "a")
    reader = Database(tmp_path / "store.db", read_only=True)
    assert keys(reader) == ["a"]
    put(writer, "b")
    assert keys(reader) == ["a", "b"]
    with pytest.raises(Exception, match="readonly"):
        put(reader, "c")
    reader.close()
    writer.close()


@pytest.mark.parametrize("damage", ["garbage", "header", "page"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path, damage: str) -> None:
    """A damaged file is kept under another name, said to be so, and the daemon still starts with an empty history."""
    path = tmp_path / "store.db"
    db = Database(path)
    for number in range(200):
        put(db, f"k{number:04d}", "x" * 500)
    db.close()
    raw = bytearray(path.read_bytes())
    if damage == "garbage":
        raw = bytearray(b"this is no database " * 1000)
    elif damage == "header":
        raw[:100] = bytes(100)
    else:
        for start in range(8192, len(raw), 8192):
            raw[start : start + 64] = b"\xff" * 64
    path.write_bytes(raw)

    db = Database(path)
    assert db.set_aside is not None
    assert db.set_aside.name.startswith("store.db.corrupt.")
    assert db.set_aside.read_bytes() == bytes(raw)
    assert keys(db) == []
    put(db, "new")
    db.close()
    again = Database(path)
    assert again.set_aside is None
    assert keys(again) == ["new"]
    again.close()


def test_damage_found_while_running_is_checked_at_the_next_start(tmp_path: Path) -> None:
    """A large file is not checked as a whole at every start; once damage shows, the daemon stops loudly and the next start
    sets the file aside."""
    path = tmp_path / "store.db"
    db = Database(path)
    for number in range(40):
        put(db, f"k{number:04d}", "x" * 500_000)
    db.close()
    raw = bytearray(path.read_bytes())
    assert len(raw) > 16 * 1024 * 1024
    plain = sqlite3.connect(path)
    (root,) = plain.execute("SELECT rootpage FROM sqlite_master WHERE name = 'state'").fetchone()
    plain.close()
    raw[(root - 1) * 8192 : root * 8192] = b"\xff" * 8192
    path.write_bytes(raw)

    db = Database(path)
    assert db.set_aside is None
    with pytest.raises(FatalError) as caught:
        db.query("SELECT value FROM state")
    assert caught.value.exit_status == 70
    db.close()
    db = Database(path)
    assert db.set_aside is not None
    assert keys(db) == []
    db.close()
    assert not path.with_name("store.db.suspect").exists()


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    """A history of a newer SPARK is refused with the line that mends it, and not touched."""
    path = tmp_path / "store.db"
    Database(path).close()
    plain = sqlite3.connect(path)
    plain.execute("PRAGMA user_version = 99")
    plain.commit()
    plain.close()
    for read_only in (False, True):
        with pytest.raises(FatalError) as caught:
            Database(path, read_only=read_only)
        assert "Update SPARK" in caught.value.hint
    assert [p.name for p in tmp_path.iterdir() if "corrupt" in p.name] == []


def test_a_folder_in_the_place_of_the_file_is_a_setup_error(tmp_path: Path) -> None:
    """Where the file cannot be opened at all, the start ends with a sentence and not with a traceback."""
    (tmp_path / "store.db").mkdir()
    with pytest.raises(FatalError) as caught:
        Database(tmp_path / "store.db")
    assert caught.value.hint


FIRST_VERSION_AND_OP = """
CREATE TABLE version(id TEXT PRIMARY KEY, path TEXT NOT NULL, action TEXT NOT NULL, sha256 TEXT, size INTEGER NOT NULL, author_kind TEXT NOT NULL, author_name TEXT NOT NULL,
  turn_id TEXT, call_id TEXT, git_head TEXT, git_branch TEXT, parent_id TEXT, created_at TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX version_by_path ON version(path, id);
CREATE INDEX version_by_turn ON version(turn_id, id) WHERE turn_id IS NOT NULL;
CREATE INDEX version_by_call ON version(call_id, id) WHERE call_id IS NOT NULL;
CREATE TABLE op(id TEXT PRIMARY KEY, group_id TEXT NOT NULL REFERENCES change_group(id), position INTEGER NOT NULL, state TEXT NOT NULL, path TEXT NOT NULL, action TEXT NOT NULL,
  pre TEXT, post TEXT, size INTEGER NOT NULL, version_id TEXT NOT NULL, parent_id TEXT) WITHOUT ROWID;
CREATE INDEX op_open ON op(path) WHERE state = 'intent';
INSERT INTO version VALUES('v_1', 'Assets/a.cs', 'created', 'x', 1, 'user', 'u', NULL, NULL, NULL, NULL, NULL, '2026-01-31T12:00:00.000Z');
PRAGMA user_version = 1;
"""


def test_a_history_of_the_first_schema(tmp_path: Path) -> None:
    """It is read as it is without being touched; opened for writing it gets what is new and is then as a new one."""
    path, fresh = tmp_path / "store.db", Database(tmp_path / "fresh.db")
    Database(path).close()
    plain = sqlite3.connect(path)
    plain.executescript("DROP TABLE op; DROP TABLE version;" + FIRST_VERSION_AND_OP)
    plain.close()
    reader = Database(path, read_only=True)
    found = SqliteVersionStore(reader, SystemClock()).history().versions
    assert [v.version_id for v in found] == ["v_1"]
    assert reader.query("PRAGMA user_version")[0][0] == 1
    reader.close()
    db = Database(path)
    for table in ("version", "op"):
        assert [tuple(row) for row in db.query(f"PRAGMA table_info({table})")] == [
            tuple(row) for row in fresh.query(f"PRAGMA table_info({table})")
        ]
    assert db.query("PRAGMA user_version")[0][0] == SCHEMA_VERSION
    assert [row["id"] for row in db.query("SELECT id FROM version WHERE mode IS NULL")] == ["v_1"]
    db.close()
    Database(path).close()
    fresh.close()
