"""What a function call is: one pydantic model of arguments, one function, and the schemas that every wire needs.

The registry (`spark.tools.TOOLS`) is the single source for the Realtime, chat-completions and MCP descriptions.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from spark.core.changes import ChangeSet
from spark.core.conversation import ToolSchema
from spark.core.diagnostics import Finding
from spark.core.engine import Engine
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.ports import (
    CodeModel,
    EditorLink,
    Landed,
    ProjectFiles,
    ProjectIndex,
    Reads,
    VersionStore,
)

Permission = Literal["spark:read", "spark:generate", "spark:build", "spark:admin"]


class Arguments(BaseModel):
    """Base of all argument models: camelCase on the wire, nothing that is not in the schema."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=False, frozen=True, strict=False
    )


@dataclass(frozen=True)
class ToolContext:
    """What a tool may use. Tools read through these and return what they want changed; they never write."""

    files: ProjectFiles
    index: ProjectIndex
    store: VersionStore
    engine: Engine
    editor: EditorLink
    reads: Reads
    code_model: CodeModel
    turn_id: str
    call_id: str
    own_turn: bool
    """True for a plain call that is a turn of its own: edits then need no earlier read."""


@dataclass(frozen=True)
class ToolAnswer:
    """What a tool answers. `complete` turns the result into the final one after its change set landed (hashes of merged
    files, version ids); `diff` is a unified diff of `changes` for `dryRun` and approvals. `forced`: beginnings of finding
    codes that the caller said it accepts: a change set that adds other errors is refused."""

    result: Mapping[str, Any]
    changes: ChangeSet = field(default_factory=lambda: ChangeSet(()))
    diff: str = ""
    findings: tuple[Finding, ...] = ()
    complete: Callable[[Mapping[str, Any], Landed], Mapping[str, Any]] | None = None
    forced: tuple[str, ...] = ()


A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True)
class Tool(Generic[A]):
    """One function call. `writes`: its answers may carry changes; such tools are not listed in `readOnly`.

    `index`: what it needs of the project's index: nothing, what was on disk when it was called (`recent`), or that the
    first scan is through as well (`complete`, because it asks who refers to a file).
    """

    name: str
    description: str
    arguments: type[A]
    run: Callable[[A, ToolContext], Awaitable[ToolAnswer]]
    permission: Permission = "spark:read"
    writes: bool = False
    timeout_s: float = 30.0
    index: Literal["", "recent", "complete"] = ""

    def parse(self, arguments: Mapping[str, Any] | str | bytes) -> A:
        """Validates arguments (JSON text or a mapping). Raises `invalid_arguments` naming every field."""
        if isinstance(arguments, str | bytes):
            try:
                loaded = json.loads(arguments or "{}")
            except ValueError as error:
                raise invalid_arguments({"arguments": f"one JSON object ({error})"}) from error
        else:
            loaded = arguments
        if not isinstance(loaded, Mapping):
            raise invalid_arguments({"arguments": "one JSON object"})
        # Models in strict mode send null for every optional field; null means "not given" for all of ours.
        given = {name: value for name, value in loaded.items() if value is not None}
        try:
            return self.arguments.model_validate(given)
        except ValidationError as error:
            raise invalid_arguments(self._problems(error)) from error

    def _problems(self, error: ValidationError) -> dict[str, str]:
        top = self.parameters()
        problems: dict[str, str] = {}
        for item in error.errors(include_url=False, include_context=False, include_input=False):
            loc = item["loc"]
            name = ".".join(str(part) for part in loc) or "arguments"
            if item["type"] == "extra_forbidden":
                holder = ".".join(str(part) for part in loc[:-1]) or self.name
                problems[name] = (
                    f"no such field; {holder} takes {', '.join(_below(top, loc[:-1]).get('properties', {}))}"
                )
                continue
            message = _MESSAGES.get(item["type"], item["msg"])
            accepted = _accepted(_below(top, loc)) if loc else ""
            problems[name] = message + (f" (accepted: {accepted})" if accepted else "")
        return problems

    def parameters(self) -> dict[str, Any]:
        """The JSON schema of the arguments: flat, no titles, `additionalProperties: false`."""
        return _flat(self.arguments.model_json_schema(by_alias=True))

    def schema(self) -> ToolSchema:
        return ToolSchema(self.name, self.description, self.parameters())


