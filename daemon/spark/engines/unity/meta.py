"""`.meta` files: the bodies that Unity's importers write for new assets, byte for byte, and reading a guid back.

Unity accepts a meta of two lines for every asset and fills the rest in at the next import, keeping the guid; the full
body keeps that import from showing up as a change in version control.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

from spark.core.paths import ProjectPath
from spark.core.ports import ProjectIndex
from spark.engines.unity.editor_version import EditorVersion

_TAIL: Final = "  userData: \n  assetBundleName: \n  assetBundleVariant: \n"
_SCRIPT: Final = (
    "MonoImporter:\n  externalObjects: {}\n  serializedVersion: 2\n  defaultReferences: []\n  executionOrder: 0\n"
    "  icon: {instanceID: 0}\n" + _TAIL
)
_SHADER: Final = "ShaderImporter:\n  externalObjects: {}\n  defaultTextures: []\n  nonModifiableTextures: []\n" + _TAIL
_NATIVE_IDS: Final = {
    ".anim": 7400000,
    ".asset": 11400000,
    ".controller": 9100000,
    ".cubemap": 8900000,
    ".flare": 12100000,
    ".lighting": 4890085278179872738,
    ".mask": 31900000,
    ".mat": 2100000,
    ".mixer": 24100000,
    ".overridecontroller": 22100000,
    ".physicmaterial": 13400000,
    ".physicsmaterial2d": 6200000,
    ".playable": 11400000,
    ".preset": 2655988077585873504,
    ".rendertexture": 8400000,
    ".shadervariants": 20000000,
    ".terrainlayer": 8574412962073106934,
}
_PLAIN_IMPORTERS: Final = {
    ".asmdef": "AssemblyDefinitionImporter",
    ".asmref": "AssemblyDefinitionReferenceImporter",
    ".cginc": "ShaderIncludeImporter",
    ".compute": "ComputeShaderImporter",
    ".csv": "TextScriptImporter",
    ".hlsl": "ShaderIncludeImporter",
    ".json": "TextScriptImporter",
    ".md": "TextScriptImporter",
    ".prefab": "PrefabImporter",
    ".txt": "TextScriptImporter",
    ".unity": "DefaultImporter",
    ".vfx": "VisualEffectImporter",
    ".xml": "TextScriptImporter",
}
_SCRIPTED: Final = {
    ".shadergraph": "  script: {fileID: 11500000, guid: 625f186215c104763be7675aa2d941aa, type: 3}\n",
    ".uxml": "  script: {fileID: 13804, guid: 0000000000000000e000000000000000, type: 0}\n",
    ".uss": "  script: {fileID: 12385, guid: 0000000000000000e000000000000000, type: 0}\n  disableValidation: 0\n",
    ".inputactions": (
        "  script: {fileID: 11500000, guid: 8404be70184654265930450def6a9037, type: 3}\n"
        "  generateWrapperCode: 0\n  wrapperCodePath: \n  wrapperClassName: \n  wrapperCodeNamespace: \n"
    ),
}
_TWO_LINE_SCRIPTS_SINCE: Final = EditorVersion(6000, 1)
"""From here on Unity writes only the guid for a new script, without a line end behind it."""
_GUID_LINE = re.compile(rb"^guid:[ \t]*([0-9a-fA-F]{32})[ \t]*$", re.MULTILINE)
_CONFLICT = re.compile(rb"^(?:<{7}|={7}|>{7}|\|{7})", re.MULTILINE)
_RESERVED: Final = "0" * 16


def meta_body(path: ProjectPath, guid: str, version: EditorVersion, *, folder: bool = False) -> bytes:
    """The `.meta` that the Editor of this version writes for a new asset or folder at `path`."""
    head = f"fileFormatVersion: 2\nguid: {guid}\n"
    if folder:
        return (head + "folderAsset: yes\n" + _plain("DefaultImporter")).encode("ascii")
    suffix = path.suffix
    if suffix == ".cs" and version >= _TWO_LINE_SCRIPTS_SINCE:
        return head.rstrip("\n").encode("ascii")
    return (head + _importer(path.name, suffix)).encode("ascii")


def _importer(name: str, suffix: str) -> str:
    if suffix == ".cs":
        return _SCRIPT
    if name == "package.json":
        return _plain("PackageManifestImporter")
    if suffix == ".shader":
        return _SHADER
    if suffix in _NATIVE_IDS:
        return f"NativeFormatImporter:\n  externalObjects: {{}}\n  mainObjectFileID: {_NATIVE_IDS[suffix]}\n" + _TAIL
    if suffix in _SCRIPTED:
        head = "ScriptedImporter:\n  internalIDToNameTable: []\n  externalObjects: {}\n  serializedVersion: 2\n"
        return head + _TAIL + _SCRIPTED[suffix]
    if suffix in _PLAIN_IMPORTERS:
        return _plain(_PLAIN_IMPORTERS[suffix])
    return ""


def _plain(importer: str) -> str:
    return f"{importer}:\n  externalObjects: {{}}\n" + _TAIL


def guid_in_meta(content: bytes) -> str | None:
    """The guid of a `.meta`, in lower case; None where there is none, more than one, or an unresolved merge."""
    text = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if _CONFLICT.search(text):
        return None
    found = {match.lower() for match in _GUID_LINE.findall(text)}
    return found.pop().decode("ascii") if len(found) == 1 else None


def is_reserved(guid: str) -> bool:
    """Whether a guid names no asset of a project: none at all, or one of Unity's built-in resources."""
    return guid.startswith(_RESERVED)


def new_guid(index: ProjectIndex) -> str:
    """A random guid that no asset of the project has."""
    while True:
        guid = uuid.uuid4().hex
        if not is_reserved(guid) and index.path_of_guid(guid) is None:
            return guid
