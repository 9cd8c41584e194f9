"""`getDiagnostics`: what SPARK's own checks say of files. What Unity's compiler says is unknown while no Editor is connected."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from spark.core.diagnostics import Checked
from spark.core.paths import ProjectPath
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.protocol.wire import finding_to_wire
from spark.tools.list_assets import NOT_YET
from spark.tools.places import missing

_CHECK_S: Final = 10.0
_RECENT_VERSIONS: Final = 200
_ORDER: Final = {"error": 0, "warning": 1, "info": 2}


class GetDiagnostics(Arguments):
    path: Annotated[str | None, Field(description="File, folder, or . for all. Default: the files changed last")] = None
    sources: list[Literal["check"]] | None = None
    severity: Annotated[Literal["error", "warning", "info"] | None, Field(description="This and worse")] = None
    limit: Annotated[int | None, Field(ge=1, le=500)] = None


async def _run(arguments: GetDiagnostics, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_diagnose, arguments, context)


def _diagnose(arguments: GetDiagnostics, context: ToolContext) -> ToolAnswer:
    deadline = time.monotonic() + _CHECK_S
    paths, scope = _scope(arguments, context)
    worst = _ORDER[arguments.severity or "info"]
    # Nothing was changed lately: that is not to say "everything".
    checked = (
        context.engine.check_project(paths, lambda: time.monotonic() > deadline) if paths != [] else Checked((), 0)
    )
    found = [finding for finding in checked.findings if _ORDER[finding.severity] <= worst]
    found.sort(key=lambda finding: (_ORDER[finding.severity], finding.path, finding.line, finding.column))
    limit = arguments.limit or 100
    complete = checked.complete
    result: dict[str, Any] = {
        "findings": [finding_to_wire(finding) for finding in found[:limit]],
        "total": len(found),
        "checked": checked.checked,
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


def _scope(arguments: GetDiagnostics, context: ToolContext) -> tuple[list[ProjectPath] | None, str]:
    """What is checked, None for everything; and what that is called in the answer."""
    if arguments.path is None:
        own = [version.path for version in context.store.turn_versions(context.turn_id)]
        recent = [] if own else [v.path for v in context.store.history(limit=_RECENT_VERSIONS).versions]
        paths = dict.fromkeys(path for path in own or recent if path)
        return [ProjectPath(path) for path in sorted(paths)], "turn" if own else "recent"
    if arguments.path in (".", "./"):
        return None, "project"
    path = context.files.parse(arguments.path.rstrip("/"))
    found = context.files.stat(path)
    if found is None:
        raise missing(context, path, "path")
    return [path], "folder" if found.is_folder else "file"


GET_DIAGNOSTICS: Final = Tool(
    name="getDiagnostics",
    description="Findings of files (syntax, references, metas).",
    arguments=GetDiagnostics,
    run=_run,
    index="recent",
)
