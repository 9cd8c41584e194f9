"""References from one file to another: whether the asset is there, and the object in it.

Owns what a guid leads to and how bad it is when it leads nowhere. Asks for facts of files; reads bytes only to say where in
a file a reference stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from spark.core.diagnostics import Finding, Severity
from spark.core.paths import ProjectPath
from spark.engines.unity.checks.facts import FileFacts
from spark.engines.unity.checks.inside import ListKeys
from spark.engines.unity.checks.names import is_hidden
from spark.engines.unity.meta import is_reserved
from spark.engines.unity.words import words

_NATIVE: Final = words(
    ".prefab .mat .asset .anim .controller .overridecontroller .mask .physicmaterial .physicsmaterial2d .playable "
    ".rendertexture .terrainlayer .lighting .preset .mixer .signal .guiskin .shadervariants .flare"
)
"""Assets whose objects have the file ids that stand in the file: what is imported otherwise makes ids of its own."""
_WHOLE_PREFAB: Final = b"100100000"
_SCRIPT: Final = b"11500000"
_KEY: Final = re.compile(rb" *+(?:- )*+(?:([^\n:{}]++): *+)?+")
_FILE_ID: Final = re.compile(rb"\{\s*fileID\s*:\s*(-?\d+)\s*,")
_SCRIPTS: Final = frozenset({b"m_Script"})
_SCRIPT_FILES: Final = words(".cs .dll .js .boo")
_NO_PREFABS: Final = (_NATIVE - {".prefab"}) | words(
    ".cs .txt .json .md .xml .csv .unity .shader .hlsl .cginc .compute .asmdef .asmref .png .jpg .jpeg .gif .bmp .tga .tif "
    ".tiff .exr .hdr .wav .mp3 .ogg .aif .aiff .mp4 .mov .ttf .otf .dll"
)
"""Files in which no importer finds a prefab; a model is one, and a package may make one of any other name."""
_PREFABS: Final = frozenset({b"m_SourcePrefab", b"m_ParentPrefab"})
_DERIVED: Final = frozenset(
    {
        b"target",
        b"m_CorrespondingSourceObject",
        b"m_PrefabParentObject",
        b"m_PrefabInternal",
        b"m_RemovedComponents",
        b"m_RemovedGameObjects",
        b"targetCorrespondingSourceObject",
    }
)
"""What an instance keeps of its prefab: Unity leaves stale ones behind, and they harm nobody."""
_MAX_PLACES: Final = 1_000


class Target(NamedTuple):
    """What a guid leads to. `state`: `there`, `gone` (a `.meta` without its asset), `hidden` (where Unity does not look),
    `unknown`, or `built-in`."""

    state: str
    path: ProjectPath | None = None


BUILT_IN: Final = Target("built-in")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file names a guid. `key` is the property (`m_Script`), empty for an item of a list."""

    line: int
    column: int
    key: bytes


def target_of(
    guid: str, path_of_guid: Callable[[str], ProjectPath | None], exists: Callable[[ProjectPath], bool]
) -> Target:
    if is_reserved(guid):
        return BUILT_IN
    path = path_of_guid(guid)
    if path is None:
        return Target("unknown")
    if is_hidden(path.text):
        return Target("hidden", path)
    return Target("there" if exists(path) else "gone", path)


def lines_of(references: bytes) -> Iterator[tuple[str, bytes]]:
    """Guid and file id of each reference of `FileFacts.references`."""
    for line in references.split(b"\n") if references else ():
        yield line[:32].decode("ascii"), line[33:]


def lacks(path: ProjectPath, file_id: bytes, facts: Callable[[ProjectPath], FileFacts | None]) -> bool:
    """Whether it is certain that an asset has no object with this file id."""
    if file_id == b"0":
        return False
    if path.suffix == ".cs":
        return file_id != _SCRIPT
    if path.suffix not in _NATIVE or (path.suffix == ".prefab" and file_id == _WHOLE_PREFAB):
        return False
    found = facts(path)
    if found is None or found.kind != "yaml" or found.is_open or not found.ids.strip():
        return False
    return not found.has(file_id)


