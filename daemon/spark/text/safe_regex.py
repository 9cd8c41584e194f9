"""Regular expressions from outside that cannot make the process hang.

Python's matcher backtracks and holds the interpreter while it does. So a pattern is judged by its parse tree before it is
used: what can take exponential time (a repetition inside a repetition, unless a separator makes it plain) is refused; what
can take polynomial time gets a limit on the length of the lines it is tried on, so that its worst line takes a fraction of
a second. Between lines the caller watches the clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import factorial, log2
from typing import Any, Final

from spark.core.errors import ToolRejected, invalid_arguments

# The parser of `re` itself; as a module of its own name it is deprecated, and there is no other way to the tree.
_parse: Final[Any] = re._parser.parse  # type: ignore[attr-defined]

MAX_PATTERN_CHARS: Final = 300
_MANY: Final = 8
"""A repetition of at most this many is counted as if its items were written out."""
_MAX_CHOICES: Final = 12
"""Items that may be there or not: two to the power of this is bearable."""
_GROUPS: Final = count()
_STEPS: Final = 5_000_000
_SHORTEST_LINE: Final = 60
_LONGEST_LINE: Final = 20_000
# One character stands for each class that a pattern can tell apart beyond these.
_SAMPLE: Final = frozenset([*map(chr, range(128)), "é", "ß", "中", "\u2003", "\u0661"])


@dataclass(frozen=True, slots=True)
class SafePattern:
    """`max_line_chars`: longer lines are searched in their first so many characters."""

    pattern: re.Pattern[str]
    max_line_chars: int

    def search(self, line: str) -> re.Match[str] | None:
        return self.pattern.search(line[: self.max_line_chars])


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the pattern in order: the characters it takes, and how often."""

    chars: frozenset[str]
    least: int
    most: float
    groups: tuple[int, ...] = ()
    """The optional groups and alternatives that it stands in, the outermost first."""

    @property
    def is_open(self) -> bool:
        return self.most > _MANY and self.most > self.least


def compile_safe(text: str, *, field: str = "query") -> SafePattern:
    """Raises `invalid_arguments` for a pattern that is none or may take for ever."""
    if len(text) > MAX_PATTERN_CHARS:
        raise _refused(field, f"at most {MAX_PATTERN_CHARS} characters")
    try:
        pattern = re.compile(text)
        tree = _parse(text, pattern.flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise _refused(field, f"a regular expression ({error})") from error
    pieces = _pieces(tree, pattern.flags, field, inside_loop=False)
    choices = sum(log2(piece.most - piece.least + 1) for piece in pieces if not piece.is_open)
    if choices > _MAX_CHOICES:
        raise _refused(field, f"at most {_MAX_CHOICES} optional parts")
    degree = _longest_chain(pieces) + 1
    bound = int((_STEPS / 2**choices * factorial(degree)) ** (1 / degree))
    if bound < _SHORTEST_LINE:
        raise _refused(field, "fewer repetitions such as .* that can take the same characters")
    return SafePattern(pattern, min(bound, _LONGEST_LINE))


def _refused(field: str, accepted: str) -> ToolRejected:
    return invalid_arguments({field: accepted})


def _too_slow(field: str) -> ToolRejected:
    return _refused(field, "no repetition inside a repetition such as (a+)+ or (a|ab)*: it could take for ever")


def _pieces(tree: Any, flags: int, field: str, *, inside_loop: bool) -> list[_Piece]:
    found: list[_Piece] = []
    for operation, argument in tree:
        found += _piece(str(operation), argument, flags, field, inside_loop)
    return found


def _piece(name: str, argument: Any, flags: int, field: str, inside_loop: bool) -> list[_Piece]:
    if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "RANGE"):
        return [_Piece(_chars(name, argument, flags), 1, 1)]
    if name == "SUBPATTERN":
        return _pieces(argument[3], flags | argument[1], field, inside_loop=inside_loop)
    if name in ("ATOMIC_GROUP", "ASSERT", "ASSERT_NOT"):
        return _pieces(argument if name == "ATOMIC_GROUP" else argument[1], flags, field, inside_loop=inside_loop)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return _repeat(argument, flags, field, inside_loop)
    if name == "BRANCH":
        return _branch(argument[1], flags, field, inside_loop)
    if name in ("GROUPREF", "GROUPREF_EXISTS"):
        if inside_loop:
            raise _too_slow(field)
        return [_Piece(_SAMPLE, 0, float("inf"))]
    return []  # positions: ^ $ \b


