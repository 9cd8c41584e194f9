"""Line matching: true, ordered, and never stopped by texts of repeated lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spark.text.lines import git_lines, line_changes, matching_blocks

texts = st.lists(st.sampled_from("abcde"), max_size=60)


@given(texts, texts)
def test_blocks_are_equal_and_in_order(a: list[str], b: list[str]) -> None:
    """Every block names equal lines, blocks rise in both texts, and the last one marks the ends."""
    blocks = matching_blocks(a, b)
    assert blocks[-1] == (len(a), len(b), 0)
    end_a = end_b = 0
    for i, j, size in blocks:
        assert i >= end_a
        assert j >= end_b
        assert a[i : i + size] == b[j : j + size]
        end_a, end_b = i + size, j + size


@given(texts, texts)
def test_changes_rebuild_the_other_text(a: list[str], b: list[str]) -> None:
    """Replacing the changed parts of one text by the other's gives the other."""
    result = list(a)
    for a1, a2, b1, b2 in reversed(line_changes(a, b)):
        result[a1:a2] = b[b1:b2]
    assert result == b


def test_deep_repetition_is_answered() -> None:
    """Texts whose matching nests deeply get an answer (the library's own matcher panics on them)."""
    a = [str(number % (2 + number // 40)) for number in range(4000)]
    b = [str(number % (3 + number // 50)) for number in range(4000)]
    assert matching_blocks(a, b)[-1] == (4000, 4000, 0)


@given(st.text("a\n\r", max_size=30))
def test_git_lines_lose_nothing(text: str) -> None:
    """Lines joined are the text, and only a line feed ends a line."""
    assert "".join(git_lines(text)) == text
    assert all("\n" not in line[:-1] for line in git_lines(text))
