"""Brings landings that were cut off (a crash, a power cut) to an end, before anything is served.

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
    `problems`: what could not be ended, for the user to see. `exchange_problem`: empty where all is well."""

    finished: int = 0
    taken_back: int = 0
    rescued: list[str] = field(default_factory=list)
    set_aside: Path | None = None
    problems: list[str] = field(default_factory=list)
    exchange_method: str = ""
    exchange_problem: str = ""


def recover(
    files: FencedFiles,
    store: SqliteVersionStore,
    ledger: Ledger,
    stage: Stage,
    steps: ExchangeSteps,
    user: Provenance,
) -> RecoveryReport:
    report = RecoveryReport(set_aside=store.db.set_aside)
    open_ops: set[str] = set()
    for group in ledger.unfinished():
        try:
            landed = _end(files, store, ledger, stage, steps, group, user)
        except (OSError, SparkError) as error:
            # A file that cannot be read or written right now: its staged bytes stay, the next start tries again.
            open_ops |= {op.op_id for op in group.ops}
            report.problems.append(f"{', '.join(op.path.text for op in group.ops)}: {error}")
            continue
        report.finished += landed
        report.taken_back += not landed
    # A daemon that died right after a deletion had no time for the folder that it emptied.
    remove_folders(files, [meta.asset for meta in ledger.deleted_metas() if files.stat(meta) is None])
    report.rescued = _empty(store, ledger, stage, user, open_ops)
    ledger.forget_finished()
    return report


def _end(
    files: FencedFiles,
    store: SqliteVersionStore,
    ledger: Ledger,
    stage: Stage,
    steps: ExchangeSteps,
    group: Group,
    user: Provenance,
) -> bool:
    """Whether the change set is in place now."""
    for op in group.ops:
        with files.folder(op.path.parent) as folder:
            if folder is not None:
                steps.tidy(op, folder)
    forward = group.state == "staged" and all(_can_go_on(files, stage, op) for op in group.ops)
    if group.state == "intent" and len(group.ops) == 1:
        forward = _is_in(files, stage, group.ops[0])
    if forward:
        try:
            make_folders(files, group.new_folders)
            for op in group.ops:
                _go_on(files, stage, steps, op)
        except Surprise:
            forward = False
    if not forward and group.state == "staged":
        ledger.mark(group, "back")
    if forward:
        sync_folders(files, group.ops)
        ledger.finish(group, group.ops, durable=True)
        prune_folders(files, group.ops)
        return True
    if group.state == "back" or len(group.ops) == 1:
        for op in reversed(group.ops):
            steps.take_back(op, store.content)
    remove_folders(files, group.new_folders)
    sync_folders(files, group.ops)
    _keep_in_place(files, store, group, user)
    ledger.finish(group, (), durable=True)
    return False


def _is_in(files: FencedFiles, stage: Stage, op: Op) -> bool:
    """Whether the exchange happened and nothing of the user's came out by it."""
    now, staged = hash_in_place(files, op.path), stage.look(op.staged)
    if now.foreign or now.sha256 != op.post:
        return False
    return not staged.foreign and staged.sha256 in (op.pre, None)


def _can_go_on(files: FencedFiles, stage: Stage, op: Op) -> bool:
    if _is_in(files, stage, op):
        return True
    now, staged = hash_in_place(files, op.path), stage.look(op.staged)
    if now.foreign or now.sha256 != op.pre:
        return False
    return not staged.there if op.post is None else staged.sha256 == op.post


def _go_on(files: FencedFiles, stage: Stage, steps: ExchangeSteps, op: Op) -> None:
    if _is_in(files, stage, op):
        return
    with files.folder(op.path.parent) as folder:
        if folder is None:
            raise Surprise(None, exists=False)
        steps.put_in(op, folder)


def _keep_in_place(files: FencedFiles, store: SqliteVersionStore, group: Group, user: Provenance) -> None:
    """Bytes that are neither the old nor the new ones are the user's, and may have come out of our hands: recorded."""
    for op in group.ops:
        now = hash_in_place(files, op.path)
        if now.content is not None and now.sha256 not in (op.pre, op.post):
            with store.db.transaction() as connection:
                store.replaced(connection, op.path.text, now.content, user)


def _empty(store: SqliteVersionStore, ledger: Ledger, stage: Stage, user: Provenance, open_ops: set[str]) -> list[str]:
    """Keeps whatever only the stage has, whatever its operation's state: it may be the user's only copy."""
    rescued: list[str] = []
    for name in sorted(stage.folder.names()):
        op_id, _, kind = name.partition(".")
        if op_id in open_ops:
            continue
        if kind != "part":
            found = stage.look(name)
            if found.foreign:
                continue
            if found.content is not None:
                where = ledger.path_of(op_id) or f".spark/stage/{name}"
                version_id = store.rescue(found.content, where, user)
                rescued += [] if version_id is None else [version_id]
        stage.discard(name)
    return rescued


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
