"""What a native component brings with it, and which of them a game object has at most once."""

from __future__ import annotations

from typing import Final

from spark.engines.unity.words import words

_REQUIRES: Final[dict[str, tuple[str, ...]]] = {
    "Canvas": ("RectTransform",),
    "CanvasRenderer": ("RectTransform",),
    "TextMesh": ("MeshRenderer",),
    "ParticleSystem": ("ParticleSystemRenderer",),
    "VisualEffect": ("VFXRenderer",),
    "Cloth": ("SkinnedMeshRenderer",),
    "FlareLayer": ("Camera",),
    "ConstantForce": ("Rigidbody",),
    "HingeJoint": ("Rigidbody",),
    "FixedJoint": ("Rigidbody",),
    "SpringJoint": ("Rigidbody",),
    "CharacterJoint": ("Rigidbody",),
    "ConfigurableJoint": ("Rigidbody",),
    "ConstantForce2D": ("Rigidbody2D",),
    "CompositeCollider2D": ("Rigidbody2D",),
    "DistanceJoint2D": ("Rigidbody2D",),
    "FixedJoint2D": ("Rigidbody2D",),
    "FrictionJoint2D": ("Rigidbody2D",),
    "HingeJoint2D": ("Rigidbody2D",),
    "RelativeJoint2D": ("Rigidbody2D",),
    "SliderJoint2D": ("Rigidbody2D",),
    "SpringJoint2D": ("Rigidbody2D",),
    "TargetJoint2D": ("Rigidbody2D",),
    "WheelJoint2D": ("Rigidbody2D",),
    "TilemapRenderer": ("Tilemap",),
    "TilemapCollider2D": ("Tilemap",),
}

_ONLY_ONE: Final = words(
    "Transform RectTransform MeshFilter MeshRenderer SkinnedMeshRenderer SpriteRenderer LineRenderer TrailRenderer "
    "TilemapRenderer BillboardRenderer ParticleSystem ParticleSystemRenderer VisualEffect VFXRenderer SpriteShapeRenderer "
    "TextMesh Camera Light AudioListener Animator Animation Canvas CanvasRenderer CanvasGroup Rigidbody Rigidbody2D "
    "CharacterController ArticulationBody NavMeshAgent NavMeshObstacle LODGroup SortingGroup Terrain TerrainCollider Tree "
    "Tilemap Grid ConstantForce ConstantForce2D Cloth FlareLayer Skybox LightProbeGroup LightProbeProxyVolume "
    "ReflectionProbe SpriteMask StreamingController"
)

_SEVERAL: Final = words(
    "MonoBehaviour BoxCollider SphereCollider CapsuleCollider MeshCollider WheelCollider BoxCollider2D CircleCollider2D "
    "PolygonCollider2D EdgeCollider2D CapsuleCollider2D CompositeCollider2D CustomCollider2D TilemapCollider2D AudioSource "
    "HingeJoint FixedJoint SpringJoint CharacterJoint ConfigurableJoint DistanceJoint2D FixedJoint2D FrictionJoint2D "
    "HingeJoint2D RelativeJoint2D SliderJoint2D SpringJoint2D TargetJoint2D WheelJoint2D AreaEffector2D PointEffector2D "
    "PlatformEffector2D SurfaceEffector2D BuoyancyEffector2D AudioReverbFilter AudioHighPassFilter AudioChorusFilter "
    "AudioReverbZone AudioEchoFilter AudioLowPassFilter AudioDistortionFilter VideoPlayer PlayableDirector WindZone Halo "
    "LensFlare Projector OcclusionArea OcclusionPortal OffMeshLink ParticleSystemForceField AimConstraint ParentConstraint "
    "LookAtConstraint PositionConstraint RotationConstraint ScaleConstraint"
)


def is_component(class_name: str) -> bool:
    """Whether objects of a native class hang on a game object; a script is a MonoBehaviour."""
    return class_name in _ONLY_ONE or class_name in _SEVERAL


def only_one(class_name: str) -> bool:
    """Whether the Editor refuses a second one on the same game object."""
    return class_name in _ONLY_ONE


def requires(class_name: str) -> tuple[str, ...]:
    """The components the Editor adds together with this one; `RectTransform` stands for changing the Transform into one."""
    return _REQUIRES.get(class_name, ())
