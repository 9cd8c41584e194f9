"""`tools` and `call`: the functions, and one by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from spark.cli import exits
from spark.cli.approvals import decide_on_terminal, is_terminal
from spark.cli.client import DaemonClient, refusal
from spark.cli.context import Context
from spark.cli.output import printable
from spark.cli.refusals import detail_lines
from spark.cli.starting import connect, find_running
from spark.core.errors import FatalError, invalid_arguments


def tools(context: Context) -> int:
    listed = _tools(context)
    if context.out.as_json:
        context.out.document(listed)
        return exits.DONE
    for tool in listed:
        schema = tool["inputSchema"]
        required = set(schema.get("required", ()))
        arguments = ", ".join(name if name in required else f"{name}?" for name in schema.get("properties", {}))
        context.out.text(f"{tool['name']}({arguments})\n    {tool['description']}")
    return exits.DONE


def _tools(context: Context) -> list[dict[str, Any]]:
    """Of the running daemon where there is one; else what this version offers, for which no project is needed."""
    try:
        running = find_running(context.root())
    except FatalError:
        if context.args.project is not None:
            raise
        running = None
    if running is not None:
        listed: list[dict[str, Any]] = running.client.get("/v1/tools")
        return listed
    from spark.core.tool import mcp_schema
    from spark.tools import TOOLS

    return [mcp_schema(tool.schema()) for tool in TOOLS]


def call(context: Context) -> int:
    arguments = _arguments(context.args.arguments)
    root = context.root()
    client = connect(context, root)
    body: dict[str, Any] = {"arguments": arguments}
    if context.args.dry_run:
        body["dryRun"] = True
    answer = client.exchange(f"/v1/tools/{quote(context.args.name, safe='')}", body)
    return show_answer(context, settled(context, client, answer.body))


def _arguments(raw: str | None) -> dict[str, Any]:
    if raw == "-":
        raw = sys.stdin.read()
    try:
        loaded = json.loads(raw) if raw and raw.strip() else {}
    except ValueError as error:
        raise FatalError(
            exits.USAGE, f"the arguments are no JSON: {error}", hint="Give one JSON object, or - to read it from stdin."
        ) from error
    if not isinstance(loaded, dict):
        raise FatalError(exits.USAGE, "the arguments are no JSON object", hint='Such as: {"path": "Assets/A.cs"}')
    return loaded


def settled(context: Context, client: DaemonClient, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer after the person at the terminal, if there is one, decided about a change that waits for it."""
    error = body.get("error") or {}
    details = error.get("details") or {}
    if error.get("code") != "approval_required" or "approvalId" not in details:
        return body
    if context.out.as_json or not is_terminal():
        return body
    decision, paths = decide_on_terminal(details, context.out)
    chosen = {"decision": decision, **({"paths": paths} if paths is not None else {})}
    decided = client.post(f"/v1/approvals/{quote(str(details['approvalId']), safe='')}", chosen)
    answer: Mapping[str, Any] = decided.get("call", body)
    return answer


def show_answer(context: Context, body: Mapping[str, Any]) -> int:
    """A call's answer: with `--json` as it came, else the result and what was written. Returns the exit status."""
    out = context.out
    if not isinstance(body, Mapping):
        raise invalid_arguments({"answer": "the daemon answered no JSON object"})
    if body.get("success") is False:
        error = refusal(body.get("error") or {})
        if out.as_json:
            out.document(body)
        out.note(exits.to_text(error))
        for line in detail_lines(error.details, error.message):
            out.note(f"  {line}")
        return exits.status_of(error)
    if out.as_json:
        out.document(body)
        return exits.DONE
    result = body.get("result") or {}
    diff = result.get("diff") if isinstance(result, Mapping) else None
    shown = {name: value for name, value in result.items() if name != "diff"} if diff else result
    out.text(json.dumps(shown, indent=2, ensure_ascii=False))
    if diff:
        out.text(printable(str(diff)).rstrip("\n"))
    show_changes(context, body)
    return exits.DONE


def show_changes(context: Context, body: Mapping[str, Any]) -> None:
    changes = body.get("changes") or ()
    for change in changes:
        context.out.note(f"{change.get('action', 'changed'):>9} {printable(str(change.get('path')))}")
    if changes and body.get("turnId"):
        context.out.note(f"undo: spark undo {body['turnId']}{context.project_flag(context.root())}")
