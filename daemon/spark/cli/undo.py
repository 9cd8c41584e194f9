"""`restore`, `undo`, `gc`: the commands that change files or the store by what the history holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from spark.cli import exits
from spark.cli.call import settled, show_answer, show_changes
from spark.cli.context import Context
from spark.cli.history import all_versions, last_turn
from spark.cli.output import printable, size_text
from spark.cli.starting import connect
from spark.cli.store import opened_store, store_path
from spark.cli.times import since_to_utc
from spark.core.errors import FatalError, ToolRejected


def restore(context: Context) -> int:
    root = context.root()
    client = connect(context, root)
    answer = client.exchange(f"/v1/versions/{quote(context.args.version, safe='')}/restore", {})
    return _show(context, settled(context, client, answer.body))


def undo(context: Context) -> int:
    root = context.root()
    turns = _turns(context)
    body: dict[str, Any] = {"turns": turns[1:]} if len(turns) > 1 else {}
    if context.args.dry_run:
        body["dryRun"] = True
    client = connect(context, root)
    answer = client.exchange(f"/v1/turns/{quote(turns[0], safe='')}/undo", body)
    return _show(context, settled(context, client, answer.body))


def _show(context: Context, body: Any) -> int:
    """Refusals and `--json` as for every call; for people what changed, or with `--dry-run` the diff of what would."""
    if context.out.as_json or not isinstance(body, Mapping) or body.get("success") is False:
        return show_answer(context, body)
    result = body.get("result") or {}
    if result.get("dryRun"):
        if result.get("diff"):
            context.out.text(printable(str(result["diff"])).rstrip("\n"))
        for change in result.get("wouldChange") or ():
            context.out.note(f"would be {change.get('action', 'changed')}: {printable(str(change.get('path')))}")
    for path in result.get("keptEdits") or ():
        context.out.note(f"your later edits are kept: {printable(str(path))}")
    show_changes(context, body)
    if not body.get("changes") and not result.get("wouldChange"):
        context.out.text("nothing to do: already so")
    return exits.DONE


def _turns(context: Context) -> list[str]:
    """The turns that are meant: those named, those since a time (newest first), else the last that changed a file."""
    named: list[str] = context.args.turns
    since: str | None = context.args.since
    if named and since:
        raise FatalError(
            exits.USAGE, "--since and TURN exclude each other", hint="spark undo [TURN ...] [--since TIME]"
        )
    if named:
        return named
    with opened_store(context.root()) as store:
        if since is None:
            last = last_turn(store)
            turns = [last] if last is not None else []
        else:
            oldest = _oldest(since)
            turns = []
            for version in all_versions(store):
                if version.created_at < oldest:
                    break
                if version.turn_id is not None and version.turn_id not in turns:
                    turns.append(version.turn_id)
    if not turns:
        raise ToolRejected(
            "not_found",
            "no turn has changed a file" + (f" since {since}" if since else " yet"),
            hint="`spark history` lists what there is.",
        )
    return turns


def _oldest(since: str) -> str:
    try:
        return since_to_utc(since, datetime.now().astimezone())
    except ToolRejected as error:
        accepted = error.details["fields"]["since"]
        raise FatalError(exits.USAGE, error.message, hint=f"Accepted: {accepted}.") from error


def gc(context: Context) -> int:
    root = context.root()
    report = {"contents": 0, "storedBytes": 0, "unreferenced": 0, "versions": 0, "dryRun": context.args.dry_run}
    if store_path(root) is not None:
        # One transaction: a daemon that runs at the same time sees it before or after, never half.
        with opened_store(root, context.settings(root), read_only=False) as store:
            report = store.collect(context.args.dry_run)
    if context.out.as_json:
        context.out.document(report)
        return exits.DONE
    verb = "would free" if context.args.dry_run else "freed"
    context.out.text(
        f"{verb} {size_text(int(report['storedBytes']))}: {report['contents']} contents "
        f"({report['unreferenced']} that nothing named), {report['versions']} versions keep their line but not their bytes"
    )
    return exits.DONE
