"""What a game engine must provide, so that SPARK can make, edit, merge and check the files of its projects.

Engines read through the ports and never write. What takes CPU time is called off the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from spark.core.assets import AssetBytes, Json, MaterialOrder, NewObject, ObjectOp, PropertyEdit
from spark.core.diagnostics import Checked, Finding
from spark.core.paths import ProjectPath


@dataclass(frozen=True, slots=True)
class Referrer:
    """One place in a file that refers to an asset. `line` counts from 1, `text` is the line (a part of a long one).

    `file_id`: the object in the asset that it names, None where it names the asset as a whole. `from_id`, `from_class_id` and
    `from_class` (`MonoBehaviour`) are the document that it stands in; None and empty in files without documents.
    """

    line: int
    text: str
    file_id: int | None = None
    from_id: int | None = None
    from_class_id: int | None = None
    from_class: str = ""


@dataclass(frozen=True, slots=True)
class ScriptPlace:
    """Where a new script goes and how it is written there; `why` is one sentence for the answer."""

    path: ProjectPath
    namespace: str | None
    newline: Literal["\n", "\r\n"]
    bom: bool
    indent: str
    why: str


class Merged(Protocol):
    """A merge: the bytes, or None where there are conflicts."""

    @property
    def content(self) -> bytes | None: ...

    @property
    def conflicts(self) -> tuple[Any, ...]: ...


MergeFile = Callable[[ProjectPath, bytes, bytes, bytes], Merged]
"""`(path, base, ours, theirs)`; never raises."""


class Engine(Protocol):
    """What a game engine must provide so that SPARK can write into its projects."""

    @property
    def name(self) -> str:
        """`unity`."""
        ...

    @property
    def editor_version(self) -> str:
        """`2022.3.41f1`, or an empty string where the project does not say."""
        ...

    def brief(self) -> str:
        """What every conversation is told of the project, made from its files; at most about 6,000 characters."""
        ...

    def new_guid(self) -> str:
        """Random, unique in the project, 32 lower-case hex digits."""
        ...

    def meta(self, path: ProjectPath, guid: str, *, folder: bool = False) -> bytes:
        """The `.meta` that this project's editor version would write for a new asset or folder."""
        ...

    def guid_in_meta(self, content: bytes) -> str | None: ...

    def check(self, path: ProjectPath, content: bytes, before: bytes | None = None) -> list[Finding]:
        """Findings of a file's bytes; with `before`, only what is new against them. CPU time: call it off the loop."""
        ...

    def place_script(
        self, class_name: str, *, namespace: str | None, folder: str | None, base_class: str | None
    ) -> ScriptPlace:
        """Where scripts like this one lie in this project, and their style."""
        ...

    def is_text(self, path: ProjectPath, content: bytes) -> bool:
        """Whether these bytes may be edited as text (not binary, not an LFS pointer)."""
        ...

    def referrers(self, content: bytes, guid: str, file_id: int | None = None) -> list[Referrer]:
        """The places in a file's bytes that refer to an asset, in order; with `file_id`, to this object of it.

        An empty guid means the file itself: references inside of it to the object `file_id`.
        """
        ...

    # -- assets: each takes CPU time (call it off the loop) and raises `ToolRejected` naming the field that is wrong --------

    def new_asset(self, path: ProjectPath, kind: str, properties: Mapping[str, Json]) -> AssetBytes:
        """A scene, an assembly definition (`asmdef`) or a ScriptableObject of the class `kind`."""
        ...

    def new_prefab(
        self, path: ProjectPath, objects: Sequence[NewObject], variant_of: ProjectPath | None
    ) -> AssetBytes: ...

    def edit_prefab(self, path: ProjectPath, content: bytes, ops: Sequence[ObjectOp]) -> AssetBytes:
        """A prefab or scene with all operations done in order."""
        ...

    def edit_asset(self, path: ProjectPath, content: bytes, edits: Sequence[PropertyEdit]) -> AssetBytes: ...

    def new_material(self, path: ProjectPath, order: MaterialOrder) -> AssetBytes: ...

    def edit_material(self, path: ProjectPath, content: bytes, order: MaterialOrder) -> AssetBytes: ...

    def renamed(self, old: ProjectPath, new: ProjectPath, content: bytes) -> bytes:
        """An asset's bytes under its new name, where the name stands in it too. Never raises."""
        ...

    def outline(self, path: ProjectPath, content: bytes, target: str | None) -> list[str]:
        """An asset's objects, components, values and ids as lines; with `target` only that object, with everything."""
        ...

    def merge(self, path: ProjectPath, base: bytes, ours: bytes, theirs: bytes) -> Merged:
        """A three-way merge by what the file means. Never raises."""
        ...

    def check_changes(self, changes: Mapping[ProjectPath, bytes | None]) -> list[Finding]:
        """The findings that a change set would add to the project; None: the file is deleted."""
        ...

    def check_project(
        self, paths: Sequence[ProjectPath] | None = None, stop: Callable[[], bool] = lambda: False
    ) -> Checked:
        """Findings of files and folders together with the rest of the project; None: of the whole project.

        Reads every file that changed since it was last looked at. `stop` is asked between files.
        """
        ...
