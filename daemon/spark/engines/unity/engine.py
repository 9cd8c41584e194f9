"""Unity as an engine: the one object that the rest of SPARK sees of everything in this package."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from spark.core.assets import AssetBytes, Json, MaterialOrder, NewObject, ObjectOp, PropertyEdit
from spark.core.diagnostics import Checked, Finding
from spark.core.engine import Merged, Referrer, ScriptPlace
from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity import meta, text_assets
from spark.engines.unity.assemblies import Assemblies, is_editor_code
from spark.engines.unity.brief import brief
from spark.engines.unity.editorconfig import style_of
from spark.engines.unity.facts import Facts, FactsReader
from spark.engines.unity.place import Places

if TYPE_CHECKING:
    from spark.engines.unity.checks.project import ProjectChecks
    from spark.engines.unity.csharp.check import CSharpContext
    from spark.engines.unity.hierarchy.world import World
    from spark.engines.unity.script_files import ScriptCache


def is_unity_project(files: ProjectFiles) -> bool:
    """A folder with `Assets/` and `ProjectSettings/`; the version file may be missing."""
    return all(_is_folder(files, ProjectPath(name)) for name in ("Assets", "ProjectSettings"))


def _is_folder(files: ProjectFiles, path: ProjectPath) -> bool:
    try:
        found = files.stat(path)
    except (SparkError, OSError):
        return False
    return found is not None and found.is_folder


class Unity:
    """Implements `core.engine.Engine`. Settings are looked at with every call and read again when they changed."""

    def __init__(self, files: ProjectFiles, index: ProjectIndex) -> None:
        self._files = files
        self._index = index
        self._facts = FactsReader(files, index)
        self._assemblies = Assemblies(files, index)
        self._places = Places(files, index, self._assemblies)
        self._scripts: ScriptCache | None = None
        self._checks: ProjectChecks | None = None

    @property
    def name(self) -> Literal["unity"]:
        return "unity"

    @property
    def editor_version(self) -> str:
        return self.facts().editor_version

    def facts(self) -> Facts:
        return self._facts.facts()

    def brief(self) -> str:
        assets = ProjectPath("Assets")
        scripts = sum(entry.path.suffix == ".cs" for entry in self._index.entries(assets))
        return brief(
            self.facts(),
            self._assemblies.listed(),
            style_of(self._files, assets),
            scripts=scripts,
            complete=self._index.complete,
        )

    def new_guid(self) -> str:
        return meta.new_guid(self._index)

    def meta(self, path: ProjectPath, guid: str, *, folder: bool = False) -> bytes:
        return meta.meta_body(path, guid, self.facts().version, folder=folder)

    def guid_in_meta(self, content: bytes) -> str | None:
        return meta.guid_in_meta(content)

    def is_text(self, path: ProjectPath, content: bytes) -> bool:
        return text_assets.is_text(path, content)

    def referrers(self, content: bytes, guid: str, file_id: int | None = None) -> list[Referrer]:
        from spark.engines.unity.referrers import referrers

        return referrers(content, guid, file_id)

    def check(self, path: ProjectPath, content: bytes, before: bytes | None = None) -> list[Finding]:
        # The rules are some forty patterns: compiled with the first check, not with the start of the daemon.
        from spark.engines.unity.check import check_file

        findings = check_file(path, content, before, self.context(path))
        if path.is_meta and not findings:
            findings.extend(self._taken_guid(path, content, before))
        return findings

    def context(self, path: ProjectPath) -> CSharpContext:
        """What a script at this path is compiled with; plain data that `check_file` needs in a worker."""
        from spark.engines.unity.csharp.check import CSharpContext

        facts = self.facts()
        if path.suffix != ".cs":
            return CSharpContext(frozenset(), frozenset(), facts.csharp, facts.unity_label)
        assembly = self._assemblies.of(path)
        own = {*facts.symbols}
        if assembly is not None:
            installed = facts.packages.keys() | {"Unity"}
            own |= {define for package, define in assembly.defines if package in installed and define}
        own |= {"ENABLE_INPUT_SYSTEM"} if facts.input in ("new", "both") else set()
        own |= {"ENABLE_LEGACY_INPUT_MANAGER"} if facts.input in ("old", "both") else set()
        return CSharpContext(
            symbols=facts.version.symbols() | own,
            player_symbols=facts.version.player_symbols() | own,
            version=self._assemblies.language_override(assembly) or facts.csharp,
            unity=facts.unity_label,
            editor_only=is_editor_code(path, assembly) or (assembly is not None and assembly.test_only),
        )

    def place_script(
        self, class_name: str, *, namespace: str | None, folder: str | None, base_class: str | None
    ) -> ScriptPlace:
        return self._places.place(
            class_name,
            namespace=namespace,
            folder=folder,
            base_class=base_class,
            root_namespace=self.facts().root_namespace,
        )

    # -- assets: the rooms that know prefabs, materials and the rest are loaded when they are first asked ----------------

    def new_asset(self, path: ProjectPath, kind: str, properties: Mapping[str, Json]) -> AssetBytes:
        if kind == "asmdef":
            from spark.engines.unity.asmdef import new_asmdef

            return new_asmdef(path, properties, self._world())
        if kind == "scene":
            from spark.engines.unity.hierarchy import new_scene

            return new_scene(path, self._world())
        from spark.engines.unity.scriptable import new_scriptable

        return new_scriptable(path, kind, properties, self._world())

    def new_prefab(self, path: ProjectPath, objects: Sequence[NewObject], variant_of: ProjectPath | None) -> AssetBytes:
        from spark.engines.unity.hierarchy import new_prefab

        return new_prefab(path, objects, variant_of, self._world())

    def edit_prefab(self, path: ProjectPath, content: bytes, ops: Sequence[ObjectOp]) -> AssetBytes:
        from spark.engines.unity.hierarchy import edit_prefab

        return edit_prefab(path, content, ops, self._world())

    def edit_asset(self, path: ProjectPath, content: bytes, edits: Sequence[PropertyEdit]) -> AssetBytes:
        from spark.engines.unity.hierarchy import edit_asset

        return edit_asset(path, content, edits, self._world())

    def new_material(self, path: ProjectPath, order: MaterialOrder) -> AssetBytes:
        from spark.engines.unity.material import new_material

        return new_material(path, order, self.facts(), self._files, self._index)

    def edit_material(self, path: ProjectPath, content: bytes, order: MaterialOrder) -> AssetBytes:
        from spark.engines.unity.material import edit_material

        return edit_material(path, content, order, self.facts(), self._files, self._index)

    def renamed(self, old: ProjectPath, new: ProjectPath, content: bytes) -> bytes:
        from spark.engines.unity.renaming import renamed

        return renamed(old, new, content)

    def outline(self, path: ProjectPath, content: bytes, target: str | None) -> list[str]:
        from spark.engines.unity.hierarchy import outline

        return outline(path, content, target, self._world())

    def merge(self, path: ProjectPath, base: bytes, ours: bytes, theirs: bytes) -> Merged:
        from spark.engines.unity.merge import merge_asset

        return merge_asset(path, base, ours, theirs)

    def check_changes(self, changes: Mapping[ProjectPath, bytes | None]) -> list[Finding]:
        from spark.engines.unity.checks.changes import check_changes

        return check_changes(changes, self._project_checks())

    def check_project(
        self, paths: Sequence[ProjectPath] | None = None, stop: Callable[[], bool] = lambda: False
    ) -> Checked:
        return self._project_checks().run(paths, stop)

    def _project_checks(self) -> ProjectChecks:
        """Kept, because it holds what it found of files that do not change."""
        if self._checks is None:
            from spark.engines.unity.checks.project import ProjectChecks

            self._checks = ProjectChecks(self._files, self._index, self.context)
        return self._checks

    def _world(self) -> World:
        """The project for one call."""
        from spark.engines.unity.hierarchy.world import World
        from spark.engines.unity.script_files import ScriptCache

        self._scripts = self._scripts or ScriptCache()
        symbols = lambda path: self.context(path).symbols  # noqa: E731
        return World(self._files, self._index, self.facts(), symbols=symbols, script_cache=self._scripts)

    def _taken_guid(self, path: ProjectPath, content: bytes, before: bytes | None) -> Iterator[Finding]:
        """A guid that another asset has: Unity would give one of the two a new one and cut its references."""
        guid = meta.guid_in_meta(content)
        if guid is None or (before is not None and meta.guid_in_meta(before) == guid):
            return
        owner = self._index.path_of_guid(guid)
        if owner is not None and owner != path.asset:
            message = f"the guid belongs to {owner} already"
            yield Finding("meta/guid-taken", "error", path.text, 2, 1, message, "Use a guid that no asset has.")


def open_unity(files: ProjectFiles, index: ProjectIndex) -> Unity:
    return Unity(files, index)
