"""The properties that tie objects together. One side of a tie alone breaks a file, so none is set as a property."""

from __future__ import annotations

from typing import Final

from spark.core.errors import invalid_arguments
from spark.engines.unity.hierarchy.ids import MONO_BEHAVIOUR
from spark.engines.unity.yaml.asset import AssetDocument
from spark.engines.unity.yaml.paths import Step

TIES: Final = {
    "m_Father": "editPrefab with op move",
    "m_Children": "editPrefab with op move, add or remove",
    "m_GameObject": "editPrefab with addComponent and removeComponent",
    "m_Component": "editPrefab with addComponent and removeComponent",
    "m_Roots": "editPrefab with op move, add or remove",
    "m_RootOrder": "editPrefab with op move (value: the place among the siblings)",
    "m_Script": "editPrefab with removeComponent and addComponent, or createAsset",
    "m_CorrespondingSourceObject": "editPrefab with op add and prefab",
    "m_PrefabInstance": "editPrefab with op add and prefab",
    "m_PrefabAsset": "editPrefab with op add and prefab",
    "m_PrefabParentObject": "the Editor",
    "m_PrefabInternal": "the Editor",
    "m_SourcePrefab": "editPrefab with op remove and add",
    "m_Modification": "editPrefab with op override and revert",
    "serializedVersion": "the Editor, which upgrades the object",
}
"""What changes each of them."""


def refuse_ties(steps: tuple[Step, ...], document: AssetDocument) -> None:
    """Raises `invalid_arguments` for a property that ties objects together: one side of it alone breaks the file."""
    head = str(steps[0])
    if head == "m_GameObject" and document.class_id == MONO_BEHAVIOUR and len(steps) > 1:
        return
    if head in TIES and document.header:
        raise invalid_arguments({"property": f"another property: {head} is changed by {TIES[head]}"})
