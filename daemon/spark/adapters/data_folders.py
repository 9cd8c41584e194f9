"""The data folders of this user's checkouts, and which of them belongs to a project's folder.

Each says in its `checkout.json` which project it is of, where that project lay, and which folder that was (device and
inode). Only the very same folder in another place was moved; a copy or a second clone is a checkout of its own, also
while the first one is away. Must not know what else is kept there.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spark.adapters.private_files import read_plain
from spark.adapters.process_lock import is_file_locked

RECORD = "checkout.json"


@dataclass(frozen=True, slots=True)
class Record:
    """What a data folder says of its project. `device` and `inode` are None where an older SPARK wrote it."""

    data_dir: Path
    project_id: str
    root: str
    device: int | None
    inode: int | None

    def is_of(self, root: Path) -> bool:
        """Whether a folder is the very one that was recorded."""
        folder = folder_identity(root)
        return folder is not None and folder == (self.device, self.inode)

    @property
    def is_left(self) -> bool:
        """Whether the recorded folder is no longer at its place."""
        if self.inode is None:
            # Not `Path.is_dir`: it raises where a folder may not be looked at.
            return not os.path.isdir(self.root)
        return not self.is_of(Path(self.root))

    @property
    def used_at(self) -> float:
        """When a daemon last began with it, as seconds since 1970."""
        for name in ("lock", RECORD):
            try:
                return (self.data_dir / name).stat().st_mtime
            except OSError:
                continue
        return 0.0


def checkouts_folder() -> Path:
    """Where the data folders of all checkouts of this user lie."""
    import platformdirs

    return platformdirs.user_data_path("spark", appauthor=False) / "checkouts"


def checkout_id_of(project_id: str, root: Path) -> str:
    """A short stable name for a project at a real path."""
    return hashlib.sha256(f"{project_id}\0{os.path.normcase(root)}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def is_locked(data_dir: Path) -> bool:
    """Whether a living daemon uses a data folder."""
    return is_file_locked(data_dir / "lock")


def described(project_id: str, root: Path) -> dict[str, Any]:
    """What is recorded of a project's folder."""
    device, inode = folder_identity(root) or (None, None)
    return {"projectId": project_id, "root": str(root), "device": device, "inode": inode}


def folder_identity(root: Path) -> tuple[int, int] | None:
    """Device and inode of a folder; None where there is none, or the file system numbers nothing."""
    try:
        found = root.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) and found.st_ino else None


def record_of(data_dir: Path) -> Record | None:
    """What a data folder says of its project; None where it says nothing readable."""
    found = load_object(data_dir / RECORD)
    project_id, root = found.get("projectId"), found.get("root")
    if not isinstance(project_id, str) or not isinstance(root, str):
        return None
    device, inode = found.get("device"), found.get("inode")
    whole = isinstance(device, int) and isinstance(inode, int)
    return Record(data_dir, project_id, root, device if whole else None, inode if whole else None)


def records(parent: Path) -> Iterator[Record]:
    """The records of all data folders, in the order of their names."""
    for path in sorted(parent.glob(f"*/{RECORD}")):
        found = record_of(path.parent)
        if found is not None:
            yield found


def moved_here(parent: Path, project_id: str, root: Path) -> Record | None:
    """The one data folder of this project that was recorded for this very folder, when it lay in another place."""
    moved = [
        record
        for record in records(parent)
        if record.project_id == project_id and record.is_of(root) and record.is_left
    ]
    return moved[0] if len(moved) == 1 else None


def known_by_root(parent: Path, root: Path) -> Record | None:
    """The data folder that was last used for this place, unless another folder lies there now.

    The device is not compared: it may be numbered anew at each start of the machine.
    """
    folder = folder_identity(root)
    if folder is None:
        return None
    known = [record for record in records(parent) if record.root == str(root) and record.inode in (None, folder[1])]
    return max(known, key=lambda record: record.used_at, default=None)


def older_histories(parent: Path, project_id: str, root: Path, data_dir: Path) -> list[Record]:
    """Histories that may be meant but are not used: of this project where its folder is no longer at its place, and of
    this place or this very folder under another id."""
    return [
        record
        for record in records(parent)
        if record.data_dir != data_dir
        and (record.data_dir / "store.db").is_file()
        and (record.is_left if record.project_id == project_id else record.root == str(root) or record.is_of(root))
    ]


def load_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none that can be read."""
    try:
        loaded = json.loads(read_plain(path) or b"null")
    except (OSError, ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def dump_object(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2).encode("ascii") + b"\n"
