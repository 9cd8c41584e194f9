"""What the type of a field is to Unity's serialiser: a number, an enum, a value of the engine, a class of the project, a
reference, or nothing that it serialises. Finds types by C#'s rules of scope among those that a `TypeSource` knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from spark.engines.unity.csharp import serialized_builtin as builtin
from spark.engines.unity.csharp.serialized_expressions import TypeName
from spark.engines.unity.csharp.serialized_syntax import Declared

MAX_BASES: Final = 30
FieldKind = Literal[
    "bool", "int", "float", "double", "string", "char", "enum", "vector", "block", "class", "list", "object", "event", "managed",
    "unknown",
]  # fmt: skip


class TypeSource(Protocol):
    """Where declarations come from."""

    def declared(self, name: str, seen_from: Declared, *, everywhere: bool) -> Sequence[Declared]:
        """Types of this simple name that code of `seen_from` may use, parts of partial types one by one. `everywhere`: all of
        them; without, only where they are found quickly (the same file, a file of the type's name)."""
        ...


@dataclass(frozen=True, slots=True)
class Bound:
    """A type argument: what a type parameter stands for, and where that was written."""

    type: TypeName
    context: Declared
    scope: Mapping[str, Bound]


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type that Unity serialises. `name` is for people and, for `object`, the wanted class. `size` and `signed` of
    integers and enums; `element` of a list; `declared` and `scope` of a class or enum of the project; `why`: for `unknown`
    and `managed`, why nothing can be said or set."""

    kind: FieldKind
    name: str
    size: int = 4
    signed: bool = True
    element: FieldType | None = None
    declared: Declared | None = None
    scope: Mapping[str, Bound] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """The base classes of a class, nearest first, by full name where they are known. `root`: the engine's class that it
    ends in, empty for a plain class. `missing`: the base that was not found; nothing is known behind it."""

    names: tuple[str, ...]
    root: str
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Base:
    """A base class of the project with its type arguments."""

    declared: Declared
    scope: Mapping[str, Bound]


class Resolver:
    """Finds declarations and judges field types. `generics`: the editor serialises generic classes (2020.1 and newer)."""

    def __init__(self, source: TypeSource, *, generics: bool = True) -> None:
        self._source = source
        self._generics = generics

    # -- names -----------------------------------------------------------------------------------------------------------

    def find(self, written: TypeName, context: Declared) -> Declared | None:
        """The declaration that a name means where it is written; None for types of the engine, of packages that are not
        on disk, and where several are possible."""
        alias = next((target for name, target in context.aliases if name == written.name), None)
        meant = alias or written
        found = self._among(meant, context, everywhere=False)
        if found is None and not is_of_engine(meant.name.rsplit(".", 1)[-1]):
            found = self._among(meant, context, everywhere=True)
        return found

    def _among(self, written: TypeName, context: Declared, *, everywhere: bool) -> Declared | None:
        dotted, arity = written.name, len(written.args)
        candidates: dict[str, Declared] = {}
        for one in self._source.declared(dotted.rsplit(".", 1)[-1], context, everywhere=everywhere):
            if len(one.parameters) == arity:
                # Of the parts of a partial type, one stands for all.
                candidates.setdefault(one.full_name, one)
        if not candidates:
            return None
        for place in self._places(context):
            full = f"{place}.{dotted}" if place else dotted
            if full in candidates:
                return candidates[full]
        found = {
            full
            for using in context.usings
            for head in _outward(context.namespace)
            if (full := f"{head}.{using}.{dotted}".lstrip(".")) in candidates
        }
        return candidates[found.pop()] if len(found) == 1 else None

    def _places(self, context: Declared) -> Iterator[str]:
        """The scopes that a name is looked up in before the usings, innermost first."""
        owner = context.path
        while owner:
            yield f"{context.namespace}.{owner}".lstrip(".")
            owner = owner.rpartition(".")[0]
        for name in context.bases[:1]:
            # Types nested in the base class; by name only, for finding the base class itself asks here too.
            yield from (f"{head}.{name.name}".lstrip(".") for head in _outward(context.namespace))
        yield from _outward(context.namespace)

    def parts(self, declared: Declared) -> list[Declared]:
        """All parts of a partial type, sorted by file; a type that is not partial alone."""
        if "partial" not in declared.modifiers:
            return [declared]
        same = [
            one
            for one in self._source.declared(declared.name, declared, everywhere=True)
            if one.full_name == declared.full_name and len(one.parameters) == len(declared.parameters)
        ]
        return sorted(same, key=lambda one: (one.source, one.line)) or [declared]

    # -- bases -----------------------------------------------------------------------------------------------------------

    def base(self, declared: Declared, scope: Mapping[str, Bound]) -> Base | str:
        """The base class; as a string where it is none of the project's: its written name, or empty for none."""
        if declared.kind != "class":
            return ""
        for part in self.parts(declared):
            for written in part.bases:
                bound = scope.get(written.name)
                if bound is not None:
                    return str(bound.type)
                found = self.find(written, part)
                if found is not None and found.kind == "interface":
                    continue
                if found is not None and found.full_name != declared.full_name:
                    inner = {
                        name: Bound(arg, part, scope) for name, arg in zip(found.parameters, written.args, strict=True)
                    }
                    return Base(found, inner)
                simple = written.name.rsplit(".", 1)[-1]
                # Only the first name can be a class; an interface by its look is none.
                if written == part.bases[0] and not _looks_like_interface(simple):
                    return simple
        return ""

    def chain(self, declared: Declared) -> Chain:
        names: list[str] = []
        current, scope = declared, dict[str, Bound]()
        for _ in range(MAX_BASES):
            base = self.base(current, scope)
            if isinstance(base, str):
                if not base:
                    return Chain(tuple(names), "")
                names.append(base)
                if base in builtin.SCRIPT_ROOTS:
                    return Chain(tuple(names), builtin.SCRIPT_ROOTS[base])
                if base in builtin.EVENTS or base in builtin.OBJECTS:
                    return Chain(tuple(names), builtin.KNOWN_SCRIPT_BASES.get(base, base), missing=_package_base(base))
                return Chain(tuple(names), builtin.KNOWN_SCRIPT_BASES.get(base, ""), missing=base)
            current, scope = base.declared, dict(base.scope)
            names.append(current.full_name)
        return Chain(tuple(names), "", missing=names[-1])

    # -- field types -----------------------------------------------------------------------------------------------------

    def field_type(self, written: TypeName, context: Declared, scope: Mapping[str, Bound]) -> FieldType | None:
        """None: Unity does not serialise a field of this type."""
        if written.array:
            if written.array > 1 or written.special in ("rectangular", "nullable"):
                return None
            return self._list(TypeName(written.name, written.args, 0, written.special), context, scope, str(written))
        if written.special in ("nullable", "tuple_type", "pointer_type", "function_pointer_type"):
            return None
        if written.special or written.name == "?":
            return FieldType("unknown", str(written), why="its type could not be read")
        bound = scope.get(written.name)
        if bound is not None:
            return self.field_type(bound.type, bound.context, bound.scope)
        found = self.find(written, context)
        if found is not None:
            return self._of_project(found, written, context, scope)
        return self._of_engine(written, context, scope)

    def _list(self, element: TypeName, context: Declared, scope: Mapping[str, Bound], name: str) -> FieldType | None:
        inner = self.field_type(element, context, scope)
        if inner is None or inner.kind == "list":
            # Containers of containers are not serialised.
            return None
        return FieldType("list", name, element=inner)

    def _of_engine(self, written: TypeName, context: Declared, scope: Mapping[str, Bound]) -> FieldType | None:
        alias = next((target for name, target in context.aliases if name == written.name), None)
        if alias is not None and alias.name != written.name:
            return self.field_type(alias, context, scope)
        simple = written.name.rsplit(".", 1)[-1]
        name = builtin.SYSTEM_NAMES.get(simple, simple)
        if name in builtin.INTEGERS:
            size, signed = builtin.INTEGERS[name]
            return FieldType("int", name, size, signed)
        if name in ("float", "double", "bool", "string", "char"):
            return FieldType(name, name)  # type: ignore[arg-type]
        if simple == "List" and len(written.args) == 1:
            return self._list(written.args[0], context, scope, str(written))
        if simple in builtin.EVENTS:
            return FieldType("event", simple) if not written.args or self._generics else None
        if not written.args:
            if simple in builtin.VECTORS:
                return FieldType("vector", simple)
            if simple in builtin.BLOCKS:
                return FieldType("block", simple)
            if simple in builtin.OBJECTS and written.name not in ("object", "System.Object"):
                # `Object` alone is the engine's only where `using System` does not make it the other one.
                return FieldType("object", simple)
            if builtin.unity_enum(simple) is not None:
                return FieldType("enum", simple)
        if simple in builtin.NEVER:
            return None
        if simple in builtin.UNKNOWN_SHAPES and not written.args:
            why = (
                f"{simple} is Unity's own, and how it stands in a file is not known exactly here: set it in the Editor"
            )
            return FieldType("unknown", simple, why=why)
        why = (
            f"the type {written} was found neither in the project nor in its packages on disk, and it is none of the engine's "
            "that is known here"
        )
        return FieldType("unknown", str(written), why=why)

    def _of_project(
        self, found: Declared, written: TypeName, context: Declared, scope: Mapping[str, Bound]
    ) -> FieldType | None:
        if found.kind in ("interface", "delegate", "record"):
            return None
        if found.kind == "enum":
            base = found.bases[0].name.rsplit(".", 1)[-1] if found.bases else "int"
            size, signed = builtin.INTEGERS.get(builtin.SYSTEM_NAMES.get(base, base), (4, True))
            return FieldType("enum", found.path, size, signed, declared=found) if size <= 4 else None
        chain = self.chain(found) if found.kind == "class" else Chain((), "")
        if (
            chain.root in ("MonoBehaviour", "ScriptableObject", "EditorWindow", "Editor")
            or chain.root in builtin.OBJECTS
        ):
            return FieldType("object", found.full_name) if not found.parameters or self._generics else None
        marked = any("Serializable" in part.attributes for part in self.parts(found))
        if chain.root in builtin.EVENTS:
            return FieldType("event", found.path) if marked else None
        if chain.missing:
            why = f"the base class {chain.missing} of {found.path} was found neither in the project nor in its packages on disk"
            return FieldType("unknown", found.path, why=why)
        if not marked or found.modifiers & {"abstract", "static"}:
            return None
        if found.parameters and not self._generics:
            return None
        inner = {name: Bound(arg, context, scope) for name, arg in zip(found.parameters, written.args, strict=True)}
        return FieldType("class", str(written), declared=found, scope=inner)


def _outward(namespace: str) -> Iterator[str]:
    """`A.B`, `A`, and the global namespace as an empty text."""
    while namespace:
        yield namespace
        namespace = namespace.rpartition(".")[0]
    yield ""


def is_of_engine(name: str) -> bool:
    """Whether a simple name is one of the engine's or of .NET's that fields often have. A project's own type of such a name
    is looked for only where that is quick."""
    name = builtin.SYSTEM_NAMES.get(name, name)
    if name in builtin.INTEGERS or name in ("float", "double", "bool", "string", "char", "List"):
        return True
    tables = (
        builtin.VECTORS,
        builtin.BLOCKS,
        builtin.OBJECTS,
        builtin.NEVER,
        builtin.EVENTS,
        builtin.SCRIPT_ROOTS,
        builtin.UNKNOWN_SHAPES,
    )
    return any(name in table for table in tables)


def _looks_like_interface(name: str) -> bool:
    return len(name) > 1 and name[0] == "I" and name[1].isupper()


def _package_base(name: str) -> str:
    """A base class of a package, whose own fields are not known here; empty for classes of the engine without fields."""
    return name if name in builtin.KNOWN_SCRIPT_BASES else ""
