"""What one `.meta` says of itself: its guid, its importer, and faults in its bytes. Pure: bytes in. Knows no other file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from spark.core.paths import ProjectPath
from spark.engines.unity.checks.canonical import has_odd, is_canonical
from spark.engines.unity.checks.read import LOOSE_REFERENCE, is_utf8
from spark.engines.unity.csharp.problem import Problem
from spark.engines.unity.text_assets import decoded, meta_problems
from spark.engines.unity.words import words

_META: Final = re.compile(rb"(?:\xef\xbb\xbf)?fileFormatVersion: \d++\n(?:[ \t]*+\n)*+guid: ([0-9a-f]{32})(?:\n|\Z)")
_USUAL_BYTES: Final = 2_048
_IMPORTER: Final = re.compile(rb"\n([A-Za-z0-9]+Importer):[ \t]*(?:\n|\Z)")


class MetaRead(NamedTuple):
    """`references`: what stands behind `fileID:`. Offsets of `problems` count characters of `text`, which is empty where there
    are none."""

    text: str
    problems: list[Problem]
    guid: str
    importer: str
    is_folder: bool
    references: frozenset[bytes]


def read_meta(content: bytes) -> MetaRead:
    text = content.replace(b"\r\n", b"\n") if b"\r" in content else content
    found = _META.match(text)
    if found is None or found.group(1).startswith(b"0" * 16):
        return _damaged(content, text)
    rest = text[found.end() :]
    read = _usual(rest) if len(rest) < _USUAL_BYTES else _rest(rest)
    if read is None:
        return _damaged(content, text)
    return read._replace(guid=found.group(1).decode())


@lru_cache(maxsize=128)
def _usual(rest: bytes) -> MetaRead | None:
    """Most metas of one kind differ in nothing but the guid."""
    return _rest(rest)


def _rest(rest: bytes) -> MetaRead | None:
    """What stands behind the line of the guid, where it is as Unity writes it."""
    if rest and (
        rest.startswith(b"guid:")
        or b"\nguid:" in rest
        or b"<<<<<<<" in rest
        or b"=======" in rest
        or b">>>>>>>" in rest
        or not (rest.isascii() or is_utf8(rest))
        or has_odd(rest)
    ):
        return None
    whole = rest if rest[-1:] == b"\n" or not rest else rest + b"\n"
    return _read(b"\n" + rest, "", "", []) if is_canonical(whole, 0, len(whole), meta=True) else None


def _damaged(content: bytes, text: bytes) -> MetaRead:
    from spark.engines.unity.csharp.scan import unified_newlines
    from spark.engines.unity.meta import guid_in_meta

    shown, unreadable = decoded(content)
    if unreadable is not None:
        return MetaRead("", [unreadable], "", "", False, frozenset())
    shown = unified_newlines(shown)
    return _read(text, guid_in_meta(content) or "", shown, list(meta_problems(content, shown, None)))


def _read(text: bytes, guid: str, shown: str, problems: list[Problem]) -> MetaRead:
    # Searched for by the speed of C, then looked at.
    at = text.find(b"Importer:")
    importer = _IMPORTER.search(text, text.rfind(b"\n", 0, at)) if at >= 0 else None
    return MetaRead(
        shown,
        problems,
        guid,
        importer.group(1).decode() if importer is not None else "",
        b"\nfolderAsset: yes" in text,
        frozenset(LOOSE_REFERENCE.findall(text)) if b"fileID" in text else frozenset(),
    )


# --- importers ----------------------------------------------------------------------------------------------------------

_ANY: Final = frozenset({"", "DefaultImporter", "ScriptedImporter"})
"""Unity falls back to the one, and a package may bring the other for any name."""
_OF_SUFFIXES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "MonoImporter": words(".cs .js .boo"),
        "TextureImporter": words(
            ".png .jpg .jpeg .gif .bmp .tga .tif .tiff .psd .psb .exr .hdr .iff .pict .pct .pic .dds"
        ),
        "ModelImporter": words(".fbx .obj .blend .max .ma .mb .3ds .dae .dxf .c4d .jas .lxo .skp .mb"),
        "AudioImporter": words(".wav .mp3 .ogg .aif .aiff .flac .mod .it .s3m .xm .aifc"),
        "ShaderImporter": words(".shader"),
        "ComputeShaderImporter": words(".compute"),
        "PrefabImporter": words(".prefab"),
        "AssemblyDefinitionImporter": words(".asmdef"),
        "AssemblyDefinitionReferenceImporter": words(".asmref"),
        "TrueTypeFontImporter": words(".ttf .otf .ttc .dfont"),
    }
)
"""Importers that serve these names and no others."""
_OF_ONE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        ".cs": frozenset({"MonoImporter"}),
        ".shader": frozenset({"ShaderImporter"}),
        ".compute": frozenset({"ComputeShaderImporter"}),
        ".asmdef": frozenset({"AssemblyDefinitionImporter"}),
        ".asmref": frozenset({"AssemblyDefinitionReferenceImporter"}),
        # Up to 2018.2 prefabs were imported like all other native assets.
        ".prefab": frozenset({"PrefabImporter", "NativeFormatImporter"}),
        ".mat": frozenset({"NativeFormatImporter"}),
        ".unity": frozenset(),
    }
)
"""Names that these importers serve and no others, but for those of `_ANY`."""


def wrong_importer(name: str, importer: str) -> str:
    """What is wrong with the importer that the `.meta` of a file names; empty where Unity may have chosen it."""
    if importer in _ANY:
        return ""
    _, dot, suffix = name.rpartition(".")
    suffix = (dot + suffix).lower()
    served = _OF_SUFFIXES.get(importer)
    serving = _OF_ONE.get(suffix)
    if (served is None or suffix in served) and (serving is None or importer in serving):
        return ""
    return f"{importer} is not what Unity imports {suffix or 'such'} files with: it would drop these settings"


OTHER_IMPORTER: Final = (
    "Restore the .meta that belongs to the asset, keeping the guid, or keep only its first two lines."
)


def importer_problem(path: ProjectPath, content: bytes, text: str) -> list[Problem]:
    """The same by the offset in a text whose line ends are `\\n`."""
    importer = read_meta(content).importer
    message = wrong_importer(path.asset.name, importer)
    at = text.find(f"\n{importer}:") + 1
    return [Problem("meta/importer", message, at, OTHER_IMPORTER, "warning")] if message else []
