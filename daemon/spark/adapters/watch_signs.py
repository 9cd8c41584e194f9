"""Signs that file events cannot be trusted: the project's top folders are other ones, or the clock jumped."""

from __future__ import annotations

import os
import stat
from datetime import datetime
from pathlib import Path
from typing import Final

from spark.core.paths import ROOTS
from spark.core.ports import Clock

CLOCK_JUMP_S: Final = 5.0


class TopFolders:
    """Device and inode of the project folder and of `Assets/` and its siblings."""

    def __init__(self, root: Path) -> None:
        self._paths = (str(root), *(f"{root}{os.sep}{top}" for top in ROOTS))
        self._known: tuple[tuple[int, int] | None, ...] = ()

    def take(self) -> list[Path]:
        """Remembers the folders as they are; answers the top folders that are there (linked ones are not watched)."""
        self._known = self._read()
        return [Path(path) for path, known in zip(self._paths[1:], self._known[1:], strict=True) if known]

    def replaced(self) -> bool:
        """Whether one of them came, went or is another folder now: its watches see nothing any more."""
        return self._known != self._read()

    def _read(self) -> tuple[tuple[int, int] | None, ...]:
        found: list[tuple[int, int] | None] = []
        for path in self._paths:
            try:
                status = os.lstat(path)
            except OSError:
                found.append(None)
            else:
                found.append((status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None)
        return tuple(found)


class Clocks:
    """Wall clock against monotonic clock: apart when the machine slept or the time was put."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = self._read()

    def jumped(self) -> bool:
        """Whether they went apart by more than five seconds since the last question."""
        monotonic, wall = self._read()
        jump_s = (wall - self._last[1]) - (monotonic - self._last[0])
        self._last = (monotonic, wall)
        return abs(jump_s) > CLOCK_JUMP_S

    def _read(self) -> tuple[float, float]:
        return self._clock.monotonic(), datetime.fromisoformat(self._clock.now()).timestamp()
