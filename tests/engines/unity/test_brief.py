"""The project brief."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from spark.engines import detect
from spark.engines.unity.brief import MAX_CHARS, clean
from tests.engines.memory_project import FakeProject
from tests.engines.unity.test_facts import EDITOR, PLAYER

FILES: dict[str, bytes | str] = {
    "ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2022.3.40f1\n",
    "ProjectSettings/ProjectSettings.asset": PLAYER,
    "ProjectSettings/EditorSettings.asset": EDITOR,
    "Packages/manifest.json": json.dumps(
        {
            "dependencies": {
                "com.unity.inputsystem": "1.7.0",
                "com.unity.modules.physics": "1.0.0",
                "com.acme.secret": "https://user:password@example.org/x.git",
                "com.acme.local": "file:/home/somebody/packages/x",
            }
        }
    ),
    "Assets/Game/Game.asmdef": json.dumps(
        {"name": "Game", "rootNamespace": "Acme", "references": ["Unity.InputSystem"]}
    ),
    "Assets/Game/A.cs": "class A {}",
    ".editorconfig": "[*.cs]\nindent_style = tab\n",
    "AGENTS.md": "Use Odin. Builds lie in /home/somebody/builds. Ask name@example.org. api_key = sk-abcdefgh12345678\n",
}


def test_the_brief_states_the_facts_and_the_rules() -> None:
    """Exact facts from files, the limits of the version's C#, and the input rule that fits."""
    project = FakeProject(FILES)
    text = detect(project.files, project.index).brief()
    for fact in (
        "Name: My Game",
        "Unity version: 2022.3.40f1",
        "Render pipeline: Built-in",
        "Input handling: the Input System package",
        "com.unity.inputsystem 1.7.0",
        "- Game (Assets/Game, root namespace Acme, references Unity.InputSystem)",
        "Scripting define symbols: DEBUG_MENU, STEAM",
        "Root namespace: Acme.Game",
        ".editorconfig for C#: tabs",
        "C# scripts in Assets: 1",
        "Unity compiles C# 9 here: no file-scoped namespaces",
        "never UnityEngine.Input",
        "AGENTS.md: the project's own notes",
        "Use Odin.",
    ):
        assert fact in text
    assert "com.unity.modules" not in text
    assert len(text) <= MAX_CHARS


def test_the_brief_names_no_person_no_home_and_no_secret() -> None:
    """Home folders, addresses, keys and where packages come from stay out."""
    project = FakeProject(FILES)
    text = detect(project.files, project.index).brief()
    for leak in ("somebody", "name@", "example.org", "sk-abc", "user:password", "/home", str(project.files.root)):
        assert leak not in text
    assert "com.acme.secret (git)" in text
    assert "com.acme.local (local)" in text


def test_windows_and_mac_homes_are_cut_too() -> None:
    """A home folder is `~` whatever the platform."""
    assert clean(r"in C:\Users\Name\x and /Users/name/y, not /Assets/z") == "in ~ and ~, not /Assets/z"


def test_a_large_project_still_fits() -> None:
    """Many packages, assemblies, symbols and long notes are cut, and it says how many more there are."""
    files: dict[str, bytes | str] = dict(FILES)
    for number in range(200):
        files[f"Assets/Module{number}/Module{number}.asmdef"] = json.dumps({"name": f"Acme.Module{number}"})
    files["Packages/manifest.json"] = json.dumps({"dependencies": {f"com.acme.p{n}": "1.0.0" for n in range(200)}})
    files["AGENTS.md"] = "Notes. " * 5_000
    files["CLAUDE.md"] = "Others. " * 5_000
    project = FakeProject(files)
    text = detect(project.files, project.index).brief()
    assert len(text) <= MAX_CHARS
    assert "and 175 more" in text
    assert "- Give whole, compiling code" in text
    assert "Notes. Notes." in text


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=8_000), st.text(max_size=300))
def test_the_brief_has_its_limit_whatever_the_files_say(notes: str, product: str) -> None:
    """No text of the project can make the brief longer than its limit."""
    project = FakeProject(
        {
            "AGENTS.md": notes.encode("utf-8", "replace"),
            "ProjectSettings/ProjectSettings.asset": f"PlayerSettings:\n  productName: {product}\n".encode(
                "utf-8", "replace"
            ),
        },
        folders=("Assets", "ProjectSettings"),
    )
    assert len(detect(project.files, project.index).brief()) <= MAX_CHARS
