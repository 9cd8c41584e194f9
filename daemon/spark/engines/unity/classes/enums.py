"""Numbers behind the names of Unity's enums, by class and serialized field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from spark.core.assets import Json
from spark.core.errors import invalid_arguments
from spark.engines.unity.json_numbers import WHOLE

_Enum = dict[str, int]

_INTERPOLATION: Final[_Enum] = {"None": 0, "Interpolate": 1, "Extrapolate": 2}
_RENDERER: Final[dict[str, _Enum]] = {
    "m_CastShadows": {"Off": 0, "On": 1, "TwoSided": 2, "ShadowsOnly": 3},
    "m_LightProbeUsage": {"Off": 0, "BlendProbes": 1, "UseProxyVolume": 2, "CustomProvided": 4},
    "m_ReflectionProbeUsage": {"Off": 0, "BlendProbes": 1, "BlendProbesAndSkybox": 2, "Simple": 3},
    "m_MotionVectors": {"Camera": 0, "Object": 1, "ForceNoMotion": 2},
    "m_RayTracingMode": {"Off": 0, "Static": 1, "DynamicTransform": 2, "DynamicGeometry": 3},
    "m_ReceiveGI": {"Lightmaps": 1, "LightProbes": 2},
    "m_MaskInteraction": {"None": 0, "VisibleInsideMask": 1, "VisibleOutsideMask": 2},
}
_COLLIDER_2D: Final[dict[str, _Enum]] = {
    "m_CompositeOperation": {"None": 0, "Merge": 1, "Intersect": 2, "Difference": 3, "Flip": 4},
}

_ENUMS: Final[dict[str, dict[str, _Enum]]] = {
    "GameObject": {
        "m_StaticEditorFlags": {
            "ContributeGI": 1,
            "OccluderStatic": 2,
            "BatchingStatic": 4,
            "NavigationStatic": 8,
            "OccludeeStatic": 16,
            "OffMeshLinkGeneration": 32,
            "ReflectionProbeStatic": 64,
        }
    },
    "MeshRenderer": _RENDERER,
    "SkinnedMeshRenderer": {**_RENDERER, "m_Quality": {"Auto": 0, "Bone1": 1, "Bone2": 2, "Bone4": 4}},
    "SpriteRenderer": {
        **_RENDERER,
        "m_DrawMode": {"Simple": 0, "Sliced": 1, "Tiled": 2},
        "m_SpriteTileMode": {"Continuous": 0, "Adaptive": 1},
        "m_SpriteSortPoint": {"Center": 0, "Pivot": 1},
    },
    "TextMesh": {
        "m_Anchor": {
            "UpperLeft": 0,
            "UpperCenter": 1,
            "UpperRight": 2,
            "MiddleLeft": 3,
            "MiddleCenter": 4,
            "MiddleRight": 5,
            "LowerLeft": 6,
            "LowerCenter": 7,
            "LowerRight": 8,
        },
        "m_Alignment": {"Left": 0, "Center": 1, "Right": 2},
        "m_FontStyle": {"Normal": 0, "Bold": 1, "Italic": 2, "BoldAndItalic": 3},
    },
    "CapsuleCollider": {"m_Direction": {"X": 0, "Y": 1, "Z": 2}},
    "MeshCollider": {
        "m_CookingOptions": {
            "None": 0,
            "CookForFasterSimulation": 2,
            "EnableMeshCleaning": 4,
            "WeldColocatedVertices": 8,
            "UseFastMidphase": 16,
        }
    },
    "Rigidbody": {
        "m_Interpolate": _INTERPOLATION,
        "m_CollisionDetection": {"Discrete": 0, "Continuous": 1, "ContinuousDynamic": 2, "ContinuousSpeculative": 3},
        "m_Constraints": {
            "None": 0,
            "FreezePositionX": 2,
            "FreezePositionY": 4,
            "FreezePositionZ": 8,
            "FreezeRotationX": 16,
            "FreezeRotationY": 32,
            "FreezeRotationZ": 64,
            "FreezePosition": 14,
            "FreezeRotation": 112,
            "FreezeAll": 126,
        },
    },
    "Rigidbody2D": {
        "m_BodyType": {"Dynamic": 0, "Kinematic": 1, "Static": 2},
        "m_Interpolate": _INTERPOLATION,
        "m_SleepingMode": {"NeverSleep": 0, "StartAwake": 1, "StartAsleep": 2},
        "m_CollisionDetection": {"Discrete": 0, "Continuous": 1},
        "m_Constraints": {
            "None": 0,
            "FreezePositionX": 1,
            "FreezePositionY": 2,
            "FreezePosition": 3,
            "FreezeRotation": 4,
            "FreezeAll": 7,
        },
    },
    "BoxCollider2D": _COLLIDER_2D,
    "CircleCollider2D": _COLLIDER_2D,
    "PolygonCollider2D": _COLLIDER_2D,
    "NavMeshAgent": {
        "m_ObstacleAvoidanceType": {
            "NoObstacleAvoidance": 0,
            "LowQualityObstacleAvoidance": 1,
            "MedQualityObstacleAvoidance": 2,
            "GoodQualityObstacleAvoidance": 3,
            "HighQualityObstacleAvoidance": 4,
        }
    },
    "Camera": {
        "m_ClearFlags": {"Skybox": 1, "SolidColor": 2, "Color": 2, "Depth": 3, "Nothing": 4},
        "m_projectionMatrixMode": {"Explicit": 0, "Implicit": 1, "PhysicalPropertiesBased": 2},
        "m_GateFitMode": {"None": 0, "Vertical": 1, "Horizontal": 2, "Fill": 3, "Overscan": 4},
        "m_FOVAxisMode": {"Vertical": 0, "Horizontal": 1},
        "m_RenderingPath": {
            "UsePlayerSettings": -1,
            "VertexLit": 0,
            "Forward": 1,
            "DeferredLighting": 2,
            "DeferredShading": 3,
        },
        "m_TargetEye": {"None": 0, "Left": 1, "Right": 2, "Both": 3},
    },
    "Light": {
        "m_Type": {"Spot": 0, "Directional": 1, "Point": 2, "Area": 3, "Rectangle": 3, "Disc": 4},
        "m_Shadows.m_Type": {"None": 0, "Hard": 1, "Soft": 2},
        "m_Shadows.m_Resolution": {"FromQualitySettings": -1, "Low": 0, "Medium": 1, "High": 2, "VeryHigh": 3},
        "m_RenderMode": {"Auto": 0, "ForcePixel": 1, "ForceVertex": 2},
        "m_Lightmapping": {"Mixed": 1, "Baked": 2, "Realtime": 4},
        "m_LightShadowCasterMode": {"Default": 0, "NonLightmappedOnly": 1, "Everything": 2},
        "m_LightUnit": {"Lumen": 0, "Candela": 1, "Lux": 2, "Nits": 3, "Ev100": 4},
    },
    "AudioSource": {"rolloffMode": {"Logarithmic": 0, "Linear": 1, "Custom": 2}},
    "Animator": {
        "m_CullingMode": {"AlwaysAnimate": 0, "CullUpdateTransforms": 1, "CullCompletely": 2},
        "m_UpdateMode": {"Normal": 0, "AnimatePhysics": 1, "Fixed": 1, "UnscaledTime": 2},
    },
    "Canvas": {
        "m_RenderMode": {"ScreenSpaceOverlay": 0, "ScreenSpaceCamera": 1, "WorldSpace": 2},
        "m_AdditionalShaderChannelsFlag": {
            "None": 0,
            "TexCoord1": 1,
            "TexCoord2": 2,
            "TexCoord3": 4,
            "Normal": 8,
            "Tangent": 16,
        },
    },
    "RenderSettings": {
        "m_FogMode": {"Linear": 1, "Exponential": 2, "ExponentialSquared": 3},
        "m_AmbientMode": {"Skybox": 0, "Trilight": 1, "Flat": 3, "Custom": 4},
        "m_DefaultReflectionMode": {"Skybox": 0, "Custom": 1},
    },
}
_FLAGS: Final = frozenset(
    {
        ("GameObject", "m_StaticEditorFlags"),
        ("MeshCollider", "m_CookingOptions"),
        ("Rigidbody", "m_Constraints"),
        ("Rigidbody2D", "m_Constraints"),
        ("Canvas", "m_AdditionalShaderChannelsFlag"),
    }
)
_HIDE_FLAGS: Final[_Enum] = {
    "None": 0,
    "HideInHierarchy": 1,
    "HideInInspector": 2,
    "NotEditable": 8,
    "DontSaveInBuild": 16,
    "DontUnloadUnusedAsset": 32,
}
"""Of every object. Those that keep it from being saved are none of a file's."""
_SWITCHES: Final[dict[tuple[str, str], tuple[int, int]]] = {("Camera", "m_projectionMatrixMode"): (1, 2)}
"""The numbers for false and true where they are not 0 and 1: `usePhysicalProperties` is a mode in the file."""
_BETWEEN = re.compile(r"\s*[|,]\s*")


