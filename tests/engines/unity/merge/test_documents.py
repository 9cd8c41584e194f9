"""Documents: matched by file id, taken whole where one side changed them, added where Unity would write them."""

from __future__ import annotations

import pytest

from spark.engines.unity.merge import merge_asset
from tests.engines.unity.merge.assets import (
    NAMES,
    asset,
    clean,
    conflicting,
    document,
    edited,
    meaning,
    resolved,
    within,
    without,
)

LEVEL, TANK = asset("Level.unity"), asset("Tank.prefab")


def _ids(content: bytes) -> list[int]:
    return list(meaning(content))


def _new_object(file_id: int, name: str, father: int) -> str:
    """A game object with its Transform, whose id is the next one."""
    game_object = document(LEVEL, 101).replace("&101", f"&{file_id}").replace("Ground", name)
    game_object = game_object.replace("fileID: 401}", f"fileID: {file_id + 1}}}").replace(
        "  - component: {fileID: 651}\n", ""
    )
    transform = document(LEVEL, 401).replace("&401", f"&{file_id + 1}").replace("fileID: 101}", f"fileID: {file_id}}}")
    return game_object + transform.replace("m_Father: {fileID: 0}", f"m_Father: {{fileID: {father}}}")


def _with_object(content: bytes, file_id: int, name: str, before: int) -> bytes:
    """A new child of Level (402), its documents put before another document."""
    added = within(content, 402, ("  - {fileID: 90011}\n", f"  - {{fileID: 90011}}\n  - {{fileID: {file_id + 1}}}\n"))
    at = added.index(document(added, before).encode())
    return added[:at] + _new_object(file_id, name, 402).encode() + added[at:]


@pytest.mark.parametrize("name", NAMES)
def test_a_side_that_did_not_change_loses_nothing(name: str) -> None:
    """Where one side did not change, the other's bytes are the result, whatever they are; also where both did the same."""
    base = asset(name)
    for other in (base + b"  m_More: 1\n", b"", b"no yaml", base.replace(b"\n", b"\r\n"), b"\x00\x01"):
        assert merge_asset(name, base, base, other).content == other
        assert merge_asset(name, base, other, base).content == other
        assert merge_asset(name, base, other, other).content == other


def test_changes_of_different_documents_are_taken_byte_for_byte() -> None:
    """A document that one side changed comes with that side's own bytes, the style of them included."""
    ours = within(LEVEL, 102, ("m_Name: Level", "m_Name: 'Level'"))
    theirs = within(LEVEL, 651, ("m_Size: {x: 1, y: 1, z: 1}", "m_Size: {x: 4,\n    y: 1, z: 1}"))
    both = within(ours, 651, ("m_Size: {x: 1, y: 1, z: 1}", "m_Size: {x: 4,\n    y: 1, z: 1}"))
    assert clean(LEVEL, ours, theirs) == both
    assert clean(LEVEL, theirs, ours) == both


def test_both_sides_add_an_object() -> None:
    """Two new objects under one parent: both are there, each list has both, the documents ascend as in a scene."""
    ours = _with_object(LEVEL, 700, "Ours", 90010)
    theirs = _with_object(LEVEL, 600, "Theirs", 651)
    merged = clean(LEVEL, ours, theirs)
    assert _ids(merged) == sorted([*_ids(LEVEL), 600, 601, 700, 701])
    parent = document(merged, 402)
    assert parent.index("{fileID: 90011}") < parent.index("{fileID: 701}") < parent.index("{fileID: 601}")


def test_prefab_components_stand_behind_their_object() -> None:
    """Both sides add a component to one object of a prefab: documents stand behind their object in the order of m_Component."""
    new = document(TANK, 6501)
    ours = within(
        TANK, 1002, ("  - component: {fileID: 4002}\n", "  - component: {fileID: 4002}\n  - component: {fileID: 77}\n")
    )
    at = ours.index(document(ours, 1003).encode())
    ours = ours[:at] + new.replace("&6501", "&77").replace("fileID: 1001}", "fileID: 1002}").encode() + ours[at:]
    theirs = within(
        TANK, 1002, ("  - component: {fileID: 4002}\n", "  - component: {fileID: 4002}\n  - component: {fileID: 55}\n")
    )
    at = theirs.index(document(theirs, 1003).encode())
    theirs = theirs[:at] + new.replace("&6501", "&55").replace("fileID: 1001}", "fileID: 1002}").encode() + theirs[at:]
    merged = clean(TANK, ours, theirs)
    assert _ids(merged)[_ids(merged).index(1002) :][:5] == [1002, 4002, 77, 55, 1003]
    assert document(merged, 1002).count("component:") == 3


