"""The calls of one turn: runs a tool, lands what it prepared, writes down the answer, and never does either twice.

It tells the turn what happened by events; when something may run or land is the machine's decision.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from spark.core import events as ev
from spark.core.api import CallOutcome
from spark.core.changes import Change, ChangeSet, sha256_of
from spark.core.conversation import FunctionCall
from spark.core.errors import HTTP_STATUS, SparkError, ToolRejected, Unavailable
from spark.core.limits import TOOL_OUTPUT_BYTES
from spark.core.paths import ProjectPath
from spark.core.patience import giving_up
from spark.core.ports import CodeModel, Reads
from spark.core.records import TurnRow
from spark.core.tool import Tool, ToolAnswer, ToolContext
from spark.core.versions import Author, Provenance
from spark.protocol.wire import error_body, finding_to_wire, success_body
from spark.relay.counted import Count, CountedCodeModel
from spark.relay.gate import RESTORING, judged
from spark.relay.parts import Parts

log = logging.getLogger("spark.call")
_TARGETS = ("path", "filePath", "className", "from", "query", "name", "folder", "turnId", "versionId")
_REASONS = {
    "mode": "the turn's mode is ask",
    "manyFiles": "it deletes or replaces many files",
    "headMoved": "git's HEAD moved since the turn began",
}


class Calls:
    def __init__(
        self, parts: Parts, row: TurnRow, reads: Reads, feed: Callable[[ev.Event], None], count: Count
    ) -> None:
        self.changes: list[Change] = []
        self._parts = parts
        self._row = row
        self._reads = reads
        self._feed = feed
        self._code_model = CountedCodeModel(parts, count)
        self._prepared: dict[str, ToolAnswer] = {}
        self._tools: dict[str, Tool[Any]] = {}
        self._waiting: dict[str, asyncio.Future[CallOutcome]] = {}

    def arrive(self, call: FunctionCall, *, dry_run: bool = False) -> None:
        """A call of the model, or of an outside agent."""
        tool = self._tool(call)
        writes = tool is not None and tool.writes
        known = self._known(call) if writes and self._row.kind == "model" else None
        output = model_output(known) if known is not None else None
        success = known is None or known.get("success") is not False
        self._feed(ev.CallArrived(call, writes, dry_run, output, success, _target(call.arguments)))

    def ask(self, call: FunctionCall, tool: Tool[Any] | None, *, dry_run: bool) -> asyncio.Future[CallOutcome]:
        """A call whose answer somebody waits for. `tool` None: the one of the registry."""
        waiter = self._waiting.get(call.call_id)
        if waiter is None:
            waiter = self._waiting[call.call_id] = asyncio.get_running_loop().create_future()
            if tool is not None:
                self._tools[call.call_id] = tool
            self.arrive(call, dry_run=dry_run)
        return waiter

    def hold(self, call_id: str, approval_id: str, reason: str) -> dict[str, Any]:
        """Lets a prepared call wait for a decision: the body of its `approvalRequested`.

        The present bytes are kept, to merge from. Who waits for the call over HTTP is told at once instead of hanging for
        minutes; accepting lands it all the same.
        """
        answer = self._prepared[call_id]
        self._parts.landing.keep_bases(answer.changes)
        body = {
            "approvalId": approval_id,
            "callId": call_id,
            "reason": reason,
            "changes": planned(answer.changes),
            "diff": answer.diff,
        }
        waiter = self._waiting.get(call_id)
        if waiter is not None and not waiter.done():
            error = ToolRejected(
                "approval_required",
                f"this change waits for the user's decision ({_REASONS[reason]}); nothing was written yet",
                hint=f'POST /v1/approvals/{approval_id} {{"decision": "accept"}} lands it.',
                details=body,
            )
            refusal = {**error_body(error), "callId": call_id, "turnId": self._row.turn_id}
            waiter.set_result(CallOutcome(HTTP_STATUS[error.code], refusal))
            self._waiting[call_id] = asyncio.get_running_loop().create_future()
        return body

    def waiting(self, call_id: str) -> asyncio.Future[CallOutcome] | None:
        """The answer that is still to come of a call from outside; None for a model's."""
        return self._waiting.get(call_id)

    def _tool(self, call: FunctionCall) -> Tool[Any] | None:
        if call.call_id not in self._tools:
            try:
                self._tools[call.call_id] = self._parts.registry.get(call.name)
            except ToolRejected:
                return None
        return self._tools[call.call_id]

    def _known(self, call: FunctionCall) -> Mapping[str, Any] | None:
        """What a writing call with this id answered before: it is never run twice, also not after a crash."""
        row = self._parts.journal.call(call.call_id)
        if row is None:
            return None
        if (row.name, row.arguments) != (call.name, call.arguments):
            return error_body(ToolRejected("conflict", f"call id {call.call_id} was used before for another call"))
        body = json.loads(row.answer) if row.answer else landed_body(self._parts, call.call_id, row.turn_id)
        return (
            {**body, "repeated": "this call id ran before: this is its earlier answer, nothing ran now"}
            if body
            else None
        )

    async def run(self, call: FunctionCall, dry_run: bool) -> None:
        """Runs the tool: answers at once what only reads, else says what it prepared."""
        call_id = call.call_id
        try:
            tool = self._tools.get(call_id) or self._parts.registry.get(call.name)
            arguments = tool.parse(call.arguments)
            if tool.writes:
                self._parts.journal.begin_call(call_id, self._row.turn_id, call.name, call.arguments)
            own_turn = self._row.kind == "direct"
            context = tool_context(
                self._parts, self._reads, self._row.turn_id, call_id, own_turn=own_turn, code_model=self._code_model
            )
            async with asyncio.timeout(tool.timeout_s):
                with over_at_the_end():
                    answer = await self._prepare(tool, arguments, context)
            if dry_run or not answer.changes:
                self._succeed(call_id, dry(answer) if dry_run else answer, ())
                return
            self._prepared[call_id] = answer
            head = await asyncio.to_thread(self._parts.landing.git_place)
            self._feed(_prepared_event(call_id, answer.changes, head))
        except TimeoutError:
            message = f"{call.name} took longer than its limit; nothing was written"
            self.refuse(call_id, Unavailable("timeout", message))
        except SparkError as error:
            self.refuse(call_id, error)
        except asyncio.CancelledError:
            self.refuse(call_id, ToolRejected("cancelled", "the turn was cancelled; nothing was written"))
            raise
        except Exception as error:
            # A bug in one function must not end the daemon, and its caller must get an answer.
            log.exception("%s failed", call.name)
            self.refuse(call_id, SparkError("internal", f"{call.name} failed inside SPARK ({type(error).__name__})"))

    async def _prepare(self, tool: Tool[Any], arguments: Any, context: ToolContext) -> ToolAnswer:
        """Runs the tool and judges what it wants to change, each with an index that knows what was on disk just before."""
        if tool.index:
            await self._parts.settled(tool.index)
        answer = await tool.run(arguments, context)
        if answer.changes and not tool.index:
            await self._parts.settled("recent")
        return await judged(self._parts, tool, answer)

    async def land(self, call_id: str, paths: tuple[str, ...] | None) -> None:
        """Writes what a call prepared; `paths`: only these (with their metas)."""
        answer = self._prepared.pop(call_id)
        change_set = answer.changes if paths is None else only(answer.changes, paths)
        try:
            git = await asyncio.to_thread(self._parts.landing.git_place)
            by = Provenance(self._author(call_id), self._row.turn_id, call_id, git)
            landed = await asyncio.to_thread(self._parts.landing.land, change_set, by)
        except SparkError as error:
            self.refuse(call_id, error)
            return
        except Exception as error:
            # The write protocol brings it to an end at the next start; the caller must still get an answer.
            log.exception("landing failed")
            self.refuse(call_id, SparkError("internal", f"the change could not be written ({type(error).__name__})"))
            return
        self.changes.extend(landed.changes)
        for change in landed.changes:
            # Merged bytes are not what the caller wrote: it must look at them before it edits again.
            if change.sha256_after is not None and change.path not in landed.merged:
                self._reads.note(change.path, change.sha256_after)
        result = dict(answer.result)
        if answer.complete is not None:
            result = dict(answer.complete(result, landed))
        if paths is not None:
            left = {c.path.text for c in answer.changes.files} - {c.path.text for c in change_set.files}
            result["rejectedPaths"] = sorted(left)
        self._succeed(call_id, replace(answer, result=result), landed.changes)

    def drop(self, call_id: str, error: SparkError) -> None:
        self._prepared.pop(call_id, None)
        self.refuse(call_id, error)

    def refuse(self, call_id: str, error: SparkError) -> None:
        body = {**error_body(error), "callId": call_id, "turnId": self._row.turn_id}
        self._answer(call_id, CallOutcome(HTTP_STATUS.get(error.code, 500), body), 0)

    def close(self) -> None:
        """Tells everybody who still waits that the turn is over."""
        for waiter in self._waiting.values():
            if not waiter.done():
                error = ToolRejected("cancelled", "the turn ended before this call was answered")
                waiter.set_result(CallOutcome(HTTP_STATUS[error.code], error_body(error)))

    def _author(self, call_id: str) -> Author:
        tool = self._tools[call_id]
        if tool.name in RESTORING:
            return Author("restore", tool.name)
        return Author("model", self._row.model) if self._row.kind == "model" else Author("tool", tool.name)

    def _succeed(self, call_id: str, answer: ToolAnswer, changes: Sequence[Change]) -> None:
        body = success_body(answer.result, changes, call_id, self._row.turn_id)
        if answer.findings:
            body["findings"] = [finding_to_wire(finding) for finding in answer.findings]
        self._answer(call_id, CallOutcome(200, body), len(changes))

    def _answer(self, call_id: str, outcome: CallOutcome, changed: int) -> None:
        tool = self._tools.get(call_id)
        if tool is not None and tool.writes:
            self._parts.journal.answer_call(call_id, outcome.status, json.dumps(outcome.body))
        refused = outcome.body.get("error")
        error = {"code": refused["code"], "message": refused["message"]} if refused else None
        self._feed(ev.CallDone(call_id, outcome.status < 400, model_output(outcome.body), changed, error))
        waiter = self._waiting.get(call_id)
        if waiter is not None and not waiter.done():
            waiter.set_result(outcome)


