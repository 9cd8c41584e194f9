"""The history in SQLite: versions by path, turn and call, their bytes content-addressed and compressed.

Owns the rows of `version`, `content`, `git_file` and `outbox`. Must not know how bytes reach the project, nor touch it.
"""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from spark.adapters.database import Database
from spark.adapters.retention import collect_contents
from spark.core.changes import sha256_of
from spark.core.errors import Unavailable
from spark.core.ids import new_id
from spark.core.paths import ProjectPath
from spark.core.ports import Clock
from spark.core.versions import Author, GitPlace, HistoryPage, Observed, Provenance, Version

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
MAX_TOTAL_BYTES: Final = 5 * 1024 * 1024 * 1024
MAX_PAGE: Final = 1_000
RECOVERED: Final = "recovered"
"""The action of bytes that were found outside the project (a staged file that somebody still wrote into). They are kept
and shown, but they are never what a path holds: `latest` leaves them out."""
_RAW: Final = 0
_ZSTD: Final = 1
_ZSTD_LEVEL: Final = 3
_TEXT_PROBE_BYTES: Final = 8_000
_LOOK_EVERY_S: Final = 600.0

_SELECT: Final = """SELECT v.*, t.text AS prompt, v.sha256 IS NULL OR EXISTS(SELECT 1 FROM content c WHERE c.sha256 = v.sha256) AS kept
  FROM version v LEFT JOIN turn t ON t.id = v.turn_id """


