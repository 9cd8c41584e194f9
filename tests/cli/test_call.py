"""`tools` and `call` against a running daemon: what is sent, what is printed, which status a refusal becomes."""

from __future__ import annotations

import json

import pytest

from spark.cli import exits
from tests.cli.conftest import Spark
from tests.fakes.http_daemon import FakeDaemon, answered, change, refused


def test_tools_of_the_running_daemon(spark: Spark, daemon: FakeDaemon) -> None:
    """`tools --json` is the daemon's list; for people each function has one line of arguments."""
    assert spark("tools", "--json").document == daemon.answer("GET", "/v1/tools")[1]
    assert "readFile(path)" in spark("tools").text


def test_call_sends_arguments_and_prints_the_result(spark: Spark, daemon: FakeDaemon) -> None:
    """The arguments go as they are; stdout has the result, stderr what was written and how to undo it."""
    daemon.answers["POST /v1/tools/readFile"] = (200, answered({"content": "ä"}, [change("Assets/A.cs")]))
    result = spark("call", "readFile", '{"path": "Assets/A.cs"}')
    assert result.status == exits.DONE
    assert json.loads(result.text) == {"content": "ä"}
    assert "Assets/A.cs" in result.stderr
    assert "spark undo turn_1" in result.stderr
    assert daemon.bodies("POST", "/v1/tools/readFile") == [{"arguments": {"path": "Assets/A.cs"}}]


def test_call_from_stdin_dry(spark: Spark, daemon: FakeDaemon) -> None:
    """`-` reads the arguments from stdin; `--dry-run` is passed on; the diff is shown as it is."""
    body = answered({"matched": 1, "diff": "--- a/A\n+++ b/A\n"})
    daemon.answers["POST /v1/tools/applyCodePatch"] = (200, body)
    result = spark("call", "applyCodePatch", "-", "--dry-run", stdin='{"filePath": "A"}')
    assert daemon.bodies("POST", "/v1/tools/applyCodePatch") == [{"arguments": {"filePath": "A"}, "dryRun": True}]
    assert result.text.endswith("--- a/A\n+++ b/A\n")


def test_call_json_is_the_answer(spark: Spark, daemon: FakeDaemon) -> None:
    """With `--json` stdout is the daemon's answer and nothing else, for a refusal too."""
    body = answered({"x": 1}, [change("Assets/A.cs")])
    daemon.answers["POST /v1/tools/a"] = (200, body)
    daemon.answers["POST /v1/tools/b"] = (422, refused("invalid_script"))
    assert spark("call", "a", "--json").document == body
    refusal = spark("--json", "call", "b")
    assert refusal.document == refused("invalid_script")
    assert refusal.status == exits.REFUSED


@pytest.mark.parametrize(
    ("http", "code", "status"),
    [
        (400, "invalid_arguments", 1),
        (403, "approval_required", 1),
        (404, "unknown_tool", 1),
        (409, "conflict", 4),
        (409, "already_exists", 1),
        (409, "stale_version", 4),
        (422, "patch_does_not_apply", 1),
        (429, "rate_limited", 5),
        (429, "quota_exceeded", 5),
        (500, "internal", 70),
        (503, "model_unavailable", 5),
        (503, "circuit_open", 5),
        (504, "timeout", 5),
    ],
)
def test_refusals_become_exit_statuses(spark: Spark, daemon: FakeDaemon, http: int, code: str, status: int) -> None:
    """Each code of the contract leads to its exit status, and the message says what would have worked."""
    daemon.answers["POST /v1/tools/x"] = (http, refused(code, "not this way", "but this way"))
    result = spark("call", "x")
    assert result.status == status
    assert "not this way" in result.stderr
    assert "but this way" in result.stderr
    assert result.stdout == b""


def test_arguments_that_are_no_json_object(spark: Spark, daemon: FakeDaemon) -> None:
    """Arguments that are no JSON object are wrong usage, and nothing is sent."""
    for raw in ("{", "[]", '"x"'):
        result = spark("call", "readFile", raw)
        assert result.status == exits.USAGE
        assert "JSON" in result.stderr
    assert daemon.requests == []


def test_a_name_is_one_part_of_the_address(spark: Spark, daemon: FakeDaemon) -> None:
    """A function's name cannot lead to another route."""
    spark("call", "../turns")
    assert [path for _, path, _ in daemon.requests] == ["/v1/tools/..%2Fturns"]


def test_escape_sequences_lose_their_effect(spark: Spark, daemon: FakeDaemon) -> None:
    """Text from a file or a model cannot steer the terminal."""
    daemon.answers["POST /v1/tools/x"] = (200, answered({"diff": "+\x1b[2Jgone\n"}))
    assert "\x1b" not in spark("call", "x").text
