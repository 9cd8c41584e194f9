"""Property paths: `m_LocalPosition.x`, `m_Materials[1]`, `m_SavedProperties.m_Colors[_BaseColor]`.

Unity's own spelling of list items, `m_Materials.Array.data[1]`, is understood as well. A key that holds a dot or a bracket
is written in quotes: `"m_Foo.bar".x`.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from spark.core.errors import invalid_arguments

Step: TypeAlias = "str | int | Named"


class Named(str):
    """`[name]`: the item of a list of one-key mappings that has this key (materials keep their properties so)."""

    __slots__ = ()


_STEP: Final = re.compile(r'\.?"((?:[^"\\]|\\.)*)"|\[(-?\d{1,9})\]|\[([^\[\]]+)\]|(?:(?<=\A)|\.)([^.\[\]"]+)')
_ARRAY: Final = re.compile(r"\.Array\.data(?=\[\d)")
MAX_CHARS: Final = 2000


def parse_path(text: str, *, field: str = "property") -> tuple[Step, ...]:
    """The steps of a path. Raises `invalid_arguments`."""
    wanted = {field: "a property path such as m_LocalPosition.x, m_Materials[1] or m_Colors[_BaseColor]"}
    if not text or len(text) > MAX_CHARS or text.startswith("."):
        raise invalid_arguments(wanted)
    plain = _ARRAY.sub("", text)
    steps: list[Step] = []
    at = 0
    while at < len(plain):
        match = _STEP.match(plain, at)
        if match is None or match.end() == at:
            raise invalid_arguments(wanted)
        quoted, index, name, key = match.groups()
        if index is not None:
            if index.startswith("-"):
                raise invalid_arguments(wanted)
            steps.append(int(index))
        elif name is not None:
            steps.append(Named(name))
        else:
            steps.append(key if key is not None else re.sub(r"\\(.)", r"\1", quoted))
        at = match.end()
    return tuple(steps)


def shown(steps: tuple[Step, ...]) -> str:
    """A path as a person writes it."""
    text = ""
    for step in steps:
        if isinstance(step, int | Named):
            text += f"[{step}]"
        else:
            part = step
            if not step or re.search(r'[.\[\]"]', step):
                escaped = step.replace("\\", "\\\\").replace('"', '\\"')
                part = f'"{escaped}"'
            text += f".{part}" if text else part
    return text
