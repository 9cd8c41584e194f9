"""Game objects, their transforms, the head of scripts, prefab instances."""

from __future__ import annotations

from typing import Final

from spark.engines.unity.classes.rows import NONE, F, Rows, vector2, vector3, vector4

OBJECT: Final[Rows] = (F("m_ObjectHideFlags", 0),)
PREFAB_LINKS: Final[Rows] = (
    F("m_CorrespondingSourceObject", NONE),
    F("m_PrefabInstance", NONE),
    F("m_PrefabAsset", NONE),
)
COMPONENT: Final[Rows] = (*OBJECT, *PREFAB_LINKS, F("m_GameObject", NONE))
BEHAVIOUR: Final[Rows] = (*COMPONENT, F("m_Enabled", True))

_TRANSFORM: Final[Rows] = (
    F("m_LocalRotation", vector4(0.0, 0.0, 0.0, 1.0)),
    F("m_LocalPosition", vector3(0.0, 0.0, 0.0)),
    F("m_LocalScale", vector3(1.0, 1.0, 1.0)),
    F("m_ConstrainProportionsScale", False, (2021, 1)),
    F("m_Children", []),
    F("m_Father", NONE),
    # Gone with 2022.3, where scenes got a SceneRoots document; a tree of 2022.2.20 still has it.
    F("m_RootOrder", 0, until=(2022, 3)),
    F("m_LocalEulerAnglesHint", vector3(0.0, 0.0, 0.0)),
)

TABLES: Final[dict[str, Rows]] = {
    "GameObject": (
        *OBJECT,
        *PREFAB_LINKS,
        F("serializedVersion", 6),
        F("m_Component", []),
        F("m_Layer", 0),
        F("m_Name", ""),
        F("m_TagString", "Untagged"),
        F("m_Icon", NONE),
        F("m_NavMeshLayer", 0),
        F("m_StaticEditorFlags", 0),
        F("m_IsActive", True),
    ),
    "Transform": (*COMPONENT, F("serializedVersion", 2, (2022, 3)), *_TRANSFORM),
    # Inherits version 2 of Transform and does not write it.
    "RectTransform": (
        *COMPONENT,
        *_TRANSFORM,
        F("m_AnchorMin", vector2(0.5, 0.5)),
        F("m_AnchorMax", vector2(0.5, 0.5)),
        F("m_AnchoredPosition", vector2(0.0, 0.0)),
        F("m_SizeDelta", vector2(100.0, 100.0)),
        F("m_Pivot", vector2(0.5, 0.5)),
    ),
    # The script's own fields follow.
    "MonoBehaviour": (
        *BEHAVIOUR,
        F("m_EditorHideFlags", 0),
        F("m_Script", NONE),
        F("m_Name", ""),
        F("m_EditorClassIdentifier", ""),
    ),
    "PrefabInstance": (
        *OBJECT,
        F("serializedVersion", 2),
        F(
            "m_Modification",
            (
                F("serializedVersion", 3, (2022, 2)),
                F("m_TransformParent", NONE),
                F("m_Modifications", []),
                F("m_RemovedComponents", []),
                F("m_RemovedGameObjects", [], (2022, 2)),
                F("m_AddedGameObjects", [], (2022, 2)),
                F("m_AddedComponents", [], (2022, 2)),
            ),
        ),
        F("m_SourcePrefab", NONE),
    ),
}
