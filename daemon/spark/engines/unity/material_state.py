"""A material as values: what its document holds, what its shader would give where the document is silent, and new bodies.

Knows the forms of all editor versions since 2018.3. Not what follows from what (`material_rules`), and no bytes.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from spark.core.errors import ToolRejected
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.shaders.model import ShaderHead, ShaderProperty
from spark.engines.unity.yaml.values import Pairs, Ref, Value, ref_of

if TYPE_CHECKING:
    from spark.engines.unity.yaml.asset import AssetDocument

MATERIAL: Final = 21
Color = tuple[float, float, float, float]
Vector2 = tuple[float, float]
GI_BAKED: Final = 2
GI_BLACK: Final = 4
"""`m_LightmapFlags`: emission is baked; there is none to be seen."""
SAVED: Final = "m_SavedProperties"
_OLDEST: Final = EditorVersion(2018, 3)


class Texture(NamedTuple):
    """A texture of a material with its tiling."""

    ref: Ref = Ref()
    scale: Vector2 = (1.0, 1.0)
    offset: Vector2 = (0.0, 0.0)


@dataclass(slots=True)
class MaterialState:
    """`floats` and the like hold what is saved; `get_*` fall back to the shader's defaults. `keywords` are those that the
    shader has (before 2021.2: all), `invalid` those that it has not."""

    shader: Ref = field(default_factory=Ref)
    floats: dict[str, float] = field(default_factory=dict)
    ints: dict[str, int] = field(default_factory=dict)
    colors: dict[str, Color] = field(default_factory=dict)
    textures: dict[str, Texture] = field(default_factory=dict)
    keywords: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    lightmap_flags: int = GI_BLACK
    instancing: int = 0
    double_sided_gi: int = 0
    queue: int = -1
    tags: dict[str, str] = field(default_factory=dict)
    passes: list[str] = field(default_factory=list)
    head: ShaderHead | None = None
    split_keywords: bool = True
    decided: set[str] = field(default_factory=set)
    """Keywords that `set_keyword` was asked for."""

    def copied(self) -> MaterialState:
        """Shares nothing that is changed with the original."""
        made = copy.copy(self)
        for name in ("floats", "ints", "colors", "textures", "keywords", "invalid", "tags", "passes", "decided"):
            setattr(made, name, copy.copy(getattr(self, name)))
        return made

    # --- reading with the shader's defaults ----------------------------------------------------------------------------

    def declared(self, name: str) -> ShaderProperty | None:
        return self.head.property(name) if self.head is not None else None

    def has(self, name: str) -> bool:
        """Whether the shader has the property (where it is not known: whether the material saves it)."""
        if self.head is not None:
            return self.head.property(name) is not None
        return any(name in saved for saved in (self.floats, self.ints, self.colors, self.textures))

    def get_float(self, name: str) -> float:
        if name in self.floats:
            return self.floats[name]
        known = self.declared(name)
        return known.numbers[0] if known is not None and len(known.numbers) == 1 else 0.0

    def get_color(self, name: str) -> Color:
        known = self.declared(name)
        default = known.numbers if known is not None and len(known.numbers) == 4 else (0.0, 0.0, 0.0, 0.0)
        return self.colors.get(name, (default[0], default[1], default[2], default[3]))

    def get_texture(self, name: str) -> Texture:
        return self.textures.get(name, Texture())

    # --- changes that follow from others: what is the default already is not saved anew --------------------------------

    def set_float(self, name: str, value: float) -> None:
        if self.has(name) and self.get_float(name) != value:
            self.floats[name] = float(value)

    def set_color(self, name: str, value: Color) -> None:
        if self.has(name) and self.get_color(name) != value:
            self.colors[name] = value

    def set_texture(self, name: str, value: Texture) -> None:
        if self.has(name) and self.get_texture(name) != value:
            self.textures[name] = value

    def set_keyword(self, keyword: str, on: bool) -> None:
        self.decided.add(keyword)
        if not on:
            self.keywords = [word for word in self.keywords if word != keyword]
            self.invalid = [word for word in self.invalid if word != keyword]
        elif keyword not in self.keywords and keyword not in self.invalid:
            there = self.keywords if self.has_keyword(keyword) or not self.split_keywords else self.invalid
            insert_sorted(there, keyword)

    def has_keyword(self, keyword: str) -> bool:
        """Whether the shader declares it, as far as that is known."""
        return self.head is None or not self.head.all_keywords or keyword in self.head.keywords

    def set_pass(self, name: str, enabled: bool) -> None:
        if enabled:
            self.passes = [known for known in self.passes if known != name]
        elif name not in self.passes:
            self.passes.append(name)


def insert_sorted(items: list[str], item: str) -> None:
    """Before the first greater one, so that a list in order stays so and another keeps its order."""
    items.insert(sorted_place(items, item), item)


def sorted_place(items: list[str], item: str) -> int:
    return next((at for at, other in enumerate(items) if other > item), len(items))


def default_state(head: ShaderHead, shader: Ref) -> MaterialState:
    """Every property of the shader with its default; those whose default is not known whole are left to Unity."""
    state = MaterialState(shader=shader, head=head)
    for known in head.properties:
        if known.kind == "texture":
            state.textures[known.name] = Texture()
        elif known.saved_in == "m_Colors":
            if len(known.numbers) == 4:
                state.colors[known.name] = state.get_color(known.name)
        elif known.kind == "integer":
            state.ints[known.name] = int(known.numbers[0])
        else:
            state.floats[known.name] = known.numbers[0]
    return state


# --- reading a document ------------------------------------------------------------------------------------------------


def read_state(document: AssetDocument, name: str) -> MaterialState:
    """Raises `unsupported_asset` for the forms of 2018.2 and earlier and for what is no whole material."""
    saved = document.value(SAVED)
    if not isinstance(saved, Pairs) or not isinstance(saved.get("m_Floats"), list):
        raise _old_form(name)
    if saved.get("serializedVersion") != "3" or document.value("serializedVersion") not in ("6", "7", "8"):
        raise _old_form(name)
    state = MaterialState(shader=ref_of(document.value("m_Shader")) or Ref())
    state.split_keywords = document.find("m_ValidKeywords") is not None
    state.keywords, state.invalid = _keywords(document)
    for key, value in _entries(saved.get("m_TexEnvs"), name):
        state.textures.setdefault(key, _texture(value))
    for key, value in _entries(saved.get("m_Floats"), name):
        state.floats.setdefault(key, _float(value))
    for key, value in _entries(saved.get("m_Ints"), name):
        state.ints.setdefault(key, int(_float(value)))
    for key, value in _entries(saved.get("m_Colors"), name):
        four = [_float(value.get(part)) if isinstance(value, Pairs) else 0.0 for part in "rgba"]
        state.colors.setdefault(key, (four[0], four[1], four[2], four[3]))
    state.lightmap_flags = int(_float(document.value("m_LightmapFlags")))
    state.instancing = int(_float(document.value("m_EnableInstancingVariants")))
    state.double_sided_gi = int(_float(document.value("m_DoubleSidedGI")))
    state.queue = int(_float(document.value("m_CustomRenderQueue")))
    tags = document.value("stringTagMap")
    state.tags = {key: str(value or "") for key, value in tags.items()} if isinstance(tags, Pairs) else {}
    state.passes = _words(document.value("disabledShaderPasses"))
    return state


def _keywords(document: AssetDocument) -> tuple[list[str], list[str]]:
    if document.find("m_ValidKeywords") is None:
        line = document.value("m_ShaderKeywords")
        return (line.split(), []) if isinstance(line, str) else ([], [])
    return _words(document.value("m_ValidKeywords")), _words(document.value("m_InvalidKeywords"))


def _words(value: Value) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _entries(value: Value, name: str) -> list[tuple[str, Value]]:
    found: list[tuple[str, Value]] = []
    for item in value if isinstance(value, list) else []:
        pairs = list(item.items()) if isinstance(item, Pairs) else []
        if len(pairs) != 1:
            raise _old_form(name)
        found.append(pairs[0])
    return found


def _float(value: Value) -> float:
    try:
        return float(value) if isinstance(value, str) and value else 0.0
    except ValueError:
        return 0.0


def _texture(value: Value) -> Texture:
    if not isinstance(value, Pairs):
        return Texture()
    pairs: list[Vector2] = []
    for key, default in (("m_Scale", 1.0), ("m_Offset", 0.0)):
        two = value.get(key)
        x, y = (two.get("x"), two.get("y")) if isinstance(two, Pairs) else (None, None)
        pairs.append((_float(x) if x is not None else default, _float(y) if y is not None else default))
    return Texture(ref_of(value.get("m_Texture")) or Ref(), pairs[0], pairs[1])


def _old_form(name: str) -> ToolRejected:
    return ToolRejected(
        "unsupported_asset",
        f"{name} is a material in the form of Unity 2018.2 or earlier, which SPARK does not write",
        hint="Let Unity write it anew (change and save it there, or AssetDatabase.ForceReserializeAssets); then edit it here.",
        details={"path": name},
    )


# --- a new body --------------------------------------------------------------------------------------------------------


def material_body(state: MaterialState, name: str, version: EditorVersion) -> dict[str, Value]:
    """The document of class 21 as this editor version writes it. Raises `unsupported_asset` before 2018.3."""
    if version < _OLDEST:
        raise ToolRejected(
            "unsupported_asset",
            f"materials of Unity {version.major}.{version.minor} have an older form that SPARK does not write",
            hint="Make the material in the Editor.",
        )
    split, variants = version >= EditorVersion(2021, 2), version >= EditorVersion(2022, 1)
    none = Ref()
    body: dict[str, Value] = {
        "serializedVersion": 8 if split else 6,
        "m_ObjectHideFlags": 0,
        "m_CorrespondingSourceObject": none,
        "m_PrefabInstance": none,
        "m_PrefabAsset": none,
        "m_Name": name,
        "m_Shader": state.shader,
    }
    if variants:
        body |= {"m_Parent": none, "m_ModifiedSerializedProperties": 0}
    if split:
        body |= {"m_ValidKeywords": list(state.keywords), "m_InvalidKeywords": list(state.invalid)}
    else:
        body["m_ShaderKeywords"] = " ".join(sorted({*state.keywords, *state.invalid}))
    body |= {
        "m_LightmapFlags": state.lightmap_flags,
        "m_EnableInstancingVariants": state.instancing,
        "m_DoubleSidedGI": state.double_sided_gi,
        "m_CustomRenderQueue": state.queue,
        "stringTagMap": dict(sorted(state.tags.items())),
        "disabledShaderPasses": list(state.passes),
    }
    if variants:
        body["m_LockedProperties"] = ""
    body[SAVED] = _saved_properties(state, version)
    if version >= EditorVersion(2020, 1):
        body["m_BuildTextureStacks"] = []
    if version >= EditorVersion(6000, 0):
        body["m_AllowLocking"] = 1
    return body


def _saved_properties(state: MaterialState, version: EditorVersion) -> dict[str, Value]:
    saved: dict[str, Value] = {"serializedVersion": 3}
    saved["m_TexEnvs"] = [{name: texture_value(state.textures[name])} for name in sorted(state.textures)]
    if version >= EditorVersion(2021, 1):
        saved["m_Ints"] = [{name: state.ints[name]} for name in sorted(state.ints)]
    saved["m_Floats"] = [{name: state.floats[name]} for name in sorted(state.floats)]
    saved["m_Colors"] = [{name: color_value(state.colors[name])} for name in sorted(state.colors)]
    return saved


def texture_value(texture: Texture) -> Mapping[str, Value]:
    return {
        "m_Texture": texture.ref,
        "m_Scale": vector_value(texture.scale),
        "m_Offset": vector_value(texture.offset),
    }


def vector_value(vector: Vector2) -> Mapping[str, Value]:
    return {"x": vector[0], "y": vector[1]}


def color_value(color: Color) -> Mapping[str, Value]:
    return dict(zip("rgba", color, strict=True))
