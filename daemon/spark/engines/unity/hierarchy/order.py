"""Where a new document stands in its file, so that a later save by the Editor moves nothing.

Scenes and most assets are sorted by file id. Prefabs hold groups: a GameObject with its components in their order, sorted
by the GameObject's id; behind them the instances, each with its stripped documents and what was added to those.
"""

from __future__ import annotations

from collections.abc import Sequence

from spark.engines.unity.hierarchy.ids import GAME_OBJECT, PREFAB_INSTANCE
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.values import ref_of


def place_sorted(asset: AssetFile, document: AssetDocument) -> None:
    """By file id; before the first one with a greater id."""
    for at, other in enumerate(asset.documents):
        if other.file_id > document.file_id:
            asset.add(document, at=at)
            return
    asset.add(document)


def place_object(asset: AssetFile, documents: Sequence[AssetDocument], *, scene: bool) -> None:
    """A new GameObject (the first of `documents`) with its components in order."""
    if scene:
        for document in documents:
            place_sorted(asset, document)
        return
    _insert(asset, _behind_smaller(asset, documents[0].file_id), documents)


def place_component(asset: AssetFile, document: AssetDocument, behind: int, *, scene: bool) -> None:
    """A new component of an object; `behind`: the id of the object's component (or of the object) that it follows."""
    if scene:
        place_sorted(asset, document)
        return
    at = next((n for n, other in enumerate(asset.documents) if other.file_id == behind), len(asset.documents) - 1)
    asset.add(document, at=_or_end(asset, at + 1))


def place_instance(asset: AssetFile, document: AssetDocument, *, scene: bool) -> None:
    """A new instance: behind the groups of all objects, sorted by id among the instances."""
    if scene:
        place_sorted(asset, document)
        return
    for at, other in enumerate(asset.documents):
        if other.class_id == PREFAB_INSTANCE and other.file_id > document.file_id:
            asset.add(document, at=at)
            return
    asset.add(document)


def place_stripped(asset: AssetFile, document: AssetDocument, instance_id: int, *, scene: bool) -> None:
    """A stripped document: in its instance's group, sorted by id among the stripped ones there."""
    if scene:
        place_sorted(asset, document)
        return
    at = next(n for n, other in enumerate(asset.documents) if other.file_id == instance_id) + 1
    while at < len(asset.documents):
        other = asset.documents[at]
        if other.class_id in (PREFAB_INSTANCE, GAME_OBJECT) and not other.stripped:
            break
        if other.stripped:
            owner = ref_of(other.value("m_PrefabInstance"))
            if owner is None or owner.file_id != instance_id or other.file_id > document.file_id:
                break
        at += 1
    asset.add(document, at=_or_end(asset, at))


def _behind_smaller(asset: AssetFile, file_id: int) -> int:
    """Before the first object with a greater id, else behind the last group of an object, before the instances."""
    last_group = 0
    for at, other in enumerate(asset.documents):
        if other.class_id == GAME_OBJECT and not other.stripped:
            if other.file_id > file_id:
                return at
            last_group = at + 1
        elif other.class_id == PREFAB_INSTANCE:
            break
        elif not other.stripped and last_group:
            last_group = at + 1
    return last_group


def _insert(asset: AssetFile, at: int, documents: Sequence[AssetDocument]) -> None:
    for number, document in enumerate(documents):
        asset.add(document, at=_or_end(asset, at + number))


def _or_end(asset: AssetFile, at: int) -> int | None:
    """The end is said as None: the file knows how its last line ends."""
    return at if at < len(asset.documents) else None
