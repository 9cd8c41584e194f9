"""What one file says of itself: faults in its bytes, the ids of its objects, and whom it refers to. Pure: bytes in.

What is found in the bytes (`read`, `metas`) in the small form that is kept for every file. Never raises and never hangs,
whatever the bytes are. Knows no other file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from spark.core.diagnostics import Finding, Severity
from spark.core.paths import ProjectPath
from spark.engines.unity.checks import objects
from spark.engines.unity.checks.metas import read_meta
from spark.engines.unity.checks.read import TAG, gravest, is_utf8, read_yaml
from spark.engines.unity.csharp.problem import Problem
from spark.engines.unity.text_assets import LFS_POINTER, YAML_SUFFIXES, lfs_pointer

MAX_FAULTS: Final = 50
Kind = Literal["yaml", "meta", "pointer", "other"]
_GUID: Final = re.compile(rb"guid\s*+:\s*+([0-9a-fA-F]{32})")
_SOURCE: Final = re.compile(rb"\n  m_SourcePrefab: \{fileID: -?\d+, guid: ([0-9a-f]{32})")
_NAMED_ASSEMBLY: Final = re.compile(rb'"GUID:([0-9a-fA-F]{32})"')


@dataclass(frozen=True, slots=True)
class Fault:
    """A finding without its path: files with the same bytes share it."""

    code: str
    severity: Severity
    line: int
    column: int
    message: str
    fix: str = ""

    def at(self, path: ProjectPath) -> Finding:
        return Finding(self.code, self.severity, path.text, self.line, self.column, self.message, self.fix)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """`ids`: file ids of the documents, `b" 1 -2 "`. `references`: one line each `<guid> <file id>`, those with a guid, each
    once. `is_open`: whether other ids than those may be found in it (it holds instances of prefabs). `sources`: guids of the
    prefabs that it holds instances of, 32 digits each. Of a `.meta`: `guid`, `importer`, `is_folder`."""

    kind: Kind
    faults: tuple[Fault, ...] = ()
    ids: bytes = b""
    references: bytes = b""
    is_open: bool = False
    sources: bytes = b""
    guid: str = ""
    importer: str = ""
    is_folder: bool = False

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        return 240 + len(self.ids) + len(self.references) + len(self.sources) + 300 * len(self.faults)

    def has(self, file_id: bytes) -> bool:
        return b" %b " % file_id in self.ids


OTHER: Final = FileFacts("other")


def is_asset(path: ProjectPath, content: bytes) -> bool:
    """Whether a file is, or by its name should be, an asset as Unity serialises it; any other name may hold one."""
    if path.suffix in YAML_SUFFIXES:
        return not path.is_meta
    return _is_yaml(content) and TAG in content[:200] and path.suffix != ".cs" and not path.is_meta


def _is_yaml(content: bytes) -> bool:
    return content.startswith((b"%YAML", b"\xef\xbb\xbf%YAML"))


def facts_of(path: ProjectPath, content: bytes) -> FileFacts:
    """The facts of a file's bytes. Scripts and other text have none."""
    if len(content) < 1024 and content.startswith(LFS_POINTER):
        return POINTER
    if path.is_meta:
        return _meta_facts(content)
    if is_asset(path, content):
        if _is_yaml(content):
            return _yaml_facts(content, path.suffix == ".prefab")
        text, problems = problems_of(path, content)
        return FileFacts("yaml", located(text, problems)) if problems else OTHER
    if path.suffix in (".asmdef", ".asmref"):
        named = {b"%b 0" % guid.lower() for guid in _NAMED_ASSEMBLY.findall(content)}
        return FileFacts("other", references=b"\n".join(sorted(named)))
    return OTHER


