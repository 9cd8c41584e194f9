"""Writes one C# script with the configured model, in a request of its own that leaves the user's conversation alone.

Owns the wording of the order and the unwrapping of the answer. Judges no C#: the caller checks it and may order a repair.
"""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from typing import Any, Final

from spark.adapters.models.spent import usage_details
from spark.core.conversation import ResponseEnded, ResponseRequest, TextReceived, TokenUsage, UserMessage
from spark.core.errors import Unavailable
from spark.core.ids import new_id
from spark.core.ports import GeneratedCode, ModelLink, ScriptOrder

CODE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"code": {"type": "string", "description": "The whole C# file."}},
    "required": ["code"],
    "additionalProperties": False,
}
# The same for every order, so that a provider's prompt cache holds.
_INSTRUCTIONS: Final = """\
You write one C# file for a Unity project. Answer with one JSON document {"code": "..."} that holds the whole file and
nothing else: no explanation, no Markdown.
- C# 9 at most, as Unity compiles it: no file-scoped namespaces, no global usings.
- The file compiles as it is: every using that it needs, nothing left out, no placeholders, no ellipses.
- Exactly one public type, named as ordered; other types only where it needs them.
- Nothing of the UnityEditor namespace outside of #if UNITY_EDITOR."""
_FENCED: Final = re.compile(r"```[\w#+-]*[ \t]*\n(?P<body>.*?)\n?```", re.DOTALL)
_BEGINS_LIKE_CODE: Final = re.compile(r"(?:using\s|namespace\s|//|/\*|#|\[|public\s|internal\s|class\s)")
_PROBLEMS_SHOWN: Final = 20


class LinkedCodeModel:
    """A `CodeModel` over a model link. `model` None: the link's own."""

    def __init__(self, link: ModelLink, *, model: str | None = None) -> None:
        self._link = link
        self._model = model

    async def write_script(self, order: ScriptOrder) -> GeneratedCode:
        request = ResponseRequest(
            conversation_id=new_id("conv"),
            instructions=_INSTRUCTIONS,
            items=(UserMessage(new_id("item"), order_text(order)),),
            reasoning="deterministic",
            tool_choice="none",
            model=self._model,
            json_schema=CODE_SCHEMA,
        )
        text, usage = await self._answer(request)
        code = unwrap(text)
        if code is None:
            raise Unavailable(
                "model_unavailable",
                f"{self._name} answered without a C# file",
                hint="Try again, or choose another model with SPARK_CODE_MODEL.",
                details={"usage": usage_details(usage)},
                counts=False,
            )
        model = self._model or self._link.model
        return GeneratedCode(code, usage.input_tokens + usage.output_tokens, self._name, model, usage)

    async def close(self) -> None:
        await self._link.close()

    @property
    def _name(self) -> str:
        return f"{self._link.backend}:{self._model or self._link.model}"

    async def _answer(self, request: ResponseRequest) -> tuple[str, TokenUsage]:
        pieces: list[str] = []
        async with aclosing(self._link.respond(request)) as events:
            async for event in events:
                if isinstance(event, TextReceived):
                    pieces.append(event.text)
                elif isinstance(event, ResponseEnded):
                    if event.status == "completed":
                        return "".join(pieces), event.usage
                    raise Unavailable(
                        "model_unavailable",
                        f"{self._name} did not finish the script ({event.status}): "
                        f"{event.error_message or event.error_code or 'no reason was given'}",
                        details={"usage": usage_details(event.usage)},
                        counts=False,
                    )
        raise Unavailable("model_unavailable", f"{self._name} ended without an answer")


class OfflineCodeModel:
    """A `CodeModel` without a model: the fixed templates, and an honest refusal for everything else."""

    def __init__(self, *, instructions: str = "") -> None:
        self._instructions = instructions

    async def write_script(self, order: ScriptOrder) -> GeneratedCode:
        """A repair is refused too: a template is right as it is, or it is the wrong one."""
        from spark.adapters.models.offline_scripts import skill_for_order, template_titles
        from spark.adapters.models.offline_skills import CONNECT
        from spark.engines.unity.templates import fill

        template = None
        if not order.problems:
            template = skill_for_order(order.prompt, order.class_name, order.base_class, self._instructions)
        if template is None:
            raise Unavailable(
                "model_unavailable",
                f"the offline model cannot write this script; its fixed ones are: {template_titles()}",
                hint=CONNECT,
                details={"skills": template_titles().split(", ")},
                counts=False,
            )
        code = fill(template, order.class_name, namespace=order.namespace, comments=order.include_comments)
        return GeneratedCode(code, 0, f"offline:{template}")

    async def close(self) -> None:
        """Nothing is open."""


def order_text(order: ScriptOrder) -> str:
    """What the model is asked."""
    lines = [
        f"Type name: {order.class_name}",
        f"Namespace: {order.namespace or 'none (global)'}",
        f"Base class: {order.base_class or 'as the task needs'}",
        "Comments: " + ("XML summaries on public members, and why-comments" if order.include_comments else "none"),
    ]
    if order.style:
        lines.append(f"Style of the project: {order.style}")
    lines.append(f"Task: {order.prompt}")
    if order.problems:
        lines.append("Your previous file had problems. Mend exactly these and change nothing else:")
        lines += [f"- {problem}" for problem in list(order.problems)[:_PROBLEMS_SHOWN]]
        lines.append(f"The previous file:\n{order.previous}")
    return "\n".join(lines)


def unwrap(answer: str) -> str | None:
    """The C# of an answer: JSON as asked, JSON in a fence or in prose, a fenced file, or a bare file; None for anything else.

    Line ends become `\\n`, with one at the end.
    """
    text = answer.strip()
    for candidate in (text, *(match["body"] for match in _FENCED.finditer(text))):
        code = _code_of_json(candidate)
        if code is not None:
            return _tidy(code)
    code = _json_in_prose(text)
    if code is not None:
        return _tidy(code)
    fenced = [match["body"] for match in _FENCED.finditer(text)]
    if len(fenced) == 1:
        return _tidy(fenced[0]) if _is_code(fenced[0]) else None
    return _tidy(text) if not fenced and _is_code(text) else None


def _code_of_json(text: str) -> str | None:
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return None
    code = loaded.get("code") if isinstance(loaded, dict) else None
    return _unfenced(code) if isinstance(code, str) and code.strip() else None


def _json_in_prose(text: str) -> str | None:
    decoder = json.JSONDecoder()
    for match in re.finditer(r"\{\s*\"code\"", text):
        try:
            loaded, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        code = loaded.get("code")
        if isinstance(code, str) and code.strip():
            return _unfenced(code)
    return None


def _unfenced(code: str) -> str:
    match = _FENCED.fullmatch(code.strip())
    return match["body"] if match else code


def _is_code(text: str) -> bool:
    text = text.lstrip("\ufeff \t\r\n")
    has_type = re.search(r"\b(?:class|struct|interface|enum)\s+\w", text) is not None
    return has_type and _BEGINS_LIKE_CODE.match(text) is not None


def _tidy(code: str) -> str:
    return code.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").strip("\n") + "\n"
