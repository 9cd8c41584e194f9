"""Scripts and assembly definitions of packages that are not part of the project (`Library/PackageCache`): which there are.

The index lists only the project's own files, so the folders of packages are looked through, once for each version of a
package and only when a class is not found in the project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles

MAX_FOLDERS: Final = 20_000
_LIMIT_BYTES: Final = 8 * 1024 * 1024
_FILE: Final = re.compile(r".*\.[A-Za-z0-9]{1,8}")


class PackageScripts:
    """Keeps what it has seen until the version of a package changes."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, dict[str, list[ProjectPath]]]] = {}

    def named(self, stem: str, files: ProjectFiles) -> list[ProjectPath]:
        """Scripts with this name (without `.cs`) in packages that lie outside of the project's own folders, sorted. Their
        tests, which Unity compiles only on demand, are left out."""
        found: list[ProjectPath] = []
        for package in packages(files):
            if package not in files.embedded_packages:
                found += self._seen(package, files).get(f"{stem}.cs", [])
        return sorted(path for path in found if "Tests" not in path.parts)

    def assemblies(self, files: ProjectFiles) -> frozenset[str]:
        """The names of the assemblies that those packages define."""
        found: set[str] = set()
        for package in packages(files):
            if package in files.embedded_packages:
                continue
            for name, paths in self._seen(package, files).items():
                if name.endswith(".asmdef"):
                    found |= {_assembly_name(path, files) for path in paths}
        return frozenset(found)

    def _seen(self, package: str, files: ProjectFiles) -> dict[str, list[ProjectPath]]:
        root = ProjectPath(f"Packages/{package}")
        try:
            manifest = files.stat(root / "package.json")
        except (SparkError, OSError):
            return {}
        if manifest is None:
            return {}
        stamp = (manifest.size, manifest.mtime_ns, manifest.inode)
        known = self._known.get(package)
        if known is None or known[0] != stamp:
            names: dict[str, list[ProjectPath]] = {}
            for path in _files_below(root, files):
                names.setdefault(path.name, []).append(path)
            known = self._known[package] = (stamp, names)
        return known[1]


def _assembly_name(path: ProjectPath, files: ProjectFiles) -> str:
    name = _json(path, files).get("name")
    return name if isinstance(name, str) and name else path.stem


def packages(files: ProjectFiles) -> list[str]:
    """All packages that the project uses, by its lock and its manifest, sorted."""
    names: set[str] = set()
    for path in ("Packages/packages-lock.json", "Packages/manifest.json"):
        names |= _dependencies(ProjectPath(path), files).keys()
    return sorted(name for name in names if re.fullmatch(r"[A-Za-z0-9._-]+", name))


def _dependencies(path: ProjectPath, files: ProjectFiles) -> dict[str, Any]:
    found = _json(path, files).get("dependencies")
    return found if isinstance(found, dict) else {}


def _json(path: ProjectPath, files: ProjectFiles) -> dict[str, Any]:
    try:
        value = json.loads((files.read(path, limit_bytes=_LIMIT_BYTES) or b"{}").removeprefix(b"\xef\xbb\xbf"))
    except (SparkError, OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _files_below(root: ProjectPath, files: ProjectFiles) -> Iterator[ProjectPath]:
    waiting = [root]
    looked = 0
    while waiting and looked < MAX_FOLDERS:
        folder = waiting.pop()
        looked += 1
        try:
            names = files.names(folder)
        except (SparkError, OSError):
            continue
        for name in names:
            if name.endswith((".cs", ".asmdef")):
                yield folder / name
            elif name.startswith(".") or name.endswith("~"):
                continue
            elif not _FILE.fullmatch(name) or _is_folder(folder / name, files):
                waiting.append(folder / name)


def _is_folder(path: ProjectPath, files: ProjectFiles) -> bool:
    """Names with a dot are files nearly always; of those with a `.meta`-like ending that is certain."""
    if path.text.endswith(
        (".meta", ".png", ".json", ".md", ".asset", ".prefab", ".mat", ".shader", ".hlsl", ".txt", ".asmdef")
    ):
        return False
    try:
        found = files.stat(path)
    except (SparkError, OSError):
        return False
    return found is not None and found.is_folder