def enum_names(class_name: str, field: str) -> tuple[str, ...]:
    """The names a field takes; empty where it is no enum or not in the table."""
    return tuple(_members(class_name, field) or ())


def enum_value(class_name: str, field: str, name: str | Sequence[object]) -> int | None:
    """The number of `Spot`, `LightType.Spot` or `spot`; of `FreezeRotation | FreezePositionY` or a list of names where the
    field is a set of flags. `field` is a serialized property path. None where the field or one of the names is not in the
    table, and for a list where the field takes one name."""
    members = _members(class_name, field)
    if members is None:
        return None
    flags = is_flags(class_name, field)
    if isinstance(name, str):
        parts: Sequence[object] = _BETWEEN.split(name.strip()) if flags else [name.strip()]
    elif flags:
        parts = name
    else:
        return None
    total = 0
    for part in parts:
        value = _member(members, part.rsplit(".", 1)[-1]) if isinstance(part, str) else None
        if value is None:
            return None
        total = value if len(parts) == 1 else total | value
    return total


def is_flags(class_name: str, field: str) -> bool:
    """Whether a field takes several of its names at once."""
    return (class_name, field) in _FLAGS or field == "m_ObjectHideFlags"


def switch_value(class_name: str, field: str, on: bool) -> int | None:
    """The number of a switch that is a mode in the file; None for every other field, where it is 0 or 1."""
    numbers = _SWITCHES.get((class_name, field))
    return None if numbers is None else numbers[on]


def named_number(class_name: str, field: str, value: Json, where: str) -> int | None:
    """The number that a field gets from a name, from names or from a switch; None where the value is none of these, or the
    field takes none. `field` is a serialized property path. Raises `invalid_arguments` for a name that it does not take."""
    if isinstance(value, bool):
        return switch_value(class_name, field, value)
    known = enum_names(class_name, field)
    if not known or not (isinstance(value, list) or (isinstance(value, str) and not WHOLE.fullmatch(value))):
        return None
    number = enum_value(class_name, field, value)
    if number is None:
        several = ", or several of them in a list" if is_flags(class_name, field) else ""
        raise invalid_arguments({where: f"a number or one of {', '.join(known)}{several}"})
    return number


def _members(class_name: str, field: str) -> _Enum | None:
    return _HIDE_FLAGS if field == "m_ObjectHideFlags" else _ENUMS.get(class_name, {}).get(field)


def _member(members: _Enum, name: str) -> int | None:
    if name in members:
        return members[name]
    return next((value for key, value in members.items() if key.casefold() == name.casefold()), None)
