"""Bodies and colliders of both physics engines, and the agent of the navigation mesh."""

from __future__ import annotations

from typing import Final

from spark.engines.unity.classes.rows import NONE, F, Rows, mask, vector2, vector3, vector4
from spark.engines.unity.classes.tables.objects import BEHAVIOUR, COMPONENT

_EVERYTHING: Final = 4294967295
_LAYERS: Final = (2022, 2)
"""The version that brought layer overrides to both engines."""
_DAMPING: Final = (6000, 1)
"""`m_Drag` became `m_LinearDamping`; the 2D body did so one version earlier."""

_LAYER_OVERRIDES: Final[Rows] = (
    F("m_IncludeLayers", mask(0), _LAYERS),
    F("m_ExcludeLayers", mask(0), _LAYERS),
    F("m_LayerOverridePriority", 0, _LAYERS),
)


def _collider(*, trigger_until: tuple[int, ...] = (1_000_000,)) -> Rows:
    return (
        *COMPONENT,
        F("m_Material", NONE),
        *_LAYER_OVERRIDES,
        F("m_IsTrigger", False, until=trigger_until),
        F("m_ProvidesContacts", False, _LAYERS),
        F("m_Enabled", True),
    )


def _version(before: int | None, after: int) -> Rows:
    """`serializedVersion` without and with the layer overrides; None where the older class version is 1 and not written."""
    older = () if before is None else (F("serializedVersion", before, until=_LAYERS),)
    return (*older, F("serializedVersion", after, _LAYERS))


_CENTER: Final = F("m_Center", vector3(0.0, 0.0, 0.0))

_TILING: Final[Rows] = (
    F(
        "m_SpriteTilingProperty",
        {
            "border": vector4(0.0, 0.0, 0.0, 0.0),
            "pivot": vector2(0.0, 0.0),
            "oldSize": vector2(0.0, 0.0),
            "newSize": vector2(0.0, 0.0),
            "adaptiveTilingThreshold": 0.0,
            "drawMode": 0,
            "adaptiveTiling": False,
        },
    ),
    F("m_AutoTiling", False),
)

_COLLIDER_2D: Final[Rows] = (
    *BEHAVIOUR,
    # From 6000.0 on the common part of the 2D colliders has a version of its own, and it is the one that is written.
    F("serializedVersion", 3, (6000, 0)),
    F("m_Density", 1.0),
    F("m_Material", NONE),
    *_LAYER_OVERRIDES,
    F("m_ForceSendLayers", mask(_EVERYTHING), _LAYERS),
    F("m_ForceReceiveLayers", mask(_EVERYTHING), _LAYERS),
    F("m_ContactCaptureLayers", mask(_EVERYTHING), _LAYERS),
    F("m_CallbackLayers", mask(_EVERYTHING), _LAYERS),
    F("m_IsTrigger", False),
    F("m_UsedByEffector", False),
    F("m_UsedByComposite", False, until=(6000, 0)),
    F("m_CompositeOperation", 0, (6000, 0)),
    F("m_CompositeOrder", 0, (6000, 0)),
    F("m_Offset", vector2(0.0, 0.0)),
)
_OWN_2D: Final = F("serializedVersion", 2, until=(6000, 0))

