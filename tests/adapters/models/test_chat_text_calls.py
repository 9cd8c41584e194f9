"""Calls within text: nothing is lost, nothing depends on how a stream is cut."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from spark.adapters.models.chat_text_calls import CallsInText, TextCall

NAMES = frozenset({"readFile"})
FRAGMENTS = st.sampled_from(
    [
        "```",
        "```json\n",
        "\n```",
        "<tool_call>",
        "</tool_call>",
        "<tools>",
        "</tools>",
        '{"name": "readFile", "arguments": {"path": "A"}}',
        '{"name": "other", "arguments": {}}',
        '{"a": "```"}',
        "{",
        "[",
        "text ",
        "\n",
        "<too",
        "`",
    ]
)


def _run(pieces: list[str]) -> tuple[str, list[TextCall]]:
    filtered = CallsInText(NAMES)
    shown = "".join(filtered.feed(piece) for piece in pieces)
    rest, calls = filtered.finish()
    return shown + rest, calls


@given(st.lists(FRAGMENTS | st.text(max_size=8), max_size=8), st.integers(1, 9))
@settings(deadline=None, max_examples=300)
def test_cuts_do_not_matter(fragments: list[str], size: int) -> None:
    """Whole, cut at fragments or cut at any width: text and calls are the same."""
    whole = "".join(fragments)
    expected = _run([whole])
    assert _run(fragments) == expected
    assert _run([whole[start : start + size] for start in range(0, len(whole), size)]) == expected


@given(st.lists(FRAGMENTS | st.text(max_size=8), max_size=8))
@settings(deadline=None, max_examples=300)
def test_text_without_calls_is_untouched(fragments: list[str]) -> None:
    """Where no call was found, the text comes out exactly as it went in."""
    whole = "".join(fragments)
    text, calls = _run([whole])
    if not calls:
        assert text == whole


def test_fence_with_backticks_inside() -> None:
    """Backticks within a JSON string do not end its fence."""
    call = '{"name": "readFile", "arguments": {"path": "a```b"}}'
    assert _run([f"```json\n{call}\n```"]) == ("", [TextCall("readFile", '{"path": "a```b"}')])
