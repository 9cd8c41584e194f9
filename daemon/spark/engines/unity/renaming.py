"""The name inside an asset: Unity keeps the main object of a native asset named as its file, and warns where it is not."""

from __future__ import annotations

from typing import Final

from spark.core.errors import SparkError
from spark.core.paths import ProjectPath

_NOT_NAMED: Final = (".prefab", ".unity")
"""A prefab's root takes the file's name when Unity imports it; a scene has no object of its name."""


def renamed(old: ProjectPath, new: ProjectPath, content: bytes) -> bytes:
    """The bytes of a native asset under its new name: `m_Name` of the main object follows where it was the old file name.
    Everything else, and whatever cannot be read, stays as it is."""
    from spark.engines.unity.classes.class_ids import MAIN_FILE_IDS
    from spark.engines.unity.yaml.asset import AssetFile
    from spark.engines.unity.yaml.split import is_yaml

    if old.stem == new.stem or old.is_meta or old.suffix in _NOT_NAMED or not is_yaml(content):
        return content
    try:
        asset = AssetFile.open(content, new.text)
        main = [found for found in asset.documents if MAIN_FILE_IDS.get(found.class_name) == found.file_id]
        if len(main) != 1 or main[0].value("m_Name") != old.stem:
            return content
        asset.set(main[0], ("m_Name",), new.stem)
        return asset.to_bytes()
    except (SparkError, ValueError):
        return content
