"""`editAsset`: properties of any document of any text asset, scene or `.meta`; only their own bytes change."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from pydantic import Field

from spark.core.assets import PropertyEdit
from spark.core.errors import invalid_arguments
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.tools.assets import edited, existing


class Edit(Arguments):
    file_id: Annotated[str | None, Field(pattern=r"^-?[0-9]{1,19}$", alias="fileId")] = None
    object: Annotated[str | None, Field(max_length=1000)] = None
    component: Annotated[str | None, Field(max_length=300)] = None
    property: Annotated[
        str, Field(min_length=1, max_length=2000, description="m_LocalPosition.x, m_Materials[1], m_Colors[_BaseColor]")
    ]
    value: Any


class EditAsset(Arguments):
    path: str
    edits: Annotated[list[Edit], Field(min_length=1, max_length=500)]
    expected_sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$", alias="expectedSha256")] = None


async def _run(arguments: EditAsset, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_edit, arguments, context)


def _edit(arguments: EditAsset, context: ToolContext) -> ToolAnswer:
    for number, item in enumerate(arguments.edits):
        if item.file_id is not None and (item.object is not None or item.component is not None):
            raise invalid_arguments({f"edits.{number}.fileId": "a file id alone, or object and component"})
    path, before = existing(context, arguments.path, (), arguments.expected_sha256)
    edits = [PropertyEdit(e.property, e.value, e.file_id, e.object, e.component) for e in arguments.edits]
    return edited(path, before, context.engine.edit_asset(path, before, edits))


EDIT_ASSET: Final = Tool(
    name="editAsset",
    description="Set properties of a serialised asset, by fileId or by object and component; of the main object without. "
    "Null clears a reference.",
    arguments=EditAsset,
    run=_run,
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
    index="recent",
)
