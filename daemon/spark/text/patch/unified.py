"""Reads unified diffs: git's own (renames, new and deleted files, quoted names, several files) and what models write
for them (wrong counts, no numbers, no headers). Says what each file's section asks for; applying is `hunks`' part.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from spark.core.errors import ToolRejected, invalid_arguments
from spark.text.patch.sections import FilePatch, Hunk, Line

_HEADER: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_SIGNS: Final[tuple[Literal[" ", "-", "+"], ...]] = (" ", "-", "+")
_ESCAPES: Final = {"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, "\\": 92, '"': 34}
_ESCAPE: Final = re.compile(rb'\\([0-7]{3}|[ntrabfv\\"])')


@dataclass
class _Section:
    """What was read of one file's section."""

    old: str | None = None
    new: str | None = None
    named: bool = False
    created: bool = False
    deleted: bool = False
    copied: bool = False
    renamed: bool = False
    binary: bool = False
    git: tuple[str | None, str | None] = (None, None)
    hunks: list[Hunk] = field(default_factory=list)

    def finished(self) -> FilePatch:
        old, new = (self.old, self.new) if self.named or self.renamed else self.git
        if self.created:
            old = None
        if self.deleted:
            new = None
        # The names of `rename from` and `copy from` lines carry no prefix.
        strip = self.named or not self.renamed
        if not self.named and not self.renamed and old is None and new is None:
            return FilePatch("", "", tuple(self.hunks), binary=self.binary)
        return FilePatch(old, new, tuple(self.hunks), copy=self.copied, binary=self.binary, strip=strip)


def _malformed(line: int, why: str) -> ToolRejected:
    return invalid_arguments({"patch": f"a unified diff; line {line}: {why}"})


def parse_unified(patch: str) -> tuple[FilePatch, ...]:
    """The sections of a patch in order. A patch of hunks alone gives one section with empty paths.

    Raises `invalid_arguments` where it is no unified diff.
    """
    lines = patch.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    # Where the headers end in CR, the whole patch came with CRLF line ends; git itself ends headers in LF always.
    if any(line.endswith("@@\r") and _HEADER.match(line) for line in lines):
        lines = [line.removesuffix("\r") for line in lines]
    sections: list[_Section] = []
    at = 0
    while at < len(lines):
        at = _read(lines, at, sections)
    found = tuple(section.finished() for section in sections)
    if not any(part.hunks or part.binary or part.old_path != part.new_path for part in found):
        modes_only = found and all(section.git != (None, None) for section in sections)
        if not modes_only:
            raise invalid_arguments(
                {"patch": "a unified diff with lines '--- a/…', '+++ b/…' and hunks '@@ -1,3 +1,4 @@'"}
            )
    return found


def _read(lines: Sequence[str], at: int, sections: list[_Section]) -> int:
    """Reads what begins at a line, returns where the next begins. Lines that mean nothing (mode, index, mail) are passed over."""
    line = lines[at]
    if line.startswith("diff --git "):
        sections.append(_Section(git=_git_names(line.removeprefix("diff --git ").rstrip("\r"))))
    elif _names(lines, at):
        if not sections or sections[-1].named or sections[-1].hunks:
            sections.append(_Section())
        section = sections[-1]
        section.old, section.new = _name(line[4:]), _name(lines[at + 1][4:])
        section.named = True
        if section.old is None and section.new is None:
            raise _malformed(at + 1, "both sides are /dev/null")
        return at + 2
    elif line.startswith("@@"):
        if not sections:
            sections.append(_Section())
        hunk, after = _hunk(lines, at)
        sections[-1].hunks.append(hunk)
        return after
    elif sections:
        _extended(line, sections[-1])
    return at + 1


def _names(lines: Sequence[str], at: int) -> bool:
    return lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def _extended(line: str, section: _Section) -> None:
    for prefix in ("rename ", "copy "):
        if line.startswith((prefix + "from ", prefix + "to ")):
            side, _, name = line.removeprefix(prefix).partition(" ")
            path = _unquoted(name)
            section.old, section.new = (path, section.new) if side == "from" else (section.old, path)
            section.renamed = True
            section.copied = prefix == "copy "
    if line.startswith("new file mode"):
        section.created = True
    elif line.startswith("deleted file mode"):
        section.deleted = True
    elif line.startswith(("Binary files ", "GIT binary patch")):
        section.binary = True


