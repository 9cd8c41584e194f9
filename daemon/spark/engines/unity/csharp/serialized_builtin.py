"""Types of the engine and its well-known packages as fields of a script: which are references, which are values and how these
are serialised. Tables only; facts of the engine's public API and of files that it wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from spark.engines.unity.words import words

INTEGERS: Final[Mapping[str, tuple[int, bool]]] = {
    "sbyte": (1, True),
    "byte": (1, False),
    "short": (2, True),
    "ushort": (2, False),
    "int": (4, True),
    "uint": (4, False),
    "long": (8, True),
    "ulong": (8, False),
}
"""Bytes and whether it is signed."""
SYSTEM_NAMES: Final[Mapping[str, str]] = {
    "SByte": "sbyte",
    "Byte": "byte",
    "Int16": "short",
    "UInt16": "ushort",
    "Int32": "int",
    "UInt32": "uint",
    "Int64": "long",
    "UInt64": "ulong",
    "Single": "float",
    "Double": "double",
    "Boolean": "bool",
    "String": "string",
    "Char": "char",
}
VECTORS: Final[Mapping[str, tuple[str, bool]]] = {
    "Vector2": ("xy", False),
    "Vector3": ("xyz", False),
    "Vector4": ("xyzw", False),
    "Quaternion": ("xyzw", False),
    "Color": ("rgba", False),
    "Vector2Int": ("xy", True),
    "Vector3Int": ("xyz", True),
}
"""Keys in braces, and whether they are integers."""
MATHEMATICS: Final[Mapping[str, tuple[str, bool]]] = {
    f"{kind}{size}": ("xyzw"[:size], kind == "int") for kind in ("float", "int") for size in (2, 3, 4)
}
"""The vectors of Unity.Mathematics, whose source files have other names: keys in a block, and whether they are integers."""
BLOCKS: Final = MATHEMATICS.keys() | words("Rect Bounds Matrix4x4 LayerMask Color32 RectOffset AnimationCurve Gradient")
"""Values that are written as blocks of their own shape."""
SCRIPT_ROOTS: Final[Mapping[str, str]] = {
    "MonoBehaviour": "MonoBehaviour",
    "ScriptableObject": "ScriptableObject",
    "StateMachineBehaviour": "ScriptableObject",
    "PlayableAsset": "ScriptableObject",
    "TileBase": "ScriptableObject",
    "EditorWindow": "EditorWindow",
    "Editor": "Editor",
    "ScriptableWizard": "EditorWindow",
    "ScriptedImporter": "AssetImporter",
}
"""Engine classes that scripts derive from, and what such a script is. Their own serialised fields are none, or the editor's."""
OBJECTS: Final = words(
    # UnityEngine
    "Object GameObject Component Behaviour MonoBehaviour ScriptableObject Transform RectTransform Renderer MeshRenderer "
    "SkinnedMeshRenderer SpriteRenderer LineRenderer TrailRenderer BillboardRenderer MeshFilter TextMesh Material Shader "
    "ComputeShader ShaderVariantCollection Mesh Texture Texture2D Texture3D Texture2DArray Cubemap CubemapArray "
    "RenderTexture CustomRenderTexture WebCamTexture Sprite Font TextAsset Camera Light LightProbeGroup "
    "LightProbeProxyVolume ReflectionProbe Flare LensFlare Skybox Projector LODGroup OcclusionArea OcclusionPortal "
    "Rigidbody Collider BoxCollider SphereCollider CapsuleCollider MeshCollider TerrainCollider WheelCollider "
    "CharacterController Joint HingeJoint FixedJoint SpringJoint CharacterJoint ConfigurableJoint ConstantForce "
    "ArticulationBody Cloth PhysicMaterial PhysicsMaterial Rigidbody2D Collider2D BoxCollider2D CircleCollider2D "
    "PolygonCollider2D EdgeCollider2D CapsuleCollider2D CompositeCollider2D CustomCollider2D Joint2D AnchoredJoint2D "
    "HingeJoint2D DistanceJoint2D SpringJoint2D FixedJoint2D FrictionJoint2D RelativeJoint2D SliderJoint2D TargetJoint2D "
    "WheelJoint2D Effector2D AreaEffector2D BuoyancyEffector2D PlatformEffector2D PointEffector2D SurfaceEffector2D "
    "ConstantForce2D PhysicsMaterial2D AudioClip AudioSource AudioListener AudioReverbZone AudioLowPassFilter "
    "AudioHighPassFilter AudioEchoFilter AudioDistortionFilter AudioReverbFilter AudioChorusFilter Animation Animator "
    "AnimationClip RuntimeAnimatorController AnimatorOverrideController Avatar AvatarMask Motion ParticleSystem "
    "ParticleSystemRenderer ParticleSystemForceField WindZone Terrain TerrainData TerrainLayer Tree Canvas CanvasGroup "
    "CanvasRenderer Grid GridLayout SortingGroup SpriteMask GUISkin LightmapSettings LightingSettings LightProbes "
    "StateMachineBehaviour "
    # UnityEngine.AI, Audio, Video, Playables, Tilemaps, U2D, VFX, UIElements
    "NavMeshAgent NavMeshObstacle OffMeshLink NavMeshData AudioMixer AudioMixerGroup AudioMixerSnapshot VideoClip "
    "VideoPlayer PlayableDirector PlayableAsset Tilemap TilemapRenderer TilemapCollider2D TileBase Tile SpriteAtlas "
    "SpriteShapeRenderer VisualEffect VisualEffectAsset VisualEffectObject VisualTreeAsset StyleSheet PanelSettings "
    "UIDocument ThemeStyleSheet RenderPipelineAsset RayTracingShader "
    # UnityEngine.UI and EventSystems, TMPro
    "UIBehaviour Graphic MaskableGraphic Image RawImage Text Selectable Button Toggle ToggleGroup Slider Scrollbar "
    "ScrollRect Dropdown InputField Mask RectMask2D LayoutGroup HorizontalLayoutGroup VerticalLayoutGroup GridLayoutGroup "
    "HorizontalOrVerticalLayoutGroup LayoutElement ContentSizeFitter AspectRatioFitter CanvasScaler GraphicRaycaster "
    "Shadow Outline EventSystem BaseInputModule StandaloneInputModule BaseRaycaster PhysicsRaycaster Physics2DRaycaster "
    "EventTrigger TMP_Text TextMeshPro TextMeshProUGUI TMP_InputField TMP_Dropdown TMP_FontAsset TMP_SpriteAsset "
    "TMP_StyleSheet TMP_Asset "
    # packages
    "InputActionAsset InputActionReference PlayerInput PlayerInputManager TimelineAsset TrackAsset SignalAsset "
    "SignalReceiver Volume VolumeProfile VolumeComponent UniversalRenderPipelineAsset UniversalAdditionalCameraData "
    "UniversalAdditionalLightData Light2D DecalProjector CinemachineVirtualCamera CinemachineBrain CinemachineCamera "
    "NetworkObject NetworkManager AssemblyDefinitionAsset MonoScript SceneAsset DefaultAsset"
)
"""Classes that derive from `UnityEngine.Object`: a field of theirs is a reference."""
KNOWN_SCRIPT_BASES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        words(
            "UIBehaviour Graphic MaskableGraphic Image RawImage Text Selectable Button Toggle Slider Scrollbar ScrollRect "
            "Dropdown InputField LayoutGroup BaseInputModule BaseRaycaster BaseMeshEffect EventTrigger TMP_Text "
            "TextMeshPro TextMeshProUGUI NetworkBehaviour NetworkManager SerializedMonoBehaviour"
        ),
        "MonoBehaviour",
    ),
    **dict.fromkeys(
        words(
            "SerializedScriptableObject VolumeComponent TrackAsset ScriptableRendererFeature Tile RenderPipelineAsset"
        ),
        "ScriptableObject",
    ),
}
"""Package classes that scripts derive from, for projects whose packages are not on disk: what a script is, not its fields."""
NEVER: Final = words(
    "object Object decimal Decimal nint nuint IntPtr UIntPtr DateTime DateTimeOffset TimeSpan Guid Type Dictionary "
    "SortedDictionary SortedList ConcurrentDictionary HashSet SortedSet Queue ConcurrentQueue Stack LinkedList Nullable "
    "Tuple ValueTuple KeyValuePair Action Func Predicate Delegate MulticastDelegate EventHandler UnityAction Task "
    "CancellationToken CancellationTokenSource Thread Coroutine IEnumerator IEnumerable IList ICollection IDictionary "
    "IReadOnlyList IReadOnlyCollection IReadOnlyDictionary ISet IDisposable Lazy WeakReference StringBuilder Stopwatch "
    "Stream Regex Exception MaterialPropertyBlock CommandBuffer WaitForSeconds YieldInstruction NativeArray NativeList "
    "NativeHashMap Span ReadOnlySpan Memory ObservableCollection void dynamic Array"
)
"""Types without `[Serializable]`, or containers that Unity does not serialise. `Object` here is `System.Object` (it is looked
up among the references first)."""
EVENTS: Final = frozenset({"UnityEvent"})
UNKNOWN_SHAPES: Final = words(
    "RectInt BoundsInt Hash128 GradientColorKey GradientAlphaKey JointDrive JointLimits JointSpring"
)
"""Values of the engine that it serialises in shapes that are not known exactly here."""


