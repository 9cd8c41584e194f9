"""What the functions that make and edit assets share: the file they mean, whether it may be edited, and their change sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from spark.core.assets import AssetBytes
from spark.core.changes import ChangeSet, FileChange, sha256_of
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.limits import ASSET_BYTES
from spark.core.paths import ProjectPath
from spark.core.ports import Landed
from spark.core.tool import ToolAnswer, ToolContext
from spark.text.diff import cut, unified_diff
from spark.tools.places import NewAssets, missing, refuse_existing, wants_meta, writable

_SHOWN_DIFF_BYTES: Final = 12 * 1024


def new_path(context: ToolContext, raw: str, suffix: str, *, hint: str) -> ProjectPath:
    """A free path for a new asset; the file type is added where the name has none. Raises `already_exists`."""
    name = raw.rsplit("/", 1)[-1]
    path = writable(context, raw if "." in name else raw + suffix, "path")
    if path.suffix != suffix:
        raise invalid_arguments({"path": f"a path that ends in {suffix}, such as Assets/Folder/Name{suffix}"})
    if not wants_meta(path):
        wanted = "below Assets or an embedded package, in folders whose names Unity does not skip (no leading dot, no ~ at the end)"
        raise invalid_arguments({"path": f"a place that Unity imports: {wanted}"})
    refuse_existing(context, path, "path", hint=hint)
    return path


def made(context: ToolContext, path: ProjectPath, asset: AssetBytes) -> ToolAnswer:
    """A new asset with its `.meta` and those of new folders above it."""
    new = NewAssets(context)
    changes = new.asset(path, asset.content)
    result = {
        "path": path.text,
        "guid": new.guids.get(path, ""),
        "sha256": sha256_of(asset.content),
        **asset.result,
    }
    diff = unified_diff(None, asset.content, path.text)
    return ToolAnswer(result, ChangeSet(tuple(changes)), diff)


def existing(
    context: ToolContext, raw: str, suffixes: tuple[str, ...], expected_sha256: str | None
) -> tuple[ProjectPath, bytes]:
    """An asset that is to be edited, and its bytes. Raises `not_found`, `conflict`, `invalid_arguments`, `too_large`."""
    path = writable(context, raw, "path")
    if suffixes and path.suffix not in suffixes:
        raise invalid_arguments({"path": f"a file that ends in {' or '.join(suffixes)}"})
    content = context.files.read(path, limit_bytes=ASSET_BYTES)
    if content is None:
        raise missing(context, path, "path")
    refuse_unread(context, path, content, expected_sha256)
    return path, content


def refuse_unread(context: ToolContext, path: ProjectPath, content: bytes, expected_sha256: str | None) -> None:
    """Raises `conflict` where the caller does not know these bytes: not read in this conversation, or not as it expects."""
    present = sha256_of(content)
    if expected_sha256 is not None:
        if expected_sha256 == present:
            return
        raise ToolRejected(
            "conflict",
            f"{path} is not as expected: it was changed since",
            hint="Read it again with readFile, then edit what it says now.",
            details={"path": path.text, "expectedSha256": expected_sha256, "presentSha256": present},
        )
    known = context.reads.known_sha256(path)
    if context.own_turn or present in known:
        return
    raise ToolRejected(
        "conflict",
        f"{path} was {'changed since it was read' if known else 'not read'} in this conversation",
        hint="Call readFile first (view outline shows objects and values), or give expectedSha256.",
        details={"path": path.text, "presentSha256": present},
    )


def edited(path: ProjectPath, before: bytes, asset: AssetBytes) -> ToolAnswer:
    """An asset with other bytes; the same bytes are no change."""
    diff = unified_diff(before, asset.content, path.text)
    shown = cut(diff, _SHOWN_DIFF_BYTES)
    result: dict[str, Any] = {"path": path.text, "sha256": sha256_of(asset.content), **asset.result, "diff": shown}
    if asset.content == before:
        return ToolAnswer(result | {"unchanged": True})
    change = FileChange(path, sha256_of(before), asset.content, base=before)
    return ToolAnswer(result, ChangeSet((change,)), diff, complete=_completed(path))


def _completed(path: ProjectPath) -> Callable[[Mapping[str, Any], Landed], Mapping[str, Any]]:
    def complete(result: Mapping[str, Any], landed: Landed) -> Mapping[str, Any]:
        final = dict(result)
        for change in landed.changes:
            if change.path == path:
                final["sha256"] = change.sha256_after
        if landed.merged:
            # What was merged in is not in the diff that was prepared.
            final["merged"] = sorted(item.text for item in landed.merged)
        return final

    return complete
