"""`editPrefab`: objects and components of a prefab or scene, by operations that happen in order, all or none."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from spark.core.assets import ObjectOp
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.tools.assets import edited, existing

Op = Literal["add", "remove", "move", "rename", "addComponent", "removeComponent", "set", "override", "revert"]


class Operation(Arguments):
    op: Op
    object: Annotated[str, Field(min_length=1, max_length=1000, description="Root/Body or file id")]
    to: Annotated[str | None, Field(max_length=1000, description="New parent or name")] = None
    component: Annotated[str | None, Field(max_length=300)] = None
    property: Annotated[str | None, Field(max_length=2000)] = None
    value: Any = None
    prefab: str | None = None


class EditPrefab(Arguments):
    path: Annotated[str, Field(description=".prefab or .unity")]
    ops: Annotated[list[Operation], Field(min_length=1, max_length=500)]
    expected_sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$", alias="expectedSha256")] = None


async def _run(arguments: EditPrefab, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_edit, arguments, context)


def _edit(arguments: EditPrefab, context: ToolContext) -> ToolAnswer:
    path, before = existing(context, arguments.path, (".prefab", ".unity"), arguments.expected_sha256)
    ops = [
        ObjectOp(
            item.op,
            item.object,
            to=item.to,
            component=item.component,
            property=item.property,
            value=item.value,
            has_value="value" in item.model_fields_set,
            prefab=item.prefab,
        )
        for item in arguments.ops
    ]
    return edited(path, before, context.engine.edit_prefab(path, before, ops))


EDIT_PREFAB: Final = Tool(
    name="editPrefab",
    description="Edit objects and components of a prefab or scene; all ops or none. addComponent takes its properties as "
    "value. Read it first (view outline).",
    arguments=EditPrefab,
    run=_run,
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
    index="recent",
)
