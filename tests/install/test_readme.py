"""The README: every command in it is one that works, its links lead somewhere, and nothing names a registry."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from spark.cli.parser import COMMANDS, parse
from spark.settings import SETTINGS

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "daemon" / "README.md",
    *sorted((REPOSITORY / "daemon/decisions").glob("*.md")),
]
README = PAGES[0].read_text("utf-8")
# Put together here, so that this file does not name them.
REGISTRY_HOSTS = ["pypi" + ".org", "python" + "hosted", "npm" + "js", "deb." + "debian"]


def shell_lines(text: str) -> Iterator[str]:
    """The lines of shell blocks, and of inline code that begins with `spark `."""
    for language, block in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL):
        if language == "sh":
            yield from block.splitlines()
    yield from re.findall(r"`(spark [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_every_spark_command_is_one(page: Path) -> None:
    """Every `spark …` in a page's code is taken by the command line as it stands there."""
    for line in shell_lines(page.read_text("utf-8")):
        words = shlex.split(line.split(">")[0].split("<")[0], comments=True)
        if words[:1] != ["spark"] or len(words) < 2:
            continue
        if len(words) == 2 and not words[1].startswith("-"):
            assert words[1] in {command.name for command in COMMANDS}
        else:
            parse(words[1:])


def test_the_two_commands_stand_first() -> None:
    """The first code of the README is the two commands that set everything up."""
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first is not None
    lines = [line.split("#")[0].strip() for line in first[1].splitlines()]
    assert lines == ["python3 install/bootstrap.py run", "python3 install/bootstrap.py test"]


def test_bootstrap_commands_exist() -> None:
    """Every bootstrap command in the README is one of the script's."""
    for word in re.findall(r"bootstrap\.py (\w+)", README):
        assert word in ("run", "test", "uninstall")


def test_every_command_and_setting_is_documented() -> None:
    """Each command and each variable is named in the README."""
    assert all(f"spark {command.name}" in README for command in COMMANDS)
    assert all(variable in README for setting in SETTINGS for variable in setting.variables)


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link leads to a file."""
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_decision_is_listed() -> None:
    """The list of decisions has every page."""
    listed = (REPOSITORY / "daemon/decisions/README.md").read_text("utf-8")
    for page in (REPOSITORY / "daemon/decisions").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in listed


def test_no_registry_is_named() -> None:
    """No file of the repository names a package registry: where packages come from is the user's configuration."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in tracked.stdout.splitlines():
        path = REPOSITORY / name
        if path.suffix in (".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".json", "") and path.is_file():
            text = path.read_text("utf-8", errors="replace")
            assert not [host for host in REGISTRY_HOSTS if host in text], name
