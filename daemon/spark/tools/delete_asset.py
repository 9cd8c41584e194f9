"""`deleteAsset`: takes out a file or a folder with its metas, unless something still refers to it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from spark.core.changes import ChangeSet
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.text.diff import joined, unified_diff
from spark.tools.move_asset import folders_of, moving_files, refuse_meta
from spark.tools.places import deletion, missing, writable

_SHOWN: Final = 50
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
        raise broken(left, path)
    changes = tuple(deletion(item, content) for item, content in gone.items())
    diffs = [unified_diff(content, None, item.text) for item, content in gone.items() if not item.is_meta]
    result: dict[str, Any] = {"path": path.text, "files": len(diffs)}
    if left:
        result["brokenReferences"] = _listed(left)
    overwrites = frozenset(gone)
    change_set = ChangeSet(changes, merge=False, overwrites=overwrites, leaves=folders_of(path, gone))
    return ToolAnswer(result, change_set, joined(diffs), forced=_FORCED if arguments.force else ())


def referrers(
    context: ToolContext, gone: Mapping[ProjectPath, bytes], leaving: Collection[ProjectPath]
) -> dict[ProjectPath, list[ProjectPath]]:
    """Assets among `gone` (their metas are in it) that files outside of `leaving` name by guid, with those files."""
    found: dict[ProjectPath, list[ProjectPath]] = {}
    metas = {path: content for path, content in gone.items() if path.is_meta}
    guids = {
        path: guid for path, content in metas.items() if (guid := context.engine.guid_in_meta(content)) is not None
    }
    # One look for all of them: most folders that go are named by nobody outside.
    named = any(other not in leaving for other in context.index.references_to_any(guids.values()))
    for path, guid in guids.items() if named else ():
        # The index may be a moment behind: what is gone from the disk refers to nothing.
        others = [
            other
            for other in context.index.references_to(guid)
            if other not in leaving and context.files.stat(other) is not None
        ]
        if others:
            found[path.asset] = others
    if not found and gone and not context.index.complete:
        raise ToolRejected(
            "broken_reference",
            "whether something refers to it is not known yet: the first scan of the project is not through",
            hint="Try again in a moment.",
            details={"referrers": {}},
        )
    return found


def _listed(left: Mapping[ProjectPath, list[ProjectPath]]) -> dict[str, list[str]]:
    return {path.text: [other.text for other in others[:_SHOWN]] for path, others in list(left.items())[:_SHOWN]}


def broken(left: Mapping[ProjectPath, list[ProjectPath]], path: ProjectPath) -> ToolRejected:
    """`broken_reference` naming who refers to what."""
    asset, others = next(iter(left.items()))
    count = len({other for others in left.values() for other in others})
    return ToolRejected(
        "broken_reference",
        f"{path} is not deleted: {count} files refer to it, such as {others[0]} to {asset}",
        hint="Take the references out first, or call deleteAsset with force=true.",
        details={"path": path.text, "referrers": _listed(left), "count": count},
    )


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
