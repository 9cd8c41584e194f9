"""Which fixed script a prompt asks for, under which name, where. Fixed patterns; pure.

What it does not recognise it refuses: a template is no answer to "a script that makes the enemy explode".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from spark.adapters.models.offline_language import as_class_name, polite_removed, words_of_name
from spark.engines.unity.templates import TEMPLATES

_VERB: Final = r"(?:create|make|write|generate|add|build|give\s+me|i\s+(?:want|need)|new)"
_KEYWORDS: Final[tuple[tuple[str, str], ...]] = (
    ("player_controller", r"(?:player|character)[\s-]?(?:controller|movement|mover)"),
    (
        "follow_camera",
        r"(?:follow(?:ing)?|third[\s-]person|smooth)[\s-]?camera|camera[\s-]?(?:follow(?:er|s)?|that\s+follows)",
    ),
    ("game_manager", r"game[\s-]?manager"),
    ("spawner", r"spawner|spawn(?:ing)?\s+(?=script|component|class)"),
    ("pickup", r"pick[\s-]?up|collectible|collectable"),
    ("health", r"health|hit[\s-]?points"),
)
# A "health bar", a "shader for the pickup" or a "game manager test" is something else.
_BEFORE: Final = r"(?:(?!shader|material|prefab|scene|tests?\b|animation|texture|sprite|sound|ui\b|canvas|menu|icon|model)[\w#'-]+\s+){0,6}?"
_AFTER: Final = (
    r"(?=\s*(?:$|[,.;:(\"'`“]|(?:script|component|class|behaviou?r|monobehaviou?r|system)\b(?!\s+(?:test|editor|ui)\b)"
    r"|(?:called|named|in|into|under|with|for|that|which|and|to|at)\b|(?-i:[A-Z]\w*[A-Z]\w*)))"
)
_SKILLS: Final = tuple(
    (name, re.compile(rf"{_VERB}\s+{_BEFORE}(?:{keyword}){_AFTER}", re.IGNORECASE)) for name, keyword in _KEYWORDS
)
_SUFFIXES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("player_controller", ("player", "controller")),
    ("player_controller", ("character", "controller")),
    ("follow_camera", ("follow", "camera")),
    ("follow_camera", ("camera", "follow")),
    ("game_manager", ("game", "manager")),
    ("spawner", ("spawner",)),
    ("pickup", ("pickup",)),
    ("health", ("health",)),
)
_CALLED: Final = re.compile(
    r"\b(?:called|named|with\s+the\s+name|name\s+it)\s+(?P<name>\"[^\"]+\"|'[^']+'|`[^`]+`|“[^”]+”|[^\W\d]\w*)(?:\.cs\b)?",
    re.IGNORECASE,
)
_PASCAL: Final = re.compile(r"(?<![\w./])(?P<name>[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+)(?:\.cs)?(?![\w/])")
_AFTER_NOUN: Final = re.compile(r"\b(?:script|class|component|behaviou?r)\s+(?P<name>[A-Z]\w*)(?:\.cs)?\b(?!\s*\.)")
_NOT_NAMES: Final = frozenset({"MonoBehaviour", "ScriptableObject", "GameObject", "CharacterController"})
_NAMESPACE: Final = re.compile(
    r"[,\s]*\b(?:in|into|under|with|using)?\s*(?:the\s+)?namespace\s+[`\"']?(?P<name>[A-Za-z][A-Za-z0-9_.]*[A-Za-z0-9_])[`\"']?",
    re.IGNORECASE,
)
_FOLDER: Final = re.compile(
    r"[,\s]*\b(?:in|into|under|to|at|inside)\s+(?:the\s+folder\s+)?[`\"']?(?P<folder>(?:Assets|Packages)(?:/[\w.-]*\w)*)/?[`\"']?",
)
_FILE_NAME: Final = re.compile(
    r"[,\s]*\b(?:in|into|under|to|at|as)?\s*[`\"']?(?P<folder>(?:Assets|Packages)(?:/[\w.-]+)*)/(?P<name>\w+)\.cs[`\"']?"
)
_PLAIN: Final = re.compile(
    rf"{_VERB}\s+(?:an?\s+|the\s+|me\s+|new\s+|empty\s+|plain\s+|simple\s+|unity\s+|c#\s+|c\s?sharp\s+|blank\s+)*"
    r"(?P<noun>script|class|component|mono\s?behaviou?r)(?:\s+(?:file|script|class|component))?",
    re.IGNORECASE,
)
_INPUT_LINE: Final = re.compile(r"^.*\binput\b.*$", re.IGNORECASE | re.MULTILINE)
# What the brief says of the project. "none" and the like are no namespace.
_ROOT_NAMESPACE: Final = re.compile(
    r"\broot namespace\b\s*[:=]\s*[`\"']?(?P<name>(?!(?:none|not)\b)[A-Za-z_][\w.]*\w)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ScriptWish:
    """A template with what is filled in. None: the project's own rules decide."""

    template: str
    class_name: str
    namespace: str | None
    folder: str | None


