"""Edits: only the lines of the property change, what stands there is what was asked for, and the way back gives the old bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.errors import ToolRejected
from spark.engines.unity.yaml.asset import AssetDocument, AssetFile
from spark.engines.unity.yaml.paths import Named, Step, parse_path
from spark.engines.unity.yaml.place import walk
from spark.engines.unity.yaml.shape import as_read
from spark.engines.unity.yaml.split import is_yaml, split
from spark.engines.unity.yaml.tree import Node
from spark.engines.unity.yaml.values import Pairs, Ref, Value
from tests.engines.unity.yaml.samples import NOT_CANONICAL, OWN, TEXT_REPLACED, asset, assets, opened

GUID = "0123456789abcdef0123456789abcdef"
Steps = tuple[Step, ...]


def after(body: str, path: str, value: Value) -> str:
    """The body of a document after one property was set."""
    file = asset(body)
    file.set(file.documents[0], parse_path(path), value)
    return file.documents[0].body.decode().removeprefix("MonoBehaviour:\n")


@pytest.mark.parametrize(
    ("body", "path", "value", "wanted"),
    [
        ("  a: 1\n  b: 2\n", "a", 7, "  a: 7\n  b: 2\n"),
        ("  a: \n  b: 2\n", "a", "x", "  a: x\n  b: 2\n"),
        ("  a:\n  b: 2\n", "a", "x", "  a: x\n  b: 2\n"),
        ("  a: 1\n", "a", "", "  a: \n"),
        ("  a: 1\n", "a", None, "  a:\n"),
        ("  a:   \n", "a", "x", "  a: x\n"),
        ("  a: 1\n", "a", "x: y", "  a: 'x: y'\n"),
        ("  a: 'x: y'\n", "a", "plain", "  a: plain\n"),
        ("  a: 'needless'\n", "a", "z", "  a: 'z'\n"),
        ('  a: "needless"\n', "a", "z", '  a: "z"\n'),
        ("  a: 'needless'\n", "a", "é", '  a: "\\xE9"\n'),
        ("  a: 'x\n\n    y'\n  b: 1\n", "a", 2, "  a: 2\n  b: 1\n"),
        ("  a: one\n    two\n  b: 1\n", "a", 2, "  a: 2\n  b: 1\n"),
        ("  a: {x: 1, y: 2}\n", "a.y", 3, "  a: {x: 1, y: 3}\n"),
        ("  a: {x: 1,   y: 2}\n", "a.y", 3, "  a: {x: 1,   y: 3}\n"),
        ("  a: {x: 1, y: 2}\n", "a", {"x": 3, "y": 4}, "  a: {x: 3, y: 4}\n"),
        ("  a:\n    x: 1\n    y: 2\n  b: 1\n", "a", {"x": 3, "y": 4}, "  a:\n    x: 3\n    y: 4\n  b: 1\n"),
        ("  a: {fileID: 0}\n", "a", Ref(5, GUID, 3), f"  a: {{fileID: 5, guid: {GUID}, type: 3}}\n"),
        ("  a: []\n  b: 1\n", "a", [Ref(1), Ref(2)], "  a:\n  - {fileID: 1}\n  - {fileID: 2}\n  b: 1\n"),
        ("  a:\n  - 1\n  - 2\n  b: 1\n", "a", [], "  a: []\n  b: 1\n"),
        ("  a:\n  - 1\n  - 2\n", "a[1]", 5, "  a:\n  - 1\n  - 5\n"),
        ("  a:\n  - \n  -\n", "a[1]", 5, "  a:\n  - \n  - 5\n"),
        ("  a:\n  - x: 1\n    y: 2\n", "a[0].x", 5, "  a:\n  - x: 5\n    y: 2\n"),
        ("  a:\n  - x: 1\n    y: 2\n  - z\n", "a[0]", "w", "  a:\n  - w\n  - z\n"),
        ("  a:\n  - - 1\n    - 2\n  - - 3\n", "a[0][1]", 5, "  a:\n  - - 1\n    - 5\n  - - 3\n"),
        ("  a:\n  - x: 1\n", "a[0].x", [1], "  a:\n  - x:\n    - 1\n"),
        ("  a: 1\n  a: 2\n", "a", 3, "  a: 3\n  a: 2\n"),
        ("  m:\n  - _A: 1\n  - _B: 2\n", "m[_B]", 3, "  m:\n  - _A: 1\n  - _B: 3\n"),
        ("  a: 1", "a", "x y", "  a: x y"),
        ("  a:\n    b: 1", "a", {"b": [1]}, "  a:\n    b:\n    - 1"),
        ("  a: 1\n  b: -----\n", "b", "----", "  a: 1\n  b: ----\n"),
    ],
)
def test_set(body: str, path: str, value: Value, wanted: str) -> None:
    """Scalars, references, vectors, blocks and lists, in keys, items, braces and at the end of a file without a line end."""
    assert after(body, path, value) == wanted


def test_a_fold_moves_as_unity_would_move_it() -> None:
    """A reference that grows beyond column 80 is broken and one that shrinks is joined, where the mapping was Unity's own; a
    broken text is broken anew."""
    key = "a" * 20
    long = f"{{fileID: 11500000, guid: {GUID},"
    folded, short = f"  {key}: {long}\n    type: 3}}\n", f"  {key}: {{fileID: 1, guid: {GUID}, type: 3}}\n"
    assert after(short, key, Ref(11500000, GUID, 3)) == folded
    assert after(folded + short, f"{key}.fileID", 1) == short + short
    assert after(folded, key, Ref(7)) == f"  {key}: {{fileID: 7}}\n"
    odd = f"  {key}: {{fileID: 1,\n   guid: {GUID}, type: 3}}\n"
    assert after(odd, f"{key}.fileID", 11500000) == odd.replace("1,", "11500000,", 1)
    text = "word " * 30
    assert after("  a: x\n", "a", text.strip()).count("\n    word") == 1


@pytest.mark.parametrize(
    ("body", "path", "key", "before", "value", "wanted"),
    [
        ("  a: 1\n", "", "b", "", 2, "  a: 1\n  b: 2\n"),
        ("  a: 1\n", "", "b", "a", 2, "  b: 2\n  a: 1\n"),
        ("  a:\n  - x: 1\n    y: 2\n", "a[0]", "w", "x", 0, "  a:\n  - w: 0\n    x: 1\n    y: 2\n"),
        ("  a:\n  - x: 1\n  b: 2\n", "a[0]", "y", "", [1], "  a:\n  - x: 1\n    y:\n    - 1\n  b: 2\n"),
        ("  a: {}\n", "a", "x", "", 1, "  a:\n    x: 1\n"),
        ("  a:\n", "a", "x", "", 1, "  a:\n    x: 1\n"),
        ("  a: {x: 1}\n", "a", "y", "", 2, "  a: {x: 1, y: 2}\n"),
        ("  a: {x: 1}\n", "a", "w", "x", 2, "  a: {w: 2, x: 1}\n"),
        ("  a: {x:  1}\n", "a", "w", "x", 2, "  a: {w: 2, x:  1}\n"),
        ("  a: 1", "", "b", "", 2, "  a: 1\n  b: 2"),
        ("  a: 1\n\n", "", "b", "", 2, "  a: 1\n  b: 2\n\n"),
    ],
)
def test_insert_a_key(body: str, path: str, key: str, before: str, value: Value, wanted: str) -> None:
    """At the end, before a key, behind a dash, into what was empty, into braces; a missing last line end stays missing."""
    file = asset(body)
    file.insert(file.documents[0], parse_path(path) if path else (), key, value, before=before)
    assert file.documents[0].body.decode() == "MonoBehaviour:\n" + wanted


@pytest.mark.parametrize(
    ("body", "path", "index", "value", "wanted"),
    [
        ("  a: []\n", "a", 0, Ref(1), "  a:\n  - {fileID: 1}\n"),
        ("  a:\n", "a", 0, 1, "  a:\n  - 1\n"),
        ("  a:\n  - 1\n  b: 2\n", "a", 1, 2, "  a:\n  - 1\n  - 2\n  b: 2\n"),
        ("  a:\n  - 1\n", "a", 0, 0, "  a:\n  - 0\n  - 1\n"),
        ("  a:\n    - 1\n    - 3\n", "a", 1, {"x": 1, "z": 2}, "  a:\n    - 1\n    - x: 1\n      z: 2\n    - 3\n"),
        ("  a:\n  - - 1\n  - - 2\n", "a[0]", 0, 0, "  a:\n  - - 0\n    - 1\n  - - 2\n"),
        ("  a:\n  - 1", "a", 1, 2, "  a:\n  - 1\n  - 2"),
        ("  a: [1, 3]\n", "a", 1, 2, "  a: [1, 2, 3]\n"),
        ("  a:\n  - x: 1\n    y: 2\n", "a", 1, {"x": 3, "y": 4}, "  a:\n  - x: 1\n    y: 2\n  - x: 3\n    y: 4\n"),
    ],
)
def test_insert_an_item(body: str, path: str, index: int, value: Value, wanted: str) -> None:
    """Into an empty list, at both ends and between, in the list's own column, shaped as the items that are there."""
    file = asset(body)
    file.insert_item(file.documents[0], parse_path(path), index, value)
    assert file.documents[0].body.decode() == "MonoBehaviour:\n" + wanted


