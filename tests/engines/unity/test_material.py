"""New materials: every property of the shader, in the form of the project's editor version, and what follows from an order."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.assets import AssetBytes, MaterialOrder
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.facts import Facts, FactsReader, Pipeline
from spark.engines.unity.material import new_material
from spark.engines.unity.material_state import read_state
from spark.engines.unity.words import words
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.values import Pairs, Value
from tests.engines.memory_project import FakeProject
from tests.engines.unity.corpus import corpus_files
from tests.engines.unity.shaders.test_shadergraph import graph, prop

URP = "com.unity.render-pipelines.universal"
HDRP = "com.unity.render-pipelines.high-definition"
WALL = "a" * 32
TOON = """Shader "Toon" {
Properties {
 [MainTexture] _Ramp("Ramp", 2D) = "white" {}
 [MainColor] _Ink("Ink", Color) = (0, 0, 0, 1)
 [Toggle(_OUTLINE)] _Outline("Outline", Float) = 1
 [ToggleOff] _Soft("Soft", Float) = 1
 [KeywordEnum(None, Low, Very High)] _Steps("Steps", Float) = 0
 [Enum(Off, 0, Front, 1, Back, 2)] _Side("Side", Float) = 2
 [Enum(UnityEngine.Rendering.CullMode)] _Cull("Cull", Float) = 2
 _Width("Width", Range(0, 4)) = 1
 _Count("Count", Int) = 3
 _Seed("Seed", Integer) = 7
 _Wind("Wind", Vector) = (1, 2, 3, 4)
 _Half("Half", Vector) = (1, 2)
 [Normal] _Bumps("Bumps", 2D) = "bump" {}
 [NoScaleOffset] _Mask("Mask", 2D) = "white" {}
}
SubShader { Pass {
HLSLPROGRAM
#pragma shader_feature_local _OUTLINE
#pragma shader_feature_local _SOFT_OFF
#pragma shader_feature_local _STEPS_NONE _STEPS_LOW _STEPS_VERY_HIGH
#pragma shader_feature_local _EXTRA
ENDHLSL
} } }
"""


def image_meta(guid: str, kind: int = 0, shape: int = 1) -> str:
    return f"fileFormatVersion: 2\nguid: {guid}\nTextureImporter:\n  textureType: {kind}\n  textureShape: {shape}\n"


def project(**files: str) -> FakeProject:
    """A project with two images, a shader and a graph."""
    return FakeProject(
        {
            "Assets/wall.png": b"image",
            "Assets/wall.png.meta": image_meta(WALL),
            "Assets/normal.png": b"image",
            "Assets/normal.png.meta": image_meta("b" * 32, kind=1),
            "Assets/toon.shader": TOON,
            "Assets/toon.shader.meta": "fileFormatVersion: 2\nguid: " + "c" * 32 + "\n",
            **files,
        }
    )


def facts(pipeline: Pipeline = "Built-in", version: tuple[int, int] = (2022, 3), package: str = "") -> Facts:
    packages = {{"URP": URP, "HDRP": HDRP}[pipeline]: package} if package else {}
    return Facts(version=EditorVersion(*version, 10), pipeline=pipeline, packages=packages)


BUILT_IN = facts()
URP_14 = facts("URP", package="14.0.8")
URP_17 = facts("URP", (6000, 1), "17.1.0")
HDRP_17 = facts("HDRP", (6000, 0), "17.0.3")


def make(
    known: Facts, properties: dict[str, Any] | None = None, *, within: FakeProject | None = None, **order: Any
) -> AssetBytes:
    here = within or project()
    wanted = MaterialOrder(properties=properties or {}, **order)
    return new_material(ProjectPath("Assets/New One.mat"), wanted, known, here.files, here.index)


def refusal(known: Facts, properties: dict[str, Any] | None = None, **order: Any) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        make(known, properties, **order)
    return caught.value


def material(content: bytes) -> AssetDocument:
    return next(document for document in AssetFile.open(content, "x").documents if document.class_id == 21)


def keys(content: bytes, part: str) -> list[str]:
    """The names in one list of the saved properties."""
    value = material(content).value("m_SavedProperties", part)
    assert isinstance(value, list)
    return [item.keys()[0] for item in value if isinstance(item, Pairs)]


def saved(content: bytes, part: str, name: str) -> Value:
    value = material(content).value("m_SavedProperties", part)
    assert isinstance(value, list)
    return next(item.get(name) for item in value if isinstance(item, Pairs) and name in item)


def number(content: bytes, name: str) -> str:
    value = saved(content, "m_Floats", name)
    assert isinstance(value, str)
    return value


def color(content: bytes, name: str) -> list[str]:
    value = saved(content, "m_Colors", name)
    assert isinstance(value, Pairs)
    return [str(item) for _, item in value.items()]


# --- forms -------------------------------------------------------------------------------------------------------------


def test_the_default_shader_is_the_pipelines() -> None:
    """Without a name the shader is Standard, URP/Lit or HDRP/Lit; a pipeline of the project's own has no default."""
    assert make(BUILT_IN).result["shader"] == "Standard"
    assert make(URP_14).result["shader"] == "Universal Render Pipeline/Lit"
    assert make(HDRP_17).result["shader"] == "HDRP/Lit"
    assert refusal(facts("custom")).details["fields"].keys() == {"shader"}


