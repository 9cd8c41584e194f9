"""Numbers, vectors and colours of JSON as the numbers of a file. Refuses what does not fit, naming what would."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from typing import Final

from spark.core.assets import Json
from spark.core.errors import ToolRejected, invalid_arguments

WHOLE: Final = re.compile(r"-?\d{1,20}")
REAL: Final = re.compile(r"-?\d{1,60}(\.\d{1,60})?(e[+-]?\d{1,3})?")
NAMED: Final = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}
ROTATION: Final = '[x, y, z, w] or {x, y, z, w} of length 1, or {"euler": [x, y, z]} in degrees'
_UNIT: Final = 1e-3
"""How far the length of a rotation may be from 1: three decimals are enough, a rotation in degrees never is."""
_HEX_COLOR: Final = re.compile(r"#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")


def refused(where: str, accepted: str, value: Json) -> ToolRejected:
    """The refusal of one value."""
    return invalid_arguments({where: accepted}, f"{where}: {shown(value)} is not {accepted}")


def shown(value: Json) -> str:
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def whole(value: Json, where: str, low: int = -(2**63), high: int = 2**64 - 1, accepted: str = "a whole number") -> int:
    """An integer, also as digits in a text (64-bit numbers travel so) or as a float without a fraction."""
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif (isinstance(value, str) and WHOLE.fullmatch(value)) or (
        isinstance(value, float) and value.is_integer() and abs(value) <= 2**53
    ):
        number = int(value)
    if number is None or not low <= number <= high:
        bounds = "" if (low, high) == (-(2**63), 2**64 - 1) else f" from {low} to {high}"
        raise refused(where, accepted + bounds, value)
    return number


def real(value: Json, where: str, *, double: bool = False) -> float:
    """A float of 32 bits (64 with `double`), also `"Infinity"`, `"-Infinity"` and `"NaN"`."""
    accepted = "a number" if double else "a number that fits into a 32-bit float"
    number: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            raise refused(where, accepted, value) from None
        if math.isinf(number) and isinstance(value, int):
            number = None
    elif isinstance(value, str):
        number = NAMED.get(value)
        if number is None and REAL.fullmatch(value.lower()):
            number = float(value)
            number = None if math.isinf(number) else number
    if number is None or not (double or _fits(number)):
        raise refused(where, accepted, value)
    return number


def flag(value: Json, where: str) -> int:
    if isinstance(value, bool):
        return int(value)
    if value in (0, 1) and isinstance(value, int):
        return int(value)
    raise refused(where, "true or false", value)


def parts(
    value: Json, keys: Sequence[str], like: Sequence[float] | None, where: str, *, integers: bool = False
) -> list[float]:
    """The numbers of a vector or colour; `like`: the parts that stay where a mapping does not give them."""
    one = whole if integers else real
    names = "".join(keys)
    accepted = f"[{', '.join(keys)}] or {{{', '.join(keys)}}}"
    if names == "rgba":
        accepted = f"#rrggbb, #rrggbbaa, {accepted} (each 0 to 1)"
        if isinstance(value, str):
            return color(value, where)
        if isinstance(value, list) and len(value) == 3:
            value = [*value, 1]
    if names == "xyzw":
        accepted += ', and where it is a rotation {"euler": [x, y, z]} in degrees'
        if isinstance(value, dict) and tuple(value) == ("euler",):
            return list(quaternion(euler_of(value["euler"], f"{where}.euler")))
    if isinstance(value, list) and len(value) == len(keys):
        return [one(part, f"{where}.{key}") for part, key in zip(value, keys, strict=True)]
    if isinstance(value, dict) and value and set(value) <= set(keys):
        if like is None and set(value) != set(keys):
            raise refused(where, accepted, value)
        old = like or [0.0] * len(keys)
        return [one(value[key], f"{where}.{key}") if key in value else old[at] for at, key in enumerate(keys)]
    raise refused(where, accepted, value)


def color(value: str, where: str) -> list[float]:
    """`#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa` as four floats; without alpha it is 1."""
    match = _HEX_COLOR.fullmatch(value)
    if match is None:
        raise refused(where, "#rrggbb, #rrggbbaa or [r, g, b, a] (each 0 to 1)", value)
    digits = match.group(1)
    if len(digits) < 6:
        digits = "".join(digit * 2 for digit in digits)
    digits = digits.ljust(8, "f")
    return [int(digits[at : at + 2], 16) / 255 for at in range(0, 8, 2)]


def rotation(value: Json, where: str) -> list[float]:
    """x, y, z, w of a rotation: whole, or from degrees. Three numbers alone are refused: they are degrees to people and parts
    of a quaternion to the file. So is what has not the length 1, which is no rotation."""
    keys = ("x", "y", "z", "w")
    if isinstance(value, dict) and tuple(value) == ("euler",):
        return list(quaternion(euler_of(value["euler"], f"{where}.euler")))
    if isinstance(value, dict) and set(value) == set(keys):
        value = [value[key] for key in keys]
    if not isinstance(value, list) or len(value) != 4:
        raise refused(where, ROTATION, value)
    found = [real(part, f"{where}.{key}") for part, key in zip(value, keys, strict=True)]
    if not is_unit(found):
        raise refused(where, ROTATION, value)
    return found


def is_unit(numbers: Sequence[float]) -> bool:
    """Whether four numbers can be a rotation."""
    length = math.sqrt(sum(number * number for number in numbers))
    return math.isfinite(length) and abs(length - 1) <= _UNIT


def euler_of(value: Json, where: str) -> list[float]:
    """Three angles in degrees."""
    if isinstance(value, dict) and set(value) == {"x", "y", "z"}:
        value = [value["x"], value["y"], value["z"]]
    return [real(part, where) for part in _listed(value, 3, where)]


def euler(numbers: Sequence[float]) -> tuple[float, float, float]:
    """The angles in degrees of a rotation (x, y, z, w): what `quaternion` makes the same rotation of."""
    size = math.sqrt(sum(number * number for number in numbers))
    x, y, z, w = (number / size for number in numbers)
    sine = 2 * (w * x - y * z)
    if abs(sine) > 0.9999999:
        # Straight up or down: only the sum of the other two counts, and it is given to y.
        return math.copysign(90.0, sine), math.degrees(2 * math.atan2(y, w)), 0.0
    return (
        math.degrees(math.asin(sine)),
        math.degrees(math.atan2(2 * (w * y + x * z), 1 - 2 * (x * x + y * y))),
        math.degrees(math.atan2(2 * (w * z + x * y), 1 - 2 * (x * x + z * z))),
    )


def quaternion(euler: Sequence[float]) -> tuple[float, float, float, float]:
    """x, y, z, w of a rotation in degrees: first around z, then x, then y, as Unity's `Quaternion.Euler`."""
    half = [math.radians(angle) / 2 for angle in euler]
    (sx, sy, sz), (cx, cy, cz) = (math.sin(angle) for angle in half), (math.cos(angle) for angle in half)
    return (
        cy * sx * cz + sy * cx * sz,
        sy * cx * cz - cy * sx * sz,
        cy * cx * sz - sy * sx * cz,
        cy * cx * cz + sy * sx * sz,
    )


def _fits(number: float) -> bool:
    if math.isnan(number) or math.isinf(number):
        return True
    try:
        struct.pack("<f", number)
    except OverflowError:
        return False
    return True


def _listed(value: Json, count: int, where: str) -> list[Json]:
    if not isinstance(value, list) or len(value) != count:
        raise refused(where, f"a list of {count} numbers", value)
    return value
