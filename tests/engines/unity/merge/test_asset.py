"""Whole files: which way a file is merged, line ends, byte order mark, final newline, and what is not merged at all."""

from __future__ import annotations

import pytest

from spark.core.paths import ProjectPath
from spark.engines.unity.merge import merge_asset
from spark.text import merge as by_lines
from tests.engines.unity.merge.assets import asset, clean, conflicting, edited, meaning, resolved, within

TANK, META = asset("Tank.prefab"), asset("Tank.prefab.meta")
BOM = b"\xef\xbb\xbf"


def _windows(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


OURS = within(TANK, 6501, ("m_IsTrigger: 0", "m_IsTrigger: 1"))
THEIRS = within(TANK, 6501, ("m_ProvidesContacts: 0", "m_ProvidesContacts: 1"))
BOTH = within(OURS, 6501, ("m_ProvidesContacts: 0", "m_ProvidesContacts: 1"))


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        (_windows(TANK), _windows(OURS), _windows(THEIRS), _windows(BOTH)),
        (TANK, _windows(OURS), THEIRS, _windows(BOTH)),
        (TANK, OURS, _windows(THEIRS), _windows(BOTH)),
        (_windows(TANK), OURS, _windows(THEIRS), BOTH),
        (BOM + TANK, BOM + OURS, BOM + THEIRS, BOM + BOTH),
        (BOM + TANK, OURS, BOM + THEIRS, BOTH),
        (TANK[:-1], OURS[:-1], THEIRS[:-1], BOTH[:-1]),
        (TANK[:-1], OURS[:-1], THEIRS, BOTH),
        (TANK, OURS[:-1], THEIRS, BOTH[:-1]),
    ],
    ids=[
        "CRLF",
        "ours CRLF",
        "theirs CRLF",
        "ours LF",
        "BOM",
        "ours without BOM",
        "no end",
        "theirs ends",
        "ours no end",
    ],
)
def test_frame_follows_who_changed_it(base: bytes, ours: bytes, theirs: bytes, expected: bytes) -> None:
    """Line ends, byte order mark and final newline follow the side that changed them, and hold for all lines."""
    merged = merge_asset("Tank.prefab", base, ours, theirs)
    assert merged.content == expected


def test_mixed_line_ends_stay() -> None:
    """In a file of mixed line ends every line keeps its own."""
    mixed = edited(TANK, ("  label: Tank\n", "  label: Tank\r\n"))
    ours, theirs = (edited(side, ("  label: Tank\n", "  label: Tank\r\n")) for side in (OURS, THEIRS))
    assert merge_asset("A.prefab", mixed, ours, theirs).content == edited(
        BOTH, ("  label: Tank\n", "  label: Tank\r\n")
    )


def test_conflict_marks_have_the_file_s_line_ends() -> None:
    """Marks in a file of CRLF end with CRLF too."""
    theirs = within(TANK, 6501, ("m_IsTrigger: 0", "m_IsTrigger: 2"))
    merged = merge_asset("A.prefab", _windows(TANK), _windows(OURS), _windows(theirs))
    assert merged.marked is not None
    assert merged.marked.count(b"\n") == merged.marked.count(b"\r\n")
    assert resolved(merged.marked) == (_windows(OURS), _windows(theirs))


def test_metas_by_key() -> None:
    """A .meta has no header and is merged by key; a guid that both sides set is a conflict, also without a base."""
    ours = edited(META, ("  userData: \n", "  userData: mine\n"))
    theirs = edited(META, ("  assetBundleName: \n", "  assetBundleName: tanks\n"))
    expected = edited(ours, ("  assetBundleName: \n", "  assetBundleName: tanks\n"))
    path = ProjectPath("Assets/Tank.prefab.meta")
    assert merge_asset(path, META, ours, theirs).content == expected
    other = edited(META, ("guid: 5a1c", "guid: 77aa"))
    again = edited(META, ("guid: 5a1c", "guid: 88bb"))
    for base in (META, b""):
        merged = merge_asset(path, base, other, again)
        assert [c.property for c in merged.conflicts] == ["guid"]
        assert merged.marked is not None
        assert resolved(merged.marked) == (other, again)


def test_a_short_script_meta() -> None:
    """Two lines without a final newline, as newer versions write script metas: the longer form of one side holds."""
    short = b"fileFormatVersion: 2\nguid: 5a1c9e0b7d3f48628c4b6a1e2d9f7035"
    longer = short + b"\nMonoImporter:\n  executionOrder: 100\n"
    assert merge_asset("A.cs.meta", short, longer, short + b"\nlabels:\n- Gun\n").content == (
        short + b"\nMonoImporter:\n  executionOrder: 100\nlabels:\n- Gun\n"
    )
    assert merge_asset("A.cs.meta", b"", longer, short).content == longer


