"""Renderers and the mesh they draw."""

from __future__ import annotations

from typing import Final

from spark.engines.unity.classes.rows import NONE, F, Rows, color, vector2, vector3
from spark.engines.unity.classes.tables.objects import COMPONENT
from spark.engines.unity.yaml.values import Ref, Value

BUILTIN_EXTRA: Final = "0000000000000000f000000000000000"
_SPRITES_DEFAULT: Final = Ref(10754, BUILTIN_EXTRA, 0)
"""The material of the built-in pipeline; a render pipeline asset may name another for new sprites."""


def _renderer(*, meshes: bool, ray_tracing: int, materials: list[Value]) -> Rows:
    """The common part of every renderer. `meshes`: casts and receives shadows and is outlined when selected; a sprite is
    neither. No row for an empty material slot would be wrong: a new renderer has one slot with nothing in it."""
    return (
        *COMPONENT,
        F("m_Enabled", True),
        F("m_CastShadows", 1 if meshes else 0),
        F("m_ReceiveShadows", meshes),
        F("m_DynamicOccludee", True),
        F("m_StaticShadowCaster", False, (2021, 1)),
        F("m_MotionVectors", 1),
        F("m_LightProbeUsage", 1),
        F("m_ReflectionProbeUsage", 1),
        F("m_RayTracingMode", ray_tracing, (2019, 3)),
        F("m_RayTraceProcedural", False, (2020, 2)),
        F("m_RayTracingAccelStructBuildFlagsOverride", False, (6000, 0)),
        F("m_RayTracingAccelStructBuildFlags", 1, (6000, 0)),
        F("m_SmallMeshCulling", True, (6000, 0)),
        F("m_ForceMeshLod", -1, (6000, 2)),
        F("m_MeshLodSelectionBias", 0.0, (6000, 2)),
        F("m_RenderingLayerMask", 1),
        F("m_RendererPriority", 0),
        F("m_Materials", materials),
        F("m_StaticBatchInfo", {"firstSubMesh": 0, "subMeshCount": 0}),
        F("m_StaticBatchRoot", NONE),
        F("m_ProbeAnchor", NONE),
        F("m_LightProbeVolumeOverride", NONE),
        F("m_ScaleInLightmap", 1.0),
        F("m_ReceiveGI", 1, (2019, 2)),
        F("m_PreserveUVs", False),
        F("m_IgnoreNormalsForChartDetection", False),
        F("m_ImportantGI", False),
        # Sprites of 2019.4 have 0, those of 2021.3 and later 1.
        F("m_StitchLightmapSeams", meshes, until=(2020, 1)),
        F("m_StitchLightmapSeams", True, (2020, 1)),
        F("m_SelectedEditorRenderState", 3 if meshes else 0),
        F("m_MinimumChartSize", 4),
        F("m_AutoUVMaxDistance", 0.5),
        F("m_AutoUVMaxAngle", 89.0),
        F("m_LightmapParameters", NONE),
        F("m_GlobalIlluminationMeshLod", 0, (6000, 2)),
        F("m_SortingLayerID", 0),
        F("m_SortingLayer", 0),
        F("m_SortingOrder", 0),
        F("m_MaskInteraction", 0, (6000, 3)),
    )


_SPRITE: Final[Rows] = (
    F("m_Sprite", NONE),
    F("m_Color", color(1.0, 1.0, 1.0, 1.0)),
    F("m_FlipX", False),
    F("m_FlipY", False),
    F("m_DrawMode", 0),
    F("m_Size", vector2(1.0, 1.0)),
    F("m_AdaptiveModeThreshold", 0.5),
    F("m_SpriteTileMode", 0),
    F("m_WasSpriteAssigned", False),
    F("m_MaskInteraction", 0, until=(6000, 3)),
    F("m_SpriteSortPoint", 0),
)

TABLES: Final[dict[str, Rows]] = {
    "MeshFilter": (*COMPONENT, F("m_Mesh", NONE)),
    "MeshRenderer": (
        *_renderer(meshes=True, ray_tracing=2, materials=[NONE]),
        F("m_AdditionalVertexStreams", NONE, (2020, 1)),
    ),
    "SkinnedMeshRenderer": (
        # 3 (dynamic geometry) in documents of 2021.3 and 6000.1.
        *_renderer(meshes=True, ray_tracing=3, materials=[NONE]),
        F("serializedVersion", 2),
        F("m_Quality", 0),
        F("m_UpdateWhenOffscreen", False),
        F("m_SkinnedMotionVectors", True),
        F("m_Mesh", NONE),
        F("m_Bones", []),
        F("m_BlendShapeWeights", []),
        F("m_RootBone", NONE),
        F("m_AABB", {"m_Center": vector3(0.0, 0.0, 0.0), "m_Extent": vector3(0.0, 0.0, 0.0)}),
        F("m_DirtyAABB", False),
    ),
    "SpriteRenderer": (
        F("serializedVersion", 2, (6000, 3)),
        *_renderer(meshes=False, ray_tracing=0, materials=[_SPRITES_DEFAULT]),
        *_SPRITE,
    ),
    "TextMesh": (
        F("serializedVersion", 3),
        *COMPONENT,
        F("m_Text", ""),
        F("m_OffsetZ", 0.0),
        F("m_CharacterSize", 1.0),
        F("m_LineSpacing", 1.0),
        F("m_Anchor", 0),
        F("m_Alignment", 0),
        F("m_TabSize", 4.0),
        F("m_FontSize", 0),
        F("m_FontStyle", 0),
        F("m_RichText", True),
        F("m_Font", NONE),
        F("m_Color", {"serializedVersion": 2, "rgba": 4294967295}),
    ),
}
