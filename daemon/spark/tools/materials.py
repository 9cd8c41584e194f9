"""`createMaterial` and `editMaterial`: materials by shader name and property, right for the project's render pipeline."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from pydantic import Field

from spark.core.assets import MaterialOrder
from spark.core.errors import invalid_arguments
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.tools.assets import edited, existing, made, new_path

_HINT: Final = "Change the existing one with editMaterial, or name a path that is free."


class CreateMaterial(Arguments):
    path: str
    shader: Annotated[
        str | None, Field(min_length=1, max_length=300, description="Name; default: the pipeline's Lit or Standard")
    ] = None
    properties: Annotated[
        dict[str, Any] | None, Field(description="Colours #rrggbbaa or [r,g,b,a], numbers, textures by path")
    ] = None
    keywords: Annotated[list[str] | None, Field(max_length=200)] = None


class EditMaterial(CreateMaterial):
    expected_sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$", alias="expectedSha256")] = None


def _order(arguments: CreateMaterial) -> MaterialOrder:
    keywords = None if arguments.keywords is None else tuple(arguments.keywords)
    return MaterialOrder(arguments.shader, arguments.properties or {}, keywords)


async def _create(arguments: CreateMaterial, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_make, arguments, context)


def _make(arguments: CreateMaterial, context: ToolContext) -> ToolAnswer:
    path = new_path(context, arguments.path, ".mat", hint=_HINT)
    return made(context, path, context.engine.new_material(path, _order(arguments)))


async def _edit(arguments: EditMaterial, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_change, arguments, context)


def _change(arguments: EditMaterial, context: ToolContext) -> ToolAnswer:
    order = _order(arguments)
    if order.shader is None and not order.properties and order.keywords is None:
        raise invalid_arguments({"properties": "at least one of shader, properties, keywords"})
    path, before = existing(context, arguments.path, (".mat",), arguments.expected_sha256)
    return edited(path, before, context.engine.edit_material(path, before, order))


CREATE_MATERIAL: Final = Tool(
    name="createMaterial",
    description="Make a material for the project's render pipeline.",
    arguments=CreateMaterial,
    run=_create,
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
    index="recent",
)
EDIT_MATERIAL: Final = Tool(
    name="editMaterial",
    description="Change a material's shader, properties or keywords; the rest stays as it is.",
    arguments=EditMaterial,
    run=_edit,
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
    index="recent",
)
