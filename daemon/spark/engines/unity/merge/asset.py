"""Which way a file is merged: Unity's YAML and metas by document and property, everything else by lines.

Byte order mark, line ends and final newline follow the side that changed them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from spark.core.paths import ProjectPath
from spark.engines.unity.merge.documents import Outcome, merge_versions
from spark.engines.unity.merge.version import NotByDocument, meta_version_of, version_of
from spark.engines.unity.yaml.split import is_yaml
from spark.text import merge as lines
from spark.text.merge import Conflict, Merge, marked_lines

MAX_BYTES: Final = 64 * 1024 * 1024
"""Larger files are not taken apart."""
_BOM: Final = b"\xef\xbb\xbf"
_LFS: Final = b"version https://git-lfs.github.com/spec/"
_META: Final = re.compile(rb"(?:\xef\xbb\xbf)?fileFormatVersion: ")


def merge_asset(path: ProjectPath | str, base: bytes, ours: bytes, theirs: bytes) -> Merge:
    """Both sides' changes to `base` (empty where both added the file). Raises `GivenUp` where nobody waits any
    more, and nothing else.

    `path` says what the file is where its bytes do not; it may be any name. What only one side changed is that side's,
    byte for byte; of what both changed, ours' bytes stay wherever ours did not lose. Documents are matched by file id and merged
    by property; what cannot be merged safely is a conflict.
    """
    if ours == theirs or base == theirs:
        return Merge(ours)
    if base == ours:
        return Merge(theirs)
    sides = (base, ours, theirs)
    if any(side.startswith(_LFS) for side in sides):
        return Merge(None, (Conflict("", "", "", 0, why="pointers of Git LFS are not merged"),))
    if max(len(side) for side in sides) <= MAX_BYTES:
        is_meta = _is_meta(str(path), *sides)
        if is_meta or (is_yaml(ours) and is_yaml(theirs) and (is_yaml(base) or not base)):
            merged = _by_document(sides, is_meta)
            if merged is not None:
                return merged
    return _by_lines(*sides)


def _is_meta(path: str, base: bytes, ours: bytes, theirs: bytes) -> bool:
    if path.endswith((".cs", ".txt", ".md")):
        return False
    return all(_META.match(side) for side in (ours, theirs, *([base] if base else [])))


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is around the text. `newline` is None where a file mixes line ends: it is then taken as it is."""

    bom: bool
    newline: bytes | None
    final_newline: bool

    @classmethod
    def of(cls, content: bytes) -> _Frame:
        windows = content.count(b"\r\n")
        mixed = 0 < windows < content.count(b"\n")
        newline = None if mixed else b"\r\n" if windows else b"\n"
        return cls(content.startswith(_BOM), newline, content.endswith(b"\n"))


def _by_document(sides: tuple[bytes, bytes, bytes], is_meta: bool) -> Merge | None:
    """None where the documents cannot be told apart."""
    frames = [_Frame.of(side) for side in sides]
    if not sides[0]:
        frames[0] = frames[2]  # both added the file: as ours has it
    plain = all(frame.newline is not None for frame in frames)
    base, ours, theirs = (_plain(side, plain) for side in sides)
    try:
        made = meta_version_of if is_meta else version_of
        outcome: Outcome = merge_versions(made(base), made(ours), made(theirs), is_meta=is_meta)
    except NotByDocument:
        return None
    bom, final_newline = (_pick(*(getattr(frame, name) for frame in frames)) for name in ("bom", "final_newline"))
    content = outcome.content
    if not (final_newline or outcome.conflicts):
        content = content.removesuffix(b"\n") if plain else content.removesuffix(b"\n").removesuffix(b"\r")
    if plain and _pick(*(frame.newline for frame in frames)) == b"\r\n":
        content = content.replace(b"\n", b"\r\n")
    if bom:
        content = _BOM + content
    return Merge(None, outcome.conflicts, content) if outcome.conflicts else Merge(content)


def _pick(base: object, ours: object, theirs: object) -> object:
    return theirs if ours == base else ours


def _plain(content: bytes, newlines: bool) -> bytes:
    content = content.removeprefix(_BOM)
    if newlines:
        content = content.replace(b"\r\n", b"\n")
    return content if content.endswith(b"\n") or not content else content + b"\n"


def _by_lines(base: bytes, ours: bytes, theirs: bytes) -> Merge:
    merged = lines.merge(base, ours, theirs)
    if merged.content is not None or merged.marked is not None:
        return merged
    if any(b"\x00" in side for side in (ours, theirs)):
        return Merge(None, (Conflict("", "", "", 0, why="the file is binary"),))
    why = "the file cannot be merged by lines: too large, not UTF-8, of mixed line ends, or an object would come twice"
    return Merge(None, (Conflict("", "", "", 0, why=why),), marked_lines([ours], [theirs]))
