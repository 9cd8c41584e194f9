"""A shader is found by its name, its file or a material's reference, wherever it is; what is not exact is refused by name."""

from __future__ import annotations

import pytest

from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.facts import Facts
from spark.engines.unity.shaders.find import MAX_FOLDERS, Shader, ShaderFinder
from spark.engines.unity.yaml.values import Ref
from tests.engines.memory_project import FakeProject
from tests.engines.unity.shaders.test_shadergraph import graph

URP = "com.unity.render-pipelines.universal"
HDRP = "com.unity.render-pipelines.high-definition"
LIT_GUID = "933532a4fcc9baf4fa0491de14d08ed7"


def meta(digit: str) -> str:
    return f"fileFormatVersion: 2\nguid: {digit * 32}\n"


def shader(name: str, properties: str = "") -> str:
    return f'Shader "{name}" {{ Properties {{ {properties} }} SubShader {{ Pass {{ }} }} }}\n'


def find(project: FakeProject, name: str, **facts: object) -> Shader:
    known = Facts(version=EditorVersion(2022, 3, 10), **facts)  # type: ignore[arg-type]
    return ShaderFinder(project.files, project.index, known).by_name(name)


def refused(project: FakeProject, name: str, **facts: object) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        find(project, name, **facts)
    return caught.value


def test_a_shader_of_the_project_is_found_by_its_name() -> None:
    """The name inside the file counts, not the file's; the reference is the one that Unity writes."""
    project = FakeProject(
        {"Assets/S/w.shader": shader("Nature/Water", '_A("a", Float) = 1'), "Assets/S/w.shader.meta": meta("a")}
    )
    found = find(project, "Nature/Water")
    assert found.ref == Ref(4800000, "a" * 32, 3)
    assert found.path == ProjectPath("Assets/S/w.shader")
    assert [known.name for known in found.head.properties] == ["_A"]


def test_a_graph_is_found_by_its_name_and_a_file_by_its_path() -> None:
    """A graph's reference has the graph importer's id; a path serves where a name does not."""
    project = FakeProject({"Assets/Glass.shadergraph": graph(), "Assets/Glass.shadergraph.meta": meta("b")})
    assert find(project, "Shader Graphs/Glass").ref == Ref(-6465566751694194690, "b" * 32, 3)
    assert find(project, "Assets/Glass.shadergraph").name == "Shader Graphs/Glass"
    assert refused(project, "Assets/None.shader").code == "not_found"


def test_two_shaders_of_one_name_are_not_chosen_between() -> None:
    """Where two files have the name, both are named; the path of one decides."""
    files = {"Assets/a.shader": shader("X"), "Assets/b.shader": shader("X")}
    project = FakeProject(files | {f"{path}.meta": meta(path[7]) for path in files})
    error = refused(project, "X")
    assert error.code == "ambiguous_match"
    assert error.details["candidates"] == ["Assets/a.shader", "Assets/b.shader"]
    assert find(project, "Assets/b.shader").ref.guid == "b" * 32


def test_a_shader_without_meta_is_refused() -> None:
    """A material cannot refer to what Unity has not imported."""
    assert refused(FakeProject({"Assets/a.shader": shader("X")}), "X").code == "broken_reference"


def test_a_broken_shader_names_its_line() -> None:
    """A shader whose properties do not parse is refused with file and line."""
    project = FakeProject(
        {"Assets/a.shader": 'Shader "X" {\nProperties {\n_A("a", Wrong)\n}}', "Assets/a.shader.meta": meta("a")}
    )
    error = refused(project, "X")
    assert error.code == "invalid_asset"
    assert "Assets/a.shader: line 3" in error.message


def test_built_in_shaders_have_their_ids() -> None:
    """Unity's own shaders are referred to by file id in the built-in resources."""
    project = FakeProject()
    assert find(project, "Standard").ref == Ref(46, "0000000000000000f000000000000000", 0)
    assert find(project, "Unlit/Color").ref.file_id == 10755
    error = refused(project, "Mobile/Diffuse")
    assert error.code == "unsupported_asset"
    assert "Standard" in error.details["known"]


