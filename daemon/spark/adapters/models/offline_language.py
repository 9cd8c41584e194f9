"""How the offline model takes prompts apart: clauses, file names, class names. English, fixed patterns. Pure."""

from __future__ import annotations

import re
from typing import Final

VERBS: Final = (
    "create|make|write|generate|add|build|give me|replace|rename|list|show|read|open|print|search|find|look for|"
    "undo|revert|restore"
)
_QUOTED: Final = re.compile(r'"[^"\n]*"|`[^`\n]*`|“[^”\n]*”|(?<!\w)\'[^\'\n]*\'(?!\w)')
_SPLIT: Final = re.compile(
    rf"\s*;\s*|\s*\n+\s*|,?\s+(?:and\s+)?then\s+|,?\s+and\s+(?=(?:{VERBS})\b)|,\s+(?=(?:{VERBS})\b)|(?<=\w)[.!]\s+",
    re.IGNORECASE,
)
_AND_ANOTHER: Final = re.compile(r",?\s+and\s+(?=an?\s)|,\s+(?=an?\s)", re.IGNORECASE)
_STARTS_WITH_VERB: Final = re.compile(r"(?:create|make|write|generate|add|build|give me)\b", re.IGNORECASE)
_POLITE: Final = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay|please|now|also|and|can you|could you|would you|will you|i want you to|i'd like you to)"
    r"\b[\s,:!]*)+",
    re.IGNORECASE,
)
_POLITE_END: Final = re.compile(r"(?:[\s,]+(?:please|thanks|thank you|for me|now))+[\s.!?]*$", re.IGNORECASE)
_ABOUT_ITSELF: Final = re.compile(
    r"^(?:(?:please|hi|hello|hey)\b[\s,!]*)*(?:help\b|what can you do|what are you|who are you|what do you do"
    r"|what skills|which skills|(?:list|show)(?: me)? (?:your|the) (?:skills|commands)"
    r"|how (?:do|can) i (?:connect|use|set ?up|configure)\b.*\b(?:model|openai|ollama|lm ?studio|key)\b"
    r"|(?:connect|use) (?:a |an )?(?:real|other|another|better|openai|ollama)\b)",
    re.IGNORECASE,
)
_GREETING: Final = re.compile(r"(?:hi|hello|hey|thanks|thank you|good (?:morning|day|evening))[\s!.,]*", re.IGNORECASE)
_CAMEL: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def is_about_itself(prompt: str) -> bool:
    """Whether a prompt asks what the model is and can do, or only greets."""
    return bool(_ABOUT_ITSELF.match(prompt.strip()) or _GREETING.fullmatch(prompt.strip()))


def polite_removed(text: str) -> str:
    """The request without the words of courtesy before and behind it."""
    return _POLITE_END.sub("", _POLITE.sub("", text.strip())).strip()


def clauses(prompt: str) -> list[str]:
    """The single requests of a prompt. Quoted text is never cut; "a health script and a spawner" are two."""
    quotes: list[str] = []

    def hide(match: re.Match[str]) -> str:
        quotes.append(match.group())
        return f"\x00{len(quotes) - 1}\x00"

    def bring_back(text: str) -> str:
        return re.sub("\x00(\\d+)\x00", lambda match: quotes[int(match[1])], text)

    found: list[str] = []
    hidden = _QUOTED.sub(hide, prompt.replace("\x00", ""))
    for sentence in _SPLIT.split(hidden):
        sentence = polite_removed(sentence).rstrip(" .!?")
        verb = _STARTS_WITH_VERB.match(sentence)
        if verb is None:
            found.append(sentence)
            continue
        first, *others = _AND_ANOTHER.split(sentence)
        found += [first, *(f"{verb.group()} {other}" for other in others)]
    return [bring_back(clause) for clause in found if clause.strip()]


def unquoted(text: str) -> str:
    """Text without the quotes around it."""
    text = text.strip()
    pairs = {'"': '"', "'": "'", "`": "`", "“": "”"}
    if len(text) >= 2 and pairs.get(text[0]) == text[-1]:
        return text[1:-1]
    return text


def words_of_name(name: str) -> list[str]:
    """`EnemyHealth` → enemy, health."""
    return [word.lower() for word in _CAMEL.findall(name)]


def as_class_name(text: str) -> str:
    """`my hero` → `MyHero`; empty where no class name can be made of it."""
    name = "".join(word[:1].upper() + word[1:] for word in re.findall(r"\w+", text))
    return name if re.fullmatch(r"[A-Z][a-zA-Z0-9_]*", name) else ""
