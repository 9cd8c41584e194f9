"""Where a new script goes and how it is written: as the scripts most like it in this project are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from spark.core.engine import ScriptPlace
from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.ports import IndexEntry, ProjectFiles, ProjectIndex
from spark.engines.unity.assemblies import Assemblies, Assembly, is_editor_code
from spark.engines.unity.editorconfig import style_of
from spark.engines.unity.words import words

MAX_SAMPLED: Final = 400
MAX_SAMPLED_BYTES: Final = 256 * 1024
MAX_REMEMBERED: Final = 4_000
EDITOR_CLASSES: Final = words(
    "Editor EditorWindow PropertyDrawer DecoratorDrawer MaterialEditor ShaderGUI ScriptableWizard AssetPostprocessor "
    "AssetModificationProcessor ScriptedImporter ScriptedImporterEditor EditorTool ScriptableSingleton "
    "IPreprocessBuildWithReport IPostprocessBuildWithReport OdinEditor OdinEditorWindow"
)
_FOREIGN: Final = words(
    "plugins thirdparty third-party third_party 3rdparty vendor vendors external externals samples examples demo demos "
    "tests test textmeshpro tutorialinfo standardassets packages generated"
) | {"textmesh pro", "standard assets", "streamingassets", "exampleassets", "settings"}
_CLASS = re.compile(
    r"^[ \t]*(?:(?:public|internal|sealed|abstract|partial|static)[ \t]+)*class[ \t]+\w+[^\n:{]*:[ \t\r\n]*([\w.]+)",
    re.MULTILINE,
)
_NAMESPACE = re.compile(r"^[ \t]*namespace[ \t]+([\w.]+)", re.MULTILINE)
_INDENT = re.compile(r"^(\t+| {2,8})(?=[\w\[}/])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Script:
    """What one look at a script tells. `indent` is its smallest indentation; empty where it has none."""

    path: ProjectPath
    bases: frozenset[str]
    namespace: str
    crlf: bool
    bom: bool
    indent: str


class Places:
    """Looks at a bounded sample of the project's scripts, and at each again only when it changed."""

    def __init__(self, files: ProjectFiles, index: ProjectIndex, assemblies: Assemblies) -> None:
        self._files = files
        self._index = index
        self._assemblies = assemblies
        self._known: dict[tuple[ProjectPath, int, int], _Script | None] = {}

    def place(
        self,
        class_name: str,
        *,
        namespace: str | None,
        folder: str | None,
        base_class: str | None,
        root_namespace: str,
    ) -> ScriptPlace:
        """Raises `ToolRejected` where `folder` is no path inside the project."""
        if folder is not None:
            target = self._files.parse(folder.rstrip("/") or folder, field="folder")
            where = "the folder was given"
            scripts = self._sample(target)
        else:
            scripts = self._sample(ProjectPath("Assets"))
            target, where = self._folder(scripts, base_class)
        assembly = self._assemblies.of(target / f"{class_name}.cs")
        neighbours = self._neighbours(scripts, target)
        chosen, why = _namespace(namespace, assembly, neighbours, root_namespace)
        newline, bom, indent = self._style(target, neighbours or scripts)
        return ScriptPlace(
            path=target / f"{class_name}.cs",
            namespace=chosen,
            newline=newline,
            bom=bom,
            indent=indent,
            why=f"{target}: {where}; {why}.",
        )

    def _folder(self, scripts: Sequence[_Script], base_class: str | None) -> tuple[ProjectPath, str]:
        base = (base_class or "").rsplit(".", 1)[-1].split("<", 1)[0].strip()
        editor = self._editor_folders(scripts)
        if base in EDITOR_CLASSES:
            return _editor_folder([script for script in scripts if script.path.parent in editor], base)
        runtime = [script for script in scripts if script.path.parent not in editor]
        own = [script for script in runtime if not _is_foreign(script.path)] or runtime
        if base:
            alike = [script for script in own if base in script.bases]
            if alike:
                folder, count = _most(script.path for script in alike)
                return folder, f"{_scripts(count)} with the base class {base} {_lie(count)} there"
        if own:
            folder, count = _most(script.path for script in own)
            return folder, f"most of the project's scripts ({count}) lie there"
        return ProjectPath("Assets/Scripts"), "the project has no scripts of its own yet"

    def _editor_folders(self, scripts: Sequence[_Script]) -> set[ProjectPath | None]:
        """The folders of these scripts that only the Editor compiles."""
        samples = {script.path.parent: script.path for script in scripts}
        return {folder for folder, path in samples.items() if is_editor_code(path, self._assemblies.of(path))}

    def _neighbours(self, scripts: Sequence[_Script], folder: ProjectPath) -> list[_Script]:
        """The scripts in a folder, else those below the nearest folder above it that has some (not all of Assets)."""
        here: ProjectPath | None = folder
        while here is not None and "/" in here.text:
            inside = [script for script in scripts if script.path.parent == here]
            inside = inside or [script for script in scripts if script.path.is_under(here)]
            inside = inside or self._sample(here)
            if inside:
                return inside
            here = here.parent
        return []

    def _style(self, folder: ProjectPath, neighbours: Sequence[_Script]) -> tuple[Literal["\n", "\r\n"], bool, str]:
        style = style_of(self._files, folder)
        half = len(neighbours) / 2
        newline = style.newline or ("\r\n" if sum(script.crlf for script in neighbours) > half else "\n")
        bom = style.bom if style.bom is not None else sum(script.bom for script in neighbours) > half
        indents = Counter(script.indent for script in neighbours if script.indent)
        indent = style.indent or (indents.most_common(1)[0][0] if indents else "    ")
        return newline, bom, indent

    def _sample(self, folder: ProjectPath) -> list[_Script]:
        entries = [entry for entry in self._index.entries(folder) if entry.path.suffix == ".cs"]
        if len(entries) > MAX_SAMPLED:
            # The project's own scripts first; of too many, evenly spread ones.
            own = [entry for entry in entries if not _is_foreign(entry.path)]
            entries = _spread(own if len(own) > MAX_SAMPLED // 4 else entries, MAX_SAMPLED)
        return [script for entry in entries if (script := self._look(entry)) is not None]

    def _look(self, entry: IndexEntry) -> _Script | None:
        key = (entry.path, entry.size, entry.mtime_ns)
        if key not in self._known:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[key] = self._read(entry.path)
        return self._known[key]

    def _read(self, path: ProjectPath) -> _Script | None:
        try:
            content = self._files.read(path, limit_bytes=MAX_SAMPLED_BYTES)
        except (SparkError, OSError):
            return None
        if content is None or b"\x00" in content:
            return None
        bom = content.startswith(b"\xef\xbb\xbf")
        text = content.decode("utf-8", "replace")
        namespace = _NAMESPACE.search(text)
        indents = [match.group(1) for match in _INDENT.finditer(text[:20_000])]
        return _Script(
            path=path,
            bases=frozenset(match.group(1).rsplit(".", 1)[-1] for match in _CLASS.finditer(text)),
            namespace=namespace.group(1) if namespace else "",
            crlf=text.count("\r\n") * 2 > text.count("\n"),
            bom=bom,
            indent=("\t" if "\t" in min(indents, key=len) else min(indents, key=len)) if indents else "",
        )


def _editor_folder(editor: Sequence[_Script], base: str) -> tuple[ProjectPath, str]:
    own = [script for script in editor if not _is_foreign(script.path)]
    alike = [script for script in own if base in script.bases]
    if alike or own:
        folder, count = _most(script.path for script in alike or own)
        what = f"with the base class {base} " if alike else "for the Editor "
        return folder, f"{_scripts(count)} {what}{_lie(count)} there"
    return ProjectPath("Assets/Editor"), "Editor code must lie in a folder named Editor, and the project has none yet"


def _namespace(
    given: str | None, assembly: Assembly | None, neighbours: Sequence[_Script], root_namespace: str
) -> tuple[str | None, str]:
    if given:
        return given, f"the namespace {given} was given"
    if assembly is not None and assembly.root_namespace:
        return assembly.root_namespace, f"{assembly.root_namespace} is the root namespace of {assembly.path.name}"
    if neighbours:
        name, count = Counter(script.namespace for script in neighbours).most_common(1)[0]
        if count * 2 > len(neighbours):
            return (
                (name, f"its neighbours use the namespace {name}")
                if name
                else (None, "its neighbours use no namespace")
            )
    if root_namespace:
        return root_namespace, f"{root_namespace} is the project's root namespace"
    return None, "no namespace is usual here"


def _is_foreign(path: ProjectPath) -> bool:
    """Whether a script lies where assets of others, samples or tests usually lie."""
    return any(part.casefold() in _FOREIGN for part in path.parts[1:-1])


def _most(paths: Iterable[ProjectPath]) -> tuple[ProjectPath, int]:
    """The folder with most of these files; of equals the shallowest, then the first by name."""
    counts = Counter(path.parent for path in paths if path.parent is not None)
    return min(counts.items(), key=lambda item: (-item[1], len(item[0].parts), item[0]))


def _spread(entries: Sequence[IndexEntry], count: int) -> list[IndexEntry]:
    if len(entries) <= count:
        return list(entries)
    return [entries[number * len(entries) // count] for number in range(count)]


def _scripts(count: int) -> str:
    return "one script" if count == 1 else f"{count} scripts"


def _lie(count: int) -> str:
    return "lies" if count == 1 else "lie"
