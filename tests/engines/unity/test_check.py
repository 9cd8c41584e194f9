"""The check of files by kind, and against the bytes before."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.engine import Engine
from spark.core.paths import ProjectPath
from spark.engines import detect
from spark.engines.unity.check import MAX_FINDINGS, check_file
from spark.engines.unity.csharp.check import CSharpContext
from tests.engines.memory_project import FakeProject

GUID = "0123456789abcdef0123456789abcdef"
CONTEXT = CSharpContext(frozenset({"UNITY_EDITOR"}), frozenset())
CS = ProjectPath("Assets/A.cs")
TEXT_HEAD = "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"


def engine_of(files: dict[str, bytes | str] | None = None) -> Engine:
    project = FakeProject(files or {}, folders=("Assets", "ProjectSettings"))
    return detect(project.files, project.index)


def codes(path: str, content: bytes | str, before: bytes | str | None = None) -> list[tuple[str, str]]:
    found = check_file(ProjectPath(path), _bytes(content), None if before is None else _bytes(before), CONTEXT)
    return [(finding.code, finding.severity) for finding in found]


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        ("Assets/A.cs", b"class A { }\x00", "csharp/nul"),
        ("Assets/A.cs", b"class \xe9 { }", "csharp/encoding"),
        ("Assets/A.cs", "class A { }".encode("utf-16"), "csharp/encoding"),
        ("Assets/A.cs", "class A {", "csharp/bracket"),
        ("Assets/A.cs.meta", "fileFormatVersion: 2\n", "meta/guid"),
        ("Assets/A.cs.meta", f"guid: {GUID}\n", "meta/format"),
        ("Assets/A.cs.meta", f"fileFormatVersion: 2\nguid: {GUID[:-1]}\n", "meta/guid"),
        ("Assets/A.cs.meta", f"fileFormatVersion: 2\nguid: {'0' * 32}\n", "meta/guid"),
        (
            "Assets/A.mat.meta",
            f"fileFormatVersion: 2\n<<<<<<< a\nguid: {GUID}\n=======\n>>>>>>> b\n",
            "meta/merge-conflict",
        ),
        ("Assets/A.prefab", "GameObject:\n  m_Name: A\n", "yaml/header"),
        ("Assets/A.prefab", "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n", "yaml/no-document"),
        ("Assets/A.unity", "%YAML 1.1\n--- !u!1 &1\n<<<<<<< HEAD\n", "text/merge-conflict"),
        ("Assets/A.json", '{"a": 1,}', "json/syntax"),
        ("Assets/A.json", "[" * 100_000, "json/syntax"),
        ("Assets/A.asmdef", "{}", "asmdef/name"),
        ("Assets/A.asmdef", "{", "json/syntax"),
        ("Assets/A.shader", ">>>>>>> x\n", "text/merge-conflict"),
    ],
)
def test_faults_have_their_code(path: str, content: bytes | str, code: str) -> None:
    """Each kind of file is checked for what makes it unusable."""
    assert (code, "error") in codes(path, content)


@pytest.mark.parametrize("name", ["A.mat", "A.cs", "A.png", "A.bytes", "A.json"])
def test_a_pointer_of_git_lfs_is_no_fault(name: str) -> None:
    """What is not here cannot be judged, and that is said once, as information."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\n"
    assert codes(f"Assets/{name}", pointer) == [("text/lfs-pointer", "info")]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("Assets/A.cs", "\ufeffclass A { }\r\n"),
        ("Assets/A.cs", ""),
        ("Assets/A.cs.meta", f"\ufefffileFormatVersion: 2\r\nguid: {GUID}"),
        ("Assets/A.prefab", "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n--- !u!1 &-12\nGameObject:\n"),
        ("Assets/A.asset", b"\x00\x00\x00\x15binary"),
        ("Assets/A.asset", '{"json": "asset"}'),
        ("Assets/A.json", '\ufeff{"a": [1, 2, null]}'),
        ("Assets/A.asmdef", '{"name": "A"}'),
        ("Assets/A.png", b"\x89PNG\x00"),
        ("Assets/A.txt", "=======\n"),
    ],
)
def test_good_files_have_no_findings(path: str, content: bytes | str) -> None:
    """What is fine is not talked about."""
    assert codes(path, content) == []


