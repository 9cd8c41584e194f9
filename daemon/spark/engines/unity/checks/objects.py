"""How the objects of one file fit together: parents and children, components and their game objects, roots.

The quick way compares both sides of a relation as sets; only pairs that one side alone knows are looked at again, and
placed. Knows no other file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final, NamedTuple

from spark.core.patience import go_on
from spark.engines.unity.csharp.problem import Problem

TRANSFORMS: Final = frozenset({b"4", b"224"})
_COMPONENT_CLASSES: Final = frozenset(
    b"""4 20 23 33 41 45 50 54 58 59 60 61 64 65 66 68 70 75 81 82 95 96 102 108 111 119 120 123 124 135 136 137 138 143 144
    145 146 153 154 164 165 166 167 168 169 170 182 183 191 192 193 195 198 199 205 208 210 212 215 218 220 222 223 224 225
    227 231 232 233 234 235 247 249 250 251 252 253 254 255 256 257 259 320 328 330 331 19719996 73398921 156049354 171741748
    483693784 893571522 895512359 1183024399 1773428102 1818360608 1818360609 1818360610 1839735485 1971053207
    2083052967""".split()
)
"""Classes whose objects live on a game object and nowhere else; a MonoBehaviour may be an asset of its own."""
_COMPONENTS: Final = re.compile(rb"\n  m_Component:\n((?:  - (?:component|\d+): \{fileID: -?\d+\}\n)*+)")
_CHILDREN: Final = re.compile(rb"\n  m_Children:\n((?:  - \{fileID: -?\d+\}\n)*+)")
_ROOTS: Final = re.compile(rb"\n  m_Roots:(?: \[\])?\n((?:  - \{fileID: -?\d+\}\n)*+)")
_FILE_ID: Final = re.compile(rb"fileID: (-?\d+)")
_OWNER: Final = b"\n  m_GameObject: {fileID: "
_OWNED_AT: Final = len(_OWNER)
_FATHER: Final = b"\n  m_Father: {fileID: "
_LISTED: Final = b"\n  m_Component:\n"
_BELOW: Final = b"\n  m_Children:\n"
_NAMED: Final = re.compile(rb"fileID: (-?\d+)\}")
_OWNED: Final = re.compile(rb"m_GameObject\s*+:(?:\s*+\{\s*+fileID\s*+:\s*+([^\s,}]*+))?")
_OF_PREFAB: Final = re.compile(rb"\n  m_SourcePrefab: \{fileID: -?\d+, guid: ")
_FIELD: Final = re.compile(rb"\n  ([^\s:\-][^\n:]*+):(?=[ \n])")
_PLACE: Final = b"\n    m_TransformParent: {fileID: "
_CONFLICT: Final = re.compile(rb"^(?:<{7} |>{7} |\|{7} )", re.MULTILINE)

_LONG: Final = 8_192
"""Bytes of a document that is looked through once, not for each of its items."""
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
    parent; `roots`: what SceneRoots lists, None where there is no such document; `lone`: components without a game object."""

    owners: list[Pair]
    listed: list[Pair]
    fathers: list[Pair]
    children: list[Pair]
    tops: set[bytes]
    roots: list[bytes] | None
    lone: list[bytes]


def _both_sides(text: bytes, documents: Documents) -> _Relations:
    owners: list[Pair] = []
    listed: list[Pair] = []
    fathers: list[Pair] = []
    children: list[Pair] = []
    tops: set[bytes] = set()
    roots: list[bytes] | None = None
    lone: list[bytes] = []
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
            at = find(_OWNER, begin, end) + _OWNED_AT
            close = find(b"}", at, at + 22) if at >= _OWNED_AT else -1
            owner = text[at:close] if close >= 0 else b""
            if owner and owner != b"0":
                owners.append((file_id, owner))
            elif class_id in _COMPONENT_CLASSES:
                lone.append(file_id)
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
    return _Relations(owners, listed, fathers, children, tops, roots, lone)


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


