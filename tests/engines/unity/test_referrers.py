"""Who refers to what is told with the line, the object that is named, and the document that names it."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.engine import Referrer
from spark.engines.unity.referrers import referrers
from tests.engines.unity.corpus import corpus_files

G = "0123456789abcdef0123456789abcdef"
H = "fedcba9876543210fedcba9876543210"
HEAD = "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"
PREFAB = f"""{HEAD}--- !u!1 &100
GameObject:
  m_Component:
  - component: {{fileID: 400}}
  - component: {{fileID: -11400}}
--- !u!4 &400 stripped
Transform:
  m_CorrespondingSourceObject: {{fileID: 5100000000000000001, guid: {G},
    type: 3}}
  m_PrefabInstance: {{fileID: 100}}
--- !u!114 &-11400
MonoBehaviour:
  m_GameObject: {{fileID: 100}}
  m_Script: {{fileID: 11500000, guid: {H}, type: 3}}
  m_Look: {{fileID: 2100000, guid: {G}, type: 2}}
  m_Others:
  - {{fileID: 100, guid: {G}, type: 3}}
  - {{fileID: 1000}}
  m_Address: {G}
  m_AssetGUID: {G}
"""


def told(
    content: str | bytes, guid: str = G, file_id: int | None = None
) -> list[tuple[int, int | None, int | None, str]]:
    found = referrers(content.encode() if isinstance(content, str) else content, guid, file_id)
    return [(place.line, place.file_id, place.from_id, place.from_class) for place in found]


def test_references_by_guid_tell_line_object_and_document() -> None:
    """In fold mode the line is the one where the reference begins; a key that ends in GUID names the asset as a whole; digits
    that are no reference are none."""
    assert told(PREFAB) == [
        (10, 5100000000000000001, 400, "Transform"),
        (17, 2100000, -11400, "MonoBehaviour"),
        (19, 100, -11400, "MonoBehaviour"),
        (22, None, -11400, "MonoBehaviour"),
    ]
    (script,) = referrers(PREFAB.encode(), H)
    text = f"m_Script: {{fileID: 11500000, guid: {H}, type: 3}}"
    assert script == Referrer(16, text, 11500000, -11400, 114, "MonoBehaviour")
    assert told(PREFAB, "0" * 32) == []


def test_one_object_of_an_asset() -> None:
    """With a file id only references that name this object."""
    assert told(PREFAB, G, 100) == [(19, 100, -11400, "MonoBehaviour")]
    assert told(PREFAB, G, 1) == []
    assert told(PREFAB, G, 5100000000000000001) == [(10, 5100000000000000001, 400, "Transform")]


def test_references_inside_a_file() -> None:
    """An object's own file names it without a guid; a longer number, or the same number in another asset, is somebody else."""
    assert told(PREFAB, "", 100) == [(12, 100, 400, "Transform"), (15, 100, -11400, "MonoBehaviour")]
    assert told(PREFAB, "", -11400) == [(7, -11400, 100, "GameObject")]
    assert told(PREFAB, "", 11400) == []
    assert told(PREFAB, "", 0) == []
    assert told(PREFAB, "") == []
    assert told(f'{HEAD}--- !u!114 &7\nMonoBehaviour:\n  o: \'{{"obj":{{"fileID":44}}}}\'\n', "", 44) == [
        (5, 44, 7, "MonoBehaviour")
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PREFAB.replace("\n", "\r\n"), [10, 17, 19, 22]),
        ("\ufeff" + PREFAB, [10, 17, 19, 22]),
        (PREFAB.replace(G, G.upper()), [10, 17, 19, 22]),
        (f'{{\n"references": [\n"GUID:{G}"\n]}}', [3]),
        (f"fileFormatVersion: 2\nguid: {G}\n", []),
        (f"\ufeffguid: {G}", []),
        (f"fileFormatVersion: 2\nguid: {H}\n  icon: {{fileID: 2800000, guid: {G}, type: 3}}\n", [3]),
    ],
)
def test_line_ends_marks_and_other_kinds_of_files(content: str, expected: list[int]) -> None:
    """Windows' line ends, byte-order marks, upper case, assembly definitions, metas (whose own guid is no reference)."""
    assert [line for line, *_ in told(content)] == expected


