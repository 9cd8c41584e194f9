"""Findings that are known and accepted: a file that `spark check` wrote earlier, as JSON or as SARIF."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from spark.core.diagnostics import Finding
from spark.core.errors import FatalError

_LIMIT_BYTES: Final = 256 * 1024 * 1024
Key = tuple[str, str, str]
"""Code, path, message: what stays when lines move."""


def read_baseline(path: Path) -> Counter[Key]:
    """How often each finding is accepted. Raises `FatalError` (2) where the file is none that `spark check` wrote."""
    hint = "Make one with: spark check --json > FILE"
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT_BYTES)
    except OSError as error:
        raise FatalError(2, f"--baseline: {path} cannot be read: {error.strerror}", hint=hint) from error
    try:
        document = json.loads(content.decode("utf-8-sig"))
        found = Counter(_keys(document))
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise FatalError(2, f"--baseline: {path} is not what `spark check` writes", hint=hint) from error
    return found


def _keys(document: Any) -> Iterator[Key]:
    if "runs" in document:
        for run in document["runs"]:
            for result in run["results"]:
                own = result["properties"]
                yield _key(result["ruleId"], own["path"], own["message"])
    else:
        for finding in document["findings"]:
            yield _key(finding["code"], finding["path"], finding["message"])


def _key(*parts: Any) -> Key:
    code, path, message = parts
    if not (isinstance(code, str) and isinstance(path, str) and isinstance(message, str)):
        raise TypeError
    return code, path, message


def not_accepted(findings: Sequence[Finding], baseline: Counter[Key]) -> list[Finding]:
    """The findings that the baseline does not have; of several that are alike, as many as are new."""
    left = Counter(baseline)
    kept: list[Finding] = []
    for finding in findings:
        key = (finding.code, finding.path, finding.message)
        if left[key] > 0:
            left[key] -= 1
        else:
            kept.append(finding)
    return kept
