"""Find and replace, inserts and deletions: one exact and unique place, else a refusal that says where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark.core.errors import ToolRejected
from spark.text.patch import delete, insert, replace
from spark.text.preserve import Document, decode

SCRIPT = """\
public class Hero
{
    void Start()
    {
        speed = 5f;
    }

    void Update()
    {
        Move();
    }
}
"""


def doc(text: str) -> Document:
    return decode(text.encode())


@given(st.text("ab\n", max_size=30), st.text("ab\n", min_size=1, max_size=4), st.text("xy\n", max_size=4))
def test_replace_is_pythons_where_it_is_unique(text: str, old: str, new: str) -> None:
    """A text that is found once is replaced there and nowhere else; found more often it is refused with the count."""
    count = sum(text.startswith(old, at) for at in range(len(text)))
    if count == 1 and new.strip("\n"):
        result = replace(doc(text), old, new)
        expected = text.replace(old, new)
        assert result.matched in ("exact", "alreadyApplied")
        assert result.document.raw in (expected, expected + "\n", expected[:-1])
    elif count > 1 and old != new:
        with pytest.raises(ToolRejected) as refusal:
            replace(doc(text), old, new)
        assert refusal.value.code == "ambiguous_match"
        assert refusal.value.details["count"] == count
        assert len(refusal.value.details["lines"]) == min(count, 20)


@given(st.text("ab\n", max_size=30), st.text("ab", min_size=1, max_size=3), st.text("xy", max_size=4))
def test_replace_all_is_pythons(text: str, old: str, new: str) -> None:
    """`everywhere` replaces all places, as `str.replace` does."""
    if old in text:
        expected = text.replace(old, new)
        assert replace(doc(text), old, new, everywhere=True).document.raw in (expected, expected[:-1])


def test_ambiguity_names_the_lines() -> None:
    """A text found twice is refused with the numbers of its lines."""
    with pytest.raises(ToolRejected) as refusal:
        replace(doc(SCRIPT), "    void ", "    public void ")
    assert refusal.value.code == "ambiguous_match"
    assert refusal.value.details["lines"] == [3, 8]


def test_a_miss_names_the_nearest_lines() -> None:
    """A text that is not there is refused with the lines that come nearest."""
    with pytest.raises(ToolRejected) as refusal:
        replace(doc(SCRIPT), "speed = 6f;", "speed = 7f;")
    assert refusal.value.code == "patch_does_not_apply"
    assert refusal.value.details["nearest"][0] == {"line": 5, "text": "        speed = 5f;"}


def test_trailing_spaces_are_forgiven() -> None:
    """Spaces at line ends, which nobody sees, do not keep a text from being found."""
    text = SCRIPT.replace("{\n        speed", "{  \n        speed")
    result = replace(doc(text), "    {\n        speed = 5f;\n    }", "    {\n        speed = 6f;\n    }")
    assert result.matched == "trailingSpace"
    assert result.document.raw == SCRIPT.replace("5f", "6f")


def test_indentation_is_forgiven_and_kept() -> None:
    """A text given with other indentation is found, and the new text gets the file's (here: tabs)."""
    tabs = SCRIPT.replace("    ", "\t")
    result = replace(
        doc(tabs),
        "void Start()\n{\n    speed = 5f;\n}",
        "void Start()\n{\n    speed = 6f;\n    if (fast)\n        Run();\n}",
    )
    assert result.matched == "indentation"
    assert "\tvoid Start()\n\t{\n\t\tspeed = 6f;\n\t\tif (fast)\n\t\t\tRun();\n\t}\n" in result.document.raw


def test_loose_matches_must_be_unique_too() -> None:
    """Two places that match only loosely are refused as well."""
    text = "\tA();\n  x\n    A();\n"
    with pytest.raises(ToolRejected) as refusal:
        replace(doc(text), "        A();\n", "B();\n")
    assert refusal.value.code == "ambiguous_match"


