"""The rules of the shaders whose inspectors are known: Built-in Standard, URP's Lit, Simple Lit and Unlit, HDRP/Lit.

Each rule is the names of the properties that it reads and a function that brings the rest of a state in line with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from spark.core.errors import invalid_arguments
from spark.engines.unity.material_state import GI_BAKED, GI_BLACK, MaterialState, Texture
from spark.engines.unity.shaders.model import ShaderHead

Rule = Callable[[MaterialState], None]
_URP_SURFACE: Final = frozenset({"_Surface", "_Blend", "_AlphaClip", "_BlendModePreserveSpecular", "_QueueOffset"})


def _reads(names: str, rule: Rule) -> tuple[frozenset[str], Rule]:
    return frozenset(names.split()), rule


def _is_set(state: MaterialState, *names: str) -> bool:
    return any(state.get_texture(name).ref.file_id != 0 for name in names)


def _mapped(keyword: str, *textures: str) -> tuple[frozenset[str], Rule]:
    """A keyword that is on while one of the textures is set."""
    return frozenset(textures), lambda state: state.set_keyword(keyword, _is_set(state, *textures))


def _emission(state: MaterialState) -> None:
    """Emission that was baked over a black colour is none; whether it is switched on is the flag's matter."""
    if state.lightmap_flags & GI_BAKED and max(state.get_color("_EmissionColor")[:3]) <= 0:
        state.lightmap_flags |= GI_BLACK
    elif state.lightmap_flags != GI_BLACK:
        state.lightmap_flags &= 3
    state.set_keyword("_EMISSION", not state.lightmap_flags & GI_BLACK)


# --- Built-in Standard -------------------------------------------------------------------------------------------------

_MODES: Final = (
    ("", 1, 0, 1, "", -1),
    ("TransparentCutout", 1, 0, 1, "_ALPHATEST_ON", 2450),
    ("Transparent", 5, 10, 0, "_ALPHABLEND_ON", 3000),
    ("Transparent", 1, 10, 0, "_ALPHAPREMULTIPLY_ON", 3000),
)
"""Of Opaque, Cutout, Fade and Transparent: tag, source and destination blending, depth writing, keyword, queue."""


def standard_rules(head: ShaderHead) -> list[tuple[frozenset[str], Rule]]:
    specular = head.property("_SpecGlossMap") is not None
    return [
        _reads("_Mode", _standard_mode),
        _mapped("_NORMALMAP", "_BumpMap", "_DetailNormalMap"),
        _mapped("_SPECGLOSSMAP", "_SpecGlossMap") if specular else _mapped("_METALLICGLOSSMAP", "_MetallicGlossMap"),
        _mapped("_PARALLAXMAP", "_ParallaxMap"),
        _mapped("_DETAIL_MULX2", "_DetailAlbedoMap", "_DetailNormalMap"),
        _reads("_EmissionColor _EmissionMap", _emission),
        _reads(
            "_SmoothnessTextureChannel",
            lambda state: state.set_keyword(
                "_SMOOTHNESS_TEXTURE_ALBEDO_CHANNEL_A", int(state.get_float("_SmoothnessTextureChannel")) == 1
            ),
        ),
    ]


def _standard_mode(state: MaterialState) -> None:
    mode = int(state.get_float("_Mode"))
    if not 0 <= mode < len(_MODES):
        return
    tag, source, destination, depth, keyword, queue = _MODES[mode]
    if tag or "RenderType" in state.tags:
        state.tags["RenderType"] = tag
    state.set_float("_SrcBlend", source)
    state.set_float("_DstBlend", destination)
    state.set_float("_ZWrite", depth)
    for other in ("_ALPHATEST_ON", "_ALPHABLEND_ON", "_ALPHAPREMULTIPLY_ON"):
        state.set_keyword(other, other == keyword)
    state.queue = queue


# --- URP ---------------------------------------------------------------------------------------------------------------


