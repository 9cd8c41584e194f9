"""The kind `references` of `searchProject`: who refers to an asset, or to one object in it.

The index says which files name a guid; they are read as they lie on disk now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from spark.core.engine import Referrer
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.limits import ASSET_BYTES
from spark.core.paths import ProjectPath
from spark.core.tool import ToolContext
from spark.tools.places import missing
from spark.tools.search_window import SearchWindow

_GUID: Final = re.compile(r"[0-9a-f]{32}")
_FILE_ID: Final = re.compile(r"-?[0-9]{1,20}")
_ACCEPTED: Final = (
    "an asset's path or guid; of one object in it PATH#FILEID or GUID#FILEID, such as Assets/Gun.prefab#400012"
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """`path`: the asset, None where nothing has this guid."""

    guid: str
    path: ProjectPath | None
    file_id: int | None


def references(query: str, folder: ProjectPath | None, window: SearchWindow, context: ToolContext) -> dict[str, Any]:
    """Fills the window; answers what was asked for: `guid`, `asset` (its path, where there is one), `fileId`."""
    asked = _asked(query, context)
    files = set(context.index.references_to(asked.guid))
    if asked.path is not None and asked.file_id is not None:
        files.add(asked.path)
    for path in sorted(files):
        if path.text < window.after[0] or (folder is not None and not path.is_under(folder)):
            continue
        if window.late(path.text):
            break
        if not _add(path, asked, window, context):
            break
    shown: dict[str, Any] = {"guid": asked.guid}
    if asked.path is not None:
        shown["asset"] = asked.path.text
    if asked.file_id is not None:
        shown["fileId"] = str(asked.file_id)
    return shown


def _add(path: ProjectPath, asked: _Asked, window: SearchWindow, context: ToolContext) -> bool:
    """Takes a file's places; False where the window is full."""
    try:
        content = context.files.read(path, limit_bytes=ASSET_BYTES)
    except ToolRejected:
        # Behind a link, or very large: that it names the guid is all that can be said, and not of which object.
        return path == asked.path or window.add(path.text, 1, unread=True)
    if content is None or (path == asked.path and not context.engine.is_text(path, content)):
        return True
    places = context.engine.referrers(content, asked.guid, asked.file_id)
    if path == asked.path:
        inside = context.engine.referrers(content, "", asked.file_id)
        places = sorted([*places, *inside], key=lambda place: place.line)
    return all(
        window.add(path.text, number, line=place.line, text=place.text, **_details(place))
        for number, place in enumerate(places, 1)
    )


def _details(place: Referrer) -> dict[str, Any]:
    """File ids are text: they have more digits than a number of JSON may have."""
    found: dict[str, Any] = {}
    if place.file_id is not None:
        found["fileId"] = str(place.file_id)
    if place.from_id is not None:
        found["from"] = {"fileId": str(place.from_id), "classId": place.from_class_id, "class": place.from_class}
    return found


def _asked(query: str, context: ToolContext) -> _Asked:
    head, _, tail = query.rpartition("#")
    if not head or (not _FILE_ID.fullmatch(tail) and not _GUID.fullmatch(head.lower())):
        return _asset(query, None, context)
    if _GUID.fullmatch(head.lower()):
        if not _FILE_ID.fullmatch(tail):
            raise invalid_arguments({"query": _ACCEPTED})
        return _asset(head, int(tail), context)
    # `Assets/Level#2` may be the name of a folder.
    whole = context.files.parse(query, field="query")
    return _asset(query, None, context) if context.files.stat(whole) is not None else _asset(head, int(tail), context)


def _asset(text: str, file_id: int | None, context: ToolContext) -> _Asked:
    if _GUID.fullmatch(text.lower()):
        guid = text.lower()
        return _Asked(guid, context.index.path_of_guid(guid), file_id)
    path = context.files.parse(text.rstrip("/"), field="query")
    meta = context.files.read(path.meta)
    found = context.engine.guid_in_meta(meta) if meta is not None else None
    if found is None:
        hint = f"References are found by the guid in an asset's .meta. Accepted: {_ACCEPTED}."
        raise missing(context, path.meta, "query", hint=hint)
    return _Asked(found, path, file_id)
