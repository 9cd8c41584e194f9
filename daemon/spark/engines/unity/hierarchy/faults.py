"""Text that cannot be read, or that a merge left unfinished, as a refusal that names file, line and document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from spark.core.errors import ToolRejected
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile, invalid
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.mode import Mode

_MARKS: Final = (b"\n<<<<<<<", b"\n|||||||", b"\n=======", b"\n>>>>>>>")
_WHY: Final = "the marks of an unfinished merge: both versions are still in the file"


def opened(content: bytes, name: str, mode: Mode | None = None) -> AssetFile:
    """`AssetFile.open`, and never of a file that holds two people's versions. Raises `invalid_asset`, `unsupported_asset`."""
    _refuse_marks(content, name)
    return AssetFile.open(content, name, mode)


def opened_meta(content: bytes, name: str) -> AssetFile:
    """The same for a `.meta`."""
    _refuse_marks(content, name)
    return AssetFile.open_meta(content, name)


@contextmanager
def reading(asset: AssetFile, others: Callable[[], Iterable[AssetFile]] = tuple) -> Iterator[None]:
    """Raises `invalid_asset` where the parser cannot read a document of the asset, or of the `others` that were read as
    well."""
    try:
        yield
    except YamlError as error:
        raise _located(error, asset, others()) from error


def _refuse_marks(content: bytes, name: str) -> None:
    found = _marks().search(content) if any(mark in content for mark in _MARKS) else None
    if found is None:
        return
    line = content.count(b"\n", 0, found.start()) + 1
    raise ToolRejected(
        "invalid_asset",
        f"{name}: line {line}: {_WHY}",
        hint="Nothing was written. Finish the merge first: keep one side of each marked part and remove the marks.",
        details={"path": name, "line": line},
    )


@cache
def _marks() -> re.Pattern[bytes]:
    # Unity indents every line below a document's first, so these can be no text of an asset.
    return re.compile(rb"^(?:<{7}|\|{7}|={7}|>{7})(?: [^\n]*)?\r?$", re.MULTILINE)


def _located(error: YamlError, asset: AssetFile, others: Iterable[AssetFile]) -> ToolRejected:
    """Where the document is that an error came from: the one that fails in the same way, else the first that fails."""
    first: ToolRejected | None = None
    for one in (asset, *others):
        before = 0
        for document in one.documents:
            before += len(document.header)
            fault = _fault(document)
            if fault is not None and (first is None or (fault.message, fault.offset) == (error.message, error.offset)):
                known = invalid(
                    one.name, one.to_bytes(), len(one.head) + before + fault.offset, fault.message, document
                )
                if (fault.message, fault.offset) == (error.message, error.offset):
                    return known
                first = known
            before += len(document.body)
    return first or invalid(asset.name, b"", 0, error.message)


def _fault(document: AssetDocument) -> YamlError | None:
    try:
        document.fields.plain()
    except YamlError as error:
        return error
    return None
