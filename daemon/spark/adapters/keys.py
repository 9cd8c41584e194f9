"""Where model keys come from and where they are kept: environment, system keyring, else a 0600 file.

No function here returns a key except `find_key`, and none logs one. Knows nothing of what a key is used for.
The file also notes which names the keyring holds, so that nobody waits for a keyring (0.15 s of CPU, a locked one longer)
who never put a key into it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from spark.core.errors import ToolRejected, invalid_arguments
from spark.core.ids import new_id

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE: Final = "spark-unity"
FILE_NAME: Final = "keys.json"
_IN_KEYRING: Final = {"in": "keyring"}
ENVIRONMENT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"openai": ("OPENAI_REALTIME_API_KEY", "OPENAI_API_KEY")}
)
"""Variables that hold a key, by its name, the first that is set wins. Other names have no variable."""
READ_NAMES: Final = ("openai", "chat")
"""The names that something asks for: the Realtime backend, and chat servers that want a key."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_FILE_LIMIT_BYTES: Final = 64 * 1024
_KEY_LIMIT_CHARS: Final = 4096


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key and the words that tell the user where it came from. The value is never part of the `repr`."""

    value: str = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What may be shown. `source` None: there is no key. `ending`: the last four characters of a long key, else empty.

    `shadowed`: further places that hold one and are not used. `problem`: why the keyring could not be asked.
    """

    name: str
    source: str | None
    ending: str = ""
    shadowed: tuple[str, ...] = ()
    problem: str = ""


def find_key(name: str, env: Mapping[str, str], *, folder: Path | None = None) -> FoundKey | None:
    """The key of a name: environment, then keyring, then file. None where there is none."""
    _check_name(name)
    for variable in ENVIRONMENT.get(name, ()):
        value = env.get(variable, "").strip()
        if value:
            return FoundKey(value, f"{variable} (environment)")
    kept = _read_document(_file(folder)).get(name, "")
    if kept == _IN_KEYRING:
        value, _ = _from_keyring(name)
        return FoundKey(value, "keyring") if value else None
    value = kept if isinstance(kept, str) else ""
    return FoundKey(value, f"file {_file(folder)}") if value else None


def set_key(name: str, value: str, *, folder: Path | None = None) -> str:
    """Keeps a key in the keyring, else in the file. Returns the words that say where it lies.

    Raises `invalid_arguments` for a name or a key that cannot be one, `read_only` where no place took it.
    """
    _check_name(name)
    value = value.strip()
    if not value or len(value) > _KEY_LIMIT_CHARS or not value.isascii() or not value.isprintable() or " " in value:
        raise invalid_arguments({"key": f"1 to {_KEY_LIMIT_CHARS} printable characters without spaces"})
    ring, problem = _keyring()
    if ring is not None:
        try:
            ring.set_password(SERVICE, name, value)
            # A keyring that swallows what it is given (the `null` backend does) must not count as a safe place.
            kept = ring.get_password(SERVICE, name) == value
        except _keyring_errors() as error:
            kept, problem = False, _why(error)
        if kept:
            _write_file(_file(folder), {**_read_document(_file(folder)), name: _IN_KEYRING})
            return "keyring"
        problem = problem or "the keyring did not keep it"
    _write_file(_file(folder), {**_read_document(_file(folder)), name: value})
    return f"file {_file(folder)} ({problem})"


def clear_key(name: str, *, folder: Path | None = None) -> list[str]:
    """Removes a key from keyring and file. Returns where it was; the environment is the user's own."""
    _check_name(name)
    cleared: list[str] = []
    ring, _ = _keyring()
    if ring is not None:
        with contextlib.suppress(*_keyring_errors()):
            if ring.get_password(SERVICE, name) is not None:
                ring.delete_password(SERVICE, name)
                cleared.append("keyring")
    if isinstance(_remove_from_file(name, _file(folder)), str):
        cleared.append(f"file {_file(folder)}")
    return cleared


