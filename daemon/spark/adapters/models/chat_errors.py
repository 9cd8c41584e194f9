"""What an error of a chat-completions server means: a refused feature, or why the model is unavailable.

Never repeats a server's words about a key: they may hold a part of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from spark.adapters.models.received import clean
from spark.core.errors import Unavailable

if TYPE_CHECKING:
    from openai import APIError, APIStatusError

_MESSAGE_CHARS: Final = 300
_BILLING: Final = (
    "insufficient_quota",
    "billing_hard_limit_reached",
    "credit_balance_exhausted",
    "account_deactivated",
)

# Words by which servers name a feature that they do not know, as seen with Ollama ("does not support tools"), llama.cpp
# ("tools param requires --jinja flag"), vLLM ("--enable-auto-tool-choice") and OpenAI ("Unsupported value: 'temperature'").
_FEATURE_WORDS: Final = {
    "stream_options": ("stream_options", "include_usage"),
    "response_format": ("response_format", "json_schema", "grammar", "structured output"),
    "temperature": ("temperature",),
    "tools": ("tools", "tool_choice", "tool-choice", "tool choice", "tool use", "function calling"),
}


def refused_feature(error: APIError, sent: Collection[str]) -> str | None:
    """The feature of the request that a server refused and that it can do without; None for any other error."""
    status = getattr(error, "status_code", None)
    if status not in (400, 404, 422, 500, 501):
        return None
    message = _text_of(error).lower()
    if ("context" in message and "length" in message) or (status == 404 and "tool use" not in message):
        return None  # a model's name may hold any word
    # The parameter's own name first: the sentence may name others.
    parameter = str(getattr(error, "param", None) or "").lower()
    for text in (parameter, message):
        for feature, words in _FEATURE_WORDS.items():
            if feature in sent and any(word in text for word in words):
                return feature
    return None


def unavailable(error: APIError, *, host: str, model: str, url: str) -> Unavailable:
    """The error as the caller is told it. `counts` is false for what says nothing about the server's health."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return Unavailable("timeout", f"{host} did not answer in time")
    if isinstance(error, openai.APIConnectionError):
        return Unavailable(
            "model_unavailable",
            f"nothing answers at {host}",
            hint=f"Start the model server, or change SPARK_MODEL_URL (now {url}).",
        )
    if not isinstance(error, openai.APIStatusError):
        return Unavailable("model_unavailable", f"{host} broke the answer off: {_shown(error)}")
    return _by_status(error, host, model)


def _by_status(error: APIStatusError, host: str, model: str) -> Unavailable:
    status = error.status_code
    details = {"status": status}
    if status in (401, 403):
        return Unavailable(
            "model_unavailable",
            f"{host} refused the key ({status})",
            hint="Store the right one with `spark key set chat` (for OpenAI itself: `spark key set openai`).",
            details=details,
            counts=False,
        )
    if status == 404:
        return Unavailable(
            "model_unavailable",
            f"{host} knows no model {model!r}, or the address is wrong (404)",
            hint="`spark doctor` lists the models of local servers; with Ollama: ollama pull NAME.",
            details=details,
            counts=False,
        )
    if status == 429:
        return _too_many(error, host, details)
    if status >= 500 or status == 408:
        return Unavailable(
            "model_unavailable",
            f"{host} failed ({status}): {_shown(error)}",
            details=details,
            retry_after_s=_retry_after_s(error),
        )
    return Unavailable(
        "model_unavailable", f"{host} refused the request ({status}): {_shown(error)}", details=details, counts=False
    )


def _too_many(error: APIStatusError, host: str, details: dict[str, int]) -> Unavailable:
    code = str(getattr(error, "code", None) or getattr(error, "type", None) or "")
    if code in _BILLING:
        return Unavailable(
            "quota_exceeded",
            f"the account at {host} has no quota left ({code})",
            hint="Check the plan and billing of the account, or choose another model.",
            details=details,
            counts=False,
        )
    return Unavailable(
        "rate_limited",
        f"{host} asks to wait (429)",
        hint="Try again later.",
        details=details,
        retry_after_s=_retry_after_s(error),
        counts=False,
    )


def _retry_after_s(error: APIStatusError) -> float | None:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None


def _text_of(error: APIError) -> str:
    body = error.body
    return f"{error.message} {body if isinstance(body, str | dict) else ''}"


def _shown(error: APIError) -> str:
    return clean(" ".join(str(error.message).split())[:_MESSAGE_CHARS])
