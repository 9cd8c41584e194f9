"""How the objects of one file fit together: parents and children, components and their game objects, references inside of it.

The quick way compares both sides of a relation as sets; only pairs that one side alone knows are looked at again, and
placed. Knows no other file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Final, NamedTuple

from spark.core.diagnostics import Severity
from spark.engines.unity.csharp.problem import Problem

TRANSFORMS: Final = frozenset({b"4", b"224"})
MAX_PROBLEMS: Final = 200
_COMPONENTS: Final = re.compile(rb"\n  m_Component:\n((?:  - (?:component|\d+): \{fileID: -?\d+\}\n)*+)")
_CHILDREN: Final = re.compile(rb"\n  m_Children:\n((?:  - \{fileID: -?\d+\}\n)*+)")
_ROOTS: Final = re.compile(rb"\n  m_Roots:(?: \[\])?\n((?:  - \{fileID: -?\d+\}\n)*+)")
_FILE_ID: Final = re.compile(rb"fileID: (-?\d+)")
_OWNER: Final = b"\n  m_GameObject: {fileID: "
_FATHER: Final = b"\n  m_Father: {fileID: "
_LISTED: Final = b"\n  m_Component:\n"
_BELOW: Final = b"\n  m_Children:\n"
_PLACE: Final = b"\n    m_TransformParent: {fileID: "
_CONFLICT: Final = re.compile(rb"^(?:<{7} |>{7} |\|{7} )", re.MULTILINE)
_NUMBER: Final = re.compile(rb"\s*-?\d{1,30}\s*")
_INSIDE: Final = re.compile(rb"\{\s*+fileID\s*+:\s*+(-?\d{1,30})\s*+\}")
_BEFORE: Final = re.compile(rb" *(?:- )*(?:([^\n:]*): *)?")
_STRUCTURE: Final = frozenset(
    {
        b"m_GameObject",
        b"m_Father",
        b"m_Children",
        b"m_Component",
        b"component",
        b"m_PrefabInstance",
        b"m_TransformParent",
        b"m_Roots",
    }
)

Pair = tuple[bytes, bytes]


class Document(NamedTuple):
    """Where a document stands: its header, its body (behind the line of the class), its end; and what the header says."""

    start: int
    body: int
    end: int
    class_id: bytes
    is_stripped: bool


Documents = Mapping[bytes, Document]


def conflicts(text: bytes) -> Iterator[Problem]:
    """The first mark of a merge that was never finished."""
    found = _CONFLICT.search(text)
    if found is not None:
        fix = "Keep one side and remove the marks."
        yield Problem("text/merge-conflict", "a merge conflict was left in the file", found.start(), fix)


class _Relations(NamedTuple):
    """Both sides of every relation, as pairs of file ids: (component, game object) and (child, parent). `tops`: what has no
    parent; `roots`: what SceneRoots lists, None where there is no such document."""

    owners: list[Pair]
    listed: list[Pair]
    fathers: list[Pair]
    children: list[Pair]
    tops: set[bytes]
    roots: list[bytes] | None


def _both_sides(text: bytes, documents: Documents) -> _Relations:
    owners: list[Pair] = []
    listed: list[Pair] = []
    fathers: list[Pair] = []
    children: list[Pair] = []
    tops: set[bytes] = set()
    roots: list[bytes] | None = None
    find = text.find
    for file_id, (_, body, end, class_id, is_stripped) in documents.items():
        begin = body - 1
        if class_id == b"1001":
            if _value(text, find(_PLACE, begin, end), _PLACE, end) == b"0":
                tops.add(file_id)
        elif is_stripped:
            continue
        elif class_id == b"1":
            listed += [(one, file_id) for one in _items(text, find(_LISTED, begin, end), _COMPONENTS, end)]
        else:
            owner = _value(text, find(_OWNER, begin, end), _OWNER, end)
            if owner and owner != b"0":
                owners.append((file_id, owner))
            if class_id in TRANSFORMS:
                father = _value(text, find(_FATHER, begin, end), _FATHER, end)
                if father == b"0":
                    tops.add(file_id)
                elif father:
                    fathers.append((file_id, father))
                children += [(one, file_id) for one in _items(text, find(_BELOW, begin, end), _CHILDREN, end)]
            elif class_id == b"1660057539":
                found = _ROOTS.search(text, begin, end)
                roots = _FILE_ID.findall(found.group(1)) if found is not None else None
    return _Relations(owners, listed, fathers, children, tops, roots)


def _value(text: bytes, at: int, key: bytes, end: int) -> bytes:
    """The file id behind a key that stands at `at`; empty where there is no such key, or the value has a guid."""
    if at < 0:
        return b""
    at += len(key)
    close = text.find(b"}", at, min(at + 22, end))
    return text[at:close] if close >= 0 else b""


def _items(text: bytes, at: int, pattern: re.Pattern[bytes], end: int) -> list[bytes]:
    found = pattern.match(text, at, end) if at >= 0 else None
    return _FILE_ID.findall(found.group(1)) if found is not None else []


def relations(text: bytes, documents: Documents) -> list[Problem]:
    """Where parents and children, components and game objects, or the list of a scene's roots disagree."""
    read = _both_sides(text, documents)
    listed, children = set(read.listed), set(read.children)
    fathers = dict(read.fathers)
    found: list[Iterator[Problem]] = [_cycles(text, documents, fathers)]
    apart = listed.symmetric_difference(read.owners)
    if apart:
        found.append(_components(text, documents, apart, listed, dict(read.owners)))
    if len(listed) != len(read.listed):
        found.append(_twice(text, documents, read.listed, "yaml/component", "game object", b"m_Component"))
    apart = children.symmetric_difference(read.fathers)
    if apart:
        found.append(_family(text, documents, apart, children, fathers))
    if len(children) != len(read.children):
        found.append(_twice(text, documents, read.children, "yaml/hierarchy", "transform", b"m_Children"))
    if read.roots is not None:
        found.append(_scene_roots(text, documents, read))
    return list(islice(chain.from_iterable(found), MAX_PROBLEMS))


