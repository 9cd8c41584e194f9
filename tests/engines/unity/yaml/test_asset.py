"""An open file: what is refused by its kind, its documents as a list, and importer settings."""

from __future__ import annotations

import tracemalloc

import pytest

from spark.core.errors import ToolRejected
from spark.core.patience import GivenUp, giving_up
from spark.engines.unity.yaml.asset import AssetFile
from spark.engines.unity.yaml.mode import Mode
from spark.engines.unity.yaml.split import is_yaml
from spark.engines.unity.yaml.values import Ref
from tests.engines.unity.yaml.samples import HEADER, OWN, asset, assets, opened


@pytest.mark.parametrize(
    ("content", "code", "named"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "unsupported_asset", "git lfs pull"),
        (b"\x00\x00\x00\x00\x16binary", "unsupported_asset", "Force Text"),
        (b'{"a": 1}', "unsupported_asset", "applyCodePatch"),
        (b"\xef\xbb\xbf\n[1]", "unsupported_asset", "applyCodePatch"),
        (b"hello\n", "invalid_asset", "%YAML"),
        (b"", "invalid_asset", "%YAML"),
        (HEADER + b"--- !u!1 &1\nA:\n--- x\n", "invalid_asset", ""),
    ],
)
def test_what_is_no_text_asset_is_refused_by_its_kind(content: bytes, code: str, named: str) -> None:
    """The refusal says what the file is and what would work."""
    with pytest.raises(ToolRejected) as caught:
        AssetFile.open(content, "Assets/x.asset")
    assert caught.value.code == code
    assert "Assets/x.asset" in caught.value.message
    assert named in caught.value.hint


def test_a_wrong_header_line_is_named() -> None:
    """The line counts from the top of the file."""
    with pytest.raises(ToolRejected) as caught:
        AssetFile.open(HEADER + b"--- !u!1 &1\nA:\n--- !u!1 &x\n", "x.asset")
    assert caught.value.details["line"] == 5


def test_every_file_is_saved_as_it_was_opened() -> None:
    """Untouched, with all documents looked at, and with all documents parsed."""
    for path, content in assets():
        file = opened(path, content)
        assert file.to_bytes() == content, path
        for document in file.documents:
            assert document.fields.is_mapping
        assert file.to_bytes() == content, path


def test_a_document_is_found_by_its_id() -> None:
    """An id that is not there, or is there twice, is refused by name."""
    file = asset("  a: 1\n--- !u!1 &7\nA:\n  b: 1\n--- !u!1 &8\nB:\n  b: 1\n--- !u!1 &8\nC:\n  b: 1\n")
    assert file.document(7).class_name == "A"
    assert file.document(7) is file.documents[1]
    for file_id, code in ((9, "not_found"), (8, "invalid_asset")):
        with pytest.raises(ToolRejected) as caught:
            file.document(file_id)
        assert caught.value.code == code
    file.delete(file.documents[3])
    assert file.document(8).class_name == "B"


def test_documents_are_added_moved_and_taken_out() -> None:
    """The list behaves as a list, and what was not touched keeps its bytes."""
    content = (OWN / "fold.prefab").read_bytes()
    file = AssetFile.open(content, "fold.prefab")
    made = file.new_document(1, 77, "GameObject", {"m_Name": "New", "m_Icon": Ref()})
    assert made.raw == b"--- !u!1 &77\nGameObject:\n  m_Name: New\n  m_Icon: {fileID: 0}\n"
    file.add(made, at=1)
    assert [d.file_id for d in file.documents[:3]] == [1234567890123456789, 77, 2234567890123456789]
    assert file.document(77) is made
    file.delete(made)
    assert file.to_bytes() == content
    file.add(made)
    assert file.to_bytes() == content + made.raw
    file.documents[-1:] = []
    assert (len(file.documents), file.to_bytes()) == (5, content)


def test_a_new_last_document_keeps_a_missing_last_line_end() -> None:
    """The document before it gets the line end that it lacked."""
    content = (OWN / "no_final_newline.prefab").read_bytes()
    file = AssetFile.open(content, "x.prefab")
    file.add(file.new_document(1, 77, "GameObject", {"m_Name": "New"}))
    assert file.to_bytes() == content + b"\n--- !u!1 &77\nGameObject:\n  m_Name: New"


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("final", [True, False])
def test_without_its_last_document_a_file_ends_as_it_did(newline: bytes, final: bool) -> None:
    """A file without a line end at its end gets none, one with it keeps it; also where the new last one has no body."""
    documents = [b"--- !u!1 &1\nA:\n  b: 1\n", b"--- !u!1 &2\n", b"--- !u!1 &3\nA:\n  b: 1\n"]

    def content(count: int) -> bytes:
        made = (HEADER + b"".join(documents[:count])).replace(b"\n", newline)
        return made if final or not count else made.removesuffix(newline)

    file = AssetFile.open(content(3), "x.prefab")
    for count in (2, 1):
        file.delete(file.documents[-1])
        assert file.to_bytes() == content(count)
    file.add(file.new_document(1, 77, "GameObject", {"m_Name": "New"}))
    file.delete(file.documents[0])
    new = b"--- !u!1 &77\nGameObject:\n  m_Name: New\n".replace(b"\n", newline)
    assert file.to_bytes() == content(0) + (new if final else new.removesuffix(newline))


