"""`readFile`: a window of a text file, or the outline of a C# file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from spark.core.changes import sha256_of
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.limits import ASSET_BYTES, FILE_BYTES, TOOL_OUTPUT_BYTES
from spark.core.paths import ProjectPath
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.text.csharp import Symbol, symbols
from spark.text.preserve import Document, decode
from spark.tools.places import missing

_NAMES_SHOWN: Final = 60


class ReadFile(Arguments):
    path: str
    start_line: Annotated[int | None, Field(ge=1)] = None
    end_line: Annotated[int | None, Field(ge=1)] = None
    symbol: Annotated[str | None, Field(max_length=300, description="C#: Player or Player.Jump")] = None
    view: Annotated[
        Literal["text", "outline"] | None, Field(description="outline: C# members; an asset's objects, values, ids")
    ] = None
    object: Annotated[str | None, Field(max_length=1000, description="Outline of one object: Root/Body or file id")] = (
        None
    )


async def _run(arguments: ReadFile, context: ToolContext) -> ToolAnswer:
    path = context.files.parse(arguments.path)
    if path.suffix != ".cs" and (arguments.view == "outline" or arguments.object is not None):
        return await asyncio.to_thread(_asset_outline, path, arguments, context)
    if arguments.object is not None:
        raise invalid_arguments({"object": "only for scenes, prefabs and other assets; for C# take symbol"})
    content, document = load_text(context, path, "path")
    lines = document.text.split("\n")
    if lines[-1] == "":
        lines.pop()
    result: dict[str, Any] = {"path": path.text, "sha256": sha256_of(content), "totalLines": len(lines)}
    last = max(len(lines), 1)
    start, end = arguments.start_line or 1, arguments.end_line or last
    if start > last or end < start:
        raise invalid_arguments({"startLine": f"1..{last}, not behind endLine"})
    if arguments.view == "outline":
        found = await asyncio.to_thread(_symbols, path, document, "view")
        listed = [part for part in found if part.line >= start]
        result |= _fitting([f"{part.line}: {'  ' * part.depth}{part.signature}" for part in listed])
        if "next" in result:
            result["next"] = listed[result["next"] - 1].line
    else:
        if arguments.symbol is not None:
            found = await asyncio.to_thread(_symbols, path, document, "symbol")
            places = _named(found, arguments.symbol, path)
            start, end = max(start, places[0].line), min(end, places[0].end_line)
            if len(places) > 1:
                result["alsoAt"] = [part.line for part in places[1:]]
        result |= _window(lines, start, end)
    if document.form.newline == "\r\n":
        result["lineEnds"] = "crlf"
    context.reads.note(path, result["sha256"])
    return ToolAnswer(result)


def _asset_outline(path: ProjectPath, arguments: ReadFile, context: ToolContext) -> ToolAnswer:
    """An asset by what it means, in windows of lines. Large scenes are read so, whatever their size as text."""
    if arguments.view == "text":
        raise invalid_arguments({"view": "outline, or leave object out"})
    content = context.files.read(path, limit_bytes=ASSET_BYTES)
    if content is None:
        raise missing(context, path, "path")
    lines = context.engine.outline(path, content, arguments.object)
    result: dict[str, Any] = {"path": path.text, "sha256": sha256_of(content), "totalLines": len(lines)}
    last = max(len(lines), 1)
    start, end = arguments.start_line or 1, min(arguments.end_line or last, last)
    if start > last or end < start:
        raise invalid_arguments({"startLine": f"1..{last}, not behind endLine"})
    result |= _window(lines, start, end)
    context.reads.note(path, result["sha256"])
    return ToolAnswer(result)


def load_text(context: ToolContext, path: ProjectPath, name: str) -> tuple[bytes, Document]:
    """A text file's bytes and text. Raises `not_found`, `too_large`, `unsupported_asset`."""
    content = context.files.read(path, limit_bytes=FILE_BYTES)
    if content is None:
        raise missing(context, path, name)
    if not context.engine.is_text(path, content):
        if b"\x00" not in content:
            # Text of an older encoding is told as what it is; only the rest is binary or a pointer.
            decode(content, path=path.text)
        raise ToolRejected(
            "unsupported_asset",
            f"{path} is binary or a pointer to a file in Git LFS, so it has no text",
            hint="Only text files can be read and patched; fetch LFS files with: git lfs pull",
            details={"path": path.text},
        )
    return content, decode(content, path=path.text)


def _window(lines: Sequence[str], start: int, end: int) -> dict[str, Any]:
    result = _fitting(lines[start - 1 : end])
    if "next" in result:
        result["next"] += start - 1
    return {**result, "startLine": start}


def _fitting(lines: Sequence[str]) -> dict[str, Any]:
    """As many lines as fit in one answer, and the number of the first that does not."""
    used = 0
    for count, line in enumerate(lines):
        used += len(line.encode("utf-8", "replace")) + 1
        if used <= TOOL_OUTPUT_BYTES:
            continue
        if count:
            return {"content": "\n".join(lines[:count]) + "\n", "next": count + 1}
        # One line alone is too long: a part of it is shown, and that it is a part is said.
        shown = line.encode("utf-8", "replace")[:TOOL_OUTPUT_BYTES].decode("utf-8", "ignore")
        return {"content": shown, "cutLine": True, **({"next": 2} if len(lines) > 1 else {})}
    return {"content": "".join(line + "\n" for line in lines)}


def _symbols(path: ProjectPath, document: Document, name: str) -> list[Symbol]:
    if path.suffix != ".cs":
        raise ToolRejected(
            "unsupported_asset",
            f"{name}: {path} is not a C# file",
            hint="Leave it out, or find lines with searchProject.",
            details={"path": path.text, "fields": {name: "only for .cs files"}},
        )
    return symbols(document.text)


def _named(found: Sequence[Symbol], wanted: str, path: ProjectPath) -> list[Symbol]:
    places = [part for part in found if part.name == wanted or part.name.endswith("." + wanted)]
    # A class and its constructor share a name: who asks for the name alone wants the class.
    places = [part for part in places if part.kind != "constructor"] or places
    if not places:
        names = list(dict.fromkeys(part.name for part in found))
        raise ToolRejected(
            "not_found",
            f"symbol: {path} declares no {wanted[:100]}",
            hint="It declares " + ", ".join(names[:_NAMES_SHOWN]) if names else "It declares nothing.",
            details={"path": path.text, "symbols": names[:_NAMES_SHOWN]},
        )
    return places


READ_FILE: Final = Tool(
    name="readFile",
    description="Read a text file (at most 32 KB an answer; go on with startLine=next). Edits need a read first.",
    arguments=ReadFile,
    run=_run,
)
