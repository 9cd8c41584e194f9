"""References between assets: from the way people write them to ids in a file, and back."""

from __future__ import annotations

from spark.engines.unity.references.assets import AssetReferences, ScriptQuestion

__all__ = ["AssetReferences", "ScriptQuestion"]
