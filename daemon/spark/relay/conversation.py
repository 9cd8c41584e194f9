"""What the model remembers: one conversation per checkout, kept in the journal, cut to what the model can hold.

What no longer fits is replaced by a summary made from the items themselves; nothing is left out silently.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from spark.core.conversation import (
    AssistantMessage,
    FunctionCall,
    FunctionOutput,
    Item,
    SystemNote,
    UserMessage,
)
from spark.core.ids import new_id
from spark.core.records import Journal

_SUMMARY_CHARS_PER_PROMPT: Final = 160
_SUMMARY_PROMPTS: Final = 40


@dataclass(frozen=True, slots=True)
class Window:
    """What is sent. `summarised`: how many prompts are only told as a summary."""

    items: tuple[Item, ...]
    summarised: int


class Conversation:
    def __init__(self, journal: Journal, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self._journal = journal
        self._items = journal.items(conversation_id)
        self._calls = {item.call_id for item in self._items if isinstance(item, FunctionCall)}
        self._answered = {item.call_id for item in self._items if isinstance(item, FunctionOutput)}

    def __len__(self) -> int:
        return len(self._items)

    def say(self, text: str) -> None:
        self._append(UserMessage(new_id("item"), text))

    def answer(self, text: str) -> None:
        if text.strip():
            self._append(AssistantMessage(new_id("item"), text))

    def note(self, text: str) -> None:
        self._append(SystemNote(new_id("item"), text))

    def call(self, call: FunctionCall) -> None:
        """A call of the model; one that is known already (the wire repeated it) is not added again."""
        if call.call_id not in self._calls:
            self._calls.add(call.call_id)
            self._append(replace(call, item_id=new_id("item")))

    def output(self, call_id: str, output: str) -> None:
        """The one output of a call."""
        if call_id in self._calls and call_id not in self._answered:
            self._answered.add(call_id)
            self._append(FunctionOutput(new_id("item"), call_id, output))

    def close_open_calls(self, message: str) -> None:
        """Gives every call that a crash left without output one that says so: a model refuses a conversation with open calls."""
        for item in list(self._items):
            if isinstance(item, FunctionCall) and item.call_id not in self._answered:
                error = {"code": "cancelled", "message": message, "hint": "Read the file to see what is there now."}
                self.output(item.call_id, json.dumps({"success": False, "error": error}))

    def window(self, context_chars: int) -> Window:
        """The newest whole prompts that fit, and a summary of the older ones."""
        starts = [number for number, item in enumerate(self._items) if isinstance(item, UserMessage)]
        if not starts or sum(map(_size, self._items)) <= context_chars:
            return Window(tuple(self._items), 0)
        kept = starts[-1]
        total = sum(map(_size, self._items[kept:]))
        for start, end in zip(reversed(starts[:-1]), reversed(starts[1:]), strict=True):
            total += sum(map(_size, self._items[start:end]))
            if total > context_chars:
                break
            kept = start
        if kept == 0:
            return Window(tuple(self._items), 0)
        dropped = self._items[:kept]
        # The id is made from the first kept item, so that the same window is the same list of items.
        summary = SystemNote(f"sum_{self._items[kept].item_id[-26:]}", _summary(dropped))
        return Window((summary, *self._items[kept:]), sum(isinstance(item, UserMessage) for item in dropped))

    def _append(self, item: Item) -> None:
        self._journal.append_items(self.conversation_id, [item])
        self._items.append(item)


def _size(item: Item) -> int:
    match item:
        case FunctionCall(name=name, arguments=arguments):
            return len(name) + len(arguments) + 20
        case FunctionOutput(output=output):
            return len(output) + 20
        case UserMessage(text=text) | AssistantMessage(text=text) | SystemNote(text=text):
            return len(text) + 10


def _summary(items: Sequence[Item]) -> str:
    lines = ["Earlier in this conversation (shortened by SPARK; read files again before you edit them):"]
    prompts = [number for number, item in enumerate(items) if isinstance(item, UserMessage)]
    if len(prompts) > _SUMMARY_PROMPTS:
        lines.append(f"- {len(prompts) - _SUMMARY_PROMPTS} still older prompts")
    for start, end in list(zip(prompts, [*prompts[1:], len(items)], strict=True))[-_SUMMARY_PROMPTS:]:
        prompt = items[start]
        text = prompt.text if isinstance(prompt, UserMessage) else ""
        short = " ".join(text[: _SUMMARY_CHARS_PER_PROMPT * 2].split())[:_SUMMARY_CHARS_PER_PROMPT]
        calls = [item.name for item in items[start:end] if isinstance(item, FunctionCall)]
        notes = [item.text for item in items[start:end] if isinstance(item, SystemNote)]
        lines.append(f"- {short!r}" + (f" (calls: {', '.join(calls[:8])})" if calls else ""))
        lines.extend(f"  {note[:300]}" for note in notes[-1:])
    return "\n".join(lines)
