"""`check`: what is wrong with the files of a project. Needs no daemon and no network, and writes nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spark.cli import exits
from spark.cli.context import Context
from spark.cli.places import project_path
from spark.core.diagnostics import Checked, Finding
from spark.core.errors import FatalError, SparkError
from spark.core.paths import ProjectPath

if TYPE_CHECKING:
    from spark.cli.check_files import WalkedIndex
    from spark.cli.check_formats import Shown


def check(context: Context) -> int:
    args = context.args
    form = _format(context)
    root = context.root()
    accepted = None
    if args.baseline is not None:
        from spark.cli.check_baseline import read_baseline

        accepted = read_baseline(context.cwd / Path(args.baseline).expanduser())
    asked = _asked(context, root)
    checked, index = _checked(root, asked, args.since)
    findings: Sequence[Finding] = checked.findings
    if accepted is not None:
        from spark.cli.check_baseline import not_accepted

        findings = not_accepted(findings, accepted)
    for what, count in sorted(index.skipped.items()):
        context.out.note(f"not looked at: {what} ({count})")
    _show(context, root, form, findings, checked.checked)
    failing = ("error",) if args.fail_on == "error" else ("error", "warning")
    return exits.REFUSED if any(finding.severity in failing for finding in findings) else exits.DONE


def _format(context: Context) -> str:
    asked: str | None = context.args.format
    if not context.args.json:
        return asked or "text"
    if asked in ("text", "github"):
        raise FatalError(2, f"--json and --format {asked} ask for two different outputs", hint="Give one of them.")
    return asked or "json"


def _asked(context: Context, root: Path) -> list[ProjectPath] | None:
    """The files and folders that were named; None: the whole project."""
    if not context.args.paths:
        return None
    found: list[ProjectPath] = []
    for raw in context.args.paths:
        place = Path(os.path.realpath(context.cwd / Path(raw).expanduser()))
        if root.is_relative_to(place):
            return None
        try:
            path = project_path(root, context.cwd, raw, field="PATH")
        except SparkError as error:
            hint = error.hint or "Name files or folders in Assets, Packages or ProjectSettings."
            raise FatalError(2, error.message, hint=hint) from error
        if not os.path.lexists(root / path.text):
            raise FatalError(2, f"{raw}: there is no such file or folder in {root}")
        found.append(path)
    return found


def _checked(root: Path, asked: list[ProjectPath] | None, since: str | None) -> tuple[Checked, WalkedIndex]:
    from spark.cli.check_files import WalkedFiles, WalkedIndex
    from spark.engines import detect

    files = WalkedFiles(root)
    chosen = None
    if since is not None:
        from spark.cli.check_git import changed_since

        chosen = changed_since(root, since)
    index = WalkedIndex(files)
    engine = detect(files, index)
    if chosen is None:
        return engine.check_project(asked), index
    paths = {ProjectPath(path) for path in (*chosen.changed, *chosen.deleted)}
    # An asset and its .meta are judged together.
    paths |= {other for path in paths for other in (path.asset, path.meta) if not other.text.endswith(".meta.meta")}
    if chosen.gone_guids:
        paths |= set(index.references_to_any(chosen.gone_guids))
    if asked is not None:
        paths = {path for path in paths if any(path == one or path.is_under(one) for one in asked)}
    # Folders are named by their metas, and mean themselves only.
    folders = {path for path in paths if (root / path.text).is_dir()}
    return engine.check_project(sorted(paths - folders)), index


def _show(context: Context, root: Path, form: str, findings: Sequence[Finding], checked: int) -> None:
    from spark.cli import check_formats

    out = context.out
    if form == "json":
        from spark.protocol.wire import checked_to_wire

        out.document(checked_to_wire(Checked(tuple(findings), checked)))
    elif form == "sarif":
        from spark.engines.unity.checks.codes import CODES

        out.document(check_formats.sarif(findings, _below(root, _repository(root)), CODES))
    elif form == "github":
        for line in check_formats.github_lines(findings, _below(root, _repository(root))):
            out.text(line)
        out.text(check_formats.summary(findings, checked))
    else:
        for line in check_formats.text_lines(findings, checked, _below(root, context.cwd)):
            out.text(line)


def _repository(root: Path) -> Path:
    """The folder of the git repository that the project lies in; the project itself where there is none."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)


def _below(root: Path, base: Path) -> Shown:
    """How paths of the project look from a folder, with `/`."""
    start = os.path.realpath(base)
    try:
        prefix = os.path.relpath(root, start).replace(os.sep, "/")
    except ValueError:
        prefix = str(root).replace(os.sep, "/")  # another drive
    if prefix == ".":
        return lambda path: path
    if prefix.startswith(".."):
        # From inside of the project: the way down is shorter than the way round.
        inside = os.path.relpath(start, root).replace(os.sep, "/") + "/"
        return lambda path: path[len(inside) :] if path.startswith(inside) else f"{prefix}/{path}"
    return lambda path: f"{prefix}/{path}"