def template_titles() -> str:
    return ", ".join(
        template.title
        for template in TEMPLATES.values()
        if template.name not in ("player_controller_input_system", "component")
    )


def find_script(clause: str, instructions: str) -> ScriptWish | None:
    """The script that a clause asks for; None where it asks for none, or for one that no template is."""
    text = polite_removed(clause)
    if re.match(_VERB, text, re.IGNORECASE) is None:
        return None
    namespace, text = _take(_NAMESPACE, text, "name")
    folder, file_name = None, ""
    in_file = _FILE_NAME.search(text)
    if in_file is not None:
        folder, file_name = in_file["folder"], in_file["name"]
        text = text[: in_file.start()] + text[in_file.end() :]
    else:
        folder, text = _take(_FOLDER, text, "folder")
    name, rest = _class_name(text)
    name = as_class_name(file_name) or name
    if not name and _CALLED.search(text):
        return None  # a name was given that C# classes cannot have here; another one would be a surprise
    template = _template(text, rest, name)
    if template is None:
        return None
    template = for_input(template, instructions)
    if namespace is None and (told := _ROOT_NAMESPACE.search(instructions)):
        namespace = told["name"]
    return ScriptWish(template, name or TEMPLATES[template].default_class, namespace, folder)


def skill_for_order(prompt: str, class_name: str, base_class: str | None, instructions: str = "") -> str | None:
    """The template for an order of the script generator; None where no fixed skill is what it asks for."""
    text = polite_removed(prompt).rstrip(".!?")
    if re.match(_VERB, text, re.IGNORECASE) is None:
        text = f"create {text}"
    _, text = _take(_NAMESPACE, text, "name")
    _, text = _take(_FOLDER, text, "folder")
    name, rest = _class_name(text)
    template = _template(text, rest, name or class_name)
    if template is None or base_class not in (None, "", TEMPLATES[template].base_class):
        return None
    return for_input(template, instructions)


def for_input(template: str, instructions: str) -> str:
    """The variant that fits the project's input handling, where the instructions say which it is."""
    if template == "player_controller" and uses_input_system(instructions):
        return "player_controller_input_system"
    return template


def uses_input_system(instructions: str) -> bool:
    """Whether the project brief says that only the Input System package is active. `both` still has the old Input class."""
    for line in _INPUT_LINE.findall(instructions):
        told = line.lower()
        if "handling" in told or told.lstrip("-* ").startswith("input"):
            names_new = "input system" in told or re.search(r"\bnew\b", told) is not None
            names_old = re.search(r"\b(?:both|old|legacy|input manager)\b", told) is not None
            return names_new and not names_old
    return False


def input_note(wish: ScriptWish) -> str:
    """What the user must know about input, for the scripts that read it."""
    if wish.template == "player_controller_input_system":
        return (
            "It reads the Input System package, because this project uses it. A script in an assembly definition needs "
            "a reference to Unity.InputSystem there."
        )
    if wish.template == "player_controller":
        return (
            "It reads the Input class (Input Manager). With only the Input System package active it would fail at run "
            "time: set Active Input Handling to Both in the Player settings."
        )
    return ""


def _take(pattern: re.Pattern[str], text: str, group: str) -> tuple[str | None, str]:
    match = pattern.search(text)
    if match is None:
        return None, text
    return match[group], (text[: match.start()] + " " + text[match.end() :]).strip()


def _class_name(text: str) -> tuple[str, str]:
    """The class name of a request, and the text without it."""
    for pattern in (_CALLED, _AFTER_NOUN, _PASCAL):
        for match in pattern.finditer(text):
            name = as_class_name(match["name"])
            if name and name not in _NOT_NAMES:
                start = match.start() if pattern is _CALLED else match.start("name")
                return name, f"{text[:start]} {text[match.end() :]}".strip()
    return "", text


def _template(text: str, rest: str, name: str) -> str | None:
    for template, pattern in _SKILLS:
        if pattern.match(rest) or pattern.match(text):
            return template
    plain = _PLAIN.fullmatch(rest.strip(" ,"))
    by_name = _by_name(name)
    if by_name and (plain or re.fullmatch(_VERB + r"(?:\s+(?:an?|the|me|my))*", rest.strip(" ,"), re.IGNORECASE)):
        return by_name
    if plain is None or not name:
        return None
    return "plain_class" if plain["noun"].lower() == "class" else "component"


def _by_name(name: str) -> str | None:
    words = words_of_name(name)
    joined = "".join(words)
    for template, suffix in _SUFFIXES:
        if joined.endswith("".join(suffix)):
            return template
    return None
