"""New objects of native classes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from spark.core.errors import ToolRejected
from spark.engines.unity.classes.bodies import INFERRED, established, field_names, is_offered, new_body, offered
from spark.engines.unity.editor_version import UNKNOWN, EditorVersion
from spark.engines.unity.yaml.values import Ref
from tests.engines.unity.classes.documents import (
    VERSIONS,
    real_documents,
    skeleton,
    without_references,
    written,
)

GOLDEN = Path(__file__).resolve().parents[3] / "fixtures" / "unity" / "classes"


def at(text: str) -> EditorVersion:
    return EditorVersion.parse(text)


COUNTS: dict[str, dict[str, tuple[int, int | None]]] = {
    # class: version of Unity's type tree -> number of fields, class version that is written
    "GameObject": {"2018.3.8": (12, 6), "6000.3.9": (12, 6)},
    "Transform": {"2020.3.48": (12, None), "2021.3.45": (13, None), "2022.3.56": (12, 2)},
    "RectTransform": {"2020.3.48": (17, None), "2021.3.45": (18, None), "2022.3.56": (17, None)},
    "MonoBehaviour": {"2018.3.8": (10, None), "6000.3.9": (10, None)},
    "MeshRenderer": {
        "2018.3.8": (32, None),
        "2019.4.40": (34, None),
        "2020.3.48": (36, None),
        "2021.3.45": (37, None),
        "6000.0.52": (40, None),
        "6000.2.10": (43, None),
        "6000.3.9": (44, None),
    },
    "SkinnedMeshRenderer": {"2018.3.8": (41, 2), "2021.3.45": (45, 2), "6000.3.9": (52, 2)},
    "SpriteRenderer": {"2018.3.8": (43, None), "2021.3.45": (47, None), "6000.2.10": (53, None), "6000.3.9": (53, 2)},
    "BoxCollider": {"2021.3.45": (10, 2), "2022.2.6": (14, 3)},
    "SphereCollider": {"2021.3.45": (10, 2), "2022.2.6": (14, 3)},
    "CapsuleCollider": {"2021.3.45": (12, None), "2022.2.6": (16, 2)},
    "MeshCollider": {"2018.3.8": (11, 3), "2019.4.40": (11, 4), "2022.2.6": (15, 5)},
    "Rigidbody": {"2021.3.45": (13, 2), "2022.2.6": (20, 4), "6000.0.52": (20, 4), "6000.1.0": (20, 5)},
    "Canvas": {"2020.3.48": (18, 3), "2021.3.45": (19, 3), "2022.2.6": (19, 3), "2022.3.56": (20, 3)},
    "Camera": {"2018.3.8": (32, 2), "2019.4.40": (33, 2), "2022.2.6": (41, 2)},
    "Light": {"2019.4.40": (31, 10), "2020.3.48": (32, 10), "6000.0.52": (35, 11), "6000.3.9": (35, 12)},
    "AudioSource": {"2022.3.56": (28, 4), "6000.0.52": (29, 4)},
    "Animator": {
        "2018.3.8": (16, 3),
        "2020.3.48": (18, 5),
        "2022.2.6": (17, 5),
        "2022.3.56": (18, 5),
        "6000.0.52": (19, 7),
    },
    "BoxCollider2D": {"2021.3.45": (16, 2), "2022.2.6": (23, 2), "6000.0.52": (24, 3)},
    "CircleCollider2D": {"2021.3.45": (13, 2), "2022.2.6": (20, 2), "6000.0.52": (21, 3)},
    "PolygonCollider2D": {"2021.3.45": (15, None), "2022.2.6": (23, None), "6000.0.52": (24, 3)},
    "Rigidbody2D": {"2021.3.45": (18, 4), "2022.2.6": (20, 4), "6000.0.52": (20, 5)},
    "PrefabInstance": {"2018.3.8": (3, 2), "6000.3.9": (3, 2)},
    "RenderSettings": {"2020.3.48": (27, 9), "2021.3.45": (26, 9), "2022.2.6": (27, 9), "6000.0.52": (26, 10)},
    "LightmapSettings": {"2019.4.40": (6, 11), "2020.3.48": (6, 12), "6000.0.0": (5, 12), "6000.0.52": (6, 13)},
}

AFTER: tuple[tuple[str, str, str, str], ...] = (
    # version, class, field, the field before it
    ("2021.3.45", "Transform", "m_ConstrainProportionsScale", "m_LocalScale"),
    ("2022.2.6", "Transform", "m_RootOrder", "m_Father"),
    ("2022.3.56", "Transform", "m_LocalEulerAnglesHint", "m_Father"),
    ("2022.2.6", "BoxCollider", "m_IncludeLayers", "m_Material"),
    ("2022.2.6", "BoxCollider", "m_ProvidesContacts", "m_IsTrigger"),
    ("6000.1.0", "Rigidbody", "m_LinearDamping", "m_Mass"),
    ("2021.3.45", "MeshRenderer", "m_StaticShadowCaster", "m_DynamicOccludee"),
    ("6000.2.10", "MeshRenderer", "m_ForceMeshLod", "m_SmallMeshCulling"),
    ("6000.3.9", "MeshRenderer", "m_MaskInteraction", "m_SortingOrder"),
    ("6000.3.9", "SpriteRenderer", "m_MaskInteraction", "m_SortingOrder"),
    ("6000.2.10", "SpriteRenderer", "m_MaskInteraction", "m_WasSpriteAssigned"),
    ("2022.3.56", "Camera", "m_FocalLength", "m_FocusDistance"),
    ("2021.3.45", "Camera", "m_FocalLength", "m_LensShift"),
    ("6000.0.52", "Light", "m_ForceVisible", "m_UseViewFrustumForShadowCasterCull"),
    ("6000.3.9", "Light", "m_CookieSize2D", "m_InnerSpotAngle"),
    ("6000.0.52", "AudioSource", "m_Resource", "m_audioClip"),
    ("6000.0.52", "Animator", "m_AnimatePhysics", "m_StabilizeFeet"),
    ("6000.0.52", "LightmapSettings", "m_BakeOnSceneLoad", "m_ObjectHideFlags"),
    ("2020.3.48", "LightmapSettings", "m_LightingSettings", "m_LightingDataAsset"),
    ("6000.0.52", "CircleCollider2D", "m_CompositeOperation", "m_UsedByEffector"),
)

VERSION_STANDS_AFTER: tuple[tuple[str, str, str], ...] = (
    ("2022.3.56", "GameObject", "m_PrefabAsset"),
    ("2022.3.56", "Transform", "m_GameObject"),
    ("2022.3.56", "Rigidbody", "m_GameObject"),
    ("2022.3.56", "BoxCollider", "m_Enabled"),
    ("2022.3.56", "MeshCollider", "m_Enabled"),
    ("2022.3.56", "Light", "m_Enabled"),
    ("2022.3.56", "Camera", "m_Enabled"),
    ("2022.3.56", "Canvas", "m_Enabled"),
    ("2022.3.56", "AudioSource", "m_Enabled"),
    ("2022.3.56", "SkinnedMeshRenderer", "m_SortingOrder"),
    ("6000.3.9", "SkinnedMeshRenderer", "m_MaskInteraction"),
    ("2022.3.56", "BoxCollider2D", "m_AutoTiling"),
    ("6000.0.52", "BoxCollider2D", "m_Enabled"),
    ("2022.3.56", "CircleCollider2D", "m_Offset"),
    ("2022.3.56", "PrefabInstance", "m_ObjectHideFlags"),
    ("2022.3.56", "RenderSettings", "m_ObjectHideFlags"),
    ("2022.3.56", "NavMeshSettings", ""),
    ("2022.3.56", "Animator", ""),
    ("2022.3.56", "TextMesh", ""),
    ("6000.3.9", "SpriteRenderer", ""),
)


def test_field_counts_and_class_versions_are_those_of_unitys_type_trees() -> None:
    """For each listed editor version a class has as many fields, and the class version, as Unity's own description."""
    for name, by_version in COUNTS.items():
        for text, (count, class_version) in by_version.items():
            fields = field_names(name, at(text))
            assert len(fields) == count, (name, text, fields)
            assert len(set(fields)) == count, (name, text)
            assert new_body(name, at(text)).get("serializedVersion") == class_version, (name, text)


