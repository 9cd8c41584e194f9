"""Who would lose an asset: files that name it by guid and stay when it goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.core.tool import ToolContext

_SHOWN: Final = 50


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


def listed(left: Mapping[ProjectPath, list[ProjectPath]]) -> dict[str, list[str]]:
    return {path.text: [other.text for other in others[:_SHOWN]] for path, others in list(left.items())[:_SHOWN]}


def broken(left: Mapping[ProjectPath, list[ProjectPath]], refused: str, hint: str) -> ToolRejected:
    """`broken_reference` naming who refers to what; `refused` says what is not done."""
    asset, others = next(iter(left.items()))
    count = len({other for others in left.values() for other in others})
    return ToolRejected(
        "broken_reference",
        f"{refused}: {count} files refer to it, such as {others[0]} to {asset}",
        hint=hint,
        details={"path": asset.text, "referrers": listed(left), "count": count},
    )
