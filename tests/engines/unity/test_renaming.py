"""The name inside a native asset follows its file's."""

from __future__ import annotations

import pytest

from spark.core.paths import ProjectPath
from spark.engines.unity.renaming import renamed

MATERIAL = (
    b"%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n--- !u!114 &-7\nMonoBehaviour:\n  m_Name: Ruby\n"
    b"--- !u!21 &2100000\nMaterial:\n  m_Name: Ruby\n  m_Shader: {fileID: 46}\n"
)


def moved(content: bytes, old: str = "Assets/Ruby.mat", new: str = "Assets/Gems/Red Ruby.mat") -> bytes:
    return renamed(ProjectPath(old), ProjectPath(new), content)


def test_the_main_object_takes_the_new_name() -> None:
    """Only the name of the main document changes, nothing else."""
    head, _, rest = MATERIAL.rpartition(b"m_Name: Ruby")
    assert moved(MATERIAL) == head + b"m_Name: Red Ruby" + rest


@pytest.mark.parametrize(
    ("content", "old", "new"),
    [
        (MATERIAL, "Assets/Ruby.mat", "Assets/Gems/Ruby.mat"),
        (MATERIAL.replace(b"Ruby", b"Other"), "Assets/Ruby.mat", "Assets/Gem.mat"),
        (MATERIAL, "Assets/Ruby.prefab", "Assets/Gem.prefab"),
        (MATERIAL, "Assets/Ruby.mat.meta", "Assets/Gem.mat.meta"),
        (b"\x00\x01", "Assets/Ruby.asset", "Assets/Gem.asset"),
        (b"%YAML 1.1\n--- broken\n", "Assets/Ruby.asset", "Assets/Gem.asset"),
    ],
)
def test_what_is_not_named_after_its_file_stays(content: bytes, old: str, new: str) -> None:
    """The same stem, a name of its own, kinds that Unity names itself, and what cannot be read: the bytes stay."""
    assert moved(content, old, new) == content