def test_the_fields_are_those_of_the_editor_version() -> None:
    """Each editor version writes its own fields in its own order."""
    old = "serializedVersion m_ObjectHideFlags m_CorrespondingSourceObject m_PrefabInstance m_PrefabAsset m_Name m_Shader "
    middle = "m_LightmapFlags m_EnableInstancingVariants m_DoubleSidedGI m_CustomRenderQueue stringTagMap disabledShaderPasses "
    forms = {
        (2019, 4): old + "m_ShaderKeywords " + middle + "m_SavedProperties",
        (2020, 3): old + "m_ShaderKeywords " + middle + "m_SavedProperties m_BuildTextureStacks",
        (2021, 1): old + "m_ShaderKeywords " + middle + "m_SavedProperties m_BuildTextureStacks",
        (2021, 3): old + "m_ValidKeywords m_InvalidKeywords " + middle + "m_SavedProperties m_BuildTextureStacks",
        (2022, 3): old
        + "m_Parent m_ModifiedSerializedProperties m_ValidKeywords m_InvalidKeywords "
        + middle
        + "m_LockedProperties m_SavedProperties m_BuildTextureStacks",
        (6000, 0): old
        + "m_Parent m_ModifiedSerializedProperties m_ValidKeywords m_InvalidKeywords "
        + middle
        + "m_LockedProperties m_SavedProperties m_BuildTextureStacks m_AllowLocking",
    }
    for version, form in forms.items():
        document = material(make(facts(version=version)).content)
        assert [key.text for key, _ in document.fields.entries()] == form.split(), version
        parts = document.value("m_SavedProperties")
        assert isinstance(parts, Pairs)
        ints = ["m_Ints"] if version >= (2021, 1) else []
        assert [*parts.keys()] == ["serializedVersion", "m_TexEnvs", *ints, "m_Floats", "m_Colors"], version
        assert document.value("serializedVersion") == ("8" if version >= (2021, 2) else "6")
    assert refusal(facts(version=(2018, 2))).code == "unsupported_asset"


def test_every_property_of_the_shader_is_saved_in_order() -> None:
    """All properties are in their lists, sorted by code point, with the shader's defaults; a default that the shader does
    not say whole is left to Unity."""
    content = make(BUILT_IN, shader="Toon").content
    assert keys(content, "m_TexEnvs") == ["_Bumps", "_Mask", "_Ramp"]
    assert keys(content, "m_Ints") == ["_Seed"]
    assert keys(content, "m_Floats") == ["_Count", "_Cull", "_Outline", "_Side", "_Soft", "_Steps", "_Width"]
    assert keys(content, "m_Colors") == ["_Ink", "_Wind"]
    assert saved(content, "m_Ints", "_Seed") == "7"
    assert color(content, "_Wind") == ["1", "2", "3", "4"]
    assert material(content).value("m_Name") == "New One"
    assert b"m_Shader: {fileID: 4800000, guid: " + b"c" * 32 + b", type: 3}" in content


