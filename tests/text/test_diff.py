"""Our diffs are git's: `git apply` makes of them exactly the new bytes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from spark.text.diff import joined, quoted, unified_diff
from tests.text.git_oracle import FEW, SOURCE, Git, edited, text_of


@pytest.mark.parametrize("seed", range(3))
def test_git_applies_our_diffs(seed: int, tmp_path: Path) -> None:
    """Over random edits (CRLF, no final newline, empty files) git applies our diff to the same bytes."""
    git, chance = Git(tmp_path), random.Random(seed)
    git.init()
    for _ in range(60):
        lines = chance.choice([FEW, SOURCE])
        before = text_of(chance, lines, chance.randint(0, 30), chance.choice([0, 1, 0.5]))
        after = edited(chance, before, lines, chance.randint(0, 5))
        diff = unified_diff(before, after, "f")
        assert bool(diff) == (before != after)
        if diff and after:
            assert git.apply(before, diff) == after


@pytest.mark.parametrize("name", ["plain.txt", "with space.txt", 'q"uote.txt', "ä/ö ü.txt", "tab\tname"])
def test_git_reads_our_headers(name: str, tmp_path: Path) -> None:
    """Git makes, renames and deletes files by our headers, whatever their names hold."""
    git = Git(tmp_path)
    git.init()

    def apply(diff: str) -> None:
        done = git.run("apply", "-", stdin=diff.encode())
        assert done.returncode == 0, (diff, done.stderr)

    apply(unified_diff(None, b"one\ntwo\n", name))
    assert (tmp_path / name).read_bytes() == b"one\ntwo\n"
    apply(unified_diff(b"one\ntwo\n", b"one\n2\n", "new " + name, old_path=name))
    assert (tmp_path / ("new " + name)).read_bytes() == b"one\n2\n"
    apply(unified_diff(b"one\n2\n", None, "new " + name))
    assert not (tmp_path / ("new " + name)).exists()
    apply(unified_diff(None, b"", name))
    assert (tmp_path / name).read_bytes() == b""


def test_binary_is_named_only() -> None:
    """Binary bytes are never put into a diff."""
    diff = unified_diff(b"\x00\x01", b"\x00\x02", "a.bin")
    assert diff.endswith("Binary files a/a.bin and b/a.bin differ\n")


def test_long_diffs_are_cut_and_say_so() -> None:
    """A diff over the limit ends with how many lines are left out; many diffs with how many files."""
    diff = unified_diff(None, b"line\n" * 10_000, "a", max_bytes=1000)
    assert len(diff) < 1100
    assert "more lines of this diff are left out" in diff.splitlines()[-1]
    assert "the diffs of 2 more files" in joined(["x" * 10, "y" * 10, "z" * 10], 15)


def test_utf16_is_shown_as_text() -> None:
    """UTF-16 files are shown as the text that they hold."""
    diff = unified_diff("a\n".encode("utf-16"), "ä\n".encode("utf-16"), "a")
    assert "+ä\n" in diff


def test_quoted_names() -> None:
    """Names are quoted only where git quotes them."""
    assert quoted("Assets/a b.cs") == "Assets/a b.cs"
    assert quoted("ä") == '"\\303\\244"'
