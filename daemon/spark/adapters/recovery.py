"""Brings landings that were cut off (a crash, a power cut, a full disk) to an end: all of them before anything is served, and
those that a running daemon could not end.

Decides by hashes alone, so it can be killed at any point and run again. Also the folder work that landing and recovery
share. Must not know why a change set was made.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spark.adapters.exchange_steps import ExchangeSteps, Surprise, hash_in_place
from spark.adapters.ledger import Group, Ledger, Op
from spark.adapters.project_files import FencedFiles
from spark.adapters.staging import Stage
from spark.adapters.version_store import SqliteVersionStore
from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.versions import Provenance


@dataclass(slots=True)
class RecoveryReport:
    """What a start found. `finished`, `taken_back`: change sets that were cut off and now are in place, or gone without a
    trace. `rescued`: versions made from bytes that only the stage had. `set_aside`: where a damaged history was moved.
    `problems`: what could not be ended and what lies in SPARK's place, for the user to see. `exchange_problem`: empty where
    all is well."""

    finished: int = 0
    taken_back: int = 0
    rescued: list[str] = field(default_factory=list)
    set_aside: Path | None = None
    problems: list[str] = field(default_factory=list)
    exchange_method: str = ""
    exchange_problem: str = ""


@dataclass(slots=True)
class Ending:
    """What became of the open groups. `failed`: those that stay open, with why."""

    landed: list[Group] = field(default_factory=list)
    back: list[Group] = field(default_factory=list)
    failed: list[tuple[Group, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Held:
    """A staged file that stays because somebody still has it open for writing. `sha256`: of the bytes kept so far."""

    staged: str
    op_id: str
    path: str
    sha256: str


class Recovery:
    def __init__(
        self, files: FencedFiles, store: SqliteVersionStore, ledger: Ledger, stage: Stage, steps: ExchangeSteps
    ) -> None:
        self._files = files
        self._store = store
        self._ledger = ledger
        self._stage = stage
        self._steps = steps

    def run(self, user: Provenance) -> tuple[RecoveryReport, Ending, list[Held]]:
        """At a start. Nothing that lies in the project or the stage makes it fail: it is reported."""
        report = RecoveryReport(set_aside=self._store.db.set_aside)
        try:
            self._stage.require()
            ours, foreign = self._stage.entries()
        except (SparkError, OSError) as error:
            # Without the stage nothing can be ended safely, and nothing is forgotten.
            report.problems.append(str(error))
            open_groups = [(group, str(error)) for group in self._ledger.unfinished()]
            return report, Ending(failed=open_groups), []
        report.problems += foreign
        self._ledger.going_back |= {group_id for _, group_id, kind in ours if kind == "back"}
        ending = self.end_open(user)
        for group, why in ending.failed:
            report.problems.append(f"{', '.join(op.path.text for op in group.ops)}: {why}")
        report.finished, report.taken_back = len(ending.landed), len(ending.back)
        self._prune_deleted()
        open_ids = {name for group, _ in ending.failed for name in (group.group_id, *(op.op_id for op in group.ops))}
        held, stuck = self._empty(report, user, open_ids)
        self._ledger.forget_finished([item.op_id for item in held] + stuck)
        return report, ending, held

    def end_open(self, user: Provenance) -> Ending:
        """Every open group, oldest first; what fails stays open for the next try."""
        ending = Ending()
        for group in self._ledger.unfinished():
            try:
                landed = self._end(group, user)
                with contextlib.suppress(OSError, SparkError):
                    self._stage.discard(f"{group.group_id}.back")
            except (OSError, SparkError) as error:
                # A file that cannot be read or written right now: its staged bytes stay.
                ending.failed.append((group, str(error)))
                continue
            (ending.landed if landed else ending.back).append(group)
        return ending

    def _end(self, group: Group, user: Provenance) -> bool:
        """Whether the change set is in place now."""
        for op in group.ops:
            with self._files.folder(op.path.parent) as folder:
                if folder is not None:
                    self._steps.tidy(op, folder)
        superseded = {op.op_id for op in group.ops if self._is_superseded(op)}
        forward = not superseded and self._belongs_in(group)
        if forward:
            try:
                make_folders(self._files, group.new_folders)
                for op in group.ops:
                    self._go_on(op)
            except Surprise:
                forward = False
        if not forward and group.state == "staged":
            self._ledger.mark(group, "back")
        if forward:
            sync_folders(self._files, group.ops)
            self._ledger.finish(group, group.ops, durable=True)
            prune_folders(self._files, group.ops)
            return True
        if group.state == "back" or len(group.ops) == 1:
            for op in reversed(group.ops):
                if op.op_id not in superseded and op.op_id not in self._ledger.taken_back:
                    self._steps.take_back(op, self._store.content)
        remove_folders(self._files, group.new_folders)
        sync_folders(self._files, group.ops)
        self._keep_in_place(group, user)
        self._ledger.finish(group, (), durable=True)
        return False

    def _is_superseded(self, op: Op) -> bool:
        """Whether a newer version of the path says why it is as it is: then it is none of this operation's business. A newer
        version of the user's alone does not say so: it may have come out by this very operation."""
        newer = self._store.newer_than(op.path, op.version_id)
        if newer is None:
            return False
        sha256, landed = newer
        now = hash_in_place(self._files, op.path)
        return landed or (not now.foreign and now.sha256 == sha256)

    def _belongs_in(self, group: Group) -> bool:
        if group.state == "staged":
            return all(self._can_go_on(op) for op in group.ops)
        return group.state == "intent" and len(group.ops) == 1 and self._is_in(group.ops[0])

    def _is_in(self, op: Op) -> bool:
        """Whether the exchange happened and nothing of the user's came out by it."""
        now, staged = hash_in_place(self._files, op.path), self._stage.look(op.staged)
        if now.foreign or now.sha256 != op.post:
            return False
        return not staged.foreign and staged.sha256 in (op.pre, None)

    def _can_go_on(self, op: Op) -> bool:
        if self._is_in(op):
            return True
        now, staged = hash_in_place(self._files, op.path), self._stage.look(op.staged)
        if now.foreign or now.sha256 != op.pre:
            return False
        return not staged.there if op.post is None else staged.sha256 == op.post

    def _go_on(self, op: Op) -> None:
        if self._is_in(op):
            return
        with self._files.folder(op.path.parent) as folder:
            if folder is None:
                raise Surprise(None, exists=False)
            self._steps.put_in(op, folder)

    def _keep_in_place(self, group: Group, user: Provenance) -> None:
        """Bytes that are neither the old nor the new ones are the user's, and may have come out of our hands: recorded."""
        for op in group.ops:
            now = hash_in_place(self._files, op.path)
            if now.content is not None and now.sha256 not in (op.pre, op.post):
                with self._store.db.transaction() as connection:
                    self._store.replaced(connection, op.path.text, now.content, user)

    def _prune_deleted(self) -> None:
        """A daemon that died right after a deletion had no time for the folder that it emptied."""
        for meta in self._ledger.deleted_metas():
            with contextlib.suppress(OSError, SparkError):
                if self._files.stat(meta) is None:
                    remove_folders(self._files, [meta.asset])

    def _empty(self, report: RecoveryReport, user: Provenance, open_ids: set[str]) -> tuple[list[Held], list[str]]:
        """Keeps whatever only the stage has, whatever its operation's state: it may be the user's only copy. Answers the files
        that somebody still writes, and the operations whose files could not be dealt with."""
        held: list[Held] = []
        stuck: list[str] = []
        for name, item_id, kind in self._stage.entries()[0]:
            if item_id in open_ids:
                continue
            try:
                found = None if kind in ("part", "back") else self._rescued(report, user, name, item_id)
                if found is None:
                    self._stage.discard(name)
                else:
                    held.append(found)
            except (OSError, SparkError) as error:
                stuck.append(item_id)
                report.problems.append(f"{self._stage.foreign(name)} ({error})")
        return held, stuck

    def _rescued(self, report: RecoveryReport, user: Provenance, name: str, op_id: str) -> Held | None:
        """None where the file may go now."""
        # Asked first: who writes no more has written all that is read now.
        written = self._stage.has_writer(name)
        found = self._stage.look(name)
        if found.content is None or found.sha256 is None:
            return None
        where = self._ledger.path_of(op_id) or f".spark/stage/{name}"
        version_id = self._store.rescue(found.content, where, user)
        report.rescued += [] if version_id is None else [version_id]
        return Held(name, op_id, where, found.sha256) if written else None


