"""Constant expressions of C#: numbers, booleans and texts, with the language's own rules of promotion. What is no constant
raises `NotConstant`; nothing is guessed."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from spark.engines.unity.csharp.serialized_expressions import Expr

MAX_LITERAL_CHARS: Final = 100
NumberKind = Literal["int", "uint", "long", "ulong", "float", "double"]
_INT: Final = re.compile(r"(0[xX][0-9a-fA-F_]+|0[bB][01_]+|[0-9][0-9_]*)([uUlL]{0,2})")
_REAL: Final = re.compile(r"([0-9_]*\.?[0-9_]+(?:[eE][+-]?[0-9_]+)?)([fFdDmM]?)")
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "int": (-(2**31), 2**31 - 1),
    "uint": (0, 2**32 - 1),
    "long": (-(2**63), 2**63 - 1),
    "ulong": (0, 2**64 - 1),
}
_NAMED: Final[Mapping[str, tuple[NumberKind, float]]] = {
    "Mathf.PI": ("float", math.pi),
    "Mathf.Infinity": ("float", math.inf),
    "Mathf.NegativeInfinity": ("float", -math.inf),
    "Mathf.Deg2Rad": ("float", math.pi / 180),
    "Mathf.Rad2Deg": ("float", 180 / math.pi),
    "Math.PI": ("double", math.pi),
    "float.MaxValue": ("float", 3.4028234663852886e38),
    "float.MinValue": ("float", -3.4028234663852886e38),
    "float.PositiveInfinity": ("float", math.inf),
    "float.NegativeInfinity": ("float", -math.inf),
    "float.NaN": ("float", math.nan),
    "int.MaxValue": ("int", 2**31 - 1),
    "int.MinValue": ("int", -(2**31)),
    "uint.MaxValue": ("uint", 2**32 - 1),
    "long.MaxValue": ("long", 2**63 - 1),
    "long.MinValue": ("long", -(2**63)),
    "byte.MaxValue": ("int", 255),
    "short.MaxValue": ("int", 2**15 - 1),
    "ushort.MaxValue": ("int", 2**16 - 1),
}
_ESCAPES: Final[Mapping[str, str]] = {
    "0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{1,4}|.)", re.DOTALL)


class NotConstant(Exception):
    """The expression has a value only when it runs. The text says which part."""


@dataclass(frozen=True, slots=True)
class Number:
    kind: NumberKind
    value: float

    @property
    def whole(self) -> bool:
        return self.kind not in ("float", "double")


Constant = Number | bool | str
"""A text is a `str`; a character counts as a `Number`."""
Lookup = Callable[[str], Constant]
"""The value of a name (`maxHealth`, `Config.Max`). Raises `NotConstant`."""


def single(value: float) -> float:
    """Rounded to 32 bits. Raises `NotConstant` where it does not fit."""
    if math.isnan(value) or math.isinf(value):
        return value
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        raise NotConstant(f"{value!r} does not fit into a float") from None
    return rounded


def constant(expr: Expr, lookup: Lookup) -> Constant:
    """The value of a constant expression. Raises `NotConstant`."""
    kind = expr.kind
    if kind in ("integer_literal", "real_literal"):
        return literal(expr.text)
    if kind == "boolean_literal":
        return expr.text == "true"
    if kind in ("string_literal", "verbatim_string_literal"):
        return text_of(expr.text)
    if kind == "character_literal":
        return Number("int", ord(_unescaped(expr.text[1:-1])[:1] or "\0"))
    if kind in ("identifier", "member_access_expression"):
        return _named(expr.text, lookup)
    if kind == "prefix_unary_expression":
        return _unary(expr.text, constant(expr.parts[0], lookup))
    if kind == "binary_expression":
        return _binary(expr.text, constant(expr.parts[0], lookup), constant(expr.parts[1], lookup))
    if kind == "cast_expression" and expr.type is not None and not expr.type.array and not expr.type.args:
        return _cast(expr.type.name, constant(expr.parts[0], lookup))
    raise NotConstant(f"its initialiser ({kind.replace('_', ' ')}) has a value only when it runs")


def literal(text: str) -> Number:
    """The value of a number as it is written. Raises `NotConstant`."""
    try:
        return _literal(text)
    except ValueError:
        # Digits that are all underscores, say: no C#.
        raise NotConstant(f"{text} is no number") from None


def _literal(text: str) -> Number:
    if len(text) > MAX_LITERAL_CHARS:
        raise NotConstant("its initialiser is a number of too many digits")
    match = _INT.fullmatch(text)
    if match is not None:
        value = int(match.group(1).replace("_", ""), 0) if not match.group(1).isdigit() else int(match.group(1))
        suffix = match.group(2).lower()
        kinds: tuple[NumberKind, ...] = ("int", "uint", "long", "ulong")
        fits = [kind for kind in kinds if _RANGES[kind][0] <= value <= _RANGES[kind][1]]
        fits = [
            kind for kind in fits if ("u" not in suffix or kind[0] == "u") and ("l" not in suffix or "long" in kind)
        ]
        if fits:
            return Number(fits[0], value)
    real = _REAL.fullmatch(text)
    if real is None or real.group(2) in ("m", "M"):
        raise NotConstant(f"{text} is no number that Unity serialises")
    number = float(real.group(1).replace("_", ""))
    return Number("float", single(number)) if real.group(2) in ("f", "F") else Number("double", number)


def text_of(raw: str) -> str:
    """The text of a string literal as it is written. Raises `NotConstant` for an interpolated or raw one."""
    if raw.startswith('@"'):
        return raw[2:-1].replace('""', '"')
    if raw.startswith('"') and not raw.startswith('"""'):
        return _unescaped(raw[1:-1])
    raise NotConstant("its initialiser is a text made when it runs")


