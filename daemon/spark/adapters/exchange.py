"""Putting a staged file in a target's place so that what was there comes out whole: one small interface, per platform.

Facts in the comments are the systems' manuals'. Must not know hashes, versions or the order of a group.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import sys
import time
from collections.abc import Callable
from typing import Final, Protocol

from spark.adapters.beneath import Folder, full_sync

_NOREPLACE: Final = 1
_EXCHANGE: Final = 2
_RENAME_SWAP: Final = 2
_RENAME_EXCL: Final = 4
_RENAMEAT2: Final = {"x86_64": 316, "aarch64": 276, "riscv64": 276, "i686": 353, "armv7l": 382}
UNSUPPORTED: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What file systems and kernels answer that do not have an exchange."""
_NO_LINKS: Final = UNSUPPORTED | {errno.EPERM, errno.EMLINK, errno.EACCES}
_LINK_TRIES: Final = 20


class Exchange(Protocol):
    """`staged` is a name in our own stage folder, `name` one in a project folder of the same file system."""

    @property
    def method(self) -> str:
        """As status shows it."""
        ...

    def swap(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        """The staged file takes the target's place; what was there has the staged name afterwards.

        Raises `FileNotFoundError` where either is missing: nothing happened then.
        """
        ...

    def place(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        """The staged file gets a name that must be free: else `FileExistsError`, and nothing happened."""
        ...

    def take(self, folder: Folder, name: str, stage: Folder, staged: str) -> None:
        """The target leaves the project under the staged name (free by construction). Raises `FileNotFoundError`."""
        ...


class LinuxExchange:
    """`renameat2`: one atomic call. ext4, xfs, btrfs, tmpfs have both flags."""

    method = "renameat2"

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if hasattr(libc, "renameat2"):
            self._call = libc.renameat2
            self._first: tuple[ctypes.c_long, ...] = ()
        else:  # musl has no wrapper
            number = _RENAMEAT2.get(platform.machine())
            if number is None:
                raise OSError(errno.ENOSYS, "renameat2 is not known here")
            self._call = libc.syscall
            self._first = (ctypes.c_long(number),)

    def swap(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        self._rename(stage, staged, folder, name, _EXCHANGE)

    def place(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        self._rename(stage, staged, folder, name, _NOREPLACE)

    def take(self, folder: Folder, name: str, stage: Folder, staged: str) -> None:
        folder.rename(name, stage, staged)

    def _rename(self, stage: Folder, staged: str, folder: Folder, name: str, flag: int) -> None:
        if stage.fd is None or folder.fd is None:
            raise OSError(errno.EBADF, "closed folder")
        args = (
            ctypes.c_int(stage.fd),
            os.fsencode(staged),
            ctypes.c_int(folder.fd),
            os.fsencode(name),
            ctypes.c_uint(flag),
        )
        if self._call(*self._first, *args):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), name)


class MacExchange(LinuxExchange):
    """`renameatx_np`, the descriptor form of `renamex_np` (10.12 and later): APFS and HFS+ have both flags."""

    method = "renameatx_np"

    def __init__(self) -> None:
        self._call = ctypes.CDLL(None, use_errno=True).renameatx_np
        self._first = ()

    def swap(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        self._rename(stage, staged, folder, name, _RENAME_SWAP)

    def place(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        self._rename(stage, staged, folder, name, _RENAME_EXCL)


class LinkExchange:
    """For file systems without an exchange: the target gets a second name in the stage, then the staged file is renamed
    over it. A save by rename that falls between the last look and the rename (microseconds) is lost; status says so.

    Where even hard links are missing (FAT), the second name is a copy.
    """

    method = "hard link and rename"

    def swap(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        old = staged.removesuffix(".new") + ".old"
        for _ in range(_LINK_TRIES):
            stage.unlink(old)
            copied = self._second_name(folder, name, stage, old)
            before, now = stage.lstat(old), folder.lstat(name)
            if now is None:
                stage.unlink(old)
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
            if copied or (before is not None and before.st_ino == now.st_ino):
                break
        try:
            os.replace(stage.at(staged), folder.at(name), src_dir_fd=stage.fd, dst_dir_fd=folder.fd)
        except FileNotFoundError:
            stage.unlink(old)
            raise
        stage.rename(old, stage, staged)

    def place(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        try:
            _link(stage, staged, folder, name)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if folder.lstat(name) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name) from error
            stage.rename(staged, folder, name)
            return
        stage.unlink(staged)

    def take(self, folder: Folder, name: str, stage: Folder, staged: str) -> None:
        folder.rename(name, stage, staged)

    @staticmethod
    def _second_name(folder: Folder, name: str, stage: Folder, old: str) -> bool:
        """Whether it had to be a copy."""
        try:
            _link(folder, name, stage, old)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        else:
            return False
        content = folder.read(name)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        fd = stage.open(old, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            write_all(fd, content)
            full_sync(fd)
        finally:
            os.close(fd)
        return True


class WindowsExchange:
    """`ReplaceFileW` with a backup name in the stage (it keeps the target's ACL and attributes), `MoveFileExW` without
    the replace flag. Virus scanners, indexers and editors hold files for moments: such errors are tried again."""

    method = "ReplaceFileW"

    _WRITE_THROUGH = 0x8
    _IGNORE_MERGE_ERRORS = 0x2
    _UNABLE_TO_MOVE_REPLACEMENT_2 = 1177
    _SHARING = (5, 32, 33)
    _WAIT_S = 2.5

    def swap(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        old = staged.removesuffix(".new") + ".old"
        stage.unlink(old)
        self._retried(lambda: self._replace(folder.at(name), stage.at(staged), stage.at(old)))
        self._retried(lambda: self._move(stage.at(old), stage.at(staged)))

    def place(self, stage: Folder, staged: str, folder: Folder, name: str) -> None:
        self._retried(lambda: self._move(stage.at(staged), folder.at(name)))

    def take(self, folder: Folder, name: str, stage: Folder, staged: str) -> None:
        self._retried(lambda: self._move(folder.at(name), stage.at(staged)))

    def _replace(self, target: str, staged: str, backup: str) -> int:
        code = self._api("ReplaceFileW", target, staged, backup, self._IGNORE_MERGE_ERRORS, None, None)
        if code == self._UNABLE_TO_MOVE_REPLACEMENT_2:
            # Half done: the target has already become the backup and nothing has its name. Give it back at once.
            self._retried(lambda: self._move(backup, target))
        return code

    def _move(self, source: str, target: str) -> int:
        return self._api("MoveFileExW", source, target, self._WRITE_THROUGH)

    def _retried(self, call: Callable[[], int]) -> None:
        wait_s, end = 0.05, time.monotonic() + self._WAIT_S
        while True:
            code = call()
            if not code:
                return
            if code not in self._SHARING or time.monotonic() + wait_s > end:
                raise self._error(code)
            time.sleep(wait_s)
            wait_s = min(wait_s * 2, 1.0)

    @staticmethod
    def _api(name: str, *args: str | int | None) -> int:
        """0, or the system's error number."""
        if sys.platform == "win32":
            call = getattr(ctypes.WinDLL("kernel32", use_last_error=True), name)
            call.restype = ctypes.c_int
            wrapped = [ctypes.c_wchar_p(arg) if isinstance(arg, str) else arg for arg in args]
            return 0 if call(*wrapped) else ctypes.get_last_error()
        raise OSError(errno.ENOSYS, f"{name} is of Windows")

    @staticmethod
    def _error(code: int) -> OSError:
        if sys.platform == "win32":
            return ctypes.WinError(code)
        return OSError(code, "Windows error")


def native_exchange() -> Exchange:
    """What this platform offers at best; whether the file system has it, a probe tells (`Stage.probe`)."""
    if os.name == "nt":
        return WindowsExchange()
    with contextlib.suppress(OSError, AttributeError):
        return MacExchange() if sys.platform == "darwin" else LinuxExchange()
    return LinkExchange()


def write_all(fd: int, content: bytes) -> None:
    """A nearly full disk gives short writes before it gives an error."""
    left = memoryview(content)
    while left:
        left = left[os.write(fd, left) :]


def _link(folder: Folder, name: str, other: Folder, new_name: str) -> None:
    os.link(folder.at(name), other.at(new_name), src_dir_fd=folder.fd, dst_dir_fd=other.fd, follow_symlinks=False)
