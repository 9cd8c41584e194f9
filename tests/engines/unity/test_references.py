"""References as people write them become the ids that Unity writes, or are refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.references import AssetReferences
from spark.engines.unity.references.builtin import BUILTINS
from spark.engines.unity.references.kinds import _WANTED, MAINS, fits, is_known, wanted_reference
from spark.engines.unity.references.tables import import_facts, sprites
from spark.engines.unity.yaml.values import Ref
from tests.engines.memory_project import FakeProject
from tests.engines.unity.corpus import corpus_files

_HEAD = "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"
HEALTH = "d" * 32


def guid(number: int) -> str:
    return f"{number:032x}"


def meta(number: int, body: str = "") -> str:
    return f"fileFormatVersion: 2\nguid: {guid(number)}\n{body}"


PREFAB = (
    _HEAD
    + f"""\
--- !u!1 &100
GameObject:
  m_ObjectHideFlags: 0
  m_CorrespondingSourceObject: {{fileID: 0}}
  m_Component:
  - component: {{fileID: 101}}
  - component: {{fileID: 102}}
  m_Name: Tank
--- !u!4 &101
Transform:
  m_GameObject: {{fileID: 100}}
  m_Children:
  - {{fileID: 201}}
  - {{fileID: 301}}
  - {{fileID: 401}}
  m_Father: {{fileID: 0}}
--- !u!114 &102
MonoBehaviour:
  m_GameObject: {{fileID: 100}}
  m_Script: {{fileID: 11500000, guid: {HEALTH}, type: 3}}
  m_Name: health
--- !u!1 &200
GameObject:
  m_CorrespondingSourceObject: {{fileID: 0}}
  m_Component:
  - component: {{fileID: 201}}
  - component: {{fileID: 202}}
  m_Name: Gun/Left
--- !u!4 &201
Transform:
  m_GameObject: {{fileID: 200}}
  m_Children: []
  m_Father: {{fileID: 101}}
--- !u!65 &202
BoxCollider:
  m_GameObject: {{fileID: 200}}
--- !u!1 &300
GameObject:
  m_CorrespondingSourceObject: {{fileID: 0}}
  m_Component:
  - component: {{fileID: 301}}
  m_Name: Wheel
--- !u!4 &301
Transform:
  m_GameObject: {{fileID: 300}}
  m_Children: []
  m_Father: {{fileID: 101}}
--- !u!1 &400
GameObject:
  m_CorrespondingSourceObject: {{fileID: 0}}
  m_Component:
  - component: {{fileID: 401}}
  m_Name: Wheel
--- !u!4 &401
Transform:
  m_GameObject: {{fileID: 400}}
  m_Children: []
  m_Father: {{fileID: 101}}
"""
)
VARIANT = (
    _HEAD
    + f"""\
--- !u!1001 &7000
PrefabInstance:
  m_ObjectHideFlags: 0
  serializedVersion: 2
  m_Modification:
    m_TransformParent: {{fileID: 0}}
    m_Modifications: []
    m_RemovedComponents: []
  m_SourcePrefab: {{fileID: 100100000, guid: {guid(1)}, type: 3}}
"""
)
MIXER = (
    _HEAD
    + """\
--- !u!241 &24100000
AudioMixerController:
  m_Name: Main
--- !u!243 &243001
AudioMixerGroupController:
  m_Name: Master
--- !u!245 &245001
AudioMixerSnapshotController:
  m_Name: Master
"""
)
SETTINGS = (
    _HEAD
    + f"""\
--- !u!114 &11400000
MonoBehaviour:
  m_Script: {{fileID: 11500000, guid: {HEALTH}, type: 3}}
  m_Name: settings
"""
)
MESH = _HEAD + "--- !u!43 &4300000\nMesh:\n  m_Name: lump\n"
OLD_MODEL = """ModelImporter:
  serializedVersion: 23
  fileIDToRecycleName:
    100000: //RootNode
    100002: Turret
    400000: //RootNode
    2300000: //RootNode
    4300000: Hull
    4300002: Turret
    9500000: //RootNode
  externalObjects: {}
