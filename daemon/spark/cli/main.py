"""Runs a command and turns what happened into an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from spark import __version__
from spark.cli import exits
from spark.cli.context import Context
from spark.cli.output import Output
from spark.cli.parser import COMMANDS, UsageError, VersionAsked, parse
from spark.core.errors import FatalError, SparkError


def main(argv: Sequence[str] | None = None) -> int:
    """One call of `spark`. Returns the exit status of the contract; what is our own bug is raised."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        args = parse(given)
    except UsageError as error:
        wrong = FatalError(exits.USAGE, error.message, hint=error.usage.strip())
        return _refused(Output(as_json="--json" in given), wrong)
    except VersionAsked:
        out = Output(as_json="--json" in given)
        if out.as_json:
            out.document({"name": "spark", "version": __version__})
        out.text(f"spark {__version__}")
        return exits.DONE
    except SystemExit as asked:  # --help
        return int(asked.code or 0)
    out = Output(as_json=args.json)
    try:
        return _command(args.command)(Context(args, out))
    except (FatalError, SparkError) as error:
        return _refused(out, error)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        # The reader (head, a closed pager) has seen enough. Without this the interpreter complains while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.BROKEN_PIPE


def _command(name: str) -> Callable[[Context], int]:
    module, _, function = next(command.run for command in COMMANDS if command.name == name).partition(":")
    run: Callable[[Context], int] = getattr(import_module(f"spark.cli.{module}"), function)
    return run


def _refused(out: Output, error: FatalError | SparkError) -> int:
    if out.as_json:
        out.document(exits.to_wire(error))
    out.note(exits.to_text(error))
    return exits.status_of(error)
