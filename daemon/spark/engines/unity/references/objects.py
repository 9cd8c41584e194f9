"""Objects inside an asset of Unity's own: a prefab's objects and components by path, any other asset's documents by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from spark.core.errors import ToolRejected
from spark.core.limits import ASSET_BYTES
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles
from spark.engines.unity.references.kinds import Main, bases, fits, is_component, simple
from spark.engines.unity.yaml.values import Ref

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.objects import Component, GameObject
    from spark.engines.unity.hierarchy.sources import Source
    from spark.engines.unity.hierarchy.structure import Hierarchy
    from spark.engines.unity.yaml.asset import AssetFile

ScriptFits = Callable[[str, str], bool | None]
"""Whether the script with a guid is a class or derives from it; None where that is not known."""
_SHOWN = 12


def broken(where: str, message: str, hint: str) -> ToolRejected:
    return ToolRejected("broken_reference", f"{where}: {message}", hint=hint, details={"field": where})


def in_prefab(source: Source, inner: str, wanted: str, where: str, script_fits: ScriptFits) -> int:
    """The id of an object or component of a prefab. `inner`: `Root/Gun`, `Root/Gun:BoxCollider`, or empty for the root.
    Raises `broken_reference`, `ambiguous_match`, `invalid_arguments`."""
    hierarchy = source.hierarchy
    if hierarchy is None or not hierarchy.roots:
        hint = 'Open the prefab in Unity, or give the ids themselves: {"fileID": "…", "guid": "…", "type": 3}.'
        raise broken(where, f"{source.name} cannot be looked into: {source.why or 'it has no object'}", hint)
    path, _, component = inner.partition(":")
    target = _object(hierarchy, path, source.name, where) if path else _root(hierarchy, source.name, where)
    class_name = component or ("" if wanted in ("", "Object", "GameObject") else wanted)
    found = _component(hierarchy, target, class_name, source.name, where, script_fits) if class_name else target.file_id
    if component and wanted:
        _check(component, wanted, where)
    if found is None:
        hint = "Refer to the prefab that it comes from, or to another object."
        raise broken(where, f"{target.name} of {source.name} has no id that a reference could name", hint)
    return found


def _check(component: str, wanted: str, where: str) -> None:
    if fits(component, wanted) is False or (wanted == "GameObject"):
        raise ToolRejected(
            "invalid_arguments",
            f"{where}: a {component} is not a {wanted}",
            details={"fields": {where: f"a {wanted}"}},
        )


def _root(hierarchy: Hierarchy, name: str, where: str) -> GameObject:
    if len(hierarchy.roots) > 1:
        shown = ", ".join(root.name for root in hierarchy.roots[:_SHOWN])
        raise broken(where, f"{name} has several root objects: {shown}", f"Name one: {name}#{hierarchy.roots[0].name}")
    return hierarchy.roots[0]


def _object(hierarchy: Hierarchy, path: str, name: str, where: str) -> GameObject:
    # Names of objects may hold slashes, so a path is matched name by name and not cut at each of them.
    found = [node for root in hierarchy.roots for node in _along(hierarchy, root, path)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ToolRejected(
            "ambiguous_match",
            f"{where}: {len(found)} objects of {name} are called {path}",
            hint="Rename one of them, or give the ids themselves: "
            + ", ".join(f"&{one.file_id}" for one in found[:_SHOWN] if one.file_id is not None),
            details={"field": where, "fileIds": [str(one.file_id) for one in found[:_SHOWN]]},
        )
    there = [root.name for root in hierarchy.roots]
    head = path.split("/")[0]
    for root in hierarchy.roots:
        if root.name == head:
            there = [f"{root.name}/{child.name}" for child in hierarchy.children(root)] or there
    raise broken(where, f"{name} has no object {path}", f"It has: {', '.join(there[:_SHOWN])}")


def _along(hierarchy: Hierarchy, node: GameObject, path: str) -> Iterator[GameObject]:
    waiting = [(node, path)]
    while waiting:
        at, rest = waiting.pop()
        if rest == at.name:
            yield at
        elif rest.startswith(at.name + "/"):
            waiting += [(child, rest[len(at.name) + 1 :]) for child in hierarchy.children(at)]


def _component(
    hierarchy: Hierarchy, owner: GameObject, class_name: str, name: str, where: str, script_fits: ScriptFits
) -> int | None:
    class_name = simple(class_name)
    components = hierarchy.components(owner)
    for component in components:
        script = component.script
        native = script is None and class_name in bases(component.class_name)
        if native or (
            script is not None and (class_name in bases("MonoBehaviour") or script_fits(script.guid, class_name))
        ):
            return _id(component)
    there = ", ".join(component.class_name for component in components[:_SHOWN])
    if class_name in ("Material", "Mesh", "Sprite", "Texture", "Texture2D", "AudioClip", "AnimationClip", "Shader"):
        raise ToolRejected(
            "invalid_arguments",
            f"{where}: {name} is a prefab, not a {class_name}",
            details={"fields": {where: f"a {class_name}"}},
        )
    kind = "component" if is_component(class_name) else "component or script"
    raise broken(where, f"{owner.name} of {name} has no {kind} {class_name}", f"It has: {there or 'no components'}")


def _id(component: Component) -> int | None:
    from spark.engines.unity.hierarchy.ids import inside_id

    if component.file_id is not None:
        return component.file_id
    instance = component.owner.instance
    if instance is None or component.source_id is None:
        return None
    return inside_id(instance.file_id, component.source_id)


# -- other assets ------------------------------------------------------------------------------------------------------------


def in_asset(
    files: ProjectFiles,
    path: ProjectPath,
    inner: str,
    main: Main | None,
    wanted: str,
    where: str,
    script_fits: ScriptFits,
) -> tuple[int, str]:
    """The id and class of a document of a `.asset`, `.mixer` and so on: by name (`Master`, `Master:AudioMixerGroup`), or the
    main object where `inner` is empty."""
    from spark.engines.unity.yaml.asset import AssetFile

    content = files.read(path, limit_bytes=ASSET_BYTES)
    if content is None:
        raise broken(where, f"{path} is not there", "Name an asset of the project.")
    try:
        asset = AssetFile.open(content, path.text)
    except ToolRejected as error:
        details = error.details | {"field": where}
        raise ToolRejected(error.code, f"{where}: {error.message}", hint=error.hint, details=details) from error
    if not inner:
        return _main_of(asset, main, wanted, path, where, script_fits)
    name, _, class_name = inner.rpartition(":") if ":" in inner else (inner, "", "")
    found = []
    for document in asset.documents:
        if document.value("m_Name") == name and not document.stripped:
            right = class_name or wanted
            if not right or fits(document.class_name, right) is not False:
                found.append((document.file_id, document.class_name))
    if len(found) == 1:
        return found[0]
    names = sorted({str(document.value("m_Name")) for document in asset.documents if document.value("m_Name")})
    if not found:
        kind = f" of the class {class_name or wanted}" if class_name or wanted else ""
        raise broken(where, f"{path} has no object {name}{kind}", f"It has: {', '.join(names[:_SHOWN])}")
    raise ToolRejected(
        "ambiguous_match",
        f"{where}: {len(found)} objects of {path} are called {name}",
        hint="Say which class: " + ", ".join(f"{path}#{name}:{kind}" for _, kind in found[:_SHOWN]),
        details={"field": where},
    )


def _main_of(
    asset: AssetFile, main: Main | None, wanted: str, path: ProjectPath, where: str, script_fits: ScriptFits
) -> tuple[int, str]:
    ids = [document.file_id for document in asset.documents]
    for file_id in (main.file_id if main is not None else 11400000, 11400000):
        if file_id in ids:
            document = asset.documents[ids.index(file_id)]
            _check_script(document.value("m_Script"), wanted, path, where, script_fits)
            return file_id, document.class_name
    if len(asset.documents) == 1:
        return ids[0], asset.documents[0].class_name
    names = [f"{path}#{document.value('m_Name')}" for document in asset.documents if document.value("m_Name")]
    raise broken(
        where, f"which object of {path} is its main one is not known", f"Name one: {', '.join(names[:_SHOWN])}"
    )


def _check_script(script: object, wanted: str, path: ProjectPath, where: str, script_fits: ScriptFits) -> None:
    from spark.engines.unity.yaml.values import Pairs, ref_of

    ref = ref_of(script) if isinstance(script, Pairs | Ref) else None
    if ref is None or wanted in ("", "Object", "ScriptableObject", "MonoBehaviour") or not ref.guid:
        return
    if script_fits(ref.guid, wanted) is False or fits("ScriptableObject", wanted) is False:
        raise ToolRejected(
            "invalid_arguments", f"{where}: {path} is not a {wanted}", details={"fields": {where: f"a {wanted}"}}
        )
