"""Every JSON document that a client sends: request bodies of HTTP and the messages of the session socket.

Owns the shapes and their limits, in the public contract's names. Must not know: sockets, status codes, who answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from spark.core import limits
from spark.core.api import Mode, ReasoningChoice, TurnRequest

MAX_ATTACHMENTS = 100
MAX_ID_CHARS = 200

Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS)]
_Attachment = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
_Path = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
# fail_fast: a list of a million wrong items is one finding, not a million.
_Attachments = Annotated[list[_Attachment], Field(fail_fast=True, max_length=MAX_ATTACHMENTS)]
_Paths = Annotated[list[_Path], Field(fail_fast=True, min_length=1, max_length=limits.CHANGES_PER_SET)]
_Ids = Annotated[list[Id], Field(fail_fast=True, max_length=1_000)]
_StatePath = Annotated[list[str | int], Field(fail_fast=True, min_length=1, max_length=32)]


class Wire(BaseModel):
    """Base of all that comes in: camelCase, JSON types as they are (no "true" for true), nothing unknown."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=False, frozen=True, strict=True
    )


class PromptBody(Wire):
    """Body of `POST /v1/turns`. `conversation: "new"` forgets the old one; `external`: an outside agent's calls follow."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=limits.PROMPT_CHARS, pattern=r"\S")]
    reasoning: ReasoningChoice | None = None
    mode: Mode | None = None
    attachments: _Attachments | None = None
    conversation: Literal["new"] | None = None
    external: bool | None = None

    def to_request(self) -> TurnRequest:
        return TurnRequest(
            text=self.text,
            reasoning=self.reasoning,
            mode=self.mode,
            attachments=tuple(self.attachments or ()),
            new_conversation=self.conversation == "new",
            external=bool(self.external),
        )


class CallBody(Wire):
    """Body of `POST /v1/tools/NAME`. The arguments are checked by the function's own model, once, by whoever runs it."""

    arguments: dict[str, Any]
    turn_id: Id | None = None
    dry_run: bool | None = None


class UndoBody(Wire):
    """Body of `POST /v1/turns/ID/undo`; `turns` are undone together with ID, as one plan."""

    turns: _Ids | None = None
    dry_run: bool | None = None


class RestoreBody(Wire):
    """Body of `POST /v1/versions/ID/restore`."""

    dry_run: bool | None = None


class DecisionBody(Wire):
    """Body of `POST /v1/approvals/ID`; without `paths` the decision holds for all files."""

    decision: Literal["accept", "reject"]
    paths: _Paths | None = None


class EmptyBody(Wire):
    """Body of requests that take none; `{}` is accepted."""


class PromptMessage(PromptBody):
    type: Literal["prompt"]
    id: Id | None = None


class CancelMessage(Wire):
    type: Literal["cancel"]
    id: Id | None = None
    turn_id: Id


class DecideMessage(DecisionBody):
    type: Literal["decide"]
    id: Id | None = None
    approval_id: Id


class GetSnapshotMessage(Wire):
    type: Literal["getSnapshot"]
    id: Id | None = None


class UpdateMessage(Wire):
    """A client's own change of the shared state, based on version `based_on`."""

    type: Literal["update"]
    id: Id | None = None
    based_on: Annotated[int, Field(ge=0, le=2**53)]
    path: _StatePath
    value: Any


ClientMessage = Annotated[
    PromptMessage | CancelMessage | DecideMessage | GetSnapshotMessage | UpdateMessage, Field(discriminator="type")
]
"""What the session socket takes."""
CLIENT_MESSAGES: Final[Mapping[str, type[Wire]]] = {
    "prompt": PromptMessage,
    "cancel": CancelMessage,
    "decide": DecideMessage,
    "getSnapshot": GetSnapshotMessage,
    "update": UpdateMessage,
}
