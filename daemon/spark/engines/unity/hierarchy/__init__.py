"""Prefabs and scenes as hierarchies: reading, making and changing them; and single properties of any text asset."""

from __future__ import annotations

from spark.engines.unity.hierarchy.edit_asset import edit_asset
from spark.engines.unity.hierarchy.outline import outline
from spark.engines.unity.hierarchy.prefab import edit_prefab, new_prefab
from spark.engines.unity.hierarchy.scene import new_scene
from spark.engines.unity.hierarchy.world import World

__all__ = ["World", "edit_asset", "edit_prefab", "new_prefab", "new_scene", "outline"]
