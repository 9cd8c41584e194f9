"""New assembly definitions: the JSON that Unity's inspector writes, every key in its order."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from spark.core.assets import AssetBytes, Json
from spark.core.errors import SparkError, ToolRejected, invalid_arguments
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles
from spark.engines.unity.assemblies import Assemblies
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.package_scripts import PackageScripts, packages
from spark.engines.unity.words import words

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.world import World

_DEFAULTS: Final[Mapping[str, Any]] = {
    "name": "",
    "rootNamespace": "",
    "references": [],
    "includePlatforms": [],
    "excludePlatforms": [],
    "allowUnsafeCode": False,
    "overrideReferences": False,
    "precompiledReferences": [],
    "autoReferenced": True,
    "defineConstraints": [],
    "versionDefines": [],
    "noEngineReferences": False,
}
_PLATFORMS: Final = words(
    "Android CloudRendering Editor EmbeddedLinux GameCoreScarlett GameCoreXboxOne iOS KeplerLinuxStandalone "
    "LinuxHeadlessSimulation LinuxStandalone64 Lumin macOSStandalone Nintendo3DS PS4 PS5 QNX Stadia Switch Switch2 tvOS "
    "VisionOS WebGL WindowsStandalone32 WindowsStandalone64 WSA XboxOne"
)
_NAME: Final = re.compile(r"[\w.\- ]{1,128}")
_NAMESPACE: Final = re.compile(r"([^\W\d]\w*(\.[^\W\d]\w*)*)?")
_CONSTRAINT: Final = re.compile(r"!?\w+( *\|\| *!?\w+)*")
_GUID: Final = re.compile(r"GUID:[0-9a-fA-F]{32}")
_SHOWN: Final = 20


def new_asmdef(
    path: ProjectPath,
    properties: Mapping[str, Json],
    world: World,
) -> AssetBytes:
    """An `.asmdef` with the keys of Unity's own; `name` is the file's name where it is not given.

    References are names of assemblies of the project or of its packages, or `GUID:…`. Raises `invalid_arguments` (unknown
    keys, values, references), `already_exists` (the name, or another assembly definition in the folder).
    """
    if path.suffix != ".asmdef":
        raise invalid_arguments({"path": "a path that ends in .asmdef"})
    made = _checked({"name": path.stem, **properties})
    known = {assembly.name: assembly.path for assembly in Assemblies(world.files, world.index).listed()}
    _check_place(path, made["name"], known, world.files)
    warnings = _check_references(made["references"], known, world)
    if world.version < EditorVersion(2020, 2):
        if made["rootNamespace"]:
            raise invalid_arguments({"properties.rootNamespace": "nothing: Unity knows it since 2020.2"})
        del made["rootNamespace"]
    text = json.dumps(made, indent=4, ensure_ascii=False)
    result: dict[str, Any] = {"assembly": made["name"]}
    return AssetBytes(text.encode("utf-8"), result | ({"notes": warnings} if warnings else {}))


def _checked(given: Mapping[str, Json]) -> dict[str, Any]:
    unknown = [key for key in given if key not in _DEFAULTS]
    if unknown:
        raise invalid_arguments({f"properties.{key}": f"one of {', '.join(_DEFAULTS)}" for key in unknown})
    made = {key: given.get(key, default) for key, default in _DEFAULTS.items()}
    wrong: dict[str, str] = {}
    for key, default in _DEFAULTS.items():
        value = made[key]
        if isinstance(default, bool):
            right, accepted = isinstance(value, bool), "true or false"
        elif isinstance(default, str):
            right, accepted = isinstance(value, str), "a text"
        elif key == "versionDefines":
            right, accepted = _are_defines(value), 'a list of {"name", "expression", "define"}'
        else:
            right, accepted = (
                isinstance(value, list) and all(isinstance(item, str) for item in value),
                "a list of texts",
            )
        if not right:
            wrong[f"properties.{key}"] = accepted
    if not wrong:
        wrong = dict(_wrong(made))
    if wrong:
        raise invalid_arguments(wrong)
    keys = ("name", "expression", "define")
    made["versionDefines"] = [{key: item[key] for key in keys} for item in made["versionDefines"]]
    return made


def _are_defines(value: Json) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and set(item) == {"name", "expression", "define"}
        and all(isinstance(part, str) for part in item.values())
        for item in value
    )


def _wrong(made: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if not _NAME.fullmatch(made["name"]) or made["name"] != made["name"].strip(" ."):
        found.append(("properties.name", "a name of letters, digits, '.', '-', '_'"))
    if not _NAMESPACE.fullmatch(made["rootNamespace"]):
        found.append(("properties.rootNamespace", "a namespace such as Game.Core, or empty"))
    for key in ("includePlatforms", "excludePlatforms"):
        bad = [name for name in made[key] if name not in _PLATFORMS]
        if bad:
            found.append((f"properties.{key}", f"names of platforms ({', '.join(sorted(_PLATFORMS))}), not {bad[0]!r}"))
    if made["includePlatforms"] and made["excludePlatforms"]:
        found.append(
            ("properties.excludePlatforms", "empty where includePlatforms is given: Unity takes only one of the two")
        )
    if made["precompiledReferences"] and not made["overrideReferences"]:
        found.append(
            ("properties.overrideReferences", "true where precompiledReferences are given: else Unity ignores them")
        )
    if any(not _CONSTRAINT.fullmatch(text) for text in made["defineConstraints"]):
        found.append(("properties.defineConstraints", "symbols such as UNITY_INCLUDE_TESTS or !UNITY_EDITOR"))
    if len(set(made["references"])) != len(made["references"]):
        found.append(("properties.references", "each assembly once"))
    if made["name"] in made["references"]:
        found.append(("properties.references", "other assemblies than itself"))
    return found


def _check_place(path: ProjectPath, name: str, known: Mapping[str, ProjectPath], files: ProjectFiles) -> None:
    folded = {other.casefold(): place for other, place in known.items()}
    other = folded.get(name.casefold())
    if other is not None and other != path:
        raise ToolRejected(
            "already_exists",
            f"properties.name: the assembly {name} is defined by {other}",
            hint="Each assembly needs a name of its own.",
            details={"field": "properties.name", "path": other.text},
        )
    folder = path.parent
    there = files.names(folder) if folder is not None and files.stat(folder) is not None else []
    beside = [name for name in there if name.endswith((".asmdef", ".asmref")) and name != path.name]
    if beside:
        raise ToolRejected(
            "already_exists",
            f"path: {folder} has {beside[0]} already",
            hint="Unity takes one assembly definition or reference for each folder.",
            details={"field": "path", "path": f"{folder}/{beside[0]}"},
        )


def _check_references(references: Sequence[str], known: Mapping[str, ProjectPath], world: World) -> list[str]:
    """Refuses references to nothing. Answers what could not be checked: assemblies of packages that are not on disk."""
    notes: list[str] = []
    packaged: frozenset[str] | None = None
    for at, name in enumerate(references):
        where = f"properties.references[{at}]"
        if _GUID.fullmatch(name):
            target = world.index.path_of_guid(name.removeprefix("GUID:").lower())
            if target is not None and target.suffix == ".asmdef":
                continue
            raise _unknown(where, name, known)
        if name in known:
            continue
        packaged = _packaged(world) if packaged is None else packaged
        if name in packaged:
            continue
        absent = [package for package in packages(world.files) if not _is_on_disk(package, world.files)]
        if not absent:
            raise _unknown(where, name, known)
        notes.append(
            f"{name} is not in the project; whether a package that is not on disk has it is not known ({', '.join(absent[:_SHOWN])})"
        )
    return notes


def _packaged(world: World) -> frozenset[str]:
    known = world.script_cache.packages if world.script_cache is not None else PackageScripts()
    return known.assemblies(world.files)


def _is_on_disk(package: str, files: ProjectFiles) -> bool:
    if package.startswith("com.unity.modules."):
        # Parts of the engine itself: they have no assembly definitions.
        return True
    try:
        return files.stat(ProjectPath(f"Packages/{package}/package.json")) is not None
    except (SparkError, OSError):
        return False


def _unknown(where: str, name: str, known: Mapping[str, ProjectPath]) -> ToolRejected:
    names = ", ".join(sorted(known)[:_SHOWN]) or "none"
    return ToolRejected(
        "broken_reference",
        f"{where}: neither the project nor its packages define the assembly {name}",
        hint=f"The project has: {names}. Make the other assembly definition first.",
        details={"field": where},
    )
