"""`deleteAsset`: takes out a file or a folder with its metas, unless something still refers to it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from pydantic import Field

from spark.core.changes import ChangeSet
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.text.diff import joined, unified_diff
from spark.tools.move_asset import folders_of, moving_files, refuse_meta
from spark.tools.places import deletion, missing, writable
from spark.tools.referrers import broken, listed, referrers

_HINT: Final = "Take the references out first, or call deleteAsset with force=true."
_FORCED: Final = ("reference/", "unity/missing-script")
"""What `force` accepts: that others refer to what goes."""


class DeleteAsset(Arguments):
    path: str
    force: Annotated[bool | None, Field(description="Also while something refers to it")] = None


async def _run(arguments: DeleteAsset, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_delete, arguments, context)


def _delete(arguments: DeleteAsset, context: ToolContext) -> ToolAnswer:
    path = writable(context, arguments.path.rstrip("/"), "path")
    refuse_meta(path, "path")
    found = context.files.stat(path)
    if found is None:
        raise missing(context, path, "path")
    gone = moving_files(context, path, is_folder=found.is_folder)
    left = referrers(context, gone, gone)
    if left and not arguments.force:
        raise broken(left, f"{path} is not deleted", _HINT)
    changes = tuple(deletion(item, content) for item, content in gone.items())
    diffs = [unified_diff(content, None, item.text) for item, content in gone.items() if not item.is_meta]
    result: dict[str, Any] = {"path": path.text, "files": len(diffs)}
    if left:
        result["brokenReferences"] = listed(left)
    overwrites = frozenset(gone)
    change_set = ChangeSet(changes, merge=False, overwrites=overwrites, leaves=folders_of(path, gone))
    return ToolAnswer(result, change_set, joined(diffs), forced=_FORCED if arguments.force else ())


DELETE_ASSET: Final = Tool(
    name="deleteAsset",
    description="Delete a file or folder with its .meta; refused while something refers to it. Can be undone.",
    arguments=DeleteAsset,
    run=_run,
    index="complete",
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
)
