"""Where files of a call may go: the fence for arguments, metas for new assets and folders, names that clash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from spark.core.changes import FileChange, sha256_of
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.paths import ProjectPath, check_writable
from spark.core.tool import ToolContext


def writable(context: ToolContext, raw: str, name: str) -> ProjectPath:
    """A path argument that a call may write. Raises `invalid_arguments`, `path_outside_project`, `protected_path`."""
    path = context.files.parse(raw, field=name)
    is_package = path.parts[0] == "Packages"
    check_writable(path, embedded_packages=context.files.embedded_packages if is_package else frozenset())
    return path


def wants_meta(path: ProjectPath) -> bool:
    """Whether Unity keeps a `.meta` beside this file or folder: it skips hidden names, names that end in `~`, and what is
    not below `Assets/` or inside a package."""
    parts = path.parts
    inner = parts[1:] if parts[0] == "Assets" else parts[2:] if parts[0] == "Packages" else ()
    hidden = any(part.startswith(".") or part.endswith("~") or part.casefold() == "cvs" for part in inner)
    return bool(inner) and not hidden and not path.is_meta and path.suffix != ".tmp"


def folders_above(path: ProjectPath) -> Iterator[ProjectPath]:
    """The folders that a path lies in, the outermost first."""
    for count in range(1, len(path.parts)):
        yield ProjectPath("/".join(path.parts[:count]))


def refuse_existing(context: ToolContext, path: ProjectPath, name: str, *, hint: str, leaving: str = "") -> None:
    """Raises `already_exists` where something has this name already, or one that differs by case or Unicode form only.

    `leaving`: a path that goes away in the same change set, so that a file may be renamed by case.
    """
    for folder in folders_above(path):
        found = context.files.stat(folder)
        if found is not None and not found.is_folder:
            raise invalid_arguments({name: f"a path in a folder; {folder} is a file"})
        if found is None:
            _refuse_folded(context, folder, name, leaving)
    if path.text == leaving:
        return
    if context.files.stat(path) is not None:
        raise _exists(path, path, name, hint)
    _refuse_folded(context, path, name, leaving)


def _refuse_folded(context: ToolContext, path: ProjectPath, name: str, leaving: str) -> None:
    same = context.index.same_when_folded(path)
    if same is not None and same.text != path.text and same.text != leaving and context.files.stat(same) is not None:
        raise _exists(path, same, name, f"Write it as {same}: on Windows and macOS both are one name.")


def _exists(path: ProjectPath, existing: ProjectPath, name: str, hint: str) -> ToolRejected:
    return ToolRejected(
        "already_exists",
        f"{name}: {existing} already exists",
        hint=hint,
        details={"fields": {name: "a path that is free"}, "path": path.text, "existing": existing.text},
    )


@dataclass
class NewAssets:
    """The files that come with new assets of one change set: their metas, and those of folders that do not exist yet."""

    context: ToolContext
    guids: dict[ProjectPath, str] = field(default_factory=dict)
    _folders: set[ProjectPath] = field(default_factory=set)

    def folders(self, path: ProjectPath) -> list[FileChange]:
        """Metas for every folder level above `path` that does not exist yet."""
        changes: list[FileChange] = []
        for folder in folders_above(path):
            if folder in self._folders or not wants_meta(folder) or self.context.files.stat(folder) is not None:
                continue
            self._folders.add(folder)
            changes += self._meta(folder, is_folder=True)
        return changes

    def asset(self, path: ProjectPath, content: bytes) -> list[FileChange]:
        """A new asset with its `.meta` and what its folders need. `guids` then knows its guid."""
        changes = [*self.folders(path), FileChange(path, None, content)]
        return [*changes, *self.meta(path)]

    def meta(self, path: ProjectPath) -> list[FileChange]:
        return self._meta(path, is_folder=False) if wants_meta(path) else []

    def _meta(self, path: ProjectPath, *, is_folder: bool) -> list[FileChange]:
        present = self.context.files.read(path.meta)
        if present is not None:
            # Left behind by an asset that is gone: references that still name its guid find the new one.
            self.guids[path] = self.context.engine.guid_in_meta(present) or ""
            return []
        guid = self.context.engine.new_guid()
        self.guids[path] = guid
        return [FileChange(path.meta, None, self.context.engine.meta(path, guid, folder=is_folder))]


def files_below(context: ToolContext, folder: ProjectPath) -> Iterator[ProjectPath]:
    """All files in a folder and its folders, read from the disk and not from the index."""
    todo = [folder]
    while todo:
        current = todo.pop()
        for name in context.files.names(current):
            path = current / name
            found = context.files.stat(path)
            if found is not None and found.is_folder:
                todo.append(path)
            elif found is not None:
                yield path


def missing(context: ToolContext, path: ProjectPath, name: str, *, hint: str = "") -> ToolRejected:
    """`not_found`, with files of the same name elsewhere."""
    alike = [entry.path.text for entry in context.index.entries() if entry.path.name.casefold() == path.name.casefold()]
    found = f"Perhaps {', '.join(alike[:5])}. " if alike else ""
    return ToolRejected(
        "not_found",
        f"{name}: there is no {path}",
        hint=(found + hint) or "Find it with listAssets.",
        details={"path": path.text, "alike": alike[:5]},
    )


def read_all(
    context: ToolContext, paths: Iterable[ProjectPath], limit_bytes: int, *, refusal: ToolRejected
) -> dict[ProjectPath, bytes]:
    """The bytes of several files; raises `refusal` where they are more than `limit_bytes` together."""
    total = 0
    contents: dict[ProjectPath, bytes] = {}
    for path in paths:
        found = context.files.stat(path)
        total += found.size if found is not None else 0
        if total > limit_bytes:
            raise refusal
        content = context.files.read(path)
        if content is not None:
            contents[path] = content
    return contents


def deletion(path: ProjectPath, content: bytes) -> FileChange:
    return FileChange(path, sha256_of(content), None)
