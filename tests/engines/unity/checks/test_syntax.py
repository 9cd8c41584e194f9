"""The two judges of a document's body: what each takes, and that the quick one takes nothing that the exact one refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.engines.unity.checks.canonical import is_canonical
from spark.engines.unity.checks.syntax import first_fault
from tests.engines.unity.corpus import corpus_files

HEADER = "--- !u!114 &1\n"
CLASS = "Thing:\n"
AS_UNITY_WRITES = [
    "  a: 1\n",
    "  a: \n",
    "  a:\n",
    "  a: []\n  b: {}\n",
    "  a: {x: 0, y: -1e-05, z: 3}\n",
    "  a: {fileID: 1, guid: 0123456789abcdef0123456789abcdef,\n    type: 3}\n",
    "  a:\n  - {fileID: 1}\n  - {fileID: 2}\n  b: 2\n",
    "  a:\n  - x: 1\n    y: 2\n  - x: 3\n",
    "  a:\n  - \n  - b\n  - -3\n",
    "  a:\n    b:\n      c: 1\n  d: 2\n",
    "  a: a text that goes on\n    and on and on\n  b: 2\n",
    "  a: 'it''s: so # and\n\n    so'\n  b: 2\n",
    "  a: 'ends in a line end\n\n'\n  b: 2\n",
    '  a: "\\u00e4 \\"x\\" \\\n    more"\n',
    "  a: https://unity.com/x\n  b: System.Single, mscorlib\n",
    "  : DEFINE\n",
    "  4:3: 1\n",
    "  m[0]: 1\n  near clip plane: 2\n  <A>k__BackingField: 3\n",
    "  a: Anchor #\n",
    "  a:\n  - first:\n      b: 1\n    second: 2\n",
    "  a: 00000000e03f\n  b: -Infinity\n  c: yes\n",
]
GOOD_YAML = [
    "    a: 1\n    b:\n        c: 2\n",
    "  a:\n    - 1\n    - 2\n  b: 3\n",
    "  a: |\n    text: with a colon\n    more\n  b: 1\n",
    "  a: {b: [1, 2], c: {d: 1}}\n",
    "  # a remark\n  a: 1 # another\n",
    "\n  a: 1\n\n  b: 2\n",
    "  'quoted key': 1\n",
    "  a:\n  - - x\n    - y\n  - - z\n",
    "  a: {x: 1,\n      y: 2,\n      z: 3}\n",
]
FAULTS = [
    ("  a: 1\n    b: 2\n", "deeper", 2),
    ("  a: {x: 1\n  b: 2\n", "never closed", 1),
    ("  a: 'open\n  b: 2\n", "never closed", 1),
    ("  a: 'x' y\n", "behind the end", 1),
    ("  a: x: y\n", "second `: `", 1),
    ("  b: 1\n  a\n", "neither", 2),
    ("  a: 1\n  - b\n", "among keys", 2),
    ("  a:\n  - b\n  c\n", "neither", 3),
    ("  a:\n      b: 1\n    c: 2\n", "fits no line", 3),
    ("  a: %x\n", "may not begin", 1),
    ("  a: }\n", "may not begin", 1),
    ("  a: {x: 1]}\n", "closes nothing", 1),
    ("\ta: 1\n", "tab", 1),
    ("  a: 1\nOther:\n  b: 2\n", "second object", 2),
    ("---\n  a: 1\n", "separates objects", 1),
    ("  a: 1\n<<<<<<< ours\n", "neither", 2),
]


def exact(body: str) -> tuple[int, str] | None:
    """Line in the body (from 1) and message."""
    content = (CLASS + body).encode()
    found = first_fault(content, 0, len(content))
    return None if found is None else (content.count(b"\n", 0, found[0]), found[1])


def quick(body: str) -> bool:
    content = (HEADER + CLASS + body).encode()
    return is_canonical(content, 0, len(content))


@pytest.mark.parametrize("body", AS_UNITY_WRITES)
def test_both_take_what_unity_writes(body: str) -> None:
    """Every form that Unity's writer has is taken at once, and by the exact judge as well."""
    assert quick(body)
    assert exact(body) is None


