"""What one file says of itself: each code with a small file that has it and a twin that has not, and any bytes at all."""

from __future__ import annotations

import random
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.paths import ProjectPath
from spark.engines.unity.check import check_file
from spark.engines.unity.checks.codes import CODES
from spark.engines.unity.checks.facts import MAX_FAULTS, FileFacts, facts_of
from spark.engines.unity.csharp.check import CSharpContext
from tests.engines.unity.checks.assets import (
    HEAD,
    MATERIAL,
    PREFAB,
    behaviour,
    folder_meta,
    game_object,
    meta,
    transform,
)
from tests.engines.unity.corpus import corpus_files

GUID = "0123456789abcdef0123456789abcdef"
CONTEXT = CSharpContext(frozenset(), frozenset())
PATH = "Assets/A.prefab"
ROOTS = "--- !u!1660057539 &9223372036854775807\nSceneRoots:\n  m_ObjectHideFlags: 0\n  m_Roots:\n"
INSTANCE = (
    "--- !u!1001 &500\nPrefabInstance:\n  m_ObjectHideFlags: 0\n  serializedVersion: 2\n  m_Modification:\n"
    "    m_TransformParent: {{fileID: {0}}}\n    m_Modifications: []\n    m_RemovedComponents: []\n"
    f"  m_SourcePrefab: {{{{fileID: 100100000, guid: {GUID}, type: 3}}}}\n"
)
STRIPPED = (
    "--- !u!4 &501 stripped\nTransform:\n"
    f"  m_CorrespondingSourceObject: {{fileID: 4, guid: {GUID}, type: 3}}\n"
    "  m_PrefabInstance: {fileID: 500}\n  m_PrefabAsset: {fileID: 0}\n"
)


def of(path: str, content: bytes | str) -> FileFacts:
    return facts_of(ProjectPath(path), content.encode() if isinstance(content, str) else content)


def said(path: str, content: bytes | str) -> list[tuple[str, str, int]]:
    return [(fault.code, fault.severity, fault.line) for fault in of(path, content).faults]


def line_of(content: str, text: str) -> int:
    return content[: content.index(text)].count("\n") + 1


def changed(old: str, new: str, content: str = PREFAB) -> str:
    assert content.count(old) >= 1
    return content.replace(old, new, 1)