class _Where:
    """Where documents name file ids. A long list is looked through once, however many of its items are asked for."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._held: dict[tuple[int, bytes], dict[bytes, int]] = {}

    def at(self, document: Document, key: bytes, file_id: bytes) -> int:
        """Where a document names a file id below or behind a key of its first level; else where the document begins."""
        go_on()
        text, end = self.text, document.end
        if end - document.start < _LONG:
            begin = text.find(b"\n  %b:" % key, document.body - 1, end)
            found = text.find(b"fileID: %b}" % file_id, begin, end) if begin >= 0 else -1
            return found if found >= 0 else document.start
        held = self._held.get((document.start, key))
        if held is None:
            held = self._held[(document.start, key)] = {}
            begin = text.find(b"\n  %b:" % key, document.body - 1, end)
            for named in _NAMED.finditer(text, begin, end) if begin >= 0 else ():
                held.setdefault(named.group(1), named.start())
        return held.get(file_id, document.start)


def relations(text: bytes, documents: Documents, *, is_prefab: bool = False) -> Iterator[Problem]:
    """Where parents and children, components and game objects, or the list of a scene's roots disagree; components without
    a game object; more than one root in a prefab."""
    read = _both_sides(text, documents)
    listed, children = set(read.listed), set(read.children)
    fathers = dict(read.fathers)
    where = _Where(text)
    found: list[Iterator[Problem]] = [_cycles(where, documents, fathers)]
    apart = listed.symmetric_difference(read.owners)
    if apart:
        found.append(_components(where, documents, apart, listed, dict(read.owners)))
    if len(listed) != len(read.listed):
        found.append(_twice(where, documents, read.listed, "yaml/component", "game object", b"m_Component"))
    apart = children.symmetric_difference(read.fathers)
    if apart:
        found.append(_family(where, documents, apart, children, fathers))
    if len(children) != len(read.children):
        found.append(_twice(where, documents, read.children, "yaml/hierarchy", "transform", b"m_Children"))
    if read.lone:
        found.append(_lone(text, documents, read.lone, listed))
    if is_prefab and len(read.tops) > 1:
        # What is some other's child has lost its parent, and that was said.
        found.append(_prefab_roots(text, documents, read.tops.difference(child for child, _ in read.children)))
    if read.roots is not None:
        found.append(_scene_roots(where, documents, read))
    return chain.from_iterable(found)


def _lone(text: bytes, documents: Documents, lone: list[bytes], listed: set[Pair]) -> Iterator[Problem]:
    told = {component for component, owner in listed if owner in documents}
    for file_id in lone:
        document = documents[file_id]
        if file_id in told:
            continue  # the game object that lists it says so
        named = _OWNED.search(text, document.body, document.end)
        if named is not None and named.group(1) != b"0":
            continue
        message = f"component {file_id.decode()} (class {document.class_id.decode()}) belongs to no game object"
        fix = "Let m_GameObject name a game object that lists it in m_Component, or remove the component."
        yield Problem("yaml/component", message, document.start if named is None else named.start(), fix)


def double_keys(text: bytes, documents: Documents) -> Iterator[Problem]:
    """A field twice in one object of a class of Unity's own. Those of scripts are nobody's business but theirs."""
    for document in documents.values():
        go_on()
        if document.class_id == b"114":
            continue
        keys = _FIELD.findall(text, document.body - 1, document.end)
        if len(set(keys)) == len(keys):
            continue
        known: set[bytes] = set()
        for found in _FIELD.finditer(text, document.body - 1, document.end):
            key = found.group(1)
            if key in known:
                message = f"the field {key.decode('utf-8', 'replace')} stands twice in one object"
                yield Problem("yaml/double-key", message, found.start(1), "Keep one of the two.")
            known.add(key)


def _prefab_roots(text: bytes, documents: Documents, tops: set[bytes]) -> Iterator[Problem]:
    roots = [
        (documents[one].start, one)
        for one in tops
        # The object that stood for the whole prefab up to 2018.2 is no root, and has no source.
        if documents[one].class_id != b"1001" or _OF_PREFAB.search(text, documents[one].body - 1, documents[one].end)
    ]
    first, *others = sorted(roots) or [(0, b"")]
    for start, one in others:
        message = f"{one.decode()} has no parent, and neither has {first[1].decode()}: a prefab has one root"
        yield Problem("yaml/prefab-root", message, start, "Give it a parent, or put both below one game object.")


def _components(
    where: _Where, documents: Documents, apart: Iterable[Pair], listed: set[Pair], owners: Mapping[bytes, bytes]
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
            at = where.at(holder, b"m_Component", component)
            fix = "Make m_Component of the game object and m_GameObject of the component agree."
        elif holder.is_stripped:
            continue
        elif holder.class_id != b"1":
            message = f"component {component.decode()} belongs to {owner.decode()}, which is no game object"
            at, fix = where.at(there, b"m_GameObject", owner), "Let m_GameObject name a game object."
        else:
            message = f"component {component.decode()} belongs to game object {owner.decode()}, which does not list it"
            at = where.at(there, b"m_GameObject", owner)
            fix = "Add the component to m_Component of the game object, or remove it."
        yield Problem("yaml/component", message, at, fix)


def _family(
    where: _Where, documents: Documents, apart: Iterable[Pair], children: set[Pair], fathers: Mapping[bytes, bytes]
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
            at = where.at(upper, b"m_Children", child)
        elif upper.is_stripped:
            continue
        elif upper.class_id not in TRANSFORMS:
            message = f"transform {child.decode()} has the parent {parent.decode()}, which is no transform"
            at = where.at(lower, b"m_Father", parent)
        else:
            message = f"transform {child.decode()} has the parent {parent.decode()}, which does not list it"
            at = where.at(lower, b"m_Father", parent)
        yield Problem("yaml/hierarchy", message, at, fix)


def _twice(
    where: _Where, documents: Documents, pairs: list[Pair], code: str, kind: str, key: bytes
) -> Iterator[Problem]:
    for (one, holder), count in Counter(pairs).items():
        if count > 1:
            message = f"{kind} {holder.decode()} lists {one.decode()} {count} times"
            yield Problem(code, message, where.at(documents[holder], key, one), f"List it once in {key.decode()}.")


def _cycles(where: _Where, documents: Documents, fathers: Mapping[bytes, bytes]) -> Iterator[Problem]:
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
            at = where.at(documents[here], b"m_Father", fathers[here])
            yield Problem("yaml/hierarchy", message, at, "Give one of the transforms of the ring another parent.")
        done.update(way)


def _scene_roots(where: _Where, documents: Documents, read: _Relations) -> Iterator[Problem]:
    assert read.roots is not None
    listed = set(read.roots)
    if listed == read.tops and len(listed) == len(read.roots):
        return
    holder = next(document for document in documents.values() if document.class_id == b"1660057539")
    fix = "List every object without a parent once in m_Roots of SceneRoots."
    for one in sorted(listed - read.tops):
        if one in documents and not documents[one].is_stripped:
            message = f"SceneRoots lists {one.decode()}, which is no root of the scene"
            yield Problem("yaml/scene-roots", message, where.at(holder, b"m_Roots", one), fix, "warning")
    for one in sorted(read.tops - listed):
        message = f"{one.decode()} has no parent, and SceneRoots does not list it"
        yield Problem("yaml/scene-roots", message, documents[one].start, fix, "warning")
    for one, count in Counter(read.roots).items():
        if count > 1:
            message = f"SceneRoots lists {one.decode()} {count} times"
            yield Problem("yaml/scene-roots", message, where.at(holder, b"m_Roots", one), fix, "warning")
