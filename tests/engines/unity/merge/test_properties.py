"""Properties of one document that both sides changed: key by key, single values whole, ours' bytes wherever ours did not lose."""

from __future__ import annotations

import pytest

from spark.engines.unity.merge import merge_asset
from tests.engines.unity.merge.assets import asset, clean, conflicting, document, edited, resolved, within

LEVEL, TANK = asset("Level.unity"), asset("Tank.prefab")
BOX, SCRIPT, TRANSFORM = 6501, 11401, 4001


def test_different_properties_of_one_document() -> None:
    """Neighbouring properties changed on each side come together, where a merge by lines has a conflict."""
    ours = within(TANK, BOX, ("m_IsTrigger: 0", "m_IsTrigger: 1"))
    theirs = within(TANK, BOX, ("m_ProvidesContacts: 0", "m_ProvidesContacts: 1"))
    both = within(ours, BOX, ("m_ProvidesContacts: 0", "m_ProvidesContacts: 1"))
    assert clean(TANK, ours, theirs) == clean(TANK, theirs, ours) == both


def test_style_of_ours_stays() -> None:
    """What ours wrote in its own style stays as it is beside theirs' change, and theirs' new bytes come as they are."""
    odd = ("m_Center: {x: 0, y: 0, z: 0}", "m_Center: {x: 0.0, y: 0,\n    z: 0}")
    ours = within(TANK, BOX, odd)
    theirs = within(TANK, BOX, ("m_Size: {x: 1, y: 1, z: 1}", "m_Size: {x: 2.50, y: 1,  z: 1}"))
    merged = document(clean(TANK, ours, theirs), BOX)
    assert odd[1] in merged
    assert "m_Size: {x: 2.50, y: 1,  z: 1}" in merged


def test_only_written_differently() -> None:
    """A value that one side only wrote in another style is not a change against the other side's new value."""
    ours = within(TANK, SCRIPT, ("label: Tank", "label: 'Tank'"), ("speed: 4.5", "speed: 5"))
    theirs = within(TANK, SCRIPT, ("label: Tank", "label: Panzer"))
    merged = document(clean(TANK, ours, theirs), SCRIPT)
    assert "label: Panzer\n" in merged
    assert "speed: 5\n" in merged


@pytest.mark.parametrize(
    ("file_id", "old", "ours", "theirs"),
    [
        (SCRIPT, "speed: 4.5", "speed: 5", "speed: 6"),
        (SCRIPT, "target: {fileID: 4002}", "target: {fileID: 4003}", "target: {fileID: 4004}"),
        (SCRIPT, "aim: {x: 0, y: 1, z: 0}", "aim: {x: 1, y: 1, z: 0}", "aim: {x: 0, y: 1, z: 1}"),
        (
            TRANSFORM,
            "m_LocalRotation: {x: 0, y: 0, z: 0, w: 1}",
            "m_LocalRotation: {x: 1, y: 0, z: 0, w: 1}",
            "m_LocalRotation: {x: 0, y: 1, z: 0, w: 1}",
        ),
        (SCRIPT, "  label: Tank\n", "", "  label: Panzer\n"),
    ],
    ids=["scalar", "reference", "a script's vector", "rotation", "removed and changed"],
)
def test_one_value_changed_twice(file_id: int, old: str, ours: str, theirs: str) -> None:
    """One value that both sides changed is a conflict around its own lines, and keeping one side everywhere gives that side."""
    a, b = within(TANK, file_id, (old, ours)), within(TANK, file_id, (old, theirs))
    for mine, other in ((a, b), (b, a)):
        merged = conflicting(TANK, mine, other)
        assert len(merged.conflicts) == 1
        assert merged.marked is not None
        assert resolved(merged.marked) == (mine, other)
        assert merged.marked.count(b"\n") == mine.count(b"\n") + 3 + len(other.splitlines()) - len(
            [line for line in other.splitlines() if line in mine.splitlines()]
        )


def test_numbers_of_a_position() -> None:
    """A Transform's position and scale are three values, as Unity's own overrides treat them."""
    ours = within(TANK, TRANSFORM, ("m_LocalPosition: {x: 0, y: 0, z: 0}", "m_LocalPosition: {x: 1.5, y: 0, z: 0}"))
    theirs = within(TANK, TRANSFORM, ("m_LocalPosition: {x: 0, y: 0, z: 0}", "m_LocalPosition: {x: 0, y: 0, z: -20}"))
    assert "m_LocalPosition: {x: 1.5, y: 0, z: -20}\n" in document(clean(TANK, ours, theirs), TRANSFORM)
    same = within(TANK, TRANSFORM, ("m_LocalPosition: {x: 0, y: 0, z: 0}", "m_LocalPosition: {x: 2, y: 0, z: 0}"))
    (conflict,) = conflicting(TANK, ours, same).conflicts
    assert conflict.property == "m_LocalPosition"


