"""What a change set means for the files as they are now: every refusal that needs no write is made here.

Reads through the fence and the history. Must not change anything.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from spark.adapters.exchange_steps import Surprise
from spark.adapters.landing_errors import (
    BREAKING,
    NO_BASE,
    NO_MERGE,
    NOT_FITTING,
    conflict,
    finding_details,
    merge_conflicts,
)
from spark.adapters.ledger import Op
from spark.adapters.project_files import FencedFiles, refuse_link
from spark.adapters.read_only import read_only
from spark.adapters.version_store import SqliteVersionStore
from spark.core import limits
from spark.core.changes import ChangeSet, FileChange, sha256_of
from spark.core.diagnostics import Finding
from spark.core.engine import Merged, MergeFile
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.ids import new_id
from spark.core.paths import ProjectPath, check_writable

_PERMISSIONS = 0o777
_FOLDER = re.compile(rb"^folderAsset: yes\r?$", re.MULTILINE)
CheckMerged = Callable[[ProjectPath, bytes, bytes | None], Sequence[Finding]]


@dataclass(slots=True)
class Planned:
    """One file that will change. `before`: the bytes in place; `after`: those to come (None: deletion)."""

    op: Op
    before: bytes | None
    after: bytes | None
    may_merge: bool
    merged: bool = False
    moved_from: ProjectPath | None = None
    """Where a moved file still lies while this end of the move is staged: it hands on its mode and attributes."""


@dataclass(slots=True)
class Plan:
    """`files` in the order of exchange. Files that already are as wanted are left out."""

    files: list[Planned] = field(default_factory=list)
    new_folders: tuple[ProjectPath, ...] = ()
    order: dict[ProjectPath, int] = field(default_factory=dict)

    def in_callers_order(self) -> Iterator[Op]:
        yield from sorted((planned.op for planned in self.files), key=lambda op: self.order[op.path])


def merge_by_lines(_: ProjectPath, base: bytes, ours: bytes, theirs: bytes) -> Merged:
    from spark.text.merge import merge

    return merge(base, ours, theirs)


@dataclass(slots=True)
class Merging:
    """How the user's newer bytes and a change become one. `check` is asked for every merge: an error makes it a conflict."""

    merge: MergeFile = merge_by_lines
    check: CheckMerged | None = None


def plan_change_set(files: FencedFiles, store: SqliteVersionStore, change_set: ChangeSet, merging: Merging) -> Plan:
    """Raises `ToolRejected` as `core.ports.Landing.land` lists."""
    plan = Plan(order={change.path: number for number, change in enumerate(change_set.files)})
    if len(change_set.files) > limits.CHANGES_PER_SET:
        raise ToolRejected(
            "too_large",
            f"{len(change_set.files)} files in one call; at most {limits.CHANGES_PER_SET}",
            hint="Change them in several calls.",
            details={"limit": limits.CHANGES_PER_SET},
        )
    folded = {path.folded for path in plan.order}
    leaving = frozenset(change.path for change in change_set.files if change.content is None)
    coming = [change for change in change_set.files if change.content is not None]
    if len(plan.order) < len(change_set.files) or len({c.path.folded for c in coming}) < len(coming):
        raise invalid_arguments({"path": "each file once: two changes of one set name the same file"})
    _refuse_undecodable(files, change_set.leaves)
    emptied = _emptied(files, change_set.leaves, leaving) if coming else frozenset()
    embedded = files.embedded_packages if any(path.startswith("packages/") for path in folded) else frozenset()
    for change in change_set.files:
        check_writable(change.path, embedded_packages=embedded)
        planned = _plan_file(files, store, change, change_set.merge, merging)
        if planned is not None:
            if planned.op.pre is None:
                files.check_spelling(change.path, leaving=leaving, leaving_folders=emptied)
            plan.files.append(planned)
    # Deletions first, so that a moved GUID never exists twice. An asset leaves before its .meta and comes after it: Unity
    # would make a .meta with a new GUID for an asset that it finds without one.
    plan.files.sort(
        key=lambda planned: (1, not planned.op.path.is_meta) if planned.op.post else (0, planned.op.path.is_meta)
    )
    coming_paths = [planned.op.path for planned in plan.files if planned.op.post]
    # The .meta of a folder brings the folder, which may be empty.
    coming_paths += [p.op.path.asset / "x" for p in plan.files if p.op.path.is_meta and _FOLDER.search(p.after or b"")]
    plan.new_folders = _missing_folders(files, coming_paths)
    return plan