class Unknown(enum.Enum):
    """The history knows nothing of a path: it never changed while SPARK looked."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


class SqliteVersionStore:
    """Implements `core.ports.VersionStore`, and records.

    `syncs`: every new version also goes into the outbox; only while something empties it, because what lies there is
    never dropped for space.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        max_file_bytes: int = MAX_FILE_BYTES,
        max_total_bytes: int = MAX_TOTAL_BYTES,
        syncs: bool = False,
    ) -> None:
        self.db = db
        self._clock = clock
        self._max_file_bytes = max_file_bytes
        self._max_total_bytes = max_total_bytes
        self._syncs = syncs
        self._looked_at_s: float | None = None

    # -- reading ------------------------------------------------------------------------------------------------

    def version(self, version_id: str) -> Version | None:
        return _first(self.db.query(_SELECT + "WHERE v.id = ?", (version_id,)))

    def latest(self, path: ProjectPath) -> Version | None:
        """The newest version of exactly this path; a git event's hashes are not rows (see `latest_sha256`)."""
        return _first(
            self.db.query(
                _SELECT + "WHERE v.path = ? AND v.action <> ? ORDER BY v.id DESC LIMIT 1", (path.text, RECOVERED)
            )
        )

    def latest_sha256(self, path: ProjectPath) -> str | Unknown | None:
        """What the history last saw in this path: a hash, None for a deletion, `UNKNOWN` where it never changed."""
        sha256, _, known = self._last_seen(path.text)
        return sha256 if known else UNKNOWN

    def history(
        self, *, path: str | None = None, turn_id: str | None = None, limit: int = 50, before: str | None = None
    ) -> HistoryPage:
        """Newest first. `path`: a file, or a folder for everything below it. `before`: a version id, left out itself."""
        where, params = ["1"], []
        if path:
            name = path.rstrip("/")
            # '0' is the character after '/': the range is every path below the folder, and an index serves it.
            where.append("(v.path = ? OR (v.path > ? AND v.path < ?))")
            params += [name, name + "/", name + "0"]
        if turn_id is not None:
            where.append("v.turn_id = ?")
            params.append(turn_id)
        if before is not None:
            where.append("v.id < ?")
            params.append(before)
        count = min(max(limit, 1), MAX_PAGE)
        rows = self.db.query(
            f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY v.id DESC LIMIT ?",
            (*params, count + 1),
        )
        versions = tuple(_version(row) for row in rows[:count])
        return HistoryPage(versions, versions[-1].version_id if len(rows) > count else None)

    def turn_versions(self, turn_id: str) -> list[Version]:
        return [_version(row) for row in self.db.query(_SELECT + "WHERE v.turn_id = ? ORDER BY v.id", (turn_id,))]

    def call_versions(self, call_id: str) -> list[Version]:
        return [_version(row) for row in self.db.query(_SELECT + "WHERE v.call_id = ? ORDER BY v.id", (call_id,))]

    def content(self, sha256: str) -> bytes | None:
        """The bytes, checked against their hash. Raises `Unavailable` where the store gives back other bytes."""
        rows = self.db.query("SELECT size, codec, body FROM content WHERE sha256 = ?", (sha256,))
        if not rows:
            return None
        size, codec, body = rows[0]
        data = bytes(body) if codec == _RAW else _decompress(bytes(body), size)
        if data is None or sha256_of(data) != sha256:
            raise Unavailable(
                "internal",
                f"the history's copy of {sha256[:12]} is damaged",
                hint="Restore another version, and check this disk.",
                details={"sha256": sha256},
                counts=False,
            )
        return data

    def has_content(self, sha256: str) -> bool:
        return bool(self.db.query("SELECT 1 FROM content WHERE sha256 = ?", (sha256,)))

    def mode_of_deleted(self, path: ProjectPath) -> int | None:
        """The permission bits that a file had before it was deleted; None where the newest version of the path is no
        deletion, or they are not known."""
        rows = self.db.query(
            "SELECT sha256, mode FROM version WHERE path = ? AND action <> ? ORDER BY id DESC LIMIT 2",
            (path.text, RECOVERED),
        )
        if not rows or rows[0]["sha256"] is not None:
            return None
        return next((int(row["mode"]) for row in rows if row["mode"] is not None), None)

    def newer_than(self, path: ProjectPath, version_id: str) -> tuple[str | None, bool] | None:
        """(hash, whether a landing made it) of the path's newest version, where that is newer than `version_id`."""
        rows = self.db.query(
            "SELECT sha256, author_kind FROM version WHERE path = ? AND action <> ? AND id > ? ORDER BY id DESC LIMIT 1",
            (path.text, RECOVERED, version_id),
        )
        return (rows[0]["sha256"], rows[0]["author_kind"] not in ("user", "git")) if rows else None

    def newest_id(self) -> str | None:
        """The id with the highest time of all that this history holds (versions, operations, turns, calls); new ids must
        sort after it, also where the clock was set back. None in a new history."""
        rows = self.db.query(
            "SELECT max(id) AS id FROM version UNION ALL SELECT max(version_id) FROM op UNION ALL"
            " SELECT max(id) FROM change_group UNION ALL SELECT max(id) FROM turn UNION ALL SELECT max(id) FROM call"
        )
        ids = [str(row["id"]) for row in rows if row["id"] is not None]
        return max(ids, key=lambda text: text.rpartition("_")[2], default=None)

    # -- recording ----------------------------------------------------------------------------------------------

    def record_observed(self, observed: Sequence[Observed], by: Provenance) -> list[Version]:
        """Versions for files as they were found on disk, where that differs from what the history last saw.

        Bytes of text files are kept whatever their size, others up to `max_file_bytes`. A file that a landing is just
        writing is left to it.
        """
        made: list[str] = []
        with self.db.transaction() as connection:
            for item in observed:
                sha256 = item.sha256 if item.content is None else sha256_of(item.content)
                last, parent_id, known = self._last_seen(item.path.text)
                if (known and last == sha256) or self._is_landing(connection, item.path.text, sha256):
                    continue
                if item.content is not None and (len(item.content) <= self._max_file_bytes or _is_text(item.content)):
                    self.put_content(connection, item.content, sha256)
                appeared = item.created or (known and last is None)
                action = "deleted" if sha256 is None else "created" if appeared else "modified"
                made.append(self.add(connection, item.path.text, action, sha256, item.size, by, parent_id=parent_id))
        return [version for version in map(self.version, made) if version is not None]

    def record_git_event(self, before: GitPlace, after: GitPlace, paths: Mapping[str, str | None]) -> Version:
        """One row for a branch switch, a pull or a reset, however many files it changed; their hashes (None: gone) are
        remembered, so that the files are known as git's and not taken for the user's edits."""
        name = after.branch or (after.head or before.head or "git")[:12]
        by = Provenance(Author("git", name), git=after)
        with self.db.transaction() as connection:
            version_id = self.add(connection, "", "checkout", None, len(paths), by, parent_id=None)
            connection.executemany(
                "INSERT INTO git_file VALUES(?,?,?) ON CONFLICT(path) DO UPDATE SET sha256 = excluded.sha256, version_id = excluded.version_id",
                [(path, sha256, version_id) for path, sha256 in paths.items()],
            )
        version = self.version(version_id)
        assert version is not None
        return version

    def put_content(self, connection: sqlite3.Connection, data: bytes, sha256: str | None = None) -> str:
        """Keeps bytes, once. Belongs inside a transaction that also names them in a version or an operation."""
        sha256 = sha256 or sha256_of(data)
        if connection.execute("SELECT 1 FROM content WHERE sha256 = ?", (sha256,)).fetchone() is None:
            body = _compress(data)
            codec = _ZSTD if len(body) < len(data) else _RAW
            stored = body if codec == _ZSTD else data
            connection.execute("INSERT INTO content VALUES(?,?,?,?,?)", (sha256, len(data), len(stored), codec, stored))
        return sha256

    def add(
        self,
        connection: sqlite3.Connection,
        path: str,
        action: str,
        sha256: str | None,
        size: int,
        by: Provenance,
        *,
        parent_id: str | None,
        version_id: str | None = None,
        mode: int | None = None,
    ) -> str:
        """One version row inside a transaction; returns its id. `version_id`: made earlier; adding it twice is once.
        `mode`: permission bits, where they are known (of a deletion: those of the file that went)."""
        version_id = version_id or new_id("v")
        now = self._clock.now()
        connection.execute(
            "INSERT OR IGNORE INTO version VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                *(version_id, path, action, sha256, size, by.author.kind, by.author.name, by.turn_id, by.call_id),
                *(by.git.head, by.git.branch, parent_id, now, mode),
            ),
        )
        if self._syncs:
            connection.execute("INSERT OR IGNORE INTO outbox VALUES(?,?)", (version_id, now))
        return version_id

    def replaced(
        self, connection: sqlite3.Connection, path: str, content: bytes | None, user: Provenance
    ) -> str | None:
        """The version that holds the bytes a landing is about to replace (`content` None: there is no file).

        Where the history has not seen them there, they are recorded first: as git's where a git event brought them,
        else as the user's. Returns None only for a file that is not there and never was.
        """
        sha256 = None if content is None else sha256_of(content)
        if content is not None:
            self.put_content(connection, content, sha256)
        latest = _newest_row(connection, path)
        if latest is not None and latest["sha256"] == sha256:
            return str(latest["id"])
        if latest is None and sha256 is None:
            return None
        git = connection.execute(
            "SELECT v.* FROM git_file g JOIN version v ON v.id = g.version_id WHERE g.path = ? AND g.sha256 IS ?",
            (path, sha256),
        ).fetchone()
        by = user
        if git is not None:
            by = Provenance(Author("git", git["author_name"]), git=GitPlace(git["git_head"], git["git_branch"]))
        if sha256 is None:
            action = "deleted"
        else:
            action = "created" if latest is not None and latest["sha256"] is None else "modified"
        return self.add(
            connection,
            path,
            action,
            sha256,
            len(content or b""),
            by,
            parent_id=None if latest is None else latest["id"],
        )

    def rescue(self, content: bytes, path: str, user: Provenance) -> str | None:
        """Keeps bytes that were found outside the project. Returns the new version's id, None where they were known."""
        sha256 = sha256_of(content)
        with self.db.transaction() as connection:
            if connection.execute("SELECT 1 FROM content WHERE sha256 = ?", (sha256,)).fetchone() is not None:
                return None
            self.put_content(connection, content, sha256)
            latest = _newest_row(connection, path)
            parent_id = None if latest is None else latest["id"]
            return self.add(connection, path, RECOVERED, sha256, len(content), user, parent_id=parent_id)

    # -- room ---------------------------------------------------------------------------------------------------

    def size_report(self) -> dict[str, int]:
        """`{"versions","contents","bytes","storedBytes","maxBytes"}`; `bytes` before compression."""
        versions = self.db.query("SELECT count(*) FROM version")[0][0]
        contents, size, stored = self.db.query("SELECT count(*), total(size), total(stored_size) FROM content")[0]
        return {
            "versions": versions,
            "contents": contents,
            "bytes": int(size),
            "storedBytes": int(stored),
            "maxBytes": self._max_total_bytes,
        }

    def collect(self, dry_run: bool = False) -> dict[str, Any]:
        """Frees room: bytes that nothing names, then the oldest while there are more than `max_total_bytes` (rows stay,
        their content becomes `notKept`). Answers `{"contents","storedBytes","unreferenced","versions","dryRun"}`."""
        return collect_contents(self.db, self._clock.now(), self._max_total_bytes, dry_run=dry_run)

    def collect_when_full(self) -> None:
        """`collect`, where the limit is passed; looks at most every ten minutes."""
        now_s = self._clock.monotonic()
        if self._looked_at_s is not None and now_s - self._looked_at_s < _LOOK_EVERY_S:
            return
        self._looked_at_s = now_s
        if self.db.query("SELECT total(stored_size) FROM content")[0][0] > self._max_total_bytes:
            self.collect()

    def _last_seen(self, path: str) -> tuple[str | None, str | None, bool]:
        """(hash, id of the newest row of the path, whether anything is known)."""
        rows = self.db.query(
            "SELECT id, sha256 FROM version WHERE path = ? AND action <> ? ORDER BY id DESC LIMIT 1", (path, RECOVERED)
        )
        git = self.db.query("SELECT version_id AS id, sha256 FROM git_file WHERE path = ?", (path,))
        newest = max([*rows, *git], key=lambda row: str(row["id"]), default=None)
        if newest is None:
            return None, None, False
        return newest["sha256"], rows[0]["id"] if rows else None, True

    @staticmethod
    def _is_landing(connection: sqlite3.Connection, path: str, sha256: str | None) -> bool:
        row = connection.execute(
            "SELECT 1 FROM op WHERE path = ? AND state = 'intent' AND post IS ?", (path, sha256)
        ).fetchone()
        return row is not None