def problems_of(path: ProjectPath, content: bytes, *, in_spite: bool = False) -> tuple[bytes, list[Problem]]:
    """What is wrong with what `is_asset` takes for an asset, by offset in the text that is given back. `in_spite`: see
    `read_yaml`."""
    if content.startswith(LFS_POINTER):
        return b"", [lfs_pointer()]
    if _is_yaml(content):
        read = read_yaml(content, is_prefab=path.suffix == ".prefab", in_spite=in_spite, whole=True)
        return read.text, read.problems
    if "StreamingAssets" in path.parts:
        return b"", []
    if b"\x00" in content or content.startswith((b"\xff\xfe", b"\xfe\xff")) or not is_utf8(content):
        # Assets that Unity serialises may be binary, and that is no fault.
        return b"", []
    text = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    if text.lstrip()[:1] in (b"{", b"["):
        return b"", []
    problems = list(objects.conflicts(text))
    if not problems:
        fix = "Begin the file with: %YAML 1.1, then: %TAG !u! tag:unity3d.com,2011:"
        problems.append(Problem("yaml/header", "not a text asset of Unity: the %YAML header is missing", -1, fix))
    return text, problems


def in_characters(text: bytes, problems: list[Problem]) -> tuple[str, list[Problem]]:
    """The same with offsets that count characters; an empty text where nothing is wrong."""
    if not problems:
        return "", problems
    if text.isascii():
        return text.decode("ascii"), problems
    counted: list[Problem] = []
    at = characters = 0
    for problem in sorted(problems, key=lambda problem: problem.offset):
        if problem.offset >= 0:
            characters += len(text[at : problem.offset].decode("utf-8", "replace"))
            at = problem.offset
        counted.append(replace(problem, offset=characters) if problem.offset >= 0 else problem)
    return text.decode("utf-8", "replace"), counted


def located(content: bytes, problems: list[Problem]) -> tuple[Fault, ...]:
    """Problems by byte offset as faults by line and column, errors first, at most fifty."""
    return (
        tuple(_located(content, problem) for problem in sorted(problems, key=gravest)[:MAX_FAULTS]) if problems else ()
    )


def _located(content: bytes, problem: Problem) -> Fault:
    line = column = 0
    if problem.offset >= 0:
        start = content.rfind(b"\n", 0, problem.offset) + 1
        line = content.count(b"\n", 0, problem.offset) + 1
        column = len(content[start : problem.offset].decode("utf-8", "replace")) + 1
    return Fault(problem.code, problem.severity, line, column, problem.message, problem.fix)


POINTER: Final = FileFacts("pointer", located(b"", [lfs_pointer()]))


def _yaml_facts(content: bytes, is_prefab: bool) -> FileFacts:
    read = read_yaml(content, is_prefab=is_prefab, most=MAX_FAULTS)
    faults = located(read.text, read.problems) if read.problems else ()
    is_open = b"\n--- !u!1001 &" in read.text
    sources = b"".join(sorted(set(_SOURCE.findall(read.text)))) if is_open and is_prefab else b""
    ids = b" %b " % b" ".join(read.documents)
    return FileFacts("yaml", faults, ids, _outside(read.references), is_open, sources)


def _outside(references: frozenset[bytes]) -> bytes:
    """Those with a guid, as `FileFacts.references`."""
    lines: set[bytes] = set()
    for text in references:
        file_id, comma, rest = text.partition(b",")
        if not comma or file_id == b"0":
            continue
        if rest[39:] == b", type: 3" and rest.startswith(b" guid: "):
            # As nearly all of them are written.
            lines.add(b"%b %b" % (rest[7:39].lower(), file_id))
            continue
        found = _GUID.search(rest)
        if found is not None:
            lines.add(b"%b %b" % (found.group(1).lower(), file_id.strip()))
    return b"\n".join(sorted(lines))


def _meta_facts(content: bytes) -> FileFacts:
    read = read_meta(content)
    # Their offsets count characters.
    encoded = [replace(p, offset=len(read.text[: p.offset].encode())) if p.offset >= 0 else p for p in read.problems]
    return FileFacts(
        "meta",
        located(read.text.encode(), encoded) if encoded else (),
        references=_outside(read.references),
        guid=read.guid,
        importer=read.importer,
        is_folder=read.is_folder,
    )
