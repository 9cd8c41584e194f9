"""`doctor` and `uninstall`: what is set up how, what stays, and that looking changes nothing."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from spark.adapters.checkout import open_checkout
from spark.adapters.data_folders import checkouts_folder
from spark.cli import exits
from spark.settings import SETTINGS
from tests.cli.conftest import Spark, make_project
from tests.cli.test_history import Recorded
from tests.fakes.http_daemon import FakeDaemon


def test_doctor_shows_every_setting_and_its_source(
    spark: Spark, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`doctor --json` has each setting with value and source, and the checks; nothing is created."""
    monkeypatch.setenv("SPARK_MODEL", "my-model")
    before = sorted(project.rglob("*"))
    document = spark("doctor", "--json").document
    assert set(document["settings"]) == {setting.name for setting in SETTINGS}
    assert document["settings"]["model"] == {"value": "my-model", "source": "SPARK_MODEL (environment)"}
    names = {check["name"] for check in document["checks"]}
    assert {"spark", "project", "settings", "daemon", "history", "watcher", "key"} <= names
    assert "2022.3.41f1" in next(check["message"] for check in document["checks"] if check["name"] == "project")
    assert sorted(project.rglob("*")) == before


def test_doctor_says_what_mends(spark: Spark, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad setting is a failed check with its fix, and the other checks still run."""
    monkeypatch.setenv("SPARK_BUDGET_USD", "lots")
    result = spark("doctor", "--json")
    assert result.status == exits.REFUSED
    failed = [check for check in result.document["checks"] if check["state"] == "fail"]
    assert [check["name"] for check in failed] == ["settings"]
    assert "Accepted" in failed[0]["fix"]
    assert any(check["name"] == "key" for check in result.document["checks"])


def test_doctor_without_a_project(spark: Spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a project `doctor` still says what it can."""
    monkeypatch.chdir(tmp_path)
    result = spark("doctor")
    assert result.status == exits.DONE
    assert "warn  project" in result.text


def test_uninstall_names_what_stays(spark: Spark, project: Path) -> None:
    """A bare `uninstall` removes nothing and names the history with its size, and what lies in the project."""
    recorded = Recorded(project)
    recorded.version("Assets/A.cs", b"x" * 5000)
    recorded.database.close()
    stays = spark("uninstall", "--json").document["stays"]
    assert any(item["path"] == str(open_checkout(project).data_dir) and "KB" in item["what"] for item in stays)
    assert any(item["path"].endswith("ProjectSettings/Spark.json") for item in stays)
    assert open_checkout(project).data_dir.is_dir()


def test_purge_removes_the_history_and_nothing_of_the_project(spark: Spark, project: Path) -> None:
    """`--purge` removes the history of every project; the projects' own files stay."""
    (project / "Assets" / "A.cs").write_text("class A {}", encoding="utf-8")
    open_checkout(project)
    refused = spark("uninstall", "--purge", "--json")
    assert refused.status == exits.USAGE, "nobody can be asked, and nobody said yes"
    assert "--yes" in refused.document["error"]["hint"]
    document = spark("uninstall", "--purge", "--yes", "--json").document
    assert len(document["removed"]) == 1
    assert [path for path in checkouts_folder().iterdir() if path.is_dir()] == []
    assert (project / "Assets" / "A.cs").is_file()


def test_purge_of_one_project(spark: Spark, tmp_path: Path) -> None:
    """With `--project` only that project's history goes."""
    kept, gone = (open_checkout(make_project(tmp_path / name)) for name in ("kept", "gone"))
    spark("uninstall", "--purge", "--project", str(gone.root))
    assert kept.data_dir.is_dir()
    assert not gone.data_dir.exists()


def test_purge_asks_at_a_terminal(spark: Spark, project: Path) -> None:
    """At a terminal nothing is removed without a typed yes."""
    checkout = open_checkout(project)
    assert "removed" not in spark("uninstall", "--purge", stdin="y\n", terminal=True).text
    assert checkout.data_dir.is_dir()
    assert "removed" in spark("uninstall", "--purge", stdin="yes\n", terminal=True).text


def test_purge_never_takes_a_history_in_use(spark: Spark, daemon: FakeDaemon) -> None:
    """While a daemon runs on it, no history is removed: status 4."""
    result = spark("uninstall", "--purge", "--yes")
    assert result.status == exits.CONFLICT
    assert open_checkout(daemon.root).data_dir.is_dir()


def test_each_history_has_its_own_line(spark: Spark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every history is listed with its project's folder and a line that removes it alone, also when that folder is gone."""
    kept, gone = (open_checkout(make_project(tmp_path / name)) for name in ("kept one", "gone one"))
    shutil.rmtree(gone.root)
    monkeypatch.chdir(tmp_path)
    lines = {item.get("project"): item["remove"] for item in spark("uninstall", "--json").document["stays"]}
    line = f"spark uninstall --purge --project {shlex.quote(str(gone.root))}"
    assert lines[str(gone.root)] == line
    assert str(kept.root) in lines
    assert spark(*shlex.split(line)[1:]).status == exits.DONE
    assert kept.data_dir.is_dir()
    assert not gone.data_dir.exists()
    assert spark(*shlex.split(line)[1:]).status == exits.USAGE
    assert spark("uninstall", "--purge", "--project", kept.checkout_id).status == exits.DONE
    assert not kept.data_dir.exists()


def test_doctor_names_a_history_that_is_not_used(spark: Spark, project: Path, tmp_path: Path) -> None:
    """Where the project was copied and the first folder is gone, doctor says where its history lies."""
    recorded = Recorded(project)
    recorded.database.close()
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    data_dir = open_checkout(project).data_dir
    project.rename(tmp_path / "away")
    open_checkout(copy)
    checks = spark("doctor", "--json", "--project", str(copy)).document["checks"]
    found = next(check for check in checks if check["name"] == "older history")
    assert str(data_dir) in found["message"]
