"""What every command gets: its arguments, where it was called, its output."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spark.cli.output import Output
from spark.cli.places import find_project, quoted
from spark.core.errors import FatalError

if TYPE_CHECKING:
    from spark.settings import Settings


@dataclass(frozen=True)
class Context:
    """`args` holds what the parser made of the command line; `project`, `json` and `command` are always there."""

    args: argparse.Namespace
    out: Output
    cwd: Path = field(default_factory=Path.cwd)
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def root(self) -> Path:
        """The project that is meant. Raises `FatalError` (2) where there is none or more than one."""
        return find_project(self.args.project, self.cwd)

    def project_flag(self, root: Path) -> str:
        """` --project ROOT` for a line that somebody may copy, where it would mean another project without; else empty."""
        if self.args.project is None:
            try:
                if find_project(None, self.cwd) == root:
                    return ""
            except FatalError:
                pass  # from here none is found: the line needs the name
        return f" --project {quoted(str(root))}"

    def settings(self, root: Path | None, **flags: Any) -> Settings:
        from spark.settings import load_settings

        return load_settings(root, self.env, flags)
