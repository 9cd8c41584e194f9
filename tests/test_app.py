"""Upkeep of the daemon: what cannot be done now is tried again, and ends nothing."""

from __future__ import annotations

import asyncio

import pytest

from spark.app import upkeep
from spark.core.errors import FatalError, SparkError, Unavailable


class FakeLanding:
    """A landing whose sweeps fail at first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.swept = asyncio.Event()

    def sweep(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.swept.set()


async def test_a_sweep_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, a taken-away folder or a refusal in the upkeep never ends the daemon."""
    monkeypatch.setattr(upkeep, "SWEEP_S", 0.0)
    landing = FakeLanding(
        Unavailable("internal", "full"), OSError("gone"), FatalError(2, "no folder"), SparkError("x", "y")
    )
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(upkeep.sweep(landing))  # type: ignore[arg-type]
        async with asyncio.timeout(10):
            while not landing.swept.is_set():
                await asyncio.sleep(0.01)
        task.cancel()
