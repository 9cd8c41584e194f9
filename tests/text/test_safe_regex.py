"""Patterns from outside: the useful ones work, those that could take for ever are refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spark.core.errors import ToolRejected
from spark.text.safe_regex import compile_safe

USEFUL = [
    r"class\s+\w+\s*:\s*MonoBehaviour",
    r"\bvoid\s+(Start|Update|Awake)\s*\(",
    r"(?i)speed\s*=\s*\d+(\.\d+)?f?",
    r"foo.*bar",
    r"^\s*//\s*note",
    r"(?:\w+\.)+Log\(",
    r"GetComponent<[^>]+>\(\)",
    r"[A-Z][a-z]{2,5}_\d{1,3}",
    r'"[^"]*"',
    r"(ab|cd)+e",
    r"(?=.*a).*b",
]
ENDLESS = [
    r"(a+)+$",
    r"(a*)*",
    r"(a|a)*b",
    r"(a|ab)*c",
    r"(\w+\s?)*$",
    r"(.*)*x",
    r"((ab)*)*",
    r"(a{0,20}){20}",
    r"(a+){12}$",
]
ENDLESS += [r"(.)\1+" + "(a+)+", "a?" * 30 + "a" * 30, ".*" * 20, r"(\d+|[a-z]+)*x"]


@pytest.mark.parametrize("text", USEFUL)
def test_useful_patterns_are_pythons(text: str) -> None:
    """Patterns as people write them are accepted and find what `re` finds."""
    pattern = compile_safe(text)
    assert pattern.max_line_chars >= 250
    for line in (
        "class A : MonoBehaviour",
        "    void Start ()",
        "Speed = 5.5f;",
        "foo x bar",
        "// note",
        "a.b.Log(1)",
        "ababcde",
        'x "y"',
    ):
        assert bool(pattern.search(line)) == bool(re.search(text, line))


@pytest.mark.parametrize("text", ENDLESS)
def test_endless_patterns_are_refused(text: str) -> None:
    """Patterns that can take exponential time are refused by the field that holds them."""
    with pytest.raises(ToolRejected) as refusal:
        compile_safe(text)
    assert refusal.value.code == "invalid_arguments"
    assert list(refusal.value.details["fields"]) == ["query"]


@pytest.mark.parametrize("text", ["[", "(", "*a", "(?P<x", "a{99999999999}", "x" * 301, r"(?<=a+)b"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    """What `re` does not accept, or is too long, is refused with a code and not an exception of `re`."""
    with pytest.raises(ToolRejected) as refusal:
        compile_safe(text)
    assert refusal.value.code == "invalid_arguments"


_atom = st.sampled_from(["a", "b", ".", r"\w", "[ab]", "[^a]", r"\s", "ab"])
_pattern = st.recursive(
    _atom,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,9}", "*?"])).map(
            lambda x: f"({x[0]}){x[1]}"
        ),
        st.tuples(inner, inner).map(lambda x: f"({x[0]}|{x[1]})"),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=150)
@given(_pattern, st.sampled_from(["", "$", "!", "x"]))
def test_accepted_patterns_end(body: str, tail: str) -> None:
    """Whatever is accepted ends on the lines that make backtracking worst (the test's time limit is the bound)."""
    try:
        pattern = compile_safe(body + tail)
    except ToolRejected:
        assume(False)
        return
    for line in ("a" * 30_000, "ab" * 15_000, "b" * 30_000, "a b" * 10_000):
        pattern.search(line[: pattern.max_line_chars - 1] + "!")
