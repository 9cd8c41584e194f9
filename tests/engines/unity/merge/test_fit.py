"""Keeping one side everywhere: whatever conflicts there are, each choice is a file whose objects fit together."""

from __future__ import annotations

import random

import pytest

from spark.core.patience import GivenUp, giving_up
from spark.engines.unity.merge import merge_asset
from tests.engines.unity.merge.assets import asset, conflicting, document, meaning, resolved, within, without
from tests.engines.unity.merge.scenes import Scene, faults

LEVEL = asset("Level.unity")
_HEAD = b"%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"
_PREFAB = b"guid: 5a1c9e0b7d3f48628c4b6a1e2d9f7035, type: 3}"


@pytest.mark.parametrize("is_prefab", [True, False], ids=["prefab", "scene"])
def test_each_choice_is_consistent(is_prefab: bool) -> None:
    """Two sides move, delete, add and refer: a clean result, ours kept everywhere and theirs kept everywhere all lead nowhere
    wrong: no reference without an object, no object that is its own ancestor, children and parents name each other."""
    chance = random.Random(29)
    conflicts = 0
    for _ in range(900):
        scene = Scene(chance, is_prefab=is_prefab)
        base, ours, theirs = (side.to_bytes() for side in (scene, scene.side(100_000), scene.side(200_000)))
        assert [faults(content) for content in (base, ours, theirs)] == [[], [], []]
        merged = merge_asset("A.unity", base, ours, theirs)
        assert (merge_asset("A.unity", base, theirs, ours).content is None) == (merged.content is None)
        if merged.content is not None:
            assert faults(merged.content) == []
            continue
        conflicts += 1
        assert merged.marked is not None
        assert [faults(choice) for choice in resolved(merged.marked)] == [[], []]
    assert conflicts > 200


def test_a_component_taken_to_two_objects() -> None:
    """Ours gives a component to one object, theirs to another: whoever keeps a side has it in that side's object alone."""
    taken = "  - component: {fileID: 651}\n"
    sides = []
    for owner in (102, 103):
        side = within(
            within(LEVEL, 101, (taken, "")), 651, ("m_GameObject: {fileID: 101}", f"m_GameObject: {{fileID: {owner}}}")
        )
        sides.append(within(side, owner, ("  m_Layer:", f"{taken}  m_Layer:")))
    merged = conflicting(LEVEL, sides[0], sides[1])
    assert {"651", "102", "103"} <= {conflict.file_id for conflict in merged.conflicts}
    assert merged.marked is not None
    assert [meaning(choice) for choice in resolved(merged.marked)] == [meaning(side) for side in sides]


def _overrides(count: int, value: int) -> bytes:
    one = (
        b"    - target: {fileID: %d, "
        + _PREFAB
        + b"\n      propertyPath: m_X\n      value: %d\n      objectReference: {fileID: 0}\n"
    )
    head = b"--- !u!1001 &1\nPrefabInstance:\n  m_Modification:\n    m_TransformParent: {fileID: 0}\n    m_Modifications:\n"
    return _HEAD + head + b"".join(one % (number + 1, value) for number in range(count))


def _listed(ids: range) -> bytes:
    return b"\n" + b"".join(b"  - {fileID: %d}\n" % i for i in ids) if ids else b" []\n"


def _instances(count: int, parent: int) -> bytes:
    parts = [_HEAD]
    for place in (10, 20, 30):
        ids = range(100_000, 100_000 + count) if place == parent else range(0)
        parts.append(b"--- !u!4 &%d\nTransform:\n  m_Children:%b  m_Father: {fileID: 0}\n" % (place, _listed(ids)))
    for i in range(count):
        parts.append(
            b"--- !u!1001 &%d\nPrefabInstance:\n  m_Modification:\n    m_TransformParent: {fileID: %d}\n"
            b"    m_Modifications: []\n--- !u!4 &%d stripped\nTransform:\n  m_PrefabInstance: {fileID: %d}\n"
            % (200_000 + i, parent, 100_000 + i, 200_000 + i)
        )
    return b"".join(parts)


