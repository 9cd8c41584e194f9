"""The command line: which commands there are, what each takes, and that its wording is the contract's."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from spark.cli.parser import COMMANDS, UsageError, parse

ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("demo", {"prompts": []}),
    ("demo --project X make-it", {"project": "X", "prompts": ["make-it"]}),
    ("up", {"detach": False, "port": 0, "model": None, "idle_stop": None}),
    ("up --detach --port 8123 --model chat", {"detach": True, "port": 8123, "model": "chat"}),
    ("down", {}),
    ("status", {"brief": False}),
    ("status --brief", {"brief": True}),
    ("logs", {"follow": False}),
    ("logs -f", {"follow": True}),
    ("ask hello", {"prompt": "hello", "mode": None, "reasoning": None, "new": False, "attachments": []}),
    ("ask hello --reasoning creative --mode auto --new", {"reasoning": "creative", "mode": "auto", "new": True}),
    ("ask -a A.cs hello", {"prompt": "hello", "attachments": ["A.cs"]}),
    ("ask hello -a A.cs -a B.cs#Root/Body -a @errors", {"attachments": ["A.cs", "B.cs#Root/Body", "@errors"]}),
    ("ask hello --no-start", {"no_start": True}),
    ("tools", {}),
    ("call readFile", {"name": "readFile", "arguments": None, "dry_run": False, "no_start": False}),
    ("call readFile {} --dry-run", {"arguments": "{}", "dry_run": True}),
    ("call readFile -", {"arguments": "-"}),
    ("history", {"path": None, "size": False}),
    ("history Assets/A.cs", {"path": "Assets/A.cs"}),
    ("history --size", {"size": True}),
    ("show ver_1", {"version": "ver_1"}),
    ("diff", {"what": []}),
    ("diff ver_1 ver_2", {"what": ["ver_1", "ver_2"]}),
    ("restore ver_1", {"version": "ver_1", "no_start": False}),
    ("undo", {"turns": [], "since": None, "dry_run": False, "no_start": False}),
    ("undo turn_1 turn_2 --dry-run", {"turns": ["turn_1", "turn_2"], "dry_run": True}),
    ("undo --since 30m", {"since": "30m"}),
    ("gc --dry-run", {"dry_run": True}),
    ("key set", {"action": "set", "name": "openai"}),
    ("key clear chat", {"action": "clear", "name": "chat"}),
    ("key status", {"action": "status"}),
    ("usage", {"by": "day"}),
    ("usage --by turn", {"by": "turn"}),
    ("doctor", {}),
    ("merge BASE OURS THEIRS -o OUT", {"base": "BASE", "ours": "OURS", "theirs": "THEIRS", "out": "OUT", "path": None}),
    ("merge B O T -o O --path Assets/A.unity", {"out": "O", "path": "Assets/A.unity"}),
    ("install mergedriver", {"what": "mergedriver"}),
    ("uninstall mergedriver", {"what": "mergedriver"}),
    ("uninstall", {"purge": False}),
    ("uninstall --purge", {"purge": True, "yes": False}),
    ("uninstall --purge --yes", {"purge": True, "yes": True}),
]


@pytest.mark.parametrize(("line", "expected"), ACCEPTED, ids=[line for line, _ in ACCEPTED])
def test_takes_what_the_contract_lists(line: str, expected: dict[str, Any]) -> None:
    """Every command takes its arguments as the contract writes them, and knows nothing of `--json` or a project by itself."""
    args = parse(line.split())
    assert args.command == line.split()[0]
    assert {name: getattr(args, name) for name in expected} == expected
    assert args.json is False


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_common_flags_before_and_after(command: str) -> None:
    """`--project` and `--json` hold before and after the command word, for every command."""
    least = {
        "ask": ["x"],
        "call": ["x"],
        "show": ["x"],
        "restore": ["x"],
        "key": ["status"],
        "merge": ["B", "O", "T", "-o", "OUT"],
        "install": ["mergedriver"],
    }.get(command, [])
    before = parse(["--project", "P", "--json", command, *least])
    after = parse([command, *least, "--project", "P", "--json"])
    for args in (before, after):
        assert (args.project, args.json) == ("P", True)
    mixed = parse(["--json", command, *least, "--project", "P"])
    assert (mixed.project, mixed.json) == ("P", True)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "--project",
        "up --port x",
        "up --port 70000",
        "ask",
        "ask hello --mode whatever",
        "ask hello --reasoning hybrid",
        "show",
        "key",
        "key steal",
        "history --siz",
        "usage --by hour",
        "down now",
        "merge B O T",
        "install everything",
    ],
)
def test_refuses_the_rest(line: str) -> None:
    """What the contract does not list is wrong usage, abbreviations too."""
    with pytest.raises(UsageError) as caught:
        parse(line.split())
    assert caught.value.usage.startswith("usage: spark")


@pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])
def test_every_listed_command_exists(command: Any) -> None:
    """A listed command has a function that runs it."""
    module, _, function = command.run.partition(":")
    assert callable(getattr(import_module(f"spark.cli.{module}"), function))


@pytest.mark.parametrize("port", ["99999", "-1", "x", "8 0", "\u0663"])
def test_a_port_that_is_none_is_told_plainly(port: str) -> None:
    """The sentence says what a port is, not which function refused it."""
    with pytest.raises(UsageError, match=r"from 0 .* to 65535") as caught:
        parse(["up", f"--port={port}"])
    assert "_port" not in caught.value.message
