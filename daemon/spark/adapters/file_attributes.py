"""What a file has besides its bytes: mode, owner, ACL and extended attributes to be handed on, and whether somebody writes it.

Works on open descriptors. Must not know the stage or the project.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import stat
import sys
from typing import Final

from spark.adapters.beneath import Folder

_NOT_COPIED: Final = ("security.ima", "security.evm")
"""Signatures of the old bytes; the kernel makes new ones."""
_XATTR_REFUSED: Final = frozenset(
    {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENODATA, errno.EINVAL}
)
_COPYFILE_ACL_AND_XATTR: Final = 1 << 0 | 1 << 2


def read_lease(fd: int) -> bool | None:
    """Whether a read lease was given (and given back); None where the system has none for this file."""
    if sys.platform != "linux":
        return None
    import fcntl

    try:
        # Who opens the file in this moment makes the kernel send a signal; the usual one would end this process.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return False if error.errno == errno.EAGAIN else None
    with contextlib.suppress(OSError):
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return True


def copy_attributes(fd: int, source: Folder, name: str, like: os.stat_result) -> None:
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
    old = source.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
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


def inherit_group(fd: int, folder: Folder) -> None:
    """A folder with the set-group-id bit gives its group to new files; ours was born in the stage."""
    if os.name == "nt" or folder.fd is None:
        return
    found = os.fstat(folder.fd)
    if found.st_mode & stat.S_ISGID and os.fstat(fd).st_gid != found.st_gid:
        with contextlib.suppress(PermissionError):
            os.fchown(fd, -1, found.st_gid)
