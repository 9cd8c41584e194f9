"""The operations of `editPrefab`, one function each: what is asked for becomes changes of the session's documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from spark.core.assets import ObjectOp
from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.hierarchy import attach, changes, components, create, instance_edits, removal, world_space
from spark.engines.unity.hierarchy.engine_types import plain_type
from spark.engines.unity.hierarchy.find import check_name, find_component, find_object, objects_at, shown
from spark.engines.unity.hierarchy.instance_edits import Target
from spark.engines.unity.hierarchy.objects import Component, GameObject, lineage
from spark.engines.unity.hierarchy.properties import Properties
from spark.engines.unity.hierarchy.refusals import of_new
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.hierarchy.sources import Source

Result = dict[str, Any]
_OF_TRANSFORM: Final = frozenset(
    {"position", "rotation", "scale", "localPosition", "localRotation", "localScale", "eulerAngles", "localEulerAngles"}
)


def apply(session: Session, op: ObjectOp) -> Result:
    """Carries out one operation. Answers what it did; raises with nothing that counts, since nothing is kept then."""
    result = _OPS[op.op](session, op)
    return {"op": op.op, **result}


def refuse_fields(op: ObjectOp, allowed: str) -> None:
    """Raises `invalid_arguments` for a field that has no meaning for this operation."""
    taken = allowed.split()
    for field in ("to", "component", "property", "prefab"):
        if getattr(op, field) is not None and field not in taken:
            raise invalid_arguments({field: f"nothing: {op.op} takes {', '.join(['object', *taken])}"})
    if op.has_value and op.value is not None and "value" not in taken:
        raise invalid_arguments({"value": f"nothing: {op.op} takes {', '.join(['object', *taken])}"})


# -- objects -------------------------------------------------------------------------------------------------------------


def _add(session: Session, op: ObjectOp) -> Result:
    refuse_fields(op, "prefab component value to")
    parent, name = place_of(session, op.object)
    index = attach.sibling_index(op.to, len(attach.siblings_of(session, parent)), "to")
    if op.prefab is not None:
        made = create.new_instance(session, source_of(session, op.prefab, "prefab"), name, parent, index)
    else:
        rect = op.component is not None and components.needs_rect(session, op.component)
        made = create.new_object(session, name, parent, index, rect=rect)
    result: Result = {}
    if op.component is not None:
        result = _give(session, made, op.component, op.value)
        made = components.again(session, made)
    elif op.value is not None:
        raise invalid_arguments({"value": "properties of a component: name it in component"})
    return {**_said(session, made), **result}


def place_of(session: Session, path: str) -> tuple[GameObject | None, str]:
    """The parent that a new object's path names, and its name. Raises `not_found`, `already_exists`, `invalid_arguments`."""
    path = session.aliased(path)
    parent_path, slash, name = path.rpartition("/")
    check_name(name, "object")
    if objects_at(session.hierarchy, path):
        there = shown(session.hierarchy, objects_at(session.hierarchy, path)[0])
        raise ToolRejected(
            "already_exists",
            f"object: there is {there} already",
            hint="Take another name; siblings of one name could not be told apart.",
            details={"fields": {"object": "a path that is free"}},
        )
    if slash:
        return session.find(parent_path, "object"), name
    if not session.is_scene and session.hierarchy.roots:
        root = session.hierarchy.roots[0].name
        raise invalid_arguments({"object": f"a path below the root, such as {root}/{name}: a prefab has one root"})
    return None, name


def _remove(session: Session, op: ObjectOp) -> Result:
    refuse_fields(op, "")
    at = session.find(op.object)
    _refuse_root(session, at, "removed", "deleteAsset deletes the prefab.")
    said = {"object": session.path_of(at), **file_id_of(at)}
    if at.instance is not None and not at.is_instance_root:
        return _lost(said, instance_edits.remove_inside(session, at))
    return _lost(said, removal.remove_object(session, at))


