"""What a Unity project says of itself in its settings files: versions, pipeline, input, packages, symbols, style.

Settings files are read line by line for the few keys that matter. They are Unity's own dialect of YAML, merged by hand
and by tools, and a YAML library refuses many of them. Whatever cannot be read counts as not said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.ports import FileStat, ProjectFiles, ProjectIndex
from spark.engines.unity.editor_version import UNKNOWN, EditorVersion

MAX_SETTINGS_BYTES: Final = 2 * 1024 * 1024
NOTES_CHARS: Final = 3_000
_NOTES: Final = ("AGENTS.md", "CLAUDE.md")
_SETTINGS: Final = {
    "version": "ProjectSettings/ProjectVersion.txt",
    "graphics": "ProjectSettings/GraphicsSettings.asset",
    "quality": "ProjectSettings/QualitySettings.asset",
    "player": "ProjectSettings/ProjectSettings.asset",
    "editor": "ProjectSettings/EditorSettings.asset",
    "manifest": "Packages/manifest.json",
    "rsp": "Assets/csc.rsp",
}
Pipeline = Literal["Built-in", "URP", "HDRP", "custom"]
_PIPELINE_REFERENCE = re.compile(
    r"^\s*(?:m_CustomRenderPipeline|m_RenderPipelineAsset|customRenderPipeline): \{fileID: -?\d+,\s*guid: ([0-9a-f]{32})",
    re.MULTILINE,
)
_PIPELINE_SCRIPTS: Final[Mapping[str, Pipeline]] = {
    "bf2edee5c58d82540a51f03df9d42094": "URP",
    "0cf1dab834d4ec34195b920ea7bbf9ec": "HDRP",
}
_PIPELINE_PACKAGES: Final[Mapping[str, Pipeline]] = {
    "com.unity.render-pipelines.universal": "URP",
    "com.unity.render-pipelines.high-definition": "HDRP",
}

_PIPELINE_TYPES: Final[Mapping[str, Pipeline]] = {
    "UnityEngine.Rendering.Universal.UniversalRenderPipeline": "URP",
    "UnityEngine.Rendering.HighDefinition.HDRenderPipeline": "HDRP",
}


@dataclass(frozen=True, slots=True)
class Style:
    """How `.editorconfig` wants C# written; None where it does not say."""

    indent: str | None = None
    newline: Literal["\n", "\r\n"] | None = None
    bom: bool | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """`editor_version` is empty and `version.assumed` true where the project does not name one. `symbols` are the project's
    own of its Standalone player; `input` is `old`, `new`, `both` or empty; `notes` are the project's own texts by file."""

    editor_version: str = ""
    version: EditorVersion = UNKNOWN
    product: str = ""
    pipeline: Pipeline = "Built-in"
    pipeline_note: str = ""
    input: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    embedded_packages: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    symbols_by_platform: Mapping[str, str] = field(default_factory=dict)
    root_namespace: str = ""
    color_space: str = ""
    serialization: str = ""
    one_line: bool = False
    """Whether new assets have their inline mappings on one line each."""
    csharp_override: float | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def csharp(self) -> float:
        return self.csharp_override or self.version.csharp

    @property
    def unity_label(self) -> str:
        return f"Unity {self.editor_version}" if self.editor_version else "Unity (version unknown, 2022.3 assumed)"


class FactsReader:
    """Reads the facts, and again when one of their files changed (by size, times and inode)."""

    def __init__(self, files: ProjectFiles, index: ProjectIndex) -> None:
        self._files = files
        self._index = index
        self._stamp: tuple[object, ...] | None = None
        self._facts = Facts()

    def facts(self) -> Facts:
        stamp = self._stamps()
        if stamp != self._stamp:
            self._facts = self._read()
            self._stamp = stamp
        return self._facts

    def _stamps(self) -> tuple[object, ...]:
        paths = [ProjectPath(text) for text in (*_SETTINGS.values(), *_NOTES)]
        return (tuple(_stat(self._files, path) for path in paths), self._files.embedded_packages)

    def _read(self) -> Facts:
        texts = {name: read_text(self._files, ProjectPath(path)) for name, path in _SETTINGS.items()}
        editor_version = _value(texts["version"], "m_EditorVersion", indent="")
        packages = _packages(texts["manifest"])
        pipeline, note = self._pipeline(texts, packages)
        platforms = _block(texts["player"], "scriptingDefineSymbols")
        version = EditorVersion.parse(editor_version)
        return Facts(
            editor_version=editor_version if not version.assumed else "",
            version=version,
            product=_value(texts["player"], "productName"),
            pipeline=pipeline,
            pipeline_note=note,
            input=_input(texts["player"], packages),
            packages=packages,
            embedded_packages=tuple(sorted(self._files.embedded_packages)),
            symbols=_symbols(platforms),
            symbols_by_platform=platforms,
            root_namespace=_value(texts["editor"], "m_ProjectGenerationRootNamespace"),
            color_space={"0": "Gamma", "1": "Linear"}.get(_value(texts["player"], "m_ActiveColorSpace"), ""),
            serialization={"0": "mixed", "1": "binary", "2": "text"}.get(
                _value(texts["editor"], "m_SerializationMode"), ""
            ),
            one_line=_value(texts["editor"], "m_SerializeInlineMappingsOnOneLine") == "1",
            csharp_override=language_version(texts["rsp"]),
            notes={name: text for name in _NOTES if (text := self._note(name))},
        )

    def _note(self, name: str) -> str:
        return read_text(self._files, ProjectPath(name))[: NOTES_CHARS + 1].strip()

    def _pipeline(self, texts: Mapping[str, str], packages: Mapping[str, str]) -> tuple[Pipeline, str]:
        installed: list[Pipeline] = [kind for name, kind in _PIPELINE_PACKAGES.items() if name in packages]
        guids = _PIPELINE_REFERENCE.findall(texts["graphics"]) + _PIPELINE_REFERENCE.findall(texts["quality"])
        guids = [guid for guid in guids if guid.strip("0")]
        if not guids:
            return (
                "Built-in",
                f"{' and '.join(installed)} is installed but no pipeline asset is set"
                if installed
                else ("" if texts["graphics"] else "the default: GraphicsSettings.asset is not there yet"),
            )
        if len(installed) == 1:
            return installed[0], ""
        for guid in guids:
            asset = self._index.path_of_guid(guid)
            text = read_text(self._files, asset) if asset is not None else ""
            for script, kind in _PIPELINE_SCRIPTS.items():
                if script in text:
                    return kind, ""
        for name, kind in _PIPELINE_TYPES.items():
            if name in texts["graphics"]:
                return kind, ""
        return (installed[0], "both pipelines are installed") if installed else ("custom", "a pipeline asset is set")


