"""Where a new script goes."""

from __future__ import annotations

import json

import pytest

from spark.core.engine import ScriptPlace
from spark.core.errors import ToolRejected
from spark.engines import detect
from spark.engines.unity.place import MAX_SAMPLED
from tests.engines.memory_project import FakeProject


def script(
    name: str, base: str = "MonoBehaviour", namespace: str = "", indent: str = "    ", newline: str = "\n"
) -> str:
    lines = ["using UnityEngine;", f"public class {name} : {base}", "{", f"{indent}int x;", "}", ""]
    if namespace:
        lines = [lines[0], f"namespace {namespace}", "{", *(f"{indent}{line}" for line in lines[1:-1]), "}", ""]
    return newline.join(lines)


def place(
    files: dict[str, str | bytes],
    *,
    namespace: str | None = None,
    folder: str | None = None,
    base_class: str | None = "MonoBehaviour",
) -> ScriptPlace:
    project = FakeProject(files, folders=("Assets", "ProjectSettings"))
    engine = detect(project.files, project.index)
    return engine.place_script("New", namespace=namespace, folder=folder, base_class=base_class)


def test_an_empty_project_gets_the_usual_folder_and_style() -> None:
    """Without scripts: Assets/Scripts, no namespace, LF, no byte-order mark, four spaces, and one sentence why."""
    found = place({})
    assert found.path.text == "Assets/Scripts/New.cs"
    assert (found.namespace, found.newline, found.bom, found.indent) == (None, "\n", False, "    ")
    assert found.why.endswith(".")
    assert "no scripts of its own" in found.why


def test_scripts_of_the_same_base_class_draw_it() -> None:
    """The folder with most scripts of this base class wins over the one with most scripts."""
    files: dict[str, str | bytes] = {f"Assets/Code/P{n}.cs": script(f"P{n}", "IPlain") for n in range(5)}
    files |= {f"Assets/Actors/A{n}.cs": script(f"A{n}") for n in range(2)}
    files |= {"Assets/Data/D.cs": script("D", "UnityEngine.ScriptableObject")}
    assert place(files).path.text == "Assets/Actors/New.cs"
    assert place(files, base_class="ScriptableObject").path.text == "Assets/Data/New.cs"
    assert place(files, base_class=None).path.text == "Assets/Code/New.cs"
    assert place(files, base_class="Unheard").path.text == "Assets/Code/New.cs"
    assert "2 scripts with the base class MonoBehaviour lie there" in place(files).why


def test_assets_of_others_do_not_count() -> None:
    """Plugins, samples and tests do not draw a new script while the project has scripts of its own."""
    files: dict[str, str | bytes] = {f"Assets/Plugins/Big/A{n}.cs": script(f"A{n}") for n in range(9)}
    files |= {"Assets/Mine/B.cs": script("B")}
    assert place(files).path.text == "Assets/Mine/New.cs"


def test_editor_code_goes_into_an_editor_folder() -> None:
    """An Editor class goes where Editor code lies, else into Assets/Editor."""
    files: dict[str, str | bytes] = {"Assets/Scripts/A.cs": script("A")}
    assert place(files, base_class="EditorWindow").path.text == "Assets/Editor/New.cs"
    files["Assets/Tools/Editor/T.cs"] = script("T", "Editor")
    assert place(files, base_class="UnityEditor.EditorWindow").path.text == "Assets/Tools/Editor/New.cs"
    assert place(files).path.text == "Assets/Scripts/New.cs"


def test_an_explicit_folder_is_respected_and_fenced() -> None:
    """A given folder is taken, absolute or not; one outside the project is refused with the field's name."""
    assert place({}, folder="Assets/My Own/").path.text == "Assets/My Own/New.cs"
    assert place({}, folder="/somewhere/My Game/Assets/X").path.text == "Assets/X/New.cs"
    for folder in ("../out", "/etc", ""):
        with pytest.raises(ToolRejected) as caught:
            place({}, folder=folder)
        assert "folder" in caught.value.details["fields"]


def test_the_namespace_follows_its_order() -> None:
    """Given, then the assembly's root namespace, then the neighbours', then the project's, then none."""
    editor = "EditorSettings:\n  m_ProjectGenerationRootNamespace: Project.Root\n"
    files: dict[str, str | bytes] = {"ProjectSettings/EditorSettings.asset": editor}
    assert place(files).namespace == "Project.Root"
    files["Assets/Scripts/A.cs"] = script("A", namespace="Neighbours")
    assert place(files).namespace == "Neighbours"
    files["Assets/Scripts/Game.asmdef"] = json.dumps({"name": "Game", "rootNamespace": "Assembly.Root"})
    found = place(files)
    assert found.namespace == "Assembly.Root"
    assert "root namespace of Game.asmdef" in found.why
    assert place(files, namespace="Given.One").namespace == "Given.One"
    files = {"ProjectSettings/EditorSettings.asset": editor, "Assets/Scripts/A.cs": script("A")}
    assert place(files).namespace is None


def test_the_style_is_the_neighbours() -> None:
    """Line ends, byte-order mark and indentation are those that most scripts beside it have."""
    bom = b"\xef\xbb\xbf"
    files: dict[str, str | bytes] = {
        "Assets/Win/A.cs": bom + script("A", indent="\t", newline="\r\n").encode(),
        "Assets/Win/B.cs": bom + script("B", indent="\t", newline="\r\n").encode(),
        "Assets/Win/C.cs": script("C", indent="  "),
    }
    found = place(files)
    assert (found.newline, found.bom, found.indent) == ("\r\n", True, "\t")


def test_editorconfig_goes_over_the_neighbours() -> None:
    """A declared style is the project's will, even where its files do not follow it yet."""
    files: dict[str, str | bytes] = {
        "Assets/Win/A.cs": script("A", indent="\t", newline="\r\n"),
        ".editorconfig": "[*.cs]\nindent_size = 2\nend_of_line = lf\n",
    }
    found = place(files)
    assert (found.newline, found.indent) == ("\n", "  ")


def test_only_a_sample_is_read_and_each_file_once() -> None:
    """Of thousands of scripts a few hundred are read, and none again while it did not change."""
    files: dict[str, str | bytes] = {f"Assets/S{n % 40}/A{n}.cs": script(f"A{n}") for n in range(3 * MAX_SAMPLED)}
    project = FakeProject(files, folders=("ProjectSettings",))
    engine = detect(project.files, project.index)
    engine.place_script("New", namespace=None, folder=None, base_class="MonoBehaviour")
    assert 0 < sum(path.endswith(".cs") for path in project.reads) <= MAX_SAMPLED
    project.reads.clear()
    engine.place_script("New", namespace=None, folder=None, base_class="MonoBehaviour")
    assert not [path for path in project.reads if path.endswith(".cs")]


def test_unreadable_neighbours_are_passed_over() -> None:
    """Binary, huge or oddly encoded scripts do not stop the choice."""
    files: dict[str, str | bytes] = {
        "Assets/X/A.cs": b"\x00\x01",
        "Assets/X/B.cs": b"a" * 300_000,
        "Assets/X/C.cs": b"\xff\xfe\xe4class C : MonoBehaviour {",
        "Assets/Y/D.cs": script("D"),
        "Assets/Y/E.cs": script("E"),
    }
    assert place(files).path.text == "Assets/Y/New.cs"
