"""The one SQLite file of a checkout (`store.db`): opening it, its tables, and its transactions.

Owns the schema, durability settings and what happens to a damaged file. Must not know what the rows mean.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from spark.core.errors import FatalError, Unavailable

SCHEMA_VERSION: Final = 2
_APPLICATION_ID: Final = 0x5350524B
_CHECK_WHOLE_BELOW_BYTES: Final = 16 * 1024 * 1024
"""A file of this size is checked page by page in some ten milliseconds; a larger one only after a doubt."""
_BUSY_TIMEOUT_S: Final = 10.0

_SCHEMA: Final = """
CREATE TABLE content(sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, stored_size INTEGER NOT NULL, codec INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX content_sizes ON content(stored_size, size);
CREATE TABLE version(id TEXT PRIMARY KEY, path TEXT NOT NULL, action TEXT NOT NULL, sha256 TEXT, size INTEGER NOT NULL, author_kind TEXT NOT NULL, author_name TEXT NOT NULL,
  turn_id TEXT, call_id TEXT, git_head TEXT, git_branch TEXT, parent_id TEXT, created_at TEXT NOT NULL, mode INTEGER) WITHOUT ROWID;
CREATE INDEX version_by_path ON version(path, id);
CREATE INDEX version_by_turn ON version(turn_id, id) WHERE turn_id IS NOT NULL;
CREATE INDEX version_by_call ON version(call_id, id) WHERE call_id IS NOT NULL;
CREATE TABLE git_file(path TEXT PRIMARY KEY, sha256 TEXT, version_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE change_group(id TEXT PRIMARY KEY, state TEXT NOT NULL, author_kind TEXT NOT NULL, author_name TEXT NOT NULL, turn_id TEXT, call_id TEXT,
  git_head TEXT, git_branch TEXT, new_folders TEXT NOT NULL, created_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE op(id TEXT PRIMARY KEY, group_id TEXT NOT NULL REFERENCES change_group(id), position INTEGER NOT NULL, state TEXT NOT NULL, path TEXT NOT NULL, action TEXT NOT NULL,
  pre TEXT, post TEXT, size INTEGER NOT NULL, version_id TEXT NOT NULL, parent_id TEXT, mode INTEGER) WITHOUT ROWID;
CREATE INDEX op_open ON op(path) WHERE state = 'intent';
CREATE TABLE outbox(version_id TEXT PRIMARY KEY REFERENCES version(id), created_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE turn(id TEXT PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL, status TEXT NOT NULL, conversation_id TEXT, mode TEXT, reasoning TEXT, model TEXT, host TEXT, key_source TEXT,
  git_head TEXT, git_branch TEXT, input_tokens INTEGER NOT NULL DEFAULT 0, cached_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0, cost_usd REAL, detail TEXT NOT NULL DEFAULT '{}', started_at TEXT NOT NULL, ended_at TEXT);
CREATE TABLE call(id TEXT PRIMARY KEY, turn_id TEXT NOT NULL, name TEXT NOT NULL, arguments TEXT NOT NULL, state TEXT NOT NULL, status INTEGER, answer TEXT, started_at TEXT NOT NULL, ended_at TEXT);
CREATE INDEX call_by_turn ON call(turn_id);
CREATE TABLE idempotency(key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, call_id TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE item(id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX item_by_conversation ON item(conversation_id, position);
CREATE TABLE read_mark(conversation_id TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY(conversation_id, path, sha256));
CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_MIGRATIONS: Final = {
    1: "ALTER TABLE version ADD COLUMN mode INTEGER; ALTER TABLE op ADD COLUMN mode INTEGER;",
}
"""From each earlier version to the next. Files of earlier versions stay readable as they are: only writing migrates."""

_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Database:
    """One connection, shared by all threads under one lock.

    `set_aside`: where a damaged file was moved when this one was begun anew, else None; the daemon shows it loudly.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Opens or creates the file (and its folder). `read_only`: creates nothing; no file means an empty database.

        Raises `FatalError` (1) where the file was made by a newer SPARK or cannot be opened.
        """
        self.path = path
        self.read_only = read_only
        self.set_aside: Path | None = None
        self._lock = threading.RLock()
        self._depth = 0
        self._synchronous = "FULL"
        try:
            self._connection = self._open_for_reading() if read_only else self._open_for_writing()
        except sqlite3.OperationalError as error:
            raise FatalError(
                1,
                f"the history {path} cannot be opened: {error}",
                hint="Check the folder's permissions and free space.",
            ) from error

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """BEGIN IMMEDIATE … COMMIT, rolled back on any exception. One inside another joins the outer one.

        `durable` False: survives a killed process but perhaps not a power cut; only for what recovery would redo.
        Raises `Unavailable` (`internal`) where the disk refuses, `FatalError` where the file turns out damaged.
        """
        with self._lock, self._explained():
            if self._depth:
                yield self._connection
                return
            synchronous = "FULL" if durable else "NORMAL"
            if synchronous != self._synchronous:
                self._connection.execute(f"PRAGMA synchronous={synchronous}")
                self._synchronous = synchronous
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A failed COMMIT (a full disk) may or may not have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock, self._explained():
            return self._connection.execute(sql, params).fetchall()

    def run(self, sql: str) -> None:
        """A statement outside any transaction (a PRAGMA)."""
        with self._lock, self._explained():
            self._connection.execute(sql).fetchall()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _DAMAGE:
                if not self.read_only:
                    # The next start checks the whole file and sets it aside if it is really damaged.
                    self._suspect.touch()
                raise FatalError(
                    70,
                    f"the history {self.path} is damaged: {error}",
                    hint="Start SPARK again: it is set aside and a new one begun.",
                ) from error
            if isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR:
                raise Unavailable(
                    "internal",
                    f"the history could not be used: {error}",
                    hint="Check free space and permissions, then call again.",
                    details={"path": str(self.path)},
                    counts=False,
                ) from error
            raise

    @property
    def _suspect(self) -> Path:
        return self.path.with_name(self.path.name + ".suspect")

    def _open_for_reading(self) -> sqlite3.Connection:
        if self.path.is_file():
            connection = _connect(f"{self.path.absolute().as_uri()}?mode=ro")
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            if version:
                self._check_version(version, connection)
                return connection
            connection.close()
        connection = _connect("file::memory:")
        connection.executescript(_SCHEMA)
        return connection

    def _open_for_writing(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._opened()
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE:
                raise
        self.set_aside = self._put_aside()
        return self._opened()

    def _opened(self) -> sqlite3.Connection:
        fresh = not self.path.exists()
        if fresh:
            # Histories hold the user's sources: nobody else reads them, whatever the umask.
            self.path.touch(mode=0o600)
        connection = _connect(self.path.absolute().as_uri())
        try:
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                connection.execute("PRAGMA page_size=8192")
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA journal_size_limit=67108864")
            self._check_whole(connection)
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            if not version:
                connection.executescript(
                    f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA application_id={_APPLICATION_ID};PRAGMA user_version={SCHEMA_VERSION};COMMIT;"
                )
            else:
                self._check_version(version, connection)
                for step in range(version, SCHEMA_VERSION):
                    connection.executescript(
                        f"BEGIN IMMEDIATE;{_MIGRATIONS[step]}PRAGMA user_version={step + 1};COMMIT;"
                    )
        except BaseException:
            connection.close()
            raise
        self._suspect.unlink(missing_ok=True)
        return connection

    def _check_whole(self, connection: sqlite3.Connection) -> None:
        if self.path.stat().st_size > _CHECK_WHOLE_BELOW_BYTES and not self._suspect.exists():
            return
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            damage = sqlite3.DatabaseError(problem)
            damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise damage

    def _check_version(self, version: int, connection: sqlite3.Connection) -> None:
        if version > SCHEMA_VERSION:
            connection.close()
            raise FatalError(
                1, f"the history {self.path} was written by a newer SPARK", hint="Update SPARK, then start again."
            )

    def _put_aside(self) -> Path:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        aside = self.path.with_name(f"{self.path.name}.corrupt.{stamp}")
        number = 1
        while aside.exists():
            number += 1
            aside = self.path.with_name(f"{self.path.name}.corrupt.{stamp}-{number}")
        for tail in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + tail)
            if part.exists():
                part.rename(aside.with_name(aside.name + tail))
        self._suspect.unlink(missing_ok=True)
        return aside


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT_S, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection
