"""Scripts are found by the name of their class, and only those that Unity binds to a file."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.scripts import ScriptCache, Scripts
from tests.engines.memory_project import FakeProject

_HEAD = "using System;\nusing UnityEngine;\n"
_META = "fileFormatVersion: 2\nguid: "


def guid(path: str) -> str:
    return f"{sum(ord(char) * 31**at for at, char in enumerate(path)) % 16**31:031x}a"


def project_of(scripts: Mapping[str, str]) -> FakeProject:
    project = FakeProject()
    for path, text in scripts.items():
        project.write(path, _HEAD + text)
        project.write(path + ".meta", _META + guid(path))
    return project


def scripts_of(project: FakeProject, version: str = "2022.3.10f1", cache: ScriptCache | None = None) -> Scripts:
    parsed = EditorVersion.parse(version)
    return Scripts(project.files, project.index, version=parsed, symbols=lambda path: parsed.symbols(), cache=cache)


def refusal(scripts: Scripts, name: str, need: str | None = "MonoBehaviour") -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        scripts.find(name, need=need, where="components[0].type")  # type: ignore[arg-type]
    assert "components[0].type" in caught.value.message
    return caught.value


def test_a_class_is_found_by_its_simple_and_its_full_name() -> None:
    """With its path, guid, namespace, bases, kind and fields."""
    project = project_of(
        {
            "Assets/Scripts/Health.cs": "namespace Game.Core { public class Health : Damageable { public int max = 10; } }",
            "Assets/Scripts/Damageable.cs": "namespace Game.Core { public abstract class Damageable : MonoBehaviour { public float armour = 0.5f; } }",
        }
    )
    for name in ("Health", "Game.Core.Health"):
        found = scripts_of(project).find(name, need="MonoBehaviour")
        assert found.path == ProjectPath("Assets/Scripts/Health.cs")
        assert found.guid == guid("Assets/Scripts/Health.cs")
        assert (found.namespace, found.name, found.full_name) == ("Game.Core", "Health", "Game.Core.Health")
        assert found.bases == ("Game.Core.Damageable", "MonoBehaviour")
        assert found.kind == "MonoBehaviour"
        assert [(field.name, field.default) for field in found.fields] == [("armour", 0.5), ("max", 10)]
    assert refusal(scripts_of(project), "Other.Health").code == "not_found"


def test_several_classes_of_one_name_are_refused_with_their_paths() -> None:
    """The full name decides where it can; the same full name twice never does."""
    project = project_of(
        {
            "Assets/A/Door.cs": "namespace A { public class Door : MonoBehaviour {} }",
            "Assets/B/Door.cs": "namespace B { public class Door : MonoBehaviour {} }",
        }
    )
    caught = refusal(scripts_of(project), "Door")
    assert caught.code == "ambiguous_match"
    assert "Assets/A/Door.cs" in caught.message
    assert "Assets/B/Door.cs" in caught.message
    assert scripts_of(project).find("B.Door").path.text == "Assets/B/Door.cs"
    project.write("Assets/C/Door.cs", "namespace B { public class Door {} }")
    assert refusal(scripts_of(project), "B.Door").code == "ambiguous_match"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("public abstract class Thing : MonoBehaviour {}", "abstract"),
        ("public class Thing<T> : MonoBehaviour {}", "generic"),
        ("public static class Thing {}", "static"),
        ("public class Thing {}", "no MonoBehaviour"),
        ("public class Thing : ScriptableObject {}", "it is a ScriptableObject"),
        ("public class Thing : FromNowhere {}", "FromNowhere"),
    ],
)
def test_a_class_that_unity_adds_to_no_object_is_refused_with_why(source: str, why: str) -> None:
    """Abstract, generic, static, of another kind, or with a base class that is nowhere."""
    caught = refusal(scripts_of(project_of({"Assets/Thing.cs": source})), "Thing")
    assert caught.code == "invalid_arguments"
    assert why in caught.message


def test_editor_scripts_are_no_components() -> None:
    """By their folder, or by their assembly definition; a folder named Editor below one means nothing."""
    source = "public class Tool : MonoBehaviour {}"
    assert "Editor" in refusal(scripts_of(project_of({"Assets/Editor/Tool.cs": source})), "Tool").message
    asmdef = '{"name": "Tools", "includePlatforms": ["Editor"]}'
    assert "Editor" in refusal(scripts_of(_with_asmdef(source, asmdef)), "Tool").message
    plain = _with_asmdef(source, '{"name": "Tools"}', folder="Assets/T/Editor")
    assert scripts_of(plain).find("Tool", need="MonoBehaviour").name == "Tool"
    asset = project_of({"Assets/Editor/Data.cs": "public class Data : ScriptableObject {}"})
    assert scripts_of(asset).find("Data", need="ScriptableObject").name == "Data"


def _with_asmdef(source: str, asmdef: str, folder: str = "Assets/T") -> FakeProject:
    project = project_of({f"{folder}/Tool.cs": source})
    project.write("Assets/T/Tools.asmdef", asmdef)
    return project


def test_the_files_name_must_be_the_classes_before_unity_6() -> None:
    """Unity 6 also takes the only script class of a file of another name; several, nested or partial ones it does not."""
    project = project_of(
        {
            "Assets/Stuff.cs": "public class Lamp : MonoBehaviour { public int watt = 60; }",
            "Assets/Many.cs": "public class One : MonoBehaviour {} public class Two : MonoBehaviour {}",
            "Assets/Outer.cs": "public class Outer : MonoBehaviour { public class Inner : MonoBehaviour {} }",
        }
    )
    old, new = scripts_of(project, "2022.3.10f1"), scripts_of(project, "6000.0.42f1")
    caught = refusal(old, "Lamp")
    assert "Assets/Stuff.cs" in caught.message
    assert "Lamp.cs" in caught.message
    assert new.find("Lamp", need="MonoBehaviour").fields[0].default == 60
    assert new.fits(guid("Assets/Stuff.cs"), "Lamp") is True
    for name in ("One", "Inner"):
        assert refusal(old, name).code == "invalid_arguments"
        assert refusal(new, name).code == "invalid_arguments"


def test_a_script_without_a_meta_is_refused() -> None:
    """Nothing can refer to what Unity has not imported."""
    project = FakeProject({"Assets/Bare.cs": _HEAD + "public class Bare : MonoBehaviour {}"})
    assert refusal(scripts_of(project), "Bare").code == "broken_reference"


def test_a_class_that_is_nowhere_is_refused_with_near_names() -> None:
    """The hint names what is spelled nearly so."""
    project = project_of({"Assets/Health.cs": "public class Health : MonoBehaviour {}"})
    caught = refusal(scripts_of(project), "Heelth")
    assert caught.code == "not_found"
    assert "Health" in caught.hint


def test_classes_of_packages_are_found_where_these_are_on_disk() -> None:
    """A package of the manifest is looked through by file name; its fields, bases and constants count like the project's."""
    package = {
        "Packages/manifest.json": '{"dependencies": {"com.unity.ugui": "1.0.0", "com.gone": "1.0.0"}}',
        "Packages/com.unity.ugui/Runtime/UI/Image.cs": _HEAD
        + "namespace UnityEngine.UI { public class Image : MaskableGraphic { public enum Type { Simple, Sliced } [SerializeField] private Type m_Type = Type.Sliced; } }",
        "Packages/com.unity.ugui/Runtime/UI/Image.cs.meta": _META + "fe87c0e1cc204ed48ad3b37840f39efc",
        "Packages/com.unity.ugui/Runtime/UI/MaskableGraphic.cs": _HEAD
        + "namespace UnityEngine.UI { public abstract class MaskableGraphic : EventSystems.UIBehaviour { [SerializeField] Color m_Color = Color.white; } }",
        "Packages/com.unity.ugui/Runtime/EventSystem/UIBehaviour.cs": _HEAD
        + "namespace UnityEngine.EventSystems { public abstract class UIBehaviour : MonoBehaviour {} }",
    }
    project = FakeProject(package)
    found = scripts_of(project).find("Image", need="MonoBehaviour")
    assert found.guid == "fe87c0e1cc204ed48ad3b37840f39efc"
    assert [field.name for field in found.fields] == ["m_Color", "m_Type"]
    assert found.fields[1].default == 1
    assert found.notes == ()
    assert refusal(scripts_of(FakeProject()), "Image").code == "not_found"


