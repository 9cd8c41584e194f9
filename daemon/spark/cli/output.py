"""What goes to stdout and what to stderr. With `--json` stdout carries JSON documents only, everything else is on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO, TextIO, cast


class Output:
    """`document` and `record` are for programs, `text` for people, `note` for both (stderr)."""

    def __init__(self, *, as_json: bool, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self.as_json = as_json
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr

    @property
    def stdout_is_terminal(self) -> bool:
        return self._stdout.isatty()

    def document(self, value: Any) -> None:
        """The one JSON document of a command, indented."""
        self._write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def record(self, value: Mapping[str, Any]) -> None:
        """One line of a JSON stream."""
        self._write(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n")

    def text(self, text: str = "", *, end: str = "\n") -> None:
        """For people; nothing is printed with `--json`."""
        if not self.as_json:
            self._write(text + end)

    def raw(self, content: bytes) -> None:
        """Bytes as they are."""
        stream = cast("BinaryIO | None", getattr(self._stdout, "buffer", None))
        if stream is None:
            self._write(content.decode("utf-8", "replace"))
            return
        self._stdout.flush()
        stream.write(content)
        stream.flush()

    def note(self, text: str, *, end: str = "\n") -> None:
        """A message beside the result, on stderr."""
        self._stderr.write(text + end)
        self._stderr.flush()

    def _write(self, text: str) -> None:
        self._stdout.write(text)
        self._stdout.flush()


def use_utf8() -> None:
    """stdout and stderr take every character: a console that cannot show one gets an escape instead of a crash.

    In JSON the escape of a lone surrogate is valid as well, so `--json` is UTF-8 on every platform.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            encoding = stream.encoding if stream.isatty() else "utf-8"
            reconfigure(encoding=encoding, errors="backslashreplace", newline="\n")


def size_text(size_bytes: int) -> str:
    """`1.4 MB`."""
    size = float(size_bytes)
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return ""


def one_line(text: str | None, width: int) -> str:
    """A prompt or another free text on one line, shortened; control characters never reach the terminal."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    return flat if len(flat) <= width else flat[: width - 3] + "..."


def printable(text: str) -> str:
    """Text from outside (a model, a file) for a terminal: escape sequences lose their effect, lines and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text.replace("\r\n", "\n"))
