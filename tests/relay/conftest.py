"""A relay on real files, a real store and real functions; only the model follows a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spark.adapters.clock import SystemClock
from spark.adapters.database import Database
from spark.adapters.editor_link import NoEditor
from spark.adapters.file_index import FileIndex, finish
from spark.adapters.journal import SqliteJournal
from spark.adapters.landing import FileLanding
from spark.adapters.project_files import FencedFiles
from spark.adapters.version_store import SqliteVersionStore
from spark.core.api import CallRequest, TurnRequest
from spark.core.conversation import TokenUsage
from spark.core.tool import Registry
from spark.engines import detect
from spark.engines.unity.sample import create_sample_project
from spark.relay.daemon import Relay
from spark.relay.parts import Parts
from spark.tools import TOOLS
from tests.fakes.scripted_model import NoCodeModel, ScriptedModel


@dataclass
class Scene:
    """One daemon's inside, and what a test asks of it."""

    relay: Relay
    parts: Parts
    root: Path

    async def prompt(self, text: str, **kwargs: Any) -> list[dict[str, Any]]:
        """All events of one prompt's turn, up to its end."""
        turn_id = await self.relay.start_turn(TurnRequest(text, **kwargs))
        return await self.events(turn_id)

    async def events(self, turn_id: str) -> list[dict[str, Any]]:
        async with asyncio.timeout(20):
            return [dict(event) async for event in self.relay.events(turn_id)]

    async def until(self, turn_id: str, event_type: str) -> dict[str, Any]:
        async with asyncio.timeout(20):
            async for event in self.relay.events(turn_id):
                if event["type"] == event_type:
                    return dict(event)
        raise AssertionError(f"no {event_type} in {turn_id}")

    async def call(self, name: str, arguments: dict[str, Any], **kwargs: Any) -> Any:
        return await self.relay.call(CallRequest(name, arguments, **kwargs))

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")


Start = Callable[..., AbstractAsyncContextManager[Scene]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "Mein Spiel"
    create_sample_project(root)
    return root


@pytest.fixture
def start(project: Path, tmp_path: Path) -> Start:
    """Opens a relay over the same project and store, as often as a test wants: a second time is a restart."""

    @asynccontextmanager
    async def opened(
        model: ScriptedModel, *, budget_usd: float = 5.0, context_chars: int = 100_000, **kwargs: Any
    ) -> AsyncIterator[Scene]:
        clock = SystemClock()
        database = Database(tmp_path / "data" / "store.db")
        files = FencedFiles(project)
        index = FileIndex(project)
        finish(index.full_scan())
        store = SqliteVersionStore(database, clock)
        landing = FileLanding(files, store, clock)
        landing.recover()
        parts = Parts(
            clock=clock,
            files=files,
            index=index,
            store=store,
            landing=landing,
            engine=detect(files, index),
            editor=NoEditor(),
            model=model,
            code_model=kwargs.get("code_model", NoCodeModel()),
            journal=SqliteJournal(database, clock),
            registry=Registry(kwargs.get("tools", TOOLS)),
            reasoning="auto",
            budget_usd=budget_usd,
            context_chars=context_chars,
            cost_usd=kwargs.get("cost_usd", lambda _model, usage: price(usage)),
        )
        async with asyncio.TaskGroup() as tasks:
            relay = Relay(parts, tasks)
            relay.open()
            yield Scene(relay, parts, project)
            await relay.stop(5.0)
        landing.close()
        database.close()

    return opened


def price(usage: TokenUsage) -> float:
    return usage.input_tokens * 1e-5
