"""What the hierarchy needs of a document, read straight from bytes of the form that Unity writes.

A scene has tens of thousands of objects and transforms, of which a few values are needed. Every function answers None for
bytes of another form; the document is then parsed.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from spark.engines.unity.hierarchy.objects import Modification
from spark.engines.unity.yaml.values import Ref

_MODERN: Final = b"\n  m_CorrespondingSourceObject: "
_REF: Final = rb"\{fileID: (-?\d+)(?:, guid: ([0-9a-f]{32}),\s+type: (\d))?\}"


@cache
def _patterns() -> dict[str, re.Pattern[bytes]]:
    entry = (
        rb"    - target: \{fileID: (-?\d+), guid: ([0-9a-f]{32}),\s+type: (\d)\}\r?\n"
        rb"      propertyPath: (?:'([^'\r\n]*)'|([^'\"\s][^\r\n]*))\r?\n"
        rb"      value: ?([^'\"\s][^\r\n]*)?\r?\n"
        rb"      objectReference: " + _REF + rb"\r?\n"
    )
    return {
        "name": re.compile(rb"^  m_Name: ([^'\"\s][^\r\n]*)\r?\n  \S", re.MULTILINE),
        "owner": re.compile(rb"^  m_GameObject: \{fileID: (-?\d+)\}\r?$", re.MULTILINE),
        "father": re.compile(rb"^  m_Father: \{fileID: (-?\d+)\}\r?$", re.MULTILINE),
        "children": re.compile(
            rb"^  m_Children:(?: \[\]\r?\n|\r?\n((?:  - \{fileID: -?\d+\}\r?\n)+))  [^\s-]", re.MULTILINE
        ),
        "local": re.compile(rb"\{fileID: (-?\d+)\}"),
        "parent": re.compile(rb"^    m_TransformParent: \{fileID: (-?\d+)\}\r?$", re.MULTILINE),
        "source": re.compile(rb"^  m_SourcePrefab: " + _REF + rb"\r?$", re.MULTILINE),
        "list": re.compile(rb"^    m_Modifications:(?: \[\])?\r?\n", re.MULTILINE),
        "entry": re.compile(entry),
        "removed": re.compile(
            rb"^    m_Removed(?:Components|GameObjects):(?: \[\]\r?\n|\r?\n((?:    - "
            + _REF
            + rb"\r?\n)+))(?=    ?\S|  \S)",
            re.MULTILINE,
        ),
        "roots": re.compile(rb"^  m_Roots:\r?\n((?:  - \{fileID: -?\d+\}\r?\n?)+)\Z", re.MULTILINE),
        "added": re.compile(rb"^      insertIndex: (-?\d+)\r?\n      addedObject: \{fileID: (-?\d+)\}", re.MULTILINE),
        "order": re.compile(rb"^  m_RootOrder: (-?\d+)\r?$", re.MULTILINE),
        "stripped": re.compile(
            rb"[^\n]*\n  m_CorrespondingSourceObject: " + _REF + rb"\r?\n  m_PrefabInstance: \{fileID: (-?\d+)\}\r?\n"
        ),
    }


def object_name(body: bytes) -> str | None:
    """`m_Name` of a GameObject in the form of 2018.3 and newer."""
    match = _patterns()["name"].search(body)
    if match is None or _MODERN not in body or b" #" in match.group(1):
        return None
    return match.group(1).decode("utf-8", "surrogateescape")


def transform(body: bytes) -> tuple[int, int, list[int]] | None:
    """Ids of a Transform's object, father and children."""
    known = _patterns()
    owner, father, children = known["owner"].search(body), known["father"].search(body), known["children"].search(body)
    if owner is None or father is None or children is None:
        return None
    listed = [int(found) for found in known["local"].findall(children.group(1) or b"")]
    return int(owner.group(1)), int(father.group(1)), listed


def roots(body: bytes) -> list[int] | None:
    """The ids in `m_Roots`."""
    match = _patterns()["roots"].search(body)
    return None if match is None else [int(found) for found in _patterns()["local"].findall(match.group(1))]


def added(body: bytes) -> list[tuple[int, int]] | None:
    """What an instance says was added to it, in its order: id and `insertIndex` (-1: at the end). None where it has no such
    lists (before 2022.2)."""
    if b"\n    m_AddedGameObjects:" not in body:
        return None
    return [(int(file_id), int(index)) for index, file_id in _patterns()["added"].findall(body)]


def root_order(body: bytes) -> int:
    """`m_RootOrder`; 0 where there is none."""
    match = _patterns()["order"].search(body)
    return 0 if match is None else int(match.group(1))


def stripped(body: bytes) -> tuple[int, int] | None:
    """The instance of a stripped document, and what it stands for in the prefab."""
    match = _patterns()["stripped"].match(body)
    return None if match is None else (int(match.group(4)), int(match.group(1)))


def instance(body: bytes) -> tuple[int, Ref, list[Modification], set[int]] | None:
    """The parent Transform, source, modifications and removed things of an instance in the form of 2018.3 and newer."""
    known = _patterns()
    parent, source, start = known["parent"].search(body), known["source"].search(body), known["list"].search(body)
    removed = known["removed"].findall(body)
    if parent is None or source is None or start is None or not body.startswith(b"PrefabInstance:"):
        return None
    if len(removed) != body.count(b"\n    m_Removed"):
        return None
    found: list[Modification] = []
    at, match_at = start.end(), known["entry"].match
    while body.startswith(b"    - ", at):
        match = match_at(body, at)
        if match is None:
            return None
        file_id, guid, kind, quoted, plain, value, *reference = match.groups()
        path = (quoted if quoted is not None else plain).decode("utf-8", "surrogateescape")
        text = value.decode("utf-8", "surrogateescape") if value is not None else ""
        target = Ref(int(file_id), guid.decode(), int(kind))
        found.append(Modification(len(found), target, path, text, _ref(reference)))
        at = match.end()
    ids = {int(one[0]) for block in removed for one in re.findall(_REF, block[0])}
    return int(parent.group(1)), _ref(source.groups()), found, ids


def _ref(groups: list[bytes | None] | tuple[bytes | None, ...]) -> Ref:
    file_id, guid, kind = groups
    return Ref(int(file_id or 0), (guid or b"").decode(), int(kind or 0))
