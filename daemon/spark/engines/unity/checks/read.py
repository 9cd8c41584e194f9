"""One file that begins with %YAML, read for a check: its documents, whom they refer to, and what is wrong with it.

One search at the speed of C says of nearly every file that it is well-formed; the others are looked at document by document.
Never raises and never hangs, whatever the bytes are. Knows no other file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain
from typing import Final

from spark.core.patience import go_on
from spark.engines.unity.checks import inside, objects, syntax
from spark.engines.unity.checks.canonical import has_odd, is_canonical
from spark.engines.unity.checks.objects import Document
from spark.engines.unity.csharp.problem import Problem

_HEADER: Final = re.compile(rb"\n--- !u!(\d{1,10}) &(-?\d{1,20})( stripped)?[ ]*\n")
_REFERENCE: Final = re.compile(rb"\{fileID: (-?[1-9]\d*+(?:, g[^}]*+)?+)\}")
LOOSE_REFERENCE: Final = re.compile(rb"\{\s*+fileID\s*+:\s*+([^{}]*+)\}")
_HEAD: Final = re.compile(rb"(?:%[^\n]*+\n|[ \t]*+\n)*+")
_RANK: Final = {"error": 0, "warning": 1, "info": 2}
_SEPARATOR: Final = b"\n--- !u!"
TAG: Final = b"%TAG !u! tag:unity3d.com,2011:"


@dataclass(frozen=True, slots=True)
class YamlRead:
    """`text` has `\\n` as its only line end and no byte-order mark; offsets count in it. `references`: what stands behind
    `fileID:`, each once, as it is written."""

    text: bytes
    documents: dict[bytes, Document]
    references: frozenset[bytes]
    problems: list[Problem]


def read_yaml(
    content: bytes, *, is_prefab: bool = False, in_spite: bool = False, whole: bool = False, most: int | None = None
) -> YamlRead:
    """What is wrong, at most the gravest `most`, however much it is. `in_spite`: also what is not looked at where the header
    of an object is damaged, because an object is there whose id nobody knows. `whole`: also what takes a look at every line."""
    text = content.removeprefix(b"\xef\xbb\xbf")
    found: list[Iterable[Problem]] = []
    if b"\r" in text:
        found.append(_line_ends(text))
        text = text.replace(b"\r\n", b"\n")
    if text[-1:] != b"\n":
        text += b"\n"
    unreadable = _unreadable(text)
    if unreadable is not None:
        return YamlRead(text, {}, frozenset(), [unreadable])
    begin = text.find(_SEPARATOR) + 1
    # As Unity writes it: one search says so of the whole file.
    canonical = begin > 0 and not has_odd(text) and is_canonical(text, begin, len(text))
    documents, more, damaged = _plain_documents(text) if canonical else _documents(text)
    references = frozenset((_REFERENCE if canonical else LOOSE_REFERENCE).findall(text))
    found += (_head(text, documents), more)
    if not canonical:
        conflicts = list(objects.conflicts(text))
        if conflicts:
            # Two versions in one file: everything else that is wrong follows from that.
            return YamlRead(text, documents, references, conflicts)
        found += (_faults(text, begin), inside.malformed(text, references))
    if whole:
        found.append(objects.double_keys(text, documents))
    if in_spite or not damaged:
        found.append(objects.relations(text, documents, is_prefab=is_prefab))
        found.append(inside.dangling(text, documents, references))
    every = chain.from_iterable(found)
    return YamlRead(text, documents, references, list(every) if most is None else nsmallest(most, every, key=gravest))


def gravest(problem: Problem) -> tuple[int, int]:
    """Errors first, then by place."""
    return _RANK[problem.severity], problem.offset


def _unreadable(text: bytes) -> Problem | None:
    if not text.isascii() and not is_utf8(text):
        fix = "Save it as UTF-8, or restore the file: it may be damaged."
        return Problem("text/encoding", "not UTF-8", -1, fix)
    if b"\x00" in text:
        fix = "Remove them, or restore the file: it may be cut or binary."
        return Problem("text/nul", "the file holds NUL bytes", text.find(b"\x00"), fix)
    return None


def is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _line_ends(text: bytes) -> list[Problem]:
    both, feeds, returns = text.count(b"\r\n"), text.count(b"\n"), text.count(b"\r")
    if both == feeds == returns:
        return []
    # Offsets count in the text whose line ends are made alike.
    lone = re.search(rb"(?<!\r)\n" if both * 2 >= feeds else rb"\r\n|\r", text)
    at = lone.start() - text.count(b"\r\n", 0, lone.start()) if lone is not None else -1
    message = f"line ends are mixed: {both} lines end with CR LF, {feeds - both} with LF"
    if returns > both:
        message += f", and {returns - both} CR stand alone"
    fix = "Save it with one kind of line end; for git: `* text=auto` or `-text` in .gitattributes."
    return [Problem("text/line-ends", message, at, fix, "warning")]


def _head(text: bytes, documents: dict[bytes, Document]) -> list[Problem]:
    head = text[: text.find(_SEPARATOR) + 1] if documents else text[:200]
    if not head.startswith(b"%YAML 1.1\n") or TAG not in head or (documents and _HEAD.fullmatch(head) is None):
        fix = "Begin the file with: %YAML 1.1, then: %TAG !u! tag:unity3d.com,2011:"
        return [Problem("yaml/header", "the two lines %YAML 1.1 and %TAG !u! are not as Unity reads them", 0, fix)]
    if not documents:
        fix = "Restore the line that begins with --- !u! before each object."
        return [Problem("yaml/no-document", "the asset holds no object", -1, fix)]
    return []


def _documents(text: bytes) -> tuple[dict[bytes, Document], Iterator[Problem], bool]:
    """The documents by file id; two of one id, and ids that are none; whether headers are damaged."""
    documents: dict[bytes, Document] = {}
    classes: dict[bytes, bytes] = {}
    twice: list[tuple[int, bytes]] = []
    too_large: list[tuple[int, bytes]] = []
    new = tuple.__new__
    headers = _HEADER.finditer(text)
    following = next(headers, None)
    start = following.start() + 1 if following is not None else 0
    count = 0
    while following is not None:
        header, following = following, next(headers, None)
        end = following.start() + 1 if following is not None else len(text)
        class_id, file_id, stripped = header.groups()
        count += 1
        if file_id in documents:
            twice.append((start, file_id))
        else:
            if len(file_id) > 18 and not _fits(file_id):
                too_large.append((start, file_id))
            # The same objects are used again: of small documents there may be very many.
            class_id = classes.setdefault(class_id, class_id)
            documents[file_id] = new(Document, (start, header.end(), end, class_id, stripped is not None))
        start = end
    # Also lines that only look like the separator of a document, where none may be.
    damaged = bool(too_large) or text.count(b"\n---") != count
    return documents, chain(map(_twice, twice), map(_too_large, too_large)), damaged


def _plain_documents(text: bytes) -> tuple[dict[bytes, Document], Iterable[Problem], bool]:
    """The same of a text that is known to be canonical, in half the time."""
    documents: dict[bytes, Document] = {}
    classes: dict[bytes, bytes] = {}
    new, find, size = tuple.__new__, text.find, len(text)
    start = find(_SEPARATOR) + 1
    while start:
        line = find(b"\n", start)
        following = find(_SEPARATOR, line) + 1
        class_id, _, file_id = text[start + 7 : line].partition(b" &")
        is_stripped = file_id[-1:] == b"d"
        if is_stripped:
            file_id = file_id[: -len(b" stripped")]
        if file_id in documents or (len(file_id) > 18 and not _fits(file_id)):
            return _documents(text)
        class_id = classes.setdefault(class_id, class_id)
        documents[file_id] = new(Document, (start, line + 1, following or size, class_id, is_stripped))
        start = following
    return documents, (), False


def _fits(file_id: bytes) -> bool:
    return -(1 << 63) <= int(file_id) < 1 << 63


def _twice(found: tuple[int, bytes]) -> Problem:
    message = f"two objects have the file id {found[1].decode()}: Unity loads one of them"
    return Problem(
        "yaml/duplicate-id", message, found[0], "Give one of the two another id, here and where it is meant."
    )


def _too_large(found: tuple[int, bytes]) -> Problem:
    message = f"the file id {found[1].decode()} does not fit into 64 bits"
    return Problem("yaml/document-header", message, found[0], "Give the object another id.")


def _faults(text: bytes, end: int) -> Iterator[Problem]:
    """What is wrong with headers and bodies of a file that is not, or not at once, known to be good."""
    while 0 < end < len(text):
        go_on()
        start = end
        end = text.find(_SEPARATOR, start) + 1 or len(text)
        header = _HEADER.match(text, start - 1, end)
        if header is None:
            yield _damaged(start)
            continue
        if not text[header.end() : end].strip():
            fix = "Restore the object's lines, or remove this line and what refers to the object."
            yield Problem("yaml/empty-document", "an object without a body", start, fix)
        elif not is_canonical(text, start, end) or has_odd(text[start:end]):
            yield from _syntax(text, header.end(), end)
        at = text.find(b"\n---", header.end() - 1, end) + 1
        if 0 < at < end:
            yield _damaged(at)


def _damaged(at: int) -> Problem:
    fix = "An object begins with: --- !u!CLASS &ID, both of them numbers."
    return Problem("yaml/document-header", "the line that begins an object is damaged", at, fix)


def _syntax(text: bytes, start: int, end: int) -> Iterator[Problem]:
    fix = "Correct this line, or restore the object from a version that was good."
    fault = syntax.first_fault(text, start, end)
    if fault is None:
        fault = syntax.unreadable(text[start:end])
        if fault is not None:
            fault = (fault[0] + start, fault[1])
    if fault is not None and fault[1] == syntax.TAB:
        yield Problem("yaml/tab", fault[1], fault[0], "Indent with spaces, two a level.")
    elif fault is not None:
        yield Problem("yaml/syntax", fault[1], fault[0], fix)
