"""The stage: the folder in the project (same file system as the targets) where new bytes wait and old ones come out.

`ID.part` is always rubbish, `ID.new` is always whole, `ID.old` is a second name during a replace without exchange. It never
holds the only durable copy of anything, so deleting it loses nothing. Must not know the database.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
from pathlib import Path
from typing import Final

from spark.adapters.beneath import Beneath, Folder, LinkFound, NotAFile, full_sync
from spark.adapters.exchange import UNSUPPORTED, Exchange, LinkExchange, native_exchange, write_all
from spark.core.changes import sha256_of
from spark.core.errors import FatalError

_PROBE: Final = ".spark-probe~"
"""Unity ignores names that begin with a dot or end with a tilde."""
_NOT_COPIED: Final = ("security.ima", "security.evm")
"""Signatures of the old bytes; the kernel makes new ones."""
_XATTR_REFUSED: Final = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENODATA, errno.EINVAL}
)
_COPYFILE_ACL_AND_XATTR: Final = 1 << 0 | 1 << 2


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

    def put(self, staged: str, content: bytes, source: Folder | None, name: str) -> None:
        """Writes `staged` whole and durable. `source`/`name`: the file it will replace (its mode, owner, ACL and attributes
        are copied), or the folder of a new file (None: a folder that is not there yet)."""
        like = None if source is None else source.lstat(name)
        try:
            self._put(staged, content, source, name, like)
        except FileNotFoundError:
            self.reopen()  # somebody deleted .spark this moment
            self._put(staged, content, source, name, like)

    def look(self, staged: str) -> Staged:
        try:
            return Staged(self.folder.read(staged))
        except (LinkFound, NotAFile):
            return Staged(None, foreign=True)

    def discard(self, staged: str) -> None:
        self.folder.unlink(staged)

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
        try:
            for place in (stage, folder):
                place.unlink(_PROBE)
                os.close(place.open(_PROBE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            before = folder.lstat(_PROBE)
            best.swap(stage, _PROBE, folder, _PROBE)
            after = folder.lstat(_PROBE)
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
                place.unlink(_PROBE)
        return best, ""

    def _open(self) -> Folder:
        try:
            return self._beneath.folder(self._parts)
        except FileNotFoundError:
            return self._made()
        except (LinkFound, NotADirectoryError) as error:
            raise self._in_the_way() from error

    def _made(self) -> Folder:
        folder = self._beneath.folder(())
        try:
            for number, part in enumerate(self._parts):
                with contextlib.suppress(FileExistsError):
                    # Copies of the user's files wait here: nobody else reads them.
                    folder.mkdir(part, 0o700)
                child = folder.child(part)
                folder.close()
                folder = child
                if not number:
                    self._ignore(folder)
        except (LinkFound, NotADirectoryError) as error:
            folder.close()
            raise self._in_the_way() from error
        except BaseException:
            folder.close()
            raise
        return folder

    @staticmethod
    def _ignore(folder: Folder) -> None:
        with contextlib.suppress(FileExistsError):
            fd = folder.open(".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                write_all(fd, b"*\n")
            finally:
                os.close(fd)

    def _in_the_way(self) -> FatalError:
        name = "/".join(self._parts)
        return FatalError(
            1,
            f"{name} in the project is a link or a file",
            hint=f"Delete {self._parts[0]} in the project folder; SPARK makes it again.",
        )

    def _put(self, staged: str, content: bytes, source: Folder | None, name: str, like: os.stat_result | None) -> None:
        stage = self.folder
        part = staged.removesuffix(".new") + ".part"
        stage.unlink(part)
        # Mode 0666 lets the umask decide for new files; a file that replaces another is private until it has that one's mode.
        fd = stage.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if like is None else 0o600)
        try:
            write_all(fd, content)
            if like is not None and source is not None:
                _copy_attributes(fd, source, name, like)
            elif source is not None:
                _inherit_group(fd, source)
            if os.fstat(fd).st_size != len(content):
                raise OSError(errno.EIO, "the staged file has the wrong size")
            full_sync(fd)
        finally:
            os.close(fd)
        stage.rename(part, stage, staged)


def _copy_attributes(fd: int, source: Folder, name: str, like: os.stat_result) -> None:
    """Exchange keeps the staged file's owner, mode and ACL, so they are made those of the target first."""
    if os.name == "nt":
        return  # ReplaceFileW carries them over
    mine = os.fstat(fd)
    if (mine.st_uid, mine.st_gid) != (like.st_uid, like.st_gid):
        # Only the superuser gives files away; the group can change where this user is a member.
        for owner, group in ((like.st_uid, like.st_gid), (-1, like.st_gid)):
            try:
                os.fchown(fd, owner, group)
                break
            except PermissionError:
                continue
    os.fchmod(fd, stat.S_IMODE(like.st_mode))
    old = source.open(name, os.O_RDONLY)
    try:
        if sys.platform == "darwin":
            ctypes.CDLL(None, use_errno=True).fcopyfile(old, fd, None, _COPYFILE_ACL_AND_XATTR)
        elif sys.platform == "linux":
            _copy_xattrs(old, fd)
    finally:
        os.close(old)


def _copy_xattrs(old: int, new: int) -> None:
    """With `system.posix_acl_access`, the ACL, among them. What the file system or the rights forbid is left."""
    if sys.platform != "linux":
        return
    try:
        names = os.listxattr(old)
    except OSError as error:
        if error.errno in _XATTR_REFUSED:
            return
        raise
    for name in names:
        if name in _NOT_COPIED:
            continue
        try:
            os.setxattr(new, name, os.getxattr(old, name))
        except OSError as error:
            if error.errno not in _XATTR_REFUSED:
                raise


def _inherit_group(fd: int, folder: Folder) -> None:
    """A folder with the set-group-id bit gives its group to new files; ours was born in the stage."""
    if os.name == "nt" or folder.fd is None:
        return
    found = os.fstat(folder.fd)
    if found.st_mode & stat.S_ISGID and os.fstat(fd).st_gid != found.st_gid:
        with contextlib.suppress(PermissionError):
            os.fchown(fd, -1, found.st_gid)
