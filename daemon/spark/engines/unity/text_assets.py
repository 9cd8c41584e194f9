"""Which bytes may be edited as text, and the checks of small text files other than scripts: metas, JSON.

What Unity serialises as YAML is judged in `checks`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from spark.core.paths import ProjectPath
from spark.engines.unity.csharp.problem import Problem
from spark.engines.unity.meta import guid_in_meta, is_reserved
from spark.engines.unity.words import words

LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
YAML_SUFFIXES: Final = words(
    ".unity .prefab .asset .mat .anim .controller .overridecontroller .mask .physicmaterial .physicsmaterial2d .playable "
    ".lighting .mixer .preset .rendertexture .shadervariants .terrainlayer .flare .cubemap .giparams .spriteatlas .brush "
    ".signal .fontsettings .guiskin"
)
JSON_SUFFIXES: Final = frozenset({".json", ".asmdef", ".asmref", ".inputactions"})
BINARY_SUFFIXES: Final = words(
    ".png .jpg .jpeg .gif .bmp .tga .tif .tiff .psd .psb .exr .hdr .dds .ico .fbx .blend .max .ma .mb .3ds .dae .abc .wav "
    ".mp3 .ogg .aif .aiff .flac .mp4 .mov .webm .avi .ttf .otf .dll .exe .so .dylib .a .lib .pdb .mdb .zip .gz .7z .rar "
    ".unitypackage .aar .jar .apk .bank .bundle .pdf .bytes"
)
_BOMS_NOT_UTF8: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_CONFLICT = re.compile(r"^(?:<{7} |>{7} |\|{7} )", re.MULTILINE)
_MAX_JSON_CHARS: Final = 8 * 1024 * 1024


def is_text(path: ProjectPath, content: bytes) -> bool:
    """Whether the bytes may be edited as text: UTF-8, no NUL, no pointer of Git LFS, no format that only looks like text."""
    if not path.is_meta and path.suffix in BINARY_SUFFIXES:
        return False
    if content.startswith((*_BOMS_NOT_UTF8, LFS_POINTER)) or b"\x00" in content:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def decoded(content: bytes) -> tuple[str, Problem | None]:
    """The text without a byte-order mark; or an empty text and what is wrong with the bytes."""
    code = "text/encoding"
    if content.startswith(LFS_POINTER):
        return "", lfs_pointer()
    if content.startswith(_BOMS_NOT_UTF8):
        return "", Problem(code, "the file is UTF-16 or UTF-32, not UTF-8", -1, "Save it as UTF-8.")
    if b"\x00" in content:
        return "", Problem(
            "text/nul", "the file holds NUL bytes", -1, "Remove them, or restore the file: it may be cut or binary."
        )
    try:
        return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8"), None
    except UnicodeDecodeError as error:
        return "", Problem(code, f"not UTF-8 ({error.reason})", -1, "Save it as UTF-8.")


def lfs_pointer() -> Problem:
    """No fault of the file: it is only not here, so nothing can be said of it."""
    message = "a pointer of Git LFS, not the file itself: it cannot be judged"
    return Problem("text/lfs-pointer", message, -1, "Run: git lfs pull", "info")


def conflict_problems(text: str) -> Iterator[Problem]:
    """The first mark of a merge that was never finished."""
    match = _CONFLICT.search(text)
    if match is not None:
        fix = "Keep one side and remove the marks."
        yield Problem("text/merge-conflict", "a merge conflict was left in the file", match.start(), fix)


def meta_problems(content: bytes, text: str, before: bytes | None) -> Iterator[Problem]:
    """A `.meta`: its format line, its guid, YAML that can be read and no unfinished merge. A guid that changed cuts every
    reference."""
    conflicts = list(conflict_problems(text))
    yield from (Problem("meta/merge-conflict", problem.message, problem.offset, problem.fix) for problem in conflicts)
    if not re.search(r"^fileFormatVersion: ?\d+[ \t]*$", text, re.MULTILINE):
        yield Problem("meta/format", "no line fileFormatVersion", -1, "Begin the file with: fileFormatVersion: 2")
    if not conflicts:
        yield from _meta_syntax(content)
    guid = guid_in_meta(content)
    if guid is None:
        if not conflicts:
            yield Problem(
                "meta/guid", "no single guid of 32 hexadecimal digits", -1, "Restore the guid that the asset had."
            )
        return
    if is_reserved(guid):
        yield Problem(
            "meta/guid", "the guid is reserved for Unity's own resources", text.find("guid:"), "Use a random guid."
        )
    old = guid_in_meta(before) if before is not None else None
    if old is not None and old != guid:
        message = f"the guid changed from {old}: whatever refers to the asset loses it"
        yield Problem("meta/guid-changed", message, text.find("guid:"), "Keep the guid.", "warning")


def _meta_syntax(content: bytes) -> Iterator[Problem]:
    from spark.engines.unity.yaml.errors import YamlError
    from spark.engines.unity.yaml.tree import parse

    body = content.removeprefix(b"\xef\xbb\xbf")
    try:
        parse(body)
    except YamlError as error:
        at = len(body[: error.offset].decode("utf-8", "replace"))
        fix = "Correct this line, or restore the .meta, keeping the guid."
        yield Problem("meta/syntax", error.message, at, fix)


def json_problems(path: ProjectPath, text: str) -> Iterator[Problem]:
    """JSON that does not parse; an assembly definition without a name."""
    if len(text) > _MAX_JSON_CHARS:
        return
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        yield Problem("json/syntax", f"not JSON: {error.msg}", error.pos, "Correct the JSON at this place.")
        return
    except (RecursionError, ValueError):
        yield Problem(
            "json/syntax", "not JSON that can be read: nested too deep or a number too long", -1, "Make it simpler."
        )
        return
    if path.suffix == ".asmdef" and not (
        isinstance(value, dict) and isinstance(value.get("name"), str) and value["name"]
    ):
        yield Problem("asmdef/name", "an assembly definition needs a name", -1, 'Add "name": "My.Assembly".')
