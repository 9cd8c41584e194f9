"""One version of a file in its documents, as bytes; a document is parsed when both sides changed it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.split import split
from spark.engines.unity.yaml.tree import Tree, parse


class NotByDocument(Exception):
    """The documents cannot be told apart: the file is merged by lines."""


@dataclass(slots=True, eq=False)
class Document:
    """`header`: the `---` line with its line end, empty in a `.meta`; `body`: the lines behind it."""

    class_id: int
    file_id: int
    stripped: bool
    header: bytes
    body: bytes
    _tree: Tree | None = None

    @property
    def tree(self) -> Tree:
        """Raises `YamlError`."""
        if self._tree is None:
            self._tree = parse(self.body)
        return self._tree

    @property
    def parses(self) -> bool:
        try:
            return self.tree is not None
        except YamlError:
            return False

    @property
    def class_name(self) -> str:
        return self.body.partition(b":")[0].decode("ascii", "replace").strip() if self.header else ""

    @property
    def raw(self) -> bytes:
        return self.header + self.body

    def with_body(self, body: bytes) -> Document:
        return replace(self, body=body, _tree=None)


def same(a: Document | None, b: Document | None) -> bool:
    """Byte for byte."""
    if a is None or b is None:
        return a is b
    return a.body == b.body and a.header == b.header


@dataclass(frozen=True, slots=True)
class Version:
    """`head`: what stands before the first document. The documents are in the file's order."""

    head: bytes
    documents: dict[int, Document]


def version_of(content: bytes) -> Version:
    """Raises `NotByDocument` where a header is none, a file id comes twice or there is no document."""
    try:
        parts = split(content)
    except YamlError as error:
        raise NotByDocument from error
    found = {
        part.file_id: Document(
            part.class_id,
            part.file_id,
            part.stripped,
            content[part.start : part.body_start],
            content[part.body_start : part.end],
        )
        for part in parts.documents
    }
    if len(found) < len(parts.documents) or (content and not found):
        raise NotByDocument
    return Version(content[: parts.head_end], found)


def meta_version_of(content: bytes) -> Version:
    """A `.meta`: one document without a header."""
    return Version(b"", {0: Document(0, 0, False, b"", content)} if content else {})
