"""What the bytes of a file tell about how it is written. Nothing here changes what a value means: where a file tells nothing, or
is misjudged, a new text is broken or quoted at another place than Unity would choose and reads the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.mode import BOM, Mode, Quoting, ScalarFold
from spark.engines.unity.yaml.scalars import style_for
from spark.engines.unity.yaml.split import is_yaml, split
from spark.engines.unity.yaml.tree import parse
from spark.engines.unity.yaml.write import FOLD_COLUMN, body_bytes

_SAMPLE_BYTES: Final = 4 * 1024 * 1024
_TRIED: Final = 24
_TRIED_BYTES: Final = 256 * 1024
_FOLDED: Final = re.compile(rb"\{[^{}\n]*,\r?\n +[^ \n]")
_LONG: Final = re.compile(rb"\n([^\n]{79,})")
_FURTHER: Final = re.compile(rb"\r?\n +(?!- )[^ \r\n][^:\r\n]*(?:\r?\n|\Z)")
_PLAIN: Final = re.compile(rb" *(?:- )?(?:[A-Za-z0-9_][^:'\"\n]*: |(?<=- ))(?![ '\"{\[])([^\n]*[^\r\n])")
# What may be the end of a text in brackets that is quoted for them alone, and what only a loose writer leaves plain.
_BRACKET_ENDS: Final = (b"]'\n", b"]'\r")
_LOOSE_MARKS: Final = (b" #", b" ---", b" \n", b" \r\n")
_EMPTY: Final = re.compile(rb"[:-] ''\r?\n")


def mode_from(content: bytes, default: Mode) -> Mode:
    """The mode of a file; what its first megabytes do not tell is taken from `default`."""
    sample = content[:_SAMPLE_BYTES]
    longs = [match.span(1) for match in _LONG.finditer(sample)]
    fold = True if _FOLDED.search(sample) else False if _has_one_line(sample, longs) else default.fold
    mode = replace(
        default,
        fold=fold,
        quoting=_quoting(sample) or default.quoting,
        newline="\r\n" if b"\r\n" in sample else "\n",
        bom=content.startswith(BOM),
        final_newline=not content or content.endswith(b"\n"),
    )
    scalars = _scalar_fold(sample, longs, mode)
    return mode if scalars is None else replace(mode, scalars=scalars)


def _has_one_line(content: bytes, longs: list[tuple[int, int]]) -> bool:
    """Whether an inline mapping goes on behind the column where others are broken."""
    for start, end in longs:
        line = content[start:end].rstrip(b"\r")
        if line.endswith(b"}") and b"{" in line and b"'" not in line and line.rfind(b", ") >= FOLD_COLUMN:
            return True
    return False


def _quoting(content: bytes) -> Quoting | None:
    for mark in _BRACKET_ENDS:
        for at in _lines_with(content, mark):
            line = content[content.rfind(b"\n", 0, at) + 1 : at + 1]
            _, quote, text = line.partition(b" '")
            if quote and b"'" not in text and style_for(text.decode("ascii", "replace")) == "plain":
                return "brackets"
    if any(_is_loose(content, at) for mark in _LOOSE_MARKS for at in _lines_with(content, mark)):
        return "loose"
    return "empty" if _EMPTY.search(content) else None


def _is_loose(content: bytes, at: int) -> bool:
    """Whether a plain text on the line of an offset is one that others quote."""
    start = content.rfind(b"\n", 0, at) + 1
    match = _PLAIN.match(content, start)
    if match is None or _FURTHER.match(content, match.end() - (content[match.end() - 1] == 0x0D)):
        return False
    return style_for(match[1].decode("ascii", "replace")) == "single" and b": " not in match[1]


def _lines_with(content: bytes, mark: bytes) -> Iterator[int]:
    """Where a mark first stands in each line that has it: what is asked of a line is asked once."""
    at = content.find(mark)
    while at >= 0:
        yield at
        end = content.find(b"\n", at)
        at = -1 if end < 0 else content.find(mark, max(end, at + 1))


def _scalar_fold(content: bytes, longs: list[tuple[int, int]], mode: Mode) -> ScalarFold | None:
    """Where this file breaks long texts; None where no text of it tells. Writes some documents that have a long line in every
    way and looks which comes out as it stands."""
    votes: dict[ScalarFold, int] = {"current": 0, "old": 0, "none": 0}
    tried = 0
    for body in _bodies_with_texts(content, longs):
        try:
            value = parse(body).root.plain()
        except YamlError:
            continue
        tried += 1
        ending = body.endswith(b"\n")
        for fold in votes:
            made = body_bytes(value, replace(mode, scalars=fold))
            votes[fold] += (made if ending else made.removesuffix(mode.newline.encode())) == body
        if tried == _TRIED or (tried >= 3 and len(set(votes.values())) > 1):
            break
    best = max(votes, key=lambda fold: votes[fold])
    return best if votes[best] and len(set(votes.values())) > 1 else None


def _bodies_with_texts(content: bytes, longs: list[tuple[int, int]]) -> Iterator[bytes]:
    """The bodies with a long line that holds a text which is, or could have been, broken."""
    telling = [start for start, end in longs if _tells(content, start, end)]
    if not telling:
        return
    if not is_yaml(content):
        yield content.removeprefix(BOM)
        return
    try:
        documents = split(content).documents
    except YamlError:
        return
    at = 0
    for document in documents:
        while at < len(telling) and telling[at] < document.body_start:
            at += 1
        if at == len(telling):
            return
        if telling[at] < document.end and document.end - document.body_start <= _TRIED_BYTES:
            yield content[document.body_start : document.end]


def _tells(content: bytes, start: int, end: int) -> bool:
    line = content[start:end].rstrip(b"\r")
    if line.endswith((b"}", b",")) and b"{" in line and b"'" not in line and b'"' not in line:
        return False
    return (
        line.find(b" ", FOLD_COLUMN - 1) >= 0 or _FURTHER.match(content, end - (content[end - 1] == 0x0D)) is not None
    )
