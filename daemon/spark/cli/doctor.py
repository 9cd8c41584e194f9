"""`doctor`: what is set up how, and for each thing that is not right the line that mends it. Changes nothing, sends nothing out."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from spark import __version__
from spark.cli import exits
from spark.cli.context import Context
from spark.cli.output import size_text
from spark.cli.places import quoted
from spark.cli.starting import find_running
from spark.cli.store import opened_store
from spark.core.errors import FatalError, SparkError
from spark.core.paths import ROOTS

if TYPE_CHECKING:
    from spark.settings import Settings

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `fix` is empty where nothing is to be done."""

    name: str
    state: State
    message: str
    fix: str = ""


def doctor(context: Context) -> int:
    root, project = _project(context)
    checks = [_spark(), project]
    settings: Settings | None = None
    try:
        settings = context.settings(root)
        checks.append(_settings(root, settings.ignored))
    except FatalError as error:
        checks.append(Check("settings", "fail", error.message, error.hint))
    if root is not None:
        checks += [*_identity(root), _daemon(root), _store(root, settings), *_unused(root), _watching(root)]
    checks += [_key(context), *_local_models()]
    settings_wire = _shown_settings(context, settings)
    failed = any(check.state == "fail" for check in checks)
    if context.out.as_json:
        context.out.document({"checks": [asdict(check) for check in checks], "settings": settings_wire})
        return exits.REFUSED if failed else exits.DONE
    for check in checks:
        context.out.text(
            f"{check.state:<4}  {check.name}: {check.message}" + (f"\n      {check.fix}" if check.fix else "")
        )
    if settings_wire:
        context.out.text("\nsettings")
    for name, shown in settings_wire.items():
        value = "-" if shown["value"] is None else shown["value"]
        context.out.text(f"  {name:<20} {value!s:<24} {shown['source']}")
    return exits.REFUSED if failed else exits.DONE


def _spark() -> Check:
    return Check(
        "spark", "ok", f"{__version__}, Python {platform.python_version()} at {sys.executable}, {platform.platform()}"
    )


def _project(context: Context) -> tuple[Path | None, Check]:
    try:
        root = context.root()
    except FatalError as error:
        return None, Check("project", "warn", error.message, error.hint)
    return root, Check("project", "ok", f"{root}, Unity {_unity_version(root) or 'of unknown version'}")


def _unity_version(root: Path) -> str:
    try:
        text = (root / "ProjectSettings" / "ProjectVersion.txt").read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""
    match = re.search(r"^m_EditorVersion:\s*(\S+)", text, re.MULTILINE)
    return match[1] if match else ""


def _settings(root: Path | None, ignored: tuple[str, ...]) -> Check:
    from spark.settings import PROJECT_FILE, config_path

    if ignored:
        what = f"{PROJECT_FILE}: this version does not know {', '.join(ignored)}"
        return Check("settings", "warn", what, "Update SPARK, or take them out.")
    files = [str(config_path())] + ([PROJECT_FILE] if root is not None else [])
    return Check("settings", "ok", f"read from {', '.join(files)} where they exist, and from the environment")


def _shown_settings(context: Context, settings: Settings | None) -> dict[str, Any]:
    """Each setting with its source; the key's is asked of keyring and file too, which the settings do not know."""
    if settings is None:
        return {}
    from spark.adapters.keys import key_status

    shown: dict[str, Any] = settings.to_wire()
    if shown["api_key"]["value"] is None:
        try:
            source = key_status("openai", context.env).source
        except SparkError:
            source = None  # the check of the key says why
        if source is not None:
            shown["api_key"] = {"value": "set", "source": source}
    return shown


def _identity(root: Path) -> Iterator[Check]:
    """Only where something is wrong: the file may be fine as JSON settings and still hold no id, or the other way round."""
    from spark.adapters.identity import read_project_id

    try:
        read_project_id(root)
    except FatalError as error:
        yield Check("project id", "fail", error.message, error.hint)


def _unused(root: Path) -> Iterator[Check]:
    from spark.adapters.checkout import find_checkout, unused_histories

    try:
        checkout = find_checkout(root)
    except FatalError:
        return  # the project's id says why
    for record in unused_histories(checkout) if checkout is not None else ():
        yield Check(
            "older history",
            "warn",
            f"another history of this project lies at {record.data_dir} (of {record.root}); it is not used here",
            f"Only if that folder is gone for good: spark uninstall --purge --project {quoted(record.data_dir.name)}",
        )


def _daemon(root: Path) -> Check:
    try:
        running = find_running(root)
    except FatalError as error:
        return Check("daemon", "warn", error.message, error.hint)
    if running is not None and running.renamed:
        message = f"process {running.pid} still works on the path that this project had before it was renamed"
        return Check("daemon", "fail", message, "spark down")
    if running is None:
        return Check("daemon", "ok", "none runs; `spark ask` and `spark call` start one, `spark up --detach` does too")
    return Check("daemon", "ok", f"runs at {running.url} (process {running.pid})")


def _store(root: Path, settings: Settings | None) -> Check:
    try:
        with opened_store(root, settings) as store:
            report = store.size_report()
            place = store.db.path
    except (FatalError, SparkError) as error:
        return Check("history", "fail", error.message, error.hint)
    used, most = report["storedBytes"], report["maxBytes"]
    message = f"{report['versions']} versions in {place}, {size_text(used)} of at most {size_text(most)}"
    if used > most * 0.9:
        return Check("history", "warn", message, "Raise SPARK_HISTORY_MAX_GB; else the oldest bytes go first.")
    return Check("history", "ok", message)


def _watching(root: Path) -> Check:
    """Whether the system has enough file watches for this project's folders."""
    folders = sum(1 + sum(len(names) for _, names, _ in os.walk(root / top)) for top in ROOTS if (root / top).is_dir())
    try:
        limit = int(Path("/proc/sys/fs/inotify/max_user_watches").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return Check("watcher", "ok", f"{folders} folders; this system sets no limit on watches")
    message = f"{folders} folders of at most {limit} watches of this user"
    if folders * 2 > limit:
        return Check(
            "watcher",
            "warn",
            message + "; with too few, changes are found by scanning, which is slower",
            f"echo fs.inotify.max_user_watches={max(524288, folders * 4)} | sudo tee /etc/sysctl.d/60-spark.conf"
            " && sudo sysctl --system",
        )
    return Check("watcher", "ok", message)


def _key(context: Context) -> Check:
    from spark.adapters.keys import key_status

    try:
        found = key_status("openai", context.env)
    except SparkError as error:
        return Check("key", "fail", error.message, error.hint)
    if found.source is not None:
        return Check("key", "ok", f"openai, from {found.source}")
    why = f" ({found.problem})" if found.problem else ""
    return Check(
        "key", "ok", f"none{why}: the built-in offline model is used unless another is chosen", "spark key set"
    )


def _local_models() -> Iterator[Check]:
    from spark.adapters.models.local_servers import find_local_servers

    for server in asyncio.run(find_local_servers()):
        models = ", ".join(server.models[:8]) or "no models loaded"
        use = f"SPARK_MODEL_BACKEND=chat SPARK_MODEL_URL={server.url} SPARK_MODEL={server.models[0] if server.models else 'NAME'}"
        yield Check("local model", "ok", f"{server.name} at {server.url}: {models}; used only when chosen", use)