def _components(
    text: bytes, documents: Documents, apart: Iterable[Pair], listed: set[Pair], owners: Mapping[bytes, bytes]
) -> Iterator[Problem]:
    for component, owner in sorted(apart):
        there, holder = documents.get(component), documents.get(owner)
        if there is None or holder is None:
            continue  # reported as dangling
        if (component, owner) in listed:
            if there.is_stripped:
                continue
            other = owners.get(component)
            whose = f"says that it belongs to {other.decode()}" if other is not None else "belongs to no game object"
            message = f"game object {owner.decode()} lists component {component.decode()}, which {whose}"
            at = _at(text, holder, b"m_Component", component)
            fix = "Make m_Component of the game object and m_GameObject of the component agree."
        elif holder.is_stripped:
            continue
        elif holder.class_id != b"1":
            message = f"component {component.decode()} belongs to {owner.decode()}, which is no game object"
            at, fix = _at(text, there, b"m_GameObject", owner), "Let m_GameObject name a game object."
        else:
            message = f"component {component.decode()} belongs to game object {owner.decode()}, which does not list it"
            at = _at(text, there, b"m_GameObject", owner)
            fix = "Add the component to m_Component of the game object, or remove it."
        yield Problem("yaml/component", message, at, fix)


def _family(
    text: bytes, documents: Documents, apart: Iterable[Pair], children: set[Pair], fathers: Mapping[bytes, bytes]
) -> Iterator[Problem]:
    fix = "Make m_Children of the parent and m_Father of the child agree."
    for child, parent in sorted(apart):
        lower, upper = documents.get(child), documents.get(parent)
        if lower is None or upper is None:
            continue  # reported as dangling
        if (child, parent) in children:
            if lower.is_stripped:
                # A transform of a prefab instance: the instance says where it hangs.
                continue
            other = fathers.get(child)
            whose = f"has the parent {other.decode()}" if other is not None else "has no parent"
            message = f"transform {parent.decode()} lists the child {child.decode()}, which {whose}"
            at = _at(text, upper, b"m_Children", child)
        elif upper.is_stripped:
            continue
        elif upper.class_id not in TRANSFORMS:
            message = f"transform {child.decode()} has the parent {parent.decode()}, which is no transform"
            at = _at(text, lower, b"m_Father", parent)
        else:
            message = f"transform {child.decode()} has the parent {parent.decode()}, which does not list it"
            at = _at(text, lower, b"m_Father", parent)
        yield Problem("yaml/hierarchy", message, at, fix)


