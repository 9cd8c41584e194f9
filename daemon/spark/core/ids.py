"""Identifiers that sort by time: 48 bits of milliseconds, then 80 random bits, as 26 characters of Crockford's base 32 (ULID)."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_last = 0


def seed(known: str) -> None:
    """Makes every new id sort after a known one: a clock that was set back must not turn a history upside down."""
    global _last
    value = 0
    for character in known.rpartition("_")[2]:
        digit = _ALPHABET.find(character)
        if digit < 0:
            return
        value = value << 5 | digit
    _last = max(_last, value)


def new_id(prefix: str) -> str:
    """`PREFIX_` and a ULID; ids made by one process never repeat and sort in the order they were made."""
    global _last
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    # Two ids of one millisecond, or a clock that jumped back, must still sort in order.
    value = max(value, _last + 1 + secrets.randbits(32))
    _last = value
    return f"{prefix}_" + "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
