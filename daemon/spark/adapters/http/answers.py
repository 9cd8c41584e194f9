"""Responses: contract JSON with the headers that every answer carries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from spark.core.api import CallOutcome
from spark.core.errors import SparkError
from spark.protocol.codec import encode
from spark.protocol.wire import error_body, status_of

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Server": "spark",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
_JSON_HEADERS: Final = {**SECURITY_HEADERS, "Content-Type": "application/json"}


def json_answer(
    body: Mapping[str, Any] | list[Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=encode(body), status=status, headers={**_JSON_HEADERS, **headers} if headers else _JSON_HEADERS
    )


def outcome_answer(outcome: CallOutcome) -> web.Response:
    """A call's answer as it is, with `Retry-After` where it names a waiting time."""
    return json_answer(outcome.body, outcome.status, _retry_after(outcome.status, outcome.body))


def error_answer(
    error: SparkError, *, status: int | None = None, headers: Mapping[str, str] | None = None, close: bool = False
) -> web.Response:
    """A refusal. `close`: the connection ends with it, so that an unread body costs nothing."""
    status = status_of(error) if status is None else status
    body = error_body(error)
    more = {**(headers or {}), **_retry_after(status, body)}
    if status == 401:
        more["WWW-Authenticate"] = "Bearer"
    answer = json_answer(body, status, more)
    if close:
        answer.force_close()
    return answer


def _retry_after(status: int, body: Mapping[str, Any]) -> dict[str, str]:
    if status not in (429, 503):
        return {}
    error = body.get("error")
    details = error.get("details") if isinstance(error, Mapping) else None
    seconds = details.get("retryAfterS") if isinstance(details, Mapping) else None
    if isinstance(seconds, int | float) and math.isfinite(seconds):
        return {"Retry-After": str(max(0, math.ceil(seconds)))}
    return {}
