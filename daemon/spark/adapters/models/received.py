"""What may come in from a model: text that UTF-8 can hold, short names, answers of bounded size and time. Pure.

Servers cut emoji into halves, send NULs and sometimes never stop. Nothing of that may reach the journal or the tools.
"""

from __future__ import annotations

import json
import re
from typing import Final

from spark.core.errors import Unavailable

TEXT_BYTES: Final = 1024 * 1024
"""The text of one response."""
ARGUMENTS_BYTES: Final = 4 * 1024 * 1024
"""The arguments of one call."""
CALLS: Final = 128
"""Calls, and output items in all, of one response."""
RESPONSE_S: Final = 15 * 60.0
"""The whole of one response, from asking to its end."""
NAME_CHARS: Final = 200
ID_CHARS: Final = 200
MESSAGE_CHARS: Final = 2_000
"""An error as a server words it."""

_SPARE_LEVELS: Final = 300
_SHOWN_OF_DEEP: Final = 200
_REPLACEMENT: Final = "\ufffd"
_UNFIT: Final = re.compile("[\0\ud800-\udfff]")
# Pairs and whole escapes are matched first, so that only what is left alone is replaced.
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class AnswerTooLarge(Unavailable):
    """The response passed a limit: it is cancelled, nothing of it runs, and asking again would do the same."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "model_unavailable",
            message,
            hint="The answer was stopped and none of its calls ran. Ask for less at once, or choose another model.",
            counts=False,
        )


def clean(text: str) -> str:
    """The text without what UTF-8 cannot hold: halves of a pair are joined, lone ones and NULs become U+FFFD."""
    if not _UNFIT.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", _REPLACEMENT)


def clean_arguments(text: str) -> str:
    """JSON text whose strings hold no lone surrogate either, such as an escape of one half of a pair.

    What is nested deeper than parsers go is cut off: as text that is no JSON it is refused like any other.
    """
    text = clean(text)
    if _is_too_deep(text):
        return text[:_SHOWN_OF_DEEP] + "\u2026"
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPE.sub(lambda match: "\\ufffd" if match["lone"] else match[0], text)


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= _SPARE_LEVELS:
        return False
    try:
        # Whoever reads it later may have less of the stack left.
        json.loads("[" * _SPARE_LEVELS + text + "]" * _SPARE_LEVELS)
    except RecursionError:
        return True
    except ValueError:
        return False
    return False


def clean_name(text: str) -> str:
    return clean(text[:NAME_CHARS])


class TextPieces:
    """The text of a stream, cleaned: half of a pair at the end of a piece waits for the next."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        """Takes a piece; gives the text that is whole now."""
        piece, self._half = self._half + piece, ""
        if piece and "\ud800" <= piece[-1] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        return clean(piece)

    def finish(self) -> str:
        """What waited in vain."""
        half, self._half = self._half, ""
        return clean(half)


class Allowance:
    """Counts what may still come of one kind. `what` words the refusal, as in "1 MiB of text"."""

    def __init__(self, limit: int, what: str) -> None:
        self._left = limit
        self._what = what

    def spend(self, amount: int) -> None:
        """Raises `AnswerTooLarge`."""
        self._left -= amount
        if self._left < 0:
            raise AnswerTooLarge(f"the model's answer had more than {self._what}")


def text_allowance() -> Allowance:
    return Allowance(TEXT_BYTES, f"{TEXT_BYTES:,} bytes of text")


def arguments_allowance() -> Allowance:
    return Allowance(ARGUMENTS_BYTES, f"{ARGUMENTS_BYTES:,} bytes of arguments in one call")


def calls_allowance() -> Allowance:
    return Allowance(CALLS, f"{CALLS} calls")


def too_long(limit_s: float) -> AnswerTooLarge:
    return AnswerTooLarge(f"the model's answer was not over after {limit_s:g} s")


def size_of(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