def urp_rules(head: ShaderHead, version: tuple[int, int] | None) -> list[tuple[frozenset[str], Rule]]:
    rules = [
        (_URP_SURFACE, _urp_surface if version is not None and version >= (12, 0) else _urp_unknown),
        _reads("_ReceiveShadows", _off_at_zero("_ReceiveShadows", "_RECEIVE_SHADOWS_OFF")),
        _reads("_Cull", _urp_cull),
        _reads("_BaseMap", lambda state: state.set_texture("_MainTex", state.get_texture("_BaseMap"))),
        _reads("_BaseColor", lambda state: state.set_color("_Color", state.get_color("_BaseColor"))),
        _reads("_AddPrecomputedVelocity", _urp_velocity),
    ]
    if head.property("_EmissionColor") is not None:
        rules.append(_reads("_EmissionColor _EmissionMap", _emission))
    if head.property("_BumpMap") is not None:
        rules.append(_mapped("_NORMALMAP", "_BumpMap"))
    if head.name.endswith("/Simple Lit"):
        rules.append(_reads("_Smoothness", _simple_lit_smoothness))
    if head.name.endswith("/Lit"):
        rules += [
            _reads("_WorkflowMode _MetallicGlossMap _SpecGlossMap", _urp_workflow),
            _reads("_SpecularHighlights", _off_at_zero("_SpecularHighlights", "_SPECULARHIGHLIGHTS_OFF")),
            _reads("_EnvironmentReflections", _off_at_zero("_EnvironmentReflections", "_ENVIRONMENTREFLECTIONS_OFF")),
            _mapped("_OCCLUSIONMAP", "_OcclusionMap"),
            _mapped("_PARALLAXMAP", "_ParallaxMap"),
            _reads("_SmoothnessTextureChannel _Surface", _urp_smoothness),
            _reads("_DetailAlbedoMap _DetailNormalMap _DetailAlbedoMapScale", _urp_detail),
        ]
    return rules


def _off_at_zero(name: str, keyword: str) -> Rule:
    def off(state: MaterialState) -> None:
        if state.has(name):
            state.set_keyword(keyword, state.get_float(name) == 0)

    return off


def _urp_unknown(state: MaterialState) -> None:
    if state.get_float("_Surface") or state.get_float("_AlphaClip"):
        raise invalid_arguments(
            {"properties.surface": "set in the Editor: what this version of URP changes with it is not known exactly"}
        )


def _urp_surface(state: MaterialState) -> None:
    """Blending, depth, tag, queue and passes of the surface type, the blend mode and alpha clipping."""
    opaque, clip = state.get_float("_Surface") == 0, state.get_float("_AlphaClip") >= 0.5
    state.set_keyword("_ALPHATEST_ON", clip)
    state.set_keyword("_SURFACE_TYPE_TRANSPARENT", not opaque)
    if opaque:
        blending, premultiplied, multiplied = (1, 0, 1, 0), False, False
        queue, tag = (2450, "TransparentCutout") if clip else (2000, "Opaque")
    else:
        blending, premultiplied, multiplied = _urp_blending(state)
        queue, tag = 3000, "Transparent"
    for name, value in zip(("_SrcBlend", "_DstBlend", "_SrcBlendAlpha", "_DstBlendAlpha"), blending, strict=True):
        state.set_float(name, value)
    state.set_keyword("_ALPHAPREMULTIPLY_ON", premultiplied)
    state.set_keyword("_ALPHAMODULATE_ON", multiplied)
    state.tags["RenderType"] = tag
    state.set_float("_AlphaToMask", 1 if opaque and clip else 0)
    state.set_float("_ZWrite", 1 if opaque else 0)
    state.set_pass("DepthOnly", opaque)
    state.set_pass("SHADOWCASTER", opaque)
    queue += int(state.get_float("_QueueOffset"))
    if queue != (state.queue if state.queue >= 0 else 2000):
        state.queue = queue


def _urp_blending(state: MaterialState) -> tuple[tuple[int, int, int, int], bool, bool]:
    """The four blend factors of a transparent surface; whether alpha is premultiplied; whether colours are multiplied."""
    mode = int(state.get_float("_Blend"))
    factors = {0: (5, 10, 1, 10), 1: (1, 10, 1, 10), 2: (5, 1, 1, 1), 3: (2, 0, 0, 1)}.get(mode, (1, 10, 1, 10))
    if not state.has("_BlendModePreserveSpecular") and not state.has("_SrcBlendAlpha"):
        return factors, mode == 1, mode == 3
    preserve = state.get_float("_BlendModePreserveSpecular") > 0 and mode in (0, 2)
    return ((1, *factors[1:]) if preserve else factors), preserve, mode == 3


def _urp_cull(state: MaterialState) -> None:
    state.double_sided_gi = int(state.get_float("_Cull") != 2)


