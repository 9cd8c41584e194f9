"""Taking back several turns at once: the function `undoTurn` over more than the one turn that its schema names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from spark.core.errors import invalid_arguments
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.relay.parts import Parts
from spark.tools.undo_turn import undo_turns


def undo_tool(parts: Parts, turn_ids: Sequence[str]) -> Tool[Any]:
    """`undoTurn`, bound to these turns; they are taken back as one change set, newest first."""
    if not turn_ids:
        raise invalid_arguments({"turnId": "at least one turn"})

    async def run(_: Arguments, context: ToolContext) -> ToolAnswer:
        return await undo_turns(list(turn_ids), context)

    return replace(parts.registry.get("undoTurn"), run=run)
