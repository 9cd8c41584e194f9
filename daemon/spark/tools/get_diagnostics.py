"""`getDiagnostics`: what SPARK's own checks say of files. What Unity's compiler says is unknown while no Editor is connected."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from spark.core.diagnostics import Finding
from spark.core.errors import ToolRejected
from spark.core.limits import FILE_BYTES
from spark.core.paths import ProjectPath
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.protocol.wire import finding_to_wire
from spark.tools.list_assets import NOT_YET
from spark.tools.places import missing

_CHECK_S: Final = 10.0
_RECENT_VERSIONS: Final = 200
_ORDER: Final = {"error": 0, "warning": 1, "info": 2}


class GetDiagnostics(Arguments):
    path: Annotated[str | None, Field(description="File or folder. Default: the files changed last")] = None
    sources: list[Literal["check"]] | None = None
    severity: Annotated[Literal["error", "warning", "info"] | None, Field(description="This and worse")] = None
    limit: Annotated[int | None, Field(ge=1, le=500)] = None


async def _run(arguments: GetDiagnostics, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_diagnose, arguments, context)


def _diagnose(arguments: GetDiagnostics, context: ToolContext) -> ToolAnswer:
    deadline = time.monotonic() + _CHECK_S
    paths, scope = _scope(arguments, context)
    worst = _ORDER[arguments.severity or "info"]
    found: list[Finding] = []
    checked = 0
    complete = context.index.complete or scope != "folder"
    for path in paths:
        if time.monotonic() > deadline:
            complete = False
            break
        findings = _check(context, path)
        if findings is not None:
            checked += 1
            found += [finding for finding in findings if _ORDER[finding.severity] <= worst]
    found.sort(key=lambda finding: (_ORDER[finding.severity], finding.path, finding.line, finding.column))
    limit = arguments.limit or 100
    result: dict[str, Any] = {
        "findings": [finding_to_wire(finding) for finding in found[:limit]],
        "total": len(found),
        "checked": checked,
        "scope": scope,
        "complete": complete,
        **_compile_state(context),
    }
    if not complete:
        result["note"] = (
            "not all files were checked in time; name a smaller folder" if context.index.complete else NOT_YET
        )
    return ToolAnswer(result)


def _compile_state(context: ToolContext) -> dict[str, str]:
    state = context.editor.state()
    if not state.connected:
        return {"compile": "unknown", "compileReason": "no Unity Editor is connected; only SPARK's own checks ran"}
    return {"compile": "unknown", "compileReason": f"the Editor's compiler was not asked ({state.busy or 'idle'})"}


def _scope(arguments: GetDiagnostics, context: ToolContext) -> tuple[Iterable[ProjectPath], str]:
    if arguments.path is None:
        own = [version.path for version in context.store.turn_versions(context.turn_id)]
        recent = [] if own else [v.path for v in context.store.history(limit=_RECENT_VERSIONS).versions]
        paths = dict.fromkeys(path for path in own or recent if path)
        return [ProjectPath(path) for path in sorted(paths)], "turn" if own else "recent"
    path = context.files.parse(arguments.path.rstrip("/"))
    found = context.files.stat(path)
    if found is None:
        raise missing(context, path, "path")
    return (_below(context, path), "folder") if found.is_folder else ([path], "file")


def _below(context: ToolContext, folder: ProjectPath) -> Iterator[ProjectPath]:
    return (entry.path for entry in context.index.entries(folder) if entry.size <= FILE_BYTES)


def _check(context: ToolContext, path: ProjectPath) -> list[Finding] | None:
    """None for a file that is gone or has no text."""
    try:
        content = context.files.read(path, limit_bytes=FILE_BYTES)
    except ToolRejected:
        return None
    if content is None or not context.engine.is_text(path, content):
        return None
    return context.engine.check(path, content)


GET_DIAGNOSTICS: Final = Tool(
    name="getDiagnostics",
    description="Findings of files (syntax, references, metas).",
    arguments=GetDiagnostics,
    run=_run,
)
