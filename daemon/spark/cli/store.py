"""The history of a project, opened without a daemon: for reading, and for `gc`. Creates nothing.

Put together here and not taken from `spark.app`, because that loads the whole daemon.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from spark.adapters.database import Database
    from spark.adapters.journal import SqliteJournal
    from spark.adapters.version_store import SqliteVersionStore
    from spark.settings import Settings

_NO_STORE: Final = Path("there-is-no-history-yet")


@contextmanager
def opened_store(
    root: Path, settings: Settings | None = None, *, read_only: bool = True
) -> Iterator[SqliteVersionStore]:
    """The project's history; an empty one where there is none yet. Without `read_only` it must exist (`store_path`).

    Settings limit what is kept; who only reads needs none, so that a bad setting never hides the history.
    """
    from spark.adapters.clock import SystemClock
    from spark.adapters.version_store import SqliteVersionStore
    from spark.settings import Settings

    limits = settings or Settings()
    with _opened(root, read_only=read_only) as database:
        yield SqliteVersionStore(
            database,
            SystemClock(),
            max_file_bytes=limits.history_max_file_bytes,
            max_total_bytes=limits.history_max_total_bytes,
        )


@contextmanager
def opened_journal(root: Path) -> Iterator[SqliteJournal]:
    """The project's turns, for reading."""
    from spark.adapters.clock import SystemClock
    from spark.adapters.journal import SqliteJournal

    with _opened(root, read_only=True) as database:
        yield SqliteJournal(database, SystemClock())


@contextmanager
def _opened(root: Path, *, read_only: bool) -> Iterator[Database]:
    from spark.adapters.database import Database

    database = Database(store_path(root) or root / _NO_STORE, read_only=read_only)
    try:
        yield database
    finally:
        database.close()


def store_path(root: Path) -> Path | None:
    """Where the history lies; None while there is none."""
    from spark.adapters.checkout import find_checkout

    checkout = find_checkout(root)
    path = checkout.data_dir / "store.db" if checkout is not None else None
    return path if path is not None and path.is_file() else None
