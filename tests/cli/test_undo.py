"""`undo` and `restore`: which turns are meant, and what is asked of the daemon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from spark.cli import exits
from spark.cli.times import since_to_utc
from spark.core.errors import ToolRejected
from tests.cli.conftest import Spark
from tests.cli.test_history import Recorded
from tests.fakes.http_daemon import FakeDaemon, answered, change, refused


def test_undo_of_named_turns(spark: Spark, daemon: FakeDaemon) -> None:
    """The first turn is in the address, the others in the body; `--dry-run` is passed on."""
    daemon.answers["POST /v1/turns/turn_a/undo"] = (200, answered({}, [change("Assets/A.cs", "modified")]))
    assert spark("undo", "turn_a").status == exits.DONE
    result = spark("undo", "turn_a", "turn_b", "turn_c", "--dry-run")
    assert "modified Assets/A.cs" in result.stderr
    assert daemon.bodies("POST", "/v1/turns/turn_a/undo") == [{}, {"turns": ["turn_b", "turn_c"], "dryRun": True}]


def test_a_dry_run_shows_the_diff(spark: Spark, daemon: FakeDaemon) -> None:
    """`--dry-run` prints the diff on stdout; kept edits and what would change are named."""
    result = {
        "dryRun": True,
        "diff": "--- a/Assets/A.cs\n+++ /dev/null\n",
        "wouldChange": [{"path": "Assets/A.cs", "action": "deleted"}],
        "keptEdits": ["Assets/B.cs"],
    }
    daemon.answers["POST /v1/turns/turn_a/undo"] = (200, answered(result))
    shown = spark("undo", "turn_a", "--dry-run")
    assert shown.text == "--- a/Assets/A.cs\n+++ /dev/null\n"
    assert "would be deleted: Assets/A.cs" in shown.stderr
    assert "edits are kept: Assets/B.cs" in shown.stderr


def test_undo_alone_means_the_last_turn_that_changed_something(spark: Spark, daemon: FakeDaemon) -> None:
    """Without a turn the newest one in the history is meant, the user's own edits are passed over."""
    recorded = Recorded(daemon.root)
    recorded.turn("turn_1", "first")
    recorded.turn("turn_2", "second")
    recorded.version("Assets/A.cs", b"1", "turn_1")
    recorded.version("Assets/A.cs", b"2", "turn_2")
    recorded.version("Assets/A.cs", b"3")
    daemon.answers["POST /v1/turns/turn_2/undo"] = (200, answered({}))
    assert spark("undo").status == exits.DONE
    assert daemon.bodies("POST", "/v1/turns/turn_2/undo") == [{}]


def test_undo_since(spark: Spark, daemon: FakeDaemon) -> None:
    """`--since` takes every turn with a change since then, newest first, each once."""
    recorded = Recorded(daemon.root)
    for turn in ("turn_1", "turn_2"):
        recorded.turn(turn, turn)
        recorded.version("Assets/A.cs", turn.encode(), turn)
        recorded.version("Assets/B.cs", turn.encode(), turn)
    daemon.answers["POST /v1/turns/turn_2/undo"] = (200, answered({}))
    assert spark("undo", "--since", "1h").status == exits.DONE
    assert daemon.bodies("POST", "/v1/turns/turn_2/undo") == [{"turns": ["turn_1"]}]
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert spark("undo", "--since", later).status == exits.REFUSED


def test_undo_that_means_nothing(spark: Spark, daemon: FakeDaemon) -> None:
    """Nothing to undo, a turn and a time at once, a time that is none: refused, and nothing is asked of the daemon."""
    assert spark("undo").status == exits.REFUSED
    assert spark("undo", "turn_1", "--since", "1h").status == exits.USAGE
    for no_time in ("yesterdayish", "999999w"):
        result = spark("undo", "--since", no_time, "--json")
        assert result.status == exits.USAGE
        assert result.document["error"]["code"] == "invalid_arguments"
        assert "30m" in result.document["error"]["hint"]
    assert daemon.requests == []


