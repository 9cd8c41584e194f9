"""Cameras, lights, sound, animation and user interface."""

from __future__ import annotations

from typing import Final

from spark.engines.unity.classes.rows import NONE, F, Rows, color, mask, vector2, vector4
from spark.engines.unity.classes.tables.objects import BEHAVIOUR, COMPONENT
from spark.engines.unity.yaml.values import Value

_EVERYTHING: Final = 4294967295
_PHYSICAL: Final = (2022, 2)
"""The version that moved HDRP's physical camera into Camera."""

_IDENTITY: Final[dict[str, Value]] = {
    f"e{row}{column}": 1.0 if row == column else 0.0 for row in range(4) for column in range(4)
}

_CAMERA: Final[Rows] = (
    *BEHAVIOUR,
    F("serializedVersion", 2),
    F("m_ClearFlags", 1),
    F("m_BackGroundColor", color(0.19215687, 0.3019608, 0.4745098, 0.0)),
    F("m_projectionMatrixMode", 1),
    F("m_GateFitMode", 2, (2019, 1)),
    F("m_FOVAxisMode", 0, (2019, 1)),
    F("m_Iso", 200, _PHYSICAL),
    F("m_ShutterSpeed", 0.005, _PHYSICAL),
    F("m_Aperture", 16.0, _PHYSICAL),
    F("m_FocusDistance", 10.0, _PHYSICAL),
    F("m_FocalLength", 50.0, _PHYSICAL),
    F("m_BladeCount", 5, _PHYSICAL),
    F("m_Curvature", vector2(2.0, 11.0), _PHYSICAL),
    F("m_BarrelClipping", 0.25, _PHYSICAL),
    F("m_Anamorphism", 0.0, _PHYSICAL),
    F("m_SensorSize", vector2(36.0, 24.0)),
    F("m_LensShift", vector2(0.0, 0.0)),
    F("m_GateFitMode", 2, until=(2019, 1)),
    F("m_FocalLength", 50.0, until=_PHYSICAL),
    F("m_NormalizedViewPortRect", {"serializedVersion": 2, "x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0}),
    F("near clip plane", 0.3),
    F("far clip plane", 1000.0),
    F("field of view", 60.0),
    F("orthographic", False),
    F("orthographic size", 5.0),
    # The main camera of a scene template has -1; a camera that is added has 0.
    F("m_Depth", 0.0),
    F("m_CullingMask", mask(_EVERYTHING)),
    F("m_RenderingPath", -1),
    F("m_TargetTexture", NONE),
    F("m_TargetDisplay", 0),
    F("m_TargetEye", 3),
    F("m_HDR", True),
    F("m_AllowMSAA", True),
    F("m_AllowDynamicResolution", False),
    F("m_ForceIntoRT", False),
    F("m_OcclusionCulling", True),
    F("m_StereoConvergence", 10.0),
    F("m_StereoSeparation", 0.022),
)

_SHADOWS: Final[Rows] = (
    F("m_Type", 0),
    F("m_Resolution", -1),
    F("m_CustomResolution", -1),
    F("m_Strength", 1.0),
    F("m_Bias", 0.05),
    F("m_NormalBias", 0.4),
    F("m_NearPlane", 0.2),
    F("m_CullingMatrixOverride", _IDENTITY, (2019, 1)),
    F("m_UseCullingMatrixOverride", False, (2019, 1)),
)

_LIGHT: Final[Rows] = (
    *BEHAVIOUR,
    F("serializedVersion", 8, until=(2019, 1)),
    F("serializedVersion", 10, (2019, 1), (6000, 0)),
    F("serializedVersion", 11, (6000, 0), (6000, 3)),
    F("serializedVersion", 12, (6000, 3)),
    # A light that is added is a point light without shadows; the menu and the scene template make other ones.
    F("m_Type", 2),
    F("m_Shape", 0, (2019, 1), (6000, 0)),
    F("m_Color", color(1.0, 1.0, 1.0, 1.0)),
    F("m_Intensity", 1.0),
    F("m_Range", 10.0),
    F("m_SpotAngle", 30.0),
    F("m_InnerSpotAngle", 21.80208, (2019, 1)),
    F("m_CookieSize", 10.0, until=(6000, 3)),
    F("m_CookieSize2D", vector2(0.5, 0.5), (6000, 3)),
    F("m_Shadows", _SHADOWS),
    F("m_Cookie", NONE),
    F("m_DrawHalo", False),
    F("m_Flare", NONE),
    F("m_RenderMode", 0),
    F("m_CullingMask", mask(_EVERYTHING)),
    F("m_RenderingLayerMask", 1, (2019, 1)),
    F("m_Lightmapping", 4),
    F("m_LightShadowCasterMode", 0),
    F("m_AreaSize", vector2(1.0, 1.0)),
    F("m_BounceIntensity", 1.0),
    F("m_ColorTemperature", 6570.0),
    F("m_UseColorTemperature", False),
    F("m_BoundingSphereOverride", vector4(0.0, 0.0, 0.0, 0.0), (2019, 1)),
    F("m_UseBoundingSphereOverride", False, (2019, 1)),
    F("m_UseViewFrustumForShadowCasterCull", True, (2020, 1)),
    F("m_ForceVisible", False, (6000, 0)),
    F("m_ShadowRadius", 0.0),
    F("m_ShadowAngle", 0.0),
    F("m_LightUnit", 1, (6000, 0)),
    F("m_LuxAtDistance", 1.0, (6000, 0)),
    F("m_EnableSpotReflector", True, (6000, 0)),
)


def _curve(*keys: tuple[float, float]) -> dict[str, Value]:
    """A curve with flat tangents through (time, value)."""
    points: list[Value] = [
        {
            "serializedVersion": 3,
            "time": time,
            "value": value,
            "inSlope": 0.0,
            "outSlope": 0.0,
            "tangentMode": 0,
            "weightedMode": 0,
            "inWeight": 0.33333334,
            "outWeight": 0.33333334,
        }
        for time, value in keys
    ]
    return {"serializedVersion": 2, "m_Curve": points, "m_PreInfinity": 2, "m_PostInfinity": 2, "m_RotationOrder": 4}


_AUDIO_SOURCE: Final[Rows] = (
    *BEHAVIOUR,
    F("serializedVersion", 4),
    F("OutputAudioMixerGroup", NONE),
    F("m_audioClip", NONE),
    F("m_Resource", NONE, (2023, 2)),
    F("m_PlayOnAwake", True),
    F("m_Volume", 1.0),
    F("m_Pitch", 1.0),
    F("Loop", False),
    F("Mute", False),
    F("Spatialize", False),
    F("SpatializePostEffects", False),
    F("Priority", 128),
    F("DopplerLevel", 1.0),
    F("MinDistance", 1.0),
    F("MaxDistance", 500.0),
    F("Pan2D", 0.0),
    F("rolloffMode", 0),
    F("BypassEffects", False),
    F("BypassListenerEffects", False),
    F("BypassReverbZones", False),
    F("rolloffCustomCurve", _curve((0.0, 1.0), (1.0, 0.0))),
    F("panLevelCustomCurve", _curve((0.0, 0.0))),
    F("spreadCustomCurve", _curve((0.0, 0.0))),
    F("reverbZoneMixCustomCurve", _curve((0.0, 1.0))),
)

_ANIMATOR: Final[Rows] = (
    F("serializedVersion", 3, until=(2020, 1)),
    F("serializedVersion", 4, (2020, 1), (2020, 3)),
    F("serializedVersion", 5, (2020, 3), (6000, 0)),
    F("serializedVersion", 7, (6000, 0)),
    *BEHAVIOUR,
    F("m_Avatar", NONE),
    F("m_Controller", NONE),
    F("m_CullingMode", 0),
    F("m_UpdateMode", 0),
    F("m_ApplyRootMotion", False),
    F("m_LinearVelocityBlending", False),
    F("m_StabilizeFeet", False, (2020, 1)),
    F("m_AnimatePhysics", False, (6000, 0)),
    F("m_WarningMessage", ""),
    F("m_HasTransformHierarchy", True),
    F("m_AllowConstantClipSamplingOptimization", True),
    F("m_KeepAnimatorControllerStateOnDisable", False, until=(2020, 3)),
    F("m_KeepAnimatorStateOnDisable", False, (2020, 3)),
    # 2022.2 was the one stream without it.
    F("m_WriteDefaultValuesOnDisable", False, (2020, 3), (2022, 1)),
    F("m_WriteDefaultValuesOnDisable", False, (2022, 3)),
)

_CANVAS: Final[Rows] = (
    *BEHAVIOUR,
    F("serializedVersion", 3),
    # The menu's canvas is an overlay (0); that one that is added stands in the world is inferred.
    F("m_RenderMode", 2),
    F("m_Camera", NONE),
    F("m_PlaneDistance", 100.0),
    F("m_PixelPerfect", False),
    F("m_ReceivesEvents", True),
    F("m_OverrideSorting", False),
    F("m_OverridePixelPerfect", False),
    F("m_SortingBucketNormalizedSize", 0.0),
    # Brought to 2021.3 between patches 25 and 36, to 2022.2 after patch 6.
    F("m_VertexColorAlwaysGammaSpace", False, (2021, 3, 36), (2022, 1)),
    F("m_VertexColorAlwaysGammaSpace", False, (2022, 3)),
    F("m_AdditionalShaderChannelsFlag", 0),
    F("m_UpdateRectTransformForStandalone", 0, (2022, 2)),
    F("m_SortingLayerID", 0),
    F("m_SortingOrder", 0),
    F("m_TargetDisplay", 0),
)

TABLES: Final[dict[str, Rows]] = {
    "Camera": _CAMERA,
    "Light": _LIGHT,
    "AudioSource": _AUDIO_SOURCE,
    "AudioListener": BEHAVIOUR,
    "Animator": _ANIMATOR,
    "Canvas": _CANVAS,
    "CanvasRenderer": (
        *COMPONENT,
        F("m_CullTransparentMesh", False, until=(2020, 1)),
        F("m_CullTransparentMesh", True, (2020, 1)),
    ),
    "CanvasGroup": (
        *BEHAVIOUR,
        F("m_Alpha", 1.0),
        F("m_Interactable", True),
        F("m_BlocksRaycasts", True),
        F("m_IgnoreParentGroups", False),
    ),
}