TABLES: Final[dict[str, Rows]] = {
    "BoxCollider": (*_collider(), *_version(2, 3), F("m_Size", vector3(1.0, 1.0, 1.0)), _CENTER),
    "SphereCollider": (*_collider(), *_version(2, 3), F("m_Radius", 0.5), _CENTER),
    "CapsuleCollider": (
        *_collider(),
        *_version(None, 2),
        F("m_Radius", 0.5),
        F("m_Height", 2.0),
        F("m_Direction", 1),
        _CENTER,
    ),
    "MeshCollider": (
        *_collider(),
        F("serializedVersion", 3, until=(2019, 1)),
        F("serializedVersion", 4, (2019, 1), _LAYERS),
        F("serializedVersion", 5, _LAYERS),
        F("m_Convex", False),
        F("m_CookingOptions", 14, until=(2019, 1)),
        F("m_CookingOptions", 30, (2019, 1)),
        F("m_Mesh", NONE),
    ),
    "CharacterController": (
        *_collider(trigger_until=(6000, 0)),
        *_version(2, 3),
        F("m_Height", 2.0),
        F("m_Radius", 0.5),
        F("m_SlopeLimit", 45.0),
        F("m_StepOffset", 0.3),
        F("m_SkinWidth", 0.08),
        F("m_MinMoveDistance", 0.001),
        _CENTER,
    ),
    "Rigidbody": (
        *COMPONENT,
        F("serializedVersion", 2, until=_LAYERS),
        F("serializedVersion", 4, _LAYERS, _DAMPING),
        F("serializedVersion", 5, _DAMPING),
        F("m_Mass", 1.0),
        F("m_Drag", 0.0, until=_DAMPING),
        F("m_AngularDrag", 0.05, until=_DAMPING),
        F("m_LinearDamping", 0.0, _DAMPING),
        F("m_AngularDamping", 0.05, _DAMPING),
        F("m_CenterOfMass", vector3(0.0, 0.0, 0.0), _LAYERS),
        F("m_InertiaTensor", vector3(1.0, 1.0, 1.0), _LAYERS),
        F("m_InertiaRotation", vector4(0.0, 0.0, 0.0, 1.0), _LAYERS),
        F("m_IncludeLayers", mask(0), _LAYERS),
        F("m_ExcludeLayers", mask(0), _LAYERS),
        F("m_ImplicitCom", True, _LAYERS),
        F("m_ImplicitTensor", True, _LAYERS),
        F("m_UseGravity", True),
        F("m_IsKinematic", False),
        F("m_Interpolate", 0),
        F("m_Constraints", 0),
        F("m_CollisionDetection", 0),
    ),
    "BoxCollider2D": (*_COLLIDER_2D, *_TILING, _OWN_2D, F("m_Size", vector2(1.0, 1.0)), F("m_EdgeRadius", 0.0)),
    "CircleCollider2D": (*_COLLIDER_2D, _OWN_2D, F("m_Radius", 0.5)),
    "PolygonCollider2D": (
        *_COLLIDER_2D,
        *_TILING,
        F("m_Points", {"m_Paths": []}),
        F("m_UseDelaunayMesh", False, _LAYERS),
    ),
    "Rigidbody2D": (
        F("serializedVersion", 4, until=(6000, 0)),
        F("serializedVersion", 5, (6000, 0)),
        *COMPONENT,
        F("m_BodyType", 0),
        F("m_Simulated", True),
        F("m_UseFullKinematicContacts", False),
        F("m_UseAutoMass", False),
        F("m_Mass", 1.0),
        F("m_LinearDrag", 0.0, until=(6000, 0)),
        F("m_AngularDrag", 0.05, until=(6000, 0)),
        F("m_LinearDamping", 0.0, (6000, 0)),
        F("m_AngularDamping", 0.05, (6000, 0)),
        F("m_GravityScale", 1.0),
        F("m_Material", NONE),
        F("m_IncludeLayers", mask(0), _LAYERS),
        F("m_ExcludeLayers", mask(0), _LAYERS),
        F("m_Interpolate", 0),
        F("m_SleepingMode", 1),
        F("m_CollisionDetection", 0),
        F("m_Constraints", 0),
    ),
    "NavMeshAgent": (
        *BEHAVIOUR,
        F("m_AgentTypeID", 0),
        F("m_Radius", 0.5),
        F("m_Speed", 3.5),
        F("m_Acceleration", 8.0),
        F("avoidancePriority", 50),
        F("m_AngularSpeed", 120.0),
        F("m_StoppingDistance", 0.0),
        F("m_AutoTraverseOffMeshLink", True),
        F("m_AutoBraking", True),
        F("m_AutoRepath", True),
        F("m_Height", 2.0),
        F("m_BaseOffset", 0.0),
        F("m_WalkableMask", _EVERYTHING),
        F("m_ObstacleAvoidanceType", 4),
    ),
}
