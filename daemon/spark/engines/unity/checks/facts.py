"""What one file says of itself: faults in its bytes, the ids of its objects, and whom it refers to. Pure: bytes in.

One pass with searches that run at the speed of C; whatever looks wrong is looked at again, exactly, in `objects` and
`syntax`. Never raises and never hangs, whatever the bytes are. Knows no other file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from spark.core.diagnostics import Finding, Severity
from spark.core.paths import ProjectPath
from spark.engines.unity.checks import objects, syntax
from spark.engines.unity.checks.objects import Document
from spark.engines.unity.csharp.problem import Problem
from spark.engines.unity.text_assets import LFS_POINTER, YAML_SUFFIXES, lfs_pointer, meta_problems

MAX_FAULTS: Final = 50
Kind = Literal["yaml", "meta", "pointer", "other"]
_HEADER: Final = re.compile(rb"\n--- !u!(\d{1,10}) &(-?\d{1,20})( stripped)?[ ]*\n")
_REFERENCE: Final = re.compile(rb"\{fileID: ([^{}]++)\}")
_LOOSE_REFERENCE: Final = re.compile(rb"\{\s*+fileID\s*+:\s*+([^{}]++)\}")
_GUID: Final = re.compile(rb"guid\s*+:\s*+([0-9a-fA-F]{32})")
_META: Final = re.compile(rb"(?:\xef\xbb\xbf)?fileFormatVersion: \d++\n(?:[ \t]*+\n)*+guid: ([0-9a-f]{32})(?:\n|\Z)")
_IMPORTER: Final = re.compile(rb"^([A-Za-z]+Importer):[ \t]*$", re.MULTILINE)
_NAMED_ASSEMBLY: Final = re.compile(rb'"GUID:([0-9a-fA-F]{32})"')
_SEPARATOR: Final = b"\n--- !u!"
_TAG: Final = b"%TAG !u! tag:unity3d.com,2011:"


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
    once. `is_open`: whether other ids than those may be found in it (it holds instances of prefabs). Of a `.meta`: `guid`,
    `importer`, `is_folder`."""

    kind: Kind
    faults: tuple[Fault, ...] = ()
    ids: bytes = b""
    references: bytes = b""
    is_open: bool = False
    guid: str = ""
    importer: str = ""
    is_folder: bool = False

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        return 240 + len(self.ids) + len(self.references) + 300 * len(self.faults)

    def has(self, file_id: bytes) -> bool:
        return b" %b " % file_id in self.ids


OTHER: Final = FileFacts("other")


def is_asset(path: ProjectPath, content: bytes) -> bool:
    """Whether a file is, or by its name should be, an asset as Unity serialises it; any other name may hold one."""
    if path.suffix in YAML_SUFFIXES:
        return not path.is_meta
    return _is_yaml(content) and _TAG in content[:200] and path.suffix != ".cs" and not path.is_meta


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
            return _yaml_facts(content)
        text, problems = problems_of(path, content)
        return FileFacts("yaml", located(text, problems)) if problems else OTHER
    if path.suffix in (".asmdef", ".asmref"):
        named = {b"%b 0" % guid.lower() for guid in _NAMED_ASSEMBLY.findall(content)}
        return FileFacts("other", references=b"\n".join(sorted(named)))
    return OTHER


def problems_of(path: ProjectPath, content: bytes) -> tuple[bytes, list[Problem]]:
    """What is wrong with what `is_asset` takes for an asset, by offset in the text that is given back."""
    if content.startswith(LFS_POINTER):
        return b"", [lfs_pointer()]
    if _is_yaml(content):
        read = read_yaml(content)
        return read.text, read.problems
    if "StreamingAssets" in path.parts:
        return b"", []
    if b"\x00" in content or content.startswith((b"\xff\xfe", b"\xfe\xff")) or not _is_utf8(content):
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
    counted = [replace(p, offset=len(text[: p.offset].decode("utf-8", "replace"))) for p in problems if p.offset >= 0]
    return text.decode("utf-8", "replace"), counted + [p for p in problems if p.offset < 0]


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def located(content: bytes, problems: list[Problem]) -> tuple[Fault, ...]:
    """Problems by byte offset as faults by line and column, errors first, at most fifty."""
    rank = {"error": 0, "warning": 1, "info": 2}
    chosen = sorted(problems, key=lambda problem: (rank[problem.severity], problem.offset))[:MAX_FAULTS]
    return tuple(_located(content, problem) for problem in chosen)


