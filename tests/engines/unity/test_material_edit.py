"""Edited materials: only the lines of what is set differ, whatever form the file has."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import pytest

from spark.core.assets import AssetBytes, MaterialOrder
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.facts import Facts
from spark.engines.unity.material import edit_material
from spark.engines.unity.material_rules import rules_of
from spark.engines.unity.material_state import read_state
from spark.engines.unity.shaders import builtin, pipelines
from spark.engines.unity.shaders.model import ShaderHead
from spark.engines.unity.yaml.asset import AssetFile
from spark.engines.unity.yaml.values import Ref
from tests.engines.memory_project import FakeProject
from tests.engines.unity.corpus import corpus_files
from tests.engines.unity.test_material import BUILT_IN, HDRP_17, URP_14, URP_17, facts, make, material, project

MAT = ProjectPath("Assets/old.mat")
OLD = b"""%YAML 1.1
%TAG !u! tag:unity3d.com,2011:
--- !u!21 &2100000
Material:
  serializedVersion: 6
  m_ObjectHideFlags: 0
  m_CorrespondingSourceObject: {fileID: 0}
  m_PrefabInstance: {fileID: 0}
  m_PrefabAsset: {fileID: 0}
  m_Name: old
  m_Shader: {fileID: 46, guid: 0000000000000000f000000000000000, type: 0}
  m_ShaderKeywords: _SPECIAL
  m_LightmapFlags: 4
  m_EnableInstancingVariants: 0
  m_DoubleSidedGI: 0
  m_CustomRenderQueue: -1
  stringTagMap: {}
  disabledShaderPasses: []
  m_SavedProperties:
    serializedVersion: 3
    m_TexEnvs:
    - _MainTex:
        m_Texture: {fileID: 0}
        m_Scale: {x: 1, y: 1}
        m_Offset: {x: 0, y: 0}
    m_Floats:
    - _ZWrite: 1
    - _Metallic: 0.50
    - _Glossiness: 0.5
    - _Leftover: 3
    m_Colors: []
"""


def edit(
    content: bytes,
    known: Facts,
    properties: dict[str, Any] | None = None,
    *,
    within: FakeProject | None = None,
    **order: Any,
) -> AssetBytes:
    here = within or project()
    wanted = MaterialOrder(properties=properties or {}, **order)
    return edit_material(MAT, content, wanted, known, here.files, here.index)


def refusal(content: bytes, known: Facts, properties: dict[str, Any] | None = None, **order: Any) -> ToolRejected:
    with pytest.raises(ToolRejected) as caught:
        edit(content, known, properties, **order)
    return caught.value


def difference(old: bytes, new: bytes) -> list[str]:
    """Removed and added lines, by difflib."""
    lines = difflib.unified_diff(old.decode().splitlines(), new.decode().splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_one_number_changes_one_line() -> None:
    """Setting a number changes its line and no other byte."""
    old = make(URP_17).content
    new = edit(old, URP_17, {"_Metallic": 0.25})
    assert difference(old, new.content) == ["-    - _Metallic: 0", "+    - _Metallic: 0.25"]
    assert new.result["changed"] == ["_Metallic"]


def test_what_is_the_same_already_changes_nothing() -> None:
    """The same value again, in any spelling of the number, leaves every byte as it was."""
    assert edit(OLD, BUILT_IN, {"_Metallic": 0.5}).content == OLD
    assert edit(OLD, BUILT_IN).content == OLD
    new = make(URP_14, {"surface": "transparent", "color": "#80808080"}).content
    assert edit(new, URP_14, {"surface": "transparent", "color": "#80808080"}).content == new


def test_there_and_back_is_where_it_began() -> None:
    """A change and its reversal give the first bytes again."""
    for known in (BUILT_IN, URP_14, URP_17, HDRP_17):
        old = make(known).content
        there = edit(
            old, known, {"color": [0.1, 0.2, 0.3, 1], "normalMap": "Assets/normal.png", "smoothness": 1}
        ).content
        assert there != old
        assert edit(there, known, {"color": "#fff", "normalMap": None, "smoothness": 0.5}).content == old


def test_a_property_that_is_not_saved_yet_goes_to_its_place() -> None:
    """New entries are inserted in the order of names, an order of the file's own is kept, empty lists are opened."""
    new = edit(OLD, BUILT_IN, {"_BumpMap": "Assets/normal.png", "_Cutoff": 0.25, "color": "#f00"})
    assert difference(OLD, new.content) == [
        "-  m_ShaderKeywords: _SPECIAL",
        "+  m_ShaderKeywords: _NORMALMAP _SPECIAL",
        "+    - _BumpMap:",
        "+        m_Texture: {fileID: 2800000, guid: " + "b" * 32 + ", type: 3}",
        "+        m_Scale: {x: 1, y: 1}",
        "+        m_Offset: {x: 0, y: 0}",
        "+    - _Cutoff: 0.25",
        "-    m_Colors: []",
        "+    m_Colors:",
        "+    - _Color: {r: 1, g: 0, b: 0, a: 1}",
    ]
    numbers = [line for line in new.content.decode().splitlines() if line.startswith("    - _") and ": " in line]
    assert numbers[:2] == ["    - _Cutoff: 0.25", "    - _ZWrite: 1"]


