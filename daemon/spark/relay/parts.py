"""What the relay is made of: every port it uses, put together once by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spark.core.api import ReasoningChoice
from spark.core.conversation import TokenUsage
from spark.core.engine import Engine
from spark.core.errors import Unavailable
from spark.core.ports import (
    Clock,
    CodeModel,
    EditorLink,
    Landing,
    ModelLink,
    ProjectFiles,
    ProjectIndex,
    VersionStore,
)
from spark.core.records import Journal
from spark.core.tool import Registry


async def _at_once(_: str) -> None:
    return None


@dataclass(frozen=True)
class Parts:
    """`settled`: waits until the index holds what a tool needs (`Tool.index`), within limits of its own.
    `cost_usd(model, usage)`: None where the price is unknown. `views`: further sections of `/v1/status`, by name.
    `problems`: what makes the daemon unhealthy right now, as sentences."""

    clock: Clock
    files: ProjectFiles
    index: ProjectIndex
    store: VersionStore
    landing: Landing
    engine: Engine
    editor: EditorLink
    model: ModelLink
    code_model: CodeModel
    journal: Journal
    registry: Registry
    reasoning: ReasoningChoice
    budget_usd: float
    context_chars: int
    cost_usd: Callable[[str, TokenUsage], float | None]
    project: Mapping[str, Any] = field(default_factory=dict)
    views: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    problems: Callable[[], list[str]] = list
    settled: Callable[[str], Awaitable[None]] = _at_once

    def spent_today_usd(self) -> float:
        """What today's turns cost, as far as prices are known."""
        return self.journal.spent_usd(self.clock.now()[:10])

    def budget_refusal(self) -> Unavailable | None:
        """What a model that costs money is refused with when the day's limit is used up; None while something is left."""
        spent = self.spent_today_usd()
        if spent < self.budget_usd or self.model.backend == "offline":
            return None
        hours, minutes, seconds = (int(part) for part in self.clock.now()[11:19].split(":"))
        return Unavailable(
            "quota_exceeded",
            f"today's limit of {self.budget_usd:.2f} USD is used up ({spent:.2f} USD)",
            hint="Raise SPARK_BUDGET_USD, or go on tomorrow (days are counted in UTC).",
            details={
                "budgetUsd": self.budget_usd,
                "spentUsd": spent,
                "leftUsd": 0.0,
                "retryAfterS": 86_400 - hours * 3600 - minutes * 60 - seconds,
            },
            counts=False,
        )
