"""Whether the body of one document is YAML as Unity reads it; the first place where it is not.

Asked of documents that are not canonical. One judge goes line by line and says best what is wrong; the other is the parser that
edits go through, so that nothing passes that it could not open. Knows no classes and no ids.
"""

from __future__ import annotations

import re
from typing import Final

Fault = tuple[int, str]
"""Offset and what is wrong there."""
TAB: Final = "a tab in the indentation"

_KEY_END: Final = re.compile(rb"[^\n]*?:(?=[ \n]|\Z)")
_QUOTED: Final = re.compile(rb"'[^']*+(?:''[^']*+)*+'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"", re.DOTALL)
_FLOW_TOKEN: Final = re.compile(rb"[\[\]{}]|'[^']*+(?:''[^']*+)*+'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"", re.DOTALL)
_SECOND: Final = re.compile(rb":(?=[ \n]|\Z)")
_REST: Final = re.compile(rb"[ \t]*(?:(?<=[ \t])#[^\n]*)?(?:\n|\Z)")
_BLOCK: Final = re.compile(rb"[|>][-+0-9]*[ \t]*(?:\n|\Z)")
_PROPERTY: Final = re.compile(rb"[&!*][^\s]*[ ]*")
_SPACES: Final = re.compile(rb" *")
_RESERVED: Final = frozenset(b"%@`,]}")
_MAX_DEPTH: Final = 2_000


class _Fault(Exception):
    def __init__(self, at: int, message: str) -> None:
        self.at = at
        self.message = message


class _Unjudged(Exception):
    """Something that YAML has and Unity never writes."""


def first_fault(content: bytes, start: int, end: int) -> Fault | None:
    """The first fault of a document's body, from the line of its class on. `end` is behind its last line end."""
    try:
        _Body(content, end).read(start)
    except _Fault as fault:
        return min(fault.at, max(start, end - 1)), fault.message
    except _Unjudged:
        return None
    return None


def unreadable(body: bytes) -> Fault | None:
    """The place that the parser does not surely understand; None where it reads the body."""
    from spark.engines.unity.yaml.errors import YamlError
    from spark.engines.unity.yaml.tree import parse

    lone = body.find(b"\r")
    if lone >= 0:
        return lone, "a carriage return without a line feed"
    try:
        parse(body)
    except YamlError as error:
        return min(error.offset, max(0, len(body) - 1)), error.message
    return None


class _Body:
    """One walk over the lines. `_open` holds the collections that are open, as column and whether it is a list."""

    def __init__(self, content: bytes, end: int) -> None:
        self._content = content
        self._end = end
        self._open: list[tuple[int, bool]] = []
        self._waits: tuple[int, bool] | None = None
        """Column of the key (True) or dash (False) that still has no value."""

    def read(self, at: int) -> None:
        content, end = self._content, self._end
        spaces = _SPACES.match
        while at < end:
            found = spaces(content, at, end)
            assert found is not None
            first = found.end()
            if first >= end:
                return
            byte = content[first]
            if byte in b"\n#":
                at = self._next_line(first)
            elif byte == 0x09:
                if content[first : self._next_line(first)].strip():
                    raise _Fault(first, TAB)
                at = self._next_line(first)
            else:
                at = self._entry(first, first - at)

    def _next_line(self, at: int) -> int:
        found = self._content.find(b"\n", at, self._end)
        return self._end if found < 0 else found + 1

    def _entry(self, at: int, column: int) -> int:
        """One line with all that belongs to its value; answers the start of the next."""
        content = self._content
        while content[at : at + 2] in (b"- ", b"-\n", b"-"):
            self._place(column, at, is_list=True)
            self._waits = (column, False)
            inner = at + 1
            while content[inner : inner + 1] == b" " and inner < self._end:
                inner += 1
            if inner >= self._end or content[inner] in b"\n#":
                return self._next_line(inner)
            column += inner - at
            at = inner
        key = self._key_end(at)
        if key is None:
            if self._waits is None or self._waits[0] >= column:
                raise _Fault(at, _neither(content, at))
            owner = self._waits[0]
            self._waits = None
            return self._value(at, owner)
        self._place(column, at, is_list=False)
        return self._value_of_key(key, column)

    def _value_of_key(self, at: int, column: int) -> int:
        content = self._content
        while at < self._end and content[at] == 0x20:
            at += 1
        if at >= self._end or content[at] in b"\n#":
            self._waits = (column, True)
            return self._next_line(at)
        return self._value(at, column)

    def _key_end(self, at: int) -> int | None:
        """Behind the colon of a key that begins here; None where there is none."""
        content = self._content
        byte = content[at]
        if byte in b"'\"":
            found = _QUOTED.match(content, at, self._end)
            after = found.end() if found is not None else -1
            return after + 1 if found is not None and _SECOND.match(content, after, self._end) else None
        if byte == 0x3F and content[at + 1 : at + 2] in (b" ", b"\n"):
            raise _Unjudged
        if byte in b"{[":
            return None
        found = _KEY_END.match(content, at, self._end)
        return found.end() if found is not None else None

    def _place(self, column: int, at: int, *, is_list: bool) -> None:
        """A key or a dash at a column: opens a collection, or goes on with one that is open."""
        waits, self._waits = self._waits, None
        opened = self._open
        if waits is not None and (column > waits[0] or (column == waits[0] and is_list and waits[1])):
            if len(opened) >= _MAX_DEPTH:
                raise _Fault(at, f"nested deeper than {_MAX_DEPTH} levels")
            opened.append((column, is_list))
            return
        while opened and opened[-1][0] > column:
            opened.pop()
        if not opened:
            if column or is_list:
                raise _Fault(at, "the object does not begin with the name of its class")
            opened.append((0, False))
            return
        top, top_is_list = opened[-1]
        if top_is_list and not is_list and top == column:
            opened.pop()
            top, top_is_list = opened[-1] if opened else (-1, False)
        if top != column:
            raise _Fault(at, "the indentation fits no line above")
        if top_is_list != is_list:
            raise _Fault(at, "an item `- ` stands among keys" if is_list else "a key stands among items `- `")
        if column == 0:
            raise _Fault(at, "a second object begins here without a line `--- !u!`")

    def _value(self, at: int, owner: int) -> int:
        """A value that begins at `at`; `owner` is the column of its key or dash. Answers the start of the next line."""
        content, end = self._content, self._end
        byte = content[at]
        if byte in b"{[":
            return self._rest(self._flow(at), at)
        if byte in b"'\"":
            found = _QUOTED.match(content, at, end)
            if found is None:
                raise _Fault(at, "a quotation mark is never closed")
            return self._rest(found.end(), at)
        if byte in b"|>":
            if _BLOCK.match(content, at, end) is None:
                raise _Fault(at, f"a value may not begin with `{chr(byte)}`: quote it")
            return self._deeper(self._next_line(at), owner)
        if byte in b"&!*":
            found = _PROPERTY.match(content, at, end)
            assert found is not None
            if found.end() >= end or content[found.end()] in b"\n":
                if byte != 0x2A:
                    self._waits = (owner, True)
                return self._next_line(found.end())
            return self._value(found.end(), owner) if content[found.end()] not in b"&!*" else self._unjudged()
        if byte in _RESERVED:
            raise _Fault(at, f"a value may not begin with `{chr(byte)}`: quote it")
        return self._plain(at, owner)

    def _unjudged(self) -> int:
        raise _Unjudged

    def _plain(self, at: int, owner: int) -> int:
        content, end = self._content, self._end
        second = _SECOND.search(content, at, self._next_line(at))
        if second is not None:
            raise _Fault(second.start(), "a second `: ` in one value: quote the value")
        line = self._next_line(at)
        while line < end:
            found = _SPACES.match(content, line, end)
            assert found is not None
            first = found.end()
            if first < end and content[first] == 0x0A:
                line = first + 1
                continue
            if first - line <= owner or first >= end or content[first] == 0x23:
                return line
            after = self._next_line(first)
            second = _SECOND.search(content, first, after)
            if second is not None:
                raise _Fault(first, "the line is indented deeper than the value above it allows")
            line = after
        return line

    def _deeper(self, line: int, owner: int) -> int:
        """Behind the lines of a block scalar."""
        content, end = self._content, self._end
        while line < end:
            found = _SPACES.match(content, line, end)
            assert found is not None
            first = found.end()
            if first < end and content[first] != 0x0A and first - line <= owner:
                return line
            line = self._next_line(first)
        return line

    def _flow(self, at: int) -> int:
        """Behind the bracket that closes the one at `at`."""
        closing: list[bytes] = []
        for token in _FLOW_TOKEN.finditer(self._content, at, self._end):
            text = token.group()
            if text in (b"{", b"["):
                if len(closing) >= _MAX_DEPTH:
                    raise _Fault(at, f"nested deeper than {_MAX_DEPTH} levels")
                closing.append(b"}" if text == b"{" else b"]")
            elif text in (b"}", b"]"):
                if text != closing.pop():
                    raise _Fault(token.start(), f"`{text.decode()}` closes nothing")
                if not closing:
                    return token.end()
        raise _Fault(at, f"`{chr(self._content[at])}` is never closed")

    def _rest(self, at: int, began: int) -> int:
        """Nothing but a comment may follow on the line."""
        found = _REST.match(self._content, at, self._end)
        if found is None:
            apart = b"\n" in self._content[began:at]
            raise _Fault(
                began if apart else at, "text stands behind the end of the value" if not apart else _ENDS_WRONG
            )
        return found.end()


_ENDS_WRONG: Final = "the value does not end where its line ends: a closing mark is missing"


def _neither(content: bytes, at: int) -> str:
    if content.startswith(b"---", at):
        return "a line that separates objects, but not as `--- !u!CLASS &ID`"
    return "neither `key: value` nor an item `- `"
