"""What waits to be sent to one client: bounded in messages and bytes, so that a slow client costs a known amount."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NoReturn

from spark.core import limits
from spark.core.errors import ProtocolError

MAX_BYTES = 4 * limits.FRAME_BYTES


class Outbox:
    """A queue with an end. Whoever overfills it ends it with 1013; the server ends it with 1001."""

    def __init__(self, *, max_messages: int = limits.CLIENT_QUEUE, max_bytes: int = MAX_BYTES) -> None:
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()
        self._error: ProtocolError | None = None

    def push(self, message: bytes, *, first: bool = False) -> None:
        """Adds a message, `first` before all others. After the end nothing is added."""
        if self._error is not None:
            return
        if len(self._waiting) >= self._max_messages or self._bytes + len(message) > self._max_bytes:
            self.end(ProtocolError(1013, f"too slow: more than {self._max_messages} messages wait"))
            return
        if first:
            self._waiting.appendleft(message)
        else:
            self._waiting.append(message)
        self._bytes += len(message)
        self._changed.set()

    def end(self, error: ProtocolError) -> None:
        """Nothing more is taken; what waits is dropped. The first end counts."""
        if self._error is None:
            self._error = error
            self._waiting.clear()
            self._bytes = 0
            self._changed.set()
            self._ended.set()

    async def next(self) -> bytes:
        """The next message. Raises the `ProtocolError` that ended it."""
        while not self._waiting:
            if self._error is not None:
                raise self._error
            self._changed.clear()
            await self._changed.wait()
        message = self._waiting.popleft()
        self._bytes -= len(message)
        return message

    async def wait_end(self) -> NoReturn:
        """Waits for the end and raises it: also while a send to the client hangs."""
        await self._ended.wait()
        assert self._error is not None
        raise self._error
