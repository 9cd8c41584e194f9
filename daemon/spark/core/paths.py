"""Paths inside a Unity project, and the rules that a path from outside must pass before anything opens it.

This is the lexical half of the fence; the other half (links, races) is the file adapter's, which opens beneath the
project folder only. Rules: docs of Windows file naming, Unity's folder layout, and NFC because two spellings of one name
are two files on Linux and one elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from spark.core.errors import ToolRejected

ROOTS: Final = ("Assets", "Packages", "ProjectSettings")
MAX_PART_BYTES: Final = 255
MAX_PATH_CHARS: Final = 1024
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?")
_GIT_RULES: Final = frozenset({".gitattributes", ".gitmodules", ".gitconfig"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Some file systems ignore these inside names (HFS+ and `.gi\u200dt`), and people cannot see them or are misled by them.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_FORBIDDEN = re.compile(r'[<>:"|?*\\]')
_SHORT_NAME = re.compile(r"~[0-9]+(\.[^.]{0,3})?$")


@dataclass(frozen=True, slots=True, order=True)
class ProjectPath:
    """A project-relative path with `/`, such as `Assets/Scripts/Player.cs`.

    `parse` is for text from outside and refuses what the fence forbids; the plain constructor is for names that a scan
    of the project's own folders found.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.text.split("/"))

    @property
    def name(self) -> str:
        return self.text.rsplit("/", 1)[-1]

    @property
    def stem(self) -> str:
        return self.name.rsplit(".", 1)[0]

    @property
    def suffix(self) -> str:
        """The extension in lower case with its dot, or an empty string."""
        name = self.name
        return name[name.rfind(".") :].lower() if "." in name[1:] else ""

    @property
    def parent(self) -> ProjectPath | None:
        head, _, _ = self.text.rpartition("/")
        return ProjectPath(head) if head else None

    @property
    def is_meta(self) -> bool:
        return self.text.endswith(".meta")

    @property
    def meta(self) -> ProjectPath:
        """The `.meta` beside this asset or folder."""
        return ProjectPath(self.text + ".meta")

    @property
    def asset(self) -> ProjectPath:
        """The asset or folder whose `.meta` this is; itself where it is none."""
        return ProjectPath(self.text[: -len(".meta")]) if self.is_meta else self

    @property
    def folded(self) -> str:
        """The key under which a case-insensitive, normalising file system would find this name."""
        return unicodedata.normalize("NFC", self.text).casefold()

    def __truediv__(self, name: str) -> ProjectPath:
        return ProjectPath(f"{self.text}/{name}")

    def is_under(self, folder: ProjectPath) -> bool:
        return self.text.startswith(folder.text + "/")

    @classmethod
    def parse(cls, raw: str, *, root: str | None = None, field: str = "path", windows: bool = False) -> ProjectPath:
        """A path from outside. `root` is the real project folder: absolute paths inside it are made relative first.

        Raises `ToolRejected` (`path_outside_project` or `invalid_arguments`) naming the field and what would work.
        """
        text = raw.replace("\\", "/") if windows else raw
        if root is not None:
            base = root.replace("\\", "/").rstrip("/") if windows else root.rstrip("/")
            same = text.casefold().startswith(base.casefold() + "/") if windows else text.startswith(base + "/")
            if same:
                text = text[len(base) + 1 :]
        _check(text, field)
        return cls(text)


def _outside(field: str, raw: str, why: str) -> ToolRejected:
    return ToolRejected(
        "path_outside_project",
        f"{field}: {why}",
        hint="Use a path inside the project such as Assets/Scripts/Player.cs.",
        details={
            "fields": {field: "Assets/…, Packages/<name>/… or ProjectSettings/…, without '..'"},
            "path": raw[:200],
        },
    )


def _bad(field: str, raw: str, why: str) -> ToolRejected:
    return ToolRejected(
        "invalid_arguments",
        f"{field}: {why}",
        hint="Use '/' between names that every platform can store, such as Assets/Scripts/Player.cs.",
        details={"fields": {field: why}, "path": raw[:200]},
    )


def _check(text: str, field: str) -> None:
    if not text:
        raise _bad(field, text, "an empty path names no file")
    if len(text) > MAX_PATH_CHARS:
        raise _bad(field, text, f"longer than {MAX_PATH_CHARS} characters")
    if text.startswith(("/", "\\\\")) or re.match(r"^[A-Za-z]:", text):
        raise _outside(field, text, "an absolute path outside the project")
    parts = text.split("/")
    if ".." in parts:
        raise _outside(field, text, "'..' is never resolved")
    if _CONTROL.search(text):
        raise _bad(field, text, "control characters")
    if _INVISIBLE.search(text):
        raise _bad(field, text, "invisible characters or ones that change the direction of text")
    if unicodedata.normalize("NFC", text) != text:
        raise _bad(field, text, "not in Unicode form NFC")
    for part in parts:
        why = _part_problem(part)
        if why:
            raise _bad(field, text, f"{part!r}: {why}")
    if parts[0] not in ROOTS:
        raise _outside(field, text, f"{parts[0]!r} is not one of {', '.join(ROOTS)}")


def _part_problem(part: str) -> str:
    if part in ("", "."):
        return "empty or '.' between slashes"
    if _FORBIDDEN.search(part):
        return 'one of < > : " | ? * \\'
    if part[-1] in ". ":
        return "ends with a dot or a space"
    try:
        size = len(part.encode("utf-8"))
    except UnicodeEncodeError:
        return "not valid Unicode"
    if size > MAX_PART_BYTES:
        return f"longer than {MAX_PART_BYTES} bytes"
    if _RESERVED.fullmatch(part):
        return "reserved on Windows"
    return ""


def is_short_name(path: ProjectPath) -> bool:
    """Whether a part looks like a Windows 8.3 short name (`PROGRA~1`), an alias unless a file of that name exists."""
    return any(_SHORT_NAME.search(part) for part in path.parts)


def check_writable(path: ProjectPath, *, embedded_packages: frozenset[str]) -> None:
    """Raises `protected_path` unless SPARK may write there.

    Writable: `Assets/`, embedded packages, `.asset` files of `ProjectSettings/` but `ProjectSettings.asset`; nowhere what git
    obeys, in any spelling.
    """
    parts = path.parts
    folded = {part.casefold() for part in parts}
    if folded & {".git", ".spark"}:
        raise _protected(path, "version control and SPARK's own folders are never written by a call")
    if folded & _GIT_RULES:
        raise _protected(
            path,
            "it tells git which programs to run and where to fetch from",
            "Tell the user what should stand in it.",
        )
    if len(parts) == 1:
        raise _protected(path, "a top folder is not a file")
    if parts[0] == "Assets":
        return
    if parts[0] == "ProjectSettings":
        if len(parts) == 2 and path.suffix == ".asset" and path.name.casefold() != "projectsettings.asset":
            return
        raise _protected(path, "of ProjectSettings/ only .asset files other than ProjectSettings.asset are written")
    if len(parts) >= 3 and parts[1] in embedded_packages:
        return
    raise _protected(path, "only embedded packages (a folder in Packages/ with a package.json) are written")


def _protected(path: ProjectPath, why: str, hint: str = "Write below Assets/ instead.") -> ToolRejected:
    return ToolRejected(
        "protected_path",
        f"{path}: {why}",
        hint=hint,
        details={"path": path.text, "writable": ["Assets/", "Packages/<embedded>/", "ProjectSettings/*.asset"]},
    )