@pytest.mark.parametrize(
    ("body", "path", "wanted"),
    [
        ("  a: 1\n  b: 2\n", "a", "  b: 2\n"),
        ("  a: 1\n  b: 2\n", "b", "  a: 1\n"),
        ("  a: 1\n  b: 2", "b", "  a: 1"),
        ("  a:\n    b: 1\n", "a.b", "  a: {}\n"),
        ("  a:\n  - 1\n  b: 2\n", "a[0]", "  a: []\n  b: 2\n"),
        ("  a:\n  - 1\n  - x: 2\n    y: 3\n  - 4\n", "a[1]", "  a:\n  - 1\n  - 4\n"),
        ("  a:\n  - x: 2\n    y: 3\n", "a[0].x", "  a:\n  - y: 3\n"),
        ("  a:\n  - - 1\n    - 2\n", "a[0][0]", "  a:\n  - - 2\n"),
        ("  a: {x: 1, y: 2}\n", "a.x", "  a: {y: 2}\n"),
        ("  a: {x: 1, y:  2}\n", "a.y", "  a: {x: 1}\n"),
        ("  a: {x: 1}\n", "a.x", "  a: {}\n"),
        ("  m:\n  - _A: 1\n  - _B: 2\n", "m[_A]", "  m:\n  - _B: 2\n"),
        ("  m:\n  - _A: 1\n", "m[_A]", "  m: []\n"),
        ("  a: 'x\n\n    y'\n  b: 1\n", "a", "  b: 1\n"),
    ],
)
def test_remove(body: str, path: str, wanted: str) -> None:
    """First, last and only parts of blocks, lists and braces; `[name]` takes the whole item."""
    file = asset(body)
    file.remove(file.documents[0], parse_path(path))
    assert file.documents[0].body.decode() == "MonoBehaviour:\n" + wanted


