"""Exit statuses of `spark`, and what an error looks like to people and to programs."""

from __future__ import annotations

import re
from typing import Any, Final

from spark.core.errors import FatalError, SparkError

DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
NO_DAEMON: Final = 3
CONFLICT: Final = 4
UNAVAILABLE: Final = 5
OUR_BUG: Final = 70
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

_BY_CODE: Final = {
    "conflict": CONFLICT,
    "stale_version": CONFLICT,
    "unsaved_changes": CONFLICT,
    "already_running": CONFLICT,
    "rate_limited": UNAVAILABLE,
    "quota_exceeded": UNAVAILABLE,
    "model_unavailable": UNAVAILABLE,
    "editor_unavailable": UNAVAILABLE,
    "cloud_unavailable": UNAVAILABLE,
    "circuit_open": UNAVAILABLE,
    "timeout": UNAVAILABLE,
    "internal": OUR_BUG,
}
_CODE_OF_STATUS: Final = {
    USAGE: "invalid_arguments",
    NO_DAEMON: "not_found",
    CONFLICT: "already_running",
    UNAVAILABLE: "timeout",
}


def status_of_code(code: str) -> int:
    """The exit status that belongs to an error code of the contract."""
    return _BY_CODE.get(code, REFUSED)


def status_of(error: SparkError | FatalError) -> int:
    return error.exit_status if isinstance(error, FatalError) else status_of_code(error.code)


def to_wire(error: SparkError | FatalError) -> dict[str, Any]:
    """The same shape as a refusal over HTTP."""
    if isinstance(error, FatalError):
        code = _CODE_OF_STATUS.get(error.exit_status, "internal")
        body: dict[str, Any] = {"code": code, "message": error.message, "hint": error.hint, "details": {}}
    else:
        body = error.to_wire()
    return {"success": False, "error": body}


_ROUTES: Final = (
    (re.compile(r"\bPOST /v1/approvals\b"), "Run it on a terminal: there you are asked."),
    (re.compile(r"\bGET /v1/(turns|history)\b"), "`spark history` lists turns and versions."),
    (re.compile(r"/v1/"), "`spark --help` lists what can be done."),
)


def for_shell(hint: str) -> str:
    """A hint of the daemon for people at a shell: routes become commands."""
    return next((said for route, said in _ROUTES if route.search(hint)), hint)


def to_text(error: SparkError | FatalError) -> str:
    """`spark: message` and, on a line of its own, what would have worked."""
    code = "" if isinstance(error, FatalError) else f" ({error.code})"
    return f"spark: {error.message}{code}" + (f"\n  {for_shell(error.hint)}" if error.hint else "")
