"""The hidden second document of URP's and HDRP's materials, by which the packages know how a material was last upgraded."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Final

from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles
from spark.engines.unity.facts import Facts, Pipeline, read_text
from spark.engines.unity.material_rules import RuleSet
from spark.engines.unity.shaders.find import Shader
from spark.engines.unity.yaml.values import Ref, Value

MATERIAL_ID: Final = 2100000
_VERSION_SCRIPTS: Final[dict[Pipeline, str]] = {
    "URP": "d0353a89b1f911e48b9e16bdc9f2e058",
    "HDRP": "da692e001514ec24dbc4cca1949ff7e8",
}
_VERSION_SETTINGS: Final[dict[Pipeline, str]] = {
    "URP": "ProjectSettings/URPProjectSettings.asset",
    "HDRP": "ProjectSettings/HDRPProjectSettings.asset",
}
_URP_GRAPHS: Final = frozenset({"UniversalLitSubTarget", "UniversalUnlitSubTarget"})


def version_document(
    shader: Shader, rules: RuleSet, facts: Facts, files: ProjectFiles
) -> tuple[Mapping[str, Value] | None, str]:
    """The hidden document in which URP and HDRP keep a material's version, and a note where it has to be left out.

    The number is the one that the project's settings give for materials that have none, so that no upgrade runs.
    """
    pipeline: Pipeline | None = None
    if rules.family == "urp" or (
        shader.head.is_graph and shader.head.targets & _URP_GRAPHS and facts.pipeline == "URP"
    ):
        pipeline = "URP"
    elif rules.family == "hdrp":
        pipeline = "HDRP"
    if pipeline is None:
        return None, ""
    text = read_text(files, ProjectPath(_VERSION_SETTINGS[pipeline]))
    match = re.search(r"^  m_LastMaterialVersion: (\d{1,4})[ \t]*$", text, re.MULTILINE)
    if match is None or int(match[1]) == 0:
        return None, (
            f"The hidden version document of {pipeline} was left out, because {_VERSION_SETTINGS[pipeline]} names no version; "
            "Unity adds it when it imports the material."
        )
    none = Ref()
    body: dict[str, Value] = {
        "m_ObjectHideFlags": 11,
        "m_CorrespondingSourceObject": none,
        "m_PrefabInstance": none,
        "m_PrefabAsset": none,
        "m_GameObject": none,
        "m_Enabled": 1,
        "m_EditorHideFlags": 0,
        "m_Script": Ref(11500000, _VERSION_SCRIPTS[pipeline], 3),
        "m_Name": "",
        "m_EditorClassIdentifier": "",
        "version": int(match[1]),
    }
    if pipeline == "HDRP":
        body["hdPluginSubTargetMaterialVersions"] = {"m_Keys": [], "m_Values": ""}
    return body, ""


def random_file_id() -> int:
    """A signed 64-bit file id that is not the material's."""
    while True:
        made = int.from_bytes(secrets.token_bytes(8), "big", signed=True)
        if made not in (0, MATERIAL_ID):
            return made
