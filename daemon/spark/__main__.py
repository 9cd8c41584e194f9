"""`spark` and `python -m spark`: runs the command line as a process."""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType
from typing import NoReturn

from spark.cli import exits
from spark.cli.main import main as run
from spark.cli.output import use_utf8


def _our_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
    if issubclass(kind, KeyboardInterrupt):  # Ctrl-C before the command line was up
        os._exit(exits.INTERRUPTED)
    # Everything that is somebody else's fault was caught: this is ours, said loudly and with its own status.
    traceback.print_exception(kind, error, trace)
    sys.stderr.write("spark: this is a bug in SPARK; the lines above say where\n")
    sys.stderr.flush()
    os._exit(exits.OUR_BUG)


def main() -> NoReturn:
    sys.excepthook = _our_bug
    use_utf8()
    sys.exit(run())


if __name__ == "__main__":
    main()
