"""What goes wrong with a Realtime server, said as `Unavailable`: which code, whether it counts against the peer, what helps.

Knows the codes of the API and the exceptions of websockets; keeps no state.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from spark.adapters.models.realtime_wire import WireError, parse_error_body, wait_in_message
from spark.core.errors import Unavailable

if TYPE_CHECKING:
    from websockets.datastructures import Headers
    from websockets.exceptions import ConnectionClosed

KEY_HINT: Final = "Store a key that works with `spark key set openai`, or set SPARK_MODEL_BACKEND=offline."
ACTIVE_RESPONSE: Final = "conversation_already_has_active_response"
SESSION_EXPIRED: Final = "session_expired"
_KEY: Final = frozenset({"invalid_api_key", "account_deactivated", "invalid_authentication", "authentication_error"})
_QUOTA: Final = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "billing_hard_limit_reached",
        "billing_not_active",
        "quota_exceeded",
    }
)
_RATE: Final = frozenset({"rate_limit_exceeded", "rate_limit_error", "rate_limits_exceeded"})
_MODEL: Final = frozenset({"model_not_found"})
_BETA: Final = "beta_api_shape_disabled"
_SERVER: Final = frozenset({"server_error", "internal_error", "service_unavailable", "overloaded"})


class SessionLost(Unavailable):
    """The connection ended. A session that was kept from an earlier response may simply be opened anew."""


def of_wire(error: WireError, host: str, *, retry_after_s: float | None = None) -> Unavailable | None:
    """An error of the wire that the world is at fault for; None for what only this response is about."""
    names = {error.code, error.type} - {""}
    message = error.message or error.code or error.type or "no reason given"
    if error.code == SESSION_EXPIRED:
        return SessionLost("model_unavailable", f"{host} ended the session: {message}")
    if names & _QUOTA:
        return Unavailable(
            "quota_exceeded", f"{host}: {message}", hint="Add credit or raise the limit there.", counts=False
        )
    if names & _RATE:
        wait_s = retry_after_s if retry_after_s is not None else wait_in_message(message)
        return rate_limited(f"{host}: {message}", wait_s)
    if names & _KEY:
        return key_refused(host, message)
    if names & _MODEL or error.code == _BETA:
        return refused(f"{host}: {message}")
    if names & _SERVER:
        return Unavailable("model_unavailable", f"{host}: {message}")
    return None


def of_exception(error: BaseException, host: str) -> Unavailable:
    """What opening a connection raised."""
    from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, SecurityError

    match error:
        case InvalidStatus():
            response = error.response
            return _of_status(response.status_code, response.headers, bytes(response.body or b""), host)
        case ConnectionClosed():
            return of_close(error, host)
        case ssl.SSLCertVerificationError():
            return refused(f"the certificate of {host} is not trusted: {error.verify_message}")
        case InvalidURI() | SecurityError():
            return refused(f"{host}: {error}", hint="Set SPARK_MODEL_URL to the API's base, such as https://HOST/v1.")
    reason = str(error) or type(error).__name__
    return Unavailable("model_unavailable", f"{host} cannot be reached: {reason}", hint=_reach_hint(host))


def of_close(error: ConnectionClosed, host: str) -> SessionLost:
    """The socket closed. Codes that say "never so" do not count against the peer's health."""
    received = error.rcvd
    if received is None:
        if error.sent is not None and error.sent.code == 1009:
            return SessionLost("model_unavailable", f"{host} sent a message larger than SPARK takes", counts=False)
        return SessionLost("model_unavailable", f"the connection to {host} was cut")
    message = f"{host} closed the connection ({received.code} {received.reason})".replace(" )", ")")
    names = {received.reason.strip()}
    if received.code == 4000 or names & (_KEY | _QUOTA | _MODEL | {_BETA}) or received.code in (1008, 3000, 3003):
        code = "quota_exceeded" if names & _QUOTA else "model_unavailable"
        hint = KEY_HINT if names & _KEY or received.code == 3000 else ""
        return SessionLost(code, message, hint=hint, counts=False)
    return SessionLost("model_unavailable", message)


def rate_limited(message: str, wait_s: float | None) -> Unavailable:
    hint = "Try again later." if wait_s is None else f"Try again in {max(1, round(wait_s))} seconds."
    return Unavailable("rate_limited", message, hint=hint, retry_after_s=wait_s, counts=False)


def key_refused(host: str, message: str) -> Unavailable:
    return refused(f"key refused by {host}: {message}", hint=KEY_HINT)


def refused(message: str, *, hint: str = "") -> Unavailable:
    """A refusal that stays the same however often one asks."""
    return Unavailable("model_unavailable", message, hint=hint, counts=False)


def _of_status(status: int, headers: Headers, body: bytes, host: str) -> Unavailable:
    error = parse_error_body(body)
    message = error.message or f"HTTP status {status}"
    wait_s = _retry_after_s(headers.get("Retry-After"))
    if status in (401, 403):
        return key_refused(host, message)
    if status == 429:
        known = of_wire(error, host, retry_after_s=wait_s)
        quota = known is not None and known.code == "quota_exceeded"
        return known if known is not None and quota else rate_limited(f"{host}: {message}", wait_s)
    if status == 404:
        return refused(
            f"{host} does not have this model or address: {message}", hint="Check SPARK_MODEL and SPARK_MODEL_URL."
        )
    if status >= 500 or status == 408:
        return Unavailable("model_unavailable", f"{host}: {message}", retry_after_s=wait_s)
    return refused(f"{host}: {message}")


def _retry_after_s(value: str | None) -> float | None:
    """Seconds or an HTTP date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at.tzinfo is not None else None


def _reach_hint(host: str) -> str:
    return f"Check the network and that a server listens at {host}; SPARK_MODEL_BACKEND=offline needs neither."
