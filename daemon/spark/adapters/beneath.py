"""Opening files and folders beneath one folder, without following links and without a gap between check and use.

Linux: `openat2` (5.6 and later) refuses links and everything outside in the kernel. Elsewhere: name by name with
O_NOFOLLOW. Windows: the final path of the opened handle is compared. Must not know what a project is.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_OPENAT2: Final = 437
_RESOLVE_NO_MAGICLINKS: Final = 0x02
_RESOLVE_NO_SYMLINKS: Final = 0x04
_RESOLVE_BENEATH: Final = 0x08
_AGAIN_LIMIT: Final = 100
_READ_CHUNK_BYTES: Final = 1024 * 1024
_O_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_O_DIRECTORY: Final = getattr(os, "O_DIRECTORY", 0)
_O_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)
_O_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
_O_BINARY: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
_F_FULLFSYNC: Final = 51


class LinkFound(OSError):
    """A link lies on the way; `link` is the path to it beneath the top folder."""

    def __init__(self, link: str) -> None:
        super().__init__(errno.ELOOP, "a link", link)
        self.link = link


class NotAFile(OSError):
    """Something other than an ordinary file (a folder, a pipe) has the name."""


class Folder:
    """An open folder. On POSIX a descriptor, so that what happens to its path later does not matter; on Windows the
    path whose final form was checked at opening."""

    def __init__(self, path: str, fd: int | None) -> None:
        self.path = path
        self.fd = fd

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def at(self, name: str) -> str:
        """What the `os` functions take together with `dir_fd=folder.fd`."""
        return name if self.fd is not None else str(Path(self.path) / name)

    def open(self, name: str, flags: int, mode: int = 0o666) -> int:
        flags |= _O_NOFOLLOW | _O_CLOEXEC | _O_BINARY
        try:
            return os.open(self.at(name), flags, mode, dir_fd=self.fd)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR) and self.is_link(name):
                raise LinkFound(name) from error
            raise

    def lstat(self, name: str) -> os.stat_result | None:
        """None where nothing has the name."""
        try:
            return os.stat(self.at(name), dir_fd=self.fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def is_link(self, name: str) -> bool:
        found = self.lstat(name)
        return found is not None and stat.S_ISLNK(found.st_mode)

    def names(self) -> list[str]:
        return os.listdir(self.path if self.fd is None else self.fd)

    def read(self, name: str) -> bytes | None:
        """The bytes of an ordinary file; None where nothing is there. Raises `LinkFound`, `NotAFile`."""
        try:
            fd = self.open(name, os.O_RDONLY | _O_NONBLOCK)
        except FileNotFoundError:
            return None
        with contextlib.closing(_Opened(fd)) as opened:
            return opened.read()

    def mkdir(self, name: str, mode: int = 0o777) -> None:
        os.mkdir(self.at(name), mode, dir_fd=self.fd)

    def rmdir(self, name: str) -> None:
        os.rmdir(self.at(name), dir_fd=self.fd)

    def unlink(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.at(name), dir_fd=self.fd)

    def rename(self, name: str, folder: Folder, new_name: str) -> None:
        """Plain rename; replaces on POSIX. For names of our own only."""
        os.rename(self.at(name), folder.at(new_name), src_dir_fd=self.fd, dst_dir_fd=folder.fd)

    def child(self, name: str) -> Folder:
        """Opens a folder in this one. Raises `LinkFound`."""
        if self.fd is None:
            return windows_folder(self.path, (name,))
        return Folder(f"{self.path}/{name}", self.open(name, os.O_RDONLY | _O_DIRECTORY))

    def take_mode_of(self, other: Folder) -> None:
        """Same permission bits as the other folder (Windows: permissions are inherited anyway)."""
        if self.fd is not None and other.fd is not None:
            os.fchmod(self.fd, stat.S_IMODE(os.fstat(other.fd).st_mode))

    def sync(self) -> None:
        """Makes the folder's entries durable. Windows has no such call: its moves are written through."""
        if self.fd is not None:
            full_sync(self.fd)


class _Opened:
    """A descriptor that is read once."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def close(self) -> None:
        os.close(self._fd)

    def read(self) -> bytes:
        found = os.fstat(self._fd)
        if not stat.S_ISREG(found.st_mode):
            raise NotAFile(errno.EISDIR, "not a file")
        chunks: list[bytes] = []
        while True:
            chunk = os.read(self._fd, max(found.st_size + 1, 4096) if not chunks else _READ_CHUNK_BYTES)
            if not chunk:
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)
            chunks.append(chunk)


def read_ordinary(path: Path, limit_bytes: int) -> bytes | None:
    """A small ordinary file outside the fence (git's, version control's). None where there is none, where it is larger, or
    where something else has the name: a pipe would keep its reader for ever. Links are followed."""
    try:
        fd = os.open(path, os.O_RDONLY | _O_NONBLOCK | _O_CLOEXEC | _O_BINARY)
        with contextlib.closing(_Opened(fd)) as opened:
            return None if os.fstat(fd).st_size > limit_bytes else opened.read()
    except OSError:
        return None


def full_sync(fd: int) -> None:
    """fsync that also empties the disk's own cache: on macOS plain fsync does not."""
    if sys.platform == "darwin":
        import fcntl

        with contextlib.suppress(OSError):  # network disks refuse it; plain fsync is what they have
            fcntl.fcntl(fd, _F_FULLFSYNC)
            return
    os.fsync(fd)


