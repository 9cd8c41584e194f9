"""Identifiers sort in the order they were made."""

from __future__ import annotations

import time

import pytest

from spark.core.ids import new_id


def test_ids_are_unique_and_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many ids of one moment, and after a clock that jumped back, still come in order."""
    ids = [new_id("v") for _ in range(2000)]
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    ids += [new_id("v") for _ in range(100)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(len(one) == 28 for one in ids)
