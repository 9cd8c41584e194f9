"""Versions: the bytes of one file after one change, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spark.core.paths import ProjectPath

AuthorKind = Literal["model", "user", "git", "tool", "restore", "cloud"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a version. `name`: the model's name, the user's login, the branch, the tool or the restored version."""

    kind: AuthorKind
    name: str


@dataclass(frozen=True, slots=True)
class GitPlace:
    """Where the checkout stood. `head`: commit id or None outside git; `branch`: None when detached or outside git."""

    head: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """On whose behalf a change lands."""

    author: Author
    turn_id: str | None = None
    call_id: str | None = None
    git: GitPlace = GitPlace()


@dataclass(frozen=True, slots=True)
class Version:
    """One row of the history. `sha256` is None for a deletion; `content` is `kept` or `notKept`; `created_at` ISO 8601 UTC.

    `prompt` is the text of the turn, where there is one.
    """

    version_id: str
    path: str
    action: str
    sha256: str | None
    size: int
    content: Literal["kept", "notKept"]
    author: Author
    turn_id: str | None
    call_id: str | None
    prompt: str | None
    git: GitPlace
    parent_id: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Newest first. `next` is the `before` of the next page, None at the end."""

    versions: tuple[Version, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Observed:
    """A file as it was found on disk. `sha256` None: it is gone. `content` None: only the hash is recorded. `created`: it
    was not there before (without it, a file that the history never saw counts as modified)."""

    path: ProjectPath
    sha256: str | None
    size: int
    content: bytes | None
    created: bool = False
