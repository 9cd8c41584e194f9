"""The difference between two states of one material, written into its document: each change touches its own lines only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spark.engines.unity.material_state import (
    SAVED,
    MaterialState,
    Texture,
    color_value,
    sorted_place,
    texture_value,
    vector_value,
)
from spark.engines.unity.yaml.numbers import float_text
from spark.engines.unity.yaml.paths import Named, Step
from spark.engines.unity.yaml.values import Pairs, Value

if TYPE_CHECKING:
    from spark.engines.unity.yaml.asset import AssetDocument, AssetFile

_FIELDS = {
    "m_LightmapFlags": "lightmap_flags",
    "m_EnableInstancingVariants": "instancing",
    "m_DoubleSidedGI": "double_sided_gi",
    "m_CustomRenderQueue": "queue",
}


def write_changes(file: AssetFile, document: AssetDocument, old: MaterialState, new: MaterialState) -> list[str]:
    """Edits the document; answers what was changed: reference names of properties, and fields. Raises `invalid_asset`."""
    changed: list[str] = []
    edit = _Edit(file, document)
    if new.shader != old.shader:
        file.set(document, ("m_Shader",), new.shader)
        changed.append("m_Shader")
    if old.split_keywords:
        edit.words("m_ValidKeywords", old.keywords, new.keywords)
        edit.words("m_InvalidKeywords", old.invalid, new.invalid)
    elif {*old.keywords} != {*new.keywords}:
        edit.field("m_ShaderKeywords", " ".join(new.keywords))
    for key, name in _FIELDS.items():
        if getattr(old, name) != getattr(new, name):
            edit.field(key, getattr(new, name))
            changed.append(key)
    edit.tags(old.tags, new.tags)
    edit.words("disabledShaderPasses", old.passes, new.passes)
    for name, texture in new.textures.items():
        if edit.texture(name, old.textures.get(name), texture):
            changed.append(name)
    for name, whole in new.ints.items():
        if old.ints.get(name) != whole:
            edit.entry("m_Ints", name, whole)
            changed.append(name)
    for name, number in new.floats.items():
        if name not in old.floats or float_text(old.floats[name]) != float_text(number):
            edit.entry("m_Floats", name, number)
            changed.append(name)
    for name, color in new.colors.items():
        if edit.color(name, old.colors.get(name), color):
            changed.append(name)
    return changed


class _Edit:
    def __init__(self, file: AssetFile, document: AssetDocument) -> None:
        self.file = file
        self.document = document

    def field(self, key: str, value: Value) -> None:
        """A field of the document; one that its version did not write yet goes before the saved properties."""
        if self.document.find(key) is None:
            self.file.insert(self.document, (), key, value, before=SAVED)
        else:
            self.file.set(self.document, (key,), value)

    def words(self, key: str, old: list[str], new: list[str]) -> None:
        """A list of names: what went is taken out, what came is put at its place; the others are not touched."""
        for word in old:
            if word not in new:
                at = self._listed(key).index(word)
                self.file.remove(self.document, (key, at))
        for place, word in enumerate(new):
            if word not in old:
                if self.document.find(key) is None:
                    self.field(key, [word])
                    continue
                listed = self._listed(key)
                behind = next((other for other in new[place + 1 :] if other in listed), None)
                self.file.insert_item(
                    self.document, (key,), listed.index(behind) if behind is not None else len(listed), word
                )

    def _listed(self, key: str) -> list[str]:
        value = self.document.value(key)
        return [str(item) for item in value] if isinstance(value, list) else []

    def tags(self, old: dict[str, str], new: dict[str, str]) -> None:
        for name, value in new.items():
            if name not in old:
                behind = next((other for other in sorted(old) if other > name), "")
                self.file.insert(self.document, ("stringTagMap",), name, value, before=behind)
            elif old[name] != value:
                self.file.set(self.document, ("stringTagMap", name), value)

    def entry(self, key: str, name: str, value: Value) -> None:
        """An entry of a list of saved properties: set where it is, else inserted at its place in the order of names."""
        path: tuple[Step, ...] = (SAVED, key)
        if self.document.find(*path) is None:
            self.file.insert(self.document, (SAVED,), key, [{name: value}], before="m_Floats")
            return
        if self.document.find(*path, Named(name)) is not None:
            self.file.set(self.document, (*path, Named(name)), value)
            return
        listed = self.document.value(*path)
        names = (
            [item.keys()[0] for item in listed if isinstance(item, Pairs) and item] if isinstance(listed, list) else []
        )
        self.file.insert_item(self.document, path, sorted_place(names, name), {name: value})

    def color(self, name: str, old: tuple[float, ...] | None, new: tuple[float, float, float, float]) -> bool:
        if old is not None and [float_text(part) for part in old] == [float_text(part) for part in new]:
            return False
        self.entry("m_Colors", name, color_value(new))
        return True

    def texture(self, name: str, old: Texture | None, new: Texture) -> bool:
        if old == new:
            return False
        if old is None:
            self.entry("m_TexEnvs", name, texture_value(new))
            return True
        path: tuple[Step, ...] = (SAVED, "m_TexEnvs", Named(name))
        if old.ref != new.ref:
            self.file.set(self.document, (*path, "m_Texture"), new.ref)
        if old.scale != new.scale:
            self.file.set(self.document, (*path, "m_Scale"), vector_value(new.scale))
        if old.offset != new.offset:
            self.file.set(self.document, (*path, "m_Offset"), vector_value(new.offset))
        return True
