"""Approvals at a terminal: the diff, then one question for each asset. Knows what a change looks like on the wire, nothing of turns."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from spark.cli.output import Output, printable

_VERBS: Final = {"created": "Create", "modified": "Change", "deleted": "Delete", "moved": "Move here:"}


@dataclass(slots=True)
class Unit:
    """What one question is about: an asset with its `.meta`. `new_folders`: metas of folders that are made for it."""

    asset: str
    action: str
    paths: list[str] = field(default_factory=list)
    new_folders: list[str] = field(default_factory=list)


def is_terminal() -> bool:
    """Whether a person can be asked: questions go to stderr, answers come from stdin."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def decide_on_terminal(event: Mapping[str, Any], out: Output) -> tuple[str, list[str] | None]:
    """Shows the diff and asks for each asset: yes, no, or all of the rest.

    Returns the decision and, where only a part was accepted, the accepted assets with their metas: which folders they need
    is the daemon's to know.
    """
    changes = [change for change in event.get("changes", ()) if isinstance(change, Mapping)]
    out.note("\n" + printable(str(event.get("diff") or "(no text to show)")).rstrip("\n"))
    if event.get("reason") == "headMoved":
        out.note("! git's HEAD moved since the prompt: another branch or commit is checked out now")
    if event.get("reason") == "manyFiles":
        out.note("! this turn deletes or replaces more than ten existing files (an asset and its .meta count as one)")
    units = units_of(changes)
    accepted: list[Unit] = []
    made: set[str] = set()
    take_rest = False
    for unit in units:
        if not take_rest:
            answer = _question(_asked(unit, len(set(unit.new_folders) - made)))
            take_rest = answer == "a"
            if answer == "n":
                continue
        accepted.append(unit)
        made.update(unit.new_folders)
    if len(accepted) == len(units):
        return "accept", None
    return ("accept", [path for unit in accepted for path in unit.paths]) if accepted else ("reject", None)


def units_of(changes: Sequence[Mapping[str, Any]]) -> list[Unit]:
    """The changes as questions. A folder's meta is none of its own where something in that folder changes too."""
    actions = {str(change.get("path")): str(change.get("action")) for change in changes}
    folders = {path for path in actions if _is_folder_meta(path, actions)}
    units: dict[str, Unit] = {}
    for path, action in actions.items():
        if path in folders:
            continue
        asset = path.removesuffix(".meta")
        asset = asset if asset in actions else path
        units.setdefault(asset, Unit(asset, actions.get(asset, action))).paths.append(path)
    for unit in units.values():
        unit.new_folders = [
            meta
            for meta in folders
            if actions[meta] == "created" and unit.asset.startswith(meta.removesuffix(".meta") + "/")
        ]
    return list(units.values())


def _is_folder_meta(path: str, actions: Mapping[str, str]) -> bool:
    folder = path.removesuffix(".meta")
    if folder == path or folder in actions:
        return False
    return any(other.startswith(folder + "/") for other in actions)


def _asked(unit: Unit, new_folders: int) -> str:
    with_meta = " and its .meta" if len(unit.paths) > 1 else ""
    with_folders = f" and {new_folders} new folder{'s' if new_folders > 1 else ''}" if new_folders else ""
    return f"{_VERBS.get(unit.action, 'Change')} {printable(unit.asset)}{with_meta}{with_folders}? [y]es, [n]o, [a]ll: "


def _question(text: str) -> str:
    while True:
        print(text, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return "n"  # the terminal is gone: nothing is written without a yes
        answer = line.strip().lower()[:1]
        if answer in ("y", "n", "a"):
            return answer
