"""The preprocessor: which parts of a text are compiled. Owns the stack of open `#if` and `#region` and the symbols."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Final

from spark.engines.unity.csharp.conditions import BadCondition, holds, tokens
from spark.engines.unity.csharp.problem import Problem
from spark.engines.unity.words import words

MAX_OPEN: Final = 1_000
_PARTS = re.compile(r"\s*#[ \t]*([^\W\d]\w*)?(.*)", re.DOTALL)
_BRANCH = re.compile(r"^[ \t\f\v]*#[ \t]*(if|elif|else|endif)\b([^\n]*)", re.MULTILINE)
_KNOWN: Final = words("if elif else endif define undef region endregion pragma nullable line error warning")


class Directives:
    """Reads one directive line after the other and says where the compiled text goes on."""

    def __init__(self, text: str, symbols: Set[str]) -> None:
        self._text = text
        self._symbols = set(symbols)
        self._open: list[tuple[str, int]] = []
        self.problems: list[Problem] = []
        self.named: set[str] = set()
        """Every symbol that a condition of the compiled text asks for."""

    def read(self, start: int, end: int) -> int:
        """Takes the directive line `[start, end)` of compiled text; answers where compiled text begins again."""
        match = _PARTS.match(self._text, start, end)
        name, rest = (match.group(1) or "", match.group(2)) if match else ("", "")
        if name not in _KNOWN:
            self._problem(start, f"#{name} is no preprocessor directive", "Remove the line or the '#'.")
        elif name == "if":
            if len(self._open) >= MAX_OPEN:
                self._problem(start, f"more than {MAX_OPEN} open #if and #region", "Close some of them.")
                return len(self._text)
            self._open.append(("if", start))
            return end if self._holds(start, rest) else self._skip(end)
        elif name in ("elif", "else"):
            # A branch before this one was compiled, so none of the rest is.
            if self._top() == "if":
                return self._skip_all(end)
            self._problem(start, f"#{name} without #if", f"Remove the #{name} or add the missing #if.")
        elif name == "endif":
            self._close("if", start)
        elif name == "region":
            if len(self._open) < MAX_OPEN:
                self._open.append(("region", start))
        elif name == "endregion":
            self._close("region", start)
        elif name in ("define", "undef"):
            self._define(name, rest)
        return end

    def finish(self) -> None:
        for kind, start in self._open:
            self._problem(start, f"#{kind} is never closed", f"Add its #end{kind}.")

    def _top(self) -> str:
        return self._open[-1][0] if self._open else ""

    def _close(self, kind: str, start: int) -> None:
        if self._top() == kind:
            self._open.pop()
        else:
            self._problem(start, f"#end{kind} without #{kind}", f"Remove the #end{kind} or add the missing #{kind}.")

    def _define(self, name: str, rest: str) -> None:
        symbol = rest.split("//", 1)[0].strip()
        if name == "define":
            self._symbols.add(symbol)
        else:
            self._symbols.discard(symbol)

    def _holds(self, start: int, condition: str) -> bool:
        try:
            self.named.update(tokens(condition))
            return holds(condition, self._symbols)
        except BadCondition as error:
            self._problem(start, f"a condition that C# cannot read: {error}", "Write symbols with !, &&, || and ().")
            return False

    def _skip(self, position: int) -> int:
        """From the end of a branch that is not compiled to the end of the directive line where compiled text begins again."""
        depth = 0
        for match in _BRANCH.finditer(self._text, position):
            name = match.group(1)
            if name == "if":
                depth += 1
            elif name == "endif":
                if depth == 0:
                    self._close("if", match.start())
                    return match.end()
                depth -= 1
            elif depth == 0 and (name == "else" or self._holds(match.start(), match.group(2))):
                return match.end()
        return len(self._text)

    def _skip_all(self, position: int) -> int:
        depth = 0
        for match in _BRANCH.finditer(self._text, position):
            if match.group(1) == "if":
                depth += 1
            elif match.group(1) == "endif":
                if depth == 0:
                    self._close("if", match.start())
                    return match.end()
                depth -= 1
        return len(self._text)

    def _problem(self, start: int, message: str, fix: str) -> None:
        if len(self.problems) < MAX_OPEN:
            self.problems.append(Problem("csharp/directive", message, start, fix))
