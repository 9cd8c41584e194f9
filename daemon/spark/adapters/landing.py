"""How a change set reaches the project: whole or not at all, durable, and never over bytes that the user saved meanwhile.

Order: read and refuse → TX1 (intents, old and new bytes) → stage → exchange file by file → TX2 (versions). What is cut off
in between, `recovery` ends. Must not know turns, models or what the bytes mean (merging is `spark.text.merge`'s).
"""

from __future__ import annotations

import contextlib
import getpass
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from spark.adapters.exchange import Exchange, native_exchange
from spark.adapters.exchange_steps import ExchangeSteps, Surprise
from spark.adapters.git_place import GitPlaceReader
from spark.adapters.landing_errors import NO_MERGE, TOO_OFTEN, conflict, explained_as, partly_in_place
from spark.adapters.landing_plan import Merging, Plan, Planned, merged_bytes, plan_change_set
from spark.adapters.ledger import Group, Ledger
from spark.adapters.project_files import FencedFiles
from spark.adapters.recovery import (
    Ending,
    Recovery,
    RecoveryReport,
    make_folders,
    prune_folders,
    remove_folders,
    sync_folders,
)
from spark.adapters.rollback import HistoryGuard, Rollback
from spark.adapters.staging import Stage
from spark.adapters.sweeping import Sweeper
from spark.adapters.version_store import SqliteVersionStore
from spark.core.changes import Change, ChangeSet, sha256_of
from spark.core.errors import SparkError, Unavailable
from spark.core.ids import new_id
from spark.core.paths import ProjectPath
from spark.core.ports import Clock, Landed
from spark.core.versions import Author, GitPlace, Provenance

MERGES_PER_FILE = 8
Listener = Callable[[ProjectPath, str | None], None]