def _components(count: int, name: bytes, value: int = 0) -> bytes:
    listed = b"".join(b"  - component: {fileID: %d}\n" % (10 + i) for i in range(count))
    one = b"--- !u!114 &%d\nMonoBehaviour:\n  m_GameObject: {fileID: 1}\n  v: %d\n"
    head = b"--- !u!1 &1\nGameObject:\n  m_Component:\n%b  m_Name: %b\n" % (listed, name)
    return _HEAD + head + b"".join(one % (10 + i, value) for i in range(count))


def _chains(count: int, x: int, first: int, second: int) -> bytes:
    """Two chains of children; the first one's parent, the second one's parent."""
    parts = [_HEAD]
    for start, other, top, has_other in ((1, 100_001, first, second), (100_001, 1, second, first)):
        for i in range(count):
            below = [start + i + 1] if i < count - 1 else [other] if has_other else []
            parts.append(
                b"--- !u!4 &%d\nTransform:\n  m_LocalPosition: {x: %d, y: 0, z: 0}\n  m_Children:%b  m_Father: {fileID: %d}\n"
                % (
                    start + i,
                    x,
                    _listed(range(below[0], below[0] + 1) if below else range(0)),
                    start + i - 1 if i else top,
                )
            )
    return b"".join(parts)


@pytest.mark.timeout(60)
def test_many_conflicts_in_one_document() -> None:
    """Ten thousand overrides that both sides changed, each a conflict with its own line (the time limit judges the rest)."""
    base, ours, theirs = (_overrides(10_000, value) for value in range(3))
    merged = merge_asset("A.prefab", base, ours, theirs)
    lines = ours.splitlines()
    assert len(merged.conflicts) == 10_000
    assert all(lines[c.ours_line - 1].lstrip().startswith(b"- target") for c in merged.conflicts)


@pytest.mark.timeout(60)
def test_many_objects_moved_by_both() -> None:
    """Ten thousand instances that each side gave another parent (the time limit judges)."""
    base, ours, theirs = (_instances(10_000, parent) for parent in (10, 20, 30))
    merged = merge_asset("A.unity", base, ours, theirs)
    assert len({conflict.file_id for conflict in merged.conflicts}) == 10_002
    assert merged.marked is not None
    assert resolved(merged.marked) == (ours, theirs)


@pytest.mark.timeout(60)
def test_many_components_of_one_object() -> None:
    """Twenty thousand components: added by theirs they stand in theirs' order; changed by both each is a conflict that has its
    object's name (the time limit judges)."""
    base, ours, theirs = _components(1, b"x"), _components(1, b"y"), _components(20_000, b"x")
    assert merge_asset("A.prefab", base, ours, theirs).content == _components(20_000, b"y")
    base, ours, theirs = (_components(8_000, b"x", value) for value in range(3))
    merged = merge_asset("A.prefab", base, ours, theirs)
    assert [conflict.object_name for conflict in merged.conflicts] == ["x"] * 8_000


@pytest.mark.timeout(60)
def test_deep_chains_that_go_round() -> None:
    """Ours hangs the first chain below the last object of the second, theirs the other way round, and every object changed: only
    the two that were moved are conflicts (the time limit judges)."""
    count = 3_000
    base, ours, theirs = _chains(count, 0, 0, 0), _chains(count, 1, 100_000 + count, 0), _chains(count, 0, 0, count)
    merged = merge_asset("A.unity", base, ours, theirs)
    assert {c.file_id for c in merged.conflicts} == {"1", "100001", str(count), str(100_000 + count)}


def test_work_that_nobody_waits_for_ends() -> None:
    """A merge that was given up says so and goes on with nothing."""
    moved = within(LEVEL, 402, ("m_LocalScale: {x: 1", "m_LocalScale: {x: 2"))
    with giving_up(lambda: True), pytest.raises(GivenUp):
        merge_asset("A.unity", LEVEL, moved, without(LEVEL, 651))
    assert document(moved, 402)
