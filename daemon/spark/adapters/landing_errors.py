"""How a landing's refusals read: conflicts with their lines, and what a system error means for the caller."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spark.adapters.exchange_steps import Surprise
from spark.adapters.read_only import read_only
from spark.core.changes import sha256_of
from spark.core.diagnostics import Finding
from spark.core.errors import SparkError, ToolRejected, Unavailable
from spark.core.paths import ProjectPath

if TYPE_CHECKING:
    from spark.adapters.landing_plan import Planned
    from spark.text.merge import Conflict

_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ETXTBSY})
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_CONFLICTS_SHOWN: Final = 20
_CONFLICT_CHARS: Final = 2_000


NO_MERGE: Final = ""
"""Where a change is not meant to be merged."""
NOT_FITTING: Final = "the two changes do not fit together"
NO_BASE: Final = "what it was made from is not known any more, so the two changes cannot be merged"
TOO_OFTEN: Final = "it is saved again faster than the two changes can be merged"
BREAKING: Final = "merging the two changes would break the file"


def conflict(planned: Planned, surprise: Surprise, lines: Sequence[dict[str, Any]], why: str) -> ToolRejected:
    """`base`: the hash the change was made from; `ours`: what the user has there now; `theirs`: what the call wanted. `why`
    it was not merged: one of the above; it says nothing of a file that is gone."""
    op, now = planned.op, surprise.content
    if op.pre is None:
        return ToolRejected(
            "already_exists",
            f"{op.path} was made by somebody else meanwhile; creating and moving never overwrite",
            hint="Read it, then change it or choose another name.",
            details={"path": op.path.text, "ours": None if now is None else sha256_of(now)},
        )
    gone = "was deleted" if not surprise.exists else "changed"
    reason = f", and {why}" if why and surprise.exists else ""
    return ToolRejected(
        "conflict",
        f"{op.path} {gone} since it was read{reason}; nothing was written",
        hint="Wait until the file is at rest, then call again."
        if why == TOO_OFTEN and surprise.exists
        else "Read the file again and make the change from its present content.",
        details={
            "path": op.path.text,
            "base": op.pre,
            "ours": None if now is None else sha256_of(now),
            "theirs": None if planned.after is None else sha256_of(planned.after),
            "conflicts": list(lines),
        },
    )


def merge_conflicts(conflicts: Iterable[Conflict]) -> list[dict[str, Any]]:
    return [
        {
            "oursLine": item.ours_line,
            "base": item.base[:_CONFLICT_CHARS],
            "ours": item.ours[:_CONFLICT_CHARS],
            "theirs": item.theirs[:_CONFLICT_CHARS],
        }
        for item in list(conflicts)[:_CONFLICTS_SHOWN]
    ]


def finding_details(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [
        {"code": item.code, "line": item.line, "column": item.column, "message": item.message, "fix": item.fix}
        for item in findings
    ]


def partly_in_place(refusal: SparkError, stuck: Sequence[ProjectPath]) -> SparkError:
    """A refusal whose way back failed too."""
    paths = [path.text for path in stuck]
    return Unavailable(
        "internal",
        f"{refusal.message.removesuffix('; everything is as it was')}; taking it back failed too, so the change may be partly in place: {', '.join(paths)}",
        hint="Check free space and permissions. SPARK ends it by itself as soon as it can, at the latest at its next start.",
        details={**refusal.details, "partlyInPlace": paths},
        counts=False,
    )


def explained_as(error: OSError, path: ProjectPath, root: Path) -> SparkError:
    """What a system error while writing `path` is for the caller; everything was put back."""
    if error.errno in _FORBIDDEN:
        why = (
            "the disk is mounted read-only" if error.errno == errno.EROFS else "the system does not let SPARK write it"
        )
        return read_only(root, path, why)
    if error.errno == errno.EXDEV:
        return ToolRejected(
            "read_only",
            f"{path} lies on another file system than the project folder, where it cannot be replaced in one step",
            hint="Move the project onto one file system.",
            details={"path": path.text},
        )
    hint = "Free some space, then call again." if error.errno in _FULL else "Check the project's disk, then call again."
    return Unavailable(
        "internal",
        f"{path} could not be written ({error.strerror}); everything is as it was",
        hint=hint,
        details={"path": path.text},
        counts=False,
    )