def key_status(name: str, env: Mapping[str, str], *, folder: Path | None = None) -> KeyStatus:
    """Where a key comes from, without it."""
    _check_name(name)
    places = [
        (env[variable].strip(), f"{variable} (environment)")
        for variable in ENVIRONMENT.get(name, ())
        if env.get(variable, "").strip()
    ]
    value, problem = _from_keyring(name)
    if value:
        places.append((value, "keyring"))
    value = _read_file(_file(folder)).get(name, "")
    if value:
        places.append((value, f"file {_file(folder)}"))
    if not places:
        return KeyStatus(name, None, problem=problem)
    used, source = places[0]
    ending = used[-4:] if len(used) >= 20 else ""  # of a short secret four characters are too many
    return KeyStatus(name, source, ending, tuple(place for _, place in places[1:]), problem)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise invalid_arguments({"name": "openai, chat, or another name of a-z, 0-9, '-', '_' (at most 32)"})


# --- the system's keyring


def _keyring_errors() -> tuple[type[BaseException], ...]:
    from keyring.errors import KeyringError

    # Backends leak what lies under them: D-Bus connections (OSError), missing daemons (RuntimeError).
    return (KeyringError, OSError, RuntimeError)


def _keyring() -> tuple[KeyringBackend | None, str]:
    """The backend, or None and why there is none."""
    try:
        import keyring
        from keyring.backends import fail, null

        ring = keyring.get_keyring()
    except (ImportError, AttributeError, TypeError, OSError, RuntimeError) as error:
        # PYTHON_KEYRING_BACKEND or keyringrc.cfg names something that cannot be loaded.
        return None, _why(error)
    if isinstance(ring, fail.Keyring | null.Keyring):
        return None, "this system has no keyring"
    return ring, ""


def _from_keyring(name: str) -> tuple[str, str]:
    """The key or an empty string, and why the keyring could not be asked."""
    ring, problem = _keyring()
    if ring is None:
        return "", problem
    try:
        return ring.get_password(SERVICE, name) or "", ""
    except _keyring_errors() as error:
        return "", _why(error)


def _why(error: BaseException) -> str:
    from keyring.errors import KeyringLocked, NoKeyringError

    if isinstance(error, KeyringLocked):
        return "the system keyring is locked"
    if isinstance(error, NoKeyringError):
        return "this system has no keyring"
    return f"the system keyring cannot be used ({type(error).__name__})"


# --- the file


def _file(folder: Path | None) -> Path:
    if folder is None:
        import platformdirs

        folder = platformdirs.user_config_path("spark", appauthor=False)
    return folder / FILE_NAME


def _read_file(path: Path) -> dict[str, str]:
    """The keys that the file itself holds."""
    return {name: value for name, value in _read_document(path).items() if isinstance(value, str)}


def _read_document(path: Path) -> dict[str, Any]:
    """`{NAME: key, or the note that the keyring has it}`; empty where there is no file. Rights that are too wide are narrowed before it is read."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, error.strerror or type(error).__name__) from error
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            with contextlib.suppress(PermissionError):  # somebody else's file: not ours to change
                os.fchmod(file.fileno(), 0o600)
        content = file.read(_FILE_LIMIT_BYTES)
    try:
        loaded = json.loads(content)
    except ValueError as error:
        raise _unusable(path, "it is not JSON") from error
    if not isinstance(loaded, dict):
        raise _unusable(path, "it is not one JSON object")
    return loaded


def _unusable(path: Path, why: str) -> ToolRejected:
    return ToolRejected(
        "invalid_arguments",
        f"the key file cannot be read: {why}",
        hint=f"Delete {path} and store the key again with `spark key set`.",
        details={"path": str(path)},
    )


def _write_file(path: Path, keys: Mapping[str, Any]) -> None:
    """Replaces the file as a whole; it has its narrow rights before the first byte is in it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix" and stat.S_IMODE(path.parent.stat().st_mode) & 0o077:
            path.parent.chmod(0o700)
        temporary = path.with_name(f".{new_id('keys')}.tmp")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(temporary, flags, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(dict(sorted(keys.items())), indent=2).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ToolRejected(
            "read_only",
            f"the key could not be kept: {error.strerror or error}",
            hint=f"Make {path.parent} writable, or set the key in the environment.",
        ) from error


def _remove_from_file(name: str, path: Path) -> Any:
    """What the file had under the name, None where nothing."""
    keys = _read_document(path)
    if name not in keys:
        return None
    kept = keys.pop(name)
    if keys:
        _write_file(path, keys)
    else:
        path.unlink(missing_ok=True)
    return kept