def _twice(text: bytes, documents: Documents, pairs: list[Pair], code: str, kind: str, key: bytes) -> Iterator[Problem]:
    for (one, holder), count in Counter(pairs).items():
        if count > 1:
            message = f"{kind} {holder.decode()} lists {one.decode()} {count} times"
            yield Problem(code, message, _at(text, documents[holder], key, one), f"List it once in {key.decode()}.")


def _cycles(text: bytes, documents: Documents, fathers: Mapping[bytes, bytes]) -> Iterator[Problem]:
    """Transforms that are their own ancestors."""
    done: set[bytes] = set()
    for start in fathers:
        if start in done:
            continue
        way: dict[bytes, None] = {}
        here: bytes | None = start
        while here is not None and here not in done and here not in way:
            way[here] = None
            here = fathers.get(here)
        if here in way and here is not None:
            message = f"transform {here.decode()} is its own ancestor"
            at = _at(text, documents[here], b"m_Father", fathers[here])
            yield Problem("yaml/hierarchy", message, at, "Give one of the transforms of the ring another parent.")
        done.update(way)


def _scene_roots(text: bytes, documents: Documents, read: _Relations) -> Iterator[Problem]:
    assert read.roots is not None
    listed = set(read.roots)
    if listed == read.tops and len(listed) == len(read.roots):
        return
    holder = next(document for document in documents.values() if document.class_id == b"1660057539")
    fix = "List every object without a parent once in m_Roots of SceneRoots."
    for one in sorted(listed - read.tops):
        if one in documents and not documents[one].is_stripped:
            message = f"SceneRoots lists {one.decode()}, which is no root of the scene"
            yield Problem("yaml/scene-roots", message, _at(text, holder, b"m_Roots", one), fix, "warning")
    for one in sorted(read.tops - listed):
        message = f"{one.decode()} has no parent, and SceneRoots does not list it"
        yield Problem("yaml/scene-roots", message, documents[one].start, fix, "warning")
    for one, count in Counter(read.roots).items():
        if count > 1:
            message = f"SceneRoots lists {one.decode()} {count} times"
            yield Problem("yaml/scene-roots", message, _at(text, holder, b"m_Roots", one), fix, "warning")


def _at(text: bytes, document: Document, key: bytes, file_id: bytes) -> int:
    """Where a document names a file id below or behind a key of its first level; else where the document begins."""
    at = text.find(b"\n  %b:" % key, document.body - 1, document.end)
    found = text.find(b"fileID: %b}" % file_id, at, document.end) if at >= 0 else -1
    return found if found >= 0 else document.start


# --- references inside of the file ---------------------------------------------------------------------------------------


def dangling(text: bytes, documents: Documents, references: Iterable[bytes]) -> list[Problem]:
    """References to ids that no document of the file has."""
    lost = [token for token in references if token not in documents and b"," not in token and token != b"0"]
    if not lost:
        return []
    known = {int(file_id) for file_id in documents} | {0}
    numbers = {int(token) for token in lost if _NUMBER.fullmatch(token) is not None} - known
    return list(islice(_lost(text, numbers), MAX_PROBLEMS)) if numbers else []


def _lost(text: bytes, numbers: set[int]) -> Iterator[Problem]:
    """Each place of a lost reference: an error where the hierarchy hangs on it; else Unity reads none, and writes none."""
    fix = "Let it refer to an object of the file, or to none: {fileID: 0}"
    for found in _INSIDE.finditer(text):
        if int(found.group(1)) not in numbers:
            continue
        line = text.rfind(b"\n", 0, found.start()) + 1
        # In the middle of a text the same letters are no reference.
        before = _BEFORE.fullmatch(text, line, found.start())
        if before is None:
            continue
        key = before.group(1) or list_key(text, line)
        severity: Severity = "error" if key in _STRUCTURE else "warning"
        name = key.decode("utf-8", "replace") or "an item"
        message = f"{name} refers to {found.group(1).decode()}, and the file has no such object"
        yield Problem("yaml/dangling-reference", message, found.start(), fix, severity)


def list_key(text: bytes, at: int) -> bytes:
    """The key of the list that the item at a line's start belongs to; empty where it is none as Unity writes them."""
    dash = text.find(b"-", at)
    # The first item of the list stands right below its key.
    first = text.rfind(b":\n" + text[at:dash] + b"- ", 0, dash + 2)
    if dash < 0 or first < 0:
        return b""
    start = text.rfind(b"\n", 0, first) + 1
    return text[start:first].strip().rpartition(b"- ")[2]