def test_line_ends_follow_the_line() -> None:
    """New lines end as the line they come from: a file of both kinds stays one."""
    file = AssetFile.open((OWN / "crlf.prefab").read_bytes(), "crlf.prefab")
    document = next(d for d in file.documents if d.class_id == 114)
    file.set(document, ("nothing",), ["a\nb", 2])
    file.insert(document, (), "more", {"deep": [1]})
    assert b"\n" not in file.to_bytes().replace(b"\r\n", b"")
    mixed = asset("  a: []\r\n  b: []\n  c: 1\n")
    mixed.set(mixed.documents[0], ("a",), [1])
    mixed.set(mixed.documents[0], ("b",), [1])
    assert mixed.documents[0].body.endswith(b"  a:\r\n  - 1\r\n  b:\n  - 1\n  c: 1\n")


@pytest.mark.parametrize(
    ("edit", "code", "named"),
    [
        (lambda f, d: f.set(d, ("b",), 1), "not_found", "a, m"),
        (lambda f, d: f.set(d, ("m", 3), 1), "not_found", "a list of 1"),
        (lambda f, d: f.set(d, ("a", "x"), 1), "not_found", "'1'"),
        (lambda f, d: f.insert(d, (), "a", 1), "already_exists", ""),
        (lambda f, d: f.insert(d, (), "z", 1, before="q"), "not_found", ""),
        (lambda f, d: f.insert(d, ("a",), "z", 1), "invalid_arguments", ""),
        (lambda f, d: f.insert(d, (), "a\nb", 1), "invalid_arguments", ""),
        (lambda f, d: f.insert_item(d, ("m",), 2, 1), "invalid_arguments", ""),
        (lambda f, d: f.insert_item(d, ("a",), 0, 1), "invalid_arguments", ""),
        (lambda f, d: f.remove(d, ()), "invalid_arguments", ""),
        (lambda f, d: f.set(d, ("a",), 1e39), "invalid_arguments", ""),
        (lambda f, d: f.set(d, ("r", "x"), [""]), "invalid_arguments", ""),
    ],
)
def test_refusals_name_the_place(edit: object, code: str, named: str) -> None:
    """An edit that cannot be is refused with file, document and property, and what is there; no byte changes."""
    file = asset("  a: 1\n  m:\n  - 1\n  r: {x: 1}\n", "Assets/x.asset")
    before = file.to_bytes()
    with pytest.raises(ToolRejected) as caught:
        edit(file, file.documents[0])  # type: ignore[operator]
    assert caught.value.code == code
    assert caught.value.message.startswith("Assets/x.asset: MonoBehaviour &11400000")
    assert named in caught.value.hint
    assert caught.value.details["path"] == "Assets/x.asset"
    assert file.to_bytes() == before


