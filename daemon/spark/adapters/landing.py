"""How a change set reaches the project: whole or not at all, durable, and never over bytes that the user saved meanwhile.

Order: read and refuse → TX1 (intents, old and new bytes) → stage → exchange file by file → TX2 (versions). What is cut off
in between, `recovery` ends. Must not know turns, models or what the bytes mean (merging is `spark.text.merge`'s).
"""

from __future__ import annotations

import contextlib
import getpass
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from spark.adapters.exchange import Exchange, native_exchange
from spark.adapters.exchange_steps import ExchangeSteps, Surprise
from spark.adapters.git_place import GitPlaceReader
from spark.adapters.landing_errors import conflict, explained_as
from spark.adapters.landing_plan import CheckMerged, Plan, Planned, merged_bytes, plan_change_set
from spark.adapters.ledger import Group, Ledger
from spark.adapters.project_files import FencedFiles
from spark.adapters.recovery import RecoveryReport, make_folders, prune_folders, recover, remove_folders, sync_folders
from spark.adapters.staging import Stage
from spark.adapters.sweeping import Sweeper
from spark.adapters.version_store import SqliteVersionStore
from spark.core.changes import Change, ChangeSet, sha256_of
from spark.core.errors import SparkError, Unavailable
from spark.core.ids import new_id
from spark.core.paths import ProjectPath
from spark.core.ports import Clock, Landed
from spark.core.versions import Author, GitPlace, Provenance

MERGES_PER_FILE = 3
Listener = Callable[[ProjectPath, str | None], None]


class FileLanding:
    """Implements `core.ports.Landing`. One landing at a time; safe to call from any thread.

    `stage_dir`: default `<root>/.spark/stage`. `exchange`: instead of what `recover` finds to work. `check_merged`: asked
    after every automatic merge (`Engine.check`); an error makes it a conflict. `user`: the name of user versions (default:
    the login). `checkpoint`: called with the name of each point that is passed, for crash tests.
    """

    def __init__(
        self,
        files: FencedFiles,
        store: SqliteVersionStore,
        clock: Clock,
        *,
        stage_dir: Path | None = None,
        exchange: Exchange | None = None,
        check_merged: CheckMerged | None = None,
        user: str | None = None,
        checkpoint: Callable[[str], None] = lambda _point: None,
    ) -> None:
        self.on_landed: list[Listener] = []
        """Called after each own write with (path, sha256 or None), so that a watcher knows it by its content."""
        self.check_merged = check_merged
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

    @property
    def method(self) -> str:
        """How files are exchanged here: `renameat2`, `renameatx_np`, `ReplaceFileW`, or `hard link and rename`."""
        return self._steps.exchange.method

    def recover(self) -> RecoveryReport:
        """Brings what was cut off to an end, empties the stage, and finds out how files can be exchanged here. Call before
        anything is served. Idempotent; may be killed at any point."""
        with self._lock:
            self._stage.reopen()
            report = recover(self._files, self._store, self._ledger, self._stage, self._steps, self._by_user())
            if self._forced is None:
                self._steps.exchange, report.exchange_problem = self._stage.probe("Assets")
            report.exchange_method = self.method
            return report

    def land(self, change_set: ChangeSet, by: Provenance) -> Landed:
        """See `core.ports.Landing`. Raises `Unavailable` (`internal`) where the disk refuses; nothing changed then."""
        with self._lock:
            self._stage.reopen()
            self._sweeper.sweep_late(self._by_user())
            plan = plan_change_set(self._files, self._store, change_set, self.check_merged)
            if not plan.files:
                return Landed((), frozenset())
            group = Group(new_id("g"), "intent", by, [planned.op for planned in plan.files], plan.new_folders)
            bytes_of = {planned.op.path: (planned.before, planned.after) for planned in plan.files}
            self._ledger.begin(group, bytes_of, self._by_user(), self._clock.now())
            self._checkpoint("intent")
            self._carry_out(plan, group)
            for op in group.ops:
                self._sweeper.later(op.op_id, op.path, {op.pre, op.post})
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

    def sweep(self, *, everything: bool = False) -> None:
        """Looks once more at the old bytes of landings two seconds ago (an editor that held the file open may have
        written into them: kept then), and drops them; keeps the history within its size. Call it every few seconds;
        `everything`: at shutdown."""
        with self._lock:
            self._sweeper.sweep(self._by_user(), everything=everything)
            self._store.collect_when_full()

    def close(self) -> None:
        with self._lock:
            self._sweeper.sweep(self._by_user(), everything=True)
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
                self._ledger.mark(group, "staged")
                self._checkpoint("staged")
            make_folders(self._files, group.new_folders)
            for planned in plan.files:
                current = planned.op.path
                self._bring_in(planned)
                self._checkpoint("exchanged")
            sync_folders(self._files, group.ops)
            self._checkpoint("synced")
            self._ledger.finish(group, group.ops)
            self._checkpoint("done")
        except (SparkError, OSError) as error:
            left = [path for path in self._roll_back(group) if path != current]
            refusal = error if isinstance(error, SparkError) else explained_as(error, current, self._files.root)
            if left:
                refusal.details["leftChanged"] = [path.text for path in left]
            if refusal is error:
                raise
            raise refusal from error

    def _put_on_stage(self, planned: Planned) -> None:
        op = planned.op
        if planned.after is None:
            return
        with self._files.folder(op.path.parent) as folder:
            try:
                self._stage.put(op.staged, planned.after, folder, op.path.name)
            except FileNotFoundError:
                if op.pre is None or folder is None or folder.lstat(op.path.name) is not None:
                    raise
                raise conflict(planned, Surprise(None, exists=False), ()) from None

    def _bring_in(self, planned: Planned) -> None:
        """One file; merged with what the user saves meanwhile, at most three times."""
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
                self._merge(planned, surprise, last=attempt == MERGES_PER_FILE)

    def _merge(self, planned: Planned, surprise: Surprise, *, last: bool) -> None:
        op, theirs = planned.op, surprise.content
        if last or not planned.may_merge or theirs is None or planned.before is None or planned.after is None:
            raise conflict(planned, surprise, ())
        merged = merged_bytes(planned, theirs, self.check_merged)
        op.pre, op.post, op.size = sha256_of(theirs), sha256_of(merged), len(merged)
        self._stage.discard(op.staged)
        planned.before, planned.after, planned.merged = theirs, merged, True
        self._ledger.revise(op, theirs, merged, self._by_user())
        self._checkpoint("revised")
        self._put_on_stage(planned)

    def _roll_back(self, group: Group) -> list[ProjectPath]:
        """Newest first, each compared by hash. Returns the files that the user has changed since: they are left so."""
        left: list[ProjectPath] = []
        # Where even this fails, the group stays open and the next start's recovery ends it.
        with contextlib.suppress(OSError, Unavailable):
            if group.state == "staged":
                self._ledger.mark(group, "back")
                self._checkpoint("going back")
            left.extend(
                op.path for op in reversed(group.ops) if self._steps.take_back(op, self._store.content) == "changed"
            )
            remove_folders(self._files, group.new_folders)
            sync_folders(self._files, group.ops)
            self._ledger.finish(group, (), durable=True)
        for op in group.ops:
            self._sweeper.later(op.op_id, op.path, {op.pre, op.post})
        return left

    def _keep(self, path: ProjectPath, content: bytes) -> None:
        with self._store.db.transaction() as connection:
            self._store.replaced(connection, path.text, content, self._by_user())

    def _by_user(self) -> Provenance:
        return Provenance(Author("user", self._user), git=self.git_place())


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user id without a name, in containers
        return "user"
