"""Plans of how to take turns back, and how to restore a version, while the user's later edits stay.

Every step of a turn is taken back by a three-way merge: base is what the turn left, ours what lies there now, theirs what
lay there before. All steps work on one overlay and become one change set; any conflict refuses the whole plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from spark.core.changes import ChangeSet, FileChange, sha256_of
from spark.core.engine import Merged, MergeFile
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.core.ports import VersionStore
from spark.text.diff import joined, unified_diff
from spark.text.merge import Conflict, merge
from spark.text.undo_steps import Step, not_kept, steps_of

Read = Callable[[ProjectPath], bytes | None]
Names = Callable[[ProjectPath], Sequence[str]]

_GUID: Final = re.compile(rb"^guid: *([0-9a-f]{32})", re.MULTILINE)
_FOLDER_META: Final = re.compile(rb"^folderAsset: *yes", re.MULTILINE)
_SHOWN_CONFLICTS: Final = 20


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """`changes` take everything back at once; `kept_edits`: files in which later edits of somebody else stay."""

    changes: ChangeSet
    diff: str
    kept_edits: tuple[ProjectPath, ...] = ()


def _by_lines(_: ProjectPath, base: bytes, ours: bytes, theirs: bytes) -> Merged:
    return merge(base, ours, theirs)


def plan_undo(
    store: VersionStore,
    turn_ids: Sequence[str],
    read: Read,
    names: Names | None = None,
    merge_file: MergeFile = _by_lines,
) -> UndoPlan:
    """Takes back one or several turns. `read` gives a file's present bytes, `names` what lies in a folder (without it
    folders that a turn made go with it; they are only removed when they are empty), `merge_file` knows what a file means.

    Raises `conflict` (every file with its lines and all sides) and `not_found` (unknown turn, bytes not kept).
    """
    overlay = _Overlay(store, read, names, merge_file)
    for step in reversed(steps_of(store, turn_ids)):
        overlay.take_back(step)
    overlay.settle_metas()
    overlay.raise_conflicts()
    return overlay.plan()


@dataclass
class _Overlay:
    """The project as the plan would leave it, over what lies there now."""

    store: VersionStore
    read: Read
    names: Names | None
    merge_file: MergeFile = _by_lines
    disk: dict[ProjectPath, bytes | None] = field(default_factory=dict)
    planned: dict[ProjectPath, bytes | None] = field(default_factory=dict)
    origin: dict[ProjectPath, ProjectPath] = field(default_factory=dict)
    kept: set[ProjectPath] = field(default_factory=set)
    conflicts: dict[ProjectPath, dict[str, Any]] = field(default_factory=dict)
    created_metas: list[Step] = field(default_factory=list)

    def present(self, path: ProjectPath) -> bytes | None:
        if path in self.planned:
            return self.planned[path]
        if path not in self.disk:
            self.disk[path] = self.read(path)
        return self.disk[path]

    def _put(self, path: ProjectPath, content: bytes | None) -> None:
        self.present(path)
        self.planned[path] = content

    def _content(self, sha256: str | None, step: Step) -> bytes | None:
        if sha256 is None:
            return None
        content = self.store.content(sha256)
        if content is None:
            raise not_kept(step.path.text, step.version_id)
        return content

    def take_back(self, step: Step) -> None:
        if step.path in self.conflicts or (step.source is None and step.before == step.after):
            return
        if step.source is not None:
            self._move_back(step, step.source)
            return
        ours = self.present(step.path)
        now = None if ours is None else sha256_of(ours)
        if now == step.before:
            return
        if step.before is None and step.path.is_meta:
            # Unity rewrites metas when it imports: what becomes of this one depends on its asset, see settle_metas.
            self.created_metas.append(step)
        elif now == step.after:
            self._put(step.path, self._content(step.before, step))
        elif ours is None:
            self._refuse(step, ours, "it was deleted or moved since")
        elif step.before is None:
            self._refuse(step, ours, "it was made by the turn and changed since")
        elif step.after is None:
            self._refuse(step, ours, "it was deleted by the turn and another file lies there now")
        else:
            self._merge(step, ours, step.path)

    def _merge(self, step: Step, ours: bytes, target: ProjectPath) -> None:
        base, theirs = self._content(step.after, step), self._content(step.before, step)
        assert base is not None
        assert theirs is not None
        merged = self.merge_file(target, base, ours, theirs)
        if merged.content is None:
            self._refuse(step, ours, "the same lines were changed since", merged.conflicts)
            return
        self._put(target, merged.content)
        self.kept.add(target)

    def _move_back(self, step: Step, source: ProjectPath) -> None:
        ours, there = self.present(step.path), self.present(source)
        if there is not None:
            if ours is not None or sha256_of(there) != step.before:
                self._refuse(step, ours, f"a file lies at its old place {source} now")
            return
        if ours is None:
            if step.after is None:
                self._put(source, self._content(step.before, step))
            else:
                self._refuse(step, ours, "it was deleted or moved since")
            return
        now = sha256_of(ours)
        if now == step.after:
            self._put(source, ours if step.before == step.after else self._content(step.before, step))
        elif step.before == step.after:
            self._put(source, ours)
            self.kept.add(source)
        else:
            self._merge(step, ours, source)
        if step.path not in self.conflicts:
            self._put(step.path, None)
            self.kept.discard(step.path)
            self.origin[source] = self.origin.pop(step.path, step.path)

    def settle_metas(self) -> None:
        """Metas that a turn made go with their asset; a folder's stays where something else lies in the folder."""
        folders = [step for step in self.created_metas if self._is_folder_meta(step.path)]
        for step in self.created_metas:
            ours = self.present(step.path)
            if ours is None or step in folders or step.path.asset in self.conflicts:
                continue
            if self.present(step.path.asset) is not None:
                self._refuse(step, ours, "its asset stays")
            elif sha256_of(ours) != step.after and _guid(ours) != _guid(self._content(step.after, step) or b""):
                self._refuse(step, ours, "it was made by the turn and got another guid since")
            else:
                self._put(step.path, None)
        leaving = {step.path.asset for step in folders}
        # Inner folders first, so that an outer one is seen empty once they are gone.
        for step in sorted(folders, key=lambda step: -len(step.path.parts)):
            if self._empties(step.path.asset, leaving):
                self._put(step.path, None)
            else:
                leaving.discard(step.path.asset)
                self.kept.add(step.path)

    def _is_folder_meta(self, path: ProjectPath) -> bool:
        return _FOLDER_META.search(self.present(path) or b"") is not None

    def _empties(self, folder: ProjectPath, leaving: set[ProjectPath]) -> bool:
        if self.names is None:
            return True
        return all(self._goes(folder / name, leaving) for name in self.names(folder))

    def _goes(self, path: ProjectPath, leaving: set[ProjectPath]) -> bool:
        if path in self.planned:
            return self.planned[path] is None
        return path in leaving or (path.is_meta and path.asset in leaving)

    def _refuse(self, step: Step, ours: bytes | None, why: str, lines: Sequence[Conflict] = ()) -> None:
        self.conflicts[step.path] = {
            "path": step.path.text,
            "reason": why,
            "baseSha256": step.after,
            "oursSha256": None if ours is None else sha256_of(ours),
            "theirsSha256": step.before,
            "lines": [
                {"line": part.ours_line, "base": part.base, "ours": part.ours, "theirs": part.theirs}
                for part in lines[:_SHOWN_CONFLICTS]
            ],
        }

    def raise_conflicts(self) -> None:
        if not self.conflicts:
            return
        shown = list(self.conflicts.values())[:_SHOWN_CONFLICTS]
        first = shown[0]
        at = f" at line {first['lines'][0]['line']}" if first["lines"] and first["lines"][0]["line"] else ""
        more = f", and {len(self.conflicts) - 1} more files" if len(self.conflicts) > 1 else ""
        raise ToolRejected(
            "conflict",
            f"{first['path']}{at} cannot be taken back: {first['reason']}{more}; nothing was changed",
            hint="Undo later turns first, or restore single versions from the history.",
            details={"conflicts": shown, "count": len(self.conflicts)},
        )

    def plan(self) -> UndoPlan:
        changed = sorted(path for path, content in self.planned.items() if content != self.disk[path])
        sources = {
            path: source
            for path, source in self.origin.items()
            if path in changed and self.disk[path] is None and source in changed and self.planned[source] is None
        }
        files = tuple(_change(path, self.disk[path], self.planned[path], sources.get(path)) for path in changed)
        left = frozenset(sources.values())
        deleted = frozenset(change.path for change in files if change.content is None) - left
        diffs = [
            unified_diff(
                self.disk[sources.get(path, path)],
                self.planned[path],
                path.text,
                old_path=sources[path].text if path in sources else None,
            )
            for path in sorted(changed, key=lambda path: (path.is_meta, path))
            if path not in left
        ]
        kept = tuple(sorted(path for path in self.kept if self.present(path) is not None))
        return UndoPlan(ChangeSet(files, merge=False, overwrites=deleted), joined(diffs), kept)


