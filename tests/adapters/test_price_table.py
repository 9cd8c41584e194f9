"""The price table that comes with SPARK."""

from __future__ import annotations

from datetime import date

from spark.adapters.models import REALTIME_MINI_MODEL, REALTIME_MODEL
from spark.adapters.price_table import cost_usd, price_table
from spark.core.conversation import TokenUsage


def test_the_default_models_have_prices() -> None:
    """The default models are listed, cached input is cheaper than input, and the table has a date and a source."""
    table = price_table()
    assert date.fromisoformat(table.as_of) > date(2026, 1, 1)
    assert table.source.startswith("https://")
    for model in (REALTIME_MODEL, REALTIME_MINI_MODEL):
        price = table.price(model)
        assert price is not None
        assert price.cached_usd < price.input_usd < price.output_usd


def test_costs() -> None:
    """A response of the default model costs what the table says; unknown models cost None; offline costs nothing."""
    assert cost_usd(REALTIME_MODEL, TokenUsage(1_000_000, 0, 0)) == 4.0
    assert cost_usd("qwen2.5-coder", TokenUsage(1, 0, 1)) is None
    assert cost_usd("offline", TokenUsage()) == 0.0
