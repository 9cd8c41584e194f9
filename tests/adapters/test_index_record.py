"""A file's record says what the file says: its guid as the engine reads it, and every guid that it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spark.adapters.file_index import FileIndex, finish
from spark.adapters.index_record import guid_of_meta
from spark.core.paths import ProjectPath
from spark.engines.unity.meta import guid_in_meta
from tests.adapters.watch_kit import guid, make_project, meta, scene, write
from tests.engines.unity.corpus import corpus_files

A = "0123456789abcdef0123456789abcdef"
B = "fedcba9876543210fedcba9876543210"

lines = st.sampled_from(
    [
        "fileFormatVersion: 2",
        f"guid: {A}",
        f"guid: {A.upper()}",
        f"guid: {B}",
        f"guid: {A} ",
        f"guid:{A}",
        f"guid:\t{A}",
        f"guid: {A}0",
        f"guid:0{A}",
        f"guid: {A[:31]}",
        "guid: ",
        "guid:",
        f"  guid: {B}",
        f"  userData: guid: {B}",
        f"  userData: 'x{'y' * 40} guid: {B}'",
        f"m_guid: {B}",
        "MonoImporter:",
        f"  icon: {{fileID: 2800000, guid: {B}, type: 3}}",
        "<<<<<<< HEAD",
        "=======",
        ">>>>>>> other",
        "||||||| base",
        " =======",
        "",
    ]
)
ends = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])
rows_of_a_meta = st.one_of(
    st.lists(st.tuples(lines, ends), max_size=7),
    # Nearly a `.meta` as Unity writes it: that is where the quick look must not be too quick.
    st.builds(
        lambda first, second, rest: [("fileFormatVersion: 2", first), (f"guid: {A}", second), *rest],
        st.sampled_from(["\n", "\r\n"]),
        st.sampled_from(["\n", "\r\n"]),
        st.lists(st.tuples(lines, ends), max_size=3),
    ),
    st.builds(
        lambda line, end: [("fileFormatVersion: 2", end), (line, end), ("MonoImporter:", end)],
        lines,
        st.sampled_from(["\n", "\r\n"]),
    ),
)


@settings(deadline=None, max_examples=400)
@given(rows_of_a_meta, st.booleans(), st.booleans())
@example([("fileFormatVersion: 2", "\n"), (f"guid: {A}", "\n")], False, True)
@example(
    [("fileFormatVersion: 2", "\n"), (f"guid: {A}", "\n"), ("Importer:", "\r"), (f"guid: {B}", "\n")], False, False
)
@example([("fileFormatVersion: 2", "\n"), (f"guid:\t{B}", "\n"), (f"guid: {A}", "\n")], False, False)
@example([("fileFormatVersion: 2", "\r\n"), (f"guid: {A}", "\r"), (f"guid: {B}", "\n")], False, False)
def test_the_index_reads_a_guid_as_the_engine_does(rows: list[tuple[str, str]], bom: bool, cut: bool) -> None:
    """Byte-order marks, any line ends, a missing last one, guids elsewhere than in the second line, in other values, in upper
    case, twice, or beside the marks of a merge: the quick look and the engine never differ."""
    text = "".join(line + end for line, end in rows)
    content = (b"\xef\xbb\xbf" if bom else b"") + (text.rstrip("\r\n") if cut else text).encode()
    expected = guid_in_meta(content)
    found = guid_of_meta(content)
    assert (found.hex() if found is not None else None) == expected


def test_the_index_reads_the_guids_of_real_metas_as_the_engine_does() -> None:
    """Also metas as importers, Rider and older versions of Unity write them."""
    own = [
        meta(7).encode(),
        f"fileFormatVersion: 2\nguid: {A}".encode(),
        f"\ufefffileFormatVersion: 2\r\nguid: {A}".encode(),
    ]
    for content in own + [path.read_bytes() for path in corpus_files(".meta")]:
        for spelled in (content, content.replace(b"\n", b"\r\n"), content.rstrip()):
            found = guid_of_meta(spelled)
            assert found is not None
            assert found.hex() == guid_in_meta(spelled)


def referring(root: Path, files: dict[str, str | bytes], number: int = 2) -> list[str]:
    make_project(root)
    (root / "Assets/Main.unity").unlink()
    for name, content in files.items():
        write(root / "Assets" / name, content)
    index = FileIndex(root)
    finish(index.full_scan())
    return [path.name for path in index.references_to(guid(number))]


def test_every_spelling_of_a_reference_counts(tmp_path: Path) -> None:
    """Line ends of Windows, a byte-order mark, folds, upper case, Addressables, Localization, JSON and URLs as text in YAML."""
    g = guid(2)
    head = "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n--- !u!114 &1\nMonoBehaviour:\n"
    files: dict[str, str | bytes] = {
        "crlf.prefab": scene(2).replace("\n", "\r\n"),
        "bom.vfx": "\ufeff" + scene(2),
        "folded.mat": head + f"  m_Mesh: {{fileID: 4300000, guid: {g},\n    type: 3}}\n",
        "odd-fold.mat": head + f"  m_Mesh: {{fileID: 4300000, guid:\n      {g}, type: 3}}\n",
        "upper.mat": head + f"  m_Mesh: {{fileID: 1, guid: {g.upper()}, type: 3}}\n",
        "asset-guid.asset": head + f"  m_AssetGUID: {g}\n",
        "scene-guid.asset": head + f"  m_SceneGuid: {g}\n",
        "table.asset": head + f"  m_TableCollectionName: GUID:{g}\n",
        "json.vfx": head + f'  m_Obj: \'{{"obj":{{"fileID":21,"guid":"{g}","type":3}}}}\'\n',
        "quoted.vfx": head + f'  m_Obj: "{{\\"obj\\":{{\\"fileID\\":21,\\n\\"guid\\":\\"{g}\\"}}"\n',
        "url.asset": head + f"  path: project://database/Assets/a.uss?fileID=7&guid={g}&type=3#a\n",
        "graph.shadergraph": f'{{"m_Texture": "{{\\"fileID\\":28,\\"guid\\":\\"{g}\\",\\"type\\":3}}"}}',
        "spaced.shadergraph": f'{{\n  "fileID" : 28,\n  "guid" : "{g}"\n}}',
        "controls.inputactions": f'{{"guid": "{g}"}}',
        "plain.txt": f"guid: {g}",
        "other.mat": head + f"  m_Hash: {g}\n",
    }
    found = referring(tmp_path, files)
    assert sorted(files.keys() - set(found)) == ["other.mat", "plain.txt"]


def test_metas_refer_to_what_their_importers_name(tmp_path: Path) -> None:
    """External objects, default references and icons count; the asset's own guid never does, however it is spelled, and
    references of a `.meta` that nobody can read a guid from count as well."""
    g = guid(2)
    body = f"  externalObjects:\n  - first:\n      name: Body\n    second: {{fileID: 2100000, guid: {g}, type: 2}}\n"
    files: dict[str, str | bytes] = {
        "model.fbx.meta": f"fileFormatVersion: 2\nguid: {A}\nModelImporter:\n{body}",
        "Script.cs.meta": f"fileFormatVersion: 2\r\nguid: {B}\r\nMonoImporter:\r\n  icon: {{fileID: 28, guid: {g}, type: 3}}\r\n",
        "Defaults.cs.meta": meta(31) + f"  defaultReferences:\n  - look: {{fileID: 2100000, guid: {g}, type: 2}}\n",
        "merge.fbx.meta": f"fileFormatVersion: 2\n<<<<<<< a\nguid: {A}\n=======\nguid: {B}\n>>>>>>> b\n{body}",
        "own.fbx.meta": f"fileFormatVersion: 2\nguid: {g.upper()}\nx: {{fileID: 1, guid: {g}}}\n",
    }
    assert referring(tmp_path, files) == ["Defaults.cs.meta", "Script.cs.meta", "merge.fbx.meta", "model.fbx.meta"]


def test_a_meta_of_many_megabytes_still_gives_a_guid(tmp_path: Path) -> None:
    """Sheets of thousands of sprites make metas that are larger than what is read at a time."""
    make_project(tmp_path)
    write(tmp_path / "Assets/sheet.png.meta", meta(40) + "  - name: sprite\n" * 100_000)
    index = FileIndex(tmp_path)
    finish(index.full_scan())
    assert index.path_of_guid(guid(40)) == ProjectPath("Assets/sheet.png")


@pytest.mark.parametrize("spelling", ["guid: {}", "GUID:{}", '"guid":"{}"', "?guid={}&"])
def test_no_reference_is_lost_where_two_pieces_of_a_large_file_meet(tmp_path: Path, spelling: str) -> None:
    """Whatever part of a reference the first piece ends with, also behind a byte-order mark."""
    make_project(tmp_path)
    text = spelling.format(guid(2))
    piece = 1024 * 1024
    for cut in range(0, len(text) + 1, 3):
        head = "\ufeff%YAML 1.1\n".encode()
        content = head + b"x" * (piece - len(head) - cut) + text.encode() + b"\n" + b"y" * 100
        write(tmp_path / f"Assets/at{cut}.asset", content)
    index = FileIndex(tmp_path)
    finish(index.full_scan())
    found = {path.name for path in index.references_to(guid(2))}
    assert found == {"Main.unity", *(f"at{cut}.asset" for cut in range(0, len(text) + 1, 3))}