def _move(session: Session, op: ObjectOp) -> Result:
    refuse_fields(op, "to value")
    at = session.find(op.object)
    _refuse_root(session, at, "moved", "Only objects below the root have a place.")
    if at.instance is not None and not at.is_instance_root:
        raise ToolRejected(
            "unsupported_asset",
            f"object: {shown(session.hierarchy, at)} comes from {at.instance.source.name}: an instance keeps its prefab's order",
            hint="Move it in the prefab, or move the whole instance.",
        )
    if op.to is None and op.value is None:
        raise invalid_arguments(
            {"to": "the path of the new parent" + (", or / for the top" if session.is_scene else "")}
        )
    parent = _new_parent(session, op, at)
    was = session.path_of(at)
    same_parent = parent is at.parent
    count = len(attach.siblings_of(session, parent)) - (1 if same_parent else 0)
    index = attach.sibling_index(op.value, count, "value")
    for here in lineage(parent) if parent is not None else ():
        if here is at or (at.instance is not None and here.instance is at.instance):
            raise invalid_arguments({"to": f"an object outside of {was}: an object cannot be its own parent"})
    old_parent = at.parent
    left, joined = attach.siblings_of(session, old_parent), attach.siblings_of(session, parent)
    attach.detach(session, at)
    attach.attach(session, at, parent, index)
    if not same_parent:
        removal.collect(session, [old_parent.transform_id or 0] if old_parent is not None else [])
        attach.renumber(session, old_parent, left, [other for other in left if other is not at])
    attach.renumber(session, parent, joined, attach.joined(joined, at, index))
    if not same_parent:
        session.note("a moved object keeps its local position, rotation and scale")
    return {"object": was, "to": session.path_of(components.again(session, at)), **file_id_of(at)}


def _new_parent(session: Session, op: ObjectOp, at: GameObject) -> GameObject | None:
    if op.to is None:
        return at.parent
    if op.to in ("", "/"):
        if not session.is_scene:
            raise invalid_arguments({"to": "an object of the prefab: a prefab has one root"})
        return None
    return session.find(op.to, "to")


def _rename(session: Session, op: ObjectOp) -> Result:
    refuse_fields(op, "to value")
    at = session.find(op.object)
    wanted = op.to if op.to is not None else op.value
    if not isinstance(wanted, str):
        raise invalid_arguments({"to": "the new name"})
    name = check_name(wanted, "to")
    was = session.path_of(at)
    refuse_root_name(session, at, name, "to")
    if at.document is not None:
        session.asset.set(at.document, ("m_Name",), name)
        changes.renamed(session.hierarchy, at, name)
    else:
        instance_edits.override(session, at, "m_Name", name)
        changes.renamed(session.hierarchy, at, name)
    return {"object": was, "to": session.path_of(components.again(session, at)), **file_id_of(at)}


def refuse_root_name(session: Session, at: GameObject, name: str, field: str) -> None:
    """Raises `invalid_arguments` for a name of a prefab's root that is not that of its file."""
    if at.parent is None and not session.is_scene and name != session.path.stem:
        raise ToolRejected(
            "invalid_arguments",
            f"{field}: the root of a prefab has the name of its file; Unity would call it {session.path.stem} again",
            hint="moveAsset renames the prefab.",
            details={"fields": {field: session.path.stem}},
        )


def _refuse_root(session: Session, at: GameObject, what: str, hint: str) -> None:
    if at.parent is None and not session.is_scene:
        raise ToolRejected(
            "invalid_arguments",
            f"object: {shown(session.hierarchy, at)} is the root of the prefab and cannot be {what}",
            hint=hint,
            details={"fields": {"object": "an object below the root"}},
        )


# -- components ------------------------------------------------------------------------------------------------------------


def _add_component(session: Session, op: ObjectOp) -> Result:
    refuse_fields(op, "component value property")
    if op.component is None:
        raise invalid_arguments({"component": "the type of the new component: BoxCollider, or a script's class"})
    value = {op.property: op.value} if op.property is not None else op.value
    at = session.find(op.object)
    made = _give(session, at, op.component, value)
    return {"object": session.path_of(components.again(session, at)), **made}


def _give(session: Session, at: GameObject, wanted: str, value: object) -> Result:
    given: Mapping[str, object] = components.properties_of(value, "value")
    document = components.give(session, at, wanted, "component")
    properties = Properties(session.asset, session.world, session.local)
    for name, part in given.items():
        try:
            properties.set(document, name, part)
        except ToolRejected as error:
            raise of_new(error, "value", name, plain_type(wanted), session.path.text) from error
    return {"component": plain_type(wanted), "componentId": str(document.file_id)}


def _remove_component(session: Session, op: ObjectOp) -> Result:
    refuse_fields(op, "component")
    component = _component(session, op)
    if component is None:
        raise invalid_arguments({"component": "the component that is to be removed"})
    said = {"object": session.path_of(component.owner), "component": session.world.type_name(component)}
    if component.file_id is not None:
        said["componentId"] = str(component.file_id)
    return _lost(said, components.take(session, component, "component"))


def _component(session: Session, op: ObjectOp) -> Component | None:
    """The component that an operation means: by its type or id, or by the id in `object`."""
    at, by_id = find_object(session.hierarchy, session.aliased(op.object))
    if op.component is None or op.component == "GameObject":
        return None if op.component == "GameObject" else by_id
    return find_component(session.hierarchy, at, op.component, session.world.type_name)