CASES: list[tuple[str, str, str, str]] = [
    # code, severity, content, text in the line that is named
    ("yaml/syntax", "error", changed("y: 1.5", "y: {1.5"), "m_LocalPosition"),
    ("yaml/tab", "error", changed("  m_Layer", "\tm_Layer"), "\tm_Layer"),
    ("yaml/duplicate-id", "error", PREFAB + "--- !u!114 &20\nMonoBehaviour:\n  m_Name: \n", "--- !u!114 &20"),
    ("yaml/document-header", "error", changed("--- !u!4 &21", "--- !u!4 &x21"), "--- !u!4 &x21"),
    ("yaml/empty-document", "error", PREFAB + "--- !u!1 &77\n", "&77"),
    ("yaml/dangling-reference", "warning", PREFAB + behaviour(31, 0, GUID, "  target: {fileID: 99}\n"), "fileID: 99"),
    ("yaml/dangling-reference", "error", changed("- component: {fileID: 21}", "- component: {fileID: 99}"), "fileID: 99"),
    ("yaml/dangling-reference", "error", changed("m_Father: {fileID: 11}", "m_Father: {fileID: -5}"), "fileID: -5"),
    ("yaml/dangling-reference", "warning", PREFAB + behaviour(31, 0, GUID, "  a:\n  - { fileID: 99 }\n"), "fileID: 99"),
    ("yaml/hierarchy", "error", changed("m_Father: {fileID: 11}", "m_Father: {fileID: 0}"), "- {fileID: 21}"),
    ("yaml/hierarchy", "error", changed("\n  - {fileID: 21}", " []"), "m_Father: {fileID: 11}"),
    ("yaml/hierarchy", "error", changed("\n  - {fileID: 21}", "\n  - {fileID: 21}\n  - {fileID: 21}"), "- {fileID: 21}"),
    ("yaml/hierarchy", "error", changed("m_Father: {fileID: 11}", "m_Father: {fileID: 10}"), "m_Father: {fileID: 10}"),
    (
        "yaml/hierarchy",
        "error",
        HEAD + transform(1, 0, 2, father=2) + transform(2, 0, 1, father=1),
        "m_Father: {fileID: 2}",
    ),
    ("yaml/component", "error", changed("  - component: {fileID: 21}\n", ""), "m_GameObject: {fileID: 20}"),
    ("yaml/component", "error", changed("m_GameObject: {fileID: 20}", "m_GameObject: {fileID: 0}"), "component: {fileID: 21}"),
    ("yaml/component", "error", changed("m_GameObject: {fileID: 20}", "m_GameObject: {fileID: 11}"), "m_GameObject: {fileID: 11}"),
    (
        "yaml/component",
        "error",
        changed("  - component: {fileID: 21}\n", "  - component: {fileID: 21}\n" * 2),
        "component: {fileID: 21}",
    ),
    ("yaml/scene-roots", "warning", PREFAB + ROOTS + "  - {fileID: 21}\n  - {fileID: 11}\n", "m_Roots"),
    ("yaml/scene-roots", "warning", PREFAB + ROOTS.replace("m_Roots:\n", "m_Roots: []\n") , "--- !u!4 &11"),
    ("yaml/header", "error", PREFAB.replace("%TAG", "%TOG"), "%YAML"),
    ("text/merge-conflict", "error", changed("  m_Layer: 0", "<<<<<<< ours\n  m_Layer: 0\n=======\n>>>>>>> theirs"), "<<<<"),
    ("text/nul", "error", changed("m_Layer: 0", "m_Layer: \0"), "m_Layer"),
    ("text/line-ends", "warning", PREFAB.replace("\n", "\r\n").replace("m_Layer: 0\r\n", "m_Layer: 0\n"), "m_Layer"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "severity", "content", "where"), CASES)
def test_faults_of_assets(code: str, severity: str, content: str, where: str) -> None:
    """Each fault has its code, its severity and the line where it stands; nothing is said but of that object."""
    found = said(PATH, content)
    line = line_of(content, where) + (1 if where == "m_Roots" else 0)
    assert (code, severity, line) in found, found
    assert {one[0] for one in found} - {"yaml/component", "yaml/hierarchy"} <= {code}
    for fault in of(PATH, content).faults:
        assert fault.fix


def test_what_fits_together_has_no_finding() -> None:
    """The twins of all of those: a prefab, a material, a scene with its roots, and with other line ends."""
    scene = PREFAB + ROOTS + "  - {fileID: 11}\n"
    for content in (PREFAB, MATERIAL, scene, PREFAB.replace("\n", "\r\n"), PREFAB.rstrip("\n"), "\ufeff" + PREFAB):
        assert said(PATH, content) == []


