"""Property paths."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.errors import ToolRejected
from spark.engines.unity.yaml.paths import Named, Step, parse_path, shown


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("m_Name", ("m_Name",)),
        ("m_LocalPosition.x", ("m_LocalPosition", "x")),
        ("m_Materials[1]", ("m_Materials", 1)),
        ("m_Materials.Array.data[1].x", ("m_Materials", 1, "x")),
        ("a[0][1]", ("a", 0, 1)),
        ("m_Colors[_BaseColor].r", ("m_Colors", Named("_BaseColor"), "r")),
        ('"a.b"."[c]"', ("a.b", "[c]")),
        ('"say \\"x\\""', ('say "x"',)),
        ("near clip plane", ("near clip plane",)),
        ("<Name>k__BackingField", ("<Name>k__BackingField",)),
    ],
)
def test_paths(text: str, steps: tuple[Step, ...]) -> None:
    """Keys, items, names of items, Unity's own spelling of items, and keys in quotes."""
    assert parse_path(text) == steps
    assert [type(step) for step in parse_path(text)] == [type(step) for step in steps]


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a[", "a]", "a[]", "a[-1]", 'a"b', '"a', "a[0]b", "x" * 2001]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    """With the field and examples of what would be accepted."""
    with pytest.raises(ToolRejected) as caught:
        parse_path(text, field="where")
    assert caught.value.code == "invalid_arguments"
    assert "where" in caught.value.details["fields"]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.text(max_size=8) | st.integers(0, 999), min_size=1, max_size=4).filter(
        lambda steps: isinstance(steps[0], str)
    )
)
def test_what_is_shown_can_be_read(steps: list[str | int]) -> None:
    """Any key and number comes through, but for a key that is spelled as Unity spells items."""
    text = shown(tuple(steps))
    if ".Array.data[" not in text:
        assert parse_path(text) == tuple(steps)
