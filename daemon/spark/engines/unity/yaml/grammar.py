"""The tokens of Unity's YAML: keys, values, texts and inline values, each found by one linear expression.

Only offsets come out of here. Every function raises `YamlError` where something stands that is not surely understood.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from functools import cache
from typing import Final

from spark.engines.unity.yaml.errors import YamlError

MAP: Final = 0
SEQ: Final = 1
FLOW_MAP: Final = 2
FLOW_SEQ: Final = 3
PLAIN: Final = 4
SINGLE: Final = 5
DOUBLE: Final = 6
NULL: Final = 7
MAX_DEPTH: Final = 100

_EXPECTED_KEY: Final = "a key followed by a colon and a space was expected"
_ALLOWED: Final = bytes(byte for byte in range(256) if byte >= 0x20 and byte != 0x7F) + b"\t\n\r"
# What other readers take for a line end, and a byte order mark in the middle.
_ODD: Final = re.compile(rb"\xc2\x85|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf")
_LONE_CR: Final = re.compile(rb"\r(?!\n|\Z)")
_ESCAPE: Final = (
    rb"""\\(?:[0abtnvfre "/\\N_LP]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4}|\r?\n)"""
)
_SINGLE_QUOTED: Final = re.compile(rb"'(?:[^']|'')*+'")
_DOUBLE_QUOTED: Final = re.compile(rb'"(?:[^"\\]|' + _ESCAPE + rb')*+"')
_QUOTED_KEY: Final = re.compile(rb"'(?:[^'\n]|'')*+'|\"(?:[^\"\\\n]|\\[^\n])*+\"")
_PLAIN_KEY: Final = re.compile(rb"(?:[^:\r\n\t]|:(?![ \r\n]|\Z))*+")
_KEY_END: Final = re.compile(rb":(?=[ \r\n]|\Z)")
_NO_START: Final = re.compile(rb"""[\s'"{}\[\]&*!|>%@`#,]|[-?:](?=[ \r\n]|\Z)""")
_NO_TEXT: Final = re.compile(rb"""[\s'"{}\[\]&*!|>%@`#,]|[-?:](?=[ \r\n]|\Z)""")
_TEXT: Final = re.compile(rb"(?:[^:\r\n\t]|:(?![ \r\n]|\Z))*+")
_SPACES: Final = re.compile(rb" *+")
_LINE_END: Final = re.compile(rb"\r?\n|\r?\Z")
_FLOW_SPACE: Final = re.compile(rb"[ \r\n]*+")
_FLOW_KEY: Final = re.compile(rb"""(?![\s'"{}\[\],&*!|>%@`#?:]|-[ \r\n])(?:[^:{}\[\],?#\r\n\t]|(?<! )\#)++(?=:)""")
_FLOW_TEXT: Final = re.compile(
    rb"""(?![&*!|>%@`#'":]|-(?:[ \r\n,}\]]|\Z))(?:[^,{}\[\]?\r\n\t: #]|(?<!\ )\#|:(?![ \r\n,{}\[\]]|\Z)|\ ++(?![,}\]\r\n\#]))*+""",
    re.VERBOSE,
)


SIMPLE_KEYS: Final = (3, 5, 7, 9)


@cache
def simple_lines() -> Callable[[bytes, int], re.Match[bytes] | None]:
    """Matches up to four of the lines that most lines are: keys in one column with nothing, a word, or an inline mapping behind
    them. Groups: 1 the indentation, 2 a dash before the first key, and from 3 on in turn a key and what is behind its colon and
    space. Quotes, comments and whatever else could be read in two ways are left to the slower functions below."""
    key = rb"([A-Za-z0-9_<][A-Za-z0-9_.<>]*+(?: [A-Za-z0-9_.]++)*+):"
    line = key + rb"(?: (" + _simple_value() + rb"))?+\r?\n"
    further = rb""
    for _ in SIMPLE_KEYS[1:]:
        # Behind a dash the further keys stand two columns deeper than it.
        further = rb"(?:\1(?(2)  )" + line + further + rb")?+"
    # The groups are numbered from the left: the nesting keeps a line from being tried where the one before it did not match.
    return re.compile(rb"( *+)(- )?+" + line + further).match


@cache
def simple_items() -> Callable[[bytes, int], re.Match[bytes] | None]:
    """Matches up to four items of a list that are no mappings over lines. Groups: 1 the indentation, from 2 on what is behind
    each dash and space."""
    line = rb"- (" + _simple_value() + rb")\r?\n"
    further = rb""
    for _ in SIMPLE_KEYS[1:]:
        further = rb"(?:\1" + line + further + rb")?+"
    return re.compile(rb"( *+)" + line + further).match


def _simple_value() -> bytes:
    """Nothing, `[]`, a mapping of words in braces, or a text that no character makes special."""
    word = rb"(?:[A-Za-z0-9_.+]|-(?=[A-Za-z0-9_.]))[A-Za-z0-9_.+/-]*+"
    pair = rb"[A-Za-z_]\w*+: " + word
    inline = rb"\{(?:" + pair + rb"(?:,(?: |\r?\n ++)" + pair + rb")*+)?+\}"
    text = rb"(?:[A-Za-z0-9_./+()$~^=;<\\]|-(?=[A-Za-z0-9_.]))[^\x00-\x1f\x7f:#]*+"
    return rb"(?=\r?\n)|\[\]|" + inline + rb"|" + text


def check_characters(body: bytes) -> None:
    """Refuses what no reader of YAML takes for text, or what some take for line ends."""
    if body.translate(None, _ALLOWED):
        at = next(at for at, byte in enumerate(body) if byte not in _ALLOWED)
        raise YamlError(f"the control character 0x{body[at]:02x}", at)
    found = None if body.isascii() else _ODD.search(body)
    if found is None and b"\r" in body:
        found = _LONE_CR.search(body)
    if found is not None:
        raise YamlError("a line separator that Unity does not write", found.start())


def skip_spaces(body: bytes, at: int) -> int:
    return _SPACES.match(body, at).end()  # type: ignore[union-attr]


def line_end(body: bytes, at: int) -> int:
    """Where the next line begins, -1 where this one goes on."""
    match = _LINE_END.match(body, at)
    return -1 if match is None else match.end()


def is_dash(body: bytes, at: int) -> bool:
    return body[at : at + 1] == b"-" and body[at + 1 : at + 2] in (b" ", b"\n", b"\r", b"")


def has_key(body: bytes, at: int) -> bool:
    """Whether a key stands at an offset."""
    return _key(body, at) is not None


def key(body: bytes, at: int) -> tuple[int, int, int]:
    """Kind, start and end of the key at an offset."""
    found = _key(body, at)
    if found is None:
        raise YamlError(_EXPECTED_KEY, at)
    return found


def _key(body: bytes, at: int) -> tuple[int, int, int] | None:
    char = body[at : at + 1]
    if char == b"'" or char == b'"':
        match = _QUOTED_KEY.match(body, at)
        kind = SINGLE if char == b"'" else DOUBLE
        if match is not None and kind == DOUBLE and not _DOUBLE_QUOTED.fullmatch(match.group()):
            match = None
    else:
        if char != b":" and _NO_START.match(body, at):
            return None
        match, kind = _PLAIN_KEY.match(body, at), PLAIN
    if match is None or _KEY_END.match(body, match.end()) is None:
        return None
    if kind == PLAIN:
        name = match.group()
        if b" #" in name or name.endswith(b" "):
            raise YamlError("a key with a comment in it, or with a space before its colon", at)
        if not name and body[at + 1 : at + 2] != b" ":
            raise YamlError("a key of no length with nothing behind it", at)
    return kind, at, match.end()


def value(body: bytes, at: int, owner: int, depth: int) -> tuple[int, int]:
    """Kind and end of the scalar or inline value at an offset."""
    char = body[at : at + 1]
    if char == b"{" or char == b"[":
        return FLOW_MAP if char == b"{" else FLOW_SEQ, flow(body, at, owner, depth, None)
    if char == b"'" or char == b'"':
        return quoted(body, at)
    if _NO_TEXT.match(body, at):
        raise YamlError(f"a text that is not in quotes cannot begin with {body[at : at + 1].decode()!r}", at)
    return PLAIN, text_end(body, at)


def text_end(body: bytes, at: int) -> int:
    """The end of one line of a plain text."""
    if body[at : at + 1] == b"#":
        raise YamlError("a comment: Unity writes none", at)
    end = _TEXT.match(body, at).end()  # type: ignore[union-attr]
    if line_end(body, end) < 0:
        raise YamlError("a colon or a tab in a text that is not in quotes", end)
    return end


def quoted(body: bytes, at: int) -> tuple[int, int]:
    """Kind and end of the text in quotes at an offset; it may go over lines."""
    double = body[at] == 0x22
    match = (_DOUBLE_QUOTED if double else _SINGLE_QUOTED).match(body, at)
    if match is None:
        raise YamlError("the text in quotes has no end, or an escape that YAML does not know", at)
    end = match.end()
    if body.find(b"\n", at, end) >= 0 and (
        body.find(b"\t", at, end) >= 0 or body.find(b"\n---", at, end) >= 0 or body.find(b"\n...", at, end) >= 0
    ):
        raise YamlError("a text in quotes over several lines with a tab or the mark of a document in it", at)
    return DOUBLE if double else SINGLE, end


def flow(body: bytes, at: int, owner: int, depth: int, into: array[int] | None) -> int:
    """The inline mapping or sequence at an offset, over as many lines as it takes; answers the offset behind it. `into` gets the
    nodes directly inside."""
    if depth > MAX_DEPTH:
        raise YamlError("nested too deep", at)
    is_map = body[at] == 0x7B
    close = b"}" if is_map else b"]"
    at = _flow_space(body, at + 1)
    while body[at : at + 1] != close:
        if is_map:
            at = _flow_key(body, at, owner, into)
        start = at
        char = body[at : at + 1]
        if char == b"{" or char == b"[":
            kind = FLOW_MAP if char == b"{" else FLOW_SEQ
            at = flow(body, at, owner, depth + 1, None)
        elif char == b"'" or char == b'"':
            kind, at = quoted(body, at)
        else:
            match = _FLOW_TEXT.match(body, at)
            if match is None or (match.end() == at and not is_map):
                raise YamlError("an empty item, or one that no text can begin with", at)
            kind, at = PLAIN, match.end()
        if into is not None:
            into.extend((kind | owner << 3, start, at))
        at = _flow_space(body, at)
        if body[at : at + 1] == b",":
            at = _flow_space(body, at + 1)
        elif body[at : at + 1] != close:
            raise YamlError("a comma or the closing bracket was expected", at)
    return at + 1


def _flow_key(body: bytes, at: int, owner: int, into: array[int] | None) -> int:
    """A key inside braces; answers where its value begins."""
    if body[at] in b"'\"":
        kind, end = quoted(body, at)
        if body.find(b"\n", at, end) >= 0:
            raise YamlError(_EXPECTED_KEY, at)
    else:
        match, kind = _FLOW_KEY.match(body, at), PLAIN
        end = -1 if match is None else match.end()
    if end < 0 or body[end : end + 1] != b":" or body[end - 1] == 0x20 or body[end + 1 : end + 2] not in _BEHIND_KEY:
        raise YamlError(_EXPECTED_KEY, at)
    if into is not None:
        into.extend((kind | owner << 3, at, end))
    return _flow_space(body, end + 1)


_BEHIND_KEY: Final = (b" ", b"\r", b"\n")


def _flow_space(body: bytes, at: int) -> int:
    end = _FLOW_SPACE.match(body, at).end()  # type: ignore[union-attr]
    if end >= len(body):
        raise YamlError("a bracket is never closed", at)
    return end
