"""Reads the price table that comes with SPARK, once, on first use. Knows nothing of models or usage."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from spark.core.conversation import TokenUsage
from spark.core.prices import PriceTable, parse_prices


@cache
def price_table() -> PriceTable:
    """The table of `spark/prices.yaml`."""
    import yaml

    return parse_prices(yaml.safe_load(files("spark").joinpath("prices.yaml").read_text(encoding="utf-8")))


def cost_usd(model: str, usage: TokenUsage) -> float | None:
    """What a response cost in US dollars; None where the price is unknown; 0.0 for the offline model."""
    return price_table().cost_usd(model, usage)
