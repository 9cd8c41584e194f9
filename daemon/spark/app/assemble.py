"""Settings become objects: every adapter, joined to the relay's parts. Starts nothing."""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spark.adapters.checkout import Checkout
from spark.adapters.clock import SystemClock
from spark.adapters.database import Database
from spark.adapters.editor_link import NoEditor
from spark.adapters.file_index import FileIndex
from spark.adapters.file_tree import FileDelta
from spark.adapters.git_evidence import GitEvidence
from spark.adapters.journal import SqliteJournal
from spark.adapters.keys import find_key
from spark.adapters.landing import FileLanding
from spark.adapters.landing_plan import Merging
from spark.adapters.models import ClosableCodeModel, choose_model, open_code_model, open_model
from spark.adapters.models.guarded import GuardedModel
from spark.adapters.price_table import cost_usd
from spark.adapters.project_files import FencedFiles
from spark.adapters.recovery import RecoveryReport
from spark.adapters.user_edits import UserEdits
from spark.adapters.version_store import SqliteVersionStore
from spark.adapters.watcher import Watcher
from spark.app.upkeep import settled
from spark.core.changes import ChangeSet
from spark.core.errors import SparkError
from spark.core.ids import seed
from spark.core.ports import Landed
from spark.core.records import Journal
from spark.core.tool import Registry
from spark.core.versions import Provenance
from spark.engines import detect
from spark.relay.forgiving import ForgivingJournal
from spark.relay.parts import Parts
from spark.settings import Settings
from spark.tools import TOOLS

log = logging.getLogger("spark.app")
_CONTEXT_CHARS: Final = {"realtime": 160_000, "chat": 48_000, "offline": 400_000}
"""How much of a conversation is sent, about four characters a token. Realtime models hold 128k tokens, but every response
pays for all of it again; local chat servers often start with a window of 8k to 16k tokens."""


class SeenLanding:
    """A landing whose writes the index knows at once: the next call sees what the one before it wrote."""

    def __init__(self, landing: FileLanding, watcher: Watcher) -> None:
        self._landing = landing
        self._watcher = watcher
        self.keep_bases = landing.keep_bases
        self.git_place = landing.git_place

    def land(self, change_set: ChangeSet, by: Provenance) -> Landed:
        landed = self._landing.land(change_set, by)
        try:
            self._watcher.refresh(change.path for change in landed.changes)
        except (SparkError, OSError) as error:
            # What landed has landed; the index hears of it by the next event or scan.
            log.warning("the index could not look at what landed: %s", error)
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
class Daemon:
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

    def problems(self) -> list[str]:
        return self.parts.problems()


def assemble(checkout: Checkout, settings: Settings) -> Daemon:
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
    seed(store.newest_id() or "")
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
    landing.merging = Merging(engine.merge, engine.check)

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
        landing=SeenLanding(landing, watcher),
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
        problems=lambda: [
            *_problems(recovered, index, watcher, edits, model),
            *filter(None, (journal.problem, landing.problem)),
        ],
        settled=lambda need: settled(index, watcher, clock, need),
    )
    return Daemon(checkout, database, landing, recovered, index, watcher, edits, model, code_model, parts)


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


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"
