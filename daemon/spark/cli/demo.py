"""`demo`: the main job in one go. Everything it prints is read back from disk, from the events and from the history."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from spark.cli import exits
from spark.cli.approvals import is_terminal
from spark.cli.ask import TurnView, run_turn
from spark.cli.client import Answer, DaemonClient
from spark.cli.context import Context
from spark.cli.daemon import stop
from spark.cli.history import all_versions, file_diff, turn_pairs
from spark.cli.output import one_line, printable
from spark.cli.places import find_project, is_project, quoted
from spark.cli.starting import Running, find_usable, start_detached
from spark.cli.store import opened_store
from spark.core.errors import FatalError
from spark.core.limits import IDLE_SHUTDOWN_S

SAMPLE_FOLDER: Final = "spark-demo"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to do where. `undoes`: the last prompt is taken back at the end (the sample's own prompts only)."""

    root: Path
    prompts: tuple[str, ...]
    undoes: bool


def demo(context: Context) -> int:
    plan = _plan(context)
    if not plan.prompts:
        context.out.note("no prompt was given, so nothing was sent")
        return _goodbye(context, plan)
    settings = context.settings(plan.root)
    running = find_usable(plan.root)
    started = running is None
    if running is None:
        running = start_detached(plan.root, env=context.env, idle_stop_s=IDLE_SHUTDOWN_S)
    context.out.text(f"Daemon:  {running.url} (process {running.pid}{', started for this demo' if started else ''})")
    if settings.model_backend == "offline" or (settings.model_backend is None and not _has_key(context)):
        context.out.text("Model:   the built-in offline model (no key): it knows a few fixed skills, and says so")
    try:
        status = _show_main_job(context, plan, running)
    finally:
        if started:
            stop(running)
            context.out.text("\nThe daemon of this demo was stopped.")
    return status or _goodbye(context, plan)


def _has_key(context: Context) -> bool:
    from spark.adapters.keys import find_key

    return find_key("openai", context.env) is not None


def _plan(context: Context) -> _Plan:
    """An existing project that is named is the user's: there only the user's own prompts are sent."""
    given: list[str] = context.args.prompts
    folder = (context.cwd / Path(context.args.project or SAMPLE_FOLDER).expanduser()).resolve()
    if context.args.project is not None and (given or is_project(folder)):
        root = find_project(context.args.project, context.cwd)
        context.out.text(f"Project: {root}")
        if not given and is_terminal():
            given = [line] if (line := input("Prompt (empty: none): ").strip()) else []
        return _Plan(root, tuple(given), undoes=False)
    if given:
        raise FatalError(
            exits.USAGE, "prompts of your own need a project of your own", hint="spark demo --project DIR PROMPT ..."
        )
    _make_sample(context, folder)
    return _Plan(folder, _sample_prompts(folder), undoes=True)


def _make_sample(context: Context, folder: Path) -> None:
    from spark.engines.unity.sample import create_sample_project

    if is_project(folder):
        context.out.text(f"Project: {folder} (taken, it was there)")
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FatalError(
            exits.USAGE, f"{folder} is there and no Unity project", hint="Move it away, or go into another folder."
        )
    create_sample_project(folder)
    context.out.text(f"Project: {folder} (a small Unity project, made for this demo)")


def _sample_prompts(root: Path) -> tuple[str, ...]:
    """Four prompts for assets that the project does not have yet, so that the demo can be run again."""
    taken = {path.stem for path in (root / "Assets").rglob("*") if path.suffix in (".cs", ".prefab")}
    number = 1
    while any(f"{name}{_suffix(number)}" in taken for name in ("PlayerController", "PlayerHealth", "Player")):
        number += 1
    suffix = _suffix(number)
    return (
        f"Create a player controller script called PlayerController{suffix}",
        f"Create a health script called PlayerHealth{suffix}",
        f"Create a cube prefab called Player{suffix} with Rigidbody and PlayerHealth{suffix}",
        f'Replace "maxHealth = 100f" with "maxHealth = 150f" in PlayerHealth{suffix}.cs',
    )


