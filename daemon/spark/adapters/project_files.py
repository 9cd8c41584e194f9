"""The project's files behind the fence: reading for everybody, folder handles for the landing.

Owns the second half of the fence (links, races, names that only differ by case). Must not write and must not know
versions.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from spark.adapters.beneath import Beneath, Folder, LinkFound, NotAFile
from spark.core.errors import FatalError, ToolRejected, Unavailable, invalid_arguments
from spark.core.paths import ProjectPath, is_short_name
from spark.core.ports import FileStat

if TYPE_CHECKING:
    from spark.adapters.package_folders import PackageFolders

_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_FOLDING_PLATFORM: Final = sys.platform in ("darwin", "win32")


class FencedFiles:
    """Implements `core.ports.ProjectFiles`. `use_openat2` False takes the way of older kernels (for tests)."""

    def __init__(self, root: Path, *, use_openat2: bool = True) -> None:
        """Raises `FatalError` (2) where `root` is no folder."""
        real = Path(os.path.realpath(root))
        if not real.is_dir():
            raise FatalError(2, f"{root} is not a folder", hint="Name the project's folder with --project DIR.")
        self._root = real
        self._given = os.path.abspath(root)
        self.beneath = Beneath(str(real), use_openat2=use_openat2)
        self._packages: tuple[object, frozenset[str]] = (None, frozenset())
        self._package_folders: PackageFolders | None = None

    @property
    def root(self) -> Path:
        return self._root

    @property
    def embedded_packages(self) -> frozenset[str]:
        """Looked up again only when `Packages/` or one of its folders changed."""
        key: list[tuple[str, int]] = []
        try:
            with os.scandir(self._root / "Packages") as entries:
                key.extend(
                    (entry.name, entry.stat(follow_symlinks=False).st_mtime_ns)
                    for entry in entries
                    if entry.is_dir(follow_symlinks=False)
                )
        except OSError:
            key = []
        key.sort()
        if self._packages[0] != key:
            names = frozenset(name for name, _ in key if (self._root / "Packages" / name / "package.json").is_file())
            self._packages = (key, names)
        return self._packages[1]

    def parse(self, raw: str, *, field: str = "path") -> ProjectPath:
        """A path from outside. Absolute paths may name the project as it was given or by its real path.

        Raises `ToolRejected` (`path_outside_project`, `invalid_arguments`).
        """
        windows = os.name == "nt"
        root = str(self._root)
        given = self._given.rstrip(os.sep) + os.sep
        if raw.startswith(given) or (windows and raw.replace("/", "\\").casefold().startswith(given.casefold())):
            root = self._given
        path = ProjectPath.parse(raw, root=root, field=field, windows=windows)
        if is_short_name(path) and not self._exists_as_spelled(path):
            raise invalid_arguments(
                {field: "the long name: ~1 and the like are Windows' short names for other files"},
                f"{field}: {path} looks like a short name (~N) and no such file exists",
            )
        return path

    def read(self, path: ProjectPath, *, limit_bytes: int | None = None) -> bytes | None:
        with self._explained(path):
            try:
                data, size = self.beneath.read(self._as_unity_resolves(path).parts, limit_bytes)
            except NotAFile:
                raise ToolRejected(
                    "not_found",
                    f"{path} is a folder, not a file",
                    hint="Name a file in it.",
                    details={"path": path.text},
                ) from None
            except OSError as error:
                if error.errno in _GONE and not isinstance(error, LinkFound):
                    return None
                if error.errno == errno.EISDIR:
                    raise ToolRejected(
                        "not_found",
                        f"{path} is a folder, not a file",
                        hint="Name a file in it.",
                        details={"path": path.text},
                    ) from error
                raise
        if data is None:
            raise ToolRejected(
                "too_large",
                f"{path} has {size} bytes; at most {limit_bytes} are read",
                hint="Read a part of it, or name a smaller file.",
                details={"path": path.text, "sizeBytes": size, "limitBytes": limit_bytes},
            )
        return data

    def stat(self, path: ProjectPath) -> FileStat | None:
        """None where nothing is there. Raises `path_outside_project` for links."""
        path = self._as_unity_resolves(path)
        with self.folder(path.parent) as folder:
            found = None if folder is None else folder.lstat(path.name)
        if found is None:
            return None
        if stat.S_ISLNK(found.st_mode):
            refuse_link(path.text)
        return FileStat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, stat.S_ISDIR(found.st_mode))

    def names(self, folder: ProjectPath) -> list[str]:
        with self.folder(self._as_unity_resolves(folder)) as opened:
            return [] if opened is None else sorted(name for name in opened.names() if _is_text(name))

    def undecodable_names(self, folder: ProjectPath) -> int:
        """How many entries of a folder have names that are no UTF-8: no path names them, and `names` leaves them out."""
        with self.folder(self._as_unity_resolves(folder)) as opened:
            return 0 if opened is None else sum(not _is_text(name) for name in opened.names())

    def _as_unity_resolves(self, path: ProjectPath) -> ProjectPath:
        """For reading: `Packages/<name>/…` of a package that lies in another folder of the project, such as
        `Library/PackageCache/<name>@…`. Raises `path_outside_project` for one that lies elsewhere: a manifest comes with
        the project, and must not open the rest of the disk."""
        parts = path.parts
        if len(parts) < 2 or parts[0] != "Packages" or (self._root / "Packages" / parts[1]).exists():
            return path
        if self._package_folders is None:
            from spark.adapters.package_folders import PackageFolders

            self._package_folders = PackageFolders(str(self._root))
        package = self._package_folders.by_name().get(parts[1])
        if package is None:
            return path
        if package.inside is None:
            raise ToolRejected(
                "path_outside_project",
                f"{path} belongs to a package outside of the project folder: {package.folder}",
                hint="SPARK knows the guids of such a package and reads nothing else of it. "
                f"Move the package to Packages/{package.name} to make it part of the project.",
                details={"path": path.text, "package": package.name, "reason": "local package"},
            )
        return ProjectPath("/".join((package.inside, *parts[2:])))

    @contextlib.contextmanager
    def folder(self, path: ProjectPath | None) -> Iterator[Folder | None]:
        """An open folder of the project (None: its top), or None where there is no such folder. Raises for links."""
        folder = None
        with self._explained(path or ProjectPath(".")):
            try:
                folder = self.beneath.folder(() if path is None else path.parts)
            except LinkFound:
                raise
            except OSError as error:
                if error.errno not in _GONE or (path is None and error.errno == errno.ENOENT):
                    raise
        if folder is None:
            yield None
            return
        with folder:
            yield folder

    def check_spelling(
        self,
        path: ProjectPath,
        *,
        leaving: frozenset[ProjectPath] = frozenset(),
        leaving_folders: frozenset[ProjectPath] = frozenset(),
    ) -> None:
        """Before a file is created: raises `already_exists` where a neighbour's name (or a folder's on the way) differs
        only by case or Unicode form, because other platforms would take the two for one.

        `leaving`: files that the same change set takes away. `leaving_folders`: folders that it empties; where a file
        system takes the two names for one they are in the way all the same, because the folder would keep its name.
        """
        parts = path.parts
        for count in range(1, len(parts) + 1):
            here = ProjectPath("/".join(parts[:count]))
            with self.folder(here.parent) as folder:
                if folder is None:
                    return
                there = folder.lstat(here.name) is not None
                if there and not _FOLDING_PLATFORM:
                    continue
                names = [name for name in folder.names() if _is_text(name)]
            same = [
                name
                for name in names
                if name != here.name and ProjectPath(name).folded == ProjectPath(here.name).folded
            ]
            for name in same:
                clash = ProjectPath(name) if here.parent is None else here.parent / name
                if clash not in leaving and (there or clash not in leaving_folders):
                    raise ToolRejected(
                        "already_exists",
                        f"{path} differs only by upper and lower case (or Unicode form) from {clash}",
                        hint=f"Use {clash} as it is spelled, or another name.",
                        details={"path": path.text, "existing": clash.text},
                    )

    def _exists_as_spelled(self, path: ProjectPath) -> bool:
        """By listing: opening a short name would find the long one's file."""
        here = path
        while here.parent is not None:
            if is_short_name(ProjectPath(here.name)) and here.name not in self.names(here.parent):
                return False
            here = here.parent
        return not is_short_name(here)

    @contextlib.contextmanager
    def _explained(self, path: ProjectPath) -> Iterator[None]:
        try:
            yield
        except LinkFound as error:
            refuse_link(error.link)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                raise ToolRejected(
                    "forbidden",
                    f"{path}: the system does not let SPARK read it",
                    hint=f"Give this user the right to read it: chmod u+r {path}",
                    details={"path": path.text},
                ) from error
            if error.errno == errno.ENAMETOOLONG:
                raise invalid_arguments({"path": "a shorter path: this file system cannot store it"}) from error
            raise Unavailable(
                "internal",
                f"{path} could not be read: {error.strerror}",
                hint="Check that the project's disk is there, then call again.",
                details={"path": path.text},
                counts=False,
            ) from error


def _is_text(name: str) -> bool:
    """Python keeps bytes that are no UTF-8 as lone surrogates, which neither JSON nor SQLite takes."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def refuse_link(link: str) -> NoReturn:
    raise ToolRejected(
        "path_outside_project",
        f"{link} is a link, and links may lead out of the project, so SPARK neither reads nor writes through them",
        hint="Use a path that is not behind a link, or replace the link by the folder or file itself.",
        details={"path": link, "reason": "link"},
    )
