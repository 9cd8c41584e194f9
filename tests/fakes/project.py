"""A project that keeps state: real files in a folder, every port that a function call reads through, and turns.

`FakeProject.land` writes a change set as the real landing does, but plainly: enough to test what tools and plans prepare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spark.core.changes import Change, ChangeSet, sha256_of
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.core.ports import Landed
from spark.core.tool import Registry, ToolAnswer, ToolContext
from spark.core.versions import Author, GitPlace, Provenance
from spark.tools import TOOLS
from tests.fakes.ports import (
    FakeEditor,
    FakeEngine,
    FakeIndex,
    FakeProjectFiles,
    FakeReads,
    FakeStore,
    ScriptedCodeModel,
)

__all__ = [
    "FakeEditor",
    "FakeEngine",
    "FakeIndex",
    "FakeProject",
    "FakeProjectFiles",
    "FakeReads",
    "FakeStore",
    "ScriptedCodeModel",
]


@dataclass
class FakeProject:
    """A project with its ports, and turns that land what tools prepare."""

    root: Path
    code_model: Any = field(default_factory=ScriptedCodeModel)
    engine: FakeEngine = field(default_factory=FakeEngine)

    def __post_init__(self) -> None:
        (self.root / "Assets").mkdir(parents=True, exist_ok=True)
        (self.root / "ProjectSettings").mkdir(exist_ok=True)
        self.files = FakeProjectFiles(self.root)
        self.index = FakeIndex(self.files)
        self.engine.index = self.index
        self.store = FakeStore()
        self.reads = FakeReads()
        self.registry = Registry(TOOLS)
        self._calls = 0

    # -- what lies there -------------------------------------------------------------------------------------------

    def write(self, path: str, content: bytes | str, *, meta: bool = False) -> str:
        """A file that lies there before anything happens; answers its guid where it got a `.meta`."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        if not meta:
            return ""
        guid = self.engine.new_guid()
        (self.root / f"{path}.meta").write_bytes(self.engine.meta(ProjectPath(path), guid))
        return guid

    def read(self, path: str) -> bytes | None:
        place = self.root / path
        return place.read_bytes() if place.is_file() else None

    def snapshot(self) -> dict[str, bytes]:
        """All files with their bytes."""
        found = [path for path in self.root.rglob("*") if path.is_file()]
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found}

    def user_saves(self, path: str, content: bytes | None) -> None:
        """The user changes a file (None: deletes it), and the watcher records it."""
        by = Provenance(Author("user", "u"))
        place = self.root / path
        there = place.exists()
        if content is None:
            place.unlink()
        else:
            self.write(path, content)
        self.store.add(
            ProjectPath(path), content, "deleted" if content is None else "modified" if there else "created", by
        )

    # -- calls -----------------------------------------------------------------------------------------------------

    def context(self, *, turn_id: str = "turn_1", own_turn: bool = False) -> ToolContext:
        self._calls += 1
        return ToolContext(
            files=self.files,
            index=self.index,
            store=self.store,
            engine=self.engine,
            editor=FakeEditor(),
            reads=self.reads,
            code_model=self.code_model,
            turn_id=turn_id,
            call_id=f"call_{self._calls}",
            own_turn=own_turn,
        )

    async def prepare(self, name: str, arguments: Mapping[str, Any], **given: Any) -> ToolAnswer:
        """Runs a function; nothing lands."""
        tool = self.registry.get(name)
        return await tool.run(tool.parse(arguments), self.context(**given))

    async def call(
        self, name: str, arguments: Mapping[str, Any], *, turn_id: str = "turn_1", own_turn: bool = False
    ) -> Any:
        """Runs a function and lands what it prepared; answers its result."""
        tool = self.registry.get(name)
        context = self.context(turn_id=turn_id, own_turn=own_turn)
        answer = await tool.run(tool.parse(arguments), context)
        if not answer.changes:
            return answer.result
        restores = name in ("undoTurn", "restoreVersion")
        by = Provenance(Author("restore" if restores else "model", name), turn_id, context.call_id, GitPlace())
        landed = self.land(answer.changes, by)
        for change in landed.changes:
            if change.sha256_after is not None:
                self.reads.note(change.path, change.sha256_after)
        return answer.result if answer.complete is None else answer.complete(answer.result, landed)

    async def refused(self, name: str, arguments: Mapping[str, Any], **given: Any) -> ToolRejected:
        """Runs a call that must be refused, and proves that nothing was written."""
        before = self.snapshot()
        try:
            await self.call(name, arguments, **given)
        except ToolRejected as error:
            assert self.snapshot() == before
            return error
        raise AssertionError(f"{name} was not refused")

    def land(self, change_set: ChangeSet, by: Provenance) -> Landed:
        """Writes a change set; its conditions must hold, as the real landing checks them."""
        paths = [change.path for change in change_set.files]
        assert len(set(paths)) == len(paths), f"a path twice: {paths}"
        for change in change_set.files:
            present = self.files.read(change.path)
            assert (None if present is None else sha256_of(present)) == change.before_sha256, change.path
        made: list[Change] = []
        for change in change_set.files:
            made.append(self._land_one(change.path, change.content, change.action, by))
        self._prune([path.asset for path in paths if path.is_meta])
        return Landed(tuple(made))

    def _land_one(self, path: ProjectPath, content: bytes | None, action: str, by: Provenance) -> Change:
        present = self.files.read(path)
        latest = self.store.latest(path)
        before = None if present is None else sha256_of(present)
        if present is not None and (latest is None or latest.sha256 != before):
            self.store.add(path, present, "modified", Provenance(Author("user", "u")))
        place = self.root / path.text
        if content is None:
            place.unlink()
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        version = self.store.add(path, content, action, by)
        return Change(path, action, version.version_id, before, version.sha256)

    def _prune(self, folders: Sequence[ProjectPath]) -> None:
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            place = self.root / folder.text
            if place.is_dir() and not any(place.iterdir()) and not (self.root / folder.meta.text).exists():
                place.rmdir()
