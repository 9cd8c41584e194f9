"""Which files of a project changed since a commit, asked of git.

Only reads: git gets no lock, and runs no program that the repository's configuration names (filters, monitors, comparers).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spark.adapters.index_record import guid_of_meta
from spark.core.errors import FatalError

_QUIET: Final = (
    "--no-optional-locks",
    *("-c", "core.fsmonitor=false", "-c", "core.untrackedCache=keep", "-c", "diff.autoRefreshIndex=false"),
    # What a partial clone lacks would be fetched, by programs that the configuration may choose.
    *("-c", "protocol.allow=never"),
)
_FILTER: Final = re.compile(r"filter\.(.+)\.[^.]+", re.DOTALL | re.IGNORECASE)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LIMIT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Since:
    """Paths from the project's folder. `gone_guids`: guids that deleted or changed `.meta` files had."""

    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    gone_guids: tuple[str, ...]


def changed_since(root: Path, ref: str) -> Since:
    """What differs between a commit and the working tree, files that git does not know yet included.

    Raises `FatalError` (2) where there is no git, no repository or no such commit, (5) where git fails.
    """
    if shutil.which("git") is None:
        raise FatalError(
            2, "--since needs git, and there is none on the PATH", hint="Install git, or leave --since out."
        )
    if _git(root, ["rev-parse", "--is-inside-work-tree"], check=False).strip() != b"true":
        raise FatalError(
            2, f"--since: {root} lies in no git repository", hint="Leave --since out: all files are checked."
        )
    commit = (
        b""
        if ref.startswith("-")
        else _git(root, ["rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"], check=False)
    )
    name = commit.decode("ascii", "replace").strip()
    if _COMMIT.fullmatch(name) is None:
        hint = "Name a branch, a tag or a commit. In CI, fetch it first: a shallow clone has only the newest commit."
        raise FatalError(2, f"--since: git knows no commit {ref[:80]!r}", hint=hint)
    off = _filters_off(root)
    diff = [
        *off,
        "diff",
        "--name-only",
        "-z",
        "--relative",
        "--no-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules",
    ]
    differing = _paths(_git(root, [*diff, name, "--", "."]))
    deleted = _paths(_git(root, [*diff, "--diff-filter=D", name, "--", "."]))
    untracked = _paths(_git(root, [*off, "ls-files", "--others", "--exclude-standard", "-z", "--", "."]))
    changed = {path for path in (*differing, *untracked) if os.path.lexists(root / path)}
    gone = [path for path in deleted if path not in changed]
    metas = [path for path in differing if path.endswith(".meta")]
    return Since(tuple(sorted(changed)), tuple(sorted(gone)), _lost_guids(root, name, metas))


def _filters_off(root: Path) -> list[str]:
    """Options that take the programs from all filters: files are compared as they lie on the disk. A file that a filter changes
    may then count as changed; it is looked at once more, and nothing is missed."""
    names: set[str] = set()
    # 1: there are none.
    for key in _git(root, ["config", "--name-only", "-z", "--get-regexp", r"^filter\."], check=False).split(b"\0"):
        found = _FILTER.fullmatch(key.decode("utf-8", "surrogateescape"))
        if found is not None:
            names.add(found.group(1))
    options: list[str] = []
    for name in sorted(names):
        if "=" in name:
            raise FatalError(
                2,
                f"--since: git is configured with a filter of the odd name {name[:80]!r}, whose program cannot be kept from running",
                hint="Rename the filter in the git configuration, or leave --since out.",
            )
        for setting in ("clean=", "smudge=", "process=", "required=false"):
            options += ("-c", f"filter.{name}.{setting}")
    return options


def _lost_guids(root: Path, commit: str, metas: Sequence[str]) -> tuple[str, ...]:
    """Guids that these `.meta` files had in the commit and have no more."""
    lost: set[str] = set()
    asked = [path for path in metas if "\n" not in path]
    if not asked:
        return ()
    lines = "".join(f"{commit}:./{path}\n" for path in asked)
    answer = _git(root, ["cat-file", "--batch"], given=lines.encode("utf-8", "surrogateescape"))
    at = 0
    for path in asked:
        end = answer.find(b"\n", at)
        head = answer[at:end].rsplit(b" ", 2)
        at = end + 1
        if len(head) != 3 or head[1] != b"blob":
            continue  # it is new
        size = int(head[2])
        before = guid_of_meta(answer[at : at + size])
        at += size + 1
        try:
            after = guid_of_meta((root / path).read_bytes())
        except OSError:
            after = None
        if before is not None and before != after:
            lost.add(before.hex())
    return tuple(sorted(lost))


def _paths(answer: bytes) -> list[str]:
    """Names that are no UTF-8 are none of a project's."""
    found: list[str] = []
    for raw in answer.split(b"\0"):
        try:
            found.append(raw.decode("utf-8"))
        except UnicodeDecodeError:
            continue
    return [path for path in found if path]


def _git(root: Path, arguments: Sequence[str], *, given: bytes | None = None, check: bool = True) -> bytes:
    try:
        done = subprocess.run(
            ["git", *_QUIET, *arguments],
            cwd=root,
            input=given if given is not None else b"",
            capture_output=True,
            env={**os.environ, "GIT_NO_LAZY_FETCH": "1"},
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FatalError(5, f"git {_named(arguments)} took longer than {_LIMIT_S:.0f} s") from None
    except OSError as error:
        raise FatalError(5, f"git could not be run: {error.strerror}") from error
    if done.returncode != 0 and check:
        said = done.stderr.decode("utf-8", "replace").strip()[:300]
        raise FatalError(
            5, f"git {_named(arguments)} failed: {said}", hint="Run it in the project's folder to see why."
        )
    return done.stdout


def _named(arguments: Sequence[str]) -> str:
    """The command among its options."""
    return next((one for at, one in enumerate(arguments) if one != "-c" and (at == 0 or arguments[at - 1] != "-c")), "")
