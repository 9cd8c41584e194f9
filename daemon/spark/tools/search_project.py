"""`searchProject`: text, patterns, C# declarations and references, in windows and within a time limit.

Files are read as they lie on disk now; the index only says which there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.limits import FILE_BYTES
from spark.core.paths import ProjectPath
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.text.csharp import symbols
from spark.text.preserve import decode
from spark.text.safe_regex import compile_safe
from spark.tools.list_assets import NOT_YET
from spark.tools.search_references import references
from spark.tools.search_window import SEARCH_S, SearchWindow

# Never text, however they are named inside; reading them would only cost time.
_BINARY: Final = frozenset(
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".tga",
        ".psd",
        ".tif",
        ".tiff",
        ".exr",
        ".hdr",
        ".bmp",
        ".gif",
        ".fbx",
        ".obj",
        ".blend",
        ".dae",
        ".3ds",
        ".glb",
        ".wav",
        ".mp3",
        ".ogg",
        ".aif",
        ".aiff",
        ".flac",
        ".mp4",
        ".mov",
        ".avi",
        ".webm",
        ".ttf",
        ".otf",
        ".dll",
        ".so",
        ".dylib",
        ".exe",
        ".pdb",
        ".zip",
        ".gz",
        ".7z",
        ".rar",
        ".bytes",
        ".bundle",
    ]
)

Found = Iterator[tuple[int, str]]


class SearchProject(Arguments):
    query: Annotated[
        str,
        Field(
            min_length=1, max_length=1000, description="For references: an asset's path or guid, or either with #fileId"
        ),
    ]
    kind: Literal["text", "regex", "symbol", "references"]
    folder: str | None = None
    limit: Annotated[int | None, Field(ge=1, le=500)] = None
    cursor: Annotated[str | None, Field(max_length=1100)] = None


async def _run(arguments: SearchProject, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_search, arguments, context)


def _search(arguments: SearchProject, context: ToolContext) -> ToolAnswer:
    folder = context.files.parse(arguments.folder.rstrip("/"), field="folder") if arguments.folder else None
    window = SearchWindow.open(arguments.limit, arguments.cursor)
    result: dict[str, Any] = {}
    if arguments.kind == "references":
        result |= references(arguments.query, folder, window, context)
    else:
        result |= _through_files(arguments, folder, window, context)
    result |= {"matches": window.hits, "complete": context.index.complete and not window.out_of_time}
    if window.next is not None:
        result["next"] = window.next
    if window.out_of_time:
        result["note"] = f"stopped after {SEARCH_S:.0f} s; go on with cursor=next, or name a folder"
    elif not context.index.complete:
        result["note"] = NOT_YET
    return ToolAnswer(result)


def _through_files(
    arguments: SearchProject, folder: ProjectPath | None, window: SearchWindow, context: ToolContext
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    only_scripts = arguments.kind == "symbol"
    if arguments.kind == "regex":
        pattern = compile_safe(arguments.query)
        find: Callable[[str], Found] = _by(lambda line: pattern.search(line) is not None)
        result["lineCharsSearched"] = pattern.max_line_chars
    elif arguments.kind == "text":
        find = _containing(arguments.query)
    else:
        find = _declarations(arguments.query)
    for entry in context.index.entries(folder):
        path = entry.path
        if path.text < window.after[0] or path.is_meta or path.suffix in _BINARY or entry.size > FILE_BYTES:
            continue
        if only_scripts and path.suffix != ".cs":
            continue
        if window.late(path.text):
            break
        text = _text(context, path)
        if text is not None and not all(
            window.add(path.text, line, line=line, text=shown) for line, shown in find(text)
        ):
            break
    return result


def _text(context: ToolContext, path: ProjectPath) -> str | None:
    """The text of a file; None where it has none, or is gone since the index saw it."""
    try:
        content = context.files.read(path, limit_bytes=FILE_BYTES)
        if content is None or not context.engine.is_text(path, content):
            return None
        return decode(content).text
    except ToolRejected:
        return None


def _by(matches: Callable[[str], bool]) -> Callable[[str], Found]:
    def find(text: str) -> Found:
        for number, line in enumerate(text.split("\n"), 1):
            if matches(line):
                yield number, line

    return find


def _containing(query: str) -> Callable[[str], Found]:
    wanted = query.casefold()
    if "\n" in wanted:
        raise invalid_arguments({"query": "text of one line"})
    lines = _by(lambda line: wanted in line.casefold())
    # Most files do not hold it at all; one look at the whole is quicker than one at every line.
    return lambda text: lines(text) if wanted in text.casefold() else iter(())


def _declarations(query: str) -> Callable[[str], Found]:
    short = query.rsplit(".", 1)[-1].casefold()
    wanted = query.casefold()

    def find(text: str) -> Found:
        # Parsing costs far more than this look.
        if short not in text.casefold():
            return
        for symbol in symbols(text):
            name = symbol.name.casefold()
            if wanted in (name if "." in wanted else symbol.short_name.casefold()):
                yield symbol.line, f"{symbol.kind} {symbol.name}: {symbol.signature}"

    return find


SEARCH_PROJECT: Final = Tool(
    name="searchProject",
    description="Find lines (text ignores case; regex is Python's), C# declarations (symbol), or who refers to an "
    "asset or to one object in it (references). Go on with cursor=next.",
    arguments=SearchProject,
    run=_run,
    index="recent",
)