# -- properties ----------------------------------------------------------------------------------------------------------


def target_of(session: Session, op: ObjectOp) -> Target:
    """What a property belongs to: a component, or the object itself where none is named."""
    component = _component(session, op)
    if component is not None:
        return component
    at = session.find(op.object)
    head = (op.property or "").partition(".")[0]
    if op.component is None and head in _OF_TRANSFORM:
        return find_component(session.hierarchy, at, "Transform", session.world.type_name)
    return at


def _set(session: Session, op: ObjectOp) -> Result:
    refuse_fields(op, "component property value")
    if op.property is None or not op.has_value:
        raise invalid_arguments({"property": "the property to set", "value": "its value (null: no reference)"})
    target = target_of(session, op)
    said = _target_said(session, target)
    if instance_edits.instance_of(target) is not None:
        return {**said, "override": True, "properties": _override(session, target, op)}
    _note_place(session, target, op.property)
    assert target.document is not None
    if isinstance(target, GameObject) and op.property in ("name", "m_Name"):
        return _rename(session, ObjectOp("rename", op.object, to=op.value if isinstance(op.value, str) else ""))
    name = Properties(session.asset, session.world, session.local).set(target.document, op.property, op.value)
    return {**said, "properties": [name]}


def _override(session: Session, target: Target, op: ObjectOp) -> list[str]:
    assert op.property is not None
    if isinstance(target, GameObject) and op.property in ("name", "m_Name"):
        _rename(session, ObjectOp("rename", op.object, to=op.value if isinstance(op.value, str) else ""))
        return ["m_Name"]
    done = instance_edits.override(session, target, op.property, op.value)
    _note_place(session, target, op.property)
    return done


def _note_place(session: Session, target: Target, name: str) -> None:
    if isinstance(target, Component) and target.is_transform:
        world_space.note(session, target.owner, name)


def _override_op(session: Session, op: ObjectOp) -> Result:
    refuse_fields(op, "component property value")
    if op.property is None or not op.has_value:
        raise invalid_arguments({"property": "the property to override", "value": "its value (null: no reference)"})
    target = target_of(session, op)
    return {**_target_said(session, target), "properties": _override(session, target, op)}


def _revert(session: Session, op: ObjectOp) -> Result:
    refuse_fields(op, "component property")
    if op.property is None and op.component is None:
        raise invalid_arguments(
            {"property": "the overridden property", "component": "or a component, for all of its overrides"}
        )
    target = target_of(session, op)
    said = _target_said(session, target)
    return {**said, "properties": instance_edits.revert(session, target, op.property)}


# -- shared --------------------------------------------------------------------------------------------------------------


def source_of(session: Session, text: str, field: str) -> Source:
    """The prefab or model that a call names. Raises `broken_reference`, `invalid_arguments`."""
    path = session.world.files.parse(text, field=field)
    if path == session.path:
        raise invalid_arguments({field: "another prefab: a prefab cannot contain itself"})
    guid = session.world.references.guid(path, field)
    source = session.world.sources.at(path, guid)
    if source.fault is not None:
        raise source.fault
    if source.hierarchy is not None and contains(source, session.path):
        raise invalid_arguments({field: f"a prefab that does not contain {session.path} itself"})
    return source


def contains(source: Source, path: object) -> bool:
    """Whether a prefab holds an instance of an asset, at any depth."""
    if source.hierarchy is None:
        return False
    return any(i.source.path == path or contains(i.source, path) for i in source.hierarchy.instances.values())


def _target_said(session: Session, target: Target) -> Result:
    if isinstance(target, GameObject):
        return {"object": session.path_of(target)}
    return {"object": session.path_of(target.owner), "component": session.world.type_name(target)}


def _said(session: Session, at: GameObject) -> Result:
    return {"object": session.path_of(at), **file_id_of(at)}


def file_id_of(at: GameObject) -> Result:
    if at.is_instance_root:
        assert at.instance is not None
        return {"fileId": str(at.instance.file_id)}
    return {"fileId": str(at.file_id)} if at.file_id is not None else {}


def _lost(said: Result, lost: list[str]) -> Result:
    return {**said, "lostReferences": lost} if lost else said


_OPS: Final[Mapping[str, Callable[[Session, ObjectOp], Result]]] = {
    "add": _add,
    "remove": _remove,
    "move": _move,
    "rename": _rename,
    "addComponent": _add_component,
    "removeComponent": _remove_component,
    "set": _set,
    "override": _override_op,
    "revert": _revert,
}
