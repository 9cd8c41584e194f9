"""One text asset in memory: its documents, and edits that splice a property's own bytes and nothing else.

A document that was not touched keeps its bytes; one that was touched differs only where the property stands. Not
thread-safe; nothing here reads or writes files.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, MutableSequence
from typing import Final

from spark.core.errors import ToolRejected, invalid_arguments
from spark.engines.unity.yaml import splice, write
from spark.engines.unity.yaml.document import AssetDocument, DocumentList
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.mode import BOM, LateMode, Mode, Newline, mode_of
from spark.engines.unity.yaml.paths import Named, Step, shown
from spark.engines.unity.yaml.place import Place, walk
from spark.engines.unity.yaml.split import is_yaml, split
from spark.engines.unity.yaml.tree import Node
from spark.engines.unity.yaml.values import Value

__all__ = ["AssetDocument", "AssetFile", "invalid", "refused"]

_LFS: Final = b"version https://git-lfs.github.com/spec/"


class AssetFile:
    """A text asset. `name` is used in refusals."""

    def __init__(
        self,
        head: bytes,
        documents: MutableSequence[AssetDocument],
        mode: Mode | Callable[[], Mode],
        name: str,
        newline: Newline | None = None,
    ) -> None:
        """`head`: the bytes before the first document. A `mode` that is a function is called when it is first needed; the
        `newline` is then given apart."""
        self.head = head
        self.documents = documents
        self.name = name
        self._mode = mode
        self._newline = newline

    @property
    def mode(self) -> Mode:
        """How this file is written, inferred from its bytes at the first look."""
        if not isinstance(self._mode, Mode):
            self._mode = self._mode()
        return self._mode

    @classmethod
    def open(cls, content: bytes, name: str, default: Mode | None = None) -> AssetFile:
        """Raises `ToolRejected` (`unsupported_asset` for binary, LFS pointers, JSON; `invalid_asset` with the line)."""
        if not is_yaml(content):
            raise refused(content, name)
        try:
            parts = split(content)
        except YamlError as error:
            raise invalid(name, content, error.offset, error.message) from error
        documents = DocumentList(content, parts)
        return cls(content[: parts.head_end], documents, lambda: mode_of(content, default), name, _newline_of(content))

    @classmethod
    def open_meta(cls, content: bytes, name: str) -> AssetFile:
        """A `.meta`: one document without a header (class and file id 0), whose fields are the whole file. The guid is the
        caller's to protect. Raises `ToolRejected` (`unsupported_asset`, `invalid_asset`)."""
        if content.startswith(_LFS) or b"\x00" in content[:4096]:
            raise refused(content, name)
        head = BOM if content.startswith(BOM) else b""
        document = AssetDocument(0, 0, False, b"", content[len(head) :])
        try:
            document.tree  # noqa: B018
        except YamlError as error:
            raise invalid(name, content, error.offset + len(head), error.message) from error
        return cls(head, [document], lambda: mode_of(content), name, _newline_of(content))

    def to_bytes(self) -> bytes:
        return b"".join((self.head, *self._pieces()))

    def document(self, file_id: int) -> AssetDocument:
        """Raises `not_found`; `invalid_asset` where two documents have the id."""
        documents = self.documents
        found = (
            documents.with_id(file_id)
            if isinstance(documents, DocumentList)
            else [d for d in documents if d.file_id == file_id]
        )
        if len(found) == 1:
            return found[0]
        if found:
            raise ToolRejected("invalid_asset", f"{self.name}: {len(found)} documents have the file id {file_id}")
        raise ToolRejected(
            "not_found",
            f"{self.name} has no object with the file id {file_id}",
            hint="readFile with view outline lists the objects and their ids.",
            details={"path": self.name, "fileId": str(file_id)},
        )

    # -- edits -----------------------------------------------------------------------------------------------------------

    def set(self, document: AssetDocument, steps: tuple[Step, ...], value: Value) -> None:
        """Gives an existing property a value. Raises `not_found` naming the keys there are, `invalid_asset`."""
        self._edit(document, steps, lambda place: splice.set_value(document, place, value, self._late))

    def insert(
        self, document: AssetDocument, steps: tuple[Step, ...], key: str, value: Value, *, before: str = ""
    ) -> None:
        """A new key in the mapping at `steps` (also in one that is empty): before the key `before`, else as the last one.
        Raises `not_found`, `already_exists`, `invalid_arguments`, `invalid_asset`."""
        self._edit(document, steps, lambda place: splice.insert_key(document, place, key, value, self._late, before))

    def remove(self, document: AssetDocument, steps: tuple[Step, ...]) -> None:
        """Takes out a key with its value, or an item of a list (with `[name]` as the last step: the whole item). The last one
        leaves ` {}` or ` []`. Raises `not_found`, `invalid_asset`."""
        named = bool(steps) and isinstance(steps[-1], Named)
        self._edit(document, steps, lambda place: splice.remove(document, place, self._late, named=named))

    def insert_item(self, document: AssetDocument, steps: tuple[Step, ...], index: int, value: Value) -> None:
        """A new item of the list at `steps`, before the item `index` (its length: at the end). Raises `not_found`,
        `invalid_arguments`, `invalid_asset`."""
        self._edit(document, steps, lambda place: splice.insert_item(document, place, index, value, self._late))

    def add(self, document: AssetDocument, *, at: int | None = None) -> None:
        """A new document; at its end where `at` is not given. A file without a line end at its end stays so."""
        at = len(self.documents) if at is None else at
        last = self.documents[-1] if self.documents and at >= len(self.documents) else None
        if last is not None and not last.raw.endswith(b"\n"):
            newline = self._late.newline.encode()
            last.end_with(newline)
            document.body, document.parsed = document.body.removesuffix(newline), None
        self.documents.insert(at, document)

    def new_document(
        self, class_id: int, file_id: int, class_name: str, body: Value, *, stripped: bool = False
    ) -> AssetDocument:
        """A document in this file's mode; not added yet."""
        made = write.document_bytes(class_id, file_id, class_name, body, self.mode, stripped=stripped)
        head = made.find(b"\n") + 1
        return AssetDocument(class_id, file_id, stripped, made[:head], made[head:])

    def delete(self, document: AssetDocument) -> None:
        """Takes a document out; references to it are the caller's matter. A file without a line end at its end stays so."""
        is_last = bool(self.documents) and self.documents[-1] is document
        self.documents.remove(document)
        if is_last and self.documents and not document.raw.endswith(b"\n"):
            self.documents[-1].end_bare()

    def _pieces(self, until: AssetDocument | None = None) -> Iterable[bytes | memoryview]:
        """The bytes of all documents, or of those before one."""
        if isinstance(self.documents, DocumentList):
            return self.documents.pieces(until)
        before = itertools.takewhile(lambda document: document is not until, self.documents)
        return itertools.chain.from_iterable((document.header, document.body) for document in before)

    @property
    def _late(self) -> LateMode:
        return LateMode(lambda: self.mode, self._newline or self.mode.newline)

    def _edit(self, document: AssetDocument, steps: tuple[Step, ...], change: Callable[[Place], None]) -> None:
        """Finds the place and changes it; a refusal says which file, document and property it is about."""
        try:
            place, gone = walk(document.top, steps)
            if gone < len(steps):
                raise self._missing(document, steps[: gone + 1], place.node)
            try:
                change(place)
            except OverflowError:
                raise invalid_arguments({"value": "a number that a 32-bit float can hold"}) from None
        except YamlError as error:
            raise self._invalid(document, error) from error
        except ToolRejected as error:
            if "path" in error.details:
                raise
            message = f"{self.name}: {self._shown(document)}, {shown(steps) or 'top'}: {error.message}"
            raise ToolRejected(
                error.code, message, hint=error.hint, details={"path": self.name} | error.details
            ) from error

    def _shown(self, document: AssetDocument) -> str:
        return f"{document.class_name} &{document.file_id}" if document.header else "the importer settings"

    def _missing(self, document: AssetDocument, steps: tuple[Step, ...], node: Node) -> ToolRejected:
        if node.is_mapping:
            there = ", ".join(key.text for key, _ in list(node.entries())[:60])
        elif node.is_sequence:
            there = f"a list of {len(node.items())}"
        else:
            there = f"the value {node.text[:80]!r}"
        return ToolRejected(
            "not_found",
            f"{self.name}: {self._shown(document)} has no {shown(steps)}",
            hint=f"At that place there is: {there}",
            details={"path": self.name, "fileId": str(document.file_id), "property": shown(steps)},
        )

    def _invalid(self, document: AssetDocument, error: YamlError) -> ToolRejected:
        lines = self.head.count(b"\n") + document.header.count(b"\n")
        lines += sum(bytes(piece).count(b"\n") for piece in self._pieces(document))
        return invalid(self.name, document.body, error.offset, error.message, document, lines_before=lines)


