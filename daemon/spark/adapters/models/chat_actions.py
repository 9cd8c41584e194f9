"""Function calls for models that cannot call functions: the answer is one JSON action, held to a schema by the server.

`{"action": NAME, "arguments": {…}}` calls a function, `{"action": "reply", "arguments": {"text": …}}` answers the user. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spark.core.conversation import ToolChoice, ToolSchema

REPLY: Final = "reply"
_FENCED = re.compile(r"```[a-zA-Z_]*\s*\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Action:
    """`name` None: a reply, and `text` is it; else a call with `arguments` as JSON text."""

    name: str | None
    arguments: str = "{}"
    text: str = ""


def action_schema(tools: Sequence[ToolSchema], tool_choice: ToolChoice) -> dict[str, Any]:
    """The JSON schema of one action. With `required` a reply is not among them."""
    options = [_option(tool.name, dict(tool.parameters)) for tool in tools]
    if tool_choice != "required" or not options:
        text = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
        options.append(_option(REPLY, {**text, "additionalProperties": False}))
    return {"anyOf": options}


def _option(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"action": {"type": "string", "const": name}, "arguments": parameters},
        "required": ["action", "arguments"],
        "additionalProperties": False,
    }


def action_instructions(tools: Sequence[ToolSchema]) -> str:
    """What the model is told; the same for the same tools, so that a server's prompt cache holds."""
    listed = "\n".join(
        f"- {tool.name}: {tool.description} Arguments: {json.dumps(dict(tool.parameters), separators=(',', ':'))}"
        for tool in tools
    )
    return (
        "Answer with exactly one JSON object and nothing else. To use a function: "
        '{"action": "<its name>", "arguments": {…}}; its result comes in the next message, then answer again. '
        'When the task is done, or to talk to the user: {"action": "reply", "arguments": {"text": "…"}}. '
        f"Functions:\n{listed}"
    )


def parse_action(answer: str, names: frozenset[str]) -> Action:
    """What an answer means. An answer that is no known action is a reply: its text is shown as it is."""
    for candidate in (answer, *_FENCED.findall(answer)):
        try:
            loaded = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        action = _action(loaded, names)
        if action is not None:
            return action
    return Action(None, text=answer)


def _action(loaded: object, names: frozenset[str]) -> Action | None:
    if not isinstance(loaded, Mapping):
        return None
    name, arguments = loaded.get("action"), loaded.get("arguments")
    if name == REPLY:
        text = arguments.get("text") if isinstance(arguments, Mapping) else arguments
        return Action(None, text=text) if isinstance(text, str) else None
    if isinstance(name, str) and name in names and isinstance(arguments, Mapping):
        return Action(name, json.dumps(dict(arguments)))
    return None
