"""The parser: what it reads, what it refuses, and what it costs."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.engines.unity.yaml.errors import YamlError
from spark.engines.unity.yaml.mode import Mode
from spark.engines.unity.yaml.tree import MAX_DEPTH, NULL, PLAIN, Node, parse, parse_document
from spark.engines.unity.yaml.values import Pairs, Value
from spark.engines.unity.yaml.write import body_bytes
from tests.engines.unity.yaml.samples import assets, bodies


def read(text: str) -> Value:
    return parse(text.encode()).root.plain()


def block(*pairs: tuple[str, Value]) -> Pairs:
    return Pairs(pairs)


def flow(*pairs: tuple[str, Value]) -> Pairs:
    return Pairs(pairs, inline=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\nb: x y\n", block(("a", "1"), ("b", "x y"))),
        ("a:\nb: \nc: ''\n", block(("a", None), ("b", ""), ("c", ""))),
        ("a:\n- 1\n- \n-\nb: 2\n", block(("a", ["1", "", None]), ("b", "2"))),
        ("a:\n  - 1\n  - b: 2\n    c: 3\n", block(("a", ["1", block(("b", "2"), ("c", "3"))]))),
        ("a:\n- - 1\n  - 2\n- - 3\n", block(("a", [["1", "2"], ["3"]]))),
        ("a:\n- b:\n  - c: 1\n- b: []\n", block(("a", [block(("b", [block(("c", "1"))])), block(("b", []))]))),
        ("a:\n-\n  b: 1\n", block(("a", [block(("b", "1"))]))),
        ("a: {}\nb: []\n", block(("a", flow()), ("b", []))),
        ("a: {x: 0, y: -0.5}\n", block(("a", flow(("x", "0"), ("y", "-0.5"))))),
        ("a: {x: 0,\n    y: 1}\n", block(("a", flow(("x", "0"), ("y", "1"))))),
        ("a: {c: , n: 'x, y', m: {d: e}}\n", block(("a", flow(("c", ""), ("n", "x, y"), ("m", flow(("d", "e"))))))),
        ("a: [1, 'b', {c: d}]\n", block(("a", ["1", "b", flow(("c", "d"))]))),
        ("a: {x: 1} \nb: 'c' \n", block(("a", flow(("x", "1"))), ("b", "c"))),
        ("data: 1\ndata: 2\n", block(("data", "1"), ("data", "2"))),
        (": A;B\n16:9: 1\nsh[ 0]: 2\n", block(("", "A;B"), ("16:9", "1"), ("sh[ 0]", "2"))),
        ("'a: b': 1\n\"\\u00e9\": 2\n", block(("a: b", "1"), ("é", "2"))),
        ("a: one\n  two\n  - three\n", block(("a", "one two - three"))),
        ("a: one\n\n  two\n", block(("a", "one\ntwo"))),
        ("a: one  \n  two\n", block(("a", "one   two"))),
        ("a: 'it''s\n\n  two\n\n'\nb: 1\n", block(("a", "it's\ntwo\n"), ("b", "1"))),
        ('a: "x\\u201C\\U0001F600\\n\n  y \\\n  z"\n', block(("a", "x“😀\n y z"))),
        ('a: "\\uD83D\\uDE00"\n', block(("a", "😀"))),
        ("a: Take #3\nb: -----\nc: x'y\"z\n", block(("a", "Take #3"), ("b", "-----"), ("c", "x'y\"z"))),
        ("a: http://x.y/z?q=1\n", block(("a", "http://x.y/z?q=1"))),
        ("a:\r\n- b: 1\r\n  c: 'd\r\n\r\n    e'\r\n", block(("a", [block(("b", "1"), ("c", "d\ne"))]))),
        ("a: 1\n\n\nb: 2\n\n", block(("a", "1"), ("b", "2"))),
        ("a:\n  b: 1", block(("a", block(("b", "1"))))),
        ("a:\n  b:", block(("a", block(("b", None))))),
        ("a:\n- ", block(("a", [""]))),
        ("", block()),
    ],
)
def test_reads(text: str, value: Value) -> None:
    """Keys, order, duplicates, empty texts against nothing, folds and escapes come out as they are meant."""
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("a: 1\n# note\n", 5),
        ("a: 1\n  # note\n", 7),
        ("a: one\n  # two\n", 9),
        ("\ta: 1\n", 0),
        ("a:\n\tb: 1\n", 3),
        ("a: b\tc\n", 4),
        ("a: &x 1\n", 3),
        ("a: *x\n", 3),
        ("a: !t 1\n", 3),
        ("a: |\n  x\n", 3),
        ("a: >\n  x\n", 3),
        ("a: %x\n", 3),
        ("a: @x\n", 3),
        ("a: `x\n", 3),
        ("? a\n: b\n", 0),
        ("a: ? b\n", 3),
        ("a: - b\n", 3),
        ("a: b: c\n", 4),
        ("a: b:\n", 4),
        ("a: one\n  two: three\n", 9),
        ("a: one\n  b\n   c: d\n", 14),
        ("a: 'x\n", 3),
        ('a: "x\n', 3),
        ('a: "\\q"\n', 3),
        ('a: "\\u12"\n', 3),
        ('a: "\\UFFFFFFFF"\n', 3),
        ("a: 'x' y\n", 6),
        ("a: {x: 1} y\n", 9),
        ("a: {x: 1\n", 8),
        ("a: {x:1}\n", 4),
        ("a: {x}\n", 4),
        ("a: {: 1}\n", 4),
        ("a: [1,,2]\n", 6),
        ("a: {x: 1]\n", 8),
        ("a: {x: #c\n}\n", 7),
        ("a: {x: a?b}\n", 8),
        ("a: {x: &b}\n", 7),
        ("a: {x: 0, y: :0}\n", 13),
        ("a: [:0]\n", 4),
        ("a: {x:}\n", 4),
        ("a: {x:, y: 1}\n", 4),
        ("a:  1\n", 4),
        ("a:1\n", 0),
        ("a : 1\n", 0),
        ("a #b: 1\n", 0),
        (":\n", 0),
        ("a\n", 0),
        ("  a: 1\n b: 2\n", 2),
        ("a:\n    b: 1\n  c: 2\n", 14),
        ("a: 1\n  b: 2\n", 7),
        ("a: {}\n  b: 2\n", 8),
        ("a: 1\n- b\n", 5),
        ("a:\n  b: 1\n- c\n", 10),
        ("a:\n  b: 1\n- c: 2\n", 10),
        ("- a\n", 0),
        ("a:\n- b\n  - c: 1\n", 9),
        ("a:\n- b\n c: 1\n", 8),
        ("---\na: 1\n", 0),
        ("---a: 1\n", 0),
        ("a: 1\n---b: 1\n", 5),
        ("a: 1\n...\n", 5),
        ("a: 1\n...  b: 1\n", 5),
        ("%TAG x\n", 0),
        ("<<<<<<< HEAD\na: 1\n", 0),
        ("a: 1\n=======\n", 5),
        ("a: 'x\n---\n  y'\n", 3),
        ("a: x\x00\n", 4),
        ("a: x\x07\n", 4),
        ("a: x\ry\n", 4),
        ("a: x\u2028y\n", 4),
        ("a: x\u0085y\n", 4),
        ("a: 1\n\ufeffb: 2\n", 5),
    ],
)
def test_refuses(text: str, at: int) -> None:
    """What is no YAML, what Unity does not write and readers disagree about, and what could be read two ways is refused with its
    place; it is never read as something else."""
    with pytest.raises(YamlError) as caught:
        parse(text.encode())
    assert caught.value.offset == at, caught.value.message


@pytest.mark.parametrize(("text", "at"), [("A:\n  b: 1\n  : \n", 12), (": 1\n", 0), ("a: 1\n: \n", 5)])
def test_a_field_has_a_name(text: str, at: int) -> None:
    """A document's own fields and those of an importer are named; a map below them may have a key of no length."""
    with pytest.raises(YamlError) as caught:
        parse_document(text.encode())
    assert caught.value.offset == at
    nested = b"A:\n  m_Map:\n    : \n    1: x\n  m_Text: 'a\n\n  : b'\n"
    assert parse_document(nested).root.plain() == parse(nested).root.plain()


