"""What a call wants to change (`ChangeSet`) and what became of it (`Change`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from spark.core.paths import ProjectPath


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a change set.

    `before_sha256`: hash of the bytes that the change was made from; None: the file must not exist.
    `content`: the new bytes; None: the file is deleted. `moved_from`: the old path where this creates the new end of a
    move (the old end is a deletion in the same set). `base`: the bytes that `before_sha256` is of, where the change was made
    from what a call read: they may be in no history, and a merge with what the user saves meanwhile begins with them.
    """

    path: ProjectPath
    before_sha256: str | None
    content: bytes | None
    moved_from: ProjectPath | None = None
    base: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def action(self) -> str:
        if self.content is None:
            return "deleted"
        if self.moved_from is not None:
            return "moved"
        return "created" if self.before_sha256 is None else "modified"


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All files that one call writes. It lands whole or not at all. An asset and its `.meta` are both listed.

    `merge`: whether a file that the user changed meanwhile may be merged three-way (never for restores and deletions).
    `overwrites`: paths that are replaced as a whole (patch type `whole`) or deleted: counted for the ten-files rule.
    `leaves`: folders that go with their files; one in which something is left stays.
    """

    files: tuple[FileChange, ...]
    merge: bool = True
    overwrites: frozenset[ProjectPath] = field(default_factory=frozenset)
    leaves: frozenset[ProjectPath] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.files)


@dataclass(frozen=True, slots=True)
class Change:
    """One file after it landed, as the contract's `changes` list it."""

    path: ProjectPath
    action: str
    version_id: str
    sha256_before: str | None
    sha256_after: str | None
