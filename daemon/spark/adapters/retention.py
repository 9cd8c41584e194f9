"""What may be dropped from the history when it grows over its limit, and in which order.

Owns the rule and its SQL. Only bytes are dropped, never rows: the history still says what happened.
"""

from __future__ import annotations

import datetime
import sqlite3
from typing import Any, Final

from spark.adapters.database import Database
from spark.core import limits

_UNREFERENCED: Final = """SELECT c.sha256, c.stored_size FROM content c
  WHERE c.sha256 NOT IN (
    SELECT sha256 FROM version WHERE sha256 IS NOT NULL UNION SELECT pre FROM op WHERE pre IS NOT NULL
    UNION SELECT post FROM op WHERE post IS NOT NULL)"""

# Bytes stay while an unfinished operation, the outbox, or a turn younger than the limit needs them; a turn also needs
# the bytes that it replaced (its versions' parents), or it could not be undone. Then the user's and git's go first, oldest
# first; only when none is left, those of old turns.
_DROPPABLE: Final = """WITH protected(sha256) AS (
    SELECT pre FROM op UNION SELECT post FROM op
    UNION SELECT v.sha256 FROM outbox o JOIN version v ON v.id = o.version_id
    UNION SELECT v.sha256 FROM version v WHERE v.turn_id IS NOT NULL AND v.created_at >= :since
    UNION SELECT p.sha256 FROM version v JOIN version p ON p.id = v.parent_id WHERE v.turn_id IS NOT NULL AND v.created_at >= :since)
  SELECT c.sha256, c.stored_size, max(v.author_kind NOT IN ('user', 'git')) AS of_turn, max(v.id) AS newest
  FROM content c JOIN version v ON v.sha256 = c.sha256
  WHERE c.sha256 NOT IN (SELECT sha256 FROM protected WHERE sha256 IS NOT NULL)
  GROUP BY c.sha256 ORDER BY of_turn, newest"""


def collect_contents(db: Database, now: str, max_total_bytes: int, *, dry_run: bool) -> dict[str, Any]:
    """Drops (or with `dry_run` only counts) contents; `now` is ISO 8601 UTC. See `SqliteVersionStore.collect`."""
    since = datetime.datetime.fromisoformat(now) - datetime.timedelta(days=limits.TURN_KEPT_DAYS)
    with db.transaction() as connection:
        total = int(connection.execute("SELECT total(stored_size) FROM content").fetchone()[0])
        drop = [(row["sha256"], row["stored_size"]) for row in connection.execute(_UNREFERENCED)]
        unreferenced = len(drop)
        freed = sum(size for _, size in drop)
        if total - freed > max_total_bytes:
            since_text = since.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            for row in connection.execute(_DROPPABLE, {"since": since_text}).fetchall():
                if total - freed <= max_total_bytes:
                    break
                drop.append((row["sha256"], row["stored_size"]))
                freed += row["stored_size"]
        versions = _count_versions(connection, {sha256 for sha256, _ in drop[unreferenced:]})
        if not dry_run:
            connection.executemany("DELETE FROM content WHERE sha256 = ?", [(sha256,) for sha256, _ in drop])
    if drop and not dry_run:
        db.run("PRAGMA incremental_vacuum")
    return {
        "contents": len(drop),
        "storedBytes": freed,
        "unreferenced": unreferenced,
        "versions": versions,
        "dryRun": dry_run,
    }


def _count_versions(connection: sqlite3.Connection, dropped: set[str]) -> int:
    """How many rows lose their bytes. Hashes are not indexed in `version`: each landing would pay for it."""
    if not dropped:
        return 0
    return sum(row["sha256"] in dropped for row in connection.execute("SELECT sha256 FROM version"))
