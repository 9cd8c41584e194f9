"""What an edit keeps of a file: encoding, BOM, line ends, final newline, and every byte that it does not touch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark.core.errors import ToolRejected
from spark.text.preserve import Document, Splice, TextForm, decode, keep_final_newline, newline_of

ENCODINGS = [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")]
plain_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), max_size=60)
lines = st.lists(st.tuples(st.text("ab é中", max_size=6), st.sampled_from(["\n", "\r\n"])), max_size=12)


@given(plain_text, st.sampled_from(ENCODINGS))
def test_round_trip(text: str, form: tuple[str, bytes]) -> None:
    """Decoding and encoding gives the same bytes in every encoding that is accepted."""
    content = form[1] + text.encode(form[0])
    assert decode(content).encode() == content


@given(lines, st.data())
def test_splice_touches_nothing_else(parts: list[tuple[str, str]], data: st.DataObject) -> None:
    """Bytes before and behind an edit stay, whatever mixture of line ends a file has."""
    raw = "".join(text + end for text, end in parts)
    document = decode(raw.encode())
    size = len(document.text)
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    changed = document.splice([Splice(start, end, "NEW")])
    before, after = changed.raw.split("NEW")
    assert raw.startswith(before)
    assert raw.endswith(after)
    assert (before.replace("\r\n", "\n"), after.replace("\r\n", "\n")) == (document.text[:start], document.text[end:])


@given(
    st.lists(st.text("ab", max_size=5), min_size=1, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.text("xy\n", max_size=9),
)
def test_inserted_lines_get_the_files_line_ends(rows: list[str], newline: str, new: str) -> None:
    """A file with one kind of line ends still has one kind after any insertion."""
    document = decode(newline.join([*rows, ""]).encode())
    raw = document.splice([Splice(0, 0, new)]).raw
    assert raw.replace("\r\n", "").count("\n") == (0 if newline == "\r\n" else raw.count("\n"))


def test_lines_that_stay_keep_their_ends_in_a_mixed_file() -> None:
    """In a file with both kinds of line ends, replacing a block leaves its unchanged lines as they were."""
    document = decode(b"one\r\ntwo\nthree\r\nfour\n")
    assert document.with_text("one\ntwo\nTHREE\nfour\n").encode() == b"one\r\ntwo\nTHREE\nfour\n"
    assert document.form.mixed


def test_newline_of() -> None:
    """The commoner kind of line end wins, and the default where there is none."""
    assert newline_of("a\r\nb\r\nc\n") == ("\r\n", True)
    assert newline_of("a\nb\n") == ("\n", False)
    assert newline_of("abc", "\r\n") == ("\r\n", False)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00\x00a\x00\x00\x00", b"a\x00b", b"\xe4bc", b"\xff\xfea", b"\xfe\xff\xd8\x00\x00a"]
)
def test_other_encodings_are_refused(content: bytes) -> None:
    """Anything that could not be written back byte for byte is refused as unsupported."""
    with pytest.raises(ToolRejected) as refusal:
        decode(content, path="Assets/a.txt")
    assert refusal.value.code == "unsupported_asset"
    assert refusal.value.details["path"] == "Assets/a.txt"


def test_half_a_character_is_refused() -> None:
    """Text that no encoding can hold is the caller's fault, named by its field."""
    with pytest.raises(ToolRejected) as refusal:
        Document("a\ud800", TextForm()).encode()
    assert refusal.value.code == "invalid_arguments"
    assert "newContent" in refusal.value.details["fields"]


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [("a\n", "b", "b\n"), ("a", "b\n", "b"), ("a\n", "", ""), ("", "b", "b"), ("a", "a\n", "a\n"), ("a\n", "a", "a")],
)
def test_keep_final_newline(before: str, after: str, kept: str) -> None:
    """The final newline stays as it was, unless it is all that the edit is about."""
    assert keep_final_newline(before, after) == kept
