"""`merge`: three versions of a file become one, by what the file means. Needs no project and no daemon; git can call it as
a merge driver."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spark.cli import exits
from spark.cli.context import Context
from spark.cli.output import one_line, printable
from spark.core.errors import FatalError

if TYPE_CHECKING:
    from spark.text.merge import Conflict, Merge

_SHOWN_CONFLICTS: Final = 50
_SHOWN_CHARS: Final = 120
MAX_READ_BYTES: Final = 256 * 1024 * 1024
_READ: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # nobody may ever write into a pipe
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def merge(context: Context) -> int:
    from spark.engines.unity.merge import merge_asset

    args = context.args
    base, ours, theirs = (_read(context, name) for name in (args.base, args.ours, args.theirs))
    out = Path(os.path.realpath(context.cwd / args.out))
    name: str = args.path or args.out
    merged = merge_asset(name.replace("\\", "/"), base, ours, theirs)
    if merged.content is not None:
        write_whole(out, merged.content)
        if context.out.as_json:
            context.out.document({"success": True, "out": str(out), "path": name, "conflicts": []})
        return exits.DONE
    write_whole(out, ours if merged.marked is None else merged.marked)
    _tell(context, merged, name, out)
    return exits.REFUSED


def _read(context: Context, name: str) -> bytes:
    try:
        return read_whole(context.cwd / name)
    except OSError as error:
        raise FatalError(
            exits.USAGE,
            f"{name} cannot be read ({error.strerror}); nothing was written",
            hint="spark merge BASE OURS THEIRS -o OUT takes three files; BASE is empty where both sides added the file.",
        ) from error


def read_whole(path: Path) -> bytes:
    """A regular file's bytes. Never waits for a writer; raises `OSError` for pipes, devices, folders and what is larger than
    `MAX_READ_BYTES`."""
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        content = b""
        if status.st_size <= MAX_READ_BYTES:
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                content = stream.read(MAX_READ_BYTES + 1)
        if max(status.st_size, len(content)) > MAX_READ_BYTES:
            raise OSError(errno.EFBIG, f"it is larger than {MAX_READ_BYTES >> 20} MB", str(path))
        return content
    finally:
        os.close(descriptor)


def write_whole(out: Path, content: bytes) -> None:
    """All or nothing; an existing file keeps its permissions."""
    staged: str | None = None
    try:
        mode = stat.S_IMODE(out.stat().st_mode) if out.is_file() else None
        if mode is None and out.exists():
            raise FatalError(exits.USAGE, f"{out} is no file; nothing was written", hint="Name a file with -o OUT.")
        handle, staged = tempfile.mkstemp(dir=out.parent, prefix=".spark-merge-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(staged).chmod(_new_file_mode() if mode is None else mode)
        Path(staged).replace(out)
        staged = None
    except OSError as error:
        raise FatalError(
            exits.USAGE,
            f"{out} cannot be written ({error.strerror}); it is as it was",
            hint="Check its folder and permissions.",
        ) from error
    finally:
        if staged is not None:
            Path(staged).unlink(missing_ok=True)


def _new_file_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _tell(context: Context, merged: Merge, name: str, out: Path) -> None:
    count = len(merged.conflicts)
    marked = merged.marked is not None
    message = f"{name}: {count} conflict{'s' if count > 1 else ''}, " + (
        f"marked in {out}" if marked else f"{out} holds ours; it cannot be marked"
    )
    hint = (
        "Keep one side between each <<<<<<< and >>>>>>> and remove the marks."
        if marked
        else "Choose one side: git checkout --ours FILE, or git checkout --theirs FILE."
    )
    if context.out.as_json:
        details: dict[str, Any] = {"out": str(out), "path": name, "conflicts": [_wire(c) for c in merged.conflicts]}
        error = {"code": "conflict", "message": message, "hint": hint, "details": details}
        context.out.document({"success": False, "error": error})
    context.out.note(printable(message))
    for conflict in merged.conflicts[:_SHOWN_CONFLICTS]:
        context.out.note(printable(_text(conflict)))
    if count > _SHOWN_CONFLICTS:
        context.out.note(f"  and {count - _SHOWN_CONFLICTS} more")
    context.out.note(hint)


def _wire(conflict: Conflict) -> Mapping[str, Any]:
    return {
        "oursLine": conflict.ours_line,
        "fileId": conflict.file_id,
        "type": conflict.class_name,
        "object": conflict.object_name,
        "property": conflict.property,
        "why": conflict.why,
        "base": conflict.base,
        "ours": conflict.ours,
        "theirs": conflict.theirs,
    }


def _text(conflict: Conflict) -> str:
    place = f"{conflict.class_name} &{conflict.file_id}" if conflict.file_id else ""
    object_name = f"“{one_line(conflict.object_name, 60)}”" if conflict.object_name else ""
    line = f"line {conflict.ours_line}" if conflict.ours_line else ""
    where = "  ".join(part for part in (line, object_name, place, conflict.property) if part)
    text = f"  {where}: {conflict.why}" if conflict.why else f"  {where or 'the whole file'}"
    if conflict.ours or conflict.theirs:
        for side, value in (("ours", conflict.ours), ("theirs", conflict.theirs)):
            text += f"\n      {side + ':':<8}{one_line(value, _SHOWN_CHARS) if value else '(not there)'}"
    return text