def test_a_pipelines_shader_needs_the_package() -> None:
    """URP/Lit is not found in a project without URP; with it, the id is the package's, from its files or known."""
    project = FakeProject()
    assert refused(project, "Universal Render Pipeline/Lit").code == "not_found"
    known = find(project, "Universal Render Pipeline/Lit", packages={URP: "14.0.8"})
    assert (known.ref, known.source, known.version) == (Ref(4800000, LIT_GUID, 3), "known", (14, 0))
    old = refused(project, "Universal Render Pipeline/Lit", packages={URP: "10.8.1"})
    assert old.code == "unsupported_asset"
    project.write(f"Packages/{URP}/package.json", f'{{"name": "{URP}", "version": "10.8.1"}}')
    project.write(f"Packages/{URP}/Shaders/Lit.shader", shader("Universal Render Pipeline/Lit", '_New("n", Float) = 1'))
    on_disk = find(project, "Universal Render Pipeline/Lit", packages={URP: "10.8.1"})
    assert (on_disk.source, on_disk.version, on_disk.ref.guid) == ("package", (10, 8), LIT_GUID)
    assert [known.name for known in on_disk.head.properties] == ["_New"]


class CachedProject(FakeProject):
    """A project whose index does not list `Packages/`, as with packages in `Library/PackageCache`."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__(files)
        entries = self.index.entries
        self.index.entries = lambda folder=None: (e for e in entries(folder) if e.path.parts[0] != "Packages")  # type: ignore[method-assign]


def test_a_packages_shader_is_found_in_its_folders() -> None:
    """Files of a package in the cache are found by name, samples and tests that Unity hides are not."""
    project = CachedProject(
        {
            "Packages/com.x/Runtime/Deep/t.shader": shader("Toon"),
            "Packages/com.x/Runtime/Deep/t.shader.meta": meta("c"),
            "Packages/com.x/Samples~/s.shader": shader("Sample"),
        }
    )
    found = find(project, "Toon", packages={"com.x": "1.0.0"})
    assert (found.ref, found.source, found.package) == (Ref(4800000, "c" * 32, 3), "package", "com.x")
    assert refused(project, "Sample", packages={"com.x": "1.0.0"}).code == "not_found"
    assert MAX_FOLDERS > 100


def test_a_missing_name_gets_near_ones() -> None:
    """The refusal of an unknown name lists the nearest shaders that there are."""
    project = FakeProject({"Assets/w.shader": shader("Game/Water"), "Assets/w.shader.meta": meta("a")})
    error = refused(project, "Game/Watr")
    assert error.code == "not_found"
    assert error.details["near"][0] == "Game/Water"


def test_names_are_read_once_and_again_after_a_change() -> None:
    """A second search reads no shader anew; a changed file is read and found under its new name."""
    project = FakeProject(
        {f"Assets/{n}.shader": shader(f"S{n}") for n in range(5)}
        | {f"Assets/{n}.shader.meta": meta(str(n)) for n in range(5)}
    )
    find(project, "S3")
    project.reads.clear()
    find(project, "S3")
    assert [path for path in project.reads if path.endswith(".shader")] == []
    project.write("Assets/2.shader", shader("Renamed"))
    assert find(project, "Renamed").ref.guid == "2" * 32
    assert refused(project, "S2").code == "not_found"


def test_a_materials_reference_leads_back_to_the_shader() -> None:
    """by_ref finds built-in, project and package shaders, and answers None for what is not on disk."""
    project = FakeProject({"Assets/w.shader": shader("Water"), "Assets/w.shader.meta": meta("a")})
    finder = ShaderFinder(project.files, project.index, Facts(packages={URP: "17.0.3"}))
    for ref, name in (
        (Ref(4800000, "a" * 32, 3), "Water"),
        (Ref(46, "0000000000000000f000000000000000", 0), "Standard"),
        (Ref(4800000, LIT_GUID, 3), "Universal Render Pipeline/Lit"),
    ):
        found = finder.by_ref(ref)
        assert found is not None
        assert (found.name, found.ref) == (name, ref)
    assert finder.by_ref(Ref(4800000, "9" * 32, 3)) is None
    assert finder.by_ref(Ref(200, "0000000000000000f000000000000000", 0)) is None
    assert finder.by_ref(Ref()) is None