def test_new_materials_have_the_keys_of_real_ones() -> None:
    """The lists of a new material are those of materials that Unity made with the same shader and version."""
    expected = {"Standard": (9, 16, 2), "Universal Render Pipeline/Lit": (14, 32, 4), "HDRP/Lit": (24, 114, 15)}
    made = {"Standard": make(BUILT_IN), "Universal Render Pipeline/Lit": make(URP_17), "HDRP/Lit": make(HDRP_17)}
    lists = ("m_TexEnvs", "m_Floats", "m_Colors")
    for name, counts in expected.items():
        assert tuple(len(keys(made[name].content, part)) for part in lists) == counts, name
    real = {
        "Npc.mat": made["Standard"],
        # Of two materials of one project the older one was made before 17.1.
        "Visual.mat": make(facts("URP", (6000, 0), "17.0.3")),
        "LoadingAvatar.mat": made["Universal Render Pipeline/Lit"],
        "Black.mat": made["HDRP/Lit"],
        "Body.mat": make(facts("HDRP", package="14.0.8")),
    }
    for path in corpus_files(".mat"):
        if path.name in real:
            content = path.read_bytes()
            for part in lists:
                assert keys(real[path.name].content, part) == keys(content, part), path.name


def test_an_untouched_hdrp_material_is_byte_for_byte_a_real_one() -> None:
    """HDRP's own set-up (stencil, queue, passes, keywords) is what Unity 6 wrote into a real material of default settings."""
    here = project()
    here.write("ProjectSettings/HDRPProjectSettings.asset", "MonoBehaviour:\n  m_LastMaterialVersion: 13\n")
    content = make(HDRP_17, {"color": "#000", "smoothness": 0}, within=here).content
    assert number(content, "_StencilRefGBuffer") == "10"
    assert material(content).value("m_CustomRenderQueue") == "2225"
    for path in corpus_files(".mat"):
        if path.name == "Black.mat":
            real = path.read_bytes().replace(b"m_Name: Black", b"m_Name: New One")
            hidden = re.compile(rb"^--- !u!114 &.*\n", re.MULTILINE)
            parts = [sorted(hidden.sub(b"--- !u!114\n", whole).split(b"--- ")) for whole in (content, real)]
            assert parts[0] == parts[1]


def test_long_references_fold_as_the_project_writes_them() -> None:
    """A new file folds long inline mappings unless the project's settings say one line."""
    here = project(
        **{"Assets/G.shadergraph": graph().decode(), "Assets/G.shadergraph.meta": "guid: " + "d" * 32 + "\n"}
    )
    folded = make(URP_14, shader="Shader Graphs/G", within=here).content
    assert b"guid: " + b"d" * 32 + b",\n    type: 3}" in folded
    here.write("ProjectSettings/EditorSettings.asset", "EditorSettings:\n  m_SerializeInlineMappingsOnOneLine: 1\n")
    told = replace(URP_14, one_line=FactsReader(here.files, here.index).facts().one_line)
    assert b"guid: " + b"d" * 32 + b", type: 3}" in make(told, shader="Shader Graphs/G", within=here).content


def test_the_version_document_has_the_projects_number_or_is_left_out() -> None:
    """URP's hidden document gets the number that Unity would take for it; where nothing says it, the answer does."""
    here = project()
    without = make(URP_14, within=here)
    assert [document.class_id for document in AssetFile.open(without.content, "x").documents] == [21]
    assert "left out" in " ".join(without.result["warnings"])
    here.write("ProjectSettings/URPProjectSettings.asset", "MonoBehaviour:\n  m_LastMaterialVersion: 7\n")
    for _ in range(8):
        documents = AssetFile.open(make(URP_14, within=here).content, "x").documents
        assert [document.file_id for document in documents] == sorted(document.file_id for document in documents)
        hidden = next(document for document in documents if document.class_id == 114)
        assert hidden.value("version") == "7"
        assert hidden.value("m_ObjectHideFlags") == "11"
    assert len(AssetFile.open(make(BUILT_IN, within=here).content, "x").documents) == 1


