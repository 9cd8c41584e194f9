"""Which project a folder is: the id in `ProjectSettings/Spark.json`, made once and meant to be committed.

The file also holds the team's settings; whatever else is in it stays as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

from spark.adapters.private_files import read_plain, stage_private
from spark.core.errors import FatalError

SETTINGS_FILE = Path("ProjectSettings") / "Spark.json"
_SHARED_MODE = 0o644


def read_project_id(root: Path) -> str | None:
    """The project's id; None where it has none yet. Raises `FatalError` (2) where the file is damaged."""
    raw = _read(root)
    return None if raw is None else _id_in(_parsed(raw))


def ensure_project_id(root: Path, *, known: str | None = None) -> str:
    """The project's id; where the file has none, `known` (what it was before) or a new one is written into it.

    Never overwrites a file that another process made meanwhile.
    """
    path = root / SETTINGS_FILE
    if not path.parent.is_dir():
        raise FatalError(
            2,
            f"{root} is no Unity project: it has no ProjectSettings folder",
            hint="Give the project's folder with --project.",
        )
    try:
        for _ in range(10):
            raw = _read(root)
            settings = _parsed(raw) if raw is not None else {}
            found = _id_in(settings)
            if found is not None:
                return found
            content = (
                json.dumps({**settings, "projectId": known or str(uuid.uuid4())}, indent=2, ensure_ascii=False) + "\n"
            )
            if raw is None:
                _create(path, content.encode("utf-8"))
            elif _read(root) == raw:
                stage_private(path, content.encode("utf-8"), path.stat().st_mode & 0o777).replace(path)
    except OSError as error:
        raise FatalError(
            2,
            f"{SETTINGS_FILE} cannot be written: {error.strerror}",
            hint="SPARK keeps the project's id there; make the ProjectSettings folder writable.",
        ) from error
    raise FatalError(
        4, f"{SETTINGS_FILE} changes all the time", hint="Let the program that writes it finish, then try again."
    )


def _read(root: Path) -> bytes | None:
    try:
        return read_plain(root / SETTINGS_FILE)
    except OSError as error:
        raise FatalError(
            2, f"{SETTINGS_FILE} cannot be read: {error.strerror}", hint="It must be a plain file that you may read."
        ) from error


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _damaged(f"line {line}: not UTF-8") from None
    if not text.strip():
        return {}
    try:
        loaded = json.loads(text)
    except json.JSONDecodeError as error:
        raise _damaged(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise _damaged("line 1: nested too deep") from None
    if not isinstance(loaded, dict):
        raise _damaged("line 1: not a JSON object")
    return loaded


def _id_in(settings: dict[str, Any]) -> str | None:
    found = settings.get("projectId")
    if found is None:
        return None
    try:
        return str(uuid.UUID(found))
    except (ValueError, AttributeError, TypeError):
        raise _damaged('"projectId" is no UUID') from None


def _damaged(why: str) -> FatalError:
    return FatalError(
        2,
        f"{SETTINGS_FILE} is damaged, {why}",
        hint="Mend that line, or restore the file from version control; SPARK never replaces it.",
    )


def _create(path: Path, content: bytes) -> None:
    staged = stage_private(path, content, _SHARED_MODE)
    try:
        # A link fails where the name exists: the first of two processes wins, the second reads its id.
        with contextlib.suppress(FileExistsError):
            os.link(staged, path)
    except OSError:
        with contextlib.suppress(FileExistsError), path.open("xb") as file:
            file.write(content)
    finally:
        staged.unlink(missing_ok=True)
