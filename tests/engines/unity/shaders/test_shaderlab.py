"""The head of a .shader file is read as Unity reads it, and nothing that is no shader gets through or hangs."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.engines.unity.shaders.model import Attribute, ShaderError
from spark.engines.unity.shaders.shaderlab import parse_shader, shader_name

WATER = b"""\xef\xbb\xbf// A comment with Shader "Wrong" { in it
/* and { another */
Shader "Nature/Water \xc3\xa4"
{
    HLSLINCLUDE
    #define A {
    ENDHLSL
    Properties
    {
        [MainTexture] [NoScaleOffset] _BaseMap ("Base (RGB)", 2D) = "white" {}
        [MainColor] _BaseColor("Colour // not a comment", Color) = (1, .5, 0.25)
        [HDR][HideInInspector]_Glow("Glow", Color) = (0,0,0,0)
        _Depth("Depth", Range(-1.5, 1e1)) = 2
        _Plain("Plain", float) = -3.5f
        _Old("Old int", Int) = 2
        _Whole("Integer", Integer) = 7
        _Wind("Wind", Vector) = (1, 2, 3, 4)
        _Short("Short vector", Vector) = (1, 2)
        _Cube("Cube", Cube) = "" {}
        _Volume("Volume", 3D) = "" {}
        _Array("Array", 2DArray) = "" {}
        _Cubes("Cubes", CubeArray) = "" {}
        _Anything("Any", Any) = "" {}
        [Toggle(_FOAM_ON)] _Foam("Foam", Float) = 1
        [ToggleOff] _Ripples("Ripples", Float) = 1
        [KeywordEnum(None, Low, Very High)] _Quality("Quality", Float) = 1
        [Enum(Off, 0, Front, 1, Back, 2)] _Cull("Cull", Float) = 2 // behind
        [Header(Maps and (more))] [Normal] _BumpMap("Normals", 2D) = "bump" { TexGen ObjectLinear }
        [Gamma] _Metallic("Metallic", Range(0, 1)) = 0
    }
    SubShader
    {
        Pass
        {
            HLSLPROGRAM
            #pragma vertex vert
            #pragma shader_feature_local _FOAM_ON
            #pragma multi_compile_local_fragment _ _QUALITY_LOW _QUALITY_VERY_HIGH
            #pragma shader_feature ___ FAR
            // #pragma shader_feature HIDDEN
            #pragma multi_compile_fog
            ENDHLSL
        }
    }
    Fallback Off
    CustomEditor "Water.Inspector"
}
"""


def test_the_name_is_the_one_that_counts() -> None:
    """Comments, a byte-order mark and letters beyond ASCII do not change which name a shader has."""
    assert shader_name(WATER) == parse_shader(WATER).name == "Nature/Water ä"


def test_every_type_is_read_with_its_default() -> None:
    """Each property is found once, with its type, default and range; numbers in all of ShaderLab's spellings."""
    head = parse_shader(WATER)
    names = " ".join(known.name for known in head.properties)
    assert names == (
        "_BaseMap _BaseColor _Glow _Depth _Plain _Old _Whole _Wind _Short _Cube _Volume _Array _Cubes _Anything _Foam "
        "_Ripples _Quality _Cull _BumpMap _Metallic"
    )
    found = {known.name: known for known in head.properties}
    assert found["_BaseColor"].numbers == (1, 0.5, 0.25, 1)
    assert found["_BaseColor"].label == "Colour // not a comment"
    assert (found["_Depth"].low, found["_Depth"].high, found["_Depth"].numbers) == (-1.5, 10, (2,))
    assert (found["_Plain"].kind, found["_Plain"].numbers) == ("float", (-3.5,))
    assert (found["_Old"].kind, found["_Old"].saved_in) == ("int", "m_Floats")
    assert (found["_Whole"].kind, found["_Whole"].saved_in) == ("integer", "m_Ints")
    assert found["_Wind"].numbers == (1, 2, 3, 4)
    assert found["_Short"].numbers == ()
    dimensions = {name: known.dimension for name, known in found.items() if known.kind == "texture"}
    assert dimensions == {
        "_BaseMap": "2D",
        "_Cube": "Cube",
        "_Volume": "3D",
        "_Array": "2DArray",
        "_Cubes": "CubeArray",
        "_Anything": "Any",
        "_BumpMap": "2D",
    }
    assert found["_BumpMap"].texture == "bump"


