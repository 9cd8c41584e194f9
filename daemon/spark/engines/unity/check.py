"""The check of one file's bytes. Pure: bytes and a context in, findings out, so that a worker process may do it.

Never raises and never hangs, whatever the bytes are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from spark.core.diagnostics import Finding
from spark.core.paths import ProjectPath
from spark.engines.unity.checks.before import FIRST_ONLY, HIDING, neutralised
from spark.engines.unity.checks.facts import in_characters, is_asset, problems_of
from spark.engines.unity.checks.metas import importer_problem
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
        problems = _new_problems(checked, list(_before(path, before, content, context)))
    lines = Lines(checked.text)
    findings = [_finding(path, problem, lines) for problem in problems]
    findings.sort(key=lambda finding: (_RANK[finding.severity], finding.line, finding.column))
    return findings[:MAX_FINDINGS]


def _before(path: ProjectPath, before: bytes, now: bytes, context: CSharpContext) -> Iterator[_Checked]:
    """The old bytes; and those behind a fault that hid others."""
    checked = _checked(path, before, None, context)
    yield checked
    if any(problem.code in HIDING for problem in checked.problems):
        for content in neutralised(before, now):
            yield _checked(path, content, None, context, in_spite=True)


def _checked(
    path: ProjectPath, content: bytes, before: bytes | None, context: CSharpContext, *, in_spite: bool = False
) -> _Checked:
    suffix = path.suffix
    if is_asset(path, content):
        return _Checked(*in_characters(*problems_of(path, content, in_spite=in_spite)))
    if not (path.is_meta or suffix == ".cs" or suffix in JSON_SUFFIXES | TEXT_SUFFIXES):
        return _Checked("", [lfs_pointer()] if content.startswith(LFS_POINTER) else [])
    text, unreadable = decoded(content)
    if unreadable is not None:
        code = _CSHARP_CODES.get(unreadable.code, unreadable.code) if suffix == ".cs" else unreadable.code
        return _Checked("", [replace(unreadable, code=code)])
    text = unified_newlines(text)
    if path.is_meta:
        return _Checked(text, [*meta_problems(content, text, before), *importer_problem(path, content, text)])
    if suffix == ".cs":
        return _Checked(text, check_csharp(path.stem, text, context))
    problems = list(conflict_problems(text))
    if suffix in JSON_SUFFIXES and not problems:
        problems = list(json_problems(path, text))
    return _Checked(text, problems)


def _new_problems(now: _Checked, before: Sequence[_Checked]) -> list[Problem]:
    """What none of `before` has. Problems are the same by code and message, however far their lines moved."""
    new = _LineTexts(now.text)
    # First those whose source line is the same, so that of two problems alike the new one is reported.
    exact: Counter[tuple[str, str, str]] = Counter()
    alike: Counter[tuple[str, str]] = Counter()
    for version in before:
        old = _LineTexts(version.text)
        exact |= Counter((problem.code, problem.message, old.of(problem)) for problem in version.problems)
        alike |= Counter((problem.code, problem.message) for problem in version.problems)
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
        elif problem.severity == "error" and any(_was_hidden(problem, now, version) for version in before):
            found.append(replace(problem, severity="warning"))
        else:
            found.append(_eased(problem, now, before[0]))
    return found


def _was_hidden(problem: Problem, now: _Checked, before: _Checked) -> bool:
    """Whether it stands in a line that was there, in a text of which only the first fault was told."""
    if problem.code not in FIRST_ONLY or problem.offset < 0:
        return False
    old = _object_like(before.text, now.text, problem.offset)
    if old is None:
        return False
    start, end = old
    family = problem.code.partition("/")[0]
    hiding = any(
        start <= one.offset < end and one.severity == "error" and one.code.startswith(family) for one in before.problems
    )
    line = now.text[now.text.rfind("\n", 0, problem.offset) + 1 :][:2_000].partition("\n")[0]
    return hiding and line.strip() != "" and f"\n{line}\n" in f"\n{before.text[start:end]}\n"


def _object_like(old: str, new: str, offset: int) -> tuple[int, int] | None:
    """Where an old text has the object that a new one has at an offset; the whole text where it holds no objects."""
    header = new.rfind("\n--- ", 0, offset + 1)
    if header < 0:
        return 0, len(old) + 1
    line = new[header : new.index("\n", header + 1) + 1] if "\n" in new[header + 1 :] else new[header:]
    start = old.find(line)
    if start < 0:
        return None
    end = old.find("\n--- ", start + len(line) - 1)
    return start, end if end >= 0 else len(old) + 1


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
