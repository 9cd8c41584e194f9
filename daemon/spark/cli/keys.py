"""`key` and `usage`: secrets from a prompt or stdin into the keyring, and what the turns cost. A key is never shown."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping
from typing import Any

from spark.cli import exits
from spark.cli.context import Context
from spark.cli.output import one_line
from spark.cli.store import opened_journal
from spark.core.errors import FatalError


def key(context: Context) -> int:
    from spark.adapters import keys

    name: str = context.args.name
    match context.args.action:
        case "set":
            if name not in keys.READ_NAMES:
                raise FatalError(
                    exits.USAGE,
                    f"no part of SPARK would read a key named {name[:40]!r}",
                    hint=f"The names that are read: {', '.join(keys.READ_NAMES)}.",
                )
            place = keys.set_key(name, _secret(name))
            return _done(context, {"name": name, "storedIn": place}, f"the key {name} is kept in: {place}")
        case "clear":
            cleared = keys.clear_key(name)
            text = f"the key {name} was taken out of: {', '.join(cleared)}" if cleared else f"no key {name} was kept"
            return _done(context, {"name": name, "clearedFrom": cleared}, text)
        case _:
            return _status(context, name)


def _secret(name: str) -> str:
    """From a prompt that shows nothing, or from stdin where that is no terminal; never from the command line."""
    if sys.stdin is not None and sys.stdin.isatty():
        return getpass.getpass(f"key {name} (it is not shown): ")
    given = sys.stdin.readline() if sys.stdin is not None else ""
    if not given.strip():
        raise FatalError(exits.USAGE, "no key came on stdin", hint="Such as: spark key set < FILE")
    return given


def _status(context: Context, name: str) -> int:
    from spark.adapters import keys

    found = keys.key_status(name, context.env)
    body = {
        "name": found.name,
        "source": found.source,
        "ending": found.ending,
        "shadowed": list(found.shadowed),
        "problem": found.problem,
    }
    if found.source is None:
        text = (
            f"{name}: no key"
            + (f" ({found.problem})" if found.problem else "")
            + f"; store one with: spark key set {name}"
        )
    else:
        text = f"{name}: from {found.source}" + (f", ends in ...{found.ending}" if found.ending else "")
        text += "".join(f"\n  not used: {place}" for place in found.shadowed)
    return _done(context, body, text)


def _done(context: Context, body: Mapping[str, Any], text: str) -> int:
    if context.out.as_json:
        context.out.document(body)
    context.out.text(text)
    return exits.DONE


def usage(context: Context) -> int:
    from spark.adapters.clock import SystemClock

    by: str = context.args.by
    with opened_journal(context.root()) as journal:
        rows = journal.usage(by)
        today = journal.spent_usd(SystemClock().now()[:10])
    # The budget is one user's: a project's file never sets it.
    body = {"by": by, "usage": rows, "todayUsd": today, "budgetUsd": context.settings(None).budget_usd}
    if context.out.as_json:
        context.out.document(body)
        return exits.DONE
    for row in rows:
        context.out.text(_usage_line(row, by))
    if not rows:
        context.out.note("no model has been asked yet")
    context.out.text(f"today: {_cost(body['todayUsd'])} of at most {_cost(body['budgetUsd'])}")
    return exits.DONE


def _usage_line(row: Mapping[str, Any], by: str) -> str:
    name = str(row.get("turnId" if by == "turn" else by) or "-")
    tokens = (
        f"{row.get('inputTokens', 0)} tokens in ({row.get('cachedTokens', 0)} cached), {row.get('outputTokens', 0)} out"
    )
    what = f'"{one_line(str(row.get("prompt")), 60)}"' if by == "turn" else f"{row.get('turns', 1)} turns"
    return f"{name}  {tokens}, {_cost(row.get('costUsd'))}, {what}"


def _cost(value: Any) -> str:
    return "cost unknown" if value is None else f"${float(value):.4f}"
