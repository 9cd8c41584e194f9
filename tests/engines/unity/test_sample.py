"""The sample project."""

from __future__ import annotations

from pathlib import Path

from spark.core.paths import ProjectPath
from spark.engines import detect
from spark.engines.unity.meta import guid_in_meta
from spark.engines.unity.sample import create_sample_project, sample_files
from tests.engines.memory_project import FakeProject


def test_the_sample_is_a_project_without_findings() -> None:
    """SPARK recognises what it made, every file passes its own check, and each asset has a meta of its own guid."""
    project = FakeProject(sample_files("2022.3.40f1"))
    engine = detect(project.files, project.index)
    assert engine.editor_version == "2022.3.40f1"
    for entry in project.index.entries():
        assert engine.check(entry.path, project.contents[entry.path.text]) == []
        assert engine.is_text(entry.path, project.contents[entry.path.text])
    assets = [entry.path for entry in project.index.entries(ProjectPath("Assets")) if not entry.path.is_meta]
    guids = {guid_in_meta(project.contents[path.meta.text]) for path in [*assets, ProjectPath("Assets/Scripts")]}
    assert None not in guids
    assert len(guids) == len(assets) + 1


def test_a_second_call_makes_nothing(tmp_path: Path) -> None:
    """The sample is made once; the same folder is then left as it is."""
    folder = tmp_path / "a folder with spaces é"
    made = create_sample_project(folder)
    assert (folder / "Assets/Scripts/Spinner.cs") in made
    before = {path: path.stat().st_mtime_ns for path in made}
    assert create_sample_project(folder) == []
    assert {path: path.stat().st_mtime_ns for path in made} == before


def test_existing_files_are_never_overwritten(tmp_path: Path) -> None:
    """The user's own file of the same name keeps its bytes; the missing ones are made."""
    own = tmp_path / "Assets/Scripts/Spinner.cs"
    own.parent.mkdir(parents=True)
    own.write_text("// mine\n")
    made = create_sample_project(tmp_path, "6000.2.1f1")
    assert own.read_text() == "// mine\n"
    assert own not in made
    assert (tmp_path / "ProjectSettings/ProjectVersion.txt").read_text() == "m_EditorVersion: 6000.2.1f1\n"
