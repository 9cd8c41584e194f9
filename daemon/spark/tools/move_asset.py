"""`moveAsset`: a file or a folder gets another path; metas go along, so every reference stays whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field

from spark.core.changes import ChangeSet, FileChange
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.limits import CHANGES_PER_SET, KEPT_DELETE_BYTES
from spark.core.paths import ProjectPath
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.text.diff import joined, unified_diff
from spark.tools.places import (
    NewAssets,
    deletion,
    files_below,
    missing,
    read_all,
    refuse_existing,
    wants_meta,
    writable,
)
from spark.tools.referrers import broken, referrers


class MoveAsset(Arguments):
    source: Annotated[str, Field(alias="from", description="File or folder")]
    to: Annotated[str, Field(description="The whole new path")]


async def _run(arguments: MoveAsset, context: ToolContext) -> ToolAnswer:
    return await asyncio.to_thread(_move, arguments, context)


def _move(arguments: MoveAsset, context: ToolContext) -> ToolAnswer:
    source = writable(context, arguments.source.rstrip("/"), "from")
    target = writable(context, arguments.to.rstrip("/"), "to")
    refuse_meta(source, "from")
    refuse_meta(target, "to")
    if target.is_under(source) or target == source:
        raise invalid_arguments({"to": "another path, not inside what is moved"})
    found = context.files.stat(source)
    if found is None:
        raise missing(context, source, "from")
    refuse_existing(context, target, "to", hint="Name a path that is free, with the new name.", leaving=source.text)
    moved = moving_files(context, source, is_folder=found.is_folder)
    _refuse_loss(context, source, target, moved, is_folder=found.is_folder)
    new = NewAssets(context)
    changes = new.folders(target)
    leaving: list[FileChange] = []
    for path, content in moved.items():
        end = ProjectPath(target.text + path.text[len(source.text) :])
        changes.append(FileChange(end, None, context.engine.renamed(path, end, content), moved_from=path))
        leaving.append(deletion(path, content))
    if source.meta not in moved and not found.is_folder:
        changes += new.meta(target)
    diffs = [
        unified_diff(moved[change.moved_from], change.content, change.path.text, old_path=change.moved_from.text)
        for change in changes
        if change.moved_from is not None and not change.path.is_meta
    ]
    result = {
        "from": source.text,
        "path": target.text,
        "files": sum(1 for path in moved if not path.is_meta),
        "guid": _guid(context, moved.get(source.meta)) or new.guids.get(target, ""),
    }
    return ToolAnswer(
        result, ChangeSet((*changes, *leaving), merge=False, leaves=folders_of(source, moved)), joined(diffs)
    )


def _refuse_loss(
    context: ToolContext, source: ProjectPath, target: ProjectPath, moved: dict[ProjectPath, bytes], *, is_folder: bool
) -> None:
    """A guid alone does not keep a reference whole: Unity looks at no hidden folders, and imports by file type."""
    if wants_meta(target) and (is_folder or source.suffix == target.suffix):
        return
    left = referrers(context, moved, moved)
    if left:
        why = "Unity imports nothing there" if not wants_meta(target) else "it would be imported as something else"
        raise broken(
            left, f"{source} is not moved to {target}, because {why}", "Name a place in Assets and keep the file type."
        )


def refuse_meta(path: ProjectPath, name: str) -> None:
    """A `.meta` is never named by itself: it goes wherever its asset goes."""
    if path.is_meta:
        raise invalid_arguments({name: f"the asset {path.asset}; its .meta goes along"})


def folders_of(path: ProjectPath, files: Iterable[ProjectPath]) -> frozenset[ProjectPath]:
    """The folders at and below a path that hold these files: they go with them."""
    folders: set[ProjectPath] = set()
    for file in files:
        folder = file.parent
        while folder is not None and (folder == path or folder.is_under(path)):
            folders.add(folder)
            folder = folder.parent
    return frozenset(folders)


def _guid(context: ToolContext, meta: bytes | None) -> str:
    return (context.engine.guid_in_meta(meta) or "") if meta is not None else ""


def moving_files(context: ToolContext, path: ProjectPath, *, is_folder: bool) -> dict[ProjectPath, bytes]:
    """The bytes of a file or of all files of a folder, and of the `.meta` beside it.

    Raises `too_large` where they cannot be kept, `unsupported_asset` for an empty folder.
    """
    paths = sorted(files_below(context, path)) if is_folder else [path]
    if not paths:
        raise ToolRejected(
            "unsupported_asset",
            f"{path} is an empty folder",
            hint="Do it in the Editor or the file manager; there is nothing in it to keep.",
            details={"path": path.text},
        )
    refusal = ToolRejected(
        "too_large",
        f"{path} holds more than {CHANGES_PER_SET} files or {KEPT_DELETE_BYTES // 2**20} MB: too much to be kept in the history",
        hint="Do it in the Unity Editor, which puts deleted files into the system's trash.",
        details={"path": path.text, "limitBytes": KEPT_DELETE_BYTES, "limitFiles": CHANGES_PER_SET},
    )
    if len(paths) > CHANGES_PER_SET // 2 - 100:
        raise refusal
    if context.files.stat(path.meta) is not None:
        paths.append(path.meta)
    return read_all(context, paths, KEPT_DELETE_BYTES, refusal=refusal)


MOVE_ASSET: Final = Tool(
    name="moveAsset",
    description="Move or rename a file or folder with its .meta; references stay whole. Never overwrites.",
    arguments=MoveAsset,
    run=_run,
    index="recent",
    permission="spark:generate",
    writes=True,
    timeout_s=60.0,
)
