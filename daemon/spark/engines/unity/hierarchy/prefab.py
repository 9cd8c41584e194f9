"""Prefabs: new ones from a list of objects, variants of others, and edits by operations that happen all or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spark.core.assets import AssetBytes, NewObject, ObjectOp
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import components, create, instance_edits, ops
from spark.engines.unity.hierarchy.faults import reading
from spark.engines.unity.hierarchy.find import check_name, find_component, objects_at
from spark.engines.unity.hierarchy.objects import Component, GameObject
from spark.engines.unity.hierarchy.properties import Properties
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.hierarchy.sources import Source
from spark.engines.unity.hierarchy.world import World
from spark.engines.unity.yaml.asset import AssetFile
from spark.engines.unity.yaml.split import HEADER

MAX_OBJECTS = 5_000


def new_prefab(
    path: ProjectPath, objects: Sequence[NewObject], variant_of: ProjectPath | None, world: World
) -> AssetBytes:
    """A `.prefab`: a hierarchy of new objects, or a variant of another prefab whose objects `objects` then name.

    Parents that a path names and nobody lists are made. The root is called as the file, because Unity calls it so when it
    imports the prefab. The result lists objects with their ids. Raises `invalid_arguments` naming `objects.N.field`, and
    whatever values, scripts and references raise.
    """
    session = Session(path, _empty(world, path), world)
    if variant_of is not None:
        _variant(session, variant_of)
    elif not objects:
        raise invalid_arguments({"objects": 'at least the root: [{"path": "Root"}]'})
    elif len(objects) > MAX_OBJECTS:
        raise invalid_arguments({"objects": f"at most {MAX_OBJECTS} objects"})
    else:
        _one_root(session, objects)
    return _built(session, objects)


def build(session: Session, objects: Sequence[NewObject]) -> AssetBytes:
    """Adds objects with their components to what a session has; properties last, so that they may name any object."""
    return _built(session, objects)


def edit_prefab(path: ProjectPath, content: bytes, edits: Sequence[ObjectOp], world: World) -> AssetBytes:
    """A prefab or scene after operations in their order. Nothing is changed where one is refused: the refusal names it as
    `ops.N` when there are several."""
    session = Session(path, AssetFile.open(content, path.text, world.mode), world)
    session.refuse_old_form()
    done = []
    with reading(session.asset):
        for number, op in enumerate(edits):
            try:
                done.append(ops.apply(session, op))
            except ToolRejected as error:
                if len(edits) == 1:
                    raise
                raise _numbered(error, f"ops.{number}") from error
    return AssetBytes(session.asset.to_bytes(), {"ops": done} | _notes(session))


def _variant(session: Session, base: ProjectPath) -> None:
    source = _source(session, base)
    create.new_instance(session, source, session.path.stem, None, None)
    root = source.hierarchy.roots[0].name if source.hierarchy is not None else base.stem
    session.other_roots = (root,)


def _source(session: Session, base: ProjectPath) -> Source:
    return ops.source_of(session, base.text, "variantOf")


def _one_root(session: Session, objects: Sequence[NewObject]) -> None:
    """Makes the root, under the name of the file."""
    roots: dict[str, None] = {}
    for item in objects:
        roots.setdefault(item.path.partition("/")[0])
    for number, item in enumerate(objects):
        for part in item.path.split("/"):
            check_name(part, f"objects.{number}.path")
    if len(roots) > 1:
        raise invalid_arguments({"objects": f"paths below one root; there are {', '.join(roots)}"})
    name, stem = next(iter(roots)), session.path.stem
    own = next((item for item in objects if item.path == name), None)
    if own is not None and own.prefab is not None:
        create.new_instance(session, ops.source_of(session, own.prefab, "objects.prefab"), stem, None, None)
        session.note(f"the root is an instance, so the prefab is a variant of {own.prefab}")
    else:
        rect = own is not None and any(components.needs_rect(session, c.type) for c in own.components)
        create.new_object(session, stem, None, None, rect=rect)
    if name != stem:
        session.other_roots = (name,)
        session.note(f"the root is called {stem} as its file, not {name}: Unity names it so when it imports the prefab")


def _built(session: Session, objects: Sequence[NewObject]) -> AssetBytes:
    made: dict[str, dict[str, Any]] = {}
    explicit: set[str] = set()
    waiting: list[tuple[str, int | None, str, Any, str]] = []
    for number, item in enumerate(objects):
        where = f"objects.{number}"
        try:
            at = _object(session, item, objects, explicit)
            path = session.path_of(at)
            known = made.setdefault(path, {"object": path, **ops.file_id_of(at)})
            for component in item.components:
                file_id = _component(session, path, component.type, "type", known)
                for name, value in component.properties.items():
                    waiting.append((path, file_id, name, value, component.type))
        except ToolRejected as error:
            raise _numbered(error, where) from error
    for path, file_id, name, value, kind in waiting:
        try:
            _property(session, path, file_id, name, value, kind)
        except ToolRejected as error:
            raise _numbered(error, f"{path} {kind}") from error
    result: dict[str, Any] = {"objects": list(made.values())}
    return AssetBytes(session.asset.to_bytes(), result | _notes(session))


def _object(session: Session, item: NewObject, objects: Sequence[NewObject], explicit: set[str]) -> GameObject:
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
    parent: GameObject | None = None
    if slash:
        above = objects_at(session.hierarchy, parent_path)
        if len(above) == 1:
            parent = above[0]
        else:
            listed = next((other for other in objects if session.aliased(other.path) == parent_path), None)
            parent = _object(session, listed or NewObject(parent_path), objects, explicit if listed is None else set())
            explicit.discard(parent_path)
    if item.prefab is not None:
        return create.new_instance(session, ops.source_of(session, item.prefab, "prefab"), name, parent, None)
    rect = any(components.needs_rect(session, component.type) for component in item.components)
    return create.new_object(session, name, parent, None, rect=rect)


def _component(session: Session, path: str, wanted: str, field: str, known: dict[str, Any]) -> int | None:
    """The id of the document whose properties an item's component means; None for one that an instance has."""
    at = session.find(path)
    if wanted == "GameObject":
        return at.file_id if at.document is not None else None
    there = _present(session, at, wanted)
    if there is not None and (there.document is None or there.is_transform):
        if wanted == "RectTransform" and there.class_name != wanted:
            return components.give(session, at, wanted, field).file_id
        return there.file_id if there.document is not None else None
    document = components.give(session, at, wanted, field)
    known.setdefault("components", []).append({"type": wanted, "fileId": str(document.file_id)})
    return document.file_id


