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


def object_name(document: Document, documents: Mapping[int, Document]) -> str:
    """The name of a game object, of the one that a component belongs to, of an instance, of an asset; empty where none is
    known."""
    owner = documents.get(game_object(document.body))
    named = document if owner is None else owner
    match = (_NAME_OVERRIDE if named.class_id == INSTANCE else _NAME).search(named.body)
    if match is None:
        return ""
    try:
        return decoded(match[1])
    except YamlError:
        return ""
