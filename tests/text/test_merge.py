"""Merging by lines: git's answer wherever git's is clean, else a conflict that shows all sides."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spark.text.merge import merge
from tests.text.git_oracle import SOURCE, Git, edited, text_of

_lines = st.lists(st.sampled_from([line + b"\n" for line in SOURCE]), min_size=3, max_size=25)
_edit = st.tuples(
    st.integers(0, 25), st.integers(0, 3), st.lists(st.sampled_from([b"new 1\n", b"new 2\n", b"}\n"]), max_size=3)
)


@pytest.mark.parametrize("windows", [0, 1])
@pytest.mark.parametrize("seed", range(3))
def test_same_as_git_where_git_is_clean(seed: int, windows: int, tmp_path: Path) -> None:
    """Over histories of source-like files, every merge that git does cleanly is ours too, byte for byte or refused, and
    nearly all are merged."""
    git, chance = Git(tmp_path), random.Random(seed)
    clean = refused = 0
    for _ in range(120):
        base = text_of(chance, SOURCE, chance.randint(1, 40), windows)
        ours = edited(chance, base, SOURCE, chance.randint(0, 3))
        theirs = edited(chance, base, SOURCE, chance.randint(0, 3))
        expected = git.merge(base, ours, theirs)
        result = merge(base, ours, theirs)
        if expected is not None:
            clean += 1
            refused += result.content is None
            assert result.content in (None, expected)
    assert clean > 60
    assert refused <= clean // 20


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(base=_lines, ours=_edit, theirs=_edit)
def test_same_as_git_for_one_edit_each(
    base: list[bytes],
    ours: tuple[int, int, list[bytes]],
    theirs: tuple[int, int, list[bytes]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """One edit on each side: where git merges cleanly we give its bytes, or refuse; never other bytes."""
    sides = []
    for at, size, new in (ours, theirs):
        changed = list(base)
        changed[at : at + size] = new
        sides.append(b"".join(changed))
    folder = tmp_path_factory.mktemp("git")
    expected = Git(folder).merge(b"".join(base), *sides)
    shutil.rmtree(folder)
    result = merge(b"".join(base), *sides)
    if expected is not None:
        assert result.content in (None, expected)


@given(_lines, st.binary(max_size=40))
def test_a_side_that_did_not_change_loses_nothing(base: list[bytes], other: bytes) -> None:
    """Where only one side changed, its bytes are the result, whatever they are; also where both did the same."""
    text = b"".join(base)
    assert merge(text, text, other).content == other
    assert merge(text, other, text).content == other
    assert merge(text, other, other).content == other


def test_conflict_shows_all_sides() -> None:
    """A conflict names the line in ours and the text of all three."""
    result = merge(b"a\nb\nc\n", b"a\nOURS\nc\n", b"a\nTHEIRS\nc\n")
    assert result.content is None
    (conflict,) = result.conflicts
    assert (conflict.base, conflict.ours, conflict.theirs, conflict.ours_line) == ("b\n", "OURS\n", "THEIRS\n", 2)


@pytest.mark.parametrize(
    "base",
    [b"\x00\x01\x02", b"\xff\xfea\x00", b"caf\xe9\n", b"a\r\nb\nc\n", b"x" * (2 * 1024 * 1024 + 1)],
    ids=["zero", "utf16", "latin1", "mixed", "large"],
)
def test_what_cannot_be_merged_is_one_conflict_of_the_file(base: bytes) -> None:
    """Binary, UTF-16, other encodings, mixed line ends, large files: a conflict of the whole file, no exception."""
    result = merge(base, base + b"1", base + b"2")
    assert result.content is None
    assert [conflict.ours_line for conflict in result.conflicts] == [0]


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("final", [True, False])
def test_form_is_kept(bom: bytes, newline: bytes, final: bool) -> None:
    """BOM, line ends and a missing final newline go through a merge."""

    def text(*lines: bytes) -> bytes:
        return bom + newline.join(lines) + (newline if final else b"")

    result = merge(text(b"a", b"b", b"c", b"d"), text(b"A", b"b", b"c", b"d"), text(b"a", b"b", b"c", b"D"))
    assert result.content == text(b"A", b"b", b"c", b"D")


def test_changed_line_ends_are_merged_as_such() -> None:
    """A side that turned the whole file to CRLF merges with a side that changed a line."""
    assert merge(b"a\nb\nc\n", b"a\r\nb\r\nc\r\n", b"a\nb\nC\n").content == b"a\r\nb\r\nC\r\n"
    assert merge(b"a\nb\nc\n", b"a\nb\nC\n", b"a\r\nb\r\nc\r\n").content == b"a\r\nb\r\nC\r\n"


def test_a_repeated_file_id_is_a_conflict() -> None:
    """Two sides that each add the same YAML document do not make a file with it twice."""
    base = b"%YAML 1.1\n--- !u!1 &1\nA:\n  x: 1\n--- !u!1 &2\nB:\n  x: 1\n  y: 2\n"
    added = b"--- !u!4 &7\nC: {}\n"
    ours = base.replace(b"--- !u!1 &2", added + b"--- !u!1 &2")
    theirs = base + added
    assert merge(base, ours, theirs).content is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_never_raises(base: bytes, ours: bytes, theirs: bytes) -> None:
    """Any three byte strings get an answer: content or conflicts, never both, never neither."""
    result = merge(base, ours, theirs)
    assert (result.content is None) == bool(result.conflicts)
