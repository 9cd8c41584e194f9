"""What a C# file declares: types and members by line, comments and strings left out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.text.csharp import declares_type, symbols, without_text

SOURCE = """\
using UnityEngine;
namespace Game.Core
{
    // class Ghost
    [RequireComponent(typeof(Rigidbody))]
    public class Hero<T> : MonoBehaviour
    {
        [SerializeField] private float speed, jump;
        public int Lives { get; set; }
#if UNITY_EDITOR
        void OnDrawGizmos() { }
#endif
        public enum Mood { Calm, Angry }
        struct Inner { int x; }
    }
}
"""


def test_symbols_with_lines() -> None:
    """Types and members are named with the types around them, with the lines that they fill."""
    found = {symbol.name: (symbol.kind, symbol.line) for symbol in symbols(SOURCE)}
    assert found == {
        "Game.Core": ("namespace", 2),
        "Hero": ("class", 5),
        "Hero.speed": ("field", 8),
        "Hero.jump": ("field", 8),
        "Hero.Lives": ("property", 9),
        "Hero.OnDrawGizmos": ("method", 11),
        "Hero.Mood": ("enum", 13),
        "Hero.Mood.Calm": ("value", 13),
        "Hero.Mood.Angry": ("value", 13),
        "Hero.Inner": ("struct", 14),
        "Hero.Inner.x": ("field", 14),
    }
    hero = next(symbol for symbol in symbols(SOURCE) if symbol.name == "Hero")
    assert (hero.end_line, hero.signature) == (15, "public class Hero<T> : MonoBehaviour")


def test_broken_files_still_have_symbols() -> None:
    """A file that does not compile is outlined as far as it can be read."""
    assert "A.Good" in {symbol.name for symbol in symbols("class A { void Good() { } void Bad( { }")}


@pytest.mark.parametrize("kind", ["class", "struct", "interface", "enum", "record", "record struct"])
def test_declares_type(kind: str) -> None:
    """Every kind of type counts, by its whole name."""
    assert declares_type(f"public {kind} Hero {{ }}", "Hero")
    assert not declares_type(f"public {kind} Heroes {{ }}", "Hero")


@pytest.mark.parametrize(
    "text",
    [
        "// class Hero",
        "/* class Hero */",
        '"class Hero"',
        '@"x "" class Hero"',
        '$"class Hero"',
        '"""\nclass Hero\n"""',
    ],
)
def test_names_in_comments_and_strings_do_not_count(text: str) -> None:
    """What only a comment or a string says is not declared."""
    assert not declares_type(f"class Other {{ string s = {text}\n; }}", "Hero")


@settings(deadline=None)
@given(st.text("ab\"'/*@$\\\n", max_size=60))
def test_blanking_keeps_lines_and_length(source: str) -> None:
    """Blanking never moves anything, whatever the quotes."""
    blanked = without_text(source)
    assert len(blanked) == len(source)
    assert blanked.count("\n") == source.count("\n")


@settings(deadline=None, max_examples=50)
@given(st.text("{}()<>;class A void x=#if\n", max_size=80))
def test_any_text_is_outlined(source: str) -> None:
    """Any text gets an outline with lines inside the file."""
    assert all(1 <= symbol.line <= symbol.end_line <= source.count("\n") + 1 for symbol in symbols(source))
