"""Complete C# scripts with a name to fill in: what the offline model can write. C# 9, Unity 2021.3 to 6000.

A template is a `NAME.cs.txt` in this folder with `#SCRIPTNAME#` (Unity's own placeholder) for the class. This module
knows nothing of prompts, places or models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACEHOLDER: Final = "#SCRIPTNAME#"
INDENT: Final = "    "
_COMMENT_LINE = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Template:
    """One fixed script. `title`: how it is called in sentences; `base_class`: empty for a plain class."""

    name: str
    title: str
    default_class: str
    base_class: str


_ALL: Final = (
    Template("player_controller", "player controller", "PlayerController", "MonoBehaviour"),
    Template(
        "player_controller_input_system",
        "player controller for the Input System package",
        "PlayerController",
        "MonoBehaviour",
    ),
    Template("health", "health", "Health", "MonoBehaviour"),
    Template("pickup", "pickup", "Pickup", "MonoBehaviour"),
    Template("spawner", "spawner", "Spawner", "MonoBehaviour"),
    Template("follow_camera", "follow camera", "FollowCamera", "MonoBehaviour"),
    Template("game_manager", "game manager", "GameManager", "MonoBehaviour"),
    Template("component", "empty component", "NewComponent", "MonoBehaviour"),
    Template("plain_class", "plain class", "NewClass", ""),
)
TEMPLATES: Final[Mapping[str, Template]] = MappingProxyType({template.name: template for template in _ALL})


@cache
def _text(name: str) -> str:
    text = files(__package__).joinpath(f"{name}.cs.txt").read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")  # a checkout on Windows may have changed them


def fill(name: str, class_name: str, *, namespace: str | None = None, comments: bool = True) -> str:
    """The script of a template: `\\n` line ends, four spaces, one final newline. `KeyError` for an unknown template.

    `comments` false leaves out every line that is only a comment.
    """
    text = _text(TEMPLATES[name].name).replace(PLACEHOLDER, class_name)
    if not comments:
        text = _COMMENT_LINE.sub("", text)
    return _in_namespace(text, namespace) if namespace else text


def _in_namespace(text: str, namespace: str) -> str:
    """Wraps everything behind the `using` lines. File-scoped namespaces are C# 10, which Unity does not compile."""
    lines = text.rstrip("\n").split("\n")
    start = next(number for number, line in enumerate(lines) if line and not line.startswith("using "))
    body = [f"{INDENT}{line}" if line else "" for line in lines[start:]]
    return "\n".join([*lines[:start], f"namespace {namespace}", "{", *body, "}"]) + "\n"
