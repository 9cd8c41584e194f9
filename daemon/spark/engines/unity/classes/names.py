"""From the names of Unity's scripting API to the names in the files: `mass` is `m_Mass`, `fieldOfView` is `field of view`.

Only renames: what the API computes (`forward`, `eulerAngles`) has no name here; names that stand for several properties are
in `composed`.
"""

from __future__ import annotations

from typing import Final

from spark.engines.unity.classes.bodies import field_names
from spark.engines.unity.editor_version import EditorVersion

_COLLIDER: Final = {
    "sharedMaterial": "m_Material",
    "includeLayers": "m_IncludeLayers.m_Bits",
    "excludeLayers": "m_ExcludeLayers.m_Bits",
}
_COLLIDER_2D: Final = {
    **_COLLIDER,
    "forceSendLayers": "m_ForceSendLayers.m_Bits",
    "forceReceiveLayers": "m_ForceReceiveLayers.m_Bits",
    "contactCaptureLayers": "m_ContactCaptureLayers.m_Bits",
    "callbackLayers": "m_CallbackLayers.m_Bits",
}
_RENDERER: Final = {
    "material": "m_Materials[0]",
    "sharedMaterial": "m_Materials[0]",
    "sharedMaterials": "m_Materials",
    "shadowCastingMode": "m_CastShadows",
    "motionVectorGenerationMode": "m_MotionVectors",
    "allowOcclusionWhenDynamic": "m_DynamicOccludee",
    "rayTracingMode": "m_RayTracingMode",
    "lightProbeProxyVolumeOverride": "m_LightProbeVolumeOverride",
    "scaleInLightmap": "m_ScaleInLightmap",
    "stitchLightmapSeams": "m_StitchLightmapSeams",
    "receiveGI": "m_ReceiveGI",
}
_TRANSFORM: Final = {
    "position": "m_LocalPosition",
    "rotation": "m_LocalRotation",
    "scale": "m_LocalScale",
    "parent": "m_Father",
}
_BODY: Final = {
    "interpolation": "m_Interpolate",
    "collisionDetectionMode": "m_CollisionDetection",
    "includeLayers": "m_IncludeLayers.m_Bits",
    "excludeLayers": "m_ExcludeLayers.m_Bits",
}

_ANGULAR: Final = dict.fromkeys(
    ("angularDrag", "angularDamping", "m_AngularDrag", "m_AngularDamping"), ("m_AngularDamping", "m_AngularDrag")
)
"""Renamed in 6000.0: each name means the one that the version writes."""

