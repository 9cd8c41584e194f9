"""Errors by whose fault they are. Anything else that is raised is our own bug and is allowed to crash.

Each error that reaches a caller carries a code of the public contract; `HTTP_STATUS` is the one place that maps codes
to statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

HTTP_STATUS: Final[Mapping[str, int]] = {
    "invalid_arguments": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "path_outside_project": 403,
    "protected_path": 403,
    "read_only": 403,
    "approval_required": 403,
    "approval_denied": 403,
    "unknown_tool": 404,
    "not_found": 404,
    "conflict": 409,
    "stale_version": 409,
    "already_exists": 409,
    "unsaved_changes": 409,
    "already_running": 409,
    "cancelled": 409,
    "idempotency_mismatch": 409,
    "too_large": 413,
    "invalid_script": 422,
    "invalid_asset": 422,
    "unsupported_asset": 422,
    "patch_does_not_apply": 422,
    "ambiguous_match": 422,
    "broken_reference": 422,
    "rate_limited": 429,
    "quota_exceeded": 429,
    "internal": 500,
    "model_unavailable": 503,
    "editor_unavailable": 503,
    "cloud_unavailable": 503,
    "circuit_open": 503,
    "timeout": 504,
}


class SparkError(Exception):
    """A refusal with a code of the contract, a sentence, what would have worked, and details for programs."""

    def __init__(self, code: str, message: str, *, hint: str = "", details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details: dict[str, Any] = dict(details or {})

    def to_wire(self) -> dict[str, Any]:
        """`{code, message, hint, details}` as in the contract."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "details": self.details}


class ToolRejected(SparkError):
    """The caller's fault (a model, a program, a person): told what would have worked; nothing was written."""


class Unavailable(SparkError):
    """The world's fault (network, model, Editor, cloud). The only kind that is retried or counted by a breaker.

    `retry_after_s` is set where the peer named a time. `counts` is false for what says nothing about the peer's
    health (a quota, a wrong key, a full rate limit): neither retried nor counted.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        details: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
        counts: bool = True,
    ) -> None:
        super().__init__(code, message, hint=hint, details=details)
        self.retry_after_s = retry_after_s
        self.counts = counts


class ProtocolError(Exception):
    """The peer's fault on a socket: the close code and the reason it is told."""

    def __init__(self, close_code: int, reason: str) -> None:
        super().__init__(reason)
        self.close_code = close_code
        self.reason = reason


class FatalError(Exception):
    """Set-up is wrong: the exit status and the line that mends it."""

    def __init__(self, exit_status: int, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.exit_status = exit_status
        self.message = message
        self.hint = hint


def invalid_arguments(fields: Mapping[str, str], message: str = "") -> ToolRejected:
    """Refusal of a call's arguments; `fields` maps each field to what would be accepted."""
    text = message or "; ".join(f"{name}: {accepted}" for name, accepted in fields.items())
    return ToolRejected("invalid_arguments", text, details={"fields": dict(fields)})