def test_kind_by_content() -> None:
    """git's temporary files have no suffix: what a file is shows in its bytes."""
    assert clean(TANK, OURS, THEIRS, ".merge_file_a1b2c3") == BOTH
    ours = edited(META, ("  userData: \n", "  userData: mine\n"))
    theirs = edited(META, ("  assetBundleName: \n", "  assetBundleName: tanks\n"))
    assert merge_asset(".merge_file_x", META, ours, theirs).content is not None


def test_other_files_by_lines() -> None:
    """Scripts and JSON are merged by lines, as git does it, with marks where it has conflicts."""
    base = b"class A\n{\n    int a;\n\n    int b;\n}\n"
    ours, theirs = base.replace(b"int a", b"float a"), base.replace(b"int b", b"long b")
    assert merge_asset("A.cs", base, ours, theirs) == by_lines.merge(base, ours, theirs)
    theirs = base.replace(b"int a", b"long a")
    merged = merge_asset("A.cs", base, ours, theirs)
    assert merged.marked is not None
    assert resolved(merged.marked) == (ours, theirs)
    assert merged.conflicts[0].ours_line == 3


def test_headers_that_are_none() -> None:
    """Where a side cannot be taken apart (marks of an unfinished merge among its documents, a header that is none, one id
    twice), the whole file is merged by lines."""
    bad = edited(TANK, ("--- !u!65 &6503\n", "--- !u!sixty-five &6503\n"))
    ours = edited(bad, ("  speed: 4.5\n", "  speed: 5\n"))
    theirs = edited(bad, ("m_Name: Barrel", "m_Name: Gun"))
    assert merge_asset("A.prefab", bad, ours, theirs) == by_lines.merge(bad, ours, theirs)
    assert merge_asset("A.prefab", bad, ours, theirs).content is not None


def test_an_emptied_file() -> None:
    """A file that one side emptied and the other changed is a conflict, whatever the change is."""
    for theirs in (THEIRS, TANK + b"--- !u!65 &77\nBoxCollider:\n  m_Enabled: 1\n"):
        for a, b in ((b"", theirs), (theirs, b"")):
            merged = conflicting(TANK, a, b, "A.prefab")
            assert merged.marked is not None
            assert resolved(merged.marked) == (a, b)


def test_a_document_too_large_to_take_apart() -> None:
    """A huge document that both sides changed is one conflict; the rest of the file is merged as ever."""
    big = within(TANK, 6503, ("m_Enabled: 1\n", "m_Enabled: 1\n  m_Data: " + "00" * 2_200_000 + "\n"))
    ours = within(big, 6503, ("m_IsTrigger: 0", "m_IsTrigger: 1"))
    theirs = within(within(big, 6503, ("m_ProvidesContacts: 0", "m_ProvidesContacts: 1")), 1004, ("Barrel", "Gun"))
    merged = conflicting(big, ours, theirs, "A.prefab")
    assert [c.file_id for c in merged.conflicts] == ["6503"]
    assert len(merged.conflicts[0].ours) < 3000
    assert merged.marked is not None
    assert resolved(merged.marked) == (within(ours, 1004, ("Barrel", "Gun")), theirs)


@pytest.mark.parametrize("side", [0, 1, 2])
def test_what_is_no_text(side: int) -> None:
    """Binary files and pointers of Git LFS are one conflict without marks: marks would destroy them."""
    for odd in (b"\x00\x00\x10binary" + TANK, b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"):
        sides = [TANK, OURS, THEIRS]
        sides[side] = odd
        merged = merge_asset("A.asset", *sides)
        assert merged.content is None
        assert merged.conflicts[0].why
        if side:
            assert merged.marked is None


def test_text_that_lines_cannot_merge() -> None:
    """A text that is too large to merge by lines still gets marks, around all of it: both sides are there to choose from."""
    base = b"%YAML 1.1\n--- no header\n" + b"  m_A: 1\n" * 300_000
    ours, theirs = base.replace(b"1", b"2", 2), base + b"x\n"
    merged = merge_asset("A.asset", base, ours, theirs)
    assert merged.content is None
    assert merged.marked is not None
    assert resolved(merged.marked) == (ours, theirs)


def test_the_result_of_marks_is_never_clean() -> None:
    """A result is either content without conflicts or marks with conflicts, never both."""
    good = merge_asset("A.prefab", TANK, OURS, THEIRS)
    assert (good.conflicts, good.marked) == ((), None)
    bad = conflicting(TANK, OURS, within(TANK, 6501, ("m_IsTrigger: 0", "m_IsTrigger: 2")))
    assert bad.content is None
    assert meaning(BOTH) == meaning(good.content or b"")
