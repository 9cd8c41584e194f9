"""The words in which a scripted Realtime server is told what to do. See `tests.fakes.realtime_server`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Wire = Mapping[str, Any]
DEFAULT_USAGE = (120, 64, 30)


@dataclass(frozen=True)
class Say:
    """A message, streamed in `pieces` (default: word by word). `deltas` false: only the whole text at its end."""

    text: str
    pieces: Sequence[str] | None = None
    deltas: bool = True

    def split(self) -> list[str]:
        if self.pieces is not None:
            return list(self.pieces)
        words = self.text.split(" ")
        return [word + " " for word in words[:-1]] + words[-1:]


@dataclass(frozen=True)
class Call:
    """A function call. `args`: a mapping, or the JSON text itself (which may be broken). Unknown names are fine.

    `call_id` None: the server makes one. `item_status` is that of the finished item.
    """

    name: str
    args: Mapping[str, Any] | str = field(default_factory=dict)
    call_id: str | None = None
    item_status: str = "completed"

    @property
    def arguments(self) -> str:
        return self.args if isinstance(self.args, str) else json.dumps(self.args)


Output = Say | Call
Cut = Literal["abort", "silence", "expire", "close"]


@dataclass(frozen=True)
class Answer:
    """One response made of several outputs, with what goes wrong in it.

    `status` other than completed: the last output is cut in the middle and the response ends so, with `reason`
    (`max_output_tokens`, `content_filter`) or, for failed, with `error` (`{"type","code","message"}`).
    `cut`: what happens after `cut_after` deltas instead of the rest: `abort` the TCP connection, `silence` (until it is
    cancelled), `expire` (session_expired, close 1001), `close` with `close_code`.
    `then`: the same, but after the response is done. `noise`: unknown frames and fields everywhere.
    `skip_created`: no `response.created`. `empty_limits_s`: a rate limit is used up and refills after so many seconds.
    """

    outputs: tuple[Output, ...] = ()
    status: Literal["completed", "incomplete", "failed", "cancelled"] = "completed"
    reason: str | None = None
    error: Wire | None = None
    usage: tuple[int, int, int] = DEFAULT_USAGE
    cut: Cut | None = None
    cut_after: int = 1
    close_code: int = 1011
    then: Cut | None = None
    noise: bool = False
    skip_created: bool = False
    empty_limits_s: float | None = None


@dataclass(frozen=True)
class Refuse:
    """The next handshake is answered with an HTTP status."""

    status: int
    code: str = ""
    message: str = "refused by the script"
    retry_after: str | None = None


@dataclass(frozen=True)
class CloseAtOnce:
    """The next connection is accepted and closed with a code before any frame; with `error` an error event comes first."""

    code: int
    reason: str = ""
    error: Wire | None = None


@dataclass(frozen=True)
class NoUpdated:
    """The next connection never answers `session.update`."""


@dataclass(frozen=True)
class NoCreated:
    """The next connection never says `session.created`."""


@dataclass(frozen=True)
class Busy:
    """The next `response.create` is refused because another response is active; `done`: that one then ends."""

    done: bool = False


@dataclass(frozen=True)
class Silence:
    """The next `response.create` is never answered."""


@dataclass(frozen=True)
class Error:
    """The next `response.create` is answered with an error event and nothing else."""

    error: Wire


Conversation = Sequence[Wire]
Step = (
    Say
    | Call
    | Answer
    | Refuse
    | CloseAtOnce
    | NoUpdated
    | NoCreated
    | Busy
    | Silence
    | Error
    | Callable[[Conversation], "Say | Call | Answer"]
)


def Parallel(*calls: Output, **how: Any) -> Answer:
    """One response with several outputs."""
    return Answer(calls, **how)


def fail(code: str, message: str = "failed by the script", *outputs: Output, type: str = "", **how: Any) -> Answer:  # noqa: A002
    """A response that fails, in the middle of its last output if it has any, such as `fail("rate_limit_exceeded")`."""
    return Answer(outputs, status="failed", error={"type": type or code, "code": code, "message": message}, **how)


def incomplete(*outputs: Output, reason: str = "max_output_tokens", **how: Any) -> Answer:
    """A response that is cut off in the middle of its last output."""
    return Answer(outputs, status="incomplete", reason=reason, **how)


def cut(*outputs: Output, after: int = 1, **how: Any) -> Answer:
    """A response during which the TCP connection is aborted, after so many deltas."""
    return Answer(outputs, cut="abort", cut_after=after, **how)
