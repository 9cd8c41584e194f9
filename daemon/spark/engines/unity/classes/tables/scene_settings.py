"""The documents every scene begins with, as a scene that was just made has them, and its list of roots."""

from __future__ import annotations

from typing import Final

from spark.engines.unity.classes.rows import NONE, F, Rows, color
from spark.engines.unity.classes.tables.objects import OBJECT
from spark.engines.unity.classes.tables.renderers import BUILTIN_EXTRA
from spark.engines.unity.yaml.values import Ref

_DEFAULT_RESOURCES: Final = "0000000000000000e000000000000000"
_BLACK: Final = color(0.0, 0.0, 0.0, 1.0)

_RENDER_SETTINGS: Final[Rows] = (
    *OBJECT,
    F("serializedVersion", 9, until=(6000, 0)),
    F("serializedVersion", 10, (6000, 0)),
    F("m_Fog", False),
    F("m_FogColor", color(0.5, 0.5, 0.5, 1.0)),
    F("m_FogMode", 3),
    F("m_FogDensity", 0.01),
    F("m_LinearFogStart", 0.0),
    F("m_LinearFogEnd", 300.0),
    F("m_AmbientSkyColor", color(0.212, 0.227, 0.259, 1.0)),
    F("m_AmbientEquatorColor", color(0.114, 0.125, 0.133, 1.0)),
    F("m_AmbientGroundColor", color(0.047, 0.043, 0.035, 1.0)),
    F("m_AmbientIntensity", 1.0),
    F("m_AmbientMode", 0),
    F("m_SubtractiveShadowColor", color(0.42, 0.478, 0.627, 1.0)),
    F("m_SkyboxMaterial", Ref(10304, BUILTIN_EXTRA, 0)),
    F("m_HaloStrength", 0.5),
    F("m_FlareStrength", 1.0),
    F("m_FlareFadeSpeed", 3.0),
    F("m_HaloTexture", NONE),
    F("m_SpotCookie", Ref(10001, _DEFAULT_RESOURCES, 0)),
    F("m_DefaultReflectionMode", 0),
    F("m_DefaultReflectionResolution", 128),
    F("m_ReflectionBounces", 1),
    F("m_ReflectionIntensity", 1.0),
    F("m_CustomReflection", NONE),
    F("m_Sun", NONE),
    # Computed by the Editor from the sky; black is what a scene has that was never lit. It left the file in a patch of each
    # stream: trees of 2021.3.36, 2022.3.7 and 6000.0.0 have it, those of 2021.3.45, 2022.3.40 and 6000.0.23 do not.
    F("m_IndirectSpecularColor", _BLACK, until=(2021, 3, 45)),
    F("m_IndirectSpecularColor", _BLACK, (2022, 1), (2022, 3, 40)),
    F("m_IndirectSpecularColor", _BLACK, (2023, 1), (6000, 0, 23)),
    F("m_UseRadianceAmbientProbe", False),
)

_LIGHTMAP_EDITOR_SETTINGS: Final[Rows] = (
    F("serializedVersion", 12),
    F("m_Resolution", 2.0),
    F("m_BakeResolution", 40.0),
    F("m_AtlasSize", 1024),
    F("m_AO", False),
    F("m_AOMaxDistance", 1.0),
    F("m_CompAOExponent", 1.0),
    F("m_CompAOExponentDirect", 0.0),
    F("m_ExtractAmbientOcclusion", False),
    F("m_Padding", 2),
    F("m_LightmapParameters", NONE),
    F("m_LightmapsBakeMode", 1),
    F("m_TextureCompression", True),
    F("m_FinalGather", False, until=(2023, 1)),
    F("m_FinalGatherFiltering", True, until=(2023, 1)),
    F("m_FinalGatherRayCount", 256, until=(2023, 1)),
    F("m_ReflectionCompression", 2),
    F("m_MixedBakeMode", 2),
    F("m_BakeBackend", 1),
    F("m_PVRSampling", 1),
    F("m_PVRDirectSampleCount", 32),
    F("m_PVRSampleCount", 512),
    F("m_PVRBounces", 2),
    F("m_PVREnvironmentSampleCount", 256),
    F("m_PVREnvironmentReferencePointCount", 2048),
    F("m_PVRFilteringMode", 1),
    F("m_PVRDenoiserTypeDirect", 1),
    F("m_PVRDenoiserTypeIndirect", 1),
    F("m_PVRDenoiserTypeAO", 1),
    F("m_PVRFilterTypeDirect", 0),
    F("m_PVRFilterTypeIndirect", 0),
    F("m_PVRFilterTypeAO", 0),
    F("m_PVREnvironmentMIS", 1),
    F("m_PVRCulling", True),
    F("m_PVRFilteringGaussRadiusDirect", 1),
    F("m_PVRFilteringGaussRadiusIndirect", 5),
    F("m_PVRFilteringGaussRadiusAO", 2),
    F("m_PVRFilteringAtrousPositionSigmaDirect", 0.5),
    F("m_PVRFilteringAtrousPositionSigmaIndirect", 2.0),
    F("m_PVRFilteringAtrousPositionSigmaAO", 1.0),
    F("m_ExportTrainingData", False),
    F("m_TrainingDataDestination", "TrainingData"),
    F("m_LightProbeSampleCountMultiplier", 4.0),
)

