"""The one frozen settings object, and where each of its values came from.

Order, later wins: defaults, the user's `config.toml`, `ProjectSettings/Spark.json`, the environment, flags. A project file
travels with a repository, so it may set only what is safe to take from a stranger: nothing secret, nothing of one machine
(which model server gets the prompts), nothing of one user (the budget). Knows nothing of the daemon.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from spark.adapters.keys import ENVIRONMENT
from spark.adapters.private_files import read_plain
from spark.core.api import ReasoningChoice
from spark.core.errors import FatalError, ToolRejected
from spark.core.reasoning import parse_mode

Backend = Literal["realtime", "chat", "offline"]
BACKENDS: Final[tuple[Backend, ...]] = ("realtime", "chat", "offline")
CONFIG_NAME: Final = "config.toml"
PROJECT_FILE: Final = "ProjectSettings/Spark.json"
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every value in force. `sources` maps each field's name to where it came from, as `spark doctor` shows it.

    `model_backend` None: `realtime` where a key is found, else `offline`. `model_url` None: the backend's own address.
    `api_key` is only what the environment holds; the keyring is asked by whoever connects. `ignored`: names in
    `Spark.json` that this version does not know.
    """

    model_backend: Backend | None = None
    model: str | None = None
    model_url: str | None = None
    code_model: str | None = None
    reasoning: ReasoningChoice = "auto"
    budget_usd: float = 5.0
    history_max_file_mb: float = 10.0
    history_max_gb: float = 5.0
    api_key: str | None = field(default=None, repr=False)
    sources: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    @property
    def history_max_file_bytes(self) -> int:
        return int(self.history_max_file_mb * 1024**2)

    @property
    def history_max_total_bytes(self) -> int:
        return int(self.history_max_gb * 1024**3)

    def to_wire(self) -> dict[str, dict[str, Any]]:
        """`{name: {value, source}}`; a secret shows only whether it is set."""
        shown: dict[str, dict[str, Any]] = {}
        for setting in SETTINGS:
            value = getattr(self, setting.name)
            if setting.secret:
                value = "set" if value else None
            shown[setting.name] = {"value": value, "source": self.sources.get(setting.name, DEFAULT)}
        return shown


class _Refused(ValueError):
    """A value that cannot be taken; the text says what would be."""


def _choice(*accepted: str) -> Callable[[object], str]:
    def parse(raw: object) -> str:
        if isinstance(raw, str) and raw.strip() in accepted:
            return raw.strip()
        raise _Refused(f"one of {', '.join(accepted)}")

    return parse


def _reasoning(raw: object) -> str:
    try:
        return parse_mode(raw if isinstance(raw, str) else "")
    except ToolRejected as rejected:
        raise _Refused("one of creative, deterministic, auto, hybrid (the older word for auto)") from rejected


def _name(raw: object) -> str:
    if isinstance(raw, str) and re.fullmatch(r"[!-~]{1,200}", raw.strip()):
        return raw.strip()
    raise _Refused("a model's name without spaces, at most 200 characters")


def _secret(raw: object) -> str:
    if isinstance(raw, str) and re.fullmatch(r"[!-~]{1,4096}", raw.strip()):
        return raw.strip()
    raise _Refused("the key alone, without spaces or line breaks")


def _url(raw: object) -> str:
    accepted = "an http or https address such as http://127.0.0.1:11434/v1, without user name or password"
    try:
        parts = urlsplit(raw.strip() if isinstance(raw, str) else "")
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError as error:
        raise _Refused(accepted) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise _Refused(accepted)
    if not port_is_fine or re.search(r"[\s\x00-\x1f]", str(raw).strip()):
        raise _Refused(accepted)
    return str(raw).strip().rstrip("/")


def _number(unit: str, *, above_zero: bool, most: float) -> Callable[[object], float]:
    accepted = f"a number {'above' if above_zero else 'from'} 0 to {most:g} ({unit})"

    def parse(raw: object) -> float:
        if isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise _Refused(accepted)
        try:
            value = float(raw)
        except ValueError as error:
            raise _Refused(accepted) from error
        if not math.isfinite(value) or value < 0 or value > most or (above_zero and value == 0):
            raise _Refused(accepted)
        return value

    return parse


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its field, the variables it is read from (first wins), how text becomes a value, and who may set it."""

    name: str
    variables: tuple[str, ...]
    parse: Callable[[object], Any]
    in_project: bool = False
    only_up: bool = False
    """In a project file only a higher value counts: a pulled file must not drop anybody's history."""
    secret: bool = False

    @property
    def project_key(self) -> str:
        head, *rest = self.name.split("_")
        return head + "".join(part.capitalize() for part in rest)


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("model_backend", ("SPARK_MODEL_BACKEND",), _choice(*BACKENDS)),
    Setting("model", ("SPARK_MODEL",), _name, in_project=True),
    Setting("model_url", ("SPARK_MODEL_URL",), _url),
    Setting("code_model", ("SPARK_CODE_MODEL",), _name, in_project=True),
    Setting("reasoning", ("SPARK_SONNET_MODE",), _reasoning, in_project=True),
    Setting("budget_usd", ("SPARK_BUDGET_USD",), _number("US dollars a day", above_zero=False, most=1_000_000)),
    Setting(
        "history_max_file_mb",
        ("SPARK_HISTORY_MAX_FILE_MB",),
        _number("megabytes", above_zero=True, most=100_000),
        in_project=True,
        only_up=True,
    ),
    Setting(
        "history_max_gb",
        ("SPARK_HISTORY_MAX_GB",),
        _number("gigabytes", above_zero=True, most=100_000),
        in_project=True,
        only_up=True,
    ),
    Setting("api_key", ENVIRONMENT["openai"], _secret, secret=True),
)
_SECRET_NAME = re.compile(r"(?i)(key|secret|token|password|credential)s?$")
# Written beside the settings by the daemon itself: which project this is.
_OWN_PROJECT_KEYS: Final = frozenset({"projectId"})


