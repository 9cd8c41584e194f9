"""Idempotency keys: the first answer to a call, however often and after whatever crash it is asked again."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from spark.core.api import CallOutcome, CallRequest
from spark.core.errors import HTTP_STATUS, SparkError, ToolRejected
from spark.core.ids import new_id
from spark.core.limits import IDEMPOTENCY_HOURS
from spark.protocol.wire import error_body
from spark.relay.calls import landed_outcome
from spark.relay.parts import Parts

Answer = Callable[[str], Awaitable[CallOutcome]]


class Once:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._under_way: dict[str, asyncio.Future[CallOutcome]] = {}

    async def call(self, key: str, request: CallRequest, answer: Answer) -> CallOutcome:
        """`answer(call id)` is awaited only by the first caller of a key. Raises `idempotency_mismatch`."""
        canonical = [request.name, request.arguments, request.turn_id, request.dry_run]
        fingerprint = hashlib.sha256(json.dumps(canonical, sort_keys=True).encode()).hexdigest()
        own_id = new_id("call")
        known, call_id = self._parts.journal.claim_key(key, fingerprint, own_id, self._oldest())
        if known != fingerprint:
            raise ToolRejected(
                "idempotency_mismatch",
                "Idempotency-Key: this key was used for a call with other arguments",
                hint="Use a new key for a new call.",
                details={"fields": {"Idempotency-Key": "a new key, or the same call"}},
            )
        if key in self._under_way:
            return await asyncio.shield(self._under_way[key])
        if call_id != own_id:
            earlier = self._earlier(call_id)
            if earlier is not None:
                return earlier
        future: asyncio.Future[CallOutcome] = asyncio.get_running_loop().create_future()
        self._under_way[key] = future
        try:
            outcome = await self._first(request, call_id, answer)
            future.set_result(outcome)
            return outcome
        finally:
            future.cancel()
            del self._under_way[key]

    async def _first(self, request: CallRequest, call_id: str, answer: Answer) -> CallOutcome:
        try:
            outcome = await answer(call_id)
        except SparkError as error:
            outcome = CallOutcome(HTTP_STATUS.get(error.code, 500), error_body(error))
        if outcome.status == HTTP_STATUS["approval_required"] and _code(outcome) == "approval_required":
            # Not decided yet: the key's one answer is what becomes of it.
            return outcome
        self._parts.journal.begin_call(call_id, str(outcome.body.get("turnId", "")), request.name, "")
        self._parts.journal.answer_call(call_id, outcome.status, json.dumps(outcome.body))
        return outcome

    def _earlier(self, call_id: str) -> CallOutcome | None:
        """The answer that was given, or, where a crash took it, the one that its versions tell. None: nothing was done."""
        row = self._parts.journal.call(call_id)
        if row is not None and row.answer is not None:
            return CallOutcome(row.status or 200, json.loads(row.answer))
        return landed_outcome(self._parts, call_id, row.turn_id if row else "")

    def _oldest(self) -> str:
        now = datetime.fromisoformat(self._parts.clock.now()).astimezone(UTC)
        return (now - timedelta(hours=IDEMPOTENCY_HOURS)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _code(outcome: CallOutcome) -> str:
    return str(outcome.body.get("error", {}).get("code", ""))
