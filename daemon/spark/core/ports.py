"""What the inside needs of the outside, named by capability. Adapters implement these; tests bring fakes that keep state.

All calls without `async` are synchronous and quick (at most one file or one indexed query) unless they say otherwise.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from spark.core.changes import Change, ChangeSet
from spark.core.conversation import ModelEvent, ResponseRequest, TokenUsage
from spark.core.paths import ProjectPath
from spark.core.versions import GitPlace, HistoryPage, Provenance, Version


class Clock(Protocol):
    def now(self) -> str:
        """Wall clock, ISO 8601 UTC with milliseconds, `2026-01-31T12:00:00.000Z`."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump back."""
        ...


@dataclass(frozen=True, slots=True)
class FileStat:
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    is_folder: bool


class ProjectFiles(Protocol):
    """The project's files behind the fence. Links are never followed."""

    @property
    def root(self) -> Path:
        """The real path of the project folder."""
        ...

    @property
    def embedded_packages(self) -> frozenset[str]:
        """Folder names in `Packages/` that hold a `package.json`."""
        ...

    def parse(self, raw: str, *, field: str = "path") -> ProjectPath:
        """A path from outside, made relative and checked by the rules of `core.paths`."""
        ...

    def read(self, path: ProjectPath, *, limit_bytes: int | None = None) -> bytes | None:
        """The file's bytes; None where nothing is there. Raises `path_outside_project` for links, `too_large` over the limit,
        `not_found` where the path is a folder."""
        ...

    def stat(self, path: ProjectPath) -> FileStat | None: ...

    def names(self, folder: ProjectPath) -> list[str]:
        """Sorted names in a folder; empty where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One file as the index knows it. `sha256` is None until it was hashed; `guid` only for assets with a `.meta`."""

    path: ProjectPath
    size: int
    mtime_ns: int
    sha256: str | None
    guid: str | None


class ProjectIndex(Protocol):
    """What lies in the project, kept current by the watcher. Never the basis of a write decision."""

    @property
    def complete(self) -> bool:
        """False until the first scan is through; answers say so."""
        ...

    def __len__(self) -> int: ...

    def entries(self, folder: ProjectPath | None = None) -> Iterator[IndexEntry]:
        """Files (with `.meta` files) below a folder, sorted by path."""
        ...

    def entry(self, path: ProjectPath) -> IndexEntry | None: ...

    def same_when_folded(self, path: ProjectPath) -> ProjectPath | None:
        """A known file or folder whose name differs only by case or Unicode form."""
        ...

    def path_of_guid(self, guid: str) -> ProjectPath | None: ...

    def references_to(self, guid: str) -> tuple[ProjectPath, ...]:
        """Files that name a guid, sorted; the asset's own `.meta` is left out."""
        ...

    def references_to_any(self, guids: Iterable[str]) -> tuple[ProjectPath, ...]:
        """Files that name at least one of the guids, sorted, in one pass."""
        ...

    def duplicate_guids(self) -> dict[str, tuple[ProjectPath, ...]]:
        """Guids that more than one `.meta` gives, with the assets, sorted."""
        ...


class VersionStore(Protocol):
    """The history. Bytes are content-addressed; a version's id sorts by time."""

    def version(self, version_id: str) -> Version | None: ...

    def latest(self, path: ProjectPath) -> Version | None: ...

    def history(
        self, *, path: str | None = None, turn_id: str | None = None, limit: int = 50, before: str | None = None
    ) -> HistoryPage:
        """Newest first. `path` may be a file or a folder."""
        ...

    def turn_versions(self, turn_id: str) -> list[Version]:
        """Oldest first."""
        ...

    def call_versions(self, call_id: str) -> list[Version]:
        """Oldest first; what a call landed, also after a crash."""
        ...

    def content(self, sha256: str) -> bytes | None:
        """The bytes, or None where they were not kept."""
        ...


@dataclass(frozen=True, slots=True)
class Landed:
    """A change set that landed. `merged`: paths where the user's newer bytes were merged in; `sha256_after` is then the
    merged file's."""

    changes: tuple[Change, ...]
    merged: frozenset[ProjectPath] = frozenset()


class Landing(Protocol):
    def land(self, change_set: ChangeSet, by: Provenance) -> Landed:
        """Writes a change set durably, whole or not at all. Takes file-system time: call it off the event loop.

        Raises `ToolRejected` (`conflict`, `already_exists`, `read_only`, `protected_path`, `path_outside_project`, `too_large`)
        with nothing changed.
        """
        ...

    def keep_bases(self, change_set: ChangeSet) -> None:
        """Keeps the present bytes of the files of a change set that waits for a decision: what the user writes meanwhile
        can then be merged."""
        ...

    def git_place(self) -> GitPlace:
        """Where the checkout stands right now, read from `.git` without starting git."""
        ...


class ModelLink(Protocol):
    """A model backend. One request at a time per conversation."""

    @property
    def backend(self) -> Literal["realtime", "chat", "offline"]: ...

    @property
    def model(self) -> str: ...

    @property
    def host(self) -> str:
        """Where prompts go, host and port as shown to the user; `this machine` for the offline model."""
        ...

    @property
    def key_source(self) -> str:
        """`OPENAI_API_KEY (environment)`, `keyring`, `none needed` …; never the key."""
        ...

    def respond(self, request: ResponseRequest) -> AsyncGenerator[ModelEvent]:
        """Streams one response; ends with exactly one `ResponseEnded`. Closing the generator early cancels the response.

        Raises `Unavailable` (`model_unavailable`, `circuit_open`, `timeout`, `rate_limited`, `quota_exceeded`). Where it is
        raised before the first event, nothing was answered and the same request may be sent again.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EditorState:
    """What the Editor last said. `connected` is false while there is none (always, before the plugin exists).

    `unsaved`: scenes and prefabs with changes that are not on disk yet, by path, with the objects that were changed.
    """

    connected: bool = False
    unity_version: str | None = None
    busy: str | None = None
    unsaved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class EditorLink(Protocol):
    def state(self) -> EditorState: ...


class Reads(Protocol):
    """Which bytes of which file this conversation has read: an edit needs them."""

    def known_sha256(self, path: ProjectPath) -> frozenset[str]:
        """Hashes of the file's bytes that this conversation has seen; empty where it has read none."""
        ...

    def note(self, path: ProjectPath, sha256: str) -> None: ...


@dataclass(frozen=True, slots=True)
class GeneratedCode:
    """The answer of the code model. `generator` is shown to the user: `realtime:gpt-realtime-2.1`, `offline:health`.

    `model` and `usage`: what is counted as cost; a refusal carries its usage in `details`.
    """

    code: str
    tokens_used: int
    generator: str
    model: str = ""
    usage: TokenUsage = field(default_factory=TokenUsage)


@dataclass(frozen=True, slots=True)
class ScriptOrder:
    """What a script shall be. `problems` lists what was wrong with the previous attempt (`previous`), for a repair."""

    prompt: str
    class_name: str
    namespace: str | None
    base_class: str | None
    include_comments: bool
    style: str
    previous: str = ""
    problems: Sequence[str] = ()


class CodeModel(Protocol):
    """Asks the configured model for one C# script, in a request of its own."""

    async def write_script(self, order: ScriptOrder) -> GeneratedCode:
        """Raises `Unavailable` (`model_unavailable`) where no model can write it. Never invents."""
        ...