def merged_bytes(planned: Planned, ours: bytes, merging: Merging) -> bytes:
    """`ours` (the user's newer bytes) with the planned change merged in. Raises `conflict`."""
    assert planned.before is not None
    assert planned.after is not None
    merge_result = merging.merge(planned.op.path, planned.before, ours, planned.after)
    if merge_result.content is None:
        raise conflict(planned, Surprise(ours), merge_conflicts(merge_result.conflicts), NOT_FITTING)
    if merging.check is not None:
        problems = [
            finding
            for finding in merging.check(planned.op.path, merge_result.content, ours)
            if finding.severity == "error"
        ]
        if problems:
            refusal = conflict(planned, Surprise(ours), (), BREAKING)
            refusal.details["findings"] = finding_details(problems)
            raise refusal
    return merge_result.content


def _plan_file(
    files: FencedFiles,
    store: SqliteVersionStore,
    change: FileChange,
    merge: bool,
    merging: Merging,
) -> Planned | None:
    """None where the file already is as wanted."""
    current, mode = _read(files, change)
    present = None if current is None else sha256_of(current)
    after = change.content
    post = None if after is None else sha256_of(after)
    op = Op(new_id("o"), change.path, change.action, present, post, len(after or b""), "", moved=False)
    planned = Planned(op, current, after, may_merge=merge and after is not None, moved_from=change.moved_from)
    op.mode = _mode(files, store, change) if current is None else stat.S_IMODE(mode) & _PERMISSIONS
    if change.before_sha256 is None:
        if current is None:
            return planned if after is not None else None
        raise _exists(change.path)
    if present == post and present is not None:
        return None
    if present != change.before_sha256:
        base = _base(store, change) if planned.may_merge and current is not None else None
        wanted = Planned(op, base, after, may_merge=True)
        if base is None or current is None:
            op.pre = change.before_sha256
            why = NO_BASE if planned.may_merge else NO_MERGE
            raise conflict(planned, Surprise(current, exists=current is not None), (), why)
        op.pre = change.before_sha256
        planned.after = merged_bytes(wanted, current, merging)
        planned.merged = True
        op.pre, op.post, op.size = present, sha256_of(planned.after), len(planned.after)
        if op.pre == op.post:
            return None
    if not mode & stat.S_IWUSR:
        # By the mode bits and not by trying: the superuser may write everything, yet the bit is there on purpose.
        raise read_only(files.root, change.path, "the file is write-protected")
    return planned


def _base(store: SqliteVersionStore, change: FileChange) -> bytes | None:
    """The bytes that a change was made from: those that came with it, else the history's."""
    if change.base is not None and sha256_of(change.base) == change.before_sha256:
        return change.base
    return None if change.before_sha256 is None else store.content(change.before_sha256)


def _mode(files: FencedFiles, store: SqliteVersionStore, change: FileChange) -> int | None:
    """The permission bits of a file that comes: those of the moved one, or those that it had before it was deleted."""
    if change.moved_from is not None:
        with files.folder(change.moved_from.parent) as folder:
            found = None if folder is None else folder.lstat(change.moved_from.name)
        if found is not None and stat.S_ISREG(found.st_mode):
            return stat.S_IMODE(found.st_mode) & _PERMISSIONS
    return store.mode_of_deleted(change.path)


