"""The value that a field has in a new object: its initialiser, or the default of its type, as a plain value.

Raises `NotConstant` where that is known only when the code runs; such a field is left out of a new document, and Unity
gives it what the code says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from spark.engines.unity.csharp import serialized_builtin as builtin
from spark.engines.unity.csharp.serialized_expressions import Expr, TypeName
from spark.engines.unity.csharp.serialized_numbers import Constant, NotConstant, Number, constant, single
from spark.engines.unity.csharp.serialized_shapes import (
    BLOCK_SIZES,
    block,
    empty_curve,
    empty_event,
    integer_range,
    list_value,
    vector,
)
from spark.engines.unity.csharp.serialized_syntax import Declared
from spark.engines.unity.csharp.serialized_types import Bound, FieldType, Resolver
from spark.engines.unity.yaml.numbers import double_text
from spark.engines.unity.yaml.values import Ref, Value

MAX_DEPTH: Final = 10
"""Unity's own limit of classes inside classes."""
MAX_ITEMS: Final = 10_000
_STATICS: Final[Mapping[str, Mapping[str, Sequence[float]]]] = {
    "Vector2": {"zero": (0, 0), "one": (1, 1), "up": (0, 1), "down": (0, -1), "left": (-1, 0), "right": (1, 0)},
    "Vector3": {
        "zero": (0, 0, 0), "one": (1, 1, 1), "up": (0, 1, 0), "down": (0, -1, 0), "left": (-1, 0, 0),
        "right": (1, 0, 0), "forward": (0, 0, 1), "back": (0, 0, -1),
    },
    "Vector4": {"zero": (0, 0, 0, 0), "one": (1, 1, 1, 1)},
    "Quaternion": {"identity": (0, 0, 0, 1)},
    "Vector2Int": {"zero": (0, 0), "one": (1, 1), "up": (0, 1), "down": (0, -1), "left": (-1, 0), "right": (1, 0)},
    "Vector3Int": {
        "zero": (0, 0, 0), "one": (1, 1, 1), "up": (0, 1, 0), "down": (0, -1, 0), "left": (-1, 0, 0), "right": (1, 0, 0),
    },
    "Color": {
        "red": (1, 0, 0, 1), "green": (0, 1, 0, 1), "blue": (0, 0, 1, 1), "white": (1, 1, 1, 1), "black": (0, 0, 0, 1),
        "yellow": (1, 235 / 255, 4 / 255, 1), "cyan": (0, 1, 1, 1), "magenta": (1, 0, 1, 1), "gray": (0.5, 0.5, 0.5, 1),
        "grey": (0.5, 0.5, 0.5, 1), "clear": (0, 0, 0, 0),
    },
}  # fmt: skip
ClassFields = Callable[[FieldType, int], Value]
"""The fields of a class at a depth, as a mapping in which uncertain ones are left out. Raises `NotConstant`."""


