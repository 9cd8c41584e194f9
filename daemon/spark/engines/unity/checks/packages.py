"""Packages that the project needs and that are not on disk: what refers into them cannot be judged.

In CI there is often no `Library/PackageCache`. Knows only names; what lies in a package is the index's business.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles

MANIFEST: Final = ProjectPath("Packages/manifest.json")
_LOCK: Final = ProjectPath("Packages/packages-lock.json")
_LIMIT_BYTES: Final = 8 * 1024 * 1024
_MODULES: Final = "com.unity.modules."
"""Parts of the Editor itself: they hold no assets."""


@dataclass(frozen=True, slots=True)
class MissingPackage:
    """`line` of the file that names it. Without a name: the project has no manifest, so nobody knows its packages."""

    name: str
    version: str
    path: ProjectPath
    line: int


def missing_packages(files: ProjectFiles) -> list[MissingPackage]:
    """Sorted by name. Dependencies of packages are those that the lock file lists."""
    if not _text(files, MANIFEST).strip():
        return [MissingPackage("", "", MANIFEST, 0)]
    found: dict[str, MissingPackage] = {}
    for path in (_LOCK, MANIFEST):
        text = _text(files, path)
        for name, version in _dependencies(text).items():
            if not name.startswith(_MODULES) and not _is_on_disk(files, name):
                line = text.count("\n", 0, max(0, text.find(json.dumps(name)))) + 1
                found[name] = MissingPackage(name, version, path, line)
    return [found[name] for name in sorted(found)]


def _text(files: ProjectFiles, path: ProjectPath) -> str:
    try:
        content = files.read(path, limit_bytes=_LIMIT_BYTES)
    except (SparkError, OSError):
        return ""
    return (content or b"").decode("utf-8", "replace")


def _dependencies(text: str) -> dict[str, str]:
    try:
        value: Any = json.loads(text.removeprefix("\ufeff") or "{}")
    except (ValueError, RecursionError):
        return {}
    listed = value.get("dependencies") if isinstance(value, dict) else None
    if not isinstance(listed, dict):
        return {}
    return {str(name): _version(entry) for name, entry in listed.items() if _is_package(str(name))}


def _is_package(name: str) -> bool:
    return bool(name) and "/" not in name and "\\" not in name and name not in (".", "..")


def _version(entry: object) -> str:
    version = entry.get("version") if isinstance(entry, dict) else entry
    return version[:100] if isinstance(version, str) else ""


def _is_on_disk(files: ProjectFiles, name: str) -> bool:
    try:
        # Where Unity would look: embedded, in the package cache, or at a `file:` path.
        return files.stat(ProjectPath(f"Packages/{name}/package.json")) is not None
    except SparkError as error:
        # Outside of the project: there, its guids known, and nothing else read of it.
        return error.code == "path_outside_project" and error.details.get("reason") == "local package"
    except OSError:
        return False
