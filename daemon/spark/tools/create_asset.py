"""`createAsset`: a ScriptableObject asset, a scene, a folder or an assembly definition, with its `.meta`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from pydantic import Field

from spark.core.changes import ChangeSet, FileChange
from spark.core.errors import invalid_arguments
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.tools.assets import made, new_path
from spark.tools.places import NewAssets, folders_above, refuse_existing, wants_meta, writable

_SUFFIXES: Final = {"scene": ".unity", "asmdef": ".asmdef"}
_HINT: Final = "Change the existing one with editAsset or editPrefab, or name a path that is free."


class CreateAsset(Arguments):
    path: str
    type: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z_][\w.]*$", max_length=300, description="ScriptableObject class, scene, folder, asmdef"
        ),
    ]
    properties: Annotated[dict[str, Any] | None, Field(description="Serialized fields; asmdef: its keys")] = None


async def _run(arguments: CreateAsset, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_make, arguments, context)


def _make(arguments: CreateAsset, context: ToolContext) -> ToolAnswer:
    if arguments.type == "folder":
        return _folder(arguments, context)
    if arguments.type == "scene" and arguments.properties:
        raise invalid_arguments({"properties": "nothing: make the scene, then editPrefab adds objects to it"})
    path = new_path(context, arguments.path, _SUFFIXES.get(arguments.type, ".asset"), hint=_HINT)
    return made(context, path, context.engine.new_asset(path, arguments.type, arguments.properties or {}))


def _folder(arguments: CreateAsset, context: ToolContext) -> ToolAnswer:
    if arguments.properties:
        raise invalid_arguments({"properties": "nothing: a folder has none"})
    path = writable(context, arguments.path.rstrip("/"), "path")
    if not wants_meta(path):
        raise invalid_arguments(
            {"path": "a folder in Assets whose name Unity does not skip (no leading dot, no ~ at its end)"}
        )
    refuse_existing(context, path, "path", hint="It is there already.")
    new = NewAssets(context)
    changes: list[FileChange] = [*new.folders(path / "x")]
    result = {"path": path.text, "guid": new.guids.get(path, "")}
    made_above = [folder.text for folder in folders_above(path) if folder in new.guids]
    return ToolAnswer(result | ({"parents": made_above} if made_above else {}), ChangeSet(tuple(changes)))


CREATE_ASSET: Final = Tool(
    name="createAsset",
    description="Make a ScriptableObject asset, scene, folder or asmdef with its .meta. Never overwrites.",
    arguments=CreateAsset,
    run=_run,
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
    index="recent",
)