def test_fields_that_came_or_moved_stand_where_unity_puts_them() -> None:
    """A field that appeared, moved or went leaves its neighbours as in Unity's own description."""
    for text, name, field, before in AFTER:
        fields = field_names(name, at(text))
        assert fields[fields.index(field) - 1] == before, (name, text, field)


def test_serialized_version_stands_where_the_class_begins_its_own_fields() -> None:
    """`serializedVersion` is written first, or behind the last field of the class that a class builds upon."""
    for text, name, before in VERSION_STANDS_AFTER:
        keys = ["", *new_body(name, at(text))]
        assert keys[keys.index("serializedVersion") - 1] == before, (name, text)


def test_new_objects_are_written_as_they_always_were() -> None:
    """Every byte of every new object of two editor versions: a changed default or order is seen here."""
    for text in ("2021.3.45", "6000.3.9"):
        names = [name for name in offered() if name != "SceneRoots" or text > "2022.3"]
        made = "".join(f"{name}:\n{written(name, at(text))}" for name in names)
        assert made == (GOLDEN / f"new_objects_{text}.txt").read_text("ascii"), text


def test_defaults_are_those_of_a_component_that_is_added() -> None:
    """What a person gets from Add Component, where the menu or a template would give something else."""
    now = at("2022.3.56")
    assert new_body("Light", now)["m_Type"] == 2
    assert new_body("Camera", now)["m_Depth"] == 0.0
    assert new_body("Canvas", now)["m_RenderMode"] == 2
    assert new_body("MeshFilter", now)["m_Mesh"] == Ref()
    assert new_body("MeshRenderer", now)["m_Materials"] == [Ref()]
    assert new_body("Rigidbody", now)["m_AngularDrag"] == 0.05
    assert new_body("RectTransform", now)["m_SizeDelta"] == {"x": 100.0, "y": 100.0}


