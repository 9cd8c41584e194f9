"""Facts of files by the hash of their bytes: what did not change is not looked at twice. Bounded by what it holds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from spark.engines.unity.checks.facts import FileFacts

LIMIT_BYTES: Final = 64 * 1024 * 1024
Key = tuple[str, Hashable]
"""SHA-256 of the bytes, and what else the answer depends on."""


class FactsCache:
    """The facts that were asked for longest ago go first. Any thread may ask."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._held: OrderedDict[Key, FileFacts] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Key) -> FileFacts | None:
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: Key, facts: FileFacts) -> None:
        with self._lock:
            before = self._held.pop(key, None)
            self._held[key] = facts
            self._bytes += facts.size - (before.size if before is not None else 0)
            while self._bytes > self._limit and len(self._held) > 1:
                _, gone = self._held.popitem(last=False)
                self._bytes -= gone.size

    def __len__(self) -> int:
        return len(self._held)
