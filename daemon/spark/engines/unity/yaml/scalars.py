"""Texts in Unity's YAML: which style a text needs, its escapes, and back from the bytes to the text.

libyaml's analysis of a scalar without Unicode, as Unity uses it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from spark.engines.unity.yaml.errors import YamlError

if TYPE_CHECKING:
    from spark.engines.unity.yaml.mode import Quoting

Style = Literal["plain", "single", "double"]
_SIMPLE: Final = re.compile(
    r"(?:[A-Za-z0-9_/+()$~^=;<\\]|\.(?!\.\.)|-(?=[A-Za-z0-9_.]))[A-Za-z0-9_./+()$~^=;<>\\-]*+\Z"
)
_NEEDS_DOUBLE: Final = re.compile(r"[^\x20-\x7e\n]| \n|\n ")
_FLOW_INDICATOR: Final = re.compile(r"[,?:\[\]{}]")
_INDICATORS: Final = "#,[]{}&*!|>'\"%@`"
_ESCAPED: Final = {
    "\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e",
    '"': '"', "\\": "\\", "\x85": "N", "\xa0": "_", "\u2028": "L", "\u2029": "P",
}  # fmt: skip
_UNESCAPED: Final = {short: char for char, short in _ESCAPED.items()} | {" ": " ", "/": "/", "\t": "\t"}
_ESCAPE: Final = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_SURROGATES: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def is_simple(text: str) -> bool:
    """Whether a text is plain in every mode and at every place, and never folded."""
    return _SIMPLE.match(text) is not None


def style_for(text: str, *, quoting: Quoting = "current", flow: bool = False) -> Style:
    """The style that Unity's writer gives a text, from the text and the file's quoting alone; `flow`: inside braces."""
    if _SIMPLE.match(text):
        return "plain"
    if not text:
        return "single" if quoting == "empty" and not flow else "plain"
    if _NEEDS_DOUBLE.search(text):
        return "double"
    first = text[0]
    if (
        "\n" in text
        or first == " "
        or first in _INDICATORS
        or (first in "?:-" and (len(text) == 1 or text[1] == " "))
        or ": " in text
        or text[-1] == ":"
        or (quoting != "loose" and (" #" in text or text[-1] == " " or text.startswith(("---", "..."))))
        or (quoting == "brackets" and text[-1] == "]")
        or (flow and _FLOW_INDICATOR.search(text) is not None)
    ):
        return "single"
    return "plain"


def can_carry(style: Style, text: str) -> bool:
    """Whether a text reads back the same when it is written in a style that Unity would not have chosen for it."""
    if style == "plain":
        return style_for(text) == "plain"
    return style == "double" or not _NEEDS_DOUBLE.search(text)


def escaped(char: str) -> str:
    """One character between double quotes."""
    short = _ESCAPED.get(char)
    if short is not None:
        return "\\" + short
    code = ord(char)
    if 0x20 <= code < 0x7F:
        return char
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def decoded(raw: bytes, offset: int = 0) -> str:
    """The text of a scalar as it stands in a file, quotes, folds and escapes undone. Raises `YamlError`."""
    text = raw.decode("utf-8", "surrogateescape")
    if "\n" in text:
        text = text.replace("\r\n", "\n")
    if text.startswith('"'):
        return _double(text, offset)
    if text.startswith("'"):
        body = text[1:-1]
        return (_unfolded(body) if "\n" in body else body).replace("''", "'")
    return _unfolded(text) if "\n" in text else text


def _unfolded(text: str) -> str:
    """Line folding undone: one line end is a space, n+1 of them are n line ends. Spaces before a line end are kept, as
    Unity writes them."""
    lines = text.split("\n")
    out = [lines[0]]
    empty = 0
    for number, line in enumerate(lines[1:], 1):
        bare = line.lstrip(" ")
        if not bare and number < len(lines) - 1:
            empty += 1
            continue
        out.append("\n" * empty if empty else " ")
        out.append(bare)
        empty = 0
    return "".join(out)


def _double(text: str, offset: int) -> str:
    body = text[1:-1]
    if "\n" in body:
        lines = body.split("\n")
        out = lines[0]
        empty = 0
        for number, line in enumerate(lines[1:], 1):
            bare = line.lstrip(" ")
            if not bare and number < len(lines) - 1:
                empty += 1
                continue
            if empty:
                out += "\\n" * empty
                empty = 0
            elif (len(out) - len(out.rstrip("\\"))) % 2:
                # An escaped line end joins the lines without a space.
                out = out[:-1]
            else:
                out += " "
            out += bare
        body = out
    if "\\" not in body:
        return body

    def unescape(match: re.Match[str]) -> str:
        code = match.group(1)
        if len(code) == 1:
            if code not in _UNESCAPED:
                raise YamlError(f"\\{code} is no escape of a text in double quotes", offset)
            return _UNESCAPED[code]
        number = int(code[1:], 16)
        if number > 0x10FFFF:
            raise YamlError(f"\\{code} is no character", offset)
        return chr(number)

    # Old writers gave characters beyond 0xFFFF as two escapes.
    return _SURROGATES.sub(
        lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), _ESCAPE.sub(unescape, body)
    )
