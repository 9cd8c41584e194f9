"""New scenes: the four settings documents, the objects, and the list of roots where the version has one."""

from __future__ import annotations

from collections.abc import Sequence

from spark.core.assets import AssetBytes, NewObject
from spark.core.errors import invalid_arguments
from spark.core.paths import ProjectPath
from spark.engines.unity.classes.scene import scene_doubts, scene_roots, scene_settings
from spark.engines.unity.hierarchy.build import build
from spark.engines.unity.hierarchy.faults import reading
from spark.engines.unity.hierarchy.session import Session
from spark.engines.unity.hierarchy.world import World
from spark.engines.unity.yaml.asset import AssetFile
from spark.engines.unity.yaml.split import HEADER


def new_scene(path: ProjectPath, world: World, objects: Sequence[NewObject] = ()) -> AssetBytes:
    """A `.unity` with the settings of a new scene and what `objects` name; without objects it is empty (the Editor's own
    template adds a camera and a light). Raises `invalid_arguments` for another extension, and what `build` raises."""
    if path.suffix != ".unity":
        raise invalid_arguments({"path": "a path that ends in .unity"})
    asset = AssetFile(HEADER, [], world.mode, path.text)
    roots = scene_roots(world.version, [])
    for class_id, file_id, class_name, body in [
        *scene_settings(world.version),
        *([roots] if roots is not None else []),
    ]:
        asset.add(asset.new_document(class_id, file_id, class_name, body))
    session = Session(path, asset, world)
    for said in scene_doubts(world.version):
        session.note(said)
    with reading(asset, world.sources.assets):
        return build(session, objects)
