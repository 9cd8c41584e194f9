"""What lies in the project at this moment, where the index may not know it yet: asked for references that a change adds.

Looks at names and `.meta` files through the ports.
"""

from __future__ import annotations

from typing import Final

from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.patience import go_on
from spark.engines.unity.checks.names import is_ignored
from spark.engines.unity.checks.project import ProjectChecks

_MOST_READ: Final = 5_000


def present(checks: ProjectChecks, path: ProjectPath, guid: str) -> bool:
    """Whether the `.meta` of an asset that the index knows still gives it this guid. A package outside of the project is taken
    as the index has it."""
    facts = checks.facts(path.meta)
    if facts is None:
        return checks.exists(path.meta)
    return facts.kind != "meta" or not facts.guid or facts.guid == guid


def unindexed(checks: ProjectChecks) -> dict[str, ProjectPath]:
    """Assets by guid whose `.meta` the index does not know or knows otherwise; asked only where a guid leads nowhere."""
    folders = {parent for entry in checks.index.entries() for parent in _parents(entry.path.text)}
    found: dict[str, ProjectPath] = {}
    waiting = [ProjectPath("Assets"), *(ProjectPath(f"Packages/{name}") for name in checks.files.embedded_packages)]
    left = _MOST_READ
    while waiting and left:
        go_on()
        folder = waiting.pop()
        for name in _names(checks, folder):
            path = ProjectPath(f"{folder.text}/{name}")
            if is_ignored(name):
                continue
            if path.is_meta:
                if left and _is_news(checks, path):
                    left -= 1
                    facts = checks.facts(path)
                    if facts is not None and facts.guid:
                        found[facts.guid] = path.asset
            elif path.text in folders or (checks.index.entry(path) is None and _is_folder(checks, path)):
                waiting.append(path)
    return found


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _names(checks: ProjectChecks, folder: ProjectPath) -> list[str]:
    try:
        return checks.files.names(folder)
    except (SparkError, OSError):
        return []


def _is_news(checks: ProjectChecks, path: ProjectPath) -> bool:
    known = checks.index.entry(path)
    if known is None:
        return True
    try:
        found = checks.files.stat(path)
    except (SparkError, OSError):
        return False
    return found is not None and (found.size, found.mtime_ns) != (known.size, known.mtime_ns)


def _is_folder(checks: ProjectChecks, path: ProjectPath) -> bool:
    try:
        found = checks.files.stat(path)
    except (SparkError, OSError):
        return False
    return found is not None and found.is_folder
