"""A checkout: one project folder on this machine, its data folder, its lock, and how others find its daemon.

Identity is the project's id and the real path of its folder. A folder that was moved takes its history along; a copy or
a second clone begins its own. Must not know what is kept in the data folder.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from spark.adapters.data_folders import (
    RECORD,
    Record,
    checkout_id_of,
    checkouts_folder,
    described,
    dump_object,
    is_locked,
    known_by_root,
    load_object,
    moved_here,
    older_histories,
)
from spark.adapters.identity import SETTINGS_FILE, ensure_project_id, read_project_id
from spark.adapters.private_files import OWNER_ONLY_FOLDER, make_private_folder, write_private
from spark.adapters.process_lock import (
    ProcessLock,
    locked,
    pid_lives,
    process_start,
    read_note,
    try_lock,
)
from spark.core.errors import FatalError

log = logging.getLogger("spark.checkout")

PROTOCOL: Final = 1
DISCOVERY_FILE: Final = Path("Library") / "Spark" / "daemon.json"
POLL_S: Final = 1.0
_LOOPBACK = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class DaemonAddress:
    """Where a running daemon answers. The token is not shown when this is printed."""

    url: str
    token: str = field(repr=False)
    pid: int
    started_at: str
    project_id: str
    checkout_id: str

    def to_wire(self) -> dict[str, Any]:
        """The discovery file's content, as in the public contract."""
        return {
            "protocol": PROTOCOL,
            "url": self.url,
            "token": self.token,
            "pid": self.pid,
            "startedAt": self.started_at,
            "projectId": self.project_id,
            "checkoutId": self.checkout_id,
        }


@dataclass(frozen=True, slots=True)
class Checkout:
    """`root` is the real path of the project folder; `data_dir` lies in the user's data folder (0700).

    `notes`: what somebody should know of its opening, as sentences for the log.
    """

    project_id: str
    checkout_id: str
    data_dir: Path
    root: Path
    notes: tuple[str, ...] = field(default=(), compare=False)

    def lock(self) -> HeldLock:
        """Takes the checkout for this process's life. Raises `FatalError` (4) naming pid and url of who has it."""
        held = _patient_lock(self.data_dir / "lock")
        if held is None:
            raise _already_running(read_note(self.data_dir / "lock"), self.root)
        # The same folder may be reached by another path (a bind mount, another spelling, another user's data folder)
        # and so have another lock: the discovery file in the project tells.
        other = load_object(self.root / DISCOVERY_FILE)
        if other.get("checkoutId") not in (None, self.checkout_id) and _is_daemon_elsewhere(self, other):
            held.close()
            raise _already_running(other, self.root)
        lock = HeldLock(held)
        lock.publish(url=None, started_at=None)
        return lock


@dataclass(slots=True)
class HeldLock:
    """The held lock. `publish` tells others who runs, as soon as the url is known."""

    _lock: ProcessLock

    def publish(self, *, url: str | None, started_at: str | None) -> None:
        pid = os.getpid()
        self._lock.write_note({"pid": pid, "url": url, "startedAt": started_at, "processStart": process_start(pid)})

    def close(self) -> None:
        """Gives the lock back; the note goes with it."""
        self._lock.write_note({})
        self._lock.close()


def open_checkout(root: Path) -> Checkout:
    """The checkout of a project folder; makes the project's id and the data folder where they are missing.

    An id that is gone from the project (`git clean`, a deleted file) is written back where this folder had one. Raises
    `FatalError`: 2 where the folder is no project or its id is damaged, 4 where it was moved under a running daemon.
    """
    real = _real(root)
    parent = checkouts_folder()
    notes: list[str] = []
    known = known_by_root(parent, real) if read_project_id(real) is None else None
    project_id = ensure_project_id(real, known=None if known is None else known.project_id)
    if known is not None and known.project_id == project_id:
        notes.append(f"{SETTINGS_FILE.as_posix()} was missing or had no id: written back, so that the history goes on")
    checkout_id = checkout_id_of(project_id, real)
    try:
        data_dir = _open_data_dir(parent, project_id, checkout_id, real)
    except OSError as error:
        raise FatalError(
            5,
            f"the data folder {parent} cannot be used: {error.strerror or error}",
            hint="The history lies there; make it a folder that you may write.",
        ) from error
    checkout = Checkout(project_id, checkout_id, data_dir, real)
    notes += [
        f"another history of this project lies at {record.data_dir} (of {record.root}); it is not used here"
        for record in unused_histories(checkout)
    ]
    return replace(checkout, notes=tuple(notes))