def test_prefab_objects_stand_in_order() -> None:
    """An object that theirs adds to a prefab stands among the objects by file id, before the group of the next one."""
    game_object = document(TANK, 1004).replace("&1004", "&1000").replace("4004", "4000").replace("Barrel", "First")
    transform = document(TANK, 4004).replace("&4004", "&4000").replace("1004", "1000").replace("4002", "4001")
    theirs = within(TANK, 4001, ("  - {fileID: 4003}\n", "  - {fileID: 4003}\n  - {fileID: 4000}\n"))
    theirs = theirs + (game_object + transform).encode()
    ours = within(TANK, 1004, ("m_Name: Barrel", "m_Name: Gun"))
    merged = clean(TANK, ours, theirs)
    assert _ids(merged)[:3] == [1000, 4000, 1001]


def test_order_is_ours() -> None:
    """Where documents stand in an order of their own, it stays as in ours, and what theirs adds follows what it followed."""
    head, docs = LEVEL[: LEVEL.index(b"--- ")], list(meaning(LEVEL))
    shuffled = head + b"".join(document(LEVEL, i).encode() for i in reversed(docs))
    ours = within(shuffled, 2, ("m_Fog: 0", "m_Fog: 1"))
    theirs = _with_object(shuffled, 600, "New", 651)
    merged = clean(shuffled, ours, theirs)
    order = _ids(merged)
    assert [i for i in order if i not in (600, 601)] == list(reversed(docs))
    assert order.index(600) == order.index(651) - 2


def test_deleted_by_one_untouched_by_the_other() -> None:
    """An object that one side deleted is gone with all its documents, and what the other changed elsewhere is there."""
    ours = within(without(LEVEL, 103, 403), 402, ("  - {fileID: 403}\n", ""))
    theirs = within(LEVEL, 402, ("m_LocalScale: {x: 1, y: 1, z: 1}", "m_LocalScale: {x: 2, y: 2, z: 2}"))
    for a, b in ((ours, theirs), (theirs, ours)):
        merged = clean(LEVEL, a, b)
        assert 103 not in meaning(merged)
        assert "403" not in document(merged, 402)
        assert "x: 2, y: 2" in document(merged, 402)


def test_deleted_by_one_changed_by_the_other() -> None:
    """An object that one side deleted and the other changed is one decision: whoever keeps it gets all its documents and its
    place in the parent's list, whoever deletes it gets none of them."""
    ours = within(without(LEVEL, 103, 403), 402, ("  - {fileID: 403}\n", ""))
    theirs = within(LEVEL, 403, ("m_LocalScale: {x: 1, y: 1, z: 1}", "m_LocalScale: {x: 2, y: 2, z: 2}"))
    merged = conflicting(LEVEL, ours, theirs)
    assert merged.marked is not None
    mine, other = resolved(merged.marked)
    assert meaning(mine) == meaning(ours)
    assert meaning(other) == meaning(theirs)
    assert {c.file_id for c in merged.conflicts} == {"103", "403", "402"}
    assert "deleted" in " ".join(c.why for c in merged.conflicts)
    back = conflicting(LEVEL, theirs, ours).marked
    assert back is not None
    assert resolved(back)[0] == theirs


def test_deleted_by_one_used_by_the_other() -> None:
    """A new reference to an object that the other side deleted is a conflict, never a silent break."""
    ours = within(without(TANK, 1004, 4004), 4002, ("  - {fileID: 4004}\n", "")).replace(
        b"  m_Children:\n  m_Father: {fileID: 4001}", b"  m_Children: []\n  m_Father: {fileID: 4001}"
    )
    theirs = within(TANK, 11401, ("target: {fileID: 4002}", "target: {fileID: 4004}"))
    merged = conflicting(TANK, ours, theirs)
    assert {"1004", "4004"} <= {c.file_id for c in merged.conflicts}
    assert merged.marked is not None
    assert meaning(resolved(merged.marked)[1]) == meaning(theirs)