"""
NEW_MODEL = """ModelImporter:
  serializedVersion: 22200
  internalIDToNameTable:
  - first:
      74: 8440248360967096626
    second: Camera|Spin
  externalObjects: {}
  meshes:
    lODScreenPercentages: []
    fileIdsGeneration: 2
"""
SHEET = """TextureImporter:
  internalIDToNameTable:
  - first:
      213: -2664112245596591751
    second: run_0
  - first:
      213: 1950921086533113773
    second: run_1
  externalObjects: {}
  spriteMode: 2
  textureType: 8
  spriteSheet:
    serializedVersion: 2
    sprites:
    - serializedVersion: 2
      name: run_0
      internalID: -2664112245596591751
    nameFileIdTable:
      run_2: 537365749
"""
FILES: Mapping[str, str] = {
    "Assets/Tank.prefab": PREFAB,
    "Assets/Tank.prefab.meta": meta(1),
    "Assets/Fast Tank.prefab": VARIANT,
    "Assets/Fast Tank.prefab.meta": meta(2),
    "Assets/red.mat": _HEAD,
    "Assets/red.mat.meta": meta(3),
    "Assets/old.fbx": "binary",
    "Assets/old.fbx.meta": meta(4, OLD_MODEL),
    "Assets/new.fbx": "binary",
    "Assets/new.fbx.meta": meta(5, NEW_MODEL),
    "Assets/sheet.png": "png",
    "Assets/sheet.png.meta": meta(6, SHEET),
    "Assets/icon.png": "png",
    "Assets/icon.png.meta": meta(7, "TextureImporter:\n  spriteMode: 1\n  textureType: 8\n"),
    "Assets/wall.png": "png",
    "Assets/wall.png.meta": meta(8, "TextureImporter:\n  spriteMode: 0\n  textureShape: 1\n"),
    "Assets/sky.png": "png",
    "Assets/sky.png.meta": meta(9, "TextureImporter:\n  spriteMode: 0\n  textureShape: 2\n"),
    "Assets/fresh.png": "png",
    "Assets/fresh.png.meta": meta(10),
    "Assets/Main.mixer": MIXER,
    "Assets/Main.mixer.meta": meta(11),
    "Assets/settings.asset": SETTINGS,
    "Assets/settings.asset.meta": meta(12),
    "Assets/lump.asset": MESH,
    "Assets/lump.asset.meta": meta(13),
    "Assets/Health.cs": "class Health {}",
    "Assets/Health.cs.meta": f"fileFormatVersion: 2\nguid: {HEALTH}",
    "Assets/hit.wav": "wav",
    "Assets/hit.wav.meta": meta(14),
    "Assets/C# notes.txt": "text",
    "Assets/C# notes.txt.meta": meta(15),
    "Assets/raw.png": "png",
    "Assets/what.xyz": "?",
    "Assets/what.xyz.meta": meta(16),
    "Assets/lost.mat": "version https://git-lfs.github.com/spec/v1\n",
    "Assets/lost.mat.meta": "guid: none",
    "Assets/Levels/one.unity": _HEAD,
    "Assets/Levels/one.unity.meta": meta(17),
    "Assets/binary.asset": "\x00\x00\x00",
    "Assets/binary.asset.meta": meta(18),
    "ProjectSettings/TagManager.asset": "TagManager:\n  tags: []\n  layers:\n  - Default\n  - \n  - Walls\n  m_SortingLayers:\n  - a\n",
}


@pytest.fixture(name="references")
def _references() -> AssetReferences:
    project = FakeProject(FILES)

    def script_fits(script: str, wanted: str) -> bool | None:
        return wanted in ("Health", "Game.Health", "Damageable") if script == HEALTH else None

    return AssetReferences(project.files, project.index, script_fits=script_fits)


@pytest.mark.parametrize(
    ("value", "wanted", "found"),
    [
        (None, "Material", Ref()),
        ("Assets/red.mat", "", Ref(2100000, guid(3), 2)),
        ("Assets/red.mat", "UnityEngine.Material", Ref(2100000, guid(3), 2)),
        ("builtin:Cube", "Mesh", Ref(10202, "0000000000000000e000000000000000", 0)),
        ("builtin:Standard", "Shader", Ref(46, "0000000000000000f000000000000000", 0)),
        ("Assets/Tank.prefab", "", Ref(100, guid(1), 3)),
        ("Assets/Tank.prefab", "GameObject", Ref(100, guid(1), 3)),
        ("Assets/Tank.prefab", "Transform", Ref(101, guid(1), 3)),
        ("Assets/Tank.prefab", "Game.Health", Ref(102, guid(1), 3)),
        ("Assets/Tank.prefab", "Damageable", Ref(102, guid(1), 3)),
        ("Assets/Tank.prefab", "Prefab", Ref(100100000, guid(1), 3)),
        ("Assets/Tank.prefab#Tank", "GameObject", Ref(100, guid(1), 3)),
        ("Assets/Tank.prefab#Tank/Gun/Left", "GameObject", Ref(200, guid(1), 3)),
        ("Assets/Tank.prefab#Tank/Gun/Left:BoxCollider", "", Ref(202, guid(1), 3)),
        ("Assets/Tank.prefab#Tank/Gun/Left", "Collider", Ref(202, guid(1), 3)),
        ("Assets/Fast Tank.prefab", "GameObject", Ref(7000 ^ 100, guid(2), 3)),
        ("Assets/Fast Tank.prefab", "Transform", Ref(7000 ^ 101, guid(2), 3)),
        ("Assets/Fast Tank.prefab", "Health", Ref(7000 ^ 102, guid(2), 3)),
        ("Assets/old.fbx", "GameObject", Ref(100000, guid(4), 3)),
        ("Assets/old.fbx#Hull", "", Ref(4300000, guid(4), 3)),
        ("Assets/old.fbx#Turret", "Mesh", Ref(4300002, guid(4), 3)),
        ("Assets/old.fbx#Turret:GameObject", "", Ref(100002, guid(4), 3)),
        ("Assets/new.fbx", "GameObject", Ref(919132149155446097, guid(5), 3)),
        ("Assets/new.fbx", "AnimationClip", Ref(8440248360967096626, guid(5), 3)),
        ("Assets/new.fbx#Camera|Spin", "Motion", Ref(8440248360967096626, guid(5), 3)),
        ("Assets/sheet.png", "Texture2D", Ref(2800000, guid(6), 3)),
        ("Assets/sheet.png#run_1", "Sprite", Ref(1950921086533113773, guid(6), 3)),
        ("Assets/sheet.png#run_2", "", Ref(537365749, guid(6), 3)),
        ("Assets/icon.png", "Sprite", Ref(21300000, guid(7), 3)),
        ("Assets/icon.png", "Texture", Ref(2800000, guid(7), 3)),
        ("Assets/sky.png", "Texture", Ref(8900000, guid(9), 3)),
        ("Assets/fresh.png", "Texture2D", Ref(2800000, guid(10), 3)),
        ("Assets/Main.mixer", "AudioMixer", Ref(24100000, guid(11), 2)),
        ("Assets/Main.mixer#Master", "AudioMixerGroup", Ref(243001, guid(11), 2)),
        ("Assets/Main.mixer#Master:AudioMixerSnapshot", "", Ref(245001, guid(11), 2)),
        ("Assets/settings.asset", "", Ref(11400000, guid(12), 2)),
        ("Assets/settings.asset", "Health", Ref(11400000, guid(12), 2)),
        ("Assets/settings.asset", "ScriptableObject", Ref(11400000, guid(12), 2)),
        ("Assets/lump.asset", "Mesh", Ref(4300000, guid(13), 2)),
        ("Assets/Health.cs", "MonoScript", Ref(11500000, HEALTH, 3)),
        ("Assets/hit.wav", "AudioClip", Ref(8300000, guid(14), 3)),
        ("Assets/C# notes.txt", "TextAsset", Ref(4900000, guid(15), 3)),
        ("Assets/Levels/one.unity", "SceneAsset", Ref(102900000, guid(17), 3)),
        (
            {"fileID": "-8679921383154817045", "guid": "a" * 32, "type": 3},
            "Mesh",
            Ref(-8679921383154817045, "a" * 32, 3),
        ),
        ({"fileID": 0}, "", Ref()),
    ],
)
def test_a_reference_is_what_unity_would_write(
    references: AssetReferences, value: object, wanted: str, found: Ref
) -> None:
    """Path, object and wanted class decide the file id; the kind of asset decides the type."""
    assert references.reference(value, wanted=wanted, where="field") == found


@pytest.mark.parametrize(
    ("value", "wanted", "code"),
    [
        ("Assets/gone.mat", "", "broken_reference"),
        ("Assets/raw.png", "", "broken_reference"),
        ("Assets/lost.mat", "", "broken_reference"),
        ("Assets/Levels", "", "broken_reference"),
        ("Assets/red.mat", "Mesh", "invalid_arguments"),
        ("Assets/red.mat", "Game.Health", "invalid_arguments"),
        ("Assets/hit.wav", "GameObject", "invalid_arguments"),
        ("Assets/Health.cs", "Health", "invalid_arguments"),
        ("Assets/Tank.prefab", "Material", "invalid_arguments"),
        ("Assets/Tank.prefab", "Light", "broken_reference"),
        ("Assets/Tank.prefab#Tank/Nose", "", "broken_reference"),
        ("Assets/Tank.prefab#Tank/Wheel", "", "ambiguous_match"),
        ("Assets/Tank.prefab#Tank/Gun/Left:Light", "", "broken_reference"),
        ("Assets/Tank.prefab#Tank/Gun/Left:BoxCollider", "Light", "invalid_arguments"),
        ("Assets/new.fbx", "Mesh", "unsupported_asset"),
        ("Assets/new.fbx#Wheel", "", "unsupported_asset"),
        ("Assets/old.fbx", "Mesh", "ambiguous_match"),
        ("Assets/old.fbx#Turret", "", "ambiguous_match"),
        ("Assets/old.fbx#Hull", "Material", "unsupported_asset"),
        ("Assets/sheet.png", "Sprite", "broken_reference"),
        ("Assets/sheet.png#run_9", "", "broken_reference"),
        ("Assets/wall.png", "Sprite", "broken_reference"),
        ("Assets/fresh.png", "Sprite", "broken_reference"),
        ("Assets/sky.png", "Texture2D", "invalid_arguments"),
        ("Assets/Main.mixer#Master", "", "ambiguous_match"),
        ("Assets/Main.mixer#Gone", "", "broken_reference"),
        ("Assets/settings.asset", "Other", "invalid_arguments"),
        ("Assets/settings.asset", "Material", "invalid_arguments"),
        ("Assets/lump.asset", "Health", "invalid_arguments"),
        ("Assets/binary.asset", "", "unsupported_asset"),
        ("Assets/what.xyz", "", "unsupported_asset"),
        ("Assets/hit.wav#part", "", "unsupported_asset"),
        ("builtin:Teapot", "", "broken_reference"),
        ("builtin:Cube", "Material", "invalid_arguments"),
        ("../secret.mat", "", "path_outside_project"),
        ("", "", "invalid_arguments"),
        (5, "", "invalid_arguments"),
        ({"fileID": "1", "guid": "short", "type": 3}, "", "invalid_arguments"),
        ({"fileID": "1", "guid": "a" * 32}, "", "invalid_arguments"),
        ({"fileID": "1", "guid": "a" * 32, "type": 7}, "", "invalid_arguments"),
        ({"fileID": "9223372036854775808", "guid": "a" * 32, "type": 3}, "", "invalid_arguments"),
        ({"fileID": "1", "path": "x"}, "", "invalid_arguments"),
        ({"guid": "a" * 32}, "", "invalid_arguments"),
    ],
)
def test_what_is_not_certain_is_refused_by_name(
    references: AssetReferences, value: object, wanted: str, code: str
) -> None:
    """The refusal has a code of the contract and names the field; no id is made up."""
    with pytest.raises(ToolRejected) as caught:
        references.reference(value, wanted=wanted, where="field")
    assert caught.value.code == code
    assert "field" in caught.value.message or code == "path_outside_project"


def test_assets_of_the_same_change_have_their_pending_guid() -> None:
    """What is not on disk yet is found by the guid that its meta will have."""
    project = FakeProject()
    pending = {ProjectPath("Assets/new.mat"): "b" * 32, ProjectPath("Assets/new.asset"): "c" * 32}
    references = AssetReferences(project.files, project.index, pending=pending)
    assert references.reference("Assets/new.mat", where="f") == Ref(2100000, "b" * 32, 2)
    assert references.reference("Assets/new.asset", where="f") == Ref(11400000, "c" * 32, 2)
    with pytest.raises(ToolRejected):
        references.reference("Assets/other.mat", where="f")


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        (Ref(), "none"),
        (Ref(5), "#5"),
        (Ref(2100000, guid(3), 2), "Assets/red.mat"),
        (Ref(10202, "0000000000000000e000000000000000", 0), "builtin:Cube"),
        (Ref(10102, "0000000000000000e000000000000000", 0), "builtin:LegacyRuntime"),
        (Ref(99, "0000000000000000f000000000000000", 0), "builtin:99"),
        (Ref(4300000, guid(4), 3), "Assets/old.fbx#Hull"),
        (Ref(1950921086533113773, guid(6), 3), "Assets/sheet.png#run_1"),
        (Ref(100100000, guid(1), 3), "Assets/Tank.prefab"),
        (Ref(77, guid(1), 3), "Assets/Tank.prefab (77)"),
        (Ref(77, "f" * 32, 3), f"{'f' * 32} (77)"),
    ],
)
def test_a_reference_is_described_as_people_write_it(references: AssetReferences, ref: Ref, text: str) -> None:
    """The path where it is known, the name of a built-in resource, else the guid."""
    assert references.describe(ref) == text


def test_layers_are_the_projects_own(references: AssetReferences) -> None:
    """Names with their numbers; unnamed ones are none."""
    assert references.layers() == {"Default": 0, "Walls": 2}
    empty = FakeProject()
    assert AssetReferences(empty.files, empty.index).layers()["UI"] == 5


def test_an_engines_class_fits_where_its_base_is_wanted() -> None:
    """The engine's classes are known with their bases; a script's class is not known here."""
    assert fits("BoxCollider", "Collider") is True
    assert fits("RenderTexture", "Texture") is True
    assert fits("Material", "Mesh") is False
    assert fits("Material", "Health") is False
    assert fits("MonoBehaviour", "Health") is None
    assert fits("PhysicMaterial", "PhysicsMaterial") is True


def test_ids_of_main_objects_are_those_that_files_name() -> None:
    """In every file at hand, a reference to an asset's main kind of id has the type that is written for it here."""
    types = {(main.file_id, main.class_name): main.type for main in MAINS.values()}
    by_id = {file_id: kind for (file_id, _), kind in types.items()}
    assert by_id[2100000] == 2
    assert by_id[11500000] == 3
    wrong: list[str] = []
    for path in corpus_files(".prefab", ".unity", ".asset", ".mat"):
        text = path.read_bytes().decode("utf-8", "replace")
        for file_id, kind in re.findall(r"\{fileID: (-?\d+), guid: (?!0{16})[0-9a-f]{32},\s+type: (\d)\}", text):
            # Materials, clips and cube maps are imported too: out of models and pictures.
            if (
                int(file_id) in by_id
                and by_id[int(file_id)] != int(kind)
                and int(file_id) not in (2100000, 7400000, 8900000, 11400000)
            ):
                wrong.append(f"{path}: {file_id} {kind}")
    assert wrong == []


