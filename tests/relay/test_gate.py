"""Between a prepared change and the project: the Editor's unsaved work, and errors that the change would add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from spark.core.changes import ChangeSet, FileChange
from spark.core.diagnostics import Finding
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.core.ports import EditorState
from spark.core.tool import Registry, ToolAnswer
from spark.relay.gate import judged
from spark.relay.parts import Parts
from spark.tools import TOOLS
from tests.fakes.scripted_model import ScriptedModel
from tests.relay.conftest import Start

PATH = ProjectPath("Assets/Crate.prefab")


class Engine:
    """Says of every change set what it was told to say, and remembers what it was asked."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = list(findings)
        self.asked: list[Mapping[ProjectPath, bytes | None]] = []

    def check_changes(self, changes: Mapping[ProjectPath, bytes | None]) -> list[Finding]:
        self.asked.append(changes)
        return self.findings


class Editor:
    def __init__(self, *objects: str) -> None:
        self.unsaved = {PATH.text: objects}

    def state(self) -> EditorState:
        return EditorState(connected=True, unsaved=self.unsaved)


def answer(**given: Any) -> ToolAnswer:
    return ToolAnswer({}, ChangeSet((FileChange(PATH, None, b"new"),)), **given)


def finding(code: str, severity: Any = "error", path: str = PATH.text) -> Finding:
    return Finding(code, severity, path, 3, 1, "it is wrong", "do it right")


async def judge(start: Start, engine: Engine, tool: str, given: ToolAnswer, editor: Any = None) -> ToolAnswer:
    async with start(ScriptedModel()) as scene:
        parts: Parts = replace(scene.parts, engine=engine, editor=editor or scene.parts.editor)  # type: ignore[arg-type]
        try:
            return await judged(parts, Registry(TOOLS).get(tool), given)
        except ToolRejected as error:
            refusal = error
    # Outside of the relay's task group, which would wrap it.
    raise refusal


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (finding("yaml/duplicate-id"), "invalid_asset"),
        (finding("reference/unknown-guid"), "broken_reference"),
        (finding("csharp/syntax", path="Assets/A.cs"), "invalid_script"),
    ],
)
async def test_a_change_set_that_adds_an_error_is_refused(start: Start, found: Finding, code: str) -> None:
    """422 with the findings, file and line named, by what kind of error it is."""
    with pytest.raises(ToolRejected) as refused:
        await judge(start, Engine(found), "editAsset", answer())
    assert refused.value.code == code
    assert found.path in refused.value.message
    assert "line 3" in refused.value.message
    assert refused.value.hint == "do it right"
    assert [item["code"] for item in refused.value.details["findings"]] == [found.code]


async def test_warnings_are_told_and_do_not_refuse(start: Start) -> None:
    """A warning goes along with the answer, once."""
    warning = finding("unity/hint", "warning")
    judged_answer = await judge(start, Engine(warning), "editAsset", answer(findings=(warning,)))
    assert judged_answer.findings == (warning,)


async def test_what_the_caller_accepts_by_name_lands(start: Start) -> None:
    """Errors whose codes begin as the answer says are accepted; others are not."""
    broken = finding("reference/dangling")
    passed = await judge(start, Engine(broken), "deleteAsset", answer(forced=("reference/",)))
    assert passed.findings == (broken,)
    with pytest.raises(ToolRejected):
        await judge(start, Engine(broken, finding("meta/guid")), "deleteAsset", answer(forced=("reference/",)))


@pytest.mark.parametrize("tool", ["undoTurn", "restoreVersion"])
async def test_undo_and_restore_are_never_refused_for_findings(start: Start, tool: str) -> None:
    """What was there may come back, whatever a check would say: the check is not even asked."""
    engine = Engine(finding("yaml/duplicate-id"))
    assert (await judge(start, engine, tool, answer())).findings == ()
    assert engine.asked == []


@pytest.mark.parametrize("tool", ["editPrefab", "undoTurn"])
async def test_unsaved_changes_in_the_editor_are_not_written_over(start: Start, tool: str) -> None:
    """`unsaved_changes` names the file and its objects; that also holds for an undo."""
    with pytest.raises(ToolRejected) as refused:
        await judge(start, Engine(), tool, answer(), Editor("Crate", "Crate/Lid"))
    assert refused.value.code == "unsaved_changes"
    assert refused.value.details["unsaved"] == {PATH.text: ["Crate", "Crate/Lid"]}