def test_child_added_to_a_deleted_object() -> None:
    """Ours deleted an object, theirs put a child below it: one conflict over the object and its new child."""
    ours = within(without(LEVEL, 103, 403), 402, ("  - {fileID: 403}\n", ""))
    theirs = within(LEVEL, 403, ("m_Children: []", "m_Children:\n  - {fileID: 601}"))
    theirs = theirs.replace(
        document(theirs, 651).encode(), _new_object(600, "Child", 403).encode() + document(theirs, 651).encode()
    )
    for a, b, kept in ((ours, theirs, 1), (theirs, ours, 0)):
        merged = conflicting(LEVEL, a, b)
        assert merged.marked is not None
        assert {"103", "403", "600", "601"} <= {c.file_id for c in merged.conflicts}
        assert meaning(resolved(merged.marked)[kept]) == meaning(theirs)
        assert meaning(resolved(merged.marked)[1 - kept]) == meaning(ours)


def test_same_file_id_added_twice() -> None:
    """Two different objects that got the same file id are a conflict; the same object added twice comes once."""
    at = LEVEL.index(document(LEVEL, 651).encode())
    added = document(LEVEL, 2).replace("&2\n", "&600\n")
    ours = LEVEL[:at] + added.encode() + LEVEL[at:]
    theirs = within(ours, 600, ("m_FogMode: 3", "m_FogMode: 1"))
    merged = conflicting(LEVEL, ours, theirs)
    assert [c.file_id for c in merged.conflicts] == ["600"]
    again = within(ours, 102, ("m_Name: Level", "m_Name: World"))
    assert clean(LEVEL, ours, again).count(b"&600\n") == 1


def test_both_added_the_file() -> None:
    """Without a base, equal documents come once and different ones are conflicts."""
    theirs = within(LEVEL, 102, ("m_Name: Level", "m_Name: World"))
    merged = conflicting(b"", LEVEL, theirs)
    assert [c.file_id for c in merged.conflicts] == ["102"]
    assert merged.marked is not None
    assert resolved(merged.marked) == (LEVEL, theirs)


def test_conflict_names_the_place() -> None:
    """A conflict says line, document, object, property and both values."""
    ours = within(LEVEL, 651, ("m_IsTrigger: 0", "m_IsTrigger: 1"), ("m_Enabled: 1", "m_Enabled: 0"))
    theirs = within(LEVEL, 651, ("m_IsTrigger: 0", "m_IsTrigger: 2"))
    merged = conflicting(LEVEL, ours, theirs)
    (conflict,) = merged.conflicts
    assert (conflict.file_id, conflict.class_name, conflict.object_name) == ("651", "BoxCollider", "Ground")
    assert conflict.property == "m_IsTrigger"
    assert (conflict.base.strip(), conflict.ours.strip(), conflict.theirs.strip()) == (
        "m_IsTrigger: 0",
        "m_IsTrigger: 1",
        "m_IsTrigger: 2",
    )
    assert ours.splitlines()[conflict.ours_line - 1] == b"  m_IsTrigger: 1"
    assert merged.marked == edited(
        ours,
        ("  m_IsTrigger: 1\n", "<<<<<<< ours\n  m_IsTrigger: 1\n=======\n  m_IsTrigger: 2\n>>>>>>> theirs\n"),
    )


def test_a_changed_kind_of_document_is_a_conflict() -> None:
    """A document that became another class on one side and was changed on the other is not merged by property."""
    ours = edited(LEVEL, ("--- !u!65 &651\nBoxCollider:", "--- !u!135 &651\nSphereCollider:"))
    theirs = within(LEVEL, 651, ("m_IsTrigger: 0", "m_IsTrigger: 1"))
    assert [c.file_id for c in conflicting(LEVEL, ours, theirs).conflicts] == ["651"]