def test_a_known_base_class_that_is_not_on_disk_leaves_its_fields_out() -> None:
    """The script is a component all the same; that fields are left out is said."""
    project = project_of({"Assets/Net.cs": "public class Net : Mirror.NetworkBehaviour { public int own = 1; }"})
    found = scripts_of(project).find("Net", need="MonoBehaviour")
    assert [field.name for field in found.fields] == ["own"]
    assert "NetworkBehaviour" in found.notes[0]


def test_types_of_other_files_count_where_their_assembly_is_referenced() -> None:
    """An enum in a file of another name is found; the same name in an assembly that is not referenced means nothing."""
    project = project_of(
        {
            "Assets/Game/Player.cs": "public class Player : MonoBehaviour { public Mode mode = Mode.Fast; public Team team; }",
            "Assets/Game/Types.cs": "public enum Mode { Slow, Fast = 4 }",
            "Assets/Demo/Mode.cs": "[Serializable] public class Mode { public int wrong; }",
            "Assets/Shared/Types.cs": "public enum Team { Red, Blue }",
        }
    )
    project.write("Assets/Game/Game.asmdef", '{"name": "Game", "references": ["Shared"]}')
    project.write("Assets/Demo/Demo.asmdef", '{"name": "Demo"}')
    project.write("Assets/Shared/Shared.asmdef", '{"name": "Shared"}')
    fields = scripts_of(project).find("Player").fields
    assert [(field.type.kind, field.default) for field in fields] == [("enum", 4), ("enum", 0)]