def _open_data_dir(parent: Path, project_id: str, checkout_id: str, real: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
    make_private_folder(parent)
    data_dir = parent / checkout_id
    # Two processes that open the same moved project must not both move its history.
    with locked(parent / ".lock"):
        if not data_dir.exists():
            moved = moved_here(parent, project_id, real)
            if moved is not None:
                _take_along(moved, data_dir)
        make_private_folder(data_dir)
        record = described(project_id, real)
        if load_object(data_dir / RECORD) != record:
            write_private(data_dir / RECORD, dump_object(record))
    return data_dir


def find_checkout(root: Path) -> Checkout | None:
    """The checkout of a project folder where it has one already; creates nothing.

    Of a moved project that was not opened since: the folder in which its history still lies. Where the project's id is
    gone or damaged: the one that was used in this place. Raises `FatalError` (2) where a damaged id is all there is.
    """
    real = _real(root)
    parent = checkouts_folder()
    try:
        project_id = read_project_id(real)
    except FatalError:
        known = known_by_root(parent, real)
        if known is None:
            raise
        return _recorded(known, real)
    if project_id is None:
        known = known_by_root(parent, real)
        return None if known is None else _recorded(known, real)
    checkout_id = checkout_id_of(project_id, real)
    data_dir = parent / checkout_id
    if not data_dir.is_dir():
        moved = moved_here(parent, project_id, real)
        if moved is None:
            return None
        data_dir = moved.data_dir
    return Checkout(project_id, checkout_id, data_dir, real)


def _recorded(known: Record, real: Path) -> Checkout:
    return Checkout(known.project_id, known.data_dir.name, known.data_dir, real)


def unused_histories(checkout: Checkout) -> list[Record]:
    """Histories of this project that no folder uses now, and older ones of this very place; for doctor and the log."""
    return older_histories(checkout.data_dir.parent, checkout.project_id, checkout.root, checkout.data_dir)


def new_token() -> str:
    """A token for one start: 256 random bits, with a prefix by which the log's scrubber knows it."""
    return "spk_" + secrets.token_urlsafe(32)


class Discovery:
    """Keeps `Library/Spark/daemon.json` true while the daemon runs; a copy lies in the data folder.

    People delete `Library/` as a cure, and restore old ones: `keep` writes the file again within two seconds.
    """

    def __init__(self, checkout: Checkout, address: DaemonAddress) -> None:
        self._address = address
        self._path = checkout.root / DISCOVERY_FILE
        self._root = checkout.root
        self._copy = checkout.data_dir / "daemon.json"
        self._content = dump_object(address.to_wire())
        self._seen: tuple[int, int, int] | None = None
        self._complained = False
        self._notes = checkout.notes

    def write(self) -> None:
        """Writes both files, and into the log what the checkout's opening had to say: only now there is a log.

        A project folder that cannot be written is logged, not fatal: the copy is enough for `spark`.
        """
        for note in self._notes:
            log.warning("%s", note)
        self._notes = ()
        write_private(self._copy, self._content)
        self._write_into_project()

    async def keep(self, *, poll_s: float = POLL_S) -> None:
        """Runs until cancelled; costs one `stat` a second."""
        while True:
            await asyncio.sleep(poll_s)
            if self._signature() != self._seen or self._seen is None:
                self._write_into_project()

    def remove(self) -> None:
        """Removes what is ours; a file that another daemon wrote stays."""
        for path in (self._path, self._copy):
            found = load_object(path)
            if found.get("pid") == self._address.pid and found.get("token") == self._address.token:
                path.unlink(missing_ok=True)

    def _write_into_project(self) -> None:
        try:
            if not self._root.is_dir():
                return
            if not self._is_ours():
                (self._root / "Library").mkdir(exist_ok=True)
                make_private_folder(self._path.parent)
                self._keep_out_of_git()
                write_private(self._path, self._content)
            self._seen = self._signature()
            self._complained = False
        except OSError as error:
            self._seen = None
            if not self._complained:
                log.warning("%s cannot be written: %s", DISCOVERY_FILE.as_posix(), error)
            self._complained = True

    def _keep_out_of_git(self) -> None:
        # Not every project ignores Library/, and a committed token would be everybody's.
        ignore = self._path.with_name(".gitignore")
        if not ignore.is_file() or ignore.is_symlink():
            write_private(ignore, b"*\n")

    def _is_ours(self) -> bool:
        try:
            return not self._path.is_symlink() and self._path.read_bytes() == self._content
        except OSError:
            return False

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.lstat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def read_discovery(root: Path) -> DaemonAddress | None:
    """The running daemon of a project folder, also when its discovery file was deleted; None where none runs.

    Of a project that was renamed under its daemon too; then its `checkout_id` is that of the old place. The lock is the truth, and the copy in the user's own data folder is what is read: a `daemon.json` that came with a
    downloaded project could name somebody else's server.
    """
    checkout = find_checkout(root)
    if checkout is None or not is_locked(checkout.data_dir):
        return None
    address = _address(load_object(checkout.data_dir / "daemon.json"))
    # The data folder's own name: a project that was renamed under its daemon has another checkout id by now.
    if address is None or address.checkout_id != checkout.data_dir.name or not pid_lives(address.pid):
        return None
    # A copy that a killed daemon left behind is not the address of the one that starts right now.
    note = read_note(checkout.data_dir / "lock")
    return address if note.get("pid") in (None, address.pid) else None


def _address(found: Mapping[str, Any]) -> DaemonAddress | None:
    url, token, pid, started_at = (found.get(name) for name in ("url", "token", "pid", "startedAt"))
    if not (isinstance(url, str) and _LOOPBACK.fullmatch(url) and isinstance(token, str) and isinstance(pid, int)):
        return None
    if found.get("protocol") != PROTOCOL:
        return None
    return DaemonAddress(url, token, pid, str(started_at), str(found.get("projectId")), str(found.get("checkoutId")))


def _is_daemon_elsewhere(own: Checkout, other: Mapping[str, Any]) -> bool:
    address = _address(other)
    if address is None or not pid_lives(address.pid) or not re.fullmatch(r"[0-9a-f]{16}", address.checkout_id):
        return False
    return is_locked(own.data_dir.parent / address.checkout_id)


def _already_running(note: Mapping[str, Any], root: Path) -> FatalError:
    where = f" at {note['url']}" if note.get("url") else ", still starting"
    return FatalError(
        4,
        f"a daemon already runs for {root}: process {note.get('pid', 'unknown')}{where}",
        hint="Use it, or stop it with `spark down`.",
    )


def _real(root: Path) -> Path:
    try:
        real = root.resolve(strict=True)
    except (OSError, RuntimeError):
        real = root
    if not real.is_dir():
        raise FatalError(2, f"{root} is no folder", hint="Give the project's folder with --project.")
    return real


def _patient_lock(path: Path) -> ProcessLock | None:
    """Somebody who only looks whether the lock is held holds it for an instant: that is no daemon."""
    for _ in range(10):
        held = try_lock(path)
        if held is not None:
            return held
        time.sleep(0.02)
    return None


def _take_along(moved: Record, data_dir: Path) -> None:
    held = _patient_lock(moved.data_dir / "lock")
    if held is None:
        raise _already_running(read_note(moved.data_dir / "lock"), Path(moved.root))
    held.close()
    moved.data_dir.rename(data_dir)
    log.info("the project was moved; its history came along")
