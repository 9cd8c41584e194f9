"""A project on disk for the function calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.project import FakeProject


@pytest.fixture
def project(tmp_path: Path) -> FakeProject:
    return FakeProject(tmp_path / "My Pröject")
