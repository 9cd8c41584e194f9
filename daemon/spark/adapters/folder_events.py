"""File events of folders by watchdog: hints which name in which folder may have changed, and every doubt about them.

Owns the watchdog observer and what can be found out about events it lost. Knows no index. watchdog is imported when it
starts, never before.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

OnEvent = Callable[[str], None]
"""Gets the real path of a file or folder that may have changed; called in a thread of the source."""
OnDoubt = Callable[[str], None]
"""Gets the reason why events may have been lost; called in a thread of the source."""


class FolderEvents(Protocol):
    """A source of hints about folders and all that is below them."""

    def start(self, folders: Sequence[Path], on_event: OnEvent, on_doubt: OnDoubt) -> None:
        """Takes time for big trees: call it off the event loop. Raises `OSError` where the system has no watches left."""
        ...

    def stop(self) -> None: ...

    def watch_count(self) -> int | None:
        """Watched folders as the system counts them; None where it cannot be asked."""
        ...

    def broken(self) -> bool:
        """Whether a part of the source has ended by itself: nothing is heard from it any more."""
        ...


class WatchdogEvents:
    """`FolderEvents` by watchdog 6 or 7."""

    def __init__(self) -> None:
        self._observer: BaseObserver | None = None
        self._doubts: _Doubts | None = None
        self._descriptors: frozenset[str] = frozenset()
        self._threads: list[threading.Thread] = []

    def start(self, folders: Sequence[Path], on_event: OnEvent, on_doubt: OnDoubt) -> None:
        from watchdog import events
        from watchdog.observers import Observer

        class Forward(events.FileSystemEventHandler):
            def dispatch(self, event: events.FileSystemEvent) -> None:
                on_event(os.fsdecode(event.src_path))
                if event.dest_path:
                    on_event(os.fsdecode(event.dest_path))

        # Without opened and closed-without-write: reading files would make events, which make us read files.
        # Without modified folders: it only repeats what happened in them.
        wanted: list[type[events.FileSystemEvent]] = [
            events.FileCreatedEvent,
            events.FileModifiedEvent,
            events.FileClosedEvent,
            events.FileDeletedEvent,
            events.FileMovedEvent,
            events.DirCreatedEvent,
            events.DirDeletedEvent,
            events.DirMovedEvent,
        ]
        # Folders made one in another while their watches are added are added twice, which it warns of (7.1).
        warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)
        self._doubts = _Doubts(on_doubt)
        known = set(threading.enumerate())
        before = _inotify_descriptors()
        try:
            observer = self._observer = Observer()
            observer.start()
            forward = Forward()
            for folder in folders:
                observer.schedule(forward, str(folder), recursive=True, event_filter=wanted)
        except OSError:
            self.stop()
            raise
        self._descriptors = _inotify_descriptors() - before
        # One of them reads from the system, and watchdog itself does not notice when that one ends.
        new = set(threading.enumerate()) - known
        self._threads = [thread for thread in new if type(thread).__module__.startswith("watchdog.")]

    def stop(self) -> None:
        observer, self._observer = self._observer, None
        self._threads = []
        if observer is not None:
            observer.stop()
            if observer.is_alive():
                observer.join()
        if self._doubts is not None:
            self._doubts.close()
            self._doubts = None
        self._descriptors = frozenset()

    def broken(self) -> bool:
        return not all(thread.is_alive() for thread in self._threads)

    def watch_count(self) -> int | None:
        if not self._descriptors:
            return None
        count = 0
        for descriptor in self._descriptors:
            try:
                with open(f"/proc/self/fdinfo/{descriptor}", "rb") as info:  # noqa: PTH123 a quarter of a megabyte, often
                    count += info.read().count(b"inotify wd:")
            except OSError:
                return None
        return count


class _Doubts(logging.Handler):
    """watchdog tells of lost events in its log only (its issues 654, 1019)."""

    def __init__(self, on_doubt: OnDoubt) -> None:
        super().__init__(logging.WARNING)
        self._on_doubt = on_doubt
        self._logger = logging.getLogger("watchdog")
        if not self._logger.isEnabledFor(logging.WARNING):
            self._logger.setLevel(logging.WARNING)
        self._logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        overflow = "overflow" in record.getMessage().casefold()
        self._on_doubt("overflow" if overflow else "watcher warning")

    def close(self) -> None:
        self._logger.removeHandler(self)
        super().close()


def _inotify_descriptors() -> frozenset[str]:
    """Open inotify descriptors of this process, as numbers in text; empty where there is no `/proc`."""
    found: set[str] = set()
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        return frozenset()
    for name in names:
        try:
            if os.readlink(f"/proc/self/fd/{name}") == "anon_inode:inotify":
                found.add(name)
        except OSError:
            continue
    return frozenset(found)
