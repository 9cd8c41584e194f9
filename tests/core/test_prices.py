"""What tokens cost, and that what is unknown stays unknown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from spark.core.conversation import TokenUsage
from spark.core.prices import OFFLINE_MODEL, parse_prices

TABLE = parse_prices(
    {"asOf": "2026-01-01", "source": "s", "usdPerMillionTokens": {"m": {"input": 4, "cached": 0.4, "output": 24.0}}}
)


def test_cost() -> None:
    """Cached tokens are a part of the input and cost their own price."""
    assert TABLE.cost_usd("m", TokenUsage(1_000_000, 250_000, 1_000_000)) == pytest.approx(3 + 0.1 + 24)
    assert TABLE.cost_usd("m", TokenUsage()) == 0.0


def test_snapshots_and_unknown_models() -> None:
    """A dated snapshot costs what its model costs; any other model has no known cost; offline costs nothing."""
    usage = TokenUsage(1000, 0, 0)
    assert TABLE.cost_usd("m-2026-02-03", usage) == TABLE.cost_usd("m", usage)
    assert TABLE.cost_usd("m-mini", usage) is None
    assert TABLE.cost_usd("", usage) is None
    assert TABLE.cost_usd(OFFLINE_MODEL, usage) == 0.0


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
@profile(deadline=None, max_examples=100)
def test_cost_is_never_negative(given_input: int, cached: int, output: int) -> None:
    """Even a server that counts more cached than input tokens leads to no negative cost."""
    cost = TABLE.cost_usd("m", TokenUsage(given_input, cached, output))
    assert cost is not None
    assert cost >= 0


@pytest.mark.parametrize(
    ("loaded", "named"),
    [
        ({}, "usdPerMillionTokens"),
        ({"usdPerMillionTokens": {"m": None}}, "m.input"),
        ({"usdPerMillionTokens": {"m": {"input": 1, "cached": "x", "output": 1}}}, "m.cached"),
        ({"usdPerMillionTokens": {"m": {"input": 1, "cached": 1, "output": -1}}}, "m.output"),
        ({"usdPerMillionTokens": {"m": {"input": True, "cached": 1, "output": 1}}}, "m.input"),
    ],
)
def test_bad_tables(loaded: dict[str, Any], named: str) -> None:
    """A table that cannot be one names the entry."""
    with pytest.raises(ValueError, match=named):
        parse_prices(loaded)
