"""Session state that many clients see alike: gapless versions, one snapshot and then deltas, conflicts by path.

The daemon is the only writer; a client's own change names the version it is based on and is refused where somebody else
touched the same path since. `Replica` is the other end: it survives deltas that arrive twice or out of order.
"""

from __future__ import annotations

import copy
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spark.core.errors import ToolRejected, invalid_arguments

Path = tuple[str, ...]
CLIENT_AREAS: Final = ("settings", "client")
"""First parts of the paths that clients may change."""
REMEMBERED: Final = 1_000
VALUE_BYTES: Final = 64 * 1024
AREA_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delta:
    """The value at `path` is `value` from `version` on."""

    version: int
    path: Path
    value: Any

    def to_wire(self) -> dict[str, Any]:
        return {"type": "delta", "version": self.version, "path": list(self.path), "value": self.value}


class SessionState:
    """The state and its last changes. Values are JSON; a mapping is changed key by key, everything else as a whole."""

    def __init__(self, state: Mapping[str, Any] | None = None, version: int = 0) -> None:
        self._state: dict[str, Any] = copy.deepcopy(dict(state or {}))
        self._version = version
        self._touched: deque[tuple[int, Path]] = deque(maxlen=REMEMBERED)
        self._forgotten = version

    @property
    def version(self) -> int:
        return self._version

    def snapshot(self) -> dict[str, Any]:
        return {"type": "snapshot", "version": self._version, "state": copy.deepcopy(self._state)}

    def get(self, *path: str) -> Any:
        """The value at a path, None where there is none."""
        value: Any = self._state
        for part in path:
            if not isinstance(value, Mapping) or part not in value:
                return None
            value = value[part]
        return value

    def set(self, path: Sequence[str], value: Any) -> Delta | None:
        """The daemon's own change. None where the value is there already (no version is spent on nothing)."""
        where = tuple(path)
        if self.get(*where) == value and self.get(*where) is not None:
            return None
        _put(self._state, where, copy.deepcopy(value))
        self._version += 1
        if len(self._touched) == self._touched.maxlen:
            self._forgotten = self._touched[0][0]
        self._touched.append((self._version, where))
        return Delta(self._version, where, copy.deepcopy(value))

    def update(self, based_on: int, path: Sequence[str | int], value: Any) -> Delta | None:
        """A client's change. Raises `invalid_arguments` or `stale_version` (details: the current version and value)."""
        where = self._client_path(path)
        self._check_value(where, value)
        if based_on > self._version or based_on < 0:
            raise invalid_arguments({"basedOn": f"a version that was seen, at most {self._version}"})
        touched = any(version > based_on and _overlap(where, other) for version, other in self._touched)
        if touched or based_on < self._forgotten:
            raise ToolRejected(
                "stale_version",
                f"{'/'.join(where)} was changed after version {based_on}",
                hint="Apply the change to the current value and send it again with the current version.",
                details={"version": self._version, "path": list(where), "value": copy.deepcopy(self.get(*where))},
            )
        return self.set(where, value)

    def _client_path(self, path: Sequence[str | int]) -> Path:
        where = tuple(str(part) for part in path)
        if (
            len(where) < 2
            or len(where) > 8
            or where[0] not in CLIENT_AREAS
            or not all(0 < len(p) <= 200 for p in where)
        ):
            raise invalid_arguments({"path": f"2 to 8 names, the first one of {', '.join(CLIENT_AREAS)}"})
        value: Any = self._state
        for part in where[:-1]:
            value = value.get(part) if isinstance(value, Mapping) else None
            if value is not None and not isinstance(value, Mapping):
                raise invalid_arguments({"path": f"{part!r} holds a plain value, nothing lies below it"})
        return where

    def _check_value(self, where: Path, value: Any) -> None:
        size = len(json.dumps(value))
        if size > VALUE_BYTES:
            raise ToolRejected(
                "too_large", f"value: {size} bytes, at most {VALUE_BYTES}", details={"fields": {"value": ""}}
            )
        area = self._state.get(where[0], {})
        if size + len(json.dumps(area)) > AREA_BYTES:
            raise ToolRejected("too_large", f"{where[0]}: at most {AREA_BYTES} bytes in all")


def _put(state: dict[str, Any], path: Path, value: Any) -> None:
    for part in path[:-1]:
        below = state.get(part)
        if not isinstance(below, dict):
            below = state[part] = {}
        state = below
    state[path[-1]] = value


def _overlap(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


class Replica:
    """A client's copy. Feed it every snapshot and delta in whatever order they come; ask `needs_snapshot` after each."""

    def __init__(self, buffer_limit: int = 64) -> None:
        self._state: dict[str, Any] = {}
        self._version = -1
        self._early: dict[int, Mapping[str, Any]] = {}
        self._limit = buffer_limit

    @property
    def version(self) -> int:
        """-1 before the first snapshot."""
        return self._version

    @property
    def state(self) -> Mapping[str, Any]:
        return self._state

    @property
    def needs_snapshot(self) -> bool:
        """True before the first snapshot and where more deltas than the limit wait for one that did not come."""
        return self._version < 0 or len(self._early) > self._limit

    def apply(self, message: Mapping[str, Any]) -> bool:
        """Takes a snapshot or delta; True where the visible state changed. What is known already is ignored."""
        version = int(message["version"])
        if message["type"] == "snapshot":
            if version <= self._version and not self.needs_snapshot:
                return False
            self._state, self._version = copy.deepcopy(dict(message["state"])), version
            self._early = {number: delta for number, delta in self._early.items() if number > version}
            self._drain()
            return True
        if version <= self._version:
            return False
        self._early[version] = message
        return self._drain() > 0

    def _drain(self) -> int:
        applied = 0
        while self._version >= 0 and (delta := self._early.pop(self._version + 1, None)) is not None:
            _put(self._state, tuple(str(part) for part in delta["path"]), copy.deepcopy(delta["value"]))
            self._version += 1
            applied += 1
        return applied
