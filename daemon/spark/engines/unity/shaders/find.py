"""A shader by its name, its file's path or a material's reference: where it is, and what it says of itself.

In order: files of the project and of embedded packages, Unity's built-in shaders, the pipeline packages' shaders with fixed
ids, and the files of other packages (`Library/PackageCache`). Names are read once per file and again when it changed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal
from weakref import WeakKeyDictionary

from spark.core.errors import SparkError, ToolRejected, invalid_arguments
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity.facts import Facts, read_json
from spark.engines.unity.meta import guid_in_meta
from spark.engines.unity.shaders import builtin, pipelines
from spark.engines.unity.shaders.model import ShaderError, ShaderHead
from spark.engines.unity.shaders.shadergraph import GRAPH_FILE_ID, parse_graph
from spark.engines.unity.shaders.shaderlab import MAX_BYTES, parse_shader, shader_name
from spark.engines.unity.yaml.values import Ref

SHADER_FILE_ID: Final = 4800000
SUFFIXES: Final = (".shader", ".shadergraph")
MAX_FOLDERS: Final = 4_000
"""At most so many folders of packages are looked into for one name."""
_GRAPH_BYTES: Final = 16 * 1024 * 1024
_MANIFEST: Final = ProjectPath("Packages/manifest.json")
Source = Literal["project", "package", "built-in", "known"]


@dataclass(frozen=True, slots=True)
class Shader:
    """`source` `known`: from the package's public declaration, because its files are not on disk. `path`: where it is."""

    ref: Ref
    head: ShaderHead
    source: Source
    path: ProjectPath | None = None
    package: str = ""
    version: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        return self.head.name


@dataclass(slots=True)
class _Known:
    """What was read of one project's shader files, by path; the stamp is size and change time."""

    names: dict[str, tuple[tuple[int, int], str]] = field(default_factory=dict)
    heads: dict[str, tuple[tuple[int, int], ShaderHead]] = field(default_factory=dict)


_KNOWN: WeakKeyDictionary[ProjectIndex, _Known] = WeakKeyDictionary()


