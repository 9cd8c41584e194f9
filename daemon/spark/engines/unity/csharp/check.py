"""The check of one C# text: scan, elisions, grammar, language version and Unity's rules, in that order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from spark.engines.unity.csharp.elision import elisions
from spark.engines.unity.csharp.language import language_problems
from spark.engines.unity.csharp.problem import Lines, Problem
from spark.engines.unity.csharp.rules import class_name_problems, editor_code_problems
from spark.engines.unity.csharp.scan import Scan, scan
from spark.engines.unity.csharp.syntax import MAX_CHARS, Parsed, parse

_UNSAFE = re.compile(r"\bunsafe\b")
# Constructs that the grammar is known not to read though C# does.
_GAPS = re.compile(
    r"\(\s*(?:in|ref|out)\s+[\w.<>\[\]]+\s+\w+[^()]*\)\s*=>"  # lambdas with in, ref, out
    r"|[\w>]\([^()]*\)\s*=\s*[^=>;,)\s]"  # assignment to what a ref-returning method returns
    r"|\b(?:async|required|field|file|scoped|record|when|managed)\b\s*[;=,.)\]]"  # contextual words used as names
    r"|\bdelegate\s*\*"
)
_BRACE = re.compile(r"[{}]")
_CONFLICT = re.compile(r"^(<{7} |>{7} |\|{7} )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CSharpContext:
    """What a script is compiled with. `version`: of C#, 9 or 7.3. `unity`: how messages name the Editor."""

    symbols: frozenset[str]
    player_symbols: frozenset[str]
    version: float = 9
    unity: str = "Unity"
    editor_only: bool = False


def check_csharp(stem: str, text: str, context: CSharpContext) -> list[Problem]:
    """Problems of a script, unsorted. `text` has `\\n` as its only line end; `stem` is the file's name without `.cs`."""
    large = len(text) > MAX_CHARS
    problems = [
        Problem(
            "csharp/merge-conflict",
            "a merge conflict was left in the file",
            match.start(),
            "Keep one side, remove the marks.",
        )
        for match in _CONFLICT.finditer(text)
    ][:20]
    newest = context.version >= 11
    first = scan(text, context.symbols, newest=newest, mask=not large)
    if large:
        return problems + first.problems
    problems += _with_likely_brace(first) if first.unclosed_braces else first.problems
    problems += elisions(text, first.comments)
    second = _player(text, first, context, newest)
    if not has_errors(problems):
        problems += _grammar(stem, text, first, context)
    if second is not None:
        problems += _only_new(problems, second.problems)
        if not has_errors(second.problems):
            parsed = parse(second.code, text)
            problems += _only_new(problems, _eased(parsed, second.code) if parsed else [])
    if not context.editor_only:
        problems += editor_code_problems((second or first).code)
    return problems


def has_errors(problems: list[Problem]) -> bool:
    return any(problem.severity == "error" and problem.code.startswith("csharp/") for problem in problems)


def _with_likely_brace(scanned: Scan) -> list[Problem]:
    """The scan's problems, where an open brace also tells which block its indentation points to."""
    offset = _misindented(scanned.code)
    if offset is None:
        return scanned.problems
    line, _ = Lines(scanned.code).place(offset)
    hint = f" Going by the indentation, it is the block that begins in line {line}."
    return [
        replace(problem, fix=problem.fix + hint) if problem.message.startswith("'{' is never") else problem
        for problem in scanned.problems
    ]


def _misindented(code: str) -> int | None:
    """Offset of the first brace whose closing brace stands at another indentation than the line that opened it."""
    opened: list[tuple[int, int]] = []
    position = 0
    for line in code.split("\n"):
        stripped = line.lstrip()
        indent = len(line) - len(stripped)
        for match in _BRACE.finditer(line):
            if match.group() == "{":
                opened.append((position + match.start(), indent))
            elif opened:
                offset, wanted = opened.pop()
                if match.start() == indent and wanted != indent:
                    return offset
        position += len(line) + 1
    return None


def _player(text: str, first: Scan, context: CSharpContext, newest: bool) -> Scan | None:
    """The text as the player compiles it, where that differs from what the Editor compiles."""
    if not first.symbols & (context.symbols ^ context.player_symbols):
        return None
    second = scan(text, context.player_symbols, newest=newest)
    return second if second.code != first.code else None


def _grammar(stem: str, text: str, scanned: Scan, context: CSharpContext) -> Iterator[Problem]:
    parsed = parse(scanned.code, text)
    if parsed is None:
        return
    yield from _eased(parsed, scanned.code)
    if not parsed.problems:
        yield from language_problems(parsed, context.version, context.unity)
        yield from class_name_problems(parsed, stem)


def _eased(parsed: Parsed, code: str) -> Iterator[Problem]:
    """The grammar's problems, as warnings where it is the grammar that may be wrong."""
    if not parsed.problems:
        return
    unsafe = _UNSAFE.search(code) is not None
    lines = Lines(code)
    for problem in parsed.problems:
        line = lines.place(problem.offset)[0]
        end = lines.start(line + 1) if line < len(lines) else len(code)
        doubtful = unsafe or _GAPS.search(code, lines.start(line), end) is not None
        yield replace(problem, severity="warning") if doubtful else problem


def _only_new(known: list[Problem], found: Iterator[Problem] | list[Problem]) -> list[Problem]:
    """A problem of both configurations is reported once."""
    seen = {(problem.code, problem.offset) for problem in known}
    return [problem for problem in found if (problem.code, problem.offset) not in seen]
