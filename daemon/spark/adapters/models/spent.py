"""Tokens that a response cost although its end reached nobody: carried by an error in `details["usage"]`, or told late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from spark.core.conversation import TokenUsage
from spark.core.errors import SparkError

LateUsage = Callable[[str, TokenUsage], None]
"""Gets the conversation id and the tokens of a response that was closed before its end."""


@runtime_checkable
class TellsLateUsage(Protocol):
    """A backend that learns what a cancelled response cost, and tells it."""

    late_usage: LateUsage | None


def usage_details(usage: TokenUsage) -> dict[str, int]:
    return {
        "inputTokens": usage.input_tokens,
        "cachedTokens": usage.cached_tokens,
        "outputTokens": usage.output_tokens,
    }


def usage_of(error: SparkError) -> TokenUsage:
    """What the failed response cost; nothing where the error does not say."""
    usage = error.details.get("usage")
    if not isinstance(usage, dict):
        return TokenUsage()
    return TokenUsage(
        int(usage.get("inputTokens", 0)), int(usage.get("cachedTokens", 0)), int(usage.get("outputTokens", 0))
    )
