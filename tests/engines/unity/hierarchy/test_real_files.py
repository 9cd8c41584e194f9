"""Real prefabs and scenes, where they are at hand, and the own ones always."""

from __future__ import annotations

from pathlib import Path

from spark.core.assets import ObjectOp
from spark.core.paths import ProjectPath
from spark.engines.unity.hierarchy import World, edit_prefab, outline
from spark.engines.unity.hierarchy.find import path_of
from spark.engines.unity.hierarchy.structure import Hierarchy
from spark.engines.unity.meta import guid_in_meta
from spark.engines.unity.yaml.asset import AssetFile
from tests.engines.memory_project import FakeProject
from tests.engines.unity.corpus import CORPUS, corpus_files
from tests.engines.unity.hierarchy.garage import FIXTURES, GUIDS, put, world


def everything() -> tuple[FakeProject, dict[str, bytes]]:
    """A project of all prefabs, scenes and metas, and the bytes of the former."""
    project = FakeProject()
    files: dict[str, bytes] = {}
    metas: dict[str, str] = {}

    def take(source: Path, name: str) -> None:
        content = source.read_bytes()
        project.write(name, content)
        if source.suffix == ".meta":
            metas[guid_in_meta(content) or ""] = name.removesuffix(".meta")
        else:
            files[name] = content

    for source in corpus_files(".prefab", ".unity", ".meta"):
        take(source, source.relative_to(CORPUS).as_posix())
    for name, guid in GUIDS.items():
        put(project, f"Own/{name}", (FIXTURES / "2021" / name).read_bytes(), guid)
        files[f"Own/{name}"] = project.contents[f"Own/{name}"]
        metas[guid] = f"Own/{name}"
    # The index of the fake project reads every meta for each question.
    project.index.path_of_guid = lambda guid: ProjectPath(metas[guid]) if guid in metas else None  # type: ignore[method-assign]
    return project, files


def test_every_outline_lists_every_object_and_every_object_is_found_by_its_path() -> None:
    """Nothing in a real file is too strange to be read."""
    project, files = everything()
    for name, content in files.items():
        here = world(project, "2021")
        hierarchy = Hierarchy(AssetFile.open(content, name), here.sources)
        lines = outline(ProjectPath(name), content, None, here)
        shown = "\n".join(lines)
        assert all(f"&{file_id}" in shown for file_id in (*hierarchy.objects, *hierarchy.instances)), name
        for at in hierarchy.everything():
            found = [one for one in hierarchy.everything() if one.file_id == at.file_id] if at.file_id else [at]
            assert found == [at], name
            assert path_of(hierarchy, at), name


def test_an_object_added_to_any_file_and_removed_again_leaves_no_trace() -> None:
    """Below the first object, below the last one, and at the top of scenes; old forms are refused before."""
    project, files = everything()
    for name, content in files.items():
        here = world(project, "2021" if "Basis" not in name else "6000")
        hierarchy = Hierarchy(AssetFile.open(content, name), here.sources)
        if hierarchy.old_form:
            continue
        every = [at for at in hierarchy.everything() if at.file_id is not None and at.document is not None]
        ends = [path_of(hierarchy, at) + "/Spark Test" for at in (every[:1] + every[-1:])]
        for at in [*ends, *(["Spark Test"] if name.endswith(".unity") else [])]:
            assert _round_trip(ProjectPath(name), content, at, here) == content, f"{name}: {at}"


def _round_trip(path: ProjectPath, content: bytes, at: str, here: World) -> bytes:
    made = edit_prefab(path, content, [ObjectOp("add", at, component="BoxCollider")], here)
    assert made.content != content
    return edit_prefab(path, made.content, [ObjectOp("remove", at)], here).content