def test_nesting_has_a_bound() -> None:
    """Deep nesting is refused in blocks, dashes and braces; what is accepted can be read and written without running out of
    stack."""
    deep = "".join(f"{'  ' * level}a:\n" for level in range(MAX_DEPTH))
    value = read(deep)
    assert body_bytes(value, Mode()) == deep.encode()
    for text in (
        f"{deep}{'  ' * MAX_DEPTH}a:\n{'  ' * MAX_DEPTH}  a:\n",
        "a:\n" + "- " * 500 + "1\n",
        "a: " + "{a: " * 500,
        "a: " + "[" * 500,
    ):
        with pytest.raises(YamlError, match="nested too deep"):
            parse(text.encode())
    assert read("a: " + "[" * 90 + "]" * 90 + "\n")


def test_spans_lie_inside_each_other() -> None:
    """Every node's bytes lie inside its parent's and behind those of the node before it."""

    def check(node: Node) -> None:
        last = node.start
        for child in node.children():
            assert last <= child.start <= child.end <= node.end
            last = child.end
            check(child)

    for _, content in assets()[:40]:
        for body in bodies(content):
            check(parse(body).root)


def test_a_key_is_found_by_its_text() -> None:
    """`get` finds plain and quoted keys, the first of two, and nothing by a part of a name."""
    root = parse("ab: 1\na: 2\na: 3\n'b c': 4\né: 5\n".encode()).root
    assert [node.text if (node := root.get(key)) else None for key in ("a", "b c", "é", "b", "")] == [
        "2",
        "4",
        "5",
        None,
        None,
    ]
    scalar = root.get("a")
    assert scalar is not None
    assert (scalar.get("x"), scalar.items(), list(scalar.entries())) == (None, [], [])


# -- against another reader --------------------------------------------------------------------------------------------