def test_a_document_that_does_not_parse_is_refused_with_its_line() -> None:
    """The line counts from the top of the file; the other documents can still be edited."""
    file = asset("  a: 1\n--- !u!1 &7\nGameObject:\n  a: b: c\n", "x.asset")
    with pytest.raises(ToolRejected) as caught:
        file.set(file.document(7), ("a",), 1)
    assert caught.value.code == "invalid_asset"
    assert caught.value.details["line"] == 8
    file.set(file.document(11400000), ("a",), 2)
    assert file.to_bytes().endswith(b"  a: 2\n--- !u!1 &7\nGameObject:\n  a: b: c\n")


# -- over files --------------------------------------------------------------------------------------------------------


def places(node: Node, steps: Steps = ()) -> Iterator[tuple[Steps, Node]]:
    """Every property of a document and its path; of a key that comes twice the first."""
    yield steps, node
    if node.is_sequence:
        for number, item in enumerate(node.items()):
            yield from places(item, (*steps, number))
    seen: set[str] = set()
    for key, value in node.entries():
        if key.text not in seen:
            seen.add(key.text)
            yield from places(value, (*steps, key.text))


NEW: tuple[Value, ...] = (
    "zzz",
    "a: b",
    "long " * 30 + "end",
    "é\t",
    7,
    -1.5,
    "",
    "it's\nnew\n",
    "x[0]",
    "{",
    " lead",
    "Take #1",
    "---",
)


def lines_around(document: AssetDocument, steps: Steps) -> tuple[bytes, bytes]:
    """What stands before and behind the lines of a property; of one inside braces, of the whole inline value."""
    place, _ = walk(document.top, steps)
    place = place.flow or place
    body = document.body
    behind = body.find(b"\n", max(place.node.end - place.node.is_block, 0))
    return body[: body.rfind(b"\n", 0, place.slot) + 1], body[behind:] if behind >= 0 else b""


def test_setting_a_scalar_and_setting_it_back_gives_the_file_again() -> None:
    """Of every scalar of the own files, and of some of each real one: in the same session whatever the style was, and for all
    that Unity wrote also in a later one. Between, only the property's lines differ."""
    chosen = random.Random(3)
    for path, content in assets():
        own = path.parent == OWN
        file = opened(path, content)
        documents = list(file.documents)
        if not own:
            documents = [d for d in chosen.sample(documents, min(2, len(documents))) if len(d.body) < 30_000]
        for document in documents:
            scalars = [(steps, node) for steps, node in places(document.fields) if node.is_scalar]
            for steps, node in scalars if own else chosen.sample(scalars, min(2, len(scalars))):
                old, plain, new = document.body, node.plain(), chosen.choice(NEW)
                before, behind = lines_around(document, steps)
                file.set(document, steps, new)
                assert document.value(*steps) == as_read(new)
                middle = document.body
                assert (middle.startswith(before), middle.endswith(behind)) == (True, True), (path, steps, new)
                file.set(document, steps, plain)
                assert document.body == old, (path, steps, new)
                later = AssetDocument(document.class_id, document.file_id, False, document.header, middle)
                file.set(later, steps, plain)
                assert later.value(*steps) == plain
                told = path.name not in (*NOT_CANONICAL, *TEXT_REPLACED) and not needs_memory(file, plain)
                assert later.body == old or not told, (path, steps, new)
        assert file.to_bytes() == content, path


