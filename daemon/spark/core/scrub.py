"""Takes secrets and personal data out of text and fields before they are logged or sent. Pure.

By key name first (`token`, `api_key`, `password` …), by pattern second. One compiled pattern; each alternative either
begins with a literal, or is bounded, or consumes the whole run that it looked at, so that the time stays linear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

REDACTED: Final = "[redacted]"
MAX_LOOKS: Final = 6
MAX_DEPTH: Final = 12
MAX_ITEMS: Final = 1_000

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS: Final = frozenset(
    [
        "token",
        "key",
        "secret",
        "secrets",
        "password",
        "passwords",
        "passwd",
        "passphrase",
        "pwd",
        "authorization",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "apikey",
        "jwt",
        "bearer",
    ]
)

_NAMES = (
    r"(?i:password|passwd|passphrase|pwd|secret|token|authorization|cookie|credentials?"
    r"|(?:api|access|private|secret|service|role|anon|account|auth|signing|encryption|supabase|openai)[_-]?key)"
)
_VALUE = (
    r"(?:\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|\\{1,3}[\"'][^\"'\\]*+"
    r"|(?i:bearer|basic|token)\s{1,4}[^\s\"',;&\\]++|[^\s\"',;&\\]++)"
)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
# Before a home path: no letter (it would be a folder named `home` in a longer path), or an escape such as \n in a repr.
_PATH_START = r"(?:(?<![\w.~-])|(?<=\\[nrt]))"

# Keys of several lines go first: nothing else may take away their first line and leave the rest.
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
_PATTERN = re.compile(
    "|".join(
        (
            r"(?P<login>(?<=://)[^\s/\"'<>]{1,512}@)",
            rf"(?P<pair>(?P<name>{_NAMES}(?:\\{{0,3}}[\"'])?\s{{0,4}}[:=]\s{{0,4}}){_VALUE})",
            r"(?P<bearer>(?P<scheme>(?i:bearer|basic)\s{1,4})[A-Za-z0-9._~+/=-]{8,}+)",
            r"(?P<jwt>eyJ[A-Za-z0-9_-]{10,}+(?:\.[A-Za-z0-9_-]*+){0,4})",
            (
                r"(?P<secret>"
                r"sk-(?:proj|svcacct|admin|ant|or)-[A-Za-z0-9_-]{8,}+"
                r"|sk-(?=[a-z_-]{0,60}[A-Z0-9])[A-Za-z0-9_-]{16,}+"
                r"|spk_[A-Za-z0-9_-]{16,}+"
                r"|gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_[A-Za-z0-9_]{16,}+|glpat-[A-Za-z0-9_-]{16,}+"
                r"|sb_(?:secret|publishable)_[A-Za-z0-9_-]{8,}+|sbp_[A-Za-z0-9]{16,}+"
                r"|(?:AKIA|ASIA)[A-Z0-9]{16,}+|AIza[A-Za-z0-9_-]{30,}+"
                r"|xox[abeoprs]-[A-Za-z0-9-]{10,}+|hf_[A-Za-z0-9]{20,}+|npm_[A-Za-z0-9]{30,}+"
                r"|[rs]k_(?:live|test)_[A-Za-z0-9]{10,}+)"
            ),
            # The look-behind lets a try begin only where a run of such letters begins.
            r"(?P<email>(?<![\w.%+-])[\w.%+-]++@[\w-]++(?:\.[\w-]++)++)",
            rf"(?P<ip>(?<![0-9])(?<![0-9]\.)(?!127\.)(?:{_OCTET}\.){{3}}{_OCTET}(?!\.?[0-9]))",
            (
                r"(?P<home>[A-Za-z]:[\\/]{1,4}(?i:users|documents and settings)[\\/]{1,4}"
                r"(?:(?!~)[^\\/:*?\"<>|\r\n]{1,64}(?=[\\/])|(?!~)[^\s\\/:*?\"'<>|,;)\]]{1,64})"
                rf"|{_PATH_START}/(?:home|Users)/(?!~)[^\s/\\:\"'<>|,;)\]]{{1,64}}|{_PATH_START}/root(?![\w.-]))"
            ),
        )
    ),
    re.DOTALL,
)
_PLACEHOLDERS: Final = {
    "login": "[credentials]@",
    "jwt": "[token]",
    "secret": "[key]",
    "email": "[email]",
    "ip": "[ip]",
    "home": "~",
}


def scrub(text: str) -> str:
    """The text with every secret and personal datum that is recognised replaced by a word for its kind."""
    if "PRIVATE KEY-----" in text:
        text = _PEM.sub("[private-key]", text)
    # What was replaced can uncover something beside it; nearly always the second look finds nothing.
    for _ in range(MAX_LOOKS):
        before, text = text, _PATTERN.sub(_replace, text)
        if text == before:
            break
    return text


def scrub_fields(fields: Mapping[Any, Any]) -> dict[str, Any]:
    """The fields as plain JSON values: secret by name redacted, everything else scrubbed as text. Never raises."""
    return _scrubbed_mapping(fields, MAX_DEPTH)


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret: its last word is one (`apiKey`, `SPARK_SUPABASE_KEY`, `Set-Cookie`).

    `inputTokens` and `keySource` are none.
    """
    words = _WORD.findall(name[-200:])
    return bool(words) and words[-1].lower() in _SECRET_WORDS


def _replace(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    if kind == "pair":
        return f"{match['name']}{REDACTED}"
    if kind == "bearer":
        return f"{match['scheme']}[token]"
    return _PLACEHOLDERS[kind]


def _scrubbed_mapping(fields: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for number, (key, value) in enumerate(fields.items()):
        if number >= MAX_ITEMS:
            result["…"] = f"{len(fields) - MAX_ITEMS} more"
            break
        name = key if isinstance(key, str) else f"<{type(key).__name__}>"
        hidden = is_secret_name(name) and not (value is None or isinstance(value, bool))
        result[scrub(name)] = REDACTED if hidden else _scrubbed(value, depth - 1)
    return result


def _scrubbed(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth <= 0:
        return "[…]"
    if isinstance(value, Mapping):
        return _scrubbed_mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        items = [_scrubbed(item, depth - 1) for item, _ in zip(value, range(MAX_ITEMS), strict=False)]
        return [*items, f"{len(value) - MAX_ITEMS} more"] if len(value) > MAX_ITEMS else items
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, PurePath | BaseException):
        return scrub(str(value))
    return f"<{type(value).__name__}>"