def test_built_in_names_are_unique_by_id() -> None:
    """Two names of one id are the same thing."""
    assert len({(one.guid, one.file_id) for one in BUILTINS.values()}) == len(BUILTINS) - 1


def test_every_meta_can_be_read() -> None:
    """A `.meta` of any form gives what it says or nothing, and never fails."""
    facts = import_facts(FILES["Assets/sheet.png.meta"].encode())
    assert [part.name for part in sprites(facts)] == ["run_0", "run_1", "run_2"]
    for odd in (
        b"",
        b"\xef\xbb\xbfguid: x",
        b"fileFormatVersion: 2\nTextureImporter: 5\n",
        b"<<<<<<< HEAD\n",
        b"a:\n\t- b",
    ):
        assert import_facts(odd).parts == ()
    for path in corpus_files(".meta"):
        found = import_facts(path.read_bytes())
        assert all(-(2**63) <= part.file_id < 2**63 for part in found.parts)


def test_fields_of_common_classes_say_what_they_refer_to() -> None:
    """By class and field where the key alone would not do; everything that is named is a class that is known."""
    assert wanted_reference("AnimatorState", ("m_Motion",)) == "Motion"
    assert wanted_reference("BoxCollider", ("m_Material",)) == "PhysicMaterial"
    assert wanted_reference("BoxCollider2D", ("m_Material",)) == "PhysicsMaterial2D"
    assert wanted_reference("AnimatorController", ("m_AnimatorLayers", "Array", "data", "m_Mask")) == "AvatarMask"
    assert wanted_reference("MonoBehaviour", ("m_Motion",)) == wanted_reference("AnimatorState", ()) == ""
    assert all(is_known(wanted) for wanted in _WANTED.values())


