"""The journal of landings: which change set is under way, and what each of its files was and shall be.

A row is written before the project changes and closed after, so that whatever was cut off can be brought to an end by
`recovery`. Must not touch files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from spark.adapters.database import Database
from spark.adapters.version_store import SqliteVersionStore
from spark.core.ids import new_id
from spark.core.paths import ProjectPath
from spark.core.versions import Author, GitPlace, Provenance

GroupState = Literal["intent", "staged", "back", "done", "aborted"]


@dataclass(slots=True)
class Op:
    """One file of a landing. `pre`, `post`: hashes of the bytes before and after (None: no file). A merge changes
    `pre`, `post` and what follows from them."""

    op_id: str
    path: ProjectPath
    action: str
    pre: str | None
    post: str | None
    size: int
    version_id: str
    parent_id: str | None = None
    moved: bool | None = None
    """Whether the bytes went in or out; None: not known (after a crash)."""
    mode: int | None = None
    """Permission bits of the file: those that it had, for a new one those that it gets (None: what the umask leaves)."""

    @property
    def staged(self) -> str:
        return f"{self.op_id}.new"


@dataclass(slots=True)
class Group:
    group_id: str
    state: GroupState
    by: Provenance
    ops: list[Op]
    new_folders: tuple[ProjectPath, ...] = ()


class Ledger:
    def __init__(self, db: Database, store: SqliteVersionStore) -> None:
        self._db = db
        self._store = store
        self.going_back: set[str] = set()
        """Groups that are being taken back although that could not be written here: they count as `back`."""
        self.taken_back: set[str] = set()
        """Operations of such groups whose files are as they were: what the user does to them now is theirs."""

    def begin(
        self,
        group: Group,
        bytes_of: dict[ProjectPath, tuple[bytes | None, bytes | None]],
        user: Provenance,
        created_at: str,
    ) -> None:
        """TX1: the intents and all bytes, old and new (`bytes_of`: path → (before, after)), durable together. Sets each
        operation's `parent_id`."""
        by = group.by
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO change_group VALUES(?,?,?,?,?,?,?,?,?,?)",
                (
                    *(group.group_id, group.state, by.author.kind, by.author.name, by.turn_id, by.call_id),
                    *(by.git.head, by.git.branch, json.dumps([path.text for path in group.new_folders]), created_at),
                ),
            )
            for position, op in enumerate(group.ops):
                before, after = bytes_of[op.path]
                op.parent_id = self._store.replaced(connection, op.path.text, before, user)
                # The landing's own version comes after the one that it replaces, also in the order of ids.
                op.version_id = new_id("v")
                if after is not None:
                    self._store.put_content(connection, after, op.post)
                connection.execute(
                    "INSERT INTO op VALUES(?,?,?,'intent',?,?,?,?,?,?,?,?)",
                    (
                        *(op.op_id, group.group_id, position, op.path.text, op.action),
                        *(op.pre, op.post, op.size, op.version_id, op.parent_id, op.mode),
                    ),
                )

    def revise(self, op: Op, before: bytes, after: bytes, user: Provenance) -> None:
        """After a merge: the operation now replaces the user's newer bytes. Durable, as TX1."""
        with self._db.transaction() as connection:
            op.parent_id = self._store.replaced(connection, op.path.text, before, user)
            op.version_id = new_id("v")
            self._store.put_content(connection, after, op.post)
            connection.execute(
                "UPDATE op SET pre = ?, post = ?, size = ?, version_id = ?, parent_id = ? WHERE id = ?",
                (op.pre, op.post, op.size, op.version_id, op.parent_id, op.op_id),
            )

    def mark(self, group: Group, state: GroupState) -> None:
        """Durable: recovery decides by it."""
        with self._db.transaction() as connection:
            connection.execute("UPDATE change_group SET state = ? WHERE id = ?", (state, group.group_id))
        group.state = state

    def finish(self, group: Group, landed: Iterable[Op], *, durable: bool = False) -> None:
        """TX2: what became of the group. `landed`: the operations whose bytes are in place; they become versions.

        Not flushed by default: after a power cut recovery finds the new bytes in place and writes the same rows again.
        """
        done = {op.op_id for op in landed}
        state: GroupState = "done" if len(done) == len(group.ops) else "aborted"
        with self._db.transaction(durable=durable) as connection:
            for op in group.ops:
                if op.op_id in done:
                    self._store.add(
                        connection,
                        op.path.text,
                        op.action,
                        op.post,
                        op.size,
                        group.by,
                        parent_id=op.parent_id,
                        version_id=op.version_id,
                        mode=op.mode,
                    )
            connection.executemany(
                "UPDATE op SET state = ? WHERE id = ?",
                [("done" if op.op_id in done else "aborted", op.op_id) for op in group.ops],
            )
            connection.execute("UPDATE change_group SET state = ? WHERE id = ?", (state, group.group_id))
        group.state = state
        self.going_back.discard(group.group_id)
        self.taken_back.difference_update(op.op_id for op in group.ops)

    def unfinished(self) -> list[Group]:
        """Oldest first."""
        groups = self._db.query("SELECT * FROM change_group WHERE state NOT IN ('done', 'aborted') ORDER BY id")
        return [
            Group(
                row["id"],
                "back" if row["id"] in self.going_back else row["state"],
                Provenance(
                    Author(row["author_kind"], row["author_name"]),
                    row["turn_id"],
                    row["call_id"],
                    GitPlace(row["git_head"], row["git_branch"]),
                ),
                [
                    Op(
                        op["id"],
                        ProjectPath(op["path"]),
                        op["action"],
                        op["pre"],
                        op["post"],
                        op["size"],
                        op["version_id"],
                        op["parent_id"],
                        mode=op["mode"],
                    )
                    for op in self._db.query("SELECT * FROM op WHERE group_id = ? ORDER BY position", (row["id"],))
                ],
                tuple(ProjectPath(text) for text in json.loads(row["new_folders"])),
            )
            for row in groups
        ]

    def deleted_metas(self) -> list[ProjectPath]:
        """Of landings that are done but not yet forgotten."""
        rows = self._db.query("SELECT path FROM op WHERE state = 'done' AND post IS NULL")
        return [path for path in (ProjectPath(row["path"]) for row in rows) if path.is_meta]

    def path_of(self, op_id: str) -> str | None:
        rows = self._db.query("SELECT path FROM op WHERE id = ?", (op_id,))
        return rows[0]["path"] if rows else None

    def forget(self, op_ids: Sequence[str]) -> None:
        """Drops rows of finished operations whose staged files are gone, and groups without operations."""
        with self._db.transaction(durable=False) as connection:
            connection.executemany("DELETE FROM op WHERE id = ? AND state <> 'intent'", [(op_id,) for op_id in op_ids])
            connection.execute(
                "DELETE FROM change_group WHERE state IN ('done', 'aborted') AND NOT EXISTS(SELECT 1 FROM op WHERE group_id = change_group.id)"
            )

    def forget_finished(self, keep: Sequence[str] = ()) -> None:
        """`keep`: operations whose staged files stay for now."""
        with self._db.transaction(durable=False) as connection:
            rows = connection.execute("SELECT id FROM op WHERE state <> 'intent'").fetchall()
            connection.executemany(
                "DELETE FROM op WHERE id = ?", [(row["id"],) for row in rows if row["id"] not in keep]
            )
            connection.execute(
                "DELETE FROM change_group WHERE NOT EXISTS(SELECT 1 FROM op WHERE group_id = change_group.id)"
            )
