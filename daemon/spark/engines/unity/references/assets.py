"""From a reference as people write it to the ids that stand in a file, and back. Guesses nothing: what is not certain is
refused with what would be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from spark.core.assets import Json
from spark.core.errors import SparkError, ToolRejected, invalid_arguments
from spark.core.limits import ASSET_BYTES
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity.meta import guid_in_meta
from spark.engines.unity.references import kinds
from spark.engines.unity.references.builtin import BUILTINS, builtin_name, is_builtin
from spark.engines.unity.references.objects import broken, in_asset, in_prefab
from spark.engines.unity.references.tables import NOTHING, ImportFacts, import_facts, sprites
from spark.engines.unity.yaml.values import Ref

if TYPE_CHECKING:
    from spark.engines.unity.hierarchy.sources import Sources

ScriptQuestion = Callable[[str, str], bool | None]
"""`(guid of a script, class name)`: whether it is the class or derives from it; None where that is not known."""
_GUID: Final = re.compile(r"[0-9a-f]{32}")
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")
_FORMS: Final = (
    '"Assets/x.mat", "Assets/x.fbx#Part", "Assets/x.prefab#Root/Gun:BoxCollider", "builtin:Cube", '
    '{"fileID": "…", "guid": "…", "type": 3} or null'
)
_LAYERS: Final = {"Default": 0, "TransparentFX": 1, "Ignore Raycast": 2, "Water": 4, "UI": 5}
_SHOWN: Final = 12


class AssetReferences:
    """Resolves references of one change set. `pending`: guids of assets that the same change set makes, by path.
    `script_fits` answers what a script's class is; without it that is never known. Reads each asset once."""

    def __init__(
        self,
        files: ProjectFiles,
        index: ProjectIndex,
        *,
        pending: Mapping[ProjectPath, str] | None = None,
        script_fits: ScriptQuestion | None = None,
    ) -> None:
        self._files = files
        self._index = index
        self._pending = dict(pending or {})
        self._script_fits = script_fits or (lambda guid, wanted: None)
        self._sources: Sources | None = None
        self._facts: dict[ProjectPath, ImportFacts] = {}
        self.notes: list[str] = []
        """What was set without being certain, for the answer."""

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def reference(self, value: Json, *, wanted: str = "", where: str) -> Ref:
        """The reference that `value` means. `wanted`: a class of the engine or of a script (`Material`, `Game.Health`), or
        empty; it decides which object of an asset is meant. `where` names the place in refusals.

        Raises `broken_reference`, `unsupported_asset`, `ambiguous_match`, `invalid_arguments` (also for an object of another
        class than `wanted`), and what the fence refuses.
        """
        if value is None:
            return Ref()
        if isinstance(value, dict):
            return self._fitting(self._explicit(value, where), kinds.simple(wanted), where)
        if not isinstance(value, str) or not value:
            raise invalid_arguments({where: _FORMS})
        wanted = kinds.simple(wanted)
        if value.startswith("builtin:"):
            return self._builtin(value.removeprefix("builtin:"), wanted, where)
        path, inner = self._split(value, where)
        return self._inside(path, inner, self.guid(path, where), wanted, where)

    def describe(self, ref: Ref) -> str:
        """A reference as people write it; the guid where nothing is known of it, `none` for none."""
        if not ref.guid:
            return f"#{ref.file_id}" if ref.file_id else "none"
        if is_builtin(ref.guid):
            return f"builtin:{builtin_name(ref) or ref.file_id}"
        path = self._index.path_of_guid(ref.guid)
        if path is None:
            return f"{ref.guid} ({ref.file_id})"
        main = kinds.MAINS.get(path.suffix)
        if (main is not None and ref.file_id == main.file_id) or ref.file_id in (kinds.PREFAB, 2800000, 11400000):
            return path.text
        part = next((part.name for part in self._import_facts(path).parts if part.file_id == ref.file_id), None)
        if part is not None:
            return f"{path}#{part}"
        return f"{path} ({ref.file_id})"

    def guid(self, path: ProjectPath, where: str) -> str:
        """The guid of an asset. Raises `broken_reference` where it has none."""
        if path in self._pending:
            return self._pending[path]
        found = self._files.stat(path)
        if found is None:
            other = self._index.same_when_folded(path)
            hint = f"There is {other}." if other is not None else "listAssets finds assets by folder, type and name."
            raise broken(where, f"{path} is not there", hint)
        if found.is_folder:
            raise broken(where, f"{path} is a folder", "Name an asset in it.")
        guid = guid_in_meta(self._files.read(path.meta, limit_bytes=ASSET_BYTES) or b"")
        if guid is None:
            hint = "Let Unity import it first (it writes the .meta), or make the asset with createAsset."
            raise broken(where, f"{path} has no .meta with a guid: Unity has not imported it yet", hint)
        return guid

    def layers(self) -> Mapping[str, int]:
        """The project's layers by name."""
        content = self._files.read(ProjectPath("ProjectSettings/TagManager.asset"), limit_bytes=ASSET_BYTES) or b""
        block = re.search(
            r"^  layers:\n((?:  - ?.*\n?)+)", content.decode("utf-8", "replace").replace("\r\n", "\n"), re.MULTILINE
        )
        if block is None:
            return _LAYERS
        lines = [line[3:].strip().strip("'\"") for line in block.group(1).splitlines()]
        return {name: number for number, name in enumerate(lines[:32]) if name}

    # -- forms --------------------------------------------------------------------------------------------------------------

    def _explicit(self, value: Mapping[str, Json], where: str) -> Ref:
        file_id, guid, kind = str(value.get("fileID", "")), value.get("guid"), str(value.get("type", ""))
        if not set(value) <= {"fileID", "guid", "type"} or not _WHOLE.fullmatch(file_id):
            raise invalid_arguments({where: _FORMS})
        number = int(file_id)
        if not -(2**63) <= number < 2**63:
            raise invalid_arguments({f"{where}.fileID": "a signed 64-bit number, as a text"})
        if guid is None:
            return Ref(number)
        if not isinstance(guid, str) or not _GUID.fullmatch(guid):
            raise invalid_arguments({f"{where}.guid": "32 lower-case hexadecimal digits"})
        if kind not in ("0", "2", "3"):
            accepted = (
                "0 (built in), 2 (.mat, .asset, .anim and the like) or 3 (imported: scripts, prefabs, models, textures)"
            )
            raise invalid_arguments({f"{where}.type": accepted})
        return Ref(number, guid, int(kind))

    def _fitting(self, ref: Ref, wanted: str, where: str) -> Ref:
        """An explicit reference to the main object of an asset whose class its extension tells must be of the class wanted."""
        path = self._index.path_of_guid(ref.guid) if ref.guid else None
        main = kinds.MAINS.get(path.suffix) if path is not None else None
        if (
            main is not None
            and main.file_id == ref.file_id
            and not (main.class_name == "MonoScript" and wanted == "TextAsset")
        ):
            self._require(main.class_name, wanted, str(path), where)
        return ref

    def _builtin(self, name: str, wanted: str, where: str) -> Ref:
        found = BUILTINS.get(name)
        if found is None:
            known = ", ".join(
                name for name, one in BUILTINS.items() if not wanted or kinds.fits(one.class_name, wanted)
            )
            raise broken(
                where,
                f"there is no built-in resource {name} that is known here",
                f"Known: {known or ', '.join(BUILTINS)}",
            )
        self._require(found.class_name, wanted, f"builtin:{name}", where)
        return found.ref

    def _split(self, value: str, where: str) -> tuple[ProjectPath, str]:
        """The path and what stands behind `#`. Names of files may hold a `#` themselves: the first cut that is there wins."""
        cuts = [at for at, char in enumerate(value) if char == "#"]
        for cut in cuts:
            path = self._files.parse(value[:cut], field=where)
            if path in self._pending or self._files.stat(path) is not None:
                return path, value[cut + 1 :]
        whole = self._files.parse(value, field=where)
        if cuts and whole not in self._pending and self._files.stat(whole) is None:
            return self._files.parse(value[: cuts[0]], field=where), value[cuts[0] + 1 :]
        return whole, ""

    # -- assets -------------------------------------------------------------------------------------------------------------

    def _inside(self, path: ProjectPath, inner: str, guid: str, wanted: str, where: str) -> Ref:
        suffix = path.suffix
        if suffix == ".prefab":
            return self._prefab(path, inner, guid, wanted, where)
        if suffix in kinds.MODELS:
            return self._model(path, inner, guid, wanted, where)
        if suffix in kinds.TEXTURES:
            return self._texture(path, inner, guid, wanted, where)
        main = kinds.MAINS.get(suffix)
        native = (main is not None and main.type == 2) or suffix in kinds.BY_CONTENT
        if native and (inner or suffix in kinds.BY_CONTENT) and path not in self._pending:
            file_id, class_name = in_asset(self._files, path, inner, main, wanted, where, self._script_fits)
            if class_name != "MonoBehaviour":
                self._require(class_name, wanted, path.text, where)
            return Ref(file_id, guid, 2)
        if path in self._pending and suffix == ".asset" and not inner:
            return Ref(11400000, guid, 2)
        if main is None:
            raise self._unsupported(path, f"what the main object of a {suffix or 'file without extension'} is", where)
        if inner:
            raise self._unsupported(path, f"which id the object {inner} of an imported {suffix} has", where)
        self._require(
            "TextAsset" if suffix == ".cs" and wanted == "TextAsset" else main.class_name, wanted, path.text, where
        )
        return Ref(main.file_id, guid, main.type)

    def _prefab(self, path: ProjectPath, inner: str, guid: str, wanted: str, where: str) -> Ref:
        if wanted == "Prefab" and not inner:
            return Ref(kinds.PREFAB, guid, 3)
        if path in self._pending:
            raise broken(where, f"{path} is made in the same change, so its objects have no ids yet", "Make it first.")
        from spark.engines.unity.hierarchy.sources import Sources

        self._sources = self._sources or Sources(self._files, self._index)
        source = self._sources.at(path, guid)
        return Ref(in_prefab(source, inner, wanted, where, self._script_fits), guid, 3)

    def _model(self, path: ProjectPath, inner: str, guid: str, wanted: str, where: str) -> Ref:
        if wanted == "Prefab" and not inner:
            return Ref(kinds.PREFAB, guid, 3)
        facts = self._import_facts(path)
        if not inner and wanted in ("", "Object", "GameObject", "Transform"):
            from spark.engines.unity.hierarchy.sources import Sources

            self._sources = self._sources or Sources(self._files, self._index)
            source = self._sources.at(path, guid)
            root = source.root_transform_id if wanted == "Transform" else source.root_id
            if root is not None:
                return Ref(root, guid, 3)
        name, _, class_name = inner.rpartition(":") if ":" in inner and not inner.startswith("//") else (inner, "", "")
        right = class_name or wanted
        parts = [part for part in facts.parts if not right or kinds.fits(part.class_name, right)]
        found = [part for part in parts if part.name == name] if name else parts
        if len(found) == 1 and (name or right):
            self._require(found[0].class_name, wanted, f"{path}#{found[0].name}", where)
            return Ref(found[0].file_id, guid, 3)
        if len(found) > 1:
            shown = ", ".join(f"{path}#{part.name}:{part.class_name}" for part in found[:_SHOWN])
            raise ToolRejected(
                "ambiguous_match",
                f"{where}: {len(found)} objects of {path} could be meant",
                hint=f"Name one: {shown}",
                details={"field": where},
            )
        what = f"which id {'the ' + right if right else 'the object'} {name} has".replace("  ", " ").strip()
        raise self._unsupported(path, what, where, ", ".join(f"{path}#{part.name}" for part in facts.parts[:_SHOWN]))

    def _texture(self, path: ProjectPath, inner: str, guid: str, wanted: str, where: str) -> Ref:
        facts = self._import_facts(path)
        parts = sprites(facts)
        if inner:
            name = inner.removesuffix(":Sprite")
            found = [part for part in parts if part.name == name]
            if len(found) != 1:
                hint = (
                    f"It has: {', '.join(part.name for part in parts[:_SHOWN])}"
                    if parts
                    else "Cut it into sprites in Unity."
                )
                raise broken(where, f"{path} has {'several sprites' if found else 'no sprite'} {name}", hint)
            self._require("Sprite", wanted, f"{path}#{name}", where)
            return Ref(found[0].file_id, guid, 3)
        if wanted == "Sprite":
            if facts.sprite_mode == 1:
                return Ref(kinds.SPRITE, guid, 3)
            if facts.sprite_mode == 2 and parts:
                shown = ", ".join(f"{path}#{part.name}" for part in parts[:_SHOWN])
                raise broken(where, f"{path} holds several sprites", f"Name one: {shown}")
            known = (
                "it is not imported as a sprite"
                if facts.sprite_mode == 0
                else "its .meta does not say that it is a sprite"
            )
            hint = "In Unity set its Texture Type to Sprite (2D and UI) and apply."
            raise broken(where, f"{path}: {known}", hint)
        cube = facts.texture_shape == 2
        self._require("Cubemap" if cube else "Texture2D", wanted, path.text, where)
        return Ref(8900000 if cube else 2800000, guid, 3)

    # -- shared -------------------------------------------------------------------------------------------------------------

    def _import_facts(self, path: ProjectPath) -> ImportFacts:
        if path not in self._facts:
            try:
                meta = self._files.read(path.meta, limit_bytes=ASSET_BYTES)
            except SparkError:
                meta = None
            self._facts[path] = import_facts(meta) if meta else NOTHING
        return self._facts[path]

    def _require(self, class_name: str, wanted: str, name: str, where: str) -> None:
        """Refuses an object that is certainly none of the wanted class: an engine's class is never a script's."""
        if kinds.fits(class_name, wanted) is False:
            raise invalid_arguments({where: f"a {wanted}"}, f"{where}: {name} is a {class_name}, not a {wanted}")

    def _unsupported(self, path: ProjectPath, what: str, where: str, known: str = "") -> ToolRejected:
        hint = 'Give the ids as Unity writes them into another file: {"fileID": "…", "guid": "…", "type": 3}.'
        return ToolRejected(
            "unsupported_asset",
            f"{where}: {what} cannot be told from {path} and its .meta",
            hint=f"Its .meta names: {known}. {hint}" if known else hint,
            details={"field": where, "path": path.text},
        )