def _unescaped(raw: str) -> str:
    def one(match: re.Match[str]) -> str:
        word = match.group(1)
        if word[0] in "uUx" and len(word) > 1:
            return chr(int(word[1:], 16))
        return _ESCAPES.get(word, word)

    try:
        return _ESCAPE.sub(one, raw).encode("utf-16", "surrogatepass").decode("utf-16")
    except (ValueError, OverflowError):
        raise NotConstant("its initialiser holds characters that are no text") from None


def _named(name: str, lookup: Lookup) -> Constant:
    short = ".".join(name.split(".")[-2:]).replace("Single.", "float.").replace("Int32.", "int.")
    if short in ("string.Empty", "String.Empty"):
        return ""
    if short in _NAMED:
        kind, value = _NAMED[short]
        return Number(kind, single(value) if kind == "float" else value)
    return lookup(name)


def _unary(operator: str, value: Constant) -> Constant:
    if operator == "!" and isinstance(value, bool):
        return not value
    if isinstance(value, Number):
        if operator == "+":
            return value
        if operator == "-":
            # -2147483648 is an int though its digits alone are not.
            if value.kind == "uint":
                return _ranged("int" if value.value == 2**31 else "long", -value.value)
            return _ranged(value.kind, -value.value) if value.whole else Number(value.kind, -value.value)
        if operator == "~" and value.whole:
            whole = ~int(value.value)
            return Number(value.kind, whole & _RANGES[value.kind][1] if value.kind[0] == "u" else whole)
    raise NotConstant(f"the operator {operator} is not understood here")


def _binary(operator: str, left: Constant, right: Constant) -> Constant:
    if isinstance(left, str) or isinstance(right, str):
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return left + right
        raise NotConstant("its initialiser is a text made when it runs")
    if isinstance(left, bool) or isinstance(right, bool):
        if isinstance(left, bool) and isinstance(right, bool) and operator in ("&&", "&", "||", "|"):
            return (left and right) if "&" in operator else (left or right)
        raise NotConstant("its initialiser is a comparison")
    if operator in ("<<", ">>") and left.whole and right.kind == "int":
        bits = int(right.value) & (63 if "long" in left.kind else 31)
        shifted = int(left.value) << bits if operator == "<<" else int(left.value) >> bits
        return Number(left.kind, _wrapped(left.kind, shifted))
    kind = _promoted(left.kind, right.kind)
    if kind in ("float", "double"):
        return _real(operator, kind, float(left.value), float(right.value))
    return _whole(operator, kind, int(left.value), int(right.value))


def _promoted(left: NumberKind, right: NumberKind) -> NumberKind:
    for kind in ("double", "float", "ulong", "long"):
        if kind in (left, right):
            return kind
    if left == right:
        return left
    return "long"


def _real(operator: str, kind: NumberKind, left: float, right: float) -> Number:
    if operator == "/" and right == 0:
        raise NotConstant("its initialiser divides by zero")
    steps: dict[str, Callable[[float, float], float]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
    }
    if operator not in steps:
        raise NotConstant(f"the operator {operator} is not understood here")
    if kind == "float":
        return Number(kind, single(steps[operator](single(left), single(right))))
    return Number(kind, steps[operator](left, right))


def _whole(operator: str, kind: NumberKind, left: int, right: int) -> Number:
    if operator in ("/", "%"):
        if right == 0:
            raise NotConstant("its initialiser divides by zero")
        # C# rounds towards zero.
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return Number(kind, quotient if operator == "/" else left - quotient * right)
    steps: dict[str, Callable[[int, int], int]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "|": lambda a, b: a | b,
        "&": lambda a, b: a & b,
        "^": lambda a, b: a ^ b,
    }
    if operator not in steps:
        raise NotConstant(f"the operator {operator} is not understood here")
    return _ranged(kind, steps[operator](left, right))


def _ranged(kind: NumberKind, value: float) -> Number:
    low, high = _RANGES.get(kind, (-math.inf, math.inf))
    if not low <= value <= high:
        raise NotConstant(f"its initialiser overflows {kind}")
    return Number(kind, value)


def _wrapped(kind: NumberKind, value: int) -> int:
    low, high = _RANGES[kind]
    return (value - low) % (high - low + 1) + low


def _cast(name: str, value: Constant) -> Constant:
    if not isinstance(value, Number):
        raise NotConstant("its initialiser is a cast that is not understood here")
    simple = name.rsplit(".", 1)[-1]
    if simple in ("float", "Single"):
        return Number("float", single(float(value.value)))
    if simple in ("double", "Double"):
        return Number("double", float(value.value))
    narrow = {"byte": (0, 255), "sbyte": (-128, 127), "short": (-(2**15), 2**15 - 1), "ushort": (0, 2**16 - 1)}
    if simple in narrow or simple in _RANGES:
        if math.isnan(value.value) or math.isinf(value.value):
            raise NotConstant("its initialiser is a cast of no number")
        whole = math.trunc(value.value)
        low, high = narrow.get(simple) or _RANGES[simple]
        if not low <= whole <= high:
            raise NotConstant(f"its initialiser overflows {simple}")
        return Number(simple if simple in _RANGES else "int", whole)  # type: ignore[arg-type]
    raise NotConstant("its initialiser is a cast that is not understood here")
