"""Findings: what is wrong with a file, where, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `line` and `column` count from 1; 0 means the whole file. `fix` says what mends it."""

    code: str
    severity: Severity
    path: str
    line: int
    column: int
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of files or of a project says: findings by place, how many files were looked at, and whether those were
    all that were asked for."""

    findings: tuple[Finding, ...]
    checked: int
    complete: bool = True
