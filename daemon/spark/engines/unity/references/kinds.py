"""What an asset is by its file's extension: its main object's id and class, and which engine class is which.

Tables of facts: ids as editors write them into references. Reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from spark.engines.unity.words import words

PREFAB: Final = 100100000
SCRIPT: Final = 11500000
SPRITE: Final = 21300000
MODELS: Final = words(".fbx .obj .dae .3ds .dxf .blend .max .ma .mb .c4d .jas .lxo .skp")
TEXTURES: Final = words(".png .jpg .jpeg .gif .bmp .tga .tif .tiff .psd .psb .exr .hdr .iff .pict .dds .astc .ktx")
SCENE: Final = ".unity"


class Main(NamedTuple):
    """The main object of an asset. `type`: 2 where the file itself is Unity's, 3 where an importer makes the object."""

    file_id: int
    type: int
    class_name: str


def _all(suffixes: str, main: Main) -> dict[str, Main]:
    return dict.fromkeys(suffixes.split(), main)


MAINS: Final[Mapping[str, Main]] = {
    ".mat": Main(2100000, 2, "Material"),
    ".anim": Main(7400000, 2, "AnimationClip"),
    ".controller": Main(9100000, 2, "AnimatorController"),
    ".overridecontroller": Main(22100000, 2, "AnimatorOverrideController"),
    ".rendertexture": Main(8400000, 2, "RenderTexture"),
    ".physicmaterial": Main(13400000, 2, "PhysicMaterial"),
    ".physicsmaterial2d": Main(6200000, 2, "PhysicsMaterial2D"),
    ".mask": Main(31900000, 2, "AvatarMask"),
    ".mixer": Main(24100000, 2, "AudioMixerController"),
    ".cubemap": Main(8900000, 2, "Cubemap"),
    ".flare": Main(12100000, 2, "Flare"),
    ".shadervariants": Main(20000000, 2, "ShaderVariantCollection"),
    ".lighting": Main(4890085278179872738, 2, "LightingSettings"),
    ".terrainlayer": Main(8574412962073106934, 2, "TerrainLayer"),
    ".preset": Main(2655988077585873504, 2, "Preset"),
    ".fontsettings": Main(12800000, 2, "Font"),
    ".unity": Main(102900000, 3, "SceneAsset"),
    ".cs": Main(SCRIPT, 3, "MonoScript"),
    ".shader": Main(4800000, 3, "Shader"),
    ".shadergraph": Main(-6465566751694194690, 3, "Shader"),
    ".compute": Main(7200000, 3, "ComputeShader"),
    ".vfx": Main(8926484042661614526, 3, "VisualEffectAsset"),
    **_all(".wav .mp3 .ogg .aif .aiff .flac .mod .it .s3m .xm", Main(8300000, 3, "AudioClip")),
    **_all(".mp4 .mov .webm .avi .m4v .mpg .mpeg .ogv .asf .vp8 .wmv", Main(32900000, 3, "VideoClip")),
    **_all(".ttf .otf .ttc", Main(12800000, 3, "Font")),
    **_all(".txt .json .xml .csv .md .bytes .html .htm .yaml .yml .fnt", Main(4900000, 3, "TextAsset")),
}
BY_CONTENT: Final = words(".asset .playable .signal .guiskin .spriteatlas .brush .giparams")
"""Files of Unity's own whose main object is not told by the extension."""

