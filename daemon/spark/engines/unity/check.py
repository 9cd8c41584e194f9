"""The check of one file's bytes. Pure: bytes and a context in, findings out, so that a worker process may do it.

Never raises and never hangs, whatever the bytes are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

from spark.core.diagnostics import Finding
from spark.core.paths import ProjectPath
from spark.engines.unity.checks.facts import in_characters, is_asset, problems_of
from spark.engines.unity.csharp.check import CSharpContext, check_csharp
from spark.engines.unity.csharp.problem import Lines, Problem
from spark.engines.unity.csharp.scan import unified_newlines
from spark.engines.unity.text_assets import (
    JSON_SUFFIXES,
    LFS_POINTER,
    conflict_problems,
    decoded,
    json_problems,
    lfs_pointer,
    meta_problems,
)
from spark.engines.unity.words import words

MAX_FINDINGS: Final = 50
_RANK: Final = {"error": 0, "warning": 1, "info": 2}
_CSHARP_CODES: Final = {"text/encoding": "csharp/encoding", "text/nul": "csharp/nul"}
TEXT_SUFFIXES: Final = words(".txt .md .xml .csv .uxml .uss .shader .hlsl .cginc .compute .shadergraph .rsp")


@dataclass(frozen=True, slots=True)
class _Checked:
    text: str
    problems: list[Problem]


def check_file(path: ProjectPath, content: bytes, before: bytes | None, context: CSharpContext) -> list[Finding]:
    """At most fifty findings, errors first. With `before`, those that its bytes already have are left out."""
    if before is not None and before == content:
        return []
    checked = _checked(path, content, before, context)
    problems = checked.problems
    if not problems:
        return []
    if before is not None:
        problems = _new_problems(checked, _checked(path, before, None, context))
    lines = Lines(checked.text)
    findings = [_finding(path, problem, lines) for problem in problems]
    findings.sort(key=lambda finding: (_RANK[finding.severity], finding.line, finding.column))
    return findings[:MAX_FINDINGS]


def _checked(path: ProjectPath, content: bytes, before: bytes | None, context: CSharpContext) -> _Checked:
    suffix = path.suffix
    if is_asset(path, content):
        return _Checked(*in_characters(*problems_of(path, content)))
    if not (path.is_meta or suffix == ".cs" or suffix in JSON_SUFFIXES | TEXT_SUFFIXES):
        return _Checked("", [lfs_pointer()] if content.startswith(LFS_POINTER) else [])
    text, unreadable = decoded(content)
    if unreadable is not None:
        code = _CSHARP_CODES.get(unreadable.code, unreadable.code) if suffix == ".cs" else unreadable.code
        return _Checked("", [replace(unreadable, code=code)])
    text = unified_newlines(text)
    if path.is_meta:
        return _Checked(text, list(meta_problems(content, text, before)))
    if suffix == ".cs":
        return _Checked(text, check_csharp(path.stem, text, context))
    problems = list(conflict_problems(text))
    if suffix in JSON_SUFFIXES and not problems:
        problems = list(json_problems(path, text))
    return _Checked(text, problems)


def _new_problems(now: _Checked, before: _Checked) -> list[Problem]:
    """What `before` does not have. Problems are the same by code and message, however far their lines moved."""
    old, new = _LineTexts(before.text), _LineTexts(now.text)
    # First those whose source line is the same, so that of two problems alike the new one is reported.
    exact = Counter((problem.code, problem.message, old.of(problem)) for problem in before.problems)
    alike = Counter((problem.code, problem.message) for problem in before.problems)
    kept: list[Problem] = []
    for problem in now.problems:
        key = (problem.code, problem.message, new.of(problem))
        if exact[key] > 0:
            exact[key] -= 1
            alike[key[:2]] -= 1
        else:
            kept.append(problem)
    found: list[Problem] = []
    for problem in kept:
        short = (problem.code, problem.message)
        if alike[short] > 0:
            alike[short] -= 1
        else:
            found.append(_eased(problem, now, before))
    return found


class _LineTexts:
    """The source line of a problem, without its indentation."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = Lines(text)

    def of(self, problem: Problem) -> str:
        line, _ = self._lines.place(problem.offset)
        if line == 0:
            return ""
        start = self._lines.start(line)
        return self._text[start : start + 300].split("\n", 1)[0].strip()


def _eased(problem: Problem, now: _Checked, before: _Checked) -> Problem:
    """A warning instead of an error where the file was already beyond the grammar or the language version before."""
    if problem.code not in ("csharp/syntax", "unity/language-version") or problem.severity != "error":
        return problem
    had = sum(old.code == problem.code for old in before.problems)
    has = sum(new.code == problem.code for new in now.problems)
    eased = had > 0 and (problem.code == "unity/language-version" or has <= had)
    return replace(problem, severity="warning") if eased else problem


def _finding(path: ProjectPath, problem: Problem, lines: Lines) -> Finding:
    line, column = lines.place(problem.offset)
    return Finding(problem.code, problem.severity, path.text, line, column, problem.message, problem.fix)
