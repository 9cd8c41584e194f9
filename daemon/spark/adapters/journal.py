"""The journal: turns, calls, conversations and session state, in the same database as the versions.

It makes three promises hold across crashes: a call id runs once, an idempotency key answers once, and a conversation goes
on where it stopped. It knows rows; what they mean is the relay's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from spark.adapters.database import Database
from spark.core.conversation import (
    AssistantMessage,
    FunctionCall,
    FunctionOutput,
    Item,
    SystemNote,
    TokenUsage,
    UserMessage,
)
from spark.core.ports import Clock
from spark.core.records import CallRow, TurnRow
from spark.core.versions import GitPlace

_KINDS: Final[Mapping[str, type[Any]]] = {
    "user": UserMessage,
    "assistant": AssistantMessage,
    "call": FunctionCall,
    "output": FunctionOutput,
    "note": SystemNote,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


class SqliteJournal:
    """`core.records.Journal` in SQLite."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    # -- turns

    def open_turn(self, turn: TurnRow) -> None:
        with self._db.transaction() as db:
            db.execute(
                "INSERT INTO turn(id, kind, text, status, conversation_id, mode, reasoning, model, host, key_source,"
                " git_head, git_branch, detail, started_at) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    turn.turn_id,
                    turn.kind,
                    turn.text,
                    turn.status,
                    turn.conversation_id,
                    turn.mode,
                    turn.reasoning,
                    turn.model,
                    turn.host,
                    turn.key_source,
                    turn.git.head,
                    turn.git.branch,
                    json.dumps(turn.detail),
                    turn.started_at,
                ),
            )

    def close_turn(
        self, turn_id: str, status: str, usage: TokenUsage, cost_usd: float | None, detail: Mapping[str, Any]
    ) -> None:
        with self._db.transaction() as db:
            db.execute(
                "UPDATE turn SET status=?, input_tokens=?, cached_tokens=?, output_tokens=?, cost_usd=?, detail=?,"
                " ended_at=? WHERE id=?",
                (
                    status,
                    usage.input_tokens,
                    usage.cached_tokens,
                    usage.output_tokens,
                    cost_usd,
                    json.dumps(detail),
                    self._clock.now(),
                    turn_id,
                ),
            )

    def count_usage(self, turn_id: str, usage: TokenUsage, cost_usd: float | None, model: str) -> None:
        """Stores what a turn has used so far, so that a crash loses no cost. `model`: who used it, where the turn has none."""
        with self._db.transaction() as db:
            db.execute(
                "UPDATE turn SET input_tokens=?, cached_tokens=?, output_tokens=?, cost_usd=?,"
                " model=CASE model WHEN '' THEN ? ELSE model END WHERE id=?",
                (usage.input_tokens, usage.cached_tokens, usage.output_tokens, cost_usd, model, turn_id),
            )

    def interrupted_turns(self) -> list[TurnRow]:
        """Turns that a crash left running, oldest first."""
        return [_turn(row) for row in self._db.query("SELECT * FROM turn WHERE status='running' ORDER BY id", ())]

    def turn(self, turn_id: str) -> TurnRow | None:
        rows = self._db.query("SELECT * FROM turn WHERE id=?", (turn_id,))
        return _turn(rows[0]) if rows else None

    def turns(self, *, limit: int, before: str | None = None) -> list[TurnRow]:
        """Newest first."""
        rows = self._db.query(
            "SELECT * FROM turn WHERE (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?", (before, before, limit)
        )
        return [_turn(row) for row in rows]

    def spent_usd(self, since: str) -> float:
        """What the turns started at or after a time cost, as far as their prices are known."""
        rows = self._db.query("SELECT COALESCE(SUM(cost_usd), 0) AS spent FROM turn WHERE started_at >= ?", (since,))
        return float(rows[0]["spent"])

    def usage(self, by: str, *, limit: int = 400) -> list[dict[str, Any]]:
        """Tokens and cost by `day`, `model` or `turn`, newest or dearest first. `costUsd` is null where one is unknown."""
        key = {"day": "substr(started_at, 1, 10)", "model": "model", "turn": "id"}[by]
        rows = self._db.query(
            f"SELECT {key} AS name, COUNT(*) AS turns, SUM(input_tokens) AS i, SUM(cached_tokens) AS c,"  # noqa: S608
            " SUM(output_tokens) AS o, SUM(cost_usd) AS cost, SUM(cost_usd IS NULL) AS unknown, MAX(text) AS text"
            " FROM turn WHERE model <> '' GROUP BY name ORDER BY name DESC LIMIT ?",
            (limit,),
        )
        return [
            {
                ("turnId" if by == "turn" else by): row["name"],
                "turns": row["turns"],
                "inputTokens": row["i"],
                "cachedTokens": row["c"],
                "outputTokens": row["o"],
                "costUsd": None if row["unknown"] else row["cost"],
                **({"prompt": row["text"]} if by == "turn" else {}),
            }
            for row in rows
        ]

    # -- calls

    def begin_call(self, call_id: str, turn_id: str, name: str, arguments: str) -> None:
        with self._db.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO call(id, turn_id, name, arguments, state, started_at) VALUES(?,?,?,?,'started',?)",
                (call_id, turn_id, name, arguments, self._clock.now()),
            )

    def answer_call(self, call_id: str, status: int, answer: str) -> None:
        with self._db.transaction() as db:
            db.execute(
                "UPDATE call SET state='answered', status=?, answer=?, ended_at=? WHERE id=?",
                (status, answer, self._clock.now(), call_id),
            )

    def call(self, call_id: str) -> CallRow | None:
        rows = self._db.query("SELECT * FROM call WHERE id=?", (call_id,))
        return _call(rows[0]) if rows else None

    def turn_calls(self, turn_id: str) -> list[CallRow]:
        """Oldest first."""
        return [_call(row) for row in self._db.query("SELECT * FROM call WHERE turn_id=? ORDER BY rowid", (turn_id,))]

    def claim_key(self, key: str, fingerprint: str, call_id: str, forget_before: str) -> tuple[str, str]:
        """Binds an idempotency key to a call once: `(fingerprint, call id)` of whoever came first."""
        with self._db.transaction() as db:
            db.execute("DELETE FROM idempotency WHERE created_at < ?", (forget_before,))
            db.execute(
                "INSERT OR IGNORE INTO idempotency(key, fingerprint, call_id, created_at) VALUES(?,?,?,?)",
                (key, fingerprint, call_id, self._clock.now()),
            )
            row = db.execute("SELECT fingerprint, call_id FROM idempotency WHERE key=?", (key,)).fetchone()
        return row[0], row[1]

    # -- conversations

    def append_items(self, conversation_id: str, items: Sequence[Item]) -> None:
        with self._db.transaction() as db:
            (last,) = db.execute(
                "SELECT COALESCE(MAX(position), 0) FROM item WHERE conversation_id=?", (conversation_id,)
            ).fetchone()
            db.executemany(
                "INSERT INTO item(id, conversation_id, position, kind, body) VALUES(?,?,?,?,?)",
                [
                    (item.item_id, conversation_id, last + number, _NAMES[type(item)], json.dumps(asdict(item)))
                    for number, item in enumerate(items, start=1)
                ],
            )

    def items(self, conversation_id: str) -> list[Item]:
        """The whole conversation, oldest first."""
        rows = self._db.query(
            "SELECT kind, body FROM item WHERE conversation_id=? ORDER BY position", (conversation_id,)
        )
        return [_KINDS[row["kind"]](**json.loads(row["body"])) for row in rows]

    # -- reads and state

    def note_read(self, conversation_id: str, path: str, sha256: str) -> None:
        with self._db.transaction() as db:
            db.execute("INSERT OR IGNORE INTO read_mark VALUES(?,?,?)", (conversation_id, path, sha256))

    def reads(self, conversation_id: str, path: str) -> frozenset[str]:
        rows = self._db.query(
            "SELECT sha256 FROM read_mark WHERE conversation_id=? AND path=?", (conversation_id, path)
        )
        return frozenset(row["sha256"] for row in rows)

    def state(self, key: str) -> Any:
        """A stored JSON value, None where there is none."""
        rows = self._db.query("SELECT value FROM state WHERE key=?", (key,))
        return json.loads(rows[0]["value"]) if rows else None

    def put_state(self, key: str, value: Any) -> None:
        with self._db.transaction() as db:
            db.execute("INSERT OR REPLACE INTO state(key, value) VALUES(?,?)", (key, json.dumps(value)))


def _turn(row: sqlite3.Row) -> TurnRow:
    return TurnRow(
        turn_id=row["id"],
        kind=row["kind"],
        text=row["text"],
        status=row["status"],
        conversation_id=row["conversation_id"],
        mode=row["mode"],
        reasoning=row["reasoning"],
        model=row["model"],
        host=row["host"],
        key_source=row["key_source"],
        git=GitPlace(row["git_head"], row["git_branch"]),
        usage=TokenUsage(row["input_tokens"], row["cached_tokens"], row["output_tokens"]),
        cost_usd=row["cost_usd"],
        detail=json.loads(row["detail"]),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )


def _call(row: sqlite3.Row) -> CallRow:
    return CallRow(row["id"], row["turn_id"], row["name"], row["arguments"], row["state"], row["status"], row["answer"])
