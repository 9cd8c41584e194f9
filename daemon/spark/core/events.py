"""What happened to a turn: the input of `core.turn`. Past tense, data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from spark.core.conversation import FunctionCall, TokenUsage
from spark.core.versions import GitPlace


@dataclass(frozen=True, slots=True)
class TurnOpened:
    """The turn begins. For a model turn the prompt is already part of the conversation."""


@dataclass(frozen=True, slots=True)
class TextArrived:
    text: str


@dataclass(frozen=True, slots=True)
class CallArrived:
    """A complete call, from the model or from outside. `writes`: it may change files. `known_output`: it ran before
    (a reconnect, a crash); this is what it answered then and it is not run again. `target`: the file, name or version
    that it is about, to be shown."""

    call: FunctionCall
    writes: bool
    dry_run: bool = False
    known_output: str | None = None
    known_success: bool = True
    target: str = ""


@dataclass(frozen=True, slots=True)
class ResponseFinished:
    status: Literal["completed", "cancelled", "failed", "incomplete"]
    usage: TokenUsage = field(default_factory=TokenUsage)
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class ModelBroke:
    """The backend gave up. `interrupted`: part of this response had arrived."""

    error: Mapping[str, Any]
    interrupted: bool


@dataclass(frozen=True, slots=True)
class CallPrepared:
    """The tool ran and wants these paths changed; nothing has been written. `overwrites`: how many existing files it would
    delete or replace as a whole. `head`: where the checkout stands now."""

    call_id: str
    paths: tuple[str, ...]
    overwrites: int
    head: GitPlace


@dataclass(frozen=True, slots=True)
class CallDone:
    """The call has its answer: read, landed, refused or tried dry. `output` is what the model gets; `error` is the
    `{code, message}` of a refusal."""

    call_id: str
    success: bool
    output: str
    changed: int = 0
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ApprovalDecided:
    """`paths` None: all of them."""

    approval_id: str
    accepted: bool
    paths: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ApprovalExpired:
    approval_id: str


@dataclass(frozen=True, slots=True)
class CancelRequested:
    pass


@dataclass(frozen=True, slots=True)
class BudgetReached:
    """The user's limit of the day is used up: the turn stops after its calls, with this error."""

    error: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EndRequested:
    """The outside agent closes its turn."""


Event = (
    TurnOpened
    | TextArrived
    | CallArrived
    | ResponseFinished
    | ModelBroke
    | CallPrepared
    | CallDone
    | ApprovalDecided
    | ApprovalExpired
    | CancelRequested
    | BudgetReached
    | EndRequested
)