def test_findings_name_line_and_column_from_one() -> None:
    """Places count characters, also behind non-ASCII letters and a byte-order mark."""
    [finding] = check_file(CS, "\ufeff// é\r\nclass A\r\n{\r\n    int é = F(;\r\n}\r\n".encode(), None, CONTEXT)
    assert (finding.line, finding.column) == (4, 14)
    assert finding.path == "Assets/A.cs"
    assert finding.fix


def test_findings_are_at_most_fifty_errors_first() -> None:
    """A hopeless file does not flood the answer."""
    text = "class A { " + "int x y; // ...\n" * 200 + " }"
    found = check_file(CS, text.encode(), None, CONTEXT)
    assert len(found) == MAX_FINDINGS
    assert [finding.severity for finding in found] == sorted(finding.severity for finding in found)


BROKEN = "class A\n{\n    void M() { Foo(; }\n    // ...\n}\n"


def test_unchanged_faults_are_not_reported_again() -> None:
    """With the bytes before, a fault that was there is left out, however far it moved."""
    assert codes(CS.text, BROKEN)
    assert codes(CS.text, BROKEN, BROKEN) == []
    assert codes(CS.text, "// one\n// two\n" + BROKEN, BROKEN) == []


def test_new_faults_are_reported_beside_old_ones() -> None:
    """Of two faults alike the new one is told, at its own line."""
    after = BROKEN.replace("    // ...\n", "    void N() { Bar(; }\n    // ...\n")
    found = check_file(CS, after.encode(), BROKEN.encode(), CONTEXT)
    assert {finding.line for finding in found} == {4}
    assert all(finding.severity == "error" for finding in found)


def test_breaking_a_good_file_is_an_error() -> None:
    """An edit of a file without faults may not bring one in."""
    good = "class A\n{\n    void M() { Foo(); }\n}\n"
    assert codes(CS.text, good.replace("Foo();", "Foo()"), good) == [("csharp/syntax", "error")]


def test_a_file_beyond_the_grammar_may_still_be_edited() -> None:
    """Where the grammar already failed before, as many faults as before are warnings, one more is an error."""
    before = "class A { void M() { x y z; } }"
    after = before.replace("x y z", "x y w")
    assert {severity for _, severity in codes(CS.text, after, before)} <= {"warning"}
    worse = before.replace("} }", "} void N() { a b c; d e f; } }")
    assert ("csharp/syntax", "error") in codes(CS.text, worse, before)


def test_newer_csharp_is_eased_where_the_file_uses_it_already() -> None:
    """A project that compiles newer C# elsewhere knows why; a first use is an error."""
    newer = "namespace N;\nclass A { }\n"
    assert ("unity/language-version", "error") in codes(CS.text, newer, "class A { }\n")
    more = newer + "file class B { }\n"
    assert codes(CS.text, more, newer) == [("unity/language-version", "warning")]


def test_a_changed_guid_is_a_warning() -> None:
    """References cut by a new guid are told."""
    before = f"fileFormatVersion: 2\nguid: {GUID}\n"
    after = f"fileFormatVersion: 2\nguid: {'f' * 32}\n"
    assert codes("Assets/A.cs.meta", after, before) == [("meta/guid-changed", "warning")]


def test_a_guid_of_another_asset_is_refused() -> None:
    """Two assets may not have one guid."""
    meta = f"fileFormatVersion: 2\nguid: {GUID}\n"
    engine = engine_of({"Assets/B.cs.meta": meta})
    [finding] = engine.check(ProjectPath("Assets/A.cs.meta"), meta.encode())
    assert (finding.code, finding.severity) == ("meta/guid-taken", "error")
    assert "Assets/B.cs" in finding.message
    assert engine.check(ProjectPath("Assets/B.cs.meta"), meta.encode()) == []


