"""Which fields of a C# class Unity serialises, in order, with the values they have in a new object.

The rules are the manual's ("Script serialization"): instance fields that are public or marked `[SerializeField]`, not
`const`, `readonly` or `[NonSerialized]`, of a type that is serialised; base classes first. A field whose value is known
only when the code runs is reported as uncertain and left out of new documents: Unity gives a field that a document lacks
the value that the code gives it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from spark.core.errors import ToolRejected
from spark.engines.unity.csharp.serialized_numbers import NotConstant
from spark.engines.unity.csharp.serialized_syntax import Declared, Member, declared_types
from spark.engines.unity.csharp.serialized_types import MAX_BASES, Bound, FieldType, Resolver, TypeSource
from spark.engines.unity.csharp.serialized_values import MAX_DEPTH, Values
from spark.engines.unity.yaml.values import Pairs, Value


@dataclass(frozen=True, slots=True)
class SerializedField:
    """A field as it stands in a document. `name` is the key there, `member` the name in C#. `default` counts only where
    `uncertain` is empty; else that says why the value is not known. `where` is `path:line`. `notes`: what was left out
    inside."""

    name: str
    member: str
    type: FieldType
    default: Value
    uncertain: str
    where: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SerializedClass:
    """The fields of a class, and what could not be known of it, in sentences."""

    fields: tuple[SerializedField, ...]
    notes: tuple[str, ...]


class FieldReader:
    """Reads the fields of classes; one for each answer (it keeps what it has read)."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.values = Values(resolver, self._class_value)
        self._open: list[str] = []
        self._known: dict[str, SerializedClass] = {}

    def of_script(self, declared: Declared) -> SerializedClass:
        """The fields of a component or asset class with those of its base classes in the project."""
        return self._with_bases(declared, {}, 0, plain=False)

    def of_type(self, wanted: FieldType, depth: int = 0) -> SerializedClass:
        """The fields of a class that is a field's type."""
        assert wanted.declared is not None
        if wanted.scope:
            return self._with_bases(wanted.declared, wanted.scope, depth, plain=True)
        name = wanted.declared.full_name
        if name not in self._known:
            self._known[name] = self._with_bases(wanted.declared, {}, depth, plain=True)
        return self._known[name]

    def _with_bases(
        self, declared: Declared, scope: Mapping[str, Bound], depth: int, *, plain: bool
    ) -> SerializedClass:
        """`plain`: not a script; its base classes count only where they are marked `[Serializable]`."""
        levels: list[tuple[Declared, Mapping[str, Bound]]] = []
        notes: list[str] = []
        current, inside = declared, scope
        for _ in range(MAX_BASES):
            levels.append((current, inside))
            base = self.resolver.base(current, inside)
            if isinstance(base, str):
                missing = self.resolver.chain(declared).missing
                if base and missing and not plain:
                    notes.append(
                        f"fields of the base class {base} are left out: it is not in the project or its packages on disk"
                    )
                break
            current, inside = base.declared, base.scope
        if not plain and any(part.resets for level, _ in levels for part in self.resolver.parts(level)):
            notes.append(
                f"{declared.name} has a Reset(), which the Editor runs for a new object: what it sets is not set here"
            )
        fields: list[SerializedField] = []
        code = "\n".join(part.constructor for level, _ in levels for part in self.resolver.parts(level))
        for level, own in reversed(levels):
            parts = self.resolver.parts(level)
            if plain and level is not declared and not any("Serializable" in part.attributes for part in parts):
                continue
            for part in parts:
                if part.broken:
                    notes.append(f"not all of {part.path} in {part.source} could be read; fields may be left out")
                fields += self._members(part, own, code, depth)
            files = [part.source for part in parts if any(is_serialised(member) for member in part.members)]
            if len(set(files)) > 1:
                notes.append(
                    f"the fields of {level.path} lie in {' and '.join(dict.fromkeys(files))}: they stand here in the order of "
                    "these files, Unity has them in the order in which the compiler takes them"
                )
        return SerializedClass(_unique(fields, notes), tuple(notes))

    def _members(self, part: Declared, scope: Mapping[str, Bound], code: str, depth: int) -> list[SerializedField]:
        found = []
        for member in part.members:
            if not is_serialised(member):
                continue
            made = self._field(member, part, scope, code, depth)
            if made is not None:
                found.append(made)
        return found

    def _field(
        self, member: Member, part: Declared, scope: Mapping[str, Bound], code: str, depth: int
    ) -> SerializedField | None:
        wanted = self.resolver.field_type(member.type, part, scope)
        if "SerializeReference" in member.attributes:
            wanted = FieldType("managed", str(member.type), why="it is [SerializeReference]")
        if wanted is None or (wanted.kind == "class" and self._is_empty(wanted, depth)):
            return None
        name = f"<{member.name}>k__BackingField" if member.is_property else member.name
        default: Value = None
        uncertain = ""
        notes: tuple[str, ...] = ()
        try:
            if "(" in code or _mentions(code, member.name):
                raise NotConstant("its constructor may set it")
            if member.initialiser is None:
                default = self.values.default(wanted, depth)
            else:
                default = self.values.value(member.initialiser, wanted, part, scope, depth)
            notes = self._inner_notes(wanted, name, depth)
        except NotConstant as reason:
            uncertain = str(reason)
        return SerializedField(name, member.name, wanted, default, uncertain, f"{part.source}:{member.line}", notes)

    # -- classes inside -----------------------------------------------------------------------------------------------------

    def _class_value(self, wanted: FieldType, depth: int) -> Value:
        declared = wanted.declared
        assert declared is not None
        if declared.full_name in self._open or depth > MAX_DEPTH:
            raise NotConstant(f"{declared.path} holds itself")
        self._open.append(declared.full_name)
        try:
            certain = [field for field in self.of_type(wanted, depth).fields if not field.uncertain]
        finally:
            self._open.pop()
        if not certain:
            raise NotConstant(f"no field of {declared.path} has a value that is known here")
        return Pairs([(field.name, field.default) for field in certain])

    def _is_empty(self, wanted: FieldType, depth: int) -> bool:
        """A class without a field that is serialised is none itself."""
        declared = wanted.declared
        if declared is None or declared.full_name in self._open or depth > MAX_DEPTH:
            return False
        self._open.append(declared.full_name)
        try:
            found = self.of_type(wanted, depth + 1)
        finally:
            self._open.pop()
        return not found.fields and not found.notes

    def _inner_notes(self, wanted: FieldType, name: str, depth: int) -> tuple[str, ...]:
        if (
            wanted.kind != "class"
            or depth > MAX_DEPTH
            or wanted.declared is None
            or wanted.declared.full_name in self._open
        ):
            return ()
        inner = self.of_type(wanted, depth + 1)
        left = [f"{name}.{field.name} is left out: {field.uncertain}" for field in inner.fields if field.uncertain]
        return (*left, *(f"{name}.{note}" for field in inner.fields for note in field.notes))