def test_attributes_keep_their_arguments() -> None:
    """An attribute's arguments are what decides which keyword a toggle sets."""
    head = parse_shader(WATER)
    foam, quality, base = head.property("_Foam"), head.property("_Quality"), head.property("_BaseMap")
    assert foam is not None
    assert foam.attributes == (Attribute("Toggle", ("_FOAM_ON",)),)
    assert quality is not None
    assert quality.attribute("KeywordEnum") == Attribute("KeywordEnum", ("None", "Low", "Very High"))
    assert base is not None
    assert [attribute.name for attribute in base.attributes] == ["MainTexture", "NoScaleOffset"]


def test_keywords_are_those_of_the_pragmas() -> None:
    """Keywords of shader_feature and multi_compile count, those in comments and Unity's own shortcuts do not."""
    head = parse_shader(WATER)
    assert head.keywords == {"_FOAM_ON", "_QUALITY_LOW", "_QUALITY_VERY_HIGH", "FAR"}
    assert head.all_keywords
    assert head.custom_editor == "Water.Inspector"
    assert not parse_shader(WATER.replace(b"Fallback Off", b'Fallback "Diffuse"')).all_keywords
    assert not parse_shader(WATER.replace(b"#pragma vertex vert", b'#include_with_pragmas "x.hlsl"')).all_keywords


def test_line_ends_do_not_matter() -> None:
    """A file with CRLF says the same."""
    assert parse_shader(WATER.replace(b"\n", b"\r\n")).properties == parse_shader(WATER).properties


def test_a_shader_may_have_no_properties() -> None:
    """A shader without a Properties block is one without properties, not an error."""
    assert parse_shader(b'Shader "X" { SubShader { Pass { } } }').properties == ()
    assert parse_shader(b'Shader "X" { Properties { } SubShader { } }').properties == ()


@pytest.mark.parametrize(
    ("text", "line", "wanted"),
    [
        (b"", 1, "Shader"),
        (b'\n\nSurface "X" {', 3, "Shader"),
        (b'Shader "" {', 1, "name"),
        (b'Shader "X"', 1, "'{'"),
        (b'Shader "X" {\nProperties {\n_A("a", Float) = 1\n', 4, "closing brace"),
        (b'Shader "X" {\nProperties {\n_A("a", Flt) = 1\n}', 3, "type"),
        (b'Shader "X" {\nProperties {\n\n_A("a", Range(0)) = 1\n}', 4, "','"),
        (b'Shader "X" {\nProperties {\n[\n}', 3, "attribute"),
        (b'Shader "X" {\nProperties { _A("a", 2D) = "w" {', 2, "closing brace"),
        (b'Shader "X" {\nCGINCLUDE\n', 2, "end of the included code"),
    ],
)
def test_what_is_no_shader_is_refused_with_its_line(text: bytes, line: int, wanted: str) -> None:
    """Broken text is an error of our own that names the line and what was expected there."""
    with pytest.raises(ShaderError) as caught:
        parse_shader(text)
    assert caught.value.line == line
    assert wanted in caught.value.message


def test_binary_is_refused() -> None:
    """Bytes that are no text are refused and not searched."""
    with pytest.raises(ShaderError, match="NUL"):
        shader_name(b'Shader "X" {\x00')


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300), st.integers(0, len(WATER)), st.integers(0, 60))
def test_any_bytes_give_a_head_or_our_own_error(noise: bytes, at: int, cut: int) -> None:
    """Mutated shaders either parse or raise ShaderError; nothing else comes out."""
    with contextlib.suppress(ShaderError):
        assert parse_shader(WATER[:at] + noise + WATER[at + cut :]).name


@pytest.mark.parametrize(
    "piece", [b"/*", b"[", b"[A(", b'"', b"{", b"// \n", b"_A(", b"/* *", b"\n#pragma shader_feature "]
)
def test_long_nonsense_takes_time_in_proportion(piece: bytes) -> None:
    """A megabyte of one sign after the other comes back at once: the reader never goes over the same text again and again."""
    for start in (b"", b'Shader "X" { Properties {'):
        with contextlib.suppress(ShaderError):
            assert parse_shader(start + piece * (1_000_000 // len(piece))).name
