"""Which script files there are, what each declares, and which of them may use which. Reads only what it is asked for.

A file is found by its name where that is enough; a type that lies in a file of another name by one pass over all scripts,
whose results a `ScriptCache` keeps. Knows nothing of Unity's classes or of fields.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity.assemblies import Assemblies, Assembly
from spark.engines.unity.csharp.serialized_syntax import Declared, declared_types
from spark.engines.unity.package_scripts import PackageScripts

MAX_SCRIPT_BYTES: Final = 4 * 1024 * 1024
MAX_PARSED: Final = 512
_DECLARES: Final = re.compile(rb"\b(?:class|struct|enum|interface|record|delegate\s+[\w.<>\[\], ]+)\s+([A-Za-z_]\w*)")


@dataclass(slots=True)
class ScriptCache:
    """What was read of scripts, by their size and times; kept for as long as the engine lives. Any thread may use it: at
    worst a file is read twice."""

    parsed: OrderedDict[tuple[str, object, Set[str]], tuple[Declared, ...]] = field(default_factory=OrderedDict)
    names: dict[ProjectPath, tuple[object, frozenset[str]]] = field(default_factory=dict)
    packages: PackageScripts = field(default_factory=PackageScripts)


class ScriptFiles:
    """Implements `csharp.serialized_types.TypeSource`."""

    def __init__(
        self,
        files: ProjectFiles,
        index: ProjectIndex,
        symbols: Callable[[ProjectPath], Set[str]],
        cache: ScriptCache,
    ) -> None:
        self._files = files
        self._index = index
        self._symbols = symbols
        self._cache = cache
        self._assemblies = Assemblies(files, index)
        self._of_folder: dict[ProjectPath | None, Assembly | None] = {}
        self._by_stem: dict[str, list[ProjectPath]] | None = None
        self._by_name: dict[str, list[ProjectPath]] | None = None
        self._read: dict[ProjectPath, tuple[Declared, ...]] = {}

    def types_of(self, path: ProjectPath) -> tuple[Declared, ...]:
        """What a file declares; nothing where it cannot be read."""
        if path not in self._read:
            self._read[path] = self._parsed(path)
        return self._read[path]

    def _parsed(self, path: ProjectPath) -> tuple[Declared, ...]:
        try:
            found = self._files.stat(path)
            if found is None or found.is_folder:
                return ()
            symbols = frozenset(self._symbols(path))
            key = (path.text, (found.size, found.mtime_ns, found.inode), symbols)
            cache = self._cache.parsed
            if key not in cache:
                content = self._files.read(path, limit_bytes=MAX_SCRIPT_BYTES) or b""
                cache[key] = declared_types(content.decode("utf-8", "replace"), symbols, path.text)
                while len(cache) > MAX_PARSED:
                    cache.popitem(last=False)
            return cache[key]
        except (SparkError, OSError):
            return ()

    def stems(self) -> dict[str, list[ProjectPath]]:
        """The project's scripts by file name without `.cs`."""
        if self._by_stem is None:
            self._by_stem = {}
            for entry in self._index.entries():
                if entry.path.text.endswith(".cs"):
                    self._by_stem.setdefault(entry.path.stem, []).append(entry.path)
        return self._by_stem

    def named(self, name: str) -> list[ProjectPath]:
        """Scripts of this name in the project; where there is none, those of its packages on disk."""
        found = [path for path in self.stems().get(name, []) if not _is_hidden(path)]
        return found or self._cache.packages.named(name, self._files)

    def declaring(self, name: str) -> list[ProjectPath]:
        """Scripts whose text declares a type of this name, whatever the file is called."""
        if self._by_name is None:
            self._by_name = {}
            for path in self._all():
                for declared in self._names_in(path):
                    self._by_name.setdefault(declared, []).append(path)
        return self._by_name.get(name, [])

    def _all(self) -> Iterator[ProjectPath]:
        for paths in self.stems().values():
            yield from (path for path in paths if not _is_hidden(path))

    def _names_in(self, path: ProjectPath) -> frozenset[str]:
        try:
            found = self._files.stat(path)
            stamp = (found.size, found.mtime_ns, found.inode) if found is not None else None
            known = self._cache.names.get(path)
            if known is None or known[0] != stamp:
                content = self._files.read(path, limit_bytes=MAX_SCRIPT_BYTES) or b""
                names = frozenset(match.decode("ascii", "ignore") for match in _DECLARES.findall(content))
                known = self._cache.names[path] = (stamp, names)
            return known[1]
        except (SparkError, OSError):
            return frozenset()

    # -- csharp.serialized_types.TypeSource ------------------------------------------------------------------------------------

    def declared(self, name: str, seen_from: Declared, *, everywhere: bool) -> Sequence[Declared]:
        origin = ProjectPath(seen_from.source)
        paths = dict.fromkeys((origin, *self.named(name), *(self.declaring(name) if everywhere else ())))
        return [
            one
            for path in paths
            if path == origin or self._sees(origin, path)
            for one in self.types_of(path)
            if one.name == name
        ]

    def _sees(self, origin: ProjectPath, path: ProjectPath) -> bool:
        """Whether code of one file may use types of another: by the assembly definitions that they fall under."""
        if path.parts[0] == "Packages" and path.parts[1] not in self._files.embedded_packages:
            # What is found in a package that is not part of the project was asked for by its name: nothing else has it.
            return True
        own, other = self.assembly(origin), self.assembly(path)
        if own is None:
            # Unity's predefined assemblies see all the others; those that say no are rare and named in code by accident only.
            return True
        if other is None:
            return False
        return own.name == other.name or other.name in own.references or self._by_guid(own, other)

    def _by_guid(self, own: Assembly, other: Assembly) -> bool:
        wanted = [text.removeprefix("GUID:").lower() for text in own.references if text.startswith("GUID:")]
        return any(self._index.path_of_guid(guid) == other.path for guid in wanted)

    def assembly(self, path: ProjectPath) -> Assembly | None:
        """The assembly definition that a script falls under."""
        folder = path.parent
        if folder not in self._of_folder:
            self._of_folder[folder] = self._assemblies.of(path)
        return self._of_folder[folder]


def _is_hidden(path: ProjectPath) -> bool:
    """Folders that Unity does not import: `Samples~`, `.git`."""
    return any(part.startswith(".") or part.endswith("~") for part in path.parts)