class OneSource:
    """Only what one text declares."""

    def __init__(self, types: Sequence[Declared]) -> None:
        self._types = types

    def declared(self, name: str, seen_from: Declared, *, everywhere: bool) -> Sequence[Declared]:
        return [one for one in self._types if one.name == name]


def serialized_fields(
    source: str,
    class_name: str,
    *,
    symbols: Set[str] = frozenset(),
    types: TypeSource | None = None,
    name: str = "",
) -> list[SerializedField]:
    """The fields of a class of `source` (by its simple or full name); `types` knows those of other files, `symbols` are what
    `#if` asks for, `name` stands in messages. Raises `not_found`. CPU time: call it off the loop."""
    declared = declared_types(source, symbols, name)
    wanted = [
        one for one in declared if class_name in (one.name, one.path, one.full_name) and one.kind in ("class", "struct")
    ]
    if not wanted:
        raise ToolRejected("not_found", f"{name or 'the source'} declares no class {class_name}")
    return list(FieldReader(Resolver(types or OneSource(declared))).of_script(wanted[0]).fields)


def is_serialised(member: Member) -> bool:
    """Whether modifiers and attributes make a field one that is serialised; its type decides too."""
    if member.modifiers & {"static", "const", "readonly", "computed"} or "NonSerialized" in member.attributes:
        return False
    if member.attributes & {"SerializeField", "SerializeReference"}:
        return True
    return "public" in member.modifiers and not member.is_property


def _mentions(code: str, name: str) -> bool:
    at = code.find(name)
    while at >= 0:
        before, after = code[at - 1 : at], code[at + len(name) : at + len(name) + 1]
        if not (before.isalnum() or before == "_") and not (after.isalnum() or after == "_"):
            return True
        at = code.find(name, at + 1)
    return False


def _unique(fields: list[SerializedField], notes: list[str]) -> tuple[SerializedField, ...]:
    """Unity refuses a class that has a field's name twice; the first is kept and the rest named."""
    found: dict[str, SerializedField] = {}
    for field in fields:
        if field.name in found:
            notes.append(
                f"the field {field.name} is declared twice ({found[field.name].where}, {field.where}): Unity refuses that"
            )
        found.setdefault(field.name, field)
    return tuple(found.values())