def places_of(content: bytes, guid: str, file_id: bytes | None = None) -> list[Place]:
    """Where a file names a guid (with `file_id`: this object of it), in order; at most a thousand."""
    wanted = guid.encode()
    searched = content if wanted in content else content.lower()
    found: list[Place] = []
    at = searched.find(wanted)
    line, counted = 1, 0
    keys = ListKeys(content)
    while at >= 0 and len(found) < _MAX_PLACES:
        opened = content.rfind(b"{", max(0, at - 200), at)
        inside = content[opened:at] if opened >= 0 else b""
        if b"}" in inside:
            opened, inside = -1, b""
        named = _FILE_ID.match(inside)
        if file_id is None or (named is not None and named.group(1) == file_id):
            begin = opened if opened >= 0 else at
            start = content.rfind(b"\n", 0, begin) + 1
            line += content.count(b"\n", counted, begin)
            counted = begin
            found.append(Place(line, begin - start + 1, _key(content, start, begin, keys)))
        at = searched.find(wanted, at + 32)
    return found


def _key(content: bytes, start: int, begin: int, keys: ListKeys) -> bytes:
    """The property whose value begins there; of an item, that of its list."""
    match = _KEY.fullmatch(content, max(start, begin - 500), begin)
    if match is None:
        return b""
    return match.group(1) or keys.of(start)


def missing_asset(
    path: ProjectPath, guid: str, target: Target, places: list[Place], *, worst: Severity = "warning"
) -> Finding | None:
    """One finding for all places where a file names an asset that is not there; None where only stale data does.

    `worst`: how bad it is where neither a script nor a prefab is lost.
    """
    serious = [place for place in places if place.key not in _DERIVED]
    if not serious:
        return None
    name = str(target.path) if target.path is not None else f"guid {guid}"
    kind, fix = "asset", "Restore the asset with its .meta, or choose another one."
    severity = worst
    where = next((place for place in serious if place.key in _SCRIPTS), None)
    if where is not None:
        kind, severity = "script", "error"
        fix = "Restore the script with its .meta, or remove the component."
    else:
        where = next((place for place in serious if place.key in _PREFABS), None)
        if where is not None:
            kind, severity = "prefab", "error"
            fix = "Restore the prefab with its .meta, or remove the instance."
    where = where or serious[0]
    key = where.key.decode("utf-8", "replace") or "an item"
    message = f"{key} refers to the {kind} {name}, which is not there" + (
        ", only its .meta" if target.state == "gone" else ""
    )
    if target.state == "hidden":
        message = f"{key} refers to the {kind} {name}, which lies where Unity does not look"
    more = len(serious) - 1
    message += f" (and {more} more places)" if more > 1 else (" (and one more place)" if more else "")
    return Finding(f"reference/missing-{kind}", severity, path.text, where.line, where.column, message, fix)


def may_be_misused(path: ProjectPath, file_id: bytes) -> bool:
    """Whether a reference with this file id may take an asset for a script or prefab that is none."""
    if file_id == _SCRIPT:
        return path.suffix not in _SCRIPT_FILES
    return file_id == _WHOLE_PREFAB and path.suffix in _NO_PREFABS


def misused(path: ProjectPath, target: ProjectPath, places: list[Place]) -> Finding | None:
    """A script or prefab is wanted, and the asset that is there is none."""
    is_script, is_prefab = target.suffix in _SCRIPT_FILES, target.suffix not in _NO_PREFABS
    for place in places:
        if place.key in _SCRIPTS and not is_script:
            kind, fix = "script", "Choose a script, or remove the component."
        elif place.key in _PREFABS and not is_prefab:
            kind, fix = "prefab", "Choose a prefab or a model, or remove the instance."
        else:
            continue
        message = f"{place.key.decode()} refers to {target}, which is no {kind}"
        return Finding(f"reference/missing-{kind}", "error", path.text, place.line, place.column, message, fix)
    return None


def missing_object(
    path: ProjectPath, target: ProjectPath, file_id: bytes, places: list[Place], *, worst: Severity = "warning"
) -> Finding | None:
    """A reference into an asset that has no such object; None where only stale data of an instance names it."""
    serious = [place for place in places if place.key not in _DERIVED]
    if not serious:
        return None
    where = serious[0]
    key = where.key.decode("utf-8", "replace") or "an item"
    message = f"{key} refers to object {file_id.decode('ascii', 'replace')} of {target}, which has no such object"
    fix = "Let it refer to an object that is there: outline the asset to see its ids."
    return Finding("reference/missing-object", worst, path.text, where.line, where.column, message, fix)
