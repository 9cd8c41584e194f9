"""Unified diffs as git writes them, made from whole files. Knows no files, only lines and bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from spark.text.lines import git_lines, line_changes

CONTEXT_LINES: Final = 3
DIFF_BYTES: Final = 24 * 1024


def _hunks(old: list[str], new: list[str], context: int) -> Iterator[list[tuple[int, int, int, int]]]:
    group: list[tuple[int, int, int, int]] = []
    for change in line_changes(old, new):
        if group and change[0] - group[-1][1] > 2 * context:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _prefixed(sign: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield sign + line if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _hunk(old: list[str], new: list[str], group: list[tuple[int, int, int, int]], context: int) -> Iterator[str]:
    a1, a2 = max(group[0][0] - context, 0), min(group[-1][1] + context, len(old))
    b1, b2 = max(group[0][2] - context, 0), min(group[-1][3] + context, len(new))
    yield f"@@ -{_span(a1, a2)} +{_span(b1, b2)} @@\n"
    at = a1
    for i1, i2, j1, j2 in group:
        yield from _prefixed(" ", old[at:i1])
        yield from _prefixed("-", old[i1:i2])
        yield from _prefixed("+", new[j1:j2])
        at = i2
    yield from _prefixed(" ", old[at:a2])


def _span(start: int, end: int) -> str:
    size = end - start
    # An empty range names the line before it, as in git and diff.
    first = start if size == 0 else start + 1
    return f"{first}" if size == 1 else f"{first},{size}"


def quoted(path: str) -> str:
    """A path as git writes it in a header: quoted with C escapes where it holds anything unusual."""
    if all(" " <= char <= "~" and char not in '"\\' for char in path):
        return path
    escaped = "".join(
        f"\\{byte:03o}" if byte < 32 or byte > 126 else "\\" + chr(byte) if chr(byte) in '"\\' else chr(byte)
        for byte in path.encode("utf-8")
    )
    return f'"{escaped}"'


def text_of(content: bytes) -> str | None:
    """The text of a file as a diff shows it; None for binary content."""
    for bom, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(bom):
            return content.decode(encoding, "replace")
    if b"\x00" in content[:8000]:
        return None
    return content.decode("utf-8", "replace")


def unified_diff(
    old: bytes | None,
    new: bytes | None,
    path: str,
    *,
    old_path: str | None = None,
    context: int = CONTEXT_LINES,
    max_bytes: int | None = DIFF_BYTES,
) -> str:
    """One file's diff with git's headers. None: the file is absent on that side; `old_path`: it was moved from there.

    Longer than `max_bytes` it is cut at a line, and a last line says how many were left out (such a diff no longer
    applies). The diff of a file that stays the same is empty.
    """
    source = old_path or path
    if old == new and source == path:
        return ""
    before, after = quoted(f"a/{source}"), quoted(f"b/{path}")
    lines = [f"diff --git {before} {after}\n"]
    if old is None:
        lines.append("new file mode 100644\n")
    elif new is None:
        lines.append("deleted file mode 100644\n")
    elif source != path:
        lines += [f"rename from {quoted(source)}\n", f"rename to {quoted(path)}\n"]
    lines += _body(old, new, before, after, context)
    return "".join(lines) if max_bytes is None else _capped(lines, max_bytes)


def _body(old: bytes | None, new: bytes | None, before: str, after: str, context: int) -> list[str]:
    if (old or b"") == (new or b""):
        return []
    old_text, new_text = text_of(old or b""), text_of(new or b"")
    old_name = "/dev/null" if old is None else before
    new_name = "/dev/null" if new is None else after
    if old_text is None or new_text is None:
        return [f"Binary files {old_name} and {new_name} differ\n"]
    # git ends a name that holds a space with a tab, so that nothing after it is taken for a part of it.
    lines = [f"--- {old_name}{_tab(old_name)}\n", f"+++ {new_name}{_tab(new_name)}\n"]
    old_lines, new_lines = git_lines(old_text), git_lines(new_text)
    for group in _hunks(old_lines, new_lines, context):
        lines += _hunk(old_lines, new_lines, group, context)
    return lines


def _tab(name: str) -> str:
    return "\t" if " " in name and not name.startswith('"') else ""


def cut(diff: str, max_bytes: int) -> str:
    """A diff within `max_bytes`, cut at a line."""
    return _capped(diff.splitlines(keepends=True), max_bytes)


def _capped(lines: list[str], max_bytes: int) -> str:
    used = 0
    for number, line in enumerate(lines):
        used += len(line.encode("utf-8", "replace"))
        if used > max_bytes:
            return "".join(lines[:number]) + f"... {len(lines) - number} more lines of this diff are left out\n"
    return "".join(lines)


def joined(diffs: Sequence[str], max_bytes: int = DIFF_BYTES) -> str:
    """Several files' diffs as one text within `max_bytes`; a last line says how many files were left out."""
    used = 0
    for number, diff in enumerate(diffs):
        used += len(diff.encode("utf-8", "replace"))
        if used > max_bytes and number:
            return "".join(diffs[:number]) + f"... the diffs of {len(diffs) - number} more files are left out\n"
    return "".join(diffs)
