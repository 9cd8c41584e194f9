"""Parents and children: what each side moved fits together in the result, or is a conflict with both places marked."""

from __future__ import annotations

import random

from spark.engines.unity.merge.order import document_order
from spark.engines.unity.merge.version import version_of
from tests.engines.unity.merge.assets import asset, clean, conflicting, document, meaning, resolved, within

LEVEL = asset("Level.unity")


def _moved(content: bytes, transform: int, old: int, new: int) -> bytes:
    """A Transform taken from one parent's children and given to another's, as the Editor writes it."""
    content = within(content, transform, (f"m_Father: {{fileID: {old}}}", f"m_Father: {{fileID: {new}}}"))
    item = f"  - {{fileID: {transform}}}\n"
    left = document(content, old)
    content = content.replace(
        left.encode(), left.replace(item, "").replace("m_Children:\n  m_F", "m_Children: []\n  m_F").encode()
    )
    got = document(content, new)
    with_it = got.replace("m_Children: []\n", "m_Children:\n").replace("  m_Father:", item + "  m_Father:")
    return content.replace(got.encode(), with_it.encode())


def test_different_objects_moved() -> None:
    """Each side moved another object: both stand in their new place, once."""
    ours, theirs = _moved(LEVEL, 403, 402, 401), _moved(LEVEL, 404, 402, 401)
    merged = clean(LEVEL, ours, theirs)
    assert "  - {fileID: 403}\n  - {fileID: 404}\n" in document(merged, 401)
    assert "  m_Children:\n  - {fileID: 90011}\n" in document(merged, 402)


def test_one_object_moved_to_two_places() -> None:
    """One object that each side gave another parent is a conflict, marked in its parent and in both lists of children, so that
    keeping one side everywhere gives that side's hierarchy."""
    ours, theirs = _moved(LEVEL, 403, 402, 401), _moved(LEVEL, 403, 402, 404)
    merged = conflicting(LEVEL, ours, theirs)
    assert {(c.file_id, c.property.partition("[")[0]) for c in merged.conflicts} >= {
        ("403", "m_Father"),
        ("401", "m_Children"),
        ("404", "m_Children"),
    }
    assert merged.marked is not None
    mine, other = resolved(merged.marked)
    assert (meaning(mine), meaning(other)) == (meaning(ours), meaning(theirs))


def test_two_moves_that_go_round() -> None:
    """Ours puts Left into Right, theirs Right into Left: each fits alone, together they would hang on nothing."""
    ours, theirs = _moved(LEVEL, 403, 402, 404), _moved(LEVEL, 404, 402, 403)
    merged = conflicting(LEVEL, ours, theirs)
    assert {"403", "404"} <= {c.file_id for c in merged.conflicts}
    assert merged.marked is not None


def test_an_instance_moved_to_two_places() -> None:
    """The same for a prefab instance, whose place stands in its overrides."""
    stripped = "  - {fileID: 90011}\n"
    sides = []
    for new in (401, 404):
        side = within(LEVEL, 90010, ("m_TransformParent: {fileID: 402}", f"m_TransformParent: {{fileID: {new}}}"))
        side = within(side, 402, (stripped, ""))
        sides.append(within(side, new, ("m_Children: []\n", f"m_Children:\n{stripped}")))
    merged = conflicting(LEVEL, sides[0], sides[1])
    assert {"90010", "401", "404"} == {c.file_id for c in merged.conflicts}
    assert merged.marked is not None
    mine, other = resolved(merged.marked)
    assert (meaning(mine), meaning(other)) == (meaning(sides[0]), meaning(sides[1]))


def test_moved_by_one_below_what_the_other_deleted() -> None:
    """Ours moves an object below one that theirs deletes: a conflict, not an object without a parent."""
    ours = _moved(LEVEL, 404, 402, 403)
    theirs = within(LEVEL, 402, ("  - {fileID: 403}\n", ""))
    for file_id in (103, 403):
        theirs = theirs.replace(document(theirs, file_id).encode(), b"")
    merged = conflicting(LEVEL, ours, theirs)
    assert "403" in {c.file_id for c in merged.conflicts}
    assert merged.marked is not None
    mine, other = resolved(merged.marked)
    assert meaning(mine) == meaning(ours)
    assert meaning(other) == meaning(theirs)


def test_what_was_broken_before_is_no_conflict() -> None:
    """A list of children that was wrong in the base and in both sides stays as it is."""
    broken = within(LEVEL, 402, ("  - {fileID: 404}\n", ""))
    ours = within(broken, 402, ("m_LocalScale: {x: 1", "m_LocalScale: {x: 2"))
    theirs = within(broken, 404, ("m_LocalScale: {x: 1", "m_LocalScale: {x: 3"))
    both = within(ours, 404, ("m_LocalScale: {x: 1", "m_LocalScale: {x: 3"))
    from spark.engines.unity.merge import merge_asset

    assert merge_asset("Level.unity", broken, ours, theirs).content == both


def test_no_document_is_lost_by_ordering() -> None:
    """However documents stand and refer to each other, each comes exactly once."""
    documents = version_of(LEVEL).documents | version_of(asset("Tank.prefab")).documents
    for classes in (documents, {i: d for i, d in documents.items() if d.class_id not in (104, 1660057539)}):
        chance = random.Random(7)
        for _ in range(300):
            ids = list(classes)
            chance.shuffle(ids)
            ours = ids[: chance.randrange(len(ids) + 1)]
            theirs = chance.sample(ids, chance.randrange(len(ids) + 1))
            order = document_order(ours, theirs, classes)
            assert sorted(order) == sorted({*ours, *theirs})
            assert [i for i in order if i in ours] == ours or sorted(ours) == ours
