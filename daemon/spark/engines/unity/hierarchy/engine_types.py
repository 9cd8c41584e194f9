"""Names of the engine's own types: which of them are components, and what to say of one that is asked for as something else."""

from __future__ import annotations

from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.classes.bodies import is_offered
from spark.engines.unity.classes.class_ids import CLASS_NAMES, class_id
from spark.engines.unity.classes.needs import is_component

_NAMESPACE = "UnityEngine."
_SCENE_SETTINGS = ("RenderSettings", "LightmapSettings", "NavMeshSettings", "OcclusionCullingSettings")


def is_native(name: str) -> bool:
    """Whether a type is the engine's own component; else it is a script's class."""
    return class_id(name) is not None and name != "MonoBehaviour" and is_component(name)


def plain_type(name: str) -> str:
    """`Rigidbody` for `UnityEngine.Rigidbody`; any other name as it is (`UnityEngine.UI.Image` is a script)."""
    last = name.rsplit(".", 1)[-1]
    return last if name.startswith(_NAMESPACE) and is_native(last) else name


def no_script(name: str, need: str, where: str) -> ToolRejected | None:
    """The refusal of a name that no script declares and that is one of the engine's own types, or nearly so."""
    last = name.rsplit(".", 1)[-1] if name.startswith((_NAMESPACE, "UnityEditor.")) else name
    own = last if class_id(last) is not None or is_offered(last) else ""
    if not own:
        near = next((one for one in CLASS_NAMES.values() if one.casefold() == last.casefold()), "")
        if not near:
            return None
        return ToolRejected(
            "not_found",
            f"{where}: there is no class {name}",
            hint=f"Did you mean {near}? {_what(near, need)}".rstrip(),
            details={"field": where, "near": [near]},
        )
    accepted = "a script's class" if need != "MonoBehaviour" else "a component of the engine, or a script's class"
    error = invalid_arguments({where: accepted}, f"{where}: {_is(own)}")
    return ToolRejected(error.code, error.message, hint=_what(own, need), details=error.details)


def _is(own: str) -> str:
    if is_native(own):
        return f"{own} is a component, no asset"
    if own in ("MonoBehaviour", "ScriptableObject"):
        return f"{own} is what scripts derive from; name the script's own class"
    if own in (*_SCENE_SETTINGS, "SceneRoots"):
        return f"{own} belongs to a scene as a whole and to no object"
    if own in ("GameObject", "PrefabInstance"):
        return f"{own} is no component and no asset"
    return f"{own} is a type of the engine's own, and no component or script"


def _what(own: str, need: str) -> str:
    """What works for a type of the engine's own."""
    if is_native(own):
        return "" if need == "MonoBehaviour" else "editPrefab with op addComponent gives it to an object."
    if own in ("GameObject", "PrefabInstance"):
        return "editPrefab with op add makes objects and, with prefab, instances."
    if own in _SCENE_SETTINGS:
        return "editAsset with fileId sets its properties in a scene."
    if own == "Material":
        return "createMaterial makes materials."
    if own in ("MonoBehaviour", "ScriptableObject", "SceneRoots"):
        return ""
    if need == "MonoBehaviour":
        like = [name for name in CLASS_NAMES.values() if is_component(name) and own in name]
        return f"Components are: {', '.join(like)}" if like else ""
    return f"Make it in the Editor; editAsset sets properties of a {own} that is there as text."
