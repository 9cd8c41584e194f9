"""What an edit must keep of a file besides its words: byte order mark, encoding, line ends, final newline.

Files are edited as text with their own line ends (`Document.raw`); searches run over `Document.text`, the same text with
`\\n` only. `Document.splice` maps positions back, so that bytes outside an edit are never touched. Knows nothing of patches.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

from spark.core.errors import ToolRejected, invalid_arguments
from spark.text.lines import git_lines, line_changes

Newline = Literal["\n", "\r\n"]
Encoding = Literal["utf-8", "utf-16-le", "utf-16-be"]

_BOMS: Final[tuple[tuple[bytes, Encoding], ...]] = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class TextForm:
    """How a text lies on disk. `mixed`: both kinds of line ends occur; `newline` is then the commoner one."""

    encoding: Encoding = "utf-8"
    bom: bool = False
    newline: Newline = "\n"
    mixed: bool = False


@dataclass(frozen=True, slots=True)
class Splice:
    """`text[start:end]` becomes `new`; offsets in `Document.text`, `new` with `\\n` line ends."""

    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Document:
    """A decoded file: `raw` is its text without BOM, with its own line ends."""

    raw: str
    form: TextForm

    @cached_property
    def text(self) -> str:
        """The text with `\\n` line ends. A `\\r` that no `\\n` follows is an ordinary character."""
        return self.raw.replace("\r\n", "\n")

    @cached_property
    def _carriage_returns(self) -> list[int]:
        """Offsets in `text` of those `\\n` that are `\\r\\n` in `raw`."""
        found: list[int] = []
        at = self.raw.find("\r\n")
        while at >= 0:
            found.append(at - len(found))
            at = self.raw.find("\r\n", at + 2)
        return found

    def _raw_offset(self, offset: int) -> int:
        return offset + bisect_left(self._carriage_returns, offset)

    def splice(self, edits: Iterable[Splice]) -> Document:
        """The document after non-overlapping edits. Inserted lines get the file's line ends; what is not touched keeps its bytes."""
        pieces: list[str] = []
        done = 0
        for edit in sorted(edits, key=lambda item: (item.start, item.end)):
            for part in self._refined(edit):
                pieces.append(self.raw[self._raw_offset(done) : self._raw_offset(part.start)])
                pieces.append(to_newline(part.new, self.form.newline))
                done = part.end
        pieces.append(self.raw[self._raw_offset(done) :])
        return replace(self, raw="".join(pieces))

    def _refined(self, edit: Splice) -> list[Splice]:
        old = self.text[edit.start : edit.end]
        new = edit.new.replace("\r\n", "\n")
        if not self.form.mixed or "\n" not in old:
            return [Splice(edit.start, edit.end, new)]
        # Of a file with both kinds of line ends, lines that stay must keep their own: touch only the changed ones.
        old_lines, new_lines = git_lines(old), git_lines(new)
        offsets = [edit.start]
        for line in old_lines:
            offsets.append(offsets[-1] + len(line))
        return [
            Splice(offsets[a1], offsets[a2], "".join(new_lines[b1:b2]))
            for a1, a2, b1, b2 in line_changes(old_lines, new_lines)
        ]

    def ending_like(self, before: Document) -> Document:
        """This document with the final newline that `before` had, or had not (see `keep_final_newline`)."""
        text = keep_final_newline(before.text, self.text)
        size = len(self.text)
        if len(text) == size:
            return self
        return self.splice([Splice(size, size, "\n") if len(text) > size else Splice(size - 1, size, "")])

    def with_text(self, text: str) -> Document:
        """The document with wholly new text (`\\n` line ends), written in this document's form."""
        return self.splice([Splice(0, len(self.text), text)])

    def encode(self) -> bytes:
        """The bytes of the file. Raises `invalid_arguments` for text that no encoding can hold (lone surrogates)."""
        try:
            body = self.raw.encode(self.form.encoding)
        except UnicodeEncodeError as error:
            raise invalid_arguments(
                {"newContent": f"text of whole Unicode characters (character {error.start} is half of one)"}
            ) from error
        if not self.form.bom:
            return body
        return next(bom for bom, encoding in _BOMS if encoding == self.form.encoding) + body


def to_newline(text: str, newline: Newline) -> str:
    """Text whose `\\n` and `\\r\\n` both become `newline`."""
    plain = text.replace("\r\n", "\n")
    return plain if newline == "\n" else plain.replace("\n", "\r\n")


def newline_of(raw: str, default: Newline = "\n") -> tuple[Newline, bool]:
    """The commoner line end and whether both kinds occur; `default` where there is none or a tie."""
    windows = raw.count("\r\n")
    unix = raw.count("\n") - windows
    if windows == unix:
        return default, windows > 0
    return ("\r\n" if windows > unix else "\n"), bool(windows and unix)


def decode(content: bytes, *, path: str = "", default_newline: Newline = "\n") -> Document:
    """A file's text and form. Raises `unsupported_asset` for anything but UTF-8 and UTF-16 with BOM."""
    if content.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise _unsupported(path, "it is UTF-32")
    bom, encoding = next(((bom, name) for bom, name in _BOMS if content.startswith(bom)), (b"", "utf-8"))
    try:
        raw = content[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        where = error.start + len(bom)
        why = f"byte {where} is not {'UTF-8' if encoding == 'utf-8' else 'UTF-16'} text"
        raise _unsupported(path, why) from error
    if "\x00" in raw:
        raise _unsupported(path, "it holds zero bytes, so it is binary")
    newline, mixed = newline_of(raw, default_newline)
    return Document(raw, TextForm(encoding, bool(bom), newline, mixed))


def _unsupported(path: str, why: str) -> ToolRejected:
    return ToolRejected(
        "unsupported_asset",
        f"{path or 'the file'} cannot be edited as text: {why}",
        hint="Files in UTF-8 (with or without BOM) and UTF-16 with BOM can be edited; save the file as UTF-8 first.",
        details={"path": path, "reason": why},
    )


def keep_final_newline(before: str, after: str) -> str:
    """`after` with the final newline that `before` had (or had not), both with `\\n` line ends.

    An edit that does nothing else than add or take the final newline means it, and is left alone.
    """
    if not before or not after or before.endswith("\n") == after.endswith("\n"):
        return after
    kept = after + "\n" if before.endswith("\n") else after[:-1]
    return after if kept == before else kept
