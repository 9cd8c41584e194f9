"""`createPrefab`: a hierarchy of objects with components, nested prefabs, or a variant, with its `.meta`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from pydantic import Field

from spark.core.assets import NewComponent, NewObject
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.tools.assets import made, new_path
from spark.tools.places import missing

_HINT: Final = "Change the existing one with editPrefab, or name a path that is free."


class Component(Arguments):
    type: Annotated[str, Field(min_length=1, max_length=300)]
    properties: dict[str, Any] | None = None


class PrefabObject(Arguments):
    path: Annotated[str, Field(min_length=1, max_length=1000, description="Root/Body")]
    prefab: Annotated[str | None, Field(description="Nested prefab")] = None
    components: Annotated[list[Component] | None, Field(max_length=100)] = None


class CreatePrefab(Arguments):
    path: str
    variant_of: Annotated[str | None, Field(description="Base prefab; objects then name its objects")] = None
    objects: Annotated[list[PrefabObject], Field(max_length=500)]


async def _run(arguments: CreatePrefab, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_make, arguments, context)


def _make(arguments: CreatePrefab, context: ToolContext) -> ToolAnswer:
    path = new_path(context, arguments.path, ".prefab", hint=_HINT)
    base = None
    if arguments.variant_of is not None:
        base = context.files.parse(arguments.variant_of, field="variantOf")
        if context.files.stat(base) is None:
            raise missing(context, base, "variantOf")
    elif not arguments.objects:
        raise invalid_arguments({"objects": 'at least the root: [{"path": "Root"}]'})
    asset = context.engine.new_prefab(path, [_object(item) for item in arguments.objects], base)
    return made(context, path, asset)


def _object(item: PrefabObject) -> NewObject:
    if "\n" in item.path:
        raise ToolRejected(
            "invalid_arguments", "objects: a path of one line", details={"fields": {"objects.path": "Root/Body"}}
        )
    components = tuple(NewComponent(part.type, part.properties or {}) for part in item.components or ())
    return NewObject(item.path, item.prefab, components)


CREATE_PREFAB: Final = Tool(
    name="createPrefab",
    description="Make a prefab. Properties take Unity's serialized or script names; assets by path, #Root/Child for "
    "objects of the same prefab, builtin:Cube; rotation in degrees.",
    arguments=CreatePrefab,
    run=_run,
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
    index="recent",
)