# --- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("#f80", ["1", "0.53333336", "0", "1"]),
        ("#FF8000", ["1", "0.5019608", "0", "1"]),
        ("#ff800080", ["1", "0.5019608", "0", "0.5019608"]),
        ([4, 0.5, 0], ["4", "0.5", "0", "1"]),
        ([0, 0, 0, 0.25], ["0", "0", "0", "0.25"]),
        ({"a": 0.5}, ["1", "1", "1", "0.5"]),
    ],
)
def test_colours_in_every_spelling(value: Any, numbers: list[str]) -> None:
    """Hexadecimal digits, lists and parts; what a part leaves out stays, numbers above one are kept."""
    assert color(make(BUILT_IN, {"_Color": value}).content, "_Color") == numbers


@pytest.mark.parametrize(
    ("properties", "field", "accepted"),
    [
        ({"_Color": "red"}, "_Color", "#rrggbb"),
        ({"_Color": [1, 2]}, "_Color", "#rrggbb"),
        ({"_Color": {"x": 1}}, "_Color", "#rrggbb"),
        ({"_Color": [1, True, 0]}, "_Color", "#rrggbb"),
        ({"_Color": [1e39, 0, 0]}, "_Color", "32-bit"),
        ({"_Metallic": 1.5}, "_Metallic", "from 0 to 1"),
        ({"_Metallic": "high"}, "_Metallic", "from 0 to 1"),
        ({"_Metallic": float("nan")}, "_Metallic", "32-bit"),
        ({"_Metallic": 10**400}, "_Metallic", "32-bit"),
        ({"_BumpScale": [1]}, "_BumpScale", "a number"),
        ({"_MainTex": 5}, "_MainTex", "texture"),
        ({"_MainTex": {"scle": [1, 1]}}, "_MainTex", "scale"),
        ({"_MainTex": {"scale": [1]}}, "_MainTex.scale", "[x, y]"),
        ({"mode": "glass"}, "mode", "cutout"),
        ({"_Mode": 9}, "_Mode", "opaque"),
        ({"surface": "transparent"}, "surface", "mode"),
        ({"renderQueue": 9000}, "renderQueue", "5000"),
        ({"enableInstancing": 1}, "enableInstancing", "true"),
        ({"_SrcBlend": 5}, "_SrcBlend", "mode"),
    ],
)
def test_what_is_not_accepted_says_what_is(properties: dict[str, Any], field: str, accepted: str) -> None:
    """Each wrong value is refused with its field and with what would have been accepted."""
    error = refusal(BUILT_IN, properties)
    assert error.code == "invalid_arguments"
    assert accepted in error.details["fields"][f"properties.{field}"]


def test_unknown_properties_get_near_names_and_the_list() -> None:
    """A name that the shader does not have is answered with the nearest and with all of them."""
    error = refusal(BUILT_IN, {"_Glosiness": 1})
    assert error.code == "invalid_arguments"
    assert error.details["near"][0] == "_Glossiness"
    assert "_DetailNormalMapScale" in error.hint


def test_plain_words_find_their_property() -> None:
    """Words that people use mean the property that the shader has for them, by attribute, by name or by custom."""
    standard = make(BUILT_IN, {"color": "#fff", "smoothness": 1, "Metallic": 1, "bumpScale": 2, "cutoff": 0.1})
    assert standard.result["properties"] == ["_Color", "_Glossiness", "_Metallic", "_BumpScale", "_Cutoff"]
    urp = make(URP_14, {"color": "#fff", "mainTexture": "Assets/wall.png", "smoothness": 1})
    assert urp.result["properties"] == ["_BaseColor", "_BaseMap", "_Smoothness"]
    hdrp = make(HDRP_17, {"normalMap": "Assets/normal.png", "emission": [1, 1, 1]})
    assert hdrp.result["properties"] == ["_NormalMap", "_EmissiveColor"]
    assert make(BUILT_IN, {"color": "#fff", "width": 2}, shader="Toon").result["properties"] == ["_Ink", "_Width"]


