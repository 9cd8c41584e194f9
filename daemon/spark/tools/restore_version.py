"""`restoreVersion`: puts one file back as a version of the history had it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from pydantic import Field

from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.text.undo import plan_restore
from spark.tools.undo_turn import present_bytes, told


class RestoreVersion(Arguments):
    version_id: Annotated[str, Field(min_length=1, max_length=200)]


async def _run(arguments: RestoreVersion, context: ToolContext) -> ToolAnswer:
    plan = await asyncio.to_thread(plan_restore, context.store, arguments.version_id, present_bytes(context))
    return ToolAnswer({"versionId": arguments.version_id, **told(plan)}, plan.changes, plan.diff)


RESTORE_VERSION: Final = Tool(
    name="restoreVersion",
    description="Put a file back as a version had it, with its .meta where that is gone.",
    arguments=RestoreVersion,
    run=_run,
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
)