def test_what_follows_is_saved_only_where_it_differs() -> None:
    """A mode writes what it changes; values that the shader's defaults give already are not added."""
    new = edit(OLD, BUILT_IN, {"mode": "transparent"})
    assert sorted(difference(OLD, new.content)) == [
        "+    - _DstBlend: 10",
        "+    - _Mode: 3",
        "+    - _ZWrite: 0",
        "+    RenderType: Transparent",
        "+  m_CustomRenderQueue: 3000",
        "+  m_ShaderKeywords: _ALPHAPREMULTIPLY_ON _SPECIAL",
        "+  stringTagMap:",
        "-    - _ZWrite: 1",
        "-  m_CustomRenderQueue: -1",
        "-  m_ShaderKeywords: _SPECIAL",
        "-  stringTagMap: {}",
    ]


def test_what_is_refused_with_a_package_is_refused_without_its_manifest() -> None:
    """The shader's id tells its name: from what follows from its properties the same is refused, and the same follows."""
    old = make(HDRP_17).content
    bare = facts("HDRP", (6000, 0))
    for known in (HDRP_17, bare):
        caught = refusal(old, known, {"_SurfaceType": 1})
        assert "not known exactly" in caught.details["fields"]["properties._SurfaceType"]
    changed = edit(old, bare, {"_CoatMask": 1})
    assert changed.result["shader"] == "HDRP/Lit"
    assert "_MATERIAL_FEATURE_CLEAR_COAT" in changed.result["keywords"]
    assert any("not on disk" in warning for warning in changed.result["warnings"])
    urp = make(URP_17).content
    with pytest.raises(ToolRejected):
        edit(urp, facts("URP", (6000, 1)), {"_Surface": 1})


def test_keyword_lists_change_by_item() -> None:
    """A keyword that comes or goes is one line; the empty list is written as Unity writes it."""
    old = make(BUILT_IN).content
    one = edit(old, BUILT_IN, {"normalMap": "Assets/normal.png"}).content
    assert [line for line in difference(old, one) if "_NORMALMAP" in line or "Keywords" in line] == [
        "-  m_ValidKeywords: []",
        "+  m_ValidKeywords:",
        "+  - _NORMALMAP",
    ]
    two = edit(one, BUILT_IN, {"emission": [2, 2, 2]}).content
    assert "+  - _EMISSION" in difference(one, two)
    assert [line for line in difference(one, two) if "NORMALMAP" in line] == []
    assert edit(two, BUILT_IN, {"emission": "#000", "normalMap": None}).result["keywords"] == []


def test_files_with_other_line_ends_keep_them() -> None:
    """CRLF, a missing last line end and values in unusual spellings survive an edit beside them."""
    for old in (OLD.replace(b"\n", b"\r\n"), OLD.rstrip(b"\n")):
        new = edit(old, BUILT_IN, {"_Glossiness": 0.75, "_Cutoff": 0.1}).content
        assert new.count(b"\r\n") == new.count(b"\n") * (b"\r\n" in old)
        assert new.endswith(b"\n") == old.endswith(b"\n")
        assert new.replace(b"    - _Cutoff: 0.1\r\n", b"").replace(b"    - _Cutoff: 0.1\n", b"") == old.replace(
            b"_Glossiness: 0.5", b"_Glossiness: 0.75"
        )


