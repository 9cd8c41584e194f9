"""What the relay is made of: every port it uses, put together once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spark.core.api import ReasoningChoice
from spark.core.conversation import TokenUsage
from spark.core.ports import (
    Clock,
    CodeModel,
    EditorLink,
    Engine,
    Landing,
    ModelLink,
    ProjectFiles,
    ProjectIndex,
    VersionStore,
)
from spark.core.records import Journal
from spark.core.tool import Registry


@dataclass(frozen=True)
class Parts:
    """`cost_usd(model, usage)`: None where the price is unknown. `views`: further sections of `/v1/status`, by name.
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

    def spent_today_usd(self) -> float:
        """What today's turns cost, as far as prices are known."""
        return self.journal.spent_usd(self.clock.now()[:10])
