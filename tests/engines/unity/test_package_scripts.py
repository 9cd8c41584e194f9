"""Classes and assemblies of packages in the cache, with the real index, which does not list them."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark.adapters.file_index import FileIndex, finish
from spark.adapters.project_files import FencedFiles
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.asmdef import new_asmdef
from spark.engines.unity.facts import FactsReader
from spark.engines.unity.hierarchy.world import World
from spark.engines.unity.package_scripts import PackageScripts, packages
from spark.engines.unity.scripts import ScriptCache

_UI = "Library/PackageCache/com.unity.ugui@1.0.0"
FILES = {
    "ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2022.3.10f1\n",
    "Assets/Panel.cs": "using UnityEngine.UI; public class Panel : Image { public Image other; public int own = 2; }",
    "Assets/Panel.cs.meta": f"fileFormatVersion: 2\nguid: {'1' * 32}\n",
    "Packages/manifest.json": '{"dependencies": {"com.unity.ugui": "1.0.0"}}',
    "Packages/packages-lock.json": '{"dependencies": {"com.unity.ugui": {"version": "1.0.0"}, "com.unity.more": {"version": "2.0.0"}}}',
    f"{_UI}/package.json": '{"name": "com.unity.ugui", "version": "1.0.0"}',
    f"{_UI}/Runtime/UnityEngine.UI.asmdef": '{"name": "UnityEngine.UI"}',
    f"{_UI}/Runtime/UI/Core/Image.cs": (
        "namespace UnityEngine.UI { public class Image : UnityEngine.MonoBehaviour { "
        "[UnityEngine.SerializeField] Type m_Type = Type.Sliced; public enum Type { Simple, Sliced } } }"
    ),
    f"{_UI}/Runtime/UI/Core/Image.cs.meta": "fileFormatVersion: 2\nguid: fe87c0e1cc204ed48ad3b37840f39efc\n",
    f"{_UI}/Tests/Image.cs": "public class Image {}",
    f"{_UI}/Samples~/Image.cs": "public class Image {}",
}


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return tmp_path


def world_of(root: Path, cache: ScriptCache | None = None) -> World:
    index = FileIndex(root)
    finish(index.full_scan())
    files = FencedFiles(root)
    return World(files, index, FactsReader(files, index).facts(), script_cache=cache)


def test_a_class_of_the_cache_is_found_with_its_guid_and_fields(root: Path) -> None:
    """Also as a base class; tests and samples of the package are no scripts of the project."""
    world = world_of(root)
    image = world.scripts.find("Image", need="MonoBehaviour")
    assert image.path == ProjectPath("Packages/com.unity.ugui/Runtime/UI/Core/Image.cs")
    assert image.guid == "fe87c0e1cc204ed48ad3b37840f39efc"
    panel = world.scripts.find("Panel", need="MonoBehaviour")
    assert [(field.name, field.default) for field in panel.fields if field.type.kind != "object"] == [
        ("m_Type", 1),
        ("own", 2),
    ]
    assert world.scripts.fits("1" * 32, "UnityEngine.UI.Image") is True
    assert world.scripts.fits("fe87c0e1cc204ed48ad3b37840f39efc", "Panel") is False


def test_assemblies_of_the_cache_may_be_referred_to(root: Path) -> None:
    """A package that is in the lock but not on disk may have what is not found; without one it is refused."""
    path = ProjectPath("Assets/Game.asmdef")
    assert "notes" not in new_asmdef(path, {"references": ["UnityEngine.UI"]}, world_of(root)).result
    assert "com.unity.more" in new_asmdef(path, {"references": ["Unity.More"]}, world_of(root)).result["notes"][0]
    (root / "Packages/packages-lock.json").unlink()
    with pytest.raises(ToolRejected) as caught:
        new_asmdef(path, {"references": ["Unity.More"]}, world_of(root))
    assert caught.value.code == "broken_reference"


def test_a_package_is_looked_through_once_for_each_version(root: Path) -> None:
    """A kept cache answers until Unity puts another version there."""
    files, known = FencedFiles(root), PackageScripts()
    assert packages(files) == ["com.unity.more", "com.unity.ugui"]
    assert len(known.named("Image", files)) == 1
    (root / _UI / "Runtime/UI/Core/Text.cs").write_text("class Text {}")
    assert known.named("Text", files) == []
    (root / _UI / "package.json").write_text('{"name": "com.unity.ugui", "version": "1.0.1"}')
    assert [path.name for path in known.named("Text", files)] == ["Text.cs"]
