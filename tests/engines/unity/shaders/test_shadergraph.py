"""A shader graph's name, properties and targets are read from its JSON objects."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.engines.unity.shaders.model import ShaderError
from spark.engines.unity.shaders.shadergraph import parse_graph

_PROPERTY = "UnityEditor.ShaderGraph.Internal."


def graph(*properties: dict[str, Any], path: str = "Shader Graphs", targets: tuple[str, ...] = ()) -> bytes:
    """A `.shadergraph` as Unity writes it: objects one after the other with blank lines between."""
    ids = [f"p{at}" for at in range(len(properties))]
    aims = [f"t{at}" for at in range(len(targets))]
    head = {
        "m_SGVersion": 3,
        "m_Type": "UnityEditor.ShaderGraph.GraphData",
        "m_ObjectId": "g",
        "m_Properties": [{"m_Id": name} for name in ids],
        "m_Keywords": [],
        "m_Path": path,
        "m_ActiveTargets": [{"m_Id": name} for name in aims],
    }
    objects: list[dict[str, Any]] = [head]
    objects += [{"m_ObjectId": name, **known} for name, known in zip(ids, properties, strict=True)]
    objects += [{"m_ObjectId": name, "m_Type": kind} for name, kind in zip(aims, targets, strict=True)]
    return "\n\n".join(json.dumps(item, indent=4) for item in objects).encode() + b"\n\n"


def prop(kind: str, name: str, value: Any, **more: Any) -> dict[str, Any]:
    return {
        "m_Type": _PROPERTY + kind,
        "m_Name": name.strip("_"),
        "m_DefaultReferenceName": name,
        "m_OverrideReferenceName": "",
        "m_GeneratePropertyBlock": True,
        "m_Value": value,
        **more,
    }


def test_the_name_is_the_graphs_path_and_the_files_name() -> None:
    """Materials name a graph's shader `Shader Graphs/File` unless the graph says another folder."""
    assert parse_graph(graph(), "Glass").name == "Shader Graphs/Glass"
    assert parse_graph(graph(path="Mine/Deep"), "Glass").name == "Mine/Deep/Glass"
    assert parse_graph(graph(path=""), "Glass").name == "Glass"


def test_properties_have_reference_names_types_and_defaults() -> None:
    """What a material saves of a graph: reference names, lists and defaults; a name of the user's own wins."""
    head = parse_graph(
        graph(
            prop("Vector1ShaderProperty", "_Speed", 2.5, m_FloatType=0),
            prop("Vector1ShaderProperty", "_Mix", 0.5, m_FloatType=1, m_RangeValues={"x": -1.0, "y": 3.0}),
            prop("Vector1ShaderProperty", "_Count", 3.0, m_FloatType=2),
            prop("BooleanShaderProperty", "_On", True),
            prop(
                "ColorShaderProperty",
                "Color_12",
                {"r": 1, "g": 0.5, "b": 0, "a": 1},
                m_OverrideReferenceName="_Tint",
                m_ColorMode=1,
            ),
            prop("Vector2ShaderProperty", "_Wind", {"x": 1, "y": 2, "z": 0, "w": 0}),
            prop("Texture2DShaderProperty", "_Map", {}, m_DefaultType=3),
            prop("Vector1ShaderProperty", "_Global", 1.0, m_GeneratePropertyBlock=False),
            prop("Matrix4ShaderProperty", "_Matrix", {}),
        ),
        "Glass",
    )
    found = {known.name: known for known in head.properties}
    assert [*found] == ["_Speed", "_Mix", "_Count", "_On", "_Tint", "_Wind", "_Map"]
    assert (found["_Mix"].kind, found["_Mix"].low, found["_Mix"].high) == ("range", -1, 3)
    assert found["_Count"].kind == "int"
    assert found["_On"].numbers == (1,)
    assert found["_Tint"].numbers == (1, 0.5, 0, 1)
    assert found["_Tint"].attribute("HDR") is not None
    assert found["_Wind"].saved_in == "m_Colors"
    assert (found["_Map"].dimension, found["_Map"].texture) == ("2D", "bump")


def test_targets_say_which_pipelines_a_graph_is_for() -> None:
    """A graph's targets are named as the project's pipelines are."""
    head = parse_graph(graph(targets=("UnityEditor.Rendering.Universal.ShaderGraph.UniversalTarget",)), "Glass")
    assert "URP" in head.targets
    assert "HDRP" not in head.targets


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"{}", b'{"m_SerializedProperties": []}', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_graph_is_refused(content: bytes) -> None:
    """Broken JSON, too deep JSON and graphs in an older form are errors of our own."""
    with pytest.raises(ShaderError):
        parse_graph(content, "X")


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["m_Type", "m_Value", "m_Id", "m_ObjectId", "m_Properties"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_gives_a_head_or_our_own_error(value: Any) -> None:
    """JSON of any shape in the place of a property never raises anything but ShaderError."""
    broken = (
        graph(prop("Vector1ShaderProperty", "_A", value), prop("ColorShaderProperty", "_B", value))
        + json.dumps(value).encode()
    )
    with contextlib.suppress(ShaderError):
        assert parse_graph(broken, "X").is_graph
