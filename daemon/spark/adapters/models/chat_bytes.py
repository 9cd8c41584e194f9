"""Bounds what a chat server may send in one line: the SDK collects a line, and an error's body, without any limit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from spark.adapters.models.received import AnswerTooLarge

if TYPE_CHECKING:
    import httpx2

LINE_BYTES: Final = 16 * 1024 * 1024
"""A whole call in one chunk, each of its characters escaped, is shorter."""


async def bound_response(response: httpx2.Response) -> None:
    """A hook for responses whose body was not read yet. Reading it raises `AnswerTooLarge` in an endless line."""
    import httpx2

    class BoundedStream(httpx2.AsyncByteStream):
        def __init__(self, inner: httpx2.AsyncByteStream) -> None:
            self._inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            line_bytes = 0
            async for piece in self._inner:
                end = piece.rfind(b"\n")
                line_bytes = line_bytes + len(piece) if end < 0 else len(piece) - end - 1
                if line_bytes > LINE_BYTES:
                    raise AnswerTooLarge(f"the model's server sent a line of more than {LINE_BYTES:,} bytes")
                yield piece

        async def aclose(self) -> None:
            await self._inner.aclose()

    assert isinstance(response.stream, httpx2.AsyncByteStream)
    response.stream = BoundedStream(response.stream)
