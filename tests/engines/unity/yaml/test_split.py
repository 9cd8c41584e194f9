"""Cutting a file into its documents."""

from __future__ import annotations

import pytest

from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.split import is_yaml, split
from tests.engines.unity.yaml.samples import HEADER, assets


def test_documents_have_their_ids_and_cover_the_file() -> None:
    """Class, signed 64-bit id and `stripped` are read, and the spans leave no byte out."""
    content = HEADER + b"--- !u!1 &-9223372036854775808\nA:\n--- !u!4 &9223372036854775807 stripped\nB:\n"
    parts = split(content)
    first, second = parts.documents
    assert (first.class_id, first.file_id, first.stripped) == (1, -(1 << 63), False)
    assert (second.class_id, second.file_id, second.stripped) == (4, (1 << 63) - 1, True)
    assert parts.head_end == first.start == len(HEADER)
    assert (first.end, second.end) == (second.start, len(content))
    assert content[second.body_start : second.end] == b"B:\n"
    assert parts.documents.find((1 << 63) - 1) == [1]
    assert [parts.documents[-1], *parts.documents[:1]] == [second, first]


@pytest.mark.parametrize(
    "line",
    [
        b"---",
        b"--- ",
        b"---- !u!1 &1",
        b"--- !u!1 &1 # comment",
        b"--- !u!x &1",
        b"--- !u!12345678901 &1",
        b"--- !u!1 &12345678901234567890",
        b"--- !u!1 &9223372036854775808",
        b"--- !u!1 &-9223372036854775809",
        b"--- !u!1 & 1",
    ],
)
def test_a_line_of_dashes_that_is_no_header_is_refused(line: bytes) -> None:
    """What could be a document boundary is never taken for text, and an id is never cut."""
    content = HEADER + b"--- !u!1 &1\nA:\n" + line + b"\nB:\n"
    with pytest.raises(YamlError) as caught:
        split(content)
    assert caught.value.offset == content.index(line, len(HEADER) + 12)


def test_text_before_the_first_document_is_refused() -> None:
    """Lines before the first header other than directives would belong to no document."""
    with pytest.raises(YamlError) as caught:
        split(HEADER + b"m_Name: x\n--- !u!1 &1\nA:\n")
    assert caught.value.offset == len(HEADER)
    assert split(b"\xef\xbb\xbf" + HEADER + b"\r\n--- !u!1 &1\r\nA:\n").documents[0].file_id == 1


def test_every_asset_is_covered_by_its_documents() -> None:
    """Head and documents of every file put together are the file."""
    for path, content in assets():
        if is_yaml(content):
            parts = split(content)
            joined = content[: parts.head_end] + b"".join(content[d.start : d.end] for d in parts.documents)
            assert joined == content, path