def test_a_conflict_is_shown(spark: Spark, daemon: FakeDaemon) -> None:
    """A refused undo is status 4 and shows path, line and both sides of each conflict, and no JSON."""
    place = {"base": "old", "ours": "mine\x1b[2J\n", "theirs": ""}
    of_undo = {
        "conflicts": [{"path": "Assets/A.cs", "reason": "r", "oursSha256": "0" * 64, "lines": [{**place, "line": 3}]}]
    }
    of_landing = {"path": "Assets/A.cs", "base": "0" * 64, "ours": None, "conflicts": [{**place, "oursLine": 3}]}
    for details in (of_undo, of_landing):
        body = refused("conflict", "Assets/A.cs was changed since")
        body["error"]["details"] = details
        daemon.answers["POST /v1/turns/turn_a/undo"] = (409, body)
        result = spark("undo", "turn_a")
        assert result.status == exits.CONFLICT
        assert [line.strip() for line in result.stderr.splitlines()[2:]] == [
            "Assets/A.cs line 3:",
            "now | mine\ufffd[2J",
            "wanted | (nothing)",
        ]


def test_restore(spark: Spark, daemon: FakeDaemon) -> None:
    """`restore` asks the daemon for that version and lists what it wrote."""
    daemon.answers["POST /v1/versions/ver_1/restore"] = (200, answered({}, [change("Assets/A.cs", "modified")]))
    result = spark("restore", "ver_1", "--json")
    assert result.document["changes"][0]["path"] == "Assets/A.cs"
    assert daemon.bodies("POST", "/v1/versions/ver_1/restore") == [{}]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("30m", "2026-01-31T11:30:00.000Z"),
        ("2h", "2026-01-31T10:00:00.000Z"),
        ("3d", "2026-01-28T12:00:00.000Z"),
        ("14:00", "2026-01-31T12:00:00.000Z"),
        ("2026-01-31", "2026-01-30T22:00:00.000Z"),
        ("2026-01-31T09:30", "2026-01-31T07:30:00.000Z"),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000Z"),
    ],
)
def test_times(raw: str, expected: str) -> None:
    """Times are taken as people write them, in their own zone unless they name one."""
    now = datetime(2026, 1, 31, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert since_to_utc(raw, now) == expected


@pytest.mark.parametrize("raw", ["", "soon", "25:00", "5x", "2026-13-01"])
def test_no_times(raw: str) -> None:
    """What is no time is refused, with how one looks."""
    with pytest.raises(ToolRejected) as caught:
        since_to_utc(raw, datetime.now(UTC))
    assert "30m" in caught.value.details["fields"]["since"]


def test_nothing_to_do_is_said(spark: Spark, daemon: FakeDaemon) -> None:
    """Where everything is as the undo or the restore would make it, that is said."""
    for path in ("/v1/turns/turn_a/undo", "/v1/versions/ver_1/restore"):
        daemon.answers[f"POST {path}"] = (200, answered({}))
    for command in (("undo", "turn_a"), ("restore", "ver_1")):
        assert spark(*command).text == "nothing to do: already so\n"


def test_what_waits_for_a_decision_is_listed_readably(spark: Spark, daemon: FakeDaemon) -> None:
    """Changes and diff of a held change are lines of text, not JSON."""
    body = refused("approval_required", "this change waits")
    body["error"]["details"] = {
        "approvalId": "approval_1",
        "callId": "call_1",
        "changes": [change("Assets/A.cs", "modified")],
        "diff": "--- a\n+++ b\n",
    }
    daemon.answers["POST /v1/turns/turn_a/undo"] = (403, body)
    shown = spark("undo", "turn_a").stderr
    assert "modified Assets/A.cs" in shown
    assert "  +++ b\n" in shown
    assert "{" not in shown
    assert "approval_1" not in shown
