"""Work that nobody waits for any more ends: a call that timed out leaves no thread that goes on."""

from __future__ import annotations

import asyncio
import threading

import pytest

from spark.core.errors import Unavailable
from spark.core.patience import GivenUp, giving_up, go_on
from spark.core.tool import Arguments, Tool, ToolAnswer, ToolContext
from tests.fakes.scripted_model import ScriptedModel
from tests.relay.conftest import Start


class Nothing(Arguments):
    pass


class Endless:
    """A function that works until it is told that nobody waits."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    async def run(self, _: Nothing, context: ToolContext) -> ToolAnswer:
        await asyncio.to_thread(self._work)
        return ToolAnswer({})

    def _work(self) -> None:
        try:
            while True:
                go_on()
        finally:
            self.ended.set()


def test_without_anybody_who_could_give_up_work_goes_on() -> None:
    """Outside of a call `go_on` says nothing; inside it raises as soon as the work is given up."""
    go_on()
    with giving_up(lambda: False):
        go_on()
    with giving_up(lambda: True), pytest.raises(GivenUp):
        go_on()
    go_on()


async def test_a_call_that_timed_out_ends_its_thread(start: Start) -> None:
    """The caller gets `timeout`, and the thread is told to stop: a daemon does not work for nobody."""
    endless = Endless()
    tool = Tool(name="endless", description="", arguments=Nothing, run=endless.run, timeout_s=0.2)
    async with start(ScriptedModel(), tools=(tool,)) as scene:
        with pytest.raises(Unavailable) as refused:
            await scene.call("endless", {})
        assert refused.value.code == "timeout"
        assert await asyncio.to_thread(endless.ended.wait, 10)
