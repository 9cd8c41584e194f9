"""What is read from a project's settings."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.paths import ProjectPath
from spark.engines.unity.assemblies import Assemblies, is_editor_code
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.editorconfig import style_of
from spark.engines.unity.facts import Facts, FactsReader, Style, language_version
from tests.engines.memory_project import FakeProject

PIPELINE_GUID = "abcdef0123456789abcdef0123456789"
PLAYER = """%YAML 1.1
%TAG !u! tag:unity3d.com,2011:
--- !u!129 &1
PlayerSettings:
  productName: 'My Game'
  m_ActiveColorSpace: 1
  scriptingDefineSymbols:
    1: STEAM;DEBUG_MENU
    Android: MOBILE
    WebGL:\x20
  additionalCompilerArguments: {}
  activeInputHandler: 1
"""
EDITOR = "EditorSettings:\n  m_SerializationMode: 2\n  m_ProjectGenerationRootNamespace: Acme.Game\n"


def facts_of(files: dict[str, bytes | str]) -> Facts:
    project = FakeProject(files, folders=("Assets", "ProjectSettings"))
    return FactsReader(project.files, project.index).facts()


def test_the_settings_of_a_full_project_are_read() -> None:
    """Version, product, symbols of the Standalone player, input, colours, serialization and root namespace."""
    facts = facts_of(
        {
            "ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2022.3.40f1\r\nm_EditorVersionWithRevision: x\r\n",
            "ProjectSettings/ProjectSettings.asset": PLAYER,
            "ProjectSettings/EditorSettings.asset": EDITOR,
            "Packages/manifest.json": '{"dependencies": {"com.unity.inputsystem": "1.7.0"}}',
            "Packages/com.acme.tools/package.json": "{}",
        }
    )
    assert facts.editor_version == "2022.3.40f1"
    assert facts.version == EditorVersion(2022, 3, 40)
    assert facts.product == "My Game"
    assert facts.symbols == ("DEBUG_MENU", "STEAM")
    assert facts.symbols_by_platform == {"Standalone": "STEAM;DEBUG_MENU", "Android": "MOBILE"}
    assert (facts.input, facts.color_space, facts.serialization) == ("new", "Linear", "text")
    assert facts.root_namespace == "Acme.Game"
    assert facts.packages == {"com.unity.inputsystem": "1.7.0"}
    assert facts.embedded_packages == ("com.acme.tools",)


@pytest.mark.parametrize(
    ("reference", "packages", "asset", "pipeline"),
    [
        ("{fileID: 0}", [], "", "Built-in"),
        ("{fileID: 0}", ["universal"], "", "Built-in"),
        (f"{{fileID: 11400000, guid: {PIPELINE_GUID}, type: 2}}", ["universal"], "", "URP"),
        (f"{{fileID: 11400000, guid: {PIPELINE_GUID},\n    type: 2}}", ["high-definition"], "", "HDRP"),
        (
            f"{{fileID: 11400000, guid: {PIPELINE_GUID}, type: 2}}",
            ["universal", "high-definition"],
            "m_Script: {fileID: 11500000, guid: 0cf1dab834d4ec34195b920ea7bbf9ec, type: 3}",
            "HDRP",
        ),
        (f"{{fileID: 11400000, guid: {PIPELINE_GUID}, type: 2}}", [], "", "custom"),
    ],
)
def test_the_render_pipeline_is_the_one_in_use(reference: str, packages: list[str], asset: str, pipeline: str) -> None:
    """An installed package alone is no pipeline; of two installed ones the asset's script decides."""
    facts = facts_of(
        {
            "ProjectSettings/GraphicsSettings.asset": f"GraphicsSettings:\n  m_CustomRenderPipeline: {reference}\n",
            "Packages/manifest.json": json.dumps(
                {"dependencies": {f"com.unity.render-pipelines.{name}": "14.0.0" for name in packages}}
            ),
            "Assets/Pipeline.asset": asset,
            "Assets/Pipeline.asset.meta": f"fileFormatVersion: 2\nguid: {PIPELINE_GUID}\n",
        }
    )
    assert facts.pipeline == pipeline
    assert ("no pipeline asset is set" in facts.pipeline_note) == (pipeline == "Built-in" and bool(packages))