def _emptied(
    files: FencedFiles, leaves: Iterable[ProjectPath], leaving: frozenset[ProjectPath]
) -> frozenset[ProjectPath]:
    """The folders that go with a change set because nothing stays in them: those that it names, and those whose `.meta` it
    deletes."""
    by_meta = {path.asset for path in leaving if path.is_meta and path.asset not in leaving}
    gone: set[ProjectPath] = set()
    for path in sorted({*leaves, *by_meta}, key=lambda path: -len(path.parts)):
        with files.folder(path.parent) as parent:
            found = None if parent is None else parent.lstat(path.name)
        if found is None or not stat.S_ISDIR(found.st_mode):
            continue
        if all(path / name in leaving or path / name in gone for name in files.names(path)):
            gone.add(path)
    return frozenset(gone)


def _refuse_undecodable(files: FencedFiles, leaves: Iterable[ProjectPath]) -> None:
    """A folder goes as a whole or stays as a whole, and what has no path can be neither kept nor moved."""
    todo, seen = list(leaves), set(leaves)
    while todo:
        folder = todo.pop()
        count = files.undecodable_names(folder)
        if count:
            raise ToolRejected(
                "unsupported_asset",
                f"{folder} holds {count} files or folders whose names are no UTF-8: they can be neither moved nor kept",
                hint="Rename them in the file manager or a terminal, then call again.",
                details={"path": folder.text, "undecodableNames": count},
            )
        for name in files.names(folder):
            path = folder / name
            if path in seen:
                continue
            with files.folder(folder) as opened:
                found = None if opened is None else opened.lstat(name)
            if found is not None and stat.S_ISDIR(found.st_mode):
                seen.add(path)
                todo.append(path)


def _read(files: FencedFiles, change: FileChange) -> tuple[bytes | None, int]:
    """The bytes in place and the mode bits."""
    path = change.path
    with files.folder(path.parent) as folder:
        found = None if folder is None else folder.lstat(path.name)
        if folder is None or found is None:
            return None, stat.S_IWUSR
        if stat.S_ISLNK(found.st_mode):
            refuse_link(path.text)
        if not stat.S_ISREG(found.st_mode):
            if change.before_sha256 is None:
                raise _exists(path)
            raise ToolRejected(
                "not_found", f"{path} is a folder, not a file", hint="Name a file in it.", details={"path": path.text}
            )
        if found.st_size > limits.KEPT_DELETE_BYTES:
            raise ToolRejected(
                "too_large",
                f"{path} has {found.st_size} bytes: too many to be kept in the history, so it is not replaced",
                hint="Move it away yourself.",
                details={"path": path.text, "sizeBytes": found.st_size, "limitBytes": limits.KEPT_DELETE_BYTES},
            )
    return files.read(path), found.st_mode


def _missing_folders(files: FencedFiles, paths: Sequence[ProjectPath]) -> tuple[ProjectPath, ...]:
    """Folders that must be made, the outer ones first."""
    missing: dict[ProjectPath, None] = {}
    known: set[ProjectPath] = set()
    for path in paths:
        for count in range(1, len(path.parts)):
            folder = ProjectPath("/".join(path.parts[:count]))
            if folder in known or folder in missing:
                continue
            with files.folder(folder.parent) as parent:
                found = None if parent is None else parent.lstat(folder.name)
            if found is None:
                missing[folder] = None
            elif stat.S_ISLNK(found.st_mode):
                refuse_link(folder.text)
            elif not stat.S_ISDIR(found.st_mode):
                raise ToolRejected(
                    "already_exists",
                    f"{folder} is a file, so {path} cannot be made in it",
                    hint="Use another folder.",
                    details={"path": path.text, "existing": folder.text},
                )
            else:
                known.add(folder)
    return tuple(missing)


def _exists(path: ProjectPath) -> ToolRejected:
    return ToolRejected(
        "already_exists",
        f"{path} already exists; creating and moving never overwrite",
        hint="Choose another name, or change the existing file.",
        details={"path": path.text},
    )
