"""`ask`: what is sent, what is streamed, approvals at a terminal, and what the end of a turn becomes."""

from __future__ import annotations

import pytest

from spark.cli import exits
from tests.cli.conftest import Spark
from tests.fakes.http_daemon import STARTED, FakeDaemon, change, finished, refused

APPROVAL = {
    "type": "approvalRequested",
    "approvalId": "approval_1",
    "callId": "call_1",
    "reason": "mode",
    "changes": [
        {"path": "Assets/A.cs", "action": "created"},
        {"path": "Assets/A.cs.meta", "action": "created"},
        {"path": "Assets/B.cs", "action": "modified"},
    ],
    "diff": "--- /dev/null\n+++ b/Assets/A.cs\n+class A {}\n",
}


def test_a_turn_for_people(spark: Spark, daemon: FakeDaemon) -> None:
    """Text goes to stdout as it comes; model, host, key, progress, undo line and cost go to stderr."""
    daemon.events = [
        STARTED,
        {"type": "textDelta", "text": "I write "},
        {"type": "textDelta", "text": "it."},
        {"type": "callStarted", "callId": "call_1", "name": "generateUnityScript"},
        {"type": "callFinished", "callId": "call_1", "name": "generateUnityScript", "success": True, "changed": 2},
        {"type": "textDelta", "text": "Done."},
        finished(changes=[change("Assets/A.cs"), change("Assets/A.cs.meta")]),
    ]
    result = spark("ask", "make A", "--mode", "auto")
    assert result.status == exits.DONE
    assert result.text == "I write it.\nDone.\n"
    for part in (
        "model fake-1 at this machine, key: none needed, reasoning: deterministic",
        "generateUnityScript ...",
        "2 files written",
        "created Assets/A.cs",
        "undo: spark undo turn_1",
        "120 tokens in (20 cached), 30 out, $0.0123, fake-1",
    ):
        assert part in result.stderr, part
    assert result.stderr.count("tokens in") == 1


def test_what_is_sent(spark: Spark, daemon: FakeDaemon) -> None:
    """Flags become the fields of the contract; an attachment's path is relative to the project."""
    flags = ("--mode", "readOnly", "--reasoning", "creative", "--new")
    spark("ask", "hello", *flags, "-a", "ProjectSettings/ProjectVersion.txt", "@errors")
    assert daemon.bodies("POST", "/v1/turns") == [
        {
            "text": "hello",
            "mode": "readOnly",
            "reasoning": "creative",
            "conversation": "new",
            "attachments": ["ProjectSettings/ProjectVersion.txt", "@errors"],
        }
    ]


def test_json_is_one_event_a_line(spark: Spark, daemon: FakeDaemon) -> None:
    """`--json` prints every event on one line, numbered without gaps, and nothing else on stdout."""
    daemon.events = [STARTED, {"type": "textDelta", "text": "zwei\nZeilen äöü \u2028"}, finished()]
    result = spark("ask", "x", "--mode", "auto", "--json")
    assert [record["type"] for record in result.records] == ["turnStarted", "textDelta", "turnFinished"]
    assert [record["seq"] for record in result.records] == [1, 2, 3]
    assert result.records[1]["text"] == "zwei\nZeilen äöü \u2028"


def test_without_a_terminal_a_mode_is_wanted(spark: Spark, daemon: FakeDaemon) -> None:
    """Without a terminal and without `--mode` nothing is sent: nobody could approve."""
    result = spark("ask", "x", "--json")
    assert result.status == exits.REFUSED
    assert result.document["error"]["code"] == "approval_required"
    assert daemon.requests == []


@pytest.mark.parametrize(
    ("answers", "decision"),
    [
        ("y\ny\n", {"decision": "accept"}),
        ("a\n", {"decision": "accept"}),
        ("y\nn\n", {"decision": "accept", "paths": ["Assets/A.cs", "Assets/A.cs.meta"]}),
        ("n\ny\n", {"decision": "accept", "paths": ["Assets/B.cs"]}),
        ("what?\nn\nn\n", {"decision": "reject"}),
        ("", {"decision": "reject"}),
    ],
)
def test_approvals_per_file(spark: Spark, daemon: FakeDaemon, answers: str, decision: dict[str, object]) -> None:
    """The diff is shown, each file is asked for (an asset with its meta once), and no answer means no."""
    daemon.events = [STARTED, APPROVAL, finished()]
    result = spark("ask", "x", stdin=answers, terminal=True)
    assert result.status == exits.DONE
    assert daemon.bodies("POST", "/v1/turns")[0]["mode"] == "ask"
    assert daemon.bodies("POST", "/v1/approvals/approval_1") == [decision]
    assert "+class A {}" in result.stderr
    assert "Create Assets/A.cs and its .meta?" in result.stderr


def test_a_decision_that_came_too_late(spark: Spark, daemon: FakeDaemon) -> None:
    """Where another client decided first, that is said and the turn goes on."""
    daemon.events = [STARTED, APPROVAL, finished()]
    daemon.answers["POST /v1/approvals/approval_1"] = (404, refused("not_found", "no such approval is open"))
    daemon.decided.set()
    result = spark("ask", "x", stdin="a\n", terminal=True)
    assert result.status == exits.DONE
    assert "no such approval is open" in result.stderr


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (finished("done"), exits.DONE),
        (finished("cancelled"), exits.REFUSED),
        (finished("compileErrors"), exits.REFUSED),
        (finished("failed", error={"code": "model_unavailable", "message": "away", "hint": "wait"}), exits.UNAVAILABLE),
        (finished("failed", error={"code": "conflict", "message": "changed"}), exits.CONFLICT),
        (finished("failed", error={"code": "internal", "message": "bug"}), exits.OUR_BUG),
    ],
)
def test_how_a_turn_ends(spark: Spark, daemon: FakeDaemon, end: dict[str, object], status: int) -> None:
    """The end of a turn becomes an exit status; its error is shown with its hint."""
    daemon.events = [STARTED, end]
    result = spark("ask", "x", "--mode", "auto")
    assert result.status == status
    error = end.get("error")
    if isinstance(error, dict):
        assert error["message"] in result.stderr
        assert error.get("hint", "") in result.stderr


def test_a_stream_that_breaks_off(spark: Spark, daemon: FakeDaemon) -> None:
    """A daemon that goes away in the middle is status 5 and says that what landed stays."""
    daemon.events = [STARTED]
    result = spark("ask", "x", "--mode", "auto")
    assert result.status == exits.UNAVAILABLE
    assert "spark history" in result.stderr


def test_a_refused_prompt(spark: Spark, daemon: FakeDaemon) -> None:
    """A prompt that the daemon refuses is a refusal with its code, not a stream."""
    daemon.answers["POST /v1/turns"] = (400, refused("invalid_arguments", "text: too long"))
    result = spark("ask", "x", "--mode", "auto", "--json")
    assert result.status == exits.REFUSED
    assert result.document["error"]["message"] == "text: too long"


def test_no_start(spark: Spark, project: object) -> None:
    """`--no-start` without a daemon is status 3, also as JSON."""
    result = spark("ask", "x", "--mode", "auto", "--no-start", "--json")
    assert result.status == exits.NO_DAEMON
    assert result.document["success"] is False
    assert "spark up --detach" in result.stderr
