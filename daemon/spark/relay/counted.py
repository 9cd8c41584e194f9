"""What models cost inside a function call: counted with the turn, and stopped by the same budget of the day."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from spark.core.conversation import TokenUsage
from spark.core.errors import Unavailable
from spark.core.ports import GeneratedCode, ScriptOrder
from spark.relay.parts import Parts

Count = Callable[[TokenUsage, str], None]


class CountedCodeModel:
    """The code model as one turn sees it: its tokens are the turn's."""

    def __init__(self, parts: Parts, count: Count) -> None:
        self._parts = parts
        self._count = count

    async def write_script(self, order: ScriptOrder) -> GeneratedCode:
        refusal = self._parts.budget_refusal()
        if refusal is not None:
            raise refusal
        try:
            generated = await self._parts.code_model.write_script(order)
        except Unavailable as error:
            self._count(spent_in(error), self._parts.model.model)
            raise
        if generated.usage != TokenUsage():
            self._count(generated.usage, generated.model)
        return generated


def spent_in(error: Unavailable) -> TokenUsage:
    """The tokens of a response that failed, where the backend knows them."""
    usage = error.details.get("usage")
    if not isinstance(usage, Mapping):
        return TokenUsage()
    return TokenUsage(usage.get("inputTokens", 0), usage.get("cachedTokens", 0), usage.get("outputTokens", 0))