OLD = (
    HEAD + "--- !u!1 &10\nGameObject:\n  m_PrefabParentObject: {fileID: 0}\n  m_PrefabInternal: {fileID: 100100000}\n"
    "  m_Component:\n  - 4: {fileID: 11}\n  - 114: {fileID: 12}\n  m_Name: Old\n" + transform(11, 10)
    + behaviour(12, 10, GUID) + "--- !u!1001 &100100000\nPrefab:\n  m_ObjectHideFlags: 1\n  serializedVersion: 2\n"
    "  m_Modification:\n    m_TransformParent: {fileID: 0}\n    m_Modifications: []\n    m_RemovedComponents: []\n"
    "  m_ParentPrefab: {fileID: 0}\n  m_RootGameObject: {fileID: 10}\n  m_IsPrefabParent: 1\n"
)  # fmt: skip
QUIRKS = {
    "an old prefab": OLD,
    "a material with its hidden document": HEAD + behaviour(-4, 0, GUID) + MATERIAL.removeprefix(HEAD),
    "an instance below a transform": HEAD + game_object(10, 11) + transform(11, 10, 501) + STRIPPED + INSTANCE.format(11),
    "a variant, with a component added to a stripped object": HEAD
    + f"--- !u!1 &502 stripped\nGameObject:\n  m_CorrespondingSourceObject: {{fileID: 1, guid: {GUID}, type: 3}}\n"
    + "  m_PrefabInstance: {fileID: 500}\n  m_PrefabAsset: {fileID: 0}\n" + behaviour(503, 502, GUID) + INSTANCE.format(0),
    "a child added below a stripped transform": HEAD + game_object(10, 11) + transform(11, 10, father=501) + STRIPPED
    + INSTANCE.format(0),
    "ids of every size": HEAD + behaviour(-9223372036854775808, 0, GUID, "  a: {fileID: 9223372036854775807}\n")
    + behaviour(9223372036854775807, 0, GUID),
    "texts that look like references": HEAD + behaviour(1, 0, GUID, "  a: 'see {fileID: 7}'\n  b: '{fileID: 8}'\n"),
    "a quoted text that ends in column 0": HEAD + behaviour(1, 0, GUID, "  a: 'line\n\n'\n  b: \"\\u00e4\\\n    x\"\n"),
    "empty and double keys": HEAD + behaviour(1, 0, GUID, "  m:\n    : A\n    data: 1\n    data: 2\n"),
    "objects by rid": HEAD + behaviour(1, 0, GUID, "  f:\n    rid: 77\n  references:\n    version: 2\n    RefIds:\n    - rid: 77\n"
    "      type: {class: A, ns: , asm: B}\n      data:\n        x: 1\n    - rid: -2\n      type: {class: , ns: , asm: }\n"),
    "a document without members": HEAD + "--- !u!114 &1\nMonoBehaviour:\n--- !u!1 &-12\nGameObject:\n",
    "a scene whose roots are instances": HEAD + INSTANCE.format(0) + STRIPPED + ROOTS + "  - {fileID: 500}\n",
    "a script that is gone": HEAD + "--- !u!114 &1\nMonoBehaviour:\n  m_GameObject: {fileID: 0}\n  m_Script: {fileID: 0}\n",
}  # fmt: skip


@pytest.mark.parametrize("name", QUIRKS)
def test_what_unity_wrote_long_ago_or_seldom_is_no_fault(name: str) -> None:
    """Every form that Unity has written is taken as it is."""
    assert said(PATH, QUIRKS[name]) == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("Assets/A.asset", b"\x00\x00\x00\x15binary"),
        ("Assets/A.asset", b"\x00\x00 \xff\xfe"),
        ("Assets/A.asset", '{"json": 1}'),
        ("Assets/StreamingAssets/A.asset", "anything"),
        ("Assets/A.yaml", "%YAML 1.2\n---\na: 1\n"),
        ("Assets/A.png", b"\x89PNG"),
        ("Assets/A.txt", "text"),
    ],
)
def test_what_is_no_text_asset_is_left_alone(path: str, content: bytes | str) -> None:
    """Binary assets, JSON and files that only look like YAML are recognised."""
    found = of(path, content)
    assert (found.kind, found.faults) == ("other", ())


def test_assets_are_known_by_their_bytes_too() -> None:
    """A name that says nothing may hold an asset."""
    assert said("Assets/A.vfx", PREFAB + "--- !u!1 &10\nGameObject:\n  m_Name: \n")[0][0] == "yaml/duplicate-id"


def test_ids_and_references_are_collected() -> None:
    """Documents by id; references with a guid once each, folded ones and other spellings too; a file's own are none."""
    folded = f"  b: {{fileID: -3, guid: {GUID},\n    type: 2}}\n  c: {{fileID: -3, guid: {GUID}, type: 2}}\n  d: {{fileID: 20}}\n"
    loose = f"  e: {{ fileID : 5 , guid: {GUID.upper()} , type: 3 }}\n  f: {{fileID: 0, guid: {GUID}, type: 0}}\n"
    found = of(PATH, PREFAB + behaviour(31, 0, GUID, folded + loose))
    assert found.ids.split() == [b"10", b"11", b"20", b"21", b"31"]
    assert found.references.split(b"\n") == [f"{GUID} {file_id}".encode() for file_id in (-3, 11500000, 5)]
    assert found.has(b"11")
    assert not found.has(b"1")
    assert not found.is_open
    assert of(PATH, HEAD + INSTANCE.format(0)).is_open


