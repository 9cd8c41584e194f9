"""Composition root: settings become objects, objects become one daemon; its life from lock to ordered end.

Start: lock, recover the files, serve, then look at the project: a call is served before the first scan is through.
End: take nothing new, let what is landing land, close the sockets, close the store, give the lock back.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import getpass
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spark.adapters.checkout import Checkout, DaemonAddress, Discovery, new_token, open_checkout
from spark.adapters.clock import SystemClock
from spark.adapters.database import Database
from spark.adapters.editor_link import NoEditor
from spark.adapters.file_index import FileIndex, finish
from spark.adapters.file_tree import FileDelta
from spark.adapters.git_evidence import GitEvidence
from spark.adapters.http.server import serve
from spark.adapters.journal import SqliteJournal
from spark.adapters.keys import find_key
from spark.adapters.landing import FileLanding
from spark.adapters.memory import give_back
from spark.adapters.models import ClosableCodeModel, choose_model, open_code_model, open_model
from spark.adapters.models.guarded import GuardedModel
from spark.adapters.price_table import cost_usd
from spark.adapters.process_lock import ProcessLock, read_note, try_lock
from spark.adapters.project_files import FencedFiles
from spark.adapters.recovery import RecoveryReport
from spark.adapters.user_edits import UserEdits
from spark.adapters.version_store import SqliteVersionStore
from spark.adapters.watcher import Watcher
from spark.core.changes import ChangeSet
from spark.core.errors import FatalError, SparkError, Unavailable
from spark.core.ids import seed
from spark.core.limits import SHUTDOWN_S
from spark.core.ports import Clock, Landed
from spark.core.records import Journal
from spark.core.tool import Registry
from spark.core.versions import Provenance
from spark.engines import detect
from spark.log import configure_log
from spark.relay.daemon import Relay
from spark.relay.forgiving import ForgivingJournal
from spark.relay.parts import Parts
from spark.settings import Settings
from spark.tools import TOOLS

log = logging.getLogger("spark.app")
_EVENT_S: Final = 0.03
"""Longer than an event takes from the file system to the index."""
_SETTLE_S: Final = 1.0
_SCANNED_AT_ONCE: Final = 4_000
_FIRST_SCAN_S: Final = 20.0
_SWEEP_S: Final = 5.0
_SWEEPS_PER_TRIM: Final = 12
_CONTEXT_CHARS: Final = {"realtime": 160_000, "chat": 48_000, "offline": 400_000}
"""How much of a conversation is sent, about four characters a token. Realtime models hold 128k tokens, but every response
pays for all of it again; local chat servers often start with a window of 8k to 16k tokens."""


def project_brief(root: Path) -> str:
    """What a conversation is told of the project, made from its files now."""
    files, index = FencedFiles(root), FileIndex(root)
    finish(index.full_scan())
    return detect(files, index).brief()


class _SeenLanding:
    """A landing whose writes the index knows at once: the next call sees what the one before it wrote."""

    def __init__(self, landing: FileLanding, watcher: Watcher) -> None:
        self._landing = landing
        self._watcher = watcher
        self.keep_bases = landing.keep_bases
        self.git_place = landing.git_place

    def land(self, change_set: ChangeSet, by: Provenance) -> Landed:
        landed = self._landing.land(change_set, by)
        self._watcher.refresh(change.path for change in landed.changes)
        return landed


class _StateTable:
    """The journal's state rows, as texts."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def get(self, key: str) -> str | None:
        value = self._journal.state(key)
        return value if isinstance(value, str) else None

    def put(self, key: str, value: str) -> None:
        self._journal.put_state(key, value)


@dataclass
class _Daemon:
    """The objects that live as long as the process."""

    checkout: Checkout
    database: Database
    landing: FileLanding
    recovered: RecoveryReport
    index: FileIndex
    watcher: Watcher
    edits: UserEdits
    model: GuardedModel
    code_model: ClosableCodeModel
    parts: Parts


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
        daemon = _assemble(checkout, settings)
        try:
            asyncio.run(_live(daemon, lock.publish, port=port, on_ready=on_ready, idle_stop_s=idle_stop_s))
        finally:
            daemon.landing.close()
            daemon.database.close()
    finally:
        if project_lock is not None:
            project_lock.close()
        lock.close()
    return 0


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


