"""The canonical writer: plain values and a mode become the bytes that Unity's own writer gives them.

It has the values and the mode, nothing else. Recursive; what is nested deeper than the parser reads is refused first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from spark.core.errors import invalid_arguments
from spark.engines.unity.yaml.grammar import MAX_DEPTH
from spark.engines.unity.yaml.mode import BOM, LateMode, Mode
from spark.engines.unity.yaml.numbers import float_text
from spark.engines.unity.yaml.scalars import Style, escaped, is_simple, style_for
from spark.engines.unity.yaml.split import HEADER
from spark.engines.unity.yaml.values import Pairs, Ref, Value, pairs_of

_INLINE_KEYS: Final = frozenset(
    [
        ("fileID",),
        ("fileID", "guid", "type"),
        ("x", "y"),
        ("x", "y", "z"),
        ("x", "y", "z", "w"),
        ("r", "g", "b", "a"),
        ("class", "ns", "asm"),
        ("instanceID",),
    ]
)
FOLD_COLUMN: Final = 80


def body_bytes(value: Value, mode: Mode | LateMode) -> bytes:
    """A whole body: `ClassName:` and everything below it, or a `.meta`. `value` is the outer mapping. Raises
    `invalid_arguments` for what is nested too deep."""
    check_depth(value)
    writer = _Writer(mode)
    writer.mapping(value, 0, first=False)
    return writer.bytes()


def document_bytes(
    class_id: int, file_id: int, class_name: str, body: Value, mode: Mode | LateMode, *, stripped: bool = False
) -> bytes:
    """One document with its header line."""
    head = f"--- !u!{class_id} &{file_id}{' stripped' if stripped else ''}".encode("ascii") + mode.newline.encode()
    return head + body_bytes(Pairs([(class_name, body)]), mode)


def file_bytes(documents: Iterable[bytes], mode: Mode) -> bytes:
    """A whole asset of documents that `document_bytes` made."""
    content = HEADER.replace(b"\n", mode.newline.encode()) + b"".join(documents)
    if not mode.final_newline:
        content = content.removesuffix(mode.newline.encode())
    return BOM + content if mode.bom else content


def value_bytes(
    value: Value,
    mode: Mode | LateMode,
    *,
    indent: int,
    column: int,
    inside_flow: bool = False,
    style: Style | None = None,
) -> bytes:
    """What stands behind a key or a dash, without the line end that follows a value on the same line.

    `indent`: the column of the owner's keys (or dash); `column`: where the value begins. A block begins with the line end
    behind the key and ends without its last one. `style`: that of a scalar, where it is not to be Unity's choice.
    """
    writer = _Writer(mode, style)
    writer.column = column
    if inside_flow:
        writer.flow_value(value, indent)
    else:
        writer.value(value, indent)
    made = writer.bytes()
    return made.removesuffix(mode.newline.encode())


def entry_bytes(key: str, value: Value, mode: Mode | LateMode, *, indent: int) -> bytes:
    """The lines of one key with its value, in a block mapping whose keys stand in column `indent`."""
    writer = _Writer(mode)
    writer.mapping(Pairs([(key, value)]), indent, first=False)
    return writer.bytes()


def pair_bytes(key: str, value: Value, mode: Mode | LateMode, *, indent: int) -> bytes:
    """A key with its value as they stand inside braces."""
    writer = _Writer(mode)
    writer.flow_pairs([(key, value)], indent)
    return writer.bytes()[1:-1]


def item_bytes(value: Value, mode: Mode | LateMode, *, indent: int, style: Style | None = None) -> bytes:
    """The lines of one item of a block sequence whose dashes stand in column `indent`."""
    writer = _Writer(mode, style)
    writer.sequence([value], indent, first=False)
    return writer.bytes()


def is_inline(value: Pairs | Mapping[str, Value]) -> bool:
    """Whether a mapping is written in braces."""
    return value.inline if isinstance(value, Pairs) else tuple(value) in _INLINE_KEYS


def check_depth(value: Value) -> None:
    """Refuses what is nested deeper than a document can be read again (`invalid_arguments`)."""
    level: list[Value] = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH + 1:
            raise invalid_arguments({"value": f"a value that is nested at most {MAX_DEPTH} deep"})
        below: list[Value] = []
        for part in level:
            if isinstance(part, Pairs | Mapping):
                below.extend(item for _, item in pairs_of(part))
            elif isinstance(part, list | tuple):
                below.extend(part)
        level = below


class _Writer:
    def __init__(self, mode: Mode | LateMode, style: Style | None = None) -> None:
        self.mode = mode
        self.style = style
        self.parts: list[str] = []
        self.column = 0

    def bytes(self) -> bytes:
        text = "".join(self.parts)
        if self.mode.newline != "\n":
            text = text.replace("\n", self.mode.newline)
        return text.encode("utf-8", "surrogateescape")

    def write(self, text: str) -> None:
        self.parts.append(text)
        self.column += len(text)

    def break_line(self, indent: int) -> None:
        self.parts.append("\n" + " " * indent)
        self.column = indent

    def end_line(self) -> None:
        self.parts.append("\n")
        self.column = 0

    def lead(self, indent: int) -> None:
        self.parts.append(" " * indent)
        self.column = indent

    # -- containers ------------------------------------------------------------------------------------------------------

    def mapping(self, value: Value, indent: int, *, first: bool) -> None:
        """`first`: the first key goes on the line that is there (behind a dash)."""
        assert isinstance(value, Pairs | Mapping)
        for key, item in pairs_of(value):
            if not first:
                self.lead(indent)
            first = False
            self.scalar(str(key), indent, folds=False)
            self.write(":")
            self.value(item, indent)

    def value(self, value: Value, indent: int) -> None:
        """Behind the colon of a key in column `indent`."""
        if value is None:
            self.end_line()
        elif isinstance(value, Ref):
            self.write(" ")
            self.flow_pairs(value.pairs(), indent)
            self.end_line()
        elif isinstance(value, Pairs | Mapping):
            if len(value) and not is_inline(value):
                self.end_line()
                self.mapping(value, indent + 2, first=False)
                return
            self.write(" ")
            self.flow_pairs(pairs_of(value), indent)
            self.end_line()
        elif isinstance(value, Sequence) and not isinstance(value, str):
            if value:
                self.end_line()
                self.sequence(value, indent, first=False)
                return
            self.write(" []")
            self.end_line()
        else:
            self.write(" ")
            self.scalar(scalar_text(value), indent + 2, folds=True)
            self.end_line()

    def sequence(self, items: Sequence[Value], indent: int, *, first: bool) -> None:
        for item in items:
            if not first:
                self.lead(indent)
            first = False
            if item is None:
                self.write("-")
                self.end_line()
                continue
            self.write("- ")
            if isinstance(item, Ref):
                self.flow_pairs(item.pairs(), indent)
                self.end_line()
            elif isinstance(item, Pairs | Mapping):
                if len(item) and not is_inline(item):
                    self.mapping(item, indent + 2, first=True)
                    continue
                self.flow_pairs(pairs_of(item), indent)
                self.end_line()
            elif isinstance(item, Sequence) and not isinstance(item, str):
                if item:
                    self.sequence(item, indent + 2, first=True)
                    continue
                self.write("[]")
                self.end_line()
            else:
                self.scalar(scalar_text(item), indent + 2, folds=True)
                self.end_line()

    def flow_value(self, value: Value, indent: int) -> None:
        if isinstance(value, Ref):
            self.flow_pairs(value.pairs(), indent)
        elif isinstance(value, Pairs | Mapping):
            self.flow_pairs(pairs_of(value), indent)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            self.write("[")
            for number, item in enumerate(value):
                self.comma(number, indent)
                self.flow_value(item, indent)
            self.write("]")
        else:
            self.scalar(scalar_text(value) if value is not None else "", indent + 4, folds=False, flow=True)

    def flow_pairs(self, pairs: Iterable[tuple[str, Value]], indent: int) -> None:
        self.write("{")
        for number, (key, item) in enumerate(pairs):
            self.comma(number, indent)
            self.scalar(str(key), indent + 2, folds=False, flow=True)
            self.write(": ")
            self.flow_value(item, indent + 2 if not isinstance(item, str) else indent)
        self.write("}")

    def comma(self, number: int, indent: int) -> None:
        if not number:
            return
        self.write(",")
        if self.column > FOLD_COLUMN and self.mode.fold:
            self.break_line(indent + 2)
        else:
            self.write(" ")

    # -- scalars ---------------------------------------------------------------------------------------------------------

    def scalar(self, text: str, indent: int, *, folds: bool, flow: bool = False) -> None:
        style = self.style or ("plain" if is_simple(text) else self.style_for(text, folds, flow))
        if style == "plain":
            if " " in text and folds:
                self.folding(text, indent, quote="")
            else:
                self.write(text)
        elif style == "single":
            self.write("'")
            self.folding(text, indent, quote="'", may_fold=folds)
            self.write("'")
        else:
            self.write('"')
            self.double(text, indent, may_fold=folds)
            self.write('"')

    def style_for(self, text: str, is_value: bool, flow: bool) -> Style:
        return style_for(text, quoting=self.mode.quoting if is_value else "current", flow=flow)

    def breaks(self, text: str, at: int, was_space: bool) -> bool:
        """Whether the space at `at` becomes a line end."""
        if self.column < FOLD_COLUMN or self.mode.scalars == "none":
            return False
        if self.mode.scalars == "old":
            return not was_space and self.column > FOLD_COLUMN
        return self.column >= FOLD_COLUMN and text[at + 1 : at + 2] != " "

    def folding(self, text: str, indent: int, *, quote: str, may_fold: bool = True) -> None:
        """A plain or single-quoted text. A line end inside counts as Unity counts it: only a fold resets the column."""
        # What does not reach the column where texts are folded looks the same in every mode.
        old = self.column + len(text) >= FOLD_COLUMN and self.mode.scalars == "old"
        was_space = was_line_end = False
        last = len(text) - 1
        for at, char in enumerate(text):
            if char == " ":
                if (
                    may_fold
                    and 0 < at < last
                    and self.breaks(text, at, was_space)
                    and not (old and text[at + 1 : at + 2] == " ")
                ):
                    self.break_line(indent)
                else:
                    self.write(char)
                was_space = True
            elif char == "\n":
                if not was_line_end:
                    self.parts.append("\n")
                self.parts.append("\n")
                self.column = 0 if old else self.column + (1 if was_line_end else 2)
                was_line_end = True
            else:
                if was_line_end:
                    self.parts.append(" " * indent)
                    self.column = indent if old else self.column + indent
                self.write("''" if quote and char == "'" else char)
                was_space = was_line_end = False

    def double(self, text: str, indent: int, *, may_fold: bool) -> None:
        old = self.mode.scalars == "old"
        was_space = False
        last = len(text) - 1
        for at, char in enumerate(text):
            if char != " ":
                self.write(escaped(char))
                was_space = False
                continue
            if may_fold and 0 < at < last and self.breaks(text, at, was_space):
                self.break_line(indent)
                if old and text[at + 1] == " ":
                    self.parts.append("\\")
                    self.column += 1
            else:
                self.write(" ")
            was_space = True


def scalar_text(value: Value) -> str:
    """A scalar's text before quoting."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return float_text(value)
    raise TypeError(f"not a scalar: {type(value).__name__}")
