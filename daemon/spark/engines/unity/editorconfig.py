"""`.editorconfig`: indentation, line ends and byte-order mark for C# files, from the file's folder up to the project's.

Covers what Unity projects write: `*`, `*.cs`, `*.{cs,…}`, `**.cs` sections, with or without folders in front.
"""

from __future__ import annotations

import re
from typing import Literal

from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles
from spark.engines.unity.facts import Style, read_text

_SECTION = re.compile(r"\[(.+)\]\s*([#;].*)?$")
_NAME = re.compile(r"(?:\*\*?/?|/)?(?:\*\*?|\*\*?\.cs|\*\*?\.\{[^{}]*\bcs\b[^{}]*\}|\{[^{}]*\*\.cs\b[^{}]*\})$")


def style_of(files: ProjectFiles, folder: ProjectPath | None) -> Style:
    """What the nearest `.editorconfig` says of C# files in a folder; nearer ones win, `root = true` ends the search."""
    merged: dict[str, str] = {}
    here = folder
    while True:
        path = here / ".editorconfig" if here is not None else ProjectPath(".editorconfig")
        values, root = _parsed(read_text(files, path))
        merged = {**values, **merged}
        if root or here is None:
            return _style(merged)
        here = here.parent


def _parsed(text: str) -> tuple[dict[str, str], bool]:
    values: dict[str, str] = {}
    root = False
    applies: bool | None = None
    for raw in text.split("\n"):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        section = _SECTION.match(line)
        if section is not None:
            applies = _NAME.match(section.group(1).strip()) is not None
            continue
        key, equals, value = line.partition("=")
        if not equals:
            continue
        key, value = key.strip().lower(), re.split(r"\s[#;]", value, maxsplit=1)[0].strip().lower()
        if applies is None:
            root = root or (key == "root" and value == "true")
        elif applies:
            values[key] = value
    return values, root


def _style(values: dict[str, str]) -> Style:
    size = values.get("indent_size", "")
    if size in ("", "tab"):
        size = values.get("tab_width", "4")
    indent: str | None = None
    if values.get("indent_style") == "tab":
        indent = "\t"
    elif size.isdigit() and 1 <= int(size) <= 8 and ("indent_size" in values or values.get("indent_style") == "space"):
        indent = " " * int(size)
    ends: dict[str, Literal["\n", "\r\n"]] = {"lf": "\n", "crlf": "\r\n"}
    bom = {"utf-8-bom": True, "utf-8": False}.get(values.get("charset", ""))
    return Style(indent=indent, newline=ends.get(values.get("end_of_line", "")), bom=bom)
