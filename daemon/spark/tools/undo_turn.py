"""`undoTurn`: takes back what one turn changed, and keeps what was changed since."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field

from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.text.undo import Read, UndoPlan, plan_undo
from spark.text.undo_steps import OWN_AUTHORS

_LOOKED_THROUGH: Final = 20


class UndoTurn(Arguments):
    turn_id: Annotated[str, Field(min_length=1, max_length=200, description="Or last")]


async def _run(arguments: UndoTurn, context: ToolContext) -> ToolAnswer:
    turn_id = arguments.turn_id
    if turn_id == "last":
        turn_id = await asyncio.to_thread(_last_turn, context)
    return await undo_turns([turn_id], context)


async def undo_turns(turn_ids: Sequence[str], context: ToolContext) -> ToolAnswer:
    """Takes back several turns as one change set. Raises `conflict` and `not_found`."""
    read, engine = present_bytes(context), context.engine
    plan = await asyncio.to_thread(plan_undo, context.store, turn_ids, read, context.files.names, engine.merge)
    result: dict[str, Any] = {"turnId": turn_ids[0] if len(turn_ids) == 1 else list(turn_ids), **told(plan)}
    return ToolAnswer(result, plan.changes, plan.diff)


def present_bytes(context: ToolContext) -> Read:
    """Reads a file for a plan; a folder in its place is something else, and told as such."""

    def read(path: ProjectPath) -> bytes | None:
        found = context.files.stat(path)
        if found is not None and found.is_folder:
            raise ToolRejected(
                "conflict",
                f"{path} is a folder now, and was a file; nothing was changed",
                hint="Move the folder away first.",
                details={"path": path.text},
            )
        return context.files.read(path)

    return read


def told(plan: UndoPlan) -> dict[str, Any]:
    """What an answer says of a plan."""
    paths = [change.path.text for change in plan.changes.files if not change.path.is_meta]
    return {
        "files": paths,
        "keptEdits": [path.text for path in plan.kept_edits],
        **({} if plan.changes else {"unchanged": True}),
    }


def _last_turn(context: ToolContext) -> str:
    before: str | None = None
    for _ in range(_LOOKED_THROUGH):
        page = context.store.history(limit=200, before=before)
        for version in page.versions:
            if version.turn_id not in (None, context.turn_id) and version.author.kind in OWN_AUTHORS:
                return str(version.turn_id)
        before = page.next
        if before is None:
            break
    raise ToolRejected(
        "not_found",
        "no earlier turn changed a file",
        hint="Name a turnId from the history.",
        details={"turnId": "last"},
    )


UNDO_TURN: Final = Tool(
    name="undoTurn",
    description="Take back all file changes of one turn; later edits by others are kept, or it is refused as conflict.",
    arguments=UndoTurn,
    run=_run,
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
)