def test_the_project_s_symbols_and_assemblies_decide_what_is_compiled() -> None:
    """Symbols of the project, of the version and of an assembly's versionDefines are defined; others are not."""
    broken = "#if {}\nclass {{\n#endif\nclass A {{ }}\n"
    engine = engine_of(
        {
            "ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2021.3.1f1\n",
            "ProjectSettings/ProjectSettings.asset": "PlayerSettings:\n  scriptingDefineSymbols:\n    1: OURS\n"
            "  activeInputHandler: 1\n",
            "Packages/manifest.json": '{"dependencies": {"com.acme.x": "1.0.0"}}',
            "Assets/G/G.asmdef": json.dumps(
                {"name": "G", "versionDefines": [{"name": "com.acme.x", "define": "HAS_X"}]}
            ),
        }
    )
    for symbol in ("OURS", "UNITY_2021_3_OR_NEWER", "ENABLE_INPUT_SYSTEM", "UNITY_EDITOR", "!UNITY_EDITOR"):
        assert engine.check(CS, broken.format(symbol).replace("{{", "{").encode()), symbol
    for symbol in ("THEIRS", "UNITY_2022_1_OR_NEWER", "ENABLE_LEGACY_INPUT_MANAGER", "HAS_X"):
        assert engine.check(CS, broken.format(symbol).encode()) == [], symbol
    assert engine.check(ProjectPath("Assets/G/A.cs"), broken.format("HAS_X").encode())


def test_editor_code_is_known_by_folder_and_assembly() -> None:
    """UnityEditor is allowed in Editor folders, Editor assemblies and test assemblies."""
    engine = engine_of(
        {
            "Assets/T/T.asmdef": '{"name": "T", "defineConstraints": ["UNITY_INCLUDE_TESTS"]}',
            "Assets/E/E.asmdef": '{"name": "E", "includePlatforms": ["Editor"]}',
            "Assets/R/R.asmdef": '{"name": "R"}',
        }
    )
    code = b"using UnityEditor;\nclass A { }\n"
    flagged = {
        path: bool(engine.check(ProjectPath(path), code))
        for path in ("Assets/A.cs", "Assets/X/Editor/A.cs", "Assets/T/A.cs", "Assets/E/A.cs", "Assets/R/Editor/A.cs")
    }
    assert [path for path, found in flagged.items() if found] == ["Assets/A.cs", "Assets/R/Editor/A.cs"]


def test_a_response_file_raises_the_language_version() -> None:
    """`csc.rsp` in Assets, or beside the assembly definition, allows newer C#."""
    newer = b"namespace N;\nclass A { }\n"
    engine = engine_of({"Assets/csc.rsp": "-langversion:10\n"})
    assert engine.check(CS, newer) == []
    engine = engine_of({"Assets/G/G.asmdef": '{"name": "G"}', "Assets/G/csc.rsp": "-langversion:preview"})
    assert engine.check(ProjectPath("Assets/G/A.cs"), newer) == []
    assert engine.check(CS, newer)


SUFFIXES = st.sampled_from([".cs", ".cs.meta", ".meta", ".prefab", ".asset", ".json", ".asmdef", ".shader", ".png", ""])


@settings(deadline=None, max_examples=300)
@given(SUFFIXES, st.binary(max_size=300), st.one_of(st.none(), st.binary(max_size=300)))
def test_checking_never_raises_on_any_bytes(suffix: str, content: bytes, before: bytes | None) -> None:
    """Whatever the bytes, before and after, the answer is a bounded list of findings with places."""
    found = check_file(ProjectPath("Assets/A" + suffix), content, before, CONTEXT)
    assert len(found) <= MAX_FINDINGS
    for finding in found:
        assert finding.line >= 0
        assert finding.column >= 0
        assert finding.message


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("Assets/A.cs", b"class A { }", True),
        ("Assets/A.cs", b"", True),
        ("Assets/A.cs", "\ufeff// \u00e9".encode(), True),
        ("Assets/A.cs", b"// \xe9", False),
        ("Assets/A.cs", "class A".encode("utf-16"), False),
        ("Assets/A.unity", b"%YAML 1.1\n", True),
        ("Assets/A.unity", b"\x00\x00\x00\x15", False),
        ("Assets/A.asset", b"version https://git-lfs.github.com/spec/v1\n", False),
        ("Assets/A.png", b"text", False),
        ("Assets/A.png.meta", b"fileFormatVersion: 2\n", True),
        ("Assets/A.bytes", b"text", False),
    ],
)
def test_only_utf8_text_may_be_edited(path: str, content: bytes, expected: bool) -> None:
    """Binary, other encodings, pointers of Git LFS and binary formats are not text."""
    assert engine_of().is_text(ProjectPath(path), content) is expected