@contextmanager
def over_at_the_end() -> Iterator[None]:
    """Threads that are started here learn when this is left, by a timeout for one: they must not work on for nobody."""
    over = threading.Event()
    try:
        with giving_up(over.is_set):
            yield
    finally:
        over.set()


def _target(arguments: str) -> str:
    """What a call is about, for people who watch it."""
    try:
        loaded = json.loads(arguments)
    except ValueError:
        return ""
    if not isinstance(loaded, Mapping):
        return ""
    found = next((loaded[name] for name in _TARGETS if isinstance(loaded.get(name), str)), "")
    return str(found)[:200]


def _prepared_event(call_id: str, changes: ChangeSet, head: Any) -> ev.CallPrepared:
    existing = {change.path for change in changes.files if change.before_sha256 is not None}
    overwrites = sum(path in existing and not path.is_meta for path in changes.overwrites)
    return ev.CallPrepared(call_id, tuple(change.path.text for change in changes.files), overwrites, head)


def tool_context(
    parts: Parts, reads: Reads, turn_id: str, call_id: str, *, own_turn: bool, code_model: CodeModel | None = None
) -> ToolContext:
    return ToolContext(
        files=parts.files,
        index=parts.index,
        store=parts.store,
        engine=parts.engine,
        editor=parts.editor,
        reads=reads,
        code_model=code_model or parts.code_model,
        turn_id=turn_id,
        call_id=call_id,
        own_turn=own_turn,
    )