class ShaderFinder:
    """Reads through the two ports only. `field` is the name of the argument that refusals speak of."""

    def __init__(self, files: ProjectFiles, index: ProjectIndex, facts: Facts, *, field: str = "shader") -> None:
        self._files = files
        self._index = index
        self._facts = facts
        self._field = field
        self._known = _KNOWN.setdefault(index, _Known())

    def by_name(self, name: str) -> Shader:
        """`name` may also be the path of a `.shader` or `.shadergraph`. Raises `not_found` with near names,
        `ambiguous_match`, `invalid_asset`, `unsupported_asset` for shaders of which too little is known."""
        if name.startswith(("Assets/", "Packages/")) and name.endswith(SUFFIXES):
            return self._at_path(name)
        if not name.strip() or len(name) > 500:
            raise invalid_arguments({self._field: "a shader's name such as Universal Render Pipeline/Lit"})
        own = [path for path, found in self._project_names() if found == name]
        if name in pipelines.SHADERS and own in ([], [pipelines.SHADERS[name].full_path]):
            return self._of_pipeline(pipelines.SHADERS[name])
        if len(own) > 1 or (own and name in builtin.FILE_IDS):
            raise self._ambiguous(name, own)
        if own:
            return self._from_file(own[0], "project")
        if name in builtin.FILE_IDS:
            ref = Ref(builtin.FILE_IDS[name], builtin.GUID, 0)
            return Shader(ref, builtin.head_of(name), "built-in")
        path = self._in_packages(name)
        if path is not None:
            return self._from_file(path, "package")
        raise self._missing(name)

    def by_ref(self, ref: Ref) -> Shader | None:
        """The shader that a material refers to; None where it is not on disk or nothing is known of it."""
        if ref.guid == builtin.GUID:
            known = builtin.name_of(ref.file_id)
            return Shader(ref, builtin.head_of(known), "built-in") if known is not None else None
        if not ref.guid or ref.file_id not in (SHADER_FILE_ID, GRAPH_FILE_ID):
            return None
        of_pipeline = pipelines.by_guid(ref.guid)
        path = self._index.path_of_guid(ref.guid)
        try:
            if of_pipeline is not None:
                return self._of_pipeline(of_pipeline)
            if path is None or path.suffix not in SUFFIXES:
                return None
            head = self._head(path)
        except ToolRejected:
            return None
        return Shader(ref, head, "project" if self._index.entry(path) is not None else "package", path)

    def _at_path(self, text: str) -> Shader:
        path = self._files.parse(text, field=self._field)
        if self._files.stat(path) is None:
            raise ToolRejected(
                "not_found",
                f"{self._field}: {path} does not exist",
                hint="Name the shader by its own name, or an existing file.",
            )
        return self._from_file(path, "project" if self._index.entry(path) is not None else "package")

    def _from_file(self, path: ProjectPath, source: Source) -> Shader:
        guid = self._guid(path)
        if guid is None:
            raise ToolRejected(
                "broken_reference",
                f"{path} has no .meta with a guid yet, so no material can refer to it",
                hint="Let Unity import it, or write the .meta, and call again.",
                details={"path": path.text},
            )
        file_id = GRAPH_FILE_ID if path.suffix == ".shadergraph" else SHADER_FILE_ID
        package = path.parts[1] if path.parts[0] == "Packages" else ""
        return Shader(Ref(file_id, guid, 3), self._head(path), source, path, package)

    def _of_pipeline(self, known: pipelines.PackageShader) -> Shader:
        if not pipelines.is_installed(known.package, self._facts, self._files):
            if self._files.stat(_MANIFEST) is None:
                raise ToolRejected(
                    "not_found",
                    f"{self._field}: {known.name} is part of {known.package}, and whether this project has it cannot be told: "
                    f"{_MANIFEST} is missing",
                    hint=f"Unity writes {_MANIFEST} when it opens the project; restore it, then call again.",
                    details={"shader": known.name, "package": known.package, "path": _MANIFEST.text},
                )
            raise ToolRejected(
                "not_found",
                f"{self._field}: {known.name} is part of {known.package}, which this project does not have",
                hint=f"The project's pipeline is {self._facts.pipeline}: name a shader of it, or install the package.",
                details={"shader": known.name, "package": known.package},
            )
        version = pipelines.package_version(known.package, self._facts, self._files)
        path = known.full_path
        if self._stat(path) is not None:
            ref = Ref(SHADER_FILE_ID, self._guid(path) or known.guid, 3)
            return Shader(ref, self._head(path), "package", path, known.package, version)
        head = pipelines.known_head(known, version)
        if head is None:
            shown = ".".join(map(str, version)) if version is not None else "of unknown version"
            raise ToolRejected(
                "unsupported_asset",
                f"{known.name}: the properties of {known.package} {shown} are not known and its files are not on disk",
                hint="Open the project in Unity once, so that the package lies in Library/PackageCache; then call again.",
                details={"shader": known.name, "package": known.package},
            )
        return Shader(Ref(SHADER_FILE_ID, known.guid, 3), head, "known", None, known.package, version)

    # --- reading -----------------------------------------------------------------------------------------------------

    def _stat(self, path: ProjectPath) -> tuple[int, int] | None:
        try:
            found = self._files.stat(path)
        except SparkError:
            return None
        return (found.size, found.mtime_ns) if found is not None and not found.is_folder else None

    def _guid(self, path: ProjectPath) -> str | None:
        entry = self._index.entry(path)
        if entry is not None and entry.guid is not None:
            return entry.guid
        content = self._files.read(path.meta, limit_bytes=1024 * 1024)
        return guid_in_meta(content) if content is not None else None

    def _head(self, path: ProjectPath) -> ShaderHead:
        stamp = self._stat(path)
        known = self._known.heads.get(path.text)
        if known is not None and known[0] == stamp:
            return known[1]
        content = self._files.read(path, limit_bytes=_GRAPH_BYTES)
        if content is None:
            raise ToolRejected("not_found", f"{path} does not exist", details={"path": path.text})
        try:
            head = parse_graph(content, path.stem) if path.suffix == ".shadergraph" else parse_shader(content)
        except ShaderError as error:
            line = f"line {error.line}: " if error.line else ""
            raise ToolRejected(
                "invalid_asset",
                f"{path}: {line}{error.message}",
                hint="Correct the shader, then call again.",
                details={"path": path.text, "line": error.line},
            ) from error
        if stamp is not None:
            self._known.heads[path.text] = (stamp, head)
        return head

    def _name(self, path: ProjectPath, stamp: tuple[int, int]) -> str:
        """The name in a file; empty where it cannot be read as a shader."""
        known = self._known.names.get(path.text)
        if known is not None and known[0] == stamp:
            return known[1]
        name = ""
        try:
            if path.suffix == ".shadergraph":
                name = self._head(path).name
            elif stamp[0] <= MAX_BYTES:
                name = shader_name(self._files.read(path, limit_bytes=MAX_BYTES) or b"")
        except (SparkError, ShaderError):
            pass
        self._known.names[path.text] = (stamp, name)
        return name

    def _project_names(self) -> Iterator[tuple[ProjectPath, str]]:
        for entry in self._index.entries():
            path = entry.path
            if path.text.endswith(SUFFIXES) and not any(part.endswith("~") for part in path.parts):
                yield path, self._name(path, (entry.size, entry.mtime_ns))

    # --- packages ----------------------------------------------------------------------------------------------------

    def _packages(self) -> list[str]:
        """Installed packages that are not embedded, those with the name's likeliest shaders first."""
        locked = read_json(self._files, ProjectPath("Packages/packages-lock.json")).get("dependencies")
        names = {*self._facts.packages, *(locked if isinstance(locked, dict) else ())}
        embedded = self._files.embedded_packages
        return sorted(
            name
            for name in names
            if name not in embedded and not name.startswith("com.unity.modules.") and "/" not in name
        )

    def _in_packages(self, name: str) -> ProjectPath | None:
        left = MAX_FOLDERS
        for package in self._packages():
            waiting = [ProjectPath(f"Packages/{package}")]
            while waiting and left:
                left -= 1
                folder = waiting.pop()
                for child in self._children(folder):
                    path = folder / child
                    if child.endswith(SUFFIXES):
                        stamp = self._stat(path)
                        if stamp is not None and self._name(path, stamp) == name:
                            return path
                    elif "." not in child and not child.endswith("~"):
                        waiting.append(path)
        return None

    def _children(self, folder: ProjectPath) -> list[str]:
        try:
            return self._files.names(folder)
        except SparkError:
            return []

    # --- refusals ----------------------------------------------------------------------------------------------------

    def _ambiguous(self, name: str, paths: list[ProjectPath]) -> ToolRejected:
        places = [path.text for path in paths] + (["Unity's built-in shader"] if name in builtin.FILE_IDS else [])
        return ToolRejected(
            "ambiguous_match",
            f"{self._field}: several shaders are named {name}: {', '.join(places)}",
            hint="Name one by the path of its file.",
            details={"shader": name, "candidates": places},
        )

    def _missing(self, name: str) -> ToolRejected:
        names = {found for found in (known for _, known in self._known.names.values()) if found}
        names |= {*builtin.FILE_IDS} | {
            shader.name
            for shader in pipelines.SHADERS.values()
            if pipelines.is_installed(shader.package, self._facts, self._files)
        }
        near = nearest(name, names)
        if pipelines.pipeline_of(name) is None and builtin.may_be_built_in(name):
            return ToolRejected(
                "unsupported_asset",
                f"{self._field}: {name} may be one of Unity's built-in shaders whose properties SPARK does not know exactly",
                hint=f"Known are: {', '.join(builtin.FILE_IDS)}. Or make this material in the Editor, then edit it here.",
                details={"shader": name, "known": list(builtin.FILE_IDS), "near": near},
            )
        hint = f"Near it: {', '.join(near)}." if near else "listAssets with type Shader lists the project's shaders."
        if not self._index.complete:
            hint += " The project is still being read: call again in a moment."
        return ToolRejected(
            "not_found",
            f"{self._field}: no shader is named {name}",
            hint=hint,
            details={"shader": name, "near": near},
        )


def nearest(name: str, names: set[str] | frozenset[str], count: int = 6) -> list[str]:
    """The names most like one that is not there, best first."""
    name = name[:100]
    folded = {other.casefold(): other for other in sorted(names)}
    found = difflib.get_close_matches(name.casefold(), folded, n=count, cutoff=0.5)
    last = name.casefold().rpartition("/")[2].lstrip("_")
    inside = [key for key in folded if last and last in key and key not in found]
    return [folded[key] for key in (*found, *inside)][:count]
