"""Objects with their components from a list, in a new prefab, a variant or a scene: all of them first, then the properties,
so that these may name any object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spark.core.assets import AssetBytes, Json, NewObject
from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.hierarchy import components, create, instance_edits, ops, world_space
from spark.engines.unity.hierarchy.engine_types import plain_type
from spark.engines.unity.hierarchy.find import check_name, find_component, objects_at
from spark.engines.unity.hierarchy.objects import Component, GameObject
from spark.engines.unity.hierarchy.properties import Properties
from spark.engines.unity.hierarchy.refusals import numbered, of_new
from spark.engines.unity.hierarchy.session import Session

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Target:
    """Whose properties wait: a new document (`file_id`), or something that an instance shows (`source_id`)."""

    path: str
    kind: str
    given: str
    file_id: int | None = None
    source_id: int | None = None


def build(session: Session, objects: Sequence[NewObject]) -> AssetBytes:
    """Adds objects with their components to what a session has. The result lists them: new components with their ids, those
    that were there already with the prefab that they come from (`of`)."""
    made: dict[str, dict[str, Any]] = {}
    explicit: set[str] = set()
    by_path = {session.aliased(item.path): item for item in reversed(objects)}
    waiting: list[tuple[str, _Target, Mapping[str, Json]]] = []
    for number, item in enumerate(objects):
        where = f"objects.{number}"
        try:
            at = _object(session, item, by_path, explicit)
        except ToolRejected as error:
            raise numbered(error, where) from error
        path = session.path_of(at)
        known = made.setdefault(path, {"object": path, **ops.file_id_of(at)})
        listed = Counter(plain_type(component.type) for component in item.components)
        taken: Counter[str] = Counter()
        for place, component in enumerate(item.components):
            inside = f"{where}.components.{place}"
            kind = plain_type(component.type)
            try:
                target = _component(session, path, kind, taken[kind], listed[kind], known, item.path)
            except ToolRejected as error:
                raise numbered(error, inside) from error
            taken[kind] += 1
            waiting.append((f"{inside}.properties", target, component.properties))
    for where, target, properties in waiting:
        for name, value in properties.items():
            try:
                _property(session, target, name, value)
            except ToolRejected as error:
                raise of_new(error, where, name, target.kind, session.path.text) from error
    for _, target, properties in waiting:
        if target.kind in ("Transform", "RectTransform"):
            for name in properties:
                world_space.note(session, session.find(target.path), name)
    result: dict[str, Any] = {"objects": list(made.values())}
    return AssetBytes(session.asset.to_bytes(), result | ({"notes": session.notes} if session.notes else {}))


def _object(session: Session, item: NewObject, by_path: Mapping[str, NewObject], explicit: set[str]) -> GameObject:
    """The object of an item: it may be there already, as the root, as somebody's parent, or in the base of a variant."""
    path = session.aliased(item.path)
    found = objects_at(session.hierarchy, path)
    if path in explicit:
        raise invalid_arguments({"path": f"each object once: {item.path} is listed twice; take names that differ"})
    explicit.add(path)
    if len(found) > 1:
        return session.find(path, "path")
    if found:
        if item.prefab is not None and found[0].parent is not None:
            raise invalid_arguments({"prefab": f"a path that is free: there is {item.path} already"})
        return found[0]
    parent_path, slash, name = path.rpartition("/")
    check_name(name, "path")
    if not slash and not session.is_scene:
        raise _no_root(session)
    parent: GameObject | None = None
    if slash:
        above = objects_at(session.hierarchy, parent_path)
        if len(above) == 1:
            parent = above[0]
        else:
            listed = by_path.get(parent_path)
            parent = _object(session, listed or NewObject(parent_path), by_path, explicit if listed is None else set())
            explicit.discard(parent_path)
    if item.prefab is not None:
        return create.new_instance(session, ops.source_of(session, item.prefab, "prefab"), name, parent, None)
    rect = any(components.needs_rect(session, component.type) for component in item.components)
    return create.new_object(session, name, parent, None, rect=rect)


def _no_root(session: Session) -> ToolRejected:
    """The refusal of a path that does not begin with the root."""
    root = session.hierarchy.roots[0]
    names = " or ".join(dict.fromkeys([root.name, *session.other_roots]))
    there = [session.path_of(child) for child in session.hierarchy.children(root)]
    error = invalid_arguments({"path": f"a path below the root, which is called {names}"})
    listed = ", ".join(there[:_SHOWN]) + (f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else "")
    return ToolRejected(
        error.code, error.message, hint=f"Below it there is: {listed or 'nothing'}", details=error.details
    )


def _component(
    session: Session, path: str, kind: str, taken: int, listed: int, known: dict[str, Any], given: str
) -> _Target:
    """Whose properties an item's component means. Of several of one type, those that come with an instance are taken first,
    in their order; `taken` of the item's `listed` ones are."""
    at = session.find(path)
    if taken and kind in ("GameObject", "Transform", "RectTransform"):
        raise invalid_arguments({"type": f"{kind} once: an object has one"})
    if kind == "GameObject":
        return _Target(path, kind, given, at.file_id if at.document is not None else None, at.source_id)
    there = _present(session, at, kind, taken, listed)
    if there is not None and (there.document is None or there.is_transform):
        if kind == "RectTransform" and there.class_name != kind:
            return _Target(path, kind, given, components.give(session, at, kind, "type").file_id)
        if there.document is not None:
            return _Target(path, kind, given, there.document.file_id)
        assert at.instance is not None
        if not there.is_transform:
            known.setdefault("components", []).append({"type": kind, "of": at.instance.source.name})
            session.note(
                f"the {kind} of {path} comes from {at.instance.source.name}: what is listed for it are overrides of that one"
            )
        return _Target(path, kind, given, None, there.source_id)
    document = components.give(session, at, kind, "type")
    known.setdefault("components", []).append({"type": kind, "fileId": str(document.file_id)})
    return _Target(path, kind, given, document.file_id)


def _present(session: Session, at: GameObject, kind: str, taken: int, listed: int) -> Component | None:
    """A component that an object has already: its Transform, or one that comes with an instance."""
    if kind in ("Transform", "RectTransform"):
        return create.transform_of(session, at)
    if at.instance is None:
        return None
    inherited = [c for c in session.hierarchy.components(at) if c.document is None]
    same = [c for c in inherited if session.world.type_name(c) == kind.rsplit(".", 1)[-1]]
    if listed >= len(same) and not kind.endswith("]"):
        return same[taken] if taken < len(same) else None
    return find_component(session.hierarchy, at, kind, session.world.type_name, field="type")


def _property(session: Session, target: _Target, name: str, value: Json) -> None:
    if target.kind == "GameObject" and name in ("name", "m_Name"):
        at = session.find(target.path)
        if value not in (at.name, target.given.rpartition("/")[2]):
            raise invalid_arguments({name: f"nothing: the name is the last part of the path, {at.name}"})
        return
    if target.file_id is not None:
        document = session.document(target.file_id)
        Properties(session.asset, session.world, session.local).set(document, name, value)
        return
    at = session.find(target.path)
    of = next((c for c in session.hierarchy.components(at) if c.source_id == target.source_id), None)
    if target.kind != "GameObject":
        assert of is not None
    instance_edits.override(session, of if of is not None else at, name, value)
