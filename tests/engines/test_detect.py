"""Which engine a folder belongs to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spark.core.errors import FatalError
from spark.engines import ENGINES, detect
from tests.engines.memory_project import FakeProject

ROOT = Path(__file__).parents[2]


def test_a_folder_with_assets_and_project_settings_is_a_unity_project() -> None:
    """The two folders are enough, and the version is read where it is written."""
    project = FakeProject({"ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2021.3.5f1\n"}, folders=("Assets",))
    engine = detect(project.files, project.index)
    assert engine.name == "unity"
    assert engine.editor_version == "2021.3.5f1"
    assert [kind.name for kind in ENGINES] == ["unity"]


def test_a_missing_version_file_is_said_and_not_invented() -> None:
    """Without ProjectVersion.txt the version is empty and the brief says what is assumed."""
    project = FakeProject(folders=("Assets", "ProjectSettings"))
    engine = detect(project.files, project.index)
    assert engine.editor_version == ""
    assert "Unity version: not stated" in engine.brief()
    assert "2022.3 is assumed" in engine.brief()


@pytest.mark.parametrize(
    ("project", "hint"),
    [
        (FakeProject({"README.md": "hello"}), "--project DIR"),
        (FakeProject({"Assets/a.txt": "x"}), "ProjectSettings is missing"),
        (FakeProject({"Assets": "a file", "ProjectSettings": "a file"}), "--project DIR"),
    ],
)
def test_any_other_folder_is_refused_with_the_line_that_helps(project: FakeProject, hint: str) -> None:
    """A folder that is no project ends with exit status 2, what was looked for, and what to do."""
    with pytest.raises(FatalError) as caught:
        detect(project.files, project.index)
    assert caught.value.exit_status == 2
    assert "Assets and ProjectSettings" in caught.value.message
    assert hint in caught.value.hint


def test_standing_inside_a_project_is_recognised() -> None:
    """Whoever stands in Assets is told to go one folder up."""
    project = FakeProject({"Scripts/a.cs": "class A {}"})
    project.files.root = project.files.root / "Assets"
    with pytest.raises(FatalError) as caught:
        detect(project.files, project.index)
    assert "--project .." in caught.value.hint


def test_starting_up_loads_no_grammar() -> None:
    """The grammar is loaded by the first check of a script, not by the daemon's start."""
    code = """
import sys
import spark.engines
from spark.core.paths import ProjectPath
from spark.engines.unity.check import check_file
from spark.engines.unity.csharp.check import CSharpContext
heavy = {"tree_sitter", "tree_sitter_c_sharp", "yaml", "asyncio"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
check_file(ProjectPath("Assets/A.cs"), b"class A { }", None, CSharpContext(frozenset(), frozenset()))
assert "tree_sitter" in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": "daemon"}, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
