"""The conditions of `#if` and `#elif`: which symbols they name and whether they hold. Knows nothing of files or Unity."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Final

MAX_CHARS: Final = 4_000
MAX_NESTING: Final = 100
_TOKEN = re.compile(r"\s*(\|\||&&|==|!=|!|\(|\)|[^\W\d]\w*)")


class BadCondition(ValueError):
    """The text is no condition of C#."""


def holds(condition: str, symbols: Set[str]) -> bool:
    """Whether a condition is true with these symbols defined. Raises `BadCondition` for what the language refuses."""
    parser = _Parser(tokens(condition), symbols)
    value = parser.either()
    if parser.position != len(parser.tokens):
        raise BadCondition(f"{parser.tokens[parser.position]!r} is not expected here")
    return value


def tokens(condition: str) -> list[str]:
    """The condition's tokens without its comment. Raises `BadCondition`."""
    text = condition.split("//", 1)[0].rstrip()
    if len(text) > MAX_CHARS:
        raise BadCondition(f"the condition is longer than {MAX_CHARS} characters")
    found: list[str] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise BadCondition(f"{text[position:].strip()[:20]!r} is not part of a condition")
        found.append(match.group(1))
        position = match.end()
    if not found:
        raise BadCondition("the condition is empty")
    # The parser below calls itself once for each of these.
    if sum(token in ("(", "!") for token in found) > MAX_NESTING:
        raise BadCondition(f"more than {MAX_NESTING} parentheses and '!'")
    return found


class _Parser:
    def __init__(self, found: list[str], symbols: Set[str]) -> None:
        self.tokens = found
        self.position = 0
        self._symbols = symbols

    def either(self) -> bool:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> bool:
        value = self._equal()
        while self._take("&&"):
            other = self._equal()
            value = value and other
        return value

    def _equal(self) -> bool:
        value = self._one()
        while self.position < len(self.tokens) and self.tokens[self.position] in ("==", "!="):
            same = self._take("==") or not self._take("!=")
            value = (value == self._one()) is same
        return value

    def _one(self) -> bool:
        if self._take("!"):
            return not self._one()
        if self._take("("):
            value = self.either()
            if not self._take(")"):
                raise BadCondition("a ')' is missing")
            return value
        if self.position == len(self.tokens) or not (
            self.tokens[self.position][0].isalpha() or self.tokens[self.position][0] == "_"
        ):
            raise BadCondition("a symbol is missing")
        name = self.tokens[self.position]
        self.position += 1
        return name == "true" or (name != "false" and name in self._symbols)

    def _take(self, token: str) -> bool:
        if self.position < len(self.tokens) and self.tokens[self.position] == token:
            self.position += 1
            return True
        return False
