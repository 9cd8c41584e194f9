"""What turns did to files, as steps that can be taken back: read from the history, newest bytes of a turn first folded.

Reads versions only; what lies in the project now is `undo`'s concern.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.core.ports import VersionStore
from spark.core.versions import Version

OWN_AUTHORS = ("model", "tool", "restore")
"""The kinds of author whose versions belong to a turn; what the user saved meanwhile is recorded with the turn's time, not its name."""


@dataclass(slots=True)
class Step:
    """A file went from `before` to `after` (hashes; None: absent). `source`: where it lay before, for a move."""

    path: ProjectPath
    before: str | None
    after: str | None
    version_id: str
    source: ProjectPath | None = None


def steps_of(store: VersionStore, turn_ids: Sequence[str]) -> list[Step]:
    """The steps of several turns, oldest first. Versions that follow each other on one file are one step; a version that
    somebody else made in between keeps them apart.

    Raises `not_found` where the turns changed nothing.
    """
    versions = sorted(
        (
            version
            for turn_id in dict.fromkeys(turn_ids)
            for version in store.turn_versions(turn_id)
            if version.author.kind in OWN_AUTHORS and version.path
        ),
        key=lambda version: version.version_id,
    )
    if not versions:
        raise ToolRejected(
            "not_found",
            f"no changes of {', '.join(turn_ids)[:200]} are in the history",
            hint="Take a turnId from the history; a turn that changed no file has nothing to undo.",
            details={"turnId": list(turn_ids)},
        )
    before = {version.version_id: _before(store, version) for version in versions}
    moves = _moves(versions, before)
    left = {source.version_id for source in moves.values()}
    steps: list[Step] = []
    newest: dict[str, Step] = {}
    for version in versions:
        if version.version_id in left:
            newest.pop(version.path, None)
            continue
        step = _follow(newest.get(version.path), version)
        if step is None:
            source = moves.get(version.version_id)
            origin = version if source is None else source
            step = Step(
                ProjectPath(version.path),
                before[origin.version_id],
                version.sha256,
                version.version_id,
                None if source is None else ProjectPath(source.path),
            )
            steps.append(step)
        newest[version.path] = step
    return steps


def _follow(step: Step | None, version: Version) -> Step | None:
    """The step grown by a version that directly follows it."""
    if step is None or version.parent_id != step.version_id or version.action == "moved":
        return None
    step.after, step.version_id = version.sha256, version.version_id
    return step


def _before(store: VersionStore, version: Version) -> str | None:
    """The hash of the bytes that a version replaced; None: there was no file."""
    if version.parent_id is None:
        return None
    parent = store.version(version.parent_id)
    if parent is None:
        raise not_kept(version.path, version.parent_id)
    return parent.sha256


def not_kept(path: str, version_id: str) -> ToolRejected:
    return ToolRejected(
        "not_found",
        f"the earlier bytes of {path} are not kept in the history",
        hint="Files over the size limit are kept by hash only; get the file from version control.",
        details={"path": path, "versionId": version_id},
    )


def _moves(versions: Iterable[Version], before: dict[str, str | None]) -> dict[str, Version]:
    """The new end of each move (by version id) with its old end, paired within a call by their bytes and their names."""
    calls: dict[str | None, list[Version]] = defaultdict(list)
    for version in versions:
        calls[version.call_id].append(version)
    pairs: dict[str, Version] = {}
    for group in calls.values():
        gone = [version for version in group if version.sha256 is None]
        for moved in [version for version in group if version.action == "moved"]:
            fitting = [old for old in gone if _may_pair(old, moved, before[old.version_id])]
            if not fitting:
                continue
            best = max(fitting, key=lambda old: (before[old.version_id] == moved.sha256, _alike(old.path, moved.path)))
            pairs[moved.version_id] = best
            gone.remove(best)
    return pairs


def _may_pair(old: Version, moved: Version, before: str | None) -> bool:
    old_path, new_path = ProjectPath(old.path), ProjectPath(moved.path)
    if old_path.is_meta != new_path.is_meta or before is None:
        return False
    # A move that was edited on the way (an undo that kept the user's edits) still keeps its kind of file.
    return before == moved.sha256 or old_path.suffix == new_path.suffix


def _alike(one: str, other: str) -> int:
    """How many trailing parts two paths share."""
    count = 0
    for left, right in zip(reversed(one.split("/")), reversed(other.split("/")), strict=False):
        if left != right:
            break
        count += 1
    return count
