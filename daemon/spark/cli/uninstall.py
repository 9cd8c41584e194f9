"""`uninstall`: says what SPARK has put on this machine and, with `--purge`, removes the history. The projects' files stay."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from spark.cli import exits
from spark.cli.ask import is_terminal
from spark.cli.context import Context
from spark.cli.output import size_text
from spark.core.errors import FatalError


def uninstall(context: Context) -> int:
    folders = _checkouts(context)
    removed: list[Path] = []
    if context.args.purge and folders:
        _refuse_while_in_use(folders)
        if _sure(folders):
            for folder in folders:
                shutil.rmtree(folder)
                removed.append(folder)
    stays = _stays(context, [folder for folder in folders if folder not in removed])
    if context.out.as_json:
        context.out.document({"removed": [str(folder) for folder in removed], "stays": stays})
        return exits.DONE
    for folder in removed:
        context.out.text(f"removed {folder}")
    context.out.text("What stays:" if stays else "Nothing stays beside the projects' own files.")
    for item in stays:
        context.out.text(f"  {item['what']}: {item['path']}\n      remove it: {item['remove']}")
    return exits.DONE


def _checkouts(context: Context) -> list[Path]:
    """Folders with a history, a lock and a log: of the project that `--project` names, else of every project."""
    from spark.adapters.checkout import checkouts_folder, find_checkout

    if context.args.project is not None:
        checkout = find_checkout(context.root())
        return [checkout.data_dir] if checkout is not None and checkout.data_dir.is_dir() else []
    folder = checkouts_folder()
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _refuse_while_in_use(folders: Sequence[Path]) -> None:
    from spark.adapters.checkout import is_locked

    used = [folder for folder in folders if is_locked(folder)]
    if used:
        listed = "".join(f"\n  {folder}" for folder in used)
        raise FatalError(
            exits.CONFLICT,
            f"a daemon uses this history, nothing was removed:{listed}",
            hint="Stop it first: spark down",
        )


def _sure(folders: Sequence[Path]) -> bool:
    """On a terminal the history is removed only after a typed yes; elsewhere `--purge` is the word."""
    if not is_terminal():
        return True
    listed = "".join(f"\n  {folder} ({size_text(_size_bytes(folder))})" for folder in folders)
    sys.stderr.write(f"This removes every kept version of every file, for good:{listed}\nType yes to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == "yes"


def _stays(context: Context, folders: Sequence[Path]) -> list[Mapping[str, str]]:
    from spark.adapters.keys import key_status
    from spark.settings import config_path

    stays = [
        {
            "what": f"history of one project ({size_text(_size_bytes(folder))})",
            "path": str(folder),
            "remove": "spark uninstall --purge",
        }
        for folder in folders
    ]
    configuration = config_path()
    if configuration.exists():
        stays.append({"what": "your settings", "path": str(configuration), "remove": "delete the file"})
    key = key_status("openai", {})
    if key.source is not None:
        stays.append({"what": "the key openai", "path": key.source, "remove": "spark key clear openai"})
    return [*stays, *_in_project(context)]


def _in_project(context: Context) -> list[dict[str, str]]:
    try:
        root = context.root()
    except FatalError:
        if context.args.project is not None:
            raise
        return []
    names = {
        "ProjectSettings/Spark.json": "the project's id",
        ".spark": "staging",
        "Library/Spark": "the daemon's address",
    }
    return [
        {"what": what, "path": str(root / name), "remove": "delete it while no daemon runs"}
        for name, what in names.items()
        if (root / name).exists()
    ]


def _size_bytes(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(path) / name).lstat().st_size
            except OSError:
                continue  # removed meanwhile
    return total