@pytest.mark.parametrize(("handler", "expected"), [("0", "old"), ("1", "new"), ("2", "both")])
def test_input_handling_is_what_the_player_settings_say(handler: str, expected: str) -> None:
    """The number in the settings decides, not the installed package."""
    facts = facts_of({"ProjectSettings/ProjectSettings.asset": f"PlayerSettings:\n  activeInputHandler: {handler}\n"})
    assert facts.input == expected


def test_facts_are_read_again_only_when_a_file_changed() -> None:
    """A second look reads nothing; a changed settings file shows at once."""
    project = FakeProject({"ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2021.3.1f1\n"}, folders=("Assets",))
    reader = FactsReader(project.files, project.index)
    assert reader.facts().editor_version == "2021.3.1f1"
    project.reads.clear()
    assert reader.facts().editor_version == "2021.3.1f1"
    assert project.reads == []
    project.write("ProjectSettings/ProjectVersion.txt", "m_EditorVersion: 6000.0.1f1\n")
    assert reader.facts().editor_version == "6000.0.1f1"
    project.delete("ProjectSettings/ProjectVersion.txt")
    assert reader.facts().editor_version == ""


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300), st.text(max_size=200))
def test_odd_settings_never_raise(junk: bytes, text: str) -> None:
    """Files of any content count as not saying anything."""
    names = ["ProjectVersion.txt", "GraphicsSettings.asset", "ProjectSettings.asset", "EditorSettings.asset"]
    files: dict[str, bytes | str] = {f"ProjectSettings/{name}": junk for name in names}
    files |= {"Packages/manifest.json": text, "Assets/csc.rsp": text, ".editorconfig": text, "Assets/a.asmdef": junk}
    project = FakeProject(files)
    facts = FactsReader(project.files, project.index).facts()
    assert facts.pipeline == "Built-in"
    style_of(project.files, ProjectPath("Assets"))
    assert [assembly.path.text for assembly in Assemblies(project.files, project.index).listed()] == ["Assets/a.asmdef"]


def test_a_manifest_of_wrong_shapes_is_no_package() -> None:
    """Lists, numbers and nonsense in the manifest are skipped."""
    for text in ("[]", "7", '{"dependencies": []}', '{"dependencies": {"a": 1, "b": "2.0"}}', "{" * 3000):
        assert set(facts_of({"Packages/manifest.json": text}).packages) <= {"b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("-langversion:10", 10), ("-nullable\n/langversion:preview\n", 99), ("-langversion:x", None), ("-define:A", None)],
)
def test_a_response_file_may_raise_the_language_version(text: str, expected: float | None) -> None:
    """`csc.rsp` with -langversion wins over the Editor's C#."""
    assert language_version(text) == expected


@pytest.mark.parametrize(
    ("version", "defined", "absent", "csharp"),
    [
        ("2019.4.2f1", "UNITY_2019_4_OR_NEWER", "UNITY_2020_1_OR_NEWER", 7.3),
        ("2021.1.2f1", "UNITY_2021_1_OR_NEWER", "UNITY_2021_2_OR_NEWER", 8),
        ("2022.3.40f1", "UNITY_2022_3_OR_NEWER", "UNITY_2023_1_OR_NEWER", 9),
        ("6000.1.3f1", "UNITY_2023_3_OR_NEWER", "UNITY_6000_2_OR_NEWER", 9),
        ("6000.1.3f1", "UNITY_6000_1_OR_NEWER", "UNITY_6001_0_OR_NEWER", 9),
        ("99999999.5", "UNITY_EDITOR", "NEVER", 9),
    ],
)
def test_a_version_defines_its_symbols(version: str, defined: str, absent: str, csharp: float) -> None:
    """`OR_NEWER` symbols reach up to the version, and the compiler's C# follows from it."""
    parsed = EditorVersion.parse(version)
    assert defined in parsed.symbols()
    assert absent not in parsed.symbols()
    assert "UNITY_EDITOR" not in parsed.player_symbols()
    assert parsed.csharp == csharp


