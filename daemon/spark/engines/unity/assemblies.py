"""Assembly definitions: which assembly a script belongs to, and what that means for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity.facts import language_version, read_json, read_text

MAX_LISTED: Final = 500


@dataclass(frozen=True, slots=True)
class Assembly:
    """An `.asmdef`. `references` are names or `GUID:…` as written; `defines` the symbols of `versionDefines` by package."""

    name: str
    path: ProjectPath
    root_namespace: str = ""
    references: tuple[str, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    constraints: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()

    @property
    def editor_only(self) -> bool:
        return self.platforms == ("Editor",) or "UNITY_EDITOR" in self.constraints

    @property
    def test_only(self) -> bool:
        return "UNITY_INCLUDE_TESTS" in self.constraints


class Assemblies:
    """Finds assemblies by looking at the files, so that the answer is never older than they are."""

    def __init__(self, files: ProjectFiles, index: ProjectIndex) -> None:
        self._files = files
        self._index = index

    def listed(self) -> list[Assembly]:
        """Those of the project's own folders that the index knows, sorted by path."""
        found = [entry.path for entry in self._index.entries() if entry.path.suffix == ".asmdef"]
        return [self.read(path) for path in sorted(found)[:MAX_LISTED]]

    def read(self, path: ProjectPath) -> Assembly:
        value = read_json(self._files, path)
        packages = [item for item in _list(value, "versionDefines") if isinstance(item, dict)]
        name, namespace = value.get("name"), value.get("rootNamespace")
        return Assembly(
            name=name if isinstance(name, str) and name else path.stem,
            path=path,
            root_namespace=namespace.strip() if isinstance(namespace, str) else "",
            references=_strings(value, "references"),
            defines=tuple((str(item.get("name", "")), str(item.get("define", ""))) for item in packages),
            constraints=_strings(value, "defineConstraints"),
            platforms=_strings(value, "includePlatforms"),
        )

    def of(self, path: ProjectPath) -> Assembly | None:
        """The assembly definition that a file falls under; None: one of Unity's predefined assemblies."""
        folder = path.parent
        while folder is not None:
            for name in self._names(folder):
                if name.endswith(".asmdef"):
                    return self.read(folder / name)
                if name.endswith(".asmref"):
                    return self._referred(folder / name)
            folder = folder.parent
        return None

    def language_override(self, assembly: Assembly | None) -> float | None:
        """The C# version that a `csc.rsp` beside the assembly definition asks for."""
        folder = assembly.path.parent if assembly is not None else None
        return language_version(read_text(self._files, folder / "csc.rsp")) if folder is not None else None

    def _names(self, folder: ProjectPath) -> list[str]:
        try:
            return self._files.names(folder)
        except (SparkError, OSError):
            return []

    def _referred(self, path: ProjectPath) -> Assembly | None:
        reference = read_json(self._files, path).get("reference")
        if not isinstance(reference, str):
            return None
        if reference.startswith("GUID:"):
            target = self._index.path_of_guid(reference.removeprefix("GUID:").lower())
            return self.read(target) if target is not None and target.suffix == ".asmdef" else None
        return next((assembly for assembly in self.listed() if assembly.name == reference), None)


def is_editor_code(path: ProjectPath, assembly: Assembly | None) -> bool:
    """Whether only the Editor compiles a script. Below an assembly definition, folders named Editor mean nothing."""
    if assembly is not None:
        return assembly.editor_only
    return "Editor" in path.parts[:-1]


def _list(value: dict[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []


def _strings(value: dict[str, Any], key: str) -> tuple[str, ...]:
    return tuple(item for item in _list(value, key) if isinstance(item, str))
