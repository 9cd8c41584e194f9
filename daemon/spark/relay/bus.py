"""Events of turns and deltas of the state, to any number of clients, each with a bounded queue of its own."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from spark.core.errors import ProtocolError, ToolRejected
from spark.core.limits import CLIENT_QUEUE

Message = Mapping[str, Any]
_TURNS_KEPT: Final = 50


class Feed:
    """One stream of messages with subscribers. A subscriber that lags behind by a full queue is ended, never waited for."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Message | None]] = set()

    def publish(self, message: Message) -> None:
        for queue in self._queues:
            if queue.qsize() < CLIENT_QUEUE:
                queue.put_nowait(message)
            elif not queue.full():
                # The last place tells the reader that it lagged; what it missed it gets as a snapshot.
                queue.put_nowait(None)

    def subscribe(self) -> asyncio.Queue[Message | None]:
        queue: asyncio.Queue[Message | None] = asyncio.Queue(CLIENT_QUEUE + 1)
        self._queues.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Message | None]) -> None:
        self._queues.discard(queue)

    async def messages(self) -> AsyncGenerator[Message]:
        """From now on. Raises `ProtocolError(1013)` for a subscriber that lagged."""
        queue = self.subscribe()
        try:
            while True:
                yield await _next(queue)
        finally:
            self.unsubscribe(queue)


async def _next(queue: asyncio.Queue[Message | None]) -> Message:
    message = await queue.get()
    if message is None:
        raise ProtocolError(1013, f"this client lags more than {CLIENT_QUEUE} messages behind")
    return message


class TurnEvents:
    """The events of turns: numbered per turn without gaps, the last turns kept so that a late reader starts at the first."""

    def __init__(self) -> None:
        self._feed = Feed()
        self._kept: OrderedDict[str, list[Message]] = OrderedDict()
        self.calls = 0
        """How many calls were answered."""

    def open(self, turn_id: str) -> None:
        self._kept[turn_id] = []
        while len(self._kept) > _TURNS_KEPT:
            self._kept.popitem(last=False)

    def publish(self, turn_id: str, event_type: str, body: Mapping[str, Any]) -> None:
        kept = self._kept.setdefault(turn_id, [])
        message = {"type": event_type, "turnId": turn_id, "seq": len(kept) + 1, **body}
        kept.append(message)
        self.calls += event_type == "callFinished"
        self._feed.publish(message)

    async def all(self) -> AsyncGenerator[Message]:
        """The events of all turns from now on."""
        async for message in self._feed.messages():
            yield message

    async def of_turn(self, turn_id: str) -> AsyncGenerator[Message]:
        """The events of one turn from its first to `turnFinished`. Raises `not_found` for a turn of long ago."""
        kept = self._kept.get(turn_id)
        if kept is None:
            raise ToolRejected("not_found", f"the events of turn {turn_id} are not kept", hint="See GET /v1/turns/ID.")
        seen = 0
        queue = self._feed.subscribe()
        try:
            while True:
                while seen < len(kept):
                    message = kept[seen]
                    seen += 1
                    yield message
                    if message["type"] == "turnFinished":
                        return
                # The queue only wakes this reader; the list is what it reads, so it cannot miss or repeat an event.
                await queue.get()
        finally:
            self._feed.unsubscribe(queue)
