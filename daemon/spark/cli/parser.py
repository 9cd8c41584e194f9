"""The command line of `spark`: every command with its arguments. A command is listed here once it works.

Only names are imported: the module of a command is loaded when it runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

Arguments = Callable[[argparse.ArgumentParser], None]


class UsageError(Exception):
    """What is wrong with a command line, and how it should look."""

    def __init__(self, message: str, usage: str) -> None:
        super().__init__(message)
        self.message = message
        self.usage = usage


class VersionAsked(Exception):
    """`--version` was given: nothing else counts."""


class _Version(argparse.Action):
    def __call__(self, *_: object) -> NoReturn:
        raise VersionAsked


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, self.format_usage())


@dataclass(frozen=True, slots=True)
class Command:
    """`run` is `module:function` below `spark.cli`; the function takes a `Context` and returns the exit status."""

    name: str
    help: str
    run: str
    arguments: Arguments = lambda parser: None
    starts_daemon: bool = False


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "prompts", nargs="*", metavar="PROMPT", help="send these instead of the sample prompts (needs --project)"
    )


def _up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detach", action="store_true", help="return when the daemon serves calls; it goes on running")
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="listen on this port (default: a free one)")
    parser.add_argument("--model", metavar="BACKEND", help="realtime, chat or offline")
    # How a command that starts a daemon for itself limits its life; not for people.
    parser.add_argument("--idle-stop", type=float, default=None, help=argparse.SUPPRESS)


def _port(raw: str) -> int:
    if not (raw.isascii() and raw.isdigit() and int(raw) <= 65535):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 (any free one) to 65535, not {raw[:20]!r}")
    return int(raw)


def _status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--brief", action="store_true", help="what the model is told of the project")


def _logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-f", "--follow", action="store_true", help="go on as the log grows")


def _ask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", metavar="PROMPT")
    parser.add_argument(
        "--reasoning", choices=("creative", "deterministic", "auto"), help="default: SPARK_SONNET_MODE, else auto"
    )
    parser.add_argument(
        "--mode",
        choices=("ask", "auto", "readOnly"),
        help="ask before changes land (default on a terminal), write without asking, or change nothing",
    )
    parser.add_argument("--new", action="store_true", help="begin a new conversation")
    parser.add_argument(
        "-a",
        "--attach",
        dest="attachments",
        action="append",
        default=[],
        metavar="ATTACHMENT",
        help="a path, PATH#Root/Object, @selection or @errors; give -a again for each further one",
    )


def _call(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("arguments", nargs="?", metavar="JSON|-", help="one JSON object; - reads it from stdin")
    parser.add_argument("--dry-run", action="store_true", help="answer diff and findings, write nothing")


def _history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", metavar="PATH", help="a file or a folder")
    parser.add_argument("--size", action="store_true", help="how much the history holds")


def _version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", metavar="VERSION")


def _diff(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="*", metavar="TURN|PATH|VERSION [VERSION]", help="default: the last turn")


def _undo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("turns", nargs="*", metavar="TURN", help="default: the last turn that changed a file")
    parser.add_argument("--since", metavar="TIME", help="all turns since 30m, 2h, 14:30 or 2026-01-31T12:00")
    parser.add_argument("--dry-run", action="store_true", help="show the diff, write nothing")


def _gc(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="count only")


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders (default: the whole project)")
    parser.add_argument("--since", metavar="REF", help="only what changed since a commit, branch or tag of git")
    parser.add_argument("--baseline", metavar="FILE", help="leave out what an earlier --json or SARIF output has")
    parser.add_argument(
        "--fail-on", choices=("error", "warning"), default="error", help="exit 1 at this and worse (default: error)"
    )
    parser.add_argument(
        "--format", choices=("text", "json", "sarif", "github"), help="default: text; with --json: json"
    )


def _key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("set", "clear", "status"))
    parser.add_argument("name", nargs="?", default="openai", metavar="openai|chat")


def _usage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", choices=("day", "model", "turn"), default="day")


def _merge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("base", metavar="BASE", help="the common ancestor; an empty file where both sides added it")
    parser.add_argument("ours", metavar="OURS")
    parser.add_argument("theirs", metavar="THEIRS")
    parser.add_argument("-o", dest="out", metavar="OUT", required=True, help="where the result goes; may be OURS")
    parser.add_argument("--path", metavar="NAME", help="the file's own name, where OUT is a temporary one (git's %%P)")


def _install(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("mergedriver",), help="git merges Unity's YAML with `spark merge`")


def _uninstall(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=("mergedriver",), help="only this; without: what stays")
    parser.add_argument("--purge", action="store_true", help="remove the history too (with --project: of that project)")
    parser.add_argument("--yes", action="store_true", help="with --purge: do not ask")


COMMANDS: Final[tuple[Command, ...]] = (
    Command("demo", "the main job in one go: sample project, prompts, files, history, undo", "demo:demo", _demo),
    Command("up", "start the daemon of a project", "daemon:up", _up),
    Command("down", "stop it", "daemon:down"),
    Command("status", "what it is doing", "daemon:status", _status),
    Command("logs", "its log", "daemon:logs", _logs),
    Command("ask", "one prompt", "ask:ask", _ask, starts_daemon=True),
    Command("tools", "the functions that a model may call", "call:tools"),
    Command("call", "call one of them by hand", "call:call", _call, starts_daemon=True),
    Command("history", "who changed which file when, and by which prompt", "history:history", _history),
    Command("show", "the bytes of a version", "history:show", _version),
    Command("diff", "what a turn or a version changed", "history:diff", _diff),
    Command("restore", "put a version back", "undo:restore", _version, starts_daemon=True),
    Command("undo", "take back turns; your own later edits stay", "undo:undo", _undo, starts_daemon=True),
    Command("gc", "free room in the history", "undo:gc", _gc),
    Command("check", "what is wrong with the project's files", "check:check", _check),
    Command("key", "keep, remove or show the source of a model's key", "keys:key", _key),
    Command("usage", "tokens and cost", "keys:usage", _usage),
    Command("doctor", "what is set up how, and the line that mends what is not", "doctor:doctor"),
    Command("merge", "three versions of a file become one, by what the file means", "merge:merge", _merge),
    Command("install", "git's merge driver for a project", "install:install", _install),
    Command("uninstall", "what stays on this machine, and removing it", "uninstall:uninstall", _uninstall),
)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line. `parse_args` raises `UsageError` for what it cannot take."""
    common = _Parser(add_help=False)
    # SUPPRESS: the same option before and after the command word must not overwrite each other's value.
    common.add_argument("--project", metavar="DIR", default=argparse.SUPPRESS, help="the Unity project")
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="JSON on stdout, nothing else")
    parser = _Parser(
        prog="spark",
        description="Prompts become files in your Unity project, and every version of every file is kept.",
        parents=[common],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and end")
    words = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for command in COMMANDS:
        word = words.add_parser(
            command.name, help=command.help, description=command.help, parents=[common], allow_abbrev=False
        )
        command.arguments(word)
        if command.starts_daemon:
            word.add_argument("--no-start", action="store_true", help="do not start a daemon where none runs")
    return parser


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of one call; `project` and `json` are always set."""
    return build_parser().parse_args(argv, argparse.Namespace(project=None, json=False))
