"""What the daemon does beside serving: sweeps the stage, waits for the index where an answer needs it, ends when idle."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from spark.adapters.file_index import FileIndex
from spark.adapters.landing import FileLanding
from spark.adapters.memory import give_back
from spark.adapters.watcher import Watcher
from spark.core.errors import FatalError, SparkError, Unavailable
from spark.core.ports import Clock
from spark.relay.daemon import Relay

log = logging.getLogger("spark.app")
EVENT_S: Final = 0.03
"""Longer than an event takes from the file system to the index."""
SETTLE_S: Final = 1.0
SCANNED_AT_ONCE: Final = 4_000
FIRST_SCAN_S: Final = 20.0
SWEEP_S: Final = 5.0
SWEEPS_PER_TRIM: Final = 12


async def settled(index: FileIndex, watcher: Watcher, clock: Clock, need: str) -> None:
    """A file that was saved a moment before a call is in its answer; who asks for references waits for the first scan."""
    start = clock.monotonic()
    if index.complete and len(index) <= SCANNED_AT_ONCE:
        # A look at everything is cheap here, and exact: events may lag (half a second after a file left the tree).
        with contextlib.suppress(Unavailable):
            await watcher.caught_up(SETTLE_S)
        return
    while True:
        await asyncio.sleep(EVENT_S)
        waited_s = clock.monotonic() - start
        if index.complete:
            if not watcher.busy or waited_s > SETTLE_S:
                return
        elif need != "complete" or waited_s > FIRST_SCAN_S:
            return


async def sweep(landing: FileLanding) -> None:
    rounds = 0
    while True:
        await asyncio.sleep(SWEEP_S)
        try:
            await asyncio.to_thread(landing.sweep)
        except (SparkError, FatalError, OSError) as error:
            # Nothing is lost by a sweep that has to wait (a full disk, a folder that was taken away): the next one tries again.
            log.warning("the stage could not be swept: %s", error)
        rounds += 1
        if rounds % SWEEPS_PER_TRIM == 0:
            await asyncio.to_thread(give_back)


async def stop_when_idle(relay: Relay, clock: Clock, idle_stop_s: float | None, stop: asyncio.Event) -> None:
    """A daemon that was started for one command ends some time after its last client; others run until they are told."""
    if idle_stop_s is None:
        return
    while True:
        left = relay.last_client_at + idle_stop_s - clock.monotonic()
        if left <= 0 and not relay.busy():
            stop.set()
            return
        await asyncio.sleep(max(min(left, 30.0), 0.2))
