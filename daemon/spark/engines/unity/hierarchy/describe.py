"""Values as lines and words for reading: references as paths, long lists cut with their counts, lines of bounded length."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from spark.engines.unity.yaml.paths import shown
from spark.engines.unity.yaml.values import Pairs, Ref, Value, ref_of

MAX_LINE: Final = 600
_MAX_TEXT: Final = 160
_HEX: Final = re.compile(r"[0-9a-f]{129,}")
SILENT: Final = frozenset(
    {
        "m_ObjectHideFlags", "m_CorrespondingSourceObject", "m_PrefabInstance", "m_PrefabAsset", "m_PrefabParentObject",
        "m_PrefabInternal", "m_GameObject", "m_EditorHideFlags", "m_EditorClassIdentifier", "m_Script", "serializedVersion",
        "m_Father", "m_Children", "m_Component", "m_RootOrder", "m_LocalEulerAnglesHint", "m_Icon", "m_NavMeshLayer",
    }
)  # fmt: skip
"""Fields that the outline shows in another way, or that nobody sets."""

Describe = Callable[[Ref], str]


def cut(line: str) -> str:
    return line if len(line) <= MAX_LINE else line[: MAX_LINE - 1] + "…"


def short(value: Value, describe: Describe, *, items: int = 8) -> str:
    """A value in a few words: `(1, 2, 3)`, `Assets/x.mat`, `[a, b, and 10 more]`."""
    ref = ref_of(value)
    if ref is not None:
        return describe(ref)
    if isinstance(value, Pairs):
        keys = "".join(value.keys())
        parts = [short(part, describe, items=items) for _, part in value.items()]
        if keys in ("xy", "xyz", "xyzw", "rgba"):
            return f"({', '.join(parts)})"
        inner = [f"{key}: {part}" for key, part in zip(value.keys(), parts, strict=True) if key != "serializedVersion"]
        return "{" + ", ".join(inner[:items]) + (f", and {len(inner) - items} more" if len(inner) > items else "") + "}"
    if isinstance(value, list):
        shown_items = [short(item, describe, items=items) for item in value[:items]]
        more = [f"and {len(value) - items} more"] if len(value) > items else []
        return "[" + ", ".join(shown_items + more) + "]"
    return text_of(value)


def text_of(value: Value) -> str:
    if value is None or value == "":
        return '""'
    text = str(value)
    if _HEX.fullmatch(text):
        return f"(data of {len(text) // 2} bytes)"
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]}… ({len(text)} characters)"
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


def lines_of(value: Value, describe: Describe, path: tuple[str | int, ...], *, items: int) -> Iterator[str]:
    """One line for each number, text, vector and reference: `m_Shadows.m_Type = 2`."""
    ref = ref_of(value)
    if (
        isinstance(value, Pairs)
        and ref is None
        and "".join(value.keys()) not in ("xy", "xyz", "xyzw", "rgba")
        and len(value)
    ):
        for key, part in value.items():
            if key != "serializedVersion":
                yield from lines_of(part, describe, (*path, key), items=items)
    elif isinstance(value, list) and value:
        for at, item in enumerate(value[:items]):
            yield from lines_of(item, describe, (*path, at), items=items)
        if len(value) > items:
            yield f"{shown(path)}: and {len(value) - items} more of {len(value)}"
    elif isinstance(value, list):
        yield f"{shown(path)} = []"
    else:
        yield cut(f"{shown(path)} = {short(value, describe)}")
