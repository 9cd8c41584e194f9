"""The check of C# texts: what passes, what is flagged, and how."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.engines.unity.csharp.check import CSharpContext, check_csharp
from spark.engines.unity.csharp.problem import Lines, Problem
from spark.engines.unity.csharp.scan import scan, unified_newlines
from spark.engines.unity.editor_version import EditorVersion
from tests.engines.unity.csharp.snippets import (
    BAD_FILES,
    BAD_STATEMENTS,
    ELISIONS,
    GOOD_STATEMENTS,
    NEWER,
    NO_ELISIONS,
    NOT_NEWER,
)

VERSION = EditorVersion.parse("2022.3.40f1")
CONTEXT = CSharpContext(VERSION.symbols(), VERSION.player_symbols(), 9, "Unity 2022.3.40f1")
GOOD = sorted((Path(__file__).parents[3] / "fixtures/csharp/good").glob("*.cs"))


def in_class(statement: str) -> str:
    return f"class A\n{{\n    void M()\n    {{\n        {statement}\n    }}\n}}\n"


def check(text: str, stem: str = "A", context: CSharpContext = CONTEXT) -> list[Problem]:
    return check_csharp(stem, text, context)


def errors(text: str) -> list[Problem]:
    return [problem for problem in check(text) if problem.severity == "error"]


@pytest.mark.parametrize("statement", GOOD_STATEMENTS)
def test_good_statements_pass(statement: str) -> None:
    """What C# 9 accepts is not flagged."""
    assert check(in_class(statement)) == []


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_good_files_pass(path: Path) -> None:
    """Whole files full of the language's features have no problem, with LF and CRLF alike."""
    text = path.read_bytes().decode()
    context = CSharpContext(CONTEXT.symbols, CONTEXT.player_symbols, 9, "Unity", editor_only=True)
    assert check(text, path.stem, context) == []
    assert check(unified_newlines(text.replace("\n", "\r\n")), path.stem, context) == []


@pytest.mark.parametrize(("statement", "code"), BAD_STATEMENTS)
def test_bad_statements_are_flagged(statement: str, code: str) -> None:
    """Each fault has its code and is found on its line or the next."""
    text = in_class(statement)
    found = errors(text)
    assert code in {problem.code for problem in found}
    assert any(5 <= Lines(text).place(problem.offset)[0] <= 6 for problem in found)


@pytest.mark.parametrize(("text", "code"), BAD_FILES)
def test_bad_files_are_flagged(text: str, code: str) -> None:
    """Faults of whole files have their code, also where only the player compiles them."""
    assert code in {problem.code for problem in errors(text)}


@pytest.mark.parametrize("comment", ELISIONS)
def test_comments_that_stand_for_code_are_errors(comment: str) -> None:
    """Code that was left out is never written over the code itself."""
    assert [problem.code for problem in errors(in_class(comment + "\n"))] == ["csharp/elision"]


@pytest.mark.parametrize("comment", NO_ELISIONS)
def test_ordinary_comments_are_no_elisions(comment: str) -> None:
    """Words like rest, existing and remaining are allowed in comments."""
    assert check(in_class(comment + "\n")) == []


def test_dots_alone_are_a_warning() -> None:
    """`// ...` may be a person's own comment."""
    found = check(in_class("// ...\n"))
    assert [(problem.code, problem.severity) for problem in found] == [("csharp/elision", "warning")]


def test_text_in_strings_is_no_elision() -> None:
    """Only comments stand for code."""
    assert check(in_class('var s = "// ... rest of the code";')) == []


@pytest.mark.parametrize(("text", "feature"), NEWER)
def test_newer_csharp_is_refused(text: str, feature: str) -> None:
    """What Unity's C# 9 cannot compile is an error that names the feature."""
    found = errors(text)
    assert found
    assert {problem.code for problem in found} == {"unity/language-version"}
    assert feature in found[0].message


@pytest.mark.parametrize("text", NOT_NEWER)
def test_what_only_looks_newer_passes(text: str) -> None:
    """Static members of structs, and new words used as names, are C# 9."""
    assert errors(text) == []


def test_a_higher_language_version_is_respected() -> None:
    """A project that raises its C# may use it."""
    newest = CSharpContext(CONTEXT.symbols, CONTEXT.player_symbols, 99, "Unity")
    for text, _ in NEWER:
        assert [problem for problem in check(text, "A", newest) if problem.severity == "error"] == []


def test_an_older_unity_refuses_csharp_9() -> None:
    """Unity 2020 compiles C# 8: records and new() are errors there."""
    old = CSharpContext(CONTEXT.symbols, CONTEXT.player_symbols, 8, "Unity 2020.3")
    for text in ("record R { }", "class A { A a = new(); }", "class A { bool M(int x) => x is > 3; }"):
        assert {problem.code for problem in check(text, "A", old)} == {"unity/language-version"}
    assert check("class A { int M(int x) => x switch { 1 => 2, _ => 3 }; }", "A", old) == []


def test_init_accessors_are_a_warning_unless_the_type_is_declared() -> None:
    """Unity lacks IsExternalInit; a project may declare it elsewhere, so this is no error."""
    found = check("class A { int X { get; init; } }")
    assert [(problem.code, problem.severity) for problem in found] == [("unity/init-accessor", "warning")]


