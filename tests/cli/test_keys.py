"""`key` and `usage`: a key goes in by stdin, is never shown, and its source is told; the cost is a table."""

from __future__ import annotations

import stat

import pytest

from spark.cli import exits
from spark.settings import config_path
from tests.cli.conftest import Spark
from tests.fakes.http_daemon import FakeDaemon

SECRET = "sk-proj-abcdefghijklmnop1234"


def test_set_status_clear(spark: Spark) -> None:
    """Without a keyring the key lies in a 0600 file; status names the place and four characters; clear takes it out."""
    assert spark("key", "status", "--json").document["source"] is None
    kept = spark("key", "set", stdin=SECRET + "\n")
    assert kept.status == exits.DONE
    file = config_path().parent / "keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    status = spark("key", "status", "--json")
    assert str(file) in status.document["source"]
    assert status.document["ending"] == "1234"
    assert spark("key", "clear").status == exits.DONE
    assert not file.exists()
    for result in (kept, status, spark("key", "status"), spark("doctor", "--json")):
        assert SECRET not in result.text + result.stderr


def test_the_environment_wins_and_the_rest_is_named(spark: Spark, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment is used first; the one that is not used is named."""
    spark("key", "set", stdin=SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    text = spark("key", "status").text
    assert "OPENAI_API_KEY (environment)" in text
    assert "not used: file" in text


def test_no_key_on_stdin(spark: Spark) -> None:
    """An empty stdin is wrong usage, and something that cannot be a key is refused."""
    assert spark("key", "set", stdin="\n").status == exits.USAGE
    assert spark("key", "set", stdin="two words\n").status == exits.REFUSED


def test_usage(spark: Spark, daemon: FakeDaemon) -> None:
    """The table has one line a day with tokens and cost, or says that the cost is unknown."""
    row = {"turns": 2, "inputTokens": 10, "cachedTokens": 1, "outputTokens": 5}
    rows = [{"day": "2026-01-31", **row, "costUsd": 0.25}, {"day": "2026-01-30", **row, "costUsd": None}]
    body = {"by": "day", "usage": rows, "todayUsd": 0.25, "budgetUsd": 5.0}
    daemon.answers["GET /v1/usage"] = (200, body)
    lines = spark("usage").text.splitlines()
    assert "$0.2500" in lines[0]
    assert "cost unknown" in lines[1]
    assert lines[2] == "today: $0.2500 of at most $5.0000"
    assert spark("usage", "--json").document == body