def _urp_velocity(state: MaterialState) -> None:
    if state.has("_AddPrecomputedVelocity"):
        moving = state.get_float("_AddPrecomputedVelocity") != 0
        state.set_keyword("_ADD_PRECOMPUTED_VELOCITY", moving)
        state.set_pass("MOTIONVECTORS", moving)


def _urp_workflow(state: MaterialState) -> None:
    specular = state.get_float("_WorkflowMode") == 0
    state.set_keyword("_SPECULAR_SETUP", specular)
    state.set_keyword("_METALLICSPECGLOSSMAP", _is_set(state, "_SpecGlossMap" if specular else "_MetallicGlossMap"))


def _urp_smoothness(state: MaterialState) -> None:
    from_albedo = int(state.get_float("_SmoothnessTextureChannel")) == 1 and state.get_float("_Surface") == 0
    state.set_keyword("_SMOOTHNESS_TEXTURE_ALBEDO_CHANNEL_A", from_albedo)


def _urp_detail(state: MaterialState) -> None:
    scaled, there = (
        state.get_float("_DetailAlbedoMapScale") != 1,
        _is_set(state, "_DetailAlbedoMap", "_DetailNormalMap"),
    )
    state.set_keyword("_DETAIL_MULX2", there and not scaled)
    state.set_keyword("_DETAIL_SCALED", there and scaled)


def _simple_lit_smoothness(state: MaterialState) -> None:
    """Simple Lit reads its smoothness from a colour's alpha."""
    from_albedo = int(state.get_float("_SmoothnessSource")) == 1 and state.get_float("_Surface") == 0
    name = "_BaseColor" if from_albedo else "_SpecColor"
    red, green, blue, _ = state.get_color(name)
    state.set_color(name, (red, green, blue, state.get_float("_Smoothness")))


# --- HDRP --------------------------------------------------------------------------------------------------------------


def hdrp_rules() -> list[tuple[frozenset[str], Rule]]:
    return [
        _reads("_BaseColor", lambda state: state.set_color("_Color", state.get_color("_BaseColor"))),
        _reads("_BaseColorMap", _hdrp_base_map),
        _reads("_AlphaCutoff", lambda state: state.set_float("_Cutoff", state.get_float("_AlphaCutoff"))),
        _mapped("_NORMALMAP", "_NormalMap", "_DetailMap"),
        _mapped("_TANGENTMAP", "_TangentMap"),
        _mapped("_BENTNORMALMAP", "_BentNormalMap"),
        _mapped("_MASKMAP", "_MaskMap"),
        _mapped("_EMISSIVE_COLOR_MAP", "_EmissiveColorMap"),
        _mapped("_HEIGHTMAP", "_HeightMap"),
        _mapped("_ANISOTROPYMAP", "_AnisotropyMap"),
        _mapped("_DETAIL_MAP", "_DetailMap"),
        _mapped("_SUBSURFACE_MASK_MAP", "_SubsurfaceMaskMap"),
        _mapped("_TRANSMISSION_MASK_MAP", "_TransmissionMaskMap"),
        _mapped("_THICKNESSMAP", "_ThicknessMap"),
        _mapped("_IRIDESCENCE_THICKNESSMAP", "_IridescenceThicknessMap"),
        _mapped("_SPECULARCOLORMAP", "_SpecularColorMap"),
        _reads("_CoatMask _CoatMaskMap", _hdrp_coat),
        _reads("_SpecularOcclusionMode", _hdrp_occlusion),
    ]


def _hdrp_base_map(state: MaterialState) -> None:
    texture: Texture = state.get_texture("_BaseColorMap")
    state.set_texture("_MainTex", texture)
    across = abs(texture.scale[0]) + abs(texture.scale[1])
    state.set_float("_InvTilingScale", 2 / across if across else 1)


def _hdrp_coat(state: MaterialState) -> None:
    state.set_keyword(
        "_MATERIAL_FEATURE_CLEAR_COAT", state.get_float("_CoatMask") > 0 or _is_set(state, "_CoatMaskMap")
    )


def _hdrp_occlusion(state: MaterialState) -> None:
    mode = int(state.get_float("_SpecularOcclusionMode"))
    state.set_keyword("_SPECULAR_OCCLUSION_NONE", mode == 0)
    state.set_keyword("_SPECULAR_OCCLUSION_FROM_BENT_NORMAL_MAP", mode == 2)
