"""Which shaders come with the render pipeline packages under ids that never change, and which package version is there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from spark.core.paths import ProjectPath
from spark.core.ports import ProjectFiles
from spark.engines.unity.facts import Facts, Pipeline, read_json
from spark.engines.unity.shaders import hdrp, urp
from spark.engines.unity.shaders.model import ShaderHead

URP: Final = "com.unity.render-pipelines.universal"
HDRP: Final = "com.unity.render-pipelines.high-definition"
PACKAGES: Final[dict[str, Pipeline]] = {URP: "URP", HDRP: "HDRP"}
PREFIXES: Final[dict[str, Pipeline]] = {"Universal Render Pipeline/": "URP", "HDRP/": "HDRP"}
DEFAULT_SHADERS: Final[dict[Pipeline, str]] = {
    "Built-in": "Standard",
    "URP": "Universal Render Pipeline/Lit",
    "HDRP": "HDRP/Lit",
}


@dataclass(frozen=True, slots=True)
class PackageShader:
    name: str
    package: str
    path: str
    guid: str

    @property
    def full_path(self) -> ProjectPath:
        return ProjectPath(f"Packages/{self.package}/{self.path}")


SHADERS: Final = {
    shader.name: shader
    for shader in (
        PackageShader("Universal Render Pipeline/Lit", URP, "Shaders/Lit.shader", "933532a4fcc9baf4fa0491de14d08ed7"),
        PackageShader(
            "Universal Render Pipeline/Simple Lit", URP, "Shaders/SimpleLit.shader", "8d2bb70cbf9db8d4da26e15b26e74248"
        ),
        PackageShader(
            "Universal Render Pipeline/Unlit", URP, "Shaders/Unlit.shader", "650dd9526735d5b46b79224bc6e94025"
        ),
        PackageShader("HDRP/Lit", HDRP, "Runtime/Material/Lit/Lit.shader", "6e4ae4064600d784cac1e41a9e6f2e59"),
    )
}


def by_guid(guid: str) -> PackageShader | None:
    return next((shader for shader in SHADERS.values() if shader.guid == guid), None)


def package_version(package: str, facts: Facts, files: ProjectFiles) -> tuple[int, int] | None:
    """Major and minor: of the package on disk, else as the manifest asks for it; None where neither says."""
    on_disk = read_json(files, ProjectPath(f"Packages/{package}/package.json")).get("version")
    for text in (on_disk, facts.packages.get(package)):
        match = re.match(r"(\d{1,4})\.(\d{1,4})\.", text) if isinstance(text, str) else None
        if match is not None:
            return int(match[1]), int(match[2])
    return None


def is_installed(package: str, facts: Facts, files: ProjectFiles) -> bool:
    return package in facts.packages or bool(read_json(files, ProjectPath(f"Packages/{package}/package.json")))


def known_head(shader: PackageShader, version: tuple[int, int] | None) -> ShaderHead | None:
    """What is known of the shader without its file."""
    if version is None:
        return None
    return hdrp.head_of(version) if shader.package == HDRP else urp.head_of(shader.name, version)


def pipeline_of(name: str) -> Pipeline | None:
    """The pipeline that a shader's name says it is made for."""
    return next((pipeline for prefix, pipeline in PREFIXES.items() if name.startswith(prefix)), None)