def test_taking_a_document_out_does_not_look_at_the_others() -> None:
    """In a large scene only what is asked for is made: before and behind an edit of the list, and what was looked at or
    changed keeps its bytes."""
    count = 20_000
    parts = [b"--- !u!1 &%d\nA:\n  b: %d\n" % (number, number) for number in range(1, count + 1)]
    file = AssetFile.open(HEADER + b"".join(parts), "x.unity")
    tracemalloc.start()
    file.delete(file.document(700))
    file.set(file.document(900), ("b",), 5)
    file.add(file.new_document(1, 77_777, "A", {"b": 1}), at=10)
    saved = file.to_bytes()
    with pytest.raises(ToolRejected):
        file.document(700)
    with pytest.raises(ValueError, match="not in list"):
        file.delete(opened(OWN / "fold.prefab", (OWN / "fold.prefab").read_bytes()).documents[3])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    parts[899] = parts[899].replace(b"b: 900", b"b: 5")
    del parts[699]
    parts.insert(10, b"--- !u!1 &77777\nA:\n  b: 1\n")
    assert saved == HEADER + b"".join(parts)
    assert peak < 4 * len(saved)


def test_refusing_a_broken_document_names_its_line_without_copying_the_file() -> None:
    """The line counts through all documents before it as they stand now, and the refusal copies them once at the most."""
    count = 20_000
    content = HEADER + b"".join(b"--- !u!1 &%d\nA:\n  b: 1\n" % number for number in range(1, count))
    file = AssetFile.open(content + b"--- !u!1 &%d\nA:\n  b: 1\n  c: {x: 0\n" % count, "x.unity")
    file.insert(file.documents[0], (), "k", 1)
    tracemalloc.start()
    with pytest.raises(ToolRejected) as caught:
        file.set(file.document(count), ("b",), 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.details["line"] == 2 + 3 * (count - 1) + 1 + 4
    assert str(caught.value.details["fileId"]) == str(count)
    assert peak < 2 * len(content)


def test_work_that_nobody_waits_for_ends_at_the_next_document() -> None:
    """Opening, looking through and reading a file ask whether to go on."""
    content = (OWN / "fold.prefab").read_bytes()
    file = AssetFile.open(content, "x.prefab")
    first = file.documents[0]
    with giving_up(lambda: True):
        for work in (lambda: AssetFile.open(content, "x.prefab"), lambda: first.tree, lambda: list(file.documents)):
            with pytest.raises(GivenUp):
                work()
    assert first.fields.is_mapping


def test_a_file_of_new_documents() -> None:
    """A file that is made from nothing."""
    file = AssetFile(HEADER, [], Mode(newline="\r\n"), "x.asset")
    document = file.new_document(114, 11400000, "MonoBehaviour", {"a": 1})
    file.add(document)
    file.set(document, ("a",), [1])
    assert file.to_bytes() == HEADER + b"--- !u!114 &11400000\r\nMonoBehaviour:\r\n  a:\r\n  - 1\r\n"


def test_importer_settings_are_edited_as_one_document() -> None:
    """A `.meta` has no header: its top level is the document, a byte order mark stays."""
    content = b"\xef\xbb\xbf" + (OWN / "importer.cs.meta").read_bytes()
    file = AssetFile.open_meta(content, "importer.cs.meta")
    document = file.documents[0]
    assert document.value("guid") == "0123456789abcdef0123456789abcdef"
    file.set(document, ("MonoImporter", "executionOrder"), -100)
    file.insert(document, ("MonoImporter", "externalObjects"), "a", 1)
    file.insert(document, (), "labels", ["x"], before="MonoImporter")
    assert file.to_bytes() == content.replace(b"Order: 0", b"Order: -100").replace(
        b"Objects: {}", b"Objects:\n    a: 1"
    ).replace(b"MonoImporter:", b"labels:\n- x\nMonoImporter:")
    with pytest.raises(ToolRejected) as caught:
        file.set(document, ("none",), 1)
    assert "the importer settings" in caught.value.message
    with pytest.raises(ToolRejected) as caught:
        AssetFile.open_meta(b"a: 1\n<<<<<<< HEAD\n", "x.meta")
    assert (caught.value.code, caught.value.details["line"]) == ("invalid_asset", 2)


def test_memory_of_an_open_file_stays_within_twelve_times_its_bytes() -> None:
    """With the smallest documents there can be none of them is made; of files of some size all are held parsed."""
    tiny = HEADER + b"".join(b"--- !u!1 &%d\n" % number for number in range(20_000))
    large = [(content, True) for _, content in assets() if is_yaml(content) and len(content) > 60_000][:6]
    for content, parsed in ((tiny, False), ((OWN / "fold.prefab").read_bytes(), True), *large):
        tracemalloc.start()
        file = AssetFile.open(content, "x.asset")
        fields = [document.fields for document in file.documents] if parsed else []
        saved = file.to_bytes()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (saved == content, len(fields) > 0) == (True, parsed)
        assert peak <= 12 * len(content) + 4096
