"""Where a new document stands in its file, so that a later save by the Editor moves nothing.

Scenes and most assets are sorted by file id. Prefabs hold groups: a GameObject with its components in their order, sorted
by the GameObject's id; behind them the instances, each with its stripped documents and what was added to those.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import TypeAlias

from spark.engines.unity.hierarchy.ids import GAME_OBJECT, PREFAB_INSTANCE
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.values import ref_of

_Rank: TypeAlias = tuple[int, int]
_FIRST: _Rank = (-1, 0)


class Order:
    """The order of one file. Whether it is the one that Unity keeps is looked at once; what is placed here keeps it so."""

    def __init__(self, asset: AssetFile, *, scene: bool) -> None:
        self._asset = asset
        self._scene = scene
        self._known: bool | None = None

    @property
    def _documents(self) -> MutableSequence[AssetDocument]:
        return self._asset.documents

    @property
    def _kept(self) -> bool:
        """Whether the file has Unity's order, so that a place can be searched by halves."""
        if self._known is None:
            if self._scene:
                ids = [document.file_id for document in self._documents]
                self._known = ids == sorted(ids)
            else:
                ranks = [rank for document in self._documents if (rank := _rank(document)) is not None]
                self._known = ranks == sorted(ranks) and self._stripped_at_end()
        return self._known

    def _stripped_at_end(self) -> bool:
        """Whether stripped documents stand behind instances only."""
        behind = False
        for document in self._documents:
            behind = behind or document.class_id == PREFAB_INSTANCE
            if document.stripped and not behind:
                return False
        return True

    # -- placing ---------------------------------------------------------------------------------------------------------

    def place_object(self, documents: Sequence[AssetDocument]) -> None:
        """A new GameObject (the first of `documents`) with its components in order."""
        if self._scene:
            for document in documents:
                self._place_sorted(document)
            return
        file_id = documents[0].file_id
        at = self._group((0, file_id)) if self._kept else self._behind_smaller(file_id)
        for number, document in enumerate(documents):
            self._insert(at + number, document)

    def place_component(self, document: AssetDocument, behind: int, owner: AssetDocument) -> None:
        """A new component; `behind`: the id of the component (or of the `owner`, which may be stripped) that it follows."""
        if self._scene:
            self._place_sorted(document)
            return
        start = 0
        if self._kept and not owner.stripped:
            start = max(self._group((0, owner.file_id)) - 1, 0)
            while start and self._documents[start].file_id != owner.file_id:
                start -= 1
        count = len(self._documents)
        at = next((n for n in range(start, count) if self._documents[n].file_id == behind), count - 1)
        self._insert(at + 1, document)

    def place_instance(self, document: AssetDocument) -> None:
        """A new instance: behind the groups of all objects, sorted by id among the instances."""
        if self._scene:
            self._place_sorted(document)
            return
        if self._kept:
            self._insert(self._group((1, document.file_id)), document)
            return
        for at, other in enumerate(self._documents):
            if other.class_id == PREFAB_INSTANCE and other.file_id > document.file_id:
                self._insert(at, document)
                return
        self._insert(len(self._documents), document)

    def place_stripped(self, document: AssetDocument, instance_id: int) -> None:
        """A stripped document: in its instance's group, sorted by id among the stripped ones there."""
        if self._scene:
            self._place_sorted(document)
            return
        at = self._group((1, instance_id - 1)) if self._kept else 0
        while self._documents[at].file_id != instance_id:
            at += 1
        at += 1
        while at < len(self._documents):
            other = self._documents[at]
            if _rank(other) is not None:
                break
            if other.stripped:
                owner = ref_of(other.value("m_PrefabInstance"))
                if owner is None or owner.file_id != instance_id or other.file_id > document.file_id:
                    break
            at += 1
        self._insert(at, document)

    # -- finding a place -------------------------------------------------------------------------------------------------

    def _place_sorted(self, document: AssetDocument) -> None:
        """By file id; before the first one with a greater id."""
        documents, file_id = self._documents, document.file_id
        low, high = 0, len(documents)
        if not self._kept:
            low = next((at for at, other in enumerate(documents) if other.file_id > file_id), high)
            high = low
        while low < high:
            middle = (low + high) // 2
            if documents[middle].file_id > file_id:
                high = middle
            else:
                low = middle + 1
        self._insert(low, document)

    def _group(self, rank: _Rank) -> int:
        """Where the first group of a greater rank begins, in a file of Unity's order."""
        documents = self._documents
        low, high = 0, len(documents)
        while low < high:
            middle = (low + high) // 2
            head = middle
            while (found := _rank(documents[head])) is None and head > low:
                head -= 1
            if (found or _FIRST) > rank:
                high = head
            else:
                low = middle + 1
        return low

    def _behind_smaller(self, file_id: int) -> int:
        """Before the first object with a greater id, else behind the last group of an object, before the instances."""
        last_group = 0
        for at, other in enumerate(self._documents):
            if other.class_id == GAME_OBJECT and not other.stripped:
                if other.file_id > file_id:
                    return at
                last_group = at + 1
            elif other.class_id == PREFAB_INSTANCE:
                break
            elif not other.stripped and last_group:
                last_group = at + 1
        return last_group

    def _insert(self, at: int, document: AssetDocument) -> None:
        """The end is said as None: the file knows how its last line ends."""
        self._asset.add(document, at=at if at < len(self._documents) else None)


def _rank(document: AssetDocument) -> _Rank | None:
    """What the groups of a prefab are sorted by; None for a document inside a group."""
    if document.stripped or document.class_id not in (GAME_OBJECT, PREFAB_INSTANCE):
        return None
    return (0 if document.class_id == GAME_OBJECT else 1), document.file_id
