"""The apply_patch envelope: files, anchors, ends of files; found by context alone, never guessed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.errors import ToolRejected
from spark.text.lines import git_lines, line_changes
from spark.text.patch import apply_hunks, parse_v4a
from spark.text.preserve import decode

TWO = """\
class A
{
    void Update()
    {
        Step();
    }
}
class B
{
    void Update()
    {
        Step();
    }
}
"""


def result(content: str, patch: str) -> str:
    (section,) = parse_v4a(patch)
    return apply_hunks(decode(content.encode()), section.hunks).document.raw


def test_envelope_with_all_kinds_of_files() -> None:
    """Updates, new files, deletions and moves of one patch are read in order."""
    patch = (
        "*** Begin Patch\n*** Update File: Assets/a.cs\n@@\n-a\n+b\n*** Add File: Assets/new.cs\n+one\n+two\n"
        "*** Delete File: Assets/old.cs\n*** Update File: Assets/c.cs\n*** Move to: Assets/d.cs\n@@\n-c\n+d\n*** End Patch\n"
    )
    found = parse_v4a(patch)
    assert [(part.old_path, part.new_path) for part in found] == [
        ("Assets/a.cs", "Assets/a.cs"),
        (None, "Assets/new.cs"),
        ("Assets/old.cs", None),
        ("Assets/c.cs", "Assets/d.cs"),
    ]
    assert apply_hunks(decode(b""), found[1].hunks).document.raw == "one\ntwo\n"


@pytest.mark.parametrize(
    "patch",
    [
        "@@\n-    void Old()\n+    void New()\n",
        "-    void Old()\n+    void New()",
        "*** Begin Patch\n@@\n-    void Old()\n+    void New()\n*** End Patch",
    ],
)
def test_a_missing_envelope_is_no_matter(patch: str) -> None:
    """Hunks alone stand for the file that the call names."""
    (section,) = parse_v4a(patch)
    assert section.old_path == section.new_path == ""
    assert result("x\n    void Old()\ny\n", patch) == "x\n    void New()\ny\n"


def test_an_anchor_decides() -> None:
    """What stands in two classes is found behind the class that the anchor names."""
    hunk = "         Step();\n+        Jump();\n     }\n"
    with pytest.raises(ToolRejected) as refusal:
        result(TWO, "@@\n" + hunk)
    assert refusal.value.code == "ambiguous_match"
    assert result(TWO, "@@ class B\n" + hunk).index("Jump") > TWO.index("class B")
    assert result(TWO, "@@ class A\n" + hunk).index("Jump") <= TWO.index("class B")
    with pytest.raises(ToolRejected):
        result(TWO, "@@ void Update()\n" + hunk)
    assert result(TWO, "@@ class B\n@@ void Update()\n" + hunk).index("Jump") > TWO.index("class B")


def test_hunks_follow_each_other() -> None:
    """A second hunk that fits twice is taken behind the first."""
    patch = "@@\n class B\n-{\n+{ // b\n@@\n-        Step();\n+        Leap();\n"
    assert result(TWO, patch) == TWO.replace("class B\n{", "class B\n{ // b")[: -len("        Step();\n    }\n}\n")] + (
        "        Leap();\n    }\n}\n"
    )


def test_end_of_file_decides() -> None:
    """A hunk marked as the end is found at the end; without context it appends."""
    patch = "@@\n     }\n-}\n+} // end\n*** End of File\n"
    assert result(TWO, patch) == TWO.removesuffix("}\n") + "} // end\n"
    assert result("a\n", "@@\n+appended text\n*** End of File\n") == "a\nappended text\n"


def test_additions_behind_an_anchor() -> None:
    """A hunk of new lines only goes behind its anchor, and without one it is refused."""
    assert result("a\nanchor line\nb\n", "@@ anchor line\n+new text\n") == "a\nanchor line\nnew text\nb\n"
    with pytest.raises(ToolRejected) as refusal:
        result("a\nb\n", "@@\n+new text\n")
    assert refusal.value.code == "patch_does_not_apply"


def test_form_is_kept() -> None:
    """CRLF, a missing final newline and tabs for indentation stay."""
    assert result("a\r\nb\r\nc", "@@\n a\n-b\n+B1\n+B2\n") == "a\r\nB1\r\nB2\r\nc"
    assert result("a\r\nb", "@@\n a\n-b\n+B\n") == "a\r\nB"
    assert result("\tif (x)\n\t\ty();\n", "@@\n if (x)\n-    y();\n+    z();\n") == "\tif (x)\n\t\tz();\n"


@pytest.mark.parametrize(
    "patch",
    [
        "",
        "*** Begin Patch\n*** End Patch",
        "*** Update File: a\n",
        "*** Update File:\n@@\n-a\n+b",
        "*** Add File: a\nno plus",
        "@@\nno sign",
        "*** Frob File: a\n",
    ],
)
def test_what_does_not_fit_is_refused(patch: str) -> None:
    """Text that is no such patch is refused by its field, and where it helps by its line."""
    with pytest.raises(ToolRejected) as refusal:
        parse_v4a(patch)
    assert refusal.value.code in ("invalid_arguments", "patch_does_not_apply")


_lines = st.lists(st.integers(0, 10_000).map(lambda number: f"line {number}"), min_size=4, max_size=30, unique=True)


@settings(deadline=None)
@given(_lines, st.data())
def test_applying_a_generated_patch_gives_the_other_text(lines: list[str], data: st.DataObject) -> None:
    """For texts of distinct lines, hunks made from the difference of two texts turn one into the other."""
    other = list(lines)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(other)))
        other[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.lists(st.sampled_from(["new a", "new b", ""]), max_size=2)
        )
    old, new = git_lines("\n".join(lines) + "\n"), git_lines("\n".join(other) + "\n" if other else "")
    patch = "*** Begin Patch\n*** Update File: f\n"
    for a1, a2, b1, b2 in line_changes(old, new):
        before, after = old[max(a1 - 1, 0) : a1], old[a2 : a2 + 1]
        patch += "@@\n" + "".join(" " + line for line in before)
        patch += "".join("-" + line for line in old[a1:a2]) + "".join("+" + line for line in new[b1:b2])
        patch += "".join(" " + line for line in after)
    if old == new:
        return
    # Neighbouring changes share their context, so hunks may overlap; that is refused, never misapplied.
    with contextlib.suppress(ToolRejected):
        (section,) = parse_v4a(patch + "*** End Patch\n")
        assert apply_hunks(decode("".join(old).encode()), section.hunks).document.raw == "".join(new)
