"""Scripts by the name of their class: where they lie, what they derive from, which fields Unity serialises.

Unity binds a class to the file that has its name; Unity 6 also the only component or asset class of a file of another name
(manual, "Naming scripts"). That rule and its refusals are here. Must not know how fields are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final, Literal

from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.limits import ASSET_BYTES
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity.assemblies import is_editor_code
from spark.engines.unity.csharp.serialized import FieldReader, SerializedClass, SerializedField
from spark.engines.unity.csharp.serialized_expressions import TypeName
from spark.engines.unity.csharp.serialized_syntax import Declared
from spark.engines.unity.csharp.serialized_types import MAX_BASES, Base, Chain, Resolver
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.meta import guid_in_meta
from spark.engines.unity.script_files import ScriptCache, ScriptFiles

__all__ = ["ScriptCache", "ScriptClass", "Scripts"]
ScriptKind = Literal["MonoBehaviour", "ScriptableObject", "other"]
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class ScriptClass:
    """A class that Unity binds to a file. `bases`: full names, nearest first; `missing`: a base that was not found, behind
    which nothing is known. `kind`: what it may be used as. `notes`: fields that are left out, and why. `requires`: components
    that Unity adds with it (`[RequireComponent]`, also of base classes); `only_one`: an object takes one of it."""

    path: ProjectPath
    guid: str
    namespace: str
    name: str
    bases: tuple[str, ...]
    kind: ScriptKind
    fields: tuple[SerializedField, ...]
    notes: tuple[str, ...]
    missing: str = ""
    requires: tuple[str, ...] = ()
    only_one: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.namespace}.{self.name}" if self.namespace else self.name


class Scripts:
    """The scripts of a project as they are now; make one for each call. `symbols`: what a script is compiled with in the Editor;
    `cache` may live longer."""

    def __init__(
        self,
        files: ProjectFiles,
        index: ProjectIndex,
        *,
        version: EditorVersion,
        symbols: Callable[[ProjectPath], Set[str]],
        cache: ScriptCache | None = None,
    ) -> None:
        self._files = files
        self._index = index
        self._scripts = ScriptFiles(files, index, symbols, cache or ScriptCache())
        self._any_name = version >= EditorVersion(6000, 0)
        self.reader = FieldReader(Resolver(self._scripts, generics=version >= EditorVersion(2020, 1)))

    # -- classes ------------------------------------------------------------------------------------------------------------

    def find(self, class_name: str, *, need: ScriptKind | None = None, where: str = "type") -> ScriptClass:
        """The class of this simple or full name. `need`: it must be usable as that, or it is refused with why.

        Raises `not_found`, `ambiguous_match`, `invalid_arguments`, `broken_reference` (no `.meta` yet). CPU time.
        """
        simple = class_name.rsplit(".", 1)[-1]
        found = [
            declared
            for path in self._scripts.named(simple)
            for declared in self._scripts.types_of(path)
            if declared.name == simple and not declared.owner and declared.kind in ("class", "record")
        ]
        if not found and self._any_name:
            found = [
                one for path in self._scripts.declaring(simple) if (one := self._bound(path)) and one.name == simple
            ]
        named = [one for one in found if class_name in (one.full_name, one.name)]
        by_file: dict[str, list[Declared]] = {}
        for one in named:
            by_file.setdefault(one.source, []).append(one)
        if len(by_file) > 1 or any(len({one.full_name for one in same}) > 1 for same in by_file.values()):
            raise self._ambiguous(class_name, named, where)
        if not named:
            raise self._not_found(class_name, found, need, where)
        declared = named[0]
        path = ProjectPath(declared.source)
        chain = self.reader.resolver.chain(declared)
        self._usable(declared, path, chain, need, where)
        return self._made(declared, path, chain, self._guid(path, where))

    def of_guid(self, guid: str) -> ScriptClass | None:
        """The class that Unity binds to a script's guid; None where it cannot be read (a DLL, a package that is not on disk)
        or where the file has no class of its own name."""
        path = self._index.path_of_guid(guid)
        declared = self._bound(path)
        if path is None or declared is None:
            return None
        return self._made(declared, path, self.reader.resolver.chain(declared), guid)

    def fits(self, guid: str, wanted: str) -> bool | None:
        """Whether a script is the class `wanted` (simple or full name) or derives from it; None where that is not known."""
        path = self._index.path_of_guid(guid)
        declared = self._bound(path)
        if path is None or declared is None:
            # The class of a script that cannot be read has the name of its file.
            return (
                True if path is not None and path.suffix == ".cs" and path.stem == wanted.rsplit(".", 1)[-1] else None
            )
        chain = self.reader.resolver.chain(declared)
        names = (declared.full_name, *chain.names)
        if wanted in names or ("." not in wanted and any(name.rsplit(".", 1)[-1] == wanted for name in names)):
            return True
        return None if chain.missing else False

    def former_names(self, script: ScriptClass) -> dict[str, str]:
        """What `[FormerlySerializedAs]` says fields were called, and their names now, for hints: read from the text."""
        found: dict[str, str] = {}
        by_path: dict[str, list[tuple[int, str]]] = {}
        for field in script.fields:
            path, _, line = field.where.rpartition(":")
            by_path.setdefault(path, []).append((int(line), field.member))
        for name, fields in by_path.items():
            text = (self._files.read(ProjectPath(name), limit_bytes=ASSET_BYTES) or b"").decode("utf-8", "replace")
            for match in re.finditer(r"FormerlySerializedAs\s*\(\s*\"([^\"\n]+)\"", text):
                at = text.count("\n", 0, match.start()) + 1
                nearest = min((line for line, _ in fields if line >= at), default=0)
                behind = {member for line, member in fields if line == nearest}
                words = re.finditer(r"\w+", text[match.end() :])
                member = next((word.group() for word in words if word.group() in behind), None)
                if member is not None:
                    found.setdefault(match.group(1), member)
        return found

    def _made(self, declared: Declared, path: ProjectPath, chain: Chain, guid: str) -> ScriptClass:
        read: SerializedClass = self.reader.of_script(declared)
        kind: ScriptKind = chain.root if chain.root in ("MonoBehaviour", "ScriptableObject") else "other"  # type: ignore[assignment]
        levels = [part for level in self._levels(declared) for part in self.reader.resolver.parts(level)]
        requires = dict.fromkeys(self._full(written, part) for part in levels for written in part.requires)
        return ScriptClass(
            path,
            guid,
            declared.namespace,
            declared.name,
            chain.names,
            kind,
            read.fields,
            read.notes,
            chain.missing,
            tuple(requires),
            any("DisallowMultipleComponent" in part.attributes for part in levels),
        )

    def _levels(self, declared: Declared) -> Iterator[Declared]:
        """The class and its base classes in the project."""
        resolver = self.reader.resolver
        at: Base | str = Base(declared, {})
        for _ in range(MAX_BASES):
            if isinstance(at, str):
                return
            yield at.declared
            at = resolver.base(at.declared, at.scope)

    def _full(self, written: TypeName, context: Declared) -> str:
        found = self.reader.resolver.find(written, context)
        return found.full_name if found is not None else written.name.rsplit(".", 1)[-1]

    def _bound(self, path: ProjectPath | None) -> Declared | None:
        """The class that Unity binds to a file."""
        if path is None or path.suffix != ".cs":
            return None
        there = [one for one in self._scripts.types_of(path) if not one.owner and one.kind == "class"]
        found = [one for one in there if one.name == path.stem]
        if not found and self._any_name:
            found = [one for one in there if "partial" not in one.modifiers and self._is_script(one)]
        return found[0] if len({one.full_name for one in found}) == 1 else None

    def _is_script(self, declared: Declared) -> bool:
        usable = not declared.parameters and not declared.modifiers & {"abstract", "static"}
        return usable and self.reader.resolver.chain(declared).root in ("MonoBehaviour", "ScriptableObject")

    # -- refusals -----------------------------------------------------------------------------------------------------------

    def _usable(self, declared: Declared, path: ProjectPath, chain: Chain, need: ScriptKind | None, where: str) -> None:
        name = declared.full_name
        why = ""
        if need is not None and need != "other":
            if declared.modifiers & {"abstract", "static"}:
                why = f"{name} is {'abstract' if 'abstract' in declared.modifiers else 'static'}; name a class that derives from it"
            elif declared.parameters:
                why = f"{name} is generic: Unity binds no generic class to a file; derive one with its type from it"
            elif chain.missing and not chain.root:
                why = (
                    f"{name} derives from {chain.missing}, which is neither in the project nor in its packages on disk, "
                    f"so it is not known to be a {need}; open the project in Unity once, so that its packages are there"
                )
            elif chain.root != need:
                why = f"{name} is no {need}" + (f", it is a {chain.root}" if chain.root else "")
            elif need == "MonoBehaviour" and is_editor_code(path, self._scripts.assembly(path)):
                why = f"{name} lies in {path}, which only the Editor compiles: Unity adds no such script to an object"
        if why:
            raise invalid_arguments({where: f"a class that derives from {need}"}, f"{where}: {why}")

    def _ambiguous(self, class_name: str, found: Sequence[Declared], where: str) -> ToolRejected:
        places = [f"{one.full_name} ({one.source})" for one in found]
        return ToolRejected(
            "ambiguous_match",
            f"{where}: {len(places)} classes are called {class_name}: {', '.join(places[:_SHOWN])}",
            hint="Give the full name with its namespace; two classes of the same full name must not both be in the project.",
            details={"field": where, "paths": [one.source for one in found]},
        )

    def _not_found(
        self, class_name: str, others: Sequence[Declared], need: ScriptKind | None, where: str
    ) -> ToolRejected:
        simple = class_name.rsplit(".", 1)[-1]
        details = {"field": where}
        if others:
            names = ", ".join(one.full_name for one in others[:_SHOWN])
            return ToolRejected(
                "not_found", f"{where}: there is no class {class_name}", hint=f"There is: {names}", details=details
            )
        elsewhere = [
            one
            for path in self._scripts.declaring(simple)
            for one in self._scripts.types_of(path)
            if one.name == simple
        ]
        if elsewhere:
            one = elsewhere[0]
            how = f"inside {one.owner}" if one.owner else f"in a file of another name ({one.source})"
            return invalid_arguments(
                {where: "a class that lies in a file of its own name"},
                f"{where}: {one.full_name} is declared {how}: Unity binds a class to the file that has its name. "
                f"Move it into {simple}.cs.",
            )
        import difflib

        from spark.engines.unity.hierarchy.engine_types import no_script

        of_engine = no_script(class_name, need or "", where)
        if of_engine is not None:
            return of_engine
        near = difflib.get_close_matches(simple, list(self._scripts.stems()), 5, 0.7)
        hint = f"Did you mean {', '.join(near)}? " if near else ""
        return ToolRejected(
            "not_found",
            f"{where}: no script of the project or of its packages on disk declares a class {class_name}",
            hint=hint + "Packages are on disk once Unity has opened the project (Library/PackageCache).",
            details=details,
        )

    def _guid(self, path: ProjectPath, where: str) -> str:
        guid = guid_in_meta(self._files.read(path.meta, limit_bytes=ASSET_BYTES) or b"")
        if guid is None:
            raise ToolRejected(
                "broken_reference",
                f"{where}: {path} has no .meta with a guid: Unity has not imported it yet",
                hint="Let Unity import the script first; scripts made by SPARK have their .meta at once.",
                details={"field": where, "path": path.text},
            )
        return guid
