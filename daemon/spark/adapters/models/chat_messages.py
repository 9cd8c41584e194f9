"""A conversation as chat-completions messages, in the form that the strictest chat templates of local servers accept.

One system message, first. No two user messages in a row. Every call is followed at once by its output. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from spark.core.conversation import (
    AssistantMessage,
    FunctionCall,
    FunctionOutput,
    Item,
    SystemNote,
    UserMessage,
)

Message = dict[str, Any]

_NO_OUTPUT: Final = json.dumps(
    {"success": False, "error": {"code": "cancelled", "message": "this call was interrupted; its outcome is unknown"}}
)


def native_messages(instructions: str, items: Sequence[Item]) -> list[Message]:
    """Messages for a model that calls functions by the API's own `tools`."""
    outputs = {item.call_id: item.output for item in items if isinstance(item, FunctionOutput)}
    messages: list[Message] = [{"role": "system", "content": instructions}] if instructions else []
    answered: set[str] = set()
    position = 0
    while position < len(items):
        item = items[position]
        position += 1
        if isinstance(item, UserMessage):
            _add_text(messages, "user", item.text)
        elif isinstance(item, SystemNote):
            _add_text(messages, "user", _note(item))
        elif isinstance(item, AssistantMessage):
            _add_text(messages, "assistant", item.text)
        elif isinstance(item, FunctionCall) and item.call_id not in answered:
            calls = [item]
            while position < len(items) and isinstance(following := items[position], FunctionCall):
                calls.append(following)
                position += 1
            answered.update(call.call_id for call in calls)
            _add_calls(messages, calls, outputs)
    return messages


def action_messages(instructions: str, items: Sequence[Item]) -> list[Message]:
    """Messages for a model that answers with one JSON action: calls are its answers, outputs come from the user."""
    messages: list[Message] = [{"role": "system", "content": instructions}] if instructions else []
    names = {item.call_id: item.name for item in items if isinstance(item, FunctionCall)}
    for item in items:
        if isinstance(item, UserMessage):
            _add_text(messages, "user", item.text)
        elif isinstance(item, SystemNote):
            _add_text(messages, "user", _note(item))
        elif isinstance(item, AssistantMessage):
            _add_text(messages, "assistant", json.dumps({"action": "reply", "arguments": {"text": item.text}}))
        elif isinstance(item, FunctionCall):
            # Valid JSON is put in as it is: to read and write it once more is work for nothing.
            action = f'{{"action": {json.dumps(item.name)}, "arguments": {_valid_arguments(item.arguments)}}}'
            _add_text(messages, "assistant", action)
        else:
            _add_text(messages, "user", f"Result of {names.get(item.call_id, 'the call')}: {item.output}")
    return messages


def _note(item: SystemNote) -> str:
    # Many chat templates refuse a system message that is not the first.
    return f"[Note by SPARK, not by the user] {item.text}"


def _add_text(messages: list[Message], role: str, text: str) -> None:
    last = messages[-1] if messages else None
    if last is not None and last["role"] == role and isinstance(last["content"], str) and "tool_calls" not in last:
        last["content"] += "\n\n" + text
    else:
        messages.append({"role": role, "content": text})


def _add_calls(messages: list[Message], calls: Sequence[FunctionCall], outputs: Mapping[str, str]) -> None:
    tool_calls = [
        {
            "id": call.call_id,
            "type": "function",
            "function": {"name": call.name, "arguments": _valid_arguments(call.arguments)},
        }
        for call in calls
    ]
    last = messages[-1] if messages else None
    if last is not None and last["role"] == "assistant" and "tool_calls" not in last:
        last["tool_calls"] = tool_calls  # text and calls of one answer are one message
    else:
        messages.append({"role": "assistant", "content": "", "tool_calls": tool_calls})
    messages.extend(
        {"role": "tool", "tool_call_id": call.call_id, "content": outputs.get(call.call_id, _NO_OUTPUT)}
        for call in calls
    )


def _valid_arguments(text: str) -> str:
    """Arguments as a JSON object: servers parse those of the history and fail on what the model once got wrong."""
    try:
        loaded = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return json.dumps({"unreadable": text[:1000]})
    return text if text and isinstance(loaded, dict) else json.dumps(loaded if isinstance(loaded, dict) else {})