def test_textures_by_path_with_tiling() -> None:
    """A texture is a path, none, or a path with scale and offset; what is missing is refused."""
    content = make(BUILT_IN, {"_MainTex": {"texture": "Assets/wall.png", "scale": [2, 3], "offset": [0.5, 0]}}).content
    texture = saved(content, "m_TexEnvs", "_MainTex")
    assert isinstance(texture, Pairs)
    assert f"guid: {WALL}, type: 3" in content.decode()
    assert texture.get("m_Scale") == Pairs([("x", "2"), ("y", "3")], inline=True)
    only = make(BUILT_IN, {"tiling": [4, 4], "_MainTex": "Assets/wall.png"}).content
    assert b"m_Scale: {x: 4, y: 4}" in only
    assert refusal(BUILT_IN, {"_MainTex": "Assets/none.png"}).code == "broken_reference"


def test_a_plain_image_as_normal_map_is_warned_of() -> None:
    """An image that is not imported as a normal map is set, and the answer says what to change."""
    assert "Normal map" in " ".join(make(BUILT_IN, {"normalMap": "Assets/wall.png"}).result["warnings"])
    assert "Normal map" not in " ".join(make(BUILT_IN, {"normalMap": "Assets/normal.png"}).result["warnings"])
    assert "tiling" in " ".join(
        make(BUILT_IN, {"_Mask": {"texture": None, "scale": [2, 2]}}, shader="Toon").result["warnings"]
    )


def test_numbers_by_name_and_by_truth() -> None:
    """Enums take their names, toggles take true and false, whole numbers stay whole."""
    content = make(
        BUILT_IN, {"_Side": "front", "_Cull": "Off", "_Outline": False, "_Seed": -5, "_Wind": [9, 8]}, shader="Toon"
    ).content
    assert (number(content, "_Side"), number(content, "_Cull"), number(content, "_Outline")) == ("1", "0", "0")
    assert saved(content, "m_Ints", "_Seed") == "-5"
    assert color(content, "_Wind") == ["9", "8", "3", "4"]
    for wrong in ({"_Count": 1.5}, {"_Seed": 2**40}, {"_Side": "left"}, {"_Wind": 3}):
        assert refusal(BUILT_IN, wrong, shader="Toon").code == "invalid_arguments"


# --- what follows ------------------------------------------------------------------------------------------------------


def test_attributes_decide_keywords() -> None:
    """Toggles and keyword lists set the keyword that their attribute names, also by their defaults."""
    assert make(BUILT_IN, shader="Toon").result["keywords"] == ["_OUTLINE", "_STEPS_NONE"]
    changed = make(BUILT_IN, {"_Outline": False, "_Soft": 0, "_Steps": "Very High"}, shader="Toon")
    assert changed.result["keywords"] == ["_SOFT_OFF", "_STEPS_VERY_HIGH"]
    assert number(changed.content, "_Steps") == "2"


@pytest.mark.parametrize(
    ("mode", "tag", "queue", "blend", "keywords"),
    [
        ("opaque", None, "-1", ("1", "0", "1"), []),
        ("cutout", "TransparentCutout", "2450", ("1", "0", "1"), ["_ALPHATEST_ON"]),
        ("fade", "Transparent", "3000", ("5", "10", "0"), ["_ALPHABLEND_ON"]),
        ("transparent", "Transparent", "3000", ("1", "10", "0"), ["_ALPHAPREMULTIPLY_ON"]),
    ],
)
def test_the_four_modes_of_standard(mode: str, tag: str | None, queue: str, blend: Any, keywords: list[str]) -> None:
    """A mode sets blending, depth writing, tag, queue and keyword as Unity's inspector does."""
    made = make(BUILT_IN, {"mode": mode})
    assert tuple(number(made.content, name) for name in ("_SrcBlend", "_DstBlend", "_ZWrite")) == blend
    document = material(made.content)
    assert (document.value("stringTagMap", "RenderType"), document.value("m_CustomRenderQueue")) == (tag, queue)
    assert made.result["keywords"] == keywords


