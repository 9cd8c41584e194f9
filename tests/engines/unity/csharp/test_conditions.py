"""Conditions of `#if`."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.engines.unity.csharp.conditions import BadCondition, holds


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("A", True),
        ("B", False),
        ("!B", True),
        ("A && B", False),
        ("A || B", True),
        ("A && !(B || C) // comment", True),
        ("A == B", False),
        ("A != B", True),
        ("A == true && false != A", True),
        ("B || A && C", False),
        ("(A || B) && A", True),
        ("A == B == false", True),
    ],
)
def test_conditions_are_evaluated(condition: str, expected: bool) -> None:
    """Precedence and associativity are those of C#."""
    assert holds(condition, {"A"}) is expected


@pytest.mark.parametrize(
    "condition", ["", "// x", "A B", "A &&", "(A", "A)", "&& A", "A & B", "1", "!", "(" * 200, "A" * 5_000]
)
def test_what_is_no_condition_is_refused(condition: str) -> None:
    """Nonsense is an error, not false."""
    with pytest.raises(BadCondition):
        holds(condition, set())


expressions = st.recursive(
    st.sampled_from(["A", "B", "true", "false"]),
    lambda inner: st.one_of(
        inner.map(lambda x: f"!({x})"),
        st.tuples(inner, st.sampled_from(["&&", "||", "==", "!="]), inner).map(lambda x: f"({x[0]}) {x[1]} ({x[2]})"),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(expressions, st.booleans())
def test_conditions_agree_with_python(condition: str, a: bool) -> None:
    """Every expression has the value that the same one has in Python."""
    python = condition.replace("&&", "and").replace("||", "or").replace("!(", "not (").replace("not (=", "!(=")
    python = python.replace("true", "True").replace("false", "False")
    try:
        expected = eval(f"bool({python})", {"A": a, "B": False})
    except SyntaxError:  # Python's `a == not b` needs parentheses; C#'s does not.
        return
    assert holds(condition, {"A"} if a else set()) is expected
