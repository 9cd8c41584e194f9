"""The offline model's skills for assets: a prefab with named components, a material of a named colour, an empty scene. Pure."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from spark.adapters.models.offline_language import as_class_name, unquoted
from spark.adapters.models.offline_outcomes import error_of, paths_in, result_of

COLOURS: Final[Mapping[str, str]] = {
    "red": "#ff0000",
    "green": "#00ff00",
    "blue": "#0000ff",
    "yellow": "#ffeb04",
    "white": "#ffffff",
    "black": "#000000",
    "grey": "#808080",
    "gray": "#808080",
    "cyan": "#00ffff",
    "magenta": "#ff00ff",
    "orange": "#ff8000",
    "purple": "#800080",
    "brown": "#804000",
    "pink": "#ff80c0",
}
_SHAPES: Final[Mapping[str, str]] = {
    "cube": "BoxCollider",
    "sphere": "SphereCollider",
    "capsule": "CapsuleCollider",
    "cylinder": "CapsuleCollider",
    "plane": "MeshCollider",
    "quad": "MeshCollider",
}
_COLOUR: Final = rf"(?:{'|'.join(COLOURS)}|#[0-9a-fA-F]{{6}}(?:[0-9a-fA-F]{{2}})?)"
_MAKE: Final = r"(?:create|make|add|build|generate|give me)\s+(?:an?\s+|the\s+|me\s+|new\s+|empty\s+)*"
_NAME: Final = r"(?:called|named)\s+(?P<name>\"[^\"]+\"|'[^']+'|`[^`]+`|[\w./-]*\w)"
_IN: Final = r"(?:\s+in\s+(?:the\s+folder\s+)?(?P<folder>Assets(?:/[\w. -]*\w)*))?"
PREFAB: Final = re.compile(
    rf"{_MAKE}(?P<shape>{'|'.join(_SHAPES)})?\s*prefab\s+{_NAME}"
    rf"(?:\s+with\s+(?:an?\s+|the\s+)?(?:components?\s+)?(?P<parts>[\w., ]+?))?{_IN}",
    re.IGNORECASE,
)
MATERIAL: Final = re.compile(
    rf"{_MAKE}(?P<colour>{_COLOUR})?\s*material\s+{_NAME}"
    rf"(?:\s+(?:with|of|in)\s+(?:the\s+)?colou?r\s+(?P<colour_after>{_COLOUR}))?{_IN}",
    re.IGNORECASE,
)
RECOLOUR: Final = re.compile(
    rf"(?:make|colou?r|paint|change|turn|set)\s+(?:the\s+)?(?:colou?r\s+of\s+)?(?:the\s+)?material\s+"
    rf"(?P<name>\"[^\"]+\"|'[^']+'|`[^`]+`|[\w./-]*\w)\s+(?:to\s+|into\s+)?(?P<colour>{_COLOUR})",
    re.IGNORECASE,
)
SCENE: Final = re.compile(rf"{_MAKE}scene\s+{_NAME}{_IN}", re.IGNORECASE)

LISTED: Final = (
    ("createPrefab", "make a prefab: create a cube prefab called Crate with Rigidbody"),
    ("createMaterial", "make a material: create a red material called Ruby"),
    ("editMaterial", "colour a material: make the material Ruby #00ff00"),
    ("createAsset", "make a scene: create a scene called Level1"),
)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call to be made."""

    name: str
    arguments: Mapping[str, Any]


AssetRun = Generator[Call, Any, str]


