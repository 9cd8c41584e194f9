"""Small assets, as Unity writes them, that fit together: each test takes one apart."""

from __future__ import annotations

HEAD = "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"


def game_object(file_id: int, *components: int, name: str = "Thing") -> str:
    listed = "".join(f"  - component: {{fileID: {one}}}\n" for one in components)
    return (
        f"--- !u!1 &{file_id}\nGameObject:\n  m_ObjectHideFlags: 0\n  serializedVersion: 6\n  m_Component:\n{listed}"
        f"  m_Layer: 0\n  m_Name: {name}\n  m_IsActive: 1\n"
    )


def transform(file_id: int, owner: int, *children: int, father: int = 0) -> str:
    listed = "".join(f"\n  - {{fileID: {one}}}" for one in children) or " []"
    return (
        f"--- !u!4 &{file_id}\nTransform:\n  m_ObjectHideFlags: 0\n  m_GameObject: {{fileID: {owner}}}\n"
        f"  m_LocalPosition: {{x: 0, y: 1.5, z: -0}}\n  m_Children:{listed}\n  m_Father: {{fileID: {father}}}\n"
    )


def behaviour(file_id: int, owner: int, script: str, extra: str = "") -> str:
    return (
        f"--- !u!114 &{file_id}\nMonoBehaviour:\n  m_ObjectHideFlags: 0\n  m_GameObject: {{fileID: {owner}}}\n"
        f"  m_Enabled: 1\n  m_Script: {{fileID: 11500000, guid: {script}, type: 3}}\n  m_Name: \n{extra}"
    )


def meta(guid: str, importer: str = "DefaultImporter") -> str:
    return f"fileFormatVersion: 2\nguid: {guid}\n{importer}:\n  externalObjects: {{}}\n  userData: \n"


def folder_meta(guid: str) -> str:
    return f"fileFormatVersion: 2\nguid: {guid}\nfolderAsset: yes\nDefaultImporter:\n  externalObjects: {{}}\n"


PREFAB = (
    HEAD + game_object(10, 11, name="Root") + transform(11, 10, 21) + game_object(20, 21) + transform(21, 20, father=11)
)
"""Root/Thing."""
MATERIAL = HEAD + (
    "--- !u!21 &2100000\nMaterial:\n  serializedVersion: 8\n  m_Name: Red\n"
    "  m_Shader: {fileID: 46, guid: 0000000000000000f000000000000000, type: 0}\n  m_SavedProperties:\n"
    "    serializedVersion: 3\n    m_TexEnvs:\n    - _MainTex:\n        m_Texture: {fileID: 0}\n        m_Scale: {x: 1, y: 1}\n"
    "    m_Floats: []\n    m_Colors:\n    - _Color: {r: 1, g: 0, b: 0, a: 1}\n"
)