@pytest.mark.parametrize(
    ("old", "new"),
    [("speed = 5f;", "speed = 6f;"), ("speed = 5f;", "speed = 5f;\n        Jump();"), ("Move();", "Move(speed);")],
)
def test_a_replacement_made_before_is_recognised(old: str, new: str) -> None:
    """The same call sent twice changes the file once, and the second answer says so."""
    once = replace(doc(SCRIPT), old, new)
    again = replace(once.document, old, new)
    assert again.matched == "alreadyApplied"
    assert again.document.raw == once.document.raw


def test_a_generic_text_is_no_proof() -> None:
    """A brace found somewhere does not make a missing text count as replaced before."""
    with pytest.raises(ToolRejected):
        replace(doc("class A { }\n"), "nothing like it", "}")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_inserts_are_whole_lines(newline: str) -> None:
    """Beside an anchor that is a line, text becomes lines, with the line's indentation where both were given without."""
    text = SCRIPT.replace("\n", newline)
    after = insert(doc(text), "void Start()\n    {", "        Init();", where="after").document.raw
    assert after == text.replace(f"{{{newline}        speed", f"{{{newline}        Init();{newline}        speed")
    before = insert(doc(text), "void Update()", "void Awake() { }\n", where="before").document.raw
    assert before == text.replace("    void Update", f"    void Awake() {{ }}{newline}    void Update")


def test_inserts_inside_a_line() -> None:
    """An anchor in the middle of a line takes the text in the line."""
    assert insert(doc("a b c\n"), "b", " x", where="after").document.raw == "a b x c\n"
    assert insert(doc("a b c\n"), "b", "x ", where="before").document.raw == "a x b c\n"
    assert insert(doc("int x;\n"), "int x;", "public ", where="before").document.raw == "public int x;\n"
    assert insert(doc("int x;\n"), "int x;", " // count", where="after").document.raw == "int x; // count\n"


@pytest.mark.parametrize("where", ["before", "after"])
def test_an_insert_made_before_is_recognised(where: str) -> None:
    """A repeated insert does not put its text in twice."""
    new = "    void Extra() { }\n"
    once = insert(doc(SCRIPT), "    void Update()\n", new, where="before" if where == "before" else "after")
    again = insert(once.document, "    void Update()\n", new, where="before" if where == "before" else "after")
    assert again.matched == "alreadyApplied"
    assert once.document.raw.count("Extra") == again.document.raw.count("Extra") == 1


def test_insert_at_the_end_of_a_file_without_final_newline() -> None:
    """Text after the last line stands on a line of its own, and the file still ends without a newline."""
    assert insert(doc("a\nlast"), "last", "more", where="after").document.raw == "a\nlast\nmore"


def test_delete_takes_lines_or_text() -> None:
    """Whole lines go with their line end; text inside a line goes alone."""
    assert delete(doc("a\n  b\nc\n"), "b").document.raw == "a\nc\n"
    assert delete(doc("a b c\n"), " b").document.raw == "a c\n"
    assert delete(doc("a\nb"), "b").document.raw == "a"
    assert delete(doc("x\r\nb\r\nc\r\n"), "b\n").document.raw == "x\r\nc\r\n"


@pytest.mark.parametrize("text", ["a" * 1_000_000, "\n" * 1_000_000, "ab\n" * 300_000, " \n" * 500_000])
def test_no_input_makes_it_hang(text: str) -> None:
    """Large repetitive files and needles are answered at once (the test's own time limit is the bound)."""
    for wanted in (text[: len(text) // 2] + "!", text[: len(text) // 2], "zz zz", "a\n" * 1000 + "b"):
        with pytest.raises(ToolRejected) as refusal:
            replace(doc(text), wanted, "x")
        assert refusal.value.code in ("ambiguous_match", "patch_does_not_apply")


@pytest.mark.parametrize("field", ["", None])
def test_an_empty_search_is_refused(field: str | None) -> None:
    """Nothing to find is the caller's fault, named by its field."""
    with pytest.raises(ToolRejected) as refusal:
        replace(doc("a"), field, "b")
    assert refusal.value.details["fields"] == {"oldContent": "the text to find, not empty"}