def test_inferred_defaults_are_fields() -> None:
    """What is marked as inferred is a field of some known version, so that a warning names something real."""
    for name, fields in INFERRED.items():
        known = {field for version in VERSIONS for field in field_names(name, version)}
        assert known.issuperset(fields), name


def test_two_new_objects_share_nothing() -> None:
    """Changing a new object changes no other and no table."""
    one, other = new_body("Transform", at("2022.3.56")), new_body("Transform", at("2022.3.56"))
    children, position = one["m_Children"], one["m_LocalPosition"]
    assert isinstance(children, list)
    assert isinstance(position, dict)
    children.append(Ref(1))
    position["x"] = 7.0
    assert other == new_body("Transform", at("2022.3.56"))
    assert other["m_Children"] == []


def test_a_class_without_exact_fields_is_refused_by_name() -> None:
    """A class that is not known exactly is refused with the classes that work, never made up."""
    assert not is_offered("ParticleSystem")
    with pytest.raises(ToolRejected) as refused:
        new_body("ParticleSystem", at("2022.3.56"))
    assert refused.value.code == "unsupported_asset"
    assert "ParticleSystem" in refused.value.message
    assert "BoxCollider" in refused.value.hint
    with pytest.raises(ToolRejected) as early:
        new_body("SceneRoots", at("2021.3.45"))
    assert early.value.code == "unsupported_asset"


def test_what_is_not_certain_is_said() -> None:
    """A version between two known ones that differ, one beyond them, and an assumed one each get their sentence."""
    assert established("Transform", at("2022.3.10")) is True
    assert established("Rigidbody", at("6000.1.5")) is True
    assert established("MeshFilter", at("2023.2.1")) is True
    assert established("ParticleSystem", at("2022.3.10")) is False
    assert "changed between Unity 2021.3.24 and 2021.3.36" in str(established("Canvas", at("2021.3.30")))
    assert "changed between" in str(established("MeshRenderer", at("2023.2.1")))
    assert "nearest known version, 6000.3.9" in str(established("Transform", at("6100.1.0")))
    assert "nearest known version, 2018.3.8" in str(established("Transform", at("2017.4.1")))
    assert "names no Unity version" in str(established("Transform", UNKNOWN))
    assert "m_Points" in str(established("PolygonCollider2D", at("2022.3.56")))


def test_every_version_of_a_long_term_stream_is_known_or_its_doubt_is_listed() -> None:
    """The supported streams are certain for every class but the few that changed within a stream."""
    doubtful = {"Canvas", "LightmapSettings", "PolygonCollider2D", "RenderSettings"}
    for stream in ((2019, 4), (2020, 3), (2021, 3), (2022, 3), (6000, 0), (6000, 1)):
        for patch in range(60):
            version = EditorVersion(*stream, patch)
            for name in offered():
                if name not in doubtful | {"CharacterController", "NavMeshAgent", "SceneRoots", "TextMesh"}:
                    assert established(name, version) is True, (name, version)


def test_real_documents_have_the_keys_of_a_known_version() -> None:
    """Documents that Unity wrote have, key by key and inside each field, the form of some editor version here; for each
    class with three or more of them at least one is met. Empty where no real files are at hand."""
    forms = {
        name: {
            skeleton(written(name, version)) for version in VERSIONS if name != "SceneRoots" or version >= at("2022.3")
        }
        for name in offered()
    }
    seen: Counter[str] = Counter()
    met: Counter[str] = Counter()
    for found in real_documents():
        if found.class_name in forms:
            seen[found.class_name] += 1
            form = skeleton(found.body)
            if found.class_name == "MonoBehaviour":
                form = form[: len(field_names("MonoBehaviour", VERSIONS[0]))]
            met[found.class_name] += form in forms[found.class_name]
    for name, count in seen.items():
        assert met[name] or count < 3, (name, count)
        assert met[name] >= 0.97 * count - 1, (name, count, met[name])


def test_real_documents_have_the_defaults_of_a_known_version() -> None:
    """Where nobody changed a component, Unity's bytes are ours but for its references. Empty where no real files are."""
    plain = (
        "BoxCollider",
        "SphereCollider",
        "CapsuleCollider",
        "MeshCollider",
        "MeshRenderer",
        "Rigidbody",
        "Transform",
    )
    whole = (
        "AudioListener",
        "Animator",
        "Camera",
        "CanvasRenderer",
        "NavMeshSettings",
        "LightmapSettings",
        "AudioSource",
    )
    ours = {name: {without_references(written(name, version)) for version in VERSIONS} for name in plain + whole}
    seen: Counter[str] = Counter()
    same: Counter[str] = Counter()
    for found in real_documents():
        if found.class_name in ours:
            seen[found.class_name] += 1
            same[found.class_name] += without_references(found.body) in ours[found.class_name]
    assert all(same[name] for name in seen), same
