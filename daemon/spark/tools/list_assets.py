"""`listAssets`: what lies in the project, by folder, kind and name."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import translate
from re import IGNORECASE, Pattern
from re import compile as compile_pattern
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from spark.core.paths import ProjectPath
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext

AssetType = Literal[
    "script",
    "prefab",
    "scene",
    "material",
    "shader",
    "texture",
    "model",
    "audio",
    "animation",
    "asset",
    "text",
    "folder",
]
_SUFFIXES: Final[dict[str, tuple[str, ...]]] = {
    "script": (".cs",),
    "prefab": (".prefab",),
    "scene": (".unity",),
    "material": (".mat",),
    "shader": (".shader", ".shadergraph", ".shadersubgraph", ".compute", ".hlsl", ".cginc"),
    "texture": (".png", ".jpg", ".jpeg", ".tga", ".psd", ".tif", ".tiff", ".exr", ".hdr", ".bmp", ".gif"),
    "model": (".fbx", ".obj", ".blend", ".dae", ".3ds", ".glb", ".gltf"),
    "audio": (".wav", ".mp3", ".ogg", ".aif", ".aiff", ".flac"),
    "animation": (".anim", ".controller", ".overridecontroller", ".playable", ".mask"),
    "asset": (".asset", ".asmdef", ".asmref", ".inputactions", ".preset", ".rendertexture", ".spriteatlas", ".mixer"),
    "text": (".txt", ".json", ".xml", ".md", ".csv", ".yaml", ".yml", ".uxml", ".uss", ".html"),
}
_TYPE_OF: Final = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes}
NOT_YET: Final = "the first scan of the project is not through; ask again in a moment for the rest"


class ListAssets(Arguments):
    folder: str | None = None
    type: AssetType | None = None
    name: Annotated[str | None, Field(max_length=200, description="Glob (*.cs) or part of the file name")] = None
    limit: Annotated[int | None, Field(ge=1, le=500)] = None
    cursor: Annotated[str | None, Field(max_length=1100)] = None


async def _run(arguments: ListAssets, context: ToolContext) -> ToolAnswer:
    folder = context.files.parse(arguments.folder.rstrip("/"), field="folder") if arguments.folder else None
    limit = arguments.limit or 100
    matches = _name_pattern(arguments.name)
    shown: list[dict[str, Any]] = []
    result: dict[str, Any] = {"assets": shown, "complete": context.index.complete}
    for item in _items(context, folder, arguments.type):
        path = item["path"]
        if (arguments.cursor and path <= arguments.cursor) or not matches.match(path.rsplit("/", 1)[-1]):
            continue
        if len(shown) == limit:
            result["next"] = shown[-1]["path"]
            break
        shown.append(item)
    if not context.index.complete:
        result["note"] = NOT_YET
    return ToolAnswer(result)


def _name_pattern(name: str | None) -> Pattern[str]:
    if name is None:
        return compile_pattern("")
    is_glob = any(char in name for char in "*?[")
    return compile_pattern(translate(name if is_glob else f"*{name}*"), IGNORECASE)


def _items(context: ToolContext, folder: ProjectPath | None, kind: str | None) -> Iterator[dict[str, Any]]:
    """Rows sorted by path."""
    if kind == "folder":
        yield from ({"path": path, "type": "folder"} for path in _folders(context, folder))
        return
    for entry in context.index.entries(folder):
        found = _TYPE_OF.get(entry.path.suffix, "other")
        # Settings are no assets; who names their folder still sees them.
        if folder is None and entry.path.text.startswith("ProjectSettings/"):
            continue
        if entry.path.is_meta or (kind is not None and found != kind):
            continue
        row = {"path": entry.path.text, "type": found, "size": entry.size}
        yield {**row, "guid": entry.guid} if entry.guid else row


def _folders(context: ToolContext, folder: ProjectPath | None) -> list[str]:
    found: set[str] = set()
    for entry in context.index.entries(folder):
        parent = entry.path.parent
        while parent is not None and parent.text not in found and (folder is None or parent.is_under(folder)):
            found.add(parent.text)
            parent = parent.parent
    return sorted(found)


LIST_ASSETS: Final = Tool(
    name="listAssets",
    description="List files with type, size and guid, sorted by path; go on with cursor=next.",
    arguments=ListAssets,
    run=_run,
    index="recent",
)
