"""One argument model gives every wire's schema, and refuses what is not in it by name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from spark.core.errors import ToolRejected
from spark.core.tool import Arguments, Registry, Tool, ToolAnswer, ToolContext, chat_schema, mcp_schema, realtime_schema


class Part(BaseModel):
    object_path: str
    scale: float | None = None


class Args(Arguments):
    file_path: Annotated[str, Field(description="Project path.", max_length=10)]
    kind: Literal["a", "b"] = "a"
    limit: Annotated[int | None, Field(ge=1, le=5)] = None
    parts: list[Part] = Field(default_factory=list)


async def run(arguments: Args, context: ToolContext) -> ToolAnswer:
    return ToolAnswer({})


TOOL: Tool[Any] = Tool("sample", "A sample.", Args, run, writes=True)


def test_the_schema_is_flat_camel_case_and_closed() -> None:
    """No titles, defaults, references or null unions; additional properties are refused."""
    assert TOOL.parameters() == {
        "type": "object",
        "properties": {
            "filePath": {"type": "string", "description": "Project path."},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "limit": {"type": "integer", "minimum": 1, "maximum": 5},
            "parts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"object_path": {"type": "string"}, "scale": {"type": "number"}},
                    "additionalProperties": False,
                    "required": ["object_path"],
                },
            },
        },
        "additionalProperties": False,
        "required": ["filePath"],
    }


def test_every_wire_gets_the_same_schema() -> None:
    """Realtime, chat-completions and MCP differ in their envelope only."""
    schema = TOOL.schema()
    assert realtime_schema(schema)["parameters"] == chat_schema(schema)["function"]["parameters"]
    assert mcp_schema(schema)["inputSchema"] == realtime_schema(schema)["parameters"]


def test_null_means_not_given() -> None:
    """Models in strict mode send null for every optional field."""
    parsed = TOOL.parse('{"filePath":"a","kind":null,"limit":null}')
    assert (parsed.kind, parsed.limit) == ("a", None)


@pytest.mark.parametrize(
    ("arguments", "field", "accepted"),
    [
        ('{"filePath":"a","kin":"b"}', "kin", "sample takes filePath"),
        ('{"file_path":"a"}', "filePath", "string"),
        ("{}", "filePath", "accepted: string"),
        ('{"filePath":"a","kind":"c"}', "kind", "a | b"),
        ('{"filePath":"a","limit":9}', "limit", "1..5"),
        ('{"filePath":"a"', "arguments", "JSON object"),
        ("[]", "arguments", "JSON object"),
        ('{"filePath":"a","parts":[{"object_path":3}]}', "parts.0.object_path", "valid string (accepted: string)"),
        ('{"filePath":"a","parts":["x"]}', "parts.0", "an object (accepted: object of object_path, scale)"),
        ('{"filePath":"a","parts":[{}]}', "parts.0.object_path", "Field required (accepted: string)"),
    ],
)
def test_each_wrong_field_is_named_with_what_would_be_accepted(arguments: str, field: str, accepted: str) -> None:
    """invalid_arguments: details.fields maps the field to what it takes."""
    with pytest.raises(ToolRejected) as refused:
        TOOL.parse(arguments)
    assert refused.value.code == "invalid_arguments"
    assert accepted in refused.value.details["fields"][field]


def test_an_unknown_function_is_refused_with_what_there_is() -> None:
    """unknown_tool names the functions; readOnly lists no writing ones."""
    registry = Registry((TOOL,))
    with pytest.raises(ToolRejected) as refused:
        registry.get("smaple")
    assert refused.value.code == "unknown_tool"
    assert refused.value.details["tools"] == ["sample"]
    assert registry.listed() == (TOOL,)
    assert registry.listed(read_only=True) == ()
    assert registry.listed(permissions=frozenset()) == ()