def dry(answer: ToolAnswer) -> ToolAnswer:
    """The answer of a dry run: result, diff and findings; nothing lands."""
    result = {**answer.result, "dryRun": True, "diff": answer.diff, "wouldChange": planned(answer.changes)}
    return replace(answer, result=result, changes=ChangeSet(()))


def planned(changes: ChangeSet) -> list[dict[str, Any]]:
    """What a change set would change, before it lands."""
    return [
        {
            "path": change.path.text,
            "action": change.action,
            "sha256Before": change.before_sha256,
            "sha256After": None if change.content is None else sha256_of(change.content),
        }
        for change in changes.files
    ]


def only(changes: ChangeSet, paths: Sequence[str]) -> ChangeSet:
    """The accepted part of a change set: an asset with its `.meta`, both ends of a move, the metas of new folders above."""
    accepted = {ProjectPath(path).asset.text for path in paths}
    for change in changes.files:
        if change.moved_from is not None and {change.path.asset.text, change.moved_from.asset.text} & accepted:
            accepted |= {change.path.asset.text, change.moved_from.asset.text}
    above = {"/".join(path.split("/")[:n]) for path in accepted for n in range(1, path.count("/") + 1)}
    files = tuple(
        change
        for change in changes.files
        if change.path.asset.text in accepted
        or (change.path.is_meta and change.before_sha256 is None and change.path.asset.text in above)
    )
    return replace(changes, files=files)


def landed_body(parts: Parts, call_id: str, turn_id: str) -> dict[str, Any] | None:
    """The answer to a call that landed before a crash took its answer, made from its versions; None where nothing did."""
    versions = [version for version in parts.store.call_versions(call_id) if version.author.kind != "user"]
    if not versions:
        return None
    changes = []
    for version in versions:
        parent = parts.store.version(version.parent_id) if version.parent_id else None
        before = parent.sha256 if parent else None
        changes.append(Change(ProjectPath(version.path), version.action, version.version_id, before, version.sha256))
    return success_body({"recovered": True}, changes, call_id, turn_id)


def landed_outcome(parts: Parts, call_id: str, turn_id: str) -> CallOutcome | None:
    body = landed_body(parts, call_id, turn_id)
    return CallOutcome(200, body) if body is not None else None


def model_output(body: Mapping[str, Any]) -> str:
    """A call's answer as the model gets it: without ids it has no use for, cut to a size it can hold."""
    kept = {name: value for name, value in body.items() if name not in ("callId", "turnId")}
    text = json.dumps(kept, ensure_ascii=False)
    if len(text) > TOOL_OUTPUT_BYTES * 2:
        kept = {"success": body.get("success"), "truncated": f"the answer had {len(text)} characters; ask for less"}
        kept["start"] = text[:TOOL_OUTPUT_BYTES]
        text = json.dumps(kept, ensure_ascii=False)
    return text
