"""Shaders that are built into Unity: their file ids in `unity_builtin_extra` and their properties.

Only those whose id and whole property list are certain; any other is refused by name where it is asked for.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from spark.engines.unity.shaders.compact import declared
from spark.engines.unity.shaders.model import ShaderHead
from spark.engines.unity.words import words

GUID: Final = "0000000000000000f000000000000000"
FILE_IDS: Final = {
    "Standard": 46,
    "Standard (Specular setup)": 45,
    "Legacy Shaders/Diffuse": 7,
    "Skybox/6 Sided": 104,
    "Skybox/Cubemap": 103,
    "Skybox/Procedural": 106,
    "Sprites/Default": 10753,
    "UI/Default": 10770,
    "Unlit/Color": 10755,
    "Unlit/Texture": 10752,
    "Unlit/Transparent": 10750,
    "Unlit/Transparent Cutout": 10751,
}
LIT_BY_BUILT_IN_ONLY: Final = frozenset({"Standard", "Standard (Specular setup)", "Legacy Shaders/Diffuse"})
"""Shaders that no other pipeline draws."""
_STANDARD: Final = """
_Color color 1,1,1,1
_MainTex 2D white
_Cutoff 0..1 0.5
_Glossiness 0..1 0.5
_GlossMapScale 0..1 1
_SmoothnessTextureChannel float 0
_SpecularHighlights float 1 ToggleOff
_GlossyReflections float 1 ToggleOff
_BumpScale float 1
_BumpMap 2D bump Normal
_Parallax 0.005..0.08 0.02
_ParallaxMap 2D black
_OcclusionStrength 0..1 1
_OcclusionMap 2D white
_EmissionColor color 0,0,0,1
_EmissionMap 2D white
_DetailMask 2D white
_DetailAlbedoMap 2D grey
_DetailNormalMapScale float 1
_DetailNormalMap 2D bump Normal
_UVSec float 0
_Mode float 0
_SrcBlend float 1
_DstBlend float 0
_ZWrite float 1
"""
_SKYBOX: Final = "_Tint color 0.5,0.5,0.5,0.5\n_Exposure 0..8 1 Gamma\n_Rotation 0..360 0\n"
_PROPERTIES: Final = {
    "Standard": _STANDARD + "_Metallic 0..1 0 Gamma\n_MetallicGlossMap 2D white\n",
    "Standard (Specular setup)": _STANDARD + "_SpecColor color 0.2,0.2,0.2,1\n_SpecGlossMap 2D white\n",
    "Legacy Shaders/Diffuse": "_Color color 1,1,1,1\n_MainTex 2D white\n",
    "Skybox/6 Sided": _SKYBOX
    + "".join(f"_{side}Tex 2D grey NoScaleOffset\n" for side in ("Front", "Back", "Left", "Right", "Up", "Down")),
    "Skybox/Cubemap": _SKYBOX + "_Tex Cube grey NoScaleOffset\n",
    "Skybox/Procedural": """
_SunDisk int 2 KeywordEnum(None,Simple,High_Quality)
_SunSize 0..1 0.04
_SunSizeConvergence 1..10 5
_AtmosphereThickness 0..5 1
_SkyTint color 0.5,0.5,0.5,1
_GroundColor color 0.369,0.349,0.341,1
_Exposure 0..8 1.3
""",
    "Sprites/Default": """
_MainTex 2D white PerRendererData
_Color color 1,1,1,1
PixelSnap float 0 MaterialToggle
_RendererColor color 1,1,1,1 HideInInspector
_Flip vector 1,1,1,1 HideInInspector
_AlphaTex 2D white PerRendererData
_EnableExternalAlpha float 0 PerRendererData
""",
    "UI/Default": """
_MainTex 2D white PerRendererData
_Color color 1,1,1,1
_StencilComp float 8
_Stencil float 0
_StencilOp float 0
_StencilWriteMask float 255
_StencilReadMask float 255
_ColorMask float 15
_UseUIAlphaClip float 0 Toggle(UNITY_UI_ALPHACLIP)
""",
    "Unlit/Color": "_Color color 1,1,1,1\n",
    "Unlit/Texture": "_MainTex 2D white\n",
    "Unlit/Transparent": "_MainTex 2D white\n",
    "Unlit/Transparent Cutout": "_MainTex 2D white\n_Cutoff 0..1 0.5\n",
}
_STANDARD_KEYWORDS: Final = words(
    "_NORMALMAP _ALPHATEST_ON _ALPHABLEND_ON _ALPHAPREMULTIPLY_ON _EMISSION _DETAIL_MULX2 _PARALLAXMAP "
    "_SMOOTHNESS_TEXTURE_ALBEDO_CHANNEL_A _SPECULARHIGHLIGHTS_OFF _GLOSSYREFLECTIONS_OFF"
)
_KEYWORDS: Final = {
    "Standard": _STANDARD_KEYWORDS | {"_METALLICGLOSSMAP"},
    "Standard (Specular setup)": _STANDARD_KEYWORDS | {"_SPECGLOSSMAP"},
    "Skybox/Procedural": frozenset({"_SUNDISK_NONE", "_SUNDISK_SIMPLE", "_SUNDISK_HIGH_QUALITY"}),
    "Sprites/Default": frozenset({"PIXELSNAP_ON", "ETC1_EXTERNAL_ALPHA"}),
    "UI/Default": frozenset({"UNITY_UI_CLIP_RECT", "UNITY_UI_ALPHACLIP"}),
}
_OTHERS: Final = (
    *("Legacy Shaders/", "Nature/", "Autodesk Interactive", "VertexLit", "Standard"),
    *(f"{folder}/" for folder in sorted(words("Mobile Particles Hidden GUI VR AR FX UI Unlit Skybox Sprites"))),
)


@cache
def head_of(name: str) -> ShaderHead:
    """Raises `KeyError` where the shader is not one of `FILE_IDS`."""
    return ShaderHead(name, declared(_PROPERTIES[name]), _KEYWORDS.get(name, frozenset()), all_keywords=True)


def may_be_built_in(name: str) -> bool:
    """Whether a name looks like one of Unity's other shaders, of which too little is known."""
    return name.startswith(tuple(_OTHERS))


def name_of(file_id: int) -> str | None:
    return next((name for name, known in FILE_IDS.items() if known == file_id), None)
