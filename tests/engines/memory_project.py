"""A project in memory: the two ports that an engine reads through, over one dictionary of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.core.ports import FileStat, IndexEntry
from spark.engines.unity.meta import guid_in_meta


class FakeProject:
    """Files by their path with `/`. Each write is a new change time, as on a disk. `folders` exist without files.

    `files` and `index` are the two ports; both always show the present state.
    """

    def __init__(self, files: Mapping[str, bytes | str] | None = None, *, folders: tuple[str, ...] = ()) -> None:
        self.contents: dict[str, bytes] = {}
        self.times: dict[str, int] = {}
        self.folders = set(folders)
        self.reads: list[str] = []
        for path, content in (files or {}).items():
            self.write(path, content)
        self.files = FakeFiles(self)
        self.index = FakeIndex(self)

    def write(self, path: str, content: bytes | str) -> None:
        self.contents[path] = content.encode() if isinstance(content, str) else content
        self.times[path] = self.times.get(path, 1_000) + 1

    def delete(self, path: str) -> None:
        del self.contents[path]


class FakeFiles:
    """Implements `core.ports.ProjectFiles`."""

    def __init__(self, project: FakeProject) -> None:
        self._project = project
        self.root = Path("/somewhere/My Game")

    @property
    def embedded_packages(self) -> frozenset[str]:
        found = [path.split("/") for path in self._project.contents]
        return frozenset(p[1] for p in found if len(p) == 3 and p[0] == "Packages" and p[2] == "package.json")

    def parse(self, raw: str, *, field: str = "path") -> ProjectPath:
        return ProjectPath.parse(raw, root=str(self.root), field=field)

    def read(self, path: ProjectPath, *, limit_bytes: int | None = None) -> bytes | None:
        self._project.reads.append(path.text)
        content = self._project.contents.get(path.text)
        if content is not None and limit_bytes is not None and len(content) > limit_bytes:
            raise ToolRejected("too_large", f"{path} is too large")
        return content

    def stat(self, path: ProjectPath) -> FileStat | None:
        content = self._project.contents.get(path.text)
        if content is not None:
            time = self._project.times[path.text]
            return FileStat(len(content), time, time, 1, False)
        is_folder = path.text in self._project.folders or bool(self.names(path))
        return FileStat(0, 1, 1, 2, True) if is_folder else None

    def names(self, folder: ProjectPath) -> list[str]:
        head = folder.text + "/"
        return sorted({path[len(head) :].split("/")[0] for path in self._project.contents if path.startswith(head)})


class FakeIndex:
    """Implements `core.ports.ProjectIndex`."""

    complete = True

    def __init__(self, project: FakeProject) -> None:
        self._project = project

    def __len__(self) -> int:
        return len(self._project.contents)

    def entries(self, folder: ProjectPath | None = None) -> Iterator[IndexEntry]:
        for path in sorted(self._project.contents):
            if folder is None or path.startswith(folder.text + "/"):
                content = self._project.contents[path]
                yield IndexEntry(ProjectPath(path), len(content), self._project.times[path], None, None)

    def entry(self, path: ProjectPath) -> IndexEntry | None:
        return next((entry for entry in self.entries() if entry.path == path), None)

    def same_when_folded(self, path: ProjectPath) -> ProjectPath | None:
        return next((e.path for e in self.entries() if e.path != path and e.path.folded == path.folded), None)

    def path_of_guid(self, guid: str) -> ProjectPath | None:
        for path, content in self._project.contents.items():
            if path.endswith(".meta") and guid_in_meta(content) == guid:
                return ProjectPath(path).asset
        return None

    def references_to(self, guid: str) -> tuple[ProjectPath, ...]:
        return tuple(entry.path for entry in self.entries() if guid.encode() in self._project.contents[entry.path.text])

    def references_to_any(self, guids: Iterable[str]) -> tuple[ProjectPath, ...]:
        return tuple(sorted({path for guid in guids for path in self.references_to(guid)}))

    def duplicate_guids(self) -> dict[str, tuple[ProjectPath, ...]]:
        found: dict[str, list[ProjectPath]] = {}
        for path, content in sorted(self._project.contents.items()):
            guid = guid_in_meta(content) if path.endswith(".meta") else None
            if guid is not None:
                found.setdefault(guid, []).append(ProjectPath(path).asset)
        return {guid: tuple(paths) for guid, paths in found.items() if len(paths) > 1}
