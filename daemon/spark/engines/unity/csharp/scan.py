"""One pass over a C# text: brackets, quotes, comments and directives, and a copy that a grammar can read without stumbling.

Linear in the text's length and free of recursion, so it is the check for files of any size. It knows the language's
tokens and nothing of its grammar (`syntax`) or of Unity (`rules`).
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Final

from spark.engines.unity.csharp.directives import Directives
from spark.engines.unity.csharp.problem import Problem

MAX_PROBLEMS: Final = 200
MAX_DEPTH: Final = 2_000
_CLOSES: Final = {")": "(", "]": "[", "}": "{"}
_ODD = "“”‘’`"
_TOKENS = (
    # Brackets with nothing of interest in between are most of them: one token.
    r"""(?P<pair>\([^()\[\]{}"'`/#$@\\“”‘’]*\)|\[[^()\[\]{}"'`/#$@\\“”‘’]*\])"""
    r"""|(?P<open>[(\[{])|(?P<close>[)\]}])"""
    r"""|(?P<comment>//|/\*)"""
    r"""|(?P<string>(?:\$@|@\$|@)"|\$*(?:"{3,}|"))"""
    r"""|(?P<char>')"""
    r"""|(?P<directive>^[ \t\f\v\ufeff]*\#[^\n]*)"""
    rf"""|(?P<odd>`+|[{_ODD}])"""
)
_CODE = re.compile(_TOKENS, re.MULTILINE)
_HOLE = re.compile(_TOKENS.replace(r"(?P<pair>", r"(?P<colon>:)|(?P<newline>\n)|(?P<pair>", 1), re.MULTILINE)
# Possessive: a missing quote must not make the search try every way to split the text.
_PLAIN = re.compile(r'"(?:[^"\\\n]++|\\[^\n])*+"')
_VERBATIM = re.compile(r'"(?:[^"]++|"")*+"')
_CHARACTER = re.compile(r"'(?:[^'\\\n]|\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{8}|[^\nuxU]))'")
_BAD_ESCAPE = re.compile(r"""\\(?!['"\\0abfnrtv]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})""")
_TEXT = re.compile(r'(?P<plain>[^"\\{}\n]+)|(?P<escape>\\[^\n])|(?P<double>\{\{|\}\})|(?P<end>["{}\n\\])')
_VERBATIM_TEXT = re.compile(r'(?P<plain>[^"{}]+)|(?P<double>\{\{|\}\}|"")|(?P<end>["{}])')
_FORMAT = re.compile(r'[^"{}\n\\]*')


@dataclass(slots=True)
class Scan:
    """`code` has the same length and lines as the text: without comments, directives and parts that are not compiled, and
    with `x` for the text of strings. `comments` are character spans; `symbols` those that conditions ask for."""

    code: str
    comments: list[tuple[int, int]]
    problems: list[Problem]
    symbols: frozenset[str]
    unclosed_braces: bool


@dataclass(slots=True)
class _Open:
    """An open bracket, or `H` for the hole of an interpolated string, `S` and `V` for such a string, plain or verbatim."""

    kind: str
    offset: int


def unified_newlines(text: str) -> str:
    """The same text with `\\n` as its only line end, every character still at its offset."""
    return text.replace("\r\n", " \n").replace("\r", "\n") if "\r" in text else text


def scan(text: str, symbols: Set[str], *, newest: bool = False, mask: bool = True) -> Scan:
    """Scans a text whose line ends are `\\n` (see `unified_newlines`). `newest`: C# 11 and later are understood.

    Without `mask` the copy is not made: `code` is the text itself and `comments` is empty.
    """
    scanner = _Scanner(text, symbols, newest, mask)
    scanner.run()
    return scanner.result()


@dataclass(slots=True)
class _Scanner:
    text: str
    symbols: Set[str]
    newest: bool
    mask: bool
    position: int = 0
    stack: list[_Open] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    comments: list[tuple[int, int]] = field(default_factory=list)
    spans: list[tuple[int, int, str]] = field(default_factory=list)
    unclosed_braces: bool = False
    directives: Directives = field(init=False)

    def __post_init__(self) -> None:
        self.directives = Directives(self.text, self.symbols)

    def run(self) -> None:
        text, stack = self.text, self.stack
        end = len(text)
        while self.position < end and len(self.problems) < MAX_PROBLEMS:
            top = stack[-1].kind if stack else ""
            if top in ("S", "V"):
                self._string_text(top)
                continue
            match = (_HOLE if top == "H" else _CODE).search(text, self.position)
            if match is None:
                break
            kind = match.lastgroup
            self.position = match.end()
            if kind == "pair":
                continue
            if kind == "open":
                stack.append(_Open(match.group(), match.start()))
            elif kind == "close":
                if top == _CLOSES[match.group()]:
                    stack.pop()
                else:
                    self._close(match.group(), match.start())
            else:
                self._token(str(kind), match)
            if len(stack) > MAX_DEPTH:
                fix = "Split the expression or the block."
                self._problem("csharp/bracket", f"brackets nested more than {MAX_DEPTH} deep", match.start(), fix)
                return
        self._finish()

    def result(self) -> Scan:
        problems = sorted(self.problems + self.directives.problems, key=lambda problem: problem.offset)
        return Scan(
            code=_masked(self.text, self.spans) if self.mask else self.text,
            comments=self.comments,
            problems=problems[:MAX_PROBLEMS],
            symbols=frozenset(self.directives.named),
            unclosed_braces=self.unclosed_braces,
        )

    def _token(self, kind: str, match: re.Match[str]) -> None:
        start = match.start()
        if kind == "comment":
            self._comment(start, match.group())
        elif kind == "string":
            self._string(start, match.group())
        elif kind == "char":
            self._character(start)
        elif kind == "directive":
            self.position = self.directives.read(start, match.end())
            self._cover(start, self.position, " ")
        elif kind == "colon":
            form = _FORMAT.match(self.text, self.position)
            if form is not None and form.end() > self.position:
                self._cover(self.position, form.end(), "x")
                self.position = form.end()
        elif kind == "newline":
            if not self.newest and len(self.stack) > 1 and self.stack[-2].kind == "S":
                self._cut_string()
        else:
            self._odd(start, match.group())

    def _comment(self, start: int, opening: str) -> None:
        end = self.text.find("\n" if opening == "//" else "*/", start + 2)
        if end < 0:
            if opening == "/*":
                self._problem("csharp/comment", "a comment that is never closed", start, "Close the comment with */.")
            end = len(self.text)
        elif opening == "/*":
            end += 2
        if self.mask:
            self.comments.append((start, end))
        self._cover(start, end, " ")
        self.position = end

    def _string(self, start: int, opening: str) -> None:
        quote = self.position - 1
        if opening.endswith('"""'):
            self._raw(start, opening)
        elif "$" in opening:
            self.stack.append(_Open("V" if "@" in opening else "S", start))
        elif "@" in opening:
            self._literal(_VERBATIM.match(self.text, quote), start, quote, "")
        else:
            match = _PLAIN.match(self.text, quote)
            self._literal(match, start, quote, "\n")
            if match is not None and "\\" in match.group():
                self._escapes(match.start(), match.end())

    def _literal(self, match: re.Match[str] | None, start: int, quote: int, stop: str) -> None:
        if match is not None:
            self._cover(quote + 1, match.end() - 1, "x")
            self.position = match.end()
            return
        end = self.text.find(stop, quote) if stop else -1
        self.position = end if end >= 0 else len(self.text)
        self._cover(start, self.position, " ")
        self._problem("csharp/string", "a string without its closing quote", start, 'Add the missing ".')

    def _raw(self, start: int, opening: str) -> None:
        quotes = opening.lstrip("$")
        self._newer(start, "raw string literals", 11, 'Use a verbatim string (@"…", with "" for a quote) instead.')
        end = self.text.find(quotes, self.position)
        if end < 0:
            self._problem("csharp/string", "a raw string without its closing quotes", start, f"Close it with {quotes}.")
            end = len(self.text)
        self._cover(self.position, end, "x")
        self.position = min(end + len(quotes), len(self.text))

    def _cover(self, start: int, end: int, filler: str) -> None:
        if self.mask:
            self.spans.append((start, end, filler))

    def _newer(self, offset: int, feature: str, version: int, fix: str) -> None:
        if not self.newest:
            self._problem("unity/language-version", f"{feature} are C# {version}", offset, fix)

    def _escapes(self, start: int, end: int) -> None:
        position = self.text.find("\\", start, end)
        while position >= 0:
            if _BAD_ESCAPE.match(self.text, position):
                sequence = self.text[position : position + 2]
                fix = 'Double the backslash or use a verbatim string, @"…".'
                self._problem("csharp/escape", f"{sequence} is no escape sequence of a C# string", position, fix)
            position = self.text.find("\\", position + 2, end)

    def _character(self, start: int) -> None:
        match = _CHARACTER.match(self.text, start)
        if match is not None:
            # Brackets and quotes inside would be tokens to whoever reads the masked copy.
            if match.end() - start == 3:
                self._cover(start + 1, start + 2, "x")
            self.position = match.end()
            return
        end = self.text.find("\n", start)
        end = len(self.text) if end < 0 else end
        self._cover(start, end, " ")
        self.position = end
        self._problem(
            "csharp/char", "a character literal that is not one character", start, "Write 'x', or \"…\" for text."
        )

    def _string_text(self, kind: str) -> None:
        """Inside an interpolated string, up to a hole or the closing quote."""
        pattern = _TEXT if kind == "S" else _VERBATIM_TEXT
        start = self.position
        while True:
            match = pattern.match(self.text, self.position)
            if match is None or match.lastgroup == "end":
                break
            if match.lastgroup == "escape":
                self._escapes(match.start(), match.end())
            self.position = match.end()
        if self.position > start:
            self._cover(start, self.position, "x")
        character = self.text[self.position : self.position + 1]
        if character == "{":
            self.stack.append(_Open("H", self.position))
        elif character == '"':
            self.stack.pop()
        elif character == "}":
            self._problem(
                "csharp/string", "a single '}' in an interpolated string", self.position, "Write }} for a brace."
            )
        else:
            self._cut_string()
            return
        self.position += 1

    def _cut_string(self) -> None:
        """The line ended inside an interpolated string: report it and go on behind it as code."""
        while self.stack:
            last = self.stack.pop()
            if last.kind == "S":
                fix = 'Add the missing " or }.'
                self._problem("csharp/string", "an interpolated string that its line does not close", last.offset, fix)
                return

    def _close(self, character: str, offset: int) -> None:
        """A closing bracket that does not fit the last open one."""
        wanted = _CLOSES[character]
        for index in range(len(self.stack) - 1, max(-1, len(self.stack) - 50), -1):
            kind = self.stack[index].kind
            if kind == wanted or (kind == "H" and wanted == "{"):
                for left in self.stack[index + 1 :]:
                    self._never_closed(left)
                del self.stack[index:]
                return
            if kind == "H":
                break
        fix = f"Remove it or add the missing '{wanted}'."
        self._problem("csharp/bracket", f"'{character}' without its '{wanted}'", offset, fix)

    def _never_closed(self, left: _Open) -> None:
        if left.kind in "SV":
            self._problem(
                "csharp/string", "an interpolated string that is never closed", left.offset, 'Add the missing ".'
            )
        elif left.kind == "H":
            self._problem(
                "csharp/string", "a '{' of an interpolated string is never closed", left.offset, "Add the missing }."
            )
        else:
            self.unclosed_braces |= left.kind == "{"
            closing = {"(": ")", "[": "]", "{": "}"}[left.kind]
            self._problem(
                "csharp/bracket", f"'{left.kind}' is never closed", left.offset, f"Add the missing '{closing}'."
            )

    def _odd(self, start: int, characters: str) -> None:
        line_start = self.text.rfind("\n", max(0, start - 200), start) + 1
        if len(characters) >= 3 and not self.text[line_start:start].strip():
            end = self.text.find("\n", start)
            self.position = len(self.text) if end < 0 else end
            fix = "Give the code alone, without Markdown fences."
            self._problem("csharp/fence", "a Markdown code fence inside C#", start, fix)
        else:
            fix = "Use the plain characters ' and \"."
            self._problem("csharp/character", f"{characters[0]!r} is no character of C# code", start, fix)

    def _finish(self) -> None:
        self.directives.finish()
        for left in self.stack[:MAX_PROBLEMS]:
            self._never_closed(left)

    def _problem(self, code: str, message: str, offset: int, fix: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, message, offset, fix))


def _masked(text: str, spans: list[tuple[int, int, str]]) -> str:
    pieces: list[str] = []
    last = 0
    for start, end, filler in spans:
        if start > last:
            pieces.append(text[last:start])
        part = text[max(start, last) : end]
        pieces.append("\n".join(filler * len(line) for line in part.split("\n")))
        last = max(last, end)
    pieces.append(text[last:])
    return "".join(pieces)
