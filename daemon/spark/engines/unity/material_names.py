"""The words that people and models use for a material's properties, and which property of a shader each means.

A property's own reference name (`_BaseColor`) always counts; another word only where it can mean one property.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.material_rules import Family
from spark.engines.unity.shaders.find import nearest
from spark.engines.unity.shaders.model import ShaderHead

_COLOR: Final = ("_BaseColor", "_Color", "_TintColor", "_Tint")
_MAP: Final = ("_BaseMap", "_BaseColorMap", "_MainTex")
_SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "color": _COLOR,
    "maincolor": _COLOR,
    "basecolor": _COLOR,
    "albedo": _COLOR,
    "maintexture": _MAP,
    "basemap": _MAP,
    "texture": _MAP,
    "metallic": ("_Metallic",),
    "smoothness": ("_Smoothness", "_Glossiness"),
    "emission": ("_EmissiveColor", "_EmissionColor"),
    "emissioncolor": ("_EmissiveColor", "_EmissionColor"),
    "emissionmap": ("_EmissiveColorMap", "_EmissionMap"),
    "normalmap": ("_NormalMap", "_BumpMap"),
    "bumpmap": ("_BumpMap", "_NormalMap"),
    "normalscale": ("_NormalScale", "_BumpScale"),
    "metallicmap": ("_MetallicGlossMap",),
    "maskmap": ("_MaskMap",),
    "occlusionmap": ("_OcclusionMap",),
    "heightmap": ("_HeightMap", "_ParallaxMap"),
    "cutoff": ("_AlphaCutoff", "_Cutoff"),
    "alphacutoff": ("_AlphaCutoff", "_Cutoff"),
}
SETTINGS: Final = ("renderQueue", "enableInstancing", "doubleSidedGI")
"""What is no property of the shader but a field of the material."""
_CHOICES: Final[Mapping[str, tuple[Family, str, tuple[str, ...]]]] = {
    "mode": ("standard", "_Mode", ("opaque", "cutout", "fade", "transparent")),
    "surface": ("urp", "_Surface", ("opaque", "transparent")),
    "blend": ("urp", "_Blend", ("alpha", "premultiply", "additive", "multiply")),
    "renderFace": ("urp", "_Cull", ("both", "back", "front")),
    "alphaClip": ("urp", "_AlphaClip", ("false", "true")),
}
TILING: Final = ("tiling", "offset")
"""Of the main texture."""


def property_name(word: str, head: ShaderHead, where: str) -> str:
    """The reference name that a word means. Raises `invalid_arguments` naming the nearest ones and the whole list."""
    if head.property(word) is not None:
        return word
    key = word.lstrip("_").replace(" ", "").casefold()
    marked = {"color": "MainColor", "maincolor": "MainColor", "maintexture": "MainTexture", "texture": "MainTexture"}
    if key in marked:
        found = [known.name for known in head.properties if known.attribute(marked[key]) is not None]
        if len(found) == 1:
            return found[0]
    same = [known.name for known in head.properties if known.name.lstrip("_").casefold() == key]
    if len(same) == 1:
        return same[0]
    if not word.startswith("_"):
        for name in _SYNONYMS.get(key, ()):
            if head.property(name) is not None:
                return name
    raise unknown_property(word, frozenset(known.name for known in head.properties), where, head.name)


def unknown_property(word: str, names: frozenset[str], where: str, shader: str) -> ToolRejected:
    near = nearest(word, names)
    listed = ", ".join(sorted(names)[:200])
    refusal = invalid_arguments(
        {where: f"a property of {shader}" + (f", such as {', '.join(near)}" if near else "")},
        f"{where}: {shader} has no property {word!r}" + (f"; near it: {', '.join(near)}" if near else ""),
    )
    refusal.hint = f"Its properties: {listed}" if listed else "It has no properties."
    refusal.details["near"] = near
    return refusal


def choice(word: str, value: object, family: Family, where: str) -> tuple[str, float] | None:
    """`surface`, `mode` and the like: the property and its number. None where the word is none of these. Raises
    `invalid_arguments` where the shader's kind does not have it or the value is none of its words."""
    if word not in _CHOICES:
        return None
    wanted, name, words = _CHOICES[word]
    if family != wanted:
        return _not_here(word, family, where)
    shown = str(value).casefold() if isinstance(value, str | bool) else value
    if shown in words:
        return name, float(words.index(str(shown)))
    if isinstance(value, int | float) and not isinstance(value, bool) and value in range(len(words)):
        return name, float(value)
    raise invalid_arguments({where: "one of " + ", ".join(words)})


def _not_here(word: str, family: Family, where: str) -> tuple[str, float] | None:
    """A shader without rules may have a property of that very name; the others are told what they have instead."""
    if family == "":
        return None
    if family == "hdrp":
        accepted = (
            "set in the Editor for HDRP: stencil, passes and queue follow from it in ways that are not known exactly"
        )
    else:
        own = [known for known, (of, _, _) in _CHOICES.items() if of == family]
        accepted = f"not a setting of this shader; it has {', '.join(own)}"
    raise invalid_arguments({where: accepted})


def is_choice(word: str) -> bool:
    return word in _CHOICES