def _stat(files: ProjectFiles, path: ProjectPath) -> FileStat | None:
    try:
        return files.stat(path)
    except (SparkError, OSError):
        return None


def read_text(files: ProjectFiles, path: ProjectPath) -> str:
    """A file's text; empty where it is missing, unreadable or too large to be what it should be."""
    try:
        content = files.read(path, limit_bytes=MAX_SETTINGS_BYTES)
    except (SparkError, OSError):
        return ""
    if content is None:
        return ""
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r\n", "\n")


def read_json(files: ProjectFiles, path: ProjectPath) -> dict[str, Any]:
    """A file's JSON object; empty for anything else."""
    try:
        value = json.loads(read_text(files, path) or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def language_version(rsp: str) -> float | None:
    """The C# version that a compiler response file asks for; 99 for `preview` and `latest`."""
    match = re.search(r"^\s*[-/]langversion:(\S+)", rsp, re.MULTILINE | re.IGNORECASE)
    if match is None:
        return None
    word = match.group(1).strip("\"'").lower()
    if word in ("preview", "latest", "latestmajor"):
        return 99
    try:
        return float(word)
    except ValueError:
        return None


def _value(text: str, key: str, indent: str = "  ") -> str:
    match = re.search(rf"^{indent}{key}:[ \t]*(.*)$", text, re.MULTILINE)
    value = match.group(1).strip() if match else ""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    return value[:200]


def _block(text: str, key: str) -> dict[str, str]:
    """The lines `    Name: value` below a key, names in Unity's old numbers made words."""
    found: dict[str, str] = {}
    match = re.search(rf"^  {key}:[ \t]*$", text, re.MULTILINE)
    if match is None:
        return found
    for line in text[match.end() + 1 :].split("\n")[:100]:
        item = re.fullmatch(r"    ([\w ]+): ?(.*)", line)
        if item is None:
            break
        if item.group(2).strip():
            found[_PLATFORMS.get(item.group(1), item.group(1))] = item.group(2).strip().strip("'\"")
    return found


_PLATFORMS: Final = {
    "1": "Standalone",
    "4": "iPhone",
    "7": "Android",
    "13": "WebGL",
    "14": "WSA",
    "19": "PS4",
    "25": "tvOS",
}


def _symbols(platforms: Mapping[str, str]) -> tuple[str, ...]:
    """Those of Standalone; where it has none, those of all platforms together."""
    chosen = [platforms["Standalone"]] if "Standalone" in platforms else list(platforms.values())
    words = {word for line in chosen for word in re.split(r"[;,\s]+", line) if re.fullmatch(r"\w+", word)}
    return tuple(sorted(words))


def _packages(manifest: str) -> dict[str, str]:
    try:
        value = json.loads(manifest or "{}")
    except (ValueError, RecursionError):
        return {}
    dependencies = value.get("dependencies") if isinstance(value, dict) else None
    if not isinstance(dependencies, dict):
        return {}
    return {str(name): version for name, version in dependencies.items() if isinstance(version, str)}


def _input(player: str, packages: Mapping[str, str]) -> str:
    known = {"0": "old", "1": "new", "2": "both"}.get(_value(player, "activeInputHandler"))
    if known is None and _value(player, "enableNativePlatformBackendsForNewInputSystem") == "1":
        known = "new" if _value(player, "disableOldInputManagerSupport") == "1" else "both"
    return known or ("old" if player and "com.unity.inputsystem" not in packages else "")
