"""Guids of packages that lie outside of the project's own folders (`Library/PackageCache`, `file:` packages): read-only,
read on demand.

A reference into a package is not broken only because the package is not embedded. Knows nothing of the index. What was
read is kept in a file: a package of the cache never changes under its name, so it is read once.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spark.adapters.index_snapshot import load_cache, save_cache
from spark.core.paths import ProjectPath

if TYPE_CHECKING:
    from spark.adapters.package_folders import PackageFolder, PackageFolders, Stamp
    from spark.adapters.package_table import PackageMetas, PackageTable

Key = tuple[str, int, bytes]
"""Folder, time of the folder, and for packages that are worked on a signature of their metas."""

_YOUNG_NS: Final = 10_000_000_000
"""A package folder that was changed so lately may be one that Unity is still filling."""
_YOUNG_AGAIN_S: Final = 1.0


class PackageGuids:
    """`cache`: where what was read is kept between two runs, None for nowhere. Any thread may ask."""

    def __init__(
        self,
        root: Path,
        cache: Path | None = None,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root = root
        self._known_folders: PackageFolders | None = None
        self._cache = cache
        self._wall_ns = wall_ns
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._stamp: Stamp | None = None
        self._read: dict[Key, PackageMetas] | None = None
        self._young = False
        self._read_at_s = 0.0
        self.table: PackageTable | None = None
        """What is known without looking; None until somebody asked."""
        self.stopping = False

    def path_of_guid(self, guid: bytes) -> ProjectPath | None:
        """`Packages/<name>/…` as Unity shows it. The first call reads every `.meta` of the packages, later ones what Unity
        changed since; what the user changes in a `file:` package is seen by `refresh`."""
        found = self._current().paths(guid)
        return ProjectPath(min(found)) if found else None

    def refresh(self) -> Generator[None, None, None]:
        """Steps that bring the table up to date, `file:` packages included. Holds nobody up who asks meanwhile."""
        yield from self._update(self._folders.stamp())

    def _current(self) -> PackageTable:
        with self._lock:
            stamp = self._folders.stamp()
            again = self._young and self._monotonic_s() - self._read_at_s > _YOUNG_AGAIN_S
            if self.table is None or stamp != self._stamp or again:
                for _ in self._update(stamp):
                    pass
            assert self.table is not None
            return self.table

    @property
    def _folders(self) -> PackageFolders:
        # What packages need is loaded with the first question for one.
        from spark.adapters.package_folders import PackageFolders

        if self._known_folders is None:
            self._known_folders = PackageFolders(str(self._root))
        return self._known_folders

    def _update(self, stamp: Stamp) -> Generator[None, None, None]:
        from spark.adapters.package_table import PackageMetas, PackageTable, read_package

        known = self._read
        if known is None:
            saved = load_cache(self._cache) if self._cache is not None else None
            known = {key: PackageMetas(*metas) for key, metas in saved.items()} if saved is not None else {}
        yield
        read: dict[Key, PackageMetas] = {}
        packages: list[tuple[str, PackageMetas]] = []
        young = False
        for package in _outside(self._folders.by_name()):
            key, is_young = self._key(package)
            yield
            metas = known.get(key)
            if metas is None:
                metas = yield from read_package(package.folder, lambda: self.stopping)
            if is_young:
                young = True
            else:
                read[key] = metas
            packages.append((package.name, metas))
        same = self._read is not None and read.keys() == self._read.keys() and not young and not self._young
        table = self.table if same and self.table is not None else PackageTable(packages)
        yield
        if self.stopping:
            self.table = table
            return
        is_news = read.keys() != known.keys()
        self.table, self._read, self._stamp = table, read, stamp
        self._young, self._read_at_s = young, self._monotonic_s()
        if is_news and self._cache is not None:
            # Only a slower first question at the next start.
            with contextlib.suppress(OSError):
                save_cache(self._cache, {key: tuple(metas) for key, metas in read.items()})

    def _key(self, package: PackageFolder) -> tuple[Key, bool]:
        """The key, and whether what is there now may only be a part of it."""
        from spark.adapters.package_table import signature_of

        try:
            changed_ns = os.stat(package.folder).st_mtime_ns
        except OSError:
            return (package.folder, 0, b""), True
        if package.kind == "local":
            return (package.folder, 0, signature_of(package.folder)), False
        return (package.folder, changed_ns, b""), self._wall_ns() - changed_ns < _YOUNG_NS


def _outside(folders: Mapping[str, PackageFolder]) -> list[PackageFolder]:
    """Packages that the index of the project's own folders does not see."""
    own = ("Assets/", "Packages/")
    return sorted(
        (
            package
            for package in folders.values()
            if package.kind != "embedded" and not (package.inside or "").startswith(own)
        ),
        key=lambda package: package.name,
    )
