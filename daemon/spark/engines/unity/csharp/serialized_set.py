"""A JSON value for a field of a script, as the plain value that its type has in a file. Refuses what Unity does not serialise
and what does not fit, naming the field and what would be accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spark.core.assets import Json
from spark.core.errors import invalid_arguments
from spark.engines.unity.coerce import Local, References, coerce, layer_bits, packed_color, reference
from spark.engines.unity.csharp import serialized_builtin as builtin
from spark.engines.unity.csharp.serialized import FieldReader, SerializedField
from spark.engines.unity.csharp.serialized_numbers import NotConstant
from spark.engines.unity.csharp.serialized_shapes import (
    block,
    empty_curve,
    empty_event,
    integer_range,
    list_value,
    vector,
)
from spark.engines.unity.csharp.serialized_types import FieldType
from spark.engines.unity.json_curves import curve
from spark.engines.unity.json_numbers import ROTATION, flag, parts, real, refused, rotation, shown, whole
from spark.engines.unity.yaml.numbers import double_text
from spark.engines.unity.yaml.values import Pairs, Value

MAX_ITEMS = 100_000
_BLOCK_KEYS = {
    "Rect": ("x", "y", "width", "height"),
    "RectOffset": ("m_Left", "m_Right", "m_Top", "m_Bottom"),
    **{name: tuple(keys) for name, (keys, _) in builtin.MATHEMATICS.items()},
    "Matrix4x4": tuple(f"e{row}{column}" for row in range(4) for column in range(4)),
}

_INTEGERS = {"RectOffset", *(name for name, (_, whole) in builtin.MATHEMATICS.items() if whole)}


@dataclass(frozen=True, slots=True)
class FieldSetter:
    """Makes values for fields of one script. `local`: see `coerce.Local`."""

    reader: FieldReader
    references: References
    local: Local | None = None

    def at(self, field: SerializedField, steps: Sequence[str | int], value: Json, where: str, present: Value) -> Value:
        """The value for a place inside a field: `steps` are fields of classes, items of lists, parts of vectors. `present`
        stands there now. Raises `invalid_arguments` where there is no such place."""
        wanted = field.type
        for step in steps:
            if wanted.kind == "vector" and wanted.name == "Quaternion":
                raise refused(where, f"the rotation as a whole: {ROTATION}", value)
            inner = self._step(wanted, step)
            if inner is None:
                raise invalid_arguments({where: f"a place inside of {field.member} ({wanted.name})"})
            wanted = inner
        unknown = field.uncertain if not steps and present is None else ""
        return self.typed(wanted, value, where, present, unknown)

    def _step(self, wanted: FieldType, step: str | int) -> FieldType | None:
        if wanted.kind == "list" and isinstance(step, int):
            return wanted.element
        if wanted.kind == "class":
            fields = self.reader.of_type(wanted).fields
            return next((field.type for field in fields if step in (field.name, field.member)), None)
        if wanted.kind == "block" and step in _BLOCK_KEYS.get(wanted.name, ()):
            return FieldType("int", "int") if wanted.name in _INTEGERS else FieldType("float", "float")
        if wanted.kind == "vector" and isinstance(step, str) and step in builtin.VECTORS[wanted.name][0]:
            return FieldType("int", "int") if builtin.VECTORS[wanted.name][1] else FieldType("float", "float")
        return None

    def field(self, field: SerializedField, value: Json, where: str) -> Value:
        """The value of a field; parts of a class that are not given have the values of a new object."""
        return self.typed(field.type, value, where, None if field.uncertain else field.default, field.uncertain)

    def typed(self, wanted: FieldType, value: Json, where: str, like: Value = None, unknown: str = "") -> Value:
        """`like`: the present value or the default, for the parts of a class or vector that are not given. `unknown`: why only
        the code knows what stands there, so that nothing can be completed."""
        kind = wanted.kind
        if kind == "bool":
            return flag(value, where)
        if kind == "int":
            return whole(value, where, *integer_range(wanted.size, wanted.signed))
        if kind == "float":
            return real(value, where)
        if kind == "double":
            return double_text(real(value, where, double=True))
        if kind == "string":
            if not isinstance(value, str):
                raise refused(where, "a text", value)
            return coerce(value, "", where, self.references)
        if kind == "char":
            return self._char(value, where)
        if kind == "enum":
            return self._enum(wanted, value, where)
        if kind == "vector":
            return self._vector(wanted.name, value, where, like)
        if kind == "block":
            return self._block(wanted.name, value, where, like)
        if kind == "object":
            return reference(value, where, self.references, self.local, wanted.name)
        if kind == "list" and wanted.element is not None:
            return self._list(wanted.element, value, where)
        if kind == "class":
            return self._class(wanted, value, where, like, unknown)
        if kind == "event" and value in ([], None):
            return empty_event()
        raise self._unsettable(wanted, where)

    def _unsettable(self, wanted: FieldType, where: str) -> Exception:
        if wanted.kind == "event":
            why = "the calls of an event are set in Unity's inspector"
        elif wanted.kind == "managed":
            why = f"{wanted.why}: which class stands there is chosen in Unity"
        else:
            why = wanted.why or f"{article(wanted.name)} is set in Unity"
        return invalid_arguments({where: "not set by this call"}, f"{where} cannot be set: {why}")

    def _char(self, value: Json, where: str) -> Value:
        if isinstance(value, str) and len(value) == 1 and ord(value) < 0x10000:
            return ord(value)
        raise refused(where, "one character", value)

    def _vector(self, name: str, value: Json, where: str, like: Value) -> Value:
        keys, integers = builtin.VECTORS[name]
        if name == "Quaternion":
            return vector(name, rotation(value, where))
        old = [_float(like.get(key)) for key in keys] if isinstance(like, Pairs) else None
        if name == "Vector4" and isinstance(value, dict) and "euler" in value:
            raise refused(where, "[x, y, z, w]", value)
        return vector(name, parts(value, keys, old, where, integers=integers))

    def _enum(self, wanted: FieldType, value: Json, where: str) -> Value:
        low, high = integer_range(wanted.size, wanted.signed)
        members = self._members(wanted)
        accepted = f"one of {', '.join(members)}" if members else "a whole number"
        if isinstance(value, bool) or not isinstance(value, int | str | list):
            raise refused(where, accepted, value)
        if isinstance(value, int):
            return whole(value, where, low, high, accepted)
        names = value.replace("|", ",").split(",") if isinstance(value, str) else value
        bits = 0
        for name in names:
            simple = name.strip().rsplit(".", 1)[-1] if isinstance(name, str) else None
            if simple is None or simple not in members:
                raise refused(where, accepted, name)
            bits = members[simple] if len(names) == 1 else bits | members[simple]
        return whole(bits, where, low, high)

    def _members(self, wanted: FieldType) -> dict[str, int]:
        if wanted.declared is None:
            return dict(builtin.unity_enum(wanted.name) or {})
        try:
            return self.reader.values.members(wanted.declared)
        except NotConstant:
            return {}

    def _block(self, name: str, value: Json, where: str, like: Value) -> Value:
        if name == "LayerMask":
            bits = value["m_Bits"] if isinstance(value, dict) and set(value) == {"m_Bits"} else value
            return block(name, [layer_bits(bits, where, self.references)])
        if name == "Color32":
            packed = packed_color(value, where)
            return block(name, [packed >> shift & 255 for shift in (0, 8, 16, 24)])
        if name == "Bounds" and isinstance(value, dict) and set(value) == {"center", "size"}:
            both = [parts(value[key], ("x", "y", "z"), None, f"{where}.{key}") for key in ("center", "size")]
            return block(name, [*both[0], *both[1]])
        if name in _BLOCK_KEYS:
            keys = _BLOCK_KEYS[name]
            old = [_float(like.get(key)) for key in keys] if isinstance(like, Pairs) else None
            return block(name, parts(value, keys, old, where, integers=name in _INTEGERS))
        if name == "AnimationCurve":
            like = like if isinstance(like, Pairs) and "m_Curve" in like else empty_curve()
            assert isinstance(like, Pairs)
            return curve(value, like, where)
        if name == "Bounds":
            raise refused(where, '{"center": [x, y, z], "size": [x, y, z]}', value)
        raise invalid_arguments(
            {where: "not set by this call"}, f"{where} cannot be set: {article(name)} is drawn in Unity"
        )

    def _list(self, element: FieldType, value: Json, where: str) -> Value:
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise refused(where, f"a list of {element.name}", value)
        if element.kind in ("unknown", "managed"):
            raise self._unsettable(element, where)
        return list_value(element, [self.typed(element, item, f"{where}[{at}]") for at, item in enumerate(value)])

    def _class(self, wanted: FieldType, value: Json, where: str, like: Value, unknown: str = "") -> Value:
        fields = self.reader.of_type(wanted).fields
        if not isinstance(value, dict):
            raise refused(where, f"a mapping with {', '.join(field.name for field in fields)}", value)
        found = by_name(fields, value, where)
        missing = [field.member for field in fields if field.name not in found]
        if unknown and not isinstance(like, Pairs) and missing:
            accepted = f"{where} as a whole, with {', '.join(field.member for field in fields)}"
            message = f"{where}: without {', '.join(missing)} it is not whole, and only the code knows what stands there: {unknown}"
            raise invalid_arguments({f"{where}.{missing[0]}": accepted}, message)
        made: dict[str, Value] = {}
        for field in fields:
            present = like.get(field.name) if isinstance(like, Pairs) else None
            old = present if present is not None else None if field.uncertain else field.default
            if field.name in found:
                key = found[field.name]
                inner = unknown or field.uncertain if present is None else ""
                made[field.name] = self.typed(field.type, value[key], f"{where}.{key}", None if inner else old, inner)
            elif old is not None:
                made[field.name] = old
        if not made:
            raise refused(where, "a mapping with at least one field", value)
        # What stands there and is no field any more is not this call's to remove.
        left = {key: item for key, item in like.items() if key not in made} if isinstance(like, Pairs) else {}
        order = [key for key, _ in like.items()] if isinstance(like, Pairs) else []
        both = {**left, **made}
        return Pairs([(key, both.pop(key)) for key in order if key in both] + list(both.items()))


def article(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIOU' else 'a'} {name}"


def by_name(fields: tuple[SerializedField, ...], value: dict[str, Json], where: str) -> dict[str, str]:
    """Which key of `value` means which field: its name in the file or in C#. Raises `invalid_arguments` for unknown ones."""
    known = {name: field.name for field in fields for name in (field.member, field.name)}
    found: dict[str, str] = {}
    for key in value:
        field = known.get(key)
        if field is None or field in found:
            place = f"{where}.{key}" if where else key
            names = ", ".join(field.member for field in fields) or "no fields that Unity serialises"
            what = "given twice" if field is not None else "no serialised field"
            raise invalid_arguments({place: f"one of {names}"}, f"{place}: {shown(key)} is {what}; there is {names}")
        found[field] = key
    return found


def _float(value: Value) -> float:
    """A number that was read or that a default has."""
    try:
        return float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return 0.0
