"""`ask`: what is sent, what is streamed, approvals at a terminal, and what the end of a turn becomes."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from spark.cli import exits
from tests.cli.conftest import Spark, make_project
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
    spark("ask", "-a", "ProjectSettings/ProjectVersion.txt", "hello", *flags, "-a", "@errors")
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


def test_an_empty_prompt_is_wrong_usage(spark: Spark, daemon: FakeDaemon) -> None:
    """A prompt of nothing or of spaces is status 2, and nothing is sent."""
    for prompt in ("", "  \n"):
        result = spark("ask", prompt, "--mode", "auto", "--json")
        assert result.status == exits.USAGE
        assert "empty" in result.document["error"]["message"]
    assert daemon.requests == []


def test_who_is_before_is_said(spark: Spark, daemon: FakeDaemon) -> None:
    """Where another prompt runs, its id and text are told before ours is sent; a call by hand is nothing to wait for."""
    running = [
        {"turnId": "turn_0", "kind": "model", "text": "the\nlong one"},
        {"turnId": "turn_9", "kind": "call", "text": "readFile"},
    ]
    daemon.answers["GET /v1/status"] = (200, {"healthy": True, "session": {"runningTurns": running}})
    result = spark("ask", "x", "--mode", "auto")
    assert result.stderr.splitlines()[0] == 'waiting for turn turn_0 ("the long one")'
    assert "turn_9" not in result.stderr


def test_what_a_call_is_about_and_why_it_was_refused(spark: Spark, daemon: FakeDaemon) -> None:
    """The line of a call names its file; a refused one says why."""
    daemon.events = [
        STARTED,
        {"type": "callStarted", "callId": "c", "name": "readFile", "target": "Assets/A.cs"},
        {
            "type": "callFinished",
            "callId": "c",
            "name": "readFile",
            "success": False,
            "error": {"code": "not_found", "message": "there is no Assets/A.cs"},
        },
        finished(),
    ]
    lines = spark("ask", "x", "--mode", "auto").stderr.splitlines()
    assert "- readFile Assets/A.cs ..." in lines
    assert "- readFile refused: there is no Assets/A.cs" in lines


NEW_FOLDERS = {
    **APPROVAL,
    "changes": [
        {"path": path, "action": "created"}
        for path in (
            "Assets/N.meta",
            "Assets/N/M.meta",
            "Assets/N/A.cs.meta",
            "Assets/N/A.cs",
            "Assets/N/M/B.cs.meta",
            "Assets/N/M/B.cs",
        )
    ],
}


@pytest.mark.parametrize(
    ("answers", "decision", "asked"),
    [
        ("y\ny\n", {"decision": "accept"}, "B.cs and its .meta and 1 new folder?"),
        (
            "n\ny\n",
            {"decision": "accept", "paths": ["Assets/N/M/B.cs.meta", "Assets/N/M/B.cs"]},
            "B.cs and its .meta and 2 new folders?",
        ),
        ("y\nn\n", {"decision": "accept", "paths": ["Assets/N/A.cs.meta", "Assets/N/A.cs"]}, "A.cs and its .meta"),
        ("n\nn\n", {"decision": "reject"}, "A.cs and its .meta and 1 new folder?"),
    ],
)
def test_new_folders_are_no_questions(
    spark: Spark, daemon: FakeDaemon, answers: str, decision: dict[str, object], asked: str
) -> None:
    """Metas of new folders are counted with the assets below them; a no is sent as a no to every byte of that asset."""
    daemon.events = [STARTED, NEW_FOLDERS, finished()]
    result = spark("ask", "x", stdin=answers, terminal=True)
    assert daemon.bodies("POST", "/v1/approvals/approval_1") == [decision]
    assert asked in result.stderr
    assert result.stderr.count("[y]es") == 2


def test_undo_lines_name_the_project_where_it_is_needed(
    spark: Spark, daemon: FakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line to copy means the same project: with `--project` where it was given or would not be found from here."""
    daemon.events = [STARTED, finished(changes=[change("Assets/A.cs")])]
    line = f"undo: spark undo turn_1 --project {shlex.quote(str(daemon.root))}"
    assert "undo: spark undo turn_1" in spark("ask", "x", "--mode", "auto").stderr.splitlines()
    named = ("--project", str(daemon.root))
    assert line in spark("ask", "x", "--mode", "auto", *named).stderr.splitlines()
    make_project(tmp_path / "another")
    monkeypatch.chdir(tmp_path / "another")
    assert line in spark("ask", "x", "--mode", "auto", *named).stderr.splitlines()


def test_hints_name_commands(spark: Spark, daemon: FakeDaemon) -> None:
    """What the daemon says to programs about routes becomes what a person can type."""
    for hint, said in (
        ("GET /v1/turns lists them.", "spark history"),
        ('POST /v1/approvals/a {"decision": "accept"} lands it.', "on a terminal"),
    ):
        daemon.events = [STARTED, finished("failed", error={"code": "not_found", "message": "no", "hint": hint})]
        result = spark("ask", "x", "--mode", "auto")
        daemon.answers["POST /v1/tools/t"] = (404, refused("not_found", "no", hint))
        for shown in (result.stderr, spark("call", "t").stderr):
            assert said in shown
            assert "/v1/" not in shown