def prefab(match: re.Match[str], instructions: str) -> AssetRun:
    """One object, with a built-in shape where one is named, and the components that are named."""
    path = _path(match, "Assets/Prefabs", ".prefab")
    components: list[dict[str, Any]] = []
    shape = (match["shape"] or "").lower()
    notes = ""
    if shape:
        components.append({"type": "MeshFilter", "properties": {"mesh": f"builtin:{shape.capitalize()}"}})
        renderer: dict[str, Any] = {"type": "MeshRenderer"}
        if "Render pipeline: Built-in" in instructions:
            renderer["properties"] = {"materials": ["builtin:Default-Material"]}
        else:
            notes = " Its renderer has no material yet: this project's pipeline has its own."
        components += [renderer, {"type": _SHAPES[shape]}]
    components += [{"type": name} for name in _parts(match["parts"])]
    name = path.rsplit("/", 1)[-1].removesuffix(".prefab")
    output = yield Call("createPrefab", {"path": path, "objects": [{"path": name, "components": components}]})
    problem = error_of(output)
    if problem:
        return f"The prefab {name} was not made: {problem}"
    made = ", ".join(["Transform", *(part["type"] for part in components)])
    return f"Made the prefab {result_of(output).get('path', path)} with {made}.{notes}"


def material(match: re.Match[str], _: str) -> AssetRun:
    path = _path(match, "Assets/Materials", ".mat")
    colour = _colour(match["colour"] or match["colour_after"])
    arguments: dict[str, Any] = {"path": path}
    if colour:
        arguments["properties"] = {"color": colour}
    output = yield Call("createMaterial", arguments)
    problem = error_of(output)
    if problem:
        return f"The material was not made: {problem}"
    shader = result_of(output).get("shader")
    return f"Made the material {result_of(output).get('path', path)}" + (f", shader {shader}." if shader else ".")


def recolour(match: re.Match[str], _: str) -> AssetRun:
    name = unquoted(match["name"])
    path = name if name.startswith(("Assets/", "Packages/")) else ""
    if not path:
        base = name.rsplit("/", 1)[-1]
        base = base if base.endswith(".mat") else f"{base}.mat"
        output = yield Call("listAssets", {"name": base})
        problem = error_of(output)
        if problem:
            return f"I could not look for {base}: {problem}"
        found = sorted({p for p in paths_in(result_of(output)) if p.rsplit("/", 1)[-1].lower() == base.lower()})
        if len(found) != 1:
            there = f"There are {len(found)} of that name: {', '.join(found[:5])}" if found else "There is none"
            return f"Which material is {base}? {there}. Nothing was changed."
        path = found[0]
    output = yield Call("readFile", {"path": path, "view": "outline"})
    problem = error_of(output)
    if problem:
        return f"{path} was not changed, because it could not be read: {problem}"
    arguments: dict[str, Any] = {"path": path, "properties": {"color": _colour(match["colour"])}}
    if isinstance(result_of(output).get("sha256"), str):
        arguments["expectedSha256"] = result_of(output)["sha256"]
    output = yield Call("editMaterial", arguments)
    problem = error_of(output)
    if problem:
        return f"{path} was not changed: {problem}"
    return f"The material {path} has the colour {_colour(match['colour'])} now."


def scene(match: re.Match[str], _: str) -> AssetRun:
    path = _path(match, "Assets/Scenes", ".unity")
    output = yield Call("createAsset", {"path": path, "type": "scene"})
    problem = error_of(output)
    if problem:
        return f"The scene was not made: {problem}"
    return f"Made the empty scene {result_of(output).get('path', path)}."


def _path(match: re.Match[str], folder: str, suffix: str) -> str:
    name = unquoted(match["name"]).removesuffix(suffix)
    if name.startswith(("Assets/", "Packages/")):
        return name + suffix
    return f"{(match['folder'] or folder).rstrip('/')}/{name}{suffix}"


def _parts(text: str | None) -> list[str]:
    """`BoxCollider, Rigidbody and a player health` as class names."""
    words = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", text or "")
    plain = (re.sub(r"^(?:an?|the)\s+", "", word.strip(), flags=re.IGNORECASE) for word in words)
    return [name if "." in name else as_class_name(name) or name for name in plain if name]


def _colour(text: str | None) -> str:
    return COLOURS.get((text or "").lower(), text or "")
