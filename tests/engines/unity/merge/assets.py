"""Own small assets to merge, edits of them by exact text, and what a result means."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from spark.engines.unity.merge import merge_asset
from spark.engines.unity.merge.fit import broken
from spark.engines.unity.merge.version import version_of
from spark.engines.unity.yaml.values import Value
from spark.text.merge import Merge

FOLDER: Final = Path(__file__).resolve().parents[3] / "fixtures" / "unity" / "merge"
NAMES: Final = ("Level.unity", "Tank.prefab", "Paint.mat", "TagManager.asset")


def asset(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def edited(content: bytes, *edits: tuple[str, str]) -> bytes:
    """Each old text, which must come exactly once, replaced by the new one."""
    for old, new in edits:
        assert content.count(old.encode()) == 1, f"{content.count(old.encode())} times: {old}"
        content = content.replace(old.encode(), new.encode())
    return content


def document(content: bytes, file_id: int) -> str:
    """A document with its header line, as text."""
    return version_of(content).documents[file_id].raw.decode()


def within(content: bytes, file_id: int, *edits: tuple[str, str]) -> bytes:
    """Edits of one document."""
    old = document(content, file_id).encode()
    return content.replace(old, edited(old, *edits))


def without(content: bytes, *file_ids: int) -> bytes:
    for file_id in file_ids:
        content = content.replace(document(content, file_id).encode(), b"")
    return content


def meaning(content: bytes) -> dict[int, tuple[bytes, Value]]:
    """What the file says, in any order of documents and any style."""
    return {i: (d.header.strip(), d.tree.root.plain()) for i, d in version_of(content).documents.items()}


def clean(base: bytes, ours: bytes, theirs: bytes, name: str = "Any.asset") -> bytes:
    """The content of a merge that must be clean, parse, and refer to nothing that is not there."""
    merged = merge_asset(name, base, ours, theirs)
    assert merged.content is not None, merged.conflicts
    assert not merged.conflicts
    assert merged.marked is None
    documents = version_of(merged.content).documents
    assert all(found.parses for found in documents.values())
    assert not broken(documents, version_of(ours).documents, version_of(theirs).documents)
    return merged.content


def conflicting(base: bytes, ours: bytes, theirs: bytes, name: str = "Any.asset") -> Merge:
    """A merge that must have conflicts, with marks for each decision, and both sides' text between them."""
    merged = merge_asset(name, base, ours, theirs)
    assert merged.content is None
    assert merged.conflicts
    assert merged.marked is not None
    mine, other = resolved(merged.marked)
    assert b"<<<<<<<" not in mine + other
    return merged


def resolved(marked: bytes) -> tuple[bytes, bytes]:
    """What a person gets who keeps ours everywhere, or theirs everywhere."""
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    where = "both"
    for line in marked.splitlines(keepends=True):
        if line.startswith(b"<<<<<<< "):
            assert where == "both"
            where = "ours"
        elif line.rstrip() == b"=======" and where == "ours":
            where = "theirs"
        elif line.startswith(b">>>>>>> "):
            assert where == "theirs"
            where = "both"
        else:
            for side, name in zip(sides, ("ours", "theirs"), strict=True):
                if where in ("both", name):
                    side.append(line)
    assert where == "both"
    return b"".join(sides[0]), b"".join(sides[1])
