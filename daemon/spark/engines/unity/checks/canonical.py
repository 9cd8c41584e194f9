"""Whether a text is YAML as Unity's own writer writes it: one pattern, at the speed of C.

Nearly every file is; what is not goes to `syntax`. The pattern never accepts what the judges there would not. Knows no ids.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

_ODD: Final = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xef\xbb\xbf")
_TEXT: Final = rb"[^\x00-\x1f\x7f:]*+"
"""To the end of the line or the next colon: without tabs, and without what no reader of YAML takes for text."""
_FIRST: Final = rb"(?:[^\s\x00-\x1f\x7f,\[\]{}&*!|>'\"%@`\#?:\-]|-(?=[^\s:]))"
_WORD: Final = _FIRST + _TEXT
_PLAIN: Final = _FIRST + _TEXT + rb"(?::++[^\x00-\x20\x7f:]" + _TEXT + rb")*+"
"""A plain scalar on one line: no `: ` in it. ` #` is taken as text, as old editors wrote it."""
_MORE: Final = rb"[^\s\x00-\x1f\x7f:\#'\"\-]" + _TEXT + rb"(?::++[^\x00-\x20\x7f:]" + _TEXT + rb")*+\n"
_INSIDE: Final = rb"(?:[\w.+]|-(?=[\w.]))[\w.+/-]*+"
_PAIR: Final = rb"[A-Za-z_]\w*+:\ (?:INSIDE)?+".replace(b"INSIDE", _INSIDE)
_WORDS: Final = rb"[A-Za-z_]\w*+:\ (?:INSIDE(?:\ [\w.+/-]++)*+)?+".replace(b"INSIDE", _INSIDE)
_NUMBER: Final = rb"-?+[\w.][\w.+\-]*+"
_FLOW = (
    rb"\{(?:fileID:\ (?:0|-?[1-9]\d*+)(?:\}|,\ guid:\ [0-9a-f]{32},(?:\ |\n\ ++)type:\ \d\})"
    rb"|x:\ NUMBER,\ y:\ NUMBER(?:,\ z:\ NUMBER(?:,\ w:\ NUMBER)?+)?+\}"
    rb"|r:\ NUMBER,\ g:\ NUMBER,\ b:\ NUMBER,\ a:\ NUMBER\}"
    rb"|(?!fileID)(?:(?:PAIR(?:,(?:\ |\n\ ++)PAIR)*+)?+\}|WORDS(?:,(?:\ |\n\ ++)WORDS)*+\}))"
)
for _name, _part in ((b"NUMBER", _NUMBER), (b"PAIR", _PAIR), (b"WORDS", _WORDS)):
    _FLOW = _FLOW.replace(_name, _part)
"""A reference, or pairs of a name and a word as vectors and colors are; what is not goes to the exact judge."""
_ENDS: Final = rb"\n(?!---|\.\.\.|<<<<<<<)"
_SINGLE: Final = rb"'[^\x00-\x1f\x7f']*+(?:(?:''|ENDS)[^\x00-\x1f\x7f']*+)*+'".replace(b"ENDS", _ENDS)
_ESCAPED: Final = rb"\\(?:[0abtnvfre\ \"/\\N_LP]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|ENDS)"
_DOUBLE: Final = rb"\"[^\x00-\x1f\x7f\"\\]*+(?:(?:ESCAPED|ENDS)[^\x00-\x1f\x7f\"\\]*+)*+\"".replace(
    b"ESCAPED", _ESCAPED
).replace(b"ENDS", _ENDS)
_NAME: Final = rb"[^\x00-\x20\x7f:\#]*+(?:\ [^\x00-\x20\x7f:\#]++)*+"
_SIMPLE: Final = rb"[^\s\x00-\x1f\x7f\-?'\"\[\]{},\#&*!|>%@`:][^\x00-\x20\x7f:\#]*+:"
_KEY: Final = (
    rb"(?!:\ ?\n)(?:[^\s\x00-\x1f\x7f\-?'\"\[\]{},\#&*!|>%@`:]NAME)?+:(?:[^\x00-\x20\x7f:\#]NAME:)*+"
).replace(b"NAME", _NAME)
_HEADER: Final = rb"| (?<!\ )---\ !u!\d{1,10}+\ &-?+\d{1,19}+(?:\ stripped)?+\n[A-Za-z_]\w*+:\n(?!\ {3}|\ \ -\ )"
_LEVELS: Final = 50
"""So deep is a canonical text at most: each level may be looked over once for an item that belongs to no list."""
_LINES_AT_ONCE: Final = 20_000
"""The interpreter can do nothing else while a pattern runs: so many lines take some milliseconds."""


@cache
def pattern(*, meta: bool = False) -> re.Pattern[bytes]:
    """Whole documents and lines of bodies at an even indentation, each with a look at the indentation of the next. `meta`: of
    a file that is one body without a header.

    Lines with a value that follow each other at one indentation are most of a file: they are taken in a loop of their own.
    Group 1 is the indentation. It stands before every alternative: captures inside of alternatives that are repeated
    possessively are unsound in early releases of Python 3.11.
    """
    source = (
        rb"""
    (?: (INDENT)
        (?: SIMPLE
            (?: VALUE (?!\1[\ -]) (?:\1 SIMPLE VALUE (?!\1[\ -]))*+ | \n (?!\1(?:\ [^ ]|\ {3}|\ \ -\ |INNER-\ )) )
          | -\ (?: FLOW\n (?!\1\ )
                 | SIMPLE
                   (?: VALUE (?!NEXT) (?:\1\ \ SIMPLE VALUE (?!NEXT))*+
                     | \n (?!\1(?:\ [^ ]|\ {3}[^ ]|\ {5}|\ {4}-\ |INNER2\ \ -\ )) )
                 | KEY\ (?: PLAIN\n(?:\1\ {3,}+MORE)*+ | SINGLE\n | DOUBLE\n) (?!\1(?:\ [^ ]|\ \ (?:\ |-\ )))
                 | (?: PLAIN\n(?:\1\ ++MORE)*+ | \n | SINGLE\n | DOUBLE\n) (?!\1\ ) )
          | KEY
            (?: \ (?: PLAIN\n(?:\1\ ++MORE)*+ | FLOW\n | SINGLE\n | DOUBLE\n | \n) (?!\1[\ -])
              | \n (?!\1(?:\ [^ ]|\ {3}|\ \ -\ |INNER-\ )) )
          HEADER
        )
    ){0,%d}+
    """
        % _LINES_AT_ONCE
    )
    indent = rb"(?:\ \ ){%d,%d}+" % (not meta, _LEVELS)
    source = source.replace(b"INDENT", indent if meta else indent + rb"|(?=---)")
    source = source.replace(b"HEADER", b"" if meta else _HEADER)
    # An item behind a mapping that is deeper than it: no list is open there.
    for name, deeper in ((b"INNER2", rb"\ {4}"), (b"INNER", rb"\ \ ")):
        block = rb"DEEPER[^ \n-][^\n]*+\n(?:\1DEEPER[^\n]*+\n)*+\1"
        source = source.replace(name, block.replace(b"DEEPER", deeper))
    source = source.replace(b"NEXT", rb"\1(?:\ [^ ]|\ \ (?:\ |-\ ))")
    source = source.replace(b"VALUE", rb"\ (?: START TEXT | FLOW | -(?=[^\s:])TEXT | \[\] | )\n")
    names = (
        (b"SIMPLE", _SIMPLE),
        (b"START", rb"[^\s\x00-\x1f\x7f,\[\]{}&*!|>'\"%@`\#?:\-]"),
        (b"TEXT", _TEXT),
        (b"PLAIN", _PLAIN),
        (b"MORE", _MORE),
        (b"FLOW", _FLOW),
        (b"SINGLE", _SINGLE),
    )
    for name, part in (*names, (b"DOUBLE", _DOUBLE), (b"KEY", _KEY)):
        source = source.replace(name, part)
    return re.compile(source, re.VERBOSE | re.DOTALL)


def is_canonical(content: bytes, start: int, end: int, *, meta: bool = False) -> bool:
    """Whether the documents from `start` (the first header) to `end` are as Unity writes them. May say no to good YAML. Says
    nothing of `has_odd`."""
    match = pattern(meta=meta).match
    while start < end:
        found = match(content, start, end)
        if found is None or found.end() == start:
            return False
        start = found.end()
    return True


def has_odd(content: bytes) -> bool:
    """Whether characters stand there that some readers take for line ends, or a byte order mark."""
    return not content.isascii() and any(odd in content for odd in _ODD)
