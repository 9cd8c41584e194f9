"""Random edits over own and, where they are at hand, real assets: nothing is lost, sides are alike, lines agree."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from spark.engines.unity.merge import merge_asset
from spark.engines.unity.merge.fit import broken
from spark.engines.unity.merge.version import NotByDocument, version_of
from spark.engines.unity.yaml.split import is_yaml
from spark.text import merge as by_lines
from tests.engines.unity.corpus import corpus_files
from tests.engines.unity.merge.assets import FOLDER, NAMES, asset, meaning, resolved
from tests.engines.unity.merge.edits import mutated, places, with_values
from tests.engines.unity.merge.objects import Hierarchy

_REAL_BYTES = 40_000
"""Larger real files are left to the few that are taken whole."""


def _real(count: int) -> list[Path]:
    files = corpus_files(".unity", ".prefab", ".mat", ".asset", ".controller", ".anim", ".preset", ".vfx")
    return random.Random(11).sample(files, min(count, len(files)))


def _assets(count: int) -> list[tuple[str, bytes]]:
    """All own assets, and some real ones that can be taken apart."""
    found = [(name, asset(name)) for name in NAMES]
    for path in _real(count):
        content = path.read_bytes()
        if is_yaml(content) and len(content) <= _REAL_BYTES:
            try:
                if all(document.parses for document in version_of(content.replace(b"\r\n", b"\n")).documents.values()):
                    found.append((path.name, content))
            except NotByDocument:
                continue
    return found


def test_values_changed_apart_come_together() -> None:
    """Each side sets values of its own properties: the result has both, byte for byte, whichever side is ours."""
    chance = random.Random(3)
    assets = _assets(160)
    assert len(assets) >= len(NAMES)
    for name, base in assets:
        every = places(base)
        owners = sorted({place.owner for place in every})
        for _ in range(2):
            mine = set(chance.sample(owners, len(owners) // 2))
            picked = chance.sample(every, min(len(every), 12))
            a = {p: b"9876" for p in picked if p.owner in mine}
            b = {p: b"54321" for p in picked if p.owner not in mine}
            ours, theirs, both = (with_values(base, values) for values in (a, b, a | b))
            assert merge_asset(name, base, ours, theirs).content == both, name
            assert merge_asset(name, base, theirs, ours).content == both, name


def test_structure_changed_apart() -> None:
    """Random changes on both sides: a clean result parses, has every document, agrees with a clean merge by lines, and is a
    conflict or not whichever side is ours; of a conflict both choices parse and hold what that side has there."""
    chance = random.Random(5)
    assets = _assets(160)
    seen = {"clean": 0, "conflict": 0, "lines clean": 0}
    for number in range(240):
        name, base = assets[number % len(assets)]
        ours, theirs = (mutated(base, chance, chance.randint(1, 6)) for _ in range(2))
        merged, lines = merge_asset(name, base, ours, theirs), by_lines.merge(base, ours, theirs)
        turned = merge_asset(name, base, theirs, ours)
        assert (turned.content is None) == (merged.content is None), name
        if merged.content is None:
            seen["conflict"] += 1
            assert merged.marked is not None
            for side in resolved(merged.marked):
                assert all(document.parses for document in version_of(side).documents.values())
                assert version_of(side).documents.keys() == version_of(base).documents.keys()
            continue
        seen["clean"] += 1
        assert meaning(merged.content).keys() == meaning(base).keys()
        if lines.content is not None:
            seen["lines clean"] += 1
            assert meaning(merged.content) == meaning(lines.content), name
    assert min(seen.values()) > 20, seen


def test_hierarchies_stay_whole() -> None:
    """Both sides add, delete, move and rename objects: a clean result has every document that no side deleted, and all its
    references, parents and children fit; of a conflict that holds for whoever keeps ours everywhere and for theirs."""
    chance = random.Random(17)
    bases = [asset("Level.unity"), asset("Tank.prefab")]
    clean = conflicts = 0
    for number in range(300):
        base = bases[number % 2]
        sides = []
        for _ in range(2):
            side = Hierarchy(base, chance)
            for _ in range(chance.randint(1, 4)):
                side.edit()
            sides.append(side.to_bytes())
        before, ours, theirs = (version_of(content).documents for content in (base, *sides))
        merged = merge_asset("A.unity", base, *sides)
        if merged.content is None:
            conflicts += 1
            assert merged.marked is not None
            for choice in resolved(merged.marked):
                assert not broken(version_of(choice).documents, ours, theirs)
            continue
        clean += 1
        result = version_of(merged.content).documents
        assert not broken(result, ours, theirs)
        deleted = (before.keys() - ours.keys()) | (before.keys() - theirs.keys())
        assert result.keys() == (ours.keys() | theirs.keys()) - deleted
    assert min(clean, conflicts) > 40


def test_whole_real_files_one_side_wins_where_the_other_is_still() -> None:
    """Over every asset at hand: with a change on one side only, the result is that side, byte for byte."""
    paths = [FOLDER / name for name in NAMES] + list(corpus_files())
    for path in paths:
        base = path.read_bytes()
        other = base.replace(b"0", b"1")
        assert merge_asset(path.name, base, base, other).content == other
        assert merge_asset(path.name, base, other, base).content == other
        assert merge_asset(path.name, base, other, other).content == other


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 5))
def test_conflicts_hold_both_sides(name: str, seed: int, ours_edits: int, theirs_edits: int) -> None:
    """Whatever was edited: a line that a side has and the base has not is in the result or between its marks, unless that
    very line was taken out as part of the other side's decision."""
    base, chance = asset(name), random.Random(seed)
    ours, theirs = mutated(base, chance, ours_edits), mutated(base, chance, theirs_edits)
    merged = merge_asset(name, base, ours, theirs)
    result = merged.content if merged.content is not None else merged.marked
    assert result is not None
    held = set(result.splitlines())
    for side in (ours, theirs):
        new = set(side.splitlines()) - set(base.splitlines())
        # Numbers of one vector may come together on one line of neither side.
        lost = {line for line in new - held if b"{x: " not in line}
        assert not lost


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200),
    st.binary(max_size=200),
    st.binary(max_size=200),
    st.sampled_from(["A.unity", "A.meta", "x"]),
)
def test_never_raises(base: bytes, ours: bytes, theirs: bytes, name: str) -> None:
    """Any bytes give an answer: content, or conflicts."""
    for head in (b"", b"%YAML 1.1\n--- !u!1 &1\nA:\n  b: ", b"fileFormatVersion: 2\n"):
        merged = merge_asset(name, head + base, head + ours, head + theirs)
        assert (merged.content is None) == bool(merged.conflicts)
