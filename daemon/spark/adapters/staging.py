"""The stage: the folder in the project (same file system as the targets) where new bytes wait and old ones come out.

`ID.part` is always rubbish, `ID.new` is always whole, `ID.old` is a second name during a replace without exchange, `ID.back`
says that a group is being taken back where the history could not be told. Whatever else lies there is somebody else's and
stays. Must not know the database.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
from pathlib import Path
from typing import Final

from spark.adapters.beneath import Beneath, Folder, LinkFound, NotAFile, full_sync
from spark.adapters.exchange import UNSUPPORTED, Exchange, LinkExchange, native_exchange, write_all
from spark.adapters.file_attributes import copy_attributes, inherit_group, read_lease
from spark.core.changes import sha256_of
from spark.core.errors import ToolRejected

_PROBE: Final = re.compile(r"\.spark-probe-[0-9a-f]{16}~")
"""Unity ignores names that begin with a dot or end with a tilde. A part by chance: whatever the user has stays whole."""
_OURS: Final = re.compile(r"(?P<id>[og]_[0-9A-Za-z]+)\.(?P<kind>new|old|part|back)")
_LEASE_PROBE: Final = "o_lease.part"


class Staged:
    """What a read of the stage found: `sha256` None where nothing (or nothing readable as a file) has the name."""

    __slots__ = ("content", "foreign", "sha256")

    def __init__(self, content: bytes | None, foreign: bool = False) -> None:
        self.content = content
        self.sha256 = None if content is None else sha256_of(content)
        self.foreign = foreign
        """Something that is not a file (the user put a link or a folder in the target's place)."""

    @property
    def there(self) -> bool:
        return self.content is not None or self.foreign


class Stage:
    def __init__(self, beneath: Beneath, stage_dir: Path) -> None:
        """`stage_dir` lies beneath the project folder."""
        self._beneath = beneath
        self._parts = stage_dir.relative_to(beneath.root).parts
        if len(self._parts) < 2:
            raise ValueError(f"{stage_dir} must lie in a folder of SPARK's own in the project")
        self._folder: Folder | None = None
        self._leases = False
        self.moved_aside: list[str] = []
        """What lay in the place of a folder of ours within `.spark`, under its new name."""

    @property
    def folder(self) -> Folder:
        """The open stage; made again where somebody deleted it."""
        if self._folder is None:
            self._folder = self._open()
        return self._folder

    def reopen(self) -> None:
        """Forgets the handle. Called at the start of each landing: the folder may have been deleted since."""
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    close = reopen

    def require(self) -> None:
        """Opens the stage. Raises `ToolRejected` (`forbidden`) where `.spark` is not ours, `OSError`."""
        if self._folder is None:
            self._folder = self._open()

    def put(self, staged: str, content: bytes, source: Folder | None, name: str, *, mode: int | None = None) -> None:
        """Writes `staged` whole and durable. `source`/`name`: the file it will replace or be moved from (its mode, owner, ACL
        and attributes are copied), or the folder of a new file (None: a folder that is not there yet), which gets `mode`."""
        like = None if source is None else source.lstat(name)
        try:
            self._put(staged, content, source, name, like, mode)
        except FileNotFoundError:
            self.reopen()  # somebody deleted .spark this moment
            self._put(staged, content, source, name, like, mode)

    def look(self, staged: str) -> Staged:
        try:
            return Staged(self.folder.read(staged))
        except (LinkFound, NotAFile):
            return Staged(None, foreign=True)

    def discard(self, staged: str) -> None:
        self.folder.unlink(staged)

    def has_writer(self, staged: str) -> bool:
        """Whether some program has this file open for writing. False also where the system does not tell.

        Linux gives a read lease only for a file that nobody writes. It is given back at once: who opens a leased file has to
        wait for us.
        """
        if sys.platform != "linux":
            return False
        try:
            fd = self.folder.open(staged, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            return read_lease(fd) is False and self._leases_work()
        finally:
            os.close(fd)

    def mark_back(self, group_id: str) -> None:
        """For the next start: this group goes back, whatever the history says. Needs no room for bytes."""
        fd = self.folder.open(f"{group_id}.back", os.O_WRONLY | os.O_CREAT, 0o600)
        os.close(fd)
        self.folder.sync()

    def entries(self) -> tuple[list[tuple[str, str, str]], list[str]]:
        """(name, id, kind) of our own files, sorted, and a sentence for each thing that is not ours."""
        ours: list[tuple[str, str, str]] = []
        foreign: list[str] = []
        for name in sorted(self.folder.names()):
            match, found = _OURS.fullmatch(name), self.folder.lstat(name)
            if found is None:
                continue
            if match is not None and stat.S_ISREG(found.st_mode):
                ours.append((name, match["id"], match["kind"]))
            else:
                foreign.append(self.foreign(name))
        return ours, foreign

    def foreign(self, name: str) -> str:
        return f"{'/'.join(self._parts)} holds {name!a}, which is not SPARK's: it stays there until you move it away"

    def probe(self, top_folder: str) -> tuple[Exchange, str]:
        """Tries the platform's exchange between the stage and a top folder of the project; answers what works and a
        sentence where it is not the best (empty: all is well)."""
        best = native_exchange()
        try:
            with self._beneath.folder((top_folder,)) as folder:
                return self._probe(best, folder)
        except (FileNotFoundError, NotADirectoryError, LinkFound):
            return best, f"{top_folder}/ is not there, so the exchange was not tried"
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                return best, f"{top_folder}/ cannot be written: {error.strerror}"
            raise

    def _probe(self, best: Exchange, folder: Folder) -> tuple[Exchange, str]:
        stage = self.folder
        for place in (stage, folder):
            _clear_probes(place)
        probe = f".spark-probe-{secrets.token_hex(8)}~"
        try:
            for place in (stage, folder):
                os.close(place.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            before = folder.lstat(probe)
            best.swap(stage, probe, folder, probe)
            after = folder.lstat(probe)
            if before is not None and after is not None and before.st_ino == after.st_ino and os.name != "nt":
                return LinkExchange(), "the file system says it exchanges files but does not"
        except OSError as error:
            if error.errno == errno.EXDEV:
                return best, "the project's folders lie on different file systems: writes there are refused"
            if error.errno not in UNSUPPORTED:
                raise
            return LinkExchange(), (
                "this file system cannot exchange two files: a save by rename in the same microseconds as a write could be lost"
            )
        finally:
            for place in (stage, folder):
                place.unlink(probe)
        return best, ""

    def _leases_work(self) -> bool:
        """Whether a file that nobody writes gets a lease here: some network disks refuse it always."""
        if not self._leases:
            try:
                self.folder.unlink(_LEASE_PROBE)
                os.close(self.folder.open(_LEASE_PROBE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                fd = self.folder.open(_LEASE_PROBE, os.O_RDONLY)
                try:
                    self._leases = read_lease(fd) is True
                finally:
                    os.close(fd)
                    self.folder.unlink(_LEASE_PROBE)
            except OSError:
                return True  # a full disk: what is kept for nothing is no harm
        return self._leases

    def _open(self) -> Folder:
        try:
            return self._beneath.folder(self._parts)
        except (FileNotFoundError, LinkFound, NotADirectoryError):
            return self._made()

    def _made(self) -> Folder:
        folder = self._beneath.folder(())
        try:
            for number, part in enumerate(self._parts):
                with contextlib.suppress(FileExistsError):
                    # Copies of the user's files wait here: nobody else reads them.
                    folder.mkdir(part, 0o700)
                child = self._child(folder, part, top=not number)
                folder.close()
                folder = child
                if not number:
                    self._ignore(folder)
        except BaseException:
            folder.close()
            raise
        return folder

    def _child(self, folder: Folder, part: str, *, top: bool) -> Folder:
        try:
            return folder.child(part)
        except (LinkFound, NotADirectoryError) as error:
            if top:
                raise self._in_the_way() from error
        # Within .spark we may make room; what was there is kept.
        aside = f"{part}.aside-{secrets.token_hex(4)}"
        folder.rename(part, folder, aside)
        self.moved_aside.append(aside)
        folder.mkdir(part, 0o700)
        return folder.child(part)

    @staticmethod
    def _ignore(folder: Folder) -> None:
        with contextlib.suppress(FileExistsError):
            fd = folder.open(".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                write_all(fd, b"*\n")
            finally:
                os.close(fd)

    def _in_the_way(self) -> ToolRejected:
        name = self._parts[0]
        return ToolRejected(
            "forbidden",
            f"{name} in the project folder is a link or a file, so SPARK has no place to prepare its writes",
            hint=f"Delete {name} in the project folder, then call again; SPARK makes it again.",
            details={"path": name},
        )

    def _put(
        self,
        staged: str,
        content: bytes,
        source: Folder | None,
        name: str,
        like: os.stat_result | None,
        mode: int | None,
    ) -> None:
        stage = self.folder
        part = staged.removesuffix(".new") + ".part"
        stage.unlink(part)
        # Mode 0666 lets the umask decide for new files; a file that replaces another is private until it has that one's mode.
        fd = stage.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if like is None and mode is None else 0o600)
        try:
            self._fill(fd, content, source, name, like, mode)
        except BaseException:
            # Half a copy of the user's sources: nobody needs it (the user may have deleted the file in this moment).
            with contextlib.suppress(OSError):
                stage.unlink(part)
            raise
        finally:
            os.close(fd)
        stage.rename(part, stage, staged)

    @staticmethod
    def _fill(
        fd: int, content: bytes, source: Folder | None, name: str, like: os.stat_result | None, mode: int | None
    ) -> None:
        write_all(fd, content)
        if like is not None and source is not None:
            copy_attributes(fd, source, name, like)
        else:
            if source is not None:
                inherit_group(fd, source)
            if mode is not None and os.name != "nt":
                os.fchmod(fd, mode)
        if os.fstat(fd).st_size != len(content):
            raise OSError(errno.EIO, "the staged file has the wrong size")
        full_sync(fd)


def _clear_probes(folder: Folder) -> None:
    """Those that a killed start left."""
    for name in folder.names():
        if _PROBE.fullmatch(name):
            found = folder.lstat(name)
            if found is not None and stat.S_ISREG(found.st_mode) and not found.st_size:
                folder.unlink(name)
