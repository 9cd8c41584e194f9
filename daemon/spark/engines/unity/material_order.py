"""An order's properties and keywords put onto a material's state, and what follows from them.

Knows names, values and rules; not whether the material is new or how it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spark.core.assets import Json, MaterialOrder
from spark.core.errors import SparkError, invalid_arguments
from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles, ProjectIndex
from spark.engines.unity import material_names, material_values
from spark.engines.unity.material_rules import RuleSet
from spark.engines.unity.material_state import GI_BAKED, GI_BLACK, MaterialState, Texture
from spark.engines.unity.shaders.model import ShaderHead, ShaderProperty
from spark.engines.unity.yaml.values import Ref

_WANTED = {
    "2D": "Texture2D",
    "3D": "Texture3D",
    "Cube": "Cubemap",
    "2DArray": "Texture2DArray",
    "CubeArray": "CubemapArray",
}


@dataclass(slots=True)
class Ordered:
    """`names`: the properties that were set, by reference name; `settings`: fields of the material that were."""

    names: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class OrderApplier:
    """Puts one order onto one state. Raises `invalid_arguments` and what references raise; the state is then of no use."""

    def __init__(self, state: MaterialState, rules: RuleSet, files: ProjectFiles, index: ProjectIndex) -> None:
        self._state = state
        self._rules = rules
        self._files = files
        self._index = index
        self._head = state.head or saved_head(state)
        self.done = Ordered()

    def apply(self, order: MaterialOrder) -> Ordered:
        before = self._state.copied()
        for word, value in order.properties.items():
            self._one(word, value, f"properties.{word}")
        changed = frozenset(self.done.names)
        self._light_up(before, changed)
        self._rules.apply(self._state, changed)
        self._warn_of_unread_smoothness(changed)
        if order.keywords is not None:
            self._set_keywords(order.keywords)
        return self.done

    # --- one property --------------------------------------------------------------------------------------------------

    def _one(self, word: str, value: Json, where: str) -> None:
        if self._head.property(word) is None:
            if word in material_names.SETTINGS:
                self._setting(word, value, where)
                return
            if word in material_names.TILING:
                self._tiling(word, value, where)
                return
            chosen = material_names.choice(word, value, self._rules.family, where)
            if chosen is not None:
                name, value = chosen
                if self._head.property(name) is None:
                    raise invalid_arguments({where: f"{self._head.name} has no {name}"})
                self._number(self._head.property(name), value, where)
                return
        name = material_names.property_name(word, self._head, where)
        self._rules.refuse_derived(name, where)
        if name == "_EmissiveColor" and self._rules.family == "hdrp" and self._state.get_float("_UseEmissiveIntensity"):
            raise invalid_arguments({where: "set in the Editor: this material computes it from an emission intensity"})
        known = self._head.property(name)
        assert known is not None
        if known.kind == "texture":
            self._texture(known, value, where)
        elif known.kind == "color":
            self._state.colors[name] = material_values.color(value, where, self._state.get_color(name))
            self._note(name)
        elif known.kind == "vector":
            self._state.colors[name] = material_values.vector(value, where, self._state.get_color(name))
            self._note(name)
        else:
            self._number(known, value, where)

    def _note(self, name: str) -> None:
        if name not in self.done.names:
            self.done.names.append(name)

    def _number(self, known: ShaderProperty | None, value: Json, where: str) -> None:
        assert known is not None
        if known.kind == "integer":
            self._state.ints[known.name] = material_values.integer(value, known, where)
        else:
            self._state.floats[known.name] = material_values.number(value, known, where)
        if known.name == "_Mode" and self._rules.family == "standard" and self._state.floats["_Mode"] not in range(4):
            raise invalid_arguments({where: "0 opaque, 1 cutout, 2 fade or 3 transparent"})
        self._note(known.name)

    def _setting(self, word: str, value: Json, where: str) -> None:
        if word == "renderQueue":
            if self._rules.family in ("urp", "hdrp"):
                raise invalid_arguments(
                    {
                        where: "not set by hand: Unity computes this shader's queue from surface, alphaClip and _QueueOffset"
                    }
                )
            if isinstance(value, bool) or not isinstance(value, int) or not -1 <= value <= 5000:
                raise invalid_arguments({where: "-1 (as the shader says) or a whole number to 5000"})
            self._state.queue = value
        elif word == "doubleSidedGI" and self._rules.family == "urp":
            raise invalid_arguments({where: "not set by hand: URP computes it from renderFace (_Cull)"})
        elif not isinstance(value, bool):
            raise invalid_arguments({where: "true or false"})
        elif word == "enableInstancing":
            self._state.instancing = int(value)
        else:
            self._state.double_sided_gi = int(value)
        self.done.settings.append(word)

    def _tiling(self, word: str, value: Json, where: str) -> None:
        name = material_names.property_name("mainTexture", self._head, where)
        old = self._state.get_texture(name)
        pair = material_values.two(value, where)
        self._state.textures[name] = (
            Texture(old.ref, pair, old.offset) if word == "tiling" else old._replace(offset=pair)
        )
        self._note(name)

    # --- textures ------------------------------------------------------------------------------------------------------

    def _texture(self, known: ShaderProperty, value: Json, where: str) -> None:
        given, has_reference, texture = material_values.texture_parts(value, where, self._state.get_texture(known.name))
        tiled = texture.scale != (1, 1) or texture.offset != (0, 0)
        if known.attribute("NoScaleOffset") is not None and isinstance(value, Mapping) and tiled:
            self.done.warnings.append(f"{known.name} takes no tiling: its shader does not read scale and offset.")
        if has_reference:
            texture = texture._replace(ref=self._reference(known, given, where))
        self._state.textures[known.name] = texture
        self._note(known.name)

    def _reference(self, known: ShaderProperty, given: Json, where: str) -> Ref:
        if given is None:
            return Ref()
        from spark.engines.unity.references import AssetReferences

        if not isinstance(given, str | Mapping):
            raise invalid_arguments({where: "a texture's path such as Assets/Textures/wall.png, or null"})
        wanted = _WANTED.get(known.dimension, "Texture")
        if isinstance(given, str) and given.lower().endswith(".rendertexture"):
            wanted = "RenderTexture"
        found: Ref = AssetReferences(self._files, self._index).reference(given, wanted=wanted, where=where)
        normal = known.attribute("Normal") is not None or known.texture == "bump"
        if normal and isinstance(given, str) and self._is_plain_image(given):
            self.done.warnings.append(
                f"{given.partition('#')[0]} is not imported as a normal map, which {known.name} expects: set its Texture Type to "
                "Normal map in the Editor."
            )
        return found

    def _is_plain_image(self, text: str) -> bool:
        """Whether the image's import settings say Default and not Normal map."""
        try:
            content = self._files.read(ProjectPath(text.partition("#")[0]).meta, limit_bytes=1024 * 1024)
        except SparkError:
            return False
        return content is not None and b"\n  textureType: 0" in content.replace(b"\r\n", b"\n")

    # --- what follows --------------------------------------------------------------------------------------------------

    def _light_up(self, before: MaterialState, changed: frozenset[str]) -> None:
        """Who sets a colour or map of emission wants to see it: the switch of Unity's inspector goes on with it. A first map
        over a black colour makes the colour white, as there."""
        state = self._state
        lit = changed & {"_EmissionColor", "_EmissionMap"}
        if self._rules.family not in ("standard", "urp") or not lit:
            return
        new = state.get_texture("_EmissionMap").ref.file_id and not before.get_texture("_EmissionMap").ref.file_id
        if new and "_EmissionColor" not in changed and max(state.get_color("_EmissionColor")[:3]) <= 0:
            state.set_color("_EmissionColor", (1.0, 1.0, 1.0, 1.0))
        shining = max(state.get_color("_EmissionColor")[:3]) > 0
        if shining and state.lightmap_flags & GI_BLACK and ("_EmissionColor" in changed or new):
            state.lightmap_flags = GI_BAKED

    def _warn_of_unread_smoothness(self, changed: frozenset[str]) -> None:
        state = self._state
        if self._rules.family != "standard" or "_Glossiness" not in changed:
            return
        mapped = any(state.get_texture(name).ref.file_id for name in ("_MetallicGlossMap", "_SpecGlossMap"))
        if mapped or int(state.get_float("_SmoothnessTextureChannel")) == 1:
            self.done.warnings.append(
                "_Glossiness is not read while a map gives the smoothness: _GlossMapScale scales it."
            )

    def _set_keywords(self, wanted: tuple[str, ...]) -> None:
        """`wanted`: all that shall be on. Raises `invalid_arguments` for what properties decide and for what no shader of
        this name knows."""
        state = self._state
        followers = self._rules.followers(state)
        on = {*state.keywords, *state.invalid}
        for word in wanted:
            if not word.isidentifier() or not word.isascii():
                raise invalid_arguments({"keywords": f"names such as _EMISSION; {word[:80]!r} is none"})
        head = state.head
        unknown = [word for word in wanted if word not in followers and not state.has_keyword(word)]
        if unknown and head is not None:
            raise invalid_arguments(
                {"keywords": f"keywords of {head.name}: {', '.join(sorted(head.keywords)[:100]) or 'it has none'}"},
                f"keywords: {head.name} has no {', '.join(unknown)}",
            )
        _refuse_followers(followers, frozenset(wanted), frozenset(on))
        unsure = [word for word in wanted if word not in on and (head is None or word not in head.keywords)]
        if unsure:
            self.done.warnings.append(
                f"Not declared in the shader's own text: {', '.join(unsure)}. Unity drops keywords that no included file declares."
            )
        for word in on - {*wanted}:
            state.set_keyword(word, False)
        for word in wanted:
            state.set_keyword(word, True)


