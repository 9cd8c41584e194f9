"""Git as the judge: makes diffs, applies them, merges files; and histories of files to try it on."""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

_ENV = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "LC_ALL": "C"}


@dataclass
class Git:
    """Git in a folder of its own, without the user's settings."""

    folder: Path

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, input=stdin, capture_output=True, env=_ENV, timeout=30, check=False
        )

    def init(self) -> None:
        self.run("init", "-q")
        for name, value in (("user.name", "t"), ("user.email", "t@localhost"), ("core.autocrlf", "false")):
            self.run("config", name, value)

    def write(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            place = self.folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)

    def commit_all(self) -> None:
        self.run("add", "-A")
        self.run("commit", "-q", "--allow-empty", "-m", "m")

    def diff_of(self, before: bytes, after: bytes) -> str:
        """Git's diff of one file `f`."""
        self.write({"one": before, "two": after})
        text = self.run("diff", "--no-index", "--no-color", "one", "two").stdout
        return text.replace(b"a/one", b"a/f").replace(b"b/two", b"b/f").decode()

    def apply(self, content: bytes, patch: str) -> bytes | None:
        """What `git apply` makes of the file `f`; None where it refuses."""
        self.write({"f": content})
        done = self.run("apply", "--whitespace=nowarn", "-", stdin=patch.encode())
        if done.returncode:
            return None
        place = self.folder / "f"
        return place.read_bytes() if place.exists() else b""

    def merge(self, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
        """What `git merge-file` makes of three versions; None for a conflict."""
        self.write({"ours": ours, "base": base, "theirs": theirs})
        done = self.run("merge-file", "-p", "ours", "base", "theirs")
        return done.stdout if done.returncode == 0 else None


FEW = [b"a", b"b", b"c", b""]
SOURCE = [b"", b"}", b"{", b"    }", b"    {"] * 2 + [b"        line %d;" % number for number in range(40)]


def text_of(chance: random.Random, lines: list[bytes], count: int, windows: float = 0.0) -> bytes:
    """A file of random lines; `windows`: the share of CRLF line ends. One in four lacks the final newline."""
    text = b"".join(chance.choice(lines) + (b"\r\n" if chance.random() < windows else b"\n") for _ in range(count))
    return text.rstrip(b"\r\n") if chance.random() < 0.25 else text


def edited(chance: random.Random, text: bytes, lines: list[bytes], edits: int) -> bytes:
    """The file after some insertions, deletions and replacements of lines."""
    parts = text.splitlines(keepends=True)
    end = b"\r\n" if b"\r\n" in text else b"\n"
    for _ in range(edits):
        at, kind = chance.randrange(len(parts) + 1), chance.random()
        if kind < 0.4:
            parts[at:at] = [chance.choice(lines) + end for _ in range(chance.randint(1, 3))]
        elif kind < 0.7:
            del parts[at : at + chance.randint(1, 3)]
        else:
            parts[at : at + 1] = [chance.choice(lines) + end]
    last = len(parts) - 1
    return b"".join(part if part.endswith(b"\n") or number == last else part + end for number, part in enumerate(parts))