def _change(path: ProjectPath, old: bytes | None, new: bytes | None, source: ProjectPath | None) -> FileChange:
    return FileChange(path, None if old is None else sha256_of(old), new, source)


def _guid(meta: bytes) -> bytes | None:
    match = _GUID.search(meta)
    return match.group(1) if match else None


def plan_restore(store: VersionStore, version_id: str, read: Read) -> UndoPlan:
    """Puts a file back as a version had it. A file that is gone comes back with its `.meta`; the version of a deletion
    deletes both.

    Raises `not_found` for an unknown version, a branch switch, and bytes that were not kept.
    """
    version = store.version(version_id)
    if version is None or not version.path:
        what = "there is no version" if version is None else "a branch switch, not one file:"
        raise ToolRejected(
            "not_found",
            f"{what} {version_id[:80]}",
            hint="Take a versionId from the history of the file.",
            details={"versionId": version_id[:80]},
        )
    path = ProjectPath(version.path)
    overlay = _Overlay(store, read, None)
    content = None if version.sha256 is None else store.content(version.sha256)
    if version.sha256 is not None and content is None:
        raise not_kept(version.path, version_id)
    was = overlay.present(path)
    overlay._put(path, content)
    if not path.is_meta and (was is None) != (content is None):
        meta = overlay.present(path.meta)
        if content is None:
            overlay._put(path.meta, None)
        elif meta is None:
            overlay._put(path.meta, next(_kept_metas(store, path.meta), None))
    if was is None and content is not None:
        # A folder that went with it gets its own meta back, so that it keeps its guid too.
        for folder in _folders_above(path):
            if overlay.present(folder.meta) is None:
                overlay._put(folder.meta, next(_kept_metas(store, folder.meta), None))
    return overlay.plan()


def _folders_above(path: ProjectPath) -> Iterator[ProjectPath]:
    parent = path.parent
    while parent is not None and parent.parent is not None:
        yield parent
        parent = parent.parent


def _kept_metas(store: VersionStore, path: ProjectPath) -> Iterator[bytes]:
    """The newest bytes of a `.meta` that the history still has."""
    before: str | None = None
    while True:
        page = store.history(path=path.text, before=before)
        for version in page.versions:
            content = store.content(version.sha256) if version.sha256 and version.path == path.text else None
            if content is not None:
                yield content
        if page.next is None:
            return
        before = page.next
