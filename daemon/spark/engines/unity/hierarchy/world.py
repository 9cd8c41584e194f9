"""What the functions of this package need of the project: its files, its index, its facts, and what is made of them when
it is first asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from spark.core.errors import SparkError
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.facts import Facts, read_text
from spark.engines.unity.yaml.mode import Mode

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.objects import Component
    from spark.engines.unity.hierarchy.sources import Sources
    from spark.engines.unity.references import AssetReferences
    from spark.engines.unity.script_files import ScriptCache
    from spark.engines.unity.scripts import ScriptClass, Scripts
    from spark.engines.unity.yaml.values import Ref

BUILT_IN_TAGS: Final = ("Untagged", "Respawn", "Finish", "EditorOnly", "MainCamera", "Player", "GameController")
_MONO_BEHAVIOUR: Final = 114


@dataclass(frozen=True)
class World:
    """One project as it is during one call. Made anew for every call: nothing in it is ever read again.

    `symbols`: what a script is compiled with; `script_cache`: what the engine keeps of scripts between calls.
    """

    files: ProjectFiles
    index: ProjectIndex
    facts: Facts
    symbols: Callable[[ProjectPath], Set[str]] | None = None
    script_cache: ScriptCache | None = None

    @property
    def version(self) -> EditorVersion:
        return self.facts.version

    @cached_property
    def mode(self) -> Mode:
        """How this project's Editor writes a new asset."""
        return Mode.for_project(self.version, one_line=self.facts.one_line)

    @cached_property
    def sources(self) -> Sources:
        from spark.engines.unity.hierarchy.sources import Sources

        return Sources(self.files, self.index)

    @cached_property
    def references(self) -> AssetReferences:
        from spark.engines.unity.references import AssetReferences

        return AssetReferences(self.files, self.index, script_fits=lambda guid, wanted: self.scripts.fits(guid, wanted))

    @cached_property
    def scripts(self) -> Scripts:
        from spark.engines.unity.scripts import Scripts

        own = self.facts.version.symbols() | set(self.facts.symbols)
        return Scripts(
            self.files,
            self.index,
            version=self.version,
            symbols=self.symbols or (lambda path: own),
            cache=self.script_cache,
        )

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """All tags that an object may have."""
        text = read_text(self.files, ProjectPath("ProjectSettings/TagManager.asset"))
        block = re.search(r"^  tags:\n((?:  - ?.*\n?)+)", text, re.MULTILINE)
        lines = block.group(1).splitlines() if block is not None else []
        own = [line[3:].strip().strip("'\"") for line in lines]
        return (*BUILT_IN_TAGS, *(tag for tag in own if tag and tag not in BUILT_IN_TAGS))

    # -- scripts of components -------------------------------------------------------------------------------------------

    def script(self, ref: Ref | None) -> ScriptClass | None:
        """The class of a script reference; None where it cannot be read."""
        if ref is None or not ref.guid:
            return None
        return self.scripts.of_guid(ref.guid)

    def script_name(self, ref: Ref | None) -> str:
        """The simple name of a script's class: that of its file; empty where it is not known."""
        path = self.index.path_of_guid(ref.guid) if ref is not None and ref.guid else None
        return path.stem if path is not None and path.suffix == ".cs" else ""

    def script_derives(self, ref: Ref | None, wanted: str) -> bool:
        return ref is not None and bool(ref.guid) and self.scripts.fits(ref.guid, wanted) is True

    def script_needs(self, class_name: str) -> tuple[str, ...]:
        """What `[RequireComponent]` of a script's class names; empty where the class is not found."""
        from spark.engines.unity.hierarchy.script_fields import simple

        try:
            return simple(self.scripts.find(class_name).requires)
        except SparkError:
            return ()

    def script_needs_of(self, ref: Ref | None) -> tuple[str, ...]:
        from spark.engines.unity.hierarchy.script_fields import simple

        script = self.script(ref)
        return simple(script.requires) if script is not None else ()

    def type_name(self, component: Component) -> str:
        """The name by which a component is addressed: its class, of a script the script's."""
        if component.class_id != _MONO_BEHAVIOUR:
            return component.class_name
        return self.script_name(component.script) or component.class_name
