"""Finds model servers on this machine by their usual ports, so that they can be listed. Never used unless chosen.

Asks loopback addresses only, and only when status, doctor or a listing of models wants to know.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aiohttp import ClientSession

USUAL: Final = (("Ollama", "http://127.0.0.1:11434/v1"), ("LM Studio", "http://127.0.0.1:1234/v1"))
_TIMEOUT_S: Final = 0.75
_ANSWER_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answered; `url` is what `SPARK_MODEL_URL` takes, `models` what `SPARK_MODEL` may be."""

    name: str
    url: str
    models: tuple[str, ...]


async def find_local_servers(usual: Sequence[tuple[str, str]] = USUAL) -> list[LocalServer]:
    """The servers of `usual` that list models within a second, in that order."""
    import aiohttp

    # No proxy of the environment: aiohttp takes none unless told to.
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S)) as session:
        found = await asyncio.gather(*(_ask(session, name, url) for name, url in usual))
    return [server for server in found if server is not None]


async def _ask(session: ClientSession, name: str, url: str) -> LocalServer | None:
    import aiohttp

    try:
        async with session.get(f"{url}/models", allow_redirects=False) as response:
            if response.status != 200:
                return None
            loaded = _loaded(await response.content.read(_ANSWER_BYTES))
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
    models = loaded.get("data") if isinstance(loaded, dict) else None
    if not isinstance(models, list):
        return None
    ids = [model.get("id") for model in models if isinstance(model, dict)]
    return LocalServer(name, url, tuple(model for model in ids if isinstance(model, str)))


def _loaded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