def _repeat(argument: tuple[Any, Any, Any], flags: int, field: str, inside_loop: bool) -> list[_Piece]:
    least, most, body = argument
    limit = float("inf") if str(most) == "MAXREPEAT" else float(most)
    body_is_loop = limit > _MANY
    inner = _pieces(body, flags, field, inside_loop=inside_loop or body_is_loop)
    if len(inner) == 1 and inner[0].least == inner[0].most == 1:
        return [_Piece(inner[0].chars, int(least), limit)]
    if not body_is_loop:
        if len(inner) * max(limit, 1) > MAX_PATTERN_CHARS:
            raise _too_slow(field)
        return inner * int(least) + [piece for _ in range(int(limit - least)) for piece in _perhaps(inner)]
    if not _is_plain_loop(inner):
        raise _too_slow(field)
    everything = frozenset().union(*(piece.chars for piece in inner)) if inner else frozenset()
    return [_Piece(everything, int(least), limit)]


def _is_plain_loop(inner: Sequence[_Piece]) -> bool:
    """Whether each round of a loop can be read in one way: it has no variable part, or one mandatory character that no
    variable part of it can take."""
    variable = [piece for piece in inner if piece.least != piece.most]
    if not variable:
        return bool(inner)
    taken = frozenset().union(*(piece.chars for piece in variable))
    return len(variable) == 1 and any(
        piece.least == piece.most and piece.least > 0 and not piece.chars & taken for piece in inner
    )


def _branch(options: Sequence[Any], flags: int, field: str, inside_loop: bool) -> list[_Piece]:
    parts = [_pieces(option, flags, field, inside_loop=inside_loop) for option in options]
    if inside_loop:
        starts = [part[0].chars if part and part[0].least else None for part in parts]
        sound = [start for start in starts if start is not None]
        apart = all(not one & other for number, one in enumerate(sound) for other in sound[:number])
        fixed = all(piece.least == piece.most for part in parts for piece in part)
        if len(sound) < len(parts) or not apart or not fixed:
            raise _too_slow(field)
        everything = frozenset().union(*(piece.chars for part in parts for piece in part))
        return [_Piece(everything, 1, 1)]
    choice = _Piece(frozenset(), 0, len(parts) - 1)
    musts = [next((piece.chars for piece in part if piece.least and not piece.groups), None) for part in parts]
    # One of the options is there in any case, so one character of this union is.
    held = [must for must in musts if must is not None]
    sure = [_Piece(frozenset().union(*held), 1, 1)] if len(held) == len(parts) else []
    return [choice, *sure, *(piece for part in parts for piece in _perhaps(part)[1:])]


def _perhaps(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Pieces that may all be left out together, and the choice whether they are."""
    group = next(_GROUPS)
    inside = [_Piece(piece.chars, piece.least, piece.most, (group, *piece.groups)) for piece in pieces]
    return [_Piece(frozenset(), 0, 1), *inside]


def _chars(name: str, argument: Any, flags: int) -> frozenset[str]:
    if name == "ANY":
        return _SAMPLE
    if name == "LITERAL":
        return _with_case({chr(argument)}, flags)
    if name == "NOT_LITERAL":
        return _SAMPLE - {chr(argument)}
    if name == "RANGE":
        return _with_case({char for char in _SAMPLE if argument[0] <= ord(char) <= argument[1]}, flags)
    negated = any(str(kind) == "NEGATE" for kind, _ in argument)
    held = frozenset().union(*_held(argument, flags))
    return _SAMPLE - held if negated else held


def _held(items: Any, flags: int) -> Iterator[frozenset[str]]:
    for kind, value in items:
        name = str(kind)
        if name in ("LITERAL", "RANGE"):
            yield _chars(name, value, flags)
        elif name == "CATEGORY":
            yield frozenset(char for char in _SAMPLE if _in_category(str(value), char))
    yield frozenset()


def _in_category(name: str, char: str) -> bool:
    holds = {
        "DIGIT": char.isdigit(),
        "SPACE": char.isspace(),
        "WORD": char.isalnum() or char == "_",
    }
    kind = name.removeprefix("CATEGORY_").removeprefix("NOT_")
    return holds.get(kind, True) != ("NOT_" in name) if kind in holds else True


def _with_case(chars: set[str], flags: int) -> frozenset[str]:
    if not flags & re.IGNORECASE:
        return frozenset(chars)
    return frozenset(chars | {char.lower() for char in chars} | {char.upper() for char in chars})


def _longest_chain(pieces: Sequence[_Piece]) -> int:
    """How many open repetitions can hand the same characters on to each other: the power of the worst time."""
    best: list[int] = []
    opens = [number for number, piece in enumerate(pieces) if piece.is_open]
    for position, number in enumerate(opens):
        before = [best[earlier] for earlier in range(position) if _compete(pieces, opens[earlier], number)]
        best.append(1 + max(before, default=0))
    return max(best, default=0)


def _compete(pieces: Sequence[_Piece], first: int, second: int) -> bool:
    if not pieces[first].chars & pieces[second].chars:
        return False
    # What surely stands between them and cannot be taken by the first keeps them apart.
    sure = (pieces[first].groups, pieces[second].groups)
    return all(
        piece.least == 0
        or piece.chars & pieces[first].chars
        or not any(groups[: len(piece.groups)] == piece.groups for groups in sure)
        for piece in pieces[first + 1 : second]
    )