def composed(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return [(composed(key), composed(value)) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return {"items": [composed(item) for item in node.value]}
    return node.value


def plain(value: Value) -> Any:
    if isinstance(value, Pairs):
        return [(key, plain(item)) for key, item in value.items()]
    if isinstance(value, list):
        return {"items": [plain(item) for item in value]}
    return value or ""


def other_reader(body: bytes) -> Any:
    """What PyYAML composes; None where it refuses."""
    try:
        node = yaml.compose(body.decode(), Loader=yaml.CBaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    return [] if node is None else composed(node)


def known_difference(body: bytes) -> bool:
    """Unity keeps spaces before a line end, and ` #` inside a plain text."""
    return b" #" in body or any(line.endswith((b" ", b" \r")) for line in body.split(b"\n"))


TOKENS = st.sampled_from(
    [
        "a",
        "b c",
        "a: ",
        "a:",
        ":",
        " ",
        "  ",
        "    ",
        "\n",
        "\n",
        "\n  ",
        "- ",
        "-",
        "'",
        "''",
        '"',
        "\\n",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ",",
        "{a: b}",
        "[]",
        "{}",
        "#",
        "&x",
        "*x",
        "!",
        "|",
        ">",
        "%",
        "@",
        "?",
        "? ",
        "1",
        "-0.5",
        "\t",
        "\r\n",
        "é",
        "---",
    ]
)


@settings(deadline=None, max_examples=800)
@given(st.lists(TOKENS, max_size=14).map("".join))
def test_what_is_read_is_read_as_another_reader_reads_it(text: str) -> None:
    """Over texts made of YAML's own tokens: nothing but `YamlError` comes out, and what is accepted means the same to PyYAML."""
    body = text.encode()
    try:
        value = parse(body).root.plain()
    except YamlError:
        return
    if not known_difference(body) and "''" not in text.replace("a: ''", ""):
        other = other_reader(body)
        if other is not None:
            assert plain(value) == other


def test_real_documents_are_read_as_another_reader_reads_them() -> None:
    """Over own and real files, but for the known differences."""
    compared = 0
    for path, content in assets():
        for body in bodies(content)[:3]:
            if len(body) < 6000 and not known_difference(body.replace(b": \n", b":\n").replace(b"- \n", b"-\n")):
                other = other_reader(body)
                if other is not None:
                    compared += 1
                    assert plain(parse(body).root.plain()) == other, path
    assert compared > 10


# -- what it costs -----------------------------------------------------------------------------------------------------


def peak_bytes(body: bytes) -> int:
    tracemalloc.start()
    with suppress(YamlError):
        parse(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    "part",
    [
        r"{",
        r"- ",
        r"a:\n",
        r'"',
        r"'",
        r" ",
        r'"\\',
        r"\n",
        r" \n",
        r"a ",
        r"k: '\n",
        r"'a\n",
        r"\n---",
        r"a: {b: c, ",
        r"a: b\n",
        r"x: {a: ",
        r"- 1\n",
        r"-\n",
        r"- - 1\n",
        r"- a:\n",
        r"- {}\n",
        r": \n",
        r"a: {b: c}\n",
    ],
)
@pytest.mark.parametrize("lead", ["", "k:\n", "k: ", "k: {a: b", "k: '"])
def test_odd_inputs_end_soon_and_small(lead: str, part: str) -> None:
    """30 KB of one token: an answer or a `YamlError`, within twelve times the bytes."""
    part = part.replace("\\n", "\n")
    body = (lead + part * (30_000 // len(part))).encode()
    assert peak_bytes(body) <= 12 * len(body) + 4096


def test_memory_stays_within_twelve_times_the_file() -> None:
    """Of real bodies of some size, as they are and with pieces cut out, doubled and exchanged."""
    large = [body for _, content in assets() for body in bodies(content) if len(body) > 20_000][:12]
    large.append(b"".join(body for _, content in assets()[:15] for body in bodies(content)[:1]) * 4)
    for body in large:
        half = len(body) // 2
        for changed in (body, body[:half] + body[half + 7 :], body[half:] + body, body.replace(b"\n  ", b"\n")):
            assert peak_bytes(changed) <= 12 * len(changed) + 4096


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_mutated_real_documents_are_read_or_refused(data: st.DataObject) -> None:
    """A real body with bytes exchanged, cut or put in gives a tree or a `YamlError`, and its texts can be decoded."""
    choices = [body for path, content in assets()[:16] for body in bodies(content)]
    body = bytearray(data.draw(st.sampled_from(choices))[:3000])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.one_of(
                st.binary(max_size=4), st.sampled_from([b"\n", b"'", b'"', b": ", b"- ", b"{", b"}", b"\xff", b"\\"])
            )
        )
    with suppress(YamlError):
        parse(bytes(body)).root.plain()


def test_kinds_of_nothing() -> None:
    """Nothing behind a colon is not the empty text: Unity writes the one and not the other."""
    nothing, empty = (value for _, value in parse(b"a:\nb: \n").root.entries())
    assert (nothing.kind, empty.kind) == (NULL, PLAIN)
    assert (nothing.start, empty.start) == (2, 6)