def test_textures_and_emission_of_standard_set_their_keywords() -> None:
    """Each texture that switches code on has its keyword; emission also has its lighting flag."""
    maps = ("_BumpMap", "_MetallicGlossMap", "_ParallaxMap", "_DetailAlbedoMap", "_EmissionMap")
    every = dict.fromkeys(maps, "Assets/wall.png")
    made = make(BUILT_IN, every | {"_SmoothnessTextureChannel": 1, "_GlossyReflections": False})
    assert " ".join(made.result["keywords"]) == (
        "_DETAIL_MULX2 _EMISSION _GLOSSYREFLECTIONS_OFF _METALLICGLOSSMAP _NORMALMAP _PARALLAXMAP "
        "_SMOOTHNESS_TEXTURE_ALBEDO_CHANNEL_A"
    )
    assert color(made.content, "_EmissionColor") == ["1", "1", "1", "1"]
    assert material(made.content).value("m_LightmapFlags") == "2"
    assert material(make(BUILT_IN, {"emission": "#000"}).content).value("m_LightmapFlags") == "4"


@pytest.mark.parametrize(
    ("order", "factors", "keywords"),
    [
        ({}, "1 10 1 10", ["_ALPHAPREMULTIPLY_ON"]),
        ({"_BlendModePreserveSpecular": 0}, "5 10 1 10", []),
        ({"blend": "premultiply"}, "1 10 1 10", []),
        ({"blend": "additive"}, "1 1 1 1", ["_ALPHAPREMULTIPLY_ON"]),
        ({"blend": "multiply"}, "2 0 0 1", ["_ALPHAMODULATE_ON"]),
    ],
)
def test_transparent_surfaces_of_urp(order: dict[str, Any], factors: str, keywords: list[str]) -> None:
    """A transparent surface of URP has its blend factors, keywords, queue, tag and passes."""
    made = make(URP_17, {"surface": "transparent", **order})
    names = ("_SrcBlend", "_DstBlend", "_SrcBlendAlpha", "_DstBlendAlpha")
    assert " ".join(number(made.content, name) for name in names) == factors
    assert made.result["keywords"] == [*keywords, "_SURFACE_TYPE_TRANSPARENT"]
    document = material(made.content)
    assert document.value("m_CustomRenderQueue") == "3000"
    assert document.value("disabledShaderPasses") == ["MOTIONVECTORS", "DepthOnly", "SHADOWCASTER"]
    assert number(made.content, "_ZWrite") == "0"


def test_older_urp_blends_without_preserved_speculars() -> None:
    """URP 12 has no preserved specular lighting: alpha blending there is plain, premultiplying has the keyword."""
    urp_12 = facts("URP", (2021, 3), "12.1.15")
    plain, multiplied = (make(urp_12, {"surface": "transparent", "blend": mode}) for mode in ("alpha", "premultiply"))
    assert (number(plain.content, "_SrcBlend"), plain.result["keywords"]) == ("5", ["_SURFACE_TYPE_TRANSPARENT"])
    assert multiplied.result["keywords"] == ["_ALPHAPREMULTIPLY_ON", "_SURFACE_TYPE_TRANSPARENT"]


def test_opaque_and_clipped_surfaces_of_urp() -> None:
    """Opaque URP materials have their tag and no queue of their own; clipped ones their queue and coverage."""
    opaque = material(make(URP_14).content)
    assert (opaque.value("m_CustomRenderQueue"), opaque.value("stringTagMap", "RenderType")) == ("-1", "Opaque")
    clipped = make(URP_14, {"alphaClip": True, "_QueueOffset": 2, "renderFace": "both"})
    document = material(clipped.content)
    assert document.value("m_CustomRenderQueue") == "2452"
    assert document.value("stringTagMap", "RenderType") == "TransparentCutout"
    assert (number(clipped.content, "_AlphaToMask"), document.value("m_DoubleSidedGI")) == ("1", "1")
    assert clipped.result["keywords"] == ["_ALPHATEST_ON"]


