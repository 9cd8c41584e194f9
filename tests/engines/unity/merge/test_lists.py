"""Lists: by the identity of their items where they have one, by place where places mean something, else as sequences."""

from __future__ import annotations

import pytest

from spark.engines.unity.merge.parts import merged_order
from tests.engines.unity.merge.assets import asset, clean, conflicting, document, edited, resolved, within

LEVEL, TANK, PAINT, TAGS = asset("Level.unity"), asset("Tank.prefab"), asset("Paint.mat"), asset("TagManager.asset")
INSTANCE, MATERIAL = 90010, 2100000
OVERRIDE = """    - target: {{fileID: {0}, guid: 5a1c9e0b7d3f48628c4b6a1e2d9f7035, type: 3}}
      propertyPath: {1}
      value: {2}
      objectReference: {{fileID: 0}}
"""
END = "    m_RemovedComponents: []\n"


def _override(target: int, path: str, value: str) -> str:
    return OVERRIDE.format(target, path, value)


def _appended(content: bytes, *overrides: tuple[int, str, str]) -> bytes:
    return within(content, INSTANCE, (END, "".join(_override(*o) for o in overrides) + END))


def _changed(content: bytes, path: str, old: str, new: str) -> bytes:
    return within(
        content,
        INSTANCE,
        (f"      propertyPath: {path}\n      value: {old}\n", f"      propertyPath: {path}\n      value: {new}\n"),
    )


def test_both_append_overrides() -> None:
    """Overrides that both sides append come one after the other; the same one with the same value comes once."""
    ours = _appended(LEVEL, (6501, "m_IsTrigger", "1"), (1003, "m_IsActive", "0"))
    theirs = _appended(LEVEL, (1003, "m_IsActive", "0"), (6503, "m_Enabled", "0"))
    merged = document(clean(LEVEL, ours, theirs), INSTANCE)
    assert merged.count("propertyPath: m_IsActive") == 1
    assert merged.index("m_IsTrigger") < merged.index("m_IsActive") < merged.index("m_Enabled\n")


def test_one_override_changed_twice() -> None:
    """Two values for one override of one target are a conflict, never two entries; the same path of another target is none."""
    ours, theirs = _changed(LEVEL, "speed", "6", "7"), _changed(LEVEL, "speed", "6", "8")
    merged = conflicting(LEVEL, ours, theirs)
    (conflict,) = merged.conflicts
    assert (conflict.object_name, conflict.class_name) == ("Tank 1", "PrefabInstance")
    assert "11401" in conflict.property
    assert conflict.property.endswith(" speed]")
    assert merged.marked is not None
    assert resolved(merged.marked) == (ours, theirs)
    added = _appended(LEVEL, (6501, "m_Enabled", "0")), _appended(LEVEL, (6501, "m_Enabled", "1"))
    assert len(conflicting(LEVEL, *added).conflicts) == 1
    apart = clean(LEVEL, _appended(LEVEL, (6501, "m_Enabled", "0")), _appended(LEVEL, (6503, "m_Enabled", "1")))
    assert document(apart, INSTANCE).count("propertyPath: m_Enabled") == 2


def test_override_removed_and_changed() -> None:
    """An override that one side reverted and the other changed is a conflict; one that the other left alone is gone."""
    entry = _override(11401, "speed", "6")
    ours = within(LEVEL, INSTANCE, (entry, ""))
    merged = conflicting(LEVEL, ours, _changed(LEVEL, "speed", "6", "8"))
    assert merged.marked is not None
    assert resolved(merged.marked)[0] == ours
    both = clean(LEVEL, ours, _changed(LEVEL, "m_Name", "Tank 1", "Tank 2"))
    assert "propertyPath: speed" not in document(both, INSTANCE)
    assert "value: Tank 2" in document(both, INSTANCE)


def test_numbers_of_a_position_override_are_apart_those_of_a_rotation_are_not() -> None:
    """Overrides of a position merge number by number; two different rotations are a conflict, though no number was changed
    twice, because their mixture is a rotation that nobody made."""
    ours, theirs = _changed(LEVEL, "m_LocalPosition.x", "2", "5"), _changed(LEVEL, "m_LocalPosition.z", "-3", "9")
    merged = document(clean(LEVEL, ours, theirs), INSTANCE)
    assert "value: 5\n" in merged
    assert "value: 9\n" in merged
    ours, theirs = _changed(LEVEL, "m_LocalRotation.x", "0", "0.7"), _changed(LEVEL, "m_LocalRotation.y", "0", "0.7")
    result = conflicting(LEVEL, ours, theirs)
    assert len(result.conflicts) == 2
    assert result.marked is not None
    assert resolved(result.marked) == (ours, theirs)
    same = clean(LEVEL, ours, within(ours, 2, ("m_Fog: 0", "m_Fog: 1")))
    assert same == within(ours, 2, ("m_Fog: 0", "m_Fog: 1"))


