"""Which line makes a write-protected file writable: the user's version control often protects files on purpose.

Reads marker files only, starts no process. Must not decide whether a file is protected.
"""

from __future__ import annotations

import fnmatch
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from spark.adapters.beneath import read_ordinary
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath

_P4_VARIABLES = ("P4CLIENT", "P4PORT", "P4CONFIG")
_ATTRIBUTES_LIMIT_BYTES = 1024 * 1024


def read_only(root: Path, path: ProjectPath, why: str, env: Mapping[str, str] = os.environ) -> ToolRejected:
    """The refusal for a file (or the folder of a new file) that may not be written, with the line that fits."""
    line = unlock_line(root, path, env)
    return ToolRejected(
        "read_only",
        f"{path}: {why}",
        hint=f"Run: {line}",
        details={"path": path.text, "command": line},
    )


def unlock_line(root: Path, path: ProjectPath, env: Mapping[str, str] = os.environ) -> str:
    """`git lfs lock PATH`, `p4 edit PATH`, `cm checkout PATH` or `chmod u+w PATH`, to be run in the project folder."""
    quoted = shlex.quote(path.text)
    if _is_lockable(root, path):
        return f"git lfs lock {quoted}"
    names = {".p4config", env.get("P4CONFIG") or ".p4config"}
    if any(env.get(name) for name in _P4_VARIABLES) or any(
        (up / name).is_file() for up in _upwards(root) for name in names
    ):
        return f"p4 edit {quoted}"
    if any((up / ".plastic").is_dir() for up in _upwards(root)):
        return f"cm checkout {quoted}"
    return f"chmod u+w {quoted}"


def _upwards(root: Path) -> Iterator[Path]:
    yield root
    yield from root.parents


def _is_lockable(root: Path, path: ProjectPath) -> bool:
    """Whether .gitattributes mark the file `lockable`; later lines and deeper files win, macros are followed."""
    repository = next((up for up in _upwards(root) if (up / ".git").exists()), None)
    if repository is None:
        return False
    relative = (root / path.text).relative_to(repository)
    folders = [repository]
    for part in relative.parts[:-1]:
        folders.append(folders[-1] / part)
    macros: dict[str, list[str]] = {}
    lockable = False
    for folder in folders:
        data = read_ordinary(folder / ".gitattributes", _ATTRIBUTES_LIMIT_BYTES)
        if data is None:
            continue
        text = data.decode("utf-8", "replace")
        below = (repository / relative).relative_to(folder).as_posix()
        for line in text.splitlines():
            pattern, *attributes = line.split() or [""]
            if pattern.startswith("[attr]"):
                macros[pattern[len("[attr]") :]] = attributes
            elif pattern and not pattern.startswith("#") and _matches(pattern, below):
                for attribute in _expanded(attributes, macros):
                    if attribute.lstrip("-!") == "lockable":
                        lockable = attribute == "lockable"
    return lockable


def _expanded(attributes: list[str], macros: Mapping[str, list[str]]) -> Iterator[str]:
    for attribute in attributes:
        yield attribute
        yield from macros.get(attribute, ())


def _matches(pattern: str, below: str) -> bool:
    name = pattern.strip('"').removeprefix("/")
    if "/" not in pattern:
        return fnmatch.fnmatchcase(below.rsplit("/", 1)[-1], name)
    if name.startswith("**/"):
        return fnmatch.fnmatchcase(below, name) or fnmatch.fnmatchcase(below, name[3:])
    return fnmatch.fnmatchcase(below, name)