def test_the_material_is_found_whichever_document_it_is() -> None:
    """The hidden document may stand before the material; it is never touched."""
    here = project()
    here.write("ProjectSettings/URPProjectSettings.asset", "MonoBehaviour:\n  m_LastMaterialVersion: 10\n")
    orders: set[tuple[int, ...]] = set()
    while len(orders) < 2:
        old = make(URP_17, within=here).content
        orders.add(tuple(document.class_id for document in AssetFile.open(old, "x").documents))
        new = edit(old, URP_17, {"_Metallic": 1}, within=here).content
        assert difference(old, new) == ["-    - _Metallic: 0", "+    - _Metallic: 1"]


def test_leftover_properties_and_unknown_keywords_stay() -> None:
    """What an older shader left behind is neither removed nor sorted."""
    new = edit(OLD, BUILT_IN, {"_Glossiness": 1}).content
    assert b"_Leftover: 3" in new
    assert b"_SPECIAL" in new
    assert refusal(OLD, BUILT_IN, {"_Leftover": 4}).code == "invalid_arguments"


def test_a_material_whose_shader_is_not_on_disk() -> None:
    """Without the shader only what is saved can be set, by its own name; the answer says so."""
    old = OLD.replace(
        b"{fileID: 46, guid: 0000000000000000f000000000000000, type: 0}",
        b"{fileID: 4800000, guid: " + b"9" * 32 + b", type: 3}",
    )
    new = edit(old, BUILT_IN, {"_Metallic": 3, "_MainTex": "Assets/wall.png"})
    assert b"_Metallic: 3\n" in new.content
    assert "not on disk" in " ".join(new.result["warnings"])
    assert refusal(old, BUILT_IN, {"_Cutoff": 1}).code == "invalid_arguments"


def test_another_shader_keeps_the_saved_properties() -> None:
    """A new shader changes its reference; saved properties stay, keywords are sorted into those that it has and has not."""
    old = make(BUILT_IN, {"normalMap": "Assets/normal.png", "metallic": 0.7}).content
    new = edit(old, BUILT_IN, {"_Width": 2}, shader="Toon")
    assert b"_Metallic: 0.7" in new.content
    state = read_state(material(new.content), "x")
    assert state.shader.guid == "c" * 32
    assert (state.keywords, state.invalid) == (["_OUTLINE", "_STEPS_NONE"], ["_NORMALMAP"])
    back = edit(new.content, BUILT_IN, shader="Standard")
    assert read_state(material(back.content), "x").keywords == ["_NORMALMAP"]
    assert refusal(old, HDRP_17, shader="HDRP/Lit").code == "invalid_arguments"


def test_variants_take_properties_and_refuse_what_their_parent_decides() -> None:
    """A variant's own properties can be set; what depends on the parent's values is refused by name."""
    old = make(URP_14).content.replace(
        b"m_Parent: {fileID: 0}", b"m_Parent: {fileID: 2100000, guid: " + b"7" * 32 + b", type: 2}"
    )
    new = edit(old, URP_14, {"_Metallic": 1})
    assert difference(old, new.content) == ["-    - _Metallic: 0", "+    - _Metallic: 1"]
    assert "variant" in " ".join(new.result["warnings"])
    for refused in ({"surface": "transparent"}, {"normalMap": None}, {"renderQueue": 1}):
        assert "variant" in refusal(old, URP_14, refused).message
    assert "variant" in refusal(old, URP_14, shader="Toon").message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (OLD.replace(b"  serializedVersion: 6\n", b"  serializedVersion: 4\n"), "unsupported_asset"),
        (
            OLD.replace(b"    - _ZWrite: 1\n", b"    - first:\n        name: _ZWrite\n      second: 1\n"),
            "unsupported_asset",
        ),
        (OLD.replace(b"    serializedVersion: 3\n", b"    serializedVersion: 2\n"), "unsupported_asset"),
        (OLD + OLD[OLD.index(b"---") :].replace(b"&2100000", b"&5"), "unsupported_asset"),
        (OLD.replace(b"!u!21 ", b"!u!74 "), "unsupported_asset"),
        (b"version https://git-lfs.github.com/spec/v1\n", "unsupported_asset"),
        (b"\x00\x01binary", "unsupported_asset"),
        (b"%YAML 1.1\n--- nonsense\n", "invalid_asset"),
        (OLD.replace(b"    m_Floats:\n", b"    m_Floats: {\n"), "invalid_asset"),
    ],
)
def test_what_cannot_be_edited_is_refused(content: bytes, code: str) -> None:
    """Old forms, several materials, other files and broken ones are refused and never rewritten."""
    assert refusal(content, BUILT_IN, {"_Metallic": 1}).code == code


