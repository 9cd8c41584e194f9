"""What tokens cost: a table with a date. Knows no files; `adapters.price_table` reads `prices.yaml`.

A price that is not in the table is unknown, and an unknown cost is None, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from spark.core.conversation import TokenUsage

OFFLINE_MODEL: Final = "offline"
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_PER: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million text tokens."""

    input_usd: float
    cached_usd: float
    output_usd: float


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices by model name. `as_of`: the day on which they were looked up, `2026-01-31`; `source`: where."""

    as_of: str
    source: str
    prices: Mapping[str, Price]

    def price(self, model: str) -> Price | None:
        """The price of a model or of a dated snapshot of it (`NAME-2026-01-31`); None where unknown."""
        return self.prices.get(model) or self.prices.get(_SNAPSHOT.sub("", model))

    def cost_usd(self, model: str, usage: TokenUsage) -> float | None:
        """What a response cost; None where the price is unknown; 0.0 for the offline model."""
        if model == OFFLINE_MODEL:
            return 0.0
        price = self.price(model)
        if price is None:
            return None
        # `input_tokens` includes the cached ones.
        cached = min(usage.cached_tokens, usage.input_tokens)
        cost = (
            (usage.input_tokens - cached) * price.input_usd
            + cached * price.cached_usd
            + usage.output_tokens * price.output_usd
        )
        return cost / _PER


def parse_prices(loaded: Mapping[str, Any]) -> PriceTable:
    """The table from a parsed `prices.yaml`: `{asOf, source, usdPerMillionTokens: {MODEL: {input, cached, output}}}`.

    Raises `ValueError` naming the entry that is wrong.
    """
    rows = loaded.get("usdPerMillionTokens")
    if not isinstance(rows, Mapping):
        raise ValueError("usdPerMillionTokens: a mapping of model names is needed")
    prices: dict[str, Price] = {}
    for model, row in rows.items():
        prices[str(model)] = Price(*(_amount(str(model), row, name) for name in ("input", "cached", "output")))
    return PriceTable(str(loaded.get("asOf", "")), str(loaded.get("source", "")), prices)


def _amount(model: str, row: object, name: str) -> float:
    value = row.get(name) if isinstance(row, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{model}.{name}: a number of dollars per million tokens is needed")
    return float(value)
