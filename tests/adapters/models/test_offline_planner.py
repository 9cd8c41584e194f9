"""The planner alone: it never fails, never invents a name, and asks for what it needs from what it was told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.adapters.models.offline_assets import Call
from spark.adapters.models.offline_language import as_class_name, clauses, words_of_name
from spark.adapters.models.offline_planner import Say, hear, plan
from spark.adapters.models.offline_scripts import find_script, uses_input_system

ALL = frozenset(
    {"generateUnityScript", "applyCodePatch", "listAssets", "readFile", "searchProject", "undoTurn", "restoreVersion"}
)
WORDS = st.sampled_from(
    [
        "create",
        "replace",
        "with",
        "in",
        "x",
        "y",
        "and",
        "then",
        "undo",
        "health",
        "script",
        "called",
        "Foo",
        "namespace",
        "Assets/A",
        "Foo.cs",
        ",",
        ".",
        '"',
        "'",
        "`",
        "list",
        "find",
    ]
)


def _plan(prompt: str, *outputs: Any) -> Call | Say:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]}
    heard, _ = hear("", ALL, [item])
    return plan(heard, outputs)


@given(st.text(max_size=300) | st.lists(WORDS, max_size=25).map(" ".join))
@settings(deadline=None, max_examples=300)
def test_any_prompt_gets_a_step(prompt: str) -> None:
    """Any text leads to a call whose class name is one, or to an answer; never to an exception."""
    step = _plan(prompt)
    if isinstance(step, Say):
        assert step.text
    elif step.name == "generateUnityScript":
        assert re.fullmatch(r"[A-Z][a-zA-Z0-9_]*", step.arguments["className"])


@given(
    st.lists(WORDS, min_size=1, max_size=12).map(" ".join),
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["success", "result", "error", "path", "content", "changes", "sha256"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ),
)
@settings(deadline=None, max_examples=300)
def test_any_output_is_survived(prompt: str, output: Any) -> None:
    """Whatever a function answers, the planner goes on or reports; it claims success only for one."""
    step = _plan(prompt, *([output] * 4))
    if isinstance(step, Say) and not (isinstance(output, dict) and output.get("success") is True):
        assert "Wrote" not in step.text
        assert "Replaced" not in step.text
        assert "Undid" not in step.text


@pytest.mark.parametrize("filler", ["in ", "a ", "create ", '"', "replace x with ", "the ", "a and a ", "\n"])
def test_long_prompts_are_not_slow(filler: str) -> None:
    """Prompts built to make patterns backtrack are answered; the suite's time limit is the judge."""
    for start in ("", "replace ", "create a ", "undo ", "in ", "list "):
        _plan((start + filler * 2000)[:2000])


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("create a health script and a spawner", ["create a health script", "create a spawner"]),
        ("list scripts; undo that", ["list scripts", "undo that"]),
        ("Please create a pickup, then list scripts.", ["create a pickup", "list scripts"]),
        ('replace "a and create b; c" with "d"', ['replace "a and create b; c" with "d"']),
        ("read Hero.cs. Undo it.", ["read Hero.cs", "Undo it"]),
    ],
)
def test_clauses(prompt: str, expected: list[str]) -> None:
    """A prompt is cut where a new request begins, and never within quotes."""
    assert clauses(prompt) == expected


def test_names() -> None:
    """Names are taken apart and made as C# classes are named."""
    assert words_of_name("EnemyHealth2D") == ["enemy", "health2", "d"]
    assert as_class_name("my hero") == "MyHero"
    assert as_class_name("9 lives") == ""
    assert as_class_name("ünder") == ""
    assert find_script("create a health script called Über", "") is None


@pytest.mark.parametrize(
    ("brief", "new"),
    [
        ("Input handling: the Input System package (UnityEngine.InputSystem); UnityEngine.Input throws", True),
        ("- Input: Input System", True),
        ("Input handling: both the Input System package and the old UnityEngine.Input are active", False),
        ("Input handling: the old Input Manager (UnityEngine.Input); the Input System package is not active", False),
        ("- Read input through UnityEngine.InputSystem", False),
        ("Packages: com.unity.inputsystem 1.7.0", False),
        ("", False),
    ],
)
def test_input_handling(brief: str, new: bool) -> None:
    """Only a project whose brief says that the old Input class is off gets the Input System variant."""
    assert uses_input_system(f"Unity 2022.3\n{brief}\nmore") is new


@pytest.mark.parametrize(
    ("brief", "namespace"),
    [
        ("Root namespace: Studio.Game", "Studio.Game"),
        ("Root namespace: none", None),
        ("root namespace is not set", None),
    ],
)
def test_root_namespace(brief: str, namespace: str | None) -> None:
    """Without a namespace in the prompt the project's root namespace is used."""
    wish = find_script("create a spawner", brief)
    assert wish is not None
    assert wish.namespace == namespace


@pytest.mark.parametrize(
    ("count", "more", "first_line"),
    [
        (3, False, "3 scripts:"),
        (60, False, "The first 50 of 60 scripts:"),
        (100, True, "The first 50 of more than 100 scripts:"),
        (20, True, "The first 20 of more than 20 scripts:"),
    ],
)
def test_a_first_page_is_not_told_as_the_whole(count: int, more: bool, first_line: str) -> None:
    """A list says in its first line how much of it is shown, and that there is more where the answer was one page."""
    paths = [f"Assets/S{number:03}.cs" for number in range(count)]
    result = {"assets": [{"path": path} for path in paths], **({"next": paths[-1]} if more else {})}
    step = _plan("list scripts", {"success": True, "result": result})
    assert isinstance(step, Say)
    lines = step.text.splitlines()
    assert lines[0] == first_line
    assert len(lines) == 1 + min(count, 50)


@pytest.mark.parametrize(
    "prompt",
    ["create a health script called Foo", 'replace "a" with "b" in Foo.cs', "undo turn_1", "restore version v_1"],
)
def test_a_read_only_conversation_is_named_as_the_reason(prompt: str) -> None:
    """Where the mode leaves a function out, the answer says the mode and what to do."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]}
    for instructions, named in (("This is a read-only conversation: no.", True), ("", False)):
        heard, _ = hear(instructions, frozenset({"readFile"}), [item])
        step = plan(heard, [])
        assert isinstance(step, Say)
        assert "Nothing was done" in step.text
        assert ("mode readOnly" in step.text and "--mode ask" in step.text) is named
