"""Keeps the index equal to the disk: file events as hints, full scans on every doubt, and the truth about which it is.

Owns when to scan. Knows no history: what changed goes to `on_changes`. It is never on the safety path: a write decision
reads the file itself.

Full scans run at the start, after a burst of events, when events may have been lost (overflow, fewer watches than
folders, a watcher thread that ended), when `Assets/` and its siblings were replaced, after a sleep of the machine (wall
clock against monotonic clock), and every 60-300 s. Without watches it scans every 5 s and `view` says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, Literal

from spark.adapters.file_index import Deltas, FileIndex
from spark.adapters.file_tree import FileDelta
from spark.adapters.folder_events import FolderEvents, WatchdogEvents
from spark.adapters.index_record import ReadStopped
from spark.adapters.tree_rules import SKIPPED
from spark.adapters.watch_signs import Clocks, TopFolders
from spark.core.coalesce import Coalescer, Dirty
from spark.core.errors import Unavailable
from spark.core.paths import ROOTS, ProjectPath
from spark.core.ports import Clock

TICK_S: Final = 2.0
SLICE_S: Final = 0.025
"""How long a scan runs at a time: a stop never waits longer for one."""
SCAN_CPU_SHARE: Final = 0.0025
POLL_CPU_SHARE: Final = 0.05
SHORTEST_S: Final = 60.0
LONGEST_S: Final = 300.0
POLL_S: Final = 5.0
HALTED_S: Final = 10.0
WATCHES_CHECK_S: Final = 30.0
RETRY_WATCHES_S: Final = 600.0
_EVENTS_KEPT: Final = 5_000
_JITTER: Final = secrets.SystemRandom().uniform

Mode = Literal["starting", "events", "polling"]


class Watcher:
    """`run` belongs in the daemon's TaskGroup and ends by cancellation.

    `on_changes` gets every change once, in the loop's thread (from `refresh`: in its caller's); what the first scan ever
    finds is no change. `may_save`: asked before the snapshot is written: False while a change is not yet recorded
    anywhere, so that a crash does not forget it. `flush`: awaited at the end, before the last snapshot.
    """

    def __init__(
        self,
        index: FileIndex,
        on_changes: Callable[[Sequence[FileDelta]], None],
        *,
        clock: Clock,
        events: FolderEvents | None = None,
        may_save: Callable[[], bool] = lambda: True,
        flush: Callable[[], Awaitable[None]] | None = None,
        jitter: Callable[[float, float], float] = _JITTER,
    ) -> None:
        self._index = index
        self._on_changes = on_changes
        self._clock = clock
        self._source: FolderEvents = events if events is not None else WatchdogEvents()
        self._may_save = may_save
        self._flush = flush
        self._jitter = jitter
        self._coalescer = Coalescer()
        self._heard: deque[str] = deque(maxlen=_EVENTS_KEPT)
        self._doubts: deque[str] = deque(maxlen=100)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._poked = False
        self._scanning = False
        self._waiters: list[asyncio.Future[None]] = []
        self._prefix = f"{index.root}{os.sep}"
        self._mode: Mode = "starting"
        self._reason = ""
        self._restart_because = ""
        self._poll_because = ""
        self._mismatches = 0
        self._unsaved = True
        self._full_scans = 0
        self._last_reasons: tuple[str, ...] = ()
        self._scan_cpu_s = 0.0
        self._tick_at = self._full_at = self._watches_at = self._retry_at = 0.0
        self._tops = TopFolders(index.root)
        self._clocks = Clocks(clock)

    # --- for the daemon --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Watches until it is cancelled; then writes the snapshot."""
        self._loop = asyncio.get_running_loop()
        now = self._clock.monotonic()
        self._clocks.jumped()
        self._tick_at = now + TICK_S
        self._full_at = now + SHORTEST_S
        self._restart_because = "start"
        try:
            await asyncio.to_thread(self._index.load)
            self._coalescer.mark_everything("start", now)
            while True:
                await self._step()
        except ReadStopped:
            return
        finally:
            self._index.stop()
            for waiter in self._waiters:
                waiter.cancel()
            await asyncio.to_thread(self._source.stop)
            if self._flush is not None:
                await self._flush()
            if not self._scanning:
                # A scan that was broken off has not told of what it found: the old snapshot shows it to the next start.
                await asyncio.to_thread(self._save)

    @property
    def busy(self) -> bool:
        """Whether a scan is running or due: changes on disk are still on their way to `on_changes`."""
        return self._scanning or bool(self._heard) or self._coalescer.pending

    async def caught_up(self, timeout_s: float) -> None:
        """Returns when all that was on disk before the call is in the index: waits for a full scan that starts after it.

        No cookie file is needed for this, and it holds also while events are lost. Raises `Unavailable` (`timeout`).
        """
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._doubt("caught up")
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError as error:
            raise Unavailable("timeout", f"the index was not up to date within {timeout_s:g} s") from error

    def refresh(self, paths: Iterable[ProjectPath]) -> None:
        """Looks at single files at once, for a call that just wrote them. Takes file-system time; any thread."""
        deltas = self._index.refresh(paths)
        if deltas:
            self._unsaved = True
            self._on_changes(deltas)

    def resume(self) -> None:
        """The user says that the files which vanished are meant to be gone."""
        self._index.resume()
        self._doubt("resume")

    def view(self) -> dict[str, Any]:
        """For status: `{"mode","reason","halted","files","read","complete","folders","watches","fullScans",
        "lastFullScan":{"reasons","cpuS"},"linked"}`; `mode` is `starting`, `events` or `polling`."""
        return {
            "mode": self._mode,
            "reason": self._reason,
            "halted": self._index.halted,
            **self._index.progress(),
            "folders": self._index.folder_count,
            "watches": self._source.watch_count() if self._mode == "events" else None,
            "fullScans": self._full_scans,
            "lastFullScan": {"reasons": list(self._last_reasons), "cpuS": round(self._scan_cpu_s, 3)},
            "linked": dict(self._index.linked_folders),
        }

    # --- hints, from any thread ------------------------------------------------------------------------------------

    def _event(self, path: str) -> None:
        self._heard.append(path)
        self._poke()

    def _doubt(self, reason: str) -> None:
        self._doubts.append(reason)
        self._poke()

    def _poke(self) -> None:
        if not self._poked and self._loop is not None:
            self._poked = True
            # The loop may be closed already while the source's threads end.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake.set)

    # --- the loop --------------------------------------------------------------------------------------------------

    async def _step(self) -> None:
        due_at = self._coalescer.next_due_at()
        next_at = min(self._tick_at, self._full_at, due_at if due_at is not None else self._tick_at)
        wait_s = next_at - self._clock.monotonic()
        if wait_s > 0 and not self._restart_because and not self._poll_because:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
        self._take_hints()
        now = self._clock.monotonic()
        if now >= self._tick_at:
            self._tick(now)
        if now >= self._full_at:
            self._coalescer.mark_everything("periodic", now)
        if self._restart_because:
            await self._restart_source()
        if self._poll_because:
            await self._start_polling()
        dirty = self._coalescer.take(self._clock.monotonic())
        if dirty is None:
            return
        self._scanning = True
        if dirty.everything:
            await self._scan_everything(dirty)
        else:
            await self._scan_folders(dirty)
        self._scanning = False

    def _take_hints(self) -> None:
        self._wake.clear()
        self._poked = False
        now = self._clock.monotonic()
        if len(self._heard) == _EVENTS_KEPT:
            # More than were kept: which ones no longer matters.
            self._heard.clear()
            self._coalescer.mark_everything("burst", now, settle=True)
        while self._heard:
            folder, name = self._place(self._heard.popleft())
            if name is None:
                continue
            if folder:
                self._coalescer.mark(folder, name, now)
            else:
                self._coalescer.mark_everything("top folder", now, settle=True)
        while self._doubts:
            reason = self._doubts.popleft()
            self._coalescer.mark_everything(reason, now, settle=reason == "overflow")

    def _place(self, path: str) -> tuple[str, str | None]:
        """`(folder, name)` of an event inside the project; the name is None for what is not indexed."""
        if not path.startswith(self._prefix):
            return "", None
        parts = path[len(self._prefix) :].split(os.sep)
        if not SKIPPED.isdisjoint(parts) or parts[0] not in ROOTS:
            return "", None
        return "/".join(parts[:-1]), parts[-1]

    def _tick(self, now: float) -> None:
        self._tick_at = now + TICK_S
        if self._clocks.jumped():
            self._coalescer.mark_everything("clock jump", now)
        if self._mode == "polling":
            if now >= self._retry_at:
                self._restart_because = "retry"
            return
        if self._tops.replaced():
            self._restart_because = "top folder replaced"
        elif self._source.broken():
            self._restart_because = "watcher ended"
        elif now >= self._watches_at:
            self._check_watches(now)
        if self._restart_because:
            self._coalescer.mark_everything(self._restart_because, now)

    def _check_watches(self, now: float) -> None:
        """Fewer watches than folders: events of some are never heard. First doubt the folders, then the watches."""
        self._watches_at = now + WATCHES_CHECK_S
        count = self._source.watch_count()
        if self._index.halted is not None or count is None or count >= self._index.folder_count:
            self._mismatches = 0
            return
        self._mismatches += 1
        if self._mismatches <= 2:
            if self._mismatches == 2:
                self._restart_because = "watches missing"
            self._coalescer.mark_everything("watches missing", now)
        else:
            self._poll_because = (
                f"the system watches {count} of {self._index.folder_count} folders: its limit is reached"
            )

    async def _restart_source(self) -> None:
        self._restart_because = ""
        await asyncio.to_thread(self._source.stop)
        tops = self._tops.take()
        try:
            await asyncio.to_thread(self._source.start, tops, self._event, self._doubt)
        except OSError as error:
            self._poll_because = f"folders cannot be watched: {error.strerror or error}"
        else:
            self._mode = "events"
            self._reason = ""
        # What happened while nobody listened shows in a scan that starts only now.
        self._coalescer.mark_everything("watcher started", self._clock.monotonic())

    async def _start_polling(self) -> None:
        self._mode = "polling"
        self._reason, self._poll_because = self._poll_because, ""
        self._mismatches = 0
        now = self._clock.monotonic()
        self._retry_at = now + RETRY_WATCHES_S
        self._full_at = min(self._full_at, now + POLL_S)
        # Some watches are worth little to us and may be all that other programs lack.
        await asyncio.to_thread(self._source.stop)

    # --- scans -----------------------------------------------------------------------------------------------------

    async def _scan_everything(self, dirty: Dirty) -> None:
        waiters, self._waiters = self._waiters, []
        steps = self._index.full_scan()
        cpu_s = 0.0
        done = False
        try:
            while not done:
                done, deltas, slice_cpu_s = await asyncio.to_thread(_slice, steps)
                cpu_s += slice_cpu_s
                self._tell(deltas)
                # A first scan takes its time: what the user edits meanwhile does not wait for it.
                self._take_hints()
                if not done and not self._coalescer.everything_pending:
                    urgent = self._coalescer.take(self._clock.monotonic())
                    if urgent is not None:
                        await self._scan_folders(urgent)
        finally:
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None) if done else waiter.cancel()
        self._scanning = False
        self._full_scans += 1
        self._last_reasons = dirty.everything
        self._scan_cpu_s = cpu_s
        now = self._clock.monotonic()
        self._full_at = now + self._pause_s()
        if self._mode == "events":
            self._check_watches(now)
        if self._unsaved:
            await asyncio.to_thread(self._save)

    async def _scan_folders(self, dirty: Dirty) -> None:
        steps = self._index.scan(dirty.folders)
        done = False
        while not done:
            done, deltas, _ = await asyncio.to_thread(_slice, steps)
            self._tell(deltas)
        for folder, name in self._index.growing:
            self._coalescer.mark(folder, name, self._clock.monotonic())
        if self._index.halted is not None:
            # Perhaps the files are coming back: only a full scan can tell.
            self._coalescer.mark_everything("halted", self._clock.monotonic(), settle=True)

    def _tell(self, deltas: Sequence[FileDelta]) -> None:
        if deltas:
            self._unsaved = True
            self._on_changes(deltas)

    def _pause_s(self) -> float:
        if self._mode == "polling":
            return self._jitter(0.8, 1.2) * max(POLL_S, self._scan_cpu_s / POLL_CPU_SHARE)
        if self._index.halted is not None:
            return self._jitter(0.8, 1.2) * max(HALTED_S, self._scan_cpu_s / POLL_CPU_SHARE)
        # By the price of a scan: small projects are checked often, big ones stay within the idle budget.
        return self._jitter(0.9, 1.1) * min(max(self._scan_cpu_s / SCAN_CPU_SHARE, SHORTEST_S), LONGEST_S)

    def _save(self) -> None:
        if self._may_save():
            self._unsaved = False
            try:
                self._index.save()
            except OSError:
                # A snapshot is a cache: without it the next start is slower.
                self._unsaved = True


def _slice(steps: Deltas) -> tuple[bool, list[FileDelta], float]:
    """Runs a scan for a while: (whether it is done, what changed, CPU seconds)."""
    started_cpu_s = time.thread_time()
    until = time.perf_counter() + SLICE_S
    try:
        next(steps)
        while time.perf_counter() < until:
            next(steps)
    except StopIteration as stop:
        return True, stop.value, time.thread_time() - started_cpu_s
    return False, [], time.thread_time() - started_cpu_s
