"""The Universal Render Pipeline's Lit, Simple Lit and Unlit: properties and material keywords of the package versions that
are known whole. Used where the package's own files are not on disk; those are always preferred."""

from __future__ import annotations

from functools import cache
from typing import Final

from spark.engines.unity.shaders.compact import declared
from spark.engines.unity.shaders.model import ShaderHead

_Version = tuple[int, int]
_SURFACE: Final = """
_Surface float 0
_Blend float 0
_Cull float 2
_AlphaClip float 0
_SrcBlend float 1
_DstBlend float 0
_ZWrite float 1
_QueueOffset float 0
"""
_SURFACE_14: Final = "_SrcBlendAlpha float 1\n_DstBlendAlpha float 0\n_AlphaToMask float 0\n"
_PRESERVE: Final = "_BlendModePreserveSpecular float 1\n"
_VELOCITY: Final = "_AddPrecomputedVelocity float 0\n"
_SPACE_WARP: Final = "_XRMotionVectorsPass float 1\n"
"""Came with 17.1 to the base shaders that support Application SpaceWarp."""
_LIGHTMAPS: Final = """
unity_Lightmaps 2DArray - HideInInspector NoScaleOffset
unity_LightmapsInd 2DArray - HideInInspector NoScaleOffset
unity_ShadowMasks 2DArray - HideInInspector NoScaleOffset
""".strip()
_LIT: Final = """
_WorkflowMode float 1
_BaseMap 2D white MainTexture
_BaseColor color 1,1,1,1 MainColor
_Cutoff 0..1 0.5
_Smoothness 0..1 0.5
_SmoothnessTextureChannel float 0
_Metallic 0..1 0
_MetallicGlossMap 2D white
_SpecColor color 0.2,0.2,0.2,1
_SpecGlossMap 2D white
_SpecularHighlights float 1 ToggleOff
_EnvironmentReflections float 1 ToggleOff
_BumpScale float 1
_BumpMap 2D bump
_Parallax 0.005..0.08 0.005
_ParallaxMap 2D black
_OcclusionStrength 0..1 1
_OcclusionMap 2D white
_EmissionColor color 0,0,0,1 HDR
_EmissionMap 2D white
_DetailMask 2D white
_DetailAlbedoMapScale 0..2 1
_DetailAlbedoMap 2D linearGrey
_DetailNormalMapScale 0..2 1
_DetailNormalMap 2D bump Normal
_ClearCoatMask float 0
_ClearCoatSmoothness float 0
_ReceiveShadows float 1
_MainTex 2D white HideInInspector
_Color color 1,1,1,1 HideInInspector
_GlossMapScale float 0
_Glossiness float 0
_GlossyReflections float 0
""".strip()
_SIMPLE_LIT: Final = """
_BaseMap 2D white MainTexture
_BaseColor color 1,1,1,1 MainColor
_Cutoff 0..1 0.5
_Smoothness 0..1 0.5
_SpecColor color 0.5,0.5,0.5,0.5
_SpecGlossMap 2D white
_SmoothnessSource float 0
_SpecularHighlights float 1
_BumpScale float 1
_BumpMap 2D bump NoScaleOffset
_EmissionColor color 0,0,0,1 HDR
_EmissionMap 2D white NoScaleOffset
_ReceiveShadows float 1
_MainTex 2D white HideInInspector
_Color color 1,1,1,1 HideInInspector
_Shininess float 0
_GlossinessSource float 0
_SpecSource float 0
""".strip()
_UNLIT: Final = """
_BaseMap 2D white MainTexture
_BaseColor color 1,1,1,1 MainColor
_Cutoff 0..1 0.5
_BlendOp float 0
_MainTex 2D white HideInInspector
_Color color 0.5,0.5,0.5,1 HideInInspector
_SampleGI float 0
""".strip()
_SURFACE_KEYWORDS: Final = "_SURFACE_TYPE_TRANSPARENT _ALPHATEST_ON _ALPHAMODULATE_ON _ADD_PRECOMPUTED_VELOCITY "
_KEYWORDS: Final = {
    "Universal Render Pipeline/Lit": (
        "_NORMALMAP _PARALLAXMAP _RECEIVE_SHADOWS_OFF _DETAIL_MULX2 _DETAIL_SCALED _ALPHAPREMULTIPLY_ON _EMISSION "
        "_METALLICSPECGLOSSMAP _SMOOTHNESS_TEXTURE_ALBEDO_CHANNEL_A _OCCLUSIONMAP _SPECULARHIGHLIGHTS_OFF "
        "_ENVIRONMENTREFLECTIONS_OFF _SPECULAR_SETUP "
    ),
    "Universal Render Pipeline/Simple Lit": (
        "_NORMALMAP _EMISSION _RECEIVE_SHADOWS_OFF _ALPHAPREMULTIPLY_ON _SPECGLOSSMAP _SPECULAR_COLOR "
        "_GLOSSINESS_FROM_BASE_ALPHA "
    ),
    "Universal Render Pipeline/Unlit": "",
}
KNOWN_VERSIONS: Final = "12.1, 14.0, 17.0 and 17.1"


@cache
def head_of(name: str, version: _Version) -> ShaderHead | None:
    """None where the properties of this package version are not known whole."""
    modern = version in ((14, 0), (17, 0), (17, 1))
    if not modern and not (version == (12, 1) and name == "Universal Render Pipeline/Lit"):
        return None
    parts = [_SURFACE.strip()]
    if modern:
        parts.append(_SURFACE_14.strip())
    if version[0] == 17:
        parts.append(_VELOCITY.strip())
    if version == (17, 1):
        parts.append(_SPACE_WARP.strip())
    if name == "Universal Render Pipeline/Unlit":
        parts.append(_UNLIT)
    else:
        parts += [_LIT if name == "Universal Render Pipeline/Lit" else _SIMPLE_LIT, _LIGHTMAPS]
        if modern:
            parts.append(_PRESERVE.strip())
    return ShaderHead(name, declared("\n".join(parts)), frozenset((_SURFACE_KEYWORDS + _KEYWORDS[name]).split()))