def _assemble(checkout: Checkout, settings: Settings) -> _Daemon:
    clock = SystemClock()
    choice = choose_model(
        backend=settings.model_backend,
        model=settings.model,
        url=settings.model_url,
        code_model=settings.code_model,
        find_key=lambda name: find_key(name, os.environ),
    )
    database = Database(checkout.data_dir / "store.db")
    store = SqliteVersionStore(
        database,
        clock,
        max_file_bytes=settings.history_max_file_bytes,
        max_total_bytes=settings.history_max_total_bytes,
    )
    journal = ForgivingJournal(SqliteJournal(database, clock))
    for newest in ("SELECT MAX(id) FROM version", "SELECT MAX(id) FROM turn"):
        seed(database.query(newest)[0][0] or "")
    files = FencedFiles(checkout.root)
    landing = FileLanding(files, store, clock)
    recovered = landing.recover()
    edits: UserEdits
    index = FileIndex(
        checkout.root,
        snapshot=checkout.data_dir / "index.snapshot",
        may_vanish=lambda: edits.head_moved() or not index.complete,
    )
    engine = detect(files, index)
    landing.check_merged = engine.check

    def note(deltas: Sequence[FileDelta]) -> None:
        edits.note(deltas)

    watcher = Watcher(index, note, clock=clock, may_save=lambda: edits.pending == 0, flush=lambda: edits.flush())
    edits = UserEdits(
        str(checkout.root),
        store,
        _StateTable(journal),
        login=_login(),
        git_place=landing.git_place,
        clock=clock,
        evidence=GitEvidence(checkout.root),
        is_scanning=lambda: watcher.busy,
        is_halted=lambda: index.halted is not None,
        max_file_bytes=settings.history_max_file_bytes,
    )
    landing.on_landed.append(edits.expect)
    model = open_model(choice, clock=clock)
    code_model = open_code_model(choice, clock=clock, circuit=model.circuit)
    parts = Parts(
        clock=clock,
        files=files,
        index=index,
        store=store,
        landing=_SeenLanding(landing, watcher),
        engine=engine,
        editor=NoEditor(),
        model=model,
        code_model=code_model,
        journal=journal,
        registry=Registry(TOOLS),
        reasoning=settings.reasoning,
        budget_usd=settings.budget_usd,
        context_chars=_CONTEXT_CHARS[choice.backend],
        cost_usd=cost_usd,
        project={
            "name": checkout.root.name,
            "root": str(checkout.root),
            "projectId": checkout.project_id,
            "checkoutId": checkout.checkout_id,
        },
        views={
            "circuits": lambda: [model.circuit.view()],
            "index": lambda: {**index.progress(), "duplicateGuids": len(index.duplicate_guids())},
            "watcher": lambda: {**watcher.view(), "userEdits": edits.view()},
            "writes": lambda: {"method": landing.method},
            "sync": lambda: {"configured": False, "queued": 0},
        },
        problems=lambda: [*_problems(recovered, index, watcher, edits, model), *filter(None, (journal.problem,))],
        settled=lambda need: _settled(index, watcher, clock, need),
    )
    return _Daemon(checkout, database, landing, recovered, index, watcher, edits, model, code_model, parts)


async def _settled(index: FileIndex, watcher: Watcher, clock: Clock, need: str) -> None:
    """A file that was saved a moment before a call is in its answer; who asks for references waits for the first scan."""
    start = clock.monotonic()
    if index.complete and len(index) <= _SCANNED_AT_ONCE:
        # A look at everything is cheap here, and exact: events may lag (half a second after a file left the tree).
        with contextlib.suppress(Unavailable):
            await watcher.caught_up(_SETTLE_S)
        return
    while True:
        await asyncio.sleep(_EVENT_S)
        waited_s = clock.monotonic() - start
        if index.complete:
            if not watcher.busy or waited_s > _SETTLE_S:
                return
        elif need != "complete" or waited_s > _FIRST_SCAN_S:
            return


def _problems(
    recovered: RecoveryReport, index: FileIndex, watcher: Watcher, edits: UserEdits, model: GuardedModel
) -> list[str]:
    """What is wrong right now, as sentences for `/v1/status` and `spark status`."""
    found = list(recovered.problems)
    if recovered.set_aside is not None:
        found.append(f"the history was damaged: it is kept as {recovered.set_aside.name} and a new one was begun")
    if recovered.exchange_problem:
        found.append(recovered.exchange_problem)
    if index.halted is not None:
        found.append(index.halted)
    view = watcher.view()
    if view["mode"] == "polling":
        found.append(f"files are polled, not watched: {view['reason']}")
    if edits.view()["problem"]:
        found.append(edits.view()["problem"])
    circuit = model.circuit.view()
    if circuit["state"] != "closed":
        found.append(f"the circuit {circuit['name']} is {circuit['state']}")
    return found


async def _live(
    daemon: _Daemon,
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
            upkeep.create_task(_sweep(daemon.landing)),
            upkeep.create_task(_stop_when_idle(relay, clock, idle_stop_s, stop)),
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


def _log_start(daemon: _Daemon, url: str) -> None:
    model, recovered = daemon.model, daemon.recovered
    log.info("serving %s; model %s at %s, key: %s", url, model.model, model.host, model.key_source)
    if recovered.finished or recovered.taken_back or recovered.rescued:
        log.warning(
            "recovered: %d change sets finished, %d taken back, %d versions rescued",
            recovered.finished,
            recovered.taken_back,
            len(recovered.rescued),
        )
    for problem in _problems(recovered, daemon.index, daemon.watcher, daemon.edits, model):
        log.warning("%s", problem)


async def _sweep(landing: FileLanding) -> None:
    rounds = 0
    while True:
        await asyncio.sleep(_SWEEP_S)
        try:
            await asyncio.to_thread(landing.sweep)
        except (SparkError, FatalError, OSError) as error:
            # Nothing is lost by a sweep that has to wait (a full disk, a folder that was taken away): the next one tries again.
            log.warning("the stage could not be swept: %s", error)
        rounds += 1
        if rounds % _SWEEPS_PER_TRIM == 0:
            await asyncio.to_thread(give_back)


async def _stop_when_idle(relay: Relay, clock: Clock, idle_stop_s: float | None, stop: asyncio.Event) -> None:
    """A daemon that was started for one command ends some time after its last client; others run until they are told."""
    if idle_stop_s is None:
        return
    while True:
        left = relay.last_client_at + idle_stop_s - clock.monotonic()
        if left <= 0 and not relay.busy():
            stop.set()
            return
        await asyncio.sleep(max(min(left, 30.0), 0.2))


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"