def refused(content: bytes, name: str) -> ToolRejected:
    """Why bytes are no text asset of Unity's, by what they are."""
    details = {"path": name}
    if content.startswith(_LFS):
        return ToolRejected(
            "unsupported_asset",
            f"{name} is a pointer of Git LFS, not the file itself",
            hint="Run: git lfs pull",
            details=details,
        )
    if b"\x00" in content[:4096]:
        return ToolRejected(
            "unsupported_asset",
            f"{name} is serialised as binary",
            hint="In Unity set Edit > Project Settings > Editor > Asset Serialization to Force Text; some kinds are always binary.",
            details=details,
        )
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return ToolRejected(
            "unsupported_asset",
            f"{name} is JSON, not Unity's YAML",
            hint="Edit it as text with applyCodePatch.",
            details=details,
        )
    return ToolRejected(
        "invalid_asset",
        f"{name}: line 1: not a text asset of Unity: it does not begin with %YAML 1.1",
        hint="Restore the header lines %YAML 1.1 and %TAG !u! tag:unity3d.com,2011:",
        details=details | {"line": 1},
    )


def invalid(
    name: str,
    content: bytes,
    offset: int,
    message: str,
    document: AssetDocument | None = None,
    *,
    lines_before: int = 0,
) -> ToolRejected:
    """The refusal of bytes that are not Unity's YAML. `offset` counts in `content`, which begins `lines_before` lines behind
    the top of the file."""
    line = lines_before + content.count(b"\n", 0, offset) + 1
    where = f" ({document.class_name} &{document.file_id})" if document is not None else ""
    return ToolRejected(
        "invalid_asset",
        f"{name}: line {line}{where}: {message}",
        hint="Nothing was written. Mend the line as text, or restore a version of the file.",
        details={"path": name, "line": line} | ({"fileId": str(document.file_id)} if document is not None else {}),
    )


def _newline_of(content: bytes) -> Newline:
    return "\r\n" if content.find(b"\r\n", 0, content.find(b"\n") + 1) >= 0 else "\n"
