"""Which model is used when, with which key, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from spark.adapters.clock import SystemClock
from spark.adapters.keys import FoundKey
from spark.adapters.models import (
    BACKENDS,
    REALTIME_MODEL,
    ModelChoice,
    choose_model,
    host_of,
    is_loopback,
    open_code_model,
    open_model,
)
from spark.core.errors import FatalError


def _keys(**keys: str) -> Callable[[str], FoundKey | None]:
    return lambda name: FoundKey(keys[name], f"{name} place") if name in keys else None


NO_KEYS = _keys()


def _choose(keys: Callable[[str], FoundKey | None] = NO_KEYS, **settings: Any) -> ModelChoice:
    given = {"backend": None, "model": None, "url": None, "code_model": None, **settings}
    return choose_model(**given, find_key=keys)


def test_unset_backend() -> None:
    """Without a backend: `realtime` with the default model where there is a key, else `offline`."""
    assert _choose().backend == "offline"
    choice = _choose(_keys(openai="sk-1"))
    assert (choice.backend, choice.model, choice.host, choice.api_key) == (
        "realtime",
        REALTIME_MODEL,
        "api.openai.com",
        "sk-1",
    )
    assert choice.key_source == "openai place"


def test_offline_takes_no_key() -> None:
    """Chosen `offline` stays offline and carries no key, whatever lies around."""
    assert _choose(_keys(openai="sk-1"), backend="offline") == ModelChoice("offline", "offline")


def test_the_key_goes_to_its_own_host_only() -> None:
    """OpenAI's key is never sent to another chat server; a key named `chat` is."""
    local = {"backend": "chat", "model": "m", "url": "http://127.0.0.1:11434/v1/"}
    choice = _choose(_keys(openai="sk-1"), **local)
    assert (choice.api_key, choice.key_source, choice.url) == (None, "none needed", "http://127.0.0.1:11434/v1")
    assert _choose(_keys(openai="sk-1", chat="k"), **local).api_key == "k"
    openai = {"backend": "chat", "model": "m", "url": "https://api.openai.com/v1"}
    assert _choose(_keys(openai="sk-1"), **openai).api_key == "sk-1"
    lookalike = {"backend": "chat", "model": "m", "url": "https://api.openai.com:8443/v1"}
    assert _choose(_keys(openai="sk-1"), **lookalike).api_key is None


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"backend": "telepathy"}, "SPARK_MODEL_BACKEND"),
        ({"backend": "realtime"}, "spark key set openai"),
        ({"backend": "chat", "model": "m"}, "SPARK_MODEL_URL"),
        ({"backend": "chat", "url": "http://127.0.0.1:1/v1"}, "SPARK_MODEL"),
        ({"backend": "chat", "model": "m", "url": "ftp://x/v1"}, "https://api.openai.com/v1"),
        ({"backend": "chat", "model": "m", "url": "http://x:port/v1"}, "https://api.openai.com/v1"),
        ({"backend": "chat", "model": "m", "url": "http://x/v1?sparkTools=maybe"}, "actions or native"),
    ],
)
def test_what_is_missing_is_named(settings: dict[str, Any], word: str) -> None:
    """Settings that cannot work end with exit status 2 and the setting that mends it."""
    with pytest.raises(FatalError) as caught:
        _choose(**settings)
    assert caught.value.exit_status == 2
    assert word in caught.value.hint


def test_tool_mode_in_the_address() -> None:
    """`?sparkTools=actions` sets the mode and is not sent on; the rest of the query stays."""
    choice = _choose(backend="chat", model="m", url="http://h/v1?a=1&sparkTools=actions")
    assert (choice.tool_mode, choice.url) == ("actions", "http://h/v1?a=1")


def test_the_key_is_never_shown() -> None:
    """Neither a found key nor a choice shows the key when printed."""
    choice = _choose(_keys(openai="sk-secret"))
    assert "sk-secret" not in repr(choice)
    assert "sk-secret" not in repr(FoundKey("sk-secret", "x"))


@pytest.mark.parametrize(
    ("url", "host", "loopback"),
    [
        ("https://api.openai.com/v1", "api.openai.com", False),
        ("http://127.0.0.1:11434/v1", "127.0.0.1:11434", True),
        ("http://[::1]:80/v1", "[::1]:80", True),
        ("http://localhost/v1", "localhost", True),
        ("http://user:pw@192.168.1.2/v1", "192.168.1.2", False),
        ("http://127.0.0.1.evil.example/v1", "127.0.0.1.evil.example", False),
    ],
)
def test_hosts(url: str, host: str, loopback: bool) -> None:
    """The shown host never holds a password, and only real loopback addresses count as this machine."""
    assert host_of(url) == host
    assert is_loopback(url) is loopback


@pytest.mark.parametrize(
    "choice",
    [
        ModelChoice("realtime", "r", "https://api.openai.com/v1", "k", "keyring"),
        ModelChoice("chat", "c", "http://127.0.0.1:1/v1"),
        ModelChoice("offline", "offline"),
    ],
)
async def test_every_backend_opens(choice: ModelChoice) -> None:
    """Every backend opens without traffic, behind a circuit named after its host, and tells what is shown of it."""
    model = open_model(choice, clock=SystemClock())
    code_model = open_code_model(choice, clock=SystemClock(), circuit=model.circuit)
    assert (model.backend, model.model, model.host, model.key_source) == (
        choice.backend,
        choice.model,
        choice.host,
        choice.key_source,
    )
    assert model.circuit.view()["name"] == f"model:{choice.host}"
    await model.close()
    await code_model.close()


def test_backends_are_complete() -> None:
    """There is one opener for each backend of the settings."""
    assert set(BACKENDS) == {"realtime", "chat", "offline"}