def _located(content: bytes, problem: Problem) -> Fault:
    line = column = 0
    if problem.offset >= 0:
        start = content.rfind(b"\n", 0, problem.offset) + 1
        line = content.count(b"\n", 0, problem.offset) + 1
        column = len(content[start : problem.offset].decode("utf-8", "replace")) + 1
    return Fault(problem.code, problem.severity, line, column, problem.message, problem.fix)


POINTER: Final = FileFacts("pointer", located(b"", [lfs_pointer()]))


# --- YAML --------------------------------------------------------------------------------------------------------------


def _yaml_facts(content: bytes) -> FileFacts:
    read = read_yaml(content)
    faults = located(read.text, read.problems) if read.problems else ()
    is_open = any(document.class_id == b"1001" for document in read.documents.values())
    ids = b" %b " % b" ".join(read.documents)
    return FileFacts("yaml", faults, ids, _outside(read.references), is_open)


@dataclass(frozen=True, slots=True)
class YamlRead:
    """`text` has `\\n` as its only line end and no byte-order mark; offsets count in it. `references`: what stands behind
    `fileID:`, each once, as it is written."""

    text: bytes
    documents: dict[bytes, Document]
    references: frozenset[bytes]
    problems: list[Problem]


def read_yaml(content: bytes) -> YamlRead:
    """A file that begins with %YAML."""
    text = content.removeprefix(b"\xef\xbb\xbf")
    problems: list[Problem] = []
    if b"\r" in text:
        problems += _line_ends(text)
        text = text.replace(b"\r\n", b"\n")
    if text[-1:] != b"\n":
        text += b"\n"
    if not text.isascii() and not _is_utf8(text):
        problem = Problem("text/encoding", "not UTF-8", -1, "Save it as UTF-8, or restore the file: it may be damaged.")
        return YamlRead(text, {}, frozenset(), [problem])
    if b"\x00" in text:
        fix = "Remove them, or restore the file: it may be cut or binary."
        problem = Problem("text/nul", "the file holds NUL bytes", text.find(b"\x00"), fix)
        return YamlRead(text, {}, frozenset(), [problem])
    begin = text.find(_SEPARATOR) + 1
    # As Unity writes it: one search says so of the whole file.
    canonical = begin > 0 and syntax.is_canonical(text, begin, len(text))
    faults = _faults(text, begin) if not canonical else []
    documents, twice = _documents(text)
    conflicts = list(objects.conflicts(text)) if not canonical else []
    references = frozenset((_REFERENCE if canonical else _LOOSE_REFERENCE).findall(text))
    if conflicts:
        # Two versions in one file: everything else that is wrong follows from that.
        return YamlRead(text, documents, references, conflicts)
    problems += _head(text, documents)
    problems += faults + twice
    if not any(problem.code == "yaml/document-header" for problem in faults):
        # Else an object is there whose id nobody knows.
        problems += objects.relations(text, documents)
        problems += objects.dangling(text, documents, references)
    return YamlRead(text, documents, references, problems)


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
    if not head.startswith(b"%YAML 1.1\n") or _TAG not in head:
        fix = "Begin the file with: %YAML 1.1, then: %TAG !u! tag:unity3d.com,2011:"
        return [Problem("yaml/header", "the two lines %YAML 1.1 and %TAG !u! are not as Unity reads them", 0, fix)]
    if not documents:
        fix = "Restore the line that begins with --- !u! before each object."
        return [Problem("yaml/no-document", "the asset holds no object", -1, fix)]
    return []


