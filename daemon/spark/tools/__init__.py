"""The function calls, one file each, and the one tuple that lists them for every model, wire and client."""

from __future__ import annotations

from typing import Any, Final

from spark.core.tool import Tool
from spark.tools.apply_code_patch import APPLY_CODE_PATCH
from spark.tools.create_asset import CREATE_ASSET
from spark.tools.create_prefab import CREATE_PREFAB
from spark.tools.delete_asset import DELETE_ASSET
from spark.tools.edit_asset import EDIT_ASSET
from spark.tools.edit_prefab import EDIT_PREFAB
from spark.tools.generate_unity_script import GENERATE_UNITY_SCRIPT
from spark.tools.get_diagnostics import GET_DIAGNOSTICS
from spark.tools.list_assets import LIST_ASSETS
from spark.tools.materials import CREATE_MATERIAL, EDIT_MATERIAL
from spark.tools.move_asset import MOVE_ASSET
from spark.tools.read_file import READ_FILE
from spark.tools.restore_version import RESTORE_VERSION
from spark.tools.search_project import SEARCH_PROJECT
from spark.tools.undo_turn import UNDO_TURN

TOOLS: Final[tuple[Tool[Any], ...]] = (
    GENERATE_UNITY_SCRIPT,
    APPLY_CODE_PATCH,
    CREATE_ASSET,
    CREATE_PREFAB,
    EDIT_PREFAB,
    CREATE_MATERIAL,
    EDIT_MATERIAL,
    EDIT_ASSET,
    READ_FILE,
    LIST_ASSETS,
    SEARCH_PROJECT,
    GET_DIAGNOSTICS,
    MOVE_ASSET,
    DELETE_ASSET,
    RESTORE_VERSION,
    UNDO_TURN,
)