def test_urps_copies_for_the_lightmapper_follow() -> None:
    """_Color and _MainTex of URP are copies: they follow, and are not set by hand."""
    made = make(URP_14, {"_BaseColor": [0.5, 0, 0], "_BaseMap": {"texture": "Assets/wall.png", "scale": [2, 2]}})
    assert color(made.content, "_Color") == color(made.content, "_BaseColor")
    assert saved(made.content, "m_TexEnvs", "_MainTex") == saved(made.content, "m_TexEnvs", "_BaseMap")
    for name in ("_Color", "_MainTex", "_ZWrite", "renderQueue", "doubleSidedGI"):
        assert "not set by hand" in refusal(URP_14, {name: 1}).message
    detail = make(URP_14, {"_DetailAlbedoMap": "Assets/wall.png", "_DetailAlbedoMapScale": 2, "_WorkflowMode": 0})
    assert detail.result["keywords"] == ["_DETAIL_SCALED", "_SPECULAR_SETUP"]


def test_hdrp_does_what_is_certain_and_refuses_the_rest() -> None:
    """HDRP's textures have their keywords; what moves stencil, passes or queue is left to the Editor by name."""
    made = make(HDRP_17, {"_MaskMap": "Assets/wall.png", "normalMap": "Assets/normal.png", "_CoatMask": 0.5})
    assert " ".join(made.result["keywords"]) == (
        "_DISABLE_SSR_TRANSPARENT _MASKMAP _MATERIAL_FEATURE_CLEAR_COAT _NORMALMAP _NORMALMAP_TANGENT_SPACE"
    )
    for word, value in (("_SurfaceType", 1), ("surface", "transparent"), ("_StencilRef", 1), ("_MaterialID", 5)):
        assert "Editor" in refusal(HDRP_17, {word: value}).message
    assert refusal(facts("HDRP", (2021, 3), "12.1.7")).code == "unsupported_asset"


def test_keywords_by_hand() -> None:
    """Keywords that the shader declares can be set; unknown ones and ones that follow from properties are refused."""
    made = make(BUILT_IN, shader="Toon", keywords=("_EXTRA", "_OUTLINE", "_STEPS_NONE"))
    assert made.result["keywords"] == ["_EXTRA", "_OUTLINE", "_STEPS_NONE"]
    assert (
        "_EXTRA"
        in refusal(BUILT_IN, shader="Toon", keywords=("_NOPE", "_OUTLINE", "_STEPS_NONE")).details["fields"]["keywords"]
    )
    assert "_OUTLINE" in refusal(BUILT_IN, shader="Toon", keywords=("_STEPS_NONE",)).message
    assert refusal(BUILT_IN, shader="Toon", keywords=("no word",)).code == "invalid_arguments"
    assert "_EMISSION" in refusal(BUILT_IN, keywords=("_EMISSION",)).message


KEYED = """Shader "Keyed" { Properties {
 [Toggle(_FOO_ON)] _Foo ("Foo", Float) = 0
 [KeywordEnum(None, Add, Multiply)] _Ov ("Overlay", Float) = 0
 } SubShader { Pass { HLSLPROGRAM
 #pragma shader_feature_local _FOO_ON
 #pragma multi_compile_local _OV_NONE _OV_ADD _OV_MULTIPLY
 #pragma shader_feature_local _FREE
 ENDHLSL } } }
"""


def test_refusals_of_keywords_speak_of_what_was_asked_for() -> None:
    """An unknown keyword is unknown; one that follows from a property names it; one that the list would switch off is to be
    named too."""
    files = {"Assets/keyed.shader": KEYED, "Assets/keyed.shader.meta": "fileFormatVersion: 2\nguid: " + "9" * 32 + "\n"}
    within = project(**files)

    def refused(*words: str) -> str:
        with pytest.raises(ToolRejected) as caught:
            make(BUILT_IN, within=within, shader="Keyed", keywords=words)
        return f"{caught.value.message} {caught.value.details['fields']['keywords']}"

    assert "has no NOPE" in refused("NOPE")
    assert "_OV_NONE follow" not in refused("NOPE")
    assert "_FOO_ON follows from _Foo" in refused("_FOO_ON")
    assert "_OV_NONE is on because of _Ov" in refused("_FREE")
    assert "with _OV_NONE" in refused("_FREE")
    assert make(BUILT_IN, within=within, shader="Keyed", keywords=("_FREE", "_OV_NONE")).result["keywords"] == [
        "_FREE",
        "_OV_NONE",
    ]


