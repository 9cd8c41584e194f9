"""The model backends behind one narrow port (`core.ports.ModelLink`), and how one is opened.

Nothing here imports a backend before it is opened: the SDKs are heavy, and the daemon starts without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from spark.adapters.models.choice import (
    REALTIME_MINI_MODEL,
    REALTIME_MODEL,
    ModelChoice,
    choose_model,
    host_of,
    is_loopback,
)
from spark.core.ports import Clock, GeneratedCode, ModelLink, ScriptOrder
from spark.core.reasoning import BackendName

if TYPE_CHECKING:
    from spark.adapters.models.guarded import GuardedModel
    from spark.adapters.resilience import Circuit, CircuitView

__all__ = [
    "BACKENDS",
    "REALTIME_MINI_MODEL",
    "REALTIME_MODEL",
    "ClosableCodeModel",
    "ModelChoice",
    "choose_model",
    "host_of",
    "is_loopback",
    "open_code_model",
    "open_model",
]


class ClosableCodeModel(Protocol):
    """A `CodeModel` whose connections are closed with the daemon."""

    async def write_script(self, order: ScriptOrder) -> GeneratedCode: ...

    async def close(self) -> None: ...


def _open_realtime(choice: ModelChoice, clock: Clock) -> ModelLink:
    from spark.adapters.models.choice import OPENAI_URL
    from spark.adapters.models.openai_realtime import OpenAiRealtime

    return OpenAiRealtime(
        url=choice.url or OPENAI_URL,
        model=choice.model,
        api_key=choice.api_key,
        key_source=choice.key_source,
        host=choice.host,
        clock=clock,
    )


def _open_chat(choice: ModelChoice, clock: Clock) -> ModelLink:
    from spark.adapters.models.choice import OPENAI_URL
    from spark.adapters.models.openai_chat import OpenAiChat

    return OpenAiChat(
        url=choice.url or OPENAI_URL,
        model=choice.model,
        api_key=choice.api_key,
        key_source=choice.key_source,
        host=choice.host,
        tool_mode=choice.tool_mode,
    )


def _open_offline(choice: ModelChoice, clock: Clock) -> ModelLink:
    from spark.adapters.models.offline import OfflineModel

    return OfflineModel(clock=clock)


BACKENDS: Final[dict[BackendName, Callable[[ModelChoice, Clock], ModelLink]]] = {
    "realtime": _open_realtime,
    "chat": _open_chat,
    "offline": _open_offline,
}
"""One entry per backend: what opens it."""


def open_model(
    choice: ModelChoice, *, clock: Clock, listeners: Iterable[Callable[[CircuitView], None]] = ()
) -> GuardedModel:
    """A link to the chosen model behind retries and the circuit `model:HOST`. Nothing is sent before its first response."""
    from spark.adapters.models.guarded import GuardedModel

    return GuardedModel(BACKENDS[choice.backend](choice, clock), model_circuit(choice, clock, listeners))


def model_circuit(
    choice: ModelChoice, clock: Clock, listeners: Iterable[Callable[[CircuitView], None]] = ()
) -> Circuit:
    from spark.adapters.resilience import Circuit

    return Circuit(f"model:{choice.host}", clock=clock, listeners=listeners)


def open_code_model(choice: ModelChoice, *, clock: Clock, circuit: Circuit | None = None) -> ClosableCodeModel:
    """What writes generated scripts: `choice.code_model`, else the session's model; the templates where it is offline.

    It has connections of its own. `circuit`: the session's, so that both leave a failing host alone together.
    """
    from spark.adapters.models.code_model import LinkedCodeModel, OfflineCodeModel

    if choice.backend == "offline":
        return OfflineCodeModel()
    from spark.adapters.models.guarded import GuardedModel

    wanted = _code_choice(choice)
    link = BACKENDS[wanted.backend](wanted, clock)
    return LinkedCodeModel(GuardedModel(link, circuit or model_circuit(wanted, clock)))


def _code_choice(choice: ModelChoice) -> ModelChoice:
    model = choice.code_model or choice.model
    # A model that is no Realtime model is reached by chat completions, at the same place with the same key.
    backend: BackendName = "chat" if choice.backend == "realtime" and "realtime" not in model else choice.backend
    url = choice.url.replace("ws", "http", 1) if choice.url and choice.url.startswith("ws") else choice.url
    return replace(choice, backend=backend, model=model, url=url if backend == "chat" else choice.url)
