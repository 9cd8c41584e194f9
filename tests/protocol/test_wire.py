"""Our values in exactly the contract's shape."""

from __future__ import annotations

from spark.core.changes import Change
from spark.core.diagnostics import Finding
from spark.core.errors import HTTP_STATUS, SparkError, ToolRejected, Unavailable
from spark.core.paths import ProjectPath
from spark.core.versions import Author, GitPlace, HistoryPage, Version
from spark.protocol.wire import (
    error_body,
    finding_to_wire,
    history_to_wire,
    refused_reply_body,
    reply_body,
    status_of,
    success_body,
    version_to_wire,
)

VERSION = Version(
    version_id="ver_1",
    path="Assets/A.cs",
    action="modified",
    sha256="ab",
    size=2,
    content="notKept",
    author=Author("model", "gpt"),
    turn_id="turn_1",
    call_id="call_1",
    prompt="make it",
    git=GitPlace("abc", "main"),
    parent_id=None,
    created_at="2026-01-31T12:00:00.000Z",
)


def test_a_version_and_a_page() -> None:
    """All fields, in camelCase, null where there is nothing."""
    assert version_to_wire(VERSION) == {
        "versionId": "ver_1",
        "path": "Assets/A.cs",
        "action": "modified",
        "sha256": "ab",
        "size": 2,
        "content": "notKept",
        "author": {"kind": "model", "name": "gpt"},
        "turnId": "turn_1",
        "callId": "call_1",
        "prompt": "make it",
        "git": {"head": "abc", "branch": "main"},
        "parentId": None,
        "createdAt": "2026-01-31T12:00:00.000Z",
    }
    assert history_to_wire(HistoryPage((VERSION,), "ver_1")) == {
        "versions": [version_to_wire(VERSION)],
        "next": "ver_1",
    }


def test_a_finding() -> None:
    """Severity, place and what mends it."""
    finding = Finding("CS1002", "error", "Assets/A.cs", 3, 5, "; expected", "add ;")
    assert finding_to_wire(finding) == {
        "code": "CS1002",
        "severity": "error",
        "path": "Assets/A.cs",
        "line": 3,
        "column": 5,
        "message": "; expected",
        "fix": "add ;",
    }


def test_success_and_refusal() -> None:
    """The two answers of every call."""
    change = Change(ProjectPath("Assets/A.cs"), "created", "ver_1", None, "ab")
    assert success_body({"path": "Assets/A.cs"}, [change], "call_1", "turn_1") == {
        "success": True,
        "result": {"path": "Assets/A.cs"},
        "changes": [
            {
                "path": "Assets/A.cs",
                "action": "created",
                "versionId": "ver_1",
                "sha256Before": None,
                "sha256After": "ab",
            }
        ],
        "callId": "call_1",
        "turnId": "turn_1",
    }
    refusal = ToolRejected("not_found", "no", hint="look", details={"a": 1})
    error = {"code": "not_found", "message": "no", "hint": "look", "details": {"a": 1}}
    assert error_body(refusal) == {"success": False, "error": error}
    assert reply_body("m", {"turnId": "t"}) == {
        "type": "reply",
        "replyTo": "m",
        "success": True,
        "result": {"turnId": "t"},
    }
    assert refused_reply_body(None, refusal) == {"type": "reply", "replyTo": None, "success": False, "error": error}


def test_a_waiting_time_is_told() -> None:
    """Where the world named one it is in the details, unless they have their own."""
    assert error_body(Unavailable("rate_limited", "no", retry_after_s=2.5))["error"]["details"] == {"retryAfterS": 2.5}
    own = Unavailable("rate_limited", "no", retry_after_s=2.5, details={"retryAfterS": 9})
    assert error_body(own)["error"]["details"] == {"retryAfterS": 9}


def test_statuses() -> None:
    """Every code of the contract has its status; an unknown one is our own bug."""
    assert {code: status_of(SparkError(code, "")) for code in HTTP_STATUS} == dict(HTTP_STATUS)
    assert status_of(SparkError("made_up", "")) == 500
