"""What is to be done next: the output of `core.turn`. Imperative, data only; `relay` carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spark.core.conversation import FunctionCall

TurnStatus = Literal["done", "cancelled", "failed", "compileErrors"]


@dataclass(frozen=True, slots=True)
class AskModel:
    """Ask for the next response over the whole conversation. `note` is told first (an interruption)."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class CancelModel:
    """Stop the running response."""


@dataclass(frozen=True, slots=True)
class RunTool:
    call: FunctionCall
    dry_run: bool


@dataclass(frozen=True, slots=True)
class StopTool:
    """Stop a running tool; answers `CallDone` with `cancelled`. Never sent for a change set that is landing."""

    call_id: str


@dataclass(frozen=True, slots=True)
class LandChanges:
    """Write what the call prepared; `paths` None: all of it."""

    call_id: str
    paths: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class AskApproval:
    """Hold the change set and ask. `reason`: `mode`, `manyFiles` or `headMoved`."""

    approval_id: str
    call_id: str
    reason: Literal["mode", "manyFiles", "headMoved"]


@dataclass(frozen=True, slots=True)
class DropChanges:
    """Do not write what the call prepared; answer it with this refusal (as `CallDone`)."""

    call_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RefuseCall:
    """Answer a call that was never run with this refusal (as `CallDone`)."""

    call_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class TellModel:
    """Put a call's output into the conversation."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class Publish:
    """An event for the clients, as the contract names it."""

    type: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EndTurn:
    status: TurnStatus
    error: Mapping[str, Any] | None = None


Command = (
    AskModel
    | CancelModel
    | RunTool
    | StopTool
    | LandChanges
    | AskApproval
    | DropChanges
    | RefuseCall
    | TellModel
    | Publish
    | EndTurn
)
