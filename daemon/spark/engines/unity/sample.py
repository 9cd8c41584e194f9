"""The sample project of `spark demo`: as little as Unity needs to open a project; Unity makes the rest.

Owns its texts. Never overwrites: what is already there stays as it is.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Final

from spark.core.paths import ProjectPath
from spark.engines.unity.editor_version import EditorVersion
from spark.engines.unity.meta import meta_body

_NAMESPACE: Final = uuid.UUID("6f0d4a52-0f0c-5c0e-9a53-7d1f1f6f7c11")
_SPINNER: Final = """using UnityEngine;

namespace SparkSample
{
    /// <summary>Turns its object around an axis.</summary>
    public class Spinner : MonoBehaviour
    {
        [SerializeField] private float degreesPerSecond = 45f;
        [SerializeField] private Vector3 axis = Vector3.up;

        private void Update()
        {
            transform.Rotate(axis, degreesPerSecond * Time.deltaTime);
        }
    }
}
"""
_SCORE: Final = """using System;

namespace SparkSample
{
    /// <summary>Counts points and tells who listens.</summary>
    public class Score
    {
        public event Action<int> Changed;

        public int Points { get; private set; }

        public void Add(int points)
        {
            if (points <= 0)
            {
                return;
            }

            Points += points;
            Changed?.Invoke(Points);
        }
    }
}
"""
_EDITOR_SETTINGS: Final = """%YAML 1.1
%TAG !u! tag:unity3d.com,2011:
--- !u!159 &1
EditorSettings:
  m_ObjectHideFlags: 0
  serializedVersion: 12
  m_SerializationMode: 2
  m_LineEndingsForNewScripts: 1
  m_ProjectGenerationRootNamespace: SparkSample
"""
_VERSION_CONTROL: Final = """%YAML 1.1
%TAG !u! tag:unity3d.com,2011:
--- !u!890905787 &1
VersionControlSettings:
  m_ObjectHideFlags: 0
  m_Mode: Visible Meta Files
  m_CollabEditorSettings:
    inProgressEnabled: 1
"""
_IGNORED: Final = """# Made by Unity and by editors, again on every machine.
/[Ll]ibrary/
/[Tt]emp/
/[Oo]bj/
/[Bb]uild/
/[Bb]uilds/
/[Ll]ogs/
/[Uu]ser[Ss]ettings/
/[Mm]emoryCaptures/
/[Rr]ecordings/
/.vs/
/.idea/
/.spark/
*.csproj
*.sln
*.slnx
*.suo
*.user
*.pidb
*.booproj
*.apk
*.aab
*.unitypackage
sysinfo.txt
"""
_MODULES: Final = (
    "ai",
    "animation",
    "audio",
    "imgui",
    "jsonserialize",
    "particlesystem",
    "physics",
    "physics2d",
    "ui",
    "uielements",
    "unitywebrequest",
)


def create_sample_project(folder: Path, editor_version: str = "2022.3.40f1") -> list[Path]:
    """Makes the files of a small Unity project below `folder` and answers those it made, sorted.

    Files that are there already are left alone, so a second call makes nothing. Raises `OSError`.
    """
    made: list[Path] = []
    for name, content in sorted(sample_files(editor_version).items()):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("xb") as file:
                file.write(content)
        except FileExistsError:
            continue
        made.append(target)
    return made


def sample_files(editor_version: str) -> dict[str, bytes]:
    """The sample's files by their path with `/`. The same version always gives the same bytes."""
    version = EditorVersion.parse(editor_version)
    modules = {f"com.unity.modules.{name}": "1.0.0" for name in _MODULES}
    files = {
        ".gitignore": _IGNORED,
        "Assets/Scripts/Score.cs": _SCORE,
        "Assets/Scripts/Spinner.cs": _SPINNER,
        "Packages/manifest.json": json.dumps({"dependencies": modules}, indent=2) + "\n",
        "ProjectSettings/EditorSettings.asset": _EDITOR_SETTINGS,
        "ProjectSettings/ProjectVersion.txt": f"m_EditorVersion: {editor_version}\n",
        "ProjectSettings/VersionControlSettings.asset": _VERSION_CONTROL,
    }
    found = {name: text.encode("utf-8") for name, text in files.items()}
    for name in ("Assets/Scripts", "Assets/Scripts/Score.cs", "Assets/Scripts/Spinner.cs"):
        guid = uuid.uuid5(_NAMESPACE, name).hex
        found[f"{name}.meta"] = meta_body(ProjectPath(name), guid, version, folder="." not in name)
    return found