def test_an_array_shrinks_below_an_override() -> None:
    """One side shortens an array by override, the other overrides an element beyond the new end: a conflict."""
    base = _appended(LEVEL, (11401, "waves.Array.size", "3"), (11401, "waves.Array.data[2].count", "4"))
    ours = _changed(base, "waves.Array.size", "3", "1")
    theirs = _changed(base, "waves.Array.data[2].count", "4", "9")
    assert any("waves" in c.property for c in conflicting(base, ours, theirs).conflicts)
    assert any("waves" in c.property for c in conflicting(base, theirs, ours).conflicts)
    inside = _changed(base, "waves.Array.size", "3", "5")
    assert "value: 9\n" in document(clean(base, inside, theirs), INSTANCE)


def test_lists_of_an_instance_that_begin_empty() -> None:
    """Removed and added objects of an instance are sets, also where the list was empty before; what both removed is once there."""
    ref = "    - {fileID: %d, guid: 5a1c9e0b7d3f48628c4b6a1e2d9f7035, type: 3}\n"
    a = within(LEVEL, INSTANCE, (END, "    m_RemovedComponents:\n" + ref % 6501 + ref % 11401))
    b = within(LEVEL, INSTANCE, (END, "    m_RemovedComponents:\n" + ref % 11401 + ref % 6503))
    merged = document(clean(LEVEL, a, b), INSTANCE)
    assert (
        "    m_RemovedComponents:\n" + ref % 6501 + ref % 11401 + ref % 6503 + "    m_RemovedGameObjects: []\n"
        in merged
    )
    none = within(a, INSTANCE, (ref % 6501, "")), within(a, INSTANCE, (ref % 11401, ""))
    assert END in document(clean(a, *none), INSTANCE)


def test_children_reordered() -> None:
    """A new order of one side holds, with what the other side added and removed; two different orders are a conflict."""
    left, right, tank = "  - {fileID: 403}\n", "  - {fileID: 404}\n", "  - {fileID: 90011}\n"
    ours = within(LEVEL, 402, (left + right + tank, tank + left + right))
    theirs = within(LEVEL, 402, ("m_LocalScale: {x: 1", "m_LocalScale: {x: 3"))
    assert tank + left + right in document(clean(LEVEL, theirs, ours), 402)
    other = within(LEVEL, 402, (left + right + tank, right + left + tank))
    (conflict,) = conflicting(LEVEL, ours, other).conflicts
    assert conflict.property == "m_Children"


def test_material_properties_by_name() -> None:
    """Both sides' new and changed properties of a material come together by name, keywords as a set."""
    ours = within(
        PAINT,
        MATERIAL,
        ("  - _EMISSION\n", ""),
        ("    - _Metallic: 0\n", "    - _Metallic: 1\n    - _Mode: 2\n"),
        (
            "    - _MainTex:\n        m_Texture: {fileID: 0}\n        m_Scale: {x: 1, y: 1}",
            "    - _MainTex:\n        m_Texture: {fileID: 0}\n        m_Scale: {x: 4, y: 4}",
        ),
    )
    theirs = within(
        PAINT,
        MATERIAL,
        ("  - _NORMALMAP\n", "  - _NORMALMAP\n  - _PARALLAX\n"),
        ("    - _Glossiness: 0.5\n", "    - _Cutoff: 0.25\n    - _Glossiness: 0.75\n"),
        (
            "    - _MainTex:\n        m_Texture: {fileID: 0}",
            "    - _MainTex:\n        m_Texture: {fileID: 2800000, guid: 0123456789abcdef0123456789abcdef, type: 3}",
        ),
    )
    merged = document(clean(PAINT, ours, theirs), MATERIAL)
    assert "  m_ValidKeywords:\n  - _NORMALMAP\n  - _PARALLAX\n  m_Inv" in merged
    assert "    - _Cutoff: 0.25\n    - _Glossiness: 0.75\n    - _Metallic: 1\n    - _Mode: 2\n" in merged
    assert "guid: 0123456789abcdef0123456789abcdef, type: 3}\n        m_Scale: {x: 4, y: 4}\n" in merged
    colour = (
        within(PAINT, MATERIAL, ("_Color: {r: 1", "_Color: {r: 0")),
        within(PAINT, MATERIAL, ("_Color: {r: 1, g: 1", "_Color: {r: 1, g: 0")),
    )
    (conflict,) = conflicting(PAINT, *colour).conflicts
    assert conflict.property == "m_SavedProperties.m_Colors[_Color]"