def _suffix(number: int) -> str:
    return "" if number == 1 else str(number)


def _show_main_job(context: Context, plan: _Plan, running: Running) -> int:
    last: TurnView | None = None
    for number, prompt in enumerate(plan.prompts, start=1):
        context.out.text(f"\n[{number}] {printable(prompt)}")
        last = run_turn(running.client, {"text": prompt, "mode": "auto"}, context.out, context.project_flag(plan.root))
        _show_files(context, plan.root, last.changes)
        _show_changed_lines(context, plan.root, last.turn_id)
        if status := last.exit_status():
            return status
    _show_history(context, plan.root)
    if plan.undoes and last is not None:
        return _undo(context, plan, running.client, last)
    return exits.DONE


def _show_files(context: Context, root: Path, changes: Sequence[Mapping[str, Any]]) -> None:
    """What lies on disk now, checked against what the daemon said."""
    for change in changes:
        path = root / str(change.get("path"))
        if not path.is_file():
            context.out.text(f"    on disk: {change.get('path')} is gone")
            continue
        content = path.read_bytes()
        same = hashlib.sha256(content).hexdigest() == change.get("sha256After")
        told = "" if same else ", NOT what was reported"
        lines = content.count(b"\n")
        detail = f", {_guid(content)}" if path.suffix == ".meta" else f", {lines} lines"
        context.out.text(f"    on disk: {change.get('path')}, {len(content)} bytes{detail}{told}")


def _guid(meta: bytes) -> str:
    lines = meta.decode("utf-8", "replace").splitlines()
    return next((line for line in lines if line.startswith("guid:")), "no guid")


def _show_changed_lines(context: Context, root: Path, turn_id: str) -> None:
    """What the history says that a turn changed in files that were there before."""
    with opened_store(root) as store:
        for before, after in turn_pairs(store, turn_id):
            if before is None or before.sha256 is None or after.sha256 is None:
                continue
            for line in str(file_diff(store, before, after)["diff"]).splitlines():
                if line.startswith(("-", "+")) and not line.startswith(("---", "+++")):
                    context.out.text(f"      {printable(line)}")


def _show_history(context: Context, root: Path) -> None:
    context.out.text("\nHistory, newest first:")
    with opened_store(root) as store:
        for number, version in enumerate(all_versions(store)):
            if number == 20:
                context.out.text("  ...")
                break
            prompt = f'  "{one_line(version.prompt, 56)}"' if version.prompt else ""
            context.out.text(f"  {version.version_id}  {version.action:<8}  {printable(version.path)}{prompt}")


def _undo(context: Context, plan: _Plan, client: DaemonClient, turn: TurnView) -> int:
    context.out.text(
        f"\nUndo of prompt {len(plan.prompts)}:  spark undo {turn.turn_id}{context.project_flag(plan.root)}"
    )
    answer: Answer = client.exchange(f"/v1/turns/{turn.turn_id}/undo", {})
    body = answer.body if isinstance(answer.body, Mapping) else {}
    if context.out.as_json:
        context.out.record({"type": "undone", "turnId": turn.turn_id, "answer": body})
    if not body.get("success"):
        error = body.get("error") or {}
        context.out.note(f"spark: the undo was refused: {error.get('message')} ({error.get('code')})")
        return exits.status_of_code(str(error.get("code")))
    _show_files(context, plan.root, body.get("changes") or ())
    _show_changed_lines(context, plan.root, str(body.get("turnId")))
    for change in turn.changes:
        path = plan.root / str(change.get("path"))
        now = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if now != change.get("sha256Before"):
            context.out.note(f"spark: {change.get('path')} is not what it was before the prompt")
            return exits.REFUSED
    context.out.text("    the files are byte for byte what they were before that prompt; the history keeps both")
    return exits.DONE


def _goodbye(context: Context, plan: _Plan) -> int:
    where = f"--project {quoted(str(plan.root))}"
    context.out.text(
        f'\nGo on with:\n  spark ask "..." {where}\n  spark history {where}\n  spark doctor {where}'
        "\nA key makes it a real model: spark key set (or a local one, see README.md)."
    )
    return exits.DONE