@pytest.mark.parametrize(
    "text",
    [
        '{{"fileID":21300000,"guid":"{}","type":3}}',
        '{{\\"fileID\\":21300000,\\"guid\\":\\"{}\\",\\"type\\":3}}',
        '"fileID" : 21300000,\n  "guid" : "{}"',
        'url("project://database/Assets/a.png?fileID=21300000&guid={}&type=3#a")',
        '<Style src="project://database/a.uss?fileID=21300000&amp;guid={}&amp;type=3#a" />',
        "{{fileID: 21300000,\n                          guid: {}, type: 3}}",
        "{{guid: {}, fileID: 21300000, type: 3}}",
    ],
)
def test_the_object_is_found_in_every_notation(text: str) -> None:
    """YAML in any order and fold, JSON plain and as text, URLs of USS and UXML."""
    assert [place.file_id for place in referrers(text.format(G).encode(), G)] == [21300000]


def test_what_one_line_says_twice_is_told_once_and_long_lines_in_part() -> None:
    """A line of a megabyte is shown around the reference."""
    line = f"src: {{fileID: 7, guid: {G}, type: 3}} and {{fileID: 7, guid: {G}, type: 3}} and {{fileID: 8, guid: {G}, type: 3}}"
    assert [(place.line, place.file_id) for place in referrers(line.encode(), G)] == [(1, 7), (1, 8)]
    (place,) = referrers(("é" * 50_000 + line[:60] + "é" * 50_000).encode(), G)
    assert place.text.startswith("…")
    assert place.text.endswith("…")
    assert f"guid: {G}" in place.text
    assert len(place.text) <= 242


REFERENCE = re.compile(r"\{fileID: (-?\d+)(?:,\s+guid: ([0-9a-f]{32})[^}]*)?\}")
HEADER = re.compile(r"(?m)^--- !u!(\d+) &(-?\d+).*\n(\w+):")


def expected_of(text: str) -> dict[tuple[str, int], list[tuple[int, int | None, int | None, str]]]:
    """The same answers from the text as a whole, by plain patterns."""
    found: dict[tuple[str, int], list[tuple[int, int | None, int | None, str]]] = defaultdict(list)
    headers = [(match.start(), int(match[2]), match[3]) for match in HEADER.finditer(text)]
    for match in REFERENCE.finditer(text):
        above = [header for header in headers if header[0] < match.start()]
        line = text.count("\n", 0, match.start()) + 1
        key = (match[2] or "", int(match[1]))
        row = (line, key[1], above[-1][1] if above else None, above[-1][2] if above else "")
        if row not in found[key]:
            found[key].append(row)
    return found


ids = st.integers(-3, 12) | st.integers(-(2**63), 2**63 - 1)
values = st.one_of(
    st.builds("{{fileID: {}}}".format, ids),
    st.builds("{{fileID: {}, guid: {}, type: 3}}".format, ids, st.sampled_from([G, H])),
    st.builds("{{fileID: {}, guid: {},\n    type: 2}}".format, ids, st.sampled_from([G, H])),
    st.sampled_from(["1", "x: 1, y: 2", "fileID 1", G]),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(ids, st.lists(values, max_size=4)), max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_any_documents_are_told_as_plain_patterns_see_them(
    documents: list[tuple[int, list[str]]], newline: str
) -> None:
    """Every reference, with and without guid, and none that is not there."""
    text = HEAD
    for number, items in documents:
        text += f"--- !u!114 &{number}\nMonoBehaviour:\n" + "".join(f"  - {item}\n" for item in items)
    expected = expected_of(text)
    content = text.replace("\n", newline)
    for guid in ("", G, H):
        for number in {0, 1, 11, *(key[1] for key in expected)}:
            if guid or number:
                assert told(content, guid, number) == expected.get((guid, number), [])


def test_real_assets_are_told_as_plain_patterns_see_them() -> None:
    """Prefabs, scenes and materials as Unity writes them."""
    texts = [
        PREFAB,
        *(p.read_text("utf-8") for p in corpus_files(".prefab", ".mat", ".controller") if p.stat().st_size < 60_000),
    ]
    for text in texts:
        expected = expected_of(text)
        for (guid, number), rows in list(expected.items())[:40]:
            if guid or number:
                assert told(text, guid, number) == rows
