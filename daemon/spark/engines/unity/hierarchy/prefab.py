"""Prefabs: new ones from a list of objects, variants of others, and edits by operations that happen all or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spark.core.assets import AssetBytes, NewObject, ObjectOp
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import components, create, ops
from spark.engines.unity.hierarchy.build import build
from spark.engines.unity.hierarchy.faults import opened, reading
from spark.engines.unity.hierarchy.find import check_name
from spark.engines.unity.hierarchy.refusals import numbered
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
    if len(objects) > MAX_OBJECTS:
        raise invalid_arguments({"objects": f"at most {MAX_OBJECTS} objects"})
    if variant_of is None and not objects:
        raise invalid_arguments({"objects": 'at least the root: [{"path": "Root"}]'})
    with reading(session.asset, world.sources.assets):
        if variant_of is not None:
            _variant(session, variant_of)
        else:
            _one_root(session, objects)
        return build(session, objects)


def edit_prefab(path: ProjectPath, content: bytes, edits: Sequence[ObjectOp], world: World) -> AssetBytes:
    """A prefab or scene after operations in their order. Nothing is changed where one is refused: the refusal names it as
    `ops.N` when there are several."""
    session = Session(path, opened(content, path.text, world.mode), world)
    done = []
    with reading(session.asset, world.sources.assets):
        session.refuse_old_form()
        for number, op in enumerate(edits):
            try:
                done.append(ops.apply(session, op))
            except ToolRejected as error:
                if len(edits) == 1:
                    raise
                raise numbered(error, f"ops.{number}") from error
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


def _notes(session: Session) -> dict[str, Any]:
    return {"notes": session.notes} if session.notes else {}


def _empty(world: World, path: ProjectPath) -> AssetFile:
    return AssetFile(HEADER, [], world.mode, path.text)