_BASES: Final[Mapping[str, str]] = {
    name: base
    for base, names in {
        "Component": "Transform Behaviour Renderer Collider Rigidbody Rigidbody2D Joint MeshFilter CanvasRenderer ParticleSystem LODGroup "
        "TextMesh CharacterController Cloth Tree OcclusionArea OcclusionPortal WindZone",
        "Transform": "RectTransform",
        "Behaviour": "MonoBehaviour Camera Light Animator Animation AudioBehaviour AudioReverbZone Canvas CanvasGroup "
        "Collider2D Joint2D Effector2D ConstantForce ConstantForce2D NavMeshAgent NavMeshObstacle VideoPlayer PlayableDirector "
        "VisualEffect Skybox Projector FlareLayer LensFlare Terrain ReflectionProbe GridLayout SortingGroup SpriteMask "
        "LightProbeGroup LightProbeProxyVolume ArticulationBody",
        "AudioBehaviour": "AudioSource AudioListener",
        "Renderer": "MeshRenderer SkinnedMeshRenderer SpriteRenderer LineRenderer TrailRenderer ParticleSystemRenderer "
        "TilemapRenderer BillboardRenderer SpriteShapeRenderer VFXRenderer",
        "Collider": "BoxCollider SphereCollider CapsuleCollider MeshCollider TerrainCollider WheelCollider",
        "Collider2D": "BoxCollider2D CircleCollider2D PolygonCollider2D EdgeCollider2D CapsuleCollider2D CompositeCollider2D "
        "CustomCollider2D TilemapCollider2D",
        "Joint": "HingeJoint FixedJoint SpringJoint CharacterJoint ConfigurableJoint",
        "Joint2D": "AnchoredJoint2D RelativeJoint2D TargetJoint2D",
        "AnchoredJoint2D": "HingeJoint2D DistanceJoint2D SpringJoint2D FixedJoint2D FrictionJoint2D SliderJoint2D WheelJoint2D",
        "Effector2D": "AreaEffector2D BuoyancyEffector2D PlatformEffector2D PointEffector2D SurfaceEffector2D",
        "GridLayout": "Grid Tilemap",
        "Texture": "Texture2D Texture3D Texture2DArray Cubemap CubemapArray RenderTexture",
        "RenderTexture": "CustomRenderTexture",
        "RuntimeAnimatorController": "AnimatorController AnimatorOverrideController",
        "Motion": "AnimationClip BlendTree",
        "TextAsset": "MonoScript",
        "AudioMixer": "AudioMixerController",
        "AudioMixerGroup": "AudioMixerGroupController",
        "AudioMixerSnapshot": "AudioMixerSnapshotController",
        "VisualEffectObject": "VisualEffectAsset",
        "Object": "GameObject Component Material Mesh Sprite Texture Shader ComputeShader Font TextAsset VideoClip "
        "Avatar AvatarMask RuntimeAnimatorController Motion AudioMixer AudioMixerGroup AudioMixerSnapshot PhysicMaterial "
        "PhysicsMaterial2D SceneAsset TerrainData TerrainLayer Flare LightingSettings Preset SpriteAtlas "
        "ShaderVariantCollection VisualEffectObject ScriptableObject NavMeshData AudioResource LightmapParameters "
        "AnimatorState AnimatorStateMachine AnimatorTransitionBase AudioMixerEffectController",
        "AudioResource": "AudioClip AudioRandomContainer",
        "AnimatorTransitionBase": "AnimatorStateTransition AnimatorTransition",
    }.items()
    for name in names.split()
}
_COLLIDERS: Final = (
    "BoxCollider SphereCollider CapsuleCollider MeshCollider WheelCollider CharacterController TerrainCollider"
)
_COLLIDERS_2D: Final = (
    "BoxCollider2D CircleCollider2D PolygonCollider2D EdgeCollider2D CapsuleCollider2D CompositeCollider2D CustomCollider2D "
    "TilemapCollider2D Rigidbody2D"
)
_JOINTS: Final = "HingeJoint FixedJoint SpringJoint CharacterJoint ConfigurableJoint"
_JOINTS_2D: Final = (
    "HingeJoint2D DistanceJoint2D SpringJoint2D FixedJoint2D FrictionJoint2D SliderJoint2D WheelJoint2D RelativeJoint2D "
    "TargetJoint2D"
)
_RENDERERS: Final = (
    "MeshRenderer SkinnedMeshRenderer SpriteRenderer LineRenderer TrailRenderer ParticleSystemRenderer TilemapRenderer"
)
_WANTED: Final[Mapping[tuple[str, str], str]] = {
    (class_name, field): wanted
    for names, fields in {
        _COLLIDERS: {"m_Material": "PhysicMaterial"},
        _COLLIDERS_2D: {"m_Material": "PhysicsMaterial2D"},
        _JOINTS: {"m_ConnectedBody": "Rigidbody", "m_ConnectedArticulationBody": "ArticulationBody"},
        _JOINTS_2D: {"m_ConnectedRigidBody": "Rigidbody2D"},
        _RENDERERS: {
            "m_LightProbeVolumeOverride": "GameObject",
            "m_LightmapParameters": "LightmapParameters",
            "m_AdditionalVertexStreams": "Mesh",
        },
        "AnimatorState": {"m_Motion": "Motion", "m_Transitions": "AnimatorStateTransition"},
        "BlendTree": {"m_Motion": "Motion"},
        "AnimatorStateTransition AnimatorTransition": {
            "m_DstState": "AnimatorState",
            "m_DstStateMachine": "AnimatorStateMachine",
        },
        "AnimatorStateMachine": {
            "m_State": "AnimatorState",
            "m_DefaultState": "AnimatorState",
            "m_StateMachine": "AnimatorStateMachine",
            "m_AnyStateTransitions": "AnimatorStateTransition",
            "m_EntryTransitions": "AnimatorTransition",
        },
        "AnimatorController": {"m_StateMachine": "AnimatorStateMachine", "m_Mask": "AvatarMask"},
        "AnimatorOverrideController": {"m_OriginalClip": "AnimationClip", "m_OverrideClip": "AnimationClip"},
        "Animation": {"m_Animation": "AnimationClip", "m_Animations": "AnimationClip"},
        "AudioSource": {"OutputAudioMixerGroup": "AudioMixerGroup", "m_Resource": "AudioResource"},
        "Camera": {"m_TargetTexture": "RenderTexture"},
        "Canvas": {"m_Camera": "Camera"},
        "GameObject": {"m_Icon": "Texture2D"},
        "Light": {"m_Flare": "Flare"},
        "RenderSettings": {
            "m_Sun": "Light",
            "m_HaloTexture": "Texture",
            "m_SpotCookie": "Texture",
            "m_CustomReflection": "Texture",
        },
        "ReflectionProbe": {"m_CustomBakedTexture": "Texture"},
        "Skybox": {"m_CustomSkybox": "Material"},
        "Projector": {"m_Material": "Material"},
        "Terrain": {"m_TerrainData": "TerrainData"},
        "TerrainCollider": {"m_TerrainData": "TerrainData"},
    }.items()
    for class_name in names.split()
    for field, wanted in fields.items()
}
"""What a reference of a native class points to, by class and field, where the key alone does not say."""
_RENAMED: Final = {"PhysicsMaterial": "PhysicMaterial"}
"""Names of Unity 6 and the ones before."""
CLASS_NAMES: Final[Mapping[int, str]] = {
    1: "GameObject", 4: "Transform", 21: "Material", 23: "MeshRenderer", 28: "Texture2D", 33: "MeshFilter", 43: "Mesh",
    74: "AnimationClip", 90: "Avatar", 95: "Animator", 111: "Animation", 137: "SkinnedMeshRenderer", 213: "Sprite",
}  # fmt: skip
"""Classes of objects that importers list in a `.meta`."""


