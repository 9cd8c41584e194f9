"""What a person calls a document: the name of its object, read from the bytes without parsing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from spark.engines.unity.merge.contested import INSTANCE, game_object
from spark.engines.unity.merge.version import Document
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.scalars import decoded

_NAME: Final = re.compile(rb"^  m_Name: ([^\r\n]+)", re.MULTILINE)
_NAME_OVERRIDE: Final = re.compile(rb"^      propertyPath: m_Name\r?\n      value: ([^\r\n]+)", re.MULTILINE)


class Names:
    """The names of a version's documents. Each is looked for once: a document may have thousands of conflicts, an object
    thousands of components."""

    def __init__(self, documents: Mapping[int, Document]) -> None:
        self._documents = documents
        self._names: dict[int, str] = {}
        self._own: dict[int, str] = {}

    def of(self, document: Document) -> str:
        """The name of a game object, of the one that a component belongs to, of an instance, of an asset; empty where none is
        known."""
        name = self._names.get(document.file_id)
        if name is None:
            named = self._documents.get(game_object(document.body), document)
            if named.file_id not in self._own:
                self._own[named.file_id] = _own_name(named)
            name = self._names[document.file_id] = self._own[named.file_id]
        return name


def _own_name(document: Document) -> str:
    match = (_NAME_OVERRIDE if document.class_id == INSTANCE else _NAME).search(document.body)
    if match is None:
        return ""
    try:
        return decoded(match[1])
    except YamlError:
        return ""
