"""Times as people type and read them; on the wire they are ISO 8601 UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from spark.core.errors import invalid_arguments

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def since_to_utc(raw: str, now: datetime) -> str:
    """`30m`, `2h`, `3d` ago; `14:30` today; a date or a time of ISO 8601, local where it names no zone.

    Returns `2026-01-31T12:00:00.000Z`. Raises `invalid_arguments`. `now` carries a time zone.
    """
    text = raw.strip()
    try:
        moment = _moment(text, now)
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError) as error:
        raise invalid_arguments(
            {"since": "30m, 2h or 3d ago, 14:30 today, or 2026-01-31T12:00"}, f"--since: {raw[:60]!r} is no time"
        ) from error


def _moment(text: str, now: datetime) -> datetime:
    if match := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    if match := _CLOCK.fullmatch(text):
        return now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)


def local_text(utc: str) -> str:
    """`2026-01-31 13:00:03` in local time; the text itself where it is no time."""
    try:
        moment = datetime.fromisoformat(utc)
    except ValueError:
        return utc
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
