"""Our values as the public contract's JSON, and the contract's two answers: success and refusal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spark.core.changes import Change
from spark.core.diagnostics import Checked, Finding
from spark.core.errors import HTTP_STATUS, SparkError, Unavailable
from spark.core.versions import HistoryPage, Version


def version_to_wire(version: Version) -> dict[str, Any]:
    return {
        "versionId": version.version_id,
        "path": version.path,
        "action": version.action,
        "sha256": version.sha256,
        "size": version.size,
        "content": version.content,
        "author": {"kind": version.author.kind, "name": version.author.name},
        "turnId": version.turn_id,
        "callId": version.call_id,
        "prompt": version.prompt,
        "git": {"head": version.git.head, "branch": version.git.branch},
        "parentId": version.parent_id,
        "createdAt": version.created_at,
    }


def change_to_wire(change: Change) -> dict[str, Any]:
    return {
        "path": change.path.text,
        "action": change.action,
        "versionId": change.version_id,
        "sha256Before": change.sha256_before,
        "sha256After": change.sha256_after,
    }


def finding_to_wire(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "fix": finding.fix,
    }


def checked_to_wire(checked: Checked) -> dict[str, Any]:
    """`complete: false` is added only where not everything that was asked for could be looked at."""
    body = {"findings": [finding_to_wire(finding) for finding in checked.findings], "checked": checked.checked}
    return body if checked.complete else {**body, "complete": False}


def history_to_wire(page: HistoryPage) -> dict[str, Any]:
    return {"versions": [version_to_wire(version) for version in page.versions], "next": page.next}


def success_body(
    result: Mapping[str, Any], changes: Iterable[Change], call_id: str | None, turn_id: str | None
) -> dict[str, Any]:
    return {
        "success": True,
        "result": dict(result),
        "changes": [change_to_wire(change) for change in changes],
        "callId": call_id,
        "turnId": turn_id,
    }


def error_body(error: SparkError) -> dict[str, Any]:
    """`{"success":false,"error":{code,message,hint,details}}`; a known waiting time goes to `details.retryAfterS`."""
    document = error.to_wire()
    if isinstance(error, Unavailable) and error.retry_after_s is not None:
        document["details"] = {"retryAfterS": error.retry_after_s, **document["details"]}
    return {"success": False, "error": document}


def status_of(error: SparkError) -> int:
    return HTTP_STATUS.get(error.code, 500)


def reply_body(reply_to: str | None, result: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a message of the session socket; `reply_to` is that message's id."""
    return {"type": "reply", "replyTo": reply_to, "success": True, "result": dict(result)}


def refused_reply_body(reply_to: str | None, error: SparkError) -> dict[str, Any]:
    return {"type": "reply", "replyTo": reply_to, **error_body(error)}
