"""`key` and `usage`: a key goes in by stdin, is never shown, and its source is told; the cost is a table."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from spark.adapters.clock import SystemClock
from spark.cli import exits
from spark.settings import config_path
from tests.cli.conftest import Spark
from tests.cli.test_history import Recorded

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


def test_names_that_nothing_reads_are_refused(spark: Spark) -> None:
    """A key that no part would ever use is not taken; the names that are read are listed; hints keep the name."""
    result = spark("key", "set", "opnai", stdin=SECRET)
    assert result.status == exits.USAGE
    assert "openai, chat" in result.stderr
    assert "spark key set chat" in spark("key", "status", "chat").text


def test_doctor_shows_where_the_key_really_is(spark: Spark) -> None:
    """The list of settings names the file that holds the key, as `key status` does."""
    spark("key", "set", stdin=SECRET)
    shown = spark("doctor", "--json").document["settings"]["api_key"]
    assert shown == {"value": "set", "source": spark("key", "status", "--json").document["source"]}


def test_usage(spark: Spark, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read without a daemon: one line a day with tokens and cost, or that the cost is unknown; the user's own budget."""
    assert "no model has been asked yet" in spark("usage").stderr
    database = Recorded(project).database
    today = SystemClock().now()
    with database.transaction() as connection:
        for turn, at, cost in (("a", today, 0.25), ("b", "2026-01-30T00:00:00.000Z", None)):
            connection.execute(
                "INSERT INTO turn(id, kind, text, status, model, input_tokens, cached_tokens, output_tokens, cost_usd,"
                " started_at) VALUES(?, 'model', 'text', 'done', 'm', 10, 1, 5, ?, ?)",
                (turn, cost, at),
            )
    monkeypatch.setenv("SPARK_BUDGET_USD", "2")
    lines = spark("usage").text.splitlines()
    assert any("$0.2500" in line for line in lines[:2])
    assert any("cost unknown" in line for line in lines[:2])
    assert lines[2] == "today: $0.2500 of at most $2.0000"
    document = spark("usage", "--by", "turn", "--json").document
    assert (document["by"], document["budgetUsd"], document["todayUsd"]) == ("turn", 2.0, 0.25)
    assert {row["turnId"] for row in document["usage"]} == {"a", "b"}
