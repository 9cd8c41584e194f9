"""The lists of ids that hold a hierarchy together, `m_Children` and `m_Roots`: one more, one less.

Such a list may have thousands of lines. In the form that Unity writes, lines are put in and taken out without parsing the
document; any other form goes the way of every list.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from spark.core.errors import ToolRejected
from spark.engines.unity.hierarchy.parts import refs_in
from spark.engines.unity.yaml.asset import AssetDocument
from spark.engines.unity.yaml.values import Ref

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.session import Session


def insert(session: Session, document: AssetDocument, steps: tuple[str], new: int, before: int | None) -> int | None:
    """Lists an id before another one (None: as the last). Answers its place, None for the last. Raises `invalid_asset`
    where the document has no such list."""
    match = _found(session, document, steps[0])
    if match is not None:
        line = b"  - {fileID: %d}" % new + match["end"]
        if match["none"]:
            document.exchange(match.end("key"), match.end(), match["end"] + line)
            document.forget()
            return None
        at = -1 if before is None else match["lines"].find(b"  - {fileID: %d}" % before)
        start = match.start("lines") + at if at >= 0 else match.end("lines")
        document.exchange(start, start, line)
        document.forget()
        return match["lines"].count(b"\n", 0, at) if at >= 0 else None
    node = document.find(*steps)
    if node is None:
        raise ToolRejected(
            "invalid_asset", f"{session.path}: {document.class_name} &{document.file_id} has no {steps[0]}"
        )
    ids = refs_in(node.plain())
    place = ids.index(before) if before in ids else None
    session.asset.insert_item(document, steps, len(node.items()) if place is None else place, Ref(new))
    return place


def drop(session: Session, document: AssetDocument, steps: tuple[str], gone: set[int]) -> None:
    """Takes ids out of a list."""
    match = _found(session, document, steps[0])
    if match is None:
        for at, listed in reversed(list(enumerate(refs_in(document.value(*steps))))):
            if listed in gone:
                session.asset.remove(document, (*steps, at))
        return
    kept = lines = match["lines"]
    for file_id in gone:
        kept = kept.replace(b"  - {fileID: %d}" % file_id + match["end"], b"")
    if kept == lines:
        return
    if kept:
        document.exchange(match.start("lines"), match.end("lines"), kept)
    else:
        document.exchange(match.end("key"), match.end(), b" []" + match["end"])
    document.forget()


def _found(session: Session, document: AssetDocument, key: str) -> re.Match[bytes] | None:
    """The list in the form that Unity writes, empty or with all of its lines; None where it has another."""
    if document not in session.sound:
        document.fields  # noqa: B018
        session.sound.add(document)
    match = _list(key).search(document.body)
    return match if match is not None and bool(match["none"]) != bool(match["lines"]) else None


@cache
def _list(key: str) -> re.Pattern[bytes]:
    lines = rb"(?P<end>\r?\n)(?P<lines>(?:  - \{fileID: -?\d+\}(?P=end))*)"
    return re.compile(
        rb"^(?P<key>  " + key.encode() + rb":)(?P<none> \[\])?" + lines + rb"(?=  [^\s-]|\Z)", re.MULTILINE
    )
