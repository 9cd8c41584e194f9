"""`demo` with a running daemon: whose prompts are sent where, and that what it prints is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark.adapters.checkout import read_discovery
from spark.cli import exits
from spark.core.changes import sha256_of
from spark.engines.unity.sample import create_sample_project
from tests.cli.conftest import Spark
from tests.fakes.http_daemon import STARTED, FakeDaemon, answered, change, finished


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sample project where the demo looks for it."""
    root = tmp_path / "spark-demo"
    create_sample_project(root)
    monkeypatch.chdir(tmp_path)
    return root.resolve()


def test_the_samples_prompts(spark: Spark, sample: Path) -> None:
    """Four prompts in mode auto, then the last is undone; the files' bytes are checked against what was reported."""
    path = "Assets/Scripts/New.cs"
    (sample / path).write_text("class New {}\n", encoding="utf-8")
    reported = {
        **change(path),
        "sha256After": sha256_of(b"class New {}\n"),
        "sha256Before": sha256_of(b"class New {}\n"),
    }
    with FakeDaemon(sample, events=[STARTED, finished(changes=[reported])]).running() as daemon:
        daemon.answers["POST /v1/turns/turn_1/undo"] = (200, answered({}, [reported]))
        result = spark("demo")
        assert result.status == exits.DONE, result.stderr
        prompts = daemon.bodies("POST", "/v1/turns")
        assert len(prompts) == 4
        assert {prompt["mode"] for prompt in prompts} == {"auto"}
        assert daemon.bodies("POST", "/v1/turns/turn_1/undo") == [{}]
        assert f"on disk: {path}, 13 bytes, 1 lines" in result.text
        assert "byte for byte" in result.text
        assert "taken, it was there" in result.text
        assert read_discovery(sample) is not None, "a daemon that the demo did not start goes on running"


def test_it_says_when_something_else_lies_on_disk(spark: Spark, sample: Path) -> None:
    """Bytes that differ from the report are said, and an undo that did not bring the old bytes back is a failure."""
    (sample / "Assets" / "New.cs").write_text("other\n", encoding="utf-8")
    with FakeDaemon(sample, events=[STARTED, finished(changes=[change("Assets/New.cs")])]).running() as daemon:
        daemon.answers["POST /v1/turns/turn_1/undo"] = (200, answered({}))
        result = spark("demo")
    assert "NOT what was reported" in result.text
    assert result.status == exits.REFUSED


def test_a_second_run_asks_for_new_classes(spark: Spark, sample: Path) -> None:
    """Where the classes of the first run are, the next run asks for others: nothing is overwritten."""
    (sample / "Assets" / "Scripts" / "PlayerHealth.cs").write_text("", encoding="utf-8")
    with FakeDaemon(sample).running() as daemon:
        daemon.answers["POST /v1/turns/turn_1/undo"] = (200, answered({}))
        spark("demo")
        texts = [prompt["text"] for prompt in daemon.bodies("POST", "/v1/turns")]
    assert "PlayerController2" in texts[0]
    assert all("PlayerHealth2" in text for text in texts[1:])


def test_only_the_users_prompts_in_the_users_project(spark: Spark, daemon: FakeDaemon) -> None:
    """In a project that is named only the user's own prompts are sent, and nothing is undone."""
    result = spark("demo", "--project", str(daemon.root), "first", "second")
    assert result.status == exits.DONE
    assert [prompt["text"] for prompt in daemon.bodies("POST", "/v1/turns")] == ["first", "second"]
    assert not [path for _, path, _ in daemon.requests if path.endswith("/undo")]
    daemon.requests.clear()
    assert spark("demo", "--project", str(daemon.root)).status == exits.DONE
    assert daemon.requests == [], "without a prompt nothing is sent"


def test_a_failed_prompt_ends_the_demo(spark: Spark, sample: Path) -> None:
    """A prompt that fails gives the demo its exit status, and no further prompt is sent."""
    end = finished("failed", error={"code": "model_unavailable", "message": "away", "hint": "wait"})
    with FakeDaemon(sample, events=[STARTED, end]).running() as daemon:
        assert spark("demo").status == exits.UNAVAILABLE
        assert len(daemon.bodies("POST", "/v1/turns")) == 1


def test_folders_that_are_something_else(spark: Spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of that name with other things in it stays as it is; prompts without a project are wrong usage."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spark-demo").mkdir()
    (tmp_path / "spark-demo" / "mine.txt").write_text("mine", encoding="utf-8")
    assert spark("demo").status == exits.USAGE
    assert spark("demo", "a prompt").status == exits.USAGE
    assert [path.name for path in (tmp_path / "spark-demo").iterdir()] == ["mine.txt"]