def _documents(text: bytes) -> tuple[dict[bytes, Document], list[Problem]]:
    """The documents by file id, and two of one id."""
    documents: dict[bytes, Document] = {}
    classes: dict[bytes, bytes] = {}
    problems: list[Problem] = []
    headers = _HEADER.finditer(text)
    following = next(headers, None)
    start = following.start() + 1 if following is not None else 0
    while following is not None:
        header, following = following, next(headers, None)
        end = following.start() + 1 if following is not None else len(text)
        class_id, file_id, stripped = header.groups()
        if file_id in documents:
            if len(problems) < MAX_FAULTS:
                message = f"two objects have the file id {file_id.decode()}: Unity loads one of them"
                fix = "Give one of the two another id, here and where it is meant."
                problems.append(Problem("yaml/duplicate-id", message, start, fix))
        else:
            # The same objects are used again: of small documents there may be very many.
            class_id = classes.setdefault(class_id, class_id)
            documents[file_id] = Document(start, header.end(), end, class_id, stripped is not None)
        start = end
    return documents, problems


def _faults(text: bytes, end: int) -> list[Problem]:
    """What is wrong with headers and bodies of a file that is not, or not at once, known to be good."""
    problems: list[Problem] = []
    while 0 < end < len(text) and len(problems) < 4 * MAX_FAULTS:
        start = end
        end = text.find(_SEPARATOR, start) + 1 or len(text)
        header = _HEADER.match(text, start - 1, end)
        if header is None:
            fix = "An object begins with: --- !u!CLASS &ID, both of them numbers."
            problems.append(Problem("yaml/document-header", "the line that begins an object is damaged", start, fix))
        elif not text[header.end() : end].strip():
            fix = "Restore the object's lines, or remove this line and what refers to the object."
            problems.append(Problem("yaml/empty-document", "an object without a body", start, fix))
        elif not syntax.is_canonical(text, start, end):
            problems += _syntax(text, header.end(), end)
    return problems


def _syntax(text: bytes, start: int, end: int) -> list[Problem]:
    fault = syntax.first_fault(text, start, end)
    if fault is None:
        return []
    at, message = fault
    if message == syntax.TAB:
        return [Problem("yaml/tab", message, at, "Indent with spaces, two a level.", "warning")]
    return [
        Problem("yaml/syntax", message, at, "Correct this line, or restore the object from a version that was good.")
    ]


def _outside(references: frozenset[bytes]) -> bytes:
    """Those with a guid, as `FileFacts.references`."""
    lines: set[bytes] = set()
    for text in references:
        file_id, comma, rest = text.partition(b",")
        if comma and file_id != b"0":
            found = _GUID.search(rest)
            if found is not None:
                lines.add(b"%b %b" % (found.group(1).lower(), file_id.strip()))
    return b"\n".join(sorted(lines))


# --- .meta -------------------------------------------------------------------------------------------------------------


def _meta_facts(content: bytes) -> FileFacts:
    text = content.replace(b"\r\n", b"\n") if b"\r" in content else content
    found = _META.match(text)
    if (
        found is None
        or text.find(b"\nguid:", found.end() - 1) >= 0
        or any(mark in text for mark in _CONFLICT_MARKS)
        or found.group(1).startswith(b"0" * 16)
        or not (text.isascii() or _is_utf8(text))
        or b"\x00" in text
    ):
        return _damaged_meta(content, text)
    return _meta(text, found.group(1).decode(), ())


_CONFLICT_MARKS: Final = (b"\n<<<<<<<", b"\n=======", b"\n>>>>>>>", b"\n|||||||")


def _meta(text: bytes, guid: str, faults: tuple[Fault, ...]) -> FileFacts:
    importer = _IMPORTER.search(text)
    named = _outside(frozenset(_LOOSE_REFERENCE.findall(text))) if b"{" in text and b"guid: " in text[60:] else b""
    return FileFacts(
        "meta",
        faults,
        references=named,
        guid=guid,
        importer=importer.group(1).decode() if importer is not None else "",
        is_folder=b"\nfolderAsset: yes" in text,
    )


def _damaged_meta(content: bytes, text: bytes) -> FileFacts:
    from spark.engines.unity.meta import guid_in_meta
    from spark.engines.unity.text_assets import decoded

    words, unreadable = decoded(content)
    if unreadable is not None:
        return FileFacts("meta", located(b"", [unreadable]))
    words = words.replace("\r\n", "\n")
    problems = list(meta_problems(content, words, None))
    # `meta_problems` counts characters.
    problems = [replace(p, offset=len(words[: p.offset].encode())) if p.offset >= 0 else p for p in problems]
    return _meta(text, guid_in_meta(content) or "", located(words.encode(), problems))
