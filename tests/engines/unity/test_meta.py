"""`.meta` bodies and guids."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.paths import ProjectPath
from spark.engines import detect
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.meta import guid_in_meta, is_reserved, meta_body
from tests.engines.memory_project import FakeProject

GUID = "0123456789abcdef0123456789abcdef"
HEAD = f"fileFormatVersion: 2\nguid: {GUID}\n"
TAIL = "  userData: \n  assetBundleName: \n  assetBundleVariant: \n"
SCRIPT = (
    HEAD + "MonoImporter:\n  externalObjects: {}\n  serializedVersion: 2\n  defaultReferences: []\n"
    "  executionOrder: 0\n  icon: {instanceID: 0}\n" + TAIL
)
SCRIPTED = "ScriptedImporter:\n  internalIDToNameTable: []\n  externalObjects: {}\n  serializedVersion: 2\n" + TAIL


def native(file_id: int) -> str:
    return HEAD + f"NativeFormatImporter:\n  externalObjects: {{}}\n  mainObjectFileID: {file_id}\n" + TAIL


def plain(importer: str) -> str:
    return HEAD + f"{importer}:\n  externalObjects: {{}}\n" + TAIL


BODIES = {
    "Assets/A.cs": SCRIPT,
    "Assets/A.prefab": plain("PrefabImporter"),
    "Assets/A.unity": plain("DefaultImporter"),
    "Assets/A.mat": native(2100000),
    "Assets/A.asset": native(11400000),
    "Assets/A.anim": native(7400000),
    "Assets/A.physicMaterial": native(13400000),
    "Assets/A.asmdef": plain("AssemblyDefinitionImporter"),
    "Assets/A.asmref": plain("AssemblyDefinitionReferenceImporter"),
    "Assets/A.txt": plain("TextScriptImporter"),
    "Assets/A.md": plain("TextScriptImporter"),
    "Assets/A.json": plain("TextScriptImporter"),
    "Assets/A.xml": plain("TextScriptImporter"),
    "Assets/A.csv": plain("TextScriptImporter"),
    "Packages/a/package.json": plain("PackageManifestImporter"),
    "Assets/A.shader": HEAD
    + "ShaderImporter:\n  externalObjects: {}\n  defaultTextures: []\n  nonModifiableTextures: []\n"
    + TAIL,
    "Assets/A.uxml": HEAD + SCRIPTED + "  script: {fileID: 13804, guid: 0000000000000000e000000000000000, type: 0}\n",
    "Assets/A.uss": HEAD
    + SCRIPTED
    + "  script: {fileID: 12385, guid: 0000000000000000e000000000000000, type: 0}\n  disableValidation: 0\n",
    "Assets/A.shadergraph": HEAD
    + SCRIPTED
    + "  script: {fileID: 11500000, guid: 625f186215c104763be7675aa2d941aa, type: 3}\n",
    "Assets/A.inputactions": HEAD
    + SCRIPTED
    + "  script: {fileID: 11500000, guid: 8404be70184654265930450def6a9037, type: 3}\n"
    + "  generateWrapperCode: 0\n  wrapperCodePath: \n  wrapperClassName: \n  wrapperCodeNamespace: \n",
    "Assets/A.png": HEAD,
    "Assets/NoExtension": HEAD,
}


@pytest.mark.parametrize("path", BODIES)
def test_each_importer_has_its_exact_bytes(path: str) -> None:
    """The body of every kind of asset is what Unity writes, trailing spaces included."""
    assert meta_body(ProjectPath(path), GUID, EditorVersion.parse("2022.3.40f1")) == BODIES[path].encode()


def test_a_folder_has_its_own_body_whatever_its_name() -> None:
    """A folder named like a script is a folder."""
    expected = HEAD + "folderAsset: yes\nDefaultImporter:\n  externalObjects: {}\n" + TAIL
    assert meta_body(ProjectPath("Assets/My.cs"), GUID, EditorVersion.parse(""), folder=True) == expected.encode()


@pytest.mark.parametrize(
    ("version", "short"),
    [("", False), ("2019.4.1f1", False), ("2022.3.1f1", False), ("6000.0.42f1", False), ("6000.1.0f1", True)],
)
def test_scripts_have_two_lines_only_where_unity_writes_them_so(version: str, short: bool) -> None:
    """From Unity 6.1 on a new script's meta is the guid alone, without a line end behind it."""
    expected = HEAD.rstrip("\n") if short else SCRIPT
    assert meta_body(ProjectPath("Assets/A.cs"), GUID, EditorVersion.parse(version)) == expected.encode()


@pytest.mark.parametrize("path", BODIES)
def test_a_guid_is_read_back_from_each_body(path: str) -> None:
    """What was written is understood, also with CRLF and a byte-order mark."""
    body = BODIES[path].encode()
    for content in (
        body,
        body.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + body,
        body.rstrip(b"\n"),
        body.replace(b"abcdef", b"ABCDEF"),
    ):
        assert guid_in_meta(content) == GUID


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"fileFormatVersion: 2\n",
        b"guid: 123\n",
        b"  guid: " + GUID.encode(),
        b"<<<<<<< HEAD\nguid: " + GUID.encode() + b"\n=======\nguid: " + b"f" * 32 + b"\n>>>>>>> other\n",
        b"guid: " + GUID.encode() + b"\nguid: " + b"f" * 32 + b"\n",
        b"guid: " + b"g" * 32,
    ],
)
def test_no_guid_is_read_where_none_is_certain(content: bytes) -> None:
    """Missing, malformed, doubled or conflicting guids are none."""
    assert guid_in_meta(content) is None


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400))
def test_reading_a_guid_never_raises(content: bytes) -> None:
    """Any bytes give a guid or nothing."""
    found = guid_in_meta(content)
    assert found is None or re.fullmatch("[0-9a-f]{32}", found)


def test_new_guids_are_unique_in_the_project_and_never_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guid that is taken or belongs to Unity's built-in resources is thrown away and drawn again."""
    import uuid

    taken, reserved, good = GUID, "0000000000000000e000000000000001", "f" * 32
    draws = iter([taken, reserved, good])
    monkeypatch.setattr("spark.engines.unity.meta.uuid.uuid4", lambda: uuid.UUID(next(draws)))
    project = FakeProject({"Assets/A.cs.meta": SCRIPT}, folders=("ProjectSettings",))
    assert detect(project.files, project.index).new_guid() == good


def test_reserved_guids_are_known() -> None:
    """None, the built-in extra resources and the built-in resources are no asset's guid."""
    for guid in ("0" * 32, "0000000000000000e000000000000000", "0000000000000000f000000000000000"):
        assert is_reserved(guid)
    assert not is_reserved(GUID)