PREFAB = ProjectPath("Assets/A.prefab")
OLD_FAULT = TEXT_HEAD + "--- !u!114 &1\nMonoBehaviour:\n  m_GameObject: {fileID: 99}\n  m_Enabled: 1\n  m_Name: a\n"


def test_a_repair_is_not_charged_with_what_the_graver_fault_hid() -> None:
    """Marks of a merge, a damaged header or head, bytes that are no text: who takes them away did not make what stood behind
    them; what he adds besides is told."""
    conflict = OLD_FAULT.replace("  m_Name: a\n", "<<<<<<< a\n  m_Name: a\n=======\n  m_Name: b\n>>>>>>> b\n")
    header = OLD_FAULT.replace("--- !u!114 &1", "--- !u!114 1")
    head = OLD_FAULT.replace("%YAML 1.1\n", "%YAML\n")
    for before in (conflict, header, head, OLD_FAULT.replace("m_Name: a", "m_Name: a\0"), OLD_FAULT.encode() + b"\xff"):
        assert codes(PREFAB.text, before) != []
        assert codes(PREFAB.text, OLD_FAULT, before) == []
        worse = OLD_FAULT + "--- !u!114 &2\nMonoBehaviour:\n  m_GameObject: {fileID: 98}\n"
        assert codes(PREFAB.text, worse, before) == [("yaml/dangling-reference", "error")]
    script = "<<<<<<< a\nclass A {\n=======\nclass B {\n>>>>>>> b\n"
    assert codes("Assets/A.cs", "class A {\n", script) == []
    assert codes("Assets/A.cs", "class A { int x = ; }\n", script) != []


def test_a_repair_of_one_line_is_not_charged_with_the_next_faulty_one() -> None:
    """Of an object, of JSON and of a meta only the first fault is told: the next one was there as well."""
    both = TEXT_HEAD + "--- !u!114 &1\nMonoBehaviour:\n  a: x: y\n  b: 'x' y\n"
    one = both.replace("x: y", "x")
    assert codes(PREFAB.text, one, both) == [("yaml/syntax", "warning")]
    assert codes(PREFAB.text, one, one.replace("'x' y", "'x y'")) == [("yaml/syntax", "error")]
    other = both.replace("  b: 'x' y\n", "  b: 1\n--- !u!114 &2\nMonoBehaviour:\n  b: 'x y'\n")
    assert codes(PREFAB.text, other.replace("x: y", "x").replace("'x y'", "'x' y"), other) == [("yaml/syntax", "error")]
    assert codes("Assets/a.json", '{\n"a": 1,\n"b": tru\n}', '{\n"a": 1,,\n"b": tru\n}') == [("json/syntax", "warning")]


def test_many_old_faults_hide_no_new_one() -> None:
    """They are compared before they are cut to what is shown."""
    lines = "".join(f"  - {{fileID: {at}}}\n" for at in range(1000, 1400))
    before = TEXT_HEAD + f"--- !u!114 &1\nMonoBehaviour:\n  m_Children:\n{lines}"
    now = before + "  - {fileID: 77}\n"
    found = check_file(PREFAB, now.encode(), before.encode(), CONTEXT)
    assert [finding.message for finding in found] == ["m_Children refers to 77, and the file has no such object"]
    twice = TEXT_HEAD + "--- !u!114 &5\nMonoBehaviour:\n  a: 1\n" * 300
    found = check_file(
        PREFAB, (twice + "--- !u!114 &6\nMonoBehaviour:\n  a: 1\n" * 2).encode(), twice.encode(), CONTEXT
    )
    assert ["6" in finding.message for finding in found] == [True]


def test_a_meta_whose_importer_is_another_files() -> None:
    """Unity would throw its settings away."""
    content = f"fileFormatVersion: 2\nguid: {GUID}\nTextureImporter:\n  externalObjects: {{}}\n"
    [finding] = check_file(ProjectPath("Assets/A.cs.meta"), content.encode(), None, CONTEXT)
    assert (finding.code, finding.severity, finding.line) == ("meta/importer", "warning", 3)
    assert codes("Assets/A.png.meta", content) == []