_LIGHTMAP_SETTINGS: Final[Rows] = (
    *OBJECT,
    F("serializedVersion", 11, until=(2020, 1)),
    F("serializedVersion", 12, (2020, 1), (6000, 0, 23)),
    F("serializedVersion", 13, (6000, 0, 23)),
    F("m_GIWorkflowMode", 1, until=(6000, 0)),
    F("m_BakeOnSceneLoad", 0, (6000, 0, 23)),
    F(
        "m_GISettings",
        {
            "serializedVersion": 2,
            "m_BounceScale": 1.0,
            "m_IndirectOutputScale": 1.0,
            "m_AlbedoBoost": 1.0,
            "m_EnvironmentLightingMode": 0,
            "m_EnableBakedLightmaps": True,
            "m_EnableRealtimeLightmaps": False,
        },
    ),
    F("m_LightmapEditorSettings", _LIGHTMAP_EDITOR_SETTINGS),
    F("m_LightingDataAsset", NONE),
    F("m_UseShadowmask", True, until=(2020, 1)),
    F("m_LightingSettings", NONE, (2020, 1)),
)

_NAV_MESH_BUILD_SETTINGS: Final[Rows] = (
    F("serializedVersion", 2, until=(2022, 2)),
    F("serializedVersion", 3, (2022, 2)),
    F("agentTypeID", 0),
    F("agentRadius", 0.5),
    F("agentHeight", 2.0),
    F("agentSlope", 45.0),
    F("agentClimb", 0.4),
    F("ledgeDropHeight", 0.0),
    F("maxJumpAcrossDistance", 0.0),
    F("minRegionArea", 2.0),
    F("manualCellSize", 0),
    F("cellSize", 0.16666667),
    F("manualTileSize", 0),
    F("tileSize", 256),
    F("accuratePlacement", 0, until=(2022, 2)),
    F("buildHeightMesh", 0, (2022, 2)),
    F("maxJobWorkers", 0, (2020, 1)),
    F("preserveTilesOutsideBounds", 0, (2020, 1)),
    F("debug", {"m_Flags": 0}),
)

TABLES: Final[dict[str, Rows]] = {
    "OcclusionCullingSettings": (
        *OBJECT,
        F("serializedVersion", 2),
        F("m_OcclusionBakeSettings", {"smallestOccluder": 5.0, "smallestHole": 0.25, "backfaceThreshold": 100.0}),
        F("m_SceneGUID", "0" * 32),
        F("m_OcclusionCullingData", NONE),
    ),
    "RenderSettings": _RENDER_SETTINGS,
    "LightmapSettings": _LIGHTMAP_SETTINGS,
    "NavMeshSettings": (
        F("serializedVersion", 2),
        *OBJECT,
        F("m_BuildSettings", _NAV_MESH_BUILD_SETTINGS),
        F("m_NavMeshData", NONE),
    ),
    "SceneRoots": (*OBJECT, F("m_Roots", [])),
}
