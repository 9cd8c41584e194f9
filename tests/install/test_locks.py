"""The locks: hashes for everything, nothing of any place, and in step with each other and with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
RUN = (REPOSITORY / "requirements.lock").read_text("utf-8")
TEST = (REPOSITORY / "requirements-dev.lock").read_text("utf-8")


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock, re.MULTILINE))


def name_of(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=~!\[ ;]", requirement)[0]).lower()


@pytest.mark.parametrize("lock", [RUN, TEST], ids=["run", "test"])
def test_every_pin_has_hashes(lock: str) -> None:
    """Every package is pinned to one version and has at least one SHA-256."""
    blocks = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(lock))
    for block in blocks:
        assert "==" in block.splitlines()[0]
        assert "--hash=sha256:" in block


@pytest.mark.parametrize("lock", [RUN, TEST], ids=["run", "test"])
def test_no_place_is_named(lock: str) -> None:
    """A lock names no server, no index and no path: pip takes the user's own configuration."""
    assert not re.search(r"https?:|://|index-url|find-links|file:|/[a-z]+/", lock)


def test_the_test_lock_holds_the_other_one() -> None:
    """What is tested is what is run: every pin of the run lock is in the test lock, with the same version."""
    assert pins(RUN).items() <= pins(TEST).items()


def test_every_dependency_is_locked() -> None:
    """Every dependency of pyproject.toml is in its lock."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    assert {name_of(item) for item in project["project"]["dependencies"]} <= set(pins(RUN))
    assert {name_of(item) for item in project["dependency-groups"]["dev"]} <= set(pins(TEST))
