"""HDRP/Lit: its properties in the package versions that are known whole, with the values that HDRP itself gives a new
material (stencil, depth test), and the rest of what it sets up."""

from __future__ import annotations

from functools import cache
from typing import Final

from spark.engines.unity.shaders.compact import declared
from spark.engines.unity.shaders.model import ShaderHead

_Version = tuple[int, int]
KNOWN_VERSIONS: Final = "14.0 and 17.0"
SETUP: Final = {
    "_StencilRef": 0,
    "_StencilRefDepth": 8,
    "_StencilRefGBuffer": 10,
    "_StencilRefMV": 40,
    "_StencilWriteMask": 6,
    "_StencilWriteMaskDepth": 9,
    "_StencilWriteMaskGBuffer": 15,
    "_StencilWriteMaskMV": 41,
    "_StencilRefDistortionVec": 4,
    "_StencilWriteMaskDistortionVec": 4,
    "_ZTestDepthEqualForOpaque": 3,
    "_ZTestGBuffer": 4,
}
"""What HDRP computes for a new opaque material that receives reflections."""
QUEUE: Final = 2225
KEYWORDS: Final = ("_DISABLE_SSR_TRANSPARENT", "_NORMALMAP_TANGENT_SPACE")
PASSES_14: Final = (
    "DistortionVectors",
    "MOTIONVECTORS",
    "TransparentDepthPrepass",
    "TransparentDepthPostpass",
    "TransparentBackface",
    "RayTracingPrepass",
)
PASSES_17: Final = (
    "TransparentDepthPrepass",
    "TransparentDepthPostpass",
    "TransparentBackface",
    "RayTracingPrepass",
    "MOTIONVECTORS",
)
_ONES: Final = (
    "_AORemapMax _ATDistance _AlphaRemapMax _AlphaSrcBlend _DisplacementLockObjectScale _DisplacementLockTilingScale "
    "_DoubleSidedNormalMode _EmissiveColorMode _EmissiveIntensity _EnableBlendModePreserveSpecularLighting "
    "_EnableFogOnTransparent _EnergyConservingSpecularColor _HeightMax _InvTilingScale _LinkDetailsWithBase _MaterialID "
    "_MetallicRemapMax _PPDPrimitiveLength _PPDPrimitiveWidth _ReceivesSSR _SmoothnessRemapMax _SpecularOcclusionMode "
    "_SrcBlend _SupportDecals _TexWorldScale _TexWorldScaleEmissive _Thickness _TransmissionEnable _ZWrite"
)
_ZEROS: Final = (
    "_AORemapMin _AddPrecomputedVelocity _AlbedoAffectEmissive _AlphaCutoffEnable _AlphaDstBlend _AlphaRemapMin "
    "_BlendMode _DepthOffsetEnable _DiffusionProfile _DiffusionProfileHash _DisplacementMode _DoubleSidedEnable "
    "_DoubleSidedGIMode _DstBlend _EmissiveIntensityUnit _EnableGeometricSpecularAA _HeightMapParametrization "
    "_HeightOffset _MetallicRemapMin _NormalMapSpace _ObjectSpaceUVMapping _ObjectSpaceUVMappingEmissive _RayTracing "
    "_ReceivesSSRTransparent _RefractionModel _SmoothnessRemapMin _StencilRef _SurfaceType _TransparentBackfaceEnable "
    "_TransparentDepthPostpassEnable _TransparentDepthPrepassEnable _TransparentSortPriority "
    "_TransparentWritingMotionVec _TransparentZWrite _UVBase _UVDetail _UVEmissive _UseEmissiveIntensity "
    "_UseShadowThreshold"
)
_NUMBERS: Final = """
_AlphaCutoff 0..1 0.5
_AlphaCutoffPostpass 0..1 0.5
_AlphaCutoffPrepass 0..1 0.5
_AlphaCutoffShadow 0..1 0.5
_Anisotropy -1..1 0
_CoatMask 0..1 0
_CullMode float 2
_CullModeForward float 2
_Cutoff 0..1 0.5
_DetailAlbedoScale 0..2 1
_DetailNormalScale 0..2 1
_DetailSmoothnessScale 0..2 1
_EmissiveExposureWeight 0..1 1
_HeightAmplitude float 0.02
_HeightCenter 0..1 0.5
_HeightMin float -1
_HeightPoMAmplitude float 2
_HeightTessAmplitude float 2
_HeightTessCenter 0..1 0.5
_Ior 1..2.5 1.5
_IridescenceMask 0..1 1
_IridescenceThickness 0..1 1
_Metallic 0..1 0
_NormalScale 0..8 1
_OpaqueCullMode float 2
_PPDLodThreshold 0..16 5
_PPDMaxSamples 1..64 15
_PPDMinSamples 1..64 5
_Smoothness 0..1 0.5
_SpecularAAScreenSpaceVariance 0..1 0.1
_SpecularAAThreshold 0..1 0.2
_StencilRefDepth float 8
_StencilRefGBuffer float 10
_StencilRefMV float 40
_StencilWriteMask float 6
_StencilWriteMaskDepth float 9
_StencilWriteMaskGBuffer float 15
_StencilWriteMaskMV float 41
_SubsurfaceMask 0..1 1
_TransmissionMask 0..1 1
_TransparentCullMode float 2
_ZTestDepthEqualForOpaque float 3
_ZTestGBuffer float 4
_ZTestTransparent float 4
"""
_COLORS: Final = """
_BaseColor color 1,1,1,1 MainColor
_Color color 1,1,1,1
_DiffusionProfileAsset vector 0,0,0,0
_DoubleSidedConstants vector 1,1,-1,0
_EmissionColor color 1,1,1,1
_EmissiveColor color 0,0,0,1 HDR
_EmissiveColorLDR color 0,0,0,1
_InvPrimScale vector 1,1,0,0
_IridescenceThicknessRemap vector 0,1,0,0
_SpecularColor color 1,1,1,1
_ThicknessRemap vector 0,1,0,0
_TransmittanceColor color 1,1,1,1
_UVDetailsMappingMask color 1,0,0,0
_UVMappingMask color 1,0,0,0
_UVMappingMaskEmissive color 1,0,0,0
"""
_TEXTURES: Final = """
_AnisotropyMap 2D white
_BaseColorMap 2D white MainTexture
_BentNormalMap 2D bump
_BentNormalMapOS 2D white
_CoatMaskMap 2D white
_DetailMap 2D linearGrey
_EmissiveColorMap 2D white
_HeightMap 2D black
_IridescenceMaskMap 2D white
_IridescenceThicknessMap 2D white
_MainTex 2D white
_MaskMap 2D white
_NormalMap 2D bump
_NormalMapOS 2D white
_SpecularColorMap 2D white
_SubsurfaceMaskMap 2D white
_TangentMap 2D bump
_TangentMapOS 2D white
_ThicknessMap 2D white
_TransmissionMaskMap 2D white
_TransmittanceColorMap 2D white
unity_Lightmaps 2DArray - HideInInspector NoScaleOffset
unity_LightmapsInd 2DArray - HideInInspector NoScaleOffset
unity_ShadowMasks 2DArray - HideInInspector NoScaleOffset
"""
_ONLY_14: Final = """
_BaseColorMap_MipInfo vector 0,0,0,0
_DistortionVectorMap 2D black
_DistortionBlendMode float 0
_DistortionBlurBlendMode float 0
_DistortionBlurDstBlend float 1
_DistortionBlurRemapMax float 1
_DistortionBlurRemapMin float 0
_DistortionBlurScale float 1
_DistortionBlurSrcBlend float 1
_DistortionDepthTest float 1
_DistortionDstBlend float 1
_DistortionEnable float 0
_DistortionScale float 1
_DistortionSrcBlend float 1
_DistortionVectorBias float -1
_DistortionVectorScale float 2
_SSRefractionProjectionModel float 0
_StencilRefDistortionVec float 4
_StencilWriteMaskDistortionVec float 4
_ZTestModeDistortion float 4
"""
_ONLY_17: Final = "_DstBlend2 float 0\n_PerPixelSorting float 0\n"


def is_known(version: _Version | None) -> bool:
    return version in ((14, 0), (17, 0))


@cache
def head_of(version: _Version) -> ShaderHead | None:
    """None where the properties of this package version are not known whole."""
    if not is_known(version):
        return None
    lines = [f"{name} float 1" for name in _ONES.split()] + [f"{name} float 0" for name in _ZEROS.split()]
    blocks = (_NUMBERS, _COLORS, _TEXTURES, _ONLY_14 if version == (14, 0) else _ONLY_17)
    return ShaderHead("HDRP/Lit", declared("\n".join(lines + [block.strip() for block in blocks])))
