"""The head of a `.shadergraph`: one JSON object after the other, of which the first names the others.

A graph's targets add properties of their own when Unity generates the shader (`_QueueOffset`, `unity_Lightmaps` and the
like); those are not in the file and not listed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from spark.engines.unity.shaders.model import Attribute, ShaderError, ShaderHead, ShaderProperty

GRAPH_FILE_ID: Final = -6465566751694194690
MAX_BYTES: Final = 16 * 1024 * 1024
_GRAPH: Final = "UnityEditor.ShaderGraph.GraphData"
_NUMBERS: Final = ("Vector2ShaderProperty", "Vector3ShaderProperty", "Vector4ShaderProperty")
_TEXTURES: Final = {
    "Texture2DShaderProperty": "2D",
    "Texture2DArrayShaderProperty": "2DArray",
    "Texture3DShaderProperty": "3D",
    "CubemapShaderProperty": "Cube",
}
_DEFAULTS: Final = ("white", "black", "grey", "bump", "linearGrey", "red")
_TARGETS: Final = {"UniversalTarget": "URP", "HDTarget": "HDRP", "BuiltInTarget": "Built-in"}


def parse_graph(content: bytes, stem: str) -> ShaderHead:
    """`stem`: the file's name without `.shadergraph`, the last part of the shader's name. Raises `ShaderError`."""
    if len(content) > MAX_BYTES:
        raise ShaderError(f"larger than {MAX_BYTES} bytes")
    objects = {str(item.get("m_ObjectId", "")): item for item in _objects(content)}
    graph = next((item for item in objects.values() if item.get("m_Type") == _GRAPH), None)
    if graph is None:
        raise ShaderError(
            "not a shader graph in the form that Unity writes since 2020.2: open and save it in Unity once"
        )
    folder = graph.get("m_Path")
    name = f"{folder}/{stem}" if isinstance(folder, str) and folder else stem
    properties = [_property(item) for item in _listed(graph, "m_Properties", objects)]
    keywords = {str(_reference(item)) for item in _listed(graph, "m_Keywords", objects)}
    targets = [*_listed(graph, "m_ActiveTargets", objects)]
    subtargets = {
        str(item.get("m_Type", "")).rpartition(".")[2]
        for item in objects.values()
        if "SubTarget" in str(item.get("m_Type"))
    }
    return ShaderHead(
        name,
        tuple(found for found in properties if found is not None),
        frozenset(keywords),
        targets=frozenset(
            {_TARGETS.get(str(item.get("m_Type", "")).rpartition(".")[2], "other") for item in targets} | subtargets
        ),
        is_graph=True,
    )


def _objects(content: bytes) -> Iterator[dict[str, Any]]:
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    decoder = json.JSONDecoder()
    space = re.compile(r"\s*")
    at = space.match(text).end()  # type: ignore[union-attr]
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise ShaderError(f"not JSON: {error}"[:200], text.count("\n", 0, at) + 1) from error
        if isinstance(value, dict):
            yield value
        at = space.match(text, end).end()  # type: ignore[union-attr]


def _listed(graph: Mapping[str, Any], key: str, objects: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    listed = graph.get(key)
    for item in listed if isinstance(listed, list) else ():
        found = objects.get(str(item.get("m_Id", ""))) if isinstance(item, dict) else None
        if found is not None:
            yield found


def _reference(item: Mapping[str, Any]) -> str:
    own = item.get("m_OverrideReferenceName")
    made = item.get("m_DefaultReferenceName")
    return own if isinstance(own, str) and own else made if isinstance(made, str) else ""


def _property(item: Mapping[str, Any]) -> ShaderProperty | None:
    """None for what is no property of the material: not exposed, or of a type that materials do not save."""
    name, kind = _reference(item), str(item.get("m_Type", "")).rpartition(".")[2]
    if not name or item.get("m_GeneratePropertyBlock") is False:
        return None
    label, value = str(item.get("m_Name", "")), item.get("m_Value")
    if kind == "Vector1ShaderProperty":
        span = item.get("m_RangeValues")
        if item.get("m_FloatType") == 1 and isinstance(span, dict):
            return ShaderProperty(
                name, "range", label, (_number(value),), _number(span.get("x")), _number(span.get("y"))
            )
        return ShaderProperty(name, "int" if item.get("m_FloatType") == 2 else "float", label, (_number(value),))
    if kind == "BooleanShaderProperty":
        return ShaderProperty(name, "float", label, (1.0 if value else 0.0,), attributes=(Attribute("ToggleUI"),))
    if kind == "ColorShaderProperty":
        attributes = [Attribute("HDR")] if item.get("m_ColorMode") == 1 else []
        attributes += [Attribute("MainColor")] if item.get("isMainColor") is True else []
        return ShaderProperty(name, "color", label, _four(value, "rgba"), attributes=tuple(attributes))
    if kind in _NUMBERS:
        return ShaderProperty(name, "vector", label, _four(value, "xyzw"))
    if kind in _TEXTURES:
        chosen = item.get("m_DefaultType")
        default = _DEFAULTS[chosen] if isinstance(chosen, int) and 0 <= chosen < len(_DEFAULTS) else ""
        attributes = [Attribute("MainTexture")] if item.get("isMainTexture") is True else []
        return ShaderProperty(
            name, "texture", label, dimension=_TEXTURES[kind], texture=default, attributes=tuple(attributes)
        )
    return None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _four(value: Any, keys: str) -> tuple[float, ...]:
    if not isinstance(value, dict):
        return ()
    return tuple(_number(value.get(key)) for key in keys)