def test_a_partial_class_has_the_fields_of_all_its_parts() -> None:
    """The part in the file of its name is the one that Unity binds."""
    project = project_of(
        {
            "Assets/Hero.cs": "public partial class Hero : MonoBehaviour { public int a = 1; }",
            "Assets/Hero.Moves.cs": "public partial class Hero { public int b = 2; }",
        }
    )
    found = scripts_of(project).find("Hero", need="MonoBehaviour")
    assert found.path.text == "Assets/Hero.cs"
    assert sorted(field.name for field in found.fields) == ["a", "b"]


def test_what_unity_adds_with_a_component_is_named() -> None:
    """`[RequireComponent]` and `[DisallowMultipleComponent]`, also of base classes."""
    project = project_of(
        {
            "Assets/Base.cs": "[RequireComponent(typeof(Rigidbody), typeof(UnityEngine.AudioSource))] [DisallowMultipleComponent] public class Base : MonoBehaviour {}",
            "Assets/Leaf.cs": "[UnityEngine.RequireComponent(typeof(Other))] public class Leaf : Base {}",
            "Assets/Other.cs": "namespace N { public class Other : MonoBehaviour {} }",
        }
    )
    found = scripts_of(project).find("Leaf")
    assert found.requires == ("Other", "Rigidbody", "AudioSource")
    assert found.only_one
    assert not scripts_of(project).find("Other").only_one


def test_a_guid_leads_to_the_class_and_what_it_fits() -> None:
    """True for the class and its bases, false for others, None where nothing can be known."""
    project = project_of(
        {
            "Assets/Leaf.cs": "namespace N { public class Leaf : Base {} }",
            "Assets/Base.cs": "public class Base : MonoBehaviour {}",
            "Assets/Odd.cs": "public class Odd : Missing {}",
        }
    )
    scripts = scripts_of(project)
    leaf = guid("Assets/Leaf.cs")
    assert [scripts.fits(leaf, name) for name in ("Leaf", "N.Leaf", "Base", "MonoBehaviour", "Odd")] == [
        True,
        True,
        True,
        True,
        False,
    ]
    assert scripts.fits(guid("Assets/Odd.cs"), "Other") is None
    assert scripts.fits("f" * 32, "Leaf") is None
    found = scripts.of_guid(leaf)
    assert found is not None
    assert found.full_name == "N.Leaf"
    assert scripts.of_guid("f" * 32) is None


def test_only_candidates_are_read_and_nothing_twice() -> None:
    """A class whose types are plain is found without reading another script; a kept cache reads no file again."""
    many = {f"Assets/Other{number}.cs": "public class Other : MonoBehaviour {}" for number in range(50)}
    project = project_of(
        {**many, "Assets/Health.cs": "public class Health : MonoBehaviour { public int max; public Transform at; }"}
    )
    cache = ScriptCache()
    scripts_of(project, cache=cache).find("Health")
    assert not [path for path in project.reads if "Other" in path]
    project.reads.clear()
    assert scripts_of(project, cache=cache).find("Health").fields[0].default == 0
    assert [path for path in project.reads if path.endswith(".cs")] == []
    project.write("Assets/Health.cs", _HEAD + "public class Health : MonoBehaviour { public int max = 5; }")
    assert scripts_of(project, cache=cache).find("Health").fields[0].default == 5


def test_a_broken_script_gives_what_can_be_read_and_says_so() -> None:
    """Half-written code is no reason to fail; that fields may be missing is in the notes."""
    project = project_of(
        {"Assets/Half.cs": "public class Half : MonoBehaviour { public int a = 1; public int = ; ][ public float b; }"}
    )
    found = scripts_of(project).find("Half", need="MonoBehaviour")
    assert "a" in [field.name for field in found.fields]
    assert any("could be read" in note for note in found.notes)
