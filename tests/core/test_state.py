"""Session state: gapless versions, conflicts by path, and replicas that survive disorder."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.errors import ToolRejected
from spark.core.state import REMEMBERED, Replica, SessionState

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3)
VALUES = st.one_of(
    st.none(), st.integers(0, 5), st.text(max_size=3), st.dictionaries(NAMES, st.integers(0, 3), max_size=2)
)


def test_versions_have_no_gaps_and_nothing_costs_no_version() -> None:
    """Each change is one version more; setting what is there already is none."""
    state = SessionState()
    first = state.set(["settings", "mode"], "ask")
    assert first is not None
    assert first.version == 1
    assert state.set(["settings", "mode"], "ask") is None
    second = state.set(["settings", "mode"], "auto")
    assert second is not None
    assert second.version == 2
    assert state.snapshot() == {"type": "snapshot", "version": 2, "state": {"settings": {"mode": "auto"}}}


def test_an_update_that_is_based_on_an_older_value_of_the_same_path_is_refused() -> None:
    """stale_version names the current version and value; the state stays as it was."""
    state = SessionState({"settings": {"mode": "ask"}})
    state.set(["settings", "mode"], "auto")
    with pytest.raises(ToolRejected) as refused:
        state.update(0, ["settings", "mode"], "readOnly")
    assert refused.value.code == "stale_version"
    assert refused.value.details == {"version": 1, "path": ["settings", "mode"], "value": "auto"}
    assert state.get("settings", "mode") == "auto"


def test_updates_of_different_paths_do_not_disturb_each_other() -> None:
    """Two clients that change different paths from the same version both succeed."""
    state = SessionState()
    assert state.update(0, ["client", "left"], 1) is not None
    assert state.update(0, ["client", "right"], 2) is not None


def test_a_change_above_a_path_makes_it_stale() -> None:
    """Replacing a mapping touches everything below it."""
    state = SessionState()
    state.set(["client", "left"], {})
    with pytest.raises(ToolRejected) as refused:
        state.update(0, ["client", "left", "deeper"], 3)
    assert refused.value.code == "stale_version"


@pytest.mark.parametrize(
    "path", [["turn"], ["model", "host"], ["settings"], ["client", ""], ["client", "x" * 201], ["client"] * 9]
)
def test_clients_may_change_only_their_areas(path: list[str]) -> None:
    """Everything else of the state is the daemon's: invalid_arguments naming the field."""
    with pytest.raises(ToolRejected) as refused:
        SessionState().update(0, path, 1)
    assert refused.value.code == "invalid_arguments"
    assert "path" in refused.value.details["fields"]


def test_a_version_from_the_future_and_a_forgotten_one_are_refused() -> None:
    """basedOn must be a version that was seen; where the log no longer reaches, the client must look again."""
    state = SessionState()
    with pytest.raises(ToolRejected) as future:
        state.update(1, ["client", "a"], 1)
    assert future.value.code == "invalid_arguments"
    for number in range(REMEMBERED + 5):
        state.set(["turn"], number)
    with pytest.raises(ToolRejected) as forgotten:
        state.update(1, ["client", "a"], 1)
    assert forgotten.value.code == "stale_version"


def test_values_of_clients_are_bounded() -> None:
    """A value that is too large is refused as too_large."""
    with pytest.raises(ToolRejected) as refused:
        SessionState().update(0, ["client", "a"], "x" * 100_000)
    assert refused.value.code == "too_large"


def changes(operations: list[tuple[list[str], Any]]) -> tuple[SessionState, list[dict[str, Any]]]:
    state = SessionState()
    deltas = [delta.to_wire() for path, value in operations if (delta := state.set(path, value)) is not None]
    return state, deltas


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(PATHS, VALUES), max_size=20), st.randoms(use_true_random=False))
def test_a_replica_comes_out_equal_in_whatever_order_deltas_arrive(operations: list[Any], random: Any) -> None:
    """Deltas twice and out of order, after a first snapshot: the replica ends equal to the state."""
    state, deltas = changes(operations)
    replica = Replica()
    assert replica.needs_snapshot
    arriving = deltas * 2
    random.shuffle(arriving)
    for number, delta in enumerate(arriving):
        if number == len(arriving) // 2:
            replica.apply({"type": "snapshot", "version": 0, "state": {}})
        replica.apply(delta)
    if not arriving:
        replica.apply(state.snapshot())
    assert replica.version == state.version
    assert replica.state == state.snapshot()["state"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(PATHS, VALUES), min_size=2, max_size=20), st.data())
def test_a_replica_that_missed_a_delta_waits_and_a_snapshot_mends_it(
    operations: list[Any], data: st.DataObject
) -> None:
    """With one delta lost nothing after it becomes visible; a snapshot brings everything."""
    state, deltas = changes(operations)
    if not deltas:
        return
    lost = data.draw(st.integers(0, len(deltas) - 1))
    replica = Replica(buffer_limit=3)
    replica.apply({"type": "snapshot", "version": 0, "state": {}})
    for number, delta in enumerate(deltas):
        if number != lost:
            replica.apply(delta)
    assert replica.version == lost
    assert replica.needs_snapshot == (len(deltas) - 1 - lost > 3)
    replica.apply(state.snapshot())
    assert replica.state == state.snapshot()["state"]
    assert not replica.needs_snapshot


def test_an_old_snapshot_does_not_turn_a_replica_back() -> None:
    """A snapshot that is older than what the replica shows is ignored."""
    replica = Replica()
    replica.apply({"type": "snapshot", "version": 5, "state": {"a": 1}})
    assert not replica.apply({"type": "snapshot", "version": 3, "state": {}})
    assert replica.state == {"a": 1}
