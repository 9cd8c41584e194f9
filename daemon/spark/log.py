"""The daemon's log: one JSON object a line in the data folder, short lines for people on stderr; both scrubbed.

Modules log through the standard library (`logging.getLogger("spark.…")`); only the composition root and the command
line know this file. Fields are given as `extra={…}`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Any, Final, TextIO, cast

from spark.core.scrub import scrub, scrub_fields

FILE_NAME: Final = "daemon.log"
FILE_BYTES: Final = 2 * 1024 * 1024
FILES_KEPT: Final = 4
LINE_CHARS: Final = 20_000
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Also aiohttp's, asyncio's and the libraries' own words, from warnings on.
_OURS = "spark"


@dataclass(frozen=True, slots=True)
class OpenLog:
    """A configured log. `close` takes its handlers out again."""

    path: Path
    _handlers: tuple[logging.Handler, ...]

    def close(self) -> None:
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            # What a full disk did not take cannot be kept.
            with contextlib.suppress(OSError):
                handler.close()


def configure_log(data_dir: Path, verbose: bool = False, *, stderr: TextIO | None = None) -> OpenLog:
    """Sends all logging to `<data_dir>/log/daemon.log` (0600, rotated) and to stderr.

    stderr shows warnings and worse, with `verbose` everything of ours. Raises `OSError` where the folder cannot be written.
    """
    folder = data_dir / "log"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = _PrivateFile(folder / FILE_NAME, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")
    file.setFormatter(_JsonLines())
    file.setLevel(logging.DEBUG if verbose else logging.INFO)
    people = _Lines(stderr or sys.stderr)
    people.setFormatter(_ShortLines())
    people.setLevel(logging.DEBUG if verbose else logging.WARNING)
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(logging.DEBUG if verbose else logging.INFO)
    for handler in (file, people):
        root.addHandler(handler)
    return OpenLog(folder / FILE_NAME, (file, people))


def read_log(data_dir: Path, *, limit: int = 200) -> list[dict[str, Any]]:
    """The newest `limit` records, oldest first; lines that a crash cut off are left out. Empty where there is no log."""
    found: deque[dict[str, Any]] = deque(maxlen=limit)
    current = data_dir / "log" / FILE_NAME
    for path in [current.with_name(f"{FILE_NAME}.{n}") for n in range(FILES_KEPT, 0, -1)] + [current]:
        try:
            with path.open("rb") as file:
                found.extend(record for line in file if (record := _record(line)) is not None)
        except FileNotFoundError:
            continue
    return list(found)


def _wait() -> bool:
    time.sleep(0.3)
    return True


def follow_log(data_dir: Path, *, wait: Callable[[], bool] = _wait) -> Iterator[dict[str, Any]]:
    """New records from now on, across rotations. `wait` is called when there is nothing new; it ends by returning False."""
    path = data_dir / "log" / FILE_NAME
    file = _open_or_none(path)
    if file is not None:
        file.seek(0, os.SEEK_END)
    rest = b""
    try:
        while True:
            chunk = file.read(65_536) if file is not None else b""
            if chunk:
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (record for line in lines if (record := _record(line)) is not None)
                continue
            # Everything of the old file was read; only then go on to the one that took its name.
            if file is None or not _is_current(file, path):
                if file is not None:
                    file.close()
                file, rest = _open_or_none(path), b""
                if file is not None:
                    continue
            if not wait():
                return
    finally:
        if file is not None:
            file.close()


def format_record(record: dict[str, Any]) -> str:
    """A record as one line for people: time, level, logger, message, fields, and an error's last line."""
    known = {"at", "level", "logger", "message", "error"}
    fields = " ".join(f"{name}={_one_line(str(value))}" for name, value in record.items() if name not in known)
    error = str(record.get("error", "")).strip().rpartition("\n")[2]
    parts = (record.get("at"), record.get("level"), record.get("logger"), _one_line(str(record.get("message", ""))))
    return " ".join(str(part) for part in (*parts, fields, f"({_one_line(error)})" if error else "") if part)


class _PrivateFile(RotatingFileHandler):
    def _open(self) -> IO[Any]:  # type: ignore[override]
        # A link at that name is refused: its target's mode would be changed.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(self.baseFilename, flags, 0o600)
        if sys.platform != "win32":
            os.fchmod(handle, 0o600)
        return cast("IO[Any]", os.fdopen(handle, "a", encoding=self.encoding))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """A full disk must not stop the daemon, nor print the unscrubbed record as the library would."""


class _Lines(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """A closed terminal must not stop the daemon."""


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_document(record), ensure_ascii=True, separators=(",", ":"))


class _ShortLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        document = _document(record)
        line = format_record({name: value for name, value in document.items() if name not in ("at", "logger")})
        return f"spark: {line}"


def _document(record: logging.LogRecord) -> dict[str, Any]:
    document: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": scrub(_message(record)[: 2 * LINE_CHARS])[:LINE_CHARS],
    }
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    document.update((name, value) for name, value in scrub_fields(fields).items() if name not in document)
    if record.exc_info and record.exc_info[0] is not None:
        text = logging.Formatter().formatException(record.exc_info)
        document["error"] = scrub(text[-2 * LINE_CHARS :])[-LINE_CHARS:]
    return document


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # A wrong format string is our bug, but the words are still worth having.
        return f"{record.msg} {record.args!r}"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        loaded = json.loads(line)
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None


def _open_or_none(path: Path) -> IO[bytes] | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _is_current(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        # Between two names of a rotation; the next look finds the new file.
        return True