def make_folders(files: FencedFiles, folders: Sequence[ProjectPath]) -> None:
    """Outer ones first, each with its parent's mode, durable."""
    for path in folders:
        with files.folder(path.parent) as parent:
            if parent is None:
                raise FileNotFoundError(errno.ENOENT, "the folder is gone", path.text)
            with contextlib.suppress(FileExistsError):
                parent.mkdir(path.name)
                with parent.child(path.name) as made:
                    made.take_mode_of(parent)
            parent.sync()


def remove_folders(files: FencedFiles, folders: Iterable[ProjectPath]) -> None:
    """Those that are empty, inner ones first."""
    for path in sorted(folders, key=lambda folder: -len(folder.parts)):
        with files.folder(path.parent) as parent, contextlib.suppress(OSError):
            if parent is not None:
                parent.rmdir(path.name)


def prune_folders(files: FencedFiles, ops: Iterable[Op]) -> None:
    """Folders that a change set emptied and whose `.meta` it deleted: Unity would make a new `.meta` for them."""
    remove_folders(files, [op.path.asset for op in ops if op.post is None and op.path.is_meta])


def sync_folders(files: FencedFiles, ops: Iterable[Op]) -> None:
    """The stage folder needs none: what a power cut could bring back there is in the history already."""
    for parent in sorted({op.path.parent for op in ops if op.path.parent is not None}):
        with files.folder(parent) as folder:
            if folder is not None:
                folder.sync()
