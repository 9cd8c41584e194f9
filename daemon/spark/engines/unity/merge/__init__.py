"""Three-way merge of Unity's YAML by document and property: what two people changed apart comes together, byte for byte.

Bytes in, bytes out; reads no files and knows no git. What cannot be merged safely is a conflict, never a guess.
"""

from __future__ import annotations

from spark.engines.unity.merge.asset import merge_asset

__all__ = ["merge_asset"]
