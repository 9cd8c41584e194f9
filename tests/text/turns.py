"""Turns that change files, users who do too, and undo: a small theatre for the tests of `spark.text.undo`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from spark.core.changes import ChangeSet, FileChange, sha256_of
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.core.versions import Author, Provenance
from spark.text.undo import UndoPlan, plan_undo
from tests.fakes.project import FakeProject


class Turns:
    """A project in which turns change files, users do too, and turns are taken back."""

    def __init__(self, root: Path) -> None:
        self.project = FakeProject(root)
        self.calls = 0

    def change(self, turn_id: str, *changes: tuple[str, str | None], moved: Iterable[tuple[str, str]] = ()) -> None:
        """One call of a turn: files get new texts (None: deleted), and files are moved."""
        self.calls += 1
        files: list[FileChange] = []
        for path, text in changes:
            before = self.project.read(path)
            sha256 = None if before is None else sha256_of(before)
            files.append(FileChange(ProjectPath(path), sha256, None if text is None else text.encode()))
        for old, new in moved:
            content = self.project.read(old)
            assert content is not None
            files.append(FileChange(ProjectPath(old), sha256_of(content), None))
            files.append(FileChange(ProjectPath(new), None, content, ProjectPath(old)))
        self.project.land(ChangeSet(tuple(files)), Provenance(Author("model", "m"), turn_id, f"c{self.calls}"))

    def plan(self, *turn_ids: str) -> UndoPlan:
        return plan_undo(self.project.store, turn_ids, self.project.files.read, self.project.files.names)

    def undo(self, *turn_ids: str, as_turn: str = "undo") -> UndoPlan:
        plan = self.plan(*turn_ids)
        self.calls += 1
        self.project.land(plan.changes, Provenance(Author("restore", "undoTurn"), as_turn, f"c{self.calls}"))
        return plan

    def conflict(self, *turn_ids: str) -> ToolRejected:
        with pytest.raises(ToolRejected) as refusal:
            self.plan(*turn_ids)
        assert refusal.value.code == "conflict"
        return refusal.value

    def text(self, path: str) -> str | None:
        content = self.project.read(path)
        return None if content is None else content.decode()
