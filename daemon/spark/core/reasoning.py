"""How `reasoning` of a prompt (creative, deterministic, auto) becomes settings of a backend: two tables, nothing hidden.

`SETTINGS` maps a reasoning to what each backend offers. `RULES` picks one where the user left it to SPARK (`auto`); the
rule that decided is stored with the turn and shown. This module knows no backend's wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from spark.core.api import ReasoningChoice
from spark.core.conversation import Reasoning, ToolChoice
from spark.core.errors import invalid_arguments

BackendName = Literal["realtime", "chat", "offline"]
Effort = Literal["minimal", "low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class ReasoningSettings:
    """What a request carries besides its text. None: the backend has no such setting, or its own default is right.

    `sentence` is appended to the instructions, at their end, so that the long common beginning stays cached.
    """

    effort: Effort | None
    temperature: float | None
    tool_choice: ToolChoice
    sentence: str


_EXACT: Final = (
    "Do exactly what the prompt asks and nothing beyond it: the smallest change that does it, in the project's own "
    "style, without new ideas."
)
_FREE: Final = (
    "The user wants ideas: you may invent names, values and structure where the prompt leaves them open. "
    "Say in one sentence what you chose."
)

# GA Realtime sessions have no temperature; reasoning effort is theirs instead. Most chat servers know temperature and
# refuse an effort that they do not know. The offline planner has neither: it follows fixed rules whatever is asked.
SETTINGS: Final[Mapping[tuple[BackendName, Reasoning], ReasoningSettings]] = MappingProxyType(
    {
        #                              effort    temperature  tools   sentence
        ("realtime", "deterministic"): ReasoningSettings("low", None, "auto", _EXACT),
        ("realtime", "creative"): ReasoningSettings("medium", None, "auto", _FREE),
        ("chat", "deterministic"): ReasoningSettings(None, 0.0, "auto", _EXACT),
        ("chat", "creative"): ReasoningSettings(None, 0.9, "auto", _FREE),
        ("offline", "deterministic"): ReasoningSettings(None, None, "auto", ""),
        ("offline", "creative"): ReasoningSettings(None, None, "auto", ""),
    }
)


def settings_for(backend: BackendName, reasoning: Reasoning) -> ReasoningSettings:
    """The row of `SETTINGS` for a request."""
    return SETTINGS[backend, reasoning]


def with_sentence(instructions: str, backend: BackendName, reasoning: Reasoning) -> str:
    """The instructions with the sentence of this reasoning at their end; unchanged where it stands there already."""
    sentence = SETTINGS[backend, reasoning].sentence
    if sentence and instructions.rstrip().endswith(sentence):
        return instructions
    return "\n\n".join(part for part in (instructions.rstrip(), sentence) if part)


@dataclass(frozen=True, slots=True)
class Rule:
    """Words (all their forms are written out) that ask for one kind of reasoning."""

    reasoning: Reasoning
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, and the sentence that says why."""

    reasoning: Reasoning
    rule: str


RULES: Final[tuple[Rule, ...]] = (
    Rule("deterministic", ("fix", "fixes", "fixed", "fixing", "bugfix", "repair", "debug", "correct")),
    Rule("deterministic", ("rename", "renames", "renaming", "move", "delete", "remove")),
    Rule("deterministic", ("undo", "revert", "restore", "roll back", "take back")),
    Rule("deterministic", ("replace", "substitute", "change", "update", "set", "add")),
    Rule("deterministic", ("list", "show", "read", "find", "search", "explain", "check", "count")),
    Rule("deterministic", ("refactor", "reformat", "format", "clean up", "convert", "migrate", "port", "exactly")),
    Rule("creative", ("invent", "invents", "inventing", "imagine", "dream up", "make up", "come up with")),
    Rule("creative", ("prototype", "prototypes", "prototyping", "mock up", "sketch", "game jam")),
    Rule("creative", ("idea", "ideas", "brainstorm", "inspire", "inspiration", "suggest", "suggestions", "propose")),
    Rule(
        "creative", ("creative", "creatively", "surprise me", "experiment", "experimental", "explore", "something fun")
    ),
)
DEFAULT: Final = Choice("deterministic", "no word of the rule table: deterministic is the default")


def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    alternatives = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(words, key=len, reverse=True))
    # A word of a path or an identifier (`Fix.cs`, `prefix_fix`, `Assets/Undo`) is a name, not a request.
    return re.compile(rf"(?<![\w./\\-])(?:{alternatives})(?![\w-]|[./\\]\w)", re.IGNORECASE)


_PATTERNS: Final = tuple((rule, _pattern(rule.words)) for rule in RULES)


def choose(prompt: str, wanted: ReasoningChoice = "auto") -> Choice:
    """What a prompt gets. With `auto` the first word of the prompt that stands in `RULES` decides. Never raises."""
    if wanted != "auto":
        return Choice(wanted, "chosen by the user")
    found = [(match.start(), match.group(), rule) for rule, pattern in _PATTERNS if (match := pattern.search(prompt))]
    if not found:
        return DEFAULT
    _, word, rule = min(found, key=lambda hit: hit[0])
    shown = " ".join(word.lower().split())
    return Choice(rule.reasoning, f"the prompt says “{shown}”: {rule.reasoning}")


_MODES: Final[Mapping[str, ReasoningChoice]] = MappingProxyType(
    {"creative": "creative", "deterministic": "deterministic", "auto": "auto", "hybrid": "auto"}
)


def parse_mode(text: str) -> ReasoningChoice:
    """A value of `SPARK_SONNET_MODE` or `--reasoning`; `hybrid` is `auto`. Raises `invalid_arguments` for anything else."""
    mode = _MODES.get(text.strip().lower())
    if mode is None:
        raise invalid_arguments({"reasoning": "creative | deterministic | auto (also read: hybrid, which is auto)"})
    return mode
