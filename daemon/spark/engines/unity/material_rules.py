"""What follows from a material's properties: keywords, blending, tags, queue and passes, as Unity's own inspectors set them.

For the Built-in Standard shaders, URP's Lit, Simple Lit and Unlit, and HDRP/Lit; of every other shader only what its
properties' attributes say ([Toggle], [KeywordEnum] and the like). A rule runs only when something that it reads changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from spark.core.errors import invalid_arguments
from spark.engines.unity.material_families import Rule, hdrp_rules, standard_rules, urp_rules
from spark.engines.unity.material_state import MaterialState
from spark.engines.unity.shaders.model import ShaderHead, ShaderProperty
from spark.engines.unity.words import words

Family = Literal["standard", "urp", "hdrp", ""]
_FAMILIES: Final[dict[str, Family]] = {
    "Standard": "standard",
    "Standard (Specular setup)": "standard",
    "Universal Render Pipeline/Lit": "urp",
    "Universal Render Pipeline/Simple Lit": "urp",
    "Universal Render Pipeline/Unlit": "urp",
    "HDRP/Lit": "hdrp",
}
_BLENDING: Final = ("_SrcBlend", "_DstBlend", "_SrcBlendAlpha", "_DstBlendAlpha", "_ZWrite", "_AlphaToMask")
_DERIVED: Final[dict[Family, dict[str, str]]] = {
    "standard": dict.fromkeys(("_SrcBlend", "_DstBlend", "_ZWrite"), "mode (_Mode)"),
    "urp": dict.fromkeys(_BLENDING, "surface (_Surface), blend (_Blend) and alphaClip (_AlphaClip)")
    | {"_Color": "_BaseColor", "_MainTex": "_BaseMap"},
    "hdrp": {
        "_Color": "_BaseColor",
        "_MainTex": "_BaseColorMap",
        "_Cutoff": "_AlphaCutoff",
        "_EmissionColor": "_EmissiveColor",
    },
}
_EDITOR_ONLY: Final[dict[str, frozenset[str]]] = {
    "HDRP/Lit": words(
        "_SurfaceType _BlendMode _AlphaCutoffEnable _UseShadowThreshold _DoubleSidedEnable _DoubleSidedNormalMode "
        "_DoubleSidedConstants _DoubleSidedGIMode _MaterialID _TransmissionEnable _DisplacementMode "
        "_DisplacementLockObjectScale _DisplacementLockTilingScale _DepthOffsetEnable _HeightAmplitude _HeightCenter "
        "_HeightMapParametrization _HeightOffset _HeightMin _HeightMax _HeightTessAmplitude _HeightTessCenter "
        "_HeightPoMAmplitude _RefractionModel _ReceivesSSR _ReceivesSSRTransparent _SupportDecals "
        "_EnableGeometricSpecularAA _EnableFogOnTransparent _EnableBlendModePreserveSpecularLighting _NormalMapSpace "
        "_NormalMapOS _BentNormalMapOS _TangentMapOS _UVBase _UVDetail _UVEmissive _UVMappingMask _UVDetailsMappingMask "
        "_UVMappingMaskEmissive _UseEmissiveIntensity _EmissiveIntensity _EmissiveIntensityUnit _EmissiveColorLDR "
        "_TransparentDepthPrepassEnable _TransparentDepthPostpassEnable _TransparentBackfaceEnable "
        "_TransparentWritingMotionVec _TransparentSortPriority _TransparentZWrite _TransparentCullMode _OpaqueCullMode "
        "_CullMode _CullModeForward _SrcBlend _DstBlend _DstBlend2 _AlphaSrcBlend _AlphaDstBlend _ZWrite _ZTestGBuffer "
        "_ZTestDepthEqualForOpaque _ZTestTransparent _ZTestModeDistortion _DistortionEnable _DistortionBlendMode "
        "_RayTracing _AddPrecomputedVelocity _DiffusionProfile _DiffusionProfileAsset _DiffusionProfileHash "
        "_TransmittanceColorMap _InvTilingScale _InvPrimScale _PerPixelSorting"
    ),
    "Universal Render Pipeline/Simple Lit": frozenset(
        {"_SpecularHighlights", "_SmoothnessSource", "_SpecGlossMap", "_XRMotionVectorsPass"}
    ),
    "Universal Render Pipeline/Lit": frozenset({"_XRMotionVectorsPass"}),
    "Universal Render Pipeline/Unlit": frozenset({"_XRMotionVectorsPass"}),
}
"""Properties from which more follows than is known here exactly."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one shader, in the order in which Unity applies them."""

    family: Family
    rules: tuple[tuple[frozenset[str], Rule], ...]
    head: ShaderHead | None

    def apply(self, state: MaterialState, changed: frozenset[str] | None = None) -> None:
        """`changed`: the names of properties; None runs every rule."""
        for reads, rule in self.rules:
            if changed is None or not reads.isdisjoint(changed):
                rule(state)

    def touches(self, name: str) -> bool:
        """Whether anything else in a material follows from this property."""
        return any(name in reads for reads, _ in self.rules)

    def refuse_derived(self, name: str, where: str) -> None:
        """Raises `invalid_arguments` for a property that Unity would overwrite, or from which unknown things follow."""
        instead = _DERIVED.get(self.family, {}).get(name)
        if instead is not None:
            raise invalid_arguments({where: f"not set by hand: Unity computes {name} from {instead}; set that"})
        if self.head is not None and (
            name in _EDITOR_ONLY.get(self.head.name, ()) or (self.family == "hdrp" and "Stencil" in name)
        ):
            raise invalid_arguments(
                {
                    where: f"{name} of {self.head.name} is set in the Editor: what else Unity changes with it is not known exactly"
                }
            )

    def followers(self, state: MaterialState) -> dict[str, str]:
        """Keywords that follow from properties, so that giving them by hand would not last, each with the properties that
        decide on it."""
        found: dict[str, set[str]] = {}
        for reads, rule in self.rules:
            probe = state.copied()
            probe.decided.clear()
            rule(probe)
            for word in probe.decided:
                found.setdefault(word, set()).update(reads)
        return {word: ", ".join(sorted(reads)) for word, reads in found.items()}


