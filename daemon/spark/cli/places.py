"""Which project a command is about, and paths as people type them."""

from __future__ import annotations

import os
import shlex
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from spark.core.errors import FatalError
from spark.core.paths import ROOTS, ProjectPath

LEVELS_BELOW: Final = 3
_NEVER_ENTERED: Final = frozenset({"node_modules", "Library", "Temp", "Logs", "obj", "__pycache__"})


def is_project(folder: Path) -> bool:
    # Not `Path.is_dir`: it raises where a folder may not be looked into.
    return os.path.isdir(folder / "Assets") and os.path.isdir(folder / "ProjectSettings")


def find_project(explicit: str | None, cwd: Path) -> Path:
    """The real path of the project that is meant.

    `--project` where given; else the current folder or the nearest above it; else the only one within three levels below.
    Raises `FatalError` (2) with what was looked at.
    """
    if explicit is not None:
        folder = _real(cwd / Path(explicit).expanduser())
        if not is_project(folder):
            raise FatalError(
                2,
                f"{folder} is no Unity project: it needs the folders Assets/ and ProjectSettings/",
                hint="Name the folder that holds both with --project DIR.",
            )
        return folder
    for folder in (cwd, *cwd.parents):
        if is_project(folder):
            return _real(folder)
    below = sorted(_projects_below(cwd, LEVELS_BELOW))
    if len(below) == 1:
        return _real(below[0])
    if below:
        listed = "".join(f"\n  {path}" for path in below)
        raise FatalError(2, f"several Unity projects lie below {cwd}:{listed}", hint="Choose one with --project DIR.")
    raise FatalError(
        2,
        f"no Unity project found: looked at {cwd}, the folders above it and {LEVELS_BELOW} levels below",
        hint="Go into a project, or name it with --project DIR. `spark demo` makes a sample project.",
    )


def quoted(text: str) -> str:
    """An argument as it is typed into this system's shell."""
    return f'"{text}"' if os.name == "nt" else shlex.quote(text)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _projects_below(folder: Path, levels: int) -> Iterator[Path]:
    try:
        entries = [
            entry
            for entry in os.scandir(folder)
            if not entry.name.startswith(".")
            and entry.name not in _NEVER_ENTERED
            and entry.is_dir(follow_symlinks=False)
        ]
    except OSError:
        return  # a folder that may not be read holds no project of this user
    for entry in entries:
        path = Path(entry.path)
        if is_project(path):
            yield path
        elif levels > 1:
            yield from _projects_below(path, levels - 1)


def project_path(root: Path, cwd: Path, raw: str, *, field: str = "path") -> ProjectPath:
    """What a person typed as a path inside the project: absolute, relative to the project or to the current folder.

    Relative to the current folder wins where such a file exists. Raises `path_outside_project` or `invalid_arguments`.
    """
    return ProjectPath.parse(project_text(root, cwd, raw), field=field)


def project_text(root: Path, cwd: Path, raw: str) -> str:
    """The same without the check: the daemon's fence judges it."""
    text = unicodedata.normalize("NFC", raw).rstrip("/\\") or raw
    candidate = Path(os.path.normpath(cwd / text))
    inside = _below(root, candidate)
    named_from_root = text.replace("\\", "/").split("/", 1)[0] in ROOTS
    if inside is not None and (candidate.exists() or not named_from_root):
        return inside
    return text.replace("\\", "/") if os.name == "nt" else text


def _below(root: Path, path: Path) -> str | None:
    for base in (root, _real(root)):
        for candidate in (path, _real(path.parent) / path.name):
            if candidate != base and candidate.is_relative_to(base):
                return candidate.relative_to(base).as_posix()
    return None


def attachment(root: Path, cwd: Path, raw: str) -> str:
    """`PATH`, `PATH#Root/Object`, `@selection`, `@errors`: the path made relative to the project."""
    if raw.startswith("@"):
        return raw
    path, mark, rest = raw.partition("#")
    return project_text(root, cwd, path) + mark + rest
