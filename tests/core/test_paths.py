"""The lexical half of the fence: which paths from outside are accepted, and how the others are refused."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.errors import ToolRejected
from spark.core.paths import MAX_PART_BYTES, ROOTS, ProjectPath, check_writable, is_short_name

NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    "raw",
    [
        "Assets/Player.cs",
        "Assets/Größe/日本語.prefab",
        "Assets/My Folder/a b.cs",
        "Packages/com.me.tool/Editor/X.cs",
        "ProjectSettings/TagManager.asset",
        "Assets",
        "Assets/.hidden",
        "Assets/#1 [x] (y) {z} 'q' $v.mat",
    ],
)
def test_plain_paths_of_the_project_are_accepted(raw: str) -> None:
    """Spaces, other alphabets and punctuation that every platform stores are fine."""
    assert ProjectPath.parse(raw).text == raw


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "invalid_arguments"),
        ("/etc/passwd", "path_outside_project"),
        ("C:/Windows/win.ini", "path_outside_project"),
        ("c:x", "path_outside_project"),
        ("//server/share/x", "path_outside_project"),
        ("../x.cs", "path_outside_project"),
        ("Assets/../ProjectSettings/x.asset", "path_outside_project"),
        ("Assets/..", "path_outside_project"),
        ("Library/x.cs", "path_outside_project"),
        ("Temp/x", "path_outside_project"),
        (".git/config", "path_outside_project"),
        (".spark/stage/x", "path_outside_project"),
        ("assets/x.cs", "path_outside_project"),
        ("Assets//x.cs", "invalid_arguments"),
        ("Assets/./x.cs", "invalid_arguments"),
        ("Assets/x.cs/", "invalid_arguments"),
        ("Assets/a\\b.cs", "invalid_arguments"),
        ("Assets/x.cs:stream", "invalid_arguments"),
        ("Assets/x\x00.cs", "invalid_arguments"),
        ("Assets/x\n.cs", "invalid_arguments"),
        ("Assets/.gi\u200dt/config", "invalid_arguments"),
        ("Assets/\u202egnp.cs", "invalid_arguments"),
        ("Assets/x.", "invalid_arguments"),
        ("Assets/x ", "invalid_arguments"),
        ("Assets/con.cs", "invalid_arguments"),
        ("Assets/COM¹", "invalid_arguments"),
        ("Assets/lpt9.txt", "invalid_arguments"),
        ("Assets/" + "x" * (MAX_PART_BYTES + 1), "invalid_arguments"),
        ("Assets/" + "ä" * 128, "invalid_arguments"),
        ("Assets/" + "x/" * 600 + "y", "invalid_arguments"),
        ("Assets/" + unicodedata.normalize("NFD", "Größe.cs"), "invalid_arguments"),
        ("Assets/\ud800.cs", "invalid_arguments"),
    ],
)
def test_other_paths_are_refused_naming_the_field(raw: str, code: str) -> None:
    """Each refusal has its code, the field's name and a hint that would have worked."""
    with pytest.raises(ToolRejected) as refused:
        ProjectPath.parse(raw, field="filePath")
    assert refused.value.code == code
    assert "filePath" in refused.value.details["fields"]
    assert "Assets/" in refused.value.hint


def test_absolute_paths_inside_the_project_are_made_relative() -> None:
    """On Windows with either slash and any case of the project folder; a sibling with the same beginning is outside."""
    assert ProjectPath.parse("/home/me/game/Assets/A.cs", root="/home/me/game").text == "Assets/A.cs"
    assert ProjectPath.parse("c:\\Game\\Assets\\A.cs", root="C:\\game", windows=True).text == "Assets/A.cs"
    for outside in ("/home/me/game2/Assets/A.cs", "/home/me/game/../x", "/home/me/game"):
        with pytest.raises(ToolRejected) as refused:
            ProjectPath.parse(outside, root="/home/me/game")
        assert refused.value.code == "path_outside_project"


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40) | st.lists(st.sampled_from(["..", ".", "Assets", "a", "~", "", "\\", "con"])).map("/".join))
def test_whatever_is_accepted_stays_below_a_top_folder(raw: str) -> None:
    """Parse either refuses with one of two codes, or gives a normalised path without any way up."""
    try:
        path = ProjectPath.parse(raw)
    except ToolRejected as refused:
        assert refused.code in ("path_outside_project", "invalid_arguments")  # noqa: PT017
        return
    assert path.parts[0] in ROOTS
    assert not {"", ".", ".."} & set(path.parts)
    assert not raw.startswith("/")
    assert unicodedata.normalize("NFC", path.text) == path.text == raw


def test_parts_of_a_path() -> None:
    """Name, stem, suffix, parent, meta and asset are what Unity developers expect of them."""
    path = ProjectPath("Assets/Scripts/Player.Move.CS")
    assert (path.name, path.stem, path.suffix) == ("Player.Move.CS", "Player.Move", ".cs")
    assert path.parent == ProjectPath("Assets/Scripts")
    assert path.meta.text == "Assets/Scripts/Player.Move.CS.meta"
    assert path.meta.is_meta
    assert path.meta.asset == path
    assert ProjectPath("Assets").parent is None
    assert ProjectPath("Assets/.hidden").suffix == ""
    assert path.is_under(ProjectPath("Assets"))
    assert not ProjectPath("AssetsX/a").is_under(ProjectPath("Assets"))


@pytest.mark.parametrize(
    ("raw", "writable"),
    [
        ("Assets/A.cs", True),
        ("Assets", False),
        ("Packages/com.me.tool/A.cs", True),
        ("Packages/com.unity.ugui/A.cs", False),
        ("Packages/manifest.json", False),
        ("Packages/com.me.tool", False),
        ("ProjectSettings/TagManager.asset", True),
        ("ProjectSettings/ProjectSettings.asset", False),
        ("ProjectSettings/projectsettings.ASSET", False),
        ("ProjectSettings/ProjectVersion.txt", False),
        ("ProjectSettings/Deep/X.asset", False),
        ("Assets/Sub/.git/hooks/post-checkout", False),
        ("Assets/.GIT/config", False),
        ("Assets/.spark/x", False),
        ("Assets/.gitattributes", False),
        ("Assets/Deep/.GitAttributes", False),
        ("Packages/com.me.tool/.GITMODULES", False),
        ("Assets/.gitconfig", False),
        ("Assets/.gitmodules/x", False),
        ("Assets/a.gitattributes", True),
        ("Assets/.gitignore", True),
    ],
)
def test_what_may_be_written(raw: str, writable: bool) -> None:
    """Assets, embedded packages and settings assets but ProjectSettings.asset, never what git obeys; all else is protected_path."""
    path = ProjectPath.parse(raw)
    if writable:
        check_writable(path, embedded_packages=frozenset({"com.me.tool"}))
        return
    with pytest.raises(ToolRejected) as refused:
        check_writable(path, embedded_packages=frozenset({"com.me.tool"}))
    assert refused.value.code == "protected_path"


def test_short_names_are_recognised() -> None:
    """Windows' 8.3 aliases look like a tilde and a number at the end of the stem."""
    assert is_short_name(ProjectPath("Assets/PROGRA~1/a.cs"))
    assert is_short_name(ProjectPath("Assets/LONGNA~12.CS"))
    assert not is_short_name(ProjectPath("Assets/a~b.cs"))
    assert not is_short_name(ProjectPath("Assets/Samples~/a.cs"))
