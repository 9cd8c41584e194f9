"""Tests that kill, starve and race real processes."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def required(program: str, why: str) -> str:
    """The path of a program that a test cannot do without, else as `unavailable`."""
    return shutil.which(program) or unavailable(f"{program} is not installed: {why}")


def unavailable(reason: str) -> NoReturn:
    """Fails where `SPARK_REQUIRE_ALL=1` (as the test command sets it after installing everything), else skips, with the
    reason."""
    if os.environ.get("SPARK_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
