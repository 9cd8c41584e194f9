"""What the quick pattern takes is read by the parser that edits go through: nothing that it cannot open passes a check."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.paths import ProjectPath
from spark.engines.unity.checks.canonical import has_odd, is_canonical
from spark.engines.unity.checks.facts import facts_of
from spark.engines.unity.checks.read import read_yaml
from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.tree import parse
from tests.engines.unity.checks.assets import HEAD
from tests.engines.unity.corpus import corpus_files

BODY = HEAD + "--- !u!114 &1\nMonoBehaviour:\n"
REFUSED = [
    "{x: 1 y: 1, z: 1}", "{x: 1,, y: 2}", "{fileID: 0, guid: aaaa type: 3}", "{fileID: @5}", '{fileID: "5}', "{f: ileID: 5}",
    '"a\\qb"', '"a\\u12"', "-", "- 1", "*x", "&x", "!t 1", "a\x01b", "a\x85b", "a\u2028b", "a\ufeffb", "{x 1}", "a\tb", "{x: 1} # a",
    "{fileID: 5, guid: 0123456789abcdef0123456789abcdef,\n  m_B: 1\n    type: 3}",
]  # fmt: skip


def codes(text: str) -> set[tuple[str, str]]:
    return {(problem.code, problem.severity) for problem in read_yaml(text.encode()).problems}


@pytest.mark.parametrize("value", REFUSED)
def test_what_the_parser_cannot_open_is_a_fault(value: str) -> None:
    """Inside of braces and quotes as well, and where only a character is odd."""
    assert ("yaml/syntax", "error") in codes(f"{BODY}  m_A: {value}\n  m_C: 1\n")


@pytest.mark.parametrize("line", ["  m_A:1", "  m_A 1", "  m_A #b: 1", "  :", "    m: 1\n   n: 2"])
def test_lines_that_are_no_fields_are_a_fault(line: str) -> None:
    """A key without its space, with a comment in it, or of no length."""
    assert ("yaml/syntax", "error") in codes(f"{BODY}{line}\n  m_C: 1\n")


def test_headers_that_the_splitter_cannot_read_are_a_fault() -> None:
    """An id beyond 64 bits, a line before the first object, a separator inside of a text."""
    assert ("yaml/document-header", "error") in codes(BODY.replace("&1", "&9999999999999999999") + "  a: 1\n")
    assert ("yaml/header", "error") in codes(BODY.replace("--- ", "what\n--- ") + "  a: 1\n")
    assert ("yaml/document-header", "error") in codes(BODY + "  a: 'x\n--- y'\n")
    assert ("yaml/syntax", "error") in codes(BODY + "  a: x\r\r\n  b: 1\n")


def test_an_item_far_below_a_mapping_is_found() -> None:
    """However many lines stand between a key and an item that belongs to no list of it."""
    long = "  a:\n" + "    b: 1\n" * 500
    assert ("yaml/syntax", "error") in codes(f"{BODY}{long}  - c\n")
    items = "  l:\n  - a:\n" + "      b: 1\n" * 3
    assert codes(f"{BODY}{items}    c: 1\n  - d\n") == set()
    assert ("yaml/syntax", "error") in codes(f"{BODY}{items}    - c\n")


PARTS = st.lists(
    st.sampled_from(
        [
            "  a: ", "  b:", "\n", "  - ", "{", "}", "x: 1", ", ", "fileID: 5", "guid: 0123456789abcdef0123456789abcdef", "'", '"', "\\",
            "\\n", "\\u00e4", "    ", " ", ":", "-", "#", " #", "\t", "\r", "\r\n", "[", "]", "word", "1.5", "\x85", "\x01", "~", "|", "&", "*",
            "---", "...", "\n---\n",
        ]
    ),
    max_size=14,
)  # fmt: skip


@settings(deadline=None, max_examples=1500)
@given(PARTS)
def test_what_is_canonical_can_be_parsed(parts: list[str]) -> None:
    """Whatever stands behind a key: the pattern takes nothing that the parser refuses."""
    body = ("Thing:\n  a: " + "".join(parts) + "\n").encode()
    content = b"--- !u!114 &1\n" + body
    if is_canonical(content, 0, len(content)) and not has_odd(content):
        parse(body)


@settings(deadline=None, max_examples=500)
@given(PARTS)
def test_what_passes_a_check_can_be_parsed(parts: list[str]) -> None:
    """The same through the whole check."""
    body = ("Thing:\n  a: " + "".join(parts) + "\n  z: 1\n").encode()
    if any(problem.severity == "error" for problem in read_yaml(BODY[: BODY.index("Mono")].encode() + body).problems):
        return
    try:
        parse(body)
    except YamlError as error:
        raise AssertionError(body) from error


def test_real_metas_are_canonical() -> None:
    """Metas of every importer take the quick way, and what does not is read all the same; our own as well."""
    own = b"fileFormatVersion: 2\nguid: 0123456789abcdef0123456789abcdef\nlabels:\n- a\nTextureImporter:\n  a:\n    b: 1\n"
    assert is_canonical(own, 0, len(own), meta=True)
    for path in corpus_files(".meta"):
        facts = facts_of(ProjectPath(f"Assets/{path.name}"), path.read_bytes())
        assert facts.faults == (), path