@pytest.mark.parametrize("body", GOOD_YAML)
def test_good_yaml_of_another_style_is_no_fault(body: str) -> None:
    """People and tools write YAML otherwise, and that is none of our business."""
    assert exact(body) is None


@pytest.mark.parametrize(("body", "message", "line"), FAULTS)
def test_faults_are_found_in_their_line(body: str, message: str, line: int) -> None:
    """What cannot be read is told where it stands."""
    assert not quick(body)
    found = exact(body)
    assert found is not None
    assert message in found[1]
    assert found[0] == line


def test_depth_is_bounded() -> None:
    """Nesting without end is a fault, not the end of the check."""
    deep = "".join(" " * (2 * depth) + "a:\n" for depth in range(1, 3000))
    found = exact(deep)
    assert found is not None
    assert "deeper than" in found[1]
    assert exact("  a: " + "{b: " * 5000 + "}" * 5000 + "\n") is not None


def test_a_quoted_text_ends_with_its_document() -> None:
    """A quotation mark that is never closed does not find its end in another object."""
    two = (HEADER + CLASS + "  a: 'x\n" + HEADER + CLASS + "  b: y'\n").encode()
    assert not is_canonical(two, 0, len(two))
    good = two.replace(b"'x", b"x").replace(b"y'", b"'y\n\n'")
    assert is_canonical(good, 0, len(good))
    assert not is_canonical(b"  " + good, 0, len(good) + 2)
    assert not is_canonical(good.replace(b"---", b"  ---"), 0, len(good) + 4)


def test_long_documents_are_judged_in_pieces() -> None:
    """More lines than one search takes are taken as well, and a fault behind them is found."""
    body = "".join(f"  key{number}: {number}\n" for number in range(45_000))
    assert quick(body)
    assert not quick(body + "    deeper: 1\n")


LINES = st.lists(
    st.sampled_from(
        [
            "  a: 1", "  b:", "  - c", "  - d: 2", "    e: 3", "    f:", "      g: x y", "  - ", "  h: 'q", "    q'", "q'",
            "  i: {j: 1", "    k: 2}", "  l: {m: 1}", "    more text", "  n: text", "  - {o: 1}", "    - p", "", "  r: ",
            "  - - s", '  t: "u\\', '   v"', "   odd: 1", " x: 1", "  '", "# y", "  z: |", "w:", "\t", "  :", "  - t: u: v",
        ]
    ),
    max_size=12,
)  # fmt: skip


@settings(deadline=None, max_examples=1500)
@given(LINES)
def test_the_quick_judge_takes_nothing_that_the_exact_one_refuses(lines: list[str]) -> None:
    """Whatever lines follow each other: a fault can never slip through because the text looked usual."""
    body = "".join(f"{line}\n" for line in lines)
    if quick(body):
        assert exact(body) is None, body


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_judged(content: bytes) -> None:
    """Never an exception; a fault lies inside of what was asked about."""
    is_canonical(content, 0, len(content))
    found = first_fault(content, 0, len(content))
    assert found is None or 0 <= found[0] < len(content)


def test_real_documents_are_taken() -> None:
    """All that public projects hold is taken at once, and the exact judge agrees."""
    for path in corpus_files():
        content = path.read_bytes()
        if not content.startswith(b"%YAML"):
            continue
        content += b"" if content.endswith(b"\n") else b"\n"
        start = content.find(b"\n--- !u!") + 1
        while start:
            following = content.find(b"\n--- !u!", start) + 1
            end = following or len(content)
            named = content.index(b"\n", start) + 1
            assert is_canonical(content, start, end), path
            assert first_fault(content, named, end) is None, path
            start = following
