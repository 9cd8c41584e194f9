"""Identifiers sort in the order they were made."""

from __future__ import annotations

import time

import pytest

from spark.core.ids import new_id, seed


def test_ids_are_unique_and_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many ids of one moment, and after a clock that jumped back, still come in order."""
    ids = [new_id("v") for _ in range(2000)]
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    ids += [new_id("v") for _ in range(100)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(len(one) == 28 for one in ids)


def test_ids_sort_after_a_seed_of_an_earlier_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a clock that was ahead, the next run's ids still come later; what is no id of ours changes nothing."""
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 7200 * 10**9)
    ahead = new_id("v")
    monkeypatch.setattr("spark.core.ids._last", 0)
    monkeypatch.setattr(time, "time_ns", lambda: now)
    assert new_id("v") < ahead
    seed(ahead)
    seed("not an id!")
    later = [new_id("v") for _ in range(100)]
    assert ahead < later[0]
    assert later == sorted(later)