def wanted_reference(class_name: str, names: Iterable[str]) -> str:
    """The class that a field of a native class refers to; `names`: the keys of its path, outermost first. Empty: any."""
    last = [name for name in names if name not in ("Array", "data")][-1:]
    return _WANTED.get((class_name, last[0]), "") if last else ""


def bases(class_name: str) -> Iterator[str]:
    """The class and what it derives from, as far as it is known here."""
    at: str | None = class_name
    while at is not None:
        yield at
        at = _BASES.get(at)


def simple(class_name: str) -> str:
    """The name of an engine's class without its namespace; other names as they are."""
    return class_name.rsplit(".", 1)[-1] if class_name.startswith(("UnityEngine.", "UnityEditor.")) else class_name


def is_known(class_name: str) -> bool:
    return class_name in _BASES or class_name == "Object"


def is_component(class_name: str) -> bool:
    return "Component" in bases(class_name)


def fits(class_name: str, wanted: str) -> bool | None:
    """Whether an object of a class may stand where `wanted` is. None: not known here (a script's class, say)."""
    wanted = _RENAMED.get(wanted, wanted)
    class_name = _RENAMED.get(class_name, class_name)
    if wanted in ("", "Object") or wanted in bases(class_name):
        return True
    if class_name in ("MonoBehaviour", "ScriptableObject") and not is_known(wanted):
        return None
    # What the engine's own classes derive from is all here; nobody else derives from them.
    return False if is_known(class_name) else None