class FileLanding:
    """Implements `core.ports.Landing`. One landing at a time; safe to call from any thread.

    `stage_dir`: default `<root>/.spark/stage`. `exchange`: instead of what `recover` finds to work. `user`: the name
    of user versions (default: the login). `checkpoint`: called with the name of each point that is passed, for crash tests.
    """

    def __init__(
        self,
        files: FencedFiles,
        store: SqliteVersionStore,
        clock: Clock,
        *,
        stage_dir: Path | None = None,
        exchange: Exchange | None = None,
        user: str | None = None,
        checkpoint: Callable[[str], None] = lambda _point: None,
    ) -> None:
        self.on_landed: list[Listener] = []
        """Called after each own write with (path, sha256 or None), so that a watcher knows it by its content."""
        self.merging = Merging()
        """By lines and unchecked until an engine is there to say what a file means."""
        self._files = files
        self._store = store
        self._clock = clock
        self._forced = exchange
        self._user = _login() if user is None else user
        self._checkpoint = checkpoint
        self._lock = threading.RLock()
        self._git = GitPlaceReader(files.root)
        self._ledger = Ledger(store.db, store)
        self._stage = Stage(files.beneath, stage_dir or files.root / ".spark" / "stage")
        self._steps = ExchangeSteps(files, self._stage, exchange or native_exchange(), self._keep)
        self._sweeper = Sweeper(self._stage, self._ledger, store, clock)
        self._recovery = Recovery(files, store, self._ledger, self._stage, self._steps)
        self._may_be_open = True
        self._open_paths: dict[ProjectPath, str] = {}
        """The files of change sets that could be neither carried out nor taken back yet, with why."""
        self._guard = HistoryGuard(store.db, clock)
        self._rollback = Rollback(files, store, self._ledger, self._stage, self._steps, self._guard, checkpoint)

    @property
    def method(self) -> str:
        """How files are exchanged here: `renameat2`, `renameatx_np`, `ReplaceFileW`, or `hard link and rename`."""
        return self._steps.exchange.method

    def recover(self) -> RecoveryReport:
        """Brings what was cut off to an end, empties the stage, and finds out how files can be exchanged here. Call before
        anything is served. Idempotent; may be killed at any point."""
        with self._lock:
            self._stage.reopen()
            report, ending, held = self._recovery.run(self._by_user())
            self._remember(ending)
            for item in held:
                self._sweeper.later(item.op_id, ProjectPath(item.path), {item.sha256}, item.staged)
            if self._forced is None:
                with contextlib.suppress(SparkError):  # a stage that cannot be opened is among the problems already
                    self._steps.exchange, report.exchange_problem = self._stage.probe("Assets")
            report.problems += [f".spark/{name} lay in the place of SPARK's folder" for name in self._stage.moved_aside]
            report.exchange_method = self.method
            return report

    @property
    def problem(self) -> str:
        """What the user should know of right now (empty: nothing): a history that cannot be written, change sets that could
        not be ended yet, things of theirs that lie in the stage."""
        found: list[str] = []
        if self._guard.problem:
            found.append(self._guard.problem)
        if self._open_paths:
            paths = ", ".join(path.text for path in self._open_paths)
            found.append(f"a change could not be ended yet and is tried again: {paths}")
        return "; ".join([*found, *self._sweeper.foreign()])

    def land(self, change_set: ChangeSet, by: Provenance) -> Landed:
        """See `core.ports.Landing`. Raises `Unavailable` (`internal`) where the disk refuses; nothing changed then, unless
        `details` has `partlyInPlace`: paths that could not be taken back yet. `forbidden`: `.spark` is not ours."""
        with self._lock:
            self._stage.reopen()
            with contextlib.suppress(SparkError):
                self._sweeper.sweep_late(self._by_user())
            self._end_open_first(change_set)
            plan = plan_change_set(self._files, self._store, change_set, self.merging)
            if not plan.files:
                return Landed((), frozenset())
            group = Group(new_id("g"), "intent", by, [planned.op for planned in plan.files], plan.new_folders)
            try:
                self._stage.require()
            except OSError as error:
                raise explained_as(error, plan.files[0].op.path, self._files.root) from error
            bytes_of = {planned.op.path: (planned.before, planned.after) for planned in plan.files}
            was_open, self._may_be_open = self._may_be_open, True
            with self._guard.asked():
                self._ledger.begin(group, bytes_of, self._by_user(), self._clock.now())
            self._checkpoint("intent")
            self._carry_out(plan, group)
            self._may_be_open = was_open
            self._look_later(group)
            with contextlib.suppress(OSError, SparkError):  # it has landed: an empty folder that stays is no error
                prune_folders(self._files, group.ops)
            remove_folders(self._files, change_set.leaves)
            for op in group.ops:
                for listener in self.on_landed:
                    listener(op.path, op.post)
            return Landed(
                tuple(Change(op.path, op.action, op.version_id, op.pre, op.post) for op in plan.in_callers_order()),
                frozenset(planned.op.path for planned in plan.files if planned.merged),
            )

    def keep_bases(self, change_set: ChangeSet) -> None:
        """Keeps the present bytes of the files of a change set that waits (for an approval): if the user edits them
        meanwhile, there is something to merge from. Files that already differ are left out."""
        with self._lock:
            for change in change_set.files:
                content = self._files.read(change.path)
                if content is not None and sha256_of(content) == change.before_sha256:
                    self._keep(change.path, content)

    def sweep(self) -> None:
        """Ends what could not be ended before; looks once more at the old bytes of landings two seconds ago (an editor that
        held the file open may have written into them: kept then), and drops them; keeps the history within its size. Call it
        every few seconds. Never fails: see `problem`."""
        with self._lock:
            with contextlib.suppress(SparkError), self._guard.asked(wrote=False):
                self._end_open()
                self._sweeper.sweep(self._by_user())
                self._store.collect_when_full()
            self._guard.look_again()

    def close(self) -> None:
        """What is not due yet stays staged: the next start's `recover` looks at it."""
        with self._lock:
            with contextlib.suppress(SparkError):
                self._sweeper.sweep(self._by_user())
            self._stage.close()

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """While this is held nothing lands: for whoever must read a file and record it as one step."""
        with self._lock:
            yield

    def git_place(self) -> GitPlace:
        return self._git.read()

    # -- the protocol -------------------------------------------------------------------------------------------

    def _carry_out(self, plan: Plan, group: Group) -> None:
        """Stage, exchange, TX2; on any refusal everything goes back."""
        current = plan.files[0].op.path
        try:
            for planned in plan.files:
                current = planned.op.path
                self._put_on_stage(planned)
            self._checkpoint("put on stage")
            if len(group.ops) > 1:
                # One file needs no such mark: either its new bytes are in place or they are not.
                with self._guard.asked():
                    self._ledger.mark(group, "staged")
                self._checkpoint("staged")
            make_folders(self._files, group.new_folders)
            for planned in plan.files:
                current = planned.op.path
                self._bring_in(planned)
                self._checkpoint("exchanged")
            sync_folders(self._files, group.ops)
            self._checkpoint("synced")
            with self._guard.asked():
                self._ledger.finish(group, group.ops)
            self._checkpoint("done")
        except (SparkError, OSError) as error:
            back = self._rollback.run(plan, group)
            if not back.closed:
                self._open_paths |= {op.path: "a landing could not be ended" for op in group.ops}
            if not back.stuck:
                self._look_later(group)
            refusal = error if isinstance(error, SparkError) else explained_as(error, current, self._files.root)
            if back.stuck:
                refusal = partly_in_place(refusal, back.stuck)
            left = [path.text for path in back.changed if path != current]
            if left:
                refusal.details["leftChanged"] = left
            if refusal is error:
                raise
            raise refusal from error

    def _put_on_stage(self, planned: Planned) -> None:
        op = planned.op
        if planned.after is None:
            return
        if op.pre is None and planned.moved_from is not None and self._copied_from(planned, planned.moved_from):
            return
        with self._files.folder(op.path.parent) as folder:
            try:
                mode = op.mode if op.pre is None else None
                self._stage.put(op.staged, planned.after, folder, op.path.name, mode=mode)
            except FileNotFoundError:
                if op.pre is None or folder is None or folder.lstat(op.path.name) is not None:
                    raise
                raise conflict(planned, Surprise(None, exists=False), (), NO_MERGE) from None

    def _copied_from(self, planned: Planned, source: ProjectPath) -> bool:
        """Whether a moved file could be staged with the mode, owner and attributes of the file that it was."""
        with self._files.folder(source.parent) as folder:
            found = None if folder is None else folder.lstat(source.name)
            if folder is None or found is None or not stat.S_ISREG(found.st_mode) or planned.after is None:
                return False
            with contextlib.suppress(FileNotFoundError):
                self._stage.put(planned.op.staged, planned.after, folder, source.name)
                return True
        return False

    def _bring_in(self, planned: Planned) -> None:
        """One file; merged with what the user saves meanwhile, at most eight times."""
        op = planned.op
        for attempt in range(MERGES_PER_FILE + 1):
            try:
                with self._files.folder(op.path.parent) as folder:
                    if folder is None:
                        raise Surprise(None, exists=False)
                    self._checkpoint("before exchange")
                    try:
                        self._steps.put_in(op, folder)
                    except FileNotFoundError:
                        # Somebody deleted .spark this moment; the new bytes are still here.
                        self._stage.reopen()
                        self._put_on_stage(planned)
                        self._steps.put_in(op, folder)
                return
            except Surprise as surprise:
                self._checkpoint("surprise")
                if surprise.not_kept is not None:
                    raise surprise.not_kept from None
                self._merge(planned, surprise, last=attempt == MERGES_PER_FILE)

    def _merge(self, planned: Planned, surprise: Surprise, *, last: bool) -> None:
        op, theirs = planned.op, surprise.content
        if not planned.may_merge or theirs is None or planned.before is None or planned.after is None:
            raise conflict(planned, surprise, (), NO_MERGE)
        if last:
            raise conflict(planned, surprise, (), TOO_OFTEN)
        merged = merged_bytes(planned, theirs, self.merging)
        op.pre, op.post, op.size = sha256_of(theirs), sha256_of(merged), len(merged)
        self._stage.discard(op.staged)
        planned.before, planned.after, planned.merged = theirs, merged, True
        with self._guard.asked():
            self._ledger.revise(op, theirs, merged, self._by_user())
        self._checkpoint("revised")
        self._put_on_stage(planned)

    # -- what could not be ended --------------------------------------------------------------------------------

    def _end_open_first(self, change_set: ChangeSet) -> None:
        """Two landings of one file must end in their order, or the older one would later take back the newer."""
        self._end_open()
        blocked = [change.path for change in change_set.files if change.path in self._open_paths]
        if blocked:
            raise Unavailable(
                "internal",
                f"an earlier change of {blocked[0]} could not be ended yet: {self._open_paths[blocked[0]]}",
                hint="Check free space and permissions, then call again; SPARK also tries again by itself.",
                details={"paths": [path.text for path in blocked]},
                counts=False,
            )

    def _end_open(self) -> None:
        if not self._may_be_open:
            return
        ending = self._recovery.end_open(self._by_user())
        self._remember(ending)
        for group in (*ending.landed, *ending.back):
            self._look_later(group)

    def _look_later(self, group: Group) -> None:
        for op in group.ops:
            self._sweeper.later(op.op_id, op.path, {op.pre, op.post})

    def _remember(self, ending: Ending) -> None:
        self._open_paths = {op.path: why for group, why in ending.failed for op in group.ops}
        self._may_be_open = bool(ending.failed)

    def _keep(self, path: ProjectPath, content: bytes) -> None:
        with self._guard.asked(), self._store.db.transaction() as connection:
            self._store.replaced(connection, path.text, content, self._by_user())

    def _by_user(self) -> Provenance:
        return Provenance(Author("user", self._user), git=self.git_place())


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user id without a name, in containers
        return "user"
