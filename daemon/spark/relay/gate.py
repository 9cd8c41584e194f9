"""What stands between a prepared change set and the project: the Editor's unsaved work, and errors that the set would add.

Undo and restore pass: what was there before may come back, whatever a check says of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from spark.core.diagnostics import Finding
from spark.core.errors import ToolRejected
from spark.core.tool import Tool, ToolAnswer
from spark.protocol.wire import finding_to_wire
from spark.relay.parts import Parts

_SHOWN: Final = 20
RESTORING: Final = ("undoTurn", "restoreVersion")


async def judged(parts: Parts, tool: Tool, answer: ToolAnswer) -> ToolAnswer:  # type: ignore[type-arg]
    """The answer with all findings that its changes would add.

    Raises `unsaved_changes`; `invalid_script`, `invalid_asset` or `broken_reference` for new errors that the caller did not
    name as accepted.
    """
    if not answer.changes:
        return answer
    _refuse_unsaved(parts, answer)
    if tool.name in RESTORING:
        return answer
    changes = {change.path: change.content for change in answer.changes.files}
    found = await asyncio.to_thread(parts.engine.check_changes, changes)
    known = set(answer.findings)
    findings = (*answer.findings, *(finding for finding in found if finding not in known))
    errors = [f for f in findings if f.severity == "error" and not f.code.startswith(answer.forced or ("\0",))]
    if errors:
        raise _refusal(errors)
    return replace(answer, findings=findings)


def _refuse_unsaved(parts: Parts, answer: ToolAnswer) -> None:
    unsaved = parts.editor.state().unsaved
    if not unsaved:
        return
    open_paths = {change.path.text for change in answer.changes.files} & unsaved.keys()
    if open_paths:
        objects = {path: list(unsaved[path]) for path in sorted(open_paths)}
        raise ToolRejected(
            "unsaved_changes",
            f"the Editor holds unsaved changes of {', '.join(objects)}; nothing was written",
            hint="Ask the user to save in Unity and go on, or to leave this file out.",
            details={"unsaved": objects},
        )


def _refusal(errors: Sequence[Finding]) -> ToolRejected:
    first = errors[0]
    more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
    return ToolRejected(
        _code(first),
        f"{first.path} line {first.line}: {first.message}{more}; nothing was written",
        hint=first.fix or "Correct the change and call again.",
        details={"path": first.path, "findings": [finding_to_wire(finding) for finding in errors[:_SHOWN]]},
    )


def _code(finding: Finding) -> str:
    if finding.code.startswith("reference/") or "missing-script" in finding.code:
        return "broken_reference"
    return "invalid_script" if finding.path.endswith(".cs") else "invalid_asset"