def rules_of(head: ShaderHead | None, version: tuple[int, int] | None = None) -> RuleSet:
    """`version`: of the pipeline's package, where the shader comes from one."""
    if head is None:
        return RuleSet("", (), None)
    family = _FAMILIES.get(head.name, "")
    own: list[tuple[frozenset[str], Rule]] = []
    if family == "standard":
        own = standard_rules(head)
    elif family == "urp":
        own = urp_rules(head, version)
    elif family == "hdrp":
        own = hdrp_rules()
    attributes = [_attribute_rule(known) for known in head.properties]
    return RuleSet(family, (*own, *(rule for rule in attributes if rule is not None)), head)


def _attribute_rule(known: ShaderProperty) -> tuple[frozenset[str], Rule] | None:
    upper = known.name.upper()
    for attribute in known.attributes:
        given = attribute.arguments
        if attribute.name in ("Toggle", "MaterialToggle", "ToggleOff"):
            keyword = given[0] if given and given[0] else upper + ("_OFF" if attribute.name == "ToggleOff" else "_ON")
            return frozenset({known.name}), _toggle(known.name, keyword, attribute.name != "ToggleOff")
        if attribute.name == "KeywordEnum":
            keywords = [f"{upper}_{word.upper().replace(' ', '_')}" for word in given]
            return frozenset({known.name}), _choice(known.name, keywords)
    return None


def _value(state: MaterialState, name: str) -> float:
    known = state.declared(name)
    return float(state.ints.get(name, 0)) if known is not None and known.kind == "integer" else state.get_float(name)


def _toggle(name: str, keyword: str, on_at_one: bool) -> Rule:
    return lambda state: state.set_keyword(keyword, (abs(_value(state, name)) > 0.001) == on_at_one)


def _choice(name: str, keywords: list[str]) -> Rule:
    def choose(state: MaterialState) -> None:
        chosen = int(_value(state, name))
        for at, keyword in enumerate(keywords):
            if at != chosen:
                state.set_keyword(keyword, False)
        if 0 <= chosen < len(keywords):
            state.set_keyword(keywords[chosen], True)

    return choose
