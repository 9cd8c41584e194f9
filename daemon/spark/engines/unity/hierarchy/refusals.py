"""Refusals told in the words of the call: which of its fields was meant, and nothing of files and ids that are not there yet."""

from __future__ import annotations

import re

from spark.core.errors import ToolRejected

_OWN_ID = re.compile(r" &-?\d+")


def numbered(error: ToolRejected, where: str) -> ToolRejected:
    """The same refusal of a part of a call: `ops.2`, `objects.0.components.1`."""
    fields = error.details.get("fields")
    details = dict(error.details)
    if isinstance(fields, dict):
        details["fields"] = {f"{where}.{name}": text for name, text in fields.items()}
    return ToolRejected(error.code, f"{where}: {error.message}", hint=error.hint, details=details)


def of_new(error: ToolRejected, where: str, name: str, kind: str, file: str) -> ToolRejected:
    """The refusal of a property of a component that is being made. `where`: the mapping of the call that holds it
    (`objects.0.components.1.properties`); `kind`: the component's type; `file`: the asset that the refusal may name."""
    field = f"{where}.{name}"
    if error.code == "not_found" and "near" in error.details:
        near = error.details["near"]
        accepted = " or ".join(near) if near else "a property that the component has"
        message = f"{field}: {kind} has no {error.details['property']}"
        return ToolRejected(
            "invalid_arguments", message, hint=error.hint, details={"fields": {field: accepted}, "near": near}
        )
    details = {key: value for key, value in error.details.items() if key not in ("path", "fileId", "field")}
    fields = error.details.get("fields")
    if isinstance(fields, dict):
        details["fields"] = {
            (f"{where}.{key}" if key.startswith(name) else field): text for key, text in fields.items()
        }
    else:
        details["field"] = field
    plain = _OWN_ID.sub("", error.message.replace(f"{file}: ", "")) if file in error.message else error.message
    return ToolRejected(error.code, f"{field}: {plain.removeprefix(f'{name}: ')}", hint=error.hint, details=details)