def config_path() -> Path:
    """The user's own settings file; it need not exist."""
    import platformdirs

    return platformdirs.user_config_path("spark", appauthor=False) / CONFIG_NAME


def load_settings(project_root: Path | None, env: Mapping[str, str], flags: Mapping[str, object]) -> Settings:
    """Reads every source. `flags` maps field names to values, None where the flag was not given.

    Raises `FatalError` (exit status 2) naming the place, the value (never a secret's) and what would be accepted.
    """
    values: dict[str, Any] = {}
    sources = {setting.name: DEFAULT for setting in SETTINGS}
    _take_user_file(values, sources)
    ignored = _take_project_file(project_root, values, sources) if project_root is not None else ()
    for setting in SETTINGS:
        for variable in setting.variables:
            if env.get(variable, "").strip():
                values[setting.name] = _parsed(setting, env[variable], variable)
                sources[setting.name] = f"{variable} (environment)"
                break
        flag = flags.get(setting.name)
        if flag is not None:
            values[setting.name] = _parsed(setting, flag, "the flag")
            sources[setting.name] = "flag"
    return Settings(**values, sources=sources, ignored=tuple(ignored))


def _parsed(setting: Setting, raw: object, place: str) -> Any:
    try:
        return setting.parse(raw)
    except _Refused as refused:
        shown = "this value" if setting.secret else repr(raw)[:120]
        raise FatalError(2, f"{place}: {setting.name} cannot be {shown}", hint=f"Accepted: {refused}.") from refused


def _take_user_file(values: dict[str, Any], sources: dict[str, str]) -> None:
    path = config_path()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise FatalError(2, f"{path} cannot be read: {error}", hint="Mend the file or move it away.") from error
    by_name = {setting.name: setting for setting in SETTINGS if not setting.secret}
    for name, raw in table.items():
        if name not in by_name:
            if _SECRET_NAME.search(name):
                raise _secret_in_file(str(path), name)
            raise FatalError(2, f"{path}: there is no setting {name!r}", hint=_did_you_mean(name, by_name))
        values[name] = _parsed(by_name[name], raw, str(path))
        sources[name] = str(path)


def _take_project_file(root: Path, values: dict[str, Any], sources: dict[str, str]) -> list[str]:
    try:
        raw_file = read_plain(root / PROJECT_FILE)
        if raw_file is None:
            return []
        loaded = json.loads(raw_file.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise FatalError(
            2, f"{PROJECT_FILE} cannot be read: {error}", hint="Mend the file, for example from version control."
        ) from error
    if not isinstance(loaded, dict):
        raise FatalError(2, f"{PROJECT_FILE} holds no JSON object", hint="Take it from version control or remove it.")
    by_key = {setting.project_key: setting for setting in SETTINGS}
    ignored = []
    for key, raw in loaded.items():
        setting = by_key.get(key)
        if setting is not None and setting.in_project:
            value = _parsed(setting, raw, PROJECT_FILE)
            if setting.only_up and value < values.get(setting.name, getattr(Settings(), setting.name)):
                ignored.append(key)
                continue
            values[setting.name] = value
            sources[setting.name] = PROJECT_FILE
        elif _SECRET_NAME.search(key):
            raise _secret_in_file(PROJECT_FILE, key)
        elif setting is not None:
            raise FatalError(
                2,
                f"{PROJECT_FILE}: {key!r} belongs to one user or one machine, not into a file that is shared",
                hint=f"Put {setting.name} into {config_path()} or set {setting.variables[0]}.",
            )
        elif key not in _OWN_PROJECT_KEYS:
            ignored.append(key)
    return ignored


def _secret_in_file(place: str, name: str) -> FatalError:
    return FatalError(
        2,
        f"{place}: {name!r} looks like a secret, and secrets are not read from this file",
        hint="Take it out of the file (a committed secret is no longer one: replace it), then run: spark key set",
    )


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."
