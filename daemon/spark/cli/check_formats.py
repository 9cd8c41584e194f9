"""Findings as people, GitHub and SARIF readers want them. Pure: values in, text and documents out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from spark import __version__
from spark.cli.output import printable
from spark.core.diagnostics import Finding

Shown = Callable[[str], str]
"""A path of the project as the reader of a format needs it."""
_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_COMMANDS: Final = {"error": "error", "warning": "warning", "info": "notice"}
_RANK: Final = {"error": 0, "warning": 1, "info": 2}
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def text_lines(findings: Sequence[Finding], checked: int, shown: Shown) -> Iterator[str]:
    """One line a finding, its fix below; a summary at the end."""
    for finding in findings:
        place = shown(finding.path)
        if finding.line:
            place += f":{finding.line}:{finding.column or 1}"
        yield printable(f"{place}: {finding.severity}: {finding.message} [{finding.code}]".replace("\n", " "))
        if finding.fix:
            yield printable(f"    {finding.fix}")
    yield summary(findings, checked)


def summary(findings: Sequence[Finding], checked: int) -> str:
    count = Counter(finding.severity for finding in findings)
    parts = [_counted(count["error"], "error"), _counted(count["warning"], "warning")]
    if count["info"]:
        parts.append(f"{count['info']} for information")
    return f"{_counted(checked, 'file')} checked: " + ", ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# --- GitHub ------------------------------------------------------------------------------------------------------------


def github_lines(findings: Sequence[Finding], shown: Shown) -> Iterator[str]:
    """Workflow commands, errors first: GitHub shows only the first ten of a kind in a step."""
    for finding in sorted(findings, key=lambda finding: _RANK[finding.severity]):
        properties = [f"file={_property(shown(finding.path))}"]
        if finding.line:
            properties += [f"line={finding.line}", f"col={finding.column or 1}"]
        properties.append(f"title={_property(finding.code)}")
        message = finding.message + (f"\n{finding.fix}" if finding.fix else "")
        yield printable(f"::{_COMMANDS[finding.severity]} {','.join(properties)}::{_data(message)}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# --- SARIF -------------------------------------------------------------------------------------------------------------


def sarif(findings: Sequence[Finding], shown: Shown, rules: Mapping[str, str]) -> dict[str, Any]:
    """A SARIF 2.1.0 log of one run. `rules`: all codes with what they mean."""
    codes = sorted({*rules, *(finding.code for finding in findings)})
    seen: Counter[str] = Counter()
    driver = {
        "name": "spark check",
        "semanticVersion": _semantic(__version__),
        "rules": [{"id": code, "shortDescription": {"text": rules.get(code, code)}} for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The folder of the repository."}}},
        "invocations": [{"executionSuccessful": True}],
        "results": [_result(finding, shown, codes.index(finding.code), seen) for finding in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _semantic(version: str) -> str:
    parts = version.split(".")
    return version if len(parts) >= 3 else ".".join([*parts, "0", "0"][:3])


def _result(finding: Finding, shown: Shown, rule: int, seen: Counter[str]) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(shown(finding.path)), "uriBaseId": "SRCROOT"}}
    if finding.line:
        location["region"] = {"startLine": finding.line, "startColumn": max(1, finding.column)}
    text = finding.message + (f" {finding.fix}" if finding.fix else "")
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"sparkFinding/v1": _fingerprint(finding, seen)},
        "properties": {"message": finding.message, "path": finding.path},
    }


def _fingerprint(finding: Finding, seen: Counter[str]) -> str:
    """The same wherever in the file it stands; of several that are alike, each its own."""
    key = "\0".join((finding.code, finding.path, finding.message))
    seen[key] += 1
    return hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