def mutants(text: str) -> list[tuple[str, str]]:
    """One damage each: a bracket, semicolon or quote gone, a bracket too many, the end cut off."""
    code = scan(text, CONTEXT.symbols).code
    found = []
    for offset, character in enumerate(code):
        if character in "(){}[];":
            found.append((f"without {character}", text[:offset] + text[offset + 1 :]))
        if character == '"':
            found.append(("without quote", text[:offset] + text[offset + 1 :]))
        if character == ";" and offset % 3 == 0:
            found.append(("with )", text[:offset] + ")" + text[offset:]))
            found.append(("with }", text[: offset + 1] + "}" + text[offset + 1 :]))
            found.append(("cut", text[:offset]))
    return found


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_damage_is_found(path: Path) -> None:
    """At least 98 of 100 damaged copies of a good file have an error; brackets and cuts all of them."""
    text = path.read_bytes().decode()
    cases = mutants(text)
    missed = [kind for kind, damaged in cases if not errors(damaged)]
    assert len(missed) <= 0.02 * len(cases), missed
    assert not [kind for kind in missed if kind != "without ;"]


def test_an_open_brace_names_the_block_by_its_indentation() -> None:
    """The brace that is reported is the outermost; the hint tells where the missing one belongs."""
    text = "class A\n{\n    void M()\n    {\n        if (x)\n        {\n            y();\n    }\n}\n"
    [problem] = errors(text)
    assert "begins in line 6" in problem.fix


def test_unsafe_code_is_only_warned_of() -> None:
    """The grammar does not know all pointer code, so a file with unsafe is never refused by the grammar."""
    text = "unsafe class A { void M(int* p) { *(int*)p = 1; x y z; } }"
    assert errors(text) == []
    assert {problem.severity for problem in check(text)} <= {"warning"}


def test_unity_names_are_checked() -> None:
    """A component whose class is not named like its file is a warning; partial, abstract and nested ones are not."""
    [found] = check("class Other : MonoBehaviour { }", "Player")
    assert (found.code, found.severity) == ("unity/class-name", "warning")
    for text in (
        "class Player : MonoBehaviour { }\nclass Other : UnityEngine.ScriptableObject { }",
        "abstract class Other : MonoBehaviour { }",
        "class Player { class Inner : MonoBehaviour { } }",
        "partial class Other : MonoBehaviour { }",
        "class Other<T> : MonoBehaviour { }",
        "class Other { }",
    ):
        assert check(text, "Player") == []
    assert check("class Player : MonoBehaviour { }", "Player.Movement") == []


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("using UnityEditor;\nclass A { }", True),
        ("using static UnityEditor.AssetDatabase;\nclass A { }", True),
        ("class A { void M() { UnityEditor.EditorUtility.SetDirty(this); } }", True),
        ("#if UNITY_EDITOR\nusing UnityEditor;\n#endif\nclass A { }", False),
        ("#if !UNITY_EDITOR\nusing UnityEditor;\n#endif\nclass A { }", True),
        ('// using UnityEditor;\nclass A { string s = "UnityEditor.X"; }', False),
    ],
)
def test_editor_code_is_warned_of_in_the_player_only(text: str, flagged: bool) -> None:
    """UnityEditor outside of Editor folders and #if UNITY_EDITOR breaks a build."""
    assert any(problem.code == "unity/editor-code" for problem in check(text)) is flagged
    editor = CSharpContext(CONTEXT.symbols, CONTEXT.player_symbols, 9, "Unity", editor_only=True)
    assert check(text, "A", editor) == []


PIECES = st.sampled_from(
    ["#if A", "#if !A && (B || C)", "#elif B", "#else", "#endif", "#define A", "#undef A", "#region x", "#endregion", "{", "}",
     "(", ")", '"', "'", '$"', '@"', "{{", "}}", "//", "/*", "*/", "\\", "\n", "\r\n", "\r", " ", "a", "é", "😀", ";", ":", '"""', "`"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=60).map("".join))


@settings(deadline=None, max_examples=400)
@given(TEXTS, st.sets(st.sampled_from("ABC")))
def test_scanning_keeps_length_and_lines(text: str, symbols: set[str]) -> None:
    """Whatever the text, the masked copy has each character and each line end at its place."""
    unified = unified_newlines(text)
    assert len(unified) == len(text)
    assert unified.count("\n") == len(re.findall(r"\r\n|\r|\n", text))
    found = scan(unified, symbols)
    assert len(found.code) == len(text)
    assert [i for i, c in enumerate(found.code) if c == "\n"] == [i for i, c in enumerate(unified) if c == "\n"]
    assert all(original == masked or masked in " x" for original, masked in zip(unified, found.code, strict=True))


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_checking_never_raises(text: str) -> None:
    """Any text gives problems inside itself."""
    for problem in check(unified_newlines(text)):
        assert -1 <= problem.offset <= len(text)
        assert problem.message
        assert problem.fix


PATHOLOGICAL = [
    "(",
    ")",
    "{",
    "}",
    "[",
    "a<",
    "a is b<c ",
    '"',
    "'",
    '$"{',
    "/*",
    "#if A\n",
    "`",
    "\\",
    "() ",
    "a,b ",
    "x?",
    "//",
    '@"',
]


@pytest.mark.parametrize("unit", PATHOLOGICAL)
def test_long_repetitions_end(unit: str) -> None:
    """Texts that would take a naive parser quadratic time or memory end soon (the test's time limit judges)."""
    check(unit * (300_000 // len(unit)))


def test_a_huge_single_line_is_scanned_without_the_grammar() -> None:
    """Ten megabytes in one line are scanned for brackets and quotes alone."""
    text = 'x = f(a, b) + "c";' * 550_000
    assert check(text) == []
    assert [problem.code for problem in errors(text + "}")] == ["csharp/bracket"]