def test_metas() -> None:
    """Guid, importer and folder of a `.meta`, whatever its line ends; what it refers to as well."""
    found = of("Assets/A.mat.meta", meta(GUID, "NativeFormatImporter"))
    assert (found.kind, found.guid, found.importer, found.is_folder) == ("meta", GUID, "NativeFormatImporter", False)
    assert of("Assets/A.meta", folder_meta(GUID)).is_folder
    for content in (f"\ufefffileFormatVersion: 2\r\nguid: {GUID}", f"fileFormatVersion: 2\nguid: {GUID.upper()}\n"):
        assert (of("Assets/A.cs.meta", content).guid, said("Assets/A.cs.meta", content)) == (GUID, [])
    material = meta(GUID) + f"  x: {{fileID: 2100000, guid: {GUID[::-1]}, type: 2}}\n"
    assert of("Assets/A.fbx.meta", material).references == f"{GUID[::-1]} 2100000".encode()


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (f"fileFormatVersion: 2\n<<<<<<< a\nguid: {GUID}\n=======\n>>>>>>> b\n", "meta/merge-conflict", 2),
        (f"guid: {GUID}\n", "meta/format", 0),
        ("fileFormatVersion: 2\n", "meta/guid", 0),
        (f"fileFormatVersion: 2\nguid: {GUID}\nguid: {GUID[::-1]}\n", "meta/guid", 0),
        (f"fileFormatVersion: 2\nguid: {'0' * 32}\n", "meta/guid", 2),
        (f"fileFormatVersion: 2\nguid: {GUID}\n\xff", "text/encoding", 0),
        (f"fileFormatVersion: 2\nguid: {GUID}\n\x00", "text/nul", 0),
    ],
)
def test_faults_of_metas(content: str, code: str, line: int) -> None:
    """A damaged `.meta` is told as what it is."""
    assert (code, "error", line) in said("Assets/A.mat.meta", content.encode("latin-1"))


