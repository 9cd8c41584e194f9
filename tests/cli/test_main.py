"""The process as a whole: JSON purity, broken pipes, our own bugs, and that start-up stays light."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from spark.cli import exits
from spark.cli.parser import COMMANDS
from tests.cli.conftest import Spark
from tests.fakes.http_daemon import WAIT_S

LEAST = {
    "ask": ["x", "--mode", "auto", "--no-start"],
    "call": ["x", "--no-start"],
    "show": ["x"],
    "restore": ["x", "--no-start"],
    "undo": ["turn_1", "--no-start"],
    "key": ["status"],
    "demo": ["a prompt without a project"],
    "up": ["--model", "telepathy"],
}


@pytest.mark.parametrize("command", [command.name for command in COMMANDS if command.name != "uninstall"])
def test_json_is_pure(spark: Spark, project: Path, command: str) -> None:
    """With `--json` every command prints JSON on stdout and nothing else, also where it is refused."""
    result = spark(command, *LEAST.get(command, []), "--json")
    assert result.status in range(6)
    document = json.loads(result.stdout)
    if result.status != exits.DONE and command != "doctor":
        assert document["success"] is False
        assert document["error"]["code"]
        assert result.stderr


def test_wrong_usage_is_json_too(spark: Spark) -> None:
    """A command line that cannot be taken is status 2, with the usage, as JSON where that was asked for."""
    result = spark("nonsense", "--json")
    assert result.status == exits.USAGE
    assert result.document["error"]["code"] == "invalid_arguments"
    assert "usage: spark" in result.stderr
    assert spark("nonsense").stdout == b""


def test_help_and_version(spark: Spark) -> None:
    """Help and version are status 0 and go to stdout; help lists every command."""
    text = spark("--help").text
    assert all(command.name in text for command in COMMANDS)
    assert spark("--version").text.startswith("spark ")
    for flags in (("--json", "--version"), ("--version", "--json")):
        assert spark(*flags).document["version"] in spark("--version").text
    assert "--mode" in spark("ask", "--help").text


def test_a_reader_that_goes_away(project: Path, process_env: dict[str, str]) -> None:
    """`spark ... | head` ends quietly."""
    command = f'"{sys.executable}" -P -m spark tools --json | head -c 10; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", command], cwd=project, env=process_env, capture_output=True, timeout=WAIT_S, check=False
    )
    assert done.stderr == b""
    assert done.returncode in (exits.DONE, exits.BROKEN_PIPE)


def test_our_bug_is_status_70(project: Path, process_env: dict[str, str]) -> None:
    """An exception that nobody expects is printed in full and becomes status 70."""
    code = (
        "import sys, spark.cli.main as m, spark.__main__ as s\n"
        "def broken(name): raise RuntimeError('a wheel came off')\n"
        "m._command = broken\n"
        "sys.argv = ['spark', 'doctor']\n"
        "s.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=process_env, capture_output=True, timeout=WAIT_S, check=False
    )
    assert done.returncode == exits.OUR_BUG
    assert b"a wheel came off" in done.stderr
    assert b"bug in SPARK" in done.stderr


@pytest.mark.parametrize("line", ["--help", "history", "status", "diff", "down", "usage"])
def test_start_up_loads_nothing_heavy(project: Path, process_env: dict[str, str], line: str) -> None:
    """The quick commands load neither the daemon nor any of the big packages."""
    code = (
        "import sys\nfrom spark.cli.main import main\n"
        f"main({line.split()!r})\n"
        "heavy = {'aiohttp', 'pydantic', 'openai', 'supabase', 'watchdog', 'yaml', 'tree_sitter', 'keyring', 'zstandard'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=process_env, capture_output=True, timeout=WAIT_S, check=False
    )
    assert done.returncode == 0, done.stderr.decode().splitlines()[-1]


def test_the_current_folder_is_no_place_for_modules(project: Path, process_env: dict[str, str]) -> None:
    """A `json.py` in the project is not imported."""
    (project / "json.py").write_text("raise SystemExit('imported from the project')\n", "utf-8")
    command = [sys.executable, "-P", "-m", "spark", "history", "--json"]
    done = subprocess.run(command, cwd=project, env=process_env, capture_output=True, timeout=WAIT_S, check=True)
    assert json.loads(done.stdout) == {"versions": [], "next": None}


def test_output_that_the_console_cannot_show(project: Path, process_env: dict[str, str]) -> None:
    """JSON is UTF-8 whatever the console's encoding is, and nothing crashes."""
    env = {**process_env, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-P", "-m", "spark", "doctor", "--json"]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, timeout=60, check=True)
    assert project.name in done.stdout.decode("utf-8")
