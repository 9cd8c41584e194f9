"""File ids: new ones, and those that objects of a prefab have inside an instance of it."""

from __future__ import annotations

import secrets
from collections.abc import Container
from typing import Final

GAME_OBJECT: Final = 1
TRANSFORM: Final = 4
RECT_TRANSFORM: Final = 224
MONO_BEHAVIOUR: Final = 114
PREFAB_INSTANCE: Final = 1001
SCENE_ROOTS: Final = 1660057539
TRANSFORMS: Final = (TRANSFORM, RECT_TRANSFORM)

_MASK: Final = 0x7FFF_FFFF_FFFF_FFFF
_SIGN: Final = 1 << 63


def new_id(taken: Container[int], *, scene: bool) -> int:
    """A random id that no object of the file has: 19 digits in a prefab, a positive 32-bit number in a scene, as Unity
    takes them."""
    while True:
        made = secrets.randbelow(0x7FFF_0000) + 0x1_0000 if scene else secrets.randbelow(_MASK >> 1) + (_MASK >> 1)
        if made not in taken:
            return made


def inside_id(instance_id: int, source_id: int) -> int:
    """The id that an object of a prefab has in another prefab through an instance there: Unity computes it from both."""
    return (instance_id ^ source_id) & _MASK


def source_ids(instance_id: int, file_id: int) -> tuple[int, int]:
    """The two ids in the source prefab that `inside_id` could have made this one of (the sign is lost on the way)."""
    plain = (instance_id ^ file_id) & _MASK
    return plain, plain - _SIGN