class Values:
    """Evaluates initialisers. `class_fields` makes the fields of a class of the project."""

    def __init__(self, resolver: Resolver, class_fields: ClassFields) -> None:
        self._resolver = resolver
        self._class_fields = class_fields
        self._asked: list[tuple[str, str]] = []

    # -- without an initialiser --------------------------------------------------------------------------------------------

    def default(self, wanted: FieldType, depth: int) -> Value:
        kind = wanted.kind
        if kind in ("bool", "int", "char", "enum"):
            return 0
        if kind in ("float", "double"):
            return 0.0
        if kind == "string":
            return ""
        if kind == "object":
            return Ref()
        if kind == "event":
            return empty_event()
        if kind == "vector":
            return vector(wanted.name, [0] * len(builtin.VECTORS[wanted.name][0]))
        if kind == "block":
            return self._default_block(wanted.name)
        if kind == "list" and wanted.element is not None:
            return self._empty(wanted.element)
        if kind == "class":
            return self._class_fields(wanted, depth + 1)
        raise NotConstant(wanted.why or f"nothing is known of {wanted.name}")

    def _default_block(self, name: str) -> Value:
        if name == "AnimationCurve":
            return empty_curve()
        if name == "Gradient":
            raise NotConstant("a gradient's default differs between versions of Unity")
        return block(name, [0] * BLOCK_SIZES[name])

    def _empty(self, element: FieldType) -> Value:
        if element.kind == "int" and element.size == 8:
            raise NotConstant("how Unity writes a list of 64-bit integers is not known here")
        if element.kind in ("unknown", "managed"):
            raise NotConstant(element.why)
        return list_value(element, [])

    # -- with one -----------------------------------------------------------------------------------------------------------

    def value(self, expr: Expr, wanted: FieldType, context: Declared, scope: Mapping[str, Bound], depth: int) -> Value:
        """The initialiser's value for a field of type `wanted`. Raises `NotConstant`."""
        kind = wanted.kind
        if kind in ("unknown", "managed"):
            raise NotConstant(wanted.why)
        if expr.kind in ("null_literal", "default_expression") or expr.text == "default":
            # Unity makes a new object where it finds null.
            return self.default(wanted, depth)
        if kind in ("bool", "int", "float", "double", "string", "char", "enum"):
            return self._scalar(constant(expr, self._lookup(context)), wanted, expr)
        if kind == "vector":
            return vector(wanted.name, self._parts(expr, wanted.name, context))
        if kind == "block":
            return self._block(expr, wanted.name, context)
        if kind == "event" and _is_new(expr) and not expr.parts:
            return empty_event()
        if kind == "list" and wanted.element is not None:
            return self._list(expr, wanted.element, context, scope, depth)
        if kind == "class":
            return self._new_class(expr, wanted, context, scope, depth)
        raise NotConstant(f"its initialiser ({expr.kind.replace('_', ' ')}) has a value only when it runs")

    def _scalar(self, found: Constant, wanted: FieldType, expr: Expr) -> Value:
        kind = wanted.kind
        if kind == "string" and isinstance(found, str):
            return found
        if kind == "bool" and isinstance(found, bool):
            return int(found)
        if isinstance(found, Number):
            if kind == "float" and found.kind != "double":
                return single(float(found.value))
            if kind == "double":
                return double_text(float(found.value))
            if kind in ("int", "enum", "char") and found.whole:
                return self._whole(int(found.value), wanted)
        raise NotConstant(f"its initialiser {expr.text} is no {wanted.name}")

    def _whole(self, value: int, wanted: FieldType) -> int:
        size, signed = (2, False) if wanted.kind == "char" else (wanted.size, wanted.signed)
        low, high = integer_range(size, signed)
        if not low <= value <= high:
            raise NotConstant(f"its initialiser {value} is no {wanted.name}")
        return value

    # -- names --------------------------------------------------------------------------------------------------------------

    def _lookup(self, context: Declared) -> Callable[[str], Constant]:
        return lambda name: self.named(name, context)

    def named(self, name: str, context: Declared) -> Constant:
        """The value of a constant or of a member of an enum, found from where it is written."""
        head, _, last = name.rpartition(".")
        if not head:
            owners: list[Declared] = [context]
            around = context.owner
            while around:
                found = self._resolver.find(TypeName(around), context)
                owners += [found] if found is not None else []
                around = around.rpartition(".")[0]
        else:
            found = self._resolver.find(TypeName(head), context)
            known = builtin.unity_enum(head.rsplit(".", 1)[-1]) if found is None else None
            if known is not None and last in known:
                return Number("int", known[last])
            owners = [found] if found is not None else []
        for owner in owners:
            value = self._member(owner, last)
            if value is not None:
                return value
        raise NotConstant(f"the value of {name} is not known")

    def _member(self, owner: Declared, name: str) -> Constant | None:
        key = (owner.full_name, name)
        if key in self._asked or len(self._asked) > MAX_DEPTH * 4:
            raise NotConstant(f"{name} is defined by itself")
        self._asked.append(key)
        try:
            if owner.kind == "enum":
                members = self.members(owner)
                return (
                    Number("long" if abs(members[name]) >= 2**31 else "int", members[name]) if name in members else None
                )
            for part in self._resolver.parts(owner):
                for member in part.members:
                    if member.name == name and "const" in member.modifiers and member.initialiser is not None:
                        return constant(member.initialiser, self._lookup(part))
            return None
        finally:
            self._asked.pop()

    def members(self, enum: Declared) -> dict[str, int]:
        """The members of an enum of the project. Raises `NotConstant`."""
        found: dict[str, int] = {}

        def inside(name: str) -> Constant:
            last = name.rpartition(".")[2]
            if last in found and name.rpartition(".")[0] in ("", enum.name, enum.path, enum.full_name):
                return Number("int", found[last])
            return self.named(name, enum)

        following = 0
        for name, expr in enum.values:
            if expr is not None:
                value = constant(expr, inside)
                if not isinstance(value, Number) or not value.whole:
                    raise NotConstant(f"the value of {enum.name}.{name} is not known")
                following = int(value.value)
            found[name] = following
            following += 1
        return found

    # -- values of several numbers ------------------------------------------------------------------------------------------

    def _number(self, expr: Expr, context: Declared) -> float:
        found = constant(expr, self._lookup(context))
        if not isinstance(found, Number):
            raise NotConstant(f"its initialiser {expr.text} is no number")
        return found.value

    def _parts(self, expr: Expr, name: str, context: Declared) -> list[float]:
        """The numbers of a vector or colour."""
        keys, _ = builtin.VECTORS[name]
        if expr.kind == "member_access_expression":
            owner, _, member = expr.text.rpartition(".")
            simple = owner.rpartition(".")[2]
            if simple in _STATICS and member in _STATICS[simple]:
                return _fitting(list(_STATICS[simple][member]), simple, name)
        if expr.kind == "prefix_unary_expression" and expr.text == "-":
            return [-float(part) for part in self._parts(expr.parts[0], name, context)]
        if expr.kind == "binary_expression" and expr.text == "*":
            return self._scaled(expr, name, context)
        if _is_new(expr) and expr.text != "with" and not expr.names:
            made = (expr.type.name.rpartition(".")[2] if expr.type is not None else name) or name
            numbers = [self._number(part, context) for part in expr.parts]
            if made == name and len(numbers) in _counts(name, len(keys)):
                rest = [1.0] if name == "Color" and len(numbers) == 3 else [0.0] * (len(keys) - len(numbers))
                return numbers + rest
        raise NotConstant(f"its initialiser is no {name} that can be read")

    def _scaled(self, expr: Expr, name: str, context: Declared) -> list[float]:
        for at in (0, 1):
            try:
                factor = self._number(expr.parts[1 - at], context)
            except NotConstant:
                continue
            return [single(single(factor) * part) for part in self._parts(expr.parts[at], name, context)]
        raise NotConstant(f"its initialiser is no {name} that can be read")

    def _block(self, expr: Expr, name: str, context: Declared) -> Value:
        if name == "LayerMask" and not _is_new(expr):
            return block(name, [self._number(expr, context)])
        if (
            not _is_new(expr)
            or expr.text == "with"
            or (expr.type is not None and expr.type.name.rpartition(".")[2] != name)
        ):
            raise NotConstant(f"its initialiser is no {name} that can be read")
        if not expr.parts:
            return self._default_block(name)
        if name == "Bounds" and len(expr.parts) == 2:
            return block(name, [n for part in expr.parts for n in self._parts(part, "Vector3", context)])
        numbers = [self._number(part, context) for part in expr.parts]
        if name in ("Rect", "RectOffset", *builtin.MATHEMATICS) and len(numbers) == BLOCK_SIZES[name]:
            return block(name, numbers)
        if name == "Color32" and len(numbers) == 4 and all(0 <= number <= 255 for number in numbers):
            return block(name, numbers)
        raise NotConstant(f"its initialiser is no {name} that can be read")

    # -- lists and classes --------------------------------------------------------------------------------------------------

    def _list(self, expr: Expr, element: FieldType, context: Declared, scope: Mapping[str, Bound], depth: int) -> Value:
        if expr.kind == "array_creation_expression" and expr.text == "sized" and len(expr.parts) == 1:
            count = int(self._number(expr.parts[0], context))
            if not 0 <= count <= MAX_ITEMS:
                raise NotConstant(f"its initialiser makes {count} elements")
            one = self.default(element, depth) if count else 0
            return list_value(element, [one] * count) if count else self._empty(element)
        if expr.text == "with" and not expr.names and len(expr.items) <= MAX_ITEMS:
            if not expr.items:
                return self._empty(element)
            self._empty(element)
            return list_value(element, [self.value(item, element, context, scope, depth) for item in expr.items])
        capacity_only = all(part.kind == "integer_literal" for part in expr.parts) and len(expr.parts) <= 1
        if (
            expr.kind in ("object_creation_expression", "implicit_object_creation_expression")
            and not expr.text
            and capacity_only
        ):
            return self._empty(element)
        raise NotConstant(f"its initialiser ({expr.kind.replace('_', ' ')}) has a value only when it runs")

    def _new_class(
        self, expr: Expr, wanted: FieldType, context: Declared, scope: Mapping[str, Bound], depth: int
    ) -> Value:
        if not _is_new(expr) or expr.parts:
            raise NotConstant("its initialiser calls code")
        if expr.type is not None and wanted.declared is not None:
            found = self._resolver.find(expr.type, context)
            if found is None or found.full_name != wanted.declared.full_name:
                # A derived class: only the fields of the declared one are serialised, but its constructor has run.
                raise NotConstant(f"its initialiser makes a {expr.type}")
        made = self._class_fields(wanted, depth + 1)
        if expr.text != "with":
            return made
        raise NotConstant("its initialiser sets fields of the new object")


def _is_new(expr: Expr) -> bool:
    return expr.kind in ("object_creation_expression", "implicit_object_creation_expression")


def _counts(name: str, keys: int) -> tuple[int, ...]:
    """How many numbers a constructor takes."""
    return {"Vector3": (0, 2, 3), "Vector4": (0, 2, 3, 4), "Color": (0, 3, 4)}.get(name, (0, keys))


def _fitting(parts: list[float], made: str, wanted: str) -> list[float]:
    """The implicit conversions between Unity's vectors."""
    size = len(builtin.VECTORS[wanted][0])
    if made == wanted:
        return parts
    if made in ("Vector2", "Vector3", "Vector4") and wanted in ("Vector2", "Vector3", "Vector4"):
        return ([*parts, 0.0, 0.0])[:size]
    raise NotConstant(f"its initialiser is a {made}, not a {wanted}")