def _present(session: Session, at: GameObject, wanted: str) -> Component | None:
    """A component that an object has already: its Transform, or one that comes with an instance."""
    if wanted in ("Transform", "RectTransform"):
        return create.transform_of(session, at)
    if at.instance is None:
        return None
    inherited = [c for c in session.hierarchy.components(at) if c.document is None]
    if any(session.world.type_name(c) == wanted.rsplit(".", 1)[-1] for c in inherited):
        return find_component(session.hierarchy, at, wanted, session.world.type_name, field="type")
    return None


def _property(session: Session, path: str, file_id: int | None, name: str, value: Any, kind: str) -> None:
    if file_id is not None:
        document = session.document(file_id)
        Properties(session.asset, session.world, session.local).set(document, name, value)
        return
    at = session.find(path)
    target = at if kind == "GameObject" else _present(session, at, kind)
    assert target is not None
    instance_edits.override(session, target, name, value)
    session.changed()


def _numbered(error: ToolRejected, where: str) -> ToolRejected:
    fields = error.details.get("fields")
    details = dict(error.details)
    if isinstance(fields, dict):
        details["fields"] = {f"{where}.{name}": text for name, text in fields.items()}
    return ToolRejected(error.code, f"{where}: {error.message}", hint=error.hint, details=details)


def _notes(session: Session) -> dict[str, Any]:
    return {"notes": session.notes} if session.notes else {}


def _empty(world: World, path: ProjectPath) -> AssetFile:
    return AssetFile(HEADER, [], world.mode, path.text)