def test_real_materials_change_by_their_lines_only() -> None:
    """Every real material: a number, a colour and a texture change their own lines, and setting them back restores the file."""
    own: Mapping[str, bytes] = {"old": OLD, "urp": make(URP_17).content, "hdrp": make(HDRP_17).content}
    for name, content in (*own.items(), *((str(path), path.read_bytes()) for path in corpus_files(".mat"))):
        file = AssetFile.open(content, name)
        documents = [document for document in file.documents if document.class_id == 21]
        if b"first:" in content:
            assert refusal(content, BUILT_IN).code == "unsupported_asset"
            continue
        state = read_state(documents[0], name)
        unknown = content.replace(state.shader.guid.encode(), b"9" * 32)
        for found, there, back in (
            (list(state.floats)[:1], 0.123, list(state.floats.values())[:1]),
            (list(state.colors)[:1], [0.5, 0.25, 0.125, 0.75], list(state.colors.values())[:1]),
        ):
            if not found:
                continue
            changed = edit(unknown, BUILT_IN, {found[0]: there}).content
            lines = difference(unknown, changed)
            assert lines, name
            assert all(found[0] in line or line.strip("+- ").startswith(("a:", "b:")) for line in lines), (name, lines)
            assert edit(changed, BUILT_IN, {found[0]: back[0]}).content == unknown, name


def test_the_rules_find_nothing_to_correct_in_real_materials() -> None:
    """What follows from what is as Unity left it: all rules over a material that Unity saved change nothing in it."""
    own = [(make(known, order).content, version) for known, order, version in _CORRECT]
    for content, version in (*own, *((path.read_bytes(), None) for path in corpus_files(".mat"))):
        if b"first:" in content:
            continue
        state = read_state(material(content), "x")
        head, package = _head(state.shader, content, version)
        if head is None:
            continue
        state.head = head
        after = state.copied()
        rules_of(head, package).apply(after)
        for field in ("floats", "textures", "lightmap_flags", "queue", "double_sided_gi", "tags", "passes", "keywords"):
            assert getattr(after, field) == getattr(state, field), (head.name, field)
        for name, four in after.colors.items():
            assert four == pytest.approx(state.colors[name], abs=1e-6), (head.name, name)


_CORRECT: tuple[tuple[Facts, dict[str, Any], tuple[int, int] | None], ...] = (
    (BUILT_IN, {"mode": "cutout", "normalMap": "Assets/normal.png", "emission": [2, 0, 0]}, None),
    (URP_14, {"surface": "transparent", "blend": "additive", "emissionMap": "Assets/wall.png"}, (14, 0)),
    (URP_17, {"alphaClip": True, "renderFace": "both"}, (17, 1)),
    (HDRP_17, {"normalMap": "Assets/normal.png"}, (17, 0)),
)


def _head(
    ref: Ref, content: bytes, version: tuple[int, int] | None
) -> tuple[ShaderHead | None, tuple[int, int] | None]:
    """What is known of a material's shader without its file."""
    if ref.guid == builtin.GUID:
        name = builtin.name_of(ref.file_id)
        return (builtin.head_of(name) if name is not None else None), None
    shader = pipelines.by_guid(ref.guid)
    if shader is None:
        return None, None
    if version is None:
        version = (17, 1) if shader.package == pipelines.URP else (17, 0) if b"_PerPixelSorting" in content else (14, 0)
    return pipelines.known_head(shader, version), version