def asmdef(name: str, **more: object) -> str:
    return json.dumps({"name": name, **more})


def test_a_script_belongs_to_the_nearest_assembly() -> None:
    """The nearest definition upwards counts; a reference by guid or by name leads to its definition."""
    project = FakeProject(
        {
            "Assets/Game/Game.asmdef": asmdef("Game", rootNamespace="Acme", references=["GUID:1", "Other"]),
            "Assets/Game/Game.asmdef.meta": f"guid: {PIPELINE_GUID}\n",
            "Assets/Game/Editor/Game.Editor.asmdef": asmdef("Game.Editor", includePlatforms=["Editor"]),
            "Assets/More/ByGuid.asmref": json.dumps({"reference": f"GUID:{PIPELINE_GUID}"}),
            "Assets/Named/ByName.asmref": json.dumps({"reference": "Game.Editor"}),
            "Assets/Lost/Lost.asmref": json.dumps({"reference": "Nowhere"}),
        }
    )
    assemblies = Assemblies(project.files, project.index)

    def name_of(path: str) -> str | None:
        found = assemblies.of(ProjectPath(path))
        return found.name if found else None

    assert name_of("Assets/Game/Deep/Er/A.cs") == "Game"
    assert name_of("Assets/Game/Editor/A.cs") == "Game.Editor"
    assert name_of("Assets/More/A.cs") == "Game"
    assert name_of("Assets/Named/A.cs") == "Game.Editor"
    assert name_of("Assets/Lost/A.cs") is None
    assert name_of("Assets/A.cs") is None
    game = assemblies.of(ProjectPath("Assets/Game/A.cs"))
    assert game is not None
    assert game.references == ("GUID:1", "Other")
    assert game.root_namespace == "Acme"


def test_editor_folders_mean_nothing_below_an_assembly() -> None:
    """Without a definition the folder's name decides, with one its platforms do."""
    project = FakeProject({"Assets/Game/Game.asmdef": asmdef("Game")})
    assemblies = Assemblies(project.files, project.index)
    for path, expected in (("Assets/Editor/A.cs", True), ("Assets/A.cs", False), ("Assets/Game/Editor/A.cs", False)):
        assert is_editor_code(ProjectPath(path), assemblies.of(ProjectPath(path))) is expected


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("[*.cs]\nindent_style = tab\nend_of_line = crlf\ncharset = utf-8-bom\n", Style("\t", "\r\n", True)),
        ("root = true\n[*]\nindent_size = 2\n[*.{cs,shader}]\nend_of_line=lf # unix\n", Style("  ", "\n", None)),
        ("[*.json]\nindent_size = 2\n", Style()),
        ("[Assets/**.cs]\nindent_size = 3\n", Style()),
        ("no section\n= \n[\n", Style()),
        ("", Style()),
    ],
)
def test_editorconfig_sections_for_csharp_are_read(text: str, style: Style) -> None:
    """Only sections that name C# files count."""
    project = FakeProject({".editorconfig": text})
    assert style_of(project.files, ProjectPath("Assets/Scripts")) == style


def test_a_nearer_editorconfig_wins() -> None:
    """The folder's own file goes over the project's, and `root = true` hides what is above."""
    project = FakeProject(
        {
            ".editorconfig": "[*.cs]\nindent_size = 8\nend_of_line = crlf\n",
            "Assets/.editorconfig": "[*.cs]\nindent_size = 2\n",
            "Assets/Own/.editorconfig": "root = true\n[*.cs]\nindent_style = tab\n",
        }
    )
    assert style_of(project.files, ProjectPath("Assets/A")) == Style("  ", "\r\n")
    assert style_of(project.files, ProjectPath("Assets/Own")) == Style("\t")
