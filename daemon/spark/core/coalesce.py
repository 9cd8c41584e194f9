"""Turns a stream of file-event hints into few, bounded scans: which names, which folders, or everything.

Pure: it owns no clock, thread or file. An event is only a hint that a name in a folder may have changed; what changed
is for the scan to find out. The limits (128 names in a folder, 512 in all) are Syncthing's (lib/watchaggregator).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

FOLDER_NAMES: Final = 128
TOTAL_NAMES: Final = 512
QUIET_S: Final = 0.02
LONGEST_S: Final = 0.05
BURST_QUIET_S: Final = 0.25
BURST_LONGEST_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Dirty:
    """What to scan now. `everything`: the reasons for a full scan (then `folders` is empty). `folders`: names to look at
    per folder; None: list the folder itself."""

    everything: tuple[str, ...] = ()
    folders: Mapping[str, frozenset[str] | None] = field(default_factory=dict)


class _Marks:
    """The marks of one folder. `names` is None once there were too many."""

    __slots__ = ("first_at", "last_at", "names")

    def __init__(self, now: float) -> None:
        self.first_at = now
        self.last_at = now
        self.names: set[str] | None = set()


class Coalescer:
    """Collects marks; `take` hands out those that are quiet for `quiet_s`, or older than `longest_s`.

    Every mark is covered by exactly one later `Dirty`. All times are seconds of one monotonic clock. Not thread-safe.
    """

    def __init__(
        self,
        *,
        quiet_s: float = QUIET_S,
        longest_s: float = LONGEST_S,
        burst_quiet_s: float = BURST_QUIET_S,
        burst_longest_s: float = BURST_LONGEST_S,
        folder_names: int = FOLDER_NAMES,
        total_names: int = TOTAL_NAMES,
    ) -> None:
        self._quiet_s = quiet_s
        self._longest_s = longest_s
        self._burst_quiet_s = burst_quiet_s
        self._burst_longest_s = burst_longest_s
        self._folder_names = folder_names
        self._total_names = total_names
        self._folders: dict[str, _Marks] = {}
        self._total = 0
        self._reasons: list[str] = []
        self._everything_at = 0.0
        self._everything_latest_at = 0.0

    def mark(self, folder: str, name: str | None, now: float) -> None:
        """A hint for one name in a folder; None: the whole folder."""
        if self._reasons:
            # A full scan is due anyway; it waits while the burst goes on, but not for ever.
            self._everything_at = min(max(self._everything_at, now + self._burst_quiet_s), self._everything_latest_at)
            return
        marks = self._folders.get(folder)
        if marks is None:
            marks = self._folders[folder] = _Marks(now)
            self._total += 1
        marks.last_at = now
        if name is None:
            marks.names = None
        elif marks.names is not None and name not in marks.names:
            marks.names.add(name)
            self._total += 1
            if len(marks.names) > self._folder_names:
                marks.names = None
        if self._total > self._total_names:
            self.mark_everything("burst", now, settle=True)

    def mark_everything(self, reason: str, now: float, *, settle: bool = False) -> None:
        """A full scan; `settle`: only when the burst of events is over (at most `burst_longest_s` from now)."""
        due_at = now + self._burst_quiet_s if settle else now
        if not self._reasons:
            self._everything_at = due_at
            self._everything_latest_at = now + self._burst_longest_s
            self._folders.clear()
            self._total = 0
        elif not settle:
            self._everything_at = due_at
            self._everything_latest_at = due_at
        if reason not in self._reasons:
            self._reasons.append(reason)

    @property
    def pending(self) -> bool:
        """Whether anything is marked."""
        return bool(self._reasons or self._folders)

    @property
    def everything_pending(self) -> bool:
        """Whether the next `take` that answers is a full scan."""
        return bool(self._reasons)

    def next_due_at(self) -> float | None:
        """When `take` has something, None where nothing is marked."""
        if self._reasons:
            return self._everything_at
        return min((self._due_at(marks) for marks in self._folders.values()), default=None)

    def take(self, now: float) -> Dirty | None:
        """What is due, forgetting it; None where nothing is."""
        if self._reasons:
            if now < self._everything_at:
                return None
            reasons = tuple(self._reasons)
            self._reasons.clear()
            return Dirty(everything=reasons)
        due = [folder for folder, marks in self._folders.items() if self._due_at(marks) <= now]
        if not due:
            return None
        folders: dict[str, frozenset[str] | None] = {}
        for folder in due:
            marks = self._folders.pop(folder)
            folders[folder] = None if marks.names is None else frozenset(marks.names)
        self._total = sum(1 + len(marks.names or ()) for marks in self._folders.values())
        return Dirty(folders=folders)

    def _due_at(self, marks: _Marks) -> float:
        return min(marks.last_at + self._quiet_s, marks.first_at + self._longest_s)