def test_new_keys_of_both_sides() -> None:
    """Keys that each side added stand where that side put them, ours' before theirs' in the same place."""
    ours = within(
        TANK, SCRIPT, ("  label: Tank\n", "  armor: 3\n  label: Tank\n"), ("  - Gamma\n", "  - Gamma\n  last: 1\n")
    )
    theirs = within(TANK, SCRIPT, ("  label: Tank\n", "  fuel: 9\n  label: Tank\n"), ("  speed: 4.5\n", ""))
    merged = document(clean(TANK, ours, theirs), SCRIPT)
    assert "  armor: 3\n  fuel: 9\n  label: Tank\n" in merged
    assert "speed" not in merged
    assert merged.endswith("  last: 1\n")
    twice = within(TANK, SCRIPT, ("  label: Tank\n", "  armor: 4\n  label: Tank\n"))
    assert [c.property for c in conflicting(TANK, ours, twice).conflicts] == ["armor"]


def test_nested_blocks() -> None:
    """Fields of one structure inside a list item come together; the same field is a conflict named by its path."""
    ours = within(TANK, SCRIPT, ("delay: 0.25", "delay: 0.75"))
    theirs = within(TANK, SCRIPT, ("count: 5", "count: 6"), ("kind: 2", "kind: 4"))
    merged = document(clean(TANK, ours, theirs), SCRIPT)
    assert "  - count: 6\n    delay: 0.75\n" in merged
    assert "kind: 4" in merged
    other = within(TANK, SCRIPT, ("delay: 0.25", "delay: 9"))
    assert [c.property for c in conflicting(TANK, ours, other).conflicts] == ["waves[1].delay"]


def test_first_field_of_an_item() -> None:
    """A conflict on the line of a dash repeats the dash on both sides; where one side has no such field, the mark takes in the
    whole item, so that both choices parse."""
    ours, theirs = within(TANK, SCRIPT, ("count: 5", "count: 6")), within(TANK, SCRIPT, ("count: 5", "count: 7"))
    merged = conflicting(TANK, ours, theirs)
    assert merged.marked is not None
    assert resolved(merged.marked) == (ours, theirs)
    gone = within(TANK, SCRIPT, ("  - count: 5\n    delay", "  - delay"))
    merged = conflicting(TANK, ours, gone)
    assert merged.marked is not None
    assert resolved(merged.marked) == (ours, gone)


def test_a_first_field_that_is_gone() -> None:
    """A first field that one side removed takes its dash to the next one, with the other side's change in the same item."""
    ours = within(TANK, SCRIPT, ("  - count: 5\n    delay", "  - delay"))
    theirs = within(TANK, SCRIPT, ("kind: 1", "kind: 7"))
    for a, b in ((ours, theirs), (theirs, ours)):
        assert "  - delay: 0.25\n    prize: 20\n    kind: 7\n" in document(clean(TANK, a, b), SCRIPT)


def test_a_key_that_comes_twice() -> None:
    """A document with one key twice has no properties to go by: it is merged by lines, and only it."""
    twice = within(TANK, BOX, ("  m_Enabled: 1\n", "  m_Enabled: 1\n  m_Enabled: 1\n"))
    ours = within(twice, BOX, ("m_IsTrigger: 0", "m_IsTrigger: 1"))
    theirs = within(twice, BOX, ("m_Center: {x: 0", "m_Center: {x: 5"))
    merged = clean(twice, ours, within(theirs, SCRIPT, ("speed: 4.5", "speed: 6")))
    assert document(merged, BOX).count("m_Enabled: 1") == 2
    assert "m_IsTrigger: 1" in document(merged, BOX)
    assert "x: 5" in document(merged, BOX)
    other = within(twice, BOX, ("m_IsTrigger: 0", "m_IsTrigger: 3"))
    result = conflicting(twice, ours, other)
    assert result.marked is not None
    assert resolved(result.marked) == (ours, other)
    (conflict,) = result.conflicts
    assert ours.splitlines()[conflict.ours_line - 1] == b"  m_IsTrigger: 1"


def test_a_document_that_does_not_parse() -> None:
    """A document that is no YAML is merged by lines; the others by property."""
    bad = within(TANK, BOX, ("  m_IsTrigger: 0\n", "  m_IsTrigger: 0\n\tbroken\n"))
    ours = within(bad, BOX, ("m_Enabled: 1", "m_Enabled: 0"))
    theirs = within(
        within(bad, BOX, ("m_Material: {fileID: 0}", "m_Material: {fileID: 7}")), SCRIPT, ("speed: 4.5", "speed: 6")
    )
    ours = within(ours, SCRIPT, ("label: Tank", "label: Panzer"))
    expected = within(
        within(ours, BOX, ("m_Material: {fileID: 0}", "m_Material: {fileID: 7}")), SCRIPT, ("speed: 4.5", "speed: 6")
    )
    assert merge_asset("A.prefab", bad, ours, theirs).content == expected


def test_blank_lines_and_long_texts_stay() -> None:
    """Blank lines between fields and texts over several lines belong to what they follow and are never cut."""
    base = within(TANK, SCRIPT, ("  label: Tank\n", "  label: 'a long\n    text\n\n    of lines'\n\n"))
    ours = within(base, SCRIPT, ("speed: 4.5", "speed: 5"))
    theirs = within(base, SCRIPT, ("aim: {x: 0", "aim: {x: 3"))
    assert clean(base, ours, theirs) == within(ours, SCRIPT, ("aim: {x: 0", "aim: {x: 3"))
    text = edited(theirs, ("text\n\n    of", "text\n\n    and more of"))
    assert b"and more of lines'\n\n  target" in clean(base, ours, text)
