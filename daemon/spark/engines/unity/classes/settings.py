"""What items of lists and what numbers are, where a file alone does not say: project settings and lists that may be empty.

Examples as values: their types count, not what they are. From documents that the Editor wrote and from its public API.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from spark.engines.unity.words import words
from spark.engines.unity.yaml.values import Ref, Value

_GUID: Final = "f" * 32
_ITEMS: Final[dict[str, dict[str, Value]]] = {
    "TagManager": {
        "tags": "Tag",
        "layers": "Layer",
        "m_SortingLayers": {"name": "Default", "uniqueID": 0, "locked": False},
        "m_RenderingLayers": "Layer",
    },
    "EditorBuildSettings": {"m_Scenes": {"enabled": True, "path": "Assets/Scene.unity", "guid": _GUID}},
    "GraphicsSettings": {"m_AlwaysIncludedShaders": Ref(), "m_PreloadedShaders": Ref()},
    "PlayerSettings": {"preloadedAssets": Ref()},
    "SkinnedMeshRenderer": {"m_BlendShapeWeights": 0.0, "m_Bones": Ref()},
    "PolygonCollider2D": {"m_Points.m_Paths": [{"x": 0.0, "y": 0.0}]},
    "EdgeCollider2D": {"m_Points": {"x": 0.0, "y": 0.0}},
    "AnimatorState": {"m_Transitions": Ref(), "m_StateMachineBehaviours": Ref()},
}
_WHOLE: Final[dict[str, frozenset[str]]] = {
    "QualitySettings": words(
        "m_CurrentQuality pixelLightCount shadows shadowResolution shadowProjection shadowCascades shadowmaskMode skinWeights "
        "blendWeights textureQuality globalTextureMipmapLimit anisotropicTextures antiAliasing vSyncCount maximumLODLevel "
        "asyncUploadTimeSlice asyncUploadBufferSize particleRaycastBudget streamingMipmapsMaxLevelReduction "
        "streamingMipmapsMaxFileIORequests streamingMipmapsRenderersPerFrame"
    ),
    "AudioManager": words("m_SampleRate m_DSPBufferSize m_VirtualVoiceCount m_RealVoiceCount"),
    "PhysicsManager": words(
        "m_DefaultSolverIterations m_DefaultSolverVelocityIterations m_ContactPairsMode m_BroadphaseType"
    ),
    "Physics2DSettings": words("m_VelocityIterations m_PositionIterations m_SimulationMode"),
    "EditorSettings": words("m_SerializationMode m_LineEndingsForNewScripts m_DefaultBehaviorMode"),
}
_FLAGS: Final[dict[str, frozenset[str]]] = {
    "QualitySettings": words(
        "softParticles softVegetation realtimeReflectionProbes billboardsFaceCameraPosition asyncUploadPersistentBuffer "
        "streamingMipmapsActive streamingMipmapsAddAllCameras useLegacyDetailDistribution"
    ),
}


def item_of(class_name: str, keys: Sequence[object]) -> Value:
    """What an item of a list is like; `keys`: the path of the list, items of lists on it may be numbers. None: not known."""
    found = _ITEMS.get(class_name, {}).get(".".join(key for key in keys if isinstance(key, str)))
    if keys and isinstance(keys[-1], int):
        # A list in a list: the path of an item of the outer one.
        return found[0] if isinstance(found, list) else None
    return found


def type_of(class_name: str, keys: Sequence[object]) -> Value:
    """An example of a number or flag of the project's settings; None where its type is not known."""
    names = [key for key in keys if isinstance(key, str)]
    if not names:
        return None
    if names[-1] in _FLAGS.get(class_name, ()):
        return False
    return 0 if names[-1] in _WHOLE.get(class_name, ()) else None