class Beneath:
    """Opens beneath `root`. Every call starts at the root's path, so a root that was moved away is noticed.

    `use_openat2` False: name by name, as on platforms and in containers without the call.
    """

    def __init__(self, root: str, *, use_openat2: bool = True) -> None:
        self.root = root
        self._use_openat2 = use_openat2 and sys.platform == "linux"

    def folder(self, parts: Sequence[str]) -> Folder:
        """Raises `LinkFound`, `FileNotFoundError`, `NotADirectoryError`, `OSError`."""
        if os.name == "nt":
            return windows_folder(self.root, parts)
        return Folder("/".join((self.root, *parts)), self._open(parts, os.O_RDONLY | _O_DIRECTORY))

    def read(self, parts: Sequence[str], limit_bytes: int | None = None) -> tuple[bytes | None, int]:
        """(bytes, size); bytes None where the file is larger than the limit. Raises as `folder`, and `NotAFile`."""
        if os.name == "nt":
            with windows_folder(self.root, parts[:-1]) as folder:
                fd = folder.open(parts[-1], os.O_RDONLY)
        else:
            fd = self._open(parts, os.O_RDONLY | _O_NONBLOCK)
        with contextlib.closing(_Opened(fd)) as opened:
            size = os.fstat(fd).st_size
            if limit_bytes is not None and size > limit_bytes:
                return None, size
            data = opened.read()
            return data, len(data)

    def _open(self, parts: Sequence[str], flags: int) -> int:
        top = os.open(self.root, os.O_RDONLY | _O_DIRECTORY | _O_NOFOLLOW | _O_CLOEXEC)
        if not parts:
            return top
        try:
            if self._use_openat2:
                fd = self._openat2(top, parts, flags)
                if fd is not None:
                    return fd
            return self._walk(top, parts, flags)
        finally:
            os.close(top)

    def _openat2(self, top: int, parts: Sequence[str], flags: int) -> int | None:
        """None where the kernel (or a container's filter) does not have the call."""
        path = os.fsencode("/".join(parts))
        how = _OpenHow(flags | _O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS)
        for _ in range(_AGAIN_LIMIT):
            fd = int(_syscall()(_OPENAT2, top, path, ctypes.byref(how), ctypes.sizeof(how)))
            if fd >= 0:
                return fd
            code = ctypes.get_errno()
            # EAGAIN: somebody renamed on the way, so the kernel could not rule out an escape. EINTR: a signal.
            if code in (errno.EAGAIN, errno.EINTR):
                continue
            if code in (errno.ENOSYS, errno.EPERM):
                self._use_openat2 = code != errno.ENOSYS
                return None
            if code == errno.ELOOP:
                raise LinkFound(self._first_link(top, parts))
            raise OSError(code, os.strerror(code), "/".join(parts))
        return None

    def _walk(self, top: int, parts: Sequence[str], flags: int) -> int:
        if any(part in ("", ".", "..") for part in parts):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), "/".join(parts))
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(Folder(self.root, os.dup(top)))
            for number, part in enumerate(parts[:-1]):
                try:
                    folder = stack.enter_context(folder.child(part))
                except LinkFound as error:
                    raise LinkFound("/".join(parts[: number + 1])) from error
            try:
                return folder.open(parts[-1], flags)
            except LinkFound as error:
                raise LinkFound("/".join(parts)) from error

    def _first_link(self, top: int, parts: Sequence[str]) -> str:
        """Only for the message: which part is the link."""
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            with contextlib.suppress(OSError):
                if stat.S_ISLNK(os.stat(path, dir_fd=top, follow_symlinks=False).st_mode):
                    return path
        return "/".join(parts)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_cached_syscall: list[ctypes._NamedFuncPointer] = []


def _syscall() -> ctypes._NamedFuncPointer:
    if not _cached_syscall:
        call = ctypes.CDLL(None, use_errno=True).syscall
        call.restype = ctypes.c_long
        call.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
        _cached_syscall.append(call)
    return _cached_syscall[0]


def windows_folder(root: str, parts: Sequence[str]) -> Folder:
    """A folder whose final path (links, junctions and short names resolved by the system) is exactly where it was asked for."""
    path = Path(root, *parts)
    if not path.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    # realpath asks GetFinalPathNameByHandleW of an opened handle. Case may differ from what was asked: same folder.
    top = os.path.normcase(os.path.realpath(root))
    final = os.path.normcase(os.path.realpath(path))
    if final != os.path.normcase(str(Path(top, *parts))):
        raise LinkFound("/".join(parts))
    return Folder(str(path), None)
