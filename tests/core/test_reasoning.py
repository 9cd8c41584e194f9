"""The tables that map a prompt to a reasoning and a reasoning to settings."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.core.api import ReasoningChoice
from spark.core.conversation import Reasoning
from spark.core.errors import ToolRejected
from spark.core.reasoning import (
    DEFAULT,
    RULES,
    SETTINGS,
    BackendName,
    Rule,
    choose,
    parse_mode,
    settings_for,
    with_sentence,
)

WORDS = [(rule, word) for rule in RULES for word in rule.words]


@pytest.mark.parametrize(("rule", "word"), WORDS)
def test_every_word_of_every_rule(rule: Rule, word: str) -> None:
    """Each word decides as its rule says, in any case and with any spaces, and is named."""
    for prompt in (f"{word} the jump", f"Please {word.upper()}, now.", f"({word.replace(' ', '  ')})"):
        choice = choose(prompt)
        assert choice.reasoning == rule.reasoning
        assert f"“{word}”" in choice.rule


def test_no_word_twice() -> None:
    """No word stands in two rules, so the table has no hidden order."""
    words = [word for _, word in WORDS]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    "prompt",
    [
        "a prefix and a suffix",
        "the fixture is wide",
        "look at Fix.cs",
        "Assets/Undo/Idea.prefab",
        "fix_me",
        "a player controller",
        "",
        "mock-up-ideas",
        "C:\\Fix",
    ],
)
def test_parts_of_words_and_names_do_not_count(prompt: str) -> None:
    """Rules match whole words of the prompt, not parts of words, file names or identifiers; without one the default holds."""
    assert choose(prompt) == DEFAULT


def test_the_first_word_decides() -> None:
    """Of several words of the table the first in the prompt decides."""
    assert choose("invent a way to fix it").reasoning == "creative"
    assert choose("fix the prototype").reasoning == "deterministic"


@pytest.mark.parametrize("wanted", ["creative", "deterministic"])
def test_the_user_decides(wanted: Reasoning) -> None:
    """What the user chose is taken whatever the prompt says."""
    choice = choose("invent ideas, fix bugs", wanted)
    assert (choice.reasoning, choice.rule) == (wanted, "chosen by the user")


@given(st.text(), st.sampled_from(get_args(ReasoningChoice)))
@settings(deadline=None, max_examples=200)
def test_choose_never_raises(prompt: str, wanted: ReasoningChoice) -> None:
    """Any text gets a choice with a rule that can be shown."""
    choice = choose(prompt, wanted)
    assert choice.reasoning in get_args(Reasoning)
    assert choice.rule


@pytest.mark.parametrize(
    ("text", "mode"),
    [("hybrid", "auto"), ("auto", "auto"), (" Creative ", "creative"), ("DETERMINISTIC", "deterministic")],
)
def test_modes(text: str, mode: str) -> None:
    """The values of the setting are read in any case, and `hybrid` is `auto`."""
    assert parse_mode(text) == mode


@pytest.mark.parametrize("text", ["", "wild", "auto,creative"])
def test_unknown_modes(text: str) -> None:
    """Anything else is refused with what is accepted."""
    with pytest.raises(ToolRejected) as caught:
        parse_mode(text)
    assert "hybrid" in caught.value.details["fields"]["reasoning"]


def test_settings_are_complete() -> None:
    """Every backend has settings for every reasoning; only what the backend offers is set."""
    for backend in get_args(BackendName):
        for reasoning in get_args(Reasoning):
            assert (backend, reasoning) in SETTINGS
    assert settings_for("realtime", "creative").temperature is None
    assert settings_for("chat", "creative").effort is None
    assert (settings_for("chat", "deterministic").temperature, settings_for("offline", "creative").sentence) == (
        0.0,
        "",
    )


def test_the_sentence_stands_once_at_the_end() -> None:
    """The instructions keep their beginning, and the sentence is never added twice."""
    once = with_sentence("You are SPARK.\n", "chat", "creative")
    assert once.startswith("You are SPARK.")
    assert once.endswith(settings_for("chat", "creative").sentence)
    assert with_sentence(once, "chat", "creative") == once
    assert with_sentence("x", "offline", "creative") == "x"
