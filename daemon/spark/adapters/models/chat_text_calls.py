"""Finds function calls that a model wrote into its text: fenced JSON, `<tool_call>` and `<tools>` tags, bare JSON. Pure.

Text is passed on as soon as it cannot be part of a call. Outside of tags only names of offered functions count: a fenced
`package.json` is no call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_TAGS: Final = ("<tool_call>", "<tools>", "<function_call>")
_FENCE: Final = "```"
_CALL_FENCES: Final = frozenset({"", "json", "tool_call", "tool_calls", "tool_code", "tool", "tools", "xml"})
_MARKERS: Final = (*_TAGS, _FENCE)
_LONGEST: Final = max(len(marker) for marker in _MARKERS)
_MARKER = re.compile("|".join(re.escape(marker) for marker in _MARKERS))
_VALUE = re.compile(r"[^\s,;]")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class TextCall:
    """A call found in text; `arguments` is JSON text."""

    name: str
    arguments: str


class CallsInText:
    """Feeds on pieces of an answer. `names`: the offered functions."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._held = ""
        self._at_start = True
        self._in_foreign_fence = False
        self._calls: list[TextCall] = []

    def feed(self, piece: str) -> str:
        """Takes a piece; gives the text that may be shown now."""
        self._held += piece
        return self._release(final=False)

    def finish(self) -> tuple[str, list[TextCall]]:
        """The text that was still held, and the calls."""
        return self._release(final=True), self._calls

    def _release(self, *, final: bool) -> str:
        shown: list[str] = []
        while self._held:
            before = self._state()
            shown.append(self._step(final=final))
            if self._state() == before:
                break  # nothing more to be known before the next piece
        return "".join(shown)

    def _state(self) -> tuple[int, bool, bool]:
        return len(self._held), self._at_start, self._in_foreign_fence

    def _step(self, *, final: bool) -> str:
        if self._in_foreign_fence:
            return self._through_fence(final=final)
        if self._at_start:
            if self._calls:
                self._held = self._held.lstrip()  # between calls, however it was cut
            stripped = self._held.lstrip()
            if not stripped:
                return self._take(len(self._held)) if final else ""
            if stripped[0] in "{[":
                return self._bare_json(final=final)
            self._at_start = False
        match = _MARKER.search(self._held)
        if match is None:
            return self._take(len(self._held) - (0 if final else self._tail()))
        if match.start() > 0:
            return self._take(match.start())
        return self._fence(final=final) if match.group() == _FENCE else self._tag(match.group(), final=final)

    def _take(self, count: int) -> str:
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def _tail(self) -> int:
        """How many characters at the end could be the beginning of a marker."""
        for size in range(min(_LONGEST - 1, len(self._held)), 0, -1):
            if any(marker.startswith(self._held[-size:]) for marker in _MARKERS):
                return size
        return 0

    def _through_fence(self, *, final: bool) -> str:
        end = self._held.find(_FENCE)
        if end < 0:
            return self._take(len(self._held) - (0 if final else self._tail()))
        self._in_foreign_fence = False
        return self._take(end + len(_FENCE))

    def _bare_json(self, *, final: bool) -> str:
        stripped = self._held.lstrip()
        try:
            value, end = _DECODER.raw_decode(stripped)
        except (ValueError, RecursionError):
            if not final:
                return ""
            self._at_start = False
            return ""
        calls = self._as_calls(value, any_name=False)
        self._at_start = False
        if calls is None:
            return ""  # the loop goes on and passes it through as text
        self._calls += calls
        self._held = stripped[end:].lstrip()
        self._at_start = True
        return ""

    def _fence(self, *, final: bool) -> str:
        line_end = self._held.find("\n")
        if line_end < 0 and not final:
            return ""
        info = self._held[len(_FENCE) : line_end if line_end >= 0 else None].strip().lower()
        if line_end < 0 or info not in _CALL_FENCES:
            self._in_foreign_fence = True
            return self._take(len(_FENCE))
        end = self._held.find(_FENCE, line_end)
        # Three backticks may also stand inside a JSON string of the block; a closing fence begins its line.
        while end >= 0 and "\n" not in self._held[end - 1 : end] and self._parse(self._held[line_end:end]) is None:
            end = self._held.find(_FENCE, end + 1)
        if end < 0 and not final:
            return ""
        body = self._held[line_end : end if end >= 0 else None]
        return self._block(body, len(self._held) if end < 0 else end + len(_FENCE), any_name=False)

    def _tag(self, tag: str, *, final: bool) -> str:
        closing = tag.replace("<", "</")
        end = self._held.find(closing)
        if end < 0 and not final:
            return ""
        body = self._held[len(tag) : end if end >= 0 else None]
        return self._block(body, len(self._held) if end < 0 else end + len(closing), any_name=True)

    def _block(self, body: str, size: int, *, any_name: bool) -> str:
        calls = self._parse(body, any_name=any_name)
        text = self._take(size)
        if not calls:
            return text
        self._calls += calls
        self._held = self._held.lstrip("\r\n")
        return ""

    def _parse(self, body: str, *, any_name: bool = False) -> list[TextCall] | None:
        """The calls of a block that holds nothing else."""
        inner = re.sub(r"</?(?:tool_call|tools|function_call)>", " ", body)
        calls: list[TextCall] = []
        position = 0
        while match := _VALUE.search(inner, position):
            try:
                value, position = _DECODER.raw_decode(inner, match.start())
            except (ValueError, RecursionError):
                return None
            found = self._as_calls(value, any_name=any_name)
            if found is None:
                return None
            calls += found
        return calls

    def _as_calls(self, value: object, *, any_name: bool) -> list[TextCall] | None:
        calls: list[TextCall] = []
        for entry in _entries(value):
            call = _one_call(entry)
            if call is None or not (any_name or call.name in self._names):
                return None
            calls.append(call)
        return calls or None


def _entries(value: object) -> Iterator[object]:
    if isinstance(value, Mapping) and isinstance(value.get("tool_calls"), list):
        value = value["tool_calls"]
    if isinstance(value, list):
        yield from value
    else:
        yield value


def _one_call(value: object) -> TextCall | None:
    """`{name, arguments|parameters}`, `{function: {…}}` or `{function: NAME, arguments}`."""
    if not isinstance(value, Mapping):
        return None
    inner: Mapping[str, Any] = value
    if isinstance(value.get("function"), Mapping):
        inner = value["function"]
    name = inner.get("name") or inner.get("function")
    arguments = inner.get("arguments", inner.get("parameters"))
    if not isinstance(name, str) or not name:
        return None
    if isinstance(arguments, Mapping):
        return TextCall(name, json.dumps(dict(arguments)))
    return TextCall(name, arguments) if isinstance(arguments, str) else None