def test_a_project_without_a_manifest_says_so() -> None:
    """That the package is not there cannot be told without the manifest; with one it can."""
    missing = refusal(facts("HDRP", (6000, 0)), shader="HDRP/Lit")
    assert "Packages/manifest.json is missing" in missing.message
    within = project(**{"Packages/manifest.json": "{}"})
    with pytest.raises(ToolRejected) as caught:
        make(facts("HDRP", (6000, 0)), within=within, shader="HDRP/Lit")
    assert "which this project does not have" in caught.value.message


def test_shaders_of_urp_17_1_save_their_motion_pass() -> None:
    """The property that came with 17.1 is there and cannot be set by hand; older versions do not have it; a shader whose
    files are not on disk says that a property may be missing."""
    for name in ("Lit", "Simple Lit", "Unlit"):
        made = make(URP_17, shader=f"Universal Render Pipeline/{name}")
        assert number(made.content, "_XRMotionVectorsPass") == "1"
        assert any("may be missing" in warning for warning in made.result["warnings"])
        assert "_XRMotionVectorsPass" not in keys(
            make(URP_14, shader=f"Universal Render Pipeline/{name}").content, "m_Floats"
        )
        caught = refusal(URP_17, {"_XRMotionVectorsPass": 0}, shader=f"Universal Render Pipeline/{name}")
        assert caught.code == "invalid_arguments"


def test_settings_of_the_material() -> None:
    """Queue, instancing and double-sided lighting are fields of the material, not properties of the shader."""
    made = make(BUILT_IN, {"renderQueue": 2100, "enableInstancing": True, "doubleSidedGI": True})
    document = material(made.content)
    assert document.value("m_CustomRenderQueue") == "2100"
    assert document.value("m_EnableInstancingVariants") == "1"
    assert document.value("m_DoubleSidedGI") == "1"


def test_a_graphs_properties_and_targets() -> None:
    """A graph's material saves the graph's properties, and a graph of another pipeline is warned of."""
    text = graph(
        prop("Vector1ShaderProperty", "_Speed", 2.5),
        targets=("UnityEditor.Rendering.Universal.ShaderGraph.UniversalTarget",),
    ).decode()
    here = project(**{"Assets/G.shadergraph": text, "Assets/G.shadergraph.meta": "guid: " + "d" * 32 + "\n"})
    made = make(BUILT_IN, {"_Speed": 4}, shader="Shader Graphs/G", within=here)
    assert number(made.content, "_Speed") == "4"
    assert "graph for URP" in " ".join(made.result["warnings"])


def test_a_shader_of_another_pipeline_is_warned_of() -> None:
    """Standard in a URP project is made, and the answer says that it will not be drawn."""
    assert "not drawn by URP" in " ".join(make(URP_14, shader="Standard").result["warnings"])
    assert refusal(BUILT_IN, shader="Universal Render Pipeline/Lit").code == "not_found"
    with pytest.raises(ToolRejected, match="mat"):
        new_material(ProjectPath("Assets/x.asset"), MaterialOrder(), BUILT_IN, project().files, project().index)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["Assets/wall.png", "#fff"]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from([*"rgbaxyzw", "texture", "scale", "offset", "fileID", "guid", "type"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
_WORDS = st.text(max_size=12) | st.sampled_from(
    sorted(
        words(
            "color _Color mainTexture _MainTex tiling offset mode surface blend renderFace alphaClip renderQueue "
            "enableInstancing doubleSidedGI metallic _Metallic emission normalMap _Seed _Count _Side _Wind _Cull _Mask"
        )
    )
)


@settings(deadline=None, max_examples=150)
@given(
    st.dictionaries(_WORDS, _JSON, max_size=3),
    st.sampled_from([(BUILT_IN, None), (BUILT_IN, "Toon"), (URP_17, None), (HDRP_17, None)]),
)
def test_any_order_makes_a_material_or_is_refused(properties: dict[str, Any], where: tuple[Facts, str | None]) -> None:
    """Whatever JSON an order holds, the answer is a material that reads back, or a refusal of our own."""
    with contextlib.suppress(ToolRejected):
        made = make(where[0], properties, shader=where[1])
        assert read_state(material(made.content), "x").floats.keys() == {*keys(made.content, "m_Floats")}