def _unquoted(name: str) -> str:
    name = name.rstrip("\r")
    if not (name.startswith('"') and name.endswith('"') and len(name) > 1):
        return name

    def byte(match: re.Match[bytes]) -> bytes:
        code = match.group(1).decode()
        return bytes([int(code, 8) & 255 if code.isdigit() else _ESCAPES[code]])

    return _ESCAPE.sub(byte, name[1:-1].encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _name(text: str) -> str | None:
    """The path of a `---` or `+++` line; what follows a tab is a time stamp."""
    text = text.rstrip("\r")
    is_quoted = text.startswith('"')
    name = _unquoted(text[: text.rfind('"') + 1]) if is_quoted else text.split("\t", 1)[0].rstrip()
    return None if name == "/dev/null" else name


def _git_names(text: str) -> tuple[str | None, str | None]:
    """The two names of a `diff --git` line. They matter only where no other line names the file, and are then the same
    but for `a/` and `b/`."""
    if text.startswith('"'):
        names = re.findall(r'"(?:[^"\\]|\\.)*"', text)
        if len(names) == 2:
            return _unquoted(names[0]), _unquoted(names[1])
    middle = len(text) // 2
    if (
        len(text) % 2
        and text[middle] == " "
        and text[:middle].partition("/")[2] == text[middle + 1 :].partition("/")[2]
    ):
        return text[:middle], text[middle + 1 :]
    old, _, new = text.partition(" b/")
    return (old, "b/" + new) if new else (None, None)


def _hunk(lines: Sequence[str], at: int) -> tuple[Hunk, int]:
    header = _HEADER.match(lines[at])
    if header is None:
        # Written by a model: no numbers, perhaps the name of what the change lies in.
        anchor = lines[at].rstrip("\r").strip("@ .")
        if re.search(r"[-+]\d", lines[at]):
            anchor = ""
        body, after = _by_shape(lines, at + 1)
        if not body:
            raise _malformed(at + 1, "a hunk without lines")
        return Hunk(body, anchors=(anchor,) if anchor else ()), after
    old_size, new_size = (1 if size is None else int(size) for size in header.group(2, 4))
    counted = _by_counts(lines, at + 1, old_size, new_size)
    body, after = counted or _by_shape(lines, at + 1)
    if not body:
        raise _malformed(at + 1, "a hunk without lines")
    return Hunk(body, int(header.group(1)), int(header.group(3))), after


def _by_counts(lines: Sequence[str], at: int, old: int, new: int) -> tuple[tuple[Line, ...], int] | None:
    """The hunk as its header counts it; None where the counts do not fit what follows."""
    body: list[Line] = []
    while old > 0 or new > 0:
        line = _line(lines[at]) if at < len(lines) else None
        if line is None:
            return None
        old -= line.sign != "+"
        new -= line.sign != "-"
        body.append(line)
        at += 1
        if at < len(lines) and lines[at].startswith("\\"):
            body[-1] = Line(line.sign, line.text, ended=False)
            at += 1
    fits = old == new == 0 and (at >= len(lines) or not _goes_on(lines, at))
    return (tuple(body), at) if fits else None


def _goes_on(lines: Sequence[str], at: int) -> bool:
    """Whether a line can only be more of a hunk (its header counted too few)."""
    # "-- " begins the signature of a mailed patch.
    return lines[at][:1] in (" ", "+", "-") and not _names(lines, at) and lines[at].rstrip() != "--"


def _by_shape(lines: Sequence[str], at: int) -> tuple[tuple[Line, ...], int]:
    """The hunk up to the next header, whatever its own header counts."""
    body: list[Line] = []
    while at < len(lines) and not lines[at].startswith(("@@", "diff --git ")) and not _names(lines, at):
        if lines[at].startswith("\\") and body:
            body[-1] = Line(body[-1].sign, body[-1].text, ended=False)
        else:
            line = _line(lines[at])
            if line is None:
                raise _malformed(at + 1, "lines of a hunk begin with ' ', '-' or '+'")
            body.append(line)
        at += 1
    # Blank lines behind the last hunk belong to the text around the patch.
    while body and body[-1] == Line(" ", ""):
        body.pop()
    return tuple(body), at


def _line(text: str) -> Line | None:
    # Some tools strip the space of an empty line of context.
    if text in ("", "\r"):
        return Line(" ", text)
    for sign in _SIGNS:
        if text.startswith(sign):
            return Line(sign, text[1:])
    return None
