"""The user's own edits become versions: what changed on disk and was not written by SPARK nor by git.

Owns the waiting (a file is recorded when it was quiet for a second, ten at most) and the question whose change it was.
Knows nothing of scanning and SQL. What it cannot know: bytes that were replaced before SPARK first saw the file. The first
user version of such a file has no parent; of what SPARK itself replaces, the landing keeps the bytes before.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from spark.adapters.file_tree import FileDelta
from spark.adapters.git_evidence import GitEvidence, GitIndex
from spark.adapters.observed_file import ObservedFile, Unsettled, read_observed
from spark.core.errors import Unavailable
from spark.core.paths import ProjectPath
from spark.core.ports import Clock
from spark.core.versions import Author, GitPlace, Observed, Provenance, Version

QUIET_S: Final = 1.0
LONGEST_S: Final = 10.0
BUSY_S: Final = 0.5
RETRY_S: Final = 5.0
HALTED_S: Final = 2.0
STRAGGLERS_S: Final = 600.0
MAX_FILE_BYTES: Final = 10 * 1024 * 1024
PLACE_KEY: Final = "watch.git_place"
_EXPECTED_KEPT: Final = 20_000
_ATTEMPTS: Final = 8
_BATCH_FILES: Final = 200
_BATCH_BYTES: Final = 32 * 1024 * 1024
_NOISE: Final = re.compile(r"(?i)\.ds_store|thumbs\.db|desktop\.ini|\.#.*|#.*#|\..*\.sw[a-z]|.*~|.*\.tmp")
"""Files that the system and editors make for themselves: no version of anybody's work."""

_log = logging.getLogger(__name__)


class Recorder(Protocol):
    """What of the version store is needed here."""

    def record_observed(self, observed: Sequence[Observed], by: Provenance) -> list[Version]: ...

    def record_git_event(self, before: GitPlace, after: GitPlace, paths: Mapping[str, str | None]) -> Version: ...

    def latest_sha256(self, path: ProjectPath) -> object:
        """A hash, None for a deletion, anything else where the history knows nothing of the path."""
        ...


class StateTable(Protocol):
    """Two calls into the table `state`."""

    def get(self, key: str) -> str | None: ...

    def put(self, key: str, value: str) -> None: ...


class _Pending:
    """A change that waits. `before`: the hash before its first event, None where there was no file. `changes` counts its
    events, `attempts` the reads that failed."""

    __slots__ = ("attempts", "before", "changes", "first_at", "last_at", "not_before")

    def __init__(self, before: str | None, now: float) -> None:
        self.before = before
        self.first_at = now
        self.last_at = now
        self.not_before = 0.0
        self.changes = 0
        self.attempts = 0