_MESSAGES: Final = {"model_type": "Input should be an object", "model_attributes_type": "Input should be an object"}


def _below(schema: Mapping[str, Any], loc: Iterable[str | int]) -> Mapping[str, Any]:
    """The part of a schema that a place in the arguments leads to; empty where it names none."""
    for part in loc:
        schema = schema.get("items", {}) if isinstance(part, int) else schema.get("properties", {}).get(part, {})
    return schema


def _accepted(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("properties"):
        return f"object of {', '.join(schema['properties'])}"
    bits = [str(schema["type"])] if "type" in schema else []
    if "pattern" in schema:
        bits.append(f"matching {schema['pattern']}")
    if "minLength" in schema or "maxLength" in schema:
        bits.append(f"{schema.get('minLength', 0)}..{schema.get('maxLength', '')} characters")
    if "minimum" in schema or "maximum" in schema:
        bits.append(f"{schema.get('minimum', '')}..{schema.get('maximum', '')}")
    return ", ".join(bits)


def _flat(schema: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, value in schema.get("properties", {}).items():
        properties[name] = _flat_property(value, schema.get("$defs", {}))
    result: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if schema.get("required"):
        result["required"] = list(schema["required"])
    return result


def _flat_property(value: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    # Bounds that only keep nonsense out are enforced all the same; a model need not pay for reading them each turn.
    bounds = () if value.get("minLength", 1) > 1 else ("minLength", "maxLength")
    left_out = ("title", "default", "anyOf", "minItems", "maxItems", *bounds)
    flat = {key: item for key, item in value.items() if key not in left_out}
    if flat.get("additionalProperties") is True:
        del flat["additionalProperties"]
    if "$ref" in flat:
        flat = {**_flat_property(definitions[flat.pop("$ref").rsplit("/", 1)[-1]], definitions), **flat}
    for option in value.get("anyOf", ()):
        if option.get("type") != "null":
            flat = {**_flat_property(option, definitions), **flat}
    if isinstance(flat.get("items"), Mapping):
        flat["items"] = _flat_property(flat["items"], definitions)
    if flat.get("type") == "object" and "properties" in flat:
        flat = {
            **_flat(flat | {"$defs": definitions}),
            **({"description": flat["description"]} if "description" in flat else {}),
        }
    return flat


class Registry:
    """The functions by name; refuses unknown ones with what there is."""

    def __init__(self, tools: tuple[Tool[Any], ...]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def get(self, name: str) -> Tool[Any]:
        tool = self._tools.get(name)
        if tool is None:
            raise ToolRejected(
                "unknown_tool",
                f"there is no function {name[:80]!r}",
                hint="Use one of: " + ", ".join(self._tools),
                details={"tools": list(self._tools)},
            )
        return tool

    def listed(self, *, read_only: bool = False, permissions: frozenset[str] | None = None) -> tuple[Tool[Any], ...]:
        """The functions that a caller may use; `readOnly` turns list no writing ones."""
        return tuple(
            tool
            for tool in self._tools.values()
            if not (read_only and tool.writes) and (permissions is None or tool.permission in permissions)
        )


def realtime_schema(schema: ToolSchema) -> dict[str, Any]:
    """A function of a Realtime `session.update` (it has no `strict`)."""
    return {
        "type": "function",
        "name": schema.name,
        "description": schema.description,
        "parameters": dict(schema.parameters),
    }


def chat_schema(schema: ToolSchema) -> dict[str, Any]:
    """A tool of a chat-completions request."""
    return {
        "type": "function",
        "function": {
            "name": schema.name,
            "description": schema.description,
            "parameters": dict(schema.parameters),
        },
    }


def mcp_schema(schema: ToolSchema) -> dict[str, Any]:
    """A tool as MCP and `GET /v1/tools` list it."""
    return {"name": schema.name, "description": schema.description, "inputSchema": dict(schema.parameters)}
