"""Numbers as Unity writes them: the shortest digits that give the same 32-bit (or 64-bit) float again."""

from __future__ import annotations

import math
import struct

_FLOAT = struct.Struct("<f")


def float_text(value: float) -> str:
    """A 32-bit float: `0.1`, `-0`, `1.5e+11`, `Infinity`. Raises `OverflowError` where it does not fit."""
    if math.isnan(value) or math.isinf(value):
        return _special(value)
    packed = _FLOAT.pack(value)
    single: float = _FLOAT.unpack(packed)[0]
    for digits in range(1, 10):
        text = f"{single:.{digits - 1}e}"
        if _packed(float(text)) == packed:
            return _plain(text)
    raise AssertionError("nine digits tell every 32-bit float apart")


def double_text(value: float) -> str:
    """A 64-bit float."""
    if math.isnan(value) or math.isinf(value):
        return _special(value)
    text = repr(value)
    for digits in range(17):
        text = f"{value:.{digits}e}"
        if float(text) == value:
            break
    return _plain(text)


def _packed(value: float) -> bytes | None:
    try:
        return _FLOAT.pack(value)
    except OverflowError:
        # Rounding up the largest float to few digits leaves its range.
        return None


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _plain(scientific: str) -> str:
    """`-1.5e+02` as `-150`; from ten powers of ten on in either direction it stays scientific."""
    mantissa, _, power = scientific.partition("e")
    exponent = int(power)
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-").replace(".", "").rstrip("0") or "0"
    if digits == "0":
        return sign + "0"
    if not -10 < exponent < 10:
        rest = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{rest}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    if len(digits) <= exponent + 1:
        return sign + digits + "0" * (exponent + 1 - len(digits))
    return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"