def test_pointers_of_git_lfs_are_information() -> None:
    """What is not here is not judged, whatever its name."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n"
    for path in ("Assets/A.prefab", "Assets/A.png", "Assets/A.asset", "Assets/A.cs"):
        assert said(path, pointer) == [("text/lfs-pointer", "info", 0)]


def test_places_count_characters() -> None:
    """Columns behind letters that take several bytes are those that an editor shows."""
    content = PREFAB + behaviour(31, 0, GUID, "  größe: {fileID: 99}\n")
    [fault] = of(PATH, content).faults
    assert (fault.line, fault.column) == (line_of(content, "größe"), 10)
    [finding] = check_file(ProjectPath(PATH), content.encode(), None, CONTEXT)
    assert (finding.line, finding.column) == (fault.line, 10)


def test_a_hopeless_file_does_not_flood() -> None:
    """At most fifty faults, errors first."""
    content = HEAD + "".join(
        behaviour(at, 0, GUID, f"  a: {{fileID: {at + 1000}}}\n  b: x: y\n") for at in range(1, 300)
    )
    found = said(PATH, content)
    assert len(found) == MAX_FAULTS
    assert {severity for _, severity, _ in found} == {"error"}


def test_only_new_faults_are_told_of_an_edit() -> None:
    """With the bytes before, a fault that was there is left out, also where it moved to another line."""
    before = changed("m_Father: {fileID: 11}", "m_Father: {fileID: 0}")
    after = changed("m_Name: Root", "m_Name: Root\n  m_TagString: Untagged", before)
    path = ProjectPath(PATH)
    assert check_file(path, after.encode(), before.encode(), CONTEXT) == []
    assert [finding.code for finding in check_file(path, before.encode(), PREFAB.encode(), CONTEXT)] == [
        "yaml/hierarchy"
    ]
    worse = after.replace("- component: {fileID: 21}", "- component: {fileID: 99}")
    found = {finding.code for finding in check_file(path, worse.encode(), before.encode(), CONTEXT)}
    assert found == {"yaml/dangling-reference", "yaml/component"}


SUFFIXES = st.sampled_from([".prefab", ".asset", ".unity", ".mat.meta", ".meta", ".cs.meta", ".bin", ""])
PIECES = st.sampled_from(
    [part.encode() for part in (HEAD, PREFAB, MATERIAL, "\n--- !u!4 &1\n", "\n--- !u!1 &", "Transform:\n", "\r\n", "\0",
     "  m_Father: {fileID: 1}\n", "  m_Children:\n  - {fileID: 1}\n", "  m_Component:\n  - component: {fileID: 1}\n",
     "  m_GameObject: {fileID: 1}\n", "  m_Roots:\n", "'", '"', "{", "}", "<<<<<<< ", "guid: ", GUID, "fileFormatVersion: 2\n",
     "%YAML", "  m_GameObject: {fileID: ", "&99999999999999999999999999 stripped\n", "- ", ": ")]
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(SUFFIXES, st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=12).map(b"".join)))
def test_any_bytes_have_facts(suffix: str, content: bytes) -> None:
    """Never an exception; faults have known codes and places in the file."""
    found = of("Assets/A" + suffix, content)
    lines = len(re.split(rb"\r\n|\r|\n", content))
    assert len(found.faults) <= MAX_FAULTS
    for fault in found.faults:
        assert fault.code in CODES
        assert 0 <= fault.line <= lines
        assert fault.column >= 0
        assert fault.message


def test_damaged_real_files_have_facts() -> None:
    """Cut, doubled, flipped and mixed: real assets that went through the mill are judged without an exception."""
    sources = [path.read_bytes() for path in corpus_files(".prefab", ".unity", ".mat", ".meta")[::9]]
    sources += [PREFAB.encode(), MATERIAL.encode(), OLD.encode()]
    chosen = random.Random(11)
    for content in sources:
        content = content[:60_000]
        for _ in range(6):
            at, length = chosen.randrange(len(content)), chosen.randrange(1, 80)
            damaged = chosen.choice(
                [
                    content[:at],
                    content[:at] + content[at + length :],
                    content[:at] + content[at : at + length] * 3 + content[at:],
                    content[:at] + bytes([chosen.randrange(256)]) + content[at + 1 :],
                    content[:at] + chosen.choice(sources)[:length] + content[at:],
                ]
            )
            for path in ("Assets/A.prefab", "Assets/A.prefab.meta"):
                for fault in of(path, damaged).faults:
                    assert fault.code in CODES


def test_memory_stays_within_twelve_times_the_file() -> None:
    """Also where every line is a reference, a document or a fault."""
    heads = "".join(f"--- !u!4 &{at}\nTransform:\n" for at in range(20_000))
    references = (
        HEAD + "--- !u!114 &1\nMonoBehaviour:\n  a:\n" + "".join(f"  - {{fileID: {at}}}\n" for at in range(60_000))
    )
    outward = HEAD + "--- !u!114 &1\nMonoBehaviour:\n" + "".join(
        f"  a{at}: {{fileID: {at}, guid: {at:032x}, type: 3}}\n" for at in range(15_000)
    )  # fmt: skip
    family = HEAD + "".join(
        f"--- !u!4 &{at}\nTransform:\n  m_Father: {{fileID: {at // 2 + 1}}}\n" for at in range(2, 9_000)
    )
    twice = HEAD + "--- !u!1 &5\nGameObject:\n  m_Name: a\n" * 20_000
    of(PATH, PREFAB)
    for content in (HEAD + heads, family, twice, references, outward, references.replace("}", "").replace("{", "")):
        data = content.encode()
        tracemalloc.start()
        of(PATH, data)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 12 * len(data), (len(data), peak)


def test_real_files_have_no_fault() -> None:
    """All that Unity wrote in public projects passes; two prefabs whose transforms were renamed by hand have warnings."""
    for path in corpus_files():
        found = of(f"Assets/{path.name}", path.read_bytes())
        assert not [fault for fault in found.faults if fault.severity == "error"], path
        assert path.name.startswith("SF ") or not found.faults, path
