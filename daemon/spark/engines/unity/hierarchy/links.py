"""Which documents of a file name which of its ids, kept in step by looking only at those whose bytes changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from spark.engines.unity.yaml.asset import AssetDocument

_LOCAL: Final = re.compile(rb"\{fileID: (-?\d+)\}")


class Links:
    """The references inside one file. Who asks gives the documents as they are now."""

    def __init__(self) -> None:
        self._seen: dict[AssetDocument, tuple[bytes, frozenset[int]]] = {}
        self._by_id: dict[int, set[AssetDocument]] = {}

    def named_in(self, document: AssetDocument) -> frozenset[int]:
        """The ids of the same file that a document names."""
        known = self._seen.get(document)
        if known is not None and known[0] is document.body:
            return known[1]
        ids = frozenset(map(int, _LOCAL.findall(document.body)))
        for file_id in known[1] - ids if known is not None else ():
            self._by_id[file_id].discard(document)
        for file_id in ids - known[1] if known is not None else ids:
            self._by_id.setdefault(file_id, set()).add(document)
        self._seen[document] = document.body, ids
        return ids

    def to(self, ids: Iterable[int], documents: Sequence[AssetDocument]) -> list[AssetDocument]:
        """The documents that name one of the ids, in their order."""
        seen = self._seen
        for document in documents:
            known = seen.get(document)
            if known is None or known[0] is not document.body:
                self.named_in(document)
        found = {document for file_id in ids for document in self._by_id.get(file_id, ())}
        return [document for document in documents if document in found] if found else []

    def forget(self, documents: Iterable[AssetDocument]) -> None:
        """These documents are gone."""
        for document in documents:
            known = self._seen.pop(document, None)
            for file_id in known[1] if known is not None else ():
                self._by_id[file_id].discard(document)