_NAMES: Final[dict[str, dict[str, str | tuple[str, ...]]]] = {
    "GameObject": {
        "tag": "m_TagString",
        "active": "m_IsActive",
        "activeSelf": "m_IsActive",
        "components": "m_Component",
        "staticEditorFlags": "m_StaticEditorFlags",
    },
    "Transform": {**_TRANSFORM},
    "RectTransform": {**_TRANSFORM},
    "MeshFilter": {"sharedMesh": "m_Mesh"},
    "MeshRenderer": {**_RENDERER, "additionalVertexStreams": "m_AdditionalVertexStreams"},
    "SkinnedMeshRenderer": {
        **_RENDERER,
        "sharedMesh": "m_Mesh",
        "localBounds": "m_AABB",
        "skinnedMotionVectors": "m_SkinnedMotionVectors",
    },
    "SpriteRenderer": {**_RENDERER, "tileMode": "m_SpriteTileMode", "adaptiveModeThreshold": "m_AdaptiveModeThreshold"},
    "TextMesh": {"color": "m_Color.rgba"},
    "BoxCollider": {**_COLLIDER},
    "SphereCollider": {**_COLLIDER},
    "CapsuleCollider": {**_COLLIDER},
    "MeshCollider": {**_COLLIDER, "sharedMesh": "m_Mesh"},
    "CharacterController": {**_COLLIDER},
    "Rigidbody": {
        **_BODY,
        **dict.fromkeys(("drag", "linearDamping", "m_Drag", "m_LinearDamping"), ("m_LinearDamping", "m_Drag")),
        **_ANGULAR,
        "automaticCenterOfMass": "m_ImplicitCom",
        "automaticInertiaTensor": "m_ImplicitTensor",
        "inertiaTensorRotation": "m_InertiaRotation",
    },
    "Rigidbody2D": {
        **_BODY,
        **dict.fromkeys(
            ("drag", "linearDrag", "linearDamping", "m_LinearDrag", "m_LinearDamping"),
            ("m_LinearDamping", "m_LinearDrag"),
        ),
        **_ANGULAR,
        "sharedMaterial": "m_Material",
        "sleepMode": "m_SleepingMode",
    },
    "BoxCollider2D": {**_COLLIDER_2D},
    "CircleCollider2D": {**_COLLIDER_2D},
    "PolygonCollider2D": {**_COLLIDER_2D, "points": "m_Points.m_Paths[0]"},
    "NavMeshAgent": {"areaMask": "m_WalkableMask", "agentTypeID": "m_AgentTypeID"},
    "Camera": {
        "backgroundColor": "m_BackGroundColor",
        "nearClipPlane": "near clip plane",
        "farClipPlane": "far clip plane",
        "fieldOfView": "field of view",
        "orthographicSize": "orthographic size",
        "cullingMask": "m_CullingMask.m_Bits",
        "rect": "m_NormalizedViewPortRect",
        "gateFit": "m_GateFitMode",
        "allowHDR": "m_HDR",
        "useOcclusionCulling": "m_OcclusionCulling",
        "stereoTargetEye": "m_TargetEye",
        "forceIntoRenderTexture": "m_ForceIntoRT",
        "usePhysicalProperties": "m_projectionMatrixMode",
    },
    "Light": {
        "shadows": "m_Shadows.m_Type",
        "shadowStrength": "m_Shadows.m_Strength",
        "shadowBias": "m_Shadows.m_Bias",
        "shadowNormalBias": "m_Shadows.m_NormalBias",
        "shadowNearPlane": "m_Shadows.m_NearPlane",
        "shadowResolution": "m_Shadows.m_Resolution",
        "shadowCustomResolution": "m_Shadows.m_CustomResolution",
        "cullingMask": "m_CullingMask.m_Bits",
        "lightmapBakeType": "m_Lightmapping",
        "cookieSize": ("m_CookieSize",),
        "halo": "m_DrawHalo",
    },
    "AudioSource": {
        "clip": "m_audioClip",
        "panStereo": "Pan2D",
        "outputAudioMixerGroup": "OutputAudioMixerGroup",
    },
    "Animator": {
        "runtimeAnimatorController": "m_Controller",
        "animatePhysics": "m_AnimatePhysics",
        **dict.fromkeys(
            (
                "keepAnimatorControllerStateOnDisable",
                "keepAnimatorStateOnDisable",
                "m_KeepAnimatorControllerStateOnDisable",
                "m_KeepAnimatorStateOnDisable",
            ),
            ("m_KeepAnimatorStateOnDisable", "m_KeepAnimatorControllerStateOnDisable"),
        ),
    },
    "Canvas": {
        "worldCamera": "m_Camera",
        "additionalShaderChannels": "m_AdditionalShaderChannelsFlag",
        "sortingLayer": "m_SortingLayerID",
    },
    "RenderSettings": {"skybox": "m_SkyboxMaterial", "ambientLight": "m_AmbientSkyColor"},
}


def serialized_name(class_name: str, name: str, version: EditorVersion) -> str | None:
    """The property path behind a name: `mass` gives `m_Mass`, `shadowStrength` gives `m_Shadows.m_Strength`, `material` of
    a renderer `m_Materials[0]`. What follows the first name stays: `localPosition.x` gives `m_LocalPosition.x`. The
    serialized name itself comes first, then the names of the API, then the name with `m_` or a capital in front.
    None where an editor of this version writes no such field."""
    cut = min((at for at in (name.find("."), name.find("[")) if at > 0), default=len(name))
    head, rest = name[:cut], name[cut:]
    fields = set(field_names(class_name, version))
    for candidate in _candidates(class_name, head):
        if _field(candidate) in fields:
            return candidate + rest
    return None


def _candidates(class_name: str, head: str) -> tuple[str, ...]:
    capital = head[:1].upper() + head[1:]
    named = _NAMES.get(class_name, {}).get(head, ())
    if head == "hideFlags":
        return ("m_ObjectHideFlags",)
    return (head, *((named,) if isinstance(named, str) else named), f"m_{capital}", f"m_{head}", capital)


def _field(path: str) -> str:
    return path.split(".", 1)[0].split("[", 1)[0]