def test_a_motion_is_no_material_however_it_is_given() -> None:
    """A path and explicit ids of an asset of another class are refused; ids of what is not known stay as they are."""
    files: dict[str, bytes | str] = {
        "Assets/a.mat": "%YAML 1.1\n",
        "Assets/a.mat.meta": meta(1),
        "Assets/walk.anim": "%YAML 1.1\n",
        "Assets/walk.anim.meta": meta(2),
        "Assets/hit.wav": b"RIFF",
        "Assets/hit.wav.meta": meta(3),
    }
    project = FakeProject(files)
    references = AssetReferences(project.files, project.index)
    for wrong in ("Assets/a.mat", {"fileID": "2100000", "guid": guid(1), "type": 2}):
        with pytest.raises(ToolRejected) as caught:
            references.reference(wrong, wanted="Motion", where="m_Motion")
        assert "is a Material, not a Motion" in caught.value.message
    assert references.reference("Assets/walk.anim", wanted="Motion", where="m_Motion").guid == guid(2)
    assert references.reference("Assets/hit.wav", wanted="AudioResource", where="m_Resource").file_id == 8300000
    explicit = {"fileID": "2100000", "guid": guid(9), "type": 2}
    assert references.reference(explicit, wanted="Motion", where="m_Motion") == Ref(2100000, guid(9), 2)


def test_notes_are_kept_once() -> None:
    """What several properties say is one sentence in the answer."""
    project = FakeProject({})
    references = AssetReferences(project.files, project.index)
    references.note("a")
    references.note("a")
    assert references.notes == ["a"]
