"""What the daemon offers to its clients, whatever the wire: HTTP, WebSocket, command line, MCP, the Editor plugin.

`adapters.http` turns requests into these and answers back into JSON; `relay` implements `DaemonApi`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from spark.core.versions import HistoryPage, Version

Mode = Literal["ask", "auto", "readOnly"]
ReasoningChoice = Literal["creative", "deterministic", "auto"]


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One prompt. `external`: no model is asked, an outside agent's calls follow. `new_conversation`: forget the old one."""

    text: str
    reasoning: ReasoningChoice | None = None
    mode: Mode | None = None
    attachments: tuple[str, ...] = ()
    new_conversation: bool = False
    external: bool = False


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One function call from outside a model. Without `turn_id` it is a turn of its own."""

    name: str
    arguments: Mapping[str, Any]
    turn_id: str | None = None
    dry_run: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """The answer to a call as it goes on the wire: `status` is the HTTP status, `body` the contract's JSON."""

    status: int
    body: Mapping[str, Any]


class DaemonApi(Protocol):
    """Everything a client may ask for. Methods raise `SparkError` for refusals; wire shapes are camelCase mappings."""

    def ready(self) -> bool:
        """True as soon as calls can be served."""
        ...

    def status(self) -> dict[str, Any]: ...

    def tools(self) -> list[dict[str, Any]]:
        """`[{name, description, inputSchema}]`."""
        ...

    async def call(self, request: CallRequest) -> CallOutcome: ...

    async def start_turn(self, request: TurnRequest) -> str:
        """Starts a turn and returns its id; its events follow on `events`. One model turn runs at a time, others wait."""
        ...

    def turns(self, *, limit: int = 50, before: str | None = None) -> dict[str, Any]:
        """`{"turns": [...], "next": …}` newest first."""
        ...

    def turn(self, turn_id: str) -> dict[str, Any]:
        """Raises `not_found`."""
        ...

    async def cancel_turn(self, turn_id: str) -> dict[str, Any]: ...

    async def end_turn(self, turn_id: str) -> dict[str, Any]:
        """Closes an external turn."""
        ...

    async def undo(self, turn_ids: Sequence[str], *, dry_run: bool = False) -> CallOutcome: ...

    async def restore(self, version_id: str, *, dry_run: bool = False) -> CallOutcome: ...

    async def decide(
        self, approval_id: str, decision: Literal["accept", "reject"], paths: Sequence[str] | None = None
    ) -> dict[str, Any]: ...

    def history(
        self, *, path: str | None = None, turn_id: str | None = None, limit: int = 50, before: str | None = None
    ) -> HistoryPage: ...

    def version(self, version_id: str) -> Version:
        """Raises `not_found`."""
        ...

    def version_content(self, version_id: str) -> bytes:
        """Raises `not_found` where the bytes were not kept."""
        ...

    async def check(self, path: str | None = None) -> dict[str, Any]:
        """Findings of a file, a folder or the whole project: `{"findings": [...], "checked": N}`. Raises `not_found`."""
        ...

    def usage(self, by: Literal["day", "model", "turn"]) -> dict[str, Any]: ...

    def events(self, turn_id: str | None = None) -> AsyncGenerator[Mapping[str, Any]]:
        """Turn events as wire mappings, from now on; of one turn: from its first event to `turnFinished`, then it ends.

        A subscriber that lags more than `limits.CLIENT_QUEUE` events is ended with `ProtocolError(1013, …)`.
        """
        ...

    def snapshot(self) -> dict[str, Any]:
        """`{"type":"snapshot","version":N,"state":{…}}`."""
        ...

    def deltas(self) -> AsyncGenerator[Mapping[str, Any]]:
        """`{"type":"delta","version":N,"path":[…],"value":…}` from now on, without gaps."""
        ...

    def update_state(self, based_on: int, path: Sequence[str | int], value: Any) -> dict[str, Any]:
        """A client's own change; answers its delta. Raises `stale_version` where the path was touched since `based_on`."""
        ...

    def client_connected(self) -> None:
        """Counts clients, so that a daemon started for one command ends ten minutes after the last."""
        ...

    def client_gone(self) -> None: ...
