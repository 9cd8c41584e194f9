"""Hints are folded into few scans, and none is lost."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.coalesce import Coalescer, Dirty


@dataclass(frozen=True)
class Mark:
    folder: str
    name: str | None
    after_s: float


marks = st.lists(
    st.builds(
        Mark,
        st.sampled_from(["Assets", "Assets/A", "Assets/B", "Packages"]),
        st.none() | st.integers(0, 12).map(str),
        st.floats(0, 0.08),
    ),
    max_size=60,
)


def covers(dirty: Dirty, mark: Mark) -> bool:
    if dirty.everything:
        return True
    if mark.folder not in dirty.folders:
        return False
    names = dirty.folders[mark.folder]
    return names is None or (mark.name is not None and mark.name in names)


@settings(deadline=None, max_examples=150)
@given(marks)
def test_every_mark_is_covered_by_a_scan_that_is_taken_after_it_and_soon(sequence: list[Mark]) -> None:
    """No hint is lost, and none waits longer than its limit, however events follow each other."""
    coalescer = Coalescer(folder_names=5, total_names=15)
    now = 0.0
    waiting: list[tuple[float, Mark]] = []

    def drain(until: float) -> None:
        nonlocal waiting
        while (due_at := coalescer.next_due_at()) is not None and due_at <= until:
            dirty = coalescer.take(due_at)
            assert dirty is not None
            for marked_at, mark in waiting:
                if covers(dirty, mark):
                    assert due_at - marked_at <= (2.0 if dirty.everything else 0.05) + 1e-9
            waiting = [(at, mark) for at, mark in waiting if not covers(dirty, mark)]

    for mark in sequence:
        now += mark.after_s
        drain(now)
        coalescer.mark(mark.folder, mark.name, now)
        waiting.append((now, mark))
    drain(now + 10)
    assert waiting == []
    assert coalescer.next_due_at() is None
    assert coalescer.take(now + 20) is None


@settings(deadline=None, max_examples=100)
@given(marks)
def test_what_is_handed_out_stays_within_the_limits(sequence: list[Mark]) -> None:
    """A scan order never lists more names than the limits allow."""
    coalescer = Coalescer(folder_names=5, total_names=15)
    for mark in sequence:
        coalescer.mark(mark.folder, mark.name, 0.0)
    dirty = coalescer.take(10.0)
    for names in (dirty.folders if dirty else {}).values():
        assert names is None or len(names) <= 5
    assert sum(len(names or ()) for names in (dirty.folders if dirty else {}).values()) <= 15


def test_a_folder_is_due_when_it_is_quiet_and_at_the_latest_after_its_limit() -> None:
    """A folder that is written to all the time is still looked at."""
    coalescer = Coalescer(quiet_s=0.02, longest_s=0.05)
    coalescer.mark("Assets", "a", 1.0)
    assert coalescer.take(1.019) is None
    coalescer.mark("Assets", "b", 1.019)
    assert coalescer.next_due_at() == 1.039
    coalescer.mark("Assets", "c", 1.038)
    assert coalescer.next_due_at() == 1.05
    assert coalescer.take(1.05) == Dirty(folders={"Assets": frozenset("abc")})


def test_too_many_names_in_a_folder_make_it_a_folder_scan_and_too_many_in_all_a_full_scan() -> None:
    """128 names in one folder, 512 in all: more is cheaper to look at as a whole."""
    coalescer = Coalescer()
    for number in range(129):
        coalescer.mark("Assets", str(number), 0.0)
    assert coalescer.take(1.0) == Dirty(folders={"Assets": None})
    for number in range(600):
        coalescer.mark(f"Assets/{number}", "a", 2.0)
    assert coalescer.everything_pending
    dirty = coalescer.take(10.0)
    assert dirty is not None
    assert dirty.everything == ("burst",)


def test_a_burst_is_waited_for_but_a_doubt_is_not() -> None:
    """A full scan after a burst waits for its end, at most two seconds; an order to scan now is not put off by events."""
    coalescer = Coalescer()
    coalescer.mark_everything("burst", 0.0, settle=True)
    coalescer.mark("Assets", "a", 0.2)
    assert coalescer.take(0.3) is None
    for tick in range(100):
        coalescer.mark("Assets", "a", 0.3 + tick / 50)
    assert coalescer.next_due_at() == 2.0
    coalescer.mark_everything("clock", 1.0)
    coalescer.mark("Assets", "b", 1.0)
    assert coalescer.take(1.0) == Dirty(everything=("burst", "clock"))
