"""Text that cannot be read, as a refusal that names file, line and document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spark.engines.unity.yaml.asset import AssetFile, invalid
from spark.engines.unity.yaml.errors import YamlError


@contextmanager
def reading(asset: AssetFile) -> Iterator[None]:
    """Raises `invalid_asset` where the parser cannot read one of the asset's documents."""
    try:
        yield
    except YamlError as error:
        before = asset.head
        for document in asset.documents:
            before += document.header
            try:
                document.top  # noqa: B018
            except YamlError as fault:
                content = before + document.body
                raise invalid(asset.name, content, len(before) + fault.offset, fault.message, document) from error
            before += document.body
        raise invalid(asset.name, b"", 0, error.message) from error
