"""The prefabs and models that instances come from: found by guid, read once, and looked into where that is possible.

A model (`.fbx`) is no text: of it only the ids of its root are known, from its `.meta`. Must not know how a file is edited.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark.core.errors import SparkError
from spark.core.limits import ASSET_BYTES
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity.words import words
from spark.engines.unity.yaml.values import Ref

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.structure import Hierarchy
    from spark.engines.unity.yaml.asset import AssetFile

MODEL_SUFFIXES: Final = words(
    ".fbx .obj .dae .3ds .dxf .blend .max .ma .mb .c4d .jas .lxo .skp .gltf .glb .vrm .abc .usd .usdz"
)
PREFAB_ID: Final = 100100000
MAX_DEPTH: Final = 40
_HASHED_ROOT: Final = (919132149155446097, -8679921383154817045)
"""The root's object and Transform in models whose meta says `fileIdsGeneration: 2`: ids made from the name //RootNode."""
_HASHED = re.compile(rb"^ +fileIdsGeneration: 2\r?$", re.MULTILINE)
_NUMBERED = re.compile(rb"^ +(?:\d+: )?(\d{6})(?:: |\r?\n +second: )//RootNode\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """`hierarchy` is None where it cannot be looked into; `why` says so in a sentence. The ids of the root are None where
    they are not known."""

    guid: str
    path: ProjectPath | None = None
    hierarchy: Hierarchy | None = None
    why: str = ""
    root_id: int | None = None
    root_transform_id: int | None = None
    fault: SparkError | None = None
    """Why the file itself cannot be read, as the refusal that names its line."""

    @property
    def name(self) -> str:
        return self.path.text if self.path is not None else f"(guid {self.guid})"


class Sources:
    """Reads each source once. A prefab that contains itself, or is nested deeper than 40 levels, is not looked into."""

    def __init__(self, files: ProjectFiles, index: ProjectIndex) -> None:
        self._files = files
        self._index = index
        self._read: dict[str, Source] = {}
        self._open: list[str] = []
        self._paths: dict[str, ProjectPath] = {}

    def of(self, ref: Ref) -> Source:
        """The source of an instance by its `m_SourcePrefab`."""
        if not ref.guid:
            return Source("", why="it names no prefab")
        if ref.guid in self._open:
            return Source(ref.guid, self._index.path_of_guid(ref.guid), why="it contains itself")
        if len(self._open) >= MAX_DEPTH:
            return Source(
                ref.guid, self._index.path_of_guid(ref.guid), why=f"it is nested deeper than {MAX_DEPTH} levels"
            )
        if ref.guid not in self._read:
            self._open.append(ref.guid)
            try:
                self._read[ref.guid] = self._source(ref.guid)
            finally:
                self._open.pop()
        return self._read[ref.guid]

    def at(self, path: ProjectPath, guid: str) -> Source:
        """The source that an asset is, by its path and the guid of its meta; the index need not know it yet."""
        self._paths[guid] = path
        return self.of(Ref(PREFAB_ID, guid, 3))

    def assets(self) -> list[AssetFile]:
        """The files that were read so far."""
        return [source.hierarchy.asset for source in self._read.values() if source.hierarchy is not None]

    def _source(self, guid: str) -> Source:
        path = self._paths.get(guid) or self._index.path_of_guid(guid)
        if path is None:
            return Source(guid, why=f"no asset of the project has the guid {guid}")
        if path.suffix in MODEL_SUFFIXES:
            root, transform = self._model_root(path)
            return Source(guid, path, None, f"{path} is a model, which cannot be looked into", root, transform)
        if path.suffix != ".prefab":
            return Source(guid, path, why=f"{path} is no prefab")
        content = _quiet(lambda: self._files.read(path, limit_bytes=ASSET_BYTES))
        if content is None:
            return Source(guid, path, why=f"{path} cannot be read")
        return self._prefab(guid, path, content)

    def _prefab(self, guid: str, path: ProjectPath, content: bytes) -> Source:
        from spark.engines.unity.hierarchy.faults import opened
        from spark.engines.unity.hierarchy.structure import Hierarchy

        try:
            hierarchy = Hierarchy(opened(content, path.text), self)
        except SparkError as error:
            return Source(guid, path, why=error.message, fault=error)
        if len(hierarchy.roots) != 1:
            return Source(guid, path, hierarchy, f"{path} has {len(hierarchy.roots)} roots where a prefab has one")
        root = hierarchy.roots[0]
        return Source(guid, path, hierarchy, "", root.file_id, root.transform_id)

    def _model_root(self, path: ProjectPath) -> tuple[int | None, int | None]:
        meta = _quiet(lambda: self._files.read(path.meta, limit_bytes=ASSET_BYTES)) or b""
        if _HASHED.search(meta):
            return _HASHED_ROOT
        found = [int(number) for number in _NUMBERED.findall(meta)]
        objects = [number for number in found if number // 100_000 == 1]
        transforms = [number for number in found if number // 100_000 == 4]
        return (objects[0] if objects else None), (transforms[0] if transforms else None)


def _quiet(read: Callable[[], bytes | None]) -> bytes | None:
    try:
        return read()
    except (SparkError, OSError):
        return None
