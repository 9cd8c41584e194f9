"""What the tests of this folder need of documents: what a body looks like without its values, and the real ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from spark.engines.unity.classes.bodies import new_body
from spark.engines.unity.classes.class_ids import class_id
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.words import words
from spark.engines.unity.yaml.mode import Mode
from spark.engines.unity.yaml.write import document_bytes
from tests.engines.unity.corpus import corpus_files

_VERSIONS = words(
    "2018.3.8 2019.4.40 2020.1.17 2020.3.48 2021.3.24 2021.3.36 2021.3.45 2022.2.6 2022.3.7 2022.3.40 2022.3.56 "
    "2023.1.20 6000.0.0 6000.0.23 6000.0.52 6000.1.12 6000.2.10 6000.3.9"
)
VERSIONS = tuple(sorted(EditorVersion.parse(text) for text in _VERSIONS))
"""Enough of them that every form of every table is met."""

_HEADER = re.compile(r"^--- !u!\d+ &-?\d+(?P<stripped> stripped)?\n(?P<name>\w+):\n", re.MULTILINE)
_KEY = re.compile(r"( *)([^:{}]*?):(?: |$)")


class Found(NamedTuple):
    """A document of a real file: its class and its body, flow mappings on one line."""

    class_name: str
    body: str


def written(class_name: str, version: EditorVersion) -> str:
    """The body of a new object as text, without the header and the class's own line."""
    body = new_body(class_name, version)
    text = document_bytes(class_id(class_name) or 0, 1, class_name, body, Mode(fold=False)).decode()
    return text.split("\n", 2)[2]


def skeleton(body: str) -> tuple[tuple[int, str, str], ...]:
    """Depth and name of every key in its order, with the number of every `serializedVersion`; no items of lists, whose
    number is not the class's."""
    found: list[tuple[int, str, str]] = []
    items_below: int | None = None
    for line in body.splitlines():
        depth = len(line) - len(line.lstrip())
        if line.lstrip().startswith("- "):
            items_below = depth
            continue
        if not line.strip() or (items_below is not None and depth > items_below):
            continue
        match = _KEY.match(line)
        if match is None:
            continue
        items_below = None
        found.append((depth, match[2].strip(), line[match.end() :] if match[2].strip() == "serializedVersion" else ""))
    return tuple(found)


def without_references(body: str) -> str:
    return re.sub(r"\{fileID: [^}]*\}", "{}", body)


def real_documents() -> Iterator[Found]:
    """Documents of 2018.3 and later, not stripped, of the files at hand; none where there are none."""
    for path in corpus_files(".prefab", ".unity"):
        text = path.read_text("utf-8", errors="replace").replace("\r\n", "\n")
        headers = list(_HEADER.finditer(text))
        ends = [header.start() for header in headers[1:]] + [len(text)]
        for header, end in zip(headers, ends, strict=True):
            body = re.sub(r",\n +", ", ", text[header.end() : end])
            old = "m_PrefabInternal:" in body or "m_RootGameObject:" in body
            if not header["stripped"] and not old:
                yield Found(header["name"], body)
