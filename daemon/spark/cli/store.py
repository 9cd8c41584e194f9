"""The history of a project, opened without a daemon: for reading, and for `gc`. Creates nothing.

Put together here and not taken from `spark.app`, because that loads the whole daemon.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spark.cli.context import Context

if TYPE_CHECKING:
    from spark.adapters.version_store import SqliteVersionStore

_NO_STORE: Final = Path("there-is-no-history-yet")


@contextmanager
def opened_store(context: Context, root: Path, *, read_only: bool = True) -> Iterator[SqliteVersionStore]:
    """The project's history; an empty one where there is none yet. Without `read_only` it must exist (`store_path`)."""
    from spark.adapters.clock import SystemClock
    from spark.adapters.database import Database
    from spark.adapters.version_store import SqliteVersionStore

    settings = context.settings(root)
    database = Database(store_path(root) or root / _NO_STORE, read_only=read_only)
    try:
        yield SqliteVersionStore(
            database,
            SystemClock(),
            max_file_bytes=settings.history_max_file_bytes,
            max_total_bytes=settings.history_max_total_bytes,
        )
    finally:
        database.close()


def store_path(root: Path) -> Path | None:
    """Where the history lies; None while there is none."""
    from spark.adapters.checkout import find_checkout

    checkout = find_checkout(root)
    path = checkout.data_dir / "store.db" if checkout is not None else None
    return path if path is not None and path.is_file() else None