class UserEdits:
    """`note` is the watcher's `on_changes`, `expect` the landing's listener; both may be called in any thread.

    `git_place`: where the checkout stands now. `is_scanning`: the watcher's `busy`: while it is, a burst has not settled.
    `is_halted`: the index's `halted`: deletions wait while it is set.
    """

    def __init__(
        self,
        root: str,
        store: Recorder,
        state: StateTable,
        *,
        login: str,
        git_place: Callable[[], GitPlace],
        clock: Clock,
        evidence: GitEvidence,
        is_scanning: Callable[[], bool] = lambda: False,
        is_halted: Callable[[], bool] = lambda: False,
        max_file_bytes: int = MAX_FILE_BYTES,
        quiet_s: float = QUIET_S,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._root = root
        self._store = store
        self._state = state
        self._author = Author("user", login)
        self._git_place = git_place
        self._clock = clock
        self._evidence = evidence
        self._is_scanning = is_scanning
        self._is_halted = is_halted
        self._max_file_bytes = max_file_bytes
        self._quiet_s = quiet_s
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._recording = asyncio.Lock()
        self._pending: dict[str, _Pending] = {}
        self._expected: dict[str, str | None] = {}
        self._hold_until = 0.0
        self._moved_at: float | None = None
        self._event: tuple[GitPlace, GitPlace, float, float] | None = None
        self._problem = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    # --- from the watcher and the landing --------------------------------------------------------------------------

    def expect(self, path: ProjectPath, sha256: str | None) -> None:
        """SPARK wrote these bytes (None: deleted the file): seeing them is no news."""
        with self._lock:
            self._expected.pop(path.text, None)
            self._expected[path.text] = sha256
            if len(self._expected) > _EXPECTED_KEPT:
                del self._expected[next(iter(self._expected))]

    def note(self, deltas: Sequence[FileDelta]) -> None:
        """Changes that the index saw."""
        now = self._clock.monotonic()
        with self._lock:
            for delta in deltas:
                text = delta.path.text
                own = text in self._expected and self._expected.pop(text) == delta.after
                pending = self._pending.get(text)
                if pending is not None:
                    pending.last_at = now
                    pending.changes += 1
                elif not (own or delta.linked or _NOISE.fullmatch(delta.path.name)):
                    self._pending[text] = _Pending(delta.before, now)
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake.set)

    @property
    def pending(self) -> int:
        """Changes that are seen and not yet recorded."""
        return len(self._pending)

    def head_moved(self) -> bool:
        """Whether HEAD stands elsewhere than when the last changes were recorded: then many files may well be gone."""
        known = self._known_place()
        return known is not None and known != self._git_place()

    def view(self) -> dict[str, Any]:
        """For status: `{"pending": N, "problem": ""}`."""
        return {"pending": self.pending, "problem": self._problem}

    # --- recording -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Records what is due until it is cancelled. What waits then is `flush`'s."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._first_place)
        while True:
            due_at = self._next_due_at()
            wait_s = None if due_at is None else max(due_at - self._clock.monotonic(), 0.0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            self._wake.clear()
            due_at = self._next_due_at()
            if due_at is not None and due_at <= self._clock.monotonic():
                await self._record(everything=False)

    async def flush(self) -> None:
        """Records all that waits, but what git is still at work on and deletions that are held back."""
        await asyncio.to_thread(self._first_place)
        await self._record(everything=True)

    def _next_due_at(self) -> float | None:
        with self._lock:
            due_at = min((self._due_at(pending) for pending in self._pending.values()), default=None)
        return None if due_at is None else max(due_at, self._hold_until)

    def _due_at(self, pending: _Pending) -> float:
        return max(min(pending.last_at + self._quiet_s, pending.first_at + self._longest_s), pending.not_before)

    async def _record(self, *, everything: bool) -> None:
        async with self._recording:
            try:
                wait_s = await asyncio.to_thread(self._record_now, everything)
            except Unavailable as error:
                self._problem = error.message
                wait_s = RETRY_S
                _log.warning("edits of files are not recorded yet: %s", error.message)
            self._hold_until = self._clock.monotonic() + wait_s

    def _record_now(self, everything: bool) -> float:
        """Records what is due; answers how long to wait before the next look, in seconds."""
        now = self._clock.monotonic()
        if not os.path.isdir(self._root):
            # Renamed or unmounted: neither its files nor git's place say anything now.
            return RETRY_S
        if self._evidence.busy():
            return BUSY_S
        before, after = self._known_place() or GitPlace(), self._git_place()
        moved = before != after
        with self._lock:
            waiting = {text: (p.before, p.changes) for text, p in self._pending.items()}
            due = {text for text, p in self._pending.items() if everything or self._due_at(p) <= now}
        if moved and not everything:
            # One event takes the whole burst: wait until it has settled, but not for a user who goes on typing.
            if self._moved_at is None:
                self._moved_at = now
            settled = len(due) == len(waiting) and not self._is_scanning()
            if not settled and now - self._moved_at < self._longest_s:
                return BUSY_S
            due = set(waiting)
        by_git = moved and not self._evidence.only_commits(before, after)
        if by_git:
            self._event = (before, after, self._wall_s(), now)
        self._record_files({text: waiting[text] for text in sorted(due)}, after, by_git=by_git)
        if moved:
            self._put_place(after)
            self._moved_at = None
        self._problem = ""
        return 0.0

    def _record_files(self, due: Mapping[str, tuple[str | None, int]], place: GitPlace, *, by_git: bool) -> None:
        """Reads and records; what cannot be read now, and deletions while they are held back, stay waiting."""
        event = self._event
        if event is not None and not by_git and self._clock.monotonic() - event[3] > STRAGGLERS_S:
            event = self._event = None
        index = self._evidence.index() if event is not None else None
        by = Provenance(self._author, git=place)
        git_paths: dict[str, str | None] = {}
        edits: list[Observed] = []
        finished: dict[str, int] = {}
        taken_bytes = 0
        for text, (before, changes) in due.items():
            seen = self._read(text)
            if seen is None:
                continue
            finished[text] = changes
            if seen.sha256 == before and not _is_known(self._store.latest_sha256(ProjectPath(text))):
                continue
            # After an event, files that show up late are its too, if they were written before it was recorded.
            gits_turn = event is not None and (by_git or seen.changed_at_s <= event[2])
            if gits_turn and index is not None and _is_gits(index, text, seen):
                git_paths[text] = seen.sha256
                continue
            edits.append(Observed(ProjectPath(text), seen.sha256, seen.size, seen.content, created=before is None))
            taken_bytes += len(seen.content or b"")
            if len(edits) >= _BATCH_FILES or taken_bytes >= _BATCH_BYTES:
                self._store.record_observed(edits, by)
                edits, taken_bytes = [], 0
        if edits:
            self._store.record_observed(edits, by)
        if event is not None and (git_paths or (by_git and event[0].branch != event[1].branch)):
            self._store.record_git_event(event[0], event[1], git_paths)
        with self._lock:
            for text, changes in finished.items():
                pending = self._pending.get(text)
                # A change that came while its file was read waits for its own turn.
                if pending is not None and pending.changes == changes:
                    del self._pending[text]

    def _read(self, text: str) -> ObservedFile | None:
        """The file as it is; None where it has to wait, or was given up."""
        try:
            seen = read_observed(self._root, text, max_file_bytes=self._max_file_bytes)
        except Unsettled:
            with self._lock:
                pending = self._pending[text]
                pending.attempts += 1
                pending.not_before = self._clock.monotonic() + BUSY_S * 2**pending.attempts
                if pending.attempts > _ATTEMPTS:
                    del self._pending[text]
                    _log.warning("a change is not recorded, its file cannot be read: %s", text)
            return None
        if seen.sha256 is None and self._is_halted():
            with self._lock:
                self._pending[text].not_before = self._clock.monotonic() + HALTED_S
            return None
        return seen

    # --- where git stood -------------------------------------------------------------------------------------------

    def _first_place(self) -> None:
        if self._known_place() is None:
            self._put_place(self._git_place())

    def _known_place(self) -> GitPlace | None:
        text = self._state.get(PLACE_KEY)
        if text is None:
            return None
        value = json.loads(text)
        return GitPlace(value["head"], value["branch"])

    def _put_place(self, place: GitPlace) -> None:
        self._state.put(PLACE_KEY, json.dumps({"head": place.head, "branch": place.branch}))

    def _wall_s(self) -> float:
        return datetime.fromisoformat(self._clock.now()).timestamp()


def _is_gits(index: GitIndex, text: str, seen: ObservedFile) -> bool:
    if seen.sha256 is None or seen.stat is None:
        return index.is_gits_deletion(text)
    return index.is_gits_file(text, seen.content, seen.sha256, seen.stat)


def _is_known(latest: object) -> bool:
    return latest is None or isinstance(latest, str)