def unity_enum(name: str) -> Mapping[str, int] | None:
    """The members of an enum of the engine that scripts often have as a field; None where it is not known here."""
    if name == "KeyCode":
        return _key_codes()
    if name in _NUMBERED:
        return _NUMBERED[name]
    text = _ENUMS.get(name)
    return None if text is None else {word: number for number, word in enumerate(text.split())}


_NUMBERED: Final[Mapping[str, Mapping[str, int]]] = {
    "ForceMode": {"Force": 0, "Impulse": 1, "VelocityChange": 2, "Acceleration": 5},
    "CameraClearFlags": {"Skybox": 1, "SolidColor": 2, "Color": 2, "Depth": 3, "Nothing": 4},
    "WrapMode": {"Default": 0, "Once": 1, "Clamp": 1, "Loop": 2, "PingPong": 4, "ClampForever": 8},
    "FogMode": {"Linear": 1, "Exponential": 2, "ExponentialSquared": 3},
    "RigidbodyConstraints": {
        "None": 0,
        "FreezePositionX": 2,
        "FreezePositionY": 4,
        "FreezePositionZ": 8,
        "FreezePosition": 14,
        "FreezeRotationX": 16,
        "FreezeRotationY": 32,
        "FreezeRotationZ": 64,
        "FreezeRotation": 112,
        "FreezeAll": 126,
    },
}
"""Enums whose numbers are not those of a list."""
_ENUMS: Final = {
    "RenderMode": "ScreenSpaceOverlay ScreenSpaceCamera WorldSpace",
    "ShadowCastingMode": "Off On TwoSided ShadowsOnly",
    "AnimatorCullingMode": "AlwaysAnimate CullUpdateTransforms CullCompletely",
    "RigidbodyType2D": "Dynamic Kinematic Static",
    "RigidbodyInterpolation2D": "None Interpolate Extrapolate",
    "CollisionDetectionMode2D": "Discrete Continuous",
    "SpriteDrawMode": "Simple Sliced Tiled",
    "SpriteMaskInteraction": "None VisibleInsideMask VisibleOutsideMask",
    "TouchPhase": "Began Moved Stationary Ended Canceled",
    "AvatarIKGoal": "LeftFoot RightFoot LeftHand RightHand",
    "ForceMode2D": "Force Impulse",
    "Space": "World Self",
    "LightType": "Spot Directional Point Area Disc",
    "LightShadows": "None Hard Soft",
    "RigidbodyInterpolation": "None Interpolate Extrapolate",
    "CollisionDetectionMode": "Discrete Continuous ContinuousDynamic ContinuousSpeculative",
    "QueryTriggerInteraction": "UseGlobal Ignore Collide",
    "TextAnchor": "UpperLeft UpperCenter UpperRight MiddleLeft MiddleCenter MiddleRight LowerLeft LowerCenter LowerRight",
    "TextAlignment": "Left Center Right",
    "FontStyle": "Normal Bold Italic BoldAndItalic",
    "PrimitiveType": "Sphere Capsule Cylinder Cube Plane Quad",
    "CursorLockMode": "None Locked Confined",
    "FilterMode": "Point Bilinear Trilinear",
    "TextureWrapMode": "Repeat Clamp Mirror MirrorOnce",
    "LoadSceneMode": "Single Additive",
    "AudioRolloffMode": "Logarithmic Linear Custom",
}


