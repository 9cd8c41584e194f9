"""`generateUnityScript`: a new C# script, given by the caller or written by the configured model, with its `.meta`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from spark.core.changes import ChangeSet
from spark.core.diagnostics import Finding
from spark.core.engine import ScriptPlace
from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.limits import FILE_BYTES
from spark.core.paths import ProjectPath
from spark.core.ports import GeneratedCode, ScriptOrder
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from spark.protocol.wire import finding_to_wire
from spark.text.csharp import declares_type
from spark.text.diff import unified_diff
from spark.text.preserve import to_newline
from spark.tools.places import NewAssets, refuse_existing, writable

_REPAIRS: Final = 2
_TYPE_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_.<>, ]*$"


class GenerateUnityScript(Arguments):
    prompt: Annotated[
        str | None, Field(min_length=10, max_length=10_000, description="What it shall do. Optional with source.")
    ] = None
    class_name: Annotated[str, Field(pattern=r"^[A-Z][a-zA-Z0-9_]*$", max_length=120)]
    namespace: Annotated[str | None, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.]*$", max_length=200)] = None
    base_class: Annotated[str | None, Field(pattern=_TYPE_NAME, max_length=200)] = None
    include_comments: bool | None = None
    folder: Annotated[str | None, Field(description="Default: where scripts like it lie.")] = None
    source: Annotated[str | None, Field(description="The whole C# file, if you wrote it.")] = None


@dataclass(frozen=True, slots=True)
class _Script:
    code: str
    content: bytes
    findings: tuple[Finding, ...]
    tokens_used: int
    generator: str


async def _run(arguments: GenerateUnityScript, context: ToolContext) -> ToolAnswer:
    if arguments.prompt is None and not arguments.source:
        raise invalid_arguments({"prompt": "10..10000 characters saying what the script shall do, or source"})
    if arguments.source is not None and len(arguments.source) > FILE_BYTES:
        raise ToolRejected(
            "too_large", f"source: more than {FILE_BYTES} characters", hint="Split it into several files."
        )
    place = await asyncio.to_thread(_place, arguments, context)
    if arguments.source:
        script = await asyncio.to_thread(_given, arguments.source, arguments.class_name, place, context)
    else:
        script = await _generated(arguments, place, context)
    new = NewAssets(context)
    changes = new.asset(place.path, script.content)
    result = {
        "script": script.code,
        "scriptName": arguments.class_name,
        "path": place.path.text,
        "guid": new.guids.get(place.path, ""),
        "tokensUsed": script.tokens_used,
        "generator": script.generator,
        "diagnostics": [finding_to_wire(finding) for finding in script.findings],
        "placed": {
            "folder": str(place.path.parent),
            "namespace": place.namespace,
            "lineEnds": "crlf" if place.newline == "\r\n" else "lf",
            "bom": place.bom,
            "why": place.why,
        },
    }
    diff = unified_diff(None, script.content, place.path.text)
    return ToolAnswer(result, ChangeSet(tuple(changes)), diff, script.findings)


def _place(arguments: GenerateUnityScript, context: ToolContext) -> ScriptPlace:
    folder = None
    if arguments.folder is not None:
        asked = arguments.folder.rstrip("/") or arguments.folder
        # A file in it must be writable; `Assets` itself is a good folder though it is no file.
        folder = writable(context, f"{asked}/{arguments.class_name}.cs", "folder").parent
    place = context.engine.place_script(
        arguments.class_name,
        namespace=arguments.namespace,
        folder=None if folder is None else folder.text,
        base_class=arguments.base_class,
    )
    path = writable(context, place.path.text, "folder")
    refuse_existing(
        context, path, "className", hint="Change the existing script with applyCodePatch, or take another className."
    )
    return place


def _given(source: str, class_name: str, place: ScriptPlace, context: ToolContext) -> _Script:
    content = _written(source, place)
    problems, findings = _check(source, content, class_name, place.path, context)
    if problems:
        raise _invalid(place.path, problems, findings, "Correct the source and call again.")
    return _Script(source, content, findings, 0, "caller")


async def _generated(arguments: GenerateUnityScript, place: ScriptPlace, context: ToolContext) -> _Script:
    tokens = 0
    previous = ""
    problems: list[str] = []
    findings: tuple[Finding, ...] = ()
    for _ in range(1 + _REPAIRS):
        order = ScriptOrder(
            prompt=arguments.prompt or "",
            class_name=arguments.class_name,
            namespace=place.namespace,
            base_class=arguments.base_class,
            include_comments=arguments.include_comments is not False,
            style=_style(place),
            previous=previous,
            problems=problems,
        )
        answer: GeneratedCode = await context.code_model.write_script(order)
        tokens += answer.tokens_used
        code = answer.code.strip("\ufeff\r\n") + "\n"
        content = _written(code, place)
        problems, findings = await asyncio.to_thread(_check, code, content, arguments.class_name, place.path, context)
        if not problems:
            return _Script(code, content, findings, tokens, answer.generator)
        previous = code
    raise _invalid(place.path, problems, findings, "Say more exactly what it shall do, or give the source.", tokens)


def _check(
    code: str, content: bytes, class_name: str, path: ProjectPath, context: ToolContext
) -> tuple[list[str], tuple[Finding, ...]]:
    """What is wrong in words, and all findings."""
    findings = tuple(context.engine.check(path, content))
    problems = [
        f"line {found.line}: {found.message}" + (f" ({found.fix})" if found.fix else "")
        for found in findings
        if found.severity == "error"
    ]
    if not declares_type(code, class_name):
        problems.insert(0, f"it declares no type named {class_name}")
    return problems, findings


def _invalid(
    path: ProjectPath, problems: Sequence[str], findings: Sequence[Finding], hint: str, tokens: int = 0
) -> ToolRejected:
    return ToolRejected(
        "invalid_script",
        f"{path.name} was not written: {'; '.join(problems[:5])}",
        hint=hint,
        details={
            "path": path.text,
            "problems": list(problems[:20]),
            "findings": [finding_to_wire(finding) for finding in findings[:20]],
            "tokensUsed": tokens,
        },
    )


def _style(place: ScriptPlace) -> str:
    indent = "one tab" if place.indent == "\t" else f"{len(place.indent)} spaces"
    return f"indentation: {indent}"


def _written(code: str, place: ScriptPlace) -> bytes:
    """The code as this project writes scripts: BOM, line ends, a final newline."""
    text = to_newline(code.removeprefix("\ufeff"), place.newline)
    if not text.endswith("\n"):
        text += place.newline
    try:
        return (b"\xef\xbb\xbf" if place.bom else b"") + text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise invalid_arguments(
            {"source": f"whole Unicode characters (character {error.start} is half of one)"}
        ) from error


GENERATE_UNITY_SCRIPT: Final = Tool(
    name="generateUnityScript",
    description="Make a new C# script with its .meta. Never overwrites; change existing scripts with applyCodePatch.",
    arguments=GenerateUnityScript,
    run=_run,
    permission="spark:generate",
    writes=True,
    timeout_s=300.0,
)
