"""Which model is used: the one place with default names and addresses, and the rule for what is used when nothing is set.

Knows settings and keys; opens nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from spark.adapters.keys import FoundKey
from spark.core.errors import FatalError
from spark.core.prices import OFFLINE_MODEL
from spark.core.reasoning import BackendName

OPENAI_URL: Final = "https://api.openai.com/v1"
OPENAI_HOST: Final = "api.openai.com"
REALTIME_MODEL: Final = "gpt-realtime-2.1"
REALTIME_MINI_MODEL: Final = "gpt-realtime-2.1-mini"
THIS_MACHINE: Final = "this machine"
NO_KEY: Final = "none needed"

ToolMode = Literal["native", "actions"]
"""How a chat model calls functions: by the API's own `tools`, or by JSON answers held to a schema."""

_TOOL_MODE_QUERY: Final = "sparkTools"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A backend with everything needed to open it. `url` is the API's base (`…/v1`); None: the backend's own.

    `code_model` writes generated scripts; None: the same model. The key is never part of the `repr`.
    """

    backend: BackendName
    model: str
    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    key_source: str = NO_KEY
    code_model: str | None = None
    tool_mode: ToolMode | None = None

    @property
    def host(self) -> str:
        """Host and port where prompts go, as shown to the user."""
        if self.backend == "offline":
            return THIS_MACHINE
        return host_of(self.url or OPENAI_URL)


def host_of(url: str) -> str:
    """`api.openai.com`, `127.0.0.1:11434`; user names and passwords of the URL are left out."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    shown = f"[{name}]" if ":" in name else name
    return shown if parts.port is None else f"{shown}:{parts.port}"


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own; such traffic never goes through a proxy."""
    name = urlsplit(url).hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def choose_model(
    *,
    backend: str | None,
    model: str | None,
    url: str | None,
    code_model: str | None,
    find_key: Callable[[str], FoundKey | None],
) -> ModelChoice:
    """What the settings mean. `find_key` looks a key up by name (`openai`, `chat`).

    Without a backend: `realtime` where there is a key, else `offline`. Raises `FatalError` (2) naming the setting that
    is missing or wrong.
    """
    if backend is None:
        found = find_key("openai")
        backend = "offline" if found is None else "realtime"
    if backend == "offline":
        return ModelChoice("offline", OFFLINE_MODEL)
    if backend == "realtime":
        return _realtime(model, url, code_model, find_key)
    if backend == "chat":
        return _chat(model, url, code_model, find_key)
    raise FatalError(
        2, f"there is no model backend {backend!r}", hint="Set SPARK_MODEL_BACKEND to realtime, chat or offline."
    )


def _realtime(
    model: str | None, url: str | None, code_model: str | None, find_key: Callable[[str], FoundKey | None]
) -> ModelChoice:
    base = _checked_url(url or OPENAI_URL)
    found = find_key("openai")
    if found is None and not is_loopback(base):
        raise FatalError(
            2,
            f"the model backend `realtime` at {host_of(base)} needs a key, and none was found",
            hint="Store one with `spark key set openai`, or set SPARK_MODEL_BACKEND=offline.",
        )
    return ModelChoice(
        "realtime",
        model or REALTIME_MODEL,
        base,
        found.value if found else None,
        found.source if found else NO_KEY,
        code_model,
    )


def _chat(
    model: str | None, url: str | None, code_model: str | None, find_key: Callable[[str], FoundKey | None]
) -> ModelChoice:
    if not url:
        raise FatalError(
            2,
            "the model backend `chat` needs an address",
            hint="Set SPARK_MODEL_URL, for Ollama http://127.0.0.1:11434/v1, for LM Studio http://127.0.0.1:1234/v1.",
        )
    if not model:
        raise FatalError(
            2,
            "the model backend `chat` needs a model's name",
            hint="Set SPARK_MODEL; `spark doctor` lists the models of local servers.",
        )
    base, tool_mode = _tool_mode(_checked_url(url))
    # OpenAI's key is sent to OpenAI only, whatever address is configured.
    found = find_key("chat") or (find_key("openai") if host_of(base) == OPENAI_HOST else None)
    return ModelChoice(
        "chat",
        model,
        base,
        found.value if found else None,
        found.source if found else NO_KEY,
        code_model,
        tool_mode,
    )


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    try:
        usable = parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        usable = False
    if not usable:
        raise FatalError(2, "SPARK_MODEL_URL is no http or https address", hint=f"Use the form {OPENAI_URL}.")
    return url.rstrip("/")


def _tool_mode(url: str) -> tuple[str, ToolMode | None]:
    """Takes `?sparkTools=actions|native` out of an address."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    wanted = [value for name, value in query if name == _TOOL_MODE_QUERY]
    rest = urlencode([(name, value) for name, value in query if name != _TOOL_MODE_QUERY])
    base = urlunsplit(parts._replace(query=rest)).rstrip("/")
    if not wanted:
        return base, None
    if wanted[-1] == "actions":
        return base, "actions"
    if wanted[-1] == "native":
        return base, "native"
    raise FatalError(2, f"SPARK_MODEL_URL: {_TOOL_MODE_QUERY}={wanted[-1]!r}", hint="Use actions or native.")
