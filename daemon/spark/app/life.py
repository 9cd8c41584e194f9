"""The life of one daemon, from its lock to its ordered end.

Start: lock, recover the files, serve, then look at the project: a call is served before the first scan is through.
End: take nothing new, let what is landing land, close the sockets, close the store, give the lock back.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from spark.adapters.checkout import DaemonAddress, Discovery, new_token, open_checkout
from spark.adapters.file_index import FileIndex, finish
from spark.adapters.http.server import serve
from spark.adapters.process_lock import ProcessLock, read_note, try_lock
from spark.adapters.project_files import FencedFiles
from spark.app.assemble import Daemon, assemble
from spark.app.upkeep import stop_when_idle, sweep
from spark.core.errors import FatalError
from spark.core.limits import SHUTDOWN_S
from spark.engines import detect
from spark.log import configure_log
from spark.relay.daemon import Relay
from spark.settings import Settings

log = logging.getLogger("spark.app")


def project_brief(root: Path) -> str:
    """What a conversation is told of the project, made from its files now."""
    files, index = FencedFiles(root), FileIndex(root)
    finish(index.full_scan())
    return detect(files, index).brief()


def run_daemon(
    root: Path,
    settings: Settings,
    *,
    port: int,
    on_ready: Callable[[str], None],
    idle_stop_s: float | None,
) -> int:
    """Runs the daemon of a project until SIGTERM, SIGINT or `idle_stop_s` without clients; the exit status.

    `on_ready` gets the url as soon as calls are served. Raises `FatalError`: 2 no project or a bad setting, 4 one runs.
    """
    detect(FencedFiles(root), FileIndex(root))
    checkout = open_checkout(root)
    lock = checkout.lock()
    project_lock: ProcessLock | None = None
    try:
        project_lock = _lock_project(checkout.root)
        configure_log(checkout.data_dir)
        daemon = assemble(checkout, settings)
        try:
            _run(_live(daemon, lock.publish, port=port, on_ready=on_ready, idle_stop_s=idle_stop_s))
        finally:
            daemon.landing.close()
            daemon.database.close()
    finally:
        if project_lock is not None:
            project_lock.close()
        lock.close()
    return 0


def _run(life: Coroutine[Any, Any, None]) -> None:
    """Runs the daemon's life; a set-up that is wrong comes out as itself, not as a group of one."""
    try:
        asyncio.run(life)
    except BaseExceptionGroup as group:
        # What is wrong with the set-up (a taken port) comes wrapped by the tasks that it ended.
        raise _fatal_alone(group) or group from None


def _fatal_alone(group: BaseExceptionGroup[BaseException]) -> FatalError | None:
    """The `FatalError` in a group of nothing else; None where there is anything else."""
    _, rest = group.split(FatalError)
    if rest is not None:
        return None
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, FatalError) else None


def _lock_project(root: Path) -> ProcessLock | None:
    """A second lock, in the project: another HOME, account or container has another data folder and so another lock.

    None where none can be had (a project that cannot be written): then nothing can be landed either.
    """
    folder = root / ".spark"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink():
            return None
        lock = try_lock(folder / "lock")
    except OSError:
        return None
    if lock is None:
        note = read_note(folder / "lock")
        raise FatalError(
            4,
            f"another daemon runs for {root}, started from another account, HOME or container "
            f"(process {note.get('pid', 'unknown')})",
            hint="Stop it there with `spark down`; one project has one daemon.",
        )
    lock.write_note({"pid": os.getpid()})
    return lock


async def _live(
    daemon: Daemon,
    publish: Callable[..., None],
    *,
    port: int,
    on_ready: Callable[[str], None],
    idle_stop_s: float | None,
) -> None:
    stop = asyncio.Event()
    _on_signals(stop)
    clock = daemon.parts.clock
    async with asyncio.TaskGroup() as turns, asyncio.TaskGroup() as upkeep:
        relay = Relay(daemon.parts, turns)
        relay.open()
        daemon.model.on_late_usage(relay.late_usage)
        token, started_at = new_token(), clock.now()
        server = await serve(relay, token=token, port=port)
        checkout = daemon.checkout
        address = DaemonAddress(server.url, token, os.getpid(), started_at, checkout.project_id, checkout.checkout_id)
        discovery = Discovery(checkout, address)
        publish(url=server.url, started_at=started_at)
        discovery.write()
        _log_start(daemon, server.url)
        on_ready(server.url)
        # What exists now lives as long as the process: it is never looked through again.
        gc.freeze()
        gc.enable()
        tasks = [
            upkeep.create_task(discovery.keep()),
            upkeep.create_task(daemon.watcher.run()),
            upkeep.create_task(daemon.edits.run()),
            upkeep.create_task(sweep(daemon.landing)),
            upkeep.create_task(stop_when_idle(relay, clock, idle_stop_s, stop)),
        ]
        await stop.wait()
        log.info("stopping")
        discovery.remove()
        await relay.stop(SHUTDOWN_S)
        await server.close()
        for task in tasks:
            task.cancel()
        await daemon.model.close()
        await daemon.code_model.close()


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


def _log_start(daemon: Daemon, url: str) -> None:
    model, recovered = daemon.model, daemon.recovered
    log.info("serving %s; model %s at %s, key: %s", url, model.model, model.host, model.key_source)
    if recovered.finished or recovered.taken_back or recovered.rescued:
        log.warning(
            "recovered: %d change sets finished, %d taken back, %d versions rescued",
            recovered.finished,
            recovered.taken_back,
            len(recovered.rescued),
        )
    for problem in daemon.problems():
        log.warning("%s", problem)
