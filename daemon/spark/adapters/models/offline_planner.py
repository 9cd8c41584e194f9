"""The offline model's mind: fixed rules that turn a conversation into the next function call or an answer. Pure.

It knows only what came over the wire: instructions, offered functions, items. Each skill is a generator that yields calls,
is sent their outputs, and returns its report; it is run again from the start for every response, so nothing is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spark.adapters.models.offline_assets import Call
from spark.adapters.models.offline_language import clauses, is_about_itself
from spark.adapters.models.offline_skills import (
    CONNECT,
    INTRODUCTION,
    Heard,
    SkillRun,
    find_skill,
    is_replacement,
    listed_skills,
)

_LAST_TURN: Final = re.compile(r"Last turn: (?P<id>[A-Za-z0-9_-]+)(?P<rest>[^\n]*)")
_PROMPT_CHARS: Final = 2_000
"""A longer prompt is nothing that fixed patterns understand."""
_ATTACHED: Final = "\n\nAttached file "


@dataclass(frozen=True, slots=True)
class Say:
    """The answer; it ends the turn."""

    text: str


def hear(instructions: str, tools: frozenset[str], items: Sequence[Mapping[str, Any]]) -> tuple[Heard, list[Any]]:
    """A conversation as the planner sees it, and the outputs of the calls made since the last prompt."""
    start = max((number for number, item in enumerate(items) if item.get("role") == "user"), default=0)
    prompt = _text(items[start]).split(_ATTACHED, 1)[0].strip() if items else ""
    outputs = [_loaded(item.get("output")) for item in items[start:] if item.get("type") == "function_call_output"]
    return Heard(prompt, instructions, tools, _last_turn(instructions, items[:start])), outputs


def plan(heard: Heard, outputs: Sequence[Any]) -> Call | Say:
    """The next step. `outputs`: what the calls since the prompt gave, in order."""
    if is_about_itself(heard.prompt) or not heard.prompt:
        return Say(about(heard.tools))
    given = iter(outputs)
    reports: list[str] = []
    strange: list[str] = []
    if len(heard.prompt) > _PROMPT_CHARS:
        return Say(f"A prompt of more than {_PROMPT_CHARS} characters is too much for me.\n\n{about(heard.tools)}")
    for clause in [heard.prompt] if is_replacement(heard.prompt) else clauses(heard.prompt):
        run = find_skill(clause, heard)
        if run is None:
            strange.append(clause)
            continue
        step = _advance(run, given)
        if isinstance(step, Call):
            return step
        reports.append(step)
    if not reports:
        return Say(f"I did not understand that, and I do not guess.\n\n{about(heard.tools)}")
    if strange:
        reports.append("Not done, because I did not understand it: " + "; ".join(f"“{part}”" for part in strange))
    return Say("\n\n".join(reports))


def about(tools: frozenset[str]) -> str:
    """What the offline model is, what it can do here, and how to connect a real one."""
    return f"{INTRODUCTION}\n\nI can:\n{listed_skills(tools)}\n\n{CONNECT}"


def _advance(run: SkillRun, given: Iterator[Any]) -> Call | str:
    """Runs a skill over the outputs that are there: its next call, or its report."""
    try:
        call = next(run)
        for output in given:
            call = run.send(output)
    except StopIteration as end:
        report: str = end.value
        return report
    return call


def _text(item: Mapping[str, Any]) -> str:
    parts = item.get("content") or ()
    return "".join(part.get("text") or "" for part in parts if isinstance(part, Mapping))


def _loaded(output: object) -> Any:
    try:
        return json.loads(output) if isinstance(output, str) else output
    except ValueError:
        return output


def _last_turn(instructions: str, earlier: Sequence[Mapping[str, Any]]) -> str | None:
    """The newest turn that changed something, as SPARK told it between the prompts."""
    told = [instructions, *(_text(item) for item in earlier if item.get("role") == "system")]
    for text in reversed(told):
        for match in reversed(list(_LAST_TURN.finditer(text))):
            if "no files changed" not in match["rest"]:
                return match["id"]
    return None