def _key_codes() -> dict[str, int]:
    codes = {"None": 0, "Backspace": 8, "Tab": 9, "Clear": 12, "Return": 13, "Pause": 19, "Escape": 27, "Space": 32}
    codes |= {"Quote": 39, "Comma": 44, "Minus": 45, "Period": 46, "Slash": 47, "Semicolon": 59, "Equals": 61}
    codes |= {"LeftBracket": 91, "Backslash": 92, "RightBracket": 93, "BackQuote": 96, "Delete": 127}
    codes |= {f"Alpha{digit}": 48 + digit for digit in range(10)}
    codes |= {chr(65 + letter): 97 + letter for letter in range(26)}
    codes |= {f"Keypad{digit}": 256 + digit for digit in range(10)}
    keypad = (
        "KeypadPeriod KeypadDivide KeypadMultiply KeypadMinus KeypadPlus KeypadEnter KeypadEquals UpArrow DownArrow"
    )
    codes |= {
        word: 266 + at
        for at, word in enumerate((keypad + " RightArrow LeftArrow Insert Home End PageUp PageDown").split())
    }
    codes |= {f"F{number}": 281 + number for number in range(1, 16)}
    codes |= {"Numlock": 300, "CapsLock": 301, "ScrollLock": 302, "RightShift": 303, "LeftShift": 304}
    codes |= {"RightControl": 305, "LeftControl": 306, "RightAlt": 307, "LeftAlt": 308, "Print": 316}
    codes |= {f"Mouse{number}": 323 + number for number in range(7)}
    codes |= {f"JoystickButton{number}": 330 + number for number in range(20)}
    return codes