def test_layers_by_place() -> None:
    """Layers are places: two sides name different ones though the lines are neighbours, one place named twice is a conflict."""
    ours = edited(TAGS, ("  - UI\n  - \n  - \n", "  - UI\n  - Ground\n  - \n"))
    theirs = edited(TAGS, ("  - UI\n  - \n  - \n", "  - UI\n  - \n  - Enemies\n"))
    assert b"  - UI\n  - Ground\n  - Enemies\n" in clean(TAGS, ours, theirs)
    other = edited(TAGS, ("  - UI\n  - \n  - \n", "  - UI\n  - Water2\n  - \n"))
    assert [c.property for c in conflicting(TAGS, ours, other).conflicts] == ["layers[6]"]


def test_tags_and_sorting_layers() -> None:
    """Both sides' new tags and sorting layers are there."""
    ours = edited(
        TAGS,
        ("  - Enemy\n", "  - Enemy\n  - Door\n"),
        ("    locked: 0\n", "    locked: 0\n  - name: Front\n    uniqueID: 77\n    locked: 0\n"),
    )
    theirs = edited(
        TAGS,
        ("  - Enemy\n", "  - Enemy\n  - Key\n"),
        ("    locked: 0\n", "    locked: 0\n  - name: Back\n    uniqueID: 88\n    locked: 0\n"),
    )
    merged = clean(TAGS, ours, theirs)
    assert b"  - Enemy\n  - Door\n  - Key\n" in merged
    assert merged.index(b"uniqueID: 77") < merged.index(b"uniqueID: 88")


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("  - Alpha\n  - Beta\n", "  - Alpha\n  - Beta\n  - Gamma\n  - Delta\n", None),
        (
            "  - Zero\n  - Alpha\n  - Beta\n  - Gamma\n",
            "  - Alpha\n  - Beta\n  - Gamma\n  - Delta\n",
            "  - Zero\n  - Alpha\n  - Beta\n  - Gamma\n  - Delta\n",
        ),
        ("  - Alpha\n  - Two\n  - Gamma\n", "  - Alpha\n  - Beta\n  - Three\n", None),
        ("  - Beta\n  - Gamma\n", "  - Alpha\n  - Beta\n", "  - Beta\n"),
        ("  - Alpha\n  - Beta\n  - Gamma\n  - Ours\n", "  - Alpha\n  - Beta\n  - Gamma\n  - Theirs\n", None),
    ],
    ids=["cut and appended", "both ends", "neighbours", "first and last removed", "both appended"],
)
def test_sequences(ours: str, theirs: str, expected: str | None) -> None:
    """Items without identity merge where equal items keep the changes apart, else the run between them is the conflict."""
    names = "  - Alpha\n  - Beta\n  - Gamma\n"
    # The field before the list is changed too, so that the document is not one side's alone.
    a, b = (within(TANK, 11401, (names, side)) for side in (ours, theirs))
    if expected is None:
        merged = conflicting(TANK, a, b)
        assert merged.marked is not None
        assert resolved(merged.marked) == (a, b)
    else:
        assert document(clean(TANK, a, b), 11401).endswith("  names:\n" + expected)


def test_items_that_are_other_items() -> None:
    """An item that ours replaced by another one is not mixed with theirs' change of the old one."""
    item = "  - count: 5\n    delay: 0.25\n    prize: 20\n    kind: 1\n"
    ours = within(TANK, 11401, (item, "  - count: 9\n    delay: 2\n    prize: 99\n    kind: 1\n"))
    theirs = within(TANK, 11401, ("    kind: 1\n", "    kind: 7\n"))
    merged = conflicting(TANK, ours, theirs)
    assert len(merged.conflicts) == 1
    assert merged.marked is not None
    assert resolved(merged.marked) == (ours, theirs)


def test_merged_order() -> None:
    """Every key of both sides comes exactly once; who moved keys alone decides their order."""
    assert merged_order("abc", "axbc", "abyc") == (list("axbyc"), False)
    assert merged_order("abc", "abcx", "abcy") == (list("abcxy"), False)
    assert merged_order("abc", "abc", "cab") == (list("cab"), False)
    assert merged_order("abc", "cab", "abcy") == (list("cyab"), False)
    assert merged_order("abc", "cab", "bca") == (list("cab"), True)
    assert merged_order("abc", "cab", "cab") == (list("cab"), False)
    assert merged_order("", "xy", "yx") == (list("xy"), False)
