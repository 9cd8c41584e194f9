"""`uninstall`: says what SPARK has put on this machine and, with `--purge`, removes the history. The projects' files stay."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spark.cli import exits
from spark.cli.approvals import is_terminal
from spark.cli.context import Context
from spark.cli.output import size_text
from spark.cli.places import is_project, quoted
from spark.core.errors import FatalError


@dataclass(frozen=True, slots=True)
class _History:
    """A data folder, and the project's folder that it recorded (perhaps long gone; empty where it recorded none)."""

    folder: Path
    root: str

    @property
    def purge_line(self) -> str:
        return f"spark uninstall --purge --project {quoted(self.root or self.folder.name)}"

    @property
    def shown(self) -> str:
        return f"{self.root or 'an unknown project'} ({size_text(_size_bytes(self.folder))})"


def uninstall(context: Context) -> int:
    if context.args.what == "mergedriver":
        from spark.cli.install import uninstall_mergedriver

        return uninstall_mergedriver(context)
    histories = _named(context) if context.args.project is not None else _all()
    removed: list[_History] = []
    if context.args.purge and histories:
        if not (context.args.yes or context.args.project is not None or is_terminal()):
            raise FatalError(
                exits.USAGE,
                "--purge would remove the histories of all projects, and nobody can be asked here",
                hint="Say so with `spark uninstall --purge --yes`, or name one project with --project.",
            )
        _refuse_while_in_use(histories)
        if context.args.yes or not is_terminal() or _sure(histories):
            for history in histories:
                shutil.rmtree(history.folder)
                removed.append(history)
    stays = _stays(context, [history for history in histories if history not in removed])
    if context.out.as_json:
        context.out.document({"removed": [str(history.folder) for history in removed], "stays": stays})
        return exits.DONE
    for history in removed:
        context.out.text(f"removed {history.folder} (history of {history.root or 'an unknown project'})")
    context.out.text("What stays:" if stays else "Nothing stays beside the projects' own files.")
    for item in stays:
        context.out.text(f"  {item['what']}: {item['path']}\n      remove it: {item['remove']}")
    return exits.DONE


def _all() -> list[_History]:
    """Folders with a history, a lock and a log, of every project."""
    from spark.adapters.data_folders import checkouts_folder

    folder = checkouts_folder()
    if not folder.is_dir():
        return []
    return [_history(path) for path in sorted(folder.iterdir()) if path.is_dir()]


def _history(folder: Path) -> _History:
    from spark.adapters.data_folders import record_of

    record = record_of(folder)
    return _History(folder, "" if record is None else record.root)


def _named(context: Context) -> list[_History]:
    """Those of `--project`: a folder, also one that is long gone, or the id that a data folder is named by."""
    from spark.adapters.checkout import find_checkout

    given: str = context.args.project
    path = Path(os.path.abspath(context.cwd / Path(given).expanduser()))
    places = {str(path), os.path.realpath(path)}
    is_id = re.fullmatch(r"[0-9a-f]{16}", given) is not None
    found = {
        history.folder: history
        for history in _all()
        if history.root in places or (is_id and history.folder.name == given)
    }
    if is_project(path):
        try:
            checkout = find_checkout(path)
        except FatalError:
            checkout = None  # a damaged id: what was recorded for this place is all there is
        if checkout is not None and checkout.data_dir.is_dir():
            found.setdefault(checkout.data_dir, _History(checkout.data_dir, str(checkout.root)))
    elif not found:
        raise FatalError(
            exits.USAGE, f"no history of {path} is kept here", hint="`spark uninstall` lists those that are."
        )
    return list(found.values())


def _refuse_while_in_use(histories: Sequence[_History]) -> None:
    from spark.adapters.data_folders import is_locked

    used = [history for history in histories if is_locked(history.folder)]
    if used:
        listed = "".join(f"\n  {history.folder} (of {history.root or 'an unknown project'})" for history in used)
        raise FatalError(
            exits.CONFLICT,
            f"a daemon uses this history, nothing was removed:{listed}",
            hint=f"Stop it first: spark down --project {quoted(used[0].root)}",
        )


def _sure(histories: Sequence[_History]) -> bool:
    """On a terminal the history is removed only after a typed yes."""
    listed = "".join(f"\n  {history.shown}: {history.folder}" for history in histories)
    sys.stderr.write(f"This removes every kept version of every file, for good:{listed}\nType yes to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == "yes"


def _stays(context: Context, histories: Sequence[_History]) -> list[Mapping[str, str]]:
    from spark.adapters.keys import READ_NAMES, key_status
    from spark.settings import config_path

    stays = [
        {
            "what": f"history of {history.shown}",
            "path": str(history.folder),
            "project": history.root,
            "remove": history.purge_line,
        }
        for history in histories
    ]
    configuration = config_path()
    if configuration.exists():
        stays.append({"what": "your settings", "path": str(configuration), "remove": "delete the file"})
    for name in READ_NAMES:
        key = key_status(name, {})
        if key.source is not None:
            stays.append({"what": f"the key {name}", "path": key.source, "remove": f"spark key clear {name}"})
    return [*stays, *_in_project(context)]


def _in_project(context: Context) -> Iterator[dict[str, str]]:
    try:
        root = context.root()
    except FatalError:
        return  # no project here, or one that is gone
    names = {
        "ProjectSettings/Spark.json": "the project's id",
        ".spark": "staging",
        "Library/Spark": "the daemon's address",
    }
    for name, what in names.items():
        if (root / name).exists():
            yield {"what": what, "path": str(root / name), "remove": "delete it while no daemon runs"}
    from spark.cli.install import is_installed

    if is_installed(root, context.env):
        yield {
            "what": "git's merge driver",
            "path": str(root / ".gitattributes"),
            "remove": f"spark uninstall mergedriver{context.project_flag(root)}",
        }


def _size_bytes(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(path) / name).lstat().st_size
            except OSError:
                continue  # removed meanwhile
    return total
