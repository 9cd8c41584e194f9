"""What the output of a function call says, whatever the function: success, reason, paths, changes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def error_of(output: Any) -> str:
    """An empty string for a success, else what went wrong, in the function's own words."""
    if isinstance(output, Mapping) and output.get("success") is True:
        return ""
    error = output.get("error") if isinstance(output, Mapping) else None
    if isinstance(error, Mapping):
        words = [f"{error.get('message') or 'no reason was given'} ({error.get('code') or 'no code'})"]
        if error.get("hint"):
            words.append(str(error["hint"]))
        return ". ".join(word.rstrip(".") for word in words) + "."
    return f"the function answered {str(error or output)[:300]!r}."


def result_of(output: Any) -> Mapping[str, Any]:
    result = output.get("result") if isinstance(output, Mapping) else None
    return result if isinstance(result, Mapping) else {}


def changed_by(output: Any) -> str:
    changes = output.get("changes") if isinstance(output, Mapping) else None
    listed = [
        f"{change.get('path')} ({change.get('action')})" for change in changes or () if isinstance(change, Mapping)
    ]
    return ", ".join(path for path in listed if not path.split(" (")[0].endswith(".meta")) or ", ".join(listed)


def paths_in(value: Any) -> Iterator[str]:
    """Every `path` in a result, whatever its shape."""
    if isinstance(value, Mapping):
        if isinstance(value.get("path"), str):
            yield value["path"]
        for inner in value.values():
            yield from paths_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from paths_in(inner)


def hits_in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("path"), str):
            line = value.get("line")
            text = value.get("text") or value.get("content") or ""
            yield value["path"] + (f":{line}" if line else "") + (f"  {str(text).strip()[:120]}" if text else "")
            return
        for inner in value.values():
            yield from hits_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from hits_in(inner)