def _newest_row(connection: sqlite3.Connection, path: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT id, sha256 FROM version WHERE path = ? AND action <> ? ORDER BY id DESC LIMIT 1", (path, RECOVERED)
    ).fetchone()
    return row


def _first(rows: list[sqlite3.Row]) -> Version | None:
    return _version(rows[0]) if rows else None


def _version(row: sqlite3.Row) -> Version:
    return Version(
        version_id=row["id"],
        path=row["path"],
        action=row["action"],
        sha256=row["sha256"],
        size=row["size"],
        content="kept" if row["kept"] else "notKept",
        author=Author(row["author_kind"], row["author_name"]),
        turn_id=row["turn_id"],
        call_id=row["call_id"],
        prompt=row["prompt"],
        git=GitPlace(row["git_head"], row["git_branch"]),
        parent_id=row["parent_id"],
        created_at=row["created_at"],
    )


def _is_text(content: bytes) -> bool:
    """git's rule: no NUL near the start."""
    return b"\0" not in content[:_TEXT_PROBE_BYTES]


def _compress(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(data)


def _decompress(body: bytes, size: int) -> bytes | None:
    import zstandard

    try:
        return zstandard.ZstdDecompressor().decompress(body, max_output_size=max(size, 1))
    except zstandard.ZstdError:
        return None
