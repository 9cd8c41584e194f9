"""`history`, `show`, `diff`: what the version store holds, read without a daemon and without changing anything."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spark.cli import exits
from spark.cli.context import Context
from spark.cli.output import one_line, printable, size_text
from spark.cli.places import project_path
from spark.cli.store import opened_store
from spark.cli.times import local_text
from spark.core.errors import FatalError, SparkError, ToolRejected
from spark.core.versions import Version

if TYPE_CHECKING:
    from spark.adapters.version_store import SqliteVersionStore

_PAGE: Final = 200
_SHOWN_ON_TERMINAL: Final = 40
_PROMPT_CHARS: Final = 60


def history(context: Context) -> int:
    root = context.root()
    path = context.args.path
    only = project_path(root, context.cwd, path).text if path is not None else None
    if context.args.size:
        return _size(context, root)
    with opened_store(root) as store:
        versions = all_versions(store, only)
        if context.out.as_json:
            from spark.protocol.wire import version_to_wire

            context.out.document({"versions": [version_to_wire(version) for version in versions], "next": None})
            return exits.DONE
        shown = 0
        for version in versions:
            if shown == _SHOWN_ON_TERMINAL and context.out.stdout_is_terminal:
                context.out.note("... and older ones: spark history | less")
                break
            context.out.text(_line(version))
            shown += 1
        if not shown:
            what = only or str(root)
            context.out.note(f"no versions of {what} yet: they begin with the first change while the daemon runs")
    return exits.DONE


def all_versions(store: SqliteVersionStore, path: str | None = None) -> Iterator[Version]:
    """Newest first, page by page."""
    before: str | None = None
    while True:
        page = store.history(path=path, limit=_PAGE, before=before)
        yield from page.versions
        if page.next is None:
            return
        before = page.next


def _line(version: Version) -> str:
    author = f"{version.author.kind} {version.author.name}".strip()
    prompt = f'  "{one_line(version.prompt, _PROMPT_CHARS)}"' if version.prompt else ""
    what = version.path or version.git.branch or "-"
    turn = f"  {version.turn_id}" if version.turn_id else ""
    return (
        f"{local_text(version.created_at)}  {version.version_id}  {one_line(author, 32):<24}  "
        f"{version.action:<8}  {printable(what)}{prompt}{turn}"
    )


def _size(context: Context, root: Path) -> int:
    settings = None
    try:
        settings = context.settings(root)
    except FatalError as error:
        context.out.note(f"{exits.to_text(error)}\n  so the limit shown is the default")
    with opened_store(root, settings) as store:
        report = store.size_report()
    if context.out.as_json:
        context.out.document(report)
        return exits.DONE
    context.out.text(
        f"{report['versions']} versions, {report['contents']} different contents: {size_text(report['bytes'])}, "
        f"stored in {size_text(report['storedBytes'])} of at most {size_text(report['maxBytes'])}"
    )
    return exits.DONE


def show(context: Context) -> int:
    root = context.root()
    with opened_store(root) as store:
        version = _version(store, context.args.version)
        content = _content(store, version.sha256) if version.sha256 is not None else None
    if content is None:
        raise SparkError(
            "not_found",
            _why_no_bytes(version),
            hint=f"`spark show {version.parent_id}` shows what was there before." if version.parent_id else "",
        )
    if context.out.as_json:
        from spark.protocol.wire import version_to_wire

        context.out.document({**version_to_wire(version), **_as_json_text(content)})
    else:
        context.out.raw(content)
    return exits.DONE


def _why_no_bytes(version: Version) -> str:
    if not version.path:
        return f"version {version.version_id} is git's checkout of {version.git.branch or 'a commit'}, not a file"
    gone = "moved away" if version.action == "moved" else "deleted"
    return f"with version {version.version_id} {version.path} was {gone}: after it there is no file to show"


def _as_json_text(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode("ascii")}


def _version(store: SqliteVersionStore, version_id: str) -> Version:
    version = store.version(version_id)
    if version is None:
        raise ToolRejected(
            "not_found",
            f"there is no version {version_id[:80]!r}",
            hint="`spark history` lists the versions with their ids.",
            details={"versionId": version_id[:80]},
        )
    return version


def _content(store: SqliteVersionStore, sha256: str) -> bytes:
    content = store.content(sha256)
    if content is None:
        raise ToolRejected(
            "not_found",
            f"the bytes {sha256[:12]} were not kept",
            hint="Big files that are no text are kept by hash only (SPARK_HISTORY_MAX_FILE_MB), and old ones make room.",
            details={"sha256": sha256},
        )
    return content


def diff(context: Context) -> int:
    what: list[str] = context.args.what
    if len(what) > 2:
        raise FatalError(
            exits.USAGE, "diff compares at most two versions", hint="spark diff [TURN|PATH|VERSION [VERSION]]"
        )
    root = context.root()
    with opened_store(root) as store:
        pairs = _pairs(context, root, store, what)
        files = [file_diff(store, before, after) for before, after in pairs]
    if context.out.as_json:
        context.out.document({"files": files})
        return exits.DONE
    for file in files:
        context.out.raw(str(file["diff"]).encode("utf-8", "surrogateescape"))
    return exits.DONE


Pair = tuple[Version | None, Version]
"""Before (None: nothing was there) and after."""


def _pairs(context: Context, root: Path, store: SqliteVersionStore, what: list[str]) -> list[Pair]:
    if len(what) == 2:
        return [(_version(store, what[0]), _version(store, what[1]))]
    if not what:
        turn_id = last_turn(store)
        if turn_id is None:
            raise ToolRejected(
                "not_found", "no turn has changed a file yet", hint="`spark history` lists what there is."
            )
        return turn_pairs(store, turn_id)
    version = store.version(what[0])
    if version is not None:
        return [(_parent(store, version), version)]
    pairs = turn_pairs(store, what[0])
    if pairs:
        return pairs
    path = project_path(root, context.cwd, what[0])
    latest = store.latest(path)
    if latest is None:
        raise ToolRejected(
            "not_found",
            f"{what[0]!r} is no turn, no version, and no file with versions",
            hint="`spark history` lists versions and their paths.",
            details={"path": path.text},
        )
    return [(_parent(store, latest), latest)]


def last_turn(store: SqliteVersionStore) -> str | None:
    """The newest turn that changed a file."""
    return next((version.turn_id for version in all_versions(store) if version.turn_id is not None), None)


def turn_pairs(store: SqliteVersionStore, turn_id: str) -> list[Pair]:
    """Per path: what was there before the turn's first change, and its last."""
    first: dict[str, Version] = {}
    last: dict[str, Version] = {}
    for version in store.turn_versions(turn_id):
        if version.path and version.author.kind != "user":
            first.setdefault(version.path, version)
            last[version.path] = version
    return [(_parent(store, first[path]), last[path]) for path in sorted(last)]


def _parent(store: SqliteVersionStore, version: Version) -> Version | None:
    return store.version(version.parent_id) if version.parent_id is not None else None


def file_diff(store: SqliteVersionStore, before: Version | None, after: Version) -> dict[str, Any]:
    from spark.text.diff import unified_diff

    old = before.sha256 if before is not None else None
    old_path = before.path if before is not None and before.path != after.path else None
    try:
        text = unified_diff(
            None if old is None else _content(store, old),
            None if after.sha256 is None else _content(store, after.sha256),
            after.path,
            old_path=old_path,
            max_bytes=None,
        )
    except SparkError as error:
        # One file whose bytes are gone must not hide the others.
        text = f"# {after.path}: no diff, {error.message}\n"
    return {
        "path": after.path,
        "action": after.action,
        "sha256Before": old,
        "sha256After": after.sha256,
        "diff": text,
    }
