"""Which project is meant, and paths as people type them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from spark.cli.places import attachment, find_project, project_path, project_text
from spark.core.errors import FatalError, ToolRejected
from tests.cli.conftest import make_project


def test_named_project_wins(tmp_path: Path) -> None:
    """`--project` is taken even where the current folder lies in another project."""
    other = make_project(tmp_path / "other")
    here = make_project(tmp_path / "here")
    assert find_project(str(other), here) == other.resolve()
    assert find_project("../other", here) == other.resolve()


def test_named_folder_must_be_a_project(tmp_path: Path) -> None:
    """A folder without Assets/ and ProjectSettings/ is wrong usage, and the message says what is missing."""
    (tmp_path / "Assets").mkdir()
    with pytest.raises(FatalError, match="ProjectSettings") as caught:
        find_project(str(tmp_path), tmp_path)
    assert caught.value.exit_status == 2


def test_upwards_nearest_first(tmp_path: Path) -> None:
    """Upwards from the current folder, the nearest project is meant; a project below is not looked for then."""
    outer = make_project(tmp_path / "outer")
    inner = make_project(outer / "Assets" / "Samples" / "inner")
    deep = inner / "Assets" / "Scripts"
    deep.mkdir()
    assert find_project(None, deep) == inner.resolve()
    assert find_project(None, outer / "Assets") == outer.resolve()


def test_only_one_below(tmp_path: Path) -> None:
    """The only project within three levels below is taken; a fourth level, hidden folders and Library/ are not looked at."""
    project = make_project(tmp_path / "a" / "b" / "game")
    make_project(tmp_path / "a" / "b" / "c" / "too-deep")
    make_project(tmp_path / ".cache" / "hidden")
    make_project(tmp_path / "Library" / "cached")
    assert find_project(None, tmp_path) == project.resolve()


def test_several_below_are_listed(tmp_path: Path) -> None:
    """Several projects below: exit status 2 and the list of them."""
    names = [make_project(tmp_path / name) for name in ("one", "two")]
    with pytest.raises(FatalError) as caught:
        find_project(None, tmp_path)
    assert caught.value.exit_status == 2
    assert all(str(name) in caught.value.message for name in names)


def test_none_found_says_where_it_looked(tmp_path: Path) -> None:
    """No project anywhere: exit status 2, what was looked at, and how to name one."""
    with pytest.raises(FatalError) as caught:
        find_project(None, tmp_path)
    assert caught.value.exit_status == 2
    assert str(tmp_path) in caught.value.message
    assert "--project" in caught.value.hint


def test_a_link_to_a_project_means_its_real_folder(tmp_path: Path) -> None:
    """A checkout is a real path: through a link the same project is found."""
    real = make_project(tmp_path / "real")
    (tmp_path / "link").symlink_to(real)
    assert find_project(str(tmp_path / "link"), tmp_path) == real.resolve()
    assert find_project(None, tmp_path / "link" / "Assets") == real.resolve()


def test_paths_relative_to_the_current_folder(tmp_path: Path) -> None:
    """A path may be relative to the project, to the current folder (also with ..), or absolute inside the project."""
    root = make_project(tmp_path / "game").resolve()
    scripts = root / "Assets" / "Scripts"
    scripts.mkdir()
    (scripts / "A.cs").write_text("", encoding="utf-8")
    for cwd, raw in (
        (root, "Assets/Scripts/A.cs"),
        (scripts, "A.cs"),
        (scripts, "./A.cs"),
        (root / "ProjectSettings", "../Assets/Scripts/A.cs"),
        (scripts, "Assets/Scripts/A.cs"),
        (tmp_path, "game/Assets/Scripts/A.cs"),
        (tmp_path, str(scripts / "A.cs")),
        (root, "Assets/Scripts/A.cs/"),
    ):
        assert project_path(root, cwd, raw).text == "Assets/Scripts/A.cs", (cwd, raw)


def test_paths_of_files_that_are_gone(tmp_path: Path) -> None:
    """History is asked for deleted files too: a path from the project's root stays what it is."""
    root = make_project(tmp_path / "game").resolve()
    assert project_text(root, root / "Assets", "Assets/Gone.cs") == "Assets/Gone.cs"
    assert project_text(root, root / "Assets", "Gone.cs") == "Assets/Gone.cs"


def test_paths_outside_are_refused(tmp_path: Path) -> None:
    """A path that leads out of the project is refused with its code."""
    root = make_project(tmp_path / "game").resolve()
    for raw in ("../elsewhere.cs", "/etc/passwd", "Library/Cache.bin"):
        with pytest.raises(ToolRejected) as caught:
            project_path(root, root, raw)
        assert caught.value.code == "path_outside_project"


def test_attachments_keep_their_object(tmp_path: Path) -> None:
    """An attachment's path is made relative to the project; its object part and `@selection` stay as they are."""
    root = make_project(tmp_path / "game").resolve()
    (root / "Assets" / "P.prefab").write_text("", encoding="utf-8")
    assert attachment(root, root / "Assets", "P.prefab#Root/Body") == "Assets/P.prefab#Root/Body"
    assert attachment(root, root / "Assets", "@selection") == "@selection"


def test_folders_that_may_not_be_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without permission below is no project, and no crash."""
    project = make_project(tmp_path / "game")
    (tmp_path / "locked").mkdir()
    stat = os.stat

    def refusing(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        if "locked" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", refusing)
    assert find_project(None, tmp_path) == project.resolve()
