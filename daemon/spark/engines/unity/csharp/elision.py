"""Comments that stand for code which was left out (`// ... rest of the code`): writing them would delete the code itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from spark.engines.unity.csharp.problem import Problem

_MAX_COMMENT_CHARS = 200
_WHAT = (
    r"(?:code|class|classes|method|methods|function|functions|field|fields|member|members|propert(?:y|ies)|"
    r"variable|variables|logic|implementation|implementations|body|content|contents|file|script|stuff|imports|usings)"
)
_WHOSE = r"(?:(?:the|your|this|our|all|any|of|in)\s+)*"
_END = (
    r"(?:\s+(?:here|below|above|follows|continues|(?:goes|go)\s+here|(?:is|are)?\s*(?:omitted|unchanged|elided|truncated)|"
    r"(?:remains?|stays?)(?:\s+(?:the\s+same|unchanged|as\s+is|as\s+before))?|as\s+before|as\s+is|"
    r"the\s+same(?:\s+as\s+before)?|for\s+brevity|(?:of|in)\s+the\s+(?:class|file|script|method)))*"
)
_PHRASES = (
    rf"{_WHOSE}rest\s+{_WHOSE}(?:existing\s+|original\s+)?{_WHAT}{_END}",
    r"(?:and\s+)?the\s+rest\s+(?:remains?|stays?|is)\s+(?:the\s+same|unchanged|as\s+before|omitted)",
    rf"{_WHOSE}(?:existing|remaining|previous|original|unchanged|other\s+existing)\s+{_WHAT}(?:\s+and\s+{_WHAT})?{_END}",
    rf"{_WHOSE}other\s+{_WHAT}(?:\s+(?:here|(?:go|goes)\s+here|unchanged|omitted|remain(?:\s+unchanged)?))",
    rf"{_WHAT}\s+(?:is\s+|are\s+)?(?:omitted|elided|unchanged|truncated){_END}",
    rf"(?:keep|leave)\s+{_WHOSE}(?:rest|existing|remaining)(?:\s+{_WHOSE}{_WHAT})?{_END}",
    rf"(?:same|unchanged)(?:\s+as\s+(?:before|above|original))?(?:\s+{_WHAT})?",
)
_WHOLE = re.compile(rf"[\s.…\[(<*-]*(?:{'|'.join(_PHRASES)})[\s.…:;\])>*-]*", re.IGNORECASE)
_DOTS_AND_WORD = re.compile(r"(?:^[\s\[(<*-]*(?:\.\.\.|…)|(?:\.\.\.|…)[\s\])>*-]*$)", re.IGNORECASE)
_WORD = re.compile(
    r"\b(?:rest|remaining|existing|unchanged|omitted|elided|truncated|same as (?:before|above|original)|as before|previous code|your code|more code|other (?:code|methods|fields|members))\b",
    re.IGNORECASE,
)
_DOTS_ALONE = re.compile(r"[\s\[(]*(?:\.\.\.|…)[\s\])]*")


def elisions(text: str, comments: Iterable[tuple[int, int]]) -> list[Problem]:
    """One problem for each comment that stands for code. Dots alone are a warning: people write them too."""
    found: list[Problem] = []
    for start, end in comments:
        if end - start > _MAX_COMMENT_CHARS or text.startswith("///", start):
            continue
        words = text[start + 2 : end].removesuffix("*/").strip("/* \t\r\n")
        fix = "Give the whole code; to change a part of a file, patch that part only."
        shown = words if len(words) <= 60 else words[:59] + "…"
        if _WHOLE.fullmatch(words) or (_DOTS_AND_WORD.search(words) and _WORD.search(words)):
            found.append(Problem("csharp/elision", f"a comment stands for code that was left out: {shown}", start, fix))
        elif words and _DOTS_ALONE.fullmatch(words):
            message = "a comment of dots alone may stand for code that was left out"
            found.append(Problem("csharp/elision", message, start, fix, "warning"))
    return found