def needs_memory(file: AssetFile, plain: Value) -> bool:
    """The style of a text that no other text of its file has."""
    return file.mode.quoting in ("loose", "empty") and isinstance(plain, str)


VALUES: tuple[Value, ...] = (
    *NEW, None, [], {}, [1, 2], {"a": 1, "b": [1, {"c": 2, "d": None}]}, {"x": 1, "y": 2, "z": 3}, Ref(5), Ref(1, GUID, 3),
    [Ref(4)], [[1, 2], [3]], [{"a": "q"}, "x", None], Pairs([("d", 1), ("d", 2)]),
)  # fmt: skip


def random_edit(file: AssetFile, document: AssetDocument, chosen: random.Random) -> None:
    found = list(places(document.fields))
    value = chosen.choice(VALUES)
    kind = chosen.choice(("set", "key", "item", "remove"))
    steps, node = chosen.choice(found)
    if kind == "set":
        file.set(document, steps, value)
    elif kind == "remove":
        file.remove(document, steps)
    elif kind == "key":
        steps, node = chosen.choice([(s, n) for s, n in found if n.is_mapping])
        keys = ["", *(key.text for key, _ in node.entries())]
        file.insert(document, steps, chosen.choice(("newKey", "a b", "x")), value, before=chosen.choice(keys))
    else:
        steps, node = chosen.choice([(s, n) for s, n in found if n.is_sequence] or [(steps, node)])
        file.insert_item(document, steps, chosen.randint(0, len(node.items())), value)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**9))
def test_random_edits_keep_the_rest(seed: int) -> None:
    """After any sequence of edits the file can be split and read, untouched documents have their old bytes, and line ends and the
    last line end are as they were."""
    chosen = random.Random(seed)
    path = chosen.choice(sorted(p for p in OWN.iterdir() if p.suffix not in (".md", ".meta")))
    content = path.read_bytes()
    file = opened(path, content)
    old = {span.file_id: content[span.start : span.end] for span in split(content).documents}
    document = chosen.choice(list(file.documents))
    for _ in range(12):
        before = document.body
        try:
            random_edit(file, document, chosen)
        except ToolRejected:
            assert document.body == before
    new = file.to_bytes()
    spans = split(new).documents
    assert [span.file_id for span in spans] == list(old)
    for span in spans:
        if span.file_id != document.file_id:
            assert new[span.start : span.end] == old[span.file_id]
    assert AssetFile.open(new, "x").document(document.file_id).fields.plain() == document.fields.plain()
    assert new.endswith(b"\n") == content.endswith(b"\n")
    if b"\r\n" in content:
        assert b"\n" not in new.replace(b"\r\n", b"")


def test_an_inserted_key_removed_again_gives_the_file_again() -> None:
    """Insert and remove are each other's way back, in every mapping of the own files that holds something."""
    for path, content in assets():
        if path.parent != OWN or not is_yaml(content):
            continue
        file = opened(path, content)
        for document in list(file.documents):
            for steps, node in list(places(document.fields)):
                keys = [key.text for key, _ in node.entries()]
                if keys and path.name != "odd.asset":
                    file.insert(document, steps, "newKey", {"a": [1]} if not node.is_flow else 1, before=keys[0])
                    file.remove(document, (*steps, "newKey"))
                    file.insert(document, steps, "newKey", "x y")
                    file.remove(document, (*steps, "newKey"))
        assert file.to_bytes() == content, path


def test_names_of_items_are_paths() -> None:
    """`[name]` finds the item of a list of one-key mappings; a number is a place."""
    file = AssetFile.open((OWN / "two_documents.mat").read_bytes(), "x.mat")
    material = file.documents[0]
    assert material.value("m_SavedProperties", "m_Floats", Named("_Cutoff")) == "0.5"
    file.set(material, parse_path("m_SavedProperties.m_Colors[_Color].r"), 0.25)
    assert b"    - _Color: {r: 0.25, g: 0, b: 0, a: 1}\n" in file.to_bytes()
