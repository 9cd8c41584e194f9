"""Game engines: which one a folder belongs to, and the object that knows how to write into its projects.

An engine is one entry of `ENGINES`; what it must provide is `core.engine.Engine`. Engines never write files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from spark.core.engine import Engine
from spark.core.errors import FatalError, SparkError
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity.engine import is_unity_project, open_unity


@dataclass(frozen=True, slots=True)
class EngineKind:
    """One engine. `recognises` looks at a few names only; `needs` says in words what it looks for."""

    name: str
    needs: str
    recognises: Callable[[ProjectFiles], bool]
    open: Callable[[ProjectFiles, ProjectIndex], Engine]


ENGINES: Final[tuple[EngineKind, ...]] = (
    EngineKind("unity", "a Unity project has the folders Assets and ProjectSettings", is_unity_project, open_unity),
)


def detect(files: ProjectFiles, index: ProjectIndex) -> Engine:
    """The engine of a project folder. Raises `FatalError` (2) where the folder is no project of any engine."""
    for kind in ENGINES:
        if kind.recognises(files):
            return kind.open(files, index)
    raise FatalError(
        2,
        f"{files.root.name or files.root} is no game project: " + "; ".join(kind.needs for kind in ENGINES),
        hint=_hint(files),
    )


def _hint(files: ProjectFiles) -> str:
    if files.root.name in ("Assets", "ProjectSettings", "Packages"):
        return "This is a folder inside a project: name the one above it, --project .."
    if _exists(files, "Assets"):
        return "ProjectSettings is missing: is it left out of version control, or is this a package? Name another with --project DIR."
    return "Go into the project's folder, or name it with --project DIR."


def _exists(files: ProjectFiles, name: str) -> bool:
    try:
        return files.stat(ProjectPath(name)) is not None
    except (SparkError, OSError):
        return False