def _refuse_followers(followers: Mapping[str, str], wanted: frozenset[str], on: frozenset[str]) -> None:
    """A keyword that Unity computes from properties would not stay as it was ordered: the property is what is set."""
    added = sorted(word for word in wanted - on if word in followers)
    if added:
        parts = [f"{word} follows from {followers[word]}" for word in added]
        raise invalid_arguments(
            {"keywords": f"without {', '.join(added)}: set the property or texture that it follows from instead"},
            f"keywords: {'; '.join(parts)}: set that, the keyword alone would not stay",
        )
    dropped = sorted(word for word in on - wanted if word in followers)
    if dropped:
        parts = [f"{word} is on because of {followers[word]}" for word in dropped]
        raise invalid_arguments(
            {
                "keywords": f"with {', '.join(dropped)}: the list is all that is on; or set the property that it follows from"
            },
            f"keywords: {'; '.join(parts)}: name it too, or set that property to switch it off",
        )


def saved_head(state: MaterialState, name: str = "this material (its shader is not on disk)") -> ShaderHead:
    """What a material saves, as if its shader declared it: for shaders that are not on disk."""
    properties = [ShaderProperty(name, "float", numbers=(value,)) for name, value in state.floats.items()]
    properties += [ShaderProperty(name, "integer", numbers=(float(value),)) for name, value in state.ints.items()]
    properties += [ShaderProperty(name, "color", numbers=value) for name, value in state.colors.items()]
    properties += [ShaderProperty(name, "texture", dimension="Any") for name in state.textures]
    return ShaderHead(name, tuple(properties))
